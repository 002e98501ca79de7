"""Loops over the entries of a shape, as Python that numba compiles."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

import sympy
from sympy import Expr, S

from codegen.kernels.instructions import MAX, Assign, Loop
from codegen.numba_target.scalars import NumbaScalars
from symbolic.terms import is_matrix, shape

ADD = '''@numba.njit(**{**OPTIONS, "fastmath": {"contract", "reassoc"}})
def add(x, y):
    """Return x + y, one step of a sum that may be taken in any order."""
    return x + y'''


class Nest:
    """Two loops, one inside the other.

    Args:
        scalars: Prints the formulas.
        loop: The lines at each entry.
        inside: Names that live within the loop.
        shapes: The shape of each matrix that has a place.
    """

    def __init__(self, scalars: NumbaScalars, loop: Loop, inside: Collection[str],
                 shapes: dict[str, tuple[Expr, Expr]]) -> None:
        self.scalars, self.loop, self.inside, self.shapes = scalars, loop, inside, shapes
        self.reductions = [line for line in loop.lines if line.reduction]

    def lines(self) -> Iterator[str]:
        """Yield the lines of code."""
        rows, columns = self.loop.rows, self.loop.columns
        along_rows = [r for r in self.reductions if is_matrix(r.target) and not self._into_column(r)]
        along_columns = [r for r in self.reductions if is_matrix(r.target) and self._into_column(r)]
        for line in self.reductions:
            if not is_matrix(line.target):
                yield f"{line.target.name} = {_start(line)}"
        if along_rows:
            yield f"for j in range({sympy.expand(columns)}):"
            yield from (f"    {line.target.name}[0, j] = {_start(line)}" for line in along_rows)
        indent = ""
        if rows != 1:
            yield f"for i in range({sympy.expand(rows)}):"
            indent = "    "
        for line in along_columns:
            yield f"{indent}{line.target.name}_i = {_start(line)}"
        deeper = indent
        if columns != 1:
            yield f"{indent}for j in range({sympy.expand(columns)}):"
            deeper += "    "
        for text in self._innermost():
            yield deeper + text
        for line in along_columns:
            yield f"{indent}{line.target.name}[{self._index(shape(line.target))}] = {line.target.name}_i"

    def _into_column(self, line: Assign) -> bool:
        return bool(shape(line.target) == (self.loop.rows, S.One))

    def _innermost(self) -> Iterator[str]:
        """Yield what happens at one entry: all is read before anything is written, since buffers are shared."""
        names = {}
        for name in sorted(self.loop.reads & self.shapes.keys()):
            names[name] = f"{name}_ij"
            yield f"{name}_ij = {name}[{self._index(self.shapes[name])}]"
        table = self.scalars.names
        table |= names
        stores = []
        for line in self.loop.lines:
            formula = self.scalars.formula(line.formula)
            name = str(line.target.name)
            if line.reduction:
                yield from self._reduced(line, formula)
                continue
            local = f"{name}_new" if name in names else f"{name}_ij"
            table[name] = names[name] = local
            yield f"{local} = {formula}"
            if name not in self.inside:
                stores.append(f"{name}[{self._index(shape(line.target))}] = {local}")
        yield from stores
        for name in names:
            table.pop(name)

    def _reduced(self, line: Assign, formula: str) -> Iterator[str]:
        target = str(line.target.name)
        if is_matrix(line.target):
            target = f"{target}_i" if self._into_column(line) else f"{target}[{self._index(shape(line.target))}]"
        if line.reduction == MAX:
            yield f"new = {formula}"
            yield f"{target} = new if new > {target} else {target}"
        else:
            self.scalars.helpers.setdefault("add", ADD)
            yield f"{target} = add({target}, {formula})"

    def _index(self, size: Iterable[Expr]) -> str:
        """Return the index of the entry of a matrix that belongs to (i, j)."""
        rows, columns = size
        return f"{'i' if rows != 1 else '0'}, {'j' if columns != 1 else '0'}"


def _start(line: Assign) -> str:
    return "real(-np.inf)" if line.reduction == MAX else "real(0)"
