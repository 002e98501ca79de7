"""Terms as text of the matrix language, so that an answer can be pasted back in as input."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable

import sympy
from sympy import Basic, Expr, HadamardProduct, MatAdd, MatMul, OneMatrix, S, Symbol, ZeroMatrix

from symbolic.errors import InputError
from symbolic.functions import ScalarFunction
from symbolic.language.functions import LANGUAGE
from symbolic.operations import OPERATIONS
from symbolic.operations.algebra import runs
from symbolic.operations.table import ATOM, POWER, SUM, TIMES
from symbolic.scalars import x
from symbolic.terms import (
    Applied,
    Elementwise,
    HadamardQuotient,
    Inner,
    MatrixDifferential,
    ScalarDifferential,
    SquaredNorm,
    SumAlong,
    product,
    scale,
    split,
    sum_along,
    transpose,
)

DECIMALS = 17
_OPERATION = re.compile(r"\.[*/^]|[-+*/^']|[A-Za-z_]\w*\(")


class LanguagePrinter:
    """Spell terms in the matrix language."""

    def __init__(self) -> None:
        self._shown: dict[tuple[Basic, int], str] = {}

    def show(self, term: Basic, precedence: int = 0) -> str:
        """Return the term, in parentheses where it binds looser than ``precedence``.

        Raises:
            InputError: A function of it cannot be written in the language.
        """
        key = (term, precedence)
        text = self._shown.get(key)
        if text is None:
            own, text = self._spell(term)
            text = self._shown[key] = f"({text})" if own < precedence else text
        return text

    def _spell(self, term: Basic) -> tuple[int, str]:
        if isinstance(term, sympy.MatrixSymbol | Symbol):
            return ATOM, str(term.name)
        if isinstance(term, MatrixDifferential | ScalarDifferential):
            return ATOM, f"d{term.args[0].name}"
        if isinstance(term, Inner):
            return self._inner(term)
        if isinstance(term, OneMatrix | ZeroMatrix):
            name = "ones" if isinstance(term, OneMatrix) else "zeros"
            return ATOM, f"{name}({self.show(term.shape[0])}, {self.show(term.shape[1])})"
        if isinstance(term, sympy.Identity):
            return ATOM, f"eye({self.show(term.shape[0])})"
        if isinstance(term, Elementwise | Applied):
            return self._function(term)
        if isinstance(term, MatAdd):
            return SUM, self._sum(term)
        if isinstance(term, MatMul):
            return self._product(term)
        if isinstance(term, HadamardProduct):
            return self._hadamard(term)
        if isinstance(term, HadamardQuotient) and isinstance(term.args[0], OneMatrix):
            return TIMES, f"1./{self.show(term.args[1], TIMES + 1)}"
        row = OPERATIONS.get(type(term))
        if row is not None and not row.of_sympy:
            own, spell = row.spelling["language"]
            return own, spell(term, self.show)
        return self._scalar(term)

    def _sum(self, term: MatAdd) -> str:
        """Spell a sum; a matrix of ones beside a full matrix is the number 1."""
        full = any(not isinstance(split(a)[1], OneMatrix) for a in term.args)
        text = ""
        for summand in term.args:
            coefficient, rest = split(summand)
            below_zero = bool(coefficient.could_extract_minus_sign())
            size = -coefficient if below_zero else coefficient
            plain = full and isinstance(rest, OneMatrix)
            body = self.show(size if plain else scale(size, rest), SUM + 1)
            text += ("-" if not text else " - ") + body if below_zero else (" + " if text else "") + body
        return text

    def _product(self, term: MatMul) -> tuple[int, str]:
        """Spell a product; with a vector of ones it is a sum of rows or columns."""
        coefficient, rest = split(term)
        if isinstance(rest, OneMatrix) and rest.shape == (1, 1):
            return self._spell(coefficient)  # a block of one entry
        factors = list(rest.args) if isinstance(rest, MatMul) else [rest]
        for i, factor in enumerate(factors):
            if isinstance(factor, OneMatrix) and factor.shape[1] == 1 and i > 0:
                summed = sum_along(product(*factors[:i]), 1)
                return self._spell(product(coefficient, summed, *factors[i + 1:]))
            if isinstance(factor, OneMatrix) and factor.shape[0] == 1 and i + 1 < len(factors):
                return self._spell(product(coefficient, *factors[:i], sum_along(product(*factors[i + 1:]), 0)))
            if isinstance(factor, SumAlong) and (size := factor.operand.shape[factor.axis]) in _divisors(coefficient):
                # A symbol with that text for a name stands for the mean.
                text = f"mean_{'rows' if factor.axis else 'cols'}({self.show(factor.operand)})"
                mean = sympy.MatrixSymbol(text, *factor.shape)
                return self._spell(product(coefficient * size, *factors[:i], mean, *factors[i + 1:]))
        own, spell = OPERATIONS[MatMul].spelling["language"]
        if coefficient.could_extract_minus_sign():
            return SUM, "-" + self.show(scale(-coefficient, rest), TIMES)
        return own, spell(term, self.show)

    def _inner(self, term: Inner) -> tuple[int, str]:
        """Spell ⟨A, B⟩ as a sum, a trace or a product of a row and a column, from the side that is shorter."""
        own, spell = OPERATIONS[Inner].spelling["language"]
        text = spell(term, self.show)
        if S.One not in term.args[0].shape or isinstance(term.args[0], OneMatrix):
            trace = f"tr({self.show(product(transpose(term.args[0]), term.args[1]))})"
            if text.startswith("sum(") and _length(trace) < _length(text):
                text = trace
            return (ATOM if text.startswith(("sum(", "tr(")) else own), text
        other = spell(Basic.__new__(Inner, *reversed(term.args)), self.show)
        return own, min(text, other, key=_length)

    def _hadamard(self, term: HadamardProduct) -> tuple[int, str]:
        parts = [self.show(f, TIMES + 1) if n == 1 else f"{self.show(f, ATOM)}.^{n}" for f, n in runs(term.args)]
        return (TIMES if len(parts) > 1 else POWER), ".*".join(parts)

    def _function(self, term: Elementwise | Applied) -> tuple[int, str]:
        function, inside = term.function, term.args[1]
        if function.name in LANGUAGE and function.row is not None:
            return ATOM, f"{function.name}({self.show(inside)})"
        dots = "." if isinstance(term, Elementwise) else ""
        return self._formula(function.formula, self.show(inside, ATOM), dots, function)

    def _formula(self, formula: Expr, inside: str, dots: str, of: ScalarFunction) -> tuple[int, str]:
        """Spell a formula in x at an operand, entry by entry."""
        def show(part: Expr, precedence: int = 0) -> str:
            own, text = self._formula(part, inside, dots, of)
            return f"({text})" if own < precedence else text

        if formula is x:
            return ATOM, inside
        if formula.is_number:
            return self._scalar(formula)
        if formula.is_Add:
            return SUM, _signed(formula.args, lambda a: show(a, SUM + 1))
        if formula.is_Mul:
            return self._formula_product(formula, show, dots)
        if formula.is_Pow:
            if formula.exp == S.Half:
                return ATOM, f"sqrt({show(formula.base)})"
            if formula.exp.could_extract_minus_sign():
                return TIMES, f"1{dots}/{show(formula.base**-formula.exp, TIMES + 1)}"
            return POWER, f"{show(formula.base, ATOM)}{dots}^{self.show(formula.exp, ATOM)}"
        if isinstance(formula, sympy.Piecewise) and len(formula.args) == 2:
            return self._piecewise(formula, inside, dots, of)
        name = _NAMES.get(formula.func, formula.func.__name__)
        if name in LANGUAGE and len(formula.args) == 1:
            return ATOM, f"{name}({show(formula.args[0])})"
        raise InputError(f"{of.name}(x) = {of.formula} cannot be written in the matrix language")

    def _formula_product(self, formula: Expr, show: Callable[..., str], dots: str) -> tuple[int, str]:
        number, rest = formula.as_coeff_Mul()
        above, below = rest.as_numer_denom()
        if number.could_extract_minus_sign():
            return SUM, "-" + show(-formula, TIMES)
        numbers = [f for f in sympy.Mul.make_args(above) if f.is_number]
        factors = [f for f in sympy.Mul.make_args(above) if not f.is_number]
        number *= sympy.Mul(*numbers)
        text = f"{dots}*".join(show(f, TIMES + 1) for f in factors)
        if not number.is_Rational and (1 / number**2).is_Integer and text:
            text, number = f"{text}/sqrt({1 / number**2})", S.One
        elif not number.is_Rational:
            below_number = sympy.Mul(*(f for f in sympy.Mul.make_args(below) if f.is_number))
            number, below = sympy.N(number / below_number, DECIMALS), below / below_number
        if number.p != 1 if number.is_Rational else True:
            text = self.show(sympy.Integer(number.p) if number.is_Rational else number, TIMES + 1) + (
                "*" + text if text else "")
        if number.is_Rational and number.q != 1:
            text = f"{text or 1}/{number.q}"
        if below != 1:
            text = f"{text or 1}{dots}/{show(below, TIMES + 1)}"
        return TIMES, text

    def _piecewise(self, formula: sympy.Piecewise, inside: str, dots: str, of: ScalarFunction) -> tuple[int, str]:
        """Spell ``a where x > c, else b`` as b + (a − b) step(x − c), no branch overflowing where it is not taken."""
        (value, condition), (other, _) = formula.args
        if condition.func is not sympy.StrictGreaterThan or condition.args[0] is not x:
            raise InputError(f"{of.name}(x) = {of.formula} cannot be written in the matrix language")
        bound = condition.args[1]
        place = inside if bound == 0 else f"{inside} - {self.show(bound, SUM + 1)}"
        low = self._formula(other, f"min({inside}, {self.show(bound)})" if other.has(sympy.exp) else inside, dots, of)
        high = self._formula(value, f"max({inside}, {self.show(bound)})" if value.has(sympy.exp) else inside, dots, of)

        def within(part: tuple[int, str], precedence: int) -> str:
            return f"({part[1]})" if part[0] < precedence else part[1]

        if other == 0:
            return TIMES, f"{within(high, TIMES)}{dots}*step({place})"
        if value.is_number and other.is_number:
            return SUM, f"{low[1]} + {self.show(value - other, TIMES)}*step({place})"
        return SUM, f"{within(low, SUM)} + ({within(high, SUM)} - {within(low, SUM + 1)}){dots}*step({place})"

    def _scalar(self, term: Expr) -> tuple[int, str]:
        if term.is_Integer:
            digits = str(int(term))
            zeros = len(digits) - len(digits.rstrip("0"))
            return (SUM if term < 0 else ATOM), f"{digits[:-zeros]}e{zeros}" if zeros > 5 else digits
        if term.is_Rational:
            return (SUM if term < 0 else TIMES), f"{term.p}/{term.q}"
        if isinstance(term, sympy.Add):
            return self._scalar_sum(term)
        if isinstance(term, sympy.Mul):
            return self._scalar_product(term)
        if isinstance(term, sympy.Pow):
            return self._scalar_power(term)
        if isinstance(term, sympy.log) and isinstance(term.args[0], sympy.Determinant):
            return ATOM, f"logdet({self.show(term.args[0].args[0])})"
        name = _NAMES.get(term.func, term.func.__name__)
        if name in LANGUAGE and len(term.args) == 1:
            return ATOM, f"{name}({self.show(term.args[0])})"
        if term.is_number:
            value = repr(float(term)) if abs(float(term)) < 1e16 else f"{float(term):.17g}"
            return (SUM if term < 0 else ATOM), value
        raise InputError(f"{term} cannot be written in the matrix language")

    def _scalar_sum(self, term: sympy.Add) -> tuple[int, str]:
        """Spell a sum, with what its numbers have in common in front where that is shorter."""
        ordered = sorted(term.args, key=lambda a: bool(a.could_extract_minus_sign()))
        plain = _signed(ordered, lambda a: self.show(a, SUM + 1))
        content, rest = term.primitive()
        if content == 1:
            return SUM, plain
        above = f"({self.show(rest)})" if content.p == 1 else f"{content.p}*({self.show(rest)})"
        factored = above if content.q == 1 else f"{above}/{content.q}"
        shorter = (_length(factored), len(factored)) < (_length(plain), len(plain))
        return (TIMES, factored) if shorter else (SUM, plain)

    def _scalar_product(self, term: sympy.Mul) -> tuple[int, str]:
        if term.could_extract_minus_sign():
            return SUM, "-" + self.show(-term, TIMES)
        for factor in term.args:
            if isinstance(factor, Inner) and isinstance(factor.args[0], OneMatrix):
                size = sympy.Mul(*factor.args[0].shape)
                if size != 1 and size in _divisors(term):
                    mean = Symbol(f"mean({self.show(factor.args[1])})", real=True)
                    return self._spell(term * size / factor * mean)
        above, below = [], []
        for factor in term.args:
            base, exponent = factor.as_base_exp()
            if factor.is_Rational:
                above += [sympy.Integer(factor.p)] if factor.p != 1 else []
                below += [sympy.Integer(factor.q)] if factor.q != 1 else []
            elif exponent.could_extract_minus_sign():
                below.append(base**-exponent)
            else:
                above.append(factor)
        top = "*".join(self.show(f, TIMES + 1) for f in above) or "1"
        if not below:
            return TIMES, top
        bottom = "*".join(self.show(f, TIMES + 1) for f in below)
        return TIMES, f"{top}/({bottom})" if len(below) > 1 else f"{top}/{bottom}"

    def _scalar_power(self, term: sympy.Pow) -> tuple[int, str]:
        base, exponent = term.as_base_exp()
        if exponent.could_extract_minus_sign():
            return TIMES, f"1/{self.show(base**-exponent, TIMES + 1)}"
        if isinstance(base, SquaredNorm):
            norm = f"norm2({self.show(base.args[0])})"
            return (ATOM, norm) if exponent == S.Half else (POWER, f"{norm}^{self.show(2 * exponent, ATOM)}")
        if exponent == S.Half:
            return ATOM, f"sqrt({self.show(base)})"
        return POWER, f"{self.show(base, ATOM)}^{self.show(exponent, ATOM)}"


def _divisors(coefficient: Expr) -> tuple[Expr, ...]:
    """Return what a scalar is divided by: each factor, and their product."""
    below = sympy.fraction(coefficient)[1]
    return (below, *sympy.Mul.make_args(below)) if below != 1 else ()


def _length(text: str) -> int:
    return len(_OPERATION.findall(text))


_NAMES = {sympy.Abs: "abs", sympy.asin: "arcsin", sympy.acos: "arccos", sympy.atan: "arctan"}


def _signed(parts: Iterable[Expr], show: Callable[[Expr], str]) -> str:
    """Spell a sum, with a minus sign for what is below zero."""
    text = ""
    for part in parts:
        below_zero = bool(part.could_extract_minus_sign())
        body = show(-part if below_zero else part)
        text += ("-" if not text else " - ") + body if below_zero else (" + " if text else "") + body
    return text
