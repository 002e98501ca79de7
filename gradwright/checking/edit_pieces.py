"""Parts of an expression as text, put together with the parentheses that they need."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass

SUM, PRODUCT, SIGN, POWER, ATOM = 10, 11, 12, 13, 15
"""How tightly an operator binds; a part stands bare only where it binds tightly enough."""

BINDING: Mapping[type[ast.operator], int] = {
    ast.Add: SUM, ast.Sub: SUM, ast.Mult: PRODUCT, ast.Div: PRODUCT, ast.MatMult: PRODUCT, ast.FloorDiv: PRODUCT,
    ast.Mod: PRODUCT, ast.Pow: POWER, ast.BitOr: 6, ast.BitXor: 7, ast.BitAnd: 8, ast.LShift: 9, ast.RShift: 9,
}  # fmt: skip

TOKENS: Mapping[type[ast.operator], str] = {
    ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/", ast.MatMult: "@", ast.Pow: "**",
}  # fmt: skip


@dataclass(frozen=True)
class Piece:
    """A part of an expression as text, and how tightly its outermost operator binds."""

    text: str
    binds: int = ATOM

    def fit(self, least: int) -> str:
        """Return the text, in parentheses where it binds less tightly than the place needs."""
        return self.text if self.binds >= least else f"({self.text})"

    @property
    def shown(self) -> str:
        """The text as a sentence quotes it."""
        return f"`{' '.join(self.text.split())}`" if "\n" in self.text else f"`{self.text}`"


DROP = Piece("", -1)
"""In place of an operand: its operator goes with it."""


def joined(left: Piece, token: str, right: Piece) -> Piece:
    """Join two parts by an operator."""
    binds = {"+": SUM, "-": SUM, "**": POWER}.get(token, PRODUCT)
    first, second = (POWER + 1, SIGN) if token == "**" else (binds, binds + 1)
    gap = "" if token == "**" else " "
    return Piece(f"{left.fit(first)}{gap}{token}{gap}{right.fit(second)}", binds)


def called(function: str, *arguments: str) -> Piece:
    """Write a call."""
    return Piece(f"{function}({', '.join(arguments)})")


def negated(part: Piece) -> Piece:
    """Write a unary minus, or take one away."""
    if part.binds == SIGN and part.text.startswith("-"):
        return Piece(part.text[1:].lstrip(), SIGN)
    return Piece(f"-{part.fit(PRODUCT)}", min(part.binds, SIGN) if part.binds >= PRODUCT else SIGN)
