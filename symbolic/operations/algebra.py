"""Sum, product and transpose of matrices, and the two that work along an axis."""

from __future__ import annotations

from functools import reduce
from typing import Any

import numpy as np
from sympy import Basic, Identity, Inverse, MatAdd, MatMul, MatrixSymbol, OneMatrix, S, Symbol, Transpose

from symbolic.functions import MAGNUS
from symbolic.operations.table import ATOM, POWER, PRODUCT, SUM, TIMES, Operation, Rule, Show, is_scalar
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


def _juxtaposed(minus: str, space: str) -> Any:
    def spell(node: MatMul, show: Show) -> str:
        coefficient, rest = split(node)
        factors = rest.args if isinstance(rest, MatMul) else (rest,)
        body = " ".join(show(f, PRODUCT + (len(factors) > 1)) for f in factors)
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
        spelling={"numpy": (SUM, _signed("-", " * "))},
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
        spelling={"numpy": (TIMES, _numpy_product)},
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
        spelling={"numpy": (ATOM, lambda node, show: f"{show(node.args[0], ATOM)}.T")},
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
        spelling={"numpy": (ATOM, lambda node, show: f"np.linalg.inv({show(node.args[0], 0)})")},
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
        latex=(PRODUCT, lambda node, show: show(_as_product(node), PRODUCT)),
        text=(PRODUCT, lambda node, show: show(_as_product(node), PRODUCT)),
        spelling={"numpy": (ATOM, lambda node, show:
                            f"np.sum({show(node.operand, 0)}, axis={node.axis}, keepdims=True)")},
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
        latex=(PRODUCT, lambda node, show: show(_as_product(node), PRODUCT)),
        text=(PRODUCT, lambda node, show: show(_as_product(node), PRODUCT)),
        spelling={"numpy": (ATOM, lambda node, show: show(node.operand, ATOM))},
        examples=lambda: (broadcast(row, 0, S(2)), broadcast(column, 1, S(3))),
    ),
]


def _as_product(node: Any) -> Term:
    """Return a sum or a repetition along an axis as the product with ones that it is."""
    repeated = isinstance(node, Broadcast)
    size = node.args[2] if repeated else node.operand.shape[node.axis]
    flat = repeated == (node.axis == 0)
    ones = OneMatrix(size, 1) if flat else OneMatrix(1, size)
    return product(ones, node.operand) if node.axis == 0 else product(node.operand, ones)
