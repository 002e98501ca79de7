"""The parser of the matrix language: precedence climbing over tokens."""

from __future__ import annotations

from symbolic.language.tokens import Token, tokenize
from symbolic.language.tree import (
    Binary,
    Blocks,
    Call,
    Declaration,
    Name,
    Node,
    Number,
    Range,
    Slice,
    Source,
    Statement,
    Text,
    Unary,
)

DEEPEST, MOST_NODES = 80, 1500

_SUM, _PRODUCT, _POWER = 1, 2, 4
_PRECEDENCE = {"+": _SUM, "-": _SUM, "*": _PRODUCT, "/": _PRODUCT, ".*": _PRODUCT, "./": _PRODUCT,
               "^": _POWER, ".^": _POWER, "**": _POWER}

PROPERTIES = ("symmetric", "psd", "diagonal", "invertible", "positive", "onehot_rows", "onehot_cols",
              "distribution_rows", "distribution_cols")
"""What a declaration may say of a matrix besides its shape."""


def parse(text: str) -> Text:
    """Return the declarations and statements of a text.

    Raises:
        InputError: The text is not of the language; the message points at the character.
    """
    return _Parser(Source(text)).program()


class _Parser:
    def __init__(self, source: Source) -> None:
        self.source = source
        self.tokens = tokenize(source)
        self.index = self.depth = self.nodes = 0

    @property
    def token(self) -> Token:
        return self.tokens[self.index]

    def advance(self) -> Token:
        token = self.tokens[self.index]
        self.index = min(self.index + 1, len(self.tokens) - 1)
        return token

    def at(self, *texts: str) -> bool:
        return self.token.kind == "operator" and self.token.text in texts

    def expect(self, text: str, purpose: str) -> Token:
        if not self.at(text):
            raise self.unexpected(f"expected {text!r} {purpose}")
        return self.advance()

    def unexpected(self, expectation: str) -> Exception:
        came = repr(self.token.text) if self.token.kind != "end" else "the end"
        if self.at(")", "]") and "operand" not in expectation:
            return self.source.refusal(f"unbalanced {came}: nothing was opened", self.token.position)
        return self.source.refusal(f"{expectation}, came {came}", self.token.position)

    def program(self) -> Text:
        """Parse statements and declarations up to the end."""
        declarations: list[Declaration] = []
        statements: list[Statement] = []
        while self.token.kind != "end":
            if self.at(";"):
                self.advance()
                continue
            found = self.statement()
            if isinstance(found, Declaration):
                declarations.append(found)
            else:
                statements.append(found)
            if self.token.kind != "end" and not self.at(";"):
                raise self.unexpected("expected an operator or the end of the expression")
        if not statements:
            raise self.source.refusal("expected an expression, came none", 0)
        return Text(self.source, tuple(declarations), tuple(statements))

    def statement(self) -> Declaration | Statement:
        start = self.token.position
        following = [t.text for t in self.tokens[self.index:self.index + 2]]
        if self.token.kind == "name" and len(following) > 1:
            if following[1] == "=":
                name = self.advance().text
                self.advance()
                return Statement(start, name, self.expression())
            if self._declares():
                return self.declaration()
        return Statement(start, None, self.expression())

    def _declares(self) -> bool:
        """Say whether names, joined by commas, and a colon come next."""
        i = self.index
        while self.tokens[i].kind == "name" and self.tokens[i + 1].text == ",":
            i += 2
        return self.tokens[i].kind == "name" and self.tokens[i + 1].text == ":"

    def declaration(self) -> Declaration:
        """Parse ``X, Y: m x n symmetric`` after the look-ahead has seen the colon."""
        start, names = self.token.position, [self.advance().text]
        while self.at(","):
            self.advance()
            names.append(self.advance().text)
        self.expect(":", "in a declaration")
        shape: list[Node] = []
        properties: list[str] = []
        scalar = False
        while self.token.kind in ("name", "number") or self.at("("):
            word = self.token.text
            if word in PROPERTIES:
                properties.append(self.advance().text)
            elif word == "scalar":
                scalar = bool(self.advance())
            elif shape and not properties and word == "x" and len(shape) == 1:
                self.advance()
                shape.append(self.dimension())
            elif not shape and not properties and not scalar:
                shape.append(self.dimension())
            else:
                raise self.source.refusal(f"unknown property {word!r}", self.token.position,
                                          f"; known are {', '.join(PROPERTIES)}")
        if self.token.kind != "end" and not self.at(";"):
            raise self.unexpected("expected a shape such as m x n, or a property")
        return Declaration(start, tuple(names), tuple(shape) or None, scalar, tuple(properties))

    def dimension(self) -> Node:
        """Parse one dimension: a number, a name, or a sum of products of them in parentheses."""
        if self.at("("):
            self.advance()
            inside = self.expression()
            self.expect(")", "to close the dimension")
            return inside
        token = self.advance()
        return Number(token.position, token.text) if token.kind == "number" else Name(token.position, token.text)

    def expression(self, lowest: int = _SUM) -> Node:
        """Parse operands joined by operators that bind at least as tightly as ``lowest``."""
        self.depth += 1
        if self.depth > DEEPEST:
            raise self.source.refusal(f"nested more than {DEEPEST} deep", self.token.position,
                                      "; name a part by an equation")
        left = self.operand()
        while self.token.kind == "operator" and _PRECEDENCE.get(self.token.text, 0) >= lowest:
            operator = self.advance()
            precedence = _PRECEDENCE[operator.text]
            right = self.exponent() if precedence == _POWER else self.expression(precedence + 1)
            left = self.node(Binary(operator.position, operator.text.replace("**", "^"), left, right))
            if precedence == _POWER:
                left = self.postfix(left)
        self.depth -= 1
        return left

    def exponent(self) -> Node:
        """Parse what follows ``^``, without a transpose: that belongs to the power, as in A^-1'."""
        token = self.token
        if self.at("+", "-"):
            self.advance()
            inside = self.exponent()
            return inside if token.text == "+" else self.node(Unary(token.position, "-", inside))
        base = self.atom()
        if self.token.kind == "operator" and _PRECEDENCE.get(self.token.text, 0) == _POWER:
            operator = self.advance()
            return self.node(Binary(operator.position, operator.text.replace("**", "^"), base, self.exponent()))
        return base

    def node(self, node: Node) -> Node:
        """Count a node, so that no text takes long."""
        self.nodes += 1
        if self.nodes > MOST_NODES:
            raise self.source.refusal(f"more than {MOST_NODES} operations", node.position)
        return node

    def operand(self) -> Node:
        """Parse a signed operand; a sign binds looser than a power and tighter than a product."""
        token = self.token
        if self.at("+", "-"):
            self.advance()
            inside = self.expression(_PRODUCT + 1)
            return inside if token.text == "+" else self.node(Unary(token.position, "-", inside))
        inside = self.postfix(self.atom())
        if token.kind == "number" and (self.token.kind == "name" or self.at("(")):
            right = self.expression(_POWER)  # 2x, 2(x + y), 2 x^2
            return self.node(Binary(token.position, "*", inside, right))
        return inside

    def postfix(self, node: Node) -> Node:
        """Parse transposes and slices behind an operand."""
        while self.at("'", "["):
            token = self.advance()
            if token.text == "'":
                node = self.node(Unary(token.position, "'", node))
            else:
                rows = self.range()
                columns = Range(token.position, None, None)
                if self.at(","):
                    self.advance()
                    columns = self.range()
                self.expect("]", "to close the slice")
                node = self.node(Slice(token.position, node, rows, columns))
        return node

    def range(self) -> Range:
        """Parse ``:``, ``i``, ``i:j``, ``i:`` or ``:j``."""
        start = self.token.position
        first = None if self.at(":") else self.expression()
        if not self.at(":"):
            return Range(start, first, first)
        self.advance()
        last = None if self.at(",", "]") else self.expression()
        return Range(start, first, last)

    def atom(self) -> Node:
        """Parse a number, a name, a call, a parenthesis or blocks."""
        token = self.token
        if token.kind == "number":
            self.advance()
            return self.node(Number(token.position, token.text))
        if token.kind == "name":
            self.advance()
            return self.call(token) if self.at("(") else self.node(Name(token.position, token.text))
        if self.at("("):
            self.advance()
            inside = self.expression()
            if not self.at(")"):
                raise self._unclosed(token, ")")
            self.advance()
            return inside
        if self.at("["):
            return self.blocks()
        raise self.unexpected("expected an operand (a number, a name or '(')")

    def _unclosed(self, opening: Token, closing: str) -> Exception:
        if self.token.kind == "end":
            return self.source.refusal(f"unbalanced {opening.text!r}: {closing!r} is missing", opening.position)
        return self.source.refusal(f"expected {closing!r} or an operator, came {self.token.text!r}",
                                   self.token.position)

    def call(self, function: Token) -> Node:
        """Parse the arguments of a function."""
        opening = self.advance()
        arguments = [] if self.at(")") else [self.expression()]
        while self.at(","):
            self.advance()
            arguments.append(self.expression())
        if not self.at(")"):
            raise self._unclosed(opening, ")")
        self.advance()
        return self.node(Call(function.position, function.text, tuple(arguments)))

    def blocks(self) -> Node:
        """Parse ``[A, B; C, D]``."""
        opening = self.advance()
        rows = [[self.expression()]]
        while self.at(",", ";"):
            if self.advance().text == ";":
                rows.append([self.expression()])
            else:
                rows[-1].append(self.expression())
        if not self.at("]"):
            raise self._unclosed(opening, "]")
        self.advance()
        return self.node(Blocks(opening.position, tuple(map(tuple, rows))))
