"""Terms of an expression as NumPy: safe names, the nodes of code, constants of the arguments' type."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

import sympy
from sympy import (
    Basic,
    Expr,
    HadamardProduct,
    Identity,
    MatMul,
    MatrixSymbol,
    OneMatrix,
    S,
    Symbol,
    Transpose,
    ZeroMatrix,
)
from sympy.matrices.expressions.matexpr import MatrixExpr

from codegen.expressions.helpers import NEEDED, WRITTEN_HERE
from codegen.expressions.nodes import SPELLING, Times
from codegen.expressions.products import area
from codegen.numpy_code import NumpyPrinter
from codegen.scalar_code import Helper
from symbolic.extremes import Maximum, Minimum
from symbolic.operations import OPERATIONS
from symbolic.operations.table import ATOM, POWER, SUM, TIMES, called
from symbolic.printing import summands
from symbolic.scalars import sigmoid, softplus
from symbolic.structure import Commutation
from symbolic.terms import Applied, Broadcast, HadamardQuotient, Inner, Term, hadamard, scale, split

CONSTANT = OneMatrix | ZeroMatrix | Identity | Commutation
REPEATED = Broadcast | OneMatrix | ZeroMatrix
"""What NumPy repeats by itself, from a row, a column or a number, where another operand has the full shape."""


@dataclass
class ExpressionPrinter(NumpyPrinter):
    """Print terms as NumPy, and remember the helpers and the sizes that they need.

    Attributes:
        names: The name in code of each symbol.
        arrays: The matrices among the arguments: constants take their type, and a shape that is theirs.
        dimensions: The symbols that are sizes.
        sizes: Those of them that were printed.
    """

    names: Mapping[Expr, str] = field(default_factory=dict)
    arrays: tuple[MatrixSymbol, ...] = ()
    dimensions: frozenset[Expr] = frozenset()
    sizes: set[Expr] = field(default_factory=set)

    def _spell(self, term: Basic) -> tuple[int, str]:
        if isinstance(term, Symbol | MatrixSymbol):
            return ATOM, self._name(term)
        if type(term) in NEEDED:
            self._need(WRITTEN_HERE[NEEDED[type(term)](term)])
        if isinstance(term, CONSTANT):
            return ATOM, self._constant(term)
        if isinstance(term, Applied):
            return ATOM, self._applied(self._function(term.function), term.args[1])
        if isinstance(term, MatMul):
            return self._product(term)
        if isinstance(term, Inner):
            return ATOM, self._sum(*term.args)
        if isinstance(term, HadamardProduct | HadamardQuotient | Maximum | Minimum):
            return self._combined(term)
        spelling = SPELLING.get(type(term)) or (called(NEEDED[type(term)]) if type(term) in NEEDED else None)
        if spelling is not None:
            return spelling[0], spelling[1](term, self.show)
        return super()._spell(term)

    def _applied(self, name: str, operand: Expr) -> str:
        """Spell f(s); of numbers and sizes alone it is a float of Python's, which does not widen float32."""
        if operand.is_number or self._of_sizes(operand):
            return f"float({name}(np.float64({self.show(operand)})))"
        return f"{name}({self.show(operand)})"

    def _of_sizes(self, term: Expr) -> bool:
        return bool(term.free_symbols) and term.free_symbols <= self.dimensions

    def _name(self, symbol: Expr) -> str:
        if symbol in self.dimensions:
            self.sizes.add(symbol)
        return self.names.get(symbol, str(symbol.name))

    def _need(self, needed: Helper) -> None:
        for name in needed.needs:
            self._need(WRITTEN_HERE[name])
        self.helpers.setdefault(needed.name, needed)

    def _constant(self, term: Term) -> str:
        """Spell a constant matrix by an argument of its shape, else by its sizes and an argument's type."""
        kind = f", dtype={self.names[self.arrays[0]]}.dtype" if self.arrays else ""
        if isinstance(term, Commutation | Identity):
            name = "np.eye" if isinstance(term, Identity) else "commutation"
            return f"{name}({', '.join(map(self.show, term.args))}{kind})"
        name, like = "ones" if isinstance(term, OneMatrix) else "zeros", self._like(term)
        return f"np.{name}_like({like})" if like else f"np.{name}({self._sizes(term.shape)}{kind})"

    def _like(self, term: MatrixExpr) -> str:
        """Return the name of an argument of the same shape, if there is one."""
        return next((self.names[a] for a in self.arrays if a.shape == term.shape), "")

    def _product(self, term: MatMul) -> tuple[int, str]:
        coefficient, rest = split(term)
        if isinstance(rest, MatMul):
            body = " @ ".join(self.show(f, TIMES + 1) for f in rest.args)
            return (TIMES, body) if coefficient is S.One else self._signed(coefficient, f"({body})")
        if isinstance(rest, OneMatrix):
            return self._filled(coefficient, rest)
        if isinstance(rest, HadamardQuotient) and isinstance(rest.args[0], OneMatrix):
            return self._signed(coefficient, "", f" / {self.show(rest.args[1], TIMES + 1)}")
        loose = isinstance(rest, HadamardProduct | HadamardQuotient) or (
            coefficient == -1 and isinstance(rest, Times) and _widens(rest))
        return self._signed(coefficient, self.show(rest, TIMES if loose else TIMES + 1))

    def _filled(self, coefficient: Expr, ones: OneMatrix) -> tuple[int, str]:
        like = self._like(ones)
        if like:
            return ATOM, f"np.full_like({like}, {self.show(coefficient)})"
        return self._signed(coefficient, self._constant(ones))

    def _signed(self, coefficient: Expr, body: str, after: str = "") -> tuple[int, str]:
        """Spell coefficient * body, and what the body is divided by behind it."""
        number, above, below = _fraction(coefficient)
        sign, number = ("-", -number) if number < 0 else ("", number)
        if number.is_Rational and max(number.p, number.q) <= LARGEST:
            first, last = ([str(number.p)] if number.p != 1 else []), ([str(number.q)] if number.q != 1 else [])
        else:
            first, last = [repr(float(number))], []
        top = [*first, *(self.show(f, TIMES + 1) for f in above), *([body] if body else [])] or ["1"]
        bottom = [*last, *(self.show(f, TIMES + 1) for f in below)]
        text = " * ".join(top)
        if bottom:
            text += f" / {bottom[0]}" if len(bottom) == 1 else f" / ({' * '.join(bottom)})"
        return (SUM if sign else TIMES if len(top) > 1 or bottom or after else ATOM), sign + text + after

    def _sum(self, left: MatrixExpr, right: MatrixExpr) -> str:
        for ones, other in ((left, right), (right, left)):
            if isinstance(ones, OneMatrix):
                return f"np.sum({self.show(other)})"
        if isinstance(left, Transpose) and isinstance(right, Transpose):
            return self._sum(left.args[0], right.args[0])
        return f"np.sum({self.show(hadamard(left, right))})"

    def _combined(self, term: MatrixExpr) -> tuple[int, str]:
        """Leave repetition, ones and zeros to NumPy where another operand has the full shape."""
        full = any(not isinstance(split(a)[1], REPEATED) for a in term.args)

        def show(operand: Basic, outer: int = 0) -> str:
            coefficient, rest = split(operand)
            if full and isinstance(rest, Broadcast):
                return self.show(scale(coefficient, rest.operand), outer)
            if full and isinstance(rest, OneMatrix):
                return self.show(coefficient, outer)
            return "0" if full and isinstance(rest, ZeroMatrix) else self.show(operand, outer)

        if isinstance(term, HadamardProduct):
            factors = Counter(term.args)
            powers = [show(f, TIMES + 1) if n == 1 else f"{show(f, ATOM)} ** {n}" for f, n in factors.items()]
            return (POWER if len(factors) == 1 else TIMES), " * ".join(powers)
        precedence, spell = OPERATIONS[type(term)].spelling[self.target]
        return precedence, spell(term, show)

    def _scalar(self, term: Expr) -> tuple[int, str]:
        """Spell scalar algebra; what sizes alone make is a float of Python's here too."""
        if isinstance(term, sigmoid | softplus | sympy.erf) and not term.is_number:
            name = type(term).__name__
            self._need(WRITTEN_HERE[name])
            return ATOM, f"{name}({self.show(term.args[0])})"
        if isinstance(term, sympy.Max | sympy.Min) and len(term.args) > 2:
            first, *rest = term.args
            name = "np.maximum" if isinstance(term, sympy.Max) else "np.minimum"
            return ATOM, f"{name}({self.show(first)}, {self.show(term.func(*rest))})"
        if self._of_sizes(term):
            if term.is_Pow and abs(term.exp) == S.Half:
                return POWER, f"{self.show(term.base, ATOM)} ** {'-' if term.exp < 0 else ''}0.5"
            if isinstance(term, sympy.Function):
                return ATOM, f"float({super()._scalar(term)[1]})"
        if term.is_Add:
            return SUM, self._scalar_sum(term)
        if term.is_Mul or (term.is_Pow and term.exp.could_extract_minus_sign()):
            return self._signed(term, "")
        return super()._scalar(term)

    def _scalar_sum(self, term: Expr) -> str:
        """Spell a sum, what is subtracted behind what is added."""
        parts = [(a.could_extract_minus_sign(), a) for a in summands(term)]
        text = ""
        for below_zero, part in sorted(parts, key=lambda pair: pair[0]):
            body = self.show(-part if below_zero else part, SUM + 1)
            text += ("-" if not text else " - ") + body if below_zero else (" + " if text else "") + body
        return text


LARGEST = 10**6
"""Beyond this, numerators and denominators are written as one decimal number."""


def _fraction(coefficient: Expr) -> tuple[Expr, list[Expr], list[Expr]]:
    """Return a coefficient's number, and its other factors above and below the line, sums without common numbers."""
    number: Expr = S.One
    above: list[Expr] = []
    below: list[Expr] = []
    for factor in sympy.Mul.make_args(coefficient):
        base, exponent = factor.as_base_exp()
        if factor.is_number:
            number *= factor
        elif factor.is_Add:
            content, rest = factor.primitive()
            flipped = rest.could_extract_minus_sign()
            number *= -content if flipped else content
            above.append(-rest if flipped else rest)
        elif exponent.could_extract_minus_sign():
            below.append(base**-exponent)
        else:
            above.append(factor)
    return number, above, below


def _widens(term: Times) -> bool:
    """Say whether a product has more entries than its first factor, which is then the one to take a sign."""
    first: MatrixExpr = term
    while isinstance(first, Times):
        first = first.args[0]
    return area(term) > area(first)
