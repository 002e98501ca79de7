"""Backpropagation as a person writes it in NumPy: the oracle, which uses nothing of the project.

The quiz comes first, as a student writes it. Then multilayer perceptrons in general. Their forward
pass is complex-safe (conditions look at real parts), so that a complex step goes through it, and
works on stacks of matrices (…, rows, columns), so that all entries are perturbed at once. The
backward pass is complex-safe too: a complex step through it is a product with the Hessian.
"""

from __future__ import annotations

import itertools
import math
from dataclasses import dataclass

import numpy as np

STEP = 1e-30
"""Of the complex step: so small that its square vanishes, with nothing to cancel."""


# The quiz: column vectors, one sample, sigmoid, sigmoid, softmax, cross-entropy.

def quiz(p, x, y):
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
    return {
        "a1": a1, "h1": h1, "a2": a2, "h2": h2, "a3": a3, "y_hat": y_hat, "loss": loss,
        "grad_a3": grad_a3, "grad_W3": grad_W3, "grad_b3": grad_a3, "grad_h2": grad_h2,
        "grad_a2": grad_a2, "grad_W2": grad_W2, "grad_b2": grad_a2, "grad_h1": grad_h1,
        "grad_a1": grad_a1, "grad_W1": grad_W1, "grad_b1": grad_a1,
    }


def quiz_loss_after_update(p, x, y, wrong_b3=False, wrong_squeeze=False):
    """Take one step with η = 1; the two switches are the mistakes of the notebook."""
    g = quiz(p, x, y)
    new = {name: p[name] - g["grad_W3" if wrong_b3 and name == "b3" else f"grad_{name}"] for name in p}
    h1 = 1 / (1 + np.exp(-(new["W1"] @ x + new["b1"])))
    h2 = 1 / (1 + np.exp(-(new["W2"] @ h1 + new["b2"])))
    a3 = new["W3"] @ h2 + new["b3"]  # 3 × 3 where b3 is
    y_hat = np.exp(a3) / np.sum(np.exp(a3))
    if wrong_squeeze:
        y_hat = np.sum(y_hat, axis=1)  # (3,), so that y * log(y_hat) is 3 × 3
    elif wrong_b3:
        y_hat = np.sum(y_hat, axis=1, keepdims=True)
    return -np.sum(y * np.log(y_hat)), y_hat


# Scalar functions and their derivatives.

def where(condition, a, b):
    """np.where over the real line; ``condition`` is of the real part."""
    return np.where(condition, a, b)


def absolute(z):
    return where(np.real(z) < 0, -z, z)


def sigmoid(z):
    e = np.exp(-absolute(z))
    return where(np.real(z) >= 0, 1, e) / (1 + e)


def softplus(z):
    return where(np.real(z) > 0, z, 0) + np.log1p(np.exp(-absolute(z)))


def erf(z):
    """2/√π ∫ exp(-t²) dt from 0 to z; off the real line one term is enough for a complex step."""
    a = np.real(z)
    value = np.vectorize(math.erf, otypes=[float])(a)
    return value + 2j / math.sqrt(math.pi) * np.exp(-a * a) * np.imag(z) if np.iscomplexobj(z) else value


def sigmoid_prime(x):
    return sigmoid(x) * sigmoid(-x)


def mish_prime(x):
    t = np.tanh(softplus(x))
    return t + x * (1 - t * t) * sigmoid(x)


def gelu_prime(x):
    return (1 + erf(x / math.sqrt(2))) / 2 + x * np.exp(-x * x / 2) / math.sqrt(2 * math.pi)


def elu(z):
    return where(np.real(z) > 0, z, np.expm1(where(np.real(z) > 0, 0, z)))


ACTIVATIONS = {
    "identity": (lambda z: z, np.ones_like),
    "sigmoid": (sigmoid, sigmoid_prime),
    "tanh": (np.tanh, lambda x: 1 - np.tanh(x) ** 2),
    "relu": (lambda z: where(np.real(z) > 0, z, 0), lambda x: 1.0 * (np.real(x) > 0)),
    "leaky_relu": (lambda z: where(np.real(z) > 0, z, z / 100), lambda x: where(np.real(x) > 0, 1, 0.01)),
    "elu": (elu, lambda x: np.exp(where(np.real(x) > 0, 0, x))),
    "gelu": (lambda z: z * (1 + erf(z / math.sqrt(2))) / 2, gelu_prime),
    "silu": (lambda z: z * sigmoid(z), lambda x: sigmoid(x) + x * sigmoid_prime(x)),
    "softplus": (softplus, sigmoid),
    "mish": (lambda z: z * np.tanh(softplus(z)), mish_prime),
}
"""Each activation and its derivative, but for softmax."""

FORMULAS = {
    "x/(1+exp(-x))": (lambda z: z * sigmoid(z), lambda x: sigmoid(x) + x * sigmoid_prime(x)),
    "x^3/10": (lambda z: z**3 / 10, lambda x: 3 * x**2 / 10),
    "x/(1+abs(x))": (lambda z: z / (1 + absolute(z)), lambda x: 1 / (1 + absolute(x)) ** 2),
    "1/sqrt(1+x^2)": (lambda z: 1 / np.sqrt(1 + z * z), lambda x: -x / (1 + x * x) ** 1.5),
    "max(x, -x/4)": (lambda z: where(np.real(z) > 0, z, -z / 4), lambda x: where(np.real(x) > 0, 1, -0.25)),
    "min(max(x, -1), 1)": (lambda z: where(np.abs(np.real(z)) < 1, z, np.sign(np.real(z))),
                           lambda x: 1.0 * (np.abs(np.real(x)) < 1)),
    "x*min(max(x+3, 0), 6)/6": (
        lambda z: where(np.real(z) > 3, z, where(np.real(z) > -3, z * (z + 3) / 6, 0)),
        lambda x: where(np.real(x) > 3, 1, where(np.real(x) > -3, (2 * x + 3) / 6, 0))),
    "log(1+exp(2*x))/2": (lambda z: softplus(2 * z) / 2, lambda x: sigmoid(2 * x)),
    "exp(-x^2)": (lambda z: np.exp(-z * z), lambda x: -2 * x * np.exp(-x * x)),
    "sqrt(2)*pi*x/5": (lambda z: math.sqrt(2) * math.pi * z / 5,
                       lambda x: np.full_like(x, math.sqrt(2) * math.pi / 5)),
    "x^2/4 + x*erf(x)/2": (lambda z: z * z / 4 + z * erf(z) / 2,
                           lambda x: x / 2 + erf(x) / 2 + x * np.exp(-x * x) / math.sqrt(math.pi)),
    "sin(x) + cos(2*x)/3": (lambda z: np.sin(z) + np.cos(2 * z) / 3,
                            lambda x: np.cos(x) - 2 * np.sin(2 * x) / 3),
    "x*exp(-abs(x))": (lambda z: z * np.exp(-absolute(z)), lambda x: (1 - absolute(x)) * np.exp(-absolute(x))),
    "max(min(x^2, 1), x)": (
        lambda z: where(np.real(z) > 1, z, where(np.real(z) < -1, 1, where(np.real(z) >= 0, z, z * z))),
        lambda x: where(np.real(x) > 1, 1, where(np.real(x) < -1, 0, where(np.real(x) >= 0, 1, 2 * x)))),
}
"""Formulas that a user may type."""

ELEMENTWISE = {**ACTIVATIONS, **FORMULAS}


def softmax(z, axis):
    e = np.exp(z - np.max(np.real(z), axis=axis, keepdims=True))
    return e / np.sum(e, axis=axis, keepdims=True)


def total(z):
    """Sum over the entries of each matrix of a stack."""
    return np.sum(z, axis=(-2, -1))


# Losses: the sum over entries and samples, and its derivative by ŷ.

def huber(r):
    return where(np.abs(np.real(r)) <= 1, r * r / 2, absolute(r) - 0.5)


def huber_prime(r):
    return where(np.abs(np.real(r)) <= 1, r, np.sign(np.real(r)))


LOSSES = {
    "cross_entropy": (lambda Y, y: -total(Y * np.log(y)), lambda Y, y: -Y / y),
    "binary_cross_entropy": (lambda Y, y: -total(Y * np.log(y) + (1 - Y) * np.log(1 - y)),
                             lambda Y, y: -Y / y + (1 - Y) / (1 - y)),
    "mean_squared_error": (lambda Y, y: total((y - Y) ** 2), lambda Y, y: 2 * (y - Y)),
    "mean_absolute_error": (lambda Y, y: total(absolute(y - Y)), lambda Y, y: np.sign(np.real(y - Y))),
    "huber": (lambda Y, y: total(huber(y - Y)), lambda Y, y: huber_prime(y - Y)),
    "hinge": (lambda Y, y: total(where(np.real(Y * y) < 1, 1 - Y * y, 0)),
              lambda Y, y: where(np.real(Y * y) < 1, -Y, 0)),
}

OUTPUTS = {"cross_entropy": "softmax", "binary_cross_entropy": "sigmoid"}
"""The last activation that a loss asks for."""


@dataclass(frozen=True)
class MLP:
    """A multilayer perceptron: widths from the input on, and what each of its layers is."""

    widths: tuple[int, ...]
    activations: tuple[str, ...]
    loss: str
    samples: str = "columns"
    reduction: str = "sum"
    weight_decay: float = 0.0
    biases: tuple[bool, ...] = ()

    @property
    def depth(self):
        return len(self.activations)

    @property
    def columns(self):
        return self.samples == "columns"

    def bias(self, k):
        return self.biases[k - 1] if self.biases else True

    @property
    def compact(self):
        """The string that describes it to gradwright."""
        words = ",".join("true" if self.bias(k) else "false" for k in range(1, self.depth + 1))
        return (f"{'-'.join(map(str, self.widths))}:{','.join(self.activations)}?loss={self.loss}"
                f"&samples={self.samples}&reduction={self.reduction}&weight_decay={self.weight_decay}&bias={words}")

    @property
    def shapes(self):
        shapes = {}
        for k, (before, after) in enumerate(itertools.pairwise(self.widths), start=1):
            shapes[f"W{k}"] = (after, before) if self.columns else (before, after)
            if self.bias(k):
                shapes[f"b{k}"] = (after, 1) if self.columns else (1, after)
        return shapes

    @property
    def names(self):
        """The names of a trace, in the order of computation."""
        forward = [*[f"{letter}{k}" for k in range(1, self.depth + 1) for letter in "ah"][:-1], "y_hat"]
        forward += {"hinge": ["m"]}.get(self.loss, [] if self.loss in OUTPUTS else ["r"])
        forward += ["data_loss", "penalty", "loss"] if self.weight_decay else ["loss"]
        backward = []
        for k in range(self.depth, 0, -1):
            backward += [f"grad_h{k}"] if k < self.depth else []
            backward += [f"grad_a{k}", f"grad_W{k}"] + ([f"grad_b{k}"] if self.bias(k) else [])
        return forward + backward

    def draw(self, rng, samples):
        """Draw parameters, inputs and labels that fit the loss."""
        p = {name: rng.standard_normal(shape) for name, shape in self.shapes.items()}
        for k, fan_in in enumerate(self.widths[:-1], start=1):
            p[f"W{k}"] /= fan_in**0.5
        X = rng.standard_normal((self.widths[0], samples))
        units = self.widths[-1]
        Y = {
            "cross_entropy": lambda: rng.dirichlet(np.ones(units), samples).T,
            "binary_cross_entropy": lambda: rng.uniform(0, 1, (units, samples)),
            "hinge": lambda: rng.choice([-1.0, 1.0], (units, samples)),
        }.get(self.loss, lambda: rng.standard_normal((units, samples)))()
        return (p, X, Y) if self.columns else (p, X.T.copy(), Y.T.copy())

    def forward(self, p, X):
        """Return every a_k and h_k, h_0 = X included."""
        values = {"h0": X}
        for k, activation in enumerate(self.activations, start=1):
            W, h = p[f"W{k}"], values[f"h{k - 1}"]
            a = W @ h if self.columns else h @ W
            a = a + p[f"b{k}"] if self.bias(k) else a
            values[f"a{k}"] = a
            if activation == "softmax":
                values[f"h{k}"] = softmax(a, -2 if self.columns else -1)
            else:
                values[f"h{k}"] = ELEMENTWISE[activation][0](a)
        return values

    def total_loss(self, p, X, Y):
        y_hat = self.forward(p, X)[f"h{self.depth}"]
        data = LOSSES[self.loss][0](Y, y_hat)
        if self.reduction == "mean":
            data = data / X.shape[-1 if self.columns else -2]
        return data + self.weight_decay / 2 * sum(total(p[f"W{k}"] ** 2) for k in range(1, self.depth + 1))

    def gradients(self, p, X, Y):
        """Backpropagate by hand: the gradients by parameters, values and X."""
        values, N = self.forward(p, X), X.shape[1 if self.columns else 0]
        g, axis = {}, 0 if self.columns else 1
        grad_h = LOSSES[self.loss][1](Y, values[f"h{self.depth}"]) / (N if self.reduction == "mean" else 1)
        for k in range(self.depth, 0, -1):
            a, h, before = values[f"a{k}"], values[f"h{k}"], values[f"h{k - 1}"]
            if self.activations[k - 1] == "softmax":
                grad_a = h * (grad_h - np.sum(h * grad_h, axis=axis, keepdims=True))
            else:
                grad_a = grad_h * ELEMENTWISE[self.activations[k - 1]][1](a)
            g[f"a{k}"] = grad_a
            grad_W = grad_a @ before.T if self.columns else before.T @ grad_a
            g[f"W{k}"] = grad_W + self.weight_decay * p[f"W{k}"]
            if self.bias(k):
                g[f"b{k}"] = np.sum(grad_a, axis=1 - axis, keepdims=True)
            grad_h = p[f"W{k}"].T @ grad_a if self.columns else grad_a @ p[f"W{k}"].T
            g[f"h{k - 1}" if k > 1 else "X"] = grad_h
        return g

    def hessian_vector(self, p, X, Y, V):
        """Return the Hessian times V, by a complex step of the gradients by hand in the direction V."""
        gradients = self.gradients({name: value + 1j * STEP * V[name] for name, value in p.items()}, X, Y)
        return {name: np.imag(gradients[name]) / STEP for name in p}

    def complex_step(self, p, X, Y, name):
        """Return the gradient by a parameter or X, each entry by a complex step through the forward pass."""
        return np.imag(self._moved(p, X, Y, name, 1j * STEP)) / STEP

    def central_difference(self, p, X, Y, name, step=1e-6):
        return (self._moved(p, X, Y, name, step) - self._moved(p, X, Y, name, -step)) / (2 * step)

    def _moved(self, p, X, Y, name, step):
        """Return the losses with one entry moved at a time, in the shape of what is moved."""
        value = X if name == "X" else p[name]
        moved = value + step * np.eye(value.size).reshape(value.size, *value.shape)
        arguments = (p, moved) if name == "X" else ({**p, name: moved}, X)
        return np.broadcast_to(self.total_loss(*arguments, Y), value.size).reshape(value.shape)
