"""The edits of a line that give another value than it has, those that a function may have to return first."""

from __future__ import annotations

import ast
import itertools
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from gradwright.checking.blaming import likely
from gradwright.checking.comparing import Judge
from gradwright.checking.edits import Edit, edits
from gradwright.checking.expressions import parsed
from gradwright.checking.interpreter import Interpreter
from gradwright.checking.mending import any_name, is_rigid
from gradwright.checking.naming import looks_like_loss
from gradwright.checking.nodes import Array, Node
from gradwright.checking.objects import Event, Mark
from gradwright.checking.reference import activation_value, slope
from gradwright.checking.scoping import scope_of

EDITS = 60
"""As many edits of one line are tried, first those with which a function of the code is a known one."""

SAME = 3
"""As many edits that give the same value in the first round of a loop are tried."""

MANY, MADE = 150, 400
"""As many edits of a line are made; of one that a function returns."""


@dataclass(frozen=True, eq=False)
class Option:
    """An edit of a line.

    Attributes:
        edit: The edit.
        node: The value that it gives there, in the first round of a loop.
        known: Whether that is a quantity of the network, or what a function of the code may have to return.
        places: The values that it gives in each round, by those that the line has; none where there are too many.
    """

    edit: Edit
    node: Node
    known: bool
    places: dict[Node, Node] = field(default_factory=dict)


@dataclass(eq=False)
class Options:
    """The edits of each line, with values that differ from the line's own and from each other.

    Attributes:
        edits: By line.
        until: When to stop, in seconds of processor time.
        repeated: Lines that are run more than once: edits that give the same value first may differ later.
        quantities: Marks of the network's quantities under several readings.
        runs: The run in which the edits of a line were found.
        stops: Whether the file raises an error.
    """

    edits: dict[Mark, list[Option]]
    until: float
    repeated: frozenset[Mark] = frozenset()
    quantities: frozenset[object] = frozenset()
    runs: dict[Mark, Interpreter] = field(default_factory=dict)
    stops: bool = False

    def forget(self, event: Event, judge: Judge) -> None:
        """Give up the values of a line's edits in further rounds, of which there are too many."""
        for option in self.edits.get(event.mark, []):
            option.places.clear()

    def follow(self, event: Event, judge: Judge) -> None:
        """Find the values of a line's edits in a further round; called where it is about to be assigned."""
        for option in self.edits.get(event.mark, []) if event.node is not None else ():
            node = judge.value_of(event, option.edit.source) if option.places else None
            if node is None or event.node is None:
                option.places.clear()
            else:
                option.places[event.node] = node

    def collect(self, event: Event, judge: Judge) -> None:
        """Find the edits of a line; called where it is about to be assigned."""
        mark = event.mark
        if mark in self.edits or event.expression is None or time.process_time() > self.until:
            return
        text = ast.get_source_segment(event.cell.text, event.expression)
        if text is None:
            return
        forward = event.node is None or not any(t[0] == "Y" for t in event.node.tags)
        scalar = event.node is not None and not np.ndim(event.node.value) and not forward
        target = "loss" if looks_like_loss(event.target) or scalar else ""
        scope = scope_of(target, event, judge, judge.values_for(event, forward))
        own, seen = mark_of(None if event.node is None else event.node.value), Counter[object]()
        known = {mark_of(value) for value in known_functions(event)} - {own}
        alike = SAME if mark in self.repeated else 1
        made = MADE if known else MANY
        found: list[Option] = []
        usual, names = likely(event, edits(text, scope)), any_name(text, scope)
        if self.stops:  # names as soon as shapes
            both = itertools.chain.from_iterable(itertools.zip_longest(usual, names))
            usual, names = [edit for edit in both if edit is not None], iter(())
        for edit in itertools.chain(usual, names, forms(text, scope.numpy)):
            if is_rigid(edit.source, text):
                continue
            node = judge.value_of(event, edit.source)
            if node is None or (event.node is not None and event.node.tags and not node.tags):
                continue  # a constant is no value of a network
            value = mark_of(node.value)
            seen[value] += 1
            if value != own and seen[value] <= alike:
                places = {event.node: node} if event.node is not None and not event.is_alias else {}
                is_known = value in known or direction_of(node.value) in self.quantities
                found.append(Option(edit, node, is_known, places))
                if len(found) == made:
                    break
        self.edits[mark] = sorted(found, key=lambda option: not option.known)[:EDITS]
        self.runs[mark] = judge.run


def known_functions(event: Event) -> Iterator[np.ndarray]:
    """Yield what a function of the code may have to return for its arguments: activations, and their derivatives."""
    if event.manner != "return" or event.frame.function is None:
        return
    for name in event.frame.parameters:
        value = event.frame.names.get(name)
        a = np.asarray(value.value) if isinstance(value, Array) else np.zeros(())
        if a.ndim and a.dtype.kind == "f" and np.all(np.isfinite(a)):
            for activation in ("sigmoid", "tanh", "relu", "leaky_relu", "softplus", "elu"):
                yield from (activation_value(activation, a), slope(activation, a))
            yield from (activation_value("softmax", a, axis) for axis in range(a.ndim))
            yield from (a * (1 - a), 1 - a * a)


def forms(text: str, numpy: str) -> Iterator[Edit]:
    """Yield activations and their derivatives for an expression, or of one within it, as functions of the code have."""
    tree, end = parsed(text), len(text)
    for node in ast.walk(tree):
        part = ast.get_source_segment(text.strip(), node)
        if part is None or part == numpy or not isinstance(node, (ast.Name, ast.Call, ast.Attribute)):
            continue
        kind = "missing_factor" if node is tree else "activation_derivative"
        for new, factor in ((f"{part} * (1 - {part})", f"1 - {part}"), (f"{part} * ({part} > 0)", f"{part} > 0")):
            why = f"the factor `{factor}` is missing" if node is tree else f"`{text}` stands where `{new}` belongs"
            yield Edit(new, kind, why, 0, end)
        for new in (f"1 - {part} ** 2", f"({part} > 0) * 1.0"):
            yield Edit(new, "activation_derivative", f"`{text}` stands where `{new}` belongs", 0, end)


def mark_of(value: Any) -> object:
    """Return what tells two values apart."""
    value = None if value is None else np.asarray(value)
    return value if value is None else (value.shape, (value.astype(float).round(9) + 0.0).tobytes())


def direction_of(value: Any) -> object:
    """Return what a value has in common with its multiples, of either sign; None for a number, which tells little."""
    value = np.asarray(value)
    if value.size < 2 or value.dtype.kind != "f" or not np.all(np.isfinite(value)):
        return None
    largest = value.flat[int(np.argmax(np.abs(value)))]
    if not largest:
        return None
    return value.shape, ((value / largest).round(7) + 0.0).tobytes()
