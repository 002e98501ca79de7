"""A scalar formula in x, typed by a user, as a SymPy expression.

The text is never evaluated: a tokenizer and a precedence climber accept a fixed
list of names and nothing else. Beside each expression the parser carries its
numbers at a few points, in floating point; they stop a constant such as 9^9^9
before SymPy would compute it, and find the formula that is nowhere a real number.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from typing import NoReturn

import sympy

from symbolic.errors import InputError
from symbolic.formula_functions import FORMULA_FUNCTIONS, binary, flaw, values_at
from symbolic.messages import nearest, shown
from symbolic.scalars import x
from symbolic.stable import stable

LONGEST, DEEPEST, MOST_DIGITS = 500, 50, 30
LARGEST = 1e100
SAMPLES = (-1.9, -1.3, -0.7, -0.2, 0.3, 0.6, 1.1, 1.7)
"""Points in [-2, 2], neither integers nor common poles, at which a formula is tried."""
TRUSTED, TOLERANCE = 1e12, 1e-6
"""Above the first, floating point is no witness; within the second, it agrees."""

_SYMPY_REFUSALS = (ArithmeticError, AttributeError, NotImplementedError, RecursionError, TypeError, ValueError)
"""What SymPy raises at things without a real value, such as a comparison of complex numbers."""
_TOKEN = re.compile(
    r"(?P<number>(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]{1,3})?)"
    r"|(?P<name>[A-Za-z_][A-Za-z0-9_]*)|(?P<operator>\*\*|[-+*/^(),])|(?P<end>\Z)")
_SPACE = re.compile(r"[ \t\r\n]*")
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
class _Operand:
    """An expression and its values at `SAMPLES`, nan where there is none."""

    expr: sympy.Expr
    values: tuple[float, ...]


def _number(text: str) -> _Operand:
    exact = Fraction(text)
    return _Operand(sympy.Rational(exact.numerator, exact.denominator), (float(text),) * len(SAMPLES))


class _Parser:
    """One reading of one formula, by precedence climbing."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.depth = 0
        self.token = _Token("start", "", 0)
        self.advance()

    def refuse(self, problem: str, position: int, advice: str = "") -> NoReturn:
        raise InputError(f"formula {shown(self.text, 120)}: {problem} at character {position + 1}{advice}")

    def advance(self) -> _Token:
        """Return the present token and read the next one."""
        before = self.token
        start = _SPACE.match(self.text, before.position + len(before.text)).end()  # type: ignore[union-attr]
        match = _TOKEN.match(self.text, start)
        if match is None:
            self.refuse(f"unexpected {shown(self.text[start])}", start,
                        "; a formula is made of numbers, x, + - * / ^ ( ) , and functions such as exp(x)")
        self.token = _Token(str(match.lastgroup), match.group(), start)
        return before

    def expect(self, text: str, purpose: str) -> None:
        if self.token.text != text:
            self.unexpected(f"expected {text!r} {purpose}")
        self.advance()

    def unexpected(self, expectation: str) -> NoReturn:
        came = shown(self.token.text) if self.token.text else "the end"
        self.refuse(expectation, self.token.position, f", came {came}")

    def whole(self) -> _Operand:
        """Parse the text from its first token to its last."""
        operand = self.expression(1)
        if self.token.kind in ("name", "number") or self.token.text == "(":
            self.unexpected("expected an operator (write 2*x, not 2x)")
        if self.token.kind != "end":
            self.unexpected("expected an operator or the end")
        return operand

    def expression(self, lowest: int) -> _Operand:
        """Parse operands joined by operators that bind at least as tightly as ``lowest``."""
        left = self.operand()
        while _PRECEDENCE.get(self.token.text, 0) >= lowest:
            operator = self.advance()
            precedence = _PRECEDENCE[operator.text]
            right = (self.nested(_POWER) if precedence == _POWER  # ^ groups from the right
                     else self.expression(precedence + 1))
            left = self.apply(binary(operator.text), (left, right), operator)
        return left

    def nested(self, lowest: int) -> _Operand:
        self.depth += 1
        if self.depth > DEEPEST:
            self.refuse(f"nested more than {DEEPEST} deep", self.token.position, "; make it simpler")
        operand = self.expression(lowest)
        self.depth -= 1
        return operand

    def operand(self) -> _Operand:
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
            if sum(map(str.isdigit, token.text)) > MOST_DIGITS:
                self.refuse(f"a number of more than {MOST_DIGITS} digits", token.position, "; round it")
            self.advance()
            return self.checked(_number(token.text), token)
        if token.kind != "name":
            self.unexpected("expected a number, x, a function or '('")
        self.advance()
        return self.call(token) if self.token.text == "(" else self.name(token)

    def name(self, token: _Token) -> _Operand:
        if token.text == "x":
            return _Operand(x, SAMPLES)
        if token.text in _CONSTANTS:
            exact, value = _CONSTANTS[token.text]
            return _Operand(exact, (value,) * len(SAMPLES))
        if token.text in FORMULA_FUNCTIONS:
            self.refuse(f"expected '(' after the function {token.text!r}", token.position, f", as in {token.text}(x)")
        self.refuse(f"unknown name {shown(token.text)}", token.position,
                    "; the variable is x, the constants are pi and e")

    def call(self, token: _Token) -> _Operand:
        """Parse the arguments of a function and apply it."""
        function = FORMULA_FUNCTIONS.get(token.text)
        if function is None:
            hint = (f", did you mean {_OTHER_NAMES[token.text]!r}?" if token.text in _OTHER_NAMES
                    else nearest(token.text, FORMULA_FUNCTIONS))
            self.refuse(f"unknown function {shown(token.text)}", token.position, hint)
        self.advance()
        arguments = [self.nested(1)]
        while self.token.text == ",":
            self.advance()
            arguments.append(self.nested(1))
        self.expect(")", f"to close {token.text}(")
        if not function.fewest <= len(arguments) <= function.most:
            expected = "one argument" if function.most == 1 else "two arguments or more"
            self.refuse(f"{len(arguments)} given to {token.text!r}", token.position, f", expected {expected}")
        return self.apply((function.build, function.number), tuple(arguments), token)

    def apply(self, operation: tuple[Callable[..., sympy.Expr], Callable[..., float]],
              operands: tuple[_Operand, ...], token: _Token) -> _Operand:
        """Apply an operation to operands, their numbers first: these cannot grow large."""
        build, number = operation
        values = values_at(number, [operand.values for operand in operands])
        if not any(operand.expr.free_symbols for operand in operands):
            self.check_constant(values[0], token)
        try:
            result = build(*(operand.expr for operand in operands))
        except InputError as error:
            self.refuse(f"{token.text!r} makes {error}", token.position, "; make it simpler")
        except _SYMPY_REFUSALS:
            self.refuse(f"no real value of {token.text!r}", token.position)
        return self.checked(_Operand(result, values), token)

    def check_constant(self, value: float, token: _Token) -> None:
        if not math.isfinite(value):
            self.refuse(f"{token.text!r} gives no finite real number", token.position,
                        " (a division by zero, a root or logarithm of a negative number, or too large)")
        if abs(value) > LARGEST or 0 < abs(value) < 1 / LARGEST:
            self.refuse(f"{token.text!r} gives a number beyond 1e-100 … 1e100", token.position, "; scale it")

    def checked(self, operand: _Operand, token: _Token) -> _Operand:
        if not operand.expr.free_symbols:
            self.check_constant(operand.values[0], token)
        problem = flaw(operand.expr)
        if problem:
            self.refuse(f"{token.text!r} gives {problem}", token.position, "; make it simpler")
        return operand


@lru_cache(maxsize=256)
def parse_formula(text: str) -> sympy.Expr:
    """Return the scalar formula in ``symbolic.scalars.x`` that a text spells.

    Operators are ``+ - * / ^ **`` with their usual precedence (powers from the
    right, ``-x^2`` is ``-(x^2)``), names ``x``, ``pi`` and ``e``, functions those of
    `FORMULA_FUNCTIONS`. Decimals become exact fractions. Forms that overflow are
    rewritten, see `symbolic.stable.stable`.

    Args:
        text: For instance ``"x/(1+exp(-x))"``.

    Returns:
        An expression whose only symbol is x, and whose derivative SymPy can find.

    Raises:
        InputError: The text is no such formula, or has no gradient.
    """
    if not isinstance(text, str):
        raise InputError(f"a formula is a string in x such as 'x*tanh(x)', came {shown(text)}")
    if len(text) > LONGEST:
        raise InputError(f"formula {shown(text, 40)} is {len(text)} characters long, "
                         f"at most {LONGEST} are read; make it shorter")
    operand = _Parser(text).whole()
    complaint = f"formula {shown(text, 120)}"
    if not operand.expr.free_symbols:
        raise InputError(f"{complaint} does not depend on x, so it has no gradient; use x in it")
    if not any(map(math.isfinite, operand.values)):
        raise InputError(f"{complaint} is no finite real number anywhere that was tried in [-2, 2]; "
                         "check its roots, logarithms and divisions")
    problem = _disagreement(result := stable(operand.expr), operand.values)
    if problem:
        raise InputError(f"{complaint} {problem}; write it another way")
    return result


def _disagreement(result: sympy.Expr, values: tuple[float, ...]) -> str | None:
    """Return where SymPy's form of a formula parts from the numbers of the text, or None.

    SymPy's automatic rules may leave the reals, as sqrt(a b) = sqrt(a) sqrt(b) does.
    """
    import numpy as np  # only a formula needs it here, and the command should start fast

    from symbolic.scalar_values import scalar_value

    points = np.array(SAMPLES)
    try:
        with np.errstate(all="ignore"):
            computed, slope = (scalar_value(term, points) for term in (result, sympy.diff(result, x)))
    except _SYMPY_REFUSALS:
        return "has a derivative that cannot be computed"
    if not np.isfinite(slope).any():
        return "has no derivative that is real and finite"
    for point, value, number in zip(SAMPLES, values, computed, strict=True):
        if abs(value) < TRUSTED and not abs(number - value) <= TOLERANCE * max(1, abs(value)):
            return f"is {value:.6g} at x = {point}, but simplifies to {number:.6g}"
    return None
