"""Edits that put the right derivative of the activation in the place of a wrong one, a part of it, or of none."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from gradwright.checking.edit_context import Context, Group
from gradwright.checking.edit_pieces import ATOM, DROP, PRODUCT, SIGN, Piece, joined
from gradwright.checking.edit_scope import Layer
from gradwright.checking.edit_types import Edit


@dataclass(frozen=True)
class Derivative:
    """A derivative of an activation in the author's names: its factors, and the activation's name."""

    factors: tuple[Piece, ...]
    activation: str

    @property
    def piece(self) -> Piece:
        """The product of the factors."""
        result = self.factors[0]
        for factor in self.factors[1:]:
            result = joined(result, "*", factor)
        return result


def derivatives(context: Context, layer: Layer) -> list[Derivative]:
    """Return the ways to write the derivative of a layer's activation, those of the author's style first."""
    scope, names = context.scope, context.names
    a, h = names.written("a", layer), names.written("h", layer)
    activations = [scope.activations.get(layer[1], "")]
    if layer[0]:  # of a layer within a loop only that it is a hidden one is known
        hidden = [name for number, name in sorted(scope.activations.items()) if number != names.last]
        activations = list(dict.fromkeys(hidden))
    found: list[Derivative] = []
    for activation in activations:
        by_function, by_formula = [], []
        for function, meaning in scope.functions.items():
            if meaning == f"{activation}'" and a:
                by_function.append(Derivative((Piece(f"{function}({a})"),), activation))
            if meaning == f"{activation}' of h" and h:
                by_function.append(Derivative((Piece(f"{function}({h})"),), activation))
        own = [f for f, meaning in scope.functions.items() if meaning == activation]
        by_formula += [Derivative(f, activation) for f in _formulas(scope.numpy, activation, a, h)]
        if a and own and activation in {"sigmoid", "tanh"}:
            again = f"{own[0]}({a})"
            by_formula += [Derivative(f, activation) for f in _formulas(scope.numpy, activation, "", again)]
        elif a and not h and activation == "tanh":
            again = f"{scope.numpy}.tanh({a})"
            by_formula += [Derivative(f, activation) for f in _formulas(scope.numpy, activation, "", again)]
        source = context.expression.source
        calls = any(f"{f}(" in source for f in scope.functions)
        plain = any(not context.expression.user_function(f) for g in context.groups for f in g.factors)
        found += by_function + by_formula if calls or not plain else by_formula + by_function
    return found


def _formulas(numpy: str, activation: str, a: str, h: str) -> Iterator[tuple[Piece, ...]]:
    """Yield formulas of a derivative of a and h, where these have a name."""
    a_atom = Piece(a).fit(ATOM)
    match activation:
        case "sigmoid" if h:
            yield Piece(h), Piece(f"1 - {h}", 10)
        case "tanh" if h:
            yield (Piece(f"1 - {h}**2", 10),)
        case "relu":
            yield from ((Piece(f"{name} > 0", 5),) for name in (a, h) if name)
        case "leaky_relu":
            yield from ((Piece(f"{numpy}.where({name} > 0, 1, 0.01)"),) for name in (a, h) if name)
        case "elu" if a:
            yield (Piece(f"{numpy}.where({a} > 0, 1, {numpy}.exp({a}))"),)
        case "softplus" if a:
            yield (Piece(f"1 / (1 + {numpy}.exp(-{a_atom}))", PRODUCT),)
        case "silu" if a and h:
            yield (Piece(f"({h} + (1 - {h}) / (1 + {numpy}.exp(-{a_atom})))"),)


def _bare(text: str) -> str:
    """Return a factor's text without spaces and parentheses, for comparison."""
    text = "".join(text.split())
    return text[1:-1] if text.startswith("(") and text.endswith(")") else text


def _overlap(context: Context, group: Group, derivative: Derivative) -> str:
    """Say whether a group is a part of a derivative, the whole, more than it, or something else."""
    have = [_bare(context.expression.text(f)) for f in group.factors]
    want = [_bare(piece.text) for piece in derivative.factors]
    if sorted(have) == sorted(want):
        return "whole"
    if all(w in have for w in want):
        return "more"
    return "part" if set(have) < set(want) else ""


def _in_place(context: Context, group: Group, derivative: Derivative) -> dict[ast.expr, Piece]:
    new, first = derivative.piece, group.factors[0]
    parent = context.expression.parents.get(first)
    above = parent[0] if parent else None
    if new.binds == PRODUCT and isinstance(above, ast.BinOp) and isinstance(above.op, ast.Mult) and len(
        derivative.factors
    ) > 1:  # fmt: skip
        new = Piece(new.text, SIGN)  # a product in a product needs no parentheses
    return {first: new, **dict.fromkeys(group.factors[1:], DROP)}


def derivative_edits(context: Context) -> Iterator[Edit]:
    """Yield the right derivative for what is meant as one."""
    for group in context.groups:
        if len(group.factors) == 1 and context.expression.user_function(group.factors[0]):
            yield from _called_derivatives(context, group)
        for layer in context.nearest_layers():
            found = derivatives(context, layer)
            if layer == group.layer and any(_overlap(context, group, d) in {"part", "whole", "more"} for d in found):
                continue  # a factor missing or too many, which other edits tell better
            for derivative in found:
                if len(group.factors) > 1 and group.factors[0] is group.top:
                    continue
                old = " * ".join(context.piece(f).fit(PRODUCT) for f in group.factors)
                sentence = (f"`{old}` stands where the derivative of {derivative.activation}, "
                            f"{derivative.piece.shown}, belongs")  # fmt: skip
                kind = "activation_derivative" if layer == group.layer else "layer_index"
                yield context.edit(_in_place(context, group, derivative), kind, sentence)


def _called_derivatives(context: Context, group: Group) -> Iterator[Edit]:
    """Yield calls of the author's derivatives in the place of a call: ``sigmoid(a1)`` as ``sigmoid_prime(a1)``."""
    factor = group.factors[0]
    for derivative in derivatives(context, group.layer):
        if derivative.piece.text.partition("(")[0] in context.scope.functions:
            sentence = f"{context.shown(factor)} stands where {derivative.piece.shown} belongs"
            yield context.edit({factor: derivative.piece}, "activation_derivative", sentence)


def partial_edits(context: Context) -> Iterator[Edit]:
    """Yield a derivative completed of which one factor stands already."""
    for group in context.groups:
        for derivative in derivatives(context, group.layer):
            if _overlap(context, group, derivative) == "part":
                have = {_bare(context.expression.text(f)) for f in group.factors}
                lacking = " * ".join(p.text for p in derivative.factors if _bare(p.text) not in have)
                sentence = (f"the factor `{lacking}` of the derivative of {derivative.activation}, "
                            f"{derivative.piece.shown}, is missing")  # fmt: skip
                yield context.edit(_in_place(context, group, derivative), "missing_factor", sentence)


def missing_derivative_edits(context: Context) -> Iterator[Edit]:
    """Yield the derivative of a layer as a further factor: of the whole, of terms, of operands of products."""
    if not context.names.backward:
        return
    places = [context.root]
    for node in context.values:
        parent = context.expression.parents.get(node)
        if parent is not None and context.shapes.is_array(node) and node not in context.group_of:
            # A product's last factor gets it only as a part of the product.
            chain = context.is_product(node) or not context.is_product(parent[0])
            if chain and not context.is_product(parent[0]):
                places.append(node)
    done: set[str] = set()
    for place in places:
        for layer in context.nearest_layers():
            for derivative in derivatives(context, layer):
                sentence = (f"the factor `{derivative.piece.text}`, the derivative of {derivative.activation}, "
                            "is missing")  # fmt: skip
                edit = context.edit({place: times(context, place, derivative)}, "missing_factor", sentence)
                if edit.source not in done:
                    done.add(edit.source)
                    yield edit


def times(context: Context, node: ast.expr, derivative: Derivative) -> Piece:
    """Return a node times a derivative."""
    piece = context.piece(node)
    if f"{context.scope.numpy}.multiply(" in context.expression.source:
        return Piece(f"{context.scope.numpy}.multiply({piece.text}, {derivative.piece.text})")
    for factor in derivative.factors:
        piece = joined(piece, "*", factor)
    return piece

