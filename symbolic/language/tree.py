"""What the parser makes of a text: nodes that remember their character."""

from __future__ import annotations

from dataclasses import dataclass

from symbolic.errors import InputError


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
        row = self.text.count("\n", 0, position) + 1
        where = f"line {row}, character {column + 1}" if "\n" in self.text.strip() else f"character {column + 1}"
        return InputError(f"{problem} at {where} of '{excerpt}'{advice}")


@dataclass(frozen=True)
class Node:
    """A part of an expression; ``position`` is its first or its operator's character."""

    position: int


@dataclass(frozen=True)
class Number(Node):
    """A number, as it was written."""

    text: str


@dataclass(frozen=True)
class Name(Node):
    """A name."""

    name: str


@dataclass(frozen=True)
class Unary(Node):
    """``-a``, or ``a'`` with the operator ``'``."""

    operator: str
    operand: Node


@dataclass(frozen=True)
class Binary(Node):
    """Two operands of ``+ - * / .* ./ ^ .^``."""

    operator: str
    left: Node
    right: Node


@dataclass(frozen=True)
class Call(Node):
    """A function of arguments."""

    function: str
    arguments: tuple[Node, ...]


@dataclass(frozen=True)
class Range(Node):
    """``first:last`` in a slice, counted from 1, both included; None stands for the end."""

    first: Node | None
    last: Node | None


@dataclass(frozen=True)
class Slice(Node):
    """``A[rows, columns]``."""

    operand: Node
    rows: Range
    columns: Range


@dataclass(frozen=True)
class Blocks(Node):
    """``[A, B; C, D]``: rows of blocks."""

    rows: tuple[tuple[Node, ...], ...]


@dataclass(frozen=True)
class Declaration(Node):
    """``X: m x n symmetric``: names, dimensions (none where not given) and properties."""

    names: tuple[str, ...]
    shape: tuple[Node, ...] | None
    scalar: bool
    properties: tuple[str, ...]


@dataclass(frozen=True)
class Statement(Node):
    """``name = expression``, or an expression alone."""

    name: str | None
    expression: Node


@dataclass(frozen=True)
class Text:
    """A whole program as it was read."""

    source: Source
    declarations: tuple[Declaration, ...]
    statements: tuple[Statement, ...]
