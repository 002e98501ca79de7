"""Scalar formulas in C99, for double or float."""

from __future__ import annotations

from typing import Any

import sympy
from sympy import Expr, S
from sympy.printing.c import C99CodePrinter

from symbolic.errors import InputError

FUNCTIONS = {sympy.exp: "exp", sympy.log: "log", sympy.tanh: "tanh", sympy.sin: "sin", sympy.cos: "cos",
             sympy.tan: "tan", sympy.sinh: "sinh", sympy.cosh: "cosh", sympy.asin: "asin", sympy.acos: "acos",
             sympy.atan: "atan", sympy.erf: "erf", sympy.Abs: "fabs"}
"""Functions of math.h; the suffix f is added for float."""

HELPERS = {
    "sigmoid": "static inline {real} sigmoid{suffix}(const {real} x) {{\n    return {one} / ({one} + {exp}(-x));\n}}",
    "softplus": "/* log(1 + exp(x)), without overflow. */\nstatic inline {real} softplus{suffix}(const {real} x) {{\n"
                "    return {fmax}(x, {zero}) + {log1p}({exp}(-{fabs}(x)));\n}}",
    "sign": "static inline {real} sign{suffix}(const {real} x) {{\n"
            "    return ({real})((x > {zero}) - (x < {zero}));\n}}",
}
"""Functions that math.h lacks, or that a formula alone would compute unsafely."""


class ScalarPrinter(C99CodePrinter):
    """Print formulas, and remember which helpers they call."""

    def __init__(self, dtype: str, fast: bool = False) -> None:
        super().__init__({"precision": 17, "math_macros": {}})  # M_PI and the like are not of C99
        self.names: dict[str, str] = {}
        self.suffix = "f" if dtype == "float" else ""
        self.real = dtype
        self.helpers: dict[str, str] = {}
        self.fast = fast

    def formula(self, formula: Expr) -> str:
        """Return the formula as an expression of C."""
        text: str = self.doprint(formula)
        return text

    def function(self, name: str) -> str:
        """Return the name of a function of math.h for the type, or of a faster one of the file."""
        if self.fast and name in ("exp", "tanh"):
            return f"fast_{name}" + self.suffix
        return name + self.suffix

    def _need(self, name: str) -> str:
        words = {"real": self.real, "one": self._number(1.0), "zero": self._number(0.0)}
        words["suffix"] = self.suffix
        words |= {f: self.function(f) for f in ("exp", "log1p", "fabs", "fmax")}
        self.helpers.setdefault(name, HELPERS[name].format(**words))
        return name + self.suffix

    def number(self, value: float) -> str:
        """Return a constant of the type.

        Raises:
            InputError: It is beyond the range of the type, in a file that is to compile without a warning.
        """
        largest, least = (3.4028234e38, 1.4e-45) if self.suffix else (1.7976931348623157e308, 5e-324)
        if not self.fast and (abs(value) > largest or 0 < abs(value) < least or value != value):
            raise InputError(f"the constant {value:g} of the formulas is beyond the range of {self.real}"
                             + ("; generate the file with --dtype double" if self.suffix else ""))
        return self._number(value)

    def _number(self, value: float) -> str:
        text = repr(value)
        return (text if any(c in text for c in ".en") else text + ".0") + self.suffix

    def _print_Integer(self, term: Expr) -> str:
        return self.number(float(int(term)))

    def _print_Rational(self, term: Expr) -> str:
        value = float(term)
        return self.number(value if value or not term else float("nan"))  # a number too small for a double is not 0

    _print_Float = _print_NumberSymbol = _print_Rational
    _print_Pi = _print_Exp1 = _print_Half = _print_One = _print_Zero = _print_NegativeOne = _print_Rational

    def _print_Symbol(self, term: Expr) -> str:
        return self.names.get(term.name, term.name)

    def _print_Function(self, term: Expr) -> str:
        kind = type(term)
        name = self.function(FUNCTIONS[kind]) if kind in FUNCTIONS else self._need(kind.__name__)
        return f"{name}({', '.join(map(self._print, term.args))})"

    _print_exp = _print_log = _print_tanh = _print_sin = _print_cos = _print_tan = _print_sinh = _print_cosh = \
        _print_asin = _print_acos = _print_atan = _print_erf = _print_Abs = _print_sign = _print_Function

    def _print_sigmoid(self, term: Expr) -> str:
        return self._print_Function(term)

    _print_softplus = _print_sigmoid

    def _print_Max(self, term: Expr) -> str:
        return self._chosen(sympy.StrictGreaterThan, term.args)

    def _print_Min(self, term: Expr) -> str:
        return self._chosen(sympy.StrictLessThan, term.args)

    def _chosen(self, relation: Any, arguments: Any) -> str:
        """Choose by conditions: fmax and fmin are calls, which keep a loop from vector instructions."""
        best, *rest = arguments
        for argument in rest:
            best = sympy.Piecewise((best, relation(best, argument)), (argument, True), evaluate=False)
        return self.formula(best)

    def _print_Add(self, term: Expr, order: str | None = None) -> str:
        exponentials = [a for a in term.args if isinstance(a, sympy.exp)]
        if len(term.args) == 2 and S.NegativeOne in term.args and exponentials:
            return f"{self.function('expm1')}({self._print(exponentials[0].args[0])})"
        text: str = super()._print_Add(term, order)
        return text

    def _print_Pow(self, term: Expr) -> str:
        base, exponent = term.base, term.exp
        if exponent.is_Integer and 2 <= abs(exponent) <= 4:
            power = "*".join([self.parenthesize(base, 1000)] * abs(int(exponent)))
            return f"({power})" if exponent > 0 else f"{self._number(1.0)}/({power})"
        if exponent == -1:
            return f"{self._number(1.0)}/{self.parenthesize(base, 1000)}"
        if abs(exponent) == S.Half:
            root = f"{self.function('sqrt')}({self._print(base)})"
            return root if exponent > 0 else f"{self._number(1.0)}/{root}"
        return f"{self.function('pow')}({self._print(base)}, {self._print(exponent)})"

    def _print_Piecewise(self, term: Expr) -> str:
        text = self._print(term.args[-1].expr)
        for value, condition in reversed(term.args[:-1]):
            text = f"({self._print(condition)} ? {self._print(value)} : {text})"
        return text

    def _print_Relational(self, term: Expr) -> str:
        return f"{self._print(term.lhs)} {term.rel_op} {self._print(term.rhs)}"
