"""The tokenizer and precedence climber of formulas.

Beside each expression it carries the expression's numbers at a few points, in floating
point. They are computed first, and so stop a constant such as 9^9^9 before SymPy
would compute it.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction

import sympy

from symbolic.errors import InputError
from symbolic.formula.functions import FORMULA_FUNCTIONS, binary, flaw, values_at
from symbolic.messages import nearest, shown
from symbolic.scalars import x

DEEPEST, MOST_DIGITS = 50, 30
LARGEST = 1e100
SAMPLES = (-1.9, -1.3, -0.7, -0.2, 0.3, 0.6, 1.1, 1.7)
"""Points in [-2, 2], neither integers nor common poles, at which a formula is tried."""
SYMPY_REFUSALS = (ArithmeticError, AttributeError, NotImplementedError, RecursionError,
                  TypeError, ValueError)
"""What SymPy raises at things without a real value, such as a comparison of complex numbers."""
_TOKEN = re.compile(
    r"(?P<number>(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?)"
    r"|(?P<name>[A-Za-z_][A-Za-z0-9_]*)|(?P<operator>\*\*|[-+*/^(),])|(?P<end>\Z)")
_PRECEDENCE = {"+": 1, "-": 1, "*": 2, "/": 2, "^": 3, "**": 3}
_POWER = 3
_CONSTANTS = {"pi": (sympy.pi, math.pi), "e": (sympy.E, math.e)}
_OTHER_NAMES = {"ln": "log", "atan": "arctan", "logistic": "sigmoid", "heaviside": "step", "fabs": "abs"}
"""What people call the functions elsewhere, where spelling alone would suggest a wrong one."""


@dataclass(frozen=True)
class _Token:
    kind: str
    text: str
    position: int


@dataclass(frozen=True)
class Operand:
    """An expression and its values at `SAMPLES`, nan where there is none."""

    expr: sympy.Expr
    values: tuple[float, ...]


def _number(text: str) -> Operand:
    exact = Fraction(text)
    return Operand(sympy.Rational(exact.numerator, exact.denominator), (float(text),) * len(SAMPLES))


class Parser:
    """One reading of one formula, by precedence climbing."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.depth = 0
        self.token = _Token("start", "", 0)
        self.advance()

    def refusal(self, problem: str, position: int, advice: str = "") -> InputError:
        """Return the error that points to a character."""
        return InputError(f"formula {shown(self.text, 120)}: {problem} at character {position + 1}{advice}")

    def advance(self) -> _Token:
        """Return the present token and read the next one."""
        before = self.token
        start = len(self.text) - len(self.text[before.position + len(before.text):].lstrip(" \t\r\n"))
        match = _TOKEN.match(self.text, start)
        if match is None:
            raise self.refusal(f"unexpected {shown(self.text[start])}", start,
                               "; a formula has numbers, x, + - * / ^ ( ) , and functions such as exp(x)")
        self.token = _Token(str(match.lastgroup), match.group(), start)
        return before

    def expect(self, text: str, purpose: str) -> None:
        """Read a token that must come here."""
        if self.token.text != text:
            raise self.unexpected(f"expected {text!r} {purpose}")
        self.advance()

    def unexpected(self, expectation: str) -> InputError:
        """Return the error that the present token is; mostly it is a missing sign of multiplication."""
        if self.token.kind in ("name", "number") or self.token.text == "(":
            expectation = "expected an operator (write 2*x, not 2x)"
        came = shown(self.token.text) if self.token.text else "the end"
        return self.refusal(expectation, self.token.position, f", came {came}")

    def whole(self) -> Operand:
        """Parse the text from its first token to its last."""
        operand = self.expression(1)
        if self.token.kind != "end":
            raise self.unexpected("expected an operator or the end")
        return operand

    def expression(self, lowest: int) -> Operand:
        """Parse operands joined by operators that bind at least as tightly as ``lowest``."""
        left = self.operand()
        while _PRECEDENCE.get(self.token.text, 0) >= lowest:
            operator = self.advance()
            precedence = _PRECEDENCE[operator.text]
            right = (self.nested(_POWER) if precedence == _POWER  # ^ groups from the right
                     else self.expression(precedence + 1))
            left = self.apply(binary(operator.text), (left, right), operator)
        return left

    def nested(self, lowest: int) -> Operand:
        """Parse an expression one level deeper, as deep as is allowed."""
        self.depth += 1
        if self.depth > DEEPEST:
            raise self.refusal(f"nested more than {DEEPEST} deep", self.token.position, "; make it simpler")
        operand = self.expression(lowest)
        self.depth -= 1
        return operand

    def operand(self) -> Operand:
        """Parse a number, a name, a call, something in parentheses, or one of these with a sign."""
        token = self.token
        if token.text in ("+", "-"):
            self.advance()
            operand = self.nested(_POWER)  # so that -x^2 is -(x^2)
            return operand if token.text == "+" else self.apply(binary("*"), (_number("-1"), operand), token)
        if token.text == "(":
            self.advance()
            operand = self.nested(1)
            self.expect(")", "to close the parenthesis")
            return operand
        if token.kind == "number":
            self.advance()
            return self.number(token)
        if token.kind != "name":
            raise self.unexpected("expected a number, x, a function or '('")
        self.advance()
        if self.token.text == "(" and token.text not in ("x", *_CONSTANTS):
            return self.call(token)
        return self.name(token)

    def number(self, token: _Token) -> Operand:
        """Return a number, exactly as its decimals say."""
        if sum(map(str.isdigit, token.text)) > MOST_DIGITS:
            raise self.refusal(f"a number of more than {MOST_DIGITS} digits", token.position, "; round it")
        return self.checked(_number(token.text), token)

    def name(self, token: _Token) -> Operand:
        """Return what a name that is no call stands for."""
        if token.text == "x":
            return Operand(x, SAMPLES)
        if token.text in _CONSTANTS:
            exact, value = _CONSTANTS[token.text]
            return Operand(exact, (value,) * len(SAMPLES))
        if token.text in FORMULA_FUNCTIONS:
            raise self.refusal(f"expected '(' after the function {token.text!r}", token.position,
                               f", as in {token.text}(x)")
        raise self.refusal(f"unknown name {shown(token.text)}", token.position,
                           "; the variable is x, the constants are pi and e")

    def call(self, token: _Token) -> Operand:
        """Parse the arguments of a function and apply it."""
        function = FORMULA_FUNCTIONS.get(token.text)
        if function is None:
            hint = (f", did you mean {_OTHER_NAMES[token.text]!r}?" if token.text in _OTHER_NAMES
                    else nearest(token.text, FORMULA_FUNCTIONS))
            raise self.refusal(f"unknown function {shown(token.text)}", token.position, hint)
        self.advance()
        arguments = [self.nested(1)]
        while self.token.text == ",":
            self.advance()
            arguments.append(self.nested(1))
        self.expect(")", f"to close {token.text}(")
        if not function.fewest <= len(arguments) <= function.most:
            expected = "one argument" if function.most == 1 else "two arguments or more"
            raise self.refusal(f"{token.text!r} takes {expected}, {len(arguments)} came", token.position)
        return self.apply((function.build, function.number), tuple(arguments), token)

    def apply(self, operation: tuple[Callable[..., sympy.Expr], Callable[..., float]],
              operands: tuple[Operand, ...], token: _Token) -> Operand:
        """Apply an operation to operands, their numbers first: these cannot grow large."""
        build, number = operation
        values = values_at(number, [operand.values for operand in operands])
        if not any(operand.expr.free_symbols for operand in operands):
            self.check_constant(values[0], token)
        try:
            result = build(*(operand.expr for operand in operands))
        except InputError as error:
            raise self.refusal(f"{token.text!r} makes {error}", token.position, "; make it simpler") from None
        except SYMPY_REFUSALS:
            raise self.refusal(f"no real value of {token.text!r}", token.position,
                               "; check its roots, logarithms and divisions") from None
        return self.checked(Operand(result, values), token)

    def check_constant(self, value: float, token: _Token) -> None:
        """Refuse a constant that is no real number of ordinary size."""
        if not math.isfinite(value):
            raise self.refusal(f"{token.text!r} gives no finite real number", token.position,
                               " (division by zero, root or logarithm of a negative number, or too large)")
        if abs(value) > LARGEST or 0 < abs(value) < 1 / LARGEST:
            raise self.refusal(f"{token.text!r} gives a number beyond 1e-100 … 1e100", token.position,
                               "; scale it")

    def checked(self, operand: Operand, token: _Token) -> Operand:
        """Return the operand if nothing is wrong with it."""
        if not operand.expr.free_symbols:
            self.check_constant(operand.values[0], token)
        problem = flaw(operand.expr)
        if problem:
            raise self.refusal(f"{token.text!r} gives {problem}", token.position, "; write it another way")
        return operand
