"""Scalar formulas as NumPy functions: the helpers that stand at the head of a module."""

from __future__ import annotations

from dataclasses import dataclass

import sympy
from sympy import Expr, Float, Max, Min, Piecewise, S
from sympy.printing.pycode import PythonCodePrinter

from symbolic.functions import ScalarFunction
from symbolic.printing import TextPrinter
from symbolic.scalars import x

DIRECT = {"tanh": "np.tanh", "exp": "np.exp", "log": "np.log", "abs": "np.abs", "sign": "np.sign",
          **{f: f"np.{f}" for f in ("sqrt", "sin", "cos", "tan", "arcsin", "arccos", "arctan", "sinh", "cosh")}}
"""Functions that NumPy has under one name."""


@dataclass(frozen=True)
class Helper:
    """A function at the head of a generated module.

    Attributes:
        name: Its name.
        source: Its text.
        needs: The names of helpers that it calls.
    """

    name: str
    source: str
    needs: tuple[str, ...] = ()


_SIGMOID = '''\
def sigmoid(x):
    """Logistic function 1 / (1 + exp(-x))."""
    with np.errstate(over="ignore"):  # exp may overflow to inf, and 1 / inf is the right 0
        return 1 / (1 + np.exp(-x))'''

_SOFTPLUS = '''\
def softplus(x):
    """log(1 + exp(x)), without overflow."""
    return np.logaddexp(x, 0)'''

_SOFTMAX = '''\
def softmax(a):
    """exp(a) over its sum within each {sample}, without overflow."""
    e = np.exp(a - np.max(a, axis={axis}, keepdims=True))
    return e / np.sum(e, axis={axis}, keepdims=True)'''

_LOG_SOFTMAX = '''\
def log_softmax(a):
    """log(softmax(a)) within each {sample}, by log-sum-exp: finite for logits of any size."""
    a = a - np.max(a, axis={axis}, keepdims=True)
    return a - np.log(np.sum(np.exp(a), axis={axis}, keepdims=True))'''

ERF_COEFFICIENTS = '''\
_ERF = np.array([
    -0.6513268598908547, 0.6419697923564902, 0.019476473204185836, -0.009561514786808632,
    -0.0009465953444820369, 0.00036683949785276145, 4.252332480690777e-05, -2.0278578112534242e-05,
    -1.6242900046470256e-06, 1.3036558355805232e-06, 1.5626441722066142e-08, -8.523809591492654e-08,
    6.5290544390988515e-09, 5.059343495551469e-09, -9.91364156493033e-10, -2.273651222931836e-10,
    9.646791102015527e-11, 2.3940380830391146e-12, -6.886027526497553e-12, 8.944879273090725e-13,
    3.130921399342958e-13, -1.1270822361367252e-13, 3.810905255189232e-16, 7.106097613609237e-15,
    -1.5230282014571041e-15, -9.457494571291254e-17, 1.210237189224273e-16, -2.816663087746774e-17,
])'''

_ERF = ERF_COEFFICIENTS + '''


def erf(x):
    """Error function to 4e-16: a Chebyshev series for log(exp(x**2) erfc(|x|) / t), t = 2 / (2 + |x|)."""
    t = 2 / (2 + np.abs(x))
    series = np.polynomial.chebyshev.chebval(2 * t - 1, _ERF.astype(x.dtype))
    return np.sign(x) * (1 - t * np.exp(series - x * x))'''

ERF_IN_PLACE = ERF_COEFFICIENTS + '''


def erf(x, t, u, b1, b2, out):
    """Error function to 4e-16, without allocation: the series for log(exp(x**2) erfc(|x|) / t) by Clenshaw."""
    np.abs(x, out=t)
    np.add(t, 2, out=t)
    np.divide(2, t, out=t)
    np.multiply(t, 4, out=u)
    np.subtract(u, 2, out=u)  # twice the argument of the series, 2 t - 1
    b1.fill(0)
    b2.fill(0)
    b0 = out
    for c in _COEFFICIENTS[:0:-1]:
        np.multiply(u, b1, out=b0)
        np.subtract(b0, b2, out=b0)
        np.add(b0, c, out=b0)
        b0, b1, b2 = b2, b0, b1
    np.multiply(u, b1, out=u)
    np.multiply(u, 0.5, out=u)
    np.subtract(u, b2, out=u)
    np.add(u, _COEFFICIENTS[0], out=u)
    np.multiply(x, x, out=b0)
    np.subtract(u, b0, out=u)
    np.exp(u, out=u)
    np.multiply(u, t, out=u)
    np.subtract(1, u, out=u)
    np.copysign(u, x, out=out)


_COEFFICIENTS = _ERF.tolist()'''

WRITTEN: dict[str, Helper] = {h.name: h for h in (
    Helper("sigmoid", _SIGMOID), Helper("softplus", _SOFTPLUS), Helper("erf", _ERF))}
"""Helpers that are written out, because a formula alone would overflow or NumPy lacks them."""


def along_axis(name: str, axis: int) -> Helper:
    """Return ``softmax`` or ``log_softmax`` for samples as columns (axis 0) or rows (axis 1)."""
    source = {"softmax": _SOFTMAX, "log_softmax": _LOG_SOFTMAX}[name]
    return Helper(name, source.format(axis=axis, sample="column" if axis == 0 else "row"))


def function_name(function: ScalarFunction) -> str:
    """Return the name of an elementwise function in code."""
    bare = function.name.rstrip("'")
    name = bare + "_derivative" * (len(function.name) - len(bare))
    return DIRECT.get(name, name)


def helper(function: ScalarFunction) -> Helper | None:
    """Return the helper of an elementwise function, or None where NumPy has it."""
    name = function_name(function)
    if name.startswith("np."):
        return None
    return WRITTEN[name] if name in WRITTEN else _from_formula(name, function.formula)


def _from_formula(name: str, formula: Expr) -> Helper:
    printer = _ScalarPrinter()
    literal = _literals(guarded(formula))
    code = printer.doprint(literal) if literal.has(x) else f"np.full_like(x, {printer.doprint(literal)})"
    statement = TextPrinter().show(formula)
    source = f'def {name}(x):\n    """{statement}."""\n    return {code}'
    if len(statement) > 90:
        source = f'def {name}(x):\n    return {code}'
    return Helper(name, source, tuple(sorted(printer.needs)))


def guarded(formula: Expr) -> Expr:
    """Keep exp of a branch that is not taken from overflowing: exp(x) where x ≤ c is exp(min(x, c))."""
    if isinstance(formula, Piecewise) and len(formula.args) == 2:
        (inside, condition), (outside, _) = formula.args
        if condition.func in (sympy.StrictGreaterThan, sympy.GreaterThan) and condition.args[0] is x:
            bound = condition.args[1]
            return Piecewise((_bounded(inside, Max(x, bound)), condition), (_bounded(outside, Min(x, bound)), True))
        if condition.func in (sympy.StrictLessThan, sympy.LessThan) and condition.args[0] is x:
            bound = condition.args[1]
            return Piecewise((_bounded(inside, Min(x, bound)), condition), (_bounded(outside, Max(x, bound)), True))
    return formula


def _bounded(branch: Expr, argument: Expr) -> Expr:
    return branch.replace(sympy.exp, lambda a: sympy.exp(a.subs(x, argument)))


def _literals(formula: Expr) -> Expr:
    """Write irrational constants as numbers: a NumPy scalar such as np.sqrt(2) would widen float32."""
    if formula in (S.true, S.false):
        return formula
    if not formula.args:
        return formula if formula.is_Integer or formula.is_symbol else formula.evalf(17)
    if formula.is_number:
        return formula.evalf(17)
    if formula.is_Pow and formula.exp.is_Rational:
        return sympy.Pow(_literals(formula.base), formula.exp, evaluate=False)
    if formula.is_Mul:
        number, rest = formula.as_independent(x, as_Add=False)
        if number is not S.One:
            return sympy.Mul(_literals(number), _literals(rest), evaluate=False)
    if isinstance(formula, Piecewise):
        branches = ((_literals(value), _literals(condition)) for value, condition in formula.args)
        return Piecewise(*branches, evaluate=False)  # SymPy would fold them anew, and may not come back
    return formula.func(*map(_literals, formula.args))


class _ScalarPrinter(PythonCodePrinter):
    """Python for a formula in x, by NumPy's functions and our helpers."""

    def __init__(self) -> None:
        super().__init__({"fully_qualified_modules": False, "standard": "python3"})
        self.needs: set[str] = set()

    def _call(self, name: str, term: Expr) -> str:
        return f"{name}({', '.join(map(self._print, term.args))})"

    def _helped(self, term: Expr) -> str:
        name = term.func.__name__
        self.needs.add(name)
        return self._call(name, term)

    _print_sigmoid = _print_softplus = _print_erf = _helped

    def _print_Function(self, term: Expr) -> str:
        name = FUNCTIONS_OF_NUMPY.get(term.func)
        if name is None:
            raise TypeError(f"{term.func.__name__} has no NumPy form")
        return self._call(name, term)

    _print_exp = _print_log = _print_tanh = _print_Abs = _print_sign = _print_Function
    _print_sin = _print_cos = _print_tan = _print_atan = _print_asin = _print_acos = _print_Function
    _print_sinh = _print_cosh = _print_Function
    _print_Max = _print_Min = _print_Function

    def _print_Add(self, term: Expr, order: str | None = None) -> str:
        minus_one = [a for a in term.args if isinstance(a, sympy.exp)]
        if len(term.args) == 2 and term.args[0] == -1 and minus_one:
            return self._call("np.expm1", minus_one[0])
        return super()._print_Add(term, order)

    def _print_Pow(self, term: Expr, rational: bool = False) -> str:
        if term.exp == S.Half:
            return f"np.sqrt({self._print(term.base)})"
        if term.exp == -S.Half:
            return f"1/np.sqrt({self._print(term.base)})"
        return super()._print_Pow(term, rational)

    def _print_Rational(self, number: sympy.Rational) -> str:
        return repr(int(number)) if number.q == 1 else repr(float(number))

    def _print_Float(self, number: Float) -> str:
        return repr(float(number))

    def _print_Relational(self, term: Expr) -> str:
        return f"({self._print(term.lhs)} {term.rel_op} {self._print(term.rhs)})"

    def _print_And(self, term: Expr) -> str:
        return "(" + " & ".join(self._print(a) for a in term.args) + ")"

    def _print_Or(self, term: Expr) -> str:
        return "(" + " | ".join(self._print(a) for a in term.args) + ")"

    def _bare(self, condition: Expr) -> str:
        text = self._print(condition)
        return text[1:-1] if text.startswith("(") else text

    def _print_Piecewise(self, term: Piecewise) -> str:
        branches = term.args
        if tuple(map(tuple, branches)) == ((x, x > 0), (0, True)):
            return "np.maximum(x, 0)"
        if len(branches) == 2 and branches[1][0] == 0 and branches[0][0].is_number:
            (value, condition), _ = branches
            step = f"{self._print(condition)}.astype(x.dtype)"
            return step if value == 1 else f"{self._print(value)} * {step}"
        code, constant = self._print(branches[-1][0]), branches[-1][0].is_number
        for value, condition in reversed(branches[:-1]):
            text = self._print(value)
            if constant and value.is_number:  # np.where of two plain numbers would be float64
                code, text = f"x.dtype.type({code})", f"x.dtype.type({text})"
            code, constant = f"np.where({self._bare(condition)}, {text}, {code})", False
        return code


FUNCTIONS_OF_NUMPY = {
    sympy.exp: "np.exp", sympy.log: "np.log", sympy.tanh: "np.tanh", sympy.Abs: "np.abs", sympy.sign: "np.sign",
    sympy.sin: "np.sin", sympy.cos: "np.cos", sympy.tan: "np.tan", sympy.atan: "np.arctan", sympy.asin: "np.arcsin",
    sympy.acos: "np.arccos",
    sympy.sinh: "np.sinh", sympy.cosh: "np.cosh", Max: "np.maximum", Min: "np.minimum",
}
"""SymPy's scalar functions that NumPy has."""
