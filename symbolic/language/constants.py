"""Constants that an expression may hold: finite real numbers of ordinary size."""

from __future__ import annotations

import sympy
from sympy import Expr, OneMatrix, S, ZeroMatrix

from symbolic.functions import scalar_function
from symbolic.language.tree import FlawError
from symbolic.terms import Term, applied, is_matrix, split

LARGEST_NUMBER, MOST_BITS = 10**100, 4096

_NO_NUMBERS = (S.ComplexInfinity, S.NaN, S.Infinity, S.NegativeInfinity, S.ImaginaryUnit)


def sound(term: Term) -> Term:
    """Return a term whose own constants are finite real numbers; those of its operands were seen before.

    Raises:
        FlawError: They are not.
    """
    if is_matrix(term):
        coefficient, _ = split(term)
        if coefficient is not S.One:
            sound(coefficient)
        return term
    if term.is_Rational:
        _check_rational(term)
    elif term.is_number:
        _check_constant(term)
    else:
        parts = (term, *term.args, *(a.args[0] for a in term.args if a.is_Pow))
        if any(part is wrong for part in parts for wrong in _NO_NUMBERS):
            raise FlawError("a constant that is no finite real number")
        if term.is_Mul and term.args[0].is_Rational:
            _check_rational(term.args[0])
    return real(term)


def _check_rational(number: sympy.Rational) -> None:
    if max(int(number.p).bit_length(), int(number.q).bit_length()) > MOST_BITS:
        raise FlawError("a number of too many digits")
    _check_size(number)


def _check_size(number: Expr) -> None:
    if abs(number) > LARGEST_NUMBER:
        raise FlawError("a number beyond 1e100")
    if number != 0 and abs(number) * LARGEST_NUMBER < 1:
        raise FlawError("a number nearer to zero than 1e-100", "; write 0")


def _check_constant(constant: Expr) -> None:
    value = constant.evalf(15) if not any(constant is wrong for wrong in _NO_NUMBERS) else constant
    if not value.is_Float and not value.is_Rational:
        raise FlawError("a constant that is no finite real number")
    if value.is_Float and value._prec == 1:
        raise FlawError("a constant that cannot be told from zero", "; write 0")
    _check_size(value)


def real(term: Expr) -> Expr:
    """Return a scalar with our |s| where SymPy made its own of a root of a square."""
    if isinstance(term, sympy.Abs):
        return applied(scalar_function("abs"), term.args[0])
    if (term.is_Mul or term.is_Pow) and any(isinstance(b, sympy.Abs) for a in term.args for b in (a, *a.args[:1])):
        return term.func(*map(real, term.args))
    return term


def entry(term: Term) -> Expr | None:
    """Return the number that all entries of a matrix are, where that is seen at once."""
    coefficient, rest = split(term)
    if isinstance(rest, ZeroMatrix):
        return S.Zero
    return coefficient if isinstance(rest, OneMatrix) and coefficient.is_number else None
