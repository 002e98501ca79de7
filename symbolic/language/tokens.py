"""The tokens of the matrix language."""

from __future__ import annotations

import re
from dataclasses import dataclass

from symbolic.language.tree import Source

LONGEST, LONGEST_NAME, MOST_DIGITS = 10_000, 64, 30

_PATTERN = re.compile(
    r"(?P<space>[ \t\r]+|#[^\n]*)"
    r"|(?P<number>(?:[0-9]+(?:\.[0-9]+)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3}(?![0-9]))?)"
    r"|(?P<name>[A-Za-z][A-Za-z0-9_]*)"
    r"|(?P<operator>\.\*|\./|\.\^|\*\*|[-+*/^'(),;:=\[\]\n])")

_SPELLED = {"⊙": ".*", "⊘": "./", "ᵀ": "'", "−": "-", "·": "*", "×": "* (or x in a declaration)"}
"""What people paste, and how the language writes it."""


@dataclass(frozen=True)
class Token:
    """A kind (number, name, operator, end), its text and where it starts."""

    kind: str
    text: str
    position: int

    @property
    def starts(self) -> bool:
        """Whether an operand may start with it."""
        return self.kind in ("number", "name") or self.text in ("(", "[")

    @property
    def ends(self) -> bool:
        """Whether an operand may end with it."""
        return self.kind in ("number", "name") or self.text in (")", "]", "'")


def tokenize(source: Source) -> list[Token]:
    """Return the tokens of a text; newlines are semicolons, but for those within parentheses.

    Raises:
        InputError: The text is too long or holds a character that the language lacks.
    """
    text = source.text
    if len(text) > LONGEST:
        raise source.refusal(f"the text has {len(text)} characters; at most {LONGEST} are read", 0)
    tokens: list[Token] = []
    opened: list[str] = []
    newline: int | None = None
    for token in _tokens(source):
        if token.text == "\n" and opened:
            newline = token.position if opened[-1] == "[" else None
            continue
        if newline is not None and tokens[-1].ends:
            tokens += _row_end(source, newline, token)
        newline = None
        if token.text in ("(", "["):
            opened.append(token.text)
        elif token.text in (")", "]") and opened:
            opened.pop()
        tokens.append(Token(token.kind, ";" if token.text == "\n" else token.text, token.position))
    return tokens


def _tokens(source: Source) -> list[Token]:
    text, position = source.text, 0
    tokens: list[Token] = []
    while position < len(text):
        match = _PATTERN.match(text, position)
        if match is None:
            hint = _SPELLED.get(text[position])
            raise source.refusal(f"unexpected character {text[position]!r}", position,
                                 f"; write {hint}" if hint else "")
        kind, found = str(match.lastgroup), match.group()
        if kind == "number" and sum(map(str.isdigit, found)) > MOST_DIGITS:
            raise source.refusal(f"a number of more than {MOST_DIGITS} digits", position, "; round it")
        if kind == "name" and len(found) > LONGEST_NAME:
            raise source.refusal(f"a name of {len(found)} characters; at most {LONGEST_NAME} are read", position)
        if kind != "space":
            tokens.append(Token(kind, "^" if found == "**" else found, position))
        position = match.end()
    return [*tokens, Token("end", "", len(text))]


def _row_end(source: Source, newline: int, following: Token) -> list[Token]:
    """Return what a newline between blocks is: the end of a row if an operand starts the next line."""
    if following.text in ("+", "-"):  # elsewhere the sum would go on, in MATLAB a row would begin
        raise source.refusal("a line within brackets that begins with a sign", following.position,
                             "; write ; where a row ends, or put the sign at the end of the line above")
    return [Token("operator", ";", newline)] if following.starts else []
