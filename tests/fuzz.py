"""Random expressions of the matrix language, and the check of their derivatives: `python tests/fuzz.py COUNT [SEED]`.

What is checked is the text of the answer, read by tests/reference.py, against autograd through the same
independent reader, and where the two differ against central differences too.
"""

from __future__ import annotations

import random
import signal
import sys
import warnings
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import reference

from symbolic.derivatives import differentiate_text
from symbolic.errors import InputError, VerificationError

Choose = Callable[[Sequence[Any]], Any]
Shape = tuple[str, str]

HEADER = "x, y: n; z: m; X, Y: m x n; A, B: n x n; S: n x n symmetric; P: m x n positive; c: scalar"
SIZES = {"m": 3, "n": 4}
SCALAR: Shape = ("1", "1")
NAMES: dict[Shape, tuple[str, ...]] = {
    ("1", "1"): ("c",), ("n", "1"): ("x", "y"), ("m", "1"): ("z",), ("m", "n"): ("X", "Y", "P"),
    ("n", "n"): ("A", "B", "S")}
SMOOTH = ("sin", "cos", "tanh", "exp", "sigmoid", "softplus", "arctan", "gelu", "silu", "erf", "sinh", "cosh")
KINKED = ("abs", "relu", "leaky_relu", "elu", "sign", "step")
OUTPUTS: tuple[Shape, ...] = (
    SCALAR, SCALAR, SCALAR, SCALAR, ("n", "1"), ("m", "1"), ("m", "n"), ("n", "n"), ("1", "n"))


class Generator:
    """A grammar of well-shaped expressions; ``choose`` picks one of a sequence."""

    def __init__(self, choose: Choose) -> None:
        self.choose = choose

    def expression(self, shape: Shape, depth: int) -> str:
        """Return an expression of that shape."""
        rules = self.rules(shape)
        if depth <= 0:
            return self.leaf(shape)
        return str(self.choose(rules)(depth - 1))

    def leaf(self, shape: Shape) -> str:
        """Return a name, a constant, or a transposed name."""
        rows, columns = shape
        found = list(NAMES.get(shape, ())) + [f"{n}'" for n in NAMES.get((columns, rows), ()) if rows != columns]
        if shape == SCALAR:
            found += ["2", "0.5", "3"]
        if not found or self.choose(range(12)) == 0:
            return f"ones({rows}, {columns})" if shape != SCALAR else "1"
        return str(self.choose(found))

    def rules(self, shape: Shape) -> list[Callable[[int], str]]:
        """Return the productions for a shape."""
        e, (rows, columns) = self.expression, shape
        either = lambda: self.choose(("m", "n"))  # noqa: E731
        common: list[Callable[[int], str]] = [
            lambda d: f"({e(shape, d)} + {e(shape, d)})", lambda d: f"({e(shape, d)} - {e(shape, d)})",
            lambda d: f"({e(shape, d)} .* {e(shape, d)})", lambda d: f"{self.choose(SMOOTH)}({e(shape, d)})",
            lambda d: f"{self.choose(KINKED)}({e(shape, d)})", lambda d: f"({e(SCALAR, d)} * {e(shape, d)})",
            lambda d: f"log(1 + ({e(shape, d)}).^2)", lambda d: f"sqrt(1 + ({e(shape, d)}).^2)",
            lambda d: f"({e(shape, d)} ./ (1 + ({e(shape, d)}).^2))", lambda d: f"(-{e(shape, d)})",
            lambda d: f"max({e(shape, d)}, {e(shape, d)})", lambda d: f"min({e(shape, d)}, 0.5)",
            lambda d: f"({e(shape, d)}).^{self.choose((2, 3))}", lambda d: self.leaf(shape)]
        if shape == SCALAR:
            return [*common, *self.scalars()]
        inner = either()
        common += [lambda d: f"({e((rows, inner), d)} * {e((inner, columns), d)})",
                   lambda d: f"({e((columns, rows), d)})'", lambda d: f"({e((rows, '1'), d)} * {e(('1', columns), d)})"]
        if columns == "1":
            common += [lambda d: f"{self.choose(('sum_rows', 'mean_rows', 'logsumexp_rows', 'max_rows'))}"
                       f"({e((rows, either()), d)})", lambda d: f"softmax({e(shape, d)})",
                       lambda d: f"diag({e((rows, rows), d)})", lambda d: f"({e((rows, either()), d)})[:, 2]"]
        elif rows == "1":
            common += [lambda d: f"{self.choose(('sum_cols', 'mean_cols', 'logsumexp_cols', 'max_cols'))}"
                       f"({e((either(), columns), d)})"]
        else:
            common += [lambda d: f"{self.choose(('softmax', 'log_softmax'))}_{self.choose(('rows', 'cols'))}"
                       f"({e(shape, d)})"]
        if rows == columns:
            common += [lambda d: f"inv(3*eye({rows}) + 0.3*tanh({e(shape, d)}))",
                       lambda d: f"diag({e((rows, '1'), d)})",
                       lambda d: f"({e(shape, d)})^2", lambda d: f"tril({e(shape, d)})",
                       lambda d: f"chol(2*eye({rows}) + {e((rows, inner), 0)}*{e((rows, inner), 0)}')"]
        if shape == ("n", "n"):
            common += [lambda d: f"[{e(('1', 'n'), d)}; {e(('n', 'n'), d)}][2:n + 1, :]",
                       lambda d: f"[{e(('n', 'm'), d)}, {e(('n', 'n'), d)}][:, 1:n]",
                       lambda d: f"reshape(vec({e(shape, d)})', n, n)"]
        return common

    def scalars(self) -> list[Callable[[int], str]]:
        """Return the productions for scalars from matrices."""
        e = self.expression
        shape = lambda: self.choose((("n", "1"), ("m", "1"), ("m", "n"), ("n", "n")))  # noqa: E731
        column = lambda: self.choose((("n", "1"), ("m", "1")))  # noqa: E731
        size = lambda: self.choose(("m", "n"))  # noqa: E731

        def product(d: int) -> str:
            s = column()
            return f"(({e(s, d)})'*{e(s, d)})"

        def quadratic(d: int) -> str:
            n = size()
            return f"(({e((n, '1'), d)})'*{e((n, n), d)}*{e((n, '1'), d)})"

        def trace(d: int) -> str:
            n, k = size(), size()
            return f"tr({e((n, k), d)}*{e((k, n), d)})"

        def determinant(d: int) -> str:
            n = size()
            return f"{self.choose(('logdet', 'det'))}(3*eye({n}) + 0.3*tanh({e((n, n), d)}))"

        def kronecker(d: int) -> str:
            s, t = shape(), shape()
            return f"sum(kron({e(s, d)}, {e(t, d)}))"

        return [product, product, quadratic, quadratic, trace, trace, determinant, kronecker,
                *(lambda d, f=f: f"{f}({e(shape(), d)})" for f in (
                    "sum", "mean", "norm1", "logsumexp", "norminf", "sum")),
                lambda d: f"norm2({e(shape(), d)})^2", lambda d: f"norm2(1 + ({e(shape(), d)}).^2)",
                lambda d: f"({e(shape(), d)})[2, 1]"]


@dataclass(frozen=True)
class Question:
    """An expression, a variable and an order."""

    text: str
    wrt: str
    order: int


def question(choose: Choose) -> Question:
    """Return a random question; the expression holds its variable."""
    generator, shape = Generator(choose), choose(OUTPUTS)
    body = generator.expression(shape, choose((1, 2, 3, 3, 4)))
    names = [n for n in reference.free_names(body) if n not in ("m", "n")]
    wrt = choose(sorted(names)) if names else "x"
    order = 2 if shape == SCALAR and choose(range(4)) == 0 else 1
    return Question(f"{HEADER}; {body}", wrt, order)


def outcome(asked: Question, seed: int = 0) -> str:
    """Return ``right``, ``withheld`` or ``refused``, or raise AssertionError for a wrong answer."""
    try:
        (found,) = differentiate_text(asked.text, [asked.wrt], asked.order).answers
    except VerificationError as error:
        # Off its diagonal a symmetric matrix has every entry twice: its largest one has no derivative.
        if "no finite value" in str(error) or ("norminf" in asked.text and asked.wrt == "S"):
            return "withheld"
        raise AssertionError(f"{asked}: {error}") from error
    except InputError as error:
        if any(words in str(error) for words in ("is not in the expression", "name parts", "too long for one")):
            return "refused"
        raise AssertionError(f"{asked}: {error}") from error
    rng = np.random.default_rng(seed)
    values = reference.draw(HEADER, SIZES, rng)
    with warnings.catch_warnings(), np.errstate(all="ignore"):
        warnings.simplefilter("ignore")
        try:
            ours = np.asarray(reference.evaluate(found.text, values, SIZES), float)
            expected = derivative(asked, values)
        except np.linalg.LinAlgError:
            return "singular"
    if not (np.all(np.isfinite(ours)) and np.all(np.isfinite(expected))):
        return "not finite here"
    assert ours.size == expected.size, f"{asked}: {found.text} is {ours.shape}, not {expected.shape}"
    compare(asked, found.text, ours.reshape(expected.shape, order="F"), expected, values)
    return "right"


def derivative(asked: Question, values: dict[str, Any]) -> Any:
    """Return the derivative by autograd, the second by differences of the first."""
    if asked.order == 1:
        return reference.autograd_jacobian(asked.text, asked.wrt, values, SIZES)
    return reference.differences(
        lambda point: reference.gradient(asked.text, asked.wrt, {**values, asked.wrt: point}, SIZES),
        np.asarray(values[asked.wrt], float))


def compare(asked: Question, text: str, ours: Any, expected: Any, values: dict[str, Any]) -> None:
    """Raise AssertionError where the answer is off, and central differences say so too."""
    scale = max(float(np.max(np.abs(expected), initial=0)), float(np.max(np.abs(ours), initial=0)), 1e-2)
    error = float(np.max(np.abs(ours - expected), initial=0)) / scale
    if error <= (1e-7 if asked.order == 1 else 1e-5):
        return
    if asked.order == 1:
        other = reference.jacobian(asked.text, asked.wrt, values, SIZES).reshape(expected.shape, order="F")
    else:  # a kink may be near
        other = reference.differences(lambda point: reference.gradient(
            asked.text, asked.wrt, {**values, asked.wrt: point}, SIZES), np.asarray(values[asked.wrt], float), 1e-7)
    again = float(np.max(np.abs(ours - other), initial=0)) / scale
    assert again <= 1e-5, f"{asked}: {text} is off by {error:.1e} from autograd, {again:.1e} from differences"


SECONDS = 10
"""An expression that takes longer is reported."""


def _too_long(*_: object) -> None:
    raise TimeoutError(f"more than {SECONDS} seconds")


def run(count: int, seed: int) -> None:
    """Try so many expressions, and print what came of them."""
    outcomes: Counter[str] = Counter()
    signal.signal(signal.SIGALRM, _too_long)
    for i in range(count):
        rng = random.Random(f"{seed} {i}")
        asked = question(rng.choice)
        signal.alarm(SECONDS)
        try:
            outcomes[outcome(asked, i)] += 1
        except Exception as error:  # every crash is a finding to print
            outcomes["WRONG"] += 1
            print(f"{seed} {i}: {asked} {type(error).__name__}: {error}"[:1500], flush=True)
        signal.alarm(0)
        if i % 1000 == 999:
            print(i + 1, dict(outcomes), flush=True)
    print(dict(outcomes))


if __name__ == "__main__":
    run(int(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 0)
