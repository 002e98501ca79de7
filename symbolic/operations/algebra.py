"""Sum, product and transpose of matrices, and the two that work along an axis."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import reduce
from itertools import groupby, pairwise
from typing import Any

import numpy as np
from sympy import Basic, Identity, Inverse, MatAdd, MatMul, MatrixSymbol, OneMatrix, S, Symbol, Transpose, fraction

from symbolic.functions import MAGNUS
from symbolic.operations.table import ATOM, POWER, PRODUCT, SUM, TIMES, Operation, Rule, Show, called, is_scalar
from symbolic.structure import Commutation, kronecker, vec
from symbolic.terms import (
    Broadcast,
    SumAlong,
    Term,
    add,
    broadcast,
    inner,
    negative,
    product,
    scale,
    shape,
    split,
    sum_along,
    transpose,
)

GILES = "Giles (2008), Collected matrix derivative results for algorithmic differentiation"


def _with(node: Any, i: int, operand: Term) -> list[Term]:
    return [*node.args[:i], operand, *node.args[i + 1:]]


def _signed(minus: str, times: str) -> Any:
    def spell(node: MatAdd, show: Show) -> str:
        text = ""
        for summand in node.args:
            coefficient, rest = split(summand)
            below_zero = coefficient.could_extract_minus_sign()
            body = show(scale(-coefficient, rest) if below_zero else summand, SUM + 1)
            text += (minus if not text else f" {minus} ") + body if below_zero else (" + " if text else "") + body
        return text
    return spell


def _gap(left: str, right: str, thin: str) -> str:
    """Return what parts two factors: in LaTeX a thin space where ∇_a 𝓛 h, or dX Y, would read as of a product."""
    apart = left.endswith(r"\mathcal{L}") or left.startswith(r"\mathrm{d}") or right.startswith(r"\mathrm{d}")
    return f"{thin} " if apart else " "


def _juxtaposed(minus: str, space: str) -> Any:
    def spell(node: MatMul, show: Show) -> str:
        coefficient, rest = split(node)
        factors = rest.args if isinstance(rest, MatMul) else (rest,)
        shown = [show(f, PRODUCT + (len(factors) > 1)) for f in factors]
        body = shown[0] + "".join(_gap(*pair, space.strip()) + pair[1] for pair in pairwise(shown))
        if coefficient == -1:
            return minus + body
        return body if coefficient is S.One else show(coefficient, PRODUCT) + space + body
    return spell


def _numpy_product(node: MatMul, show: Show) -> str:
    coefficient, rest = split(node)
    factors = rest.args if isinstance(rest, MatMul) else (rest,)
    body = " @ ".join(show(f, TIMES + 1) for f in factors)
    if coefficient is S.One:
        return body
    body = show(rest, TIMES + 1)
    above, below = coefficient.as_numer_denom()
    if above == -1:
        body = f"-{body}"
    elif above != 1:
        body = f"{show(above, TIMES)} * {body}"
    return body if below == 1 else f"{body} / {show(below, TIMES + 1)}"


def _product_transposition(node: MatMul, i: int, G: Term) -> Term:
    if is_scalar(node.args[i]):
        return inner(G, product(*node.args[:i], *node.args[i + 1:]))
    scalars = [a for a in node.args if is_scalar(a)]
    before = [transpose(a) for a in reversed(node.args[:i]) if not is_scalar(a)]
    after = [transpose(a) for a in reversed(node.args[i + 1:])]
    return product(*scalars, *before, G, *after)


def _language_product(node: MatMul, show: Show) -> str:
    coefficient, rest = split(node)
    factors = rest.args if isinstance(rest, MatMul) else (rest,)
    if coefficient == -1:
        return "-" + "*".join(_powers(factors, show, TIMES + 1))
    above, below = fraction(coefficient)
    parts = _powers(factors, show, TIMES + 1)
    if above == -1:
        parts[0] = "-" + parts[0]
    elif above != 1:
        parts.insert(0, show(above, TIMES))
    return "*".join(parts) + ("" if below == 1 else f"/{show(below, TIMES + 1)}")


def _powers(factors: Sequence[Term], show: Show, precedence: int) -> list[str]:
    """Spell factors, equal neighbours as a power."""
    return [show(f, precedence) if n == 1 else f"{show(f, ATOM)}^{n}" for f, n in runs(factors)]


def runs(factors: Iterable[Term]) -> list[tuple[Term, int]]:
    """Return factors with the number of times that each follows itself."""
    return [(factor, len(list(group))) for factor, group in groupby(factors)]


def two_sided(left: Term | None, right: Term | None, operand: Term) -> Term:
    """Return the matrix Bᵀ ⊗ A of M ↦ A M B; None stands for the identity.

    Source: Magnus & Neudecker (2019), chapter 2, section 4.
    """
    rows, columns = shape(operand)
    return kronecker(Identity(columns) if right is None else transpose(right),
                     Identity(rows) if left is None else left)


def _product_matrix(node: MatMul, i: int) -> Term:
    if is_scalar(node.args[i]):
        return vec(product(*node.args[:i], *node.args[i + 1:]))
    scalars = [a for a in node.args if is_scalar(a)]
    before, after = [a for a in node.args[:i] if not is_scalar(a)], node.args[i + 1:]
    return product(*scalars, two_sided(product(*before) if before else None, product(*after) if after else None,
                                       node.args[i]))


def _commuted(node: Transpose, i: int) -> Term:
    rows, columns = shape(node.args[0])
    return Identity(rows * columns) if S.One in (rows, columns) else Basic.__new__(Commutation, rows, columns)


KRONECKER = Rule(
    "vec_of_product", r"\operatorname{vec}(A M B) = (B^{\top} \otimes A) \operatorname{vec} M",
    "vec(A M B) = (Bᵀ ⊗ A) vec M", f"{MAGNUS}, chapter 2, section 4")
LINEAR = Rule(
    "linearity_of_vec", r"\operatorname{vec}(M + N) = \operatorname{vec} M + \operatorname{vec} N",
    "vec(M + N) = vec M + vec N", "linearity")


def _evaluate_product(node: MatMul, size: Any, *values: Any) -> Any:
    scalars = [v for a, v in zip(node.args, values, strict=True) if is_scalar(a)]
    matrices = [v for a, v in zip(node.args, values, strict=True) if not is_scalar(a)]
    return np.prod(scalars) * reduce(np.matmul, matrices) if scalars else reduce(np.matmul, matrices)


def _inverse(node: Inverse, size: Any, a: Any) -> Any:
    """Invert; a matrix that is singular but for rounding is refused, as a singular one is."""
    if np.linalg.cond(a) > 1e12:
        raise np.linalg.LinAlgError("singular matrix")
    return np.linalg.inv(a)


A, B, C = (MatrixSymbol(n, *s) for n, s in (("A", (2, 3)), ("B", (3, 2)), ("C", (2, 3))))
square = product(transpose(A), A)
row, column, s = MatrixSymbol("u", 1, 3), MatrixSymbol("v", 2, 1), Symbol("s", real=True)

OPERATIONS = [
    Operation(
        node=MatAdd,
        differential=lambda node, i, d, value: d,
        differential_rule=lambda node: Rule(
            "differential_of_sum", r"\mathrm{d}(a A + b B) = a\,\mathrm{d}A + b\,\mathrm{d}B",
            "d(a A + b B) = a dA + b dB", f"{MAGNUS}, chapter 8, section 2"),
        transposition=lambda node, i, G: G,
        transposition_rule=Rule(
            "transposition_of_sum", r"\langle G, A + B\rangle = \langle G, A\rangle + \langle G, B\rangle",
            "⟨G, A + B⟩ = ⟨G, A⟩ + ⟨G, B⟩", "linearity of the inner product"),
        evaluate=lambda node, size, *values: reduce(np.add, values),
        latex=(SUM, _signed("-", r"\,")),
        text=(SUM, _signed("−", " ")),
        spelling={"numpy": (SUM, _signed("-", " * ")), "language": (SUM, _signed("-", "*"))},
        matrix=lambda node, i: Identity(node.shape[0] * node.shape[1]),
        matrix_rule=LINEAR,
        examples=lambda: (add(A, negative(C)), add(A, scale(s, C), C)),
    ),
    Operation(
        node=MatMul,
        differential=lambda node, i, d, value: product(*_with(node, i, d)),
        differential_rule=lambda node: Rule(
            "differential_of_product",
            r"\mathrm{d}(A B) = \mathrm{d}A\, B + A\, \mathrm{d}B", "d(A B) = dA B + A dB",
            f"{MAGNUS}, chapter 8, section 2"),
        transposition=_product_transposition,
        transposition_rule=Rule(
            "transposition_of_product",
            r"\langle G, A M B\rangle = \langle A^{\top} G B^{\top}, M\rangle",
            "⟨G, A M B⟩ = ⟨Aᵀ G Bᵀ, M⟩", f"{GILES}, section 2.2.1"),
        evaluate=_evaluate_product,
        latex=(PRODUCT, _juxtaposed("-", r"\,")),
        text=(PRODUCT, _juxtaposed("−", " ")),
        spelling={"numpy": (TIMES, _numpy_product), "language": (TIMES, _language_product)},
        matrix=_product_matrix,
        matrix_rule=KRONECKER,
        examples=lambda: (product(A, B, C), product(s, A, B), product(B, A, B, A)),
    ),
    Operation(
        node=Transpose,
        differential=lambda node, i, d, value: transpose(d),
        differential_rule=lambda node: Rule(
            "differential_of_transpose", r"\mathrm{d}(A^{\top}) = (\mathrm{d}A)^{\top}",
            "d(Aᵀ) = (dA)ᵀ", f"{MAGNUS}, chapter 8, section 2"),
        transposition=lambda node, i, G: transpose(G),
        transposition_rule=Rule(
            "transposition_of_transpose", r"\langle G, M^{\top}\rangle = \langle G^{\top}, M\rangle",
            "⟨G, Mᵀ⟩ = ⟨Gᵀ, M⟩", "tr(GᵀMᵀ) = tr(MG) = tr(GM)"),
        evaluate=lambda node, size, a: a.T,
        latex=(POWER, lambda node, show: f"{show(node.args[0], ATOM)}^{{\\top}}"),
        text=(POWER, lambda node, show: f"{show(node.args[0], ATOM)}ᵀ"),
        spelling={"numpy": (ATOM, lambda node, show: f"{show(node.args[0], ATOM)}.T"),
                  "language": (ATOM, lambda node, show: f"{show(node.args[0], ATOM)}'")},
        matrix=_commuted,
        matrix_rule=Rule(
            "vec_of_transpose", r"\operatorname{vec}(M^{\top}) = K \operatorname{vec} M", "vec(Mᵀ) = K vec M",
            f"{MAGNUS}, chapter 3, section 7"),
        examples=lambda: (transpose(A), product(transpose(A), C)),
    ),
    Operation(
        node=Inverse,
        differential=lambda node, i, d, value: negative(product(value, d, value)),
        differential_rule=lambda node: Rule(
            "differential_of_inverse", r"\mathrm{d}(A^{-1}) = -A^{-1}\, \mathrm{d}A\, A^{-1}",
            "d(A⁻¹) = −A⁻¹ dA A⁻¹", f"{MAGNUS}, chapter 8, section 4"),
        transposition=None,
        transposition_rule=None,
        evaluate=_inverse,
        latex=(POWER, lambda node, show: f"{show(node.args[0], ATOM)}^{{-1}}"),
        text=(POWER, lambda node, show: f"{show(node.args[0], ATOM)}⁻¹"),
        spelling={"numpy": (ATOM, lambda node, show: f"np.linalg.inv({show(node.args[0], 0)})"),
                  "language": called("inv")},
        examples=lambda: (Basic.__new__(Inverse, add(square, Identity(3)), S.NegativeOne),),
    ),
    Operation(
        node=SumAlong,
        differential=lambda node, i, d, value: sum_along(d, node.axis),
        differential_rule=lambda node: Rule(
            "differential_of_sums", r"\mathrm{d}(\mathbf{1}^{\top} A) = \mathbf{1}^{\top}\mathrm{d}A",
            "d(1ᵀA) = 1ᵀ dA", f"{MAGNUS}, chapter 8, section 2"),
        transposition=lambda node, i, G: broadcast(G, node.axis, node.operand.shape[node.axis]),
        transposition_rule=Rule(
            "transposition_of_sums",
            r"\langle g, \mathbf{1}^{\top} M\rangle = \langle \mathbf{1} g, M\rangle",
            "⟨g, 1ᵀM⟩ = ⟨1 g, M⟩", f"{GILES}, section 2.2.1"),
        evaluate=lambda node, size, a: a.sum(axis=node.axis, keepdims=True),
        latex=(PRODUCT, lambda node, show: show(as_product(node), PRODUCT)),
        text=(PRODUCT, lambda node, show: show(as_product(node), PRODUCT)),
        spelling={"numpy": (ATOM, lambda node, show:
                            f"{show(node.operand, ATOM)}.sum(axis={node.axis}, keepdims=True)"),
                  "language": called(lambda node: "sum_rows" if node.axis else "sum_cols")},
        matrix=lambda node, i: two_sided(*_ones_around(node.axis, node.operand.shape[node.axis], True), node.operand),
        matrix_rule=KRONECKER,
        examples=lambda: (sum_along(A, 0), sum_along(A, 1)),
    ),
    Operation(
        node=Broadcast,
        differential=lambda node, i, d, value: broadcast(d, node.axis, node.args[2]),
        differential_rule=lambda node: Rule(
            "differential_of_broadcast", r"\mathrm{d}(a \mathbf{1}^{\top}) = \mathrm{d}a\, \mathbf{1}^{\top}",
            "d(a 1ᵀ) = da 1ᵀ", f"{MAGNUS}, chapter 8, section 2"),
        transposition=lambda node, i, G: sum_along(G, node.axis),
        transposition_rule=Rule(
            "transposition_of_broadcast",
            r"\langle G, m \mathbf{1}^{\top}\rangle = \langle G \mathbf{1}, m\rangle",
            "⟨G, m 1ᵀ⟩ = ⟨G 1, m⟩", f"{GILES}, section 2.2.1"),
        evaluate=lambda node, size, a: np.repeat(a, size(node.args[2]), axis=node.axis),
        latex=(PRODUCT, lambda node, show: show(as_product(node), PRODUCT)),
        text=(PRODUCT, lambda node, show: show(as_product(node), PRODUCT)),
        spelling={"numpy": (ATOM, lambda node, show: show(node.operand, ATOM)),
                  "language": (TIMES, lambda node, show: (
                      f"{show(node.operand, TIMES)}*ones(1, {show(node.args[2], 0)})" if node.axis
                      else f"ones({show(node.args[2], 0)}, 1)*{show(node.operand, TIMES + 1)}"))},
        matrix=lambda node, i: two_sided(*_ones_around(node.axis, node.args[2], False), node.operand),
        matrix_rule=KRONECKER,
        examples=lambda: (broadcast(row, 0, S(2)), broadcast(column, 1, S(3))),
    ),
]


def _ones_around(axis: int, size: Any, summing: bool) -> tuple[Term | None, Term | None]:
    """Return the vectors of ones to the left (axis 0) or right (axis 1) that sum or repeat."""
    ones = OneMatrix(1, size) if summing == (axis == 0) else OneMatrix(size, 1)
    return (ones, None) if axis == 0 else (None, ones)


def as_product(node: Any) -> Term:
    """Return a sum or a repetition along an axis as the product with ones that it is."""
    repeated = isinstance(node, Broadcast)
    size = node.args[2] if repeated else node.operand.shape[node.axis]
    flat = repeated == (node.axis == 0)
    ones = OneMatrix(size, 1) if flat else OneMatrix(1, size)
    return product(ones, node.operand) if node.axis == 0 else product(node.operand, ones)
