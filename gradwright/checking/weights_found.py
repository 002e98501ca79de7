"""Which values are weights and which are inputs, by how they are multiplied."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from gradwright.checking.graph import Graph
from gradwright.checking.naming import label, looks_like_gradient
from gradwright.checking.nodes import Node
from gradwright.checking.roles import INPUT, LABEL, WEIGHT


def hinted(graph: Graph, node: Node, hints: Mapping[str, str]) -> str:
    """Return our name for a node where the user gave one."""
    event = graph.event(node)
    return hints.get(event.path, hints.get(event.target, ""))


def weights_and_inputs(graph: Graph, hints: Mapping[str, str],
                       never: frozenset[int] = frozenset()) -> tuple[list[Node], list[tuple[Node, bool]]]:
    """Return the weights, and the inputs with whether they stand transposed in their first product.

    Args:
        graph: Of a run.
        hints: Our name for the code's, where the user gave them.
        never: What is neither.
    """
    products = [(p, graph.named(p.parents[0]), graph.named(p.parents[1])) for p in graph.products
                if id(p) not in graph.data]
    weights: dict[int, Node] = {}
    inputs: dict[int, Node] = {}

    def made_of_weights(node: Node) -> bool:  # such as one with an entry moved, for a finite difference
        return not (graph.ancestors(node) - {id(node)}).isdisjoint(weights)

    met = [t for t in products if all(_is_start(graph, n) and id(n) not in never for n in t[1:])]
    added = _added(graph)  # biases, which a mistake may put into a product
    met = [t for t in met if added.isdisjoint(map(id, t[1:]))] or met
    met = [t for t in met if not all(graph.is_rewritten(graph.event(n)) for n in t[1:])] or met  # no W times W
    for _, left, right in met:
        chosen = _weight_of(graph, left, right, hints)
        other = right if chosen is left else left
        if id(other) in weights or id(chosen) in inputs or made_of_weights(chosen):
            continue
        weights[id(chosen)] = chosen
        if not graph.made_of_parameters(other):
            inputs[id(other)] = other

    def is_new(node: Node) -> bool:
        return (id(node) not in inputs and id(node) not in never and id(node) not in added and _is_start(graph, node)
                and id(node) not in weights and not made_of_weights(node))

    for _, left, right in products:  # weights that meet what is computed
        for node, other in ((left, right), (right, left)):
            if is_new(node) and not graph.is_source(other) and _may_be_weight(graph, node, hints):
                weights[id(node)] = node
    names = {label(graph.event(w).path) for w in weights.values()}
    for product, left, right in products:  # further inputs meet weights that were updated
        for node, other in ((left, right), (right, left)):
            if (is_new(node) and other.event >= 0 and not graph.is_source(other)
                    and graph.is_rewritten(graph.event(other)) and label(graph.event(other).path) in names):
                inputs[id(node)] = node
                met.append((product, left, right))
    plain = [n for n in inputs.values() if not LABEL.search(graph.event(n).target)
             and not looks_like_gradient(graph.event(n).target) and not _is_hidden(graph, n, inputs, met)]
    return list(weights.values()), [(node, _flipped(met, node)) for node in plain or inputs.values()]


def _is_hidden(graph: Graph, node: Node, inputs: Mapping[int, Node], met: Sequence[tuple[Node, Node, Node]]) -> bool:
    """Say whether a value that is made of inputs meets other weights than they: one within the network."""
    def partners(of: int) -> set[str]:
        pairs = ((a, b) for _, left, right in met for a, b in ((left, right), (right, left)))
        return {label(graph.event(b).path) for a, b in pairs if id(a) == of}

    above = graph.ancestors(node) - {id(node)}
    return any(other in above and partners(other).isdisjoint(partners(id(node))) for other in inputs)


def _added(graph: Graph) -> set[int]:
    """Return the identities of start values that are added to a product with one that is rewritten, as biases are."""
    found: set[int] = set()
    for node in graph.nodes:
        if node.op == "add" and len(node.parents) == 2:
            for linear, other in (node.parents, node.parents[::-1]):
                bias, product = graph.named(other), graph.product_in(linear)
                if product is None or not _is_start(graph, bias) or not graph.is_rewritten(graph.event(bias)):
                    continue
                if node.event < 0 or graph.event(node).path != graph.event(bias).path:  # no step up the gradient
                    found.add(id(bias))
    return found


def _is_start(graph: Graph, node: Node) -> bool:
    """Say whether a value is a named array of data or of first values."""
    return node.event >= 0 and np.ndim(node.value) >= 1 and graph.is_source(node)


def _may_be_weight(graph: Graph, node: Node, hints: Mapping[str, str]) -> bool:
    """Say whether a value is rewritten, or called a weight; labels may meet what is computed too."""
    name, said = graph.event(node).target, hinted(graph, node, hints)
    called = (graph.updated(node) or graph.is_rewritten(graph.event(node)) or WEIGHT.search(name)
              or said.startswith("W"))
    return bool(called) and said not in ("X", "Y") and not LABEL.search(name)


def _weight_of(graph: Graph, left: Node, right: Node, hints: Mapping[str, str]) -> Node:
    """Return which of two operands is the weight."""
    for judge in (lambda n: hinted(graph, n, hints).startswith("W"), graph.updated,
                  lambda n: graph.is_rewritten(graph.event(n)),
                  lambda n: bool(WEIGHT.search(graph.event(n).target)),
                  lambda n: not INPUT.search(graph.event(n).target)):
        verdicts = judge(left), judge(right)
        if verdicts[0] != verdicts[1]:
            return left if verdicts[0] else right
    return left


def _flipped(met: Sequence[tuple[Node, Node, Node]], node: Node) -> bool:
    """Say whether inputs stand transposed in the first product."""
    for product, left, right in met:
        for operand, named in zip(product.parents, (left, right), strict=False):
            if named is node and product.value is not None:
                return turns(operand, node)
    return False


def turns(operand: Node, base: Node) -> bool:
    """Say whether an operand is the transpose of the node it is a view of."""
    turned = False
    while operand is not base and operand.parents:
        turned ^= operand.op in ("T", "transpose", "swapaxes")
        operand = operand.parents[0]
    return turned
