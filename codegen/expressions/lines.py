"""Lines of a width that is read: parts of long terms get names, long sums are broken."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection

from sympy import Expr, MatAdd, preorder_traversal

from codegen.expressions.passes import is_work
from codegen.expressions.printer import ExpressionPrinter
from codegen.passes import Equations, fresh_names, named, rebuild
from symbolic.program import Equation
from symbolic.terms import Term, add, operand_indices

WIDTH = 99
INDENT = 4
SHORTEST = 12
"""A part with fewer characters gets no name of its own to shorten a line."""


def shortened(equations: Equations, wanted: Collection[Expr], printer: ExpressionPrinter) -> Equations:
    """Return the equations with names for parts of terms that are too long for a line; some are returned at once."""
    names = fresh_names(equations)
    kept: list[Equation] = []
    for equation in equations:
        before = "return float()" if equation.symbol in wanted else f"{equation.name} = "
        term, room = equation.term, WIDTH - INDENT - len(before)
        while len(printer.show(term)) > room:
            found = _longest_part(term, printer, room) or _half(term, printer, room)
            if found is None:
                break
            whole, part, rest = found
            symbol = named(next(names), part)
            kept.append(Equation(symbol, part))
            term = _replaced(term, whole, rest(symbol))
        kept.append(Equation(equation.symbol, term))
    return tuple(kept)


Cut = tuple[Term, Term, Callable[[Expr], Term]]
"""A part of a term, what of it gets a name, and what then stands in its place."""


def _longest_part(term: Term, printer: ExpressionPrinter, room: int) -> Cut | None:
    """Return the longest part of a term that is worth a name and fits on a line."""
    lengths: dict[Term, int] = {}

    def visit(node: Term) -> None:
        for i in operand_indices(node):
            operand = node.args[i]
            if operand not in lengths:
                lengths[operand] = len(printer.show(operand)) if is_work(operand) else 0
                visit(operand)

    visit(term)
    fitting = {part: length for part, length in lengths.items() if SHORTEST <= length <= room}
    if not fitting:
        return None
    part = max(fitting, key=fitting.__getitem__)
    return part, part, lambda symbol: symbol


def _half(term: Term, printer: ExpressionPrinter, room: int) -> Cut | None:
    """Return the first half of a sum that is too long, though none of its summands is worth a name."""
    for node in preorder_traversal(term):
        if isinstance(node, MatAdd) and node is not term and len(node.args) > 3 and len(printer.show(node)) > room:
            middle = len(node.args) // 2
            later = node.args[middle:]
            return node, add(*node.args[:middle]), lambda symbol, later=later: add(symbol, *later)
    return None


def _replaced(term: Term, part: Term, symbol: Expr) -> Term:
    def visit(node: Term) -> Term:
        return symbol if node == part else rebuild(node, visit)
    return visit(term)


def wrapped(code: str) -> list[str]:
    """Return a statement in lines; a sum that is too long is broken before its signs."""
    if len(code) + INDENT <= WIDTH:
        return [code]
    start, _, rest = code.partition("return " if code.startswith("return ") else " = ")
    parts, depth = [""], 0
    for piece in re.split(r"( [+-] )", rest):
        if not depth and piece in (" + ", " - "):
            parts.append(piece.lstrip())
        else:
            parts[-1] += piece
            depth += sum(piece.count(c) for c in "([{") - sum(piece.count(c) for c in ")]}")
    if len(parts) == 1:
        return [code]
    lines = [""]
    for part in parts:
        if lines[-1] and len(f"{lines[-1]} {part}") > WIDTH - 2 * INDENT:
            lines.append("")
        lines[-1] += f" {part}" if lines[-1] else part
    return [f"{start} = (" if start else "return (", *(f"    {line}" for line in lines), ")"]
