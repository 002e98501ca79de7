"""Scalar formulas in Python that numba compiles: every number is of the dtype, so that float32 stays float32."""

from __future__ import annotations

from collections.abc import Mapping

from sympy import Expr

from codegen.c.scalars import ScalarPrinter
from codegen.numba_target.exponentials import exponential
from symbolic.build import DECAY, SAMPLES

FUNCTIONS = {"fabs": "abs", "fmax": "max", "fmin": "min", "pow": "pow", "exp": "exp", "tanh": "tanh"}
"""Python's names of functions of C, those of the module excepted that ``math`` has by the same name."""

HELPERS = {
    "sigmoid": '@compiled\ndef sigmoid(x):\n    """Return 1 / (1 + exp(-x))."""\n    one = type(x)(1)\n'
               "    return one / (one + exp(-x))",
    "softplus": '@compiled\ndef softplus(x):\n    """Return log(1 + exp(x)), without overflow."""\n'
                "    return max(x, type(x)(0)) + math.log1p(exp(-abs(x)))",
    "sign": '@compiled\ndef sign(x):\n    """Return -1, 0 or 1."""\n    return type(x)((x > 0) - (x < 0))',
}
"""Functions that ``math`` lacks, or that a formula alone would compute unsafely."""

NEEDS = {"sigmoid": ("exp",), "softplus": ("exp",)}


class NumbaScalars(ScalarPrinter):
    """Print formulas, and remember which helpers they call.

    Attributes:
        typed: Whether numbers are written ``real(2.0)``, as in compiled functions, or plainly.
    """

    def __init__(self) -> None:
        super().__init__("real")
        self.typed = True
        self.names = {str(SAMPLES.name): "real(N)", str(DECAY.name): "real(WEIGHT_DECAY)"}

    def plain(self, formula: Expr, entries: Mapping[str, str] | None = None) -> str:
        """Return a formula between numbers of Python.

        Args:
            formula: Of scalars.
            entries: How names are written that are no numbers of the caller.
        """
        self.typed, names, self.names = False, self.names, {str(DECAY.name): "WEIGHT_DECAY", **(entries or {})}
        try:
            return self.formula(formula)
        finally:
            self.typed, self.names = True, names

    def function(self, name: str) -> str:
        """Return the name of a function of C in Python."""
        if name in ("exp", "tanh") and self.typed:
            self.need(name)
            return name
        return f"math.{name}" if name in ("exp", "tanh") else FUNCTIONS.get(name, f"math.{name}")

    def need(self, name: str) -> None:
        """Remember a helper, after those that it calls itself."""
        for other in NEEDS.get(name, ()):
            self.need(other)
        self.helpers.setdefault(name, HELPERS[name] if name in HELPERS else exponential(name))

    def _need(self, name: str) -> str:
        self.need(name)
        return name

    def _number(self, value: float) -> str:
        return f"real({value!r})" if self.typed else repr(value)

    def _print_Piecewise(self, term: Expr) -> str:
        text: str = self._print(term.args[-1].expr)
        for value, condition in reversed(term.args[:-1]):
            text = f"({self._print(value)} if {self._print(condition)} else {text})"
        return text

    def _print_And(self, term: Expr) -> str:
        return " and ".join(f"({self._print(a)})" for a in term.args)

    def _print_Or(self, term: Expr) -> str:
        return " or ".join(f"({self._print(a)})" for a in term.args)

    def _print_BooleanTrue(self, term: Expr) -> str:
        return "True"
