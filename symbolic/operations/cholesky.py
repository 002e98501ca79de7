"""The Cholesky factor."""

from __future__ import annotations

from typing import Any

import numpy as np
from sympy import Basic, Expr, Identity, MatrixSymbol, OneMatrix, Rational

from symbolic.operations.table import ATOM, Operation, Rule, Show, called
from symbolic.structure import (
    Cholesky,
    tril,
)
from symbolic.terms import (
    Term,
    add,
    hadamard,
    inverse,
    product,
    scale,
    transpose,
)


def _cholesky(node: Cholesky, size: Any, a: Any) -> Any:
    """Factorise without conjugates, so that a complex step goes through; a negative pivot is no number."""
    a = (a + a.T) / 2
    low = np.zeros_like(a, dtype=np.result_type(a, float))
    for j in range(len(a)):
        pivot = a[j, j] - np.sum(low[j, :j] ** 2)
        if not np.real(pivot) > 1e-10 * np.max(np.abs(np.real(np.diagonal(a)))):
            raise np.linalg.LinAlgError("not positive definite")
        low[j, j] = np.sqrt(pivot)
        for i in range(j + 1, len(a)):
            low[i, j] = (a[i, j] - np.sum(low[i, :j] * low[j, :j])) / low[j, j]
    return low


def _numpy_cholesky(node: Cholesky, show: Show) -> str:
    """Spell the factor of the symmetric part: NumPy's reads the lower triangle alone."""
    a = node.args[0]
    symmetric = show(a, 0) if transpose(a) == a else f"{show(scale(Rational(1, 2), add(a, transpose(a))), 0)}"
    return f"np.linalg.cholesky({symmetric})"


def half_triangle(size: Expr) -> Term:
    """Return the lower triangle of ones with ½ on its diagonal."""
    return add(tril(OneMatrix(size, size)), scale(-Rational(1, 2), Identity(size)))


def _cholesky_differential(node: Cholesky, i: int, d: Term, value: Term) -> Term:
    left = inverse(value)
    middle = product(left, scale(Rational(1, 2), add(d, transpose(d))), transpose(left))
    return product(value, hadamard(half_triangle(node.shape[0]), middle))


A, Z = MatrixSymbol("A", 2, 3), MatrixSymbol("Z", 2, 2)

OPERATIONS = [
    Operation(
        node=Cholesky,
        differential=_cholesky_differential,
        differential_rule=lambda node: Rule(
            "differential_of_cholesky",
            r"\mathrm{d}L = L (P \odot (L^{-1}\, \mathrm{d}A\, L^{-\top})),\; LL^{\top} = A = A^{\top},\; "
            r"P = \operatorname{tril}(\mathbf{1}) - \tfrac{1}{2} I",
            "dL = L (P ⊙ (L⁻¹ dA L⁻ᵀ)), L Lᵀ = A = Aᵀ, P = tril(1) − ½ I",
            "Murray (2016), Differentiation of the Cholesky decomposition, section 3.1"),
        transposition=None,
        transposition_rule=None,
        evaluate=_cholesky,
        latex=called(r"\operatorname{chol}"),
        text=called("chol"),
        spelling={"numpy": (ATOM, _numpy_cholesky), "language": called("chol")},
        examples=lambda: (Basic.__new__(Cholesky, add(product(transpose(A), A), Identity(3))),
                          Basic.__new__(Cholesky, Z)),
    ),
]
