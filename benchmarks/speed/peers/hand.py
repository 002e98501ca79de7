"""Hand-written NumPy, as in the course notebook: an expression a line, a new array each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.speed.peers.base import Contender, Left, Peer

if TYPE_CHECKING:
    from benchmarks.speed.workloads import Problem

Arrays = dict[str, np.ndarray]


def notebook(p: Arrays, x: np.ndarray, y: np.ndarray) -> tuple[float, Arrays]:
    """Return what the notebook computes, for its one sample (∇b = ∇a), without its two mistakes."""
    a1 = p["W1"] @ x + p["b1"]
    h1 = 1 / (1 + np.exp(-a1))
    a2 = p["W2"] @ h1 + p["b2"]
    h2 = 1 / (1 + np.exp(-a2))
    a3 = p["W3"] @ h2 + p["b3"]
    y_hat = np.exp(a3) / np.sum(np.exp(a3))
    loss = -np.sum(y * np.log(y_hat))

    grad_a3 = -(y - y_hat)
    grad_W3 = grad_a3 @ h2.T
    grad_h2 = p["W3"].T @ grad_a3
    grad_a2 = grad_h2 * h2 * (1 - h2)
    grad_W2 = grad_a2 @ h1.T
    grad_h1 = p["W2"].T @ grad_a2
    grad_a1 = grad_h1 * h1 * (1 - h1)
    grad_W1 = grad_a1 @ x.T
    return loss, {"W1": grad_W1, "b1": grad_a1, "W2": grad_W2, "b2": grad_a2, "W3": grad_W3, "b3": grad_a3}


def three_layers(p: Arrays, x: np.ndarray, y: np.ndarray) -> tuple[float, Arrays]:
    """Return the same for any number of samples."""
    a1 = p["W1"] @ x + p["b1"]
    h1 = 1 / (1 + np.exp(-a1))
    a2 = p["W2"] @ h1 + p["b2"]
    h2 = 1 / (1 + np.exp(-a2))
    a3 = p["W3"] @ h2 + p["b3"]
    y_hat = np.exp(a3) / np.sum(np.exp(a3), axis=0)
    loss = -np.sum(y * np.log(y_hat))

    grad_a3 = -(y - y_hat)
    grad_W3 = grad_a3 @ h2.T
    grad_b3 = np.sum(grad_a3, axis=1, keepdims=True)
    grad_h2 = p["W3"].T @ grad_a3
    grad_a2 = grad_h2 * h2 * (1 - h2)
    grad_W2 = grad_a2 @ h1.T
    grad_b2 = np.sum(grad_a2, axis=1, keepdims=True)
    grad_h1 = p["W2"].T @ grad_a2
    grad_a1 = grad_h1 * h1 * (1 - h1)
    grad_W1 = grad_a1 @ x.T
    grad_b1 = np.sum(grad_a1, axis=1, keepdims=True)
    return loss, {"W1": grad_W1, "b1": grad_b1, "W2": grad_W2, "b2": grad_b2, "W3": grad_W3, "b3": grad_b3}


def layers(p: Arrays, x: np.ndarray, y: np.ndarray, activation: str, scale: float) -> tuple[float, Arrays]:
    """Return the same for any depth; all layers but the last are of one activation, tanh or relu."""
    h, depth = [x], len(p) // 2
    for k in range(1, depth):
        a = p[f"W{k}"] @ h[-1] + p[f"b{k}"]
        h.append(np.tanh(a) if activation == "tanh" else np.maximum(a, 0))
    a = p[f"W{depth}"] @ h[-1] + p[f"b{depth}"]
    e = np.exp(a - np.max(a, axis=0))
    y_hat = e / np.sum(e, axis=0)
    loss = -np.sum(y * np.log(y_hat)) * scale

    gradients = {}
    gradient_a = (y_hat - y) * scale
    for k in range(depth, 0, -1):
        gradients[f"W{k}"] = gradient_a @ h[k - 1].T
        gradients[f"b{k}"] = np.sum(gradient_a, axis=1, keepdims=True)
        if k > 1:
            gradient_h = p[f"W{k}"].T @ gradient_a
            gradient_a = gradient_h * ((1 - h[k - 1] ** 2) if activation == "tanh" else (h[k - 1] > 0))
    return loss, gradients


def hessian_vector(p: Arrays, x: np.ndarray, y: np.ndarray, v: Arrays, scale: float) -> Arrays:
    """Return H v of a relu network: forward and backward pass, and the change of each along v."""
    h, moved_h, depth = [x], [None], len(p) // 2
    for k in range(1, depth + 1):
        a = p[f"W{k}"] @ h[-1] + p[f"b{k}"]
        moved_a = v[f"W{k}"] @ h[-1] + v[f"b{k}"]
        if k > 1:
            moved_a = moved_a + p[f"W{k}"] @ moved_h[-1]
        if k < depth:
            h.append(np.maximum(a, 0))
            moved_h.append(moved_a * (a > 0))
    e = np.exp(a - np.max(a, axis=0))
    y_hat = e / np.sum(e, axis=0)
    gradient_a = (y_hat - y) * scale
    moved = y_hat * (moved_a - np.sum(y_hat * moved_a, axis=0)) * scale

    product = {}
    for k in range(depth, 0, -1):
        product[f"W{k}"] = moved @ h[k - 1].T
        product[f"b{k}"] = np.sum(moved, axis=1, keepdims=True)
        if k > 1:
            product[f"W{k}"] = product[f"W{k}"] + gradient_a @ moved_h[k - 1].T
            moved = (p[f"W{k}"].T @ moved + v[f"W{k}"].T @ gradient_a) * (h[k - 1] > 0)
            gradient_a = p[f"W{k}"].T @ gradient_a * (h[k - 1] > 0)
    return product


def hessian(w: np.ndarray, x: np.ndarray) -> np.ndarray:
    """Return X diag(s (1 − s)) Xᵀ."""
    s = 1 / (1 + np.exp(-(w @ x)))
    return (x * (s * (1 - s))) @ x.T


class Hand(Peer):
    """The measure of the other ratios."""

    title = "hand-written NumPy"
    about = "notebook style: an expression a line, a new array each"
    packages = ("numpy",)

    def gradients(self, problem: Problem) -> Contender:
        """Time the notebook's network line by line, others in a loop."""
        p, x, y = problem.parameters, problem.X, problem.Y
        if problem.workload.name == "tiny":
            return Contender(three_layers, (p, x, y), _named)
        return Contender(layers, (p, x, y, problem.activations[0], problem.scale), _named)

    def training(self, problem: Problem) -> Contender:
        """Time a step; new arrays for the parameters, as in the notebook."""
        p, eta = problem.copied(), problem.learning_rate

        def step(x: np.ndarray, y: np.ndarray) -> float:
            loss, gradients = layers(p, x, y, problem.activations[0], problem.scale)
            for name in p:
                p[name] = p[name] - eta * gradients[name]
            return loss

        return Contender(step, (problem.X, problem.Y), lambda loss: {"loss": loss, **p})

    def hessian(self, problem: Problem) -> Contender:
        """Time the closed form."""
        return Contender(hessian, (problem.parameters["W1"], problem.X), lambda found: {"hessian": found})

    def hessian_vector(self, problem: Problem) -> Contender:
        """Time both sweeps and their changes."""
        p, x, y, v = problem.parameters, problem.X, problem.Y, problem.direction
        return Contender(hessian_vector, (p, x, y, v, problem.scale), dict)


class HandOneSample(Peer):
    """The notebook itself, which need not sum over samples."""

    title = "hand-written, one sample only"
    about = "the notebook itself, where ∇b = ∇a: every other contender takes any number of samples"

    def gradients(self, problem: Problem) -> Contender:
        """Time the notebook."""
        if problem.activations != ("sigmoid", "sigmoid", "softmax") or problem.workload.batch != 1:
            raise Left("the notebook's code is for its own network")
        return Contender(notebook, (problem.parameters, problem.X, problem.Y), _named)


def _named(output: tuple[float, Arrays]) -> dict[str, Any]:
    return {"loss": output[0], **output[1]}
