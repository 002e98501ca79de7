"""Weight decay: λ/2 Σ‖W‖² in a loss, and λ W in the gradients by weights, where the code has them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

from gradwright.checking.judgements import Learned
from gradwright.checking.nodes import ancestors_of
from gradwright.checking.objects import Event
from gradwright.checking.reference import CLOSE, close
from gradwright.checking.updates import Updates


@dataclass(eq=False)
class Decays(Updates):
    """A run in which a loss and gradients may be those of a network whose weights decay.

    Attributes:
        before: What an earlier run taught.
        partial: Events whose value is only a step to the next of the same name.
    """

    before: Learned = field(default_factory=Learned)
    partial: frozenset[int] = frozenset()
    _with_penalty: set[int] = field(default_factory=set)

    def is_decayed(self, event: Event, ours: str, values: Mapping[str, np.ndarray]) -> bool:
        """Say whether a gradient or the loss is right but for weight decay; remember λ of each."""
        value = None if event.node is None else event.node.value
        if value is None or np.shape(value) != values[ours].shape or np.asarray(value).dtype.kind != "f":
            return False
        more = np.asarray(value) - values[ours]
        if ours == "loss":
            penalised = self._is_penalised(more, values)
            if penalised and event.node is not None:
                self.learned.penalised.add(event.path)
                self._with_penalty.add(id(event.node))
            return penalised
        if not ours.startswith("grad_W") or ours[5:] not in self._by_ours:
            return False
        W = values[ours[5:]]
        decay = float(np.sum(more * W) / max(float(np.sum(W * W)), 1e-300))
        if decay <= 0 or W.size <= 2 or not close(values[ours] + decay * W, np.asarray(value)):
            return False
        self.learned.decays[ours[5:]] = decay
        return not self.before.penalty or _among(decay, self._wanted())

    def lacks_decay(self, ours: str, event: Event) -> bool:
        """Say whether a gradient has no decay where the loss, and the gradients by other weights, have it."""
        known = self.before.decays
        return (bool(self.before.penalty and known) and ours.startswith("grad_W") and ours[5:] not in known
                and event.index not in self.partial and event.manner not in ("shown", "handed"))

    def with_decay(self, event: Event, ours: str, values: Mapping[str, np.ndarray]) -> np.ndarray:
        """Return what a quantity should be, with the decay that the code has elsewhere."""
        if ours == "loss":
            above = ancestors_of(event.node) if event.node is not None else set()
            if event.path not in self.before.penalised and self._with_penalty.isdisjoint(above):
                return values[ours]
            return np.asarray(values[ours] + self._penalty(values))
        if self.before.penalty and ours.startswith("grad_W") and ours[5:] in values:
            return np.asarray(values[ours] + self._wanted()[0] * values[ours[5:]])
        return values[ours]

    def _wanted(self) -> tuple[float, ...]:
        """Return which λ gradients may have beside the loss: by the same factor as the rest, or as it stands."""
        ratio = self.setting.scales.parameters / self.setting.scales.loss
        return self.before.penalty * ratio, self.before.penalty

    def _is_penalised(self, more: np.ndarray, values: Mapping[str, np.ndarray]) -> bool:
        """Say whether what a loss has more is λ/2 Σ‖W‖², for a λ that gradients have or that the code names."""
        penalty = self._penalty(values)
        if penalty > 0 and close(more + 0.0, np.asarray(penalty)):
            self.learned.penalty = self.before.penalty or float(more) / max(self._squares(values) / 2, 1e-300)
            return True
        own = 2 * float(more) / max(self._squares(values), 1e-300)
        ratio = self.setting.scales.loss / self.setting.scales.parameters
        decays = [d * r for d in (*self.before.decays.values(), *self.learned.decays.values()) for r in (1.0, ratio)]
        numbers = [float(c) / n for c in self.run.source.facts.constants for n in (1, self.setting.samples)]
        if own > 0 and _among(own, (*decays, *numbers)):
            self.learned.penalty = own
            return True
        return False

    def _penalty(self, values: Mapping[str, np.ndarray]) -> float:
        """Return the term λ/2 Σ‖W‖² of the loss, with λ as the loss has it, or each as the gradients have it."""
        if self.before.penalty:
            return self.before.penalty * self._squares(values) / 2
        ratio = self.setting.scales.loss / self.setting.scales.parameters
        return sum(decay * float(np.sum(values[name] ** 2)) for name, decay in self.before.decays.items()) * ratio / 2

    def _squares(self, values: Mapping[str, np.ndarray]) -> float:
        return sum(float(np.sum(values[leaf.ours] ** 2)) for leaf in self.wiring.parameters
                   if leaf.ours.startswith("W") and leaf.ours in values)


def _among(value: float, numbers: tuple[float, ...]) -> bool:
    return any(abs(value - n) <= CLOSE * abs(n) for n in numbers)
