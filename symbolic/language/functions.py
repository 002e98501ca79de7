"""The functions of the matrix language: one row each, its shapes and its term."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import sympy
from sympy import Expr, Identity, S

from symbolic.functions import scalar_function
from symbolic.language.dimensions import SCALAR, Dimensions, Shape
from symbolic.scalars import x
from symbolic.terms import (
    SquaredNorm,
    Term,
    elementwise,
    inner,
    is_matrix,
    log_softmax,
    ones_like,
    scale,
    shape,
    softmax,
    sum_along,
)

Infer = Callable[[Dimensions, list[Shape]], "Shape | str"]
"""The shape of the result from those of the arguments, or what is wrong with them in words."""


@dataclass(frozen=True)
class Function:
    """A function of the language.

    Attributes:
        arguments: How many it takes.
        infer: Its shape.
        build: Its term, from the terms of its arguments.
    """

    arguments: int
    infer: Infer
    build: Callable[..., Term]


def _same(dims: Dimensions, shapes: list[Shape]) -> Shape | str:
    return shapes[0]


def _scalar(dims: Dimensions, shapes: list[Shape]) -> Shape | str:
    return SCALAR


def _square(result: Callable[[Shape], Shape]) -> Infer:
    def infer(dims: Dimensions, shapes: list[Shape]) -> Shape | str:
        rows, columns = shapes[0]
        return result(shapes[0]) if dims.meet(rows, columns) else "a square matrix is expected"
    return infer


def _columns_to_one(dims: Dimensions, shapes: list[Shape]) -> Shape | str:
    return shapes[0][0], S.One


def _rows_to_one(dims: Dimensions, shapes: list[Shape]) -> Shape | str:
    return S.One, shapes[0][1]


def _column(dims: Dimensions, shapes: list[Shape]) -> Shape | str:
    return shapes[0] if dims.find(shapes[0][1]) == S.One else "a column vector is expected; for matrices there are " \
        "softmax_rows and softmax_cols"


def _entrywise(name: str) -> Function:
    def build(a: Term) -> Term:
        function = scalar_function(name)
        return elementwise(function, a) if is_matrix(a) else function.formula.subs(x, a)
    return Function(1, _same, build)


def _total(a: Term) -> Term:
    return inner(ones_like(a), a) if is_matrix(a) else a


def _trace(a: Term) -> Term:
    return inner(Identity(a.shape[0]), a) if is_matrix(a) else a


def _count(a: Term) -> Expr:
    return sympy.Mul(*shape(a))


def _absolute(a: Term) -> Term:
    return elementwise(scalar_function("abs"), a) if is_matrix(a) else sympy.Abs(a)


def _norm2(a: Term) -> Term:
    return sympy.sqrt(SquaredNorm(a)) if is_matrix(a) else sympy.Abs(a)


def inverse(a: Term) -> Term:
    """Return A⁻¹, or 1/s of a scalar."""
    return sympy.Basic.__new__(sympy.Inverse, a, S.NegativeOne) if is_matrix(a) else 1 / a


_ENTRYWISE = ("sin", "cos", "arctan", "sinh", "cosh", "tanh", "exp", "log", "sqrt", "abs", "sign", "relu", "step",
              "sigmoid", "softplus", "erf", "gelu", "silu", "leaky_relu", "elu")

LANGUAGE: dict[str, Function] = {
    **{name: _entrywise(name) for name in _ENTRYWISE},
    "sum": Function(1, _scalar, _total),
    "mean": Function(1, _scalar, lambda a: _total(a) / _count(a)),
    "tr": Function(1, _square(lambda s: SCALAR), _trace),
    "det": Function(1, _square(lambda s: SCALAR), lambda a: sympy.Determinant(a) if is_matrix(a) else a),
    "logdet": Function(1, _square(lambda s: SCALAR),
                       lambda a: sympy.log(sympy.Determinant(a) if is_matrix(a) else a)),
    "norm1": Function(1, _scalar, lambda a: _total(_absolute(a))),
    "norm2": Function(1, _scalar, _norm2),
    "logsumexp": Function(1, _scalar, lambda a: sympy.log(_total(
        elementwise(scalar_function("exp"), a) if is_matrix(a) else sympy.exp(a)))),
    "sum_rows": Function(1, _columns_to_one, lambda a: sum_along(a, 1)),
    "sum_cols": Function(1, _rows_to_one, lambda a: sum_along(a, 0)),
    "mean_rows": Function(1, _columns_to_one, lambda a: scale(1 / a.shape[1], sum_along(a, 1))),
    "mean_cols": Function(1, _rows_to_one, lambda a: scale(1 / a.shape[0], sum_along(a, 0))),
    "softmax": Function(1, _column, lambda a: softmax(a, 0)),
    "softmax_rows": Function(1, _same, lambda a: softmax(a, 1)),
    "softmax_cols": Function(1, _same, lambda a: softmax(a, 0)),
    "log_softmax_rows": Function(1, _same, lambda a: log_softmax(a, 1)),
    "log_softmax_cols": Function(1, _same, lambda a: log_softmax(a, 0)),
    "inv": Function(1, _square(lambda s: s), inverse),
}
