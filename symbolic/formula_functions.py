"""The operators and functions of a user's formula: what each is in SymPy and as a number."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import reduce
from itertools import product

import sympy
from sympy import Abs, Add, And, Mul, Piecewise, Pow, Rational, S, StrictGreaterThan, StrictLessThan

from symbolic.errors import InputError
from symbolic.scalars import sigmoid, softplus, x

LARGEST_EXPONENT, MOST_BITS, MOST_NODES, MOST_CASES = 100, 4096, 1000, 32
Build = Callable[..., sympy.Expr]
Number = Callable[..., float]


@dataclass(frozen=True)
class FormulaFunction:
    """One function of a formula: the SymPy expression, the float, and how many arguments it takes."""

    build: Build
    number: Number
    fewest: int = 1
    most: int = 1


def _cases(expr: sympy.Expr) -> list[tuple[sympy.Expr, sympy.Basic]]:
    """Return the expression's cases, as (value, condition), the first true condition deciding.

    A `Piecewise` inside a condition would become SymPy's ``ITE``, which reads badly and which
    printers do not know; so what is compared is first taken apart into cases without one.
    """
    innermost = min(expr.atoms(Piecewise), default=None,
                    key=lambda piecewise: (len(piecewise.atoms(Piecewise)), sympy.default_sort_key(piecewise)))
    if innermost is None:
        return [(expr, S.true)]
    cases = [(value, And(pair.cond, condition)) for pair in innermost.args
             for value, condition in _cases(expr.xreplace({innermost: pair.expr}))]
    return _bounded(cases)


def _bounded(cases: list[tuple[sympy.Expr, sympy.Basic]]) -> list[tuple[sympy.Expr, sympy.Basic]]:
    if len(cases) > MOST_CASES:
        raise InputError(f"more than {MOST_CASES} cases of max, min, relu, abs, sign and step")
    return cases


def _exceeds(a: sympy.Expr, b: sympy.Expr) -> sympy.Basic:
    """Return the condition a > b, solved for x where it is linear: x > x/100 is x > 0."""
    difference = a - b
    slope = sympy.diff(difference, x) if difference.is_polynomial(x) else x
    if slope.is_number and (slope.is_positive or slope.is_negative):
        bound = -difference.subs(x, 0) / slope
        return StrictGreaterThan(x, bound) if slope.is_positive else StrictLessThan(x, bound)
    condition = StrictGreaterThan(a, b)
    if condition.free_symbols or condition in (S.true, S.false):
        return condition
    return sympy.sympify(bool(a.evalf() > b.evalf()))  # constants that SymPy leaves open


def _choose(a: sympy.Expr, b: sympy.Expr, choices: Callable[..., list[tuple[sympy.Expr, sympy.Basic]]]) -> sympy.Expr:
    """Return the cases of a against those of b; ``choices`` tells one pair of them apart."""
    pieces = [(value, And(case_a, case_b, condition))
              for (a, case_a), (b, case_b) in product(_cases(a), _cases(b))
              for value, condition in choices(a, b)]
    return Piecewise(*_bounded(pieces))


def _constant_last(a: sympy.Expr, b: sympy.Expr) -> tuple[sympy.Expr, sympy.Expr]:
    """Put a constant second, so that max(0, x) is max(x, 0) is relu(x) at the kink too: slope 0."""
    return (b, a) if b.free_symbols and not a.free_symbols else (a, b)


def _maximum(*arguments: sympy.Expr) -> sympy.Expr:
    return reduce(lambda a, b: _choose(*_constant_last(a, b), lambda a, b: [(a, _exceeds(a, b)), (b, S.true)]),
                  arguments)


def _minimum(*arguments: sympy.Expr) -> sympy.Expr:
    return reduce(lambda a, b: _choose(*_constant_last(a, b), lambda a, b: [(a, _exceeds(b, a)), (b, S.true)]),
                  arguments)


def _sign(u: sympy.Expr) -> sympy.Expr:
    # not SymPy's sign, whose derivative holds a Dirac delta
    return _choose(u, S.Zero, lambda u, zero: [
        (S.One, _exceeds(u, zero)), (S.NegativeOne, _exceeds(zero, u)), (S.Zero, S.true)])


def _absolute(u: sympy.Expr) -> sympy.Expr:
    # SymPy differentiates |u| well only where it knows that u is real
    if u.is_extended_real and not u.has(Piecewise):
        return Abs(u)
    return _choose(u, S.Zero, lambda u, zero: [(u, _exceeds(u, zero)), (-u, _exceeds(zero, u)), (zero, S.true)])


def _step(u: sympy.Expr) -> sympy.Expr:
    return _choose(u, S.Zero, lambda u, zero: [(S.One, _exceeds(u, zero)), (S.Zero, S.true)])


def _logistic(u: float) -> float:
    return 1 / (1 + math.exp(-u)) if u > 0 else math.exp(u) / (1 + math.exp(u))


FORMULA_FUNCTIONS: dict[str, FormulaFunction] = {
    "exp": FormulaFunction(sympy.exp, math.exp),
    "log": FormulaFunction(sympy.log, math.log),
    "sqrt": FormulaFunction(sympy.sqrt, math.sqrt),
    "abs": FormulaFunction(_absolute, abs),
    "sign": FormulaFunction(_sign, lambda u: float((u > 0) - (u < 0))),
    "sin": FormulaFunction(sympy.sin, math.sin),
    "cos": FormulaFunction(sympy.cos, math.cos),
    "tan": FormulaFunction(sympy.tan, math.tan),
    "arctan": FormulaFunction(sympy.atan, math.atan),
    "sinh": FormulaFunction(sympy.sinh, math.sinh),
    "cosh": FormulaFunction(sympy.cosh, math.cosh),
    "tanh": FormulaFunction(sympy.tanh, math.tanh),
    "erf": FormulaFunction(sympy.erf, math.erf),
    "sigmoid": FormulaFunction(sigmoid, _logistic),
    "softplus": FormulaFunction(softplus, lambda u: max(u, 0.0) + math.log1p(math.exp(-abs(u)))),
    "relu": FormulaFunction(lambda u: _maximum(u, S.Zero), lambda u: max(u, 0.0)),
    "step": FormulaFunction(_step, lambda u: float(u > 0)),
    "max": FormulaFunction(_maximum, max, 2, 99),
    "min": FormulaFunction(_minimum, min, 2, 99),
}


def _power(base: sympy.Expr, exponent: sympy.Expr) -> sympy.Expr:
    """Return base ** exponent, unless it is a number that would fill the memory."""
    if exponent.is_Rational:
        if abs(exponent) > LARGEST_EXPONENT:
            raise InputError(f"an exponent beyond -{LARGEST_EXPONENT} … {LARGEST_EXPONENT}")
        if base.is_Rational and abs(exponent) * _bits(base) > MOST_BITS:
            raise InputError("a number of too many digits")
    return Pow(base, exponent)


_OPERATORS: dict[str, tuple[Build, Number]] = {
    "+": (Add, lambda a, b: a + b),
    "-": (lambda a, b: Add(a, Mul(S.NegativeOne, b)), lambda a, b: a - b),
    "*": (Mul, lambda a, b: a * b),
    "/": (lambda a, b: Mul(a, Pow(b, S.NegativeOne)), lambda a, b: a / b),
    "^": (_power, math.pow),
}


def binary(operator: str) -> tuple[Build, Number]:
    """Return what an operator makes of two expressions, and of two floats."""
    return _OPERATORS["^" if operator == "**" else operator]


def values_at(number: Number, operands: Sequence[tuple[float, ...]]) -> tuple[float, ...]:
    """Return a function's floats at the operands' floats, point by point; nan where there is none."""
    def value(*arguments: float) -> float:
        if any(map(math.isnan, arguments)):
            return math.nan  # max and min would drop it
        try:
            return number(*arguments)
        except (ValueError, ArithmeticError):
            return math.nan

    return tuple(value(*arguments) for arguments in zip(*operands, strict=True))


def _bits(number: Rational) -> int:
    return max(int(number.p).bit_length(), int(number.q).bit_length())


def flaw(expr: sympy.Expr) -> str | None:
    """Return what makes an expression unusable, or None."""
    for count, node in enumerate(sympy.preorder_traversal(expr)):
        if count > MOST_NODES:
            return "a formula too large"
        if node in (S.ComplexInfinity, S.NaN, S.Infinity, S.NegativeInfinity):
            return "a division by zero or an infinity"
        if node is S.ImaginaryUnit:
            return "a complex number"
        if node.is_Rational and _bits(node) > MOST_BITS:
            return "a number of too many digits"
        if node.is_Pow and node.exp.is_Rational and abs(node.exp) > LARGEST_EXPONENT:
            return f"an exponent beyond -{LARGEST_EXPONENT} … {LARGEST_EXPONENT}"
    return None
