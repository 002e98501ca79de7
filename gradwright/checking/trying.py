"""A file with one line changed for a while: another expression, or a later statement before an earlier one."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from gradwright.checking.objects import Event

if TYPE_CHECKING:
    pass


@contextmanager
def edited(event: Event, source: str) -> Iterator[None]:
    """Let a line have another expression for a while."""
    old = event.expression
    assert old is not None
    new = ast.parse(f"({source.strip()})", mode="eval").body
    for node in ast.walk(new):
        if hasattr(node, "lineno"):
            ast.copy_location(node, old)
    put = _place_of(old, event.cell.tree)
    put(new)
    try:
        yield
    finally:
        put(old)


@contextmanager
def swapped(block: list[ast.stmt], first: int, later: int) -> Iterator[None]:
    """Let a later statement of a block stand before an earlier one for a while."""
    moved = block.pop(later)
    block.insert(first, moved)
    try:
        yield
    finally:
        block.pop(first)
        block.insert(later, moved)


def blocks_of(event: Event) -> Iterator[tuple[list[ast.stmt], int]]:
    """Yield the statements among which an assignment stands, and its place there."""
    for node in ast.walk(event.cell.tree):
        for name in ("body", "orelse"):
            block = getattr(node, name, None)
            if isinstance(block, list):
                for k, statement in enumerate(block):
                    if statement is event.tree or (not hasattr(statement, "body")
                                                   and any(part is event.tree for part in ast.walk(statement))):
                        yield block, k


def _place_of(tree: ast.expr, within: ast.AST) -> Callable[[ast.expr], None]:
    """Return what puts another expression into the place of one."""
    for node in ast.walk(within):
        for name, value in ast.iter_fields(node):
            if value is tree:
                return lambda new, node=node, name=name: setattr(node, name, new)  # type: ignore[misc]
            if isinstance(value, list):
                for k, item in enumerate(value):
                    if item is tree:
                        return lambda new, value=value, k=k: value.__setitem__(k, new)  # type: ignore[misc]
    raise LookupError("the expression is no part of the cell")
