"""Each assignment against what was derived: right, wrong, or not known; after a wrong one the right value goes on."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from gradwright.checking.decays import Decays
from gradwright.checking.facts import SMALL
from gradwright.checking.following import FOREIGN
from gradwright.checking.judgements import Fix, Judgement, is_main
from gradwright.checking.naming import Key, is_called_loss, key, label, looks_like_gradient, of_gradient
from gradwright.checking.nodes import DRAWN, Array, Node, ancestors_of
from gradwright.checking.objects import Event, Frame, Instance
from gradwright.checking.reference import CLOSE, activation_value, close, compare, slope, squeezed

FAR = 1e-4
"""By so much of their size the first entries of two values differ that need no closer look."""


@dataclass(frozen=True, eq=False)
class _Known:
    """A quantity, with what tells quickly that a value is another."""

    name: str
    value: np.ndarray
    squeezed: tuple[int, ...]
    start: float


@dataclass(eq=False)
class Judge(Decays):
    """Compares events as they come.

    Attributes:
        fixes: Of events that are known to be wrong, by index, or by mark.
        names: Our names of events that are known by their use.
        probe: What to do at an event, before it is judged.
        after: Names of gradients by h_k or ŷ that hold those by a_k.
        drawn: What depends on a mask that is drawn, and so is not compared.
    """

    fixes: Mapping[Any, Fix] = field(default_factory=dict)
    names: Mapping[int, str] = field(default_factory=dict)
    probe: Mapping[int, Callable[[Event, Judge], None]] = field(default_factory=dict)
    after: set[str] = field(default_factory=set)
    drawn: list[Event] = field(default_factory=list)
    _totals: set[int] = field(default_factory=set)
    _orders: dict[tuple[bool, int], tuple[Mapping[str, np.ndarray], list[_Known]]] = field(default_factory=dict)

    def judge(self, event: Event) -> Node | None:
        """Compare an event, and return the right value in place of a wrong one."""
        if event.index in self.probe:
            self.probe[event.index](event, self)
        fix = self.fixes.get(event.index) or self.fixes.get(event.mark)
        if fix is not None:
            return self._apply(event, fix)
        node = event.node
        if node is not None and event.manner == "handed":
            return self._hand(event, node)
        if node is not None and id(node) in self.holders:
            return self._alias(event, node)
        if node is not None and FOREIGN in node.tags and all(t[0][0] not in "Wb" for t in node.tags):
            return None
        if node is not None and DRAWN in node.tags:
            self.drawn.append(event)
            return None
        old = self._old_version(event)
        if old is not None:
            return self._update(event, old)
        return self._compare(event)

    def _alias(self, event: Event, node: Node) -> Node | None:
        """Another name of a parameter, of X or of Y; the name of another parameter is a mistake."""
        ours, mark = self.holders[id(node)][0], key(label(event.target))
        meant = self._leaf_names.get((event.owner, mark), set())
        gradient = self.name_of(event) if looks_like_gradient(event.target) else ""
        if gradient.startswith("grad_"):
            expected = self.values_for(event, False).get(gradient)
            if expected is not None:
                self.judgements[event.index] = Judgement(event, gradient, "wrong", expected, named=True)
                return self._replacement(event, gradient, expected)
        if (mark[1] or event.origin is not None) and len(meant) == 1 and ours not in meant and (
                ours[0] in "Wb" or event.origin is not None):
            right = next(iter(meant))
            tag = self.latest(right)
            if tag is not None and right[0] in "Wb":
                self.judgements[event.index] = Judgement(event, right, "wrong", self.versions[tag], named=True)
                return self._nodes[tag]
        self._learn_leaf(event, ours)
        self.judgements[event.index] = Judgement(event, ours, "right")
        return None

    def _hand(self, event: Event, node: Node) -> Node | None:
        """A value that is handed on under a name: wrong where the name has a number, and means another of ours."""
        held, judged = self.holders.get(id(node)), self.judgements.get(node.event)
        known = judged.ours if judged is not None and judged.verdict != "unknown" else ""
        ours = known if held is None else held[0]
        found = self.judgements[event.index] = Judgement(event, ours, "right" if ours else "unknown")
        meant, holder = self._meant(event), re.sub(r"(?:\[[^\[\]]*\]|\.\w+)$", "", event.path)
        if meant[:1] in ("W", "b") and ours == meant:
            self.learned.holders.add(holder)
        elif meant[:1] in ("W", "b") and ours.startswith("grad_") and holder not in self.before.holders:
            meant = f"grad_{meant}"  # gradients under the names of their parameters
        if not ours or meant in ("", ours) or self._is_next(meant, ours) or ours == "function":
            return None
        tag = self.latest(meant)
        if tag is not None:
            expected: np.ndarray | None = self.versions[tag]
        else:
            expected = self.values_for(event, not meant.startswith("grad_")).get(meant)
        if expected is None or compare(node.value, expected):
            return None
        found.ours, found.verdict, found.expected, found.named = meant, "wrong", expected, True
        return self._nodes[tag] if tag is not None else self._replacement(event, meant, expected)

    def _meant(self, event: Event) -> str:
        """Return what a numbered name means in all of the file; empty where that is not one thing."""
        mark = key(label(event.target))
        if not mark[1]:
            return ""
        found = self._leaf_names.get((0, mark), set()) | (self.learned.own.get(mark, set())
                                                          or self.before.own.get(mark, set()))
        if found:
            return next(iter(found)) if len(found) == 1 else ""
        return self.name_of(event)

    def _compare(self, event: Event) -> Node | None:
        ours, value = self.name_of(event), None if event.node is None else event.node.value
        forward = not ours.startswith("grad_") if ours else not (
            event.node is not None and any(t[0] == "Y" for t in event.node.tags))
        values = self.values_for(event, forward)
        found = Judgement(event, ours, named=bool(ours))
        self.judgements[event.index] = found
        if event.node is None and event.unknown is not None and event.unknown.raises:
            found.operands = tuple(self.operands_of(event))
            if not ours and any(tag[0] not in "XY" for node in found.operands for tag in node.tags):
                found.verdict = "raises"
        if not values or (event.manner == "shown" and not ours and event.node is None):
            return None
        how = compare(value, values[ours]) if ours in values and value is not None else ""
        if how == "equal" and self.lacks_decay(ours, event):
            found.verdict, found.expected = "wrong", self.with_decay(event, ours, values)
        elif how == "equal":
            found.verdict = "right"
        elif how == "reshaped":
            found.verdict, found.expected = "reshaped", values[ours]
        else:
            other, how = self.by_value(event, values)
            other_is_meant = how == "equal" and (self._from_itself(event) or self._learned_only(event, ours))
            if how == "equal" and self._is_next(ours, other):
                self.after.add(event.path)
                other_is_meant |= event.path in self.setting.after
            if other and (not ours or other_is_meant):
                found.ours, found.verdict = other, "right" if how == "equal" else "reshaped"
                found.expected = values.get(other)
            elif ours == "loss" and (self._has_other_labels(event) or self._is_total(event)):
                return None
            elif ours in values and (self.is_decayed(event, ours, values)
                                     or (ours == "loss" and self._is_safe(value, values["loss"]))):
                found.verdict = "right"
            elif ours in values and event.index not in self.partial and self._judged(event):
                found.verdict, found.expected = "wrong", self.with_decay(event, ours, values)
                if event.node is None and not (event.unknown is not None and event.unknown.raises):
                    found.verdict = "unknown"  # not read; the derived value goes on
                    return self._replacement(event, ours, found.expected)
        if found.verdict in ("right", "reshaped"):
            self._learn_value(event, found.ours, forward)
            return None
        if found.verdict == "wrong" and found.expected is not None:
            return self._replacement(event, found.ours, found.expected)
        return None

    def _is_safe(self, value: Any, expected: np.ndarray) -> bool:
        """Say whether a loss differs by no more than a small number of the code does that keeps a logarithm finite."""
        if value is None or np.shape(value) != expected.shape or not self.run.source.facts.guarded:
            return False
        return bool(np.all(np.abs(value - expected) <= SMALL * np.abs(expected)))

    def _is_total(self, event: Event) -> bool:
        """Say whether a value is summed up from losses that are right: a running total, or what is made of one."""
        if event.node is None:
            return False
        above = ancestors_of(event.node)
        losses = (j.event for j in self.judgements.values() if j.ours == "loss" and j.verdict == "right")
        if not any(e.path != event.path and e.node is not None and id(e.node) in above for e in losses):
            return False
        sums = isinstance(event.tree, ast.AugAssign) or event.manner in ("item", "shown")
        if sums or not self._totals.isdisjoint(above):
            self._totals.add(id(event.node))
            return True
        return False

    def _is_next(self, ours: str, other: str) -> bool:
        """Say whether a value is the gradient by a_k where its name says h_k or ŷ."""
        last = f"grad_a{len(self.setting.network.layers)}"
        return (ours == "grad_y_hat" and other == last) or (
            ours[:6] == "grad_h" and other == f"grad_a{ours[6:]}")

    def _has_other_labels(self, event: Event) -> bool:
        """Say whether a loss is of inputs beside those that are trained on, and of labels that are not known."""
        tags = event.node.tags if event.node is not None else frozenset()
        X, Y = ([leaf.event for leaf in self.wiring.leaves if leaf.ours == name] for name in "XY")
        return len(X) > len(Y) and ("X", X[0]) not in tags and any(t[0] == "X" for t in tags)

    @staticmethod
    def _judged(event: Event) -> bool:
        """Say whether a name may accuse: not that of zeros to start with."""
        return event.node is None or bool(event.node.tags)

    def _learned_only(self, event: Event, ours: str) -> bool:
        """Say whether a forward value goes by a name that meant another before, as in a loop."""
        return not ours.startswith("grad_") and event.index not in self.names

    def _from_itself(self, event: Event) -> bool:
        """Say whether a name gets a value made from the one it had."""
        return event.manner == "in_place" or (event.previous is not None and event.node is not None
                                              and any(p is event.previous for p in event.node.parents))

    def _learn_value(self, event: Event, ours: str, forward: bool) -> None:
        if (ours[:1] in ("a", "h") and ours[1:].isdigit()) or ours in ("y_hat", "loss"):
            self._learn(event, ours)
        if forward and (ours == "y_hat" or ours == "loss" or (ours[:1] in ("a", "h") and ours[1:].isdigit())):
            chosen, inputs, _ = self.key_for(event, True)
            self._current = dict(chosen) | {"X": inputs[-1]}

    def by_value(self, event: Event, values: Mapping[str, np.ndarray]) -> tuple[str, str]:
        """Return our name of a value and whether its shape is the same; empty texts where it is none of ours."""
        if event.node is None:
            return "", ""
        value = np.asarray(event.node.value)
        if value.dtype.kind not in "fiu" or (event.node.op == "number" and not value.ndim and value in (0, 1)):
            return "", ""
        if not value.size or not np.all(np.isfinite(value)):
            return "", ""
        gradient, small, start = looks_like_gradient(event.target), squeezed(value.shape), float(value.flat[0])
        second = ("", "")
        for known in self._order(values, gradient):
            far = abs(start - known.start) > FAR * (abs(start) + abs(known.start)) + CLOSE
            if far or known.squeezed != small or (not small and known.name not in ("loss", "N")):
                continue
            how = compare(value, known.value)
            if how == "equal":
                return known.name, how
            if how and not second[0] and (is_main(known.name)):
                second = known.name, how
        if not second[0] and event.manner == "return" and self._is_known_function(event):
            return "function", "equal"
        return second

    def _order(self, values: Mapping[str, np.ndarray], gradient: bool) -> list[_Known]:
        """Return our quantities in the order in which a value is looked up; of a gradient, gradients first."""
        mark = (gradient, id(values))
        if mark not in self._orders:
            names = sorted(values, key=lambda n: (
                n.startswith("grad_") != gradient, n in self._by_ours, not is_main(n)))
            known = [_Known(name, values[name], squeezed(values[name].shape), float(values[name].flat[0]))
                     for name in names if values[name].size]
            self._orders[mark] = values, known
        return self._orders[mark][1]

    def _is_known_function(self, event: Event) -> bool:
        """Say whether a function of the code returns a known function of its argument, whatever that is."""
        arguments = [v.node for n, v in event.frame.names.items()
                     if isinstance(v, Array) and n in event.frame.parameters and v.node is not event.node]
        value = np.asarray(event.node.value) if event.node is not None else None
        for node in arguments:
            a = np.asarray(node.value)
            if value is None or a.dtype.kind != "f" or a.shape != value.shape or not a.size:
                continue
            for layer in {layer.activation: layer for layer in self.setting.network.layers}.values():
                name = layer.activation
                options = [activation_value(name, a, axis) for axis in range(a.ndim)] if name == "softmax" else [
                    activation_value(name, a), slope(name, a)]
                if name == "sigmoid":
                    options.append(a * (1 - a))
                if name == "tanh":
                    options.append(1 - a * a)
                if any(close(value, option) for option in options):
                    return True
        return False

    def name_of(self, event: Event) -> str:
        """Return what an event's name or use says that it is; empty where that is not certain."""
        if event.index in self.names:
            return self.names[event.index]
        node, path = event.node, event.target
        if is_called_loss(path) and self._is_loss(event):
            return "loss"
        if event.manner == "shown":
            return ""
        known = self.before.paths.get(event.path, set())
        if len(known) == 1 and event.manner in ("assign", "item"):
            ours = next(iter(known))
            if (is_main(ours) and ours != "loss" and not ours.startswith("grad") and node is not None
                    and np.asarray(node.value).dtype.kind == "f" and any(t[0] == "W1" for t in node.tags)):
                return ours
        if event.manner == "return":
            return ""
        for base in of_gradient(path):
            near = self._near(event, base)
            if near is not None:
                if len(near) == 1:
                    return "grad_" + next(iter(near))
                continue
            numbered = {owner for owner, name in self._leaf_names if name == base and base[1]}
            for owner in dict.fromkeys((event.owner, 0, *(numbered if len(numbered) == 1 else ()))):
                found = {*self._leaf_names.get((owner, base), ()), *self.before.keys.get((owner, base), ())}
                found = {o for o in found if o not in ("Y", "loss") and not o.startswith("grad")}
                if len(found) == 1:
                    return "grad_" + next(iter(found))
        return ""

    def _near(self, event: Event, base: Key) -> set[str] | None:
        """Return what a name means in the function where it is used: ``x`` of a layer's ``dx``; None where nothing."""
        if event.frame.function is None:
            return None
        names: dict[str, Any] = {}
        frame: Frame | None = event.frame
        while frame is not None and frame.function is not None:  # and those of the functions around it
            for value in frame.names.values():
                if isinstance(value, Instance):
                    names = value.attributes | names
            names, frame = frame.names | names, frame.parent
        nodes = [v.node for n, v in names.items() if isinstance(v, Array) and key(n) == base]
        if not nodes:
            return None
        found = {self.holders[id(n)][0] for n in nodes if id(n) in self.holders}
        others = [self.judgements.get(n.event) for n in nodes if id(n) not in self.holders]
        found |= {judged.ours for judged in others if judged is not None}
        return {ours for ours in found if ours != "Y" and is_main(ours) and not ours.startswith("grad_")}

    def _is_loss(self, event: Event) -> bool:
        if event.node is None:
            return event.unknown is not None and event.unknown.raises
        names = {t[0] for t in event.node.tags}
        if np.size(event.node.value) != 1:
            strict = label(event.target.removesuffix("()")).lower() in ("loss", "cost", "j", "l", "mse", "bce")
            if any("loss" in meanings for meanings in self.before.paths.values()):
                return False  # another value is the loss
            known = event.index in self.partial or self.by_value(event, self.values_for(event, False))[0]
            return strict and {"X", "Y"} <= names and not known
        sure = re.search(r"loss|cost|^[lj]$|cross_?entropy|nll", label(event.target.removesuffix("()")), re.IGNORECASE)
        return bool(names & {"X", "Y"}) and bool(names - {"X", "Y"} or (sure and event.node.op != "number"))

    def _replacement(self, event: Event, ours: str, expected: np.ndarray) -> Node:
        """Return a node with the right value, which depends on what it should depend on."""
        chosen, inputs, labels = self.key_for(event, not ours.startswith("grad_"))
        tags = frozenset((*chosen.values(), *inputs, *(labels if ours == "loss" or ours.startswith("grad_") else ())))
        parents = (event.node,) if event.node is not None else ()
        return self.tape.add(Node(np.array(expected), "corrected", parents=parents, event=event.index, tags=tags))

    def _apply(self, event: Event, fix: Fix) -> Node | None:
        """Put the right value in place of one that is known to be wrong."""
        found = Judgement(event, fix.ours, "wrong", named=bool(fix.ours))
        self.judgements[event.index] = found
        if fix.ours:
            values = self._fitting_values(event, fix)
            if fix.ours not in values:
                return None
            found.expected = self.with_decay(event, fix.ours, values)
            self._learn_value(event, fix.ours, not fix.ours.startswith("grad_"))
            return self._replacement(event, fix.ours, found.expected)
        node = self.value_of(event, fix.expression)
        if node is None:
            return None
        found.expected = np.asarray(node.value)
        return self.tape.add(Node(node.value, "corrected", parents=(node,), event=event.index, tags=node.tags))

    def _fitting_values(self, event: Event, fix: Fix) -> dict[str, np.ndarray]:
        """Return every quantity at the values that a wrong event should have been computed from."""
        if event.node is None:
            return self.values_for_operands(event, tuple(self.operands_of(event)))
        return self.values_for(event, not fix.ours.startswith("grad_"))


@dataclass(eq=False)
class Listening(Judge):
    """A run in which nothing is compared or corrected."""

    def judge(self, event: Event) -> Node | None:
        """Only look at an event, where that is asked for."""
        if event.index in self.probe:
            self.probe[event.index](event, self)
        return None
