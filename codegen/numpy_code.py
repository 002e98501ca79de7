"""Equations as lines of NumPy."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import ClassVar

import sympy
from sympy import Basic, Expr, HadamardProduct, MatAdd, MatMul, OneMatrix, S, Symbol, ZeroMatrix
from sympy.matrices.expressions.matexpr import MatrixExpr

from codegen.scalar_code import FUNCTIONS_OF_NUMPY, WRITTEN, Helper, along_axis, function_name, helper
from symbolic.build import SAMPLES
from symbolic.functions import ScalarFunction
from symbolic.operations import OPERATIONS
from symbolic.operations.table import ATOM, POWER, SUM, TIMES
from symbolic.printing import precedence_of, summands
from symbolic.program import Equation
from symbolic.terms import Broadcast, Elementwise, HadamardQuotient, LogSoftmax, Softmax, SumAlong, scale, split

NAMES = {"lambda": "WEIGHT_DECAY"}
"""Names that are none in Python, or that stand for a constant of the module."""


@dataclass
class NumpyPrinter:
    """Print terms as NumPy expressions, and remember which helpers they call."""

    helpers: dict[str, Helper] = field(default_factory=dict)
    target: ClassVar[str] = "numpy"

    def assignment(self, equation: Equation) -> str:
        """Return ``name = expression``."""
        if isinstance(equation.term, ZeroMatrix) and equation.name.startswith(("grad_", "dgrad_")):
            return f"{equation.name} = np.zeros_like({equation.name.partition('grad_')[2]})"
        return f"{equation.name} = {self.show(equation.term)}"

    def show(self, term: Basic, precedence: int = 0) -> str:
        """Return the term, in parentheses where it binds looser than ``precedence``."""
        own, text = self._spell(term)
        return f"({text})" if own < precedence else text

    def _spell(self, term: Basic) -> tuple[int, str]:
        if isinstance(term, sympy.MatrixSymbol | Symbol):
            return ATOM, NAMES.get(term.name, term.name)
        if isinstance(term, Elementwise):
            return ATOM, f"{self._function(term.function)}({self.show(term.operand)})"
        if isinstance(term, Softmax | LogSoftmax):
            self._need(along_axis("softmax" if isinstance(term, Softmax) else "log_softmax", term.axis))
        if isinstance(term, sympy.Identity):
            return ATOM, f"np.eye({self.show(term.shape[0])})"
        if isinstance(term, OneMatrix | ZeroMatrix):
            return ATOM, f"np.{'ones' if isinstance(term, OneMatrix) else 'zeros'}({self._sizes(term.shape)})"
        if isinstance(term, Broadcast):
            return ATOM, f"np.broadcast_to({self.show(term.operand)}, {self._sizes(term.shape)})"
        if isinstance(term, MatAdd | HadamardProduct | HadamardQuotient):
            return self._combined(term)
        row = OPERATIONS.get(type(term))
        if row is not None and not row.of_sympy:
            precedence, spell = row.spelling[self.target]
            return precedence_of(term, precedence), spell(term, self.show)
        return self._scalar(term)

    def _combined(self, term: MatrixExpr) -> tuple[int, str]:
        """Leave repetition and ones to NumPy's broadcasting where another operand has the full shape."""
        precedence, spell = OPERATIONS[type(term)].spelling[self.target]
        full = any(not isinstance(split(a)[1], Broadcast | OneMatrix | ZeroMatrix) for a in term.args)

        def show(operand: Basic, outer: int = 0) -> str:
            coefficient, rest = split(operand)
            if full and isinstance(rest, Broadcast):
                return self.show(scale(coefficient, rest.operand), outer)
            if full and isinstance(rest, OneMatrix):
                return self.show(coefficient, outer)
            return self.show(operand, outer)

        return precedence, spell(term, show)

    def _function(self, function: ScalarFunction) -> str:
        needed = helper(function)
        if needed:
            self._need(needed)
        return function_name(function)

    def _need(self, needed: Helper) -> None:
        for name in needed.needs:
            self._need(WRITTEN[name])
        self.helpers.setdefault(needed.name, needed)

    def _sizes(self, sizes: Iterable[Expr]) -> str:
        return f"({', '.join(self.show(s) for s in sizes)})"

    def _scalar(self, term: Expr) -> tuple[int, str]:
        if term.is_number and not term.is_Rational:
            return (SUM if term < 0 else ATOM), repr(float(term))
        if isinstance(term, sympy.Add):
            text = ""
            for part in summands(term):
                below_zero = part.could_extract_minus_sign()
                body = self.show(-part if below_zero else part, SUM + 1)
                text += ("-" if not text else " - ") + body if below_zero else (" + " if text else "") + body
            return SUM, text
        if isinstance(term, sympy.Mul):
            return self._scalar_product(term)
        if term.is_Integer or term.is_Float:
            return (SUM if term < 0 else ATOM), repr(int(term) if term.is_Integer else float(term))
        if term.is_Rational:
            return TIMES, f"{term.p} / {term.q}"
        if isinstance(term, sympy.Pow):
            return self._scalar_power(term)
        if isinstance(term, sympy.Function) and type(term) in FUNCTIONS_OF_NUMPY:
            return ATOM, f"{FUNCTIONS_OF_NUMPY[type(term)]}({', '.join(map(self.show, term.args))})"
        raise TypeError(f"{type(term).__name__} has no NumPy form")

    def _scalar_power(self, term: sympy.Pow) -> tuple[int, str]:
        base, exponent = term.as_base_exp()
        if abs(exponent) == sympy.S.Half:
            root = f"np.sqrt({self.show(base)})"
            return (ATOM, root) if exponent > 0 else (TIMES, f"1 / {root}")
        if exponent.is_negative:
            return TIMES, f"1 / {self.show(base**-exponent, TIMES + 1)}"
        return POWER, f"{self.show(base, ATOM)} ** {self.show(exponent, ATOM)}"

    def _scalar_product(self, term: sympy.Mul) -> tuple[int, str]:
        if term.could_extract_minus_sign():
            return SUM, "-" + self.show(-term, TIMES)
        numerator, denominator = [], []
        for factor in term.args:
            base, exponent = factor.as_base_exp()
            if factor.is_Rational and factor.q != 1:
                numerator += [sympy.Integer(factor.p)] if factor.p != 1 else []
                denominator.append(sympy.Integer(factor.q))
            elif exponent == -1:
                denominator.append(base)
            else:
                numerator.append(factor)
        top = " * ".join(self.show(f, TIMES + 1) for f in numerator) or "1"
        return TIMES, top + "".join(f" / {self.show(f, TIMES + 1)}" for f in denominator)


class NetworkPrinter(NumpyPrinter):
    """Print products by the method dot: on small matrices its call costs half of that of the operator @.

    Sums over the samples are products with a vector ``ones``, at a quarter of the cost of a call of sum.
    """

    def _spell(self, term: Basic) -> tuple[int, str]:
        if isinstance(term, MatMul) and len(term.args) == 2 and split(term)[0] is S.One:
            left, right = term.args
            return ATOM, f"{self.show(left, ATOM)}.dot({self.show(right)})"
        if isinstance(term, SumAlong) and term.operand.shape[term.axis] == SAMPLES:
            if term.axis == 0:
                return ATOM, f"ones.dot({self.show(term.operand)})"
            return ATOM, f"{self.show(term.operand, ATOM)}.dot(ones)"
        return super()._spell(term)
