"""Assignments, interpreted: what is bound to what, and the event that tells of it."""

from __future__ import annotations

import ast
from collections.abc import Callable
from functools import cached_property
from typing import Any, Protocol

import numpy as np

from gradwright.checking.expressions import BINARY, Expressions, parsed
from gradwright.checking.facts import lowered
from gradwright.checking.findings import Note, Place
from gradwright.checking.naming import label
from gradwright.checking.nodes import (
    Array,
    Follows,
    Node,
    Raises,
    Tape,
    Unknown,
    Unreadable,
    View,
    part_mark,
)
from gradwright.checking.objects import Event, Frame, Function, Instance, Origin
from gradwright.checking.source import Cell, Source


class Listener(Protocol):
    """What is told of each event, and may put another value in its place."""

    def __call__(self, event: Event) -> Node | None:
        """Return another value, or None."""


class Assignments(Expressions):
    """Targets of every form, and what is told of them."""

    _cell: Cell
    returned: dict[int, tuple[Any, list[Origin]]]

    def __init__(self, source: Source, listener: Listener | None = None) -> None:
        self.source, self.listener = source, listener
        self.tape = Tape()
        self.events: list[Event] = []
        self.notes: list[Note] = []
        self.raised: list[tuple[Place, str]] = []
        self.assumed_at: set[Place] = set()
        self._noted: set[tuple[Any, ...]] = set()
        self.comprehensions, self.parts, self.returned = {}, {}, {}
        if source.cells:
            self._cell = source.cells[0]

    _unread: bool

    def _note(self, tree: ast.AST, message: str, certain: bool = False, cut: bool = False) -> None:
        """Note what is not read; or, where that is certain, that an error is raised; or that a loop is cut."""
        place, certain = self._place(tree), certain and not self.handled
        self._unread |= not certain and not cut
        self.failed |= not cut
        if (place, message) not in self._noted:
            self._noted.add((place, message))
            self.notes.append(Note(place, message))
            if certain:
                self.raised.append((place, message))

    def _place(self, tree: ast.AST) -> Place:
        return self._cell.place(tree) if hasattr(tree, "lineno") else Place(self._cell.number, 1)

    def _value(self, tree: ast.expr, frame: Frame) -> Any:
        """Return a value, or that it is unknown."""
        try:
            return self.evaluate(tree, frame)
        except Unreadable as error:
            if not isinstance(error, Follows):
                self._note(tree, str(error), isinstance(error, Raises))
            return self.unknown(error)

    def _assign(self, tree: ast.Assign, frame: Frame) -> None:
        target, several = tree.targets[0], tree.value
        if (len(tree.targets) == 1 and isinstance(target, ast.Tuple | ast.List)
                and isinstance(several, ast.Tuple | ast.List) and _is_paired(target.elts, several.elts)):
            self._assign_pairs(target.elts, several.elts, tree, frame)
            return
        value = self._value(tree.value, frame)
        for target in tree.targets:
            value = self._store(target, value, frame, tree, tree.value)

    def _assign_pairs(self, targets: list[ast.expr], trees: list[ast.expr], tree: ast.Assign, frame: Frame) -> None:
        values = [self._value(e, frame) for e in trees]
        for target, value, expression in zip(targets, values, trees, strict=True):
            self._store(target, value, frame, tree, expression)

    def _annassign(self, tree: ast.AnnAssign, frame: Frame) -> None:
        if tree.value is not None:
            self._store(tree.target, self._value(tree.value, frame), frame, tree, tree.value)

    def _augassign(self, tree: ast.AugAssign, frame: Frame) -> None:
        read = _as_load(tree.target)
        old, kind = self.evaluate(read, frame), type(tree.op)
        value = self._value(tree.value, frame)
        if isinstance(old, (int, float)) and isinstance(value, Array) and isinstance(tree.target, ast.Name):
            old = Array(self.tape.leaf(old, "number"))  # what a sum begins with
        if not isinstance(old, Array):
            if isinstance(value, Unknown):
                self._store(tree.target, value, frame, tree, tree.value)
            elif isinstance(old, list) and kind is ast.Add and not isinstance(value, Array):
                old.extend(self.iterate(value))
                self.grow(old)
            else:
                self._store(tree.target, self.binary(kind, old, value), frame, tree, tree.value)
            return
        before, scalar = old.node, not np.ndim(old.value)

        def combined(right: Any) -> Node:
            name, function = BINARY[kind]

            def in_place(a: Any, b: Any) -> Any:
                result = np.asarray(function(a, b))
                if not scalar and result.shape != np.shape(a):
                    raise ValueError(f"non-broadcastable output operand with shape {np.shape(a)} doesn't match "
                                     f"the broadcast shape {result.shape}")
                if not scalar and not np.can_cast(result.dtype, np.asarray(a).dtype, "same_kind"):
                    raise ValueError(f"Cannot cast output from {result.dtype} to {np.asarray(a).dtype}")
                return result if scalar else result.astype(np.asarray(a).dtype)
            return self.tape.compute(name, in_place, (before, right))

        whole = self._owner(tree.target, frame)
        part = isinstance(tree.target, ast.Subscript) and isinstance(whole, Array)
        named = tree.target.value if part and isinstance(tree.target, ast.Subscript) else tree.target
        event = self._event(named, frame, tree, tree.value, "in_place",
                            self._whole(tree.target, frame, combined))
        event.previous = whole.node if isinstance(whole, Array) and whole is not old else before
        try:
            if isinstance(value, Unknown):
                raise Follows(value.reason)
            node = combined(value)
        except Unreadable as error:
            if not isinstance(error, Follows):
                self._note(tree, str(error), isinstance(error, Raises))
            event.unknown = self.unknown(error)
            replaced = self._tell(event)
            if replaced is not None:
                (whole if isinstance(whole, Array) else old).node = replaced
            else:
                self.bind(tree.target, event.unknown, frame)
            return
        if scalar and isinstance(tree.target, ast.Name):
            event.node = node
            frame.names[tree.target.id] = Array(self._tell(event) or node)
            return
        box = whole if isinstance(whole, Array) else old
        if scalar and isinstance(tree.target, ast.Subscript) and isinstance(whole, Array):
            index = self.index(tree.target.slice, frame)
            box.node = self.tape.compute("setitem", _replaced, (box, node, _where(index)))
        else:
            self._assign_into(tree.target, old, node, frame)
        event.node = box.node
        replaced = self._tell(event)
        if replaced is not None:
            box.node = replaced

    def _assign_into(self, target: ast.expr, old: Array, node: Node, frame: Frame) -> None:
        """Put the result of an in-place operation where it belongs."""
        whole = self._owner(target, frame)
        if isinstance(whole, Array) and whole is not old and isinstance(target, ast.Subscript):
            index = self.index(target.slice, frame)
            whole.node = self.tape.compute("setitem", _replaced, (whole, node, _where(index)))
        else:
            old.node = node
            if isinstance(target, (ast.Name, ast.Attribute)) and not np.ndim(node.value):
                self.bind(target, old, frame)

    def _whole(self, target: ast.expr, frame: Frame, combine: Callable[[Any], Node]) -> Callable[[Any], Node]:
        """Return what gives the new value of the whole array where a part of it is assigned."""
        whole = self._owner(target, frame)
        if not isinstance(target, ast.Subscript) or not isinstance(whole, Array):
            return combine
        before = whole.node

        def combined(right: Any) -> Node:
            index = self.index(target.slice, frame)
            return self.tape.compute("setitem", _replaced, (before, combine(right), _where(index)))
        return combined

    def _owner(self, target: ast.expr, frame: Frame) -> Any:
        """Return what a subscript is a part of; for a name or an attribute what it refers to."""
        part = target.value if isinstance(target, ast.Subscript) else target
        return self.evaluate(_as_load(part), frame)

    def _store(self, target: ast.expr, value: Any, frame: Frame, tree: ast.stmt, expression: ast.expr | None,
               origin: Origin | None = None) -> Any:
        """Assign a value to a target, tell of it, and return the value, which may have been replaced."""
        if isinstance(target, (ast.Tuple, ast.List)):
            self._unpack(target, value, frame, tree)
            return value
        if isinstance(target, ast.Starred):
            return self._store(target.value, value, frame, tree, expression)
        if isinstance(target, ast.Subscript):
            owner = self.evaluate(_as_load(target.value), frame)
            if isinstance(owner, Array):
                self._store_part(target, owner, value, frame, tree, expression)
                return value
        if isinstance(value, Unknown) and isinstance(target, ast.Name) and target.id in self.source.assumed:
            value = self._assume(target, tree)
        if isinstance(value, (Array, Unknown)):
            event = self._event(target, frame, tree, expression, "assign", None)
            event.origin = origin
            if isinstance(value, Array):
                event.node = value.node
            else:
                event.unknown = value
            replaced = self._tell(event)
            if replaced is not None:
                value = Array(replaced)  # of its own: what shares the old one keeps it
        elif isinstance(value, float | int) and not isinstance(value, bool) and expression is not None:
            value = self._number(target, value, frame, tree, expression)
        elif is_container(value):
            self._items_of(self._path(target, frame), value, frame, tree, expression)
        self.bind(target, value, frame)
        if isinstance(value, Instance) and not value.label:
            value.label = self._path(target, frame)
        return value

    def _assume(self, target: ast.Name, tree: ast.stmt) -> Array:
        """Return what is taken for data that is not read."""
        values = self.source.assumed[target.id]
        self._note(tree, f"{target.id} is not read; random values of shape {values.shape} stand for it")
        self.assumed_at.update(place for place, _ in self.raised if place.line == tree.lineno)
        return Array(self.tape.leaf(np.array(values)))

    def _number(self, target: ast.expr, value: float, frame: Frame, tree: ast.stmt, expression: ast.expr) -> Any:
        """Tell of a plain number, which keeps its kind unless it is replaced."""
        event = self._event(target, frame, tree, expression, "assign", None)
        event.node = self.tape.leaf(value, "number")
        replaced = self._tell(event)
        if replaced is None and ast.unparse(target) in self.lowered:
            return Array(event.node)  # a bias of one unit may begin as a plain number
        return value if replaced is None else Array(replaced)

    @cached_property
    def lowered(self) -> frozenset[str]:
        """What something is subtracted from somewhere."""
        return frozenset(name for cell in self.source.cells for name in lowered(cell.tree.body))

    def _unpack(self, target: ast.Tuple | ast.List, value: Any, frame: Frame, tree: ast.stmt) -> None:
        if isinstance(value, Unknown):
            for part in target.elts:
                self._store(part, value, frame, tree, None)
            return
        items = list(self.iterate(value))
        _, origins = self.returned.get(id(value), (None, []))
        starred = [k for k, part in enumerate(target.elts) if isinstance(part, ast.Starred)]
        if starred:
            k, after = starred[0], len(target.elts) - starred[0] - 1
            items = [*items[:k], items[k:len(items) - after], *items[len(items) - after:]]
        if len(items) != len(target.elts):
            raise Unreadable(f"{len(target.elts)} names for {len(items)} values")
        for k, (part, item) in enumerate(zip(target.elts, items, strict=True)):
            self._store(part, item, frame, tree, None, origins[k] if len(origins) == len(items) else None)

    def _store_part(self, target: ast.Subscript, owner: Array, value: Any, frame: Frame, tree: ast.stmt,
                    expression: ast.expr | None) -> None:
        """Assign to entries of an array."""
        index, before = self.index(target.slice, frame), owner.node
        event = self._event(target.value, frame, tree, expression, "in_place",
                            lambda right: self.tape.compute("setitem", _replaced, (before, right, _where(index))))
        event.previous = before
        try:
            if isinstance(value, Unknown):
                raise Follows(value.reason)
            owner.node = event.node = self.tape.compute("setitem", _replaced, (before, value, _where(index)))
        except Unreadable as error:
            if not isinstance(error, Follows):
                self._note(tree, str(error), isinstance(error, Raises))
            event.unknown = self.unknown(error)
        replaced = self._tell(event)
        if replaced is not None:
            owner.node = replaced
        elif event.unknown is not None:
            self.bind(target.value, event.unknown, frame)

    def _items_of(self, path: str, value: Any, frame: Frame, tree: ast.AST, expression: ast.expr | None) -> None:
        """Tell of the arrays in a container that have no name yet."""
        trees = _item_trees(value, expression)
        _, element, frames = self.comprehensions.get(id(value), (None, None, []))
        turned = isinstance(value, list) and label(path) in self.source.facts.turned
        items: Any = value.attributes if isinstance(value, Instance) else value
        for key, item in items.items() if isinstance(items, dict) else enumerate(items):
            place, part = f"{path}[…]" if turned else f"{path}[{key!r}]", trees.get(key)
            if isinstance(value, Instance):
                place = f"{path}.{key}"
            if element is not None and key < len(frames):
                part, frame = element, frames[key]
            if is_container(item):
                self._items_of(place, item, frame, tree, part)
            elif isinstance(item, Array) and item.node.event < 0:
                event = self._named(place, frame, part or tree, part, "item")
                event.node = item.node
                replaced = self._tell(event)
                if isinstance(item, View) and replaced is not None:
                    item.settle(replaced)
                elif replaced is not None:
                    item.node = replaced
            elif isinstance(item, Array) and isinstance(key, str) and part is not None and isinstance(items, dict):
                items[key] = self._handed(place, item, frame, part)
            elif isinstance(item, Unknown):
                event = self._named(place, frame, part or tree, part, "item")
                event.unknown = item
                replaced = self._tell(event)
                if replaced is not None and isinstance(items, (dict, list)):
                    items[key] = Array(replaced)

    def _handed(self, path: str, value: Array, frame: Frame, expression: ast.expr) -> Array:
        """Tell of a value that has a name and is handed on under another."""
        event = self._named(path, frame, expression, expression, "handed")
        event.node = value.node
        replaced = self._tell(event)
        return value if replaced is None else Array(replaced)

    # Events.

    def _event(self, target: ast.expr, frame: Frame, tree: ast.AST, expression: ast.expr | None, manner: str,
               combine: Callable[[Any], Node] | None) -> Event:
        path = self._path(target, frame)
        event = self._named(path, frame, tree, expression, manner)
        event.combine = combine
        event.owner = self._object_of(target, frame)
        try:
            old = self.evaluate(_as_load(target), frame)
            event.previous = old.node if isinstance(old, Array) else None
        except Unreadable:
            event.previous = None
        return event

    def _object_of(self, target: ast.expr, frame: Frame) -> int:
        """Return the number of the object that a target belongs to; 0 for none."""
        while isinstance(target, ast.Subscript):
            target = target.value
        if isinstance(target, ast.Attribute):
            owner = self.evaluate(_as_load(target.value), frame)
            return owner.serial if isinstance(owner, Instance) else 0
        return 0

    def _meet(self, name: str, tree: ast.AST, frame: Frame) -> None:
        """Tell of a part of the data that an argument or a loop names first: ``step(X[:10])``, ``for x in X``."""
        value = frame.names.get(name)
        if isinstance(value, Array) and value.node.event < 0 and value.node.op == "getitem":
            event = self._named(name, frame, tree, None, "item")
            event.node, mark = value.node, part_mark(value.node)
            replaced = self._tell(event)
            if replaced is not None:
                frame.names[name] = value = Array(replaced)
            self.parts[mark] = value  # the same part is the same array wherever it is taken again

    def _named(self, path: str, frame: Frame, tree: ast.AST, expression: ast.expr | None, manner: str) -> Event:
        local = frame.label and not path.startswith(f"{frame.label}()")
        return Event(-1, self._cell, tree, self._place(tree), path, f"{frame.label}.{path}" if local else path, manner,
                     expression, frame)

    def _tell(self, event: Event) -> Node | None:
        """Record an event; return the value that replaces it, if any."""
        event.index = len(self.events)
        self.events.append(event)
        if event.node is not None and event.node.event < 0:
            event.node.event = event.index
        return self.listener(event) if self.listener is not None else None

    def _path(self, target: ast.expr, frame: Frame) -> str:
        """Return a target as text, with the values of its indices and the names of objects."""
        if isinstance(target, ast.Name):
            return target.id
        if isinstance(target, ast.Attribute):
            owner = self.evaluate(_as_load(target.value), frame)
            if isinstance(owner, Instance):
                return f"{owner.label or _identity(owner)}.{target.attr}"
            return f"{self._path(target.value, frame)}.{target.attr}"
        if isinstance(target, ast.Subscript):
            owner = self._path(target.value, frame)
            try:
                index = self.plain(self.index(target.slice, frame))
            except Unreadable:
                return f"{owner}[?]"
            if isinstance(index, int):
                whole = self.evaluate(_as_load(target.value), frame)
                if index < 0 and isinstance(whole, list):
                    index += len(whole)
            return f"{owner}[{index!r}]" if isinstance(index, (int, str)) else f"{owner}[…]"
        return ast.unparse(target)

    # Binding.

    def bind(self, target: ast.expr, value: Any, frame: Frame) -> None:
        """Bind names to a value without an event."""
        if isinstance(target, ast.Name):
            home = (frame.parent or frame).find(target.id) if target.id in frame.globals else None
            (home or frame).names[target.id] = value
        elif isinstance(target, (ast.Tuple, ast.List)):
            items = list(self.iterate(value))
            if len(items) != len(target.elts):
                raise Unreadable(f"{len(target.elts)} names for {len(items)} values")
            for part, item in zip(target.elts, items, strict=False):
                self.bind(part, item, frame)
        elif isinstance(target, ast.Attribute):
            owner = self.evaluate(_as_load(target.value), frame)
            if not isinstance(owner, Instance):
                raise Unreadable("an attribute of such an object is not read")
            found = owner.kind.find(target.attr)
            if isinstance(found, Function) and found.setter is not None:
                self.enter(found.setter, [owner, value], {})
            else:
                owner.attributes[target.attr] = value
        elif isinstance(target, ast.Subscript):
            owner = self.evaluate(_as_load(target.value), frame)
            index = self.plain(self.index(target.slice, frame))
            if not isinstance(owner, (dict, list)):
                raise Unreadable("an item of such an object is not read")
            self.python(_put(owner, value), index)
            if isinstance(owner, dict):
                self.grow(owner)
        else:
            raise Unreadable(f"{ast.unparse(target)[:40]} as a target is not read")


def _is_paired(targets: list[ast.expr], values: list[ast.expr]) -> bool:
    """Say whether several targets are assigned from as many expressions."""
    return len(targets) == len(values) and not any(isinstance(e, ast.Starred) for e in (*targets, *values))


def _where(index: Any) -> Any:
    """Return an index with lists for ranges; the arrays in it are what the result depends on, too."""
    if isinstance(index, tuple):
        return tuple(map(_where, index))
    return list(index) if isinstance(index, range) else index


def _replaced(whole: Any, part: Any, where: Any) -> Any:
    """Return a copy of an array with entries replaced."""
    whole = np.array(whole)
    whole[where] = part
    return whole


def _put(owner: Any, value: Any) -> Callable[[Any], None]:
    def put(index: Any) -> None:
        owner[index] = value
    return put


def _as_load(target: ast.expr) -> ast.expr:
    """Return a target as an expression that reads it."""
    copied: ast.expr | None = getattr(target, "read_by_gradwright", None)
    if copied is None:
        copied = parsed(ast.unparse(target))
        target.read_by_gradwright = copied  # type: ignore[attr-defined]  # found anew at each step otherwise
    return copied


def _identity(owner: Instance) -> str:
    return owner.label or "self"


def is_container(value: Any) -> bool:
    """Say whether a value is a dict, a list or a tuple, or an object that is made like one."""
    return isinstance(value, (dict, list, tuple)) or (isinstance(value, Instance) and bool(value.kind.fields))


def _item_trees(value: Any, expression: ast.expr | None) -> dict[Any, ast.expr]:
    """Return the expression of each item of a literal; of a dict made by a comprehension, the whole."""
    if isinstance(value, dict) and isinstance(expression, ast.DictComp):
        return dict.fromkeys(value, expression)
    if isinstance(value, dict) and isinstance(expression, ast.Dict):
        pairs = zip(expression.keys, expression.values, strict=True)
        return {k.value: v for k, v in pairs if isinstance(k, ast.Constant)}
    if isinstance(value, (dict, Instance)) and isinstance(expression, ast.Call):
        fields = value.kind.fields if isinstance(value, Instance) else ()
        return dict(zip(fields, expression.args, strict=False)) | {
            k.arg: k.value for k in expression.keywords if k.arg is not None}
    if isinstance(expression, (ast.Tuple, ast.List)) and len(expression.elts) == len(value):
        return dict(enumerate(expression.elts))
    return {}
