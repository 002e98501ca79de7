"""Small edits of an expression: each a mistake undone, with the kind of the mistake and a sentence.

The order matters: where several edits give the right value, the first one names the mistake. So edits that a person
would call a slip come first (another layer, another name of the same role, a transpose, a sign), then wrong factors and
sums, then whatever else might be.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator

from gradwright.checking.edit_context import Context
from gradwright.checking.edit_derivatives import derivative_edits, missing_derivative_edits, partial_edits
from gradwright.checking.edit_einsum import einsum_edits
from gradwright.checking.edit_factors import extra_edits, function_edits, label_edits, missing_edits
from gradwright.checking.edit_losses import loss_edits, of_the_loss
from gradwright.checking.edit_names import name_edits, wide_name_edits
from gradwright.checking.edit_operators import operator_edits, sign_edits
from gradwright.checking.edit_scales import constant_edits, number_edits, scale_edits
from gradwright.checking.edit_sums import broadcast_edits, late_sum_edits, sum_edits
from gradwright.checking.edit_transposes import late_transpose_edits, transpose_edits
from gradwright.checking.edit_types import Edit, Scope

__all__ = ["Edit", "Scope", "edits", "pairs"]

PAIRS = 2000
"""How many pairs are tried: about as many as the check of a notebook has time for."""

COMBINED = (
    ("transpose", "operator"), ("layer_index", "layer_index"), ("wrong_name", "wrong_name"),
    ("wrong_name", "transpose"), ("layer_index", "transpose"), ("sign", "sign"), ("sign", "missing_factor"),
    ("sign", "extra_factor"), ("sign", "scale"), ("scale", "missing_sum"), ("transpose", "missing_factor"),
    ("wrong_name", "missing_factor"), ("layer_index", "missing_factor"), ("wrong_name", "missing_sum"),
    ("operator", "missing_factor"), ("transpose", "sign"), ("wrong_name", "sign"), ("layer_index", "sign"),
    ("transpose", "transpose"), ("operator", "scale"), ("transpose", "scale"), ("wrong_name", "scale"),
    ("sign", "activation_derivative"), ("missing_factor", "scale"), ("scale", "scale"),
)  # fmt: skip
"""The kinds of mistakes that are tried together, the likeliest first."""


def edits(source: str, scope: Scope) -> Iterator[Edit]:
    """Yield small edits of an expression, the likeliest first.

    Args:
        source: The text of an expression, as `ast.get_source_segment` returns it.
        scope: What the expression can see.

    Yields:
        Edits whose texts are valid, all different, and none the source itself.

    Raises:
        SyntaxError: The source is no expression.
    """
    context = Context(source, scope)
    yield from _distinct(context, _all(context))


def pairs(source: str, scope: Scope) -> Iterator[Edit]:
    """Yield two small edits at once, at most `PAIRS`; the kind is that of the first.

    Args:
        source: The text of an expression.
        scope: What the expression can see.

    Yields:
        Edits that none of `edits` is.

    Raises:
        SyntaxError: The source is no expression.
    """
    single = list(edits(source, scope))
    by_kind: dict[str, list[Edit]] = {}
    for edit in single:
        by_kind.setdefault(edit.kind, []).append(edit)
    seen = {_plain(source), *(_plain(edit.source) for edit in single)}
    followers: dict[str, dict[str, list[Edit]]] = {}
    count = 0
    for first_kind, second_kind in COMBINED:
        within = 0
        for first in by_kind.get(first_kind, ())[:FIRSTS]:
            if first.source not in followers:
                followers[first.source] = {}
                for edit in edits(first.source, scope):
                    followers[first.source].setdefault(edit.kind, []).append(edit)
            for second in followers[first.source].get(second_kind, ())[:SECONDS]:
                key = _plain(second.source)
                if key in seen:
                    continue
                seen.add(key)
                sentence = f"{first.sentence}, and {second.sentence}"
                yield Edit(second.source, first.kind, sentence, first.column, first.end)
                count, within = count + 1, within + 1
                if count == PAIRS:
                    return
                if within == EACH:
                    break
            if within == EACH:
                break


FIRSTS, SECONDS, EACH = 12, 16, 160
"""So that no kind of pair takes the places of all others."""


def _all(context: Context) -> Iterator[Edit]:
    yield from name_edits(context)
    yield from transpose_edits(context)
    yield from einsum_edits(context, "transpose")
    yield from sign_edits(context)
    yield from operator_edits(context)
    yield from einsum_edits(context, "operator")
    yield from derivative_edits(context)
    yield from partial_edits(context)
    yield from label_edits(context)
    yield from number_edits(context)
    yield from missing_derivative_edits(context)
    yield from loss_edits(context)
    yield from extra_edits(context)
    yield from sum_edits(context)
    yield from einsum_edits(context, "missing_sum")
    yield from scale_edits(context)
    yield from broadcast_edits(context)
    yield from late_sum_edits(context)
    yield from late_transpose_edits(context)
    yield from function_edits(context)
    yield from missing_edits(context)
    yield from wide_name_edits(context)
    yield from constant_edits(context)


def _distinct(context: Context, found: Iterator[Edit]) -> Iterator[Edit]:
    """Yield valid edits once each, of a loss with the kinds that they have there."""
    source = context.expression.source
    seen, of_loss, bare = {_plain(source)}, context.scope.target == "loss", _parses(source)
    for edit in found:
        key = _plain(edit.source)
        if key in seen:
            continue
        seen.add(key)
        if not _parses(edit.source):
            # A part that may span lines within its parentheses may not without them.
            wrapped = f"({edit.source})"
            if not _parses(wrapped):
                continue
            if bare:
                edit = Edit(wrapped, edit.kind, edit.sentence, edit.column, edit.end)
        yield of_the_loss(edit, context.expression) if of_loss else edit


def _plain(text: str) -> str:
    return "".join(text.split())


def _parses(text: str) -> bool:
    try:
        ast.parse(text.strip(), mode="eval")
    except SyntaxError:
        return False
    return True
