"""The operators and functions of a user's formula: what each is in SymPy and as a number."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import sympy
from sympy import Add, Mul, Pow, Rational, S

from symbolic.errors import InputError
from symbolic.formula.cases import absolute, maximum, minimum, sign, step
from symbolic.scalars import sigmoid, softplus

LARGEST_EXPONENT, MOST_BITS, MOST_NODES = 100, 4096, 1000

Build = Callable[..., sympy.Expr]
Number = Callable[..., float]


@dataclass(frozen=True)
class FormulaFunction:
    """One function of a formula: the SymPy expression, the float, and how many arguments it takes."""

    build: Build
    number: Number
    fewest: int = 1
    most: int = 1


def _logistic(u: float) -> float:
    return 1 / (1 + math.exp(-u)) if u > 0 else math.exp(u) / (1 + math.exp(u))


FORMULA_FUNCTIONS: dict[str, FormulaFunction] = {
    "exp": FormulaFunction(sympy.exp, math.exp),
    "log": FormulaFunction(sympy.log, math.log),
    "sqrt": FormulaFunction(sympy.sqrt, math.sqrt),
    "abs": FormulaFunction(absolute, abs),
    "sign": FormulaFunction(sign, lambda u: float((u > 0) - (u < 0))),
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
    "relu": FormulaFunction(lambda u: maximum(u, S.Zero), lambda u: max(u, 0.0)),
    "step": FormulaFunction(step, lambda u: float(u > 0)),
    "max": FormulaFunction(maximum, max, 2, 99),
    "min": FormulaFunction(minimum, min, 2, 99),
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
