"""From equations of matrix terms to instructions, one equation after another, nothing fused yet."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import sympy
from sympy import Expr, HadamardProduct, MatAdd, MatMul, MatrixSymbol, OneMatrix, S, Symbol, Transpose, ZeroMatrix

from codegen.kernels.instructions import MAX, SUM, Assign, Instruction, Loop, Product, entry, loop
from codegen.passes import Equations, fresh_names, named
from codegen.scalar_code import guarded
from symbolic.extremes import LargestAlong
from symbolic.program import Equation
from symbolic.scalars import x
from symbolic.terms import (
    Applied,
    Broadcast,
    Elementwise,
    HadamardQuotient,
    Inner,
    SquaredNorm,
    SumAlong,
    Term,
    is_matrix,
    shape,
    split,
)


def lower(equations: Equations) -> tuple[Instruction, ...]:
    """Return instructions that compute the equations, in their order.

    Raises:
        TypeError: A term has no form as a product or a loop.
    """
    lowering = _Lowering(fresh_names(equations))
    for equation in equations:
        lowering.equation(equation)
    return tuple(lowering.instructions)


class _Lowering:
    def __init__(self, names: Iterator[str]) -> None:
        self.names = names
        self.instructions: list[Instruction] = []

    def equation(self, equation: Equation) -> None:
        symbol, term = equation.symbol, equation.term
        coefficient, rest = split(term)
        if isinstance(rest, MatMul):
            self._product(symbol, coefficient, rest)
        elif isinstance(term, MatAdd) and symbol in term.args:
            self._update(symbol, term)
        elif isinstance(term, MatAdd) and all(_is_product(a) for a in term.args):
            self._products(symbol, term.args)
        elif isinstance(rest, SumAlong | LargestAlong) and (coefficient is S.One or isinstance(rest, SumAlong)):
            self._reduce(symbol, rest, coefficient)
        else:
            self.instructions.append(loop([Assign(symbol, self._formula(term))], symbol))

    def _value(self, term: Term) -> Expr:
        """Return a symbol that holds the term, computed into a fresh one where it is none."""
        if isinstance(term, MatrixSymbol | Symbol):
            return term
        symbol = named(next(self.names), term)
        self.equation(Equation(symbol, term))
        return symbol

    def _update(self, symbol: Expr, term: MatAdd) -> None:
        """Change a matrix in its place: what is added to it is never stored."""
        others = [a for a in term.args if not _is_product(a)]
        if others != [symbol]:
            self.instructions.append(loop([Assign(symbol, sympy.Add(*map(self._formula, others)))], symbol))
        for coefficient, rest in map(split, (a for a in term.args if _is_product(a))):
            self._product(symbol, coefficient, rest, accumulate=True)

    def _sum(self, term: MatAdd) -> Expr:
        """Return the entry of a sum; its products are added up in one buffer."""
        products = [a for a in term.args if _is_product(a)]
        if len(products) < 2:
            return sympy.Add(*map(self._formula, term.args))
        symbol = named(next(self.names), term)
        self._products(symbol, products)
        return sympy.Add(entry(symbol), *(self._formula(a) for a in term.args if not _is_product(a)))

    def _products(self, out: Expr, summands: Sequence[Term]) -> None:
        for i, (coefficient, rest) in enumerate(map(split, summands)):
            self._product(out, coefficient, rest, accumulate=i > 0)

    def _product(self, out: Expr, coefficient: Expr, term: MatMul, accumulate: bool = False) -> None:
        operands = [(self._value(f.args[0]), True) if isinstance(f, Transpose) else (self._value(f), False)
                    for f in term.args]  # two of them: a pass has chosen the order of longer products
        (left, left_transposed), (right, right_transposed) = operands
        self.instructions.append(
            Product(out, left, right, left_transposed, right_transposed, self._formula(coefficient), accumulate))

    def _reduce(self, out: Expr, term: SumAlong | LargestAlong, coefficient: Expr = S.One) -> None:
        formula = self._formula(coefficient) * self._formula(term.operand)
        kind = SUM if isinstance(term, SumAlong) else MAX
        self._over(term.operand, Assign(out, formula, kind))

    def _total(self, formula: Expr, like: Term) -> Symbol:
        symbol = Symbol(next(self.names), real=True)
        self._over(like, Assign(symbol, formula, SUM))
        return symbol

    def _over(self, like: Term, line: Assign) -> None:
        self.instructions.append(Loop(*shape(like), (line,)))

    def _formula(self, term: Term) -> Expr:
        """Return the entry of a term as a scalar formula; what is no formula is computed before."""
        if isinstance(term, MatrixSymbol):
            return entry(term)
        if isinstance(term, Elementwise | Applied):
            return guarded(term.function.formula).subs(x, self._formula(term.args[1]))
        if isinstance(term, MatAdd):
            return self._sum(term)
        if isinstance(term, HadamardProduct):
            return sympy.Mul(*map(self._formula, term.args))
        if isinstance(term, HadamardQuotient):
            return self._formula(term.args[0]) / self._formula(term.args[1])
        if isinstance(term, OneMatrix | ZeroMatrix):
            return S.One if isinstance(term, OneMatrix) else S.Zero
        if isinstance(term, Broadcast):
            return entry(self._value(term.operand))
        if isinstance(term, SumAlong | LargestAlong):
            return entry(self._value(term))
        if isinstance(term, MatMul):
            coefficient, rest = split(term)
            inside = entry(self._value(rest)) if isinstance(rest, MatMul) else self._formula(rest)
            return self._formula(coefficient) * inside
        if not is_matrix(term):
            return self._scalar(term)
        raise TypeError(f"{type(term).__name__} has no form as a loop over entries")

    def _scalar(self, term: Expr) -> Expr:
        if isinstance(term, Inner):
            return self._total(sympy.Mul(*map(self._formula, term.args)), term.args[0])
        if isinstance(term, SquaredNorm):
            return self._total(self._formula(term.args[0]) ** 2, term.args[0])
        if not term.args or term.is_number:
            return term
        if isinstance(term, (sympy.Add, sympy.Mul, sympy.Pow, sympy.Function)):
            return term.func(*map(self._formula, term.args))
        raise TypeError(f"{type(term).__name__} has no scalar form")


def _is_product(term: Term) -> bool:
    return isinstance(split(term)[1], MatMul)
