"""The tokens of the matrix language."""

from __future__ import annotations

import re
from dataclasses import dataclass

from symbolic.language.tree import Source

LONGEST, MOST_DIGITS = 5000, 30

_PATTERN = re.compile(
    r"(?P<space>[ \t\r]+|#[^\n]*)"
    r"|(?P<number>(?:[0-9]+(?:\.[0-9]+)?|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3}(?![A-Za-z0-9_]))?)"
    r"|(?P<name>[A-Za-z][A-Za-z0-9_]*)"
    r"|(?P<operator>\.\*|\./|\.\^|\*\*|[-+*/^'(),;:=\[\]\n])")

_SPELLED = {"⊙": ".*", "⊘": "./", "ᵀ": "'", "−": "-", "·": "*", "×": "*"}
"""What people paste, and how the language writes it."""


@dataclass(frozen=True)
class Token:
    """A kind (number, name, operator, end), its text and where it starts."""

    kind: str
    text: str
    position: int


def tokenize(source: Source) -> list[Token]:
    """Return the tokens of a text; newlines within brackets are no tokens.

    Raises:
        InputError: The text is too long or holds a character that the language lacks.
    """
    text = source.text
    if len(text) > LONGEST:
        raise source.refusal(f"the text has {len(text)} characters; at most {LONGEST} are read", 0)
    tokens: list[Token] = []
    position = depth = 0
    while position < len(text):
        match = _PATTERN.match(text, position)
        if match is None:
            hint = _SPELLED.get(text[position])
            raise source.refusal(f"unexpected character {text[position]!r}", position,
                                 f"; write {hint}" if hint else "")
        kind, found = str(match.lastgroup), match.group()
        if kind == "number" and sum(map(str.isdigit, found)) > MOST_DIGITS:
            raise source.refusal(f"a number of more than {MOST_DIGITS} digits", position, "; round it")
        depth += (found in "([") - (found in ")]") if kind == "operator" else 0
        if kind != "space" and not (found == "\n" and depth > 0):
            tokens.append(Token(kind, ";" if found == "\n" else found, position))
        position = match.end()
    tokens.append(Token("end", "", len(text)))
    return tokens
