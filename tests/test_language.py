"""The matrix language: text to gradients, against central differences of hand-written NumPy."""

from __future__ import annotations

import numpy as np
import pytest
from sympy import MatrixSymbol

from symbolic.derivatives import differentiate_text
from symbolic.errors import InputError
from symbolic.evaluate import evaluate
from symbolic.language import read_shape

SIZES = {"m": 4, "n": 3, "k": 2, "p": 5}


def softmax(a):
    e = np.exp(a - a.max())
    return e / e.sum()


CASES = {
    "x'*A*x": lambda x, A: (x.T @ A @ x)[0, 0],
    "norm2(A*x-y)^2": lambda A, x, y: np.sum((A @ x - y) ** 2),
    "sum(log(1+exp(-y.*(X*w))))": lambda y, X, w: np.sum(np.log(1 + np.exp(-y * (X @ w)))),
    "logdet(X'*X)": lambda X: np.log(np.linalg.det(X.T @ X)),
    "tr(A*X'*B*X)": lambda A, X, B: np.trace(A @ X.T @ B @ X),
    "q=softmax(W*x); -y'*log(q)": lambda W, x, y: -np.sum(y * np.log(softmax(W @ x))),
    "tr(inv(X'*X)*S)": lambda X, S: np.trace(np.linalg.inv(X.T @ X) @ S),
    "x'*x/(y'*y)": lambda x, y: np.sum(x * x) / np.sum(y * y),
    "(x'*A*x)/(x'*x)": lambda x, A: (x.T @ A @ x)[0, 0] / np.sum(x * x),
    "sum((M.*(U*V'-X)).^2)": lambda M, U, V, X: np.sum((M * (U @ V.T - X)) ** 2),
    "sum(relu(A*x)) + norm1(x)": lambda A, x: np.sum(np.maximum(A @ x, 0)) + np.sum(np.abs(x)),
    "logsumexp(A*x)": lambda A, x: np.log(np.sum(np.exp(A @ x))),
    "w'*sum_rows(X.^3)": lambda w, X: np.sum(w * np.sum(X**3, axis=1, keepdims=True)),
    "sum(softmax_rows(X).*Y)": lambda X, Y: np.sum(np.apply_along_axis(softmax, 1, X) * Y),
    "mean(tanh(2X+1))": lambda X: np.mean(np.tanh(2 * X + 1)),
    "exp(-x'*x/2)": lambda x: np.exp(-np.sum(x * x) / 2),
    "sum(x./(1+x.^2))": lambda x: np.sum(x / (1 + x**2)),
    "tr(X^3*A)": lambda X, A: np.trace(X @ X @ X @ A),
}


def size(dimension):
    return int(dimension.subs({s: SIZES[s.name] for s in dimension.free_symbols}))


@pytest.mark.parametrize("text", CASES)
def test_gradients(text):
    function = CASES[text]
    names = function.__code__.co_varnames[:function.__code__.co_argcount]
    answers = differentiate_text(f"X: m x n; {text}" if "X" in names and "X^" not in text else text, names)
    rng = np.random.default_rng(0)
    symbols = {str(s.name): s for s in answers.program.inputs}
    arrays = {n: rng.uniform(0.3, 1.2, tuple(map(size, symbols[n].shape))) for n in names}
    values = {symbols[n]: a for n, a in arrays.items()}
    for equation in answers.program.equations:
        values[equation.symbol] = evaluate(equation.term, values, size)
    assert float(values[answers.program.result]) == pytest.approx(function(**arrays), rel=1e-12)
    for answer in answers.answers:
        found = evaluate(answer.equation.term, values, size)
        expected = np.zeros(arrays[answer.name].shape)
        for index in np.ndindex(expected.shape):
            moved = [{**arrays, answer.name: arrays[answer.name].copy()} for _ in range(2)]
            for place, step in zip(moved, (1e-6, -1e-6), strict=True):
                place[answer.name][index] += step
            expected[index] = (function(**moved[0]) - function(**moved[1])) / 2e-6
        np.testing.assert_allclose(found, expected, rtol=1e-6, atol=1e-7, err_msg=f"{text} by {answer.name}")


@pytest.mark.parametrize(("text", "words"), {
    "foo(x)": ["unknown function 'foo'", "character 1"],
    "(A": ["unbalanced '('", "character 1"],
    "A)": ["unbalanced ')'", "character 2"],
    "A+": ["the end"],
    "x*y": ["shapes cannot meet", "character 2", ".*"],
    "A/B": ["division by a matrix", "inv"],
    "X: 3 x 4; tr(X)": ["3×4", "square"],
    "det(x)": ["square"],
    "X^1000000000": ["exponent"],
    "(" * 2000 + "x": ["nested"],
    "x" * 6000: ["characters"],
    "X: 2 x 3; Y: 2 x 4; sum(X+Y)": ["shapes differ", "2×3", "2×4"],
    "sum(x) $": ["unexpected character '$'"],
    "A*x": ["expected a scalar"],
    "": ["expected an expression"],
    "S: n x n symetric; tr(S)": ["symetric", "symmetric"],
    "x'*x/0": ["division by zero"],
}.items())
def test_refusals_point_at_the_character(text, words):
    with pytest.raises(InputError) as raised:
        differentiate_text(text, ["x"] if "x" in text else ["A"], 2 if text == "A*x" else 1)
    assert [w for w in words if w not in str(raised.value)] == [], str(raised.value)
    assert "\n" not in str(raised.value)


def test_wrt_must_be_there():
    with pytest.raises(InputError, match="'z' is not in the expression"):
        differentiate_text("sum(x)", ["z"])


def test_shapes_given_beside_the_text():
    shapes = dict(read_shape(s) for s in ("X=m,4", "c=scalar", "b=m"))
    (answer,) = differentiate_text("c*norm2(X*w-b)^2", ["w"], shapes=shapes).answers
    assert answer.wrt == (MatrixSymbol("w", 4, 1),)
    for wrong in ("X", "X=", "X=0,2", "X=1,2,3", "1=2"):
        with pytest.raises(InputError):
            read_shape(wrong)
