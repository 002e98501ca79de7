"""Which networks a file computes: parameters, inputs and labels by how they are used."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import replace

import numpy as np

from gradwright.checking.graph import Graph
from gradwright.checking.interpreter import Interpreter
from gradwright.checking.leaves_found import (
    biases_of,
    find_lost_biases,
    label_leaf,
    labels_of,
    lost_labels,
    meet_output,
)
from gradwright.checking.nodes import Node
from gradwright.checking.weights_found import turns, weights_and_inputs
from gradwright.checking.wiring import Leaf, NotRecognised, Wiring


def find_wirings(run: Interpreter, hints: Mapping[str, str]) -> list[Wiring]:
    """Return the parameters, inputs and labels of each network of the code, as a rule of one.

    Weights that are never rewritten, where others are, make data. Weights that are no layers of one network are those
    of several, where none of one is computed from another.

    Args:
        run: The file, followed.
        hints: Our name for the code's, where the user gave them.

    Raises:
        NotRecognised: There is no product of named weights and inputs.
    """
    graph = Graph(run)
    weights, inputs = weights_and_inputs(graph, hints)
    parts = _parts(graph, weights)
    learned = [part for part in parts if any(graph.updated(w) or graph.is_rewritten(graph.event(w)) for w in part)]
    if len(learned) < len(parts) and learned:
        made = {id(w) for part in parts if part not in learned for w in part}
        graph.take_as_data(made)
        weights, inputs = weights_and_inputs(graph, hints, frozenset(made))
        parts = _parts(graph, weights)
    if not weights or not inputs:
        raise NotRecognised("no product of named weights and inputs was found")
    try:
        return [_wiring(graph, weights, inputs, hints)]
    except NotRecognised:
        if len(parts) < 2:
            raise
    found = [_wiring(graph, part, _inputs_of(graph, part, inputs), hints, weights) for part in parts]
    leaves = [{leaf.event for leaf in wiring.parameters} for wiring in found]
    every = frozenset(event for own in leaves for event in own)
    return [replace(wiring, foreign=every - own) for wiring, own in zip(found, leaves, strict=True)]


def _parts(graph: Graph, weights: Sequence[Node]) -> list[list[Node]]:
    """Return the weights of each network: together where the product of one is computed from that of another."""
    first: dict[int, Node] = {}
    for product in graph.products:
        for parent in product.parents[:2]:
            first.setdefault(id(graph.named(parent)), product)
    parts: list[list[Node]] = []
    for weight in sorted((w for w in weights if id(w) in first), key=lambda w: first[id(w)].order):
        above = graph.ancestors(first[id(weight)])
        joined = [part for part in parts if any(id(first[id(w)]) in above for w in part)]
        parts = [part for part in parts if part not in joined] + [[*(w for part in joined for w in part), weight]]
    return parts


def _inputs_of(graph: Graph, weights: Sequence[Node], inputs: list[tuple[Node, bool]]) -> list[tuple[Node, bool]]:
    """Return the inputs that meet one of some weights in a product."""
    own, met = {id(w) for w in weights}, set()
    for product in graph.products:
        factors = [id(graph.named(p)) for p in product.parents[:2]]
        if not own.isdisjoint(factors):
            met |= set(factors)
    return [(node, flipped) for node, flipped in inputs if id(node) in met]


def _wiring(graph: Graph, weights: list[Node], inputs: list[tuple[Node, bool]], hints: Mapping[str, str],
            every: Sequence[Node] = ()) -> Wiring:
    """Return the wiring of one network.

    Raises:
        NotRecognised: The weights are not those of layers that follow each other.
    """
    if not inputs:
        raise NotRecognised("no product of named weights and inputs was found")
    foreign = frozenset(id(w) for w in every) - {id(w) for w in weights}
    weights = [*weights, *(n for n in graph.lost() if np.ndim(n.value) == 2 and id(n) not in foreign
                           and any(graph.stem(n) == graph.stem(w) for w in weights))]
    weights = _ordered(graph, weights)
    samples, transposed = _layout(graph, weights, inputs)
    widths = _widths(weights, samples, transposed)
    leaves: list[Leaf] = []
    biases = biases_of(graph, weights, foreign)
    find_lost_biases(graph, weights, biases, widths)
    own = {id(n) for n in (*weights, *biases.values())}
    inputs = [(n, flipped) for n, flipped in inputs if not graph.ancestors(n) & own] or inputs
    for k, weight in enumerate(weights, start=1):
        leaves.append(_leaf(graph, f"W{k}", weight, transposed[k - 1]))
        if k in biases:
            leaves.append(_leaf(graph, f"b{k}", biases[k], len(biases[k].shape) == 2 and biases[k].shape !=
                                ((widths[k], 1) if samples == "columns" else (1, widths[k]))))
    for node, flipped in inputs:
        leaves.append(_leaf(graph, "X", node, flipped))
    count = _count(inputs[0][0].shape, samples, inputs[0][1])
    counts = {_count(n.shape, samples, flipped) for n, flipped in inputs}
    sizes = counts | {c * widths[-1] for c in counts}
    taken = foreign | own | {id(n) for n, _ in inputs}
    labels = labels_of(graph, weights, taken, sizes, hints)
    if not labels and widths[0] == widths[-1] and meet_output(graph, weights, {id(n) for n, _ in inputs}):
        raise NotRecognised("the labels are the inputs, as of an autoencoder, which is not read yet")
    labels = labels or lost_labels(graph, leaves, widths[-1], count)
    if not labels and any(graph.updated(w) or graph.is_rewritten(graph.event(w)) for w in weights):
        raise NotRecognised("the labels were not found: no named array meets the output")
    for node in labels:
        leaves.append(label_leaf(graph, node, widths[-1], counts, samples))
    return Wiring(samples, tuple(widths), tuple(leaves))


def _leaf(graph: Graph, ours: str, node: Node, transposed: bool) -> Leaf:
    return Leaf(ours, node.event, graph.event(node).path, transposed, node.shape)


def _ordered(graph: Graph, weights: list[Node]) -> list[Node]:
    """Return weights from the first layer to the last, by the first product each is in."""
    first: dict[int, int] = {}
    for product in graph.products:
        for parent in product.parents[:2]:
            first.setdefault(id(graph.named(parent)), product.order)
    used = sorted(weights, key=lambda n: first.get(id(n), 1 << 60))
    numbers = [graph.number(n) for n in used]
    stems = {graph.stem(n) for n in used}
    if None not in numbers and len(set(numbers)) == len(numbers) and len(stems) == 1:
        return sorted(used, key=lambda n: graph.number(n) or 0)
    return used


def _layout(graph: Graph, weights: list[Node], inputs: list[tuple[Node, bool]]) -> tuple[str, list[bool]]:
    """Return how samples lie, and which weights are stored transposed, by how most forward products are written."""
    votes: dict[tuple[str, bool], int] = {}
    positions = {id(w): k for k, w in enumerate(weights)}
    seen: set[int] = set()
    for product in graph.products:
        for side, parent in enumerate(product.parents[:2]):
            node = graph.named(parent)
            if id(node) in positions and id(node) not in seen and product.op == "matmul" and product.value is not None:
                seen.add(id(node))
                turned = turns(parent, node)
                # W h and Wᵀ h have samples as columns; h W and h Wᵀ as rows.
                key = ("columns", turned) if side == 0 else ("rows", turned)
                votes[key] = votes.get(key, 0) + 1
    options = sorted(votes, key=lambda k: -votes[k])
    options += [key for key in (("columns", False), ("rows", False), ("rows", True), ("columns", True))
                if key not in votes]
    for samples, turned in options:
        if _chains(weights, samples, turned) and _takes(weights[0], inputs, samples, turned):
            return samples, [turned] * len(weights)
    for samples, turned in options:
        if _chains(weights, samples, turned):
            return samples, [turned] * len(weights)
    raise NotRecognised("the shapes of the weights " + ", ".join(
        f"{graph.event(w).path} {w.shape}" for w in weights) + " are not those of layers that follow each other")


def _ends(weight: Node, samples: str, turned: bool) -> tuple[int, int]:
    """Return the units before and after a layer."""
    rows, columns = weight.shape if len(weight.shape) == 2 else (*weight.shape, 1)
    return (columns, rows) if (samples == "columns") != turned else (rows, columns)


def _chains(weights: list[Node], samples: str, turned: bool) -> bool:
    ends = [_ends(w, samples, turned) for w in weights]
    return all(after == before for (_, after), (before, _) in itertools.pairwise(ends))


def _takes(weight: Node, inputs: list[tuple[Node, bool]], samples: str, turned: bool) -> bool:
    if not inputs:
        return False
    node, flipped = inputs[0]
    shape = _flat(node.shape)[::-1] if flipped else _flat(node.shape)
    axis = 0 if samples == "columns" or len(shape) == 1 else 1
    return shape[axis] == _ends(weight, samples, turned)[0]


def _widths(weights: list[Node], samples: str, transposed: list[bool]) -> list[int]:
    ends = [_ends(w, samples, t) for w, t in zip(weights, transposed, strict=False)]
    return [ends[0][0], *(after for _, after in ends)]


def _flat(shape: tuple[int, ...]) -> tuple[int, ...]:
    """Return the shape of inputs as rows, of which each may be an image."""
    return (shape[0], math.prod(shape[1:])) if len(shape) > 2 else shape


def _count(shape: tuple[int, ...], samples: str, flipped: bool) -> int:
    if len(shape) == 1:
        return 1
    shape = _flat(shape)[::-1] if flipped else _flat(shape)
    return shape[1] if samples == "columns" else shape[0]
