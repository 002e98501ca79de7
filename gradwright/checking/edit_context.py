"""What the generators of edits share: the expression, its operands, shapes, products and derivatives."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from gradwright.checking.edit_pieces import Piece
from gradwright.checking.edit_scope import Layer, Names
from gradwright.checking.edit_shapes import ELEMENTWISE, Shapes
from gradwright.checking.edit_text import Expression
from gradwright.checking.edit_types import Edit, Scope


@dataclass(frozen=True)
class Group:
    """The factors of a product that are functions of the entries of one layer's a and h: meant as its derivative."""

    layer: Layer
    factors: tuple[ast.expr, ...]
    top: ast.expr


class Context:
    """An expression within its scope."""

    def __init__(self, source: str, scope: Scope) -> None:
        self.scope = scope
        self.expression = Expression(source, scope.numpy)
        self.names = Names(self.expression, scope)
        self.shapes = Shapes(self.expression, self.names)
        self.root = self.expression.root

    def edit(self, changes: Mapping[ast.expr, Piece], kind: str, sentence: str, at: ast.expr | None = None) -> Edit:
        """Return the expression with nodes replaced; the caret is at a node, by default all that are replaced."""
        spans = [self.expression.span(node) for node in ([at] if at is not None else changes)]
        column, end = min(s[0] for s in spans), max(s[1] for s in spans)
        return Edit(self.expression.replaced(changes), kind, sentence, column, end)

    def piece(self, node: ast.expr) -> Piece:
        """Return a node as a part for use elsewhere."""
        return self.expression.piece(node)

    def shown(self, node: ast.expr) -> str:
        """Return a node as a sentence quotes it."""
        return self.expression.piece(node).shown

    @cached_property
    def values(self) -> list[ast.expr]:
        """The nodes that have a value of their own, the outermost first."""
        return [node for node in self.expression.nodes if self.is_value(node)]

    @cached_property
    def _hidden(self) -> set[ast.expr]:
        """What stands within an operand, such as the index of an entry."""
        hidden: set[ast.expr] = set()
        waiting = [child for node, _ in self.names.operands for child in self.expression.below[node]]
        while waiting:
            node = waiting.pop()
            hidden.add(node)
            waiting += self.expression.below[node]
        for node in self.expression.nodes:
            if isinstance(node, ast.Attribute) and node.attr in {"shape", "size"}:
                hidden.update(self.expression.below[node])
                hidden.add(node)
        return hidden

    def is_value(self, node: ast.expr) -> bool:
        """Say whether a node has a value of its own that an edit may change."""
        return node not in self._hidden and self.expression.is_value(node)

    def factors(self, node: ast.expr) -> Iterator[ast.expr]:
        """Yield the factors of a product by entries; those that it is divided by are left out."""
        match node:
            case ast.BinOp(left, ast.Mult(), right):
                yield from (*self.factors(left), *self.factors(right))
            case ast.BinOp(left, ast.Div(), _):
                yield from self.factors(left)
            case ast.UnaryOp(ast.USub(), operand):
                yield from self.factors(operand)
            case ast.Call(_, [left, right]) if self.expression.function(node) == "multiply":
                yield from (*self.factors(left), *self.factors(right))
            case _:
                yield node

    def is_product(self, node: ast.AST) -> bool:
        """Say whether a node is a product or quotient by entries, or one with its sign changed."""
        if isinstance(node, ast.UnaryOp):
            return isinstance(node.op, ast.USub)
        if isinstance(node, ast.BinOp):
            return isinstance(node.op, ast.Mult | ast.Div)
        return self.expression.function(node) == "multiply"

    def layers(self, node: ast.expr) -> set[Layer | None]:
        """Return the layers whose a and h a function of entries reads; None stands for whatever else it does."""
        if node in self.names.key:
            part, layer = self.names.role_of(node)
            return {layer} if part in {"a", "h"} and layer not in {("", 0), None} else {None}
        match node:
            case ast.Constant():
                return set()
            case ast.BinOp(_, op, _) if not isinstance(op, ast.MatMult):
                below: list[ast.expr] = [node.left, node.right]
            case ast.UnaryOp(_, operand):
                below = [operand]
            case ast.Compare(left, _, comparators):
                below = [left, *comparators]
            case ast.Call(ast.Attribute(value, "astype"), _):
                below = [value]
            case ast.Call(_, arguments) if (
                self.expression.function(node) in ELEMENTWISE
                or self.expression.user_function(node) in self.scope.functions
            ):
                below = arguments
            case _:
                return {None}
        return set().union(*map(self.layers, below))

    @cached_property
    def groups(self) -> list[Group]:
        """The derivatives of activations that the expression seems to have."""
        found: list[Group] = []
        if self.names.backward:
            self._find_groups(self.root, found, len(self.expression.nodes) > 1)
        return found

    def _find_groups(self, node: ast.expr, found: list[Group], alone: bool) -> None:
        factors = list(self.factors(node))
        by_layer: dict[Layer, list[ast.expr]] = {}
        rest = []
        for factor in factors:
            layers = self.layers(factor)
            layer = next(iter(layers)) if len(layers) == 1 else None
            # A name on its own is a factor only where there is another.
            if layer and (len(factors) > 1 or (alone and factor not in self.names.key)):
                by_layer.setdefault(layer, []).append(factor)
            else:
                rest.append(factor)
        found += [Group(layer, tuple(nodes), node) for layer, nodes in by_layer.items()]
        for factor in rest:
            for child in self.expression.below[factor]:
                # Within a sum or a matrix product a function of entries is a derivative only if it can be nothing else.
                self._find_groups(child, found, isinstance(factor, ast.Call) or isinstance(child, ast.Compare))

    @cached_property
    def group_of(self) -> dict[ast.expr, Group]:
        """The derivative in which an operand stands."""
        found = {}
        for group in self.groups:
            waiting = list(group.factors)
            while waiting:
                node = waiting.pop()
                found[node] = group
                waiting += self.expression.below[node]
        return found

    def nearest_layers(self) -> list[Layer]:
        """Return the layers whose derivative may belong in the expression, the likeliest first."""
        found: list[Layer] = [group.layer for group in self.groups]
        target = self.names.target_layer
        computed = [layer for node, _ in self.names.operands if (layer := self.names.role_of(node)[1]) and layer[0]]
        computed = computed or [layer for text in self.scope.entries if (layer := self.names.layer_of(text))]
        if computed:
            variable = computed[0][0]
            numbers = sorted({n for v, n in computed if v == variable})
            found += [(variable, n) for n in (*numbers, numbers[0] - 1, numbers[-1] + 1)]
        if target is not None and not computed:
            # The gradient of a parameter of layer k has a derivative of layer k in it, that of h_k of layer k + 1.
            step = 1 if self.scope.target.startswith("grad_h") else 0
            found += [("", target + step), ("", target + 1 - step), ("", target - 1)]
        if not computed:
            found += [("", n) for n in sorted(self.scope.activations)]
        return [layer for layer in dict.fromkeys(found) if layer[0] or layer[1] in self.scope.activations]
