"""Softmax and its logarithm, by columns or by rows."""

from __future__ import annotations

from typing import Any

import numpy as np
from sympy import MatrixSymbol, OneMatrix

from symbolic.functions import GOODFELLOW
from symbolic.operations.table import ATOM, Operation, Rule, Show
from symbolic.terms import LogSoftmax, Softmax, Term, add, hadamard, log_softmax, negative, product, softmax


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
        spelling={"numpy": _called("softmax")},
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
        spelling={"numpy": _called("log_softmax")},
        examples=lambda: (log_softmax(A, 0), log_softmax(A, 1)),
    ),
]
