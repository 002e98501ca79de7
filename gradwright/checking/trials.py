"""What an expression would give where an assignment stands, and what names have been found to mean."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from gradwright.checking.expressions import parsed
from gradwright.checking.following import Tag
from gradwright.checking.interpreter import Interpreter
from gradwright.checking.judgements import Judgement, Learned
from gradwright.checking.keeping import kept
from gradwright.checking.layouts import Quantities
from gradwright.checking.naming import Key, key, label
from gradwright.checking.nodes import Array, Node, Unreadable
from gradwright.checking.objects import Event


@dataclass(eq=False)
class Trials(Quantities):
    """A run that can evaluate other expressions, and that learns names.

    Attributes:
        run: The interpreter.
        judgements: What was found, by event.
        learned: What names mean.
    """

    run: Interpreter = None  # type: ignore[assignment]  # set where both are made
    judgements: dict[int, Judgement] = field(default_factory=dict)
    learned: Learned = field(default_factory=Learned)
    _leaf_names: dict[tuple[int, Key], set[str]] = field(default_factory=dict)
    _nodes: dict[Tag, Node] = field(default_factory=dict)

    def _learn_leaf(self, event: Event, ours: str) -> None:
        self._leaf_names.setdefault((event.owner, key(label(event.target))), set()).add(ours)
        self._learn(event, ours)

    def _learn(self, event: Event, ours: str) -> None:
        mark = key(label(event.target))
        self.learned.keys.setdefault((event.owner, mark), set()).add(ours)
        if not event.owner and event.expression is not None and not isinstance(
                event.expression, (ast.Name, ast.Attribute, ast.Subscript)):
            self.learned.own.setdefault(mark, set()).add(ours)
        self.learned.paths.setdefault(event.path, set()).add(ours)

    def version(self, ours: str, event: Event, value: Any) -> Node:
        """Learn the name of a leaf."""
        self._learn_leaf(event, ours)
        self.judgements.setdefault(event.index, Judgement(event, ours, "right"))
        node = super().version(ours, event, value)
        self._nodes[(ours, event.index)] = node
        return node

    def value_of(self, event: Event, expression: str) -> Node | None:
        """Return what an event would assign were its expression this one; None where that cannot be computed."""
        run = self.run
        listener, events, notes = run.listener, len(run.events), len(run.notes)
        run.listener = None
        try:
            tree = parsed(expression)
            with kept(tree, event.frame, run.random):
                value = run.evaluate(tree, event.frame)
            if event.combine is not None:
                return event.combine(value)
            if event.manner == "item" and isinstance(value, (list, tuple, dict)):
                value = self._item_of(event, value)
            if isinstance(value, Array):
                return value.node
            return self.tape.leaf(value, "number") if isinstance(value, (int, float)) else None
        except (Unreadable, SyntaxError, ValueError):
            return None
        finally:
            run.listener = listener
            del run.events[events:]
            del run.notes[notes:]

    @staticmethod
    def _item_of(event: Event, value: Any) -> Any:
        """Return the item of a container that an event stands for."""
        found = re.search(r"\[([^\[\]]*)\]$", event.target)
        try:
            return value[ast.literal_eval(found[1])] if found is not None else None
        except (ValueError, SyntaxError, LookupError, TypeError):
            return None

    def operands_of(self, event: Event) -> Iterator[Node]:
        """Yield the values of the names in an expression."""
        for part in ast.walk(event.expression) if event.expression is not None else ():
            if isinstance(part, (ast.Name, ast.Attribute, ast.Subscript)):
                node = self.value_of(replace(event, combine=None), ast.unparse(part))
                if node is not None and node.op != "number":
                    yield node
