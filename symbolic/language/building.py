"""Terms of the functions of the matrix language."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import sympy
from sympy import Basic, Expr, Identity, Integer, OneMatrix, S, ZeroMatrix
from sympy.matrices.expressions.matexpr import MatrixExpr

from symbolic.extremes import LargestEntry, Maximum
from symbolic.functions import ScalarFunction, scalar_function
from symbolic.language.constants import entry, sound
from symbolic.language.tree import FlawError
from symbolic.structure import Cholesky, diag, diagonal_of, is_column, kronecker
from symbolic.terms import (
    Term,
    add,
    applied,
    elementwise,
    inner,
    inverse,
    is_matrix,
    ones_like,
    product,
    scale,
    shape,
    split,
)

_NATIVE = {"exp": sympy.exp, "log": sympy.log, "sqrt": sympy.sqrt}
"""The functions of a scalar that SymPy's scalar algebra keeps."""

function = cache(scalar_function)


def scalars_too(build: Callable[..., Term], scalar: Callable[..., Term] = lambda a: a) -> Callable[..., Term]:
    """Return a function of matrices that takes scalars as well."""
    return lambda a, *sizes: (build if is_matrix(a) else scalar)(a, *sizes)


def filled(term: Term, like: MatrixExpr) -> MatrixExpr:
    """Return a scalar as a matrix of that shape, all entries the same; a matrix as it is."""
    return term if is_matrix(term) else scale(term, ones_like(like))


def as_matrix(term: Term) -> MatrixExpr:
    """Return a scalar as a 1 × 1 matrix; a matrix as it is."""
    return term if is_matrix(term) else scale(term, OneMatrix(1, 1))


def entrywise(name: str, a: Term) -> Term:
    """Return f(A) entry by entry."""
    if not is_matrix(a):
        return _NATIVE[name](a) if name in _NATIVE else applied(function(name), a)
    constant = entry(a)
    if constant is not None:
        sound(entrywise(name, constant))  # log(zeros(n)) is refused as log(0) is
    return elementwise(function(name), a)


def powers(of: ScalarFunction, a: Term) -> Term:
    """Return a power with a constant exponent, entry by entry."""
    constant = entry(a)
    if constant is not None:
        sound(applied(of, constant))
    return elementwise(of, a)


def extreme(kind: type[Basic], a: Term, b: Term) -> Term:
    """Return the larger or the smaller of two, entry by entry; with 0 it is relu(A), or -relu(-A)."""
    relu = function("relu")
    for this, other in ((a, b), (b, a)):
        if this == 0 or isinstance(this, ZeroMatrix):
            other = filled(other, this) if is_matrix(this) else other
            return applied(relu, other) if kind is Maximum else scale(-S.One, applied(relu, scale(-S.One, other)))
    if is_matrix(a) or is_matrix(b):
        return Basic.__new__(kind, filled(a, b), filled(b, a))
    return add(b, applied(relu, a - b)) if kind is Maximum else add(b, -applied(relu, b - a))


def divided(a: Term, b: Expr) -> Term:
    """Return a matrix or a scalar over a scalar."""
    if b == 0:
        raise FlawError("division by zero")
    return scale(1 / b, a) if is_matrix(a) else a / b


def inverted(a: Term) -> Term:
    """Return A⁻¹, or 1/s of a scalar."""
    if entry(a) == 0:
        raise FlawError("the inverse of zeros")
    return inverse(a) if is_matrix(a) else divided(S.One, a)


def total(a: Term) -> Term:
    """Return the sum of all entries."""
    if not is_matrix(a):
        return a
    coefficient, rest = split(a)
    if isinstance(rest, OneMatrix):
        return coefficient * rest.shape[0] * rest.shape[1]
    if isinstance(rest, ZeroMatrix):
        return S.Zero
    return inner(ones_like(a), a)


def mean(a: Term) -> Term:
    """Return the mean of all entries."""
    return total(a) / sympy.Mul(*shape(a))


def trace(a: Term) -> Term:
    """Return the sum of the diagonal."""
    if not is_matrix(a):
        return a
    coefficient, rest = split(a)
    if isinstance(rest, Identity | OneMatrix):
        return coefficient * rest.shape[0]
    return S.Zero if isinstance(rest, ZeroMatrix) else inner(Identity(a.shape[0]), a)


def determinant(a: Term) -> Term:
    """Return the determinant."""
    return sympy.Determinant(a) if is_matrix(a) else a


def adjugate(a: MatrixExpr) -> Term:
    """Return det(A) A⁻¹."""
    return product(determinant(a), inverted(a))


def absolute(a: Term) -> Term:
    """Return |A| entry by entry."""
    return entrywise("abs", a)


def largest_absolute(a: Term) -> Term:
    """Return the largest |a| of all entries."""
    return LargestEntry(absolute(a)) if is_matrix(a) else absolute(a)


def along(kind: type[Basic], axis: int, a: MatrixExpr) -> Term:
    """Return a function of columns (axis 0), rows (axis 1) or all entries (axis 2)."""
    return Basic.__new__(kind, a, Integer(axis))


def cholesky(a: MatrixExpr) -> Term:
    """Return the lower triangular factor."""
    return Basic.__new__(Cholesky, a)


def diagonal(a: MatrixExpr) -> Term:
    """Return the diagonal matrix of a column, or the diagonal of a square matrix."""
    return diag(a) if is_column(a) else diagonal_of(a)


def kron(a: Term, b: Term) -> Term:
    """Return A ⊗ B."""
    return kronecker(a, b) if is_matrix(a) and is_matrix(b) else product(a, b)
