"""Edits of factors and terms: one too many, one missing, a function applied or not."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from gradwright.checking.edit_context import Context
from gradwright.checking.edit_pieces import DROP, PRODUCT, Piece, joined, negated
from gradwright.checking.edit_scope import role
from gradwright.checking.edit_shapes import ELEMENTWISE, Shape, broadcast
from gradwright.checking.edit_transposes import products, transposed
from gradwright.checking.edit_types import Edit

SWAPPED_FUNCTIONS = ("exp", "log", "tanh", "sqrt", "square", "abs", "log1p")


def extra_edits(context: Context) -> Iterator[Edit]:
    """Yield the expression with one factor, term or function call less."""
    for group in context.groups:
        if len(group.factors) > 1 and any(f not in group.factors for f in context.factors(group.top)):
            told = " * ".join(context.piece(f).fit(PRODUCT) for f in group.factors)
            changes = dict.fromkeys(group.factors, DROP)
            yield context.edit(changes, "extra_factor", f"the derivative `{told}` is a factor too many")
    for node in context.values:
        match node:
            case ast.BinOp(left, ast.Mult() | ast.Div() | ast.MatMult(), right):
                for child in (right, left):
                    kind = "scale" if context.shapes.is_scalar(child) else "extra_factor"
                    if context.shapes.is_scalar(child) and context.shapes.is_scalar(node):
                        kind = "scale" if not isinstance(child, ast.Call) else "extra_factor"
                    if isinstance(node.op, ast.Div) and child is left and kind == "extra_factor":
                        continue
                    what = "divides by" if isinstance(node.op, ast.Div) and child is right else "is multiplied by"
                    sentence = f"{context.shown(child)} is a factor too many"
                    if what == "divides by":
                        sentence = f"the division by {context.shown(child)} is one too many"
                    yield context.edit({child: DROP}, kind, sentence, child)
            case ast.Call(_, [left, right]) if context.expression.function(node) in {"multiply", "dot", "matmul"}:
                for child in (right, left):
                    sentence = f"{context.shown(child)} is a factor too many"
                    yield context.edit({child: DROP}, "extra_factor", sentence, child)
            case ast.BinOp(left, ast.Add() | ast.Sub() as op, right):
                sentence = f"the term {context.shown(right)} is one too many"
                yield context.edit({node: context.piece(left)}, "extra_factor", sentence, right)
                sentence = f"the term {context.shown(left)} is one too many"
                kept = context.piece(right)
                yield context.edit({node: kept}, "extra_factor", sentence, left)
                if isinstance(op, ast.Sub):
                    yield context.edit({node: negated(kept)}, "extra_factor", sentence, left)
            case ast.BinOp(left, ast.Pow(), right):
                sentence = f"the power `**{context.expression.text(right)}` is one too many"
                yield context.edit({node: context.piece(left)}, "extra_factor", sentence)
            case ast.Call(_, [inner]) if (
                context.expression.function(node) in ELEMENTWISE
                or context.expression.user_function(node) in context.scope.functions
            ):
                sentence = f"`{context.expression.text(node.func)}` is applied once too often"
                yield context.edit({node: context.piece(inner)}, "extra_factor", sentence)


def function_edits(context: Context) -> Iterator[Edit]:
    """Yield another function in the place of one: NumPy's of entries, and the author's."""
    numpy = context.scope.numpy
    for node in context.values:
        name, own = context.expression.function(node), context.expression.user_function(node)
        if not isinstance(node, ast.Call) or not (name in ELEMENTWISE or own in context.scope.functions):
            continue
        if len(node.args) != 1:
            continue
        old = context.expression.text(node.func)
        for new in [*context.scope.functions, *(f"{numpy}.{f}" for f in SWAPPED_FUNCTIONS)]:
            if new == old:
                continue
            kind = "wrong_name"
            if node in context.group_of or any("'" in context.scope.functions.get(f, "") for f in (old, new)):
                kind = "activation_derivative"
            yield context.edit({node.func: Piece(new)}, kind, f"`{old}` stands where `{new}` belongs", node.func)
            if kind == "activation_derivative":
                yield from _other_argument(context, node, new)


def _other_argument(context: Context, node: ast.Call, new: str) -> Iterator[Edit]:
    """Yield another function of a and h at the other of the two: ``sigmoid(a1)`` as ``dsigmoid(h1)``."""
    part, layer = context.names.role_of(node.args[0])
    if part in {"a", "h"} and layer is not None:
        other = context.names.written("h" if part == "a" else "a", layer)
        if other:
            new_call = Piece(f"{new}({other})")
            sentence = f"{context.shown(node)} stands where {new_call.shown} belongs"
            yield context.edit({node: new_call}, "activation_derivative", sentence)


def label_edits(context: Context) -> Iterator[Edit]:
    """Yield a logarithm with its label."""
    label = context.names.theirs.get("Y")
    if not label:
        return
    for node in context.values:
        if context.expression.function(node) == "log":
            sentence = f"the label `{label}` before {context.shown(node)} is missing"
            new = joined(Piece(label), "*", context.piece(node))
            yield context.edit({node: new}, "missing_factor", sentence)
            rest = joined(Piece(f"1 - {label}", 10), "*", context.piece(node))
            sentence = f"the factor `1 - {label}` before {context.shown(node)} is missing"
            yield context.edit({node: rest}, "missing_factor", sentence)


def missing_edits(context: Context) -> Iterator[Edit]:
    """Yield further factors that are less likely: any array of the shape, a matrix, a function, a square."""
    yield from _complements(context)
    yield from missing_terms(context)
    yield from _missing_arrays(context)
    yield from _missing_matrices(context)
    for node, _ in context.names.operands:
        for function in [*context.scope.functions, f"{context.scope.numpy}.log", f"{context.scope.numpy}.exp"]:
            new = Piece(f"{function}({context.expression.text(node)})")
            yield context.edit({node: new}, "missing_factor", f"`{function}` is not applied to {context.shown(node)}")
    for node in context.values:
        if context.shapes.is_array(node) and not isinstance(node, ast.Constant):
            parent = context.expression.parents.get(node)
            if parent is None or not isinstance(parent[0], ast.Attribute | ast.UnaryOp):
                square = joined(context.piece(node), "**", Piece("2"))
                yield context.edit({node: square}, "missing_factor", f"{context.shown(node)} is not squared")


def _complements(context: Context) -> Iterator[Edit]:
    for node, _ in context.names.operands:
        if context.names.role_of(node)[0] in {"a", "h", "Y"}:
            new = Piece(f"1 - {context.expression.text(node)}", 10)
            kind = "activation_derivative" if node in context.group_of else "missing_factor"
            yield context.edit({node: new}, kind, f"{context.shown(node)} stands where {new.shown} belongs")


def target_shape(context: Context) -> Shape | None:
    """Return the shape of what the expression should compute; None where it is not known."""
    target = context.scope.target
    key = context.names.theirs.get(target) or context.names.theirs.get(target.removeprefix("grad_"))
    return context.scope.arrays[key] if key else context.shapes.of(context.root)


def missing_terms(context: Context) -> Iterator[Edit]:
    """Yield the expression with an array as a further term, and with 1 added to what it divides by."""
    shape, piece = context.shapes.of(context.root) or target_shape(context), context.piece(context.root)
    arrays = context.names.candidates
    for key in sorted(arrays, key=lambda k: role(context.scope.ours.get(k, ""))[0] not in {"b", "Y"}):
        if shape and arrays[key] and broadcast(shape, arrays[key]) == shape:
            for token in "+-":
                new = joined(piece, token, Piece(key))
                yield context.edit({context.root: new}, "missing_factor", f"the term `{key}` is missing")
    for node, old in context.names.operands:
        parent = context.expression.parents.get(node)
        if parent and (isinstance(parent[0], ast.Call) or context.is_product(parent[0])):
            for key in arrays:
                if role(context.scope.ours.get(key, ""))[0] in {"b", "Y", "y_hat"} and key != old:
                    for one, other in ((context.piece(node), Piece(key)), (Piece(key), context.piece(node))):
                        new = joined(one, "-", other)
                        yield context.edit({node: new}, "missing_factor", f"the term `{key}` is missing")
    if context.scope.target == "y_hat":
        options = f"axis={1 - context.scope.samples_axis}, keepdims=True"
        total = Piece(f"{context.scope.numpy}.sum({piece.text}, {options})")
        sentence = "the division by the sum over the classes is missing"
        yield context.edit({context.root: joined(piece, "/", total)}, "missing_factor", sentence)
    for node in context.values:
        parent = context.expression.parents.get(node)
        divides = parent and isinstance(parent[0], ast.BinOp) and isinstance(parent[0].op, ast.Div)
        if divides or context.expression.function(node) in ELEMENTWISE:
            for token in "+-":
                new = joined(Piece("1"), token, context.piece(node))
                yield context.edit({node: new}, "missing_factor", "the term `1` is missing")


def _missing_arrays(context: Context) -> Iterator[Edit]:
    shape = context.shapes.of(context.root)
    places = [context.root]
    for node, left, right in products(context):
        places += [n for n in (left, right, node) if n is not context.root]
    for place in places:
        wanted = context.shapes.of(place) if place is not context.root else shape or target_shape(context)
        for key, other in context.names.candidates.items():
            if wanted and other == wanted:
                sentence = f"the factor `{key}` is missing"
                new = joined(context.piece(place), "*", Piece(key))
                yield context.edit({place: new}, "missing_factor", sentence)


def _missing_matrices(context: Context) -> Iterator[Edit]:
    """Yield a matrix product with an array whose sizes fit, on either side."""
    places = [context.root] + [n for n, _ in context.names.operands if n is not context.root]
    for place in places:
        shape = context.shapes.of(place)
        if shape is None or len(shape) != 2:
            continue
        weights_first = sorted(context.names.candidates, key=lambda k: role(context.scope.ours.get(k, ""))[0] != "W")
        for key in weights_first:
            other = context.scope.arrays[key]
            if len(other) != 2:
                continue
            sentence, here = f"the product with `{key}` is missing", context.piece(place)
            for text, (rows, columns) in ((key, other), (f"{key}.T", other[::-1])):
                if columns == shape[0]:
                    yield context.edit({place: joined(Piece(text), "@", here)}, "missing_factor", sentence)
                if rows == shape[1]:
                    yield context.edit({place: joined(here, "@", Piece(text))}, "missing_factor", sentence)
                if columns == shape[1] and place is not context.root:
                    new = joined(Piece(text), "@", transposed(context, place))
                    yield context.edit({place: new}, "missing_factor", sentence)
