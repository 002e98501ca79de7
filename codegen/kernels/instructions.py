"""What a kernel is made of: products of matrices, and loops over the entries of one shape.

A matrix is a `MatrixSymbol`. In the formula of a loop its entry is a scalar symbol of the same
name: entry (i, j) of a matrix of the loop's shape, (i, 0) of a column, (0, j) of a row.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeAlias

from sympy import Expr, MatrixSymbol, S, Symbol

from symbolic.terms import is_matrix, shape

SUM, MAX = "sum", "max"
MASK = "mask_"
"""How the names of matrices of truth values begin."""


def entry(symbol: Expr) -> Symbol:
    """Return the scalar that stands for an entry of a matrix in a formula; a scalar is its own."""
    return Symbol(str(symbol.name), real=True) if is_matrix(symbol) else symbol


@dataclass(frozen=True)
class Product:
    """``out = coefficient · op(left) op(right)``, added to what ``out`` holds where it accumulates.

    Attributes:
        out: A matrix.
        left, right: The factors.
        left_transposed, right_transposed: Whether op is the transpose.
        coefficient: A scalar formula.
        accumulate: Whether the product is added to ``out``.
    """

    out: MatrixSymbol
    left: MatrixSymbol
    right: MatrixSymbol
    left_transposed: bool = False
    right_transposed: bool = False
    coefficient: Expr = S.One
    accumulate: bool = False

    @property
    def inner(self) -> Expr:
        """The dimension that is summed over."""
        return self.left.shape[0 if self.left_transposed else 1]

    @property
    def reads(self) -> frozenset[str]:
        """The names that it reads."""
        own = {self.out.name} if self.accumulate else set()
        return frozenset({self.left.name, self.right.name, *own, *names_of(self.coefficient)})

    @property
    def writes(self) -> tuple[Expr, ...]:
        """The symbols that it writes."""
        return (self.out,)

    def may_replace(self, old: Expr, new: Expr) -> bool:
        """Say whether a result may stand where an operand stood: never, since an entry is read many times."""
        return False


@dataclass(frozen=True)
class Assign:
    """One line of a loop: ``target = formula``, or the sum or largest of the formula along what the target lacks."""

    target: Expr
    formula: Expr
    reduction: str = ""


@dataclass(frozen=True)
class Loop:
    """Lines that are computed at each entry (i, j) of a shape; 1 × 1 for scalars.

    Attributes:
        rows, columns: The shape.
        lines: In order; a line may use what a line before it assigned at the same entry.
    """

    rows: Expr
    columns: Expr
    lines: tuple[Assign, ...]

    @property
    def scalar(self) -> bool:
        """Whether it is no loop at all: lines between scalars."""
        return not any(is_matrix(line.target) or line.reduction for line in self.lines)

    def joins(self, other: Loop) -> bool:
        """Say whether two loops run over the same entries."""
        return (self.rows, self.columns, self.scalar) == (other.rows, other.columns, other.scalar)

    @property
    def reads(self) -> frozenset[str]:
        """The names that it reads from before the loop."""
        assigned: set[str] = set()
        found: set[str] = set()
        for line in self.lines:
            found |= names_of(line.formula) - assigned
            assigned.add(str(line.target.name))
        return frozenset(found)

    @property
    def writes(self) -> tuple[Expr, ...]:
        """The symbols that it writes."""
        return tuple(line.target for line in self.lines)

    def may_replace(self, old: Expr, new: Expr) -> bool:
        """Say whether a result may stand where an operand stood: where both are read and written at (i, j) alone."""
        reduced = {str(line.target.name) for line in self.lines if line.reduction}
        full = (self.rows, self.columns)
        return str(new.name) not in reduced and shape(old) == shape(new) == full


@dataclass(frozen=True)
class Apply:
    """``out = function(operands)`` on whole matrices, one call of a library; operands are symbols or constants.

    Attributes:
        function: Its name.
        operands: Matrices, scalars, or constant formulas.
        out: A matrix, or a scalar.
        entrywise: Whether an entry of ``out`` depends on the same entry of the operands alone.
    """

    function: str
    operands: tuple[Expr, ...]
    out: Expr
    entrywise: bool = True

    @property
    def reads(self) -> frozenset[str]:
        """The names that it reads."""
        return frozenset(name for o in self.operands for name in ([str(o.name)] if is_matrix(o) else names_of(o)))

    @property
    def writes(self) -> tuple[Expr, ...]:
        """The symbols that it writes."""
        return (self.out,)

    def may_replace(self, old: Expr, new: Expr) -> bool:
        """Say whether the result may stand where an operand stood: masks have smaller entries, and stand apart."""
        masks = [str(s.name).startswith(MASK) for s in (old, new)]
        return self.entrywise and shape(old) == shape(new) and masks[0] == masks[1]


Instruction: TypeAlias = Product | Loop | Apply


def names_of(formula: Expr) -> set[str]:
    """Return the names of the symbols of a formula."""
    return {str(s.name) for s in formula.free_symbols}


def loop(lines: Iterable[Assign], like: Expr | None = None) -> Loop:
    """Return a loop over the shape of ``like``; over a scalar where it is None."""
    rows, columns = (S.One, S.One) if like is None else shape(like)
    return Loop(rows, columns, tuple(lines))
