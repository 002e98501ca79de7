"""The network's quantities at the values that an assignment depends on, in the layout of the code."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from gradwright.checking.following import Follower, Tag
from gradwright.checking.nodes import Node
from gradwright.checking.objects import Event
from gradwright.checking.settings import Setting
from gradwright.checking.wiring import Leaf


@dataclass(eq=False)
class Quantities(Follower):
    """A run that knows what each quantity of the network should be.

    Attributes:
        setting: What the code is taken to compute.
    """

    setting: Setting = None  # type: ignore[assignment]  # follows fields with defaults
    _cache: dict[tuple[Any, ...], dict[str, np.ndarray]] = field(default_factory=dict)
    _current: dict[str, Tag] = field(default_factory=dict)

    def __post_init__(self) -> None:
        """Find leaves by their names."""
        super().__post_init__()
        self._by_ours = {leaf.ours: leaf for leaf in self.wiring.leaves}
        self._X = [leaf for leaf in self.wiring.leaves if leaf.ours == "X"]

    def _ours(self, leaf: Leaf, value: Any) -> np.ndarray:
        """Return a leaf's value in our layout."""
        value = np.asarray(value)
        columns = self.wiring.samples == "columns"
        if leaf.ours == "Y" and leaf.classes:
            one_hot = np.eye(self.wiring.widths[-1])[value.ravel().astype(int)]
            return one_hot.T if columns else one_hot
        value = value.astype(float)
        if leaf.ours in ("X", "Y"):
            if value.ndim > 2:  # images, one after another
                value = value.reshape(len(value), -1)
            value = value.T if leaf.transposed and value.ndim == 2 else value
            if value.ndim < 2:
                units = self.wiring.widths[0 if leaf.ours == "X" else -1]
                shape = (units, -1) if columns else (-1, units)
                return value.reshape(shape) if value.size % units == 0 else value.reshape(-1, 1)
            return value
        if leaf.ours.startswith("W"):
            value = value.T if leaf.transposed else value
            return value.reshape(self.setting.network.parameter_shapes()[leaf.ours])
        return value.reshape(self.setting.network.parameter_shapes()[leaf.ours])

    def _theirs(self, ours: str, value: np.ndarray, like: tuple[int, ...] | None = None) -> np.ndarray:
        """Return a quantity in the code's layout."""
        base = ours.removeprefix("grad_")
        leaf = self._by_ours.get(base)
        if leaf is not None and base not in ("X", "Y"):
            turned = value.T if leaf.transposed else value
            return turned.reshape(leaf.shape)
        if leaf is not None and base == "X":
            turned = value.T if leaf.transposed else value
            return turned.reshape(leaf.shape) if turned.size == np.prod(leaf.shape) else turned
        if self._X and len(self._X[0].shape) == 1 and value.ndim == 2 and 1 in value.shape:
            return value.ravel()
        return value

    def key_for(self, event: Event, forward: bool) -> tuple[dict[str, Tag], tuple[Tag, ...], tuple[Tag, ...]]:
        """Return the versions of parameters, inputs and labels that an event's value belongs to."""
        tags = event.node.tags if event.node is not None else frozenset()
        chosen: dict[str, Tag] = {}
        for leaf in self.wiring.parameters:
            own = [tag for tag in tags if tag[0] == leaf.ours]
            if own and forward:
                chosen[leaf.ours] = max(own, key=lambda t: t[1])
            elif own:
                chosen[leaf.ours] = min(own, key=lambda t: t[1])
            elif leaf.ours in self._current and not forward and self._current[leaf.ours][1] < event.index:
                chosen[leaf.ours] = self._current[leaf.ours]
            else:
                latest = self.latest(leaf.ours, event.index)
                if latest is not None:
                    chosen[leaf.ours] = latest
        found = [tuple(sorted((t for t in tags if t[0] == name), key=lambda t: t[1])) for name in ("X", "Y")]
        inputs = found[0] or ((self._current["X"],) if "X" in self._current else self._last("X"))
        labels = found[1]
        if len(labels) != len(inputs):
            labels = self._partners(inputs)
        return chosen, inputs, labels

    def _last(self, ours: str) -> tuple[Tag, ...]:
        latest = self.latest(ours)
        return (latest,) if latest is not None else ()

    def _partners(self, inputs: tuple[Tag, ...]) -> tuple[Tag, ...]:
        """Return the labels of inputs, by their order."""
        order = [leaf.event for leaf in self._X]
        labels = [leaf for leaf in self.wiring.leaves if leaf.ours == "Y"]
        if len(labels) == len(order):
            return tuple(("Y", labels[order.index(tag[1])].event) for tag in inputs if tag[1] in order)
        return self._last("Y") or tuple(("Y", leaf.event) for leaf in labels[:1])

    def values_for(self, event: Event, forward: bool) -> dict[str, np.ndarray]:
        """Return every quantity at the values that an event belongs to; empty before all of them are known."""
        chosen, inputs, labels = self.key_for(event, forward)
        if len(chosen) < len(self.wiring.parameters) or not inputs:
            return {}
        mark = (tuple(sorted(chosen.values())), inputs, tuple(t for t in labels if t in self.versions))
        if mark not in self._cache:
            self._cache[mark] = self._compute(chosen, inputs, labels)
        return self._cache[mark]

    def first(self) -> dict[str, np.ndarray]:
        """Return every quantity at the first values of the parameters, over all samples."""
        chosen = {leaf.ours: min((t for t in self.versions if t[0] == leaf.ours), default=None, key=lambda t: t[1])
                  for leaf in self.wiring.parameters}
        known = {ours: tag for ours, tag in chosen.items() if tag is not None}
        inputs = tuple(sorted((t for t in self.versions if t[0] == "X"), key=lambda t: t[1]))
        if len(known) < len(chosen) or not inputs:
            return {}
        return self._compute(known, inputs, self._partners(inputs))

    def values_for_operands(self, event: Event, operands: tuple[Node, ...]) -> dict[str, np.ndarray]:
        """Return every quantity where an event has no value, by what its operands depend on."""
        tags = frozenset().union(*(n.tags for n in operands)) if operands else frozenset()
        forward = not any(t[0] == "Y" for t in tags)
        return self.values_for(replace(event, node=Node(np.zeros(()), "operands", tags=tags)), forward)

    def _compute(self, chosen: dict[str, Tag], inputs: tuple[Tag, ...],
                 labels: tuple[Tag, ...]) -> dict[str, np.ndarray]:
        axis = 1 if self.wiring.samples == "columns" else 0
        try:
            parameters = {name: self._ours(self._by_ours[name], self.versions[tag]) for name, tag in chosen.items()}
            leaves = {leaf.event: leaf for leaf in self.wiring.leaves}
            X = np.concatenate([self._ours(leaves[t[1]], self.versions[t]) for t in inputs], axis)
            known = [t for t in labels if t in self.versions]
            units = self.wiring.widths[-1]
            shape = (units, X.shape[1]) if axis else (X.shape[0], units)
            Y = (np.concatenate([self._ours(leaves[t[1]], self.versions[t]) for t in known], axis) if known
                 else np.full(shape, 1 / units))
            if Y.shape != shape:
                Y = Y.reshape(shape) if Y.size == np.prod(shape) else np.full(shape, 1 / units)
            values = self.setting.reference.values(parameters, X, Y)
        except (ValueError, KeyError):
            return {}
        samples, scales = X.shape[axis], self.setting.scales
        found: dict[str, np.ndarray] = {}
        for name, value in values.items():
            factor = scales.loss if name == "loss" else 1.0
            if name.startswith("grad_"):
                factor = scales.parameters if name[5:] in self._by_ours and name[5:] != "X" else scales.values
            mean = factor == scales.loss and self.setting.network.reduction == "mean"
            if mean and 1 < samples != self.setting.samples:
                factor *= self.setting.samples / samples  # the mean over another batch, as one for validation
            found[name] = self._theirs(name, np.asarray(value) * factor)
        found["N"] = np.asarray(float(samples))
        return found
