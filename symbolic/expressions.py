"""Plain SymPy matrix expressions as terms of the operations table."""

from __future__ import annotations

import hashlib
from typing import Any

import numpy as np
import sympy
from sympy import Basic, Expr, HadamardProduct, MatAdd, MatMul, MatPow, Trace, Transpose
from sympy.matrices.expressions.applyfunc import ElementwiseApplyFunction
from sympy.matrices.expressions.diagonal import DiagMatrix, DiagonalMatrix, DiagonalOf
from sympy.matrices.expressions.hadamard import HadamardPower
from sympy.matrices.expressions.matexpr import MatrixElement
from sympy.matrices.expressions.slice import MatrixSlice

from symbolic.errors import InputError
from symbolic.functions import FUNCTIONS, scalar_function
from symbolic.operations import OPERATIONS
from symbolic.scalar_values import scalar_value
from symbolic.scalars import x
from symbolic.structure import as_scalar, diag, diagonal_of, is_column, slice_of, stack
from symbolic.terms import (
    Term,
    add,
    applied,
    elementwise,
    hadamard,
    inner,
    is_matrix,
    operand_indices,
    product,
    transpose,
)

_LEAVES = (sympy.MatrixSymbol, sympy.Symbol, sympy.OneMatrix, sympy.ZeroMatrix, sympy.Identity, sympy.Number)


def from_sympy(expression: Expr) -> Term:
    """Return an expression in the nodes that have rules; a 1 × 1 matrix becomes a scalar.

    Raises:
        InputError: It holds a node for which there is no rule.
    """
    if is_matrix(expression) and expression.shape == (1, 1) and not isinstance(expression, sympy.MatrixSymbol):
        return _scalar(expression)
    return _term(expression)


def _scalar(expression: Expr) -> Term:
    """Return a 1 × 1 matrix, as xᵀAx, as the inner product ⟨x, Ax⟩ or a sum of such."""
    if isinstance(expression, MatAdd):
        return add(*(_scalar(a) for a in expression.args))
    if isinstance(expression, MatMul):
        coefficient, factors = expression.as_coeff_matrices()
        if len(factors) > 1:
            return _term(coefficient) * inner(transpose(_term(factors[0])), product(*map(_term, factors[1:])))
    one = sympy.OneMatrix(1, 1)
    return inner(one, _term(expression))


def _term(expression: Basic) -> Term:
    if expression.is_number and not (expression.is_real and expression.is_finite):
        raise InputError(f"expected real numbers, got {expression}")
    if isinstance(expression, _LEAVES) or expression.is_number:
        return expression
    if type(expression) in _FUNCTIONS and not is_matrix(expression):
        return applied(scalar_function(_FUNCTIONS[type(expression)]), _term(expression.args[0]))
    rewrite = _REWRITES.get(type(expression))
    if rewrite is not None:
        return rewrite(expression)
    if type(expression) not in OPERATIONS:
        raise InputError(f"no differential rule for {type(expression).__name__} in {expression}")
    indices = operand_indices(expression)
    arguments = [_term(a) if i in indices else a for i, a in enumerate(expression.args)]
    return Basic.__new__(type(expression), *arguments) if is_matrix(expression) else expression.func(*arguments)


def _trace(expression: Trace) -> Term:
    """tr(AᵀB) is ⟨A, B⟩, and tr(A) is ⟨I, A⟩."""
    body = _term(expression.args[0])
    if isinstance(body, MatMul):
        coefficient, factors = body.as_coeff_matrices()
        if len(factors) > 1:
            return coefficient * inner(transpose(factors[0]), product(*factors[1:]))
    if isinstance(body, MatAdd):
        return add(*(_trace(Trace(a)) for a in body.args))
    return inner(sympy.Identity(body.shape[0]), body)


def _power(expression: MatPow) -> Term:
    base, exponent = _term(expression.base), expression.exp
    if not exponent.is_Integer or not -8 <= exponent <= 64:
        raise InputError(f"expected an integer power of a matrix between -8 and 64, got {exponent}")
    if exponent < 0:
        return product(*[Basic.__new__(sympy.Inverse, base, sympy.S.NegativeOne)] * -int(exponent))
    return product(*[base] * int(exponent)) if exponent else sympy.Identity(base.shape[0])


def _applied(expression: ElementwiseApplyFunction) -> Term:
    return _elementwise(expression.function(x), _term(expression.expr))


def _elementwise(formula: Expr, operand: Term) -> Term:
    """Return f(A), f by the name of its row or, where it has none, by one that its formula gives."""
    if not isinstance(formula, Expr) or formula.free_symbols - {x}:
        raise InputError(f"expected an elementwise function of one variable, got {formula}")
    try:
        scalar_value(formula, np.array([0.5]))
    except TypeError as error:
        raise InputError(f"no rule for the elementwise function {formula}: {error}") from error
    name = next((n for n, row in FUNCTIONS.items() if row.formula == formula), None)
    digits = hashlib.sha256(sympy.srepr(formula).encode()).hexdigest()
    return elementwise(scalar_function(name or f"f{int(digits, 16) % 1000}", formula), operand)


def _entrywise_power(expression: HadamardPower) -> Term:
    if is_matrix(expression.exp) or not expression.exp.is_number:
        raise InputError(f"expected a number as the exponent of an entrywise power, got {expression.exp}")
    base = _term(expression.base)
    if expression.exp.is_Integer and 1 <= expression.exp <= 4:
        return hadamard(*[base] * int(expression.exp))
    return _elementwise(x**expression.exp, base)


def _element(expression: MatrixElement) -> Term:
    """An entry; of a 1 × 1 matrix, as of xᵀAx, the scalar that it is."""
    if expression.parent.shape == (1, 1):
        return _scalar(expression.parent)
    i, j = expression.i, expression.j
    return as_scalar(slice_of(_term(expression.parent), (i, i + 1), (j, j + 1)))


def _slice(expression: MatrixSlice) -> Term:
    (r0, r1, row_step), (c0, c1, column_step) = expression.rowslice, expression.colslice
    if (row_step, column_step) != (1, 1):
        raise InputError(f"expected a slice with step 1, got {expression}")
    return slice_of(_term(expression.parent), tuple(map(sympy.sympify, (r0, r1))), tuple(map(sympy.sympify, (c0, c1))))


def _blocks(expression: sympy.BlockMatrix) -> Term:
    rows, columns = expression.blockshape
    return stack(0, [stack(1, [_term(expression.blocks[i, j]) for j in range(columns)]) for i in range(rows)])


def _diagonal(expression: DiagMatrix | DiagonalMatrix) -> Term:
    """The diagonal matrix of a vector; of a matrix, what is left of it on its diagonal."""
    inside = _term(expression.args[0])
    if isinstance(expression, DiagMatrix):
        return diag(inside if is_column(inside) else transpose(inside))
    return diag(diagonal_of(inside))


_FUNCTIONS = {type(row.formula): name for name, row in FUNCTIONS.items()
              if isinstance(row.formula, sympy.Function) and row.formula.args == (x,) and name not in ("exp", "log")}
"""SymPy's scalar functions that the table has; exp and log are scalar algebra."""

_REWRITES: dict[type[Basic], Any] = {
    MatrixSlice: _slice,
    sympy.BlockMatrix: _blocks,
    DiagMatrix: _diagonal,
    DiagonalMatrix: _diagonal,
    DiagonalOf: lambda e: diagonal_of(_term(e.args[0])),
    MatrixElement: _element,
    MatMul: lambda e: product(*map(_term, e.args)),
    MatAdd: lambda e: add(*map(_term, e.args)),
    HadamardProduct: lambda e: hadamard(*map(_term, e.args)),
    Transpose: lambda e: transpose(_term(e.args[0])),
    Trace: _trace,
    MatPow: _power,
    ElementwiseApplyFunction: _applied,
    HadamardPower: _entrywise_power,
}
