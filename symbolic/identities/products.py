"""Identities of the matrix product."""

from __future__ import annotations

from itertools import pairwise

import sympy
from sympy import Basic, Expr, Inverse, KroneckerProduct, MatAdd, MatMul, OneMatrix, S, Transpose
from sympy import Identity as Eye

from symbolic.functions import GOODFELLOW, MAGNUS
from symbolic.identities.entrywise import zero
from symbolic.identities.table import ENTRYWISE, Context, Identity
from symbolic.operations.algebra import as_product
from symbolic.operations.table import Rule
from symbolic.program import Assumption
from symbolic.structure import (
    Commutation,
    Diag,
    DiagonalOf,
    Reshape,
    Slice,
    as_scalar,
    diag,
    is_column,
    kronecker,
    slice_of,
    vec,
)
from symbolic.terms import (
    Broadcast,
    Softmax,
    SumAlong,
    Term,
    add,
    hadamard,
    inner,
    inverse,
    is_matrix,
    ones_like,
    product,
    quotient,
    scale,
    split,
    transpose,
)


def _distribution(term: MatMul, context: Context) -> tuple[Term, Assumption] | None:
    """1ᵀY = 1ᵀ where the columns of Y are distributions, one-hot ones among them; Y 1 = 1 where the rows are."""
    for i, (left, right) in enumerate(pairwise(term.args)):
        if isinstance(left, OneMatrix) and left.shape[0] == 1:
            assumption = _assumed("cols", right, context)
            if assumption:
                return product(*term.args[:i], OneMatrix(1, right.shape[1]), *term.args[i + 2:]), assumption
        if isinstance(right, OneMatrix) and right.shape[1] == 1:
            assumption = _assumed("rows", left, context)
            if assumption:
                return product(*term.args[:i], OneMatrix(left.shape[0], 1), *term.args[i + 2:]), assumption
    return None


def _assumed(lines: str, symbol: Term, context: Context) -> Assumption | None:
    return context.assumptions.get((f"distribution_{lines}", symbol)) or context.assumptions.get(
        (f"onehot_{lines}", symbol))


def _outer_ones(term: MatMul, context: Context) -> Term | None:
    """1 1ᵀ is a matrix of ones where nothing else stands; 1ᵀ1 counts wherever it stands."""
    coefficient, factors = _factors(term)
    if all(isinstance(f, OneMatrix) for f in factors):
        if len(factors) == 1:
            return None
        inner_sizes = sympy.Mul(*(f.shape[1] for f in factors[:-1]))
        return scale(coefficient * inner_sizes, OneMatrix(factors[0].shape[0], factors[-1].shape[1]))
    for i, (left, right) in enumerate(pairwise(factors)):
        if isinstance(left, OneMatrix) and isinstance(right, OneMatrix) and left.shape[1] != 1:
            new = OneMatrix(left.shape[0], right.shape[1])
            if new.shape == (1, 1):
                return product(coefficient * left.shape[1], *factors[:i], *factors[i + 2:])
            return product(coefficient * left.shape[1], *factors[:i], new, *factors[i + 2:])
    return None


def _sum_with_ones(term: MatMul, context: Context) -> Term | None:
    """1ᵀ(A + 1 b) = 1ᵀA + m b: a sum over what is repeated counts it."""
    coefficient, factors = _factors(term)
    for i, (left, right) in enumerate(pairwise(factors)):
        if isinstance(left, OneMatrix) and left.shape[1] != 1 and isinstance(right, MatAdd) and any(
                isinstance(matrix_factors(split(a)[1])[0], OneMatrix) for a in right.args):
            return _around(coefficient, factors, i, add(*(product(left, a) for a in right.args)))
        if isinstance(right, OneMatrix) and right.shape[0] != 1 and isinstance(left, MatAdd) and any(
                isinstance(matrix_factors(split(a)[1])[-1], OneMatrix) for a in left.args):
            return _around(coefficient, factors, i, add(*(product(a, right) for a in left.args)))
    return None


def _around(coefficient: Expr, factors: list[Term], i: int, new: Term) -> Term:
    """Return a product with factors i and i + 1 replaced; a 1 × 1 matrix between others is a scalar."""
    if new.shape == (1, 1) and len(factors) > 2:
        return product(coefficient * as_scalar(new), *factors[:i], *factors[i + 2:])
    return product(coefficient, *factors[:i], new, *factors[i + 2:])


def _single_sample(term: MatMul, context: Context) -> tuple[Term, Assumption] | None:
    for i, factor in enumerate(term.args):
        if isinstance(factor, OneMatrix) and len(term.args) > 1:
            for size in factor.shape:
                assumption = context.assumptions.get(("single_sample", size))
                others = [a for j, a in enumerate(term.args) if j != i and is_matrix(a)]
                if assumption and others and set(factor.shape) <= {size, S.One}:
                    return product(*term.args[:i], *term.args[i + 1:]), assumption
    return None


def _factors(term: MatMul) -> tuple[Expr, list[Term]]:
    coefficient, rest = split(term)
    return coefficient, list(rest.args) if isinstance(rest, MatMul) else [rest]


def _inverse_cancels(term: MatMul, context: Context) -> Term | None:
    """A⁻¹ A = I = A A⁻¹, also where A is a product: (A B)⁻¹ A = B⁻¹ for square A."""
    coefficient, factors = _factors(term)
    for i, factor in enumerate(factors):
        if not isinstance(factor, Inverse):
            continue
        parts = list(matrix_factors(factor.args[0]))
        before, after = factors[:i], factors[i + 1:]
        size = len(parts)
        if after[:size] == parts:
            return product(coefficient, *before, Eye(factor.shape[0]), *after[size:])
        if before[-size:] == parts:
            return product(coefficient, *before[:-size], Eye(factor.shape[0]), *after)
        if size > 1 and after[:1] == parts[:1] and parts[0].shape == factor.shape:
            return product(coefficient, *before, inverse(product(*parts[1:])), *after[1:])
        if size > 1 and before[-1:] == parts[-1:] and parts[-1].shape == factor.shape:
            return product(coefficient, *before[:-1], inverse(product(*parts[:-1])), *after)
    return None


def matrix_factors(term: Term) -> tuple[Term, ...]:
    """Return the factors of a product; of any other term, itself."""
    return term.args if isinstance(term, MatMul) else (term,)


def _scalar_factor(term: MatMul, context: Context) -> Term | None:
    """Take a row times a column out of a longer product: A xᵀB y C = ⟨x, B y⟩ A C."""
    coefficient, factors = _factors(term)
    for i, first in enumerate(factors):
        if first.shape[0] == 1:
            for j in range(i, len(factors)):
                if factors[j].shape[1] == 1 and j > i and j - i + 1 < len(factors):
                    rest = [*factors[:i], *factors[j + 1:]]
                    if all(isinstance(f, OneMatrix) for f in factors[i:j + 1]):
                        break  # a sum of ones, which the product of ones knows
                    value = inner(transpose(first), product(*factors[i + 1:j + 1]))
                    return product(coefficient * value, *rest)
    return None


def _diagonal_matrices(term: MatMul, context: Context) -> Term | None:
    """diag(u) diag(v) = diag(u ⊙ v), diag(v) w = v ⊙ w and wᵀ diag(v) = wᵀ ⊙ vᵀ."""
    coefficient, factors = _factors(term)
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


def _mixed_product(term: MatMul, context: Context) -> Term | None:
    """(A ⊗ B)(C ⊗ D) = A C ⊗ B D where the shapes allow, a column b = b ⊗ 1 and (Bᵀ ⊗ A) vec X among them."""
    coefficient, factors = _factors(term)
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
    coefficient, factors = _factors(term)
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


def _softmax_sums(term: MatMul, context: Context) -> Term | None:
    """The columns (or rows) of a softmax sum to 1."""
    coefficient, factors = _factors(term)
    for i, (left, right) in enumerate(pairwise(factors)):
        if isinstance(left, OneMatrix) and left.shape[0] == 1 and _is_softmax(right, 0, context):
            return product(coefficient, *factors[:i], OneMatrix(1, right.shape[1]), *factors[i + 2:])
        if isinstance(right, OneMatrix) and right.shape[1] == 1 and _is_softmax(left, 1, context):
            return product(coefficient, *factors[:i], OneMatrix(left.shape[0], 1), *factors[i + 2:])
    return None


def _is_softmax(term: Term, axis: int, context: Context) -> bool:
    equation = context.definitions.get(term)
    node = equation.term if equation else term
    return isinstance(node, Softmax) and node.axis == axis


def _as_product(term: SumAlong | Broadcast, context: Context) -> Term | None:
    return as_product(term)


def _diagonal_of_product(term: DiagonalOf, context: Context) -> Term | None:
    """diag(A diag(v) B) = (A ⊙ Bᵀ) v."""
    coefficient, factors = _factors(term.args[0])
    for i, factor in enumerate(factors):
        if isinstance(factor, Diag):
            left = product(*factors[:i]) if i else Eye(factor.shape[0])
            right = product(*factors[i + 1:]) if i + 1 < len(factors) else Eye(factor.shape[0])
            return product(coefficient, hadamard(left, transpose(right)), factor.args[0])
    return None


def _diagonal_selection(term: MatMul, context: Context) -> Term | None:
    """With vec(diag v) = E v: (wᵀ ⊗ I) E = diag(w) = (I ⊗ wᵀ) E, and Eᵀ (A ⊗ B) E = A ⊙ B."""
    coefficient, factors = _factors(term)
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
    coefficient, factors = _factors(term)
    for i, (left, right) in enumerate(pairwise(factors)):
        if isinstance(left, Slice) and isinstance(left.args[0], Eye) and left.shape[1] == left.args[0].shape[1]:
            new = slice_of(right, left.args[1:3], (S.Zero, right.shape[1]))
            return product(coefficient, *factors[:i], new, *factors[i + 2:])
        if isinstance(right, Slice) and isinstance(right.args[0], Eye) and right.shape[0] == right.args[0].shape[0]:
            new = slice_of(left, (S.Zero, left.shape[0]), right.args[3:])
            return product(coefficient, *factors[:i], new, *factors[i + 2:])
    return None


def _symmetric(term: Transpose, context: Context) -> tuple[Term, Assumption] | None:
    for key in ("symmetric", "psd", "diagonal"):
        assumption = context.assumptions.get((key, term.args[0]))
        if assumption:
            return term.args[0], assumption
    return None


def _symmetric_by_form(term: Transpose, context: Context) -> Term | None:
    """diag(v)ᵀ = diag(v), (A ⊗ B)ᵀ = Aᵀ ⊗ Bᵀ, Kᵀ = K⁻¹, and the name of a symmetric value is symmetric."""
    inside = term.args[0]
    if isinstance(inside, Diag):
        return inside
    if isinstance(inside, KroneckerProduct):
        return kronecker(*map(transpose, inside.args))
    if isinstance(inside, Commutation):
        return Basic.__new__(Commutation, *inside.args[::-1])
    equation = context.definitions.get(inside)
    if equation is not None and _is_symmetric(equation.term, context):
        return inside
    return None


def _is_symmetric(term: Term, context: Context) -> bool:
    """Say whether a term is its own transpose by its form and by what is assumed of its symbols."""
    if isinstance(term, MatAdd):
        return all(_is_symmetric(a, context) for a in term.args)
    rest = split(term)[1]
    if any((key, rest) in context.assumptions for key in ("symmetric", "psd", "diagonal")):
        return False  # its derivation would have to name the assumption
    return bool(rest.shape[0] == rest.shape[1]) and (transpose(rest) == rest or isinstance(rest, Diag))


def _inverse_of_diagonal(term: Inverse, context: Context) -> Term | None:
    inside = term.args[0]
    return diag(quotient(ones_like(inside.args[0]), inside.args[0])) if isinstance(inside, Diag) else None


IDENTITIES = [
    Identity(Rule("zero_product", r"\mathbf{0} A = \mathbf{0}", "0 A = 0", "matrix algebra"), MatMul, zero),
    Identity(Rule("distribution", r"\mathbf{1}^{\top} Y = \mathbf{1}^{\top}", "1ᵀY = 1ᵀ",
                  "assumed of the labels"), MatMul, _distribution),
    Identity(Rule("single_sample", r"\mathbf{1}_{N} = 1 \text{ for } N = 1", "1_N = 1 for N = 1",
                  "assumed of the samples"), MatMul, _single_sample),
    Identity(Rule("product_of_ones", r"\mathbf{1}_{m} \mathbf{1}_{n}^{\top} = \mathbf{1}_{m \times n}",
                  "1 1ᵀ = 1 (m × n)", "matrix algebra"), MatMul, _outer_ones),
    Identity(Rule("symmetric", r"S^{\top} = S", "Sᵀ = S", "assumed of the matrix"), Transpose, _symmetric),
    Identity(Rule("symmetric_by_form", r"\operatorname{diag}(v)^{\top} = \operatorname{diag}(v),\; "
                  r"(A \otimes B)^{\top} = A^{\top} \otimes B^{\top},\; (A A^{\top})^{\top} = A A^{\top}",
                  "diag(v)ᵀ = diag(v), (A ⊗ B)ᵀ = Aᵀ ⊗ Bᵀ, (A Aᵀ)ᵀ = A Aᵀ", "matrix algebra"),
             Transpose, _symmetric_by_form),
    Identity(Rule("sum_with_ones", r"\mathbf{1}^{\top} (A + \mathbf{1} b) = \mathbf{1}^{\top} A + m\, b",
                  "1ᵀ(A + 1 b) = 1ᵀA + m b", "matrix algebra"), MatMul, _sum_with_ones),
    Identity(Rule("inverse_of_diagonal", r"\operatorname{diag}(v)^{-1} = \operatorname{diag}(\mathbf{1} \oslash v)",
                  "diag(v)⁻¹ = diag(1 ⊘ v)", "matrix algebra"), Inverse, _inverse_of_diagonal),
    Identity(Rule("inverse_cancels", r"A^{-1} A = I = A A^{-1}", "A⁻¹ A = I = A A⁻¹", "matrix algebra"),
             MatMul, _inverse_cancels),
    Identity(Rule("softmax_sums_to_one", r"\mathbf{1}^{\top} \operatorname{softmax}(A) = \mathbf{1}^{\top}",
                  "1ᵀ softmax(A) = 1ᵀ", f"{GOODFELLOW}, section 6.2.2.3"), MatMul, _softmax_sums),
    Identity(Rule("scalar_factor", r"A\, x^{\top} y\, B = \langle x, y\rangle\, A B", "A xᵀy B = ⟨x, y⟩ A B",
                  "matrix algebra"), MatMul, _scalar_factor),
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
    Identity(Rule("sums_as_product", r"\text{sums of columns: } \operatorname{sum}(A) = \mathbf{1}^{\top} A",
                  "sums of columns: sum(A) = 1ᵀ A", "definition"), SumAlong, _as_product),
    Identity(Rule("repetition_as_product", r"\text{a row repeated: } \mathbf{1} a = \mathbf{1} a",
                  "a row repeated = 1 a", "definition"), Broadcast, _as_product),
    Identity(Rule("diagonal_of_product", r"\operatorname{diag}(A \operatorname{diag}(v) B) = (A \odot B^{\top}) v",
                  "diag(A diag(v) B) = (A ⊙ Bᵀ) v", f"{MAGNUS}, chapter 3, section 6"),
             DiagonalOf, _diagonal_of_product),
]
