"""What stands for A B where a factor is of a special kind: scalings, sums, repetitions, other orders of rows."""

from __future__ import annotations

from sympy import Basic, OneMatrix, Transpose
from sympy.matrices.expressions.matexpr import MatrixExpr

from codegen.expressions.nodes import Columns, Rows, flip, times, transposes
from symbolic.structure import Commutation, Diag, diag
from symbolic.terms import Term, broadcast, hadamard, inverse, sum_along


def multiplied(left: MatrixExpr, right: MatrixExpr) -> Term:
    """Return A @ B; a row such as bᵀAᵀ as (A b)ᵀ, whose column may be there already."""
    whole = times(left, right)
    if left.shape[0] == 1 and right.shape[1] != 1:
        column = flip(whole)
        if transposes(column) < transposes(whole):
            return Basic.__new__(Transpose, column)
    return whole


def scaled(v: MatrixExpr, other: MatrixExpr, turned: bool) -> Term:
    """Return diag(v) B, or B diag(v) where ``turned``, as a product entry by entry."""
    if isinstance(other, Diag):
        return diag(hadamard(other.args[0], v) if turned else hadamard(v, other.args[0]))
    if turned:
        row = v.args[0] if isinstance(v, Transpose) else Basic.__new__(Transpose, v)
        whole = row if other.shape[0] == 1 else broadcast(row, 0, other.shape[0])
        return whole if isinstance(other, OneMatrix) else hadamard(other, whole)
    whole = v if other.shape[1] == 1 else broadcast(v, 1, other.shape[1])
    return whole if isinstance(other, OneMatrix) else hadamard(whole, other)


def permuted(matrix: Commutation, other: MatrixExpr, turned: bool) -> Term:
    """Return K B with the rows of B in another order, or B K with its columns."""
    if isinstance(other, Commutation):
        return times(other, matrix) if turned else times(matrix, other)
    rows, columns = matrix.args
    return Basic.__new__(Columns, other, columns, rows) if turned else Basic.__new__(Rows, other, rows, columns)


def with_ones(ones: OneMatrix, other: MatrixExpr, turned: bool) -> Term:
    """Return 1 B, or B 1 where ``turned``, for a row or a column of ones."""
    if ones.shape == (1, 1):
        return other
    if isinstance(other, OneMatrix):
        return OneMatrix(other.shape[0], ones.shape[1]) if turned else OneMatrix(ones.shape[0], other.shape[1])
    axis = 1 if turned else 0
    if ones.shape[axis] != 1:
        return broadcast(other, axis, ones.shape[axis])
    if isinstance(other, Transpose):
        return Basic.__new__(Transpose, sum_along(other.args[0], 1 - axis))
    return sum_along(other, axis)


def inverted(matrix: MatrixExpr) -> Term:
    """Return A⁻¹, of a transpose the transpose of the inverse, which may be needed too."""
    if isinstance(matrix, Transpose):
        return Basic.__new__(Transpose, inverse(matrix.args[0]))
    return inverse(matrix)
