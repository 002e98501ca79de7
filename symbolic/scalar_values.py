"""The numeric meaning of scalar formulas, for complex arguments too.

It is not SymPy's `lambdify`: that compares complex numbers and takes |z| by the modulus,
so a complex step through it would lose the derivative of a piecewise formula.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import reduce
from typing import Any

import numpy as np
import sympy

from symbolic.scalars import sigmoid, softplus, x

Array = Any


def _erf(z: Array) -> Array:
    """Return erf at real numbers, and beside them to first order: exact for a complex step."""
    real = np.vectorize(math.erf, otypes=[float])(np.real(z))
    if not np.iscomplexobj(z):
        return real
    return real + 1j * np.imag(z) * 2 / math.sqrt(math.pi) * np.exp(-np.real(z) ** 2)


MEANINGS: dict[type[sympy.Basic], Callable[..., Array]] = {
    sympy.Add: lambda *a: reduce(np.add, a),
    sympy.Mul: lambda *a: reduce(np.multiply, a),
    sympy.Pow: lambda a, n: np.power(a, n),
    sympy.exp: np.exp,
    sympy.log: np.log,
    sympy.sin: np.sin,
    sympy.cos: np.cos,
    sympy.tan: np.tan,
    sympy.asin: np.arcsin,
    sympy.acos: np.arccos,
    sympy.atan: np.arctan,
    sympy.sinh: np.sinh,
    sympy.cosh: np.cosh,
    sympy.tanh: np.tanh,
    sympy.erf: _erf,
    sympy.Abs: lambda a: np.where(np.real(a) < 0, -a, a),
    sympy.sign: lambda a: np.sign(np.real(a)),
    sigmoid: lambda a: 1 / (1 + np.exp(-a)),
    softplus: lambda a: np.log1p(np.exp(a)),
    sympy.StrictLessThan: lambda a, b: np.real(a) < np.real(b),
    sympy.LessThan: lambda a, b: np.real(a) <= np.real(b),
    sympy.StrictGreaterThan: lambda a, b: np.real(a) > np.real(b),
    sympy.GreaterThan: lambda a, b: np.real(a) >= np.real(b),
    sympy.And: lambda *a: reduce(np.logical_and, a),
    sympy.Or: lambda *a: reduce(np.logical_or, a),
    sympy.Not: np.logical_not,
    sympy.Eq: lambda a, b: np.real(a) == np.real(b),
    sympy.Ne: lambda a, b: np.real(a) != np.real(b),
}
"""Each scalar function with its NumPy meaning; conditions look at real parts."""


def scalar_value(formula: sympy.Basic, argument: Array) -> Array:
    """Return the formula in x at each entry of an array, real or complex.

    Raises:
        TypeError: The formula holds a function that has no numeric meaning here.
    """
    if formula is x:
        return argument
    if formula.is_number:
        return np.full(np.shape(argument), float(formula))
    if isinstance(formula, sympy.Piecewise):
        return _piecewise(formula, argument)
    meaning = MEANINGS.get(formula.func)
    if meaning is None:
        raise TypeError(f"{formula.func.__name__} has no numeric meaning")
    if isinstance(formula, sympy.Pow) and formula.exp.is_Integer:
        return _power(scalar_value(formula.base, argument), int(formula.exp))
    return meaning(*(scalar_value(a, argument) for a in formula.args))


def _power(base: Array, exponent: int) -> Array:
    """Multiply repeatedly: from exponent 100 on, NumPy takes a logarithm of a complex base."""
    if exponent < 0:
        return 1 / _power(base, -exponent)
    value, square = np.ones_like(base), base
    while exponent:
        value = value * square if exponent % 2 else value
        square, exponent = square * square, exponent // 2
    return value


def _piecewise(formula: sympy.Piecewise, argument: Array) -> Array:
    """Take each branch where its condition is the first to hold; elsewhere not a number."""
    value: Array = np.full(np.shape(argument), np.nan, dtype=np.result_type(argument, float))
    with np.errstate(all="ignore"):  # a branch may overflow where another one is taken
        for branch, condition in reversed(formula.args):
            taken = np.bool_(True) if condition is sympy.true else scalar_value(condition, argument)
            value = np.where(taken, scalar_value(branch, argument), value)
    return value
