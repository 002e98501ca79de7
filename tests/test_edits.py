"""Small edits of hand-written lines: from each wrong line the right one is reached, under the right kind."""

import ast
import types
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
import pytest

from gradwright.checking.edits import Edit, Scope, edits, pairs
from gradwright.checking.findings import KINDS


def scope(
    names: Mapping[str, str],
    sizes: tuple[int, ...] = (2, 4, 6, 3),
    samples: int = 5,
    axis: int = 1,
    target: str = "",
    activations: Mapping[int, str] | None = None,
    functions: Mapping[str, str] | None = None,
) -> Scope:
    """Make a scope of names by ours; the shapes follow from ours and the sizes."""
    arrays: dict[str, tuple[int, ...]] = {}
    for theirs, ours in names.items():
        part = ours.removeprefix("grad_")
        layer = {"X": 0, "Y": len(sizes) - 1, "y_hat": len(sizes) - 1, "N": 0}.get(part)
        layer = int(part[1:]) if layer is None else layer
        known: dict[str, tuple[int, ...]] = {
            "W": (sizes[layer], sizes[layer - 1]), "b": (sizes[layer], 1), "N": ()
        }  # fmt: skip
        shape = known.get(part[0], (sizes[layer], samples))
        arrays[theirs] = shape if axis == 1 else shape[::-1]
    kinds = activations or {**dict.fromkeys(range(1, len(sizes) - 1), "sigmoid"), len(sizes) - 1: "softmax"}
    return Scope(arrays, names, functions or {}, kinds, axis, samples, target)


OURS = ["X", "Y", "y_hat", "N", *(f"{p}{k}" for k in (1, 2, 3) for p in ("W", "b", "a", "grad_W", "grad_b", "grad_a")),
        "h1", "h2", "grad_h1", "grad_h2"]  # fmt: skip
QUIZ = {{"y_hat": "y_hat", "N": "m"}.get(o, o.replace("grad_", "gradient_").replace("gradient_W", "gradient_w")): o
        for o in OURS}  # fmt: skip
SHORT = {{"N": "N", "y_hat": "A3", "X": "X"}.get(o, o.replace("grad_a", "dZ").replace("grad_h", "dA").replace(
    "grad_", "d").replace("a", "Z").replace("h", "A")): o for o in OURS}  # fmt: skip
ATTRIBUTES = {f"self.{o.replace('grad_', 'd')}" if o not in {"X", "Y", "N"} else o: o for o in OURS}
LISTS = {
    **{f"{p.replace('grad_', 'd')}[{k}]": f"{p}{k}" for k in (1, 2, 3) for p in ("W", "b", "a", "grad_W", "grad_a")},
    **{f"h[{k}]": o for k, o in enumerate(("X", "h1", "h2", "y_hat"))}, "Y": "Y", "m": "N", "dh[1]": "grad_h1",
    "dh[2]": "grad_h2",
}  # fmt: skip
KEYS = {
    **{f"params['{p}{k}']": f"{p}{k}" for k in (1, 2, 3) for p in "Wb"},
    **{f"grads['d{p}{k}']": f"grad_{p}{k}" for k in (1, 2, 3) for p in "Wba"},
    **{f"cache['{p}{k}']": f"{p}{k}" for k in (1, 2) for p in "ah"}, "cache['a3']": "a3",
    "cache['h3']": "y_hat", "X": "X", "Y": "Y", "m": "N",
}  # fmt: skip
TANH = {1: "tanh", 2: "tanh", 3: "softmax"}
RELU = {1: "relu", 2: "relu", 3: "softmax"}
BINARY = {1: "sigmoid", 2: "sigmoid", 3: "sigmoid"}
USER = {"sigmoid": "sigmoid", "sigmoid_prime": "sigmoid'", "dsigmoid": "sigmoid' of h"}

STYLES: dict[str, Callable[..., Scope]] = {
    "quiz": lambda **o: scope(QUIZ, **o),
    "rows": lambda **o: scope(QUIZ, axis=0, **o),
    "short": lambda **o: scope(SHORT, **o),
    "one": lambda **o: scope(QUIZ, samples=1, sizes=(3, 3, 3, 3), **o),
    "self": lambda **o: scope(ATTRIBUTES, **o),
    "lists": lambda **o: scope(LISTS, **o),
    "keys": lambda **o: scope(KEYS, **o),
}

ROWS: list[tuple[str, str, str, str, dict[str, Any]]] = [  # wrong, right, kind, style, options
    # names
    ("gradient_w3", "gradient_a3", "wrong_name", "one", {"target": "grad_b3"}),
    ("gradient_a3 @ a2.T", "gradient_a3 @ h2.T", "wrong_name", "quiz", {"target": "grad_W3"}),
    ("y_hat - X", "y_hat - Y", "wrong_name", "one", {"target": "grad_a3"}),
    ("b1 @ X + b1", "W1 @ X + b1", "wrong_name", "quiz", {"target": "a1"}),
    ("gradient_a2 * h1.T", "gradient_a2 @ h1.T", "operator", "quiz", {"target": "grad_W2"}),
    ("W2 @ h1 + b1", "W2 @ h1 + b2", "layer_index", "quiz", {"target": "a2"}),
    ("gradient_a3 @ h1.T", "gradient_a3 @ h2.T", "layer_index", "quiz", {"target": "grad_W3"}),
    ("W2.T @ gradient_a3", "W3.T @ gradient_a3", "layer_index", "quiz", {"target": "grad_h2"}),
    ("gradient_h2 * h1 * (1 - h1)", "gradient_h2 * h2 * (1 - h2)", "layer_index", "one", {"target": "grad_a2"}),
    ("gradient_h2 * h2 * (1 - h1)", "gradient_h2 * h2 * (1 - h2)", "layer_index", "one", {"target": "grad_a2"}),
    ("self.W3.T @ self.da2", "self.W3.T @ self.da3", "layer_index", "self", {"target": "grad_h2"}),
    ("self.da3 @ self.a2.T", "self.da3 @ self.h2.T", "wrong_name", "self", {"target": "grad_W3"}),
    ("W[2].T @ da[3]", "W[3].T @ da[3]", "layer_index", "lists", {"target": "grad_h2"}),
    ("da[3] @ a[2].T", "da[3] @ h[2].T", "wrong_name", "lists", {"target": "grad_W3"}),
    ("W[k].T @ da[k+1]", "W[k+1].T @ da[k+1]", "layer_index", "lists", {"target": "grad_h2"}),
    ("da[k] @ h[k].T", "da[k] @ h[k - 1].T", "layer_index", "lists", {"target": "grad_W2"}),
    ("da[k] @ a[k-1].T", "da[k] @ h[k-1].T", "wrong_name", "lists", {"target": "grad_W2"}),
    ("params['W2'].T @ grads['da3']", "params['W3'].T @ grads['da3']", "layer_index", "keys", {"target": "grad_h2"}),
    ('params["W" + str(k)].T @ grads["da" + str(k+1)]', 'params["W" + str(k + 1)].T @ grads["da" + str(k+1)]',
     "layer_index", "keys", {"target": "grad_h2"}),
    ('grads[f"da{k}"] @ cache[f"h{k}"].T', 'grads[f"da{k}"] @ cache[f"h{k - 1}"].T', "layer_index", "keys",
     {"target": "grad_W2"}),
    ('grads[f"da{k}"] @ cache[f"a{k-1}"].T', 'grads[f"da{k}"] @ cache[f"h{k-1}"].T', "wrong_name", "keys",
     {"target": "grad_W2"}),
    ("dZ3 @ Z2.T", "dZ3 @ A2.T", "wrong_name", "short", {"target": "grad_W3"}),
    ("dA2 * Z2 * (1 - Z2)", "dA2 * A2 * (1 - A2)", "activation_derivative", "short", {"target": "grad_a2"}),
    ("W3.T @ dZ2", "W3.T @ dZ3", "layer_index", "short", {"target": "grad_h2"}),
    # transposes
    ("W3 @ gradient_a3", "W3.T @ gradient_a3", "transpose", "quiz", {"target": "grad_h2"}),
    ("gradient_a3 @ h2", "gradient_a3 @ h2.T", "transpose", "quiz", {"target": "grad_W3"}),
    ("np.dot(gradient_a3, h2)", "np.dot(gradient_a3, h2.T)", "transpose", "quiz", {"target": "grad_W3"}),
    ("np.dot(np.transpose(gradient_a3), np.transpose(h2))", "np.dot(gradient_a3, np.transpose(h2))", "transpose",
     "quiz", {"target": "grad_W3"}),
    ("W1.transpose() @ X + b1", "W1 @ X + b1", "transpose", "quiz", {"target": "a1"}),
    ("gradient_a3.T @ h2", "gradient_a3 @ h2.T", "transpose", "quiz", {"target": "grad_W3"}),
    ("gradient_a3 @ W3", "gradient_a3 @ W3.T", "transpose", "rows", {"target": "grad_h2"}),
    ("np.einsum('ij,jk->ik', W3, gradient_a3)", "np.einsum('ji,jk->ik', W3, gradient_a3)", "transpose", "quiz", {}),
    ("np.einsum('ij,kj->ki', gradient_a3, h2)", "np.einsum('ij,kj->ik', gradient_a3, h2)", "transpose", "quiz", {}),
    # signs
    ("Y - y_hat", "y_hat - Y", "sign", "quiz", {"target": "grad_a3"}),
    ("y_hat + Y", "y_hat - Y", "sign", "quiz", {"target": "grad_a3"}),
    ("(Y - y_hat)", "-(Y - y_hat)", "sign", "quiz", {"target": "grad_a3"}),
    ("np.sum(Y * np.log(y_hat))", "-np.sum(Y * np.log(y_hat))", "sign", "quiz", {"target": "loss"}),
    ("1 / (1 + np.exp(a1))", "1 / (1 + np.exp(-a1))", "sign", "quiz", {"target": "h1"}),
    ("gradient_h1 * h1 * (1 + h1)", "gradient_h1 * h1 * (1 - h1)", "sign", "quiz", {"target": "grad_a1"}),
    ("-(W3.T @ gradient_a3)", "W3.T @ gradient_a3", "sign", "quiz", {"target": "grad_h2"}),
    ("np.abs(y_hat - Y)", "y_hat - Y", "sign", "quiz", {"target": "grad_a3"}),
    ("W1 @ X - b1", "W1 @ X + b1", "sign", "quiz", {"target": "a1"}),
    # operators
    ("gradient_h2 @ h2 * (1 - h2)", "gradient_h2 * h2 * (1 - h2)", "operator", "one", {"target": "grad_a2"}),
    ("W3.T * gradient_a3", "W3.T @ gradient_a3", "operator", "quiz", {"target": "grad_h2"}),
    ("np.multiply(gradient_a3, h2.T)", "np.dot(gradient_a3, h2.T)", "operator", "quiz", {"target": "grad_W3"}),
    ("h2.T @ gradient_a3", "gradient_a3 @ h2.T", "operator", "quiz", {"target": "grad_W3"}),
    ("h2 @ gradient_a3.T", "gradient_a3 @ h2.T", "operator", "quiz", {"target": "grad_W3"}),
    ("X @ W1 + b1", "W1 @ X + b1", "operator", "quiz", {"target": "a1"}),
    ("np.dot(X, W1) + b1", "np.dot(W1, X) + b1", "operator", "quiz", {"target": "a1"}),
    ("W3.T.dot(gradient_a3) * 1", "W3.T.dot(gradient_a3) / 1", "operator", "quiz", {}),
    ("W2.T @ (gradient_a2 * (h1 * (1 - h1)))", "W2.T @ gradient_a2 * (h1 * (1 - h1))", "operator", "quiz", {}),
    ("gradient_a3 * m", "gradient_a3 / m", "operator", "quiz", {}),
    ("gradient_h1 * (1 - h1 * 2)", "gradient_h1 * (1 - h1 ** 2)", "operator", "quiz",
     {"target": "grad_a1", "activations": TANH}),
    ("gradient_h1 * (a1 < 0)", "gradient_h1 * (a1 > 0)", "operator", "quiz",
     {"target": "grad_a1", "activations": RELU}),
    ("np.outer(X, gradient_a1)", "np.outer(gradient_a1, X)", "operator", "one", {"target": "grad_W1"}),
    ("np.einsum('ij,kj->ik', h2, gradient_a3)", "np.einsum('ij,kj->ki', h2, gradient_a3)", "transpose", "quiz", {}),
    ("np.einsum('ij,jj->ik', W3, h2)", "np.einsum('ij,jk->ik', W3, h2)", "operator", "quiz", {}),
    ("np.where(a1 > 0, 0, gradient_h1)", "np.where(a1 > 0, gradient_h1, 0)", "operator", "quiz",
     {"target": "grad_a1", "activations": RELU}),
    # derivatives of activations
    ("gradient_h1 * a1 * (1 - a1)", "gradient_h1 * h1 * (1 - h1)", "activation_derivative", "quiz",
     {"target": "grad_a1"}),
    ("gradient_h1 * h1 * (1 - a1)", "gradient_h1 * h1 * (1 - h1)", "activation_derivative", "quiz",
     {"target": "grad_a1"}),
    ("gradient_h1 * (1 - a1**2)", "gradient_h1 * (1 - h1**2)", "activation_derivative", "quiz",
     {"target": "grad_a1", "activations": TANH}),
    ("gradient_h1 * (1 - h1)", "gradient_h1 * (1 - h1**2)", "activation_derivative", "quiz",
     {"target": "grad_a1", "activations": TANH}),
    ("gradient_h1 * h1 * (1 - h1)", "gradient_h1 * (1 - h1**2)", "activation_derivative", "quiz",
     {"target": "grad_a1", "activations": TANH}),
    ("gradient_h1 * (1 - h1**2)", "gradient_h1 * h1 * (1 - h1)", "activation_derivative", "quiz",
     {"target": "grad_a1"}),
    ("gradient_h1 * h1", "gradient_h1 * (a1 > 0)", "activation_derivative", "quiz",
     {"target": "grad_a1", "activations": RELU}),
    ("gradient_h1 * sigmoid_prime(h1)", "gradient_h1 * sigmoid_prime(a1)", "activation_derivative", "quiz",
     {"target": "grad_a1", "functions": USER}),
    ("gradient_h1 * sigmoid(a1)", "gradient_h1 * sigmoid_prime(a1)", "activation_derivative", "quiz",
     {"target": "grad_a1", "functions": USER}),
    ("gradient_h1 * dsigmoid(a1)", "gradient_h1 * dsigmoid(h1)", "activation_derivative", "quiz",
     {"target": "grad_a1", "functions": USER}),
    ("dh[k] * a[k] * (1 - a[k])", "dh[k] * h[k] * (1 - h[k])", "activation_derivative", "lists",
     {"target": "grad_a2"}),
    # factors missing
    ("gradient_h1 * h1", "gradient_h1 * h1 * (1 - h1)", "missing_factor", "quiz", {"target": "grad_a1"}),
    ("gradient_h1 * (1 - h1)", "gradient_h1 * h1 * (1 - h1)", "missing_factor", "quiz", {"target": "grad_a1"}),
    ("gradient_h1", "gradient_h1 * h1 * (1 - h1)", "missing_factor", "quiz", {"target": "grad_a1"}),
    ("W2.T @ gradient_a2", "W2.T @ gradient_a2 * (1 - h1**2)", "missing_factor", "quiz",
     {"target": "grad_a1", "activations": TANH}),
    ("W2.T @ gradient_a2", "W2.T @ gradient_a2 * (a1 > 0)", "missing_factor", "quiz",
     {"target": "grad_a1", "activations": RELU}),
    ("np.dot(W2.T, gradient_a2)", "np.dot(W2.T, gradient_a2) * sigmoid_prime(a1)", "missing_factor", "quiz",
     {"target": "grad_a1", "functions": {"sigmoid": "sigmoid", "sigmoid_prime": "sigmoid'"}}),
    ("W[k+1].T @ da[k+1]", "W[k+1].T @ da[k+1] * h[k] * (1 - h[k])", "missing_factor", "lists",
     {"target": "grad_a2"}),
    ("gradient_a3", "gradient_a3 @ h2.T", "missing_factor", "quiz", {"target": "grad_W3"}),
    ("gradient_a3", "W3.T @ gradient_a3", "missing_factor", "quiz", {"target": "grad_h2"}),
    ("W2 @ h1", "W2 @ h1 + b2", "missing_factor", "quiz", {"target": "a2"}),
    ("y_hat / m", "(y_hat - Y) / m", "missing_factor", "quiz", {"target": "grad_a3"}),
    ("np.exp(a3)", "np.exp(a3) / np.sum(np.exp(a3), axis=0, keepdims=True)", "missing_factor", "quiz",
     {"target": "y_hat"}),
    # factors too many
    ("W3.T @ gradient_a3 * h2 * (1 - h2)", "W3.T @ gradient_a3", "extra_factor", "quiz", {"target": "grad_h2"}),
    ("gradient_a3 @ h2.T * gradient_w3", "gradient_a3 @ h2.T", "extra_factor", "quiz", {"target": "grad_W3"}),
    ("(y_hat - Y) * y_hat", "y_hat - Y", "extra_factor", "quiz", {"target": "grad_a3"}),
    ("gradient_h1 * h1 * (1 - h1) * (1 - h1)", "gradient_h1 * h1 * (1 - h1)", "extra_factor", "quiz",
     {"target": "grad_a1"}),
    ("W1 @ X + b1 + b1", "W1 @ X + b1", "extra_factor", "quiz", {"target": "a1"}),
    ("np.exp(y_hat - Y)", "y_hat - Y", "extra_factor", "quiz", {"target": "grad_a3"}),
    # sums
    ("gradient_a2", "np.sum(gradient_a2, axis=1, keepdims=True)", "missing_sum", "quiz", {"target": "grad_b2"}),
    ("gradient_a2", "np.sum(gradient_a2, axis=0, keepdims=True)", "missing_sum", "rows", {"target": "grad_b2"}),
    ("gradient_a2 / m", "np.sum(gradient_a2, axis=1, keepdims=True) / m", "missing_sum", "quiz",
     {"target": "grad_b2"}),
    ("1 / m * gradient_a2", "1 / m * np.sum(gradient_a2, axis=1, keepdims=True)", "missing_sum", "quiz", {}),
    ("np.sum(gradient_a2, axis=0, keepdims=True)", "np.sum(gradient_a2, axis=1, keepdims=True)", "missing_sum", "quiz",
     {"target": "grad_b2"}),
    ("np.sum(gradient_a2)", "np.sum(gradient_a2, axis=1, keepdims=True)", "missing_sum", "quiz",
     {"target": "grad_b2"}),
    ("gradient_a2.sum(axis=1)", "gradient_a2.sum(axis=0)", "missing_sum", "rows", {"target": "grad_b2"}),
    ("np.exp(a3) / np.exp(a3)", "np.exp(a3) / np.sum(np.exp(a3), axis=0, keepdims=True)", "missing_sum", "quiz",
     {"target": "y_hat"}),
    ("np.exp(a3) / np.sum(np.exp(a3))", "np.exp(a3) / np.sum(np.exp(a3), axis=0)", "missing_sum", "quiz",
     {"target": "y_hat"}),
    ("np.sum(y_hat - Y, axis=1)", "y_hat - Y", "missing_sum", "quiz", {"target": "grad_a3"}),
    ("np.einsum('ij,kj->i', gradient_a3, h2)", "np.einsum('ij,kj->ik', gradient_a3, h2)", "missing_sum", "quiz", {}),
    # scales
    ("gradient_a3 @ h2.T", "gradient_a3 @ h2.T / m", "scale", "quiz", {"target": "grad_W3"}),
    ("1 / m * gradient_a3 @ h2.T", "gradient_a3 @ h2.T", "scale", "quiz", {"target": "grad_W3"}),
    ("gradient_a3 @ h2.T / m / m", "gradient_a3 @ h2.T / m", "scale", "quiz", {"target": "grad_W3"}),
    ("y_hat - Y", "2 * (y_hat - Y)", "scale", "quiz", {"target": "grad_a3"}),
    ("2 * (y_hat - Y)", "y_hat - Y", "scale", "quiz", {"target": "grad_a3"}),
    ("np.mean(gradient_a2, axis=1, keepdims=True)", "np.sum(gradient_a2, axis=1, keepdims=True)", "scale", "quiz",
     {"target": "grad_b2"}),
    ("(y_hat - Y) / X.shape[0]", "(y_hat - Y) / X.shape[1]", "scale", "quiz", {}),
    ("0.5 * (y_hat - Y)", "(y_hat - Y)", "scale", "quiz", {}),
    ("1 / (2 + np.exp(-a1))", "1 / (1 + np.exp(-a1))", "scale", "quiz", {"target": "h1"}),
    # broadcasts
    ("np.sum(gradient_a2, axis=1)", "np.sum(gradient_a2, axis=1, keepdims=True)", "broadcast", "quiz",
     {"target": "grad_b2"}),
    ("np.sum(gradient_a2, axis=1, keepdims=True)", "np.sum(gradient_a2, axis=1)", "broadcast", "quiz", {}),
    ("np.sum(gradient_a2, axis=1).reshape(1, -1)", "np.sum(gradient_a2, axis=1).reshape(-1, 1)", "broadcast", "quiz",
     {}),
    # losses
    ("-np.sum(np.log(y_hat))", "-np.sum(Y * np.log(y_hat))", "loss_mismatch", "quiz", {"target": "loss"}),
    ("-np.mean(Y * np.log(y_hat))", "-np.sum(Y * np.log(y_hat))", "loss_mismatch", "quiz", {"target": "loss"}),
    ("-np.sum(Y * np.log(y_hat))", "-np.sum(Y * np.log(y_hat)) / m", "loss_mismatch", "quiz", {"target": "loss"}),
    ("-np.sum(Y * np.log(a3))", "-np.sum(Y * np.log(y_hat))", "loss_mismatch", "quiz", {"target": "loss"}),
    ("-np.sum(Y * np.log(y_hat))", "-np.sum(Y * np.log(y_hat) + (1 - Y) * np.log(1 - y_hat))", "loss_mismatch", "quiz",
     {"target": "loss", "activations": BINARY}),
    ("-np.sum(Y * np.log(y_hat) + (1 - Y) * np.log(y_hat))",
     "-np.sum(Y * np.log(y_hat) + (1 - Y) * np.log(1 - y_hat))", "loss_mismatch", "quiz",
     {"target": "loss", "activations": BINARY}),
    ("np.sum(y_hat - Y)", "np.sum((y_hat - Y)**2)", "loss_mismatch", "quiz", {"target": "loss"}),
    ("-np.sum(Y) / m", "-np.sum(Y * np.log(y_hat)) / m", "loss_mismatch", "quiz", {"target": "loss"}),
    # functions
    ("np.tanh(a1)", "sigmoid(a1)", "wrong_name", "quiz", {"target": "h1", "functions": {"sigmoid": "sigmoid"}}),
    ("Y * np.exp(y_hat)", "Y * np.log(y_hat)", "wrong_name", "quiz", {"target": "y_hat"}),
]  # fmt: skip


def values(where: Scope, seed: int = 0) -> dict[str, Any]:
    """Give random values to a scope's names: h and ŷ are the activations of a."""
    rng, shapes = np.random.default_rng(seed), where.arrays
    functions: dict[str, Callable[[Any], Any]] = {"sigmoid": lambda a: 1 / (1 + np.exp(-a)), "tanh": np.tanh,
                                                   "relu": lambda a: np.maximum(a, 0)}  # fmt: skip
    by_ours: dict[str, Any] = {ours: rng.normal(size=shapes[theirs]) + 0.1 for theirs, ours in where.ours.items()}
    last = max(where.activations)
    for ours in list(by_ours):
        layer = last if ours == "y_hat" else int(ours[1:]) if ours[0] == "h" else 0
        if layer:
            a = by_ours[f"a{layer}"]
            name = where.activations[layer]
            e = np.exp(a)
            softmax = e / e.sum(1 - where.samples_axis, keepdims=True)
            by_ours[ours] = functions[name](a) if name in functions else softmax
    by_ours["Y"], by_ours["N"] = rng.uniform(0.1, 0.9, size=by_ours["Y"].shape), where.samples
    names: dict[str, Any] = {"np": np, "k": 2, "self": types.SimpleNamespace()}
    sigmoid = functions["sigmoid"]
    meanings = {"sigmoid": sigmoid, "sigmoid'": lambda a: sigmoid(a) * (1 - sigmoid(a)),
                "sigmoid' of h": lambda h: h * (1 - h)}  # fmt: skip
    names.update({name: meanings[meaning] for name, meaning in where.functions.items()})
    for theirs, ours in where.ours.items():
        match ast.parse(theirs, mode="eval").body:
            case ast.Name(name):
                names[name] = by_ours[ours]
            case ast.Attribute(_, name):
                setattr(names["self"], name, by_ours[ours])
            case ast.Subscript(ast.Name(name), ast.Constant(key)):
                names.setdefault(name, {})[key] = by_ours[ours]
    return names


def value(source: str, names: dict[str, Any]) -> Any:
    """Evaluate an expression; None where it has no value."""
    try:
        with np.errstate(all="ignore"):
            return np.asarray(eval(source.strip(), names))  # noqa: S307
    except (ValueError, TypeError, KeyError, IndexError, AttributeError, ZeroDivisionError, NameError):
        return None


def same(one: Any, other: Any) -> bool:
    return one is not None and one.shape == other.shape and bool(np.allclose(one, other, rtol=1e-9, atol=1e-12))


def tree(source: str) -> str:
    return ast.dump(ast.parse(source.strip(), mode="eval"))


@pytest.mark.parametrize(("wrong", "right", "kind", "style", "options"), ROWS)
def test_the_right_line_is_reached_and_its_kind_named(
    wrong: str, right: str, kind: str, style: str, options: dict[str, Any]
) -> None:
    where = STYLES[style](**options)
    found = list(edits(wrong, where))
    assert kind in {e.kind for e in found if tree(e.source) == tree(right)}
    names = values(where)
    wanted = value(right, names)
    assert wanted is not None
    first = next(e for e in found if same(value(e.source, names), wanted))
    assert (first.kind, first.source) == (kind, first.source)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row[0])
def test_every_edit_is_valid_and_another(row: Any) -> None:
    wrong, _, _, style, options = row
    found = list(edits(wrong, STYLES[style](**options)))
    texts = [e.source for e in found]
    assert len(set(texts)) == len(texts)
    assert "".join(wrong.split()) not in {"".join(text.split()) for text in texts}
    for edit in found:
        tree(edit.source)
        assert edit.kind in KINDS
        assert 0 <= edit.column < edit.end <= len(wrong)
        assert edit.sentence
        assert not edit.sentence.endswith(".")


def sources(wrong: str, where: Scope) -> dict[str, Edit]:
    return {e.source: e for e in edits(wrong, where)}


def test_the_authors_text_stays_elsewhere() -> None:
    where = STYLES["quiz"](target="grad_a1")
    found = sources("(W2.T  @  gradient_a3) * h1*(1-h1)", where)
    assert "(W2.T  @  gradient_a2) * h1*(1-h1)" in found
    assert "(W2  @  gradient_a3) * h1*(1-h1)" in found


def test_the_caret_is_at_the_part_at_fault() -> None:
    wrong = "np.dot(gradient_a3, h1.T)"
    edit = sources(wrong, STYLES["quiz"](target="grad_W3"))["np.dot(gradient_a3, h2.T)"]
    assert wrong[edit.column : edit.end] == "h1"
    assert edit.sentence == "`h1` stands where `h2` belongs"


def test_letters_beyond_ascii_and_several_lines() -> None:
    where = Scope({"σ1": (4, 5), "δ2": (3, 5), "W2": (3, 4)}, {"σ1": "h1", "δ2": "grad_a2", "W2": "W2"}, {},
                  {1: "sigmoid", 2: "softmax"}, 1, 5, "grad_a1")  # fmt: skip
    wrong = "W2 @ δ2 \\\n    * σ1 * (1 - σ1)"
    assert "W2.T @ δ2 \\\n    * σ1 * (1 - σ1)" in sources(wrong, where)
    open_lines = "W2 @ δ2\n    * σ1 * (1 - σ1)"  # its parentheses are no part of the expression
    assert "W2.T @ δ2\n    * σ1 * (1 - σ1)" in sources(open_lines, where)


@pytest.mark.parametrize(("wrong", "right"), [
    ("gradient_a3 @ h1", "gradient_a3 @ h2.T"),
    ("Y - y_hat", "-(Y - y_hat) / m"),
    ("W2 @ gradient_a3", "W3.T @ gradient_a3"),
    ("-(W2.T @ gradient_a2)", "W2.T @ gradient_a2 * h1 * (1 - h1)"),
    ("gradient_a2", "np.sum(gradient_a2, axis=1, keepdims=True) / m"),
    ("W3.T @ gradient_a2", "W2.T @ gradient_a2 * h1 * (1 - h1)"),
])  # fmt: skip
def test_pairs_reach_two_mistakes(wrong: str, right: str) -> None:
    where = STYLES["quiz"](target="grad_a1")
    names = values(where)
    found = list(pairs(wrong, where))
    assert any(same(value(e.source, names), value(right, names)) for e in found)
    single = {e.source for e in edits(wrong, where)}
    assert len({e.source for e in found}) == len(found) <= 2000
    assert not single & {e.source for e in found}
    for edit in found:
        tree(edit.source)


def test_a_line_has_few_edits() -> None:
    lines = [(wrong, STYLES[style](**options)) for wrong, _, _, style, options in ROWS]
    number = sum(1 for wrong, where in lines for _ in edits(wrong, where))
    assert number / len(lines) < 400


def test_what_is_no_expression_is_refused() -> None:
    with pytest.raises(SyntaxError):
        next(edits("W2 @", STYLES["quiz"]()))


def test_what_is_computed_stands_for_nothing() -> None:
    found = sources("gradient_w3", STYLES["one"](target="grad_b3"))
    assert not any("gradient_b3" in text for text in found)
