"""Which values are the biases and the labels of layers, by how they meet what is computed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from gradwright.checking.graph import Graph
from gradwright.checking.nodes import PRODUCTS, Node
from gradwright.checking.roles import LABEL
from gradwright.checking.weights_found import hinted
from gradwright.checking.wiring import Leaf


def biases_of(graph: Graph, weights: list[Node], foreign: frozenset[int]) -> dict[int, Node]:
    """Return the bias of each layer that has one: what is added to its first product, to none with foreign weights."""
    found: dict[int, Node] = {}
    candidates: list[tuple[Node, int]] = []
    positions = {id(w): k for k, w in enumerate(weights, start=1)}
    for node in graph.nodes:
        if node.op not in ("add", "subtract") or len(node.parents) != 2:
            continue
        for linear, other in (node.parents, node.parents[::-1]):
            bias = graph.named(other)
            product = graph.product_in(linear)
            if product is not None and _may_be_bias(graph, bias, node.op == "subtract"):
                factors = [id(graph.named(p)) for p in product.parents[:2]]
                if foreign.isdisjoint(factors):
                    candidates.append((bias, next((positions[f] for f in factors if f in positions), 0)))
    names = [graph.number(w) for w in weights]
    for bias, layer in candidates:
        if id(bias) in positions:
            continue
        number = graph.number(bias)
        by_name = names.index(number) + 1 if number in names and names.count(number) == 1 else 0
        k = by_name or layer
        if k and k not in found and all(b is not bias for b in found.values()):
            found[k] = bias
    return found


def _may_be_bias(graph: Graph, node: Node, subtracted: bool) -> bool:
    """Say whether a value may be a bias: a start value, no number that stays as it is, no labels."""
    if node.event < 0 or not graph.is_source(node):
        return False
    event = graph.event(node)
    return graph.is_rewritten(event) or (not subtracted and bool(
        np.ndim(node.value) and (event.target == "d" or not LABEL.search(event.target))))


def find_lost_biases(graph: Graph, weights: list[Node], biases: dict[int, Node], widths: list[int]) -> None:
    """Add biases that are rewritten, and that a mistake keeps from the sum they belong to."""
    for node in graph.lost():
        if any(b is node for b in biases.values()) or any(w is node for w in weights):
            continue
        number = graph.number(node)
        for k, weight in enumerate(weights, start=1):
            if (k not in biases and number is not None and number == graph.number(weight)
                    and node.value.size == widths[k]):
                biases[k] = node


def labels_of(graph: Graph, weights: list[Node], taken: frozenset[int], sizes: set[int],
              hints: Mapping[str, str]) -> list[Node]:
    """Return the labels: what meets a computed value entry by entry, or picks entries of it, and is of a fit size."""
    found: dict[int, Node] = {}
    for node in graph.nodes:
        if (node.op in PRODUCTS and node.op != "vdot") or len(node.parents) < 2:
            continue
        for one, other in ((a, b) for a in node.parents for b in node.parents if a is not b):
            named = graph.named(one)
            if named.event < 0 and graph.is_source(one):
                named = next(iter(_named_sources(graph, one)), named)
            if (id(named) in taken or named.event < 0 or not graph.is_source(named) or graph.is_source(other)
                    or not np.ndim(named.value) or graph.updated(named)):
                continue
            if not graph.ancestors(other) & {id(w) for w in weights}:
                continue
            found.setdefault(id(named), named)
    nodes = [n for n in found.values() if np.size(n.value) in sizes] or list(found.values())
    nodes = [n for n in nodes if np.any(n.value) or n.op == "getitem"] or nodes  # zeros are what sums begin with
    given = [n for n in nodes if hinted(graph, n, hints) == "Y"]
    if given:
        return given
    fitting = [n for n in nodes if LABEL.search(graph.event(n).target)] or nodes
    roots = {id(root): root for n in fitting for root in [_label_root(graph, n, nodes)]}
    return list(roots.values())


def meet_output(graph: Graph, weights: list[Node], inputs: set[int]) -> bool:
    """Say whether the inputs themselves are subtracted from what is computed from the last weights."""
    last = id(weights[-1])
    for node in graph.nodes:
        if node.op == "subtract" and len(node.parents) == 2:
            for one, other in (node.parents, node.parents[::-1]):
                if id(graph.named(one)) in inputs and last in graph.ancestors(other):
                    return True
    return False


def lost_labels(graph: Graph, leaves: list[Leaf], units: int, count: int) -> list[Node]:
    """Return what has the name and the size of labels, where a mistake keeps it from meeting the output."""
    taken = {leaf.event for leaf in leaves}
    named = [e.node for e in graph.run.events if e.node is not None and e.node.event == e.index
             and e.index not in taken and LABEL.search(e.target) and graph.is_source(e.node)]
    return [n for n in named if np.size(n.value) in (units * count, count) and np.ndim(n.value)][:1]


def _label_root(graph: Graph, node: Node, others: list[Node]) -> Node:
    """Return the class numbers that one-hot labels are made of, where both are used."""
    for other in others if node.op != "getitem" else ():  # a part of the labels is one of its own
        if other is not node and id(other) in graph.ancestors(node):
            return other
    return node


def _named_sources(graph: Graph, node: Node) -> Iterator[Node]:
    for parent in node.parents:
        if parent.event >= 0:
            yield parent
        yield from _named_sources(graph, parent)


def label_leaf(graph: Graph, node: Node, units: int, counts: set[int], samples: str) -> Leaf:
    """Return labels as a leaf, of a network with so many outputs and, of each count, samples that lie so."""
    shape = node.shape
    classes = node.value.dtype.kind in "iu" and node.value.size in counts and units > 1
    fitting = [(units, count) if samples == "columns" else (count, units) for count in counts]
    turned = not classes and len(shape) == 2 and shape not in fitting and shape[::-1] in fitting
    return Leaf("Y", node.event, graph.event(node).path, turned, shape, classes)
