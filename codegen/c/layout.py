"""How parameters, and all named values, stand in one vector: row by row, one matrix after another."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import sympy
from sympy import Expr

from codegen.c.printer import size_text
from symbolic.terms import is_matrix, shape


def offsets(symbols: Iterable[Expr]) -> list[Expr]:
    """Return where each begins, and the length of all at the end."""
    found: list[Expr] = [sympy.S.Zero]
    for symbol in symbols:
        rows, columns = shape(symbol)
        found.append(sympy.expand(found[-1] + rows * columns))
    return found


def pointers(symbols: Sequence[Expr], real: str, vector: str, constant: bool) -> list[str]:
    """Return a line for each symbol that lets a pointer of its name show into a vector."""
    kind = f"const {real}" if constant else real
    lines = []
    for symbol, offset in zip(symbols, offsets(symbols), strict=False):
        where = vector if offset == 0 else f"{vector} + {size_text(offset)}"
        name = symbol.name if is_matrix(symbol) else f"at_{symbol.name}"
        lines.append(f"{kind} *const {name} = {where};")
    return lines
