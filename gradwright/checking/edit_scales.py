"""Edits of constants: the number of samples, 2, 1/2, sums for means, and numbers."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from gradwright.checking.edit_context import Context
from gradwright.checking.edit_pieces import PRODUCT, Piece, joined
from gradwright.checking.edit_types import Edit

EXCHANGES = {"sum": "mean", "mean": "sum", ".sum": "mean", ".mean": "sum"}


def scale_edits(context: Context) -> Iterator[Edit]:
    """Yield constant factors added and exchanged."""
    for node in context.values:
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            name = context.expression.function(node)
            if name in EXCHANGES:
                old, new = name.lstrip("."), EXCHANGES[name]
                before = context.expression.text(node.func).removesuffix(old)
                yield context.edit({node.func: Piece(before + new)}, "scale", f"`{before}{old}` stands where "
                                   f"`{before}{new}` belongs", node.func)  # fmt: skip
    places = [context.root]
    for node in context.values:
        parent = context.expression.parents.get(node)
        if parent is not None and isinstance(parent[0], ast.BinOp | ast.Call) and not isinstance(node, ast.Constant):
            above = parent[0]
            if not isinstance(above, ast.BinOp) or isinstance(above.op, ast.Add | ast.Sub):
                places.append(node)
    for place in dict.fromkeys(places):
        yield from _scaled(context, place)
    yield from _counts(context)
    yield from _normalised(context)


def _normalised(context: Context) -> Iterator[Edit]:
    """Yield the division by a sum, as in a softmax."""
    numpy, root = context.scope.numpy, context.root
    if isinstance(root, ast.Name) or context.expression.function(root) == "exp":
        text = context.expression.text(root)
        for axis in ("", f", axis={1 - context.scope.samples_axis}, keepdims=True", ", axis=-1, keepdims=True"):
            new = f"{text} / {numpy}.sum({text}{axis})"
            yield context.edit({root: Piece(new, PRODUCT)}, "missing_factor",
                               f"the division by the sum of `{text}` is missing")


def _scaled(context: Context, node: ast.expr) -> Iterator[Edit]:
    piece, count = context.piece(node), context.names.samples
    if count:
        sentence = f"the division by the number of samples, `{count}`, is missing"
        yield context.edit({node: joined(piece, "/", Piece(count))}, "scale", sentence)
        sentence = f"the factor `{count}`, the number of samples, is missing"
        yield context.edit({node: joined(piece, "*", Piece(count))}, "scale", sentence)
        yield from _by_entries(context, node)
    inner = node.operand if isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.USub) else node
    doubled = Piece(f"2 * {context.piece(inner).fit(PRODUCT)}", PRODUCT)
    yield context.edit({inner: doubled}, "scale", "the factor `2` is missing")
    yield context.edit({node: joined(piece, "/", Piece("2"))}, "scale", "the factor `1/2` is missing")


def number_edits(context: Context) -> Iterator[Edit]:
    """Yield each number exchanged for another likely one."""
    for node in context.expression.nodes:
        if not isinstance(node, ast.Constant) or not context.is_value(node) or node in context.names.key:
            continue
        value = node.value
        assert isinstance(value, int | float)
        parent = context.expression.parents.get(node)
        above = parent[0] if parent else None
        # A factor of one, or a power, is rather dropped.
        factor = isinstance(above, ast.BinOp) and (
            isinstance(above.op, ast.Mult) or (isinstance(above.op, ast.Div | ast.Pow) and above.right is node)
        )
        near = [1, 2, 0, 0.5, 3, 4, value + 1, value - 1, value * 2, value / 2, value * 10, value / 10,
                *map(float, context.scope.constants)]
        for new in dict.fromkeys(near):
            if new != value and new >= 0 and not (factor and new in {0, 1}):
                text = str(int(new)) if float(new).is_integer() and isinstance(value, int) else repr(float(new))
                old = context.expression.text(node)
                kind = "activation_derivative" if node in context.group_of else "scale"
                yield context.edit({node: Piece(text)}, kind, f"`{old}` stands where `{text}` belongs")


def _by_entries(context: Context, node: ast.expr) -> Iterator[Edit]:
    """Yield a division by the number of entries of the labels, and a product, where there are several outputs."""
    holder = context.names.theirs.get("Y") or context.names.theirs.get("y_hat")
    shape = context.scope.arrays.get(holder, ()) if holder else ()
    if len(shape) == 2 and 1 not in shape:
        for token, what in (("/", "the division by"), ("*", "the factor")):
            sentence = f"{what} `{holder}.size`, the number of entries, is missing"
            yield context.edit({node: joined(context.piece(node), token, Piece(f"{holder}.size"))}, "scale", sentence)


def constant_edits(context: Context) -> Iterator[Edit]:
    """Yield an operand with a number as a factor that stands elsewhere in the code."""
    for constant in context.scope.constants:
        for node, _ in context.names.operands:
            new = joined(Piece(constant), "*", context.piece(node))
            yield context.edit({node: new}, "scale", f"the factor `{constant}` is missing")


def _counts(context: Context) -> Iterator[Edit]:
    """Yield the number of samples for another number, and another axis of a shape."""
    count = context.names.samples
    for node in context.expression.nodes:
        text = context.expression.text(node)
        if isinstance(node, ast.Subscript) and isinstance(node.value, ast.Attribute) and node.value.attr == "shape":
            index = node.slice
            if isinstance(index, ast.Constant) and index.value in {0, 1}:
                new = f"{context.expression.text(node.value)}[{1 - int(str(index.value))}]"
                yield context.edit({node: Piece(new)}, "scale", f"`{text}` stands where `{new}` belongs")
            elif isinstance(index, ast.UnaryOp):
                new = f"{context.expression.text(node.value)}[0]"
                yield context.edit({node: Piece(new)}, "scale", f"`{text}` stands where `{new}` belongs")
        scalar = context.shapes.is_scalar(node) and (context.is_value(node) or _is_count(context, node))
        if count and scalar and text != count and not isinstance(node, ast.Constant):
            yield context.edit({node: Piece(count)}, "scale", f"`{text}` stands where `{count}` belongs")
    if count:
        for node in context.values:
            if isinstance(node, ast.Constant) and node.value not in {0, 1}:
                old = context.expression.text(node)
                yield context.edit({node: Piece(count)}, "scale", f"`{old}` stands where `{count}` belongs")


def _is_count(context: Context, node: ast.expr) -> bool:
    return isinstance(node, ast.Subscript | ast.Attribute) and context.shapes.is_scalar(node)
