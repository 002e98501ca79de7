"""A derivation as JSON."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from sympy import Expr, Mul

from symbolic.derivation import Derivation, Gradient
from symbolic.formats.parts import assumptions, definition, functions, notes, source
from symbolic.operations.entrywise import function_name
from symbolic.printing import LatexPrinter, TextPrinter
from symbolic.program import Equation
from symbolic.terms import shape


def as_json(derivation: Derivation, shown: Sequence[Gradient]) -> str:
    """Return the derivation as JSON; ``before``, ``after`` and ``statement`` are LaTeX."""
    return json.dumps(as_data(derivation, shown), ensure_ascii=False, indent=2) + "\n"


def as_data(derivation: Derivation, shown: Sequence[Gradient]) -> dict[str, Any]:
    """Return the derivation as dicts and lists; a shape is two integers or names of dimensions."""
    text, latex = TextPrinter(), LatexPrinter()
    program = derivation.forward

    def equation(e: Equation) -> dict[str, Any]:
        return {"name": e.name, "shape": dimensions(e.symbol), "text": text.equation(e), "latex": latex.equation(e)}

    verified = derivation.verified and {"verified": {
        "method": derivation.verified.method, "max_relative_error": derivation.verified.max_relative_error}}
    return {
        "name": program.name,
        "parameters": [{"name": p.name, "shape": dimensions(p), "size": dimension(Mul(*shape(p)))}
                       for p in program.parameters],
        "assumptions": [f"{a.text}: {a.reason}" for a in assumptions(derivation, shown)],
        "functions": [{"name": f.name, "text": f"{function_name(f, latex=False)}(x) = {text.show(definition(f))}",
                       "latex": f"{function_name(f, latex=True)}(x) = {latex.show(definition(f))}"}
                      for f in functions(derivation, shown)],
        "constants": {str(symbol): value for symbol, value in program.constants.items()},
        "notes": notes(derivation, shown),
        "forward": [equation(e) for e in program.equations],
        "gradients": [{"wrt": g.wrt.name, **equation(g.equation),
                       "assumptions": [f"{a.text}: {a.reason}" for a in assumptions(derivation, [g])],
                       "steps": steps_of(g, latex)} for g in shown],
    } | (verified or {})


def steps_of(gradient: Gradient, latex: LatexPrinter) -> list[dict[str, str]]:
    """Return the steps of a derivation, each line before and after in LaTeX."""
    before, steps = latex.line(gradient.start), []
    for step in gradient.steps:
        after = latex.line(step.after)
        steps.append({"rule": step.rule.key, "statement": latex.statement(step), "source": source(step),
                      "before": before, "after": after})
        before = after
    return steps


def dimensions(symbol: Expr) -> list[int | str]:
    """Return the shape of a symbol, as integers where they are."""
    return [dimension(d) for d in shape(symbol)]


def dimension(size: Expr) -> int | str:
    """Return a dimension or a product of dimensions: an integer or its name."""
    return int(size) if size.is_Integer else str(size)
