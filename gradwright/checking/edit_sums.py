"""Edits of sums and of the shapes that they leave."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from gradwright.checking.edit_context import Context
from gradwright.checking.edit_pieces import ATOM, Piece
from gradwright.checking.edit_types import Edit

REDUCTIONS = frozenset(["sum", "mean", "max", "amax", ".sum", ".mean", ".max"])
SAMPLES = "the sum over the samples is missing"


def sum_edits(context: Context) -> Iterator[Edit]:
    """Yield sums along another axis, over everything, or where none is, and expressions with a sum less."""
    for node in context.values:
        if isinstance(node, ast.Call) and context.expression.function(node) in REDUCTIONS:
            yield from _other_axes(context, node)
    for node in _summed(context):
        if not _within_reduction(context, node):
            yield from _added(context, node, "missing_sum")


def late_sum_edits(context: Context) -> Iterator[Edit]:
    """Yield sums within a reduction: of a mean over everything they make one over the samples."""
    kind = "scale" if context.scope.target == "loss" else "missing_sum"
    for node in _summed(context):
        if _within_reduction(context, node):
            yield from _added(context, node, kind)


def _within_reduction(context: Context, node: ast.expr) -> bool:
    while node in context.expression.parents:
        node = context.expression.parents[node][0]
        if context.expression.function(node) in REDUCTIONS:
            return True
    return False


def _summed(context: Context) -> list[ast.expr]:
    """Return what a sum may be missing of: the arrays among the factors first, then the whole, then its parts."""
    arrays = [n for n in context.values if context.shapes.is_array(n)]
    whole = [f for f in context.factors(context.root) if context.shapes.is_array(f) and context.is_value(f)]
    first = whole if len(whole) == 1 else []
    parts = [n for n in arrays if not isinstance(n, ast.UnaryOp) and not _is_transposed(context, n)]
    parts.sort(key=lambda n: n in context.names.key)
    # A sum of a sum is rather one along other axes.
    found = dict.fromkeys([*first, context.root, *parts])
    summed = REDUCTIONS | {".reshape", ".ravel"}
    return [n for n in found if not any(context.expression.function(f) in summed for f in context.factors(n))]


def _is_transposed(context: Context, node: ast.expr) -> bool:
    parent = context.expression.parents.get(node)
    return parent is not None and isinstance(parent[0], ast.Attribute) and parent[0].attr != "reshape"


def _added(context: Context, node: ast.expr, kind: str) -> Iterator[Edit]:
    axis, numpy = context.scope.samples_axis, context.scope.numpy
    piece = context.piece(node)
    for along, sentence in ((axis, SAMPLES), (1 - axis, "the sum over the entries of a sample is missing")):
        for options in (f", axis={along}, keepdims=True", f", axis={along}"):
            new = Piece(f"{numpy}.sum({piece.text}{options})")
            yield context.edit({node: new}, kind, sentence)
    new = Piece(f"{numpy}.sum({piece.text})")
    yield context.edit({node: new}, kind, f"the sum over the entries of {piece.shown} is missing")
    new = Piece(f"{numpy}.mean({piece.text})")
    yield context.edit({node: new}, kind, f"the mean over the entries of {piece.shown} is missing")


def _parts(context: Context, node: ast.Call) -> tuple[str, str, ast.expr, str, bool]:
    """Return how a reduction is written: its beginning, what is reduced as text and node, its axis, keepdims."""
    assert isinstance(node.func, ast.Attribute)
    arguments = list(node.args)
    if context.expression.function(node).startswith("."):
        inner = node.func.value
        begin, shown = f"{context.piece(inner).fit(ATOM)}.{node.func.attr}(", ""
    else:
        inner = arguments.pop(0) if arguments else node.func
        begin, shown = f"{context.expression.text(node.func)}(", context.expression.text(inner)
    given = {k.arg: context.expression.text(k.value) for k in node.keywords if k.arg}
    axis = given.get("axis", context.expression.text(arguments[0]) if arguments else "")
    return begin, shown, inner, axis, given.get("keepdims") == "True"


def _written(begin: str, shown: str, axis: str, kept: bool) -> Piece:
    options = [shown] * bool(shown) + [f"axis={axis}"] * bool(axis) + ["keepdims=True"] * kept
    return Piece(f"{begin}{', '.join(options)})")


def _other_axes(context: Context, node: ast.Call) -> Iterator[Edit]:
    if not node.args and not context.expression.function(node).startswith("."):
        return
    begin, shown, inner, axis, kept = _parts(context, node)
    for new in (*_others(axis, context.scope.samples_axis), ""):
        for keep in (kept, not kept):
            if new != axis:
                wrong = f"along axis {axis}" if axis else "over everything"
                right = f"along axis {new}" if new else "over everything"
                sentence = f"{context.shown(node)} goes {wrong}, not {right}"
                yield context.edit({node: _written(begin, shown, new, keep)}, "missing_sum", sentence)
    what = "mean" if "mean" in begin[-6:] else "maximum" if "max" in begin[-6:] else "sum"
    yield context.edit({node: context.piece(inner)}, "missing_sum", f"the {what} {context.shown(node)} is one too many")


def _others(axis: str, samples: int) -> tuple[str, ...]:
    if axis in {"0", "-2"}:
        return ("1",)
    if axis in {"1", "-1"}:
        return ("0",)
    return (str(samples), str(1 - samples))


def broadcast_edits(context: Context) -> Iterator[Edit]:
    """Yield axes of length one kept, added and dropped."""
    for node in context.values:
        if isinstance(node, ast.Call) and context.expression.function(node) in REDUCTIONS and (
            node.args or context.expression.function(node).startswith(".")
        ):
            begin, shown, _, axis, kept = _parts(context, node)
            sentence = f"{context.shown(node)} drops the axis that `keepdims=True` keeps"
            if kept:
                sentence = f"`keepdims=True` keeps an axis in {context.shown(node)} that is dropped"
            yield context.edit({node: _written(begin, shown, axis, not kept)}, "broadcast", sentence)
        bare = _reshaped(context, node)
        if bare is not None:
            sentence = f"{context.shown(node)} changes a shape that stays"
            yield context.edit({node: context.piece(bare)}, "broadcast", sentence)
        if isinstance(node, ast.Call) and context.expression.function(node) == ".reshape":
            yield from _other_reshape(context, node)
    for node in dict.fromkeys([context.root, *context.values]):
        shape = context.shapes.of(node)
        if shape is not None and len(shape) in {1, 2} and not _is_transposed(context, node):
            base = context.piece(node).fit(ATOM)
            tails = [".reshape(-1, 1)", ".reshape(1, -1)"] if len(shape) == 1 else [".ravel()"] * (1 in shape)
            for tail in tails:
                sentence = f"{context.shown(node)} has shape {shape}, and is broadcast"
                yield context.edit({node: Piece(base + tail)}, "broadcast", sentence)


def _reshaped(context: Context, node: ast.expr) -> ast.expr | None:
    """Return what a node only gives another shape."""
    match node:
        case ast.Call(ast.Attribute(value)) if context.expression.function(node) in {
            ".reshape", ".ravel", ".flatten", ".squeeze",
        }:  # fmt: skip
            return value
        case ast.Call(_, [value, *_]) if context.expression.function(node) in {"reshape", "squeeze", "ravel"}:
            return value
        case ast.Subscript(value, ast.Tuple(elements)) if node not in context.names.key and all(
            isinstance(e, ast.Slice | ast.Constant) or (isinstance(e, ast.Attribute) and e.attr == "newaxis")
            for e in elements
        ):
            return value
    return None


def _other_reshape(context: Context, node: ast.Call) -> Iterator[Edit]:
    assert isinstance(node.func, ast.Attribute)
    texts = [context.expression.text(a) for a in node.args]
    if len(texts) == 2:
        base = context.piece(node.func.value).fit(ATOM)
        new = Piece(f"{base}.reshape({texts[1]}, {texts[0]})")
        yield context.edit({node: new}, "broadcast", f"{context.shown(node)} has its axes in the wrong order")
