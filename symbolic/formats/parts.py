"""What the formats have in common: sources, numbered; the other gradients that an answer builds on."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np
from sympy import Expr, exp
from sympy.core.function import AppliedUndef

from symbolic.derivation import Derivation, Gradient, Step
from symbolic.functions import ScalarFunction, derivative
from symbolic.printing import TextPrinter
from symbolic.program import Assumption, Equation, needed
from symbolic.scalar_values import scalar_value
from symbolic.scalars import sigmoid, softplus
from symbolic.terms import Applied, Elementwise


def source(step: Step) -> str:
    """Return where the rule of a step stands; the program itself for a definition."""
    return "the program" if step.equation else step.assumption.reason if step.assumption else step.rule.source


def heading(derivation: Derivation) -> str:
    """Return what a page is about."""
    what = "Gradients" if all(g.of is None for g in derivation.gradients) else "Derivatives"
    name = derivation.forward.name
    return f"{what} of an expression" if name == "expression" else f"{what} of {name}"


def sources(gradients: Iterable[Gradient]) -> dict[str, int]:
    """Return the sources cited, numbered from 1 in the order of their first use."""
    cited = dict.fromkeys(source(s) for g in gradients for s in g.steps if not s.equation and not s.assumption)
    return {text: i for i, text in enumerate(cited, start=1)}


def building_blocks(derivation: Derivation, shown: Sequence[Gradient]) -> tuple[Equation, ...]:
    """Return the gradient equations that the shown ones use but that are not shown themselves."""
    symbols = {g.symbol for g in shown}
    backward = [g.equation for g in derivation.gradients]
    return tuple(e for e in needed(backward, symbols) if e.symbol not in symbols)


def assumptions(derivation: Derivation, shown: Sequence[Gradient]) -> tuple[Assumption, ...]:
    """Return what the shown gradients assume, and what those assume that they build on."""
    inherited = derivation.inherited
    return tuple(dict.fromkeys(a for g in shown for a in inherited[g]))


def notes(derivation: Derivation, shown: Sequence[Gradient]) -> list[str]:
    """Return what a reader has to know besides the lines: what varies, and which derivative a kink has."""
    found = ["In each derivation only the quantity by which it is and what is computed from it vary; "
             "all else is constant, and its differential is zero."]
    found += derivation.notes
    for function in _occurring(derivation, shown):
        if function.kinks:
            slope = derivative(function)
            formula = slope.formula if isinstance(slope, ScalarFunction) else slope
            for kink in function.kinks:
                value = float(scalar_value(formula, np.array(kink)))
                found.append(f"{function.name} is not differentiable at {kink:g}; its derivative there is taken "
                             f"to be {value:g}.")
    return found


def functions(derivation: Derivation, shown: Sequence[Gradient]) -> tuple[ScalarFunction, ...]:
    """Return the elementwise functions that a reader needs a definition of, each once."""
    found = _occurring(derivation, shown)
    return tuple(f for f in found if f.name not in _PLAIN and not f.formula.atoms(AppliedUndef))


def _occurring(derivation: Derivation, shown: Sequence[Gradient]) -> list[ScalarFunction]:
    terms = [e.term for e in (*derivation.forward.equations, *building_blocks(derivation, shown))]
    terms += [g.term for g in shown]
    return list(dict.fromkeys(a.function for t in terms for a in sorted(t.atoms(Elementwise, Applied), key=str)))


_PLAIN = ("identity", "tanh", "exp", "log", "abs", "sign", "sqrt", "sin", "cos", "tan", "arcsin", "arccos", "arctan",
          "sinh", "cosh", "erf")
"""Functions that every reader knows by their names."""


def definition(function: ScalarFunction) -> Expr:
    """Return the formula of a function, sigmoid and softplus by exp where they are what is defined."""
    formula = function.formula
    return formula.rewrite(exp) if isinstance(formula, sigmoid | softplus) else formula


def amount(number: Expr | int) -> str:
    """Return how many there are, or the formula of it, as a reader writes it."""
    if isinstance(number, int):
        return f"{number:,}"
    return TextPrinter().show(number).replace("*", "·").replace("^2", "²")


def evidence(derivation: Derivation) -> str:
    """Return in words how the derivation was checked, or nothing where it was not.

    It names the error allowed, not the one found: that differs between machines, and the
    text of a derivation should not.
    """
    if derivation.verified is None:
        return ""
    return (f"Verified at random values by {derivation.verified.method}: "
            f"relative error below {derivation.verified.tolerance:g}.")
