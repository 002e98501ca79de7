"""Loops over one shape become one loop: an entry is loaded once, and what nobody else needs is never stored."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from codegen.kernels.instructions import Assign, Instruction, Loop
from symbolic.terms import is_matrix


def fuse(instructions: Iterable[Instruction]) -> tuple[Instruction, ...]:
    """Move each loop up into a loop of its shape, or else down: never past what it reads, nor past a reader of it."""
    return _sunk(_raised(instructions))


def _raised(instructions: Iterable[Instruction]) -> list[Instruction]:
    fused: list[Instruction] = []
    for instruction in instructions:
        place = _home(fused, instruction) if isinstance(instruction, Loop) else None
        if place is None:
            fused.append(instruction)
        else:
            into = fused[place]
            assert isinstance(into, Loop)
            assert isinstance(instruction, Loop)
            fused[place] = Loop(into.rows, into.columns, (*into.lines, *instruction.lines))
    return fused


def _sunk(instructions: list[Instruction]) -> tuple[Instruction, ...]:
    """Move loops that reduce nothing down into the first loop of their shape behind them."""
    done: list[Instruction] = []
    for instruction in reversed(instructions):
        place = _below(done, instruction) if isinstance(instruction, Loop) else None
        if place is None:
            done.insert(0, instruction)
        else:
            into = done[place]
            assert isinstance(into, Loop)
            assert isinstance(instruction, Loop)
            done[place] = Loop(into.rows, into.columns, (*instruction.lines, *into.lines))
    return tuple(done)


def _below(behind: list[Instruction], found: Loop) -> int | None:
    if any(line.reduction for line in found.lines):
        return None
    written = {str(s.name) for s in found.writes}
    for i, candidate in enumerate(behind):
        if found.reads & {str(s.name) for s in candidate.writes}:  # an update in place, as of a parameter
            return None
        if isinstance(candidate, Loop) and candidate.joins(found):
            return i
        if written & candidate.reads:
            return None
    return None


def _home(before: list[Instruction], found: Loop) -> int | None:
    """Return the index of the loop that another can join: what is computed behind that is out of its reach."""
    reads = found.reads
    for i in range(len(before) - 1, -1, -1):
        candidate = before[i]
        if isinstance(candidate, Loop) and candidate.joins(found):
            reduced = {str(line.target.name) for line in candidate.lines if line.reduction}
            if not reads & reduced:
                return i
        written = {str(s.name) for s in candidate.writes}
        if written & reads or candidate.reads & {str(s.name) for s in found.writes}:
            return None
    return None


def live(instructions: Iterable[Instruction], results: Collection[str]) -> tuple[Instruction, ...]:
    """Leave out what no result depends on."""
    wanted = set(results)
    kept: list[Instruction] = []
    for instruction in reversed(tuple(instructions)):
        if isinstance(instruction, Loop):
            lines: list[Assign] = []
            for line in reversed(instruction.lines):
                if str(line.target.name) in wanted:
                    lines.append(line)
                    wanted |= {str(s.name) for s in line.formula.free_symbols}
            if lines:
                kept.append(Loop(instruction.rows, instruction.columns, tuple(reversed(lines))))
        elif str(instruction.out.name) in wanted:
            wanted |= instruction.reads
            kept.append(instruction)
    return tuple(reversed(kept))


def locals_of(instructions: Iterable[Instruction], results: Collection[str]) -> frozenset[str]:
    """Return the names that live within one loop only, and need no buffer."""
    instructions = tuple(instructions)
    read_outside = set(results)
    for instruction in instructions:
        read_outside |= instruction.reads
    return frozenset(str(line.target.name) for i in instructions if isinstance(i, Loop) for line in i.lines
                     if not line.reduction and str(line.target.name) not in read_outside
                     and is_matrix(line.target))
