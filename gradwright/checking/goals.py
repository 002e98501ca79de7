"""What a file must reach with one edit, to tell quickly that an edit cannot be the right one."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from gradwright.checking.blaming import Explained
from gradwright.checking.comparing import Judge
from gradwright.checking.following import Follower
from gradwright.checking.interpreter import Interpreter
from gradwright.checking.layouts import Quantities
from gradwright.checking.likely_edits import Option, direction_of
from gradwright.checking.nodes import Unreadable, substituted
from gradwright.checking.reference import close, is_multiple
from gradwright.checking.settings import Setting

if TYPE_CHECKING:
    from gradwright.checking.bench import Bench


MOST = 8
"""Of so many networks is the gradient looked for."""


@dataclass(eq=False)
class Goal:
    """What the first layer's gradient must be a multiple of, to tell quickly that an edit cannot be the right one.

    Attributes:
        events: The assignments that may be that of the gradient, by index.
        expected: That gradient under each reading.
    """

    events: list[int]
    expected: list[np.ndarray]

    @staticmethod
    def of(bench: Bench, networks: Sequence[Setting]) -> Goal | None:
        """Return the goal of a file; None where no value may be the gradient."""
        run, follower = bench.plain
        gradients = [first_gradient(follower, s) for s in {s.network: s for s in networks}.values()]
        expected = [g for g in gradients if g is not None]
        if not expected:
            return None
        events = [e.index for e in run.events if e.node is not None and e.node.event == e.index
                  and e.node.shape == expected[0].shape and any(t[0] == "Y" for t in e.node.tags)]
        return Goal(list(dict.fromkeys((*events[:2], *events[-2:]))), expected) if events else None

    def is_reached(self, run: Interpreter) -> bool:
        """Say whether a value of another run is the gradient under one of the readings."""
        return any(is_multiple(n.value, g) for n in run.tape.nodes for g in self.expected if n.shape == g.shape)

    def may_reach(self, option: Option, run: Interpreter) -> bool:
        """Say whether an edit of a line leads to the gradient under one of the readings; yes, where that is not known.

        Args:
            option: The edit.
            run: The one in which it was found.
        """
        if not option.places:
            return True
        for index in self.events:
            node = run.events[index].node if index < len(run.events) else None
            try:
                value = None if node is None else substituted(node, option.places)
            except Unreadable:
                continue
            if value is not None and any(is_multiple(value, g) for g in self.expected):
                return True
        return False


@dataclass(eq=False)
class Wanted:
    """What the lines at fault should compute, under one reading.

    Attributes:
        values: The right value of each, by its index.
    """

    values: dict[int, np.ndarray]

    @staticmethod
    def of(bench: Bench, explained: Explained) -> Wanted | None:
        """Return what is wanted; None where nothing is, or a line has no value."""
        events, found = bench.plain[0].events, {}
        for root in explained.roots:
            event = events[root.event.index] if root.event.index < len(events) else None
            if event is None or event.path != root.event.path or event.node is None or root.expected is None:
                return None
            if not root.detail:
                found[event.index] = root.expected
        return Wanted(found) if found else None

    def is_met(self, option: Option, run: Interpreter) -> bool:
        """Say whether an edit of a line makes all of them right.

        Args:
            option: The edit.
            run: The one in which it was found.
        """
        factor: float | None = None if len(self.values) > 1 else 1.0  # the reading may have the wrong one
        for index, expected in self.values.items() if option.places else ():
            node = run.events[index].node if index < len(run.events) else None
            try:
                value = None if node is None else np.asarray(substituted(node, option.places))
            except Unreadable:
                return False
            if value is None or value.shape != expected.shape or not value.size:
                return False
            if factor is None and expected.size > 1:
                largest = int(np.argmax(np.abs(expected)))
                factor = float(value.flat[largest] / expected.flat[largest]) if expected.flat[largest] else 1.0
            scale = factor if expected.size > 1 else 1.0
            if not scale or not np.isfinite(scale) or not close(value / scale, expected):
                return False
        return bool(option.places)


def is_covered(judge: Judge, lossy: bool) -> bool:
    """Say whether a run has every gradient by a parameter, and the loss where there is one, and all are right."""
    right = {j.ours if j.rate is None else f"grad_{j.ours}" for j in judge.judgements.values()
             if j.verdict in ("right", "reshaped")}
    return all(f"grad_{leaf.ours}" in right for leaf in judge.wiring.parameters) and (not lossy or "loss" in right)


def quantities(follower: Follower, networks: Sequence[Setting]) -> frozenset[object]:
    """Return marks of all quantities of some readings at the values of a run."""
    found: set[object] = {direction_of(value) for value in follower.versions.values()}
    for setting in {s.network: s for s in networks}.values():
        known = Quantities(follower.wiring, follower.chosen, setting=setting)
        known.versions = follower.versions
        found |= {direction_of(value) for value in known.first().values()}
    return frozenset(found - {None})


def factors_reached(run: Interpreter, follower: Follower, options: Sequence[Setting]) -> Callable[[Setting], bool]:
    """Return what says whether a run has the gradient by the first layer's weights as a reading scales it."""
    known: dict[tuple[Any, ...], set[float]] = {}
    for setting in options:
        mark = *(layer.activation for layer in setting.network.layers), setting.network.loss
        if mark in known or len(known) >= MOST:
            continue
        expected = first_gradient(follower, Setting(setting.wiring, setting.network))
        known[mark] = set()
        if expected is not None and np.any(expected):
            found = [n.value for n in run.tape.nodes if n.shape == expected.shape and is_multiple(n.value, expected)]
            norm = float(np.sum(expected * expected))
            known[mark] = {float(np.sum(np.asarray(value) * expected)) / norm for value in found}

    def reached(setting: Setting) -> bool:
        mark = *(layer.activation for layer in setting.network.layers), setting.network.loss
        return any(abs(setting.scales.parameters - f) <= 1e-6 * abs(f) for f in known.get(mark, ()))

    return reached


def first_gradient(follower: Follower, setting: Setting) -> np.ndarray | None:
    """Return the gradient by the first layer's weights at the values of a run, in the layout of the code."""
    quantities = Quantities(follower.wiring, follower.chosen, setting=setting)
    quantities.versions = follower.versions
    return quantities.first().get("grad_W1")
