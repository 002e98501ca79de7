"""The place in a text up to which it is parsed."""

from __future__ import annotations

from symbolic.language.tokens import Token, tokenize
from symbolic.language.tree import Source

MOST_BRACKETS = 200


class Cursor:
    """The tokens of a text, the one that comes next, and the brackets that are open there."""

    def __init__(self, source: Source) -> None:
        self.source = source
        self.tokens = tokenize(source)
        self.index = self.opened = 0

    @property
    def token(self) -> Token:
        """The token that comes next."""
        return self.tokens[self.index]

    @property
    def following(self) -> Token:
        """The token after the next one."""
        return self.tokens[min(self.index + 1, len(self.tokens) - 1)]

    def advance(self) -> Token:
        """Return the next token and go past it."""
        token = self.tokens[self.index]
        self.index = min(self.index + 1, len(self.tokens) - 1)
        return token

    def at(self, *texts: str) -> bool:
        """Say whether one of these operators comes next."""
        return self.token.kind == "operator" and self.token.text in texts

    def refusal(self, problem: str, advice: str = "") -> Exception:
        """Return the error that points to the next token."""
        return self.source.refusal(problem, self.token.position, advice)

    def unexpected(self, expectation: str) -> Exception:
        """Return the error for the next token, which is not what was expected."""
        came = repr(self.token.text) if self.token.kind != "end" else "the end"
        if self.at(")", "]") and not self.opened:
            return self.refusal(f"unbalanced {came}: nothing was opened")
        return self.refusal(f"{expectation}, came {came}")

    def open(self) -> Token:
        """Go past an opening bracket and return it."""
        self.opened += 1
        if self.opened > MOST_BRACKETS:
            raise self.refusal(f"brackets nested more than {MOST_BRACKETS} deep", "; name a part by an equation")
        return self.advance()

    def close(self, opening: Token, closing: str) -> None:
        """Go past the bracket that closes another one."""
        if self.token.kind == "end":
            raise self.source.refusal(f"unbalanced {opening.text!r}: {closing!r} is missing", opening.position)
        if not self.at(closing):
            problem = f"expected {closing!r} or an operator, came {self.token.text!r}"
            raise self.refusal(f"unbalanced {opening.text!r}: {problem}" if self.at(")", "]") else problem)
        self.opened -= 1
        self.advance()
