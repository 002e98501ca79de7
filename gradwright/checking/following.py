"""A run at chosen values: parameters, inputs and labels get them where the code assigns its own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from gradwright.checking.graph import Graph
from gradwright.checking.interpreter import Interpreter
from gradwright.checking.nodes import PRODUCTS, Node, Tape
from gradwright.checking.objects import Event
from gradwright.checking.wiring import Leaf, Wiring

Tag = tuple[str, int]
"""Our name of a parameter, of X or of Y, and the event that gave it a value."""

FOREIGN: Tag = ("another network", 0)
"""What depends on the parameters of another network in the same file."""


@dataclass(eq=False)
class Follower:
    """Listens to a run: puts values into leaves, and remembers each version of a parameter.

    Attributes:
        wiring: Parameters, inputs and labels.
        chosen: The values of leaves by event; empty to keep the code's own.
        replaced: The values of events that are known to be wrong.
        versions: The value of each version of a leaf, in the code's layout.
        holders: The version that a node is, by the node's identity.
    """

    wiring: Wiring
    chosen: Mapping[int, Any]
    tape: Tape = field(default_factory=Tape)
    replaced: Mapping[int, Any] = field(default_factory=dict)
    versions: dict[Tag, np.ndarray] = field(default_factory=dict)
    holders: dict[int, Tag] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Find leaves by event."""
        self.leaves: dict[int, Leaf] = {leaf.event: leaf for leaf in self.wiring.leaves}

    def __call__(self, event: Event) -> Node | None:
        """Put the chosen value into a leaf; other events are for those that know more."""
        leaf = self.leaves.get(event.index)
        if leaf is None and event.index in self.wiring.foreign and event.node is not None:
            return self.tape.add(Node(event.node.value, "leaf", event=event.index, tags=frozenset([FOREIGN])))
        if leaf is None:
            return self.judge(event)
        value = self.chosen.get(event.index, None if event.node is None else event.node.value)
        if value is None:
            return None
        return self.version(leaf.ours, event, value)

    def judge(self, event: Event) -> Node | None:
        """Say what replaces the value of an event: here, what was given for it."""
        if event.index not in self.replaced:
            return None
        tags = frozenset(tag for tag in self.versions if tag[0] != "Y")
        return self.tape.add(Node(self.replaced[event.index], "corrected", event=event.index, tags=tags))

    def version(self, ours: str, event: Event, value: Any) -> Node:
        """Return a node that is a new version of a leaf."""
        tag = (ours, event.index)
        node = Node(value, "leaf", event=event.index, tags=frozenset([tag]))
        if event.node is not None:
            node.parents = ()
        self.tape.add(node)
        self.versions[tag], self.holders[id(node)] = np.asarray(value), tag
        return node

    def latest(self, ours: str, before: int | None = None) -> Tag | None:
        """Return the last version of a leaf so far, or before an event."""
        return max((tag for tag in self.versions if tag[0] == ours and (before is None or tag[1] < before)),
                   default=None, key=lambda tag: tag[1])


def random_leaves(graph: Graph, wiring: Wiring, seed: int) -> dict[int, Any]:
    """Return random values for the leaves, labels of the kind that the code has."""
    rng = np.random.default_rng(seed)
    values: dict[int, Any] = {}
    for leaf in wiring.leaves:
        own = graph.run.events[leaf.event].node
        if leaf.ours == "Y":
            values[leaf.event] = _labels(graph, wiring, leaf, own, rng)
        else:
            fan = max(1, leaf.shape[0] if len(leaf.shape) else 1)
            scale = 1.5 / fan**0.5 if leaf.ours.startswith("W") else 0.7
            values[leaf.event] = rng.standard_normal(leaf.shape) * scale
    return values


def _labels(graph: Graph, wiring: Wiring, leaf: Leaf, own: Node | None, rng: np.random.Generator) -> Any:
    units, value = wiring.widths[-1], None if own is None else np.asarray(own.value)
    if leaf.classes:
        size = int(np.prod(leaf.shape))
        return np.resize(rng.permutation(units), size)[rng.permutation(size)].reshape(leaf.shape)
    kind, axis = _kind(value, units), _class_axis(wiring, leaf)
    exact = value is None or bool(np.all((value == 0) | (value == 1)))
    if kind == "distribution":
        if exact:
            return _one_hot(leaf.shape, axis, rng)
        drawn = rng.random(leaf.shape) + 0.1
        return drawn / drawn.sum(axis=axis, keepdims=True)
    if kind == "probability":
        drawn = rng.permutation(np.arange(int(np.prod(leaf.shape))) % 2).reshape(leaf.shape).astype(float)
        return drawn if exact else rng.uniform(0.1, 0.9, leaf.shape)
    if kind == "signs":
        return rng.choice([-1.0, 1.0], leaf.shape)
    return rng.standard_normal(leaf.shape)


def _class_axis(wiring: Wiring, leaf: Leaf) -> int:
    axis = 0 if wiring.samples == "columns" else 1
    return 0 if len(leaf.shape) == 1 else 1 - axis if leaf.transposed else axis


def _one_hot(shape: tuple[int, ...], axis: int, rng: np.random.Generator) -> np.ndarray:
    drawn = rng.random(shape)
    return (drawn == drawn.max(axis=axis, keepdims=True)).astype(float)


def _kind(value: np.ndarray | None, units: int) -> str:
    if value is None or value.dtype.kind not in "fiub" or not value.size:
        return "real"
    if np.all((value == 1) | (value == -1)) and np.any(value == -1):
        return "signs"
    if np.all((value >= 0) & (value <= 1)):
        sums = [np.allclose(value.sum(axis=a), 1) for a in range(value.ndim)]
        return "distribution" if units > 1 and any(sums) else "probability"
    return "real"


def partial_events(run: Interpreter) -> frozenset[int]:
    """Return the events whose value is only a step to the next of the same name, and used for nothing else."""
    graph, found = Graph(run), set()
    for event in run.events:
        if event.node is None:
            continue
        for later in run.events[event.index + 1:]:
            if later.node is None:
                if later.path == event.path and later.manner == "in_place" and later.previous is event.node:
                    found.add(event.index)  # a step, though it raises an error
                    break
                continue
            depends = id(event.node) in graph.ancestors(later.node) and later.node is not event.node
            if later.path == event.path and (depends or later.node is event.node):
                if depends:
                    found.add(event.index)
                break
            if later.path == event.path or depends:
                break
    return frozenset(found)


def linear_values(follower: Follower) -> dict[int, list[Node]]:
    """Return the nodes that hold a_k of each layer: products with W_k, with the bias where there is one."""
    found: dict[int, list[Node]] = {}
    owner: dict[int, int] = {}
    for node in follower.tape.nodes:
        if node.op in PRODUCTS and not any(tag[0] == "Y" for tag in node.tags):
            for parent in node.parents[:2]:
                names = {tag[0] for tag in parent.tags}
                if len(names) == 1 and next(iter(names)).startswith("W"):
                    k = int(next(iter(names))[1:])
                    owner[id(node)] = k
                    found.setdefault(k, []).append(node)
        elif node.op == "add" and len(node.parents) == 2:
            for linear, other in (node.parents, node.parents[::-1]):
                base = linear
                while id(base) not in owner and len(base.parents) == 1 and base.op in ("T", "reshape", "copy"):
                    base = base.parents[0]
                k = owner.get(id(base), 0)
                if k and {tag[0] for tag in other.tags} == {f"b{k}"}:
                    found[k] = [n for n in found[k] if n is not base] + [node]
    return found
