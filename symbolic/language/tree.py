"""What the parser makes of a text: nodes that remember their character."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from symbolic.errors import InputError


class FlawError(Exception):
    """What is wrong with a node, said by someone who does not know its character."""

    def __init__(self, problem: str, advice: str = "", position: int | None = None) -> None:
        super().__init__(problem)
        self.problem, self.advice, self.position = problem, advice, position


@dataclass(frozen=True)
class Source:
    """The text that is being read; errors point into it."""

    text: str

    def refusal(self, problem: str, position: int, advice: str = "") -> InputError:
        """Return the error that points to a character, with a line of the text around it."""
        line_start = self.text.rfind("\n", 0, position) + 1
        line = self.text[line_start:].split("\n", 1)[0]
        column = position - line_start
        left = max(0, column - 30)
        excerpt = ("…" if left else "") + line[left:column + 30].strip() + ("…" if column + 30 < len(line) else "")
        excerpt = "".join(c if c.isprintable() else " " for c in excerpt)
        row = self.text.count("\n", 0, position) + 1
        where = f"line {row}, character {column + 1}" if "\n" in self.text.strip() else f"character {column + 1}"
        return InputError(f"{problem} at {where} of '{excerpt}'{advice}")

    def pointed(self, flaw: FlawError, position: int) -> InputError:
        """Return the error for a flaw: at its own character if it knows one, else at ``position``."""
        return self.refusal(flaw.problem, position if flaw.position is None else flaw.position, flaw.advice)


@dataclass(frozen=True, eq=False)
class Node:
    """A part of an expression; ``position`` is its first or its operator's character.

    Nodes are compared by identity: to compare what they hold would recurse as deep as they do.
    """

    position: int


@dataclass(frozen=True, eq=False)
class Number(Node):
    """A number, as it was written."""

    text: str


@dataclass(frozen=True, eq=False)
class Name(Node):
    """A name."""

    name: str


@dataclass(frozen=True, eq=False)
class Unary(Node):
    """``-a``, or ``a'`` with the operator ``'``."""

    operator: str
    operand: Node


@dataclass(frozen=True, eq=False)
class Link(Node):
    """An operator and what follows it."""

    operator: str
    operand: Node


@dataclass(frozen=True, eq=False)
class Chain(Node):
    """Operands joined from the left: by ``+ -``, or by ``* / .* ./``; long ones are not deep."""

    first: Node
    rest: tuple[Link, ...]


@dataclass(frozen=True, eq=False)
class Power(Node):
    """``a ^ b`` or ``a .^ b``."""

    operator: str
    base: Node
    exponent: Node


@dataclass(frozen=True, eq=False)
class Call(Node):
    """A function of arguments."""

    function: str
    arguments: tuple[Node, ...]


@dataclass(frozen=True, eq=False)
class Range(Node):
    """``first:last`` in a slice, counted from 1, both included; None stands for the end.

    A single index is both: the same node twice.
    """

    first: Node | None
    last: Node | None


@dataclass(frozen=True, eq=False)
class Slice(Node):
    """``A[rows, columns]``."""

    operand: Node
    rows: Range
    columns: Range


@dataclass(frozen=True, eq=False)
class Blocks(Node):
    """``[A, B; C, D]``: rows of blocks."""

    rows: tuple[tuple[Node, ...], ...]


@dataclass(frozen=True)
class Declaration:
    """``X: m x n symmetric``: names, dimensions (none where not given) and properties."""

    names: tuple[Name, ...]
    shape: tuple[Node, ...] | None
    scalar: bool
    properties: tuple[str, ...]


@dataclass(frozen=True)
class Statement:
    """``name = expression``, or an expression alone."""

    position: int
    name: str | None
    expression: Node


@dataclass(frozen=True)
class Text:
    """A whole program as it was read."""

    source: Source
    declarations: tuple[Declaration, ...]
    statements: tuple[Statement, ...]
    words: frozenset[str]
    """All names that stand anywhere in it."""


def children(node: Node) -> tuple[Node, ...]:
    """Return the nodes that a node is made of, from left to right; ranges of slices are not among them."""
    match node:
        case Chain():
            return (node.first, *(link.operand for link in node.rest))
        case Unary() | Slice():
            return (node.operand,)
        case Power():
            return node.base, node.exponent
        case Call():
            return node.arguments
        case Blocks():
            return tuple(block for row in node.rows for block in row)
    return ()


def postorder(root: Node, of: Callable[[Node], Iterable[Node]] = children) -> list[Node]:
    """Return a node and all below it, children first and from left to right, without recursion."""
    found, waiting = [], [root]
    while waiting:
        node = waiting.pop()
        found.append(node)
        waiting.extend(of(node))
    return found[::-1]
