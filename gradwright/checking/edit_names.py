"""Edits of names: another array, another layer, another index."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from gradwright.checking.edit_context import Context
from gradwright.checking.edit_pieces import Piece
from gradwright.checking.edit_scope import Reference, index_parts, index_text, reference, role, stem
from gradwright.checking.edit_types import Edit


def name_edits(context: Context) -> Iterator[Edit]:
    """Yield the exchanges of an operand for one of another layer, of its role or of its shape."""
    yield from computed_edits(context)
    ranked = sorted(_ranked(context), key=lambda found: found[0])
    for rank, node, _, new in ranked:
        if rank < WIDE:
            yield from swapped(context, node, new)
    yield from _everywhere(context)


def wide_name_edits(context: Context) -> Iterator[Edit]:
    """Yield the exchanges for any array in scope."""
    for rank, node, _, new in sorted(_ranked(context), key=lambda found: found[0]):
        if rank >= WIDE:
            yield from swapped(context, node, new)
    yield from exchanged(context)


WIDE = 5


def _ranked(context: Context) -> Iterator[tuple[int, ast.expr, str, str]]:
    """Yield operands and what may stand in their place, with a number that is smaller the likelier it is."""
    arrays, ours = context.scope.arrays, context.scope.ours
    for node, key in context.names.operands:
        for new in context.names.candidates:
            if new == key:
                continue
            if not key:
                yield 6, node, key, new
                continue
            same_shape = arrays[new] == arrays[key]
            theirs, other = ours.get(key, ""), ours.get(new, "")
            (part, layer), (new_part, new_layer) = role(theirs), role(other)
            if stem(key) == stem(new) or (part == new_part and theirs):
                rank = 0 if same_shape else 1
            elif same_shape:
                rank = 2 if part.startswith("grad") == new_part.startswith("grad") else 3
            else:
                gradients = part.startswith("grad") and new_part.startswith("grad")
                rank = 4 if gradients and layer == new_layer else 5
            yield rank, node, key, new


def swapped(context: Context, node: ast.expr, new: str) -> Iterator[Edit]:
    """Yield the exchange of an operand for another, in the whole of a derivative first."""
    key = context.names.key[node]
    old = context.expression.text(node)
    sentence = f"`{old}` stands where `{new}` belongs"
    if is_derivative_swap(context, node, context.names.role_of_key(new)):
        group = context.group_of[node]
        same = [n for n, k in context.names.operands if k == key and context.group_of.get(n) is group]
        told = f"the derivative is taken at `{old}` where `{new}` belongs"
        if len(same) > 1:
            yield context.edit(dict.fromkeys(same, Piece(new)), "activation_derivative", told)
        yield context.edit({node: Piece(new)}, "activation_derivative", told)
        return
    kind = "layer_index" if stem(old) == stem(new) else "wrong_name"
    yield context.edit({node: Piece(new)}, kind, sentence)


def is_derivative_swap(context: Context, node: ast.expr, new: tuple[str, object]) -> bool:
    """Say whether a_k and h_k of one layer change places within a derivative."""
    part, layer = context.names.role_of(node)
    return node in context.group_of and layer is not None and layer == new[1] and {part, new[0]} == {"a", "h"}


def _everywhere(context: Context) -> Iterator[Edit]:
    """Yield the exchange of a name wherever it stands."""
    occurrences: dict[str, list[ast.expr]] = {}
    for node, key in context.names.operands:
        occurrences.setdefault(key, []).append(node)
    arrays, ours = context.scope.arrays, context.scope.ours
    for key, nodes in occurrences.items():
        if not key or len(nodes) < 2:
            continue
        for new in context.names.candidates:
            alike = stem(key) == stem(new) or role(ours.get(key, ""))[0] == role(ours.get(new, ""))[0]
            if new != key and (arrays[new] == arrays[key] or alike):
                kind = "layer_index" if stem(key) == stem(new) else "wrong_name"
                sentence = f"`{key}` stands where `{new}` belongs"
                yield context.edit(dict.fromkeys(nodes, Piece(new)), kind, sentence)


def exchanged(context: Context) -> Iterator[Edit]:
    """Yield the exchange of two operands for each other."""
    operands = [(node, key) for node, key in context.names.operands if key]
    for i, (first, one) in enumerate(operands):
        for second, other in operands[i + 1 :]:
            if one != other:
                changes = {first: Piece(other), second: Piece(one)}
                yield context.edit(changes, "wrong_name", f"`{one}` and `{other}` stand in each other's place")


def computed_edits(context: Context) -> Iterator[Edit]:
    """Yield other indices, then other lists and keys, for entries such as ``W[k + 1]`` and ``grads[f"dW{k}"]``."""
    entries: list[tuple[ast.expr, Reference]] = []
    for node, key in context.names.operands:
        entry = reference(context.expression.text(node))
        if entry is not None and (not key or index_parts(entry.index)[0]):
            entries.append((node, entry))
    places = list(entries)
    by_text: dict[str, list[ast.expr]] = {}
    for node, _ in entries:
        by_text.setdefault(context.expression.text(node), []).append(node)
    for steps in ((-1, 1), (-2, 2)):
        for node, entry in places:
            name, number = index_parts(entry.index)
            same = by_text[context.expression.text(node)]
            for step in steps:
                new = entry.written(index_text((name, number + step), _spaced(entry.index)))
                yield _computed(context, [node], new, "layer_index")
                if len(same) > 1 and node is same[0]:
                    yield _computed(context, same, new, "layer_index")
    for node, entry in places:
        yield from _other_roots(context, node, entry, by_text[context.expression.text(node)])


def _other_roots(context: Context, node: ast.expr, entry: Reference, same: list[ast.expr]) -> Iterator[Edit]:
    known = context.names.roots.get(entry.root)
    part, layer = context.names.role_of(node)
    for root, other in context.names.roots.items():
        if root == entry.root:
            continue
        index = entry.index
        if known and other and known[1] != other[1] and layer is not None:
            index = index_text((layer[0], layer[1] - other[1]), _spaced(index))
        new = entry.written(index, root)
        group = context.group_of.get(node)
        if group is not None and other and {part, other[0]} == {"a", "h"}:
            within = [n for n in same if context.group_of.get(n) is group]
            if len(within) > 1:
                yield _computed(context, within, new, "activation_derivative")
            yield _computed(context, [node], new, "activation_derivative")
        else:
            alike = stem(root[0] + root[1]) == stem(entry.container + entry.before)
            yield _computed(context, [node], new, "layer_index" if alike else "wrong_name")
            if len(same) > 1 and node is same[0]:
                yield _computed(context, same, new, "wrong_name")


def _computed(context: Context, nodes: list[ast.expr], new: str, kind: str) -> Edit:
    old = context.expression.text(nodes[0])
    sentence = f"`{old}` stands where `{new}` belongs"
    if kind == "activation_derivative":
        sentence = f"the derivative is taken at `{old}` where `{new}` belongs"
    return context.edit(dict.fromkeys(nodes, Piece(new)), kind, sentence)


def _spaced(index: str) -> bool:
    return " " in index or index_parts(index)[1] == 0
