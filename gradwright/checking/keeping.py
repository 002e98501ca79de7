"""What an expression may change when it is only tried: kept before, and put back after."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy as np

from gradwright.checking.nodes import Array, View
from gradwright.checking.objects import Frame, Function, Instance, Method

DEEPEST = 4
"""So many containers within each other are kept."""


@contextmanager
def kept(expression: ast.expr, frame: Frame, random: np.random.RandomState) -> Iterator[None]:
    """Let an expression be tried, and undo what functions and methods of the code that it calls have changed.

    Args:
        expression: The expression.
        frame: The names that it sees.
        random: What NumPy's own functions draw from.
    """
    state = random.get_state()
    undo: list[Callable[[], None]] = [lambda: random.set_state(state)]
    if any(isinstance(n, ast.Call) and _is_own(n.func, frame) for n in ast.walk(expression)):
        seen: set[int] = set()
        around: Frame | None = frame
        while around is not None:
            _keep(around.names, undo, seen, 0)
            around = around.parent
    try:
        yield
    finally:
        for step in undo:
            step()


def _is_own(function: ast.expr, frame: Frame) -> bool:
    """Say whether a call may be of a function of the code, or changes a container."""
    of = function
    while isinstance(of, (ast.Attribute, ast.Subscript)):
        of = of.value
    home = frame.find(of.id) if isinstance(of, ast.Name) else None
    value = home.names[of.id] if home is not None and isinstance(of, ast.Name) else None
    return isinstance(value, (Function, Instance, Method, list, dict))


def _keep(value: Any, undo: list[Callable[[], None]], seen: set[int], depth: int) -> None:
    if id(value) in seen or depth > DEEPEST:
        return
    seen.add(id(value))
    if isinstance(value, Instance):
        _keep(value.attributes, undo, seen, depth + 1)
    elif isinstance(value, dict):
        undo.append(_of_dict(value, dict(value)))
        for item in list(value.values()):
            _keep(item, undo, seen, depth + 1)
    elif isinstance(value, list):
        undo.append(_of_list(value, list(value)))
        for item in value:
            _keep(item, undo, seen, depth + 1)
    elif isinstance(value, Array) and not isinstance(value, View):
        undo.append(_of_array(value))
    elif isinstance(value, np.random.Generator):
        undo.append(_of_generator(value))


def _of_dict(value: dict[Any, Any], before: dict[Any, Any]) -> Callable[[], None]:
    def put_back() -> None:
        value.clear()
        value.update(before)
    return put_back


def _of_list(value: list[Any], before: list[Any]) -> Callable[[], None]:
    def put_back() -> None:
        value[:] = before
    return put_back


def _of_generator(value: np.random.Generator) -> Callable[[], None]:
    state = value.bit_generator.state

    def put_back() -> None:
        value.bit_generator.state = state
    return put_back


def _of_array(value: Array) -> Callable[[], None]:
    node = value.node

    def put_back() -> None:
        value.node = node
    return put_back
