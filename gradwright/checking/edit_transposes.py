"""Edits of transposes, and the matrix products that they are operands of."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from gradwright.checking.edit_context import Context
from gradwright.checking.edit_pieces import ATOM, Piece, called
from gradwright.checking.edit_shapes import SUMS
from gradwright.checking.edit_types import Edit

MATRIX = frozenset(["dot", "matmul", "outer", "inner"])


def untransposed(context: Context, node: ast.expr) -> Piece | None:
    """Return what a node transposes, or None where it does not."""
    match node:
        case ast.Attribute(value, "T"):
            return context.piece(value)
        case ast.Call(ast.Attribute(value), arguments):
            name = context.expression.function(node)
            if name == "transpose" and len(arguments) == 1:
                return context.piece(arguments[0])
            if name == ".transpose" and not arguments:
                return context.piece(value)
    return None


def transposed(context: Context, node: ast.expr) -> Piece:
    """Return a node transposed, in the author's style."""
    bare = untransposed(context, node)
    if bare is not None:
        return bare
    source = context.expression.source
    if f"{context.scope.numpy}.transpose(" in source and ".T" not in source:
        return called(f"{context.scope.numpy}.transpose", context.expression.text(node))
    return Piece(f"{context.piece(node).fit(ATOM)}.T")


def transpose_edits(context: Context) -> Iterator[Edit]:
    """Yield each operand with a transpose more, and each transpose dropped."""
    for node in context.values:
        if _may_be_transposed(context, node) and _is_early(context, node):
            yield _transposition(context, node)
    for _, left, right in products(context):
        changes = {left: transposed(context, left), right: transposed(context, right)}
        sentence = f"the wrong operands of {context.shown(left)} times {context.shown(right)} are transposed"
        yield context.edit(changes, "transpose", sentence)


def late_transpose_edits(context: Context) -> Iterator[Edit]:
    """Yield the transposes of what is made of operands, where other edits of equal value are more natural."""
    for node in context.values:
        if _may_be_transposed(context, node) and not _is_early(context, node):
            yield _transposition(context, node)


def _transposition(context: Context, node: ast.expr) -> Edit:
    bare = untransposed(context, node)
    sentence = f"{context.shown(node)} is not transposed" if bare is None else f"{bare.shown} is transposed"
    return context.edit({node: transposed(context, node)}, "transpose", sentence)


def _is_early(context: Context, node: ast.expr) -> bool:
    """Say whether a transpose is a slip; a sum along axis 0 of a transpose is rather one along the other axis."""
    parent = context.expression.parents.get(node)
    above = parent[0] if parent else None
    if isinstance(above, ast.Attribute) and above in context.expression.parents:
        above = context.expression.parents[above][0]
    if above is not None and context.expression.function(above) in SUMS:
        return False
    return node in context.names.key or untransposed(context, node) is not None


def _may_be_transposed(context: Context, node: ast.expr) -> bool:
    shape = context.shapes.of(node)
    if isinstance(node, ast.Constant) or (shape is not None and len(shape) < 2):
        return False
    parent = context.expression.parents.get(node)
    # Where a transpose stands above, it is edited there.
    return parent is None or untransposed(context, parent[0]) is None


def products(context: Context) -> Iterator[tuple[ast.expr, ast.expr, ast.expr]]:
    """Yield each matrix product with its operands."""
    for node in context.values:
        match node:
            case ast.BinOp(left, ast.MatMult(), right):
                yield node, left, right
            case ast.Call(_, [left, right]) if context.expression.function(node) in MATRIX:
                yield node, left, right
            case ast.Call(ast.Attribute(left), [right]) if context.expression.function(node) == ".dot":
                yield node, left, right
