"""Inputs to start from, for each tab of the page; the longer ones are the files that ship with the package."""

from __future__ import annotations

from base64 import b64encode
from functools import cache
from typing import Any

from codegen.targets import TARGETS
from codegen.version import __version__
from gradwright.examples import example
from symbolic.errors import InputError
from symbolic.language.parser import PROPERTIES
from symbolic.losses import LOSSES
from symbolic.network import activation_names


def _expression(title: str, text: str, *wrt: str, order: int = 1, **more: Any) -> dict[str, Any]:
    return {"title": title, "expression": text, "wrt": list(wrt), "order": order} | more


_EXPRESSIONS = (
    _expression("Least squares", "norm2(A*x - y)^2", "x"),
    _expression("Softmax with cross-entropy", "y: n distribution_cols\nq = softmax(W*x)\n-y'*log(q)", "W"),
    _expression("Logistic regression", "sum(log(1 + exp(-y.*(X*w))))", "w", order=2),
    _expression("Quadratic form", "x'*A*x", "x", order=2),
    _expression("Log-determinant", "logdet(X)", "X", order=2),
    _expression("Inverse: a differential", "inv(X)*A", "X"),
    _expression("Softmax: a Jacobian", "softmax(x)", "x"),
    _expression("Trace of a square by a symmetric matrix", "S: n x n symmetric\ntr(S*S)", "S", convention="symmetric"),
)
_PROGRAMS = (("Attention", "attention", ("Q", "K", "V")), ("Gaussian likelihood", "gaussian", ("u", "S")),
             ("Kalman filter", "kalman", ("z", "x")), ("Layer normalisation", "layer_norm", ("x", "w")),
             ("LSTM cell", "lstm", ("h", "s")))
_NETWORKS = (
    ("The quiz: 3-3-3-3", "3-3-3-3:sigmoid,sigmoid,softmax?name=quiz"),
    ("Digits, rows and a mean", "64-32-10:relu,softmax?samples=rows&reduction=mean&name=digits"),
    ("Regression with weight decay", "4-8-1:tanh,identity?weight_decay=0.01&name=regression"),
    ("Symbolic widths", "n0-n1-n2:tanh,softmax?name=any_widths"),
    ("An activation of one's own", "3-4-2:x/(1+exp(-x)),sigmoid?name=swish"),
    ("Twelve layers", "8-8x11-4:tanh*11,softmax?name=deep"),
)
_CODE = '''import numpy as np

# Logistic regression by hand: one line of it is wrong.
rng = np.random.default_rng(0)
X = rng.standard_normal((3, 8))
Y = (rng.random((1, 8)) > 0.5).astype(float)
W = rng.standard_normal((1, 3))
b = np.zeros((1, 1))

a = W @ X + b
y_hat = 1 / (1 + np.exp(-a))
loss = -np.sum(Y * np.log(y_hat) + (1 - Y) * np.log(1 - y_hat))

da = y_hat - Y
dW = da @ X.T
db = np.sum(da) / 8
W -= 0.1 * dW
b -= 0.1 * db
'''
_CHECKED = (("The quiz as it was published", "quiz/quiz_by_hand.ipynb", "quiz/parameters.npz"),
            ("The quiz, corrected", "quiz/quiz_by_hand_corrected.ipynb", "quiz/parameters.npz"))


def vocabulary(mathematics: bool) -> dict[str, Any]:
    """Return the words that the page offers, and whether the server has KaTeX."""
    losses = {name: row.output for name, row in LOSSES.items()}
    return {"activations": list(activation_names()), "losses": losses, "properties": list(PROPERTIES),
            "targets": list(TARGETS), "mathematics": mathematics, "version": __version__}


@cache
def examples() -> dict[str, list[dict[str, Any]]]:
    """Return the examples by tab; those whose file is not there are left out."""
    programs = [_expression(title, text, *wrt) for title, name, wrt in _PROGRAMS
                if (text := _text(f"expressions/{name}.txt"))]
    checked = [{"title": title, "name": path.rpartition("/")[2], "code": text, "parameters": _packed(arrays)}
               for title, path, arrays in _CHECKED if (text := _text(path))]
    return {"expression": [*_EXPRESSIONS, *programs],
            "network": [{"title": title, "architecture": text} for title, text in _NETWORKS],
            "check": [*checked, {"title": "Logistic regression with a slip", "name": "pasted.py", "code": _CODE,
                                 "parameters": ""}]}


def _text(path: str) -> str:
    return _content(path).decode()


def _packed(path: str) -> str:
    return b64encode(_content(path)).decode()


def _content(path: str) -> bytes:
    try:
        return example(path).read_bytes()
    except (InputError, OSError):
        return b""
