"""The functions of the matrix language: one row each, its shapes and its term."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial

import sympy
from sympy import Expr, Identity, OneMatrix, S, ZeroMatrix

from symbolic.extremes import FirstLargest, LargestAlong, LogSumExp, LogSumExpAlong, Maximum, Minimum
from symbolic.language import building
from symbolic.language.building import scalars_too
from symbolic.language.dimensions import SCALAR, Dimension, Dimensions, Shape
from symbolic.language.sizes import ONE
from symbolic.operations.kronecker import commutation
from symbolic.structure import reshape, tril, vec
from symbolic.terms import SquaredNorm, Term, log_softmax, scale, softmax, sum_along

Infer = Callable[[Dimensions, list[Shape], list[Expr]], "Shape | str"]
"""The shape of the result from those of the arguments and the sizes, or what is wrong with them in words."""


@dataclass(frozen=True)
class Function:
    """A function of the language.

    Attributes:
        infer: Its shape.
        build: Its term, from the terms of its arguments and the sizes.
        arguments: How many expressions it takes.
        sizes: How many dimensions it takes after them, at least and at most.
        needs: The property that a name has to be declared with to be its argument, and what that is in words.
    """

    infer: Infer
    build: Callable[..., Term]
    arguments: int = 1
    sizes: tuple[int, int] = (0, 0)
    needs: tuple[str, str] | None = None

    def accepts(self, count: int) -> bool:
        """Say whether it takes so many arguments and sizes."""
        return self.arguments + self.sizes[0] <= count <= self.arguments + self.sizes[1]

    @property
    def takes(self) -> str:
        """How many arguments it takes, in words."""
        fewest, most = (self.arguments + n for n in self.sizes)
        return f"{fewest} argument{'s' * (most > 1)}" if fewest == most else f"{fewest} or {most} arguments"


# Shapes.


def _same(dims: Dimensions, shapes: list[Shape], sizes: list[Expr]) -> Shape | str:
    return shapes[0]


def _scalar(dims: Dimensions, shapes: list[Shape], sizes: list[Expr]) -> Shape | str:
    return SCALAR


def _square(result: Callable[[Shape], Shape]) -> Infer:
    def infer(dims: Dimensions, shapes: list[Shape], sizes: list[Expr]) -> Shape | str:
        return result(shapes[0]) if dims.meet(*shapes[0]) else "a square matrix is expected"
    return infer


def _of_rows(dims: Dimensions, shapes: list[Shape], sizes: list[Expr]) -> Shape | str:
    return shapes[0][0], ONE


def _of_columns(dims: Dimensions, shapes: list[Shape], sizes: list[Expr]) -> Shape | str:
    return ONE, shapes[0][1]


def _column(dims: Dimensions, shapes: list[Shape], sizes: list[Expr]) -> Shape | str:
    if dims.find(shapes[0][1]) == ONE:
        return shapes[0]
    return "a column vector is expected; for matrices there are softmax_rows and softmax_cols"


def _pair(dims: Dimensions, shapes: list[Shape], sizes: list[Expr]) -> Shape | str:
    left, right = shapes
    if SCALAR in (left, right):
        return right if left == SCALAR else left
    return left if dims.same(left, right) else "two of one shape, or a scalar, are expected"


def _diagonal(dims: Dimensions, shapes: list[Shape], sizes: list[Expr]) -> Shape | str:
    rows, columns = dims.shape(shapes[0])
    if columns == ONE:
        return rows, rows
    return (rows, ONE) if dims.meet(rows, columns) else "a column or a square matrix is expected"


def _kronecker(dims: Dimensions, shapes: list[Shape], sizes: list[Expr]) -> Shape | str:
    (a, b), (c, d) = shapes
    return dims.product(a, c), dims.product(b, d)


def _vec(dims: Dimensions, shapes: list[Shape], sizes: list[Expr]) -> Shape | str:
    return dims.product(*shapes[0]), ONE


def _reshape(dims: Dimensions, shapes: list[Shape], sizes: list[Expr]) -> Shape | str:
    entries: Dimension = dims.product(*shapes[0])
    if dims.unify(entries, dims.product(*sizes)):
        return sizes[0], sizes[1]
    return f"it has {entries} entries, and {sizes[0]}×{sizes[1]} has {dims.product(*sizes)}"


def _given(dims: Dimensions, shapes: list[Shape], sizes: list[Expr]) -> Shape | str:
    return sizes[0], (*sizes, ONE)[1]


def _both(dims: Dimensions, shapes: list[Shape], sizes: list[Expr]) -> Shape | str:
    size = dims.product(*sizes)
    return size, size


# The table.

_ENTRYWISE = ("sin", "cos", "tan", "arcsin", "arccos", "arctan", "sinh", "cosh", "tanh", "exp", "log", "sqrt", "abs",
              "sign", "relu", "step", "sigmoid", "softplus", "erf", "gelu", "silu", "leaky_relu", "elu")

LANGUAGE: dict[str, Function] = {
    **{name: Function(_same, partial(building.entrywise, name)) for name in _ENTRYWISE},
    "max": Function(_pair, partial(building.extreme, Maximum), 2),
    "min": Function(_pair, partial(building.extreme, Minimum), 2),
    "sum": Function(_scalar, building.total),
    "mean": Function(_scalar, building.mean),
    "tr": Function(_square(lambda s: SCALAR), building.trace),
    "det": Function(_square(lambda s: SCALAR), building.determinant),
    "logdet": Function(_square(lambda s: SCALAR), lambda a: sympy.log(building.determinant(a))),
    "norm1": Function(_scalar, lambda a: building.total(building.absolute(a))),
    "norm2": Function(_scalar, scalars_too(lambda a: sympy.sqrt(SquaredNorm(a)), building.absolute)),
    "norminf": Function(_scalar, building.largest_absolute),
    "logsumexp": Function(_scalar, scalars_too(LogSumExp)),
    "sum_rows": Function(_of_rows, scalars_too(partial(sum_along, axis=1))),
    "sum_cols": Function(_of_columns, scalars_too(partial(sum_along, axis=0))),
    "mean_rows": Function(_of_rows, scalars_too(lambda a: scale(1 / a.shape[1], sum_along(a, 1)))),
    "mean_cols": Function(_of_columns, scalars_too(lambda a: scale(1 / a.shape[0], sum_along(a, 0)))),
    "max_rows": Function(_of_rows, scalars_too(partial(building.along, LargestAlong, 1))),
    "max_cols": Function(_of_columns, scalars_too(partial(building.along, LargestAlong, 0))),
    "logsumexp_rows": Function(_of_rows, scalars_too(partial(building.along, LogSumExpAlong, 1))),
    "logsumexp_cols": Function(_of_columns, scalars_too(partial(building.along, LogSumExpAlong, 0))),
    "softmax": Function(_column, scalars_too(partial(softmax, axis=0), lambda a: S.One)),
    "softmax_rows": Function(_same, scalars_too(partial(softmax, axis=1), lambda a: S.One)),
    "softmax_cols": Function(_same, scalars_too(partial(softmax, axis=0), lambda a: S.One)),
    "log_softmax_rows": Function(_same, scalars_too(partial(log_softmax, axis=1), lambda a: S.Zero)),
    "log_softmax_cols": Function(_same, scalars_too(partial(log_softmax, axis=0), lambda a: S.Zero)),
    "argmax": Function(_same, scalars_too(partial(building.along, FirstLargest, 2), lambda a: S.One)),
    "argmax_rows": Function(_same, scalars_too(partial(building.along, FirstLargest, 1), lambda a: S.One)),
    "argmax_cols": Function(_same, scalars_too(partial(building.along, FirstLargest, 0), lambda a: S.One)),
    "inv": Function(_square(lambda s: s), building.inverted),
    "adj": Function(_square(lambda s: s), scalars_too(building.adjugate, lambda a: S.One)),
    "chol": Function(_square(lambda s: s), scalars_too(building.cholesky, sympy.sqrt),
                     needs=("psd", "a positive definite matrix; declare {name}: n x n psd")),
    "diag": Function(_diagonal, scalars_too(building.diagonal)),
    "tril": Function(_same, scalars_too(tril)),
    "vec": Function(_vec, scalars_too(vec)),
    "kron": Function(_kronecker, building.kron, 2),
    "reshape": Function(_reshape, scalars_too(reshape, lambda a, *sizes: a), sizes=(2, 2)),
    "ones": Function(_given, lambda m, n=ONE: OneMatrix(m, n), 0, (1, 2)),
    "zeros": Function(_given, lambda m, n=ONE: ZeroMatrix(m, n), 0, (1, 2)),
    "eye": Function(lambda dims, shapes, sizes: (sizes[0], sizes[0]), Identity, 0, (1, 1)),
    "commutation": Function(_both, commutation, 0, (2, 2)),
}
