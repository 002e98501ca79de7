"""The derivatives of an expression as the text of a NumPy module."""

from __future__ import annotations

from typing import Any

from sympy import Expr

from codegen.expressions.arguments import PROPERTIES, checking_lines, drawing_lines
from codegen.expressions.check import Checked, comparing_lines, keeping_lines
from codegen.expressions.drawing import fitting_sizes
from codegen.expressions.functions import Functions, call
from codegen.expressions.layout import Computed, lay_out
from codegen.expressions.words import about, title
from codegen.templating import render
from symbolic.answers import Answers


def generate_expression(answers: Answers) -> str:
    """Return the text of a NumPy module with the value of an expression and the derivatives asked for.

    Args:
        answers: The expression and its derivatives, already verified.

    Returns:
        A module that imports NumPy alone; the same answers give the same bytes.
    """
    return render("expression.py.jinja", **_context(_written(answers)))


def _written(answers: Answers) -> Functions:
    """Return the functions, laid out for the sizes and helpers that their code turns out to need."""
    sizes: frozenset[Expr] = frozenset()
    called: frozenset[str] = frozenset()
    while True:
        functions = Functions(answers, lay_out(answers, sizes, called))
        needed = sizes | functions.scope.printed, called | frozenset(functions.scope.helpers)
        if needed == (sizes, called):
            return functions
        sizes, called = needed


def _context(functions: Functions) -> dict[str, Any]:
    """Return what the template asks for."""
    layout, scope, used = functions.layout, functions.scope, functions.used
    arguments, terms = list(layout.arguments), [e.term for e in layout.equations]
    checking, comparing = checking_lines(arguments, terms, used, scope), _comparing(functions)
    pairs = zip(layout.arguments.values(), functions.parameters, strict=True)
    return {
        "title": title(functions.answers),
        "about": about(functions.answers, layout.arguments, used, layout.sizes.keywords),
        "helpers": [h.source for h in scope.helpers.values()],
        "functions": functions.texts(),
        "unchecked": "_unchecked" if functions.unchecked else "value",
        "along": " in directions that keep its symmetry" if functions.moves else "",
        "comparing": comparing, "keeping": keeping_lines(functions.moves),
        "has_first": any("_slope(" in line or "_curvature(" in line for line in comparing),
        "has_second": any("_curvature(" in line for line in comparing),
        "drawing": drawing_lines(arguments, functions.assumptions,
                                 fitting_sizes(functions.answers, layout.equations, layout.sizes), scope),
        "drawn": "{" + ", ".join(f'"{keyword}": {name}' for keyword, name in pairs) + "}",
        "parameters": ", ".join(functions.parameters), "checking": checking,
        "matrices": bool(layout.arrays), "directions": bool(layout.directions),
        "numbers": any("_number(" in line for line in checking),
        "fits": any("_fit(" in line for line in checking) or bool(layout.directions),
        "reaches": any("_reaches(" in line for line in checking), "keyword_sizes": bool(layout.sizes.keywords),
        "alike": any("_alike(" in line for line in checking),
        "properties": [(key, PROPERTIES[key]) for key in dict.fromkeys(a.key for a in used)],
    }


def _comparing(functions: Functions) -> list[str]:
    """Return the lines that compare all answers with differences."""
    layout, several = functions.layout, len(functions.closed) > 1
    lines = ["found = derivative(**given)"] if functions.closed else []
    for computed in layout.computed:
        found = "" if computed.value is None else f'found["{computed.answer.name}"]' if several else "found"
        keys = tuple(layout.arguments[w] for w in computed.answer.wrt)
        checked = Checked(computed.answer, found, _map_call(functions, computed), keys)
        lines += comparing_lines(checked, functions.moves, "_unchecked" if functions.unchecked else "value")
    return lines


def _map_call(functions: Functions, computed: Computed) -> str:
    """Return the call of a map in the direction V; where other maps come with it, these get the direction 0."""
    layout, answer = functions.layout, computed.answer
    if computed.mapped is None:
        return ""
    task = next(t for t in functions.tasks if t.directions and computed.mapped in t.results.values())
    given = [f"{layout.directions[d]}=" + ("V" if d == answer.direction else
                                           f'0 * given["{layout.arguments[layout.variable(d)]}"]')
             for d in task.directions]
    found = call(task.name, [*given, "**given"])
    return found if len(task.results) == 1 else f'{found}["{answer.name}"]'
