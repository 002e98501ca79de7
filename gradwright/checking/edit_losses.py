"""Edits of a loss: a part of the cross-entropy that is missing, another array in its logarithm."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import replace

from gradwright.checking.edit_context import Context
from gradwright.checking.edit_pieces import Piece, joined
from gradwright.checking.edit_text import Expression
from gradwright.checking.edit_types import Edit

OF_THE_LOSS = frozenset(["missing_factor", "extra_factor", "scale"])
"""In a loss these say that it is another loss than that of the gradients."""


def loss_edits(context: Context) -> Iterator[Edit]:
    """Yield the other half of the binary cross-entropy beside the one that is there."""
    label, output = context.names.theirs.get("Y"), context.names.theirs.get("y_hat")
    if context.scope.target != "loss" or not label or not output:
        return
    log = f"{context.scope.numpy}.log"
    halves = (Piece(f"{label} * {log}({output})", 11), Piece(f"(1 - {label}) * {log}(1 - {output})", 11))
    for node, key in context.names.operands:
        if key == label:
            sentence = f"the factor `{log}({output})` is missing"
            new = joined(Piece(label), "*", Piece(f"{log}({output})"))
            yield context.edit({node: new}, "loss_mismatch", sentence)
    for node in context.values:
        if context.expression.function(node) != "log":
            continue
        top: ast.expr = node
        while top in context.expression.parents and _is_product(context.expression.parents[top][0]):
            top = context.expression.parents[top][0]
        for half in reversed(halves):
            sentence = f"the term {half.shown} of the loss is missing"
            for token in "+-":
                yield context.edit({top: joined(context.piece(top), token, half)}, "loss_mismatch", sentence)
                if top is not node:
                    yield context.edit({node: joined(context.piece(node), token, half)}, "loss_mismatch", sentence)


def _is_product(node: ast.expr) -> bool:
    return isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult)


def of_the_loss(edit: Edit, original: Expression) -> Edit:
    """Return an edit of a loss with the kind that it has there."""
    if edit.kind in OF_THE_LOSS:
        return replace(edit, kind="loss_mismatch")
    if edit.kind in {"wrong_name", "layer_index"} and _within_log(edit, original):
        return replace(edit, kind="loss_mismatch")
    return edit


def _within_log(edit: Edit, original: Expression) -> bool:
    spans = [original.span(node) for node in original.nodes if original.function(node) == "log"]
    return any(begin <= edit.column and edit.end <= end for begin, end in spans)
