"""The parser of the matrix language: statements and declarations."""

from __future__ import annotations

import re
from difflib import get_close_matches

from symbolic.language.cursor import Cursor
from symbolic.language.expressions import parse_expression
from symbolic.language.tree import Declaration, Name, Node, Number, Source, Statement, Text
from symbolic.messages import nearest

PROPERTIES = ("symmetric", "psd", "diagonal", "invertible", "positive", "onehot_rows", "onehot_cols",
              "distribution_rows", "distribution_cols")
"""What a declaration may say of a matrix besides its shape."""

_WORDS = (*PROPERTIES, "scalar")


def parse(text: str) -> Text:
    """Return the declarations and statements of a text.

    Raises:
        InputError: The text is not of the language; the message points at the character.
    """
    return _Parser(Cursor(Source(text))).program()


class _Parser:
    def __init__(self, cursor: Cursor) -> None:
        self.cursor = cursor

    def program(self) -> Text:
        """Parse statements and declarations up to the end."""
        declarations: list[Declaration] = []
        statements: list[Statement] = []
        while self.cursor.token.kind != "end":
            if self.cursor.at(";"):
                self.cursor.advance()
                continue
            if self._declares():
                declarations.append(self.declaration())
            else:
                statements.append(self.statement())
            if self.cursor.token.kind != "end" and not self.cursor.at(";"):
                raise self.cursor.unexpected("expected an operator or the end of the expression")
        if not statements:
            raise self.cursor.source.refusal("expected an expression, came none", 0)
        words = frozenset(t.text for t in self.cursor.tokens if t.kind == "name")
        return Text(self.cursor.source, tuple(declarations), tuple(statements), words)

    def statement(self) -> Statement:
        """Parse ``name = expression`` or an expression."""
        start, name = self.cursor.token, None
        if start.kind == "name" and self.cursor.following.text == "=":
            name = self.cursor.advance().text
            self.cursor.advance()
        return Statement(start.position, name, parse_expression(self.cursor))

    def _declares(self) -> bool:
        """Say whether names, joined by commas, and a colon come next."""
        i = self.cursor.index
        while self.cursor.tokens[i].kind == "name" and self.cursor.tokens[i + 1].text == ",":
            i += 2
        return self.cursor.tokens[i].kind == "name" and self.cursor.tokens[i + 1].text == ":"

    def declaration(self) -> Declaration:
        """Parse ``X, Y: m x n symmetric`` after the look-ahead has seen the colon."""
        names = [Name(self.cursor.token.position, self.cursor.advance().text)]
        while self.cursor.advance().text == ",":
            names.append(Name(self.cursor.token.position, self.cursor.advance().text))
        shape: list[Node] = []
        properties: list[str] = []
        scalar = False
        while self.cursor.token.kind in ("name", "number") or self.cursor.at("("):
            word = self.cursor.token.text
            if word in PROPERTIES:
                properties.append(self.cursor.advance().text)
            elif word == "scalar" and not shape and not scalar:
                scalar = bool(self.cursor.advance())
            elif word == "x" and len(shape) == 1 and not properties:
                self.cursor.advance()
                shape.append(self.dimension())
            elif not shape and not properties and not scalar:
                shape.append(self.dimension())
            else:
                raise self._unknown(shape)
        if self.cursor.token.kind != "end" and not self.cursor.at(";"):
            raise self.cursor.unexpected("expected a shape such as m x n, or a property")
        return Declaration(tuple(names), tuple(shape) or None, scalar, tuple(dict.fromkeys(properties)))

    def _unknown(self, shape: list[Node]) -> Exception:
        word = self.cursor.token.text
        if len(shape) == 1 and word.startswith("x"):
            return self.cursor.refusal(f"unexpected {word!r}", "; write a shape with spaces, as in 2 x 3")
        return self.cursor.refusal(f"unknown property {word!r}", nearest(word, PROPERTIES))

    def dimension(self) -> Node:
        """Parse one dimension: a number, a name, or a sum of products of them in parentheses."""
        if self.cursor.at("("):
            opening = self.cursor.open()
            inside = parse_expression(self.cursor)
            self.cursor.close(opening, ")")
            return inside
        if self.cursor.token.kind not in ("number", "name"):
            raise self.cursor.unexpected("expected a dimension, a number or a name")
        kind, word = self.cursor.token.kind, self.cursor.token.text
        if kind == "name" and get_close_matches(word, _WORDS, cutoff=0.8):
            raise self.cursor.refusal(f"unknown property {word!r}", nearest(word, _WORDS))
        if re.fullmatch("[a-zA-Z]x[a-zA-Z]", word):
            raise self.cursor.refusal(f"a dimension {word}",
                                      f"; write a shape with spaces, as in {word[0]} x {word[2]}")
        return (Number if kind == "number" else Name)(self.cursor.advance().position, word)
