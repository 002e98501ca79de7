"""What a line assigns, as a term of the matrix language over the names of other lines."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from gradwright.checking.following import Tag
from gradwright.checking.nodes import Node
from gradwright.checking.objects import Event

LONGEST = 400
"""A longer term is not given."""

SUM, TIMES, SIGN, POWER, ATOM = range(5)
"""How tightly a term binds."""

Text = tuple[int, str]

_SAME = ("copy", "positive", "array", "asarray", "astype", "ascontiguousarray", "float", "float64", "squeeze", "ravel",
         "flatten", "reshape", "expand_dims", "atleast_2d")
_ENTRYWISE = {name: name for name in ("exp", "log", "tanh", "sqrt", "abs", "sign", "sin", "cos", "sinh", "cosh",
                                     "sigmoid")} | {"absolute": "abs"}
_ALONG = {"sum": "sum", "mean": "mean", "max": "max", "amax": "max"}
_TOKENS = {"add": (SUM, " + "), "subtract": (SUM, " - ")}


class NoTerm(Exception):
    """A value is no term of the language."""


class Terms:
    """The terms of the lines of one run.

    A vector of one axis is a column; what NumPy broadcasts is multiplied by ones.
    """

    def __init__(self, events: Sequence[Event], holders: Mapping[int, Tag],
                 name: Callable[[Event, Node], str] = lambda event, node: event.target) -> None:
        self.name = name
        self.names: dict[int, Event] = {node: events[tag[1]] for node, tag in holders.items()}
        for event in events:
            if event.node is not None and event.manner in ("assign", "item", "in_place"):
                self.names.setdefault(id(event.node), event)

    def of(self, event: Event) -> str:
        """Return the term of an event; empty where there is none."""
        if event.node is None or not event.node.parents or event.node.op == "corrected":
            return ""
        other = self.names.get(id(event.node))
        if other is not None and other.index < event.index:
            return self.name(other, event.node)
        try:
            text = self._made(event.node)[1]
        except (NoTerm, RecursionError):
            return ""
        return text if len(text) <= LONGEST else ""

    def _show(self, node: Any, binds: int = SUM) -> str:
        """Return an operand, in parentheses where it binds more loosely than its place needs."""
        own, text = self._operand(node)
        return f"({text})" if own < binds else text

    def _operand(self, node: Any) -> Text:
        if not isinstance(node, Node):
            return _number(node)
        named = self.names.get(id(node))
        if named is not None:
            return ATOM, self.name(named, node)
        if not np.ndim(node.value) and not node.parents:
            return _number(node.value)
        return self._made(node)

    def _made(self, node: Node) -> Text:
        """Return how a value was computed."""
        if np.ndim(node.value) > 2:
            raise NoTerm
        arguments = node.arguments
        if node.op in _SAME and arguments:
            return self._shaped(node)
        if node.op in ("T", "transpose") and isinstance(arguments[0], Node):
            if np.ndim(node.value) < 2:
                return self._operand(arguments[0])
            return ATOM, self._show(arguments[0], ATOM) + "'"
        if node.op in _ENTRYWISE and len(arguments) == 1:
            return ATOM, f"{_ENTRYWISE[node.op]}({self._show(arguments[0])})"
        if node.op == "negative":
            return SIGN, "-" + self._show(arguments[0], SIGN)
        if node.op == "square":
            return POWER, f"{self._show(arguments[0], ATOM)}.^2" if np.ndim(node.value) else (
                f"{self._show(arguments[0], ATOM)}^2")
        for makers, make in ((_ALONG, self._along), (("maximum",), self._largest), (("gt", "greater"), self._step),
                             (("matmul", "outer", "inner"), self._product), (("einsum",), self._einsum),
                             (("add", "subtract", "multiply", "divide", "power"), self._entrywise)):
            if node.op in makers:
                return make(node)
        raise NoTerm

    def _shaped(self, node: Node) -> Text:
        """Return a value of the same entries: itself, or where a column became a row, its transpose."""
        of = node.arguments[0]
        if not isinstance(of, Node):
            raise NoTerm
        before, after = _matrix(np.shape(of.value)), _matrix(np.shape(node.value))
        if before == after:
            return self._operand(of)
        if before == after[::-1] and 1 in before:
            return ATOM, self._show(of, ATOM) + "'"
        raise NoTerm

    def _along(self, node: Node) -> Text:
        of, name = node.arguments[0], _ALONG[node.op]
        axis = node.options.get("axis", node.arguments[1] if len(node.arguments) > 1 else None)
        if not isinstance(of, Node) or isinstance(axis, (tuple, list)):
            raise NoTerm
        text = self._show(of)
        if axis is None or np.ndim(of.value) < 2:
            if name == "max":
                raise NoTerm
            return ATOM, f"{name}({text})"
        rows = axis % 2 == 1
        row_vector = not rows and np.ndim(node.value) == 1  # which is a column here
        return ATOM, f"{name}_{'rows' if rows else 'cols'}({text})" + "'" * row_vector

    def _largest(self, node: Node) -> Text:
        zero = [a for a in node.arguments if not isinstance(a, Node) and a == 0]
        others = [a for a in node.arguments if isinstance(a, Node)]
        if len(zero) != 1 or len(others) != 1:
            raise NoTerm
        return ATOM, f"relu({self._show(others[0])})"

    def _step(self, node: Node) -> Text:
        of, zero = node.arguments
        if isinstance(zero, Node) or zero != 0 or not isinstance(of, Node):
            raise NoTerm
        return ATOM, f"step({self._show(of)})"

    def _product(self, node: Node) -> Text:
        left, right = node.arguments[:2]
        if not (isinstance(left, Node) and isinstance(right, Node)):
            raise NoTerm
        axes = np.ndim(left.value), np.ndim(right.value)
        if 0 in axes:
            return self._entrywise(node)
        if node.op == "outer" and axes == (1, 1):
            return TIMES, f"{self._show(left, TIMES)}*{self._show(right, ATOM)}'"
        if node.op != "matmul" and axes != (1, 1):
            raise NoTerm
        if axes[0] == 1:  # xᵀA, a vector again: Aᵀx
            if axes[1] == 1:
                return TIMES, f"{self._show(left, ATOM)}'*{self._show(right, SIGN)}"
            return TIMES, f"{self._show(right, ATOM)}'*{self._show(left, SIGN)}"
        return TIMES, f"{self._show(left, TIMES)}*{self._show(right, SIGN)}"

    def _einsum(self, node: Node) -> Text:
        """Return a product of two matrices, written by indices."""
        found = re.fullmatch(r"(\w)(\w),(\w)(\w)->(\w)(\w)", str(node.arguments[0]).replace(" ", ""))
        if found is None or len(node.arguments) != 3:
            raise NoTerm
        a, b, c, d, *result = found.groups()
        shared = {a, b} & {c, d}
        if len(shared) != 1 or shared & set(result):
            raise NoTerm
        (k,) = shared
        left = self._show(node.arguments[1], ATOM) + "'" * (a == k)
        right = self._show(node.arguments[2], ATOM) + "'" * (d == k)
        rows, columns = (b if a == k else a), (c if d == k else d)
        if result == [rows, columns]:
            return TIMES, f"{left}*{right}"
        if result == [columns, rows]:
            return ATOM, f"({left}*{right})'"
        raise NoTerm

    def _entrywise(self, node: Node) -> Text:
        left, right = node.arguments[:2]
        shape = _matrix(np.shape(node.value))
        spread: Callable[[Any, int], str] = lambda operand, binds: self._spread(operand, node, binds)  # noqa: E731
        scalars = [not np.ndim(a.value if isinstance(a, Node) else a) for a in (left, right)]
        if node.op in _TOKENS:
            binds, token = _TOKENS[node.op]
            return binds, f"{spread(left, SUM)}{token}{spread(right, TIMES)}"
        if node.op == "power":
            if not scalars[1]:
                raise NoTerm
            token = "^" if shape == (1, 1) and scalars[0] else ".^"
            return POWER, f"{self._show(left, ATOM)}{token}{self._show(right, ATOM)}"
        sign = "*" if node.op in ("multiply", "matmul") else "/"
        if scalars[1] or (scalars[0] and sign == "*"):
            return TIMES, f"{spread(left, TIMES)}{sign}{spread(right, SIGN)}"
        return TIMES, f"{spread(left, TIMES)} .{sign} {spread(right, SIGN)}"

    def _spread(self, operand: Any, node: Node, binds: int) -> str:
        """Return an operand, as often as NumPy repeats it."""
        value = operand.value if isinstance(operand, Node) else operand
        if not np.ndim(value):
            return self._show(operand, binds)
        whole, own = _matrix(np.shape(node.value)), _matrix(np.shape(value))
        row = np.ndim(value) == 1 and np.ndim(node.value) == 2  # NumPy takes one axis for a row
        turned = "'" if row else ""
        own = own[::-1] if row else own
        if own == whole:
            return self._show(operand, ATOM) + turned if row else self._show(operand, binds)
        if own == (1, whole[1]):
            text = f"ones({whole[0]}, 1)*{self._show(operand, ATOM)}{turned}"
        elif own == (whole[0], 1):
            text = f"{self._show(operand, ATOM)}{turned}*ones(1, {whole[1]})"
        else:
            raise NoTerm
        return f"({text})" if binds > TIMES else text


def _matrix(shape: tuple[int, ...]) -> tuple[int, int]:
    """Return the shape of a matrix; of a vector, that of a column."""
    if len(shape) > 2:
        raise NoTerm
    return (1, 1) if not shape else (shape[0], 1) if len(shape) == 1 else (shape[0], shape[1])


def _number(value: Any) -> Text:
    if isinstance(value, np.ndarray) and not value.ndim:
        value = value.item()
    if isinstance(value, bool) or not isinstance(value, (int, float, np.number)) or not math.isfinite(value):
        raise NoTerm
    return (SIGN if value < 0 else ATOM), f"{float(value):.17g}"


def terms_of(events: Sequence[Event], holders: Mapping[int, Tag]) -> Mapping[int, str]:
    """Return the term of each event of a run, by its index; parameters and data are known by their nodes."""
    terms = Terms(events, holders)
    return {event.index: terms.of(event) for event in events}
