"""Identities of scalars: inner products and norms."""

from __future__ import annotations

import sympy
from sympy import (
    Basic,
    Determinant,
    HadamardProduct,
    Inverse,
    KroneckerProduct,
    MatAdd,
    MatMul,
    Mul,
    OneMatrix,
    S,
    Transpose,
)
from sympy import Identity as Eye

from symbolic.functions import MAGNUS, scalar_function
from symbolic.identities.table import Context, Identity
from symbolic.operations.table import Rule
from symbolic.structure import kronecker, unkronecker
from symbolic.terms import Applied, Inner, SquaredNorm, Term, applied, hadamard, inner, product, split, transpose


def _itself(term: Inner, context: Context) -> Term | None:
    return sympy.Basic.__new__(SquaredNorm, term.args[0]) if term.args[0] == term.args[1] else None


def _with_ones(term: Inner, context: Context) -> Term | None:
    """⟨1, A ⊙ B⟩ = ⟨A, B⟩; a sum of ones counts them."""
    left, right = term.args
    if isinstance(right, OneMatrix):
        left, right = right, left
    if not isinstance(left, OneMatrix):
        return None
    if isinstance(right, OneMatrix):
        return left.shape[0] * left.shape[1]
    if isinstance(right, Eye):
        return left.shape[0]
    if isinstance(right, HadamardProduct):
        return inner(right.args[0], hadamard(*right.args[1:]))
    return inner(left, right) if left is not term.args[0] else None


def _trace(term: Inner, context: Context) -> Term | None:
    """⟨I, A B⟩ = ⟨Aᵀ, B⟩, and ⟨I, I⟩ is the number of rows."""
    left, right = term.args
    if isinstance(right, Eye):
        left, right = right, left
    if not isinstance(left, Eye):
        return None
    if isinstance(right, (Eye, OneMatrix)):
        return left.shape[0]
    if isinstance(right, MatMul):
        coefficient, rest = split(right)
        return coefficient * inner(transpose(rest.args[0]), product(*rest.args[1:]))
    return inner(left, right) if left is not term.args[0] else None


def _coefficient(term: Inner, context: Context) -> Term | None:
    return inner(*term.args) if any(split(a)[0] is not S.One for a in term.args) else None


def _sum_of_repeated(term: Inner, context: Context) -> Term | None:
    """⟨1, A + c 1⟩ = ⟨1, A⟩ + c m n, and ⟨I, A + c I⟩ = ⟨I, A⟩ + c n."""
    left, right = term.args
    if isinstance(left, (OneMatrix, Eye)) and isinstance(right, MatAdd) and any(
            isinstance(split(a)[1], type(left)) for a in right.args):
        return sympy.Add(*(inner(left, a) for a in right.args))
    return None


def _transposed_twice(term: Inner, context: Context) -> Term | None:
    """⟨Aᵀ, Bᵀ⟩ = ⟨A, B⟩."""
    if all(isinstance(a, (Transpose, OneMatrix)) for a in term.args) and any(
            isinstance(a, Transpose) for a in term.args):
        return inner(*map(transpose, term.args))
    return None


def _with_inverse(term: Inner, context: Context) -> Term | None:
    """⟨A⁻ᵀ, A⟩ = n."""
    for left, right in (term.args, term.args[::-1]):
        if isinstance(left, Inverse) and left.args[0] == transpose(right):
            return left.shape[0]
    return None


def _norm_of_transpose(term: SquaredNorm, context: Context) -> Term | None:
    """‖Aᵀ‖² = ‖A‖², and ‖c A‖² = c² ‖A‖²."""
    coefficient, rest = split(term.args[0])
    if isinstance(rest, OneMatrix):
        return coefficient**2 * rest.shape[0] * rest.shape[1]
    if isinstance(rest, Eye):
        return coefficient**2 * rest.shape[0]
    if coefficient is not S.One or isinstance(rest, Transpose):
        inside = rest.args[0] if isinstance(rest, Transpose) else rest
        return coefficient**2 * Basic.__new__(SquaredNorm, inside)
    return None


def _kronecker(term: Inner, context: Context) -> Term | None:
    """⟨C ⊗ D, A ⊗ B⟩ = ⟨C, A⟩ ⟨D, B⟩, the identity and the matrix of ones among them."""
    for left, right in (term.args, term.args[::-1]):
        if isinstance(right, KroneckerProduct):
            a, b = right.args[0], kronecker(*right.args[1:])
            parts = unkronecker(left, a.shape, b.shape)
            if parts is not None:
                return inner(parts[0], a) * inner(parts[1], b)
    return None


def _determinant(term: Determinant, context: Context) -> Term | None:
    """Det Aᵀ = det A, and det A⁻¹ = 1/det A."""
    inside = term.args[0]
    if isinstance(inside, Transpose):
        return Determinant(inside.args[0])
    return 1 / Determinant(inside.args[0]) if isinstance(inside, Inverse) else None


def _sign(term: Mul, context: Context) -> Term | None:
    """sign(s)/|s| = 1/s."""
    for factor in term.args:
        base, exponent = factor.as_base_exp()
        if isinstance(base, Applied) and base.function == scalar_function("abs") and exponent == -1:
            sign = applied(scalar_function("sign"), base.args[1])
            if sign in term.args:
                return Mul(*(a for a in term.args if a not in (sign, factor)), 1 / base.args[1])
    return None


IDENTITIES = [
    Identity(Rule("sum_of_repeated",
                  r"\langle \mathbf{1}, A + c \mathbf{1}\rangle = \langle \mathbf{1}, A\rangle + c\, m n",
                  "⟨1, A + c 1⟩ = ⟨1, A⟩ + c m n", "linearity of the inner product"), Inner, _sum_of_repeated),
    Identity(Rule("inner_product_of_transposes", r"\langle A^{\top}, B^{\top}\rangle = \langle A, B\rangle",
                  "⟨Aᵀ, Bᵀ⟩ = ⟨A, B⟩", "the same entries"), Inner, _transposed_twice),
    Identity(Rule("inner_product_with_inverse", r"\langle A^{-\top}, A\rangle = n", "⟨A⁻ᵀ, A⟩ = n",
                  "tr(A⁻¹ A) = n"), Inner, _with_inverse),
    Identity(Rule("inner_product_of_kronecker_products",
                  r"\langle C \otimes D, A \otimes B\rangle = \langle C, A\rangle \langle D, B\rangle",
                  "⟨C ⊗ D, A ⊗ B⟩ = ⟨C, A⟩ ⟨D, B⟩", f"{MAGNUS}, chapter 2, section 2"), Inner, _kronecker),
    Identity(Rule("norm_of_transpose", r"\lVert A^{\top}\rVert^{2} = \lVert A\rVert^{2}",
                  "‖Aᵀ‖² = ‖A‖², ‖c A‖² = c² ‖A‖²", "definition of the norm"), SquaredNorm, _norm_of_transpose),
    Identity(Rule("determinant_of_inverse", r"\det(A^{-1}) = 1 / \det(A),\; \det(A^{\top}) = \det(A)",
                  "det(A⁻¹) = 1/det(A), det(Aᵀ) = det(A)", f"{MAGNUS}, chapter 1, section 9"),
             Determinant, _determinant),
    Identity(Rule("sign_over_modulus", r"\operatorname{sign}(s) / \lvert s\rvert = 1 / s", "sign(s)/|s| = 1/s",
                  "definition of the sign"), Mul, _sign),
    Identity(Rule("coefficient_of_inner_product", r"\langle c A, B\rangle = c \langle A, B\rangle",
                  "⟨c A, B⟩ = c ⟨A, B⟩", "linearity of the inner product"), Inner, _coefficient),
    Identity(Rule("inner_product_with_itself", r"\langle A, A\rangle = \lVert A\rVert^{2}", "⟨A, A⟩ = ‖A‖²",
                  "definition of the norm"), Inner, _itself),
    Identity(Rule("inner_product_with_ones", r"\langle \mathbf{1}, A \odot B\rangle = \langle A, B\rangle",
                  "⟨1, A ⊙ B⟩ = ⟨A, B⟩", "definition of the inner product"), Inner, _with_ones),
    Identity(Rule("trace_of_product", r"\langle I, A B\rangle = \langle A^{\top}, B\rangle", "⟨I, A B⟩ = ⟨Aᵀ, B⟩",
                  "tr(A B) = ⟨Aᵀ, B⟩"), Inner, _trace),
]
