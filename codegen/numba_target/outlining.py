"""Loops as functions: those that differ in names only are one, so that fifty layers compile as fast as two."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sympy import Expr

from codegen.kernels.build import Kernel
from codegen.kernels.instructions import Loop
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
                for part in _separate(loop, kernel)]

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


def _separate(loop: Loop, kernel: Kernel) -> tuple[Loop, ...]:
    """Return the updates of parameters, which share a loop where their shapes do, as loops that know one each."""
    results = {str(r.name) for r in kernel.results} - set(kernel.storage.place.values())
    if all(is_matrix(line.target) and not line.reduction and str(line.target.name) in results for line in loop.lines):
        return tuple(Loop(loop.rows, loop.columns, (line,)) for line in loop.lines)
    return (loop,)


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
