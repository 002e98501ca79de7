"""Loss functions: one row each, built from operations that exist."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from sympy import Expr
from sympy.matrices.expressions.matexpr import MatrixExpr

from symbolic.functions import GOODFELLOW, scalar_function
from symbolic.terms import SquaredNorm, add, elementwise, hadamard, inner, negative, ones_like


@dataclass(frozen=True)
class Loss:
    """One loss, summed over the entries and samples.

    Attributes:
        total: From ``Y`` and the quantity that the loss looks at (``argument``'s
            symbol), both of shape units × N (or N × units), the scalar sum.
        source: Where the formula stands in the literature.
        argument: A named equation between the output and the loss: its name and
            its term from ``Y`` and ``y_hat``; None where the loss looks at ``y_hat`` itself.
        output: The activation that the last layer must have, or None for any.
        distributions: Whether the samples of Y are taken to be distributions (sum 1).
        labels: What the entries of Y are: "distribution" (one over the classes for each
            sample, one-hot as a rule), "probability", "signs" (−1 or +1) or "real".
    """

    total: Callable[[MatrixExpr, MatrixExpr], Expr]
    source: str
    argument: tuple[str, Callable[[MatrixExpr, MatrixExpr], MatrixExpr]] | None = None
    output: str | None = None
    distributions: bool = False
    labels: str = "real"


def _elementwise_total(name: str) -> Callable[[MatrixExpr, MatrixExpr], Expr]:
    return lambda Y, z: inner(ones_like(z), elementwise(scalar_function(name), z))


def _cross_entropy(Y: MatrixExpr, y_hat: MatrixExpr) -> Expr:
    return -inner(Y, elementwise(scalar_function("log"), y_hat))


def _binary_cross_entropy(Y: MatrixExpr, y_hat: MatrixExpr) -> Expr:
    one, log = ones_like(Y), scalar_function("log")
    return -inner(Y, elementwise(log, y_hat)) - inner(
        add(one, negative(Y)), elementwise(log, add(one, negative(y_hat))))


_RESIDUAL = ("r", lambda Y, y_hat: add(y_hat, negative(Y)))

LOSSES: dict[str, Loss] = {
    "cross_entropy": Loss(
        _cross_entropy, f"{GOODFELLOW}, section 6.2.2.3", output="softmax",
        distributions=True, labels="distribution"),
    "binary_cross_entropy": Loss(
        _binary_cross_entropy, f"{GOODFELLOW}, section 6.2.2.2", output="sigmoid",
        labels="probability"),
    "mean_squared_error": Loss(
        lambda Y, r: SquaredNorm(r), f"{GOODFELLOW}, section 5.1.4", argument=_RESIDUAL),
    "mean_absolute_error": Loss(
        _elementwise_total("abs"), f"{GOODFELLOW}, section 6.2.1.2", argument=_RESIDUAL),
    "huber": Loss(_elementwise_total("huber"), "Huber (1964), threshold 1", argument=_RESIDUAL),
    "hinge": Loss(
        _elementwise_total("hinge"), "Cortes, Vapnik (1995)",
        argument=("m", lambda Y, y_hat: hadamard(Y, y_hat)), labels="signs"),
}
