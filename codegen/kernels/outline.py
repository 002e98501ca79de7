"""Loops that differ in names only, as one: what keeps the text, and the time to compile it, flat in depth."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from sympy import Expr, MatrixSymbol, Symbol

from codegen.kernels.instructions import Assign, Loop, entry, names_of
from symbolic.terms import is_matrix


@dataclass(frozen=True)
class Outlined:
    """A loop in names of its own.

    Attributes:
        loop: In the names p0, p1, and so on.
        inside: Those of its names that live within it.
        arguments: The matrix or scalar of the caller for each name that is no such one, with its own name.
    """

    loop: Loop
    inside: frozenset[str]
    arguments: tuple[tuple[Expr, Expr], ...]

    @property
    def key(self) -> tuple[Loop, frozenset[str]]:
        """What is equal for loops that one function serves."""
        return self.loop, self.inside


def outline(loop: Loop, symbols: dict[str, Expr], inside: Collection[str], kept: Collection[str]) -> Outlined:
    """Return a loop in names of its own.

    Args:
        loop: In the names of its kernel.
        symbols: The matrix or scalar of each name of the kernel.
        inside: Names that live within the loop.
        kept: Names that are the same everywhere, such as N.
    """
    table: dict[str, Expr] = {}

    def own(name: str) -> None:
        if name not in table and name not in kept:
            known, fresh = symbols[name], f"p{len(table)}"
            table[name] = MatrixSymbol(fresh, *known.shape) if is_matrix(known) else Symbol(fresh, real=True)

    for line in loop.lines:
        for name in sorted(names_of(line.formula)):
            own(name)
        own(str(line.target.name))
    entries = {entry(symbols[n]): entry(s) for n, s in table.items()}
    lines = tuple(Assign(table[str(a.target.name)], a.formula.xreplace(entries), a.reduction) for a in loop.lines)
    hidden = frozenset(str(s.name) for n, s in table.items() if n in inside)
    arguments = tuple((symbols[n], s) for n, s in table.items() if n not in inside)
    return Outlined(Loop(loop.rows, loop.columns, lines), hidden, arguments)
