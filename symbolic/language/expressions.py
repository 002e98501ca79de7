"""The rules of expressions: recursive descent over tokens, on a stack of its own.

Each rule is a generator that yields the rules it needs and is sent what they found, so that the depth of a
text costs memory only, never Python's recursion.
"""

from __future__ import annotations

from collections.abc import Callable, Generator
from typing import Any, TypeAlias

from symbolic.language.cursor import Cursor
from symbolic.language.tree import Blocks, Call, Chain, Link, Name, Node, Number, Power, Range, Slice, Unary

Rule: TypeAlias = Generator[Any, Any, Node]


def parse_expression(cursor: Cursor) -> Node:
    """Return the expression that begins at the cursor, and go past it."""
    return _run(_Rules(cursor).sum())


def _run(rule: Rule) -> Node:
    """Return what a rule finds, running the rules that it yields."""
    stack, found = [rule], None
    while stack:
        try:
            needed = stack[-1].send(found)
        except StopIteration as stop:
            stack.pop()
            found = stop.value
        else:
            stack.append(needed)
            found = None
    assert isinstance(found, Node)
    return found


class _Rules:
    def __init__(self, cursor: Cursor) -> None:
        self.cursor = cursor

    def sum(self) -> Rule:
        """Parse operands of + and -."""
        return self.chain(self.product, "+", "-")

    def product(self) -> Rule:
        """Parse operands of products and quotients."""
        return self.chain(self.signed, "*", "/", ".*", "./")

    def chain(self, operand: Callable[[], Rule], *signs: str) -> Rule:
        """Parse operands of one precedence, joined from the left."""
        start = self.cursor.token.position
        first = yield operand()
        rest = []
        while self.cursor.at(*signs):
            sign = self.cursor.advance()
            rest.append(Link(sign.position, sign.text, (yield operand())))
        return Chain(start, first, tuple(rest)) if rest else first

    def signs(self) -> tuple[int, bool]:
        """Go past signs; return where they start, and whether they say minus."""
        start, minus = self.cursor.token.position, False
        while self.cursor.at("+", "-"):
            minus ^= self.cursor.advance().text == "-"
        return start, minus

    def signed(self) -> Rule:
        """Parse a signed operand; a sign binds looser than a power and tighter than a product."""
        start, minus = self.signs()
        number, following = self.cursor.token, self.cursor.following
        if number.kind == "number" and (following.kind == "name" or following.text == "("):
            self.cursor.advance()  # 2x, 2(x + y), 2 x^2
            right = yield self.power()
            inside: Node = Chain(start, Number(number.position, number.text),
                                 (Link(number.position, "*", right),))
        else:
            inside = yield self.power()
        return Unary(start, "-", inside) if minus else inside

    def power(self) -> Rule:
        """Parse an operand with the transposes, slices and powers behind it."""
        node = yield self.atom()
        while self.cursor.at("'", "[", "^", ".^"):
            token = self.cursor.token
            if token.text == "'":
                odd = False
                while self.cursor.at("'"):
                    odd ^= bool(self.cursor.advance())
                node = Unary(token.position, "'", node) if odd else node
            elif token.text == "[":
                node = yield self.slice(node)
            else:
                self.cursor.advance()
                node = Power(token.position, token.text, node, (yield self.exponent()))
        return node

    def exponent(self) -> Rule:
        """Parse what follows ``^``, without a transpose: that belongs to the power, as in A^-1'."""
        start, minus = self.signs()
        node = yield self.atom()
        if self.cursor.at("^", ".^"):
            token = self.cursor.advance()
            node = Power(token.position, token.text, node, (yield self.exponent()))
        return Unary(start, "-", node) if minus else node

    def slice(self, node: Node) -> Rule:
        """Parse ``[rows, columns]`` or ``[rows]`` behind an operand."""
        opening = self.cursor.open()
        rows = yield self.range()
        columns: Node = Range(opening.position, None, None)
        if self.cursor.at(","):
            self.cursor.advance()
            columns = yield self.range()
        self.cursor.close(opening, "]")
        assert isinstance(rows, Range)
        assert isinstance(columns, Range)
        return Slice(opening.position, node, rows, columns)

    def range(self) -> Rule:
        """Parse ``:``, ``i``, ``i:j``, ``i:`` or ``:j``."""
        start = self.cursor.token.position
        first = None if self.cursor.at(":") else (yield self.sum())
        if not self.cursor.at(":"):
            return Range(start, first, first)
        self.cursor.advance()
        last = None if self.cursor.at(",", "]") else (yield self.sum())
        return Range(start, first, last)

    def atom(self) -> Rule:
        """Parse a number, a name, a call, a parenthesis or blocks."""
        token = self.cursor.token
        if token.kind == "number":
            self.cursor.advance()
            return Number(token.position, token.text)
        if token.kind == "name":
            self.cursor.advance()
            if not self.cursor.at("("):
                return Name(token.position, token.text)
            opening = self.cursor.open()
            arguments = [] if self.cursor.at(")") else (yield self.listed())
            self.cursor.close(opening, ")")
            return Call(token.position, token.text, tuple(arguments))
        if self.cursor.at("("):
            opening = self.cursor.open()
            inside: Node = yield self.sum()
            self.cursor.close(opening, ")")
            return inside
        if self.cursor.at("["):
            return (yield self.blocks())
        raise self.cursor.unexpected("expected an operand (a number, a name or '(')")

    def listed(self) -> Generator[Any, Any, list[Node]]:
        """Parse expressions between commas."""
        found = [(yield self.sum())]
        while self.cursor.at(","):
            self.cursor.advance()
            found.append((yield self.sum()))
        return found

    def blocks(self) -> Rule:
        """Parse ``[A, B; C, D]``."""
        opening = self.cursor.open()
        rows = [tuple((yield self.listed()))]
        while self.cursor.at(";"):
            self.cursor.advance()
            rows.append(tuple((yield self.listed())))
        self.cursor.close(opening, "]")
        return Blocks(opening.position, tuple(rows))
