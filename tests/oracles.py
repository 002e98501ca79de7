"""Oracles that are independent of the engine: entries by SymPy, numbers by NumPy, printed pages read back.

Nothing here uses a rule of the engine, its evaluator or its verifier; only the nodes themselves.
"""

from __future__ import annotations

import math
import random
import re
from collections.abc import Callable, Iterable, Mapping
from functools import cache, reduce
from operator import add, matmul, mul, truediv
from typing import Any

import numpy as np
import sympy
from sympy import (
    Basic,
    Determinant,
    Expr,
    HadamardProduct,
    Identity,
    ImmutableMatrix,
    Inverse,
    KroneckerProduct,
    MatAdd,
    MatMul,
    MatrixSymbol,
    OneMatrix,
    Piecewise,
    Rational,
    S,
    Symbol,
    Transpose,
    ZeroMatrix,
)
from sympy.logic.boolalg import Boolean
from sympy.matrices import dotprodsimp

from symbolic.derivation import Derivation, Gradient, Line
from symbolic.extremes import FirstLargest, LargestAlong, LargestEntry, LogSumExp, LogSumExpAlong, Maximum, Minimum
from symbolic.functions import ScalarFunction
from symbolic.names import latex_name
from symbolic.operations.entrywise import function_name
from symbolic.program import Program
from symbolic.scalars import sigmoid, softplus, x
from symbolic.structure import Cholesky, Commutation, Diag, DiagonalOf, Reshape, Slice, Stack, Tril
from symbolic.terms import (
    Applied,
    Broadcast,
    Elementwise,
    HadamardQuotient,
    Inner,
    LogSoftmax,
    MatrixDifferential,
    ScalarDifferential,
    Softmax,
    SquaredNorm,
    SumAlong,
    is_matrix,
    operand_indices,
    symbols_of,
)

STEP = 1e-30

# Entries: a term at integer sizes as a matrix of scalar expressions.

def _inverse(a: Any) -> Any:
    """Return the inverse by cofactors, none of them simplified, which would take seconds."""
    with dotprodsimp(False):
        return a.adjugate(method="berkowitz") / a.det(method="berkowitz")


_OF_SYMPY: dict[type[Basic], Callable[..., Any]] = {
    MatAdd: lambda *a: reduce(add, a),
    MatMul: lambda *a: reduce(mul, a),
    HadamardProduct: lambda *a: reduce(lambda p, q: p.multiply_elementwise(q), a),
    Transpose: lambda a: a.T,
    Inverse: lambda a, _: _inverse(a),
    Determinant: lambda a: a.det(method="berkowitz"),
    KroneckerProduct: sympy.kronecker_product,
}


def entry_symbol(matrix: MatrixSymbol, i: int, j: int) -> Symbol:
    """Return the real symbol that stands for one entry."""
    return Symbol(f"{matrix.name}_{i}{j}", real=True)


def explicit(term: Expr) -> Any:
    """Return the entries of a matrix term, or a scalar term by the entries of its matrices."""
    if isinstance(term, MatrixSymbol):
        return ImmutableMatrix(*term.shape, lambda i, j: entry_symbol(term, i, j))
    if isinstance(term, OneMatrix | ZeroMatrix | Identity):
        return ImmutableMatrix(term.as_explicit())
    if not term.args:
        return term
    indices = operand_indices(term)
    arguments = [explicit(a) if i in indices else a for i, a in enumerate(term.args)]
    if type(term) in _OF_SYMPY:
        return _OF_SYMPY[type(term)](*arguments)
    if is_matrix(term):
        return ImmutableMatrix(*term.shape, Basic.__new__(type(term), *arguments)._entry)
    if hasattr(term, "as_entries"):
        return Basic.__new__(type(term), *arguments).as_entries()
    return term.func(*arguments)


def entries(value: Any) -> list[Expr]:
    """Return the entries of a matrix, or a scalar, as a list."""
    return list(value) if hasattr(value, "shape") else [value]


def directional_derivative(value: Any, increments: Mapping[Expr, Expr]) -> list[Expr]:
    """Return, for each entry, the sum over the variables of SymPy's scalar derivative times the increment."""
    return [sympy.Add(*(sympy.diff(e, v) * dv for v, dv in increments.items())) for e in entries(value)]


def rational_point(symbols: Iterable[Expr], seed: int, positive: bool) -> dict[Expr, Rational]:
    """Return fractions with denominator 17, no two of the same size and none an integer: no kink, no tie is met."""
    rng, ordered = random.Random(seed), sorted(symbols, key=str)
    numerators = rng.sample([n for n in range(1, max(46, 2 * len(ordered))) if n % 17], len(ordered))
    return {s: Rational(n * (1 if positive else rng.choice((-1, 1))), 17)
            for s, n in zip(ordered, numerators, strict=True)}


# Numbers: a term in NumPy; a complex value a + i STEP da carries a differential.


def _erf(z: Any) -> Any:
    real = np.real(z)
    value = np.vectorize(math.erf, otypes=[float])(real)
    return value if np.isrealobj(z) else value + 2j / math.sqrt(math.pi) * np.exp(-real**2) * np.imag(z)


_SCALAR: dict[type[Basic], Callable[..., Any]] = {
    sympy.Add: lambda *a: reduce(add, a), sympy.Mul: lambda *a: reduce(mul, a),
    sympy.exp: np.exp, sympy.log: np.log, sympy.tanh: np.tanh, sympy.sin: np.sin, sympy.cos: np.cos,
    sympy.tan: np.tan, sympy.asin: np.arcsin, sympy.acos: np.arccos,
    sympy.atan: np.arctan, sympy.cosh: np.cosh, sympy.sinh: np.sinh, sympy.erf: _erf,
    sympy.Abs: lambda a: a * np.sign(np.real(a)), sympy.sign: lambda a: np.sign(np.real(a)),
    sigmoid: lambda a: np.exp(a) / (1 + np.exp(a)), softplus: lambda a: np.log(1 + np.exp(a)),
    sympy.StrictLessThan: lambda a, b: np.real(a) < np.real(b),
    sympy.LessThan: lambda a, b: np.real(a) <= np.real(b),
    sympy.StrictGreaterThan: lambda a, b: np.real(a) > np.real(b),
    sympy.GreaterThan: lambda a, b: np.real(a) >= np.real(b),
    sympy.And: np.logical_and, sympy.Or: np.logical_or,
}


def entrywise(formula: Basic, z: Any) -> Any:
    """Return a scalar formula in x at real or complex z."""
    if formula == x:
        return z
    if isinstance(formula, Boolean) and formula in (S.true, S.false):
        return np.full(np.shape(z), bool(formula))
    if not isinstance(formula, Boolean) and formula.is_number:
        return np.full(np.shape(z), float(formula))
    if isinstance(formula, Piecewise):
        return np.select([entrywise(c, z) for _, c in formula.args], [entrywise(f, z) for f, _ in formula.args])
    arguments = [entrywise(a, z) for a in formula.args]
    if isinstance(formula, sympy.Pow):
        return arguments[0] ** (int(formula.exp) if formula.exp.is_Integer else arguments[1])
    return _SCALAR[formula.func](*arguments)


@cache
def _formula(function: ScalarFunction) -> Expr:
    return function.formula


def _softmax(a: Any, axis: int) -> Any:
    return np.exp(a) / np.exp(a).sum(axis=axis, keepdims=True)


def _product(*factors: Any) -> Any:
    return reduce(lambda a, b: a * b if np.ndim(a) == 0 or np.ndim(b) == 0 else matmul(a, b), factors)


def _columns(f: Callable[[Any], Any], a: Any, axis: int) -> Any:
    """Return a function of each column (axis 0) or row (axis 1), or of all entries by columns (axis 2)."""
    if axis == 2:
        return _matrix(f(_vec(a)[:, 0]), *a.shape)
    return np.stack([np.atleast_1d(f(c)) for c in (a if axis else a.T)], axis=1 - axis)


def _vec(a: Any) -> Any:
    return np.concatenate(a.T)[:, None]


def _matrix(column: Any, rows: int, columns: int) -> Any:
    return np.stack([np.ravel(column)[rows * j:rows * (j + 1)] for j in range(columns)], axis=1)


def _largest(a: Any) -> Any:
    return max(a, key=np.real)


def _first_largest(a: Any) -> Any:
    return np.eye(len(a))[max(range(len(a)), key=lambda i: np.real(a[i]))]


def _log_sum_exp(a: Any) -> Any:
    return np.log(np.sum(np.exp(a)))


def _cholesky(a: Any) -> Any:
    """Return the factor of the symmetric part by minors, not a number where that is not positive definite.

    Source: Gantmacher (1959), The Theory of Matrices, chapter II, section 4.
    """
    a, size = (a + a.T) / 2, range(len(a))
    leading = [np.linalg.det(a[:k, :k]) for k in range(len(a) + 1)]
    if min(map(np.real, leading)) <= 0:
        return np.full(a.shape, np.nan)
    return np.array([[np.linalg.det(a[np.ix_([*range(j), i], range(j + 1))]) / np.sqrt(leading[j] * leading[j + 1])
                      if i >= j else 0 for j in size] for i in size])


def _commutation(rows: int, columns: int) -> Any:
    """Return the sum of E ⊗ Eᵀ over the unit matrices E of rows × columns."""
    found = np.zeros((rows * columns, rows * columns))
    for i, j in np.ndindex(rows, columns):
        unit = np.zeros((rows, columns))
        unit[i, j] = 1
        found += np.kron(unit, unit.T)
    return found


_MEANING: dict[type[Basic], Callable[..., Any]] = {
    MatAdd: lambda node, *a: reduce(add, a), MatMul: lambda node, *a: _product(*a),
    HadamardProduct: lambda node, *a: reduce(mul, a), HadamardQuotient: lambda node, a, b: a / b,
    Transpose: lambda node, a: a.T, Inverse: lambda node, a: np.linalg.inv(a),
    Elementwise: lambda node, a: entrywise(_formula(node.function), a),
    Softmax: lambda node, a: _softmax(a, node.axis), LogSoftmax: lambda node, a: np.log(_softmax(a, node.axis)),
    SumAlong: lambda node, a: a.sum(axis=node.axis, keepdims=True),
    Inner: lambda node, a, b: (a * b).sum(), SquaredNorm: lambda node, a: (a * a).sum(),
    Determinant: lambda node, a: np.linalg.det(a),
    sympy.Add: lambda node, *a: sum(a), sympy.Mul: lambda node, *a: reduce(mul, a),
    sympy.Pow: lambda node, a, n: a**n, sympy.exp: lambda node, a: np.exp(a), sympy.log: lambda node, a: np.log(a),
    Applied: lambda node, a: entrywise(_formula(node.function), a),
    Maximum: lambda node, a, b: np.where(np.real(b - a) > 0, b, a),
    Minimum: lambda node, a, b: np.where(np.real(b - a) < 0, b, a),
    LargestAlong: lambda node, a: _columns(_largest, a, node.axis),
    FirstLargest: lambda node, a: _columns(_first_largest, a, node.axis),
    LogSumExpAlong: lambda node, a: _columns(_log_sum_exp, a, node.axis),
    LargestEntry: lambda node, a: _largest(np.ravel(a)), LogSumExp: lambda node, a: _log_sum_exp(a),
    Diag: lambda node, a: a * np.eye(len(a)), DiagonalOf: lambda node, a: np.einsum("ii->i", a)[:, None],
    Tril: lambda node, a: np.where(np.less(*np.indices(a.shape)), 0, a),
    KroneckerProduct: lambda node, *a: reduce(lambda p, q: np.block([[e * q for e in row] for row in p]), a),
    Stack: lambda node, *a: np.block([list(a)] if node.axis else [[b] for b in a]),
    Cholesky: lambda node, a: _cholesky(a),
}

_SIZED: dict[type[Basic], Callable[..., Any]] = {
    Broadcast: lambda node, size, a: np.repeat(a, size(node.args[2]), axis=node.axis),
    Reshape: lambda node, size, a: _matrix(_vec(a), *map(size, node.args[1:])),
    Slice: lambda node, size, a: a[np.ix_(range(*map(size, node.args[1:3])), range(*map(size, node.args[3:])))],
    Commutation: lambda node, size: _commutation(*map(size, node.args)),
}
"""The nodes whose value depends on dimensions that stand in them."""

Size = Callable[[Expr], int]


def number(term: Expr, values: Mapping[Expr, Any], size: Size = int, d: Callable[[Expr], Any] | None = None) -> Any:
    """Return the value of a term; ``d`` gives that of a differential from what is inside."""
    if term in values:
        return values[term]
    if isinstance(term, MatrixDifferential | ScalarDifferential):
        assert d is not None
        return d(term.args[0])
    if isinstance(term, OneMatrix | ZeroMatrix | Identity):
        rows, columns = map(size, term.shape)
        if isinstance(term, Identity):
            return np.eye(rows)
        return np.full((rows, columns), float(isinstance(term, OneMatrix)))
    if isinstance(term, Symbol):
        return size(term)
    if term.is_number:
        return float(term)
    operands = [number(term.args[i], values, size, d) for i in operand_indices(term)]
    if type(term) in _SIZED:
        return _SIZED[type(term)](term, size, *operands)
    meaning = _MEANING.get(type(term))
    return meaning(term, *operands) if meaning else _by_entries(term, operands, size)


def _by_entries(term: Expr, operands: list[Any], size: Size) -> Any:
    """Return the value of a node that has no meaning of its own here, from its entries."""
    indices, values = operand_indices(term), iter(operands)
    arguments: list[Expr] = []
    for i, a in enumerate(term.args):
        if i not in indices:
            arguments.append(sympy.Integer(size(a)))
        else:
            value = next(values)
            arguments.append(MatrixSymbol(f"m{i}", *np.shape(value)) if np.ndim(value) else Symbol(f"m{i}", real=True))
    function, shape = _entry_function(Basic.__new__(type(term), *arguments))
    found = function(*np.concatenate([np.ravel(v) for v in operands]))
    return np.array(found).reshape(shape) if shape else found[0]


@cache
def _entry_function(node: Expr) -> tuple[Callable[..., list[Any]], tuple[int, ...]]:
    variables = [e for i in operand_indices(node) for e in entries(explicit(node.args[i]))]
    function = sympy.lambdify(variables, entries(explicit(node)), "numpy")
    return function, tuple(map(int, node.shape)) if is_matrix(node) else ()


def sizes_of(terms: Iterable[Expr], **given: int) -> Size:
    """Return a size for each symbolic dimension, all of them distinct."""
    dimensions = sorted({d for t in terms if is_matrix(t) for s in t.shape for d in s.free_symbols}, key=str)
    table = {d: given.get(str(d), 4 + i) for i, d in enumerate(dimensions)}
    return lambda d: int(sympy.sympify(d).xreplace(table))


def draw(symbols: Iterable[Expr], size: Size, rng: np.random.Generator) -> dict[Expr, Any]:
    """Return standard normal matrices, and scalars between 0.5 and 1.5."""
    return {s: rng.standard_normal(tuple(map(size, s.shape))) if is_matrix(s) else rng.uniform(0.5, 1.5)
            for s in symbols}


# Programs: values, true gradients, and the value of each line of a derivation.


def labels(program: Program, shape: tuple[int, int], rng: np.random.Generator, loss: str) -> Any:
    """Return labels that meet a program's assumptions and visit both sides of a loss's kinks."""
    keys = {a.key for a in program.assumptions}
    if "distribution_cols" in keys:
        return rng.dirichlet(np.ones(shape[0]), shape[1]).T
    if "distribution_rows" in keys:
        return rng.dirichlet(np.ones(shape[1]), shape[0])
    if loss == "binary_cross_entropy":
        return rng.uniform(size=shape)
    return rng.choice([-1.0, 1.0], shape) if loss == "hinge" else 2 * rng.standard_normal(shape)


def program_values(program: Program, size: Size, rng: np.random.Generator, loss: str = "") -> dict[Expr, Any]:
    """Return random inputs and parameters of a program, and all that it computes from them."""
    given = draw((*program.inputs, *program.parameters, *program.constants), size, rng)
    for Y in (s for s in program.inputs if str(s.name) == "Y"):
        given[Y] = labels(program, given[Y].shape, rng, loss)
    return rerun(program, given, size)


def rerun(program: Program, values: Mapping[Expr, Any], size: Size) -> dict[Expr, Any]:
    """Return the values with those computed that are not given."""
    known = dict(values)
    for e in program.equations:
        if e.symbol not in known:
            known[e.symbol] = number(e.term, known, size)
    return known


def true_gradient(program: Program, values: Mapping[Expr, Any], quantity: Expr, size: Size) -> Any:
    """Return the gradient of the result by a complex step in each entry of a quantity, all else recomputed."""
    place = program.position.get(quantity, 0)
    given = {s: v for s, v in values.items() if program.position.get(s, -1) < place}
    found = np.zeros(np.shape(values[quantity]))
    for index in np.ndindex(found.shape):
        moved = np.array(values[quantity], dtype=complex)
        moved[index] += 1j * STEP
        found[index] = np.imag(rerun(program, {**given, quantity: moved}, size)[program.result]) / STEP
    return found


def gradient_name(quantity: Expr) -> Expr:
    """Return the symbol that the engine gives to the gradient by a quantity."""
    name = f"grad_{quantity.name}"
    return MatrixSymbol(name, *quantity.shape) if is_matrix(quantity) else Symbol(name, real=True)


def gradients_of(program: Program, values: Mapping[Expr, Any], quantities: Iterable[Expr], size: Size,
                 ) -> dict[Expr, Any]:
    """Return the true gradient by each quantity, under the symbol that the engine gives it."""
    return {gradient_name(q): true_gradient(program, values, q, size) for q in quantities}


def line_value(line: Line, values: Mapping[Expr, Any], size: Size, d: Callable[[Expr], Any]) -> float:
    """Return the sum of the inner products ⟨G, M⟩, or of the products of scalars."""
    return float(sum(np.sum(number(s.cotangent, values, size, d) * number(s.direction, values, size, d)) for s in line))


def differentials(program: Program, values: Mapping[Expr, Any], quantity: Expr, direction: Any, size: Size,
                  ) -> tuple[Callable[[Expr], Any], list[Expr], dict[Expr, Any]]:
    """Return d(term) as a quantity moves in a direction, and the values with gradients of their own that move.

    What is passed through moves with the quantity; values that have a gradient are moved but move nothing on.
    """
    moving, ends = {**values, quantity: values[quantity] + 1j * STEP * direction}, dict[Expr, Any]()
    active = {quantity}
    for e in program.equations:
        if symbols_of(e.term) & active:
            value = number(e.term, moving, size)
            if e.symbol in program.through and e.symbol != program.result:
                moving[e.symbol] = value
                active.add(e.symbol)
            else:
                ends[e.symbol] = value
    return (lambda term: np.imag(ends[term] if term in ends else number(term, moving, size)) / STEP), list(ends), moving


def block_values(derivation: Derivation, gradient: Gradient, values: Mapping[Expr, Any], size: Size,
                 rng: np.random.Generator) -> tuple[float, list[float]]:
    """Return d𝓛 in a random direction of a gradient's quantity, and the value of each line below it.

    ``values`` holds the true gradients, or those that were given where the loss lies outside the program.
    """
    program, quantity = derivation.forward, gradient.wrt
    direction = rng.standard_normal(np.shape(values[quantity]))
    d, ends, _ = differentials(program, values, quantity, direction, size)
    if not derivation.given:
        whole = np.sum(values[gradient_name(quantity)] * direction)
    else:
        whole = sum(np.sum(values[gradient_name(u)] * d(u)) for u in ends)
    return float(whole), [line_value(s.after, values, size, d) for s in gradient.steps]


# The page: a line of LaTeX read back as the number it means.

_TOKENS = (r"\left(", r"\right)", r"\left\langle", r"\right\rangle", r"\langle", r"\rangle", r"\lVert", r"\rVert",
           r"\lvert", r"\rvert", r"\odot", r"\oslash", r"^{\top}", r"^{-1}", r"\mathrm{d}", r"\frac", r"\mathbf{1}",
           r"\mathbf{0}", r"\log", r"\det", r"\sqrt", "e^", "(", ")", "+", "-", ",", "{", "}", "_", "^",
           r"\otimes", r"\max", r"\min", r"\begin{bmatrix}", r"\end{bmatrix}", "&", r"\\", r"\times", "I_", "K_",
           r"_{\mathrm{cols}}", r"_{\mathrm{rows}}", "_{[", "]}", ":")
_CLOSING = {r"\left(": r"\right)", "(": ")", r"\lvert": r"\rvert", r"\lVert": r"\rVert"}

_FUNCTIONS: dict[str, Callable[..., Any]] = {
    r"\det": lambda a, axis: np.linalg.det(a),
    r"\operatorname{softmax}": _softmax,
    r"\operatorname{log\,softmax}": lambda a, axis: np.log(_softmax(a, axis)),
    r"\operatorname{vec}": lambda a, axis: _vec(a),
    r"\operatorname{diag}": lambda a, axis: a * np.eye(len(a)) if a.shape[1] == 1 else np.einsum("ii->i", a)[:, None],
    r"\operatorname{tril}": lambda a, axis: a * np.tri(len(a), a.shape[1]),
    r"\operatorname{chol}": lambda a, axis: _cholesky(a),
}
"""Functions of a matrix and the axis of the page's softmax."""

_ALONG: dict[str, Callable[[Any], Any]] = {
    r"\operatorname{max}": _largest, r"\operatorname{argmax}": _first_largest,
    r"\operatorname{logsumexp}": _log_sum_exp,
}
"""Functions of columns or rows, as an index says, or else of all entries."""

Closure = Callable[[bool], Any]


class LatexReader:
    r"""Read the LaTeX of equations and lines: + −, then ⊙ ⊘ ⊗, then juxtaposition, then ⊤ and [rows, columns].

    ``value(text)`` is its number. ``moving`` has complex values, which make the differential of what
    stands behind a d; ``d`` is that of a symbol. ``axis`` is along which a softmax is taken.
    """

    def __init__(self, symbols: Iterable[Expr], functions: Iterable[ScalarFunction], values: Mapping[Expr, Any],
                 size: Size, axis: int = 0, d: Callable[[Expr], Any] | None = None,
                 moving: Mapping[Expr, Any] | None = None) -> None:
        self.names = {latex_name(s.name): s for s in symbols}
        self.functions = {function_name(f, latex=True): f.formula for f in functions}
        self.values, self.size, self.axis, self.d, self.moving = values, size, axis, d, moving
        words = sorted({*_TOKENS, *_FUNCTIONS, *_ALONG, r"\operatorname{reshape}", *self.names, *self.functions},
                       key=len, reverse=True)
        self.pattern = re.compile(
            r"(?P<space>\\,|\s+)|(?P<word>" + "|".join(map(re.escape, words)) + r")|(?P<digits>\d+)")

    def value(self, text: str) -> Any:
        """Return the number that a piece of LaTeX means."""
        self.tokens, position = [], 0
        while position < len(text):
            match = self.pattern.match(text, position)
            assert match, f"unread: {text[position:]!r} in {text!r}"
            position = match.end()
            if not match["space"]:
                self.tokens.append(match[0])
        found = self._sum()
        assert not self.tokens, f"left over: {self.tokens} of {text!r}"
        return found(False)

    def _next(self) -> str:
        return self.tokens[0] if self.tokens else ""

    def _take(self, *expected: str) -> str:
        assert not expected or self._next() in expected, f"expected {expected}, came {self.tokens[:5]}"
        return self.tokens.pop(0)

    def _sum(self) -> Closure:
        parts = [(self._take() == "-", self._hadamard())] if self._next() == "-" else [(False, self._hadamard())]
        while self._next() in ("+", "-"):
            parts.append((self._take() == "-", self._hadamard()))
        return lambda moving: reduce(add, (-f(moving) if minus else f(moving) for minus, f in parts))

    def _hadamard(self) -> Closure:
        left = self._juxtaposed()
        while self._next() in (r"\odot", r"\oslash", r"\otimes"):
            f = {r"\odot": mul, r"\oslash": truediv, r"\otimes": np.kron}[self._take()]
            left = self._joined(f, left, self._juxtaposed())
        return left

    def _joined(self, function: Callable[[Any, Any], Any], left: Closure, right: Closure) -> Closure:
        return lambda moving: function(left(moving), right(moving))

    def _juxtaposed(self) -> Closure:
        factors = [self._factor()]
        while self._next() and self._next() not in (
                "+", "-", r"\odot", r"\oslash", r"\otimes", ",", "}", r"\rangle", r"\right\rangle", *_CLOSING.values(),
                "&", r"\\", r"\end{bmatrix}", r"\times", "]}", ":"):
            factors.append(self._factor())
        return lambda moving: _product(*(f(moving) for f in factors))

    def _factor(self) -> Closure:
        found = self._differential() if self._next() == r"\mathrm{d}" else self._atom()
        while self._next() in (r"^{\top}", r"^{-1}", "^", "_{["):
            found = self._powered(found, self._take()) if self._next() != "_{[" else self._slice(found)
        return found

    def _slice(self, base: Closure) -> Closure:
        r"""Read the index of a slice, counted from 1, the ends included: _{[1:2,\, :]}."""
        self._take("_{[")
        rows = self._range()
        self._take(",")
        columns = self._range()
        self._take("]}")
        return lambda m: base(m)[rows(m), :][:, columns(m)]

    def _range(self) -> Closure:
        if self._next() == ":":
            self._take()
            return lambda m: slice(None)
        first = last = self._sum()
        if self._next() == ":":
            self._take()
            last = self._sum()
        return lambda m: slice(int(first(m)) - 1, int(last(m)))

    def _powered(self, base: Closure, sign: str) -> Closure:
        if sign == r"^{\top}":
            return lambda m: base(m).T
        if sign == r"^{-1}":
            return lambda m: np.linalg.inv(base(m)) if np.ndim(base(m)) else 1 / base(m)
        exponent = self._braced()
        return lambda m: base(m) ** exponent(m)

    def _differential(self) -> Closure:
        """Read d with what stands right behind it, so that dA⊤ is (dA)⊤."""
        self._take()
        symbol, inside = self.names.get(self._next()), self._atom()
        while symbol is None and self._next() == "^":  # d of a power of a scalar
            inside = self._powered(inside, self._take())
        return lambda moving: self.d(symbol) if symbol is not None else np.imag(inside(True)) / STEP

    def _within(self) -> Closure:
        if self._next() == "{":  # SymPy's own functions have braces round the parentheses
            return self._braced()
        closing = _CLOSING[self._take(*_CLOSING)]
        found = self._sum()
        self._take(closing)
        return found

    def _braced(self) -> Closure:
        self._take("{")
        found = self._sum()
        self._take("}")
        return found

    def _atom(self) -> Closure:
        word = self._next()
        if word in (r"\lvert", r"\lVert"):
            inside, norm = self._within(), word == r"\lVert"
            return lambda m: np.sqrt((inside(m) ** 2).sum()) if norm else entrywise(sympy.Abs(x), inside(m))
        if word in _CLOSING:
            return self._within()
        self._take()
        if word in self.names:
            symbol = self.names[word]
            return lambda m: (self.moving if m else self.values)[symbol] if symbol in self.values else self.size(symbol)
        if word == r"\operatorname{reshape}":
            return self._reshape()
        if word in _ALONG:
            return self._along(_ALONG[word])
        if word in self.functions or word in _FUNCTIONS or word == r"\log":
            return self._call(word, self._within())
        if word in (r"\max", r"\min"):
            return self._extreme(np.greater if word == r"\max" else np.less)
        if word == r"\begin{bmatrix}":
            return self._blocks()
        if word == "{":
            found = self._sum()
            self._take("}")
            return found
        if word == "I_":
            size = self._braced() if self._next() == "{" else self._atom()
            return lambda m: np.eye(int(size(m)))
        if word == "K_":
            rows, columns = self._pair(",")
            return lambda m: _commutation(int(rows(m)), int(columns(m)))
        if word in (r"\langle", r"\left\langle"):
            left = self._sum()
            self._take(",")
            right = self._sum()
            self._take(r"\rangle", r"\right\rangle")
            return lambda m: np.sum(left(m) * right(m))
        if word == r"\frac":
            top, bottom = self._braced(), self._braced()
            return lambda m: top(m) / bottom(m)
        if word == r"\mathbf{0}":
            return lambda m: np.zeros((1, 1))
        if word == r"\mathbf{1}":
            return self._ones()
        if word in ("e^", r"\sqrt"):
            function, operand = np.exp if word == "e^" else np.sqrt, self._braced()
            return lambda m: function(operand(m))
        assert word.isdigit(), f"came {word!r}"
        return lambda m: int(word)

    def _call(self, name: str, inside: Closure) -> Closure:
        if name in _FUNCTIONS:
            return lambda m: _FUNCTIONS[name](inside(m), self.axis)
        formula = self.functions.get(name, sympy.log(x))
        return lambda m: entrywise(formula, inside(m))

    def _along(self, function: Callable[[Any], Any]) -> Closure:
        index = self._take() if self._next().startswith(r"_{\mathrm") else ""
        inside = self._within()
        if index:
            return lambda m: _columns(function, inside(m), int("rows" in index))
        return lambda m: (_columns(function, inside(m), 2) if function is _first_largest
                          else function(_vec(inside(m))[:, 0]))

    def _pair(self, separator: str) -> tuple[Closure, Closure]:
        self._take("{")
        first = self._sum()
        self._take(separator)
        second = self._sum()
        self._take("}")
        return first, second

    def _reshape(self) -> Closure:
        self._take("_")
        rows, columns = self._pair(r"\times")
        inside = self._within()
        return lambda m: _matrix(_vec(inside(m)), int(rows(m)), int(columns(m)))

    def _extreme(self, prefers: Callable[[Any, Any], Any]) -> Closure:
        self._take("(")
        left = self._sum()
        self._take(",")
        right = self._sum()
        self._take(")")
        return lambda m: np.where(prefers(np.real(left(m)), np.real(right(m))), left(m), right(m))

    def _blocks(self) -> Closure:
        rows = [[self._sum()]]
        while (sign := self._take("&", r"\\", r"\end{bmatrix}")) != r"\end{bmatrix}":
            if sign == "&":
                rows[-1].append(self._sum())
            else:
                rows.append([self._sum()])
        return lambda m: np.block([[block(m) for block in row] for row in rows])

    def _ones(self) -> Closure:
        """Read a vector of ones with its length; without one it is as large as what it meets."""
        if self._next() != "_":
            return lambda m: np.ones((1, 1))
        self._take()
        length = self._braced() if self._next() == "{" else self._atom()
        return lambda m: np.ones((int(length(m)), 1))
