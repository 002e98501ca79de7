"""max, min, abs, sign and step of a formula in x, as `Piecewise` with conditions that stay plain.

At a kink the first true condition decides, so the derivative there is that of its
case. Conditions that bound x are kept solved and few, because they are shown.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from functools import reduce
from itertools import product

import sympy
from sympy import Abs, And, Piecewise, S, StrictGreaterThan, StrictLessThan

from symbolic.errors import InputError
from symbolic.scalars import x

MOST_CASES, MOST_JOINED = 32, 500

Cases = list[tuple[sympy.Expr, sympy.Basic]]
"""Values with their conditions, of which the first true one decides."""


def _cases(expr: sympy.Expr) -> Cases:
    """Return the expression's cases, as (value, condition), the first true condition deciding.

    A `Piecewise` inside a condition would become SymPy's ``ITE``, which reads badly and which
    printers do not know; so what is compared is first taken apart into cases without one.
    """
    innermost = min(expr.atoms(Piecewise), default=None,
                    key=lambda one: (len(one.atoms(Piecewise)), sympy.default_sort_key(one)))
    if innermost is None:
        return [(expr, S.true)]
    cases = [(value, _both(pair.cond, condition)) for pair in innermost.args
             for value, condition in _cases(expr.xreplace({innermost: pair.expr}))]
    return _bounded(cases)


def _bounded(cases: Cases) -> Cases:
    """Drop impossible cases; refuse so many that SymPy, which may join them, would take minutes."""
    possible = [case for case in cases if case[1] != S.false]
    joined = math.prod(len(And.make_args(condition)) for _, condition in possible)
    if len(possible) > MOST_CASES or joined > MOST_JOINED:
        raise InputError("too many cases of max, min, relu, abs, sign and step")
    return possible


def _both(*conditions: sympy.Basic) -> sympy.Basic:
    """Return the conjunction, with one lower and one upper bound of x: x > 0 and x > 1 is x > 1."""
    parts = And.make_args(And(*conditions))
    above = [part.rhs for part in parts if isinstance(part, StrictGreaterThan) and _bounds_x(part)]
    below = [part.rhs for part in parts if isinstance(part, StrictLessThan) and _bounds_x(part)]
    rest = [part for part in parts if not _bounds_x(part)]
    if above and below and max(map(float, above)) >= min(map(float, below)):
        return S.false
    bounds = ([x > max(above, key=float)] if above else []) + ([x < min(below, key=float)] if below else [])
    return And(*bounds, *rest)


def _bounds_x(condition: sympy.Basic) -> bool:
    return (isinstance(condition, (StrictGreaterThan, StrictLessThan))
            and condition.lhs == x and condition.rhs.is_number)


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


def _choose(a: sympy.Expr, b: sympy.Expr, choices: Callable[..., Cases]) -> sympy.Expr:
    """Return the cases of a against those of b; ``choices`` tells one pair of them apart."""
    pieces = [(value, _both(case_a, case_b, condition))
              for (a, case_a), (b, case_b) in product(_cases(a), _cases(b))
              for value, condition in choices(a, b)]
    return Piecewise(*_bounded(pieces))


def _constant_last(a: sympy.Expr, b: sympy.Expr) -> tuple[sympy.Expr, sympy.Expr]:
    """Put a constant second, so that max(0, x) is max(x, 0) is relu(x) at the kink too: slope 0."""
    return (b, a) if b.free_symbols and not a.free_symbols else (a, b)


def maximum(*arguments: sympy.Expr) -> sympy.Expr:
    """Return the largest argument; where two are equal, the later one, and a constant last of all."""
    return reduce(lambda a, b: _choose(*_constant_last(a, b), lambda a, b: [
        (a, _exceeds(a, b)), (b, S.true)]), arguments)


def minimum(*arguments: sympy.Expr) -> sympy.Expr:
    """Return the smallest argument, ties as in `maximum`."""
    return reduce(lambda a, b: _choose(*_constant_last(a, b), lambda a, b: [
        (a, _exceeds(b, a)), (b, S.true)]), arguments)


def sign(u: sympy.Expr) -> sympy.Expr:
    """Return 1, 0 or -1."""
    # not SymPy's sign, whose derivative holds a Dirac delta
    return _choose(u, S.Zero, lambda u, zero: [
        (S.One, _exceeds(u, zero)), (S.NegativeOne, _exceeds(zero, u)), (S.Zero, S.true)])


def absolute(u: sympy.Expr) -> sympy.Expr:
    """Return |u|, whose derivative at u = 0 is 0."""
    # SymPy differentiates |u| well only where it knows that u is real
    if u.is_extended_real and not u.has(Piecewise):
        return Abs(u)
    return _choose(u, S.Zero, lambda u, zero: [
        (u, _exceeds(u, zero)), (-u, _exceeds(zero, u)), (zero, S.true)])


def step(u: sympy.Expr) -> sympy.Expr:
    """Return 1 where u > 0, otherwise 0."""
    return _choose(u, S.Zero, lambda u, zero: [(S.One, _exceeds(u, zero)), (S.Zero, S.true)])
