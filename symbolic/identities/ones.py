"""Identities of products with ones, and of what sums to one."""

from __future__ import annotations

from itertools import pairwise

import sympy
from sympy import Expr, MatAdd, MatMul, OneMatrix, S

from symbolic.functions import GOODFELLOW
from symbolic.identities.products import coefficient_and_factors, matrix_factors
from symbolic.identities.table import Context, Identity
from symbolic.operations.algebra import as_product
from symbolic.operations.table import Rule
from symbolic.program import Assumption
from symbolic.structure import (
    as_scalar,
)
from symbolic.terms import (
    Broadcast,
    Softmax,
    SumAlong,
    Term,
    add,
    is_matrix,
    product,
    scale,
    split,
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
    coefficient, factors = coefficient_and_factors(term)
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
    coefficient, factors = coefficient_and_factors(term)
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


def _softmax_sums(term: MatMul, context: Context) -> Term | None:
    """The columns (or rows) of a softmax sum to 1."""
    coefficient, factors = coefficient_and_factors(term)
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


IDENTITIES = [
    Identity(Rule("distribution", r"\mathbf{1}^{\top} Y = \mathbf{1}^{\top}", "1ᵀY = 1ᵀ",
                  "assumed of the labels"), MatMul, _distribution),
    Identity(Rule("single_sample", r"\mathbf{1}_{N} = 1 \text{ for } N = 1", "1_N = 1 for N = 1",
                  "assumed of the samples"), MatMul, _single_sample),
    Identity(Rule("product_of_ones", r"\mathbf{1}_{m} \mathbf{1}_{n}^{\top} = \mathbf{1}_{m \times n}",
                  "1 1ᵀ = 1 (m × n)", "matrix algebra"), MatMul, _outer_ones),
    Identity(Rule("sum_with_ones", r"\mathbf{1}^{\top} (A + \mathbf{1} b) = \mathbf{1}^{\top} A + m\, b",
                  "1ᵀ(A + 1 b) = 1ᵀA + m b", "matrix algebra"), MatMul, _sum_with_ones),
    Identity(Rule("softmax_sums_to_one", r"\mathbf{1}^{\top} \operatorname{softmax}(A) = \mathbf{1}^{\top}",
                  "1ᵀ softmax(A) = 1ᵀ", f"{GOODFELLOW}, section 6.2.2.3"), MatMul, _softmax_sums),
    Identity(Rule("sums_as_product", r"\text{sums of columns: } \operatorname{sum}(A) = \mathbf{1}^{\top} A",
                  "sums of columns: sum(A) = 1ᵀ A", "definition"), SumAlong, _as_product),
    Identity(Rule("repetition_as_product", r"\text{a row repeated: } \mathbf{1} a = \mathbf{1} a",
                  "a row repeated = 1 a", "definition"), Broadcast, _as_product),
]
