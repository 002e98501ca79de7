"""Elementwise functions: one row each, a name and a scalar formula.

The derivative of a row is SymPy's derivative of its formula. Where textbooks
write it by the function's own value h = f(x), as in sigma' = h (1 - h), the row
says so, and a test holds the two against each other.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import sympy
from sympy import (
    Abs,
    Piecewise,
    Rational,
    S,
    acos,
    asin,
    atan,
    cos,
    cosh,
    erf,
    exp,
    log,
    sign,
    sin,
    sinh,
    sqrt,
    tan,
    tanh,
)
from sympy.core.symbol import Str

from symbolic.scalars import sigmoid, softplus, x

h = sympy.Symbol("h", real=True)
"""The value f(x), in a derivative that is written by it."""

GOODFELLOW = "Goodfellow, Bengio, Courville (2016), Deep Learning"
MAGNUS = "Magnus, Neudecker (2019), Matrix Differential Calculus"


@dataclass(frozen=True)
class FunctionRow:
    """One elementwise function.

    Attributes:
        formula: f(x), a scalar SymPy expression in ``symbolic.scalars.x``.
        source: Where the formula stands in the literature.
        derivative: f'(x) in x and h = f(x), where that is the customary form;
            otherwise None, and f' stays a function of x.
        kinks: The points at which f is not differentiable. There the subgradient is that of
            the branch that the formula takes at the point itself, and sign(0) = 0 for |x|.
        text: Its symbol in a terminal.
        latex: Its symbol in LaTeX.
        activation: Whether a layer may name it.
        gain: Scale of the initial weights, over 1/sqrt(fan-in) (He et al. 2015 for relu).
    """

    formula: sympy.Expr
    source: str
    text: str
    latex: str
    derivative: sympy.Expr | None = None
    kinks: tuple[float, ...] = ()
    activation: bool = True
    gain: float = 1.0


def _row(name: str, formula: sympy.Expr, source: str, **more: object) -> tuple[str, FunctionRow]:
    more.setdefault("text", name)
    more.setdefault("latex", rf"\operatorname{{{name.replace('_', chr(92) + '_')}}}")
    return name, FunctionRow(formula, source, **more)  # type: ignore[arg-type]


def _hinge_at(bound: int, inside: sympy.Expr, outside: sympy.Expr) -> sympy.Expr:
    return Piecewise((inside, x > bound), (outside, True))


FUNCTIONS: dict[str, FunctionRow] = dict([
    _row("identity", x, "f(x) = x", derivative=S.One, latex=r"\operatorname{id}", text="id"),
    _row("sigmoid", sigmoid(x), f"{GOODFELLOW}, section 3.10",
         derivative=h * (1 - h), text="σ", latex=r"\sigma"),
    _row("tanh", tanh(x), f"{GOODFELLOW}, section 6.3.2", derivative=1 - h**2, latex=r"\tanh"),
    _row("relu", _hinge_at(0, x, S.Zero), f"{GOODFELLOW}, section 6.3.1", kinks=(0.0,), gain=2**0.5),
    _row("leaky_relu", _hinge_at(0, x, Rational(1, 100) * x),
         "Maas, Hannun, Ng (2013), slope 1/100", kinks=(0.0,), gain=2**0.5),
    _row("elu", _hinge_at(0, x, exp(x) - 1), "Clevert, Unterthiner, Hochreiter (2016), alpha = 1"),
    _row("gelu", x * (1 + erf(x / sqrt(2))) / 2, "Hendrycks, Gimpel (2016), exact form", gain=2**0.5),
    _row("silu", x * sigmoid(x), "Elfwing, Uchibe, Doya (2018)", gain=2**0.5),
    _row("softplus", softplus(x), f"{GOODFELLOW}, section 3.10"),
    _row("mish", x * tanh(softplus(x)), "Misra (2019)", gain=2**0.5),
    _row("exp", exp(x), f"{MAGNUS}, chapter 5", derivative=h, activation=False, latex=r"\exp"),
    _row("log", log(x), f"{MAGNUS}, chapter 5", derivative=1 / x, activation=False, latex=r"\log"),
    _row("sqrt", sqrt(x), f"{MAGNUS}, chapter 5", derivative=1 / (2 * h), activation=False,
         latex=r"\operatorname{sqrt}"),
    _row("sin", sin(x), f"{MAGNUS}, chapter 5", activation=False, latex=r"\sin"),
    _row("cos", cos(x), f"{MAGNUS}, chapter 5", activation=False, latex=r"\cos"),
    _row("tan", tan(x), f"{MAGNUS}, chapter 5", activation=False, latex=r"\tan"),
    _row("arcsin", asin(x), f"{MAGNUS}, chapter 5", activation=False, latex=r"\arcsin"),
    _row("arccos", acos(x), f"{MAGNUS}, chapter 5", activation=False, latex=r"\arccos"),
    _row("arctan", atan(x), f"{MAGNUS}, chapter 5", activation=False, latex=r"\arctan"),
    _row("sinh", sinh(x), f"{MAGNUS}, chapter 5", activation=False, latex=r"\sinh"),
    _row("cosh", cosh(x), f"{MAGNUS}, chapter 5", activation=False, latex=r"\cosh"),
    _row("erf", erf(x), "f(x) = 2/√π ∫ exp(−t²) dt from 0 to x", activation=False),
    _row("abs", Abs(x), "f(x) = |x|", kinks=(0.0,), activation=False),
    _row("sign", sign(x), "f(x) = sign x, 0 at 0", kinks=(0.0,), derivative=S.Zero, activation=False),
    _row("step", _hinge_at(0, S.One, S.Zero), "f(x) = 1 where x > 0, else 0", kinks=(0.0,),
         derivative=S.Zero, activation=False),
    _row("huber", Piecewise((x**2 / 2, Abs(x) <= 1), (Abs(x) - Rational(1, 2), True)),
         "Huber (1964), threshold 1", activation=False),
    _row("hinge", Piecewise((1 - x, x < 1), (S.Zero, True)),
         "Cortes, Vapnik (1995)", kinks=(1.0,), activation=False),
])


class ScalarFunction(sympy.Basic):
    """A named scalar function, applied to matrices entry by entry.

    Its arguments are a name and a ``Lambda``; two functions are equal when both are.
    """

    @property
    def name(self) -> str:
        """The name, a row of `FUNCTIONS` or one of the user's, with a prime per derivative."""
        return str(self.args[0])

    @property
    def formula(self) -> sympy.Expr:
        """f(x) as a scalar expression in ``symbolic.scalars.x``."""
        return _formula(self)

    @property
    def row(self) -> FunctionRow | None:
        """The table's row, or None for a function that is not of the table."""
        row = FUNCTIONS.get(self.name)
        return row if row is not None and row.formula == self.formula else None

    @property
    def kinks(self) -> tuple[float, ...]:
        """The points where it is not differentiable, as the row of its name says."""
        row = FUNCTIONS.get(self.name.rstrip("'"))
        return row.kinks if row else ()


@cache
def _formula(function: ScalarFunction) -> sympy.Expr:
    return function.args[1](x)


def scalar_function(name: str, formula: sympy.Expr | None = None) -> ScalarFunction:
    """Return the function of that name: a row of the table, or ``formula`` in x."""
    return ScalarFunction(Str(name), sympy.Lambda(x, FUNCTIONS[name].formula if formula is None else formula))


@cache
def derivative(function: ScalarFunction) -> sympy.Expr | ScalarFunction:
    """Return f' as an expression in x and h = f(x) where that is customary, else as a function f'."""
    row = function.row
    if row is not None and row.derivative is not None:
        return row.derivative
    formula = _slope(function.formula)
    if formula.is_number:
        return formula
    return scalar_function(_names().get(formula, function.name + "'"), formula)


def _slope(formula: sympy.Expr) -> sympy.Expr:
    """Return f', factored where that is shorter; at a kink, where SymPy has a Dirac delta, it is that of a side."""
    found = sympy.diff(formula, x).replace(sympy.DiracDelta, lambda *_: S.Zero)
    return min(found, sympy.factor_terms(found), key=sympy.count_ops) if found.is_Add else found


@cache
def _names() -> dict[sympy.Expr, str]:
    """Return the name of each formula of the table, so that softplus' is seen to be sigmoid."""
    return {row.formula: name for name, row in FUNCTIONS.items()}


def activations() -> tuple[str, ...]:
    """Return the names of the elementwise functions that a layer may have."""
    return tuple(name for name, row in FUNCTIONS.items() if row.activation)

