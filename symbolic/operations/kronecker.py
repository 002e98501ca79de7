"""Kronecker products and the commutation matrix."""

from __future__ import annotations

from functools import reduce
from typing import Any

import numpy as np
from sympy import Basic, Expr, Identity, KroneckerProduct, MatrixSymbol, OneMatrix, S

from symbolic.functions import MAGNUS
from symbolic.operations.table import ATOM, TIMES, Operation, Rule, Show, infix
from symbolic.structure import (
    Commutation,
    kronecker,
    unkronecker,
    vec,
)
from symbolic.terms import (
    Term,
    hadamard,
    inner,
    ones_like,
    product,
    transpose,
)


def _kronecker_transposition(node: KroneckerProduct, i: int, G: Term) -> Term:
    """Sum the blocks: ⟨G, M ⊗ B⟩ = ⟨(I ⊗ 1ᵀ) (G ⊙ (1 ⊗ B)) (I ⊗ 1), M⟩."""
    before, operand, after = node.args[:i], node.args[i], node.args[i + 1:]
    if len(node.args) == 2:
        parts = unkronecker(G, node.args[0].shape, node.args[1].shape)
        if parts is not None:
            return product(inner(parts[1 - i], node.args[1 - i]), parts[i])
    filled = kronecker(*before, ones_like(operand), *after)

    def summing(axis: int) -> Term:
        ones = [OneMatrix(1, a.shape[axis]) for a in before], [OneMatrix(1, a.shape[axis]) for a in after]
        return kronecker(*ones[0], Identity(operand.shape[axis]), *ones[1])

    return product(summing(0), hadamard(G, filled), transpose(summing(1)))


def _kronecker_matrix(node: KroneckerProduct, i: int) -> Term:
    """Return J of M ↦ L ⊗ (M ⊗ R): vec(A ⊗ B) = (I ⊗ K ⊗ I) (vec A ⊗ vec B), twice."""
    before, operand, after = node.args[:i], node.args[i], node.args[i + 1:]
    found: Term = Identity(operand.shape[0] * operand.shape[1])
    if after:
        right = kronecker(*after)
        found = product(_mixed(operand, right), kronecker(found, vec(right)))
    if before:
        left, rest = kronecker(*before), kronecker(operand, *after)
        found = product(_mixed(left, rest), kronecker(vec(left), Identity(rest.shape[0] * rest.shape[1])), found)
    return found


def _mixed(left: Term, right: Term) -> Term:
    """Return I ⊗ K ⊗ I, which takes vec A ⊗ vec B to vec(A ⊗ B)."""
    (m, n), (p, q) = left.shape, right.shape
    return kronecker(Identity(n), commutation(q, m), Identity(p))


def _constant_differential(node: Any, i: int, d: Term, value: Term) -> Term:
    raise TypeError("a constant has no differential")


def commutation(rows: Expr, columns: Expr) -> Term:
    """Return K with K vec(A) = vec(Aᵀ) for A of rows × columns."""
    if S.One in (rows, columns):
        return Identity(rows * columns)
    return Basic.__new__(Commutation, rows, columns)


def _binary(name: str, factors: tuple[Term, ...], show: Show) -> str:
    first, *rest = factors
    text = show(first, 0)
    for factor in rest:
        text = f"{name}({text}, {show(factor, 0)})"
    return text


def _swap(rows: int, columns: int) -> Any:
    """Return the commutation matrix, a permutation of the rows of the identity."""
    return np.eye(rows * columns)[np.arange(rows * columns).reshape((rows, columns), order="F").ravel()]


A, B, M = MatrixSymbol("A", 2, 3), MatrixSymbol("B", 3, 2), MatrixSymbol("M", 3, 3)
v = MatrixSymbol("v", 3, 1)
w, W, Z = MatrixSymbol("w", 2, 1), MatrixSymbol("W", 1, 2), MatrixSymbol("Z", 2, 2)

OPERATIONS = [
    Operation(
        node=KroneckerProduct,
        differential=lambda node, i, d, value: kronecker(*node.args[:i], d, *node.args[i + 1:]),
        differential_rule=lambda node: Rule(
            "differential_of_kronecker_product",
            r"\mathrm{d}(A \otimes B) = \mathrm{d}A \otimes B + A \otimes \mathrm{d}B",
            "d(A ⊗ B) = dA ⊗ B + A ⊗ dB", f"{MAGNUS}, chapter 8, section 2"),
        transposition=_kronecker_transposition,
        transposition_rule=Rule(
            "transposition_of_kronecker_product",
            r"\langle G, M \otimes B\rangle = \langle (I \otimes \mathbf{1}^{\top}) (G \odot (\mathbf{1} \otimes B)) "
            r"(I \otimes \mathbf{1}), M\rangle",
            "⟨G, M ⊗ B⟩ = ⟨(I ⊗ 1ᵀ) (G ⊙ (1 ⊗ B)) (I ⊗ 1), M⟩", "the blocks of G ⊙ (1 ⊗ B), summed"),
        matrix=_kronecker_matrix,
        matrix_rule=Rule(
            "vec_of_kronecker_product",
            r"\operatorname{vec}(A \otimes B) = "
            r"(I \otimes K \otimes I) (\operatorname{vec} A \otimes \operatorname{vec} B)",
            "vec(A ⊗ B) = (I ⊗ K ⊗ I) (vec A ⊗ vec B)", f"{MAGNUS}, chapter 3, section 7"),
        evaluate=lambda node, size, *values: reduce(np.kron, values),
        latex=infix(r"\otimes", TIMES),
        text=infix("⊗", TIMES),
        spelling={"numpy": (ATOM, lambda node, show: _binary("np.kron", node.args, show)),
                  "language": (ATOM, lambda node, show: _binary("kron", node.args, show))},
        examples=lambda: (kronecker(A, B), kronecker(M, v), kronecker(w, W, Z)),
    ),
    Operation(
        node=Commutation,
        differential=_constant_differential,
        differential_rule=lambda node: Rule(
            "commutation", r"K \operatorname{vec}(A) = \operatorname{vec}(A^{\top})", "K vec(A) = vec(Aᵀ)",
            f"{MAGNUS}, chapter 3, section 7"),
        transposition=None,
        transposition_rule=None,
        evaluate=lambda node, size: _swap(*map(size, node.args)),
        latex=(ATOM, lambda node, show: rf"K_{{{show(node.args[0], 0)},{show(node.args[1], 0)}}}"),
        text=(ATOM, lambda node, show: f"K({show(node.args[0], 0)}, {show(node.args[1], 0)})"),
        spelling={target: (ATOM, lambda node, show: f"commutation({show(node.args[0], 0)}, {show(node.args[1], 0)})")
                  for target in ("numpy", "language")},
        examples=lambda: (commutation(S(2), S(3)),),
    ),
]
