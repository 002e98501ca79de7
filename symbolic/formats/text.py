"""A derivation as Unicode text for a terminal."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence

from symbolic.derivation import Derivation, Gradient
from symbolic.formats.parts import assumptions, building_blocks, definition, evidence, functions, notes, sources
from symbolic.operations.entrywise import function_name
from symbolic.printing import TextPrinter
from symbolic.program import Equation

WIDTH = 80


def as_text(derivation: Derivation, shown: Sequence[Gradient]) -> str:
    """Return the forward equations and the steps of each gradient, for a screen 80 wide."""
    printer, cited = TextPrinter(), sources(shown)
    parts = [_forward(derivation, printer), _functions(derivation, shown, printer)]
    parts += [_gradient(g, printer, cited) for g in shown]
    used = building_blocks(derivation, shown)
    if used:
        parts.append("With\n" + "\n".join(f"  {printer.equation(e)}" for e in used))
    assumed = assumptions(derivation, shown)
    if assumed:
        parts.append("Assumed\n" + "\n".join(f"  {a.text}: {a.reason}" for a in assumed))
    parts.append("Notes\n" + "\n".join(wrapped("  " + note, 4) for note in notes(derivation, shown)))
    if cited:
        parts.append("Sources\n" + "\n".join(wrapped(f"  [{i}] {text}", 6) for text, i in cited.items()))
    parts.append(evidence(derivation))
    return "\n\n".join(p for p in parts if p) + "\n"


def _forward(derivation: Derivation, printer: TextPrinter) -> str:
    return "Forward\n" + "\n".join(_ranged(f"  {printer.equation(e)}", printer.shape(e.symbol))
                                   for e in derivation.forward.equations)


def _functions(derivation: Derivation, shown: Sequence[Gradient], printer: TextPrinter) -> str:
    rows = [wrapped(f"  {function_name(f, latex=False)}(x) = {printer.show(definition(f))}", 6)
            for f in functions(derivation, shown)]
    rows += [f"  {printer.show(symbol)} = {value:g}" for symbol, value in derivation.forward.constants.items()]
    return "where\n" + "\n".join(rows) if rows else ""


def _gradient(gradient: Gradient, printer: TextPrinter, cited: dict[str, int]) -> str:
    heading = printer.show(gradient.symbol) + "".join(f", assuming {a.text}" for a in gradient.assumptions)
    lines = [_ranged(heading, printer.shape(gradient.symbol))]
    expressions = [printer.line(step.after) for step in gradient.steps]
    start = f"  {printer.left(gradient)} = "
    column = min(max(map(len, expressions), default=0), 40) + len(start) + 2
    for i, (step, expression) in enumerate(zip(gradient.steps, expressions, strict=True)):
        left = (start if i == 0 else " " * (len(start) - 2) + "= ") + expression
        reference = f" [{cited[step.rule.source]}]" if not step.equation and not step.assumption else ""
        lines += _with_reason(left, printer.statement(step) + reference, column)
    lines.append(wrapped("  " + printer.equation(gradient.equation), 6))
    return "\n".join([*lines, _shapes(gradient.equation, printer)])


def _with_reason(left: str, reason: str, column: int) -> list[str]:
    """Set the reason beside the line where there is room, else below it."""
    if len(left) + 2 <= column and column + len(reason) <= WIDTH:
        return [left.ljust(column) + reason]
    if len(left) + 2 + len(reason) <= WIDTH:
        return [left + "  " + reason]
    return [wrapped(left, 11), *textwrap.wrap(reason, WIDTH, initial_indent=" " * 11, subsequent_indent=" " * 11)]


def _shapes(equation: Equation, printer: TextPrinter) -> str:
    """Spell the formula's factors by their shapes, as in 3×3 = (3×N) (N×3)."""
    shapes = f"  {printer.shape(equation.symbol)} = {printer.factored(equation.term)}"
    return wrapped(shapes, 6)


def _ranged(left: str, right: str) -> str:
    if len(left) + len(right) < WIDTH:
        return left.ljust(WIDTH - len(right) - 1) + " " + right
    return wrapped(f"{left}  {right}", 6)


def wrapped(text: str, indent: int) -> str:
    """Return a text on lines of at most 80 characters, those after the first indented."""
    return "\n".join(textwrap.wrap(text, WIDTH, subsequent_indent=" " * indent))


