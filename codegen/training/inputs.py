"""What training starts with, checked before the first step."""

from __future__ import annotations

import math
from typing import Any

import numpy as np

from codegen.data import Data, read_data
from codegen.npz import as_floating
from codegen.training.accuracy import sample_axis
from codegen.training.checkpoint import LARGEST, Checkpoint, starts_anew
from codegen.training.optimizers import OPTIMIZERS, Optimizer
from codegen.weights import show_shape
from symbolic.errors import InputError
from symbolic.losses import LOSSES
from symbolic.network import Network

CHUNK = 4096
"""Samples of the training set that are looked at together before it begins."""


def check_settings(epochs: int, batch_size: int, learning_rate: float, optimizer: str, seed: int | None) -> None:
    """Refuse settings that no training can have.

    Raises:
        InputError: One is out of its range; the message names it.
    """
    for name, value, least in (("epochs", epochs, 1), ("batch size", batch_size, 1), ("seed", seed or 0, 0)):
        if isinstance(value, bool) or not isinstance(value, int | np.integer) or not least <= value <= LARGEST:
            raise InputError(f"expected a whole number from {least} to {LARGEST} as {name}, got {value!r}")
    if not (math.isfinite(learning_rate) and learning_rate > 0):
        raise InputError(f"expected a finite learning rate above 0, got {learning_rate:g}; 0.01 is a start")
    if optimizer not in OPTIMIZERS:
        raise InputError(f"unknown optimizer {optimizer!r}; expected {', '.join(OPTIMIZERS)}")


def as_samples(network: Network, X: Any, Y: Any) -> Data:
    """Return samples and labels as matrices, from all that a data file may hold.

    Raises:
        InputError: They do not fit the network.
    """
    arrays = {"X": np.asarray(X), "y": np.asarray(Y)}
    inputs, outputs = int(network.inputs), int(network.widths[-1])
    return read_data(arrays, inputs, outputs, network.samples, LOSSES[network.loss].labels)


def first_parameters(module: Any, start: Checkpoint | None, seed: int, dtype: np.dtype) -> dict[str, np.ndarray]:
    """Return copies of a checkpoint's parameters in the one dtype that holds them all, or random ones in ``dtype``.

    Raises:
        InputError: They are not those of the module.
    """
    if start is None:
        return {name: np.array(p, dtype, order="C") for name, p in module.initialize(seed).items()}
    if start.parameters.keys() != module.PARAMETERS.keys():
        raise InputError(f"expected the parameters {', '.join(module.PARAMETERS)}, "
                         f"got {', '.join(start.parameters) or 'none'}")
    floating = {name: as_floating(name, np.asarray(start.parameters[name]))[0] for name in module.PARAMETERS}
    for name, array in floating.items():
        _check_shape(name, array, module.PARAMETERS[name])
    widest = np.result_type(*floating.values())
    return {name: array.astype(widest, order="C", copy=False) for name, array in floating.items()}


def first_optimizer(name: str, parameters: dict[str, np.ndarray], learning_rate: float, batch_size: int,
                    start: Checkpoint | None) -> Optimizer:
    """Return the optimizer, with its state in the checkpoint where that is of use.

    Raises:
        InputError: The state does not fit the parameters.
    """
    optimizer = OPTIMIZERS[name](parameters, learning_rate)
    if start is None or not start.optimizer or starts_anew(start, name, batch_size):
        return optimizer
    if start.state.keys() != optimizer.state.keys():
        raise InputError(f"expected the state {', '.join(optimizer.state) or 'of nothing'} of {name}, "
                         f"got {', '.join(start.state) or 'none'}")
    for key, array in optimizer.state.items():
        _check_shape(key, start.state[key], array.shape)
        array[...] = start.state[key]
    optimizer.steps = start.steps
    return optimizer


def check_loss(network: Network, module: Any, parameters: dict[str, np.ndarray], data: Data, where: str) -> float:
    """Return the loss per sample before training; all labels are checked on the way, and ``where`` begins a refusal.

    Raises:
        InputError: The module refuses the values, or the loss is not finite.
    """
    axis, total = sample_axis(network), 0.0
    samples = data.X.shape[axis]
    try:
        for start in range(0, samples, CHUNK):
            part = (slice(None),) * axis + (slice(start, start + CHUNK),)
            total += total_loss(network, module.loss(parameters, data.X[part], data.Y[part]), data.X[part])
    except (ValueError, TypeError) as error:
        raise InputError(f"{where}{error}") from error
    if not math.isfinite(total):
        raise InputError(f"{where}the loss is {total} before the first step: the network is not defined there, or "
                         "overflows; scale the data or start with smaller parameters")
    return total / samples


def total_loss(network: Network, loss: float, X: np.ndarray) -> float:
    """Return the sum over samples of a loss that the network may reduce to a mean."""
    return loss * X.shape[sample_axis(network)] if network.reduction == "mean" else loss


def _check_shape(name: str, array: np.ndarray, shape: tuple[int, ...]) -> None:
    if array.shape != shape:
        raise InputError(f"{name} is {show_shape(array.shape)}, expected {show_shape(shape)}")
