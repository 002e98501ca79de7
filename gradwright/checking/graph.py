"""What depends on what in a run."""

from __future__ import annotations

import ast
import re
from functools import cached_property

import numpy as np

from gradwright.checking.interpreter import Interpreter
from gradwright.checking.naming import label
from gradwright.checking.nodes import PRODUCTS, Node
from gradwright.checking.objects import Event
from gradwright.checking.roles import called_input

VIEWS = ("T", "transpose", "reshape", "ravel", "squeeze", "expand_dims", "swapaxes", "moveaxis", "atleast_2d", "copy",
         "array", "asarray", "astype", "positive", "flatten", "float", "ascontiguousarray")


class Graph:
    """The nodes of a run, and what depends on what.

    Attributes:
        run: The run.
        nodes: What it computed, in order.
        data: The identities of products that make data, such as labels from hidden weights.
    """

    def __init__(self, run: Interpreter) -> None:
        self.run, self.nodes = run, run.tape.nodes
        self.data: frozenset[int] = frozenset()
        self._source: dict[int, bool] = {}
        self._ancestors: dict[int, frozenset[int]] = {}

    def event(self, node: Node) -> Event:
        """Return the assignment that first named a node."""
        return self.run.events[node.event]

    def number(self, node: Node) -> int | None:
        """Return the last number in a node's name."""
        found = re.findall(r"\d+", self.event(node).path)
        return int(found[-1]) if found else None

    def stem(self, node: Node) -> str:
        """Return a node's name without numbers."""
        return re.sub(r"\d+", "", self.event(node).path)

    def is_source(self, node: Node) -> bool:
        """Say whether a value depends on no product of matrices: data, or a start value."""
        known = self._source.get(id(node))
        if known is None:
            makes = node.op not in PRODUCTS or id(node) in self.data or any(map(_is_literal, node.parents[:2]))
            known = makes and all(map(self.is_source, node.parents))
            self._source[id(node)] = known
        return known

    def ancestors(self, node: Node) -> frozenset[int]:
        """Return the identities of all nodes that a node depends on, itself included."""
        known = self._ancestors.get(id(node))
        if known is None:
            known = frozenset([id(node)]).union(*(self.ancestors(p) for p in node.parents))
            self._ancestors[id(node)] = known
        return known

    def named(self, node: Node) -> Node:
        """Return the deepest named node of which this one is a view or a copy."""
        best = node
        while node.parents and node.op in VIEWS and len(node.parents) == 1:
            node = node.parents[0]
            if node.event >= 0 or best.event < 0:
                best = node
        return best

    @staticmethod
    def product_in(node: Node) -> Node | None:
        """Return the product of matrices that a node is a view of; None where it is none."""
        while node.op in VIEWS and len(node.parents) == 1:
            node = node.parents[0]
        return node if node.op in PRODUCTS else None

    def take_as_data(self, weights: set[int]) -> None:
        """Take what is computed from some weights for data."""
        self.data |= {id(p) for p in self.products if any(id(self.named(q)) in weights for q in p.parents[:2])}
        self._source.clear()

    @cached_property
    def products(self) -> list[Node]:
        """The products of matrices, and those that failed."""
        found = [n for n in (*self.nodes, *self.run.tape.failed) if n.op in PRODUCTS and len(n.parents) >= 2]
        return sorted(found, key=lambda n: n.order)

    @cached_property
    def _looped(self) -> set[str]:
        """The names to which loops give values."""
        return {n.id for cell in self.run.source.cells for loop in ast.walk(cell.tree) if isinstance(loop, ast.For)
                for n in ast.walk(loop.target) if isinstance(n, ast.Name)}

    @cached_property
    def rewritten(self) -> set[str]:
        """The names that are assigned from themselves: ``W -= …``, ``W = W - …``."""
        found = set()
        for event in self.run.events:
            tree = event.tree
            if isinstance(tree, ast.AugAssign) and isinstance(tree.op, (ast.Sub, ast.Add)):
                found |= {event.target, label(event.target)}
                first = event.previous.event if event.previous is not None and event.target in self._looped else -1
                if first >= 0:  # for p, g in zip(parameters, gradients): p -= …
                    found |= {self.run.events[first].target, label(self.run.events[first].target)}
            elif isinstance(tree, ast.Assign) and isinstance(tree.value, ast.BinOp) and len(tree.targets) == 1:
                left = ast.unparse(tree.value.left)
                if left == ast.unparse(tree.targets[0]):
                    found.add(event.target)
                elif isinstance(tree.value.op, ast.Sub) and label(left) == label(event.target):
                    found.add(label(event.target))
            elif isinstance(tree, ast.Assign) and isinstance(tree.targets[0], ast.Tuple) and isinstance(
                    tree.value, ast.Tuple):
                pairs = zip(tree.targets[0].elts, tree.value.elts, strict=False)
                found |= {ast.unparse(t) for t, v in pairs
                          if isinstance(v, ast.BinOp) and ast.unparse(v.left) == ast.unparse(t)}
        return found

    def is_rewritten(self, event: Event) -> bool:
        """Say whether a name is assigned from itself somewhere."""
        return event.target in self.rewritten or label(event.target) in self.rewritten

    def lost(self) -> list[Node]:
        """Return named start values that are rewritten, and in no product, perhaps since a mistake keeps them out."""
        used = {id(self.named(p)) for n in self.products for p in n.parents[:2]}
        return [e.node for e in self.run.events if e.node is not None and e.node.event == e.index
                and self.is_rewritten(e) and not self.made_of_parameters(e.node) and id(e.node) not in used
                and self.is_source(e.node)
                and np.asarray(e.node.value).dtype.kind == "f" and np.ndim(e.node.value)]

    def made_of_parameters(self, node: Node) -> bool:
        """Say whether a value is computed from one that is rewritten: no input, whatever else it may be."""
        known, own = self.ancestors(node) - {id(node)}, self.event(node).path if node.event >= 0 else ""
        return any(e.node is not None and id(e.node) in known and e.node.event == e.index and self.is_rewritten(e)
                   and not (e.path == own and called_input(label(own)))  # X -= X.mean(axis=0)
                   for e in self.run.events)

    def updated(self, node: Node) -> bool:
        """Say whether there is a difference or sum of a node and something that depends on it: a step of descent."""
        for other in self.nodes:
            if other.op in ("subtract", "add") and len(other.parents) == 2 and other.event >= 0:
                left, right = other.parents
                if self.named(left) is node and id(node) in self.ancestors(right) and not self.is_source(right):
                    return True
        return False


def _is_literal(node: Node) -> bool:
    """Say whether a value has no name and is made of nothing that has: an array that is written out."""
    return node.event < 0 and node.op not in PRODUCTS and all(map(_is_literal, node.parents))
