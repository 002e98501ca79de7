"""Every identity: terms that it rewrites, both sides in numbers, and where its condition fails."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import count, pairwise
from itertools import product as pairs_of
from typing import Any

import numpy as np
import pytest
import sympy
from oracles import draw, number
from sympy import (
    Basic,
    Determinant,
    Expr,
    HadamardProduct,
    MatAdd,
    MatMul,
    MatrixSymbol,
    OneMatrix,
    S,
    Symbol,
    Transpose,
    ZeroMatrix,
)
from sympy import Identity as Eye

from symbolic.functions import scalar_function
from symbolic.identities import IDENTITIES, Context, Identity, rewrite_once
from symbolic.program import Assumption, Equation, assume, distributions, single_sample
from symbolic.scalars import x
from symbolic.structure import Commutation, diag, diagonal_of, kronecker, reshape, slice_of, vec
from symbolic.terms import (
    Inner,
    SquaredNorm,
    add,
    applied,
    broadcast,
    elementwise,
    hadamard,
    inner,
    inverse,
    is_matrix,
    log_softmax,
    negative,
    operand_indices,
    product,
    quotient,
    scale,
    shape,
    softmax,
    sum_along,
    symbols_of,
    transpose,
)


def matrices(names: str, rows: Expr | int, columns: Expr | int) -> list[MatrixSymbol]:
    return [MatrixSymbol(name, rows, columns) for name in names.split()]


N, M = (Symbol(n, integer=True, positive=True) for n in "NM")
s, t = (Symbol(n, real=True) for n in "st")
A, B, C = matrices("A B C", 3, 4)
D, E, F = SQUARES = matrices("D E F", 3, 3)
u, v, w = matrices("u v w", 3, 1)
H, J = matrices("H J", M, 3)
y, z = matrices("y z", M, 1)
L, FOUR, NINE = MatrixSymbol("L", M, M), MatrixSymbol("O", 4, 4), MatrixSymbol("n", 9, 9)
G, SHORT, THIN = MatrixSymbol("G", 3, N), MatrixSymbol("W", 2, 4), MatrixSymbol("X", 9, 3)
LONG, ROW_OF_FOUR, PAIR, TALL = (MatrixSymbol(*a) for a in (("l", 12, 1), ("r", 1, 4), ("p", 1, 2), ("q", 4, 2)))
COLUMNS, ROWS, HOT_COLUMNS, HOT_ROWS, POSITIVE = matrices("P Q Y Z V", 3, 4)
SYMMETRIC, DEFINITE, DIAGONAL = matrices("R T U", 3, 3)
ASSUMED = IN_COLUMNS, IN_ROWS, SINGLE, ONE_A_COLUMN, ONE_A_ROW, ABOVE_ZERO, TRANSPOSED, DEFINITELY, DIAGONALLY = (
    distributions(COLUMNS, "columns"), distributions(ROWS, "rows"), single_sample(N),
    assume("onehot_cols", HOT_COLUMNS), assume("onehot_rows", HOT_ROWS), assume("positive", POSITIVE),
    assume("symmetric", SYMMETRIC), assume("psd", DEFINITE), assume("diagonal", DIAGONAL))
ONES, SQUARE_ONES, ROW, COLUMN = OneMatrix(3, 4), OneMatrix(3, 3), OneMatrix(1, 3), OneMatrix(3, 1)
I = Eye(3)  # noqa: E741
COUNTED = np.arange(1.0, 13.0).reshape(3, 4)


def context(*assumptions: Assumption) -> Context:
    return Context({(a.key, a.symbol): a for a in assumptions})


def raw(node: type[Basic], *arguments: Basic) -> Expr:
    """Return a node as it stands, past the builders."""
    return Basic.__new__(node, *arguments)


def f(name: str, operand: Expr) -> Expr:
    """Return a function of the table, of each entry or of a scalar."""
    return applied(scalar_function(name), operand)


def commutation(rows: Expr | int, columns: Expr | int) -> Expr:
    return raw(Commutation, sympy.sympify(rows), sympy.sympify(columns))


def block(term: Expr, rows: Sequence[Expr | int] = (), columns: Sequence[Expr | int] = ()) -> Expr:
    """Return a slice, of all rows or columns where none are given."""
    ends = zip((rows, columns), term.shape, strict=True)
    return slice_of(term, *(tuple(map(sympy.sympify, e)) if e else (S.Zero, d) for e, d in ends))


def mask(size: Expr | int) -> Expr:
    """Return E diag: what keeps the diagonal of a matrix in vec."""
    return diag(vec(Eye(size)))


EXP, EXP_NEGATED, STEP, SIGMOID = f("exp", A), f("exp", negative(A)), f("step", A), f("sigmoid", A)
SIGMOID_NEGATED, ABS, SIGN = f("sigmoid", negative(A)), f("abs", s), f("sign", s)


@dataclass(frozen=True)
class Case:
    """Terms that an identity rewrites, and some that it leaves.

    ``broken`` gives values for which the condition does not hold, so that the sides of each of ``rewrites``
    differ; those of ``always`` need no condition. ``assumed`` is what each of ``rewrites`` assumes.
    """

    rewrites: tuple[Expr, ...]
    leaves: tuple[Expr, ...]
    broken: dict[Expr, object] = field(default_factory=dict)
    assumed: tuple[Assumption, ...] = ()
    always: tuple[Expr, ...] = ()


OF_PRODUCTS: dict[str, Case] = {
    "zero_product": Case(
        (raw(MatMul, ZeroMatrix(2, 3), A), raw(MatMul, A, ZeroMatrix(4, 2)), raw(MatMul, s, H, ZeroMatrix(3, M))),
        (product(s, A),)),
    "distribution": Case(
        (product(OneMatrix(2, 1), ROW, COLUMNS), product(s, ROW, COLUMNS),
         product(ROWS, OneMatrix(4, 1), OneMatrix(1, 5)), product(s, ROWS, OneMatrix(4, 1)),
         product(ROW, HOT_COLUMNS), product(s, ROW, HOT_COLUMNS, transpose(A)),
         product(HOT_ROWS, OneMatrix(4, 1)), product(D, HOT_ROWS, OneMatrix(4, 1), OneMatrix(1, 2))),
        (product(ROW, A), product(ROW, ROWS), product(COLUMNS, OneMatrix(4, 1)), product(ROW, HOT_ROWS),
         product(HOT_COLUMNS, OneMatrix(4, 1)), product(s, COLUMN, OneMatrix(1, 4)), product(OneMatrix(2, 3), COLUMNS),
         product(OneMatrix(2, 3), HOT_COLUMNS), product(transpose(u), COLUMNS), product(ROW, D, COLUMNS)),
        broken=dict.fromkeys((COLUMNS, ROWS, HOT_COLUMNS, HOT_ROWS), COUNTED),
        assumed=(IN_COLUMNS, IN_COLUMNS, IN_ROWS, IN_ROWS, ONE_A_COLUMN, ONE_A_COLUMN, ONE_A_ROW, ONE_A_ROW)),
    "single_sample": Case(
        (product(G, OneMatrix(N, 1)), product(s, G, OneMatrix(N, 1)), product(A, OneMatrix(4, 1), OneMatrix(1, N))),
        (product(A, OneMatrix(4, 1)), product(s, A), product(G, transpose(G)), product(H, OneMatrix(3, M))),
        broken={N: 3}, assumed=(SINGLE, SINGLE, SINGLE)),
    "product_of_ones": Case(
        (product(COLUMN, OneMatrix(1, 4)), product(s, OneMatrix(3, 2), OneMatrix(2, 5), OneMatrix(5, 4)),
         product(OneMatrix(3, N), OneMatrix(N, 4)), product(OneMatrix(3, M), OneMatrix(M, 1)),
         product(u, ROW, COLUMN, transpose(v)), product(s, A, OneMatrix(4, M), OneMatrix(M, 2)),
         product(ROW, COLUMN, transpose(v)), product(OneMatrix(2, 3), SQUARE_ONES, A)),
        (product(SQUARE_ONES, A), product(s, ONES), product(A, OneMatrix(4, 1)), product(D, COLUMN, ROW),
         product(ROW, D, COLUMN))),
    "sum_with_ones": Case(
        (product(ROW, add(D, product(COLUMN, transpose(u)))), product(ROW, add(A, scale(s, ONES))),
         product(add(A, product(u, OneMatrix(1, 4))), OneMatrix(4, 1)),
         product(s, OneMatrix(1, M), add(H, product(t, OneMatrix(M, 1), transpose(u)), negative(J)), D),
         product(s, u, ROW, add(v, COLUMN), transpose(w)), product(z, ROW, add(D, product(t, COLUMN, ROW))),
         product(D, add(product(E, ONES), A), OneMatrix(4, 2)), product(OneMatrix(2, 3), add(SQUARE_ONES, D), u),
         product(s, z, add(transpose(u), ROW), COLUMN, transpose(y))),
        (product(ROW, add(A, B)), product(transpose(u), add(A, ONES)), product(D, add(E, SQUARE_ONES)),
         product(ROW, add(A, product(u, OneMatrix(1, 4)))), product(COLUMN, add(transpose(u), ROW)),
         product(add(u, COLUMN), ROW), product(add(D, product(COLUMN, transpose(u))), COLUMN))),
    "inverse_cancels": Case(
        (product(inverse(D), D), product(D, inverse(D)), product(s, D, inverse(E), E, inverse(D)),
         product(inverse(product(D, E)), D, E, A), product(transpose(A), D, E, inverse(product(D, E)), F),
         product(inverse(transpose(D)), transpose(D), u), product(transpose(H), L, inverse(L), H),
         product(inverse(add(D, E)), add(D, E)), product(inverse(product(D, D)), D, D, D),
         product(inverse(product(D, E)), D), product(E, inverse(product(D, E))),
         product(inverse(product(D, E, F)), D, E), product(s, F, inverse(product(D, E, F)), A),
         product(E, F, inverse(product(D, F)))),
        (product(inverse(D), E), product(inverse(D), transpose(D)), product(inverse(product(D, E)), E, D),
         product(D, E), product(inverse(D), inverse(D)), product(inverse(D), E, D), product(D, A),
         product(s, inverse(D)), product(inverse(product(transpose(H), H)), transpose(H)),
         product(H, inverse(product(transpose(H), H))), product(inverse(product(D, E, F)), E),
         product(D, inverse(product(D, E))))),
    "softmax_sums_to_one": Case(
        (product(ROW, softmax(A, 0)), product(s, ROW, softmax(A, 0), transpose(B)),
         product(softmax(A, 1), OneMatrix(4, 1)), product(OneMatrix(1, M), softmax(H, 0)),
         product(transpose(J), softmax(H, 1), COLUMN, OneMatrix(1, M)),
         product(OneMatrix(2, 1), ROW, softmax(product(D, A), 0))),
        (product(ROW, softmax(A, 1)), product(softmax(A, 0), OneMatrix(4, 1)), product(OneMatrix(2, 3), softmax(A, 0)),
         product(ROW, log_softmax(A, 0)), product(transpose(u), softmax(A, 0)), product(softmax(A, 1), OneMatrix(4, 2)),
         product(ROW, D, softmax(A, 0)), product(s, softmax(A, 0)))),
    "scalar_factor": Case(
        (product(u, transpose(v), w), product(s, transpose(A), u, transpose(v), D, w, transpose(u)),
         product(transpose(u), v, transpose(w)), product(H, u, transpose(y), z), product(transpose(y), L, z, ROW),
         product(u, transpose(v), E, w), product(u, ROW, v), product(A, transpose(B), u, transpose(v), COLUMN),
         product(u, transpose(v), v, transpose(v), v)),
        (product(transpose(u), v), product(transpose(u), D, v), product(s, transpose(y), z), product(u, transpose(v)),
         product(D, u, transpose(v), E), product(COLUMN, ROW, COLUMN), product(s, D, u), product(transpose(u), A))),
    "diagonal_matrices": Case(
        (product(diag(u), v), product(diag(u), diag(v)), product(s, transpose(w), diag(u)),
         product(transpose(A), diag(u), v), product(D, diag(u), diag(v), E), product(diag(y), diag(z), H),
         product(diag(y), z), product(transpose(z), L, diag(y), z), product(scale(s, diag(u)), v, transpose(w)),
         product(diag(u), COLUMN), product(diag(u), diag(u), diag(u)), product(diag(u), ONES),
         product(OneMatrix(2, 3), diag(u), A), product(ROW, diag(u)), product(s, OneMatrix(M, M), diag(y))),
        (product(diag(u), D), product(D, diag(u)), product(diag(y), H, u), product(transpose(H), diag(y)),
         product(s, diag(u)), product(diag(u), D, diag(u)), product(diag(u), raw(Transpose, diag(v))))),
    "mixed_product": Case(
        (product(kronecker(D, E), kronecker(F, D)), product(s, kronecker(A, D), kronecker(transpose(B), E)),
         product(kronecker(D, E, F), kronecker(E, F, D)), product(kronecker(D, E), kronecker(F, u)),
         product(kronecker(A, D), vec(B)), product(s, kronecker(transpose(D), E), vec(F)),
         product(kronecker(E, transpose(H)), vec(J)), product(kronecker(L, D), kronecker(H, E)),
         product(kronecker(D, E), kronecker(F, E), vec(F)), product(kronecker(A, D, E), kronecker(transpose(A), F, E)),
         product(kronecker(Eye(4), D), vec(A)), product(kronecker(D, E, F), vec(THIN)),
         product(kronecker(D, u), A), product(kronecker(y, A), transpose(B), D), product(kronecker(u, v), transpose(w)),
         product(H, kronecker(D, transpose(y))), product(s, transpose(A), kronecker(transpose(u), E)),
         product(u, kronecker(transpose(v), transpose(y))), product(kronecker(D, u, v), E)),
        (product(kronecker(A, D), kronecker(D, transpose(A))), product(kronecker(A, D), vec(transpose(A))),
         product(kronecker(A, D), LONG), product(kronecker(D, E), NINE), product(NINE, kronecker(D, E)),
         product(transpose(LONG), kronecker(transpose(A), D)), product(s, kronecker(D, E)),
         product(kronecker(D, E), commutation(3, 3)))),
    "commutation": Case(
        (product(commutation(3, 4), vec(A)), product(commutation(3, 4), commutation(4, 3)),
         product(s, commutation(M, 3), vec(H)), product(commutation(3, M), vec(transpose(H))),
         product(transpose(LONG), commutation(4, 3), vec(transpose(A)), transpose(u)),
         product(commutation(3, M), commutation(M, 3), vec(H)), product(commutation(3, 3), commutation(3, 3)),
         product(kronecker(transpose(u), A), commutation(3, 4)),
         product(s, kronecker(H, transpose(u)), commutation(3, 3)),
         product(kronecker(transpose(y), transpose(u)), commutation(M, 3), vec(H))),
        (product(commutation(3, 4), vec(transpose(A))), product(commutation(3, 4), commutation(3, 4)),
         product(commutation(3, 4), LONG), product(transpose(vec(A)), commutation(3, 4)),
         product(s, commutation(3, 4)), product(commutation(3, 4), commutation(2, 6)),
         product(commutation(2, 6), vec(A)), product(kronecker(D, A), commutation(3, 4)),
         product(kronecker(transpose(u), A), commutation(4, 3)),
         product(kronecker(transpose(u), A), commutation(2, 6)))),
    "selection": Case(
        (product(block(I, (0, 2)), A), product(A, block(Eye(4), (), (1, 3))), product(s, block(Eye(M), (1, 2)), H, u),
         product(transpose(H), block(Eye(M), (), (2, M))), product(D, block(Eye(4), (1, 4)), transpose(A), E),
         product(u, transpose(v), block(I, (), (0, 1))), product(block(Eye(M), (1, M)), L, block(Eye(M), (), (0, 2))),
         product(block(I, (1, 2)), block(A, (), (1, 3))), product(transpose(y), block(Eye(M), (), (2, 4)))),
        (product(block(I, (1, 3), (1, 3)), SHORT), product(A, block(Eye(5), (1, 5), (0, 2))),
         product(A, block(Eye(5), (1, 5))), product(block(Eye(5), (), (1, 4)), A), product(block(D, (0, 2)), A),
         product(D, block(A, (), (0, 2))), product(s, block(I, (0, 2))), product(D, block(Eye(4), (0, 3), (1, 3))))),
    "diagonal_selection": Case(
        (product(kronecker(transpose(w), I), mask(3), kronecker(COLUMN, D)),
         product(s, A, kronecker(Eye(4), ROW_OF_FOUR), mask(4), kronecker(OneMatrix(4, 1), transpose(B)), D),
         product(kronecker(transpose(y), Eye(M)), mask(M), kronecker(OneMatrix(M, 1), H)),
         product(kronecker(ROW, I), mask(3), kronecker(D, E), mask(3), kronecker(COLUMN, F)),
         product(s, D, kronecker(ROW, I), mask(3), kronecker(A, B), mask(4), kronecker(OneMatrix(4, 1), FOUR),
                 transpose(SHORT)),
         product(kronecker(OneMatrix(1, M), Eye(M)), mask(M), kronecker(H, J), mask(3), kronecker(COLUMN, D))),
        (product(kronecker(transpose(w), D), mask(3), kronecker(COLUMN, D)),
         product(NINE, mask(3), kronecker(COLUMN, D)), product(kronecker(transpose(w), I), NINE, kronecker(COLUMN, D)),
         product(kronecker(transpose(w), I), mask(3), THIN),
         product(kronecker(transpose(w), I), mask(3), kronecker(u, D)),
         product(kronecker(transpose(w), I), diag(vec(D)), kronecker(COLUMN, D)),
         product(kronecker(transpose(w), I), mask(3), kronecker(D, COLUMN)),
         product(kronecker(transpose(v), I), mask(3), kronecker(D, E), mask(3), kronecker(u, F)),
         product(kronecker(ROW_OF_FOUR, Eye(4)), mask(4), kronecker(OneMatrix(8, 1), SHORT)),
         product(kronecker(OneMatrix(1, 2), Eye(2)), mask(2), kronecker(TALL, PAIR), mask(2),
                 kronecker(OneMatrix(2, 1), SHORT)))),
    "symmetric": Case(
        (raw(Transpose, SYMMETRIC), raw(Transpose, DEFINITE), raw(Transpose, DIAGONAL)),
        (raw(Transpose, D), raw(Transpose, H), raw(Transpose, COLUMNS), raw(Transpose, vec(SYMMETRIC))),
        broken=dict.fromkeys((SYMMETRIC, DEFINITE, DIAGONAL), COUNTED[:, :3]),
        assumed=(TRANSPOSED, DEFINITELY, DIAGONALLY)),
    "symmetric_by_form": Case(
        (raw(Transpose, diag(u)), raw(Transpose, diag(add(y, z))), raw(Transpose, kronecker(A, D)),
         raw(Transpose, kronecker(H, transpose(A), F)), raw(Transpose, commutation(3, 4)),
         raw(Transpose, commutation(M, 3))),
        (raw(Transpose, D), raw(Transpose, vec(A)), raw(Transpose, f("tanh", D)), raw(Transpose, block(I, (0, 2))))),
    "sums_as_product": Case(
        (sum_along(A, 0), sum_along(A, 1), sum_along(H, 0), sum_along(product(transpose(H), J), 1), sum_along(u, 0),
         sum_along(u, 1)),
        ()),
    "repetition_as_product": Case(
        (broadcast(ROW_OF_FOUR, 0, S(3)), broadcast(u, 1, S(4)), broadcast(transpose(y), 0, M),
         broadcast(add(u, v), 1, S(2)), broadcast(u, 1, S.One)),
        ()),
    "diagonal_of_product": Case(
        (diagonal_of(product(A, diag(transpose(ROW_OF_FOUR)), transpose(B))), diagonal_of(product(diag(u), D)),
         diagonal_of(product(D, diag(u))), diagonal_of(product(H, diag(u), transpose(J))),
         diagonal_of(product(D, E, diag(u), F, E)), diagonal_of(product(diag(u), D, diag(v)))),
        (diagonal_of(D), diagonal_of(product(D, E)), diagonal_of(add(diag(u), D)))),
    "inverse_of_diagonal": Case(
        (inverse(diag(u)), inverse(diag(hadamard(u, v))), inverse(diag(add(y, z))), inverse(diag(quotient(u, v)))),
        (inverse(D), inverse(DIAGONAL), inverse(product(diag(u), D)), inverse(add(diag(u), D)))),
}

OF_ENTRIES: dict[str, Case] = {
    "zero_hadamard_product": Case(
        (raw(HadamardProduct, A, ZeroMatrix(3, 4)), raw(HadamardProduct, ZeroMatrix(3, 4), A, B),
         raw(HadamardProduct, H, ZeroMatrix(M, 3))), (hadamard(A, B),)),
    "ones_hadamard_product": Case(
        (hadamard(ONES, A), hadamard(A, ONES, B), hadamard(ONES, ONES), hadamard(H, OneMatrix(M, 3))),
        (hadamard(A, B),)),
    "quotient_cancels": Case(
        (hadamard(C, quotient(A, C)), hadamard(quotient(A, C), B, C), hadamard(B, quotient(A, hadamard(C, B))),
         hadamard(C, C, quotient(A, C)), hadamard(C, quotient(A, hadamard(C, C))),
         hadamard(C, quotient(A, hadamard(C, B, C)))),
        (hadamard(A, quotient(A, C)), hadamard(C, B)),
        broken={C: np.zeros((3, 4)), B: np.zeros((3, 4))}),
    "distributes": Case(
        (hadamard(add(quotient(A, C), negative(quotient(B, C))), C),
         hadamard(B, add(quotient(A, C), scale(t, hadamard(A, quotient(B, C)))), C),
         hadamard(H, add(quotient(J, H), scale(s, quotient(OneMatrix(M, 3), H))))),
        (hadamard(add(A, B), C), hadamard(add(quotient(A, C), quotient(A, B)), C))),
    "one_hot": Case(
        (hadamard(HOT_COLUMNS, HOT_COLUMNS), hadamard(HOT_ROWS, A, HOT_ROWS), hadamard(A, *[HOT_COLUMNS] * 3),
         hadamard(A, A, HOT_ROWS, HOT_ROWS), hadamard(HOT_COLUMNS, HOT_ROWS, HOT_COLUMNS)),
        (hadamard(A, A), hadamard(HOT_ROWS, A), hadamard(HOT_ROWS, HOT_COLUMNS), hadamard(COLUMNS, COLUMNS),
         hadamard(HOT_ROWS, f("tanh", HOT_ROWS)), hadamard(A, A, HOT_ROWS)),
        broken={HOT_COLUMNS: COUNTED, HOT_ROWS: COUNTED},
        assumed=(ONE_A_COLUMN, ONE_A_ROW, ONE_A_COLUMN, ONE_A_ROW, ONE_A_COLUMN)),
    "positive": Case(
        tuple(f(name, POSITIVE) for name in ("abs", "relu", "sign", "step")),
        (f("tanh", POSITIVE), f("abs", A), f("leaky_relu", POSITIVE), f("relu", negative(POSITIVE)),
         elementwise(scalar_function("abs", x**3), POSITIVE), f("sign", COLUMNS)),
        broken={POSITIVE: -COUNTED}, assumed=(ABOVE_ZERO,) * 4),
    "product_with_quotient": Case(
        (hadamard(A, quotient(ONES, C)), hadamard(quotient(ONES, C), A, quotient(ONES, B)),
         hadamard(quotient(ONES, C), quotient(ONES, C)), hadamard(A, quotient(ONES, hadamard(B, C)), quotient(B, A)),
         hadamard(H, J, quotient(OneMatrix(M, 3), H))),
        (hadamard(A, quotient(B, C)), hadamard(A, B), hadamard(ONES, A))),
    "logistic": Case(
        (quotient(EXP, add(ONES, EXP)), quotient(EXP, add(EXP, ONES)), quotient(ONES, add(ONES, EXP)),
         quotient(B, add(ONES, EXP_NEGATED)), quotient(hadamard(B, EXP, C), add(ONES, EXP)),
         quotient(hadamard(EXP, EXP), add(ONES, EXP)), quotient(f("exp", B), add(ONES, EXP)),
         quotient(f("exp", y), add(OneMatrix(M, 1), f("exp", y)))),
        (quotient(EXP, add(ONES, B)), quotient(EXP, add(ONES, scale(S(2), EXP))), quotient(EXP, add(ONES, EXP, EXP)),
         quotient(EXP, EXP), quotient(EXP, add(EXP, negative(ONES))), quotient(EXP, add(ONES, f("tanh", A))),
         quotient(EXP, add(EXP, EXP)), quotient(EXP, add(scale(S(2), ONES), EXP)))),
    "quotient_of_product": Case(
        (quotient(hadamard(A, C), C), quotient(C, C), quotient(hadamard(A, C, B), hadamard(C, B)),
         quotient(C, hadamard(C, C)), quotient(hadamard(A, C, C), hadamard(C, B)),
         quotient(hadamard(C, A), hadamard(A, C))),
        (quotient(A, C), quotient(hadamard(A, B), C), quotient(add(A, C), C), quotient(C, add(A, C)),
         quotient(A, quotient(B, C))),
        broken={C: np.zeros((3, 4)), B: np.zeros((3, 4))},
        always=(quotient(quotient(A, B), C), quotient(quotient(hadamard(A, C), B), C))),
    "ratio": Case(
        (quotient(f("sinh", A), f("cosh", A)), quotient(hadamard(B, f("sin", A)), f("cos", A)),
         quotient(f("sin", y), f("cos", y)), quotient(hadamard(f("sinh", A), f("sinh", A)), f("cosh", A))),
        (quotient(f("sinh", A), f("cosh", B)), quotient(f("cosh", A), f("sinh", A)),
         quotient(f("sin", A), f("cosh", A)),
         quotient(f("sinh", A), hadamard(f("cosh", A), f("cosh", A))), quotient(f("sinh", A), f("cos", A)),
         quotient(add(f("sin", A), B), f("cos", A)))),
    "step_again": Case(
        (hadamard(f("relu", A), STEP), hadamard(STEP, B, STEP), hadamard(STEP, STEP, f("relu", A)),
         hadamard(f("step", H), J, f("relu", H))),
        (hadamard(STEP, f("step", B)), hadamard(f("relu", A), f("relu", A)), hadamard(STEP, f("relu", B)),
         hadamard(STEP, A), hadamard(STEP, f("abs", A)), hadamard(SIGMOID, SIGMOID))),
    "odds": Case(
        (hadamard(SIGMOID, EXP_NEGATED), hadamard(EXP_NEGATED, B, SIGMOID), hadamard(SIGMOID_NEGATED, EXP),
         hadamard(SIGMOID, SIGMOID, EXP_NEGATED), hadamard(SIGMOID, EXP_NEGATED, EXP_NEGATED),
         hadamard(f("sigmoid", scale(s, H)), f("exp", scale(-s, H)))),
        (hadamard(SIGMOID, EXP), hadamard(SIGMOID, f("exp", negative(B))), hadamard(SIGMOID, SIGMOID_NEGATED),
         hadamard(f("tanh", A), EXP_NEGATED), hadamard(EXP, EXP_NEGATED))),
}

OF_SUMS: dict[str, Case] = {
    "like_terms": Case(
        (add(A, scale(S(2), A)), add(A, B, scale(s, A)), add(A, negative(A)), add(A, negative(A), B),
         add(scale(inner(u, v), H), scale(s, H))),
        (add(A, B), add(A, hadamard(A, A)))),
    "expand_and_cancel": Case(
        (add(hadamard(add(ONES, negative(A)), B), negative(hadamard(A, add(ONES, negative(B))))),
         add(hadamard(A, add(B, C)), negative(hadamard(A, C))),
         add(hadamard(A, add(B, C)), negative(hadamard(A, B)), negative(hadamard(A, C))),
         add(scale(s, hadamard(A, add(B, C))), scale(-s, hadamard(A, C))),
         add(scale(inner(u, v), hadamard(A, add(B, C))), scale(-inner(u, v), hadamard(A, C)))),
        (add(A, B), add(hadamard(A, add(B, C)), B))),
    "commutative_sum": Case(
        (add(negative(A), B), add(negative(A), B, scale(-s, C), C), add(scale(-inner(u, v), H), J)),
        (add(B, negative(A)),)),
    "common_coefficient": Case(
        (add(scale(s, A), scale(-s, B)), add(scale(1 / s, A), scale(1 / s, B)),
         add(scale(inner(u, v), H), scale(inner(u, v), J))),
        (add(A, B), add(negative(A), negative(B)), add(scale(s, A), scale(t, B)), add(A, negative(B)))),
    "common_factor": Case(
        (add(hadamard(A, B), hadamard(C, A)), add(hadamard(A, B), negative(A)), add(hadamard(A, A, B), hadamard(A, A)),
         add(scale(s, hadamard(A, B)), scale(t, hadamard(A, C)))),
        (add(A, B), add(hadamard(A, B), hadamard(B, C), C))),
    "common_matrix": Case(
        (add(product(D, A), product(D, B)), add(product(A, transpose(B)), product(C, transpose(B))),
         add(product(D, A), C, scale(s, product(D, B))), add(product(F, D), product(s, D, E), product(-t, D, F)),
         add(product(D, E), product(F, E), product(S(-1), D, D, E), E), add(product(H, D, u), product(S(-1), H, v)),
         add(product(D, A), product(E, B), product(s, E, A), C),
         add(product(u, transpose(v)), product(u, transpose(w)))),
        (add(A, product(D, A)), add(product(D, A), product(E, B)), add(D, E), add(product(D, E), product(E, F)),
         add(product(D, A), product(transpose(D), B)), add(scale(s, D), scale(s, E)))),
    "sum_of_vecs": Case(
        (add(vec(A), scale(s, vec(B))), add(diag(u), negative(diag(v))), add(vec(H), vec(J), scale(t, vec(J))),
         add(scale(s, diag(y)), scale(-s, diag(z)))),
        (add(vec(A), vec(transpose(B))), add(vec(A), LONG), add(diag(u), D), add(vec(A), vec(B), LONG),
         add(reshape(A, S(4), S(3)), reshape(B, S(4), S(3))), add(diag(u), I))),
    "reflected_sigmoid": Case(
        (add(ONES, negative(SIGMOID_NEGATED)), add(B, negative(SIGMOID_NEGATED), ONES),
         add(negative(SIGMOID_NEGATED), ONES), add(OneMatrix(M, 3), negative(f("sigmoid", scale(-s, H))))),
        (add(ONES, negative(SIGMOID)), add(ONES, SIGMOID_NEGATED), add(ONES, scale(S(-2), SIGMOID_NEGATED)),
         add(scale(S(2), ONES), negative(SIGMOID_NEGATED)), add(B, negative(SIGMOID_NEGATED)),
         add(ONES, negative(f("tanh", negative(A)))))),
}

OF_SCALARS: dict[str, Case] = {
    "sum_of_repeated": Case(
        (inner(ONES, add(A, scale(s, ONES))), inner(I, add(D, I)), inner(OneMatrix(M, 3), add(OneMatrix(M, 3), H)),
         inner(Eye(M), add(L, scale(s, Eye(M)), negative(product(H, transpose(J)))))),
        (inner(ONES, add(A, B)), inner(I, add(D, SQUARE_ONES)), inner(A, add(B, ONES)), inner(ONES, A))),
    "inner_product_of_transposes": Case(
        (inner(transpose(A), transpose(B)), inner(OneMatrix(4, 3), transpose(A)), inner(transpose(H), OneMatrix(3, M)),
         inner(transpose(u), transpose(u))),
        (inner(A, B), inner(D, transpose(E)), inner(ONES, ONES), inner(transpose(D), I))),
    "inner_product_with_inverse": Case(
        (raw(Inner, inverse(transpose(D)), D), raw(Inner, D, inverse(transpose(D))),
         raw(Inner, inverse(D), transpose(D))),
        (raw(Inner, inverse(D), D), raw(Inner, inverse(transpose(D)), E), raw(Inner, D, transpose(D)))),
    "inner_product_of_kronecker_products": Case(
        (inner(kronecker(A, D), kronecker(B, E)), inner(Eye(9), kronecker(D, E)),
         inner(kronecker(A, D), OneMatrix(9, 12)), inner(kronecker(H, D), kronecker(J, E)),
         inner(kronecker(D, E, F), kronecker(F, D, E)), inner(kronecker(L, D), Eye(3 * M))),
        (inner(kronecker(A, D), kronecker(D, A)), inner(NINE, kronecker(D, E)), inner(A, B),
         inner(Eye(12), kronecker(A, transpose(B))))),
    "norm_of_transpose": Case(
        tuple(raw(SquaredNorm, a) for a in (
            transpose(A), scale(s, A), ONES, scale(s, ONES), scale(s, Eye(M)), scale(S(-2), transpose(H)),
            OneMatrix(M, 1), I)),
        (raw(SquaredNorm, A), raw(SquaredNorm, add(A, B)), raw(SquaredNorm, product(D, E)))),
    "determinant_of_inverse": Case(
        tuple(raw(Determinant, a) for a in (inverse(D), transpose(D), inverse(transpose(L)), inverse(add(D, E)))),
        tuple(raw(Determinant, a) for a in (D, product(D, E), add(D, E), scale(s, D)))),
    "sign_over_modulus": Case(
        (SIGN / ABS, t * SIGN / ABS, f("sign", inner(u, v)) / f("abs", inner(u, v)), SIGN * inner(u, v) / ABS / t),
        (SIGN / f("abs", t), SIGN * ABS, SIGN / ABS**2, f("sign", t) / ABS, SIGN / s, t / ABS)),
    "coefficient_of_inner_product": Case(
        (raw(Inner, scale(s, A), B), raw(Inner, A, negative(B)), raw(Inner, scale(s, A), scale(t, B)),
         raw(Inner, scale(S(3), OneMatrix(M, 3)), H)),
        (inner(A, B), inner(product(D, A), B), inner(add(scale(s, A), B), C))),
    "inner_product_with_itself": Case(
        (inner(A, A), inner(H, H), inner(product(D, A), product(D, A)), inner(transpose(u), transpose(u))),
        (inner(A, B), inner(D, transpose(D)), inner(H, J))),
    "inner_product_with_ones": Case(
        (inner(ONES, hadamard(A, B)), inner(hadamard(A, B, C), ONES), inner(A, ONES), inner(ONES, ONES),
         inner(OneMatrix(M, 3), hadamard(H, J)), inner(hadamard(A, A), ONES)),
        (inner(ONES, A), inner(A, B), inner(I, D), inner(D, hadamard(E, F)), inner(ONES, quotient(A, B)))),
    "trace_of_product": Case(
        (inner(I, product(D, E)), inner(product(A, transpose(B)), I), inner(I, I), inner(D, I),
         inner(Eye(M), product(H, D, transpose(J))), inner(I, product(D, E, F)), inner(Eye(M), Eye(M))),
        (inner(I, D), inner(D, E), inner(I, hadamard(D, E)), inner(SQUARE_ONES, product(D, E)))),
}
CASES = OF_PRODUCTS | OF_ENTRIES | OF_SUMS | OF_SCALARS
BY_KEY = {i.rule.key: i for i in IDENTITIES}
CONDITIONAL = [key for key, case in CASES.items() if case.broken]

each_rewriting = pytest.mark.parametrize(("key", "term"), [
    pytest.param(key, term, id=f"{key}-{i}")
    for key, case in CASES.items() for i, term in enumerate(case.rewrites + case.always)])
each_assumption = pytest.mark.parametrize(("key", "term", "assumption"), [
    pytest.param(key, term, assumption, id=f"{key}-{i}") for key, case in CASES.items() if case.assumed
    for i, (term, assumption) in enumerate(zip(case.rewrites, case.assumed, strict=True))])


def rewritten(identity: Identity, term: Expr, *assumptions: Assumption) -> tuple[Expr | None, Assumption | None]:
    """Return what an identity makes of a term, and the assumption that it names."""
    answer = identity.rewrite(term, context(*(assumptions or ASSUMED)))
    return answer if isinstance(answer, tuple) and not isinstance(answer, Basic) else (answer, None)


def values(term: Expr, seed: int = 0, samples: int = 1) -> dict[Expr, Any]:
    """Return random values of a term's symbols that meet every assumption; square matrices are well-conditioned."""
    rng, found = np.random.default_rng(seed), {}
    for symbol in sorted(symbols_of(term) - {N, M}, key=str):
        value = draw([symbol], size_with(samples), rng)[symbol]
        if is_matrix(symbol) and value.shape[0] == value.shape[1] > 1:
            value = 2 * np.eye(len(value)) + value / 4
        found[symbol] = value
    for symbol in found.keys() & {SYMMETRIC, DEFINITE, DIAGONAL}:
        half = found[symbol]
        found[symbol] = {SYMMETRIC: half + half.T, DEFINITE: half @ half.T, DIAGONAL: half * np.eye(3)}[symbol]
    special = {COLUMNS: rng.dirichlet(np.ones(3), 4).T, ROWS: rng.dirichlet(np.ones(4), 3),
               HOT_COLUMNS: np.eye(3)[:, rng.integers(3, size=4)], HOT_ROWS: np.eye(4)[rng.integers(4, size=3)],
               POSITIVE: rng.uniform(0.1, 2, (3, 4))}
    return found | {symbol: special[symbol] for symbol in found.keys() & special.keys()}


def size_with(samples: int) -> Any:
    return lambda d: int(sympy.sympify(d).xreplace({N: samples, M: 5}))


def value(term: Expr, given: dict[Expr, Any], samples: int = 1) -> Any:
    with np.errstate(all="ignore"):
        return number(term, given, size_with(samples))


def test_every_identity_has_a_case() -> None:
    assert [i.rule.key for i in IDENTITIES] == list(dict.fromkeys(i.rule.key for i in IDENTITIES)), "keys repeat"
    assert set(BY_KEY) == set(CASES), f"without a case: {set(BY_KEY) - set(CASES)}"


@pytest.mark.parametrize("identity", IDENTITIES, ids=lambda i: i.rule.key)
def test_identity_is_stated_and_has_a_source(identity: Identity) -> None:
    rule = identity.rule
    assert all((rule.key, rule.latex, rule.text, rule.source))
    assert "=" in rule.latex
    assert "=" in rule.text
    assert rule.latex.count("{") == rule.latex.count("}")


@each_rewriting
def test_both_sides_are_equal(key: str, term: Expr) -> None:
    identity = BY_KEY[key]
    assert isinstance(term, identity.node)
    found, _ = rewritten(identity, term)
    assert found is not None, f"{key} leaves {term}"
    assert found != term
    for seed in range(3):
        given = values(term, seed)
        before = value(term, given)
        after = np.broadcast_to(value(found, given), np.shape(before))
        np.testing.assert_allclose(after, before, rtol=1e-12, atol=1e-13)


@each_rewriting
def test_shape_is_kept(key: str, term: Expr) -> None:
    """Up to the one sample, whose 1_N is 1."""
    found, _ = rewritten(BY_KEY[key], term)
    assert is_matrix(found) == is_matrix(term)
    if key == "single_sample":
        assert tuple(d.subs(N, 1) for d in shape(found)) == tuple(d.subs(N, 1) for d in shape(term))
    else:
        assert shape(found) == shape(term)


@pytest.mark.parametrize(("key", "term"), [
    pytest.param(key, term, id=f"{key}-{i}") for key, case in CASES.items() for i, term in enumerate(case.leaves)])
def test_other_terms_are_left(key: str, term: Expr) -> None:
    """None, unless the node is not the one that the identity is asked about."""
    value(term, values(term))  # it means something
    if isinstance(term, BY_KEY[key].node):
        assert rewritten(BY_KEY[key], term)[0] is None


@pytest.mark.parametrize(("key", "term"), [
    pytest.param(key, term, id=f"{key}-{i}") for key in CONDITIONAL for i, term in enumerate(CASES[key].rewrites)])
def test_condition_is_needed(key: str, term: Expr) -> None:
    """At values that do not meet the condition the sides differ, as a number or as a shape."""
    broken = CASES[key].broken
    samples = broken.get(N, 1)
    given = values(term, samples=samples) | broken
    before, after = value(term, given, samples), value(rewritten(BY_KEY[key], term)[0], given, samples)
    assert np.shape(before) != np.shape(after) or not np.allclose(before, after)


@each_assumption
def test_without_the_assumption_nothing_is_rewritten(key: str, term: Expr, assumption: Assumption) -> None:
    assert rewritten(BY_KEY[key], term, *(a for a in ASSUMED if a != assumption))[0] is None


@each_assumption
def test_assumption_is_named(key: str, term: Expr, assumption: Assumption) -> None:
    """The rewriting carries the assumption that it used, of the symbol that has it."""
    assert rewritten(BY_KEY[key], term)[1] == assumption
    found = rewrite_once(term, context(assumption))
    assert found is not None
    assert found.rule == BY_KEY[key].rule
    assert found.assumption == assumption


@each_rewriting
def test_no_assumption_is_named_that_is_not_used(key: str, term: Expr) -> None:
    if not CASES[key].assumed:
        assert rewritten(BY_KEY[key], term)[1] is None
        assert BY_KEY[key].rewrite(term, Context()) is not None


def test_one_sample_leaves_a_matrix() -> None:
    """A multiple of 1_N alone becomes a matrix and not a bare number."""
    found, _ = rewritten(BY_KEY["single_sample"], product(s, OneMatrix(1, N)))
    assert found is None or shape(found) == (1, 1)
    assert found is None or found.is_Matrix


@pytest.mark.parametrize("key", ["quotient_cancels", "quotient_of_product"])
def test_condition_stands_in_every_statement(key: str) -> None:
    """What the text says of zero entries the LaTeX says too."""
    rule = BY_KEY[key].rule
    assert "zero" in rule.text or "is 0" in rule.text
    assert "zero" in rule.latex or r"\text{ is }" in rule.latex


def test_known_value_is_named() -> None:
    """A term that has a name is replaced by it, and the equation is given as the reason."""
    h = MatrixSymbol("h", 3, 4)
    equation = Equation(h, hadamard(A, B))
    found = rewrite_once(f("tanh", hadamard(A, B)), Context(known={equation.term: equation}))
    assert found is not None
    assert found.term == f("tanh", h)
    assert found.definition == equation


def with_name(term: Expr) -> tuple[MatrixSymbol, Context]:
    name = MatrixSymbol("X", *term.shape)
    return name, Context({(a.key, a.symbol): a for a in ASSUMED}, {term: Equation(name, term)})


@pytest.mark.parametrize(("value", "axis"), [(softmax(A, 0), 0), (softmax(A, 1), 1), (softmax(H, 0), 0)])
def test_named_softmax_sums_to_one(value: Expr, axis: int) -> None:
    """The name of a softmax is as good as the softmax, along its own axis only."""
    name, known = with_name(value)
    rows, columns = value.shape
    products = product(OneMatrix(1, rows), name), product(name, OneMatrix(columns, 1))
    found = [BY_KEY["softmax_sums_to_one"].rewrite(p, known) for p in products]
    assert found[axis] == OneMatrix(*products[axis].shape)
    assert found[1 - axis] is None


@pytest.mark.parametrize("value", [
    product(A, transpose(A)), SQUARE_ONES, diag(u), add(product(A, transpose(A)), scale(s, I)),
    product(s, H, D, transpose(D), transpose(H)), add(scale(s, SQUARE_ONES), diag(v))], ids=str)
def test_named_symmetric_value_is_symmetric(value: Expr) -> None:
    name, known = with_name(value)
    assert BY_KEY["symmetric_by_form"].rewrite(raw(Transpose, name), known) == name


@pytest.mark.parametrize("value", [
    product(A, transpose(B)), D, f("tanh", product(D, E)), ONES, add(ONES, ONES), SYMMETRIC, scale(s, DEFINITE),
    add(product(A, transpose(A)), D), OneMatrix(M, 3), product(diag(u), D)], ids=str)
def test_named_value_that_is_not_symmetric_by_form_is_left(value: Expr) -> None:
    """What needs an assumption among them: a step would have to name it."""
    name, known = with_name(value)
    assert BY_KEY["symmetric_by_form"].rewrite(raw(Transpose, name), known) is None


def test_zero_is_a_number_too() -> None:
    """Terms that cancel leave the zero matrix of their shape."""
    assert rewritten(BY_KEY["like_terms"], add(A, negative(A)))[0] == ZeroMatrix(3, 4)
    assert rewritten(BY_KEY["like_terms"], add(A, scale(S(2), A)))[0] == scale(S(3), A)


n, m = (Symbol(name, integer=True, positive=True) for name in "nm")
DRAWN, LARGEST = {n: 3, m: 2}, 1e6
"""The sizes of the random terms, where they are symbols; and what no entry of a part of one exceeds."""


def drawn_size(dimension: Expr) -> int:
    return int(sympy.sympify(dimension).xreplace(DRAWN))


class Draft:
    """Random terms, with values that meet what is assumed, and others that do not.

    What was drawn comes again, so that there is something to cancel. What is divided by or inverted is far from
    singular, and what has a kink is far from it. Shapes are made of 1, n, m and n m.
    """

    def __init__(self, *seed: int) -> None:
        self.rng = np.random.default_rng(seed)
        self.n, self.m = (n, m) if self.chance(0.3) else (S(DRAWN[n]), S(DRAWN[m]))
        self.nm, self.lengths = self.n * self.m, (S.One, self.n, self.m)
        self.values: dict[Expr, Any] = {a: self.rng.uniform(0.5, 1.5) for a in (s, t)}
        self.drawn: dict[tuple[Expr, Expr], list[Expr]] = defaultdict(list)
        self.plain: dict[tuple[Expr, Expr], list[MatrixSymbol]] = {}
        for a, b in [*pairs_of(self.lengths, self.lengths), *((a, self.nm) for a in (*self.lengths, self.nm))]:
            self.plain[a, b] = [MatrixSymbol(f"{name}_{a}_{b}", a, b) for name in "AB"]
            self.values |= {symbol: self.away(a, b) for symbol in self.plain[a, b]}
        three, two, rng = DRAWN[n], DRAWN[m], self.rng
        square = self.away(self.n, self.n)
        self.assumed = {assume(key, MatrixSymbol(name, self.n, columns)): value for key, name, columns, value in (
            ("symmetric", "S", self.n, square + square.T), ("psd", "Q", self.n, square @ square.T),
            ("diagonal", "U", self.n, square * np.eye(three)),
            ("distribution_cols", "C", self.n, rng.dirichlet(np.ones(three), three).T),
            ("distribution_rows", "D", self.m, rng.dirichlet(np.ones(two), three)),
            ("onehot_cols", "Y", self.m, np.eye(three)[:, rng.integers(three, size=two)]),
            ("onehot_rows", "Z", self.m, np.eye(two)[rng.integers(two, size=three)]),
            ("positive", "P", self.m, rng.uniform(0.3, 1.5, (three, two))))}
        self.of_key = {a.key: a.symbol for a in self.assumed}
        self.loose = self.values | {a.symbol: self.away(*a.symbol.shape) for a in self.assumed}
        self.values |= {a.symbol: value for a, value in self.assumed.items()}
        self.known: dict[Expr, Equation] = {}
        if self.chance(0.5):
            self.name(self.term(self.n, self.pick([self.n, self.n, self.m]), 2))

    def name(self, inside: Expr) -> None:
        """Give a term a name, which is drawn from now on."""
        symbol = MatrixSymbol("X", *inside.shape)
        for values in (self.values, self.loose):
            values[symbol] = number(inside, values, drawn_size)
        self.drawn[inside.shape] += [symbol, symbol, transpose(symbol)][:3 if inside.shape[0] == inside.shape[1] else 2]
        if inside.args and not isinstance(inside, MatrixSymbol):
            self.known = {inside: Equation(symbol, inside)}

    def away(self, rows: Expr, columns: Expr) -> Any:
        """Return values away from 0, those of a square matrix with a large diagonal."""
        a, b = drawn_size(rows), drawn_size(columns)
        found = self.rng.choice([-1.0, 1.0], (a, b)) * self.rng.uniform(0.3, 1.2, (a, b))
        return 0.4 * found + 1.5 * np.eye(a) if a == b > 1 else found

    def pick(self, choices: Sequence[Any]) -> Any:
        return choices[int(self.rng.integers(len(choices)))]

    def chance(self, probability: float) -> bool:
        return bool(self.rng.random() < probability)

    def scalar(self, depth: int) -> Expr:
        if depth <= 0 or self.chance(0.6):
            return self.pick([S(-1), S(2), S.Half, S(-3), s, -s, 1 / s, t, s * t, s + t, s - t, self.n, self.m + 1])
        a, b = self.pick(self.lengths[1:]), self.pick(self.lengths)
        kind = self.pick(["inner", "inner", "inner", "trace", "sum", "norm", "det", "sign", "kronecker"])
        if kind == "inner":
            return inner(self.term(a, b, depth - 1), self.term(a, b, depth - 1))
        if kind in ("trace", "sum"):
            whole, other = Eye(a) if kind == "trace" else OneMatrix(a, a), self.term(a, a, depth - 1)
            with_all = [whole, self.pick([other, add(other, scale(self.scalar(0), whole))])]
            return inner(*(with_all if self.chance(0.5) else with_all[::-1]))
        if kind == "norm":
            return raw(SquaredNorm, self.term(a, b, depth - 1))
        if kind == "det":
            return raw(Determinant, self.pick([inverse, transpose])(self.symbol(a, a)))
        if kind == "kronecker":
            big = kronecker(self.term(self.n, self.n, depth - 1), self.term(self.m, self.m, depth - 1))
            return inner(self.pick([Eye(self.nm), OneMatrix(self.nm, self.nm), big]), big)
        return self.pick([s, S.One, 1 / t]) * f("sign", t) / f("abs", t)

    def symbol(self, rows: Expr, columns: Expr) -> Expr:
        """Return a symbol that is nowhere near 0, or its transpose."""
        if (rows, columns) not in self.plain:
            return transpose(self.symbol(columns, rows))
        positive = [self.of_key["positive"]] if (rows, columns) == (self.n, self.m) else []
        return self.pick(self.plain[rows, columns] + positive)

    def leaf(self, rows: Expr, columns: Expr) -> Expr:
        if self.chance(0.15):
            return OneMatrix(rows, columns)
        if self.chance(0.02):
            return ZeroMatrix(rows, columns)
        if rows == columns and self.chance(0.15):
            return Eye(rows)
        known = [a.symbol for a in self.assumed if a.symbol.shape == (rows, columns)]
        return self.pick(known) if known and self.chance(0.4) else self.symbol(rows, columns)

    def term(self, rows: Expr, columns: Expr, depth: int) -> Expr:
        """Return a term of that shape, now and then one that was drawn before."""
        drawn = self.drawn[rows, columns]
        if drawn and self.chance(0.3):
            return self.pick(drawn)
        if depth <= 0 or self.chance(0.1):
            return self.leaf(rows, columns)
        found = self.pick(self.kinds(rows, columns))(rows, columns, depth - 1)
        assert found.shape == (rows, columns)
        drawn.append(found)
        return found

    def kinds(self, rows: Expr, columns: Expr) -> list[Any]:
        if (rows, columns) == (self.nm, self.nm):
            return [self.total, self.of_kronecker, self.of_kronecker, self.of_commutation]
        if (rows, columns) == (self.nm, S.One):
            return [self.total, self.vectorized, self.vectorized, self.of_kronecker, self.of_commutation]
        if self.nm in (rows, columns):
            return [self.turned if rows == 1 else self.outer]
        found = [self.total, self.total, self.scaled, self.chain, self.chain, self.chain, self.turned, self.selected,
                 self.along]
        if rows == self.n:
            found += [self.masked]
        if (rows, columns) != (1, 1):
            found += [self.entrywise, self.entrywise, self.divided, self.divided, self.function, self.with_ones,
                      self.cancelling]
        if rows == columns != 1:
            found += [self.inverted, self.inverted, self.diagonal]
        if S.One in (rows, columns):
            found += [self.turned] if columns == 1 == rows else [self.along_diagonal, self.softmax_sum]
        if (rows, columns) == (self.n, self.m):
            found += [self.with_condition, self.with_condition, self.from_vec]
        return found

    def total(self, rows: Expr, columns: Expr, depth: int) -> Expr:
        parts = [self.term(rows, columns, depth) for _ in range(self.rng.integers(2, 4))]
        return add(*(p if self.chance(0.6) else scale(self.scalar(depth - 1), p) for p in parts))

    def scaled(self, rows: Expr, columns: Expr, depth: int) -> Expr:
        return scale(self.scalar(depth), self.term(rows, columns, depth))

    def chain(self, rows: Expr, columns: Expr, depth: int) -> Expr:
        ends = [rows, *(self.pick(self.lengths) for _ in range(self.rng.integers(1, 4))), columns]
        return product(*(self.term(a, b, depth) for a, b in pairwise(ends)))

    def turned(self, rows: Expr, columns: Expr, depth: int) -> Expr:
        return transpose(self.term(columns, rows, depth))

    def selected(self, rows: Expr, columns: Expr, depth: int) -> Expr:
        """Return rows or columns of the identity in a product, or a block of it, or of a term."""
        start, whole = self.pick([0, 1]), Eye(self.nm)
        if self.chance(0.3):
            return block(self.term(self.nm, self.nm, depth), (start, start + rows), (0, columns))
        if self.chance(0.3):
            a = self.pick(self.lengths)
            return product(block(whole, (start, start + rows), (1, 1 + a)), self.term(a, columns, depth))
        if self.chance(0.3):
            a = self.pick(self.lengths)
            return product(self.term(rows, a, depth), block(whole, (1, 1 + a), (start, start + columns)))
        if rows == 1:
            return product(block(Eye(self.n), (start, start + 1)), self.term(self.n, columns, depth))
        return product(self.term(rows, self.nm, depth), block(whole, (), (start, start + columns)))

    def entrywise(self, rows: Expr, columns: Expr, depth: int) -> Expr:
        return hadamard(*(self.term(rows, columns, depth) for _ in range(self.rng.integers(2, 4))))

    def divisor(self, rows: Expr, columns: Expr) -> list[Expr]:
        """Return the factors of what may be divided by."""
        power = f("exp", scale(self.pick([S.One, S(-1)]), self.symbol(rows, columns)))
        one = add(OneMatrix(rows, columns), power), add(power, OneMatrix(rows, columns))
        choices = [power, *one, *one, self.symbol(rows, columns), f("cosh", self.symbol(rows, columns))]
        return [self.pick(choices) for _ in range(self.rng.integers(1, 3))]

    def divided(self, rows: Expr, columns: Expr, depth: int) -> Expr:
        below, above = self.divisor(rows, columns), [self.term(rows, columns, depth)]
        for divisor in below:
            if self.chance(0.4):
                above += [a for a in (divisor.args if isinstance(divisor, MatAdd) else (divisor,))
                          if isinstance(divisor, MatAdd) is not isinstance(a, OneMatrix)][:1]
        if self.chance(0.2):
            a = self.symbol(rows, columns)
            above, below = [f("sinh", a)] * self.pick([1, 2]), [f("cosh", a)]
        if self.chance(0.3):
            above = [OneMatrix(rows, columns)]
        found = quotient(hadamard(*above), hadamard(*below))
        if self.chance(0.3):
            found = quotient(found, self.symbol(rows, columns))
        if self.chance(0.3):
            return hadamard(add(found, quotient(self.term(rows, columns, depth), below[0])), *below)
        return found if self.chance(0.5) else hadamard(found, self.pick([*below, self.symbol(rows, columns)]))

    def function(self, rows: Expr, columns: Expr, depth: int) -> Expr:
        a = self.symbol(rows, columns)
        b = self.pick([a, self.term(rows, columns, depth)])
        return self.pick([
            f("tanh", b), f("sigmoid", b), f("abs", a), f("relu", a), hadamard(f("step", a), f("relu", a)),
            hadamard(f("step", a), b, f("step", a)), hadamard(f("sigmoid", a), f("exp", negative(a)), b), f("sign", a),
            add(OneMatrix(rows, columns), negative(f("sigmoid", negative(b)))), softmax(b, 0), f("log", f("exp", a))])

    def with_ones(self, rows: Expr, columns: Expr, depth: int) -> Expr:
        """Return sums over sums in which something is repeated."""
        a, b = self.pick(self.lengths), self.pick(self.lengths)
        if self.chance(0.5):
            repeated = product(OneMatrix(a, b), self.term(b, columns, depth))
            return product(OneMatrix(rows, a), add(self.term(a, columns, depth), repeated))
        repeated = product(self.term(rows, b, depth), OneMatrix(b, a))
        return product(add(repeated, self.term(rows, a, depth)), OneMatrix(a, columns))

    def inverted(self, rows: Expr, columns: Expr, depth: int) -> Expr:
        a, b = self.symbol(rows, rows), self.symbol(rows, rows)
        choices = [a, product(a, b), transpose(a), diag(self.symbol(rows, S.One))]
        inside = self.pick([*choices, self.of_key["psd"]] if rows == self.n else choices)
        found, other = inverse(inside), self.term(rows, rows, depth)
        return self.pick([found, product(inside, found), product(found, inside, other), product(other, found),
                          product(other, inside, found, other), product(found, a, other), product(b, found)])

    def diagonal(self, rows: Expr, columns: Expr, depth: int) -> Expr:
        a, b = (diag(self.term(rows, S.One, depth)) for _ in range(2))
        return self.pick([a, add(a, b), product(a, b), product(a, self.term(rows, rows, depth)),
                          product(OneMatrix(rows, rows), a), transpose(a), add(a, Eye(rows))])

    def along_diagonal(self, rows: Expr, columns: Expr, depth: int) -> Expr:
        if columns == 1:
            return product(diag(self.term(rows, S.One, depth)), self.term(rows, S.One, depth))
        return product(self.term(S.One, columns, depth), diag(self.term(columns, S.One, depth)))

    def softmax_sum(self, rows: Expr, columns: Expr, depth: int) -> Expr:
        a, axis = self.pick(self.lengths[1:]), self.pick([0, 1])
        if rows == 1:
            return product(OneMatrix(1, a), softmax(self.term(a, columns, depth), axis))
        return product(softmax(self.term(rows, a, depth), axis), OneMatrix(a, 1))

    def with_condition(self, rows: Expr, columns: Expr, depth: int) -> Expr:
        positive, other = self.of_key["positive"], self.term(rows, columns, depth)
        hot = self.pick([self.of_key["onehot_rows"], self.of_key["onehot_cols"]])
        distribution = product(self.term(rows, S.One, depth), OneMatrix(1, rows), self.of_key["onehot_cols"])
        return self.pick([hadamard(f(name, positive), other) for name in ("abs", "relu", "sign", "step")] + [
            hadamard(hot, other, hot), hadamard(hot, other, other, hot), distribution,
            product(self.of_key["distribution_rows"], OneMatrix(columns, 1), self.term(S.One, columns, depth))])

    def from_vec(self, rows: Expr, columns: Expr, depth: int) -> Expr:
        return reshape(self.term(self.nm, S.One, depth), rows, columns)

    def vectorized(self, rows: Expr, columns: Expr, depth: int) -> Expr:
        return vec(self.term(*self.pick([(self.n, self.m), (self.m, self.n)]), depth))

    def outer(self, rows: Expr, columns: Expr, depth: int) -> Expr:
        return product(self.term(rows, S.One, depth), self.term(S.One, columns, depth))

    def of_kronecker(self, rows: Expr, columns: Expr, depth: int) -> Expr:
        """Return A ⊗ B, times C ⊗ D, times vec X, or times another term."""
        a, b, big = self.n, self.m, self.nm
        if self.chance(0.3):
            a, b = b, a
        shapes = self.pick([((a, a), (b, b)), ((b, a), (a, b)), ((a, S.One), (S.One, big), (b, S.One)),
                            ((S.One, a), (a, b), (b, S.One))])
        left = kronecker(*(self.term(*sizes, depth) for sizes in shapes))
        middle = kronecker(self.term(a, S.One, depth), self.term(b, big, depth))
        right = kronecker(self.term(a, b, depth), self.term(b, a, depth)) if columns == big else vec(
            self.term(*self.pick([(a, b), (b, a)]), depth))
        if left.shape == (rows, columns) and self.chance(0.3):
            return self.pick([left, transpose(left)])
        return self.pick([product(left, right), product(left, middle, right), product(left, left, right),
                          product(left, self.term(rows, columns, depth))])

    def of_commutation(self, rows: Expr, columns: Expr, depth: int) -> Expr:
        found, again = (commutation(*self.pick([(self.n, self.m), (self.m, self.n)])) for _ in range(2))
        if columns == 1:
            return product(found, self.vectorized(rows, columns, depth))
        row = self.term(S.One, self.n, depth)
        other = self.term(rows, columns, depth)
        return self.pick([found, product(found, again), transpose(found), product(found, other),
                          product(kronecker(row, self.term(self.nm, self.m, depth)), commutation(self.n, self.m))])

    def masked(self, rows: Expr, columns: Expr, depth: int) -> Expr:
        first = self.pick([kronecker(self.term(S.One, rows, depth), Eye(rows)),
                           kronecker(Eye(rows), self.term(S.One, rows, depth))])
        sums, inside = kronecker(OneMatrix(1, rows), Eye(rows)), kronecker(
            self.term(rows, rows, depth), self.term(rows, rows, depth))
        last = kronecker(OneMatrix(rows, 1), self.term(rows, columns, depth))
        return self.pick([product(first, mask(rows), last), product(sums, mask(rows), inside, mask(rows), last)])

    def cancelling(self, rows: Expr, columns: Expr, depth: int) -> Expr:
        """Return a ⊙ (1 − b) − b ⊙ (1 − a), or what like it cancels once it is multiplied out."""
        a, b, c = self.term(rows, columns, depth), self.term(rows, columns, depth), self.scalar(depth)
        one = OneMatrix(rows, columns)
        return self.pick([
            add(hadamard(a, add(one, negative(b))), negative(hadamard(b, add(one, negative(a))))),
            add(scale(c, hadamard(a, add(b, one))), scale(-c, hadamard(a, b)))])

    def along(self, rows: Expr, columns: Expr, depth: int) -> Expr:
        """Return sums, repetitions or the diagonal of a product, not written as products."""
        a = self.pick(self.lengths)
        if columns == 1:
            middle = product(self.term(rows, a, depth), diag(self.term(a, S.One, depth)), self.term(a, rows, depth))
            return self.pick([sum_along(self.term(rows, a, depth), 1), diagonal_of(middle)])
        if rows == 1:
            return sum_along(self.term(a, columns, depth), 0)
        return self.pick([broadcast(self.term(S.One, columns, depth), 0, rows),
                          broadcast(self.term(rows, S.One, depth), 1, columns)])


def parts(term: Expr) -> Iterator[Expr]:
    """Yield a term and all that it is made of."""
    yield term
    if not isinstance(term, MatrixSymbol | OneMatrix | ZeroMatrix | Eye | Symbol):
        for i in operand_indices(term):
            yield from parts(term.args[i])


def drafted(seed: int, depth: int) -> tuple[Draft, Expr]:
    """Return a random term, a matrix or a scalar, none of whose parts is huge."""
    for attempt in count():
        with np.errstate(all="ignore"):
            draft = Draft(seed, depth, attempt)
            term = whole(draft, depth)
            found = [number(p, values, drawn_size) for p in parts(term) for values in (draft.values, draft.loose)]
        if all(np.abs(a).max() < LARGEST for a in found):
            return draft, term
    raise AssertionError


def whole(draft: Draft, depth: int) -> Expr:
    sizes = draft.pick([(draft.n, draft.m), (draft.n, draft.n), (draft.m, draft.n), (draft.n, S.One), (S.One, draft.m),
                        (draft.nm, S.One), (draft.nm, draft.nm), None])
    return draft.scalar(depth) if sizes is None else draft.term(*sizes, depth)


def written(term: Expr) -> str:
    """Return a short term as text; SymPy takes minutes to print a long one."""
    return str(term) if sum(1 for _ in parts(term)) < 60 else "a long term"


def check_rewritings(draft: Draft, term: Expr) -> None:
    known, seen = Context({(a.key, a.symbol): a for a in draft.assumed}, draft.known), {term}
    before = [number(term, values, drawn_size) for values in (draft.values, draft.loose)]
    for _ in range(20 + 5 * sum(1 for _ in parts(term))):
        found = rewrite_once(term, known)
        if found is None:
            return
        after = [number(found.term, values, drawn_size) for values in (draft.values, draft.loose)]
        same = [np.allclose(a, b, rtol=1e-9, atol=1e-15 * LARGEST) for a, b in zip(after, before, strict=True)]
        if shape(found.term) != shape(term) or not (same[0] and (same[1] or found.assumption)):
            pytest.fail(f"{found.rule.key}: {written(term)} is not {written(found.term)}", pytrace=False)
        term, before = found.term, after
        if term in seen:
            pytest.fail(f"{found.rule.key} comes back to {written(term)}", pytrace=False)
        seen.add(term)
    pytest.fail(f"no end: {written(term)}", pytrace=False)


@pytest.mark.parametrize("seed", range(150))
def test_fixed_point_keeps_the_value(seed: int) -> None:
    """Random terms come to an end, each rewriting on the way true, under what it assumes only; no term comes again."""
    for depth in range(2, 6):
        check_rewritings(*drafted(seed, depth))
