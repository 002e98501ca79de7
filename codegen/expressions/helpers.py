"""The functions that stand at the head of an expression's module, each only where it is called.

Both axes can occur in one module, so that softmax and its kin say by name what they work on.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sympy import Basic

from codegen.expressions.nodes import CholeskySolve, Columns, LogDeterminant, Rows
from codegen.scalar_code import WRITTEN, Helper, along_axis
from symbolic.extremes import FirstLargest, LogSumExp, LogSumExpAlong
from symbolic.structure import Cholesky, Commutation
from symbolic.terms import LogSoftmax, Softmax

_LOGSUMEXP = '''\
def logsumexp(a):
    """log of the sum of exp(a) over all entries, without overflow."""
    top = np.max(a)
    return top + np.log(np.sum(np.exp(a - top)))'''

_LOGSUMEXP_ALONG = '''\
def logsumexp_{kind}(a):
    """log of the sum of exp(a) within each {sample}, without overflow."""
    top = np.max(a, axis={axis}, keepdims=True)
    return top + np.log(np.sum(np.exp(a - top), axis={axis}, keepdims=True))'''

_ARGMAX = '''\
def argmax(a):
    """1 at the first largest entry, taken column by column, 0 elsewhere."""
    places = np.arange(a.size).reshape(a.shape, order="F")
    return (places == np.argmax(a.ravel(order="F"))).astype(a.dtype)'''

_ARGMAX_ALONG = '''\
def argmax_{kind}(a):
    """1 at the first largest entry of each {sample}, 0 elsewhere."""
    places = np.expand_dims(np.arange(a.shape[{axis}]), {other})
    return (places == np.argmax(a, axis={axis}, keepdims=True)).astype(a.dtype)'''

_COMMUTATION = '''\
def commutation(m, n, dtype=float):
    """K with K vec(A) = vec(Aᵀ) for A of m x n: the identity, its rows in another order."""
    return np.eye(m * n, dtype=dtype)[transposed(m, n)]'''

_TRANSPOSED = '''\
def transposed(m, n):
    """The places in vec(A) of the entries of vec(Aᵀ), in order, for A of m x n."""
    return np.arange(m * n).reshape((m, n), order="F").ravel()'''

_CHOLESKY = '''\
def cholesky(a):
    """The lower triangular L with L Lᵀ = (a + aᵀ) / 2, which is a where a is symmetric."""
    return np.linalg.cholesky((a + a.T) / 2)'''

_CHOLESKY_SOLVE = '''\
def cholesky_solve(low, b):
    """(L Lᵀ)⁻¹ b for a lower triangular L."""
    return np.linalg.solve(low.T, np.linalg.solve(low, b))'''

_LOGDET = '''\
def logdet(a):
    """log det(a), without overflow of the determinant; it must be positive."""
    sign, value = np.linalg.slogdet(a)
    if sign <= 0:
        raise ValueError("log det: expected a matrix with a positive determinant")
    return value'''


def _renamed(helper: Helper, name: str) -> Helper:
    return Helper(name, helper.source.replace(f"def {helper.name}(", f"def {name}("), helper.needs)


def _along(axis: int) -> list[Helper]:
    """Return the helpers that work within each column (axis 0) or each row (axis 1)."""
    kind, sample = (("cols", "column"), ("rows", "row"))[axis]
    words = {"kind": kind, "sample": sample, "axis": axis, "other": 1 - axis}
    return [
        *(_renamed(along_axis(name, axis), f"{name}_{kind}") for name in ("softmax", "log_softmax")),
        Helper(f"logsumexp_{kind}", _LOGSUMEXP_ALONG.format(**words)),
        Helper(f"argmax_{kind}", _ARGMAX_ALONG.format(**words)),
    ]


WRITTEN_HERE: dict[str, Helper] = WRITTEN | {h.name: h for h in (
    *_along(0), *_along(1), Helper("logsumexp", _LOGSUMEXP), Helper("argmax", _ARGMAX),
    Helper("transposed", _TRANSPOSED), Helper("commutation", _COMMUTATION, ("transposed",)),
    Helper("cholesky", _CHOLESKY), Helper("cholesky_solve", _CHOLESKY_SOLVE), Helper("logdet", _LOGDET))}
"""All helpers with a text of their own, by name."""


def _by_axis(name: str) -> Callable[[Any], str]:
    return lambda node: name + ("_cols", "_rows", "")[node.axis]


NEEDED: dict[type[Basic], Callable[[Any], str]] = {
    Softmax: _by_axis("softmax"), LogSoftmax: _by_axis("log_softmax"), LogSumExpAlong: _by_axis("logsumexp"),
    FirstLargest: _by_axis("argmax"), LogSumExp: lambda _: "logsumexp", Commutation: lambda _: "commutation",
    Rows: lambda _: "transposed", Columns: lambda _: "transposed",
    Cholesky: lambda _: "cholesky", CholeskySolve: lambda _: "cholesky_solve", LogDeterminant: lambda _: "logdet",
}
"""The helper that a node needs, by its kind."""
