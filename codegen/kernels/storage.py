"""Liveness: which values may share one buffer, planned before anything is allocated."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache

import sympy
from sympy import Expr, S

from codegen.kernels.instructions import Instruction, Product
from symbolic.build import SAMPLES
from symbolic.terms import is_matrix, shape


@dataclass(frozen=True)
class Storage:
    """Where each temporary matrix lives.

    Attributes:
        slots: The size of each buffer, in numbers.
        place: The buffer of each name; the name of a result where it lives in that result's own buffer.
    """

    slots: tuple[Expr, ...]
    place: Mapping[str, int | str]

    @property
    def size(self) -> Expr:
        """The numbers that all buffers hold together."""
        return sympy.Add(*self.slots)

    def offset(self, slot: int) -> Expr:
        """Return where a buffer begins when all stand one after another."""
        return sympy.Add(*self.slots[:slot])


def last_uses(instructions: Iterable[Instruction]) -> dict[str, int]:
    """Return the index of the instruction that reads, or else writes, each name last."""
    found: dict[str, int] = {}
    for i, instruction in enumerate(instructions):
        for name in (*instruction.reads, *(str(s.name) for s in instruction.writes)):
            found[name] = i
    return found


def plan(instructions: tuple[Instruction, ...], elsewhere: Collection[str],
         results: Collection[str] = ()) -> Storage:
    """Give each matrix a buffer, and take over those whose value nobody reads any more.

    A loop may write an entry where it has read it: the buffer of a value of its shape that dies in it is taken
    over. A product may not, since it reads an entry many times.

    Args:
        instructions: Each name is written once, products that accumulate excepted.
        elsewhere: Names that have a place of their own: inputs, results, and what lives within a loop.
        results: Those of them that are written once, by these instructions.
    """
    planning = _Planning(last_uses(instructions), frozenset(elsewhere))
    planning.place.update(_heirs(instructions, planning, frozenset(results)))
    for i, instruction in enumerate(instructions):
        planning.instruction(i, instruction)
    return Storage(tuple(planning.slots), planning.place)


def _heirs(instructions: tuple[Instruction, ...], planning: _Planning, results: frozenset[str]) -> dict[str, str]:
    """Let what a product computes stand in the result's buffer that the loop behind it writes from it."""
    found: dict[str, str] = {}
    products = {str(p.out.name): p.out for p in instructions if isinstance(p, Product)}
    read: set[str] = set()
    for i, instruction in enumerate(instructions):
        read |= instruction.reads
        for symbol in instruction.writes:
            if str(symbol.name) in results - read and is_matrix(symbol):
                candidates = [n for n in sorted(instruction.reads) if planning.last[n] == i and n in products
                              and n not in planning.elsewhere and n not in found]
                heir = next((n for n in candidates if instruction.may_replace(products[n], symbol)), None)
                if heir is not None:
                    found[heir] = str(symbol.name)
    return found


@dataclass
class _Planning:
    last: dict[str, int]
    elsewhere: frozenset[str]
    slots: list[Expr] = field(default_factory=list)
    place: dict[str, int | str] = field(default_factory=dict)
    free: list[int] = field(default_factory=list)
    shapes: dict[str, Expr] = field(default_factory=dict)

    def instruction(self, i: int, instruction: Instruction) -> None:
        dying = [n for n in sorted(instruction.reads) if self.last[n] == i and n in self.shapes]
        for symbol in instruction.writes:
            name = str(symbol.name)
            if not is_matrix(symbol) or name in self.elsewhere or name in self.place:
                continue
            self.shapes[name] = symbol
            heir = next((n for n in dying if instruction.may_replace(self.shapes[n], symbol)), None)
            if heir is None:
                self.place[name] = self._take(shape(symbol)[0] * shape(symbol)[1])
            else:
                dying.remove(heir)
                self.place[name] = self.place[heir]
        unread = [n for n in (str(s.name) for s in instruction.writes) if self.last[n] == i and n in self.shapes]
        for name in dict.fromkeys((*dying, *unread)):
            where = self.place[name]
            if isinstance(where, int):
                self.free.append(where)

    def _take(self, size: Expr) -> int:
        """Return a free buffer, the one that fits best; one that is too small is made larger."""
        fitting = [s for s in self.free if _degree(self.slots[s]) == _degree(size)]
        if not fitting:
            self.slots.append(size)
            return len(self.slots) - 1
        best = min(fitting, key=lambda s: _misfit(self.slots[s], size))
        self.free.remove(best)
        if _number(self.slots[best]) < _number(size):
            self.slots[best] = size
        return best


def largest(sizes: Iterable[Expr]) -> Expr:
    """Return a size that suffices for each of some sizes, polynomials in N of degree 1 at most."""
    polynomials = [sympy.Poly(size, SAMPLES) for size in sizes]
    slope, constant = (max((int(p.coeff_monomial(m)) for p in polynomials), default=0) for m in (SAMPLES, 1))
    return sympy.expand(SAMPLES * slope + constant)


def _misfit(slot: Expr, size: Expr) -> tuple[bool, int]:
    """Order buffers: those that are large enough first, the closest of them first."""
    difference = _number(slot) - _number(size)
    return difference < 0, abs(difference)


@cache
def _degree(size: Expr) -> int:
    return int(sympy.degree(size, SAMPLES)) if size.has(SAMPLES) else 0


@cache
def _number(size: Expr) -> int:
    return int(size.subs(SAMPLES, S.One))


