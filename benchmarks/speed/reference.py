"""What every contender must agree with: plain float64 formulas, one function for each kind of workload.

Conventions: samples are columns, a = W h + b 1ᵀ, ŷ = softmax(a) with cross-entropy (or the logistic model for
the Hessian). `tests/test_benchmark.py` holds these formulas against automatic differentiation.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from benchmarks.speed.workloads import Problem

Arrays = dict[str, np.ndarray]


def _sigmoid(a: np.ndarray) -> np.ndarray:
    return np.where(a >= 0, 1, np.exp(-abs(a))) / (1 + np.exp(-abs(a)))


FUNCTIONS = {
    "sigmoid": (_sigmoid, lambda a: _sigmoid(a) * _sigmoid(-a),
                lambda a: _sigmoid(a) * _sigmoid(-a) * (_sigmoid(-a) - _sigmoid(a))),
    "tanh": (np.tanh, lambda a: 1 - np.tanh(a) ** 2, lambda a: -2 * np.tanh(a) * (1 - np.tanh(a) ** 2)),
    "relu": (lambda a: np.where(a > 0, a, 0.0), lambda a: np.where(a > 0, 1.0, 0.0), np.zeros_like),
}
"""Of each activation: the function, its first and its second derivative."""


def forward(problem: Problem, parameters: Arrays) -> tuple[list[np.ndarray], list[np.ndarray], float]:
    """Return a₁ … a_L, h₀ … h_{L−1} and the loss."""
    a, h = [], [_double(problem.X)]
    for k, name in enumerate(problem.activations, start=1):
        a.append(parameters[f"W{k}"] @ h[-1] + parameters[f"b{k}"])
        if name != "softmax":
            h.append(FUNCTIONS[name][0](a[-1]))
    shifted = a[-1] - a[-1].max(axis=0)
    log_y = shifted - np.log(np.exp(shifted).sum(axis=0))
    return a, h, float(-(_double(problem.Y) * log_y).sum() * problem.scale)


def backward(problem: Problem, parameters: Arrays) -> tuple[float, list[np.ndarray], list[np.ndarray]]:
    """Return the loss, ∇a₁ … ∇a_L and h₀ … h_{L−1}."""
    a, h, loss = forward(problem, parameters)
    delta = [(_softmax(a[-1]) - _double(problem.Y)) * problem.scale]
    for k in range(len(a) - 1, 0, -1):
        slope = FUNCTIONS[problem.activations[k - 1]][1](a[k - 1])
        delta.insert(0, parameters[f"W{k + 1}"].T @ delta[0] * slope)
    return loss, delta, h


def gradients(problem: Problem, parameters: Arrays | None = None) -> Arrays:
    """Return the loss and its gradients, under the names of the parameters."""
    loss, delta, h = backward(problem, _doubles(problem.parameters) if parameters is None else parameters)
    found = {"loss": np.array(loss)}
    for k, (d, below) in enumerate(zip(delta, h, strict=True), start=1):
        found[f"W{k}"], found[f"b{k}"] = d @ below.T, d.sum(axis=1, keepdims=True)
    return found


def training(problem: Problem) -> Arrays:
    """Return the parameters after some steps, and the loss before the last."""
    from benchmarks.speed.workloads import STEPS

    parameters, loss = _doubles(problem.parameters), np.array(0.0)
    for _ in range(STEPS):
        found = gradients(problem, parameters)
        loss = found["loss"]
        parameters = {n: p - problem.learning_rate * found[n] for n, p in parameters.items()}
    return {"loss": loss, **parameters}


def hessian(problem: Problem) -> Arrays:
    """Return X diag(s (1 − s)) Xᵀ, s = σ(W X)."""
    X = _double(problem.X)
    s = FUNCTIONS["sigmoid"][1](_double(problem.parameters["W1"]) @ X) * problem.scale
    return {"hessian": np.einsum("in,jn->ij", X * s, X, optimize=True)}


def hessian_vector(problem: Problem) -> Arrays:
    """Return the derivative of the gradients along the direction, by differentiating both sweeps."""
    p, v = _doubles(problem.parameters), _doubles(problem.direction)
    a, h, _ = forward(problem, p)
    _, delta, _ = backward(problem, p)
    moved_a, moved_h, depth = [], [np.zeros_like(h[0])], len(a)
    for k, name in enumerate(problem.activations, start=1):
        moved_a.append(v[f"W{k}"] @ h[k - 1] + p[f"W{k}"] @ moved_h[-1] + v[f"b{k}"])
        if name != "softmax":
            moved_h.append(FUNCTIONS[name][1](a[k - 1]) * moved_a[-1])
    y = _softmax(a[-1])
    moved = (y * moved_a[-1] - y * (y * moved_a[-1]).sum(axis=0)) * problem.scale
    found = {}
    for k in range(depth, 0, -1):
        found[f"W{k}"] = moved @ h[k - 1].T + delta[k - 1] @ moved_h[k - 1].T
        found[f"b{k}"] = moved.sum(axis=1, keepdims=True)
        if k > 1:
            _, first, second = FUNCTIONS[problem.activations[k - 2]]
            upper, moved_upper = p[f"W{k}"].T @ delta[k - 1], v[f"W{k}"].T @ delta[k - 1] + p[f"W{k}"].T @ moved
            moved = moved_upper * first(a[k - 2]) + upper * second(a[k - 2]) * moved_a[k - 2]
    return found


def _softmax(a: np.ndarray) -> np.ndarray:
    e = np.exp(a - a.max(axis=0))
    return e / e.sum(axis=0)


def _double(array: np.ndarray) -> np.ndarray:
    return array.astype(np.float64)


def _doubles(arrays: Arrays) -> Arrays:
    return {name: _double(array) for name, array in arrays.items()}
