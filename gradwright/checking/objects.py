"""What the interpreter's names can refer to besides arrays and plain Python values."""

from __future__ import annotations

import ast
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

from gradwright.checking.findings import Place
from gradwright.checking.nodes import Array, Node, Unknown
from gradwright.checking.source import Cell

Mark = tuple[int | None, int, str, int]
"""Cell, line and manner of an assignment, and the identity of its expression."""


@dataclass(eq=False, repr=False)
class Frame:
    """The names of a module, a call or a class body.

    Attributes:
        names: What they refer to.
        parent: Where other names are looked up.
        label: The function's name; empty at the top.
        function: The function that is called; None at the top.
        parameters: The names of a function's parameters.
        globals: Names that a ``global`` or ``nonlocal`` statement sends to the parent.
        yields: What a generator has yielded; None of another function.
    """

    names: dict[str, Any] = field(default_factory=dict)
    parent: Frame | None = None
    label: str = ""
    function: Function | None = None
    parameters: frozenset[str] = frozenset()
    globals: set[str] = field(default_factory=set)
    yields: list[Any] | None = None

    def find(self, name: str) -> Frame | None:
        """Return the frame that has a name, this one or one around it."""
        frame: Frame | None = self
        while frame is not None and (name not in frame.names or name in frame.globals):
            frame = frame.parent
        return frame

    def keeps(self, name: str, found: Frame) -> bool:
        """Say whether a function between here and another frame assigns a name, so that it is not the other's."""
        frame: Frame | None = self
        while frame is not None and frame is not found:
            if frame.function is not None and name in frame.function.local and name not in frame.globals:
                return True
            frame = frame.parent
        return False

    @property
    def outermost(self) -> Frame:
        """The frame of the module."""
        return self if self.parent is None else self.parent.outermost


@dataclass(eq=False)
class Function:
    """A function of the code, or a lambda.

    Attributes:
        tree: Its definition.
        closure: The names around it.
        cell: Where it stands.
        defaults: Those of its last positional arguments.
        keyword_defaults: Those of its other arguments.
        manner: ``static``, ``class`` or ``property`` by its decorator; ``wrapped`` by another, which is not followed.
        setter: Of a property, what an assignment calls.
    """

    tree: ast.FunctionDef | ast.Lambda
    closure: Frame
    cell: Cell
    defaults: tuple[Any, ...] = ()
    keyword_defaults: dict[str, Any] = field(default_factory=dict)
    manner: str = ""
    setter: Function | None = None

    @cached_property
    def generates(self) -> bool:
        """Whether it is a generator."""
        return any(isinstance(n, (ast.Yield, ast.YieldFrom)) for n in ast.walk(self.tree))

    @property
    def local(self) -> frozenset[str]:
        """The names that its statements assign, and that are its own; found once for all runs."""
        known: frozenset[str] | None = getattr(self.tree, "local_by_gradwright", None)
        if known is None:
            known = self.tree.local_by_gradwright = self._local()  # type: ignore[union-attr]
        return known

    def _local(self) -> frozenset[str]:
        found: set[str] = set()
        waiting: list[ast.AST] = list(self.tree.body) if isinstance(self.tree, ast.FunctionDef) else []
        while waiting:
            node = waiting.pop()
            if isinstance(node, (ast.FunctionDef, ast.Lambda, ast.ClassDef, ast.ListComp, ast.SetComp, ast.DictComp,
                                 ast.GeneratorExp, ast.ExceptHandler)):
                continue
            if isinstance(node, (ast.Global, ast.Nonlocal)):
                return frozenset()
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                found.add(node.id)
            waiting += ast.iter_child_nodes(node)
        return frozenset(found)

    @property
    def name(self) -> str:
        """Its name; of a lambda, a word."""
        return getattr(self.tree, "name", "lambda")


@dataclass(eq=False)
class Class:
    """A class of the code.

    Attributes:
        name: Its name.
        names: What its body assigns.
        bases: Those of the code.
        fields: Of a dataclass or a named tuple, the names that an object is made from.
    """

    name: str
    names: dict[str, Any]
    bases: tuple[Class, ...] = ()
    fields: tuple[str, ...] = ()

    def find(self, name: str) -> Any:
        """Return an attribute, its own or inherited; None where there is none."""
        if name in self.names:
            return self.names[name]
        return next((found for base in self.bases if (found := base.find(name)) is not None), None)


@dataclass(eq=False)
class Instance:
    """An object of a class of the code."""

    kind: Class
    attributes: dict[str, Any] = field(default_factory=dict)
    label: str = ""
    serial: int = 0


@dataclass(frozen=True)
class Method:
    """A function bound to an object; or, of arrays and containers, a method by its name."""

    of: Any
    function: Function | str


@dataclass(frozen=True)
class Parent:
    """What ``super()`` returns."""

    instance: Instance
    bases: tuple[Class, ...]


@dataclass(frozen=True)
class Module:
    """A module, or what is found in one, by its dotted name: ``numpy.exp``."""

    path: str


@dataclass(frozen=True)
class Partial:
    """A callable of ours, such as a function of the language itself."""

    name: str
    call: Callable[..., Any]


@dataclass(frozen=True)
class Origin:
    """A part of what a function returns: its expression, the cell, and the names of that call."""

    expression: ast.expr
    cell: Cell
    frame: Frame


@dataclass(eq=False, repr=False)
class Event:
    """An assignment, or another place where a value gets its name.

    Attributes:
        index: Counted from 0 in the order of execution.
        cell: The cell.
        tree: The statement or expression that stands for it in the source.
        place: Where it stands.
        target: As it is written, with indices and keys filled in: ``W[2]``, ``grads['dW1']``.
        path: The same with the function's name in front, so that two locals of one name differ.
        manner: ``assign``, ``in_place``, ``item``, ``return``, ``shown``, or ``handed`` for a value that has a name
            already and is handed on under another: as an item of a dict, or as an argument.
        expression: The expression of the value; None where there is none of its own.
        combine: The new value of the target from that of the expression, for in-place operations.
        frame: The names in scope.
        node: The value; None where it is unknown.
        unknown: Why, then.
        previous: The value that the target had before; None where it had none.
        owner: The number of the object whose attribute it is, counted as objects are made; 0 for none.
        origin: Of a part of what a function returns, the part of its ``return``, and where that is; None of others.
    """

    index: int
    cell: Cell
    tree: ast.AST
    place: Place
    target: str
    path: str
    manner: str
    expression: ast.expr | None
    frame: Frame
    combine: Callable[[Array], Node] | None = None
    node: Node | None = None
    unknown: Unknown | None = None
    previous: Node | None = None
    owner: int = 0
    origin: Origin | None = None

    @property
    def source(self) -> Event:
        """The event as it would be where its value was put together."""
        if self.origin is None:
            return self
        place = self.origin.cell.place(self.origin.expression)
        return replace(self, cell=self.origin.cell, tree=self.origin.expression, expression=self.origin.expression,
                       frame=self.origin.frame, place=place, origin=None)

    @property
    def written(self) -> str:
        """The target as the code writes it, of an assignment to one; else as it is named."""
        tree = self.tree
        return ast.unparse(tree.targets[0]) if isinstance(tree, ast.Assign) and len(tree.targets) == 1 else self.target

    @property
    def is_alias(self) -> bool:
        """Whether it gives a value that has a name already another one."""
        return (self.node is not None and self.node.event not in (-1, self.index)
                and isinstance(self.expression, (ast.Name, ast.Attribute)))

    @property
    def spot(self) -> tuple[int | None, int]:
        """The cell and the line."""
        return self.place.cell, self.place.line

    @property
    def mark(self) -> Mark:
        """What the events of one assignment have in common, however often it is run."""
        return *self.spot, self.manner, id(self.expression)
