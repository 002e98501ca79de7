"""What is computed: one row a workload, and its data."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from benchmarks.speed import reference

DTYPES = ("float64", "float32")
STEPS = 3
"""Steps of training after which the parameters are compared."""


@dataclass(frozen=True)
class Workload:
    """A row of the benchmark.

    Attributes:
        name: By which the command knows it.
        title: For a reader.
        kind: The method of a peer that does it.
        architecture: In the compact form; samples are columns.
        batch: The number of samples.
    """

    name: str
    title: str
    kind: str
    architecture: str
    batch: int


_MLP = "784-128-64-10:relu,relu,softmax?reduction=mean"

WORKLOADS = {w.name: w for w in (
    Workload("tiny", "3-3-3-3, one sample", "gradients", "3-3-3-3:sigmoid,sigmoid,softmax", 1),
    Workload("mlp-64", "784-128-64-10, batch 64", "gradients", _MLP, 64),
    Workload("mlp-256", "784-128-64-10, batch 256", "gradients", _MLP, 256),
    Workload("wide", "1024-1024-1024-1024-10, batch 256", "gradients",
             "1024-1024x3-10:relu*3,softmax?reduction=mean", 256),
    Workload("deep", "50 layers of 64 tanh, batch 32", "gradients", "64-64x50-10:tanh*50,softmax", 32),
    Workload("hessian", "Hessian, logistic 1000 × 200", "hessian", "200-1:sigmoid?bias=false", 1000),
    Workload("hvp", "Hessian–vector, 784-128-64-10, b. 64", "hessian_vector", _MLP, 64),
    Workload("sgd", "SGD step, 784-128-64-10, b. 64", "training", _MLP, 64),
)}

WHAT = {
    "gradients": "the loss and its gradients by all parameters",
    "hessian": "the full matrix of second derivatives by the weights",
    "hessian_vector": "the Hessian by all parameters, applied to a direction",
    "training": "loss, gradients and update of all parameters, the same batch each time",
}


@dataclass(frozen=True)
class Problem:
    """A workload with its numbers, in one dtype. Peers copy what they change.

    Attributes:
        scale: Of the loss: 1, or one over the number of samples.
        direction: Of the Hessian–vector product.
    """

    workload: Workload
    dtype: str
    widths: tuple[int, ...]
    activations: tuple[str, ...]
    scale: float
    learning_rate: float
    parameters: dict[str, np.ndarray]
    X: np.ndarray
    Y: np.ndarray
    direction: dict[str, np.ndarray]

    @cached_property
    def expected(self) -> dict[str, np.ndarray]:
        """The values of the float64 reference, of these same numbers."""
        return getattr(reference, self.workload.kind)(self)

    def copied(self) -> dict[str, np.ndarray]:
        """Return parameters that may be changed."""
        return {name: value.copy() for name, value in self.parameters.items()}


def make_problem(workload: Workload, dtype: str) -> Problem:
    """Draw the data of a workload: normal inputs, one-hot labels, weights of variance gain / fan-in."""
    widths, activations, settings = _parts(workload.architecture)
    rng, classes, parameters, direction = np.random.default_rng(0), widths[-1], {}, {}
    for k, (before, after) in enumerate(itertools.pairwise(widths), start=1):
        gain = 2 if activations[k - 1] == "relu" else 1
        parameters[f"W{k}"] = (gain / before) ** 0.5 * rng.standard_normal((after, before))
        if "bias=false" not in settings:
            parameters[f"b{k}"] = 0.1 * rng.standard_normal((after, 1))
    direction = {name: 0.1 * rng.standard_normal(value.shape) for name, value in parameters.items()}
    X = rng.standard_normal((widths[0], workload.batch))
    labels = rng.integers(max(2, classes), size=workload.batch)
    Y = labels[None, :] if classes == 1 else np.eye(classes)[:, labels]
    _keep_off_kinks(parameters, activations, X)
    parameters, direction, (X, Y) = (
        {name: np.ascontiguousarray(value, dtype) for name, value in parameters.items()},
        {name: np.ascontiguousarray(value, dtype) for name, value in direction.items()},
        (np.ascontiguousarray(value, dtype) for value in (X, Y)))
    scale = 1 / workload.batch if "reduction=mean" in settings else 1.0
    return Problem(workload, dtype, widths, activations, scale, 0.1, parameters, X, Y, direction)


def _keep_off_kinks(parameters: dict[str, np.ndarray], activations: tuple[str, ...], X: np.ndarray) -> None:
    """Move the biases before relu so that no sample is near its kink.

    There it is rounding that decides whether a whole gradient counts, and two right programs disagree.
    """
    h = X
    for k in range(1, activations.count("relu") + 1):
        a = np.sort(parameters[f"W{k}"] @ h + parameters[f"b{k}"], axis=1)
        middle, gap = (a[:, 1:] + a[:, :-1]) / 2, np.diff(a, axis=1)
        best = np.argmax(np.where(abs(middle) < 1, gap, 0), axis=1)[:, None]
        parameters[f"b{k}"] -= np.take_along_axis(middle, best, axis=1)
        h = np.maximum(parameters[f"W{k}"] @ h + parameters[f"b{k}"], 0)


def _parts(architecture: str) -> tuple[tuple[int, ...], tuple[str, ...], str]:
    """Return widths, activations and settings: a small reader of its own, so that peers need nothing of the project."""
    head, _, rest = architecture.partition(":")
    names, _, settings = rest.partition("?")
    widths = (int(width) for part in head.split("-") for width in _repeated(part, "x"))
    return tuple(widths), tuple(a for part in names.split(",") for a in _repeated(part, "*")), settings


def _repeated(part: str, sign: str) -> list[str]:
    item, found, count = part.partition(sign)
    return [item] * int(count) if found and count.isdigit() else [part]
