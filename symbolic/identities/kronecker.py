"""Identities of Kronecker products, diagonal matrices and selections, as Jacobians have them."""

from __future__ import annotations

from itertools import pairwise

from sympy import Identity as Eye
from sympy import KroneckerProduct, MatMul, OneMatrix, S

from symbolic.functions import MAGNUS
from symbolic.identities.products import coefficient_and_factors
from symbolic.identities.table import ENTRYWISE, Context, Identity
from symbolic.operations.table import Rule
from symbolic.structure import (
    Commutation,
    Diag,
    DiagonalOf,
    Reshape,
    Slice,
    diag,
    is_column,
    kronecker,
    slice_of,
    vec,
)
from symbolic.terms import (
    Term,
    hadamard,
    product,
    scale,
    transpose,
)


def _mixed_product(term: MatMul, context: Context) -> Term | None:
    """(A ⊗ B)(C ⊗ D) = A C ⊗ B D where the shapes allow, a column b = b ⊗ 1 and (Bᵀ ⊗ A) vec X among them."""
    coefficient, factors = coefficient_and_factors(term)
    for i, (left, right) in enumerate(pairwise(factors)):
        new = _mixed(left, right)
        if new is not None:
            return product(coefficient, *factors[:i], new, *factors[i + 2:])
    return None


def _mixed(left: Term, right: Term) -> Term | None:
    if isinstance(left, KroneckerProduct):
        a, b = left.args[0], kronecker(*left.args[1:])
        if isinstance(right, KroneckerProduct):
            c, d = right.args[0], kronecker(*right.args[1:])
            if a.shape[1] == c.shape[0] and b.shape[1] == d.shape[0]:
                return kronecker(product(a, c), product(b, d))
        if isinstance(right, Reshape) and is_column(right) and right.args[0].shape == (b.shape[1], a.shape[1]):
            return vec(product(b, right.args[0], transpose(a)))
        if is_column(b) and a.shape[1] == right.shape[0]:
            return kronecker(product(a, right), b)
        if is_column(a) and b.shape[1] == right.shape[0]:
            return kronecker(a, product(b, right))
    if isinstance(right, KroneckerProduct):
        c, d = right.args[0], kronecker(*right.args[1:])
        if c.shape[0] == 1 and left.shape[1] == d.shape[0]:
            return kronecker(c, product(left, d))
        if d.shape[0] == 1 and left.shape[1] == c.shape[0]:
            return kronecker(product(left, c), d)
    return None


def _commuted(term: MatMul, context: Context) -> Term | None:
    """K vec(A) = vec(Aᵀ), K K = I, and (A ⊗ B) K = B ⊗ A where A or B is a row."""
    coefficient, factors = coefficient_and_factors(term)
    for i, (left, right) in enumerate(pairwise(factors)):
        new = None
        if isinstance(left, Commutation):
            if isinstance(right, Commutation) and left.args == right.args[::-1]:
                new = Eye(left.shape[0])
            elif isinstance(right, Reshape) and is_column(right) and right.args[0].shape == left.args:
                new = vec(transpose(right.args[0]))
        elif isinstance(right, Commutation) and isinstance(left, KroneckerProduct):
            a, b = left.args[0], kronecker(*left.args[1:])
            if S.One in (a.shape[0], b.shape[0]) and right.args == (a.shape[1], b.shape[1]):
                new = kronecker(b, a)
        if new is not None:
            return product(coefficient, *factors[:i], new, *factors[i + 2:])
    return None


def _diagonal_matrices(term: MatMul, context: Context) -> Term | None:
    """diag(u) diag(v) = diag(u ⊙ v), diag(v) w = v ⊙ w and wᵀ diag(v) = wᵀ ⊙ vᵀ."""
    coefficient, factors = coefficient_and_factors(term)
    for i, (left, right) in enumerate(pairwise(factors)):
        new = None
        if isinstance(left, Diag) and isinstance(right, Diag):
            new = diag(hadamard(left.args[0], right.args[0]))
        elif isinstance(left, Diag) and is_column(right):
            new = hadamard(left.args[0], right)
        elif isinstance(right, Diag) and left.shape[0] == 1:
            new = hadamard(left, transpose(right.args[0]))
        elif isinstance(right, Diag) and isinstance(left, OneMatrix):
            new = product(OneMatrix(left.shape[0], 1), transpose(right.args[0]))
        elif isinstance(left, Diag) and isinstance(right, OneMatrix):
            new = product(left.args[0], OneMatrix(1, right.shape[1]))
        if new is not None:
            return product(coefficient, *factors[:i], new, *factors[i + 2:])
    return None


def _diagonal_of_product(term: DiagonalOf, context: Context) -> Term | None:
    """diag(A diag(v) B) = (A ⊙ Bᵀ) v, and diag(u vᵀ) = u ⊙ v."""
    coefficient, factors = coefficient_and_factors(term.args[0])
    if len(factors) == 2 and is_column(factors[0]):
        return scale(coefficient, hadamard(factors[0], transpose(factors[1])))
    for i, factor in enumerate(factors):
        if isinstance(factor, Diag):
            left = product(*factors[:i]) if i else Eye(factor.shape[0])
            right = product(*factors[i + 1:]) if i + 1 < len(factors) else Eye(factor.shape[0])
            return product(coefficient, hadamard(left, transpose(right)), factor.args[0])
    return None


def _diagonal_selection(term: MatMul, context: Context) -> Term | None:
    """With vec(diag v) = E v: (wᵀ ⊗ I) E = diag(w) = (I ⊗ wᵀ) E, and Eᵀ (A ⊗ B) E = A ⊙ B."""
    coefficient, factors = coefficient_and_factors(term)
    for i in range(1, len(factors) - 1):
        before, here, after = factors[i - 1:i + 2]
        if not (_is_diagonal_mask(here) and isinstance(before, KroneckerProduct) and isinstance(
                after, KroneckerProduct) and isinstance(after.args[0], OneMatrix) and is_column(after.args[0])):
            continue
        rest = kronecker(*after.args[1:])
        a, b = before.args[0], kronecker(*before.args[1:])
        size = here.args[0].args[0].shape[0]
        if not a.shape[1] == b.shape[1] == after.args[0].shape[0] == size:
            continue
        if a.shape[0] == 1 and isinstance(b, Eye):
            return product(coefficient, *factors[:i - 1], diag(transpose(a)), rest, *factors[i + 2:])
        if b.shape[0] == 1 and isinstance(a, Eye):
            return product(coefficient, *factors[:i - 1], diag(transpose(b)), rest, *factors[i + 2:])
        if i >= 3 and _is_diagonal_mask(factors[i - 2]) and _sums_blocks(factors[i - 3]) and (
                a.shape[0] == b.shape[0] == factors[i - 3].shape[0]):
            return product(coefficient, *factors[:i - 3], hadamard(a, b), rest, *factors[i + 2:])
    return None


def _is_diagonal_mask(term: Term) -> bool:
    return isinstance(term, Diag) and isinstance(term.args[0], Reshape) and isinstance(term.args[0].args[0], Eye)


def _sums_blocks(term: Term) -> bool:
    return (isinstance(term, KroneckerProduct) and len(term.args) == 2 and isinstance(term.args[0], OneMatrix)
            and term.args[0].shape[0] == 1 and isinstance(term.args[1], Eye))


def _selected(term: MatMul, context: Context) -> Term | None:
    """Rows of the identity select rows: I[r, :] A = A[r, :], and A I[:, c] = A[:, c]."""
    coefficient, factors = coefficient_and_factors(term)
    for i, (left, right) in enumerate(pairwise(factors)):
        if isinstance(left, Slice) and isinstance(left.args[0], Eye) and left.shape[1] == left.args[0].shape[1]:
            new = slice_of(right, left.args[1:3], (S.Zero, right.shape[1]))
            return product(coefficient, *factors[:i], new, *factors[i + 2:])
        if isinstance(right, Slice) and isinstance(right.args[0], Eye) and right.shape[0] == right.args[0].shape[0]:
            new = slice_of(left, (S.Zero, left.shape[0]), right.args[3:])
            return product(coefficient, *factors[:i], new, *factors[i + 2:])
    return None


IDENTITIES = [
    Identity(Rule("diagonal_matrices",
                  r"\operatorname{diag}(v) w = v \odot w,\; \operatorname{diag}(u) \operatorname{diag}(v) = "
                  r"\operatorname{diag}(u \odot v)", "diag(v) w = v ⊙ w, diag(u) diag(v) = diag(u ⊙ v)",
                  ENTRYWISE), MatMul, _diagonal_matrices),
    Identity(Rule("mixed_product", r"(A \otimes B)(C \otimes D) = A C \otimes B D,\; "
                  r"(B^{\top} \otimes A) \operatorname{vec} X = \operatorname{vec}(A X B)",
                  "(A ⊗ B)(C ⊗ D) = A C ⊗ B D, (Bᵀ ⊗ A) vec X = vec(A X B)", f"{MAGNUS}, chapter 2, section 4"),
             MatMul, _mixed_product),
    Identity(Rule("commutation", r"K \operatorname{vec}(A) = \operatorname{vec}(A^{\top}),\; K K^{\top} = I",
                  "K vec(A) = vec(Aᵀ), K Kᵀ = I", f"{MAGNUS}, chapter 3, section 7"), MatMul, _commuted),
    Identity(Rule("selection", r"I_{[r,\, :]} A = A_{[r,\, :]}", "I[r, :] A = A[r, :]", "matrix algebra"),
             MatMul, _selected),
    Identity(Rule("diagonal_selection", r"\operatorname{vec}(\operatorname{diag} v) = E v \Rightarrow "
                  r"(w^{\top} \otimes I) E = \operatorname{diag}(w),\; E^{\top} (A \otimes B) E = A \odot B",
                  "vec(diag v) = E v: (wᵀ ⊗ I) E = diag(w), Eᵀ (A ⊗ B) E = A ⊙ B",
                  f"{MAGNUS}, chapter 3, section 6"), MatMul, _diagonal_selection),
    Identity(Rule("diagonal_of_product", r"\operatorname{diag}(A \operatorname{diag}(v) B) = (A \odot B^{\top}) v,\; "
                  r"\operatorname{diag}(u v^{\top}) = u \odot v",
                  "diag(A diag(v) B) = (A ⊙ Bᵀ) v, diag(u vᵀ) = u ⊙ v", f"{MAGNUS}, chapter 3, section 6"),
             DiagonalOf, _diagonal_of_product),
]
