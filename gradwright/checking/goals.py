"""What a file must reach with one edit, to tell quickly that an edit cannot be the right one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from gradwright.checking.blaming import Explained
from gradwright.checking.comparing import Judge
from gradwright.checking.following import Follower
from gradwright.checking.interpreter import Interpreter
from gradwright.checking.layouts import Quantities
from gradwright.checking.likely_edits import direction_of
from gradwright.checking.nodes import Node, Unreadable, recompute
from gradwright.checking.objects import Event, Mark
from gradwright.checking.reference import close, is_multiple
from gradwright.checking.settings import Setting

if TYPE_CHECKING:
    from gradwright.checking.bench import Bench


@dataclass(eq=False)
class Goal:
    """What the first layer's gradient must be a multiple of, to tell quickly that an edit cannot be the right one.

    Attributes:
        nodes: The values in the run that may be that gradient.
        expected: That gradient under each reading.
        once: The lines that assign once: of others, one value says nothing.
    """

    nodes: list[Node]
    expected: list[np.ndarray]
    once: set[Mark]
    ancestors: Callable[[Node], frozenset[int]]

    @staticmethod
    def of(bench: Bench, networks: Sequence[Setting]) -> Goal | None:
        """Return the goal of a file; None where no value may be the gradient."""
        run, follower = bench.plain
        gradients = [first_gradient(follower, s) for s in {s.network: s for s in networks}.values()]
        expected = [g for g in gradients if g is not None]
        if not expected:
            return None
        nodes = [e.node for e in run.events if e.node is not None and e.node.event == e.index
                 and e.node.shape == expected[0].shape and any(t[0] == "Y" for t in e.node.tags)]
        marks = [e.mark for e in run.events]
        return Goal(nodes[:3], expected, {m for m in marks if marks.count(m) == 1},
                    bench.plain_graph.ancestors) if nodes else None

    def is_reached(self, run: Interpreter) -> bool:
        """Say whether a value of another run is the gradient under one of the readings."""
        return any(is_multiple(n.value, g) for n in run.tape.nodes for g in self.expected if n.shape == g.shape)

    def may_reach(self, event: Event, node: Node) -> bool:
        """Say whether a value in place of a line's leads to the gradient under one of the readings."""
        if event.node is None or event.mark not in self.once:
            return True
        for of in self.nodes:
            value = of.value
            if id(event.node) in self.ancestors(of):
                try:
                    value = recompute(of, {event.node: node.value})
                except Unreadable:
                    continue
            if any(is_multiple(value, g) for g in self.expected):
                return True
        return False


@dataclass(eq=False)
class Wanted:
    """What the lines at fault should compute, under one reading.

    Attributes:
        values: Each of their values in the run as it is, with the right one.
        ancestors: What a value depends on.
    """

    values: list[tuple[Node, np.ndarray]]
    ancestors: Callable[[Node], frozenset[int]]

    @staticmethod
    def of(bench: Bench, explained: Explained) -> Wanted | None:
        """Return what is wanted; None where nothing is, or a line has no value."""
        events, found = bench.plain[0].events, []
        for root in explained.roots:
            event = events[root.event.index] if root.event.index < len(events) else None
            if event is None or event.path != root.event.path or event.node is None or root.expected is None:
                return None
            if not root.detail:
                found.append((event.node, root.expected))
        return Wanted(found, bench.plain_graph.ancestors) if found else None

    def is_met(self, event: Event, node: Node) -> bool:
        """Say whether a value in place of a line's makes all of them right."""
        if event.node is None:
            return False
        for of, expected in self.values:
            if id(event.node) not in self.ancestors(of):
                return False
            try:
                if not close(recompute(of, {event.node: node.value}), expected):
                    return False
            except Unreadable:
                return False
        return True


def is_covered(judge: Judge, lossy: bool) -> bool:
    """Say whether a run has every gradient by a parameter, and the loss where there is one, and all are right."""
    right = {j.ours if j.rate is None else f"grad_{j.ours}" for j in judge.judgements.values()
             if j.verdict in ("right", "reshaped")}
    return all(f"grad_{leaf.ours}" in right for leaf in judge.wiring.parameters) and (not lossy or "loss" in right)


def quantities(follower: Follower, networks: Sequence[Setting]) -> frozenset[object]:
    """Return marks of all quantities of some readings at the values of a run."""
    found: set[object] = set()
    for setting in {s.network: s for s in networks}.values():
        known = Quantities(follower.wiring, follower.chosen, setting=setting)
        known.versions = follower.versions
        found |= {direction_of(value) for value in known.first().values()}
    return frozenset(found - {None})


def first_gradient(follower: Follower, setting: Setting) -> np.ndarray | None:
    """Return the gradient by the first layer's weights at the values of a run, in the layout of the code."""
    quantities = Quantities(follower.wiring, follower.chosen, setting=setting)
    quantities.versions = follower.versions
    return quantities.first().get("grad_W1")
