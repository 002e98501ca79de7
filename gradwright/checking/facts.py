"""What the text of a file says as a whole, whatever is run of it."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from gradwright.checking.naming import label

MOST_CONSTANTS = 6
"""As many numbers of a file are remembered."""

SMALL = 1e-4
"""As much may a number that keeps a logarithm finite be, and as much of a loss may it change."""


@dataclass(frozen=True)
class Facts:
    """What is found in one walk over the trees of a file, once for all its runs: an edit of a line changes none of it.

    Attributes:
        assigned: All names that the file assigns somewhere.
        constants: Numbers that are no usual factors, such as the slope of a leaky rectifier.
        guarded: Whether a number stands in it that is as small as those that keep a logarithm finite.
        turned: The lists whose items do not keep their places: ``dW.insert(0, …)``, ``dW.reverse()``, ``dW[::-1]``.
    """

    assigned: frozenset[str]
    constants: tuple[str, ...]
    guarded: bool
    turned: frozenset[str]


def facts_of(trees: Iterable[ast.Module]) -> Facts:
    """Return what trees say as a whole."""
    nodes = [node for tree in trees for node in ast.walk(tree)]
    numbers = dict.fromkeys(repr(n.value) for n in nodes if isinstance(n, ast.Constant) and isinstance(n.value, float)
                            and n.value not in (0.0, 0.5, 1.0, 2.0))
    return Facts(frozenset(n.id for n in nodes if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)),
                 tuple(numbers)[:MOST_CONSTANTS], any(0 < float(n) <= SMALL for n in numbers),
                 frozenset(_turned(nodes)))


def _turned(nodes: Iterable[ast.AST]) -> Iterator[str]:
    for node in nodes:
        match node:
            case (ast.Call(ast.Attribute(of, "insert"), [ast.Constant(0), *_]) | ast.Call(ast.Attribute(of, "reverse"))
                  | ast.Call(ast.Name("reversed"), [ast.Name() | ast.Attribute() as of])
                  | ast.Subscript(of, ast.Slice(step=ast.UnaryOp(ast.USub())))):
                yield label(ast.unparse(of))


def lowered(body: Iterable[ast.stmt]) -> Iterator[str]:
    """Yield what something is subtracted from somewhere: ``b -= …``, ``self.b = self.b - …``."""
    for statement in body:
        match statement:
            case ast.AugAssign(target, ast.Sub()):
                yield ast.unparse(target)
            case ast.Assign([target], ast.BinOp(left, ast.Sub())) if ast.unparse(left) == ast.unparse(target):
                yield ast.unparse(target)
        for block in ("body", "orelse", "finalbody", "handlers"):
            yield from lowered(getattr(statement, block, ()))
