"""Values that remember how they were computed: arrays as the interpreter sees them.

A `Node` is a value and the operation that made it; it never changes. An `Array` is what a name of the code refers to:
it holds a node, and an in-place operation gives it another, which every other name of the same array then sees too.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

MOST_ENTRIES = 1 << 24
"""Of an array: larger ones are refused, so that a file cannot fill the memory."""


class Unreadable(Exception):  # a condition of the code that is read, not a failure of ours
    """Something that is not read, or that would raise an error; the message says what."""


class Raises(Unreadable):
    """Something at which Python or NumPy would raise an error; other things are merely not read here."""


class Undefined(Unreadable):
    """A name that the file assigns nowhere; a star import, or a cell that is not there, may have it."""


class Follows(Unreadable):
    """Something that is not read because a value before it was not."""


@dataclass(frozen=True)
class Unknown:
    """A value that could not be found.

    Attributes:
        reason: Why, in words.
        raises: Whether the code itself would raise an error there.
        fresh: Whether it arose within the expression that is being read.
        undefined: Whether a name is read there that the file assigns nowhere.
    """

    reason: str
    raises: bool = False
    fresh: bool = False
    undefined: bool = False

    @property
    def stops(self) -> bool:
        """Whether the code would stop there, unless the name that is missing comes from elsewhere."""
        return self.raises or self.undefined


DRAWN = ("a random draw", 0)
"""The tag of what depends on a mask that is drawn, as that of dropout is: no line of a derivation has it."""


@dataclass(eq=False, repr=False)
class Node:
    """A value and how it was computed.

    Attributes:
        value: The array or NumPy scalar.
        op: The name of the operation, such as ``matmul`` or ``exp``.
        function: What computes it from the arguments.
        arguments: Positional arguments, with nodes in them.
        options: Keyword arguments.
        parents: The nodes among the arguments.
        event: The index of the first assignment that named it, or -1.
        tags: Which inputs and which versions of the parameters it depends on.
        order: Nodes are numbered as they come.
    """

    value: Any
    op: str
    function: Callable[..., Any] | None = None
    arguments: tuple[Any, ...] = ()
    options: dict[str, Any] = field(default_factory=dict)
    parents: tuple[Node, ...] = ()
    event: int = -1
    tags: frozenset[tuple[str, int]] = frozenset()
    order: int = 0

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of the value."""
        return np.shape(self.value)


class Array:
    """An array that names refer to."""

    def __init__(self, node: Node) -> None:
        self._node = node

    @property
    def node(self) -> Node:
        """The present value."""
        return self._node

    @node.setter
    def node(self, node: Node) -> None:
        self._node = node

    @property
    def value(self) -> Any:
        """The present value, as NumPy has it."""
        return self.node.value

    @property
    def shape(self) -> tuple[int, ...]:
        """The present shape."""
        return self.node.shape


class View(Array):
    """Part of another array, or its transpose: what is assigned to its entries is assigned to the other's."""

    def __init__(self, base: Array, tape: Tape, op: str, function: Callable[[Any], Any]) -> None:
        self.base, self._tape, self._op, self._function = base, tape, op, function
        self._of = base.node
        super().__init__(tape.compute(op, function, (base.node,)))

    def settle(self, node: Node) -> None:
        """Become an array of its own, with another value; the other array stays as it is."""
        self.base, self._of, self._node = Array(node), node, node
        self._op, self._function = "array", _itself

    @property
    def node(self) -> Node:
        """The present value, which follows that of the other array."""
        if self._of is not self.base.node:
            self._of = self.base.node
            self._node = self._tape.compute(self._op, self._function, (self._of,))
        return self._node

    @node.setter
    def node(self, node: Node) -> None:
        def replaced(whole: Any, part: Any) -> Any:
            whole = np.array(whole)
            self._function(whole)[...] = part
            return whole

        self.base.node = self._tape.compute("setitem", replaced, (self.base.node, node))
        self._of, self._node = self.base.node, node


def _itself(value: Any) -> Any:
    return value


def nodes_in(structure: Any) -> Iterator[Node]:
    """Yield the nodes within nested arguments."""
    if isinstance(structure, Node):
        yield structure
    elif isinstance(structure, (tuple, list)):
        for item in structure:
            yield from nodes_in(item)
    elif isinstance(structure, slice):
        yield from nodes_in((structure.start, structure.stop, structure.step))


def _frozen(argument: Any) -> Any:
    """Return an argument with nodes for arrays, so that later in-place operations do not change it."""
    if isinstance(argument, Array):
        return argument.node
    if isinstance(argument, Unknown):
        kind = Follows if not argument.fresh else Raises if argument.raises else Unreadable
        raise kind(argument.reason)
    if isinstance(argument, tuple):
        return tuple(map(_frozen, argument))
    if isinstance(argument, list):
        return list(map(_frozen, argument))
    if isinstance(argument, slice):
        return slice(*map(_frozen, (argument.start, argument.stop, argument.step)))
    return argument


def thawed(argument: Any, value_of: Callable[[Node], Any]) -> Any:
    """Return an argument with values for nodes."""
    if isinstance(argument, Node):
        return value_of(argument)
    if isinstance(argument, tuple):
        return tuple(thawed(item, value_of) for item in argument)
    if isinstance(argument, list):
        return [thawed(item, value_of) for item in argument]
    if isinstance(argument, slice):
        return slice(*(thawed(item, value_of) for item in (argument.start, argument.stop, argument.step)))
    return argument


class Tape:
    """Computes nodes, and keeps them in order."""

    def __init__(self) -> None:
        self.nodes: list[Node] = []
        self.failed: list[Node] = []  # without a value; what was to be computed still tells of the network

    def compute(self, op: str, function: Callable[..., Any], arguments: tuple[Any, ...],
                options: dict[str, Any] | None = None) -> Node:
        """Return the node of a function's value; of ``-X @ W``, which is −X W to the last bit, that of −(X W).

        Raises:
            Unreadable: An argument is unknown, the function raises, or its value is no array.
        """
        options = options or {}
        frozen = _frozen(arguments)
        left = frozen[0] if op == "matmul" and frozen else None
        if isinstance(left, Node) and left.op == "negative":
            return self.compute("negative", np.negative, (self.compute(op, function, (*left.parents, *frozen[1:])),))
        try:
            value = call(function, thawed(frozen, _value), options)
        except Unreadable:
            self.failed.append(Node(None, op, parents=tuple(nodes_in(frozen)), order=len(self.nodes)))
            raise
        return self.add(Node(value, op, function, frozen, options, tuple(nodes_in(frozen))))

    def add(self, node: Node) -> Node:
        """Number a node and let it depend on what its parents depend on."""
        if isinstance(node.value, np.ndarray) and node.value.size > MOST_ENTRIES:
            raise Unreadable(f"an array of {node.value.size} entries")
        node.order = len(self.nodes)
        if not node.tags:
            node.tags = frozenset().union(*(p.tags for p in node.parents))
        self.nodes.append(node)
        return node

    def leaf(self, value: Any, op: str = "array") -> Node:
        """Return a node that depends on nothing."""
        return self.add(Node(value, op))


def _value(node: Node) -> Any:
    return node.value


def call(function: Callable[..., Any], arguments: tuple[Any, ...], options: dict[str, Any]) -> Any:
    """Return a function's value; what NumPy raises is unreadable. Its warnings are for the caller to silence."""
    _refuse_huge(function, arguments)
    try:
        return function(*arguments, **options)
    except (ValueError, TypeError, IndexError, KeyError, ArithmeticError, AttributeError, MemoryError,
            np.exceptions.AxisError) as error:
        words = " ".join(str(error).split()) or type(error).__name__
        shapes = isinstance(error, (ValueError, IndexError))  # others may be what is not read here
        raise (Raises if shapes else Unreadable)(words) from error


def _refuse_huge(function: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
    """Refuse what would make an array far larger than its operands."""
    binary = function in _BINARY
    if not binary and function not in _OUTER:
        return
    shapes = [np.shape(a) for a in arguments if isinstance(a, (np.ndarray, np.generic))]
    size = math.prod(math.prod(shape) for shape in shapes)
    if size <= MOST_ENTRIES:
        return
    if not binary:
        raise Unreadable(f"an array of {size} entries")
    if len(shapes) == 2:
        try:
            broadcast = math.prod(np.broadcast_shapes(*shapes))
        except ValueError:
            return  # NumPy says it better
        if broadcast > MOST_ENTRIES:
            raise Unreadable(f"an array of {broadcast} entries")


_BINARY = {operator.add, operator.sub, operator.mul, operator.truediv, operator.pow, np.add, np.subtract, np.multiply,
           np.divide, np.maximum, np.minimum}
_OUTER = {np.outer, np.kron, np.tensordot}


def ancestors_of(node: Node) -> set[int]:
    """Return the identities of the values that a value was computed from, its own included."""
    found: set[int] = set()
    waiting = [node]
    while waiting:
        node = waiting.pop()
        if id(node) not in found:
            found.add(id(node))
            waiting += node.parents
    return found


PRODUCTS = ("matmul", "einsum", "inner", "tensordot", "vdot", "outer")


def part_mark(node: Node) -> object:
    """Return what tells parts of an array apart: the array, and the values."""
    value = np.asarray(node.value)
    return id(node.parents[0]), value.shape, value.tobytes()


def substituted(target: Node, given: Mapping[Node, Node]) -> Any:
    """Return the value of a node where others stand for some, in what these are computed from too.

    Raises:
        Unreadable: A function raises at these values, or a value would depend on itself.
    """
    known: dict[int, Any] = {}
    first = min(node.order for node in given)
    stack: list[Node] = [target]
    begun: set[int] = set()  # on the way from the target to the node that is looked at
    while stack:
        node = stack[-1]
        other = given.get(node)
        if id(node) in known:
            stack.pop()
            continue
        needed = [other] if other is not None else list(node.parents)
        if other is None and (node.order < first or node.function is None):
            known[id(node)] = node.value
            continue
        missing = [n for n in needed if id(n) not in known]
        if any(id(n) in begun for n in missing):
            raise Unreadable("a value that depends on itself")
        begun.add(id(node))
        if missing:
            stack += missing
            continue
        begun.discard(id(node))
        if other is not None:
            known[id(node)] = known[id(other)]
        elif node.function is not None:
            known[id(node)] = call(node.function, thawed(node.arguments, lambda n: known[id(n)]), node.options)
    return known[id(target)]


def recompute(target: Node, given: dict[Node, Any]) -> Any:
    """Return the value of a node where others have other values.

    Raises:
        Unreadable: A function raises at these values.
    """
    known: dict[int, Any] = {id(node): value for node, value in given.items()}
    first = min(node.order for node in given)
    stack = [target]
    while stack:
        node = stack[-1]
        if id(node) in known:
            stack.pop()
        elif node.order <= first or node.function is None:
            known[id(node)] = node.value
        else:
            missing = [p for p in node.parents if id(p) not in known]
            if missing:
                stack += missing
            else:
                known[id(node)] = call(node.function, thawed(node.arguments, lambda n: known[id(n)]), node.options)
    return known[id(target)]
