"""Updates of parameters: whether they step down the gradient, and by which rate."""

from __future__ import annotations

import ast
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from gradwright.checking.following import Tag
from gradwright.checking.judgements import Judgement
from gradwright.checking.naming import key, label
from gradwright.checking.nodes import Node
from gradwright.checking.objects import Event
from gradwright.checking.reference import close, is_multiple
from gradwright.checking.trials import Trials


@dataclass(eq=False)
class Updates(Trials):
    """A run in which updates are compared.

    Attributes:
        rates: Those of right updates.
    """

    rates: list[float] = field(default_factory=list)

    def _old_version(self, event: Event) -> Tag | None:
        """Return the version of a parameter that an event goes on from, where it is an update."""
        node = event.node
        if event.previous is not None and id(event.previous) in self.holders:
            tag = self.holders[id(event.previous)]
            if tag[0] not in ("X", "Y") and (node is None or any(t[0] == tag[0] for t in node.tags)
                                             or event.manner == "in_place"):
                return tag
        if node is None or node.op not in ("subtract", "add") or event.manner == "shown":
            return None
        for parent in node.parents:
            held = self.holders.get(id(parent))
            if held is not None and held[0] not in ("X", "Y"):
                others = [t for p in node.parents if p is not parent for t in p.tags]
                labels = any(self.holders.get(id(p), ("",))[0] == "Y" for p in node.parents)
                if any(t[0] == "Y" for t in others) and not labels:  # a residual is no step
                    return held
        return self._lost_version(event, node)

    def _lost_version(self, event: Event, node: Node) -> Tag | None:
        """Return the version that an update should go on from, by its name, where it goes down the right gradient."""
        ours = self._leaf_names.get((event.owner, key(label(event.target))), set())
        if len(ours) != 1 or len(node.parents) != 2 or next(iter(ours))[0] not in "Wb":
            return None
        gradient = self.values_for(event, False).get(f"grad_{next(iter(ours))}")
        step = np.asarray(node.parents[1].value)
        if gradient is None or gradient.shape != step.shape or step.size < 2 or not is_multiple(step, gradient):
            return None
        return self.latest(next(iter(ours)), event.index)

    def _update(self, event: Event, old: Tag) -> Node | None:
        ours = old[0]
        found = Judgement(event, ours, named=True)
        self.judgements[event.index] = found
        values = self.values_for(event, False)
        before = np.asarray(self.versions[old])
        self._learn_leaf(event, ours)
        if f"grad_{ours}" not in values or self._probes(event):
            return self.version(ours, event, event.node.value) if event.node is not None else None
        gradient = values[f"grad_{ours}"] * (self.setting.scales.loss / self.setting.scales.parameters)
        value = None if event.node is None else np.asarray(event.node.value)
        if value is None:
            found.detail = "raises"
        elif value.shape != before.shape:
            found.detail = "shape"
        else:
            found.rate, found.detail = _rate(before - value, gradient, before, self.is_stateful(event))
            if found.detail == "unknown":
                return self.version(ours, event, value)
            expected_rate = self.setting.rate
            if not found.detail and expected_rate is not None and found.rate is not None:
                if abs(found.rate - expected_rate) > 1e-6 * abs(expected_rate):
                    found.detail = "rate"
            elif not found.detail and found.rate is not None and (found.rate < 0 or (
                    gradient.size == 1 and self.rates and not self._is_usual(found.rate))):
                found.detail = "rate"
        if not found.detail and value is not None:
            found.verdict, found.plain = "right", self._stands_there(event, found.rate or 0.0)
            self.rates.append(found.rate or 0.0)
            return self.version(ours, event, value)
        unread = event.node is None and not (event.unknown is not None and event.unknown.raises)
        own = abs(found.rate) if found.detail == "rate" and found.rate else 1.0  # a step up, by as much
        rate = self.setting.rate or next((r for r in self.rates if r > 0), own)
        found.verdict, found.expected = "unknown" if unread else "wrong", before - rate * gradient
        if event.node is None:
            found.operands = tuple(self.operands_of(event))
        return self.version(ours, event, found.expected)

    def _probes(self, event: Event) -> bool:
        """Say whether entries are changed by what depends on no labels: no step of descent, a finite difference."""
        node = event.node
        if node is None or node.op != "setitem" or event.manner != "in_place":
            return False
        return not any(t[0] == "Y" for p in node.parents if p is not event.previous for t in p.tags)

    def _is_usual(self, rate: float) -> bool:
        """Say whether an update before had this rate; of a single number any change is a multiple of the gradient."""
        return any(abs(rate - other) <= 1e-6 * abs(other) for other in self.rates)

    def _stands_there(self, event: Event, rate: float) -> bool:
        """Say whether a number or the name of one in an update is its rate; a rate of one need not stand there."""
        if abs(abs(rate) - 1) <= 1e-9:
            return True
        for part in ast.walk(event.expression) if event.expression is not None else ():
            if isinstance(part, (ast.Name, ast.Attribute, ast.Constant, ast.Subscript)):
                node = self.value_of(replace(event, combine=None), ast.unparse(part))
                value = None if node is None else np.asarray(node.value)
                if (value is not None and not value.ndim and value.dtype.kind in "fiu"
                        and abs(abs(float(value)) - abs(rate)) <= 1e-9 * abs(rate)):
                    return True
        return event.expression is None

    def descends(self, wrong: Judgement, value: Any) -> bool:
        """Say whether another value of a wrong update is a step of descent."""
        if wrong.expected is None or np.shape(value) != wrong.expected.shape:
            return False
        old = self._old_version(wrong.event)
        values = self.values_for(wrong.event, False)
        gradient = values.get(f"grad_{wrong.ours}")
        if old is None or gradient is None:
            return False
        gradient = gradient * (self.setting.scales.loss / self.setting.scales.parameters)
        rate, detail = _rate(self.versions[old] - np.asarray(value), gradient, self.versions[old], False)
        wanted = self.setting.rate
        return not detail and (rate or 0) > 0 and (wanted is None or abs((rate or 0) - wanted) <= 1e-6 * wanted)

    def is_stateful(self, event: Event) -> bool:
        """Say whether an update goes by more than the gradient: a running mean, a square root of one."""
        if event.expression is None:
            return False
        text = ast.unparse(event.expression).lower()
        return any(word in text for word in ("sqrt", "veloc", "moment", "v_", "m_hat", "cache", "** 0.5", "**0.5"))


def _rate(change: np.ndarray, gradient: np.ndarray, before: np.ndarray, stateful: bool) -> tuple[float | None, str]:
    """Return the learning rate of a step, and what is wrong where it is no multiple of the gradient."""
    norm = float(np.sum(gradient * gradient))
    if not norm:
        return None, "unknown"
    rate = float(np.sum(change * gradient)) / norm
    with np.errstate(all="ignore"):
        if rate and close(change / rate, gradient):
            return rate, ""
        decayed = np.stack([gradient.ravel(), before.ravel()], axis=1)
        solution, *_ = np.linalg.lstsq(decayed, change.ravel(), rcond=None)
        if before.size > 2 and close(decayed @ solution, change.ravel()) and solution[1] >= 0 and solution[0] > 0:
            return float(solution[0]), ""
    return rate, "unknown" if stateful else "value"
