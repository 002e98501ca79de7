"""Loops as functions: those that differ in names only are one, so that fifty layers compile as fast as two."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sympy import Expr

from codegen.kernels.build import Kernel
from codegen.kernels.instructions import Loop, names_of
from codegen.kernels.outline import Outlined, outline
from codegen.numba_target.loops import Nest
from codegen.numba_target.scalars import NumbaScalars
from symbolic.terms import is_matrix, shape


class Outliner:
    """Write the functions of loops, and their calls.

    Attributes:
        functions: The name and the lines of each, by what it computes.
    """

    def __init__(self, scalars: NumbaScalars) -> None:
        self.scalars = scalars
        self.functions: dict[Any, tuple[str, list[str]]] = {}

    def calls(self, loop: Loop, kernel: Kernel, symbols: dict[str, Expr]) -> list[str]:
        """Return the calls that do what a loop does; functions that there are none of yet are written."""
        return [self._call(outline(part, symbols, kernel.locals, self.scalars.names), kernel)
                for part in _separate(loop, kernel, symbols)]

    def _call(self, outlined: Outlined, kernel: Kernel) -> str:
        written = {str(s.name) for s in outlined.loop.writes}
        same = _same_places(outlined, kernel)
        key = outlined.key, tuple(same.items())
        if key not in self.functions:
            name = f"loop{len(self.functions) + 1}"
            self.functions[key] = name, self._function(name, outlined, same)
        summed = [theirs for theirs, own in outlined.arguments if str(own.name) in written and not is_matrix(own)]
        arguments = ", ".join(["N", *(str(theirs.name) for theirs, own in outlined.arguments
                                      if theirs not in summed and str(own.name) not in same)])
        call = f"{self.functions[key][0]}({arguments})"
        return f"{', '.join(str(t.name) for t in summed)} = {call}" if summed else call

    def _function(self, name: str, outlined: Outlined, same: Mapping[str, str]) -> list[str]:
        written = {str(s.name) for s in outlined.loop.writes}
        own = [o for _, o in outlined.arguments]
        matrices = {str(o.name): o for o in own if is_matrix(o)}
        scalars = [str(o.name) for o in own if not is_matrix(o) and str(o.name) not in written]
        results = [str(o.name) for o in own if not is_matrix(o) and str(o.name) in written]
        heads = [n if n in matrices else f"given_{n}" for o in own
                 if (n := str(o.name)) not in results and n not in same]
        nest = Nest(self.scalars, outlined.loop, outlined.inside, {n: shape(m) for n, m in matrices.items()})
        body = [f"real = {next(iter(matrices))}.dtype.type", *(f"{s} = real(given_{s})" for s in scalars),
                *(f"{n} = {other}" for n, other in same.items()), *nest.lines(),
                *([f"return {', '.join(results)}"] if results else [])]
        return ["@compiled", f"def {name}({', '.join(['N', *heads])}):", *("    " + line for line in body)]


def _separate(loop: Loop, kernel: Kernel, symbols: Mapping[str, Expr]) -> list[Loop]:
    """Return loops of the lines that have matrices in common: those of other layers are loops of their own."""
    groups: list[tuple[set[int | str], list[int]]] = []
    for i, line in enumerate(loop.lines):
        names = {n for n in (*names_of(line.formula), str(line.target.name)) if n in symbols and is_matrix(symbols[n])}
        places = {kernel.storage.place.get(n, n) for n in names}
        joined = [g for g in groups if g[0] & places]
        groups = [g for g in groups if g not in joined]
        groups.append((places.union(*(g[0] for g in joined)), [*(n for g in joined for n in g[1]), i]))
    return [Loop(loop.rows, loop.columns, tuple(loop.lines[i] for i in sorted(lines)))
            for _, lines in sorted(groups, key=lambda g: min(g[1]))]


def _same_places(outlined: Outlined, kernel: Kernel) -> dict[str, str]:
    """Return which of a loop's matrices stand where another one stands, as its results in the place of an operand.

    Were both passed, the compiler could not know it, and the check for overlaps would choose the slow way.
    """
    first: dict[Any, str] = {}
    same: dict[str, str] = {}
    for theirs, own in outlined.arguments:
        if is_matrix(own):
            name = str(theirs.name)
            place = kernel.storage.place.get(name, name)
            if place in first:
                same[str(own.name)] = first[place]
            first.setdefault(place, str(own.name))
    return same
