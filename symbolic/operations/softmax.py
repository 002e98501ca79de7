"""Softmax and its logarithm, by columns or by rows."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
from sympy import Basic, MatrixSymbol, OneMatrix, S, ZeroMatrix

from symbolic.extremes import FirstLargest, LargestAlong, LogSumExpAlong
from symbolic.functions import GOODFELLOW
from symbolic.operations.table import ATOM, Operation, Rule, Show, called
from symbolic.structure import is_column
from symbolic.terms import (
    LogSoftmax,
    Softmax,
    Term,
    add,
    hadamard,
    log_softmax,
    negative,
    product,
    softmax,
    sum_along,
)


def sums_in_place(term: Term, axis: int) -> Term:
    """Return 11ᵀA (axis 0) or A11ᵀ (axis 1): each entry replaced by its column's or row's sum."""
    rows, columns = term.shape
    if axis == 0:
        return product(OneMatrix(rows, 1), OneMatrix(1, rows), term)
    return product(term, OneMatrix(columns, 1), OneMatrix(1, columns))


def _softmax(node: Softmax, size: Any, a: Any) -> Any:
    e = np.exp(a - np.max(np.real(a), axis=node.axis, keepdims=True))
    return e / e.sum(axis=node.axis, keepdims=True)


def _log_softmax(node: LogSoftmax, size: Any, a: Any) -> Any:
    shifted = a - np.max(np.real(a), axis=node.axis, keepdims=True)
    return shifted - np.log(np.exp(shifted).sum(axis=node.axis, keepdims=True))


def _called(name: str) -> tuple[int, Any]:
    def spell(node: Any, show: Show) -> str:
        return f"{name}({show(node.operand, 0)})"
    return ATOM, spell


def _log_sum_exp(node: LogSumExpAlong, size: Any, a: Any) -> Any:
    top = np.max(np.real(a), axis=node.axis, keepdims=True)
    return top + np.log(np.exp(a - top).sum(axis=node.axis, keepdims=True))


def _largest(node: LargestAlong, size: Any, a: Any) -> Any:
    return np.take_along_axis(a, np.argmax(np.real(a), axis=node.axis, keepdims=True), axis=node.axis)


def _first_largest(node: FirstLargest, size: Any, a: Any) -> Any:
    flat = np.real(a).reshape(-1, 1, order="F") if node.axis == 2 else np.real(a)
    axis = node.axis % 2
    places = np.expand_dims(np.arange(flat.shape[axis]), 1 - axis)
    return (places == np.argmax(flat, axis=axis, keepdims=True)).astype(float).reshape(np.shape(a), order="F")


def _rows_or_cols(name: str) -> Callable[[Any], str]:
    return lambda node: name + ("_cols", "_rows", "")[node.axis]


def _sub(name: str, latex: bool) -> Callable[[Any], str]:
    """Return the name on a page, with what it works on where that is not the whole matrix."""
    def named(node: Any) -> str:
        what = ("cols", "rows", "")[node.axis]
        if not what or (node.axis == 0 and is_column(node.operand)):
            return name
        return rf"{name}_{{\mathrm{{{what}}}}}" if latex else f"{name}_{what}"
    return named


def _along(name: str) -> Callable[[Any], str]:
    """Return the name in the matrix language: softmax of a column, else softmax_cols or softmax_rows."""
    return lambda node: (f"{name}_rows" if node.axis else name if name == "softmax" and is_column(node)
                         else f"{name}_cols")


def _statement(left: str, factor: str, axis: int, latex: bool) -> str:
    weighted = r"(S \odot \mathrm{d}A)" if latex else "(S ⊙ dA)"
    ones = r"\mathbf{1} \mathbf{1}^{\top}" if latex else "1 1ᵀ"
    sums = f"{ones} {weighted}" if axis == 0 else f"{weighted} {ones}"
    return f"{left} = " + factor.format(("\\mathrm{d}A - " if latex else "dA − ") + sums)


def _rule(key: str, axis: int) -> Rule:
    name = key.replace("_", " ")
    plain = key == "softmax"
    return Rule(
        f"differential_of_{key}",
        _statement(rf"\mathrm{{d}}\operatorname{{{name}}}(A)", r"S \odot ({})" if plain else "{}", axis, True)
        + r",\; S = \operatorname{softmax}(A)",
        _statement(f"d {name}(A)", "S ⊙ ({})" if plain else "{}", axis, False) + ", S = softmax(A)",
        f"{GOODFELLOW}, section 6.2.2.3")


A = MatrixSymbol("A", 2, 3)

OPERATIONS = [
    Operation(
        node=Softmax,
        differential=lambda node, i, d, value: hadamard(
            value, add(d, negative(sums_in_place(hadamard(value, d), node.axis)))),
        differential_rule=lambda node: _rule("softmax", node.axis),
        transposition=None,
        transposition_rule=None,
        evaluate=_softmax,
        latex=_called(r"\operatorname{softmax}"),
        text=_called("softmax"),
        spelling={"numpy": _called("softmax"), "language": called(_along("softmax"))},
        examples=lambda: (softmax(A, 0), softmax(A, 1)),
    ),
    Operation(
        node=LogSoftmax,
        differential=lambda node, i, d, value: add(
            d, negative(sums_in_place(hadamard(softmax(node.operand, node.axis), d), node.axis))),
        differential_rule=lambda node: _rule("log_softmax", node.axis),
        transposition=None,
        transposition_rule=None,
        evaluate=_log_softmax,
        latex=_called(r"\operatorname{log\,softmax}"),
        text=_called("log softmax"),
        spelling={"numpy": _called("log_softmax"), "language": called(_along("log_softmax"))},
        examples=lambda: (log_softmax(A, 0), log_softmax(A, 1)),
    ),
    Operation(
        node=LogSumExpAlong,
        differential=lambda node, i, d, value: sum_along(
            hadamard(softmax(node.operand, node.axis), d), node.axis),
        differential_rule=lambda node: Rule(
            f"differential_of_log_sum_exp_{'rows' if node.axis else 'columns'}",
            r"\mathrm{d}\operatorname{logsumexp}(A) = "
            + (r"(S \odot \mathrm{d}A) \mathbf{1}" if node.axis else r"\mathbf{1}^{\top} (S \odot \mathrm{d}A)")
            + r",\; S = \operatorname{softmax}(A)",
            f"d logsumexp(A) = {'(S ⊙ dA) 1' if node.axis else '1ᵀ (S ⊙ dA)'}, S = softmax(A)",
            "Boyd, Vandenberghe (2004), Convex Optimization, section 3.1.5"),
        transposition=None,
        transposition_rule=None,
        evaluate=_log_sum_exp,
        latex=called(_sub(r"\operatorname{logsumexp}", latex=True)),
        text=called(_sub("logsumexp", latex=False)),
        spelling={"numpy": called(_rows_or_cols("logsumexp")), "language": called(_rows_or_cols("logsumexp"))},
        examples=lambda: tuple(Basic.__new__(LogSumExpAlong, A, S(axis)) for axis in (0, 1)),
    ),
    Operation(
        node=LargestAlong,
        differential=lambda node, i, d, value: sum_along(
            hadamard(Basic.__new__(FirstLargest, node.operand, S(node.axis)), d), node.axis),
        differential_rule=lambda node: Rule(
            f"differential_of_largest_of_{'rows' if node.axis else 'columns'}",
            r"\mathrm{d}\max(A) = "
            + (r"(E \odot \mathrm{d}A) \mathbf{1}" if node.axis else r"\mathbf{1}^{\top} (E \odot \mathrm{d}A)")
            + r",\; E = \operatorname{argmax}(A)",
            f"d max(A) = {'(E ⊙ dA) 1' if node.axis else '1ᵀ (E ⊙ dA)'}, E = argmax(A), one-hot",
            "Boyd, Vandenberghe (2004), Convex Optimization, section 3.1.5"),
        transposition=None,
        transposition_rule=None,
        evaluate=_largest,
        latex=called(_sub(r"\operatorname{max}", latex=True)),
        text=called(_sub("max", latex=False)),
        spelling={"numpy": (ATOM, lambda node, show:
                            f"{show(node.operand, ATOM)}.max(axis={node.axis}, keepdims=True)"),
                  "language": called(_rows_or_cols("max"))},
        examples=lambda: tuple(Basic.__new__(LargestAlong, A, S(axis)) for axis in (0, 1)),
    ),
    Operation(
        node=FirstLargest,
        differential=lambda node, i, d, value: ZeroMatrix(*node.shape),
        differential_rule=lambda node: Rule(
            "differential_of_argmax", r"\mathrm{d}\operatorname{argmax}(A) = \mathbf{0}", "d argmax(A) = 0",
            "it is constant around a point where the largest entry is the only one"),
        transposition=None,
        transposition_rule=None,
        evaluate=_first_largest,
        latex=called(_sub(r"\operatorname{argmax}", latex=True)),
        text=called(_sub("argmax", latex=False)),
        spelling={"numpy": called(_rows_or_cols("argmax")), "language": called(_rows_or_cols("argmax"))},
        examples=lambda: tuple(Basic.__new__(FirstLargest, A, S(axis)) for axis in (0, 1, 2)),
    ),
]
