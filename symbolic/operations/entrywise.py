"""Operations that work entry by entry: Hadamard product and quotient, and f(A)."""

from __future__ import annotations

from functools import reduce
from typing import Any

import numpy as np
from sympy import Basic, Expr, HadamardProduct, MatrixSymbol

from symbolic.extremes import Maximum, Minimum
from symbolic.functions import FUNCTIONS, MAGNUS, ScalarFunction, derivative, h, scalar_function
from symbolic.operations.table import ATOM, TIMES, Operation, Rule, Show, called, infix
from symbolic.scalar_values import scalar_value
from symbolic.scalars import x
from symbolic.structure import diag, vec
from symbolic.terms import (
    Applied,
    Elementwise,
    HadamardQuotient,
    Term,
    add,
    elementwise,
    hadamard,
    negative,
    ones_like,
    quotient,
    scale,
)


def lift(formula: Expr, operand: Term, value: Term) -> Term:
    """Return a scalar formula in x and h as a matrix term in A and f(A), entry by entry."""
    if formula is x or formula is h:
        return operand if formula is x else value
    if formula.is_number:
        return scale(formula, ones_like(operand))
    if formula.is_Add:
        constants, rest = formula.as_independent(x, h, as_Add=True)
        terms = ([constants] if constants else []) + list(rest.as_ordered_terms() if rest.is_Add else (rest,))
        return add(*(lift(t, operand, value) for t in terms))
    if formula.is_Pow and formula.exp.is_Integer and formula.exp > 1:
        return hadamard(*[lift(formula.base, operand, value)] * int(formula.exp))
    if formula.is_Mul:
        number, rest = formula.as_coeff_Mul()
        factors = rest.as_ordered_factors() if rest.is_Mul else (rest,)
        return scale(number, hadamard(*(lift(f, operand, value) for f in factors)))
    raise TypeError(f"no elementwise form of {formula}")


def _differential(node: Elementwise, i: int, d: Term, value: Term) -> Term:
    slope = derivative(node.function)
    if isinstance(slope, ScalarFunction):
        return hadamard(elementwise(slope, node.operand), d)
    if slope.is_number:
        return scale(slope, d)
    numerator, denominator = slope.as_numer_denom()
    term = d if numerator == 1 else hadamard(lift(numerator, node.operand, value), d)
    return term if denominator == 1 else quotient(term, lift(denominator, node.operand, value))


def differential_rule(function: ScalarFunction, scalar: bool = False) -> Rule:
    """Return the rule for f(A), or for f(s) of a scalar."""
    name, row = function.name, FUNCTIONS.get(function.name)
    text, latex = (row.text, row.latex) if row else (name, name)
    source = row.source if row else f"{MAGNUS}, chapter 5; {name} as given"
    slope = derivative(function)
    slope_latex, slope_text = (function_name(slope, True), function_name(slope, False)) if isinstance(
        slope, ScalarFunction) else (f"{latex}'", f"{text}′")
    if scalar:
        return Rule(f"differential_of_applied_{name}", rf"\mathrm{{d}}\,{latex}(s) = {slope_latex}(s)\,\mathrm{{d}}s",
                    f"d {text}(s) = {slope_text}(s) ds", source)
    statement = _CUSTOMARY.get(name) if row and function.row else None
    body_latex, body_text = statement or (rf"{slope_latex}(A) \odot \mathrm{{d}}A", f"{slope_text}(A) ⊙ dA")
    return Rule(f"differential_of_{name}", rf"\mathrm{{d}}\,{latex}(A) = {body_latex}",
                f"d {text}(A) = {body_text}", source)


_CUSTOMARY = {
    "identity": (r"\mathrm{d}A", "dA"),
    "sigmoid": (r"\sigma(A) \odot (\mathbf{1} - \sigma(A)) \odot \mathrm{d}A", "σ(A) ⊙ (1 − σ(A)) ⊙ dA"),
    "tanh": (r"(\mathbf{1} - \tanh(A) \odot \tanh(A)) \odot \mathrm{d}A", "(1 − tanh(A) ⊙ tanh(A)) ⊙ dA"),
    "exp": (r"\exp(A) \odot \mathrm{d}A", "exp(A) ⊙ dA"),
    "log": (r"\mathrm{d}A \oslash A", "dA ⊘ A"),
}


def _quotient_differential(node: HadamardQuotient, i: int, d: Term, value: Term) -> Term:
    denominator = node.args[1]
    return quotient(d, denominator) if i == 0 else negative(quotient(hadamard(value, d), denominator))


def function_name(function: ScalarFunction, latex: bool) -> str:
    """Return the symbol of a function, with a prime for each derivative."""
    bare = function.name.rstrip("'")
    primes = len(function.name) - len(bare)
    row = FUNCTIONS.get(bare)
    if latex:
        return (row.latex if row else bare) + "'" * primes
    return (row.text if row else bare) + "′" * primes


def applied_spelling(latex: bool) -> Any:
    """Return the spelling of f(A) or f(s)."""
    def spell(node: Elementwise | Applied, show: Show) -> str:
        inside = show(node.args[1], 0)
        if node.function.name == "abs":
            return rf"\lvert {inside} \rvert" if latex else f"|{inside}|"
        return f"{function_name(node.function, latex)}({inside})"
    return ATOM, spell


A, B = MatrixSymbol("A", 2, 3), MatrixSymbol("B", 2, 3)


def chosen(node: Maximum | Minimum) -> Term:
    """Return 1 where the first operand is the larger (or smaller) one, 0 elsewhere, ties included."""
    first, second = node.args if isinstance(node, Maximum) else reversed(node.args)
    return elementwise(scalar_function("step"), add(first, negative(second)))


def _extreme_differential(node: Maximum | Minimum, i: int, d: Term, value: Term) -> Term:
    first = chosen(node)
    return hadamard(first if i == 0 else add(ones_like(node), negative(first)), d)


def _extreme(node: type, key: str, name: str, evaluate: Any, condition: str) -> Operation:
    latex = rf"\{name}"
    return Operation(
        node=node,
        differential=_extreme_differential,
        differential_rule=lambda _: Rule(
            f"differential_of_{key}",
            rf"\mathrm{{d}}{latex}(A, B) = E \odot \mathrm{{d}}A + (\mathbf{{1}} - E) \odot \mathrm{{d}}B,\; "
            rf"E = [{condition}]",
            f"d {name}(A, B) = E ⊙ dA + (1 − E) ⊙ dB, E = [{condition}]", "the branch that is taken, entry by entry"),
        transposition=None,
        transposition_rule=None,
        evaluate=lambda _, size, a, b: evaluate(a, b),
        latex=called(latex),
        text=called(name),
        spelling={"numpy": called(f"np.{key}"), "language": called(name)},
        examples=lambda: (Basic.__new__(node, A, B),),
    )


def _others(node: Any, i: int) -> list[Term]:
    return [a for j, a in enumerate(node.args) if j != i]


OPERATIONS = [
    Operation(
        node=HadamardProduct,
        differential=lambda node, i, d, value: hadamard(*node.args[:i], d, *node.args[i + 1:]),
        differential_rule=lambda node: Rule(
            "differential_of_hadamard_product",
            r"\mathrm{d}(A \odot B) = \mathrm{d}A \odot B + A \odot \mathrm{d}B",
            "d(A ⊙ B) = dA ⊙ B + A ⊙ dB", f"{MAGNUS}, chapter 8, section 2"),
        transposition=lambda node, i, G: hadamard(G, *_others(node, i)),
        transposition_rule=Rule(
            "transposition_of_hadamard_product",
            r"\langle G, C \odot M\rangle = \langle G \odot C, M\rangle",
            "⟨G, C ⊙ M⟩ = ⟨G ⊙ C, M⟩", f"{MAGNUS}, chapter 3, section 6"),
        evaluate=lambda node, size, *values: reduce(np.multiply, values),
        latex=infix(r"\odot", TIMES),
        text=infix("⊙", TIMES),
        spelling={"numpy": infix("*", TIMES), "language": infix(".*", TIMES)},
        matrix=lambda node, i: diag(vec(hadamard(*_others(node, i)))),
        matrix_rule=Rule(
            "vec_of_hadamard_product",
            r"\operatorname{vec}(C \odot M) = \operatorname{diag}(\operatorname{vec} C) \operatorname{vec} M",
            "vec(C ⊙ M) = diag(vec C) vec M", f"{MAGNUS}, chapter 3, section 6"),
        examples=lambda: (hadamard(A, B), hadamard(A, B, A)),
    ),
    Operation(
        node=HadamardQuotient,
        differential=_quotient_differential,
        differential_rule=lambda node: Rule(
            "differential_of_hadamard_quotient",
            r"\mathrm{d}(A \oslash B) = \mathrm{d}A \oslash B - ((A \oslash B) \odot \mathrm{d}B) \oslash B",
            "d(A ⊘ B) = dA ⊘ B − ((A ⊘ B) ⊙ dB) ⊘ B", "quotient rule, entry by entry"),
        transposition=lambda node, i, G: quotient(G, node.args[1]),
        transposition_rule=Rule(
            "transposition_of_hadamard_quotient",
            r"\langle G, M \oslash C\rangle = \langle G \oslash C, M\rangle",
            "⟨G, M ⊘ C⟩ = ⟨G ⊘ C, M⟩", "the Hadamard product's, with 1/C for C"),
        evaluate=lambda node, size, a, b: a / b,
        latex=(TIMES, lambda node, show: rf"{show(node.args[0], TIMES)} \oslash {show(node.args[1], TIMES + 1)}"),
        text=(TIMES, lambda node, show: f"{show(node.args[0], TIMES)} ⊘ {show(node.args[1], TIMES + 1)}"),
        spelling={"numpy": (TIMES, lambda node, show:
                            f"{show(node.args[0], TIMES)} / {show(node.args[1], TIMES + 1)}"),
                  "language": (TIMES, lambda node, show:
                               f"{show(node.args[0], TIMES)}./{show(node.args[1], TIMES + 1)}")},
        matrix=lambda node, i: diag(vec(quotient(ones_like(node), node.args[1]))),
        matrix_rule=Rule(
            "vec_of_hadamard_quotient",
            r"\operatorname{vec}(M \oslash C) = \operatorname{diag}(\operatorname{vec}(\mathbf{1} \oslash C)) "
            r"\operatorname{vec} M", "vec(M ⊘ C) = diag(vec(1 ⊘ C)) vec M", "the Hadamard product's, with 1/C for C"),
        examples=lambda: (quotient(A, B), quotient(hadamard(A, B), A)),
    ),
    Operation(
        node=Elementwise,
        differential=_differential,
        differential_rule=lambda node: differential_rule(node.function),
        transposition=None,
        transposition_rule=None,
        evaluate=lambda node, size, a: scalar_value(node.function.formula, a),
        latex=applied_spelling(latex=True),
        text=applied_spelling(latex=False),
        examples=lambda: (
            *(elementwise(scalar_function(name), A) for name in FUNCTIONS),
            elementwise(scalar_function("f", x / (1 + x**2)), A)),
    ),
    _extreme(Maximum, "maximum", "max", lambda a, b: np.where(np.real(a) > np.real(b), a, b), "A > B"),
    _extreme(Minimum, "minimum", "min", lambda a, b: np.where(np.real(a) < np.real(b), a, b), "A < B"),
]
