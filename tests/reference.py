"""An interpreter of the matrix language that shares nothing with the engine: the oracle of the corpus.

It reads a text with a parser of its own and computes with NumPy, or with ``autograd.numpy``, which then differentiates
it. Columns are n×1 arrays, scalars floats; whatever comes out 1×1 is a scalar. ``sizes`` maps dimensions to ints.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping
from functools import cache
from typing import Any, NamedTuple

import numpy

Tree = tuple[Any, ...]
"""A kind and its parts: number, name, call, unary, binary, slice (tree, rows, columns) or blocks."""
Values, Sizes = Mapping[str, Any], Mapping[str, int]

_TOKEN = re.compile(
    r"[ \t\r]+|#[^\n]*|(?P<number>(?:\d+(?:\.\d+)?|\.\d+)(?:[eE][+-]?\d+(?!\w))?)|(?P<name>[A-Za-z]\w*)"
    r"|(?P<operator>\*\*|\.[*/^]|[-+*/^'(),;:=\[\]\n])")
_ONE, _ALL = ("number", 1.0), (None, None)


class Program(NamedTuple):
    """``declarations``: name to (two trees or None, properties); ``equations``: (name or None, tree)."""

    declarations: dict[str, tuple[tuple[Tree, Tree] | None, tuple[str, ...]]]
    equations: list[tuple[str | None, Tree]]


@cache
def parse(text: str) -> Program:
    """Parse a text, or raise a ValueError."""
    return _Parser(text).program


class _Parser:
    def __init__(self, text: str) -> None:
        self.text, self.index, self.program = text, 0, Program({}, [])
        self.tokens: list[tuple[str, str]] = []
        position = depth = 0
        while position < len(text):
            match = _TOKEN.match(text, position)
            if match is None:
                raise ValueError(f"unexpected {text[position]!r} at {position} in {text!r}")
            position, found = match.end(), match.group()
            depth += (found in ("(", "[")) - (found in (")", "]"))
            if match.lastgroup and not (found == "\n" and depth):
                self.tokens.append((match.lastgroup, {"\n": ";", "**": "^"}.get(found, found)))
        self.tokens += [("end", "")] * 2
        while self.tokens[self.index][0] != "end":
            if not self.at(";"):
                self.statement()
            if self.tokens[self.index][0] != "end":
                self.take(";")

    def at(self, *texts: str) -> bool:
        return self.tokens[self.index][0] == "operator" and self.tokens[self.index][1] in texts

    def take(self, *texts: str) -> str:
        """Return the next token, which must be one of ``texts`` if any are given, and go past it."""
        if texts and not self.at(*texts):
            raise ValueError(f"expected {' '.join(texts)}, came {self.tokens[self.index][1]!r} in {self.text!r}")
        self.index += 1
        return self.tokens[self.index - 1][1]

    def skip(self, text: str) -> bool:
        """Go past ``text`` if it comes next."""
        found = self.at(text)
        self.index += found
        return found

    def statement(self) -> None:
        start, names = self.index, [self.take()]
        while self.skip(","):
            names.append(self.take())
        if self.skip(":"):
            shape, words = self.declared()
            for name in names:
                earlier = self.program.declarations.get(name, (None, ()))
                self.program.declarations[name] = (shape or earlier[0], (*earlier[1], *words))
        elif self.skip("="):
            self.program.equations.append((names[0], self.sum()))
        else:
            self.index = start
            self.program.equations.append((None, self.sum()))

    def declared(self) -> tuple[tuple[Tree, Tree] | None, tuple[str, ...]]:
        shape: list[Tree] = []
        words: list[str] = []
        while self.tokens[self.index][0] != "end" and not self.at(";"):
            word = self.tokens[self.index][1]
            if word in _PROPERTIES:
                words.append(self.take())
            elif not shape:
                shape.append(_ONE if word == "scalar" else self.atom())
                self.index += word == "scalar"
            elif self.take() == "x" and len(shape) == 1:
                shape.append(self.atom())
            else:
                raise ValueError(f"unknown property {word!r} in {self.text!r}")
        return ((shape[0], shape[1] if shape[1:] else _ONE) if shape else None), tuple(words)

    def sum(self) -> Tree:
        left = self.product()
        while self.at("+", "-"):
            left = ("binary", self.take(), left, self.product())
        return left

    def product(self) -> Tree:
        left = self.signed()
        while self.at("*", "/", ".*", "./"):
            left = ("binary", self.take(), left, self.signed())
        return left

    def signed(self) -> Tree:
        if self.at("+", "-"):
            return ("unary", "-", self.signed()) if self.take() == "-" else self.signed()
        (kind, _), following = self.tokens[self.index:self.index + 2]
        if kind == "number" and (following[0] == "name" or following == ("operator", "(")):
            return ("binary", "*", self.atom(), self.power())
        return self.power()

    def power(self) -> Tree:
        left = self.atom()
        while self.at("'", "[", "^", ".^"):
            token = self.take()
            if token == "'":
                left = ("unary", token, left)
            elif token == "[":
                left = ("slice", left, self.range(), self.range() if self.skip(",") else _ALL)
                self.take("]")
            else:
                left = ("binary", token, left, self.exponent())
        return left

    def exponent(self) -> Tree:
        if self.at("+", "-"):
            return ("unary", "-", self.exponent()) if self.take() == "-" else self.exponent()
        base = self.atom()
        return ("binary", self.take(), base, self.exponent()) if self.at("^", ".^") else base

    def range(self) -> tuple[Tree | None, Tree | None]:
        first = None if self.at(":") else self.sum()
        if not self.skip(":"):
            return first, first
        return first, None if self.at(",", "]") else self.sum()

    def atom(self) -> Tree:
        if self.skip("("):
            inside = self.sum()
            self.take(")")
            return inside
        if self.skip("["):
            rows = [self.listed()]
            while self.take(";", "]") == ";":
                rows.append(self.listed())
            return ("blocks", tuple(rows))
        kind = self.tokens[self.index][0]
        if kind not in ("number", "name"):
            self.take("an operand")
        text = self.take()
        if kind == "number":
            return ("number", float(text))
        if not self.skip("("):
            return ("name", text)
        arguments = () if self.at(")") else self.listed()
        self.take(")")
        return ("call", text, arguments)

    def listed(self) -> tuple[Tree, ...]:
        found = [self.sum()]
        while self.skip(","):
            found.append(self.sum())
        return tuple(found)


def _parts(tree: Tree) -> Iterator[Tree]:
    """Yield a tree and all the trees in it."""
    if tree and isinstance(tree[0], str):
        yield tree
    for part in tree:
        if isinstance(part, tuple):
            yield from _parts(part)


def operations(text: str) -> int:
    """Count binary operators, signs, transposes and calls in all equations; slices and blocks are free."""
    return sum(part[0] in ("binary", "unary", "call") for _, tree in parse(text).equations for part in _parts(tree))


def free_names(text: str) -> set[str]:
    """Return the names that the equations use and none of them defines, dimensions included."""
    equations = parse(text).equations
    used = {part[1] for _, tree in equations for part in _parts(tree) if part[0] == "name"}
    return used - {name for name, _ in equations}


def evaluate(text: str, values: Values, sizes: Sizes, xp: Any = numpy) -> Any:
    """Return the value of the last equation."""
    return environment(text, values, sizes, xp)[""]


def environment(text: str, values: Values, sizes: Sizes, xp: Any = numpy) -> dict[str, Any]:
    """Return ``values`` and what the equations define; the result is under the empty name too."""
    machine = _Machine(dict(values), sizes, xp)
    for name, tree in parse(text).equations:
        machine.values[""] = machine.value(tree)
        if name is not None:
            machine.values[name] = machine.values[""]
    return machine.values


class _Machine:
    """Methods are named for the kinds of trees."""

    def __init__(self, values: dict[str, Any], sizes: Sizes, xp: Any) -> None:
        self.values, self.sizes, self.xp = values, sizes, xp

    def value(self, tree: Tree) -> Any:
        """Return the value of a tree: a scalar, or a matrix that is not 1×1."""
        found = getattr(self, tree[0])(*tree[1:])
        return found[0, 0] if numpy.shape(found) == (1, 1) else found

    def size(self, tree: Tree) -> int:
        """Return the value of a tree whose names are dimensions."""
        return round(_Machine({}, self.sizes, numpy).value(tree))

    def number(self, number: float) -> float:
        return number

    def name(self, name: str) -> Any:
        return self.values[name] if name in self.values else float(self.sizes[name])

    def unary(self, operator: str, operand: Tree) -> Any:
        value = self.value(operand)
        return -value if operator == "-" else self.xp.transpose(value)

    def binary(self, operator: str, left: Tree, right: Tree) -> Any:
        a, b = self.value(left), self.value(right)
        if operator == "^" and numpy.ndim(a):
            return self.matrix_power(a, b)
        if operator == "*" and numpy.ndim(a) and numpy.ndim(b):
            return self.xp.dot(a, b)
        if operator in ("/", "^") and numpy.ndim(b):
            raise ValueError(f"{operator} of shape {b.shape}")
        _check_shapes(a, b)
        match operator[-1]:
            case "+":
                return a + b
            case "-":
                return a - b
            case "*":
                return a * b
            case "/":
                return a / b
        return self.xp.power(a, b)

    def matrix_power(self, base: Any, exponent: Any) -> Any:
        times = round(float(exponent))
        if times != exponent:
            raise ValueError(f"a matrix to the power {exponent}")
        base = self.xp.linalg.inv(base) if times < 0 else base
        result = numpy.eye(len(base))
        for _ in range(abs(times)):
            result = self.xp.dot(result, base)
        return result

    def slice(self, operand: Tree, *ranges: tuple[Tree | None, Tree | None]) -> Any:
        value = _matrix(self.value(operand), self.xp)
        found = []
        for (first, last), length in zip(ranges, value.shape, strict=True):
            start, stop = 1 if first is None else self.size(first), length if last is None else self.size(last)
            if not 1 <= start <= stop <= length:
                raise ValueError(f"{start}:{stop} of {length}")
            found.append(slice(start - 1, stop))
        return value[tuple(found)]

    def blocks(self, *rows: Tree) -> Any:
        parts = [[_matrix(self.value(part), self.xp) for part in row] for row in rows[0]]
        return self.xp.concatenate([self.xp.concatenate(row, axis=1) for row in parts], axis=0)

    def call(self, function: str, arguments: tuple[Tree, ...]) -> Any:
        if function in _CONSTANTS:
            return _CONSTANTS[function](*map(self.size, arguments))
        if function == "reshape":
            entries = _column(self.value(arguments[0]), self.xp)
            return self.xp.reshape(entries, tuple(map(self.size, arguments[:0:-1]))).T
        return _functions(self.xp)[function](*map(self.value, arguments))


def _check_shapes(a: Any, b: Any) -> None:
    if numpy.ndim(a) and numpy.ndim(b) and a.shape != b.shape:
        raise ValueError(f"shapes {a.shape} and {b.shape}")


def _matrix(value: Any, xp: Any) -> Any:
    return value if numpy.ndim(value) else xp.reshape(value, (1, 1))


def _column(value: Any, xp: Any = numpy) -> Any:
    """Return the entries column by column, as a 1-D array."""
    return xp.reshape(xp.transpose(value), (-1,))


_CONSTANTS: dict[str, Callable[..., Any]] = {
    "ones": lambda m, n: numpy.ones((m, n)),
    "zeros": lambda m, n: numpy.zeros((m, n)),
    "eye": numpy.eye,
    "commutation": lambda m, n: numpy.eye(m * n)[_column(numpy.arange(m * n).reshape(n, m))],
}


def _erf(xp: Any) -> Callable[[Any], Any]:
    plain = numpy.vectorize(math.erf, otypes=[float])
    if xp is numpy:
        return plain
    from autograd.extend import defvjp, primitive

    function = primitive(plain)
    defvjp(function, lambda _, x: lambda g: g * 2 / math.sqrt(math.pi) * xp.exp(-(x**2)))
    return function


@cache
def _functions(xp: Any) -> dict[str, Callable[..., Any]]:
    """Return the functions by name; those of matrices are handed scalars as 1×1."""
    erf = _erf(xp)

    def sigmoid(x):
        return (1 + xp.tanh(x / 2)) / 2

    def pairwise(function):
        return lambda a, b: (_check_shapes(a, b), function(a, b))[1]

    def square(x):
        if x.shape[0] != x.shape[1]:
            raise ValueError(f"not square: {x.shape}")
        return x

    def diagonal(x):
        return xp.sum(square(x) * numpy.eye(len(x)), axis=1, keepdims=True)

    def logsumexp(x, axis=None):
        top = xp.max(x, axis=axis, keepdims=True)
        return top + xp.log(xp.sum(xp.exp(x - top), axis=axis, keepdims=True))

    def softmax(x):
        if x.shape[1] != 1:
            raise ValueError(f"softmax of shape {x.shape}")
        return xp.exp(x - logsumexp(x))

    def adjugate(x):
        if len(square(x)) == 1:
            return numpy.eye(1)
        rest = [[j for j in range(len(x)) if j != i] for i in range(len(x))]
        return xp.array([[(-1) ** (i + j) * xp.linalg.det(x[rest[j]][:, rest[i]]) for j in range(len(x))]
                         for i in range(len(x))])

    def kron(a, b):
        return xp.reshape(a[:, None, :, None] * b[None, :, None, :], (len(a) * len(b), a.shape[1] * b.shape[1]))

    def argmax_cols(x):
        return (numpy.arange(len(x))[:, None] == numpy.argmax(_unboxed(x), axis=0)) * 1.0

    entrywise = {
        **{f.__name__: f for f in (xp.sin, xp.cos, xp.tan, xp.arcsin, xp.arccos, xp.arctan, xp.sinh, xp.cosh, xp.tanh,
                                   xp.exp, xp.log, xp.sqrt, xp.sign)},
        "abs": xp.abs,
        "relu": lambda x: xp.where(x > 0, x, 0.0),
        "step": lambda x: xp.where(x > 0, 1.0, 0.0),
        "sigmoid": sigmoid,
        "softplus": lambda x: xp.logaddexp(0.0, x),
        "erf": erf,
        "gelu": lambda x: x * (1 + erf(x / math.sqrt(2))) / 2,
        "silu": lambda x: x * sigmoid(x),
        "leaky_relu": lambda x: xp.where(x > 0, x, x / 100),
        "elu": lambda x: xp.where(x > 0, x, xp.exp(xp.minimum(x, 0.0)) - 1),
        "max": pairwise(xp.maximum),
        "min": pairwise(xp.minimum),
    }
    whole = {
        "sum": xp.sum,
        "mean": xp.mean,
        "tr": lambda x: xp.sum(diagonal(x)),
        "det": xp.linalg.det,
        "logdet": lambda x: xp.log(xp.linalg.det(x)),
        "norm1": lambda x: xp.sum(xp.abs(x)),
        "norm2": lambda x: xp.sqrt(xp.sum(x**2)),
        "norminf": lambda x: xp.max(xp.abs(x)),
        "logsumexp": logsumexp,
        "softmax": softmax,
        "inv": xp.linalg.inv,
        "adj": adjugate,
        "diag": lambda x: x * numpy.eye(len(x)) if x.shape[1] == 1 else diagonal(x),
        "vec": lambda x: _column(x, xp)[:, None],
        "kron": kron,
        # of the symmetric part: LAPACK reads one triangle only, and all entries count as independent
        "chol": lambda x: xp.linalg.cholesky((x + x.T) / 2),
        "tril": lambda x: x * numpy.tril(numpy.ones(x.shape)),
        "argmax": lambda x: argmax_cols(_column(x)[:, None]).reshape(x.shape, order="F"),
    }
    columnwise = {
        "sum": lambda x: xp.sum(x, axis=0, keepdims=True),
        "mean": lambda x: xp.mean(x, axis=0, keepdims=True),
        "max": lambda x: xp.max(x, axis=0, keepdims=True),
        "logsumexp": lambda x: logsumexp(x, 0),
        "softmax": lambda x: xp.exp(x - logsumexp(x, 0)),
        "log_softmax": lambda x: x - logsumexp(x, 0),
        "argmax": argmax_cols,
    }
    for name, function in columnwise.items():
        whole[f"{name}_cols"] = function
        whole[f"{name}_rows"] = lambda x, f=function: f(x.T).T
    lifted = {name: lambda *xs, f=function: f(*(_matrix(x, xp) for x in xs)) for name, function in whole.items()}
    return entrywise | lifted


def _unboxed(x: Any) -> Any:
    """Return the array within autograd's boxes."""
    return _unboxed(x._value) if hasattr(x, "_value") else x


def directional(text: str, wrt: str, values: Values, sizes: Sizes, direction: Any, step: float = 1e-5) -> Any:
    """Return the derivative along ``direction``, in the shape of the value, by central differences."""
    ahead, behind = (evaluate(text, {**values, wrt: values[wrt] + s * direction}, sizes) for s in (step, -step))
    return (ahead - behind) / (2 * step)


def differences(function: Callable[[Any], Any], point: Any, step: float = 1e-4) -> Any:
    """Return ∂vec F/∂vec X, outputs × inputs, by central differences extrapolated to an error of step⁴."""
    columns = []
    for i in range(numpy.size(point)):
        unit = numpy.reshape(numpy.eye(numpy.size(point))[i], numpy.shape(point), order="F")
        near, far = (_column(function(point + h * unit) - function(point - h * unit)) / (2 * h)
                     for h in (step, 2 * step))
        columns.append((4 * near - far) / 3)
    return numpy.stack(columns, axis=1)


def jacobian(text: str, wrt: str, values: Values, sizes: Sizes, step: float = 1e-4) -> Any:
    """Return ∂vec F/∂vec X, outputs × inputs, by central differences."""
    return differences(lambda x: evaluate(text, {**values, wrt: x}, sizes), values[wrt], step)


def autograd_jacobian(text: str, wrt: str, values: Values, sizes: Sizes) -> Any:
    """Return ∂vec F/∂vec X, outputs × inputs, by autograd, one output at a time."""
    import autograd.numpy as xp
    from autograd import make_vjp

    point = numpy.asarray(values[wrt], dtype=float)
    backwards, value = make_vjp(lambda x: _column(evaluate(text, {**values, wrt: x}, sizes, xp), xp))(point)
    return numpy.stack([_column(backwards(unit)) for unit in numpy.eye(len(value))])


def gradient(text: str, wrt: str, values: Values, sizes: Sizes) -> Any:
    """Return the gradient of a scalar by autograd, in the shape of what it is by."""
    (row,) = autograd_jacobian(text, wrt, values, sizes)
    return numpy.reshape(row, numpy.shape(values[wrt]), order="F")


def draw(text: str, sizes: Sizes, rng: numpy.random.Generator) -> dict[str, Any]:
    """Return random values of all that a text declares; what else it uses and is no dimension must be a scalar.

    Square matrices lie near 1.5 I, so that inverses are tame and determinants positive.
    """
    machine, declared = _Machine({}, sizes, numpy), parse(text).declarations
    values: dict[str, Any] = {}
    for name in sorted(free_names(text) - set(sizes) | set(declared)):
        shape, properties = declared.get(name, (None, ()))
        if shape is None and not "a" <= name[0] <= "g":
            raise ValueError(f"the shape of {name} is not declared in {text!r}")
        m, n = map(machine.size, shape or (_ONE, _ONE))
        value = rng.uniform(-1, 1, (m, n)) * (0.6 if m == n > 1 else 1) + (1.5 * numpy.eye(n) if m == n > 1 else 0)
        for word in properties:
            value = _PROPERTIES[word](value)
        values[name] = float(value[0, 0]) if m == n == 1 else value
    return values


_PROPERTIES: dict[str, Callable[[Any], Any]] = {
    "symmetric": lambda x: (x + x.T) / 2,
    "psd": lambda x: x @ x.T,
    "diagonal": lambda x: x * numpy.eye(len(x)),
    "invertible": lambda x: x,
    "positive": lambda x: abs(x) + 0.2,
    "onehot_rows": lambda x: (x == x.max(1, keepdims=True)) * 1.0,
    "onehot_cols": lambda x: (x == x.max(0, keepdims=True)) * 1.0,
    "distribution_rows": lambda x: (abs(x) + 0.2) / (abs(x) + 0.2).sum(1, keepdims=True),
    "distribution_cols": lambda x: (abs(x) + 0.2) / (abs(x) + 0.2).sum(0, keepdims=True),
}
