"""Reuse of forward values in derivatives: a costly function of the same entries is computed once, and kept."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import count

import sympy
from sympy import Expr, MatrixSymbol

from codegen.kernels.instructions import Assign, Instruction, Loop, entry

COSTLY = (sympy.exp, sympy.log, sympy.tanh, sympy.erf, sympy.sin, sympy.cos, sympy.tan, sympy.sinh, sympy.cosh,
          sympy.asin, sympy.acos, sympy.atan)


def reuse(instructions: Iterable[Instruction]) -> tuple[Instruction, ...]:
    """Keep the value of each costly function that occurs in more than one loop, as the forward value of gelu's erf."""
    instructions = tuple(instructions)
    uses: Counter[tuple[Expr, tuple[Expr, Expr]]] = Counter()
    for instruction in instructions:
        if isinstance(instruction, Loop) and not instruction.scalar:
            found = {(c, (instruction.rows, instruction.columns)) for line in instruction.lines
                     for c in calls(line.formula)}
            uses.update(found)
    shared = {key for key, times in uses.items() if times > 1}
    return tuple(_kept(instructions, shared)) if shared else instructions


def calls(formula: Expr) -> set[Expr]:
    """Return the costly calls of a formula, of its entries."""
    return {f for f in formula.atoms(sympy.Function) if is_costly(f) and f.free_symbols}


def is_costly(function: Expr) -> bool:
    """Say whether a call costs more than reading its value."""
    return isinstance(function, COSTLY) or type(function).__name__ in ("sigmoid", "softplus")


def _kept(instructions: Iterable[Instruction], shared: set[tuple[Expr, tuple[Expr, Expr]]]) -> Iterator[Instruction]:
    names: dict[tuple[Expr, tuple[Expr, Expr]], MatrixSymbol] = {}
    fresh = (f"kept{i}" for i in count(1))
    for instruction in instructions:
        if not isinstance(instruction, Loop) or instruction.scalar:
            yield instruction
            continue
        size = (instruction.rows, instruction.columns)
        lines: list[Assign] = []
        for line in instruction.lines:
            wanted = {c for c in calls(line.formula) if (c, size) in shared}
            for call in sorted(wanted, key=lambda c: (sympy.count_ops(c), str(c))):
                if (call, size) not in names:
                    whole = not line.reduction and line.formula == call
                    symbol = line.target if whole else MatrixSymbol(next(fresh), *size)
                    if not whole:
                        inside = call.func(*(_replaced(a, names, size) for a in call.args))
                        lines.append(Assign(symbol, inside))
                    names[call, size] = symbol
            own = {k: v for k, v in names.items() if v != line.target}
            lines.append(Assign(line.target, _replaced(line.formula, own, size), line.reduction))
        yield Loop(instruction.rows, instruction.columns, tuple(lines))


def _replaced(formula: Expr, names: dict[tuple[Expr, tuple[Expr, Expr]], MatrixSymbol],
              size: tuple[Expr, Expr]) -> Expr:
    table = {call: entry(symbol) for (call, where), symbol in names.items() if where == size}
    return formula.xreplace(table) if table else formula
