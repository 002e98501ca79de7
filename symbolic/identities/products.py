"""Identities of the matrix product."""

from __future__ import annotations

from sympy import Basic, Expr, Inverse, KroneckerProduct, MatAdd, MatMul, OneMatrix, Transpose
from sympy import Identity as Eye

from symbolic.identities.entrywise import zero
from symbolic.identities.table import Context, Identity
from symbolic.operations.table import Rule
from symbolic.program import Assumption
from symbolic.structure import (
    Commutation,
    Diag,
    diag,
    kronecker,
)
from symbolic.terms import (
    Term,
    inner,
    inverse,
    ones_like,
    product,
    quotient,
    split,
    transpose,
)


def coefficient_and_factors(term: Term) -> tuple[Expr, list[Term]]:
    """Return the coefficient of a product and its factors."""
    coefficient, rest = split(term)
    return coefficient, list(rest.args) if isinstance(rest, MatMul) else [rest]


def _inverse_cancels(term: MatMul, context: Context) -> Term | None:
    """A⁻¹ A = I = A A⁻¹, also where A is a product: (A B)⁻¹ A = B⁻¹ for square A."""
    coefficient, factors = coefficient_and_factors(term)
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
    coefficient, factors = coefficient_and_factors(term)
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
    Identity(Rule("symmetric", r"S^{\top} = S", "Sᵀ = S", "assumed of the matrix"), Transpose, _symmetric),
    Identity(Rule("symmetric_by_form", r"\operatorname{diag}(v)^{\top} = \operatorname{diag}(v),\; "
                  r"(A \otimes B)^{\top} = A^{\top} \otimes B^{\top},\; (A A^{\top})^{\top} = A A^{\top}",
                  "diag(v)ᵀ = diag(v), (A ⊗ B)ᵀ = Aᵀ ⊗ Bᵀ, (A Aᵀ)ᵀ = A Aᵀ", "matrix algebra"),
             Transpose, _symmetric_by_form),
    Identity(Rule("inverse_of_diagonal", r"\operatorname{diag}(v)^{-1} = \operatorname{diag}(\mathbf{1} \oslash v)",
                  "diag(v)⁻¹ = diag(1 ⊘ v)", "matrix algebra"), Inverse, _inverse_of_diagonal),
    Identity(Rule("inverse_cancels", r"A^{-1} A = I = A A^{-1}", "A⁻¹ A = I = A A⁻¹", "matrix algebra"),
             MatMul, _inverse_cancels),
    Identity(Rule("scalar_factor", r"A\, x^{\top} y\, B = \langle x, y\rangle\, A B", "A xᵀy B = ⟨x, y⟩ A B",
                  "matrix algebra"), MatMul, _scalar_factor),
]
