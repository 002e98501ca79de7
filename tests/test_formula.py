"""Formulas that a user types: what they become, what is refused, and that nothing else escapes."""

from __future__ import annotations

import math
import time

import numpy as np
import pytest
import sympy
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from sympy import Abs, Piecewise, Rational, cosh, exp, log, sqrt, tanh

from symbolic.errors import InputError
from symbolic.formula import parse_formula
from symbolic.formula.functions import FORMULA_FUNCTIONS
from symbolic.functions import FUNCTIONS
from symbolic.scalar_values import scalar_value
from symbolic.scalars import sigmoid, softplus, x

RELU = Piecewise((x, x > 0), (0, True))

GOOD = {
    "x": x,
    " x ": x,
    "x^2": x**2,
    "x**2": x**2,
    "-x^2": -(x**2),
    "2^3^2*x": 512 * x,
    "2^-x": 2**-x,
    "x-2-3": x - 5,
    "8/4/2*x": x,
    "--x": x,
    "+x*-2": -2 * x,
    "1.5e-3*x": Rational(3, 2000) * x,
    ".1*x + 0.2*x": Rational(3, 10) * x,
    "2*pi*x/e": 2 * sympy.pi * x / sympy.E,
    "e^x": exp(x),
    "arctan(x)": sympy.atan(x),
    "sqrt(x^2)": Abs(x),
    "x/(1+abs(x))": x / (1 + Abs(x)),
    "0.5*x*(1+tanh(x))": x * (1 + tanh(x)) / 2,
    "relu(x)": RELU,
    "max(0, x)": RELU,
    "max(x, 0)": RELU,
    "max(x, 0, -1)": RELU,
    "step(x)": Piecewise((1, x > 0), (0, True)),
    "sign(x)": Piecewise((1, x > 0), (-1, x < 0), (0, True)),
    "min(relu(x), 6)": Piecewise((x, (x > 0) & (x < 6)), (6, x > 0), (0, True)),
    "abs(relu(x)-1)": Piecewise((x - 1, x > 1), (1 - x, (x > 0) & (x < 1)), (0, x > 0), (1, True)),
    "max(1, 2)*x": 2 * x,
    "tan(x + pi/2)": -1 / sympy.tan(x),
}

STABLE = {
    "1/(1+exp(-x))": sigmoid(x),
    "1/(exp(-2*x)+1)": sigmoid(2 * x),
    "1/(1+exp(x))": sigmoid(-x),
    "exp(x)/(1+exp(x))": sigmoid(x),
    "x/(1+exp(-x))": x * sigmoid(x),
    "3/(2+2*exp(-x))": 3 * sigmoid(x) / 2,
    "1/(-1-exp(x))": -sigmoid(-x),
    "1/(1+e^-x)^2": sigmoid(x) ** 2,
    "exp(-x)/(1+exp(-x))^2": sigmoid(x) * sigmoid(-x),
    "exp(2*x)/(1+exp(x))": exp(x) * sigmoid(x),
    "1/sqrt(1+exp(-x))": sqrt(sigmoid(x)),
    "log(1+exp(x))": softplus(x),
    "log(2+2*exp(-x))": log(2) + softplus(-x),
    "log(1/(1+exp(-x)))": -softplus(-x),
    "x*tanh(log(1+exp(x)))": x * tanh(softplus(x)),
    "(exp(x)-exp(-x))/(exp(x)+exp(-x))": tanh(x),
    "(exp(2*x)-1)/(exp(2*x)+1)": tanh(x),
    "(1-exp(-x))/(1+exp(-x))": tanh(x / 2),
    "2/(1+exp(-2*x))-1": 2 * sigmoid(2 * x) - 1,
    "2/(exp(x)+exp(-x))": 1 / cosh(x),
    "max(x, log(1+exp(x))-1)": Piecewise((x, x > softplus(x) - 1), (softplus(x) - 1, True)),
}

OF_THE_TABLE = {
    "leaky_relu": "max(x, 0.01*x)",
    "gelu": "x*(1+erf(x/sqrt(2)))/2",
    "silu": "x/(1+exp(-x))",
    "softplus": "log(1+exp(x))",
    "mish": "x*tanh(softplus(x))",
    "relu": "max(0, x)",
}

BAD = {
    "": "expected a number, x, a function or '(' at character 1, came the end",
    "x+": "at character 3, came the end",
    "x/(1+exq(-x))": "unknown function 'exq' at character 6, did you mean 'exp'?",
    "ln(x)": "did you mean 'log'?",
    "atan(x)": "did you mean 'arctan'?",
    "gamma(x)": "unknown function 'gamma' at character 1",
    "y*2": "unknown name 'y' at character 1; the variable is x",
    "exp": "expected '(' after the function 'exp'",
    "sin x": "expected '(' after the function 'sin'",
    "2x": "expected an operator (write 2*x, not 2x) at character 2",
    "(2x)": "write 2*x",
    "x(2)": "write 2*x",
    "(x": "expected ')' to close the parenthesis at character 3, came the end",
    "x)": "expected an operator or the end at character 2, came ')'",
    "sin(x, x)": "takes one argument, 2 came",
    "max(x)": "takes two arguments or more, 1 came",
    "x # 2": "unexpected '#' at character 3",
    "x\n;y": r"unexpected ';' at character 3",
    "x\u2028": "unexpected '\\u2028'",
    "ｘ": "unexpected",
    "__import__('os').system('true')": "unknown function '__import__' at character 1",
    "x.real": "unexpected '.'",
    "lambda x: x": "unknown name 'lambda'",
    "3": "does not depend on x",
    "x-x": "does not depend on x",
    "1/(x-x)": "'/' gives no finite real number at character 2",
    "1/0": "division by zero",
    "sqrt(-1)*x": "no finite real number at character 1",
    "(-8)^(1/3)*x": "no finite real number at character 5",
    "0*log(-1) + x": "no finite real number",
    "log(-x^2)": "no finite real number anywhere",
    "sqrt(-1-x^2)": "no finite real number anywhere",
    "1/relu(x-5)": "division by zero",
    "0^x": "no derivative that is real and finite",
    "9^9^9*x": "'^' gives no finite real number",
    "x^9^9": "exponent beyond",
    "x^101": "exponent beyond -100 … 100 at character 2",
    "((x^50)^50)^50": "exponent beyond",
    "(1e-99)^99*x": "'^'",
    "1e300*x": "beyond 1e-100 … 1e100",
    "1e999*x": "no finite real number",
    "exp(exp(exp(exp(9))))*x": "no finite real number",
    "1" * 31 + "*x": "more than 30 digits at character 1",
    "(" * 60 + "x" + ")" * 60: "nested more than 50 deep",
    "-" * 60 + "x": "nested more than 50 deep",
    "x^" * 60 + "x": "nested more than 50 deep",
    "x+" * 250 + "x": "501 characters long",
    "max(" + ",".join(f"sin({k}*x)" for k in range(1, 30)) + ")": "too many cases",
}


@pytest.mark.parametrize(("text", "expected"), [*GOOD.items(), *STABLE.items()])
def test_a_formula_becomes_the_expression(text: str, expected: sympy.Expr) -> None:
    assert parse_formula(text) == expected


@pytest.mark.parametrize(("name", "text"), OF_THE_TABLE.items())
def test_the_usual_spelling_of_an_activation_is_the_row_of_the_table(name: str, text: str) -> None:
    assert sympy.expand(parse_formula(text) - FUNCTIONS[name].formula) == 0


@pytest.mark.parametrize(("text", "fragment"), BAD.items())
def test_a_refusal_is_one_line_that_names_what_was_wrong(text: str, fragment: str) -> None:
    assert fragment in _refusal(text)


@pytest.mark.parametrize("value", [None, 3, b"x", ["x"], x])
def test_only_a_string_is_a_formula(value: object) -> None:
    with pytest.raises(InputError, match="a formula is a string"):
        parse_formula(value)  # type: ignore[arg-type]


@pytest.mark.parametrize("text", [
    "relu(x)", "max(0,x)", "max(x,0)", "min(0,x)", "abs(x)", "sign(x)", "step(x)", "abs(sigmoid(x)-0.5)"])
def test_the_slope_at_the_kink_is_zero(text: str) -> None:
    slope = sympy.diff(parse_formula(text), x)
    assert scalar_value(slope, np.array([0.0])) == 0


@pytest.mark.parametrize("text", [
    "1" + "+relu(x-1)" * 45, "relu(" * 49 + "x" + "-1)" * 49, "tanh(" * 49 + "x" + ")" * 49,
    "sin(x*" * 49 + "x" + ")" * 49, "*".join(f"step(x-{k})" for k in range(40)), "^".join("x" * 50),
    "1/(1+" * 49 + "x" + ")" * 49,
    "sign((min(relu(tanh(x)),exp(tan(e)*relu(x)))/(sqrt(pi)+max(0.5,x)))*abs(x))",
    "(" * 12 + "1.0000000000000000000000000001" + ")^100" * 12 + "*x",
])
def test_a_formula_made_to_be_slow_is_read_or_refused_soon(text: str) -> None:
    start = time.process_time()
    _refusal(text)
    assert time.process_time() - start < 5


POINTS = st.integers(-1999, 1999).map(lambda k: (k + 0.37) / 1000)
"""Points off 0, 1/2, 1 and the like, where quotients such as sin(x)/x have no numbers."""
LEAVES = st.sampled_from(["x", "x", "x", "2", "0.5", "1", "pi"])
ONE = [name for name, function in FORMULA_FUNCTIONS.items() if function.most == 1]
MEANINGS = {name: function.number for name, function in FORMULA_FUNCTIONS.items()}


def _grown(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.one_of(
        st.builds("({})+({})".format, inner, inner), st.builds("({})-({})".format, inner, inner),
        st.builds("({})*({})".format, inner, inner), st.builds("({})/({})".format, inner, inner),
        st.builds("({})**2".format, inner), st.builds("-({})".format, inner),
        st.builds("{}({})".format, st.sampled_from(ONE), inner),
        st.builds("{}({},{})".format, st.sampled_from(["max", "min"]), inner, inner))


@settings(max_examples=120, deadline=None)
@given(st.recursive(LEAVES, _grown, max_leaves=6), POINTS)
def test_an_expression_has_the_value_and_the_slope_of_its_text(text: str, point: float) -> None:
    try:
        formula = parse_formula(text)
    except InputError:
        return

    def value(at: float) -> float:
        # Python's own reading of a text that was generated here
        return eval(text, MEANINGS | {"pi": math.pi, "x": at})  # noqa: S307

    try:
        before, here, after = (value(point + step) for step in (-1e-5, 0, 1e-5))
    except (ArithmeticError, ValueError):
        return
    assume(max(abs(before), abs(here), abs(after)) < 1e4)
    numbers = [scalar_value(term, np.array([point]))[0] for term in (formula, sympy.diff(formula, x))]
    assert numbers[0] == pytest.approx(here, rel=1e-6, abs=1e-5)
    left, right = (here - before) / 1e-5, (after - here) / 1e-5
    smooth = abs(left - right) < 1e-2 * max(1, abs(left))
    if smooth and abs(left) < 1e3:  # otherwise a kink or a jump, or too steep to say
        assert numbers[1] == pytest.approx((left + right) / 2, rel=1e-2, abs=1e-2)


ALPHABET = "x019.eE+-*/^(),_ \t\"'#é\u2028\x00" + "".join(FORMULA_FUNCTIONS)


FRAGMENTS = ["x", "2", "(", ")", "+", "-", "*", "/", "^", ",", "e", "0", "9", " "]


@settings(max_examples=150, deadline=None)
@given(st.one_of(
    st.text(), st.text(ALPHABET, max_size=40),
    st.lists(st.sampled_from([*FRAGMENTS, *(f"{f}(" for f in FORMULA_FUNCTIONS)]), max_size=25).map("".join)))
def test_any_text_is_a_formula_or_an_input_error(text: str) -> None:
    _refusal(text)


@settings(max_examples=100, deadline=None)
@given(st.sampled_from([*GOOD, *STABLE]), st.integers(0, 40), st.integers(0, 3),
       st.text(ALPHABET, max_size=3))
def test_a_mutated_formula_is_a_formula_or_an_input_error(text: str, at: int, cut: int, insert: str) -> None:
    _refusal(text[:at] + insert + text[at + cut:])


def _refusal(text: str) -> str:
    """Read a text that is a formula in x, or return the one line that refuses it; else fail."""
    try:
        formula = parse_formula(text)
    except InputError as error:
        message = str(error)
    else:
        assert formula.free_symbols == {x}
        return ""
    assert len(message.splitlines()) == 1
    return message
