"""Run a generated module on parameters and data."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np

from codegen.data import Data, read_data
from codegen.npz import read_npz
from codegen.weights import Mapping, match_parameters
from symbolic.errors import InputError
from symbolic.losses import LOSSES
from symbolic.network import Network


@dataclass(frozen=True)
class Evaluation:
    """What a module says of parameters and data.

    Attributes:
        parameters: The number of parameters.
        values: Every named value, forward and backward, in order.
        loss: The loss.
        updated_loss: The loss after one step of gradient descent.
        updated_y_hat: The output after it.
    """

    parameters: int
    values: dict[str, Any]
    loss: float
    updated_loss: float
    updated_y_hat: Any

    def as_data(self) -> dict[str, Any]:
        """Return it as dicts, lists and numbers; None stands for what is not finite, which JSON lacks."""
        return {
            "parameters": self.parameters,
            "values": {name: _finite(np.asarray(value).tolist()) for name, value in self.values.items()},
            "loss": _finite(self.loss),
            "updated": {"loss": _finite(self.updated_loss), "y_hat": _finite(self.updated_y_hat.tolist())},
        }


def _finite(value: Any) -> Any:
    if isinstance(value, list):
        return [_finite(v) for v in value]
    return value if np.isfinite(value) else None


def evaluate_module(module: ModuleType, parameters: dict[str, Any], X: Any, Y: Any,
                    learning_rate: float = 1.0) -> Evaluation:
    """Evaluate the module, and once more after one update.

    Raises:
        InputError: The module refuses the values.
    """
    try:
        with np.errstate(all="ignore"):  # what overflows is shown as such
            values = module.trace(parameters, X, Y)
            loss, gradients = module.loss_and_gradients(parameters, X, Y)
            if not np.isfinite(loss):
                raise InputError(f"the loss is {loss} at these values: the network is not defined there, or overflows")
            updated = module.update(parameters, gradients, learning_rate)
            return Evaluation(sum(np.size(p) for p in parameters.values()), values, loss,
                              module.loss(updated, X, Y), module.forward(updated, X))
    except InputError:
        raise
    except (ValueError, TypeError) as error:
        raise InputError(str(error)) from error


def read_parameters(network: Network, path: str | Path) -> tuple[dict[str, Any], list[Mapping]]:
    """Read a network's parameters from an npz file, by any naming that is recognised.

    Raises:
        InputError: The file cannot be used; the message names it.
    """
    arrays = read_npz(path)
    return _named(path, lambda: match_parameters(arrays, _shapes(network), network.samples))


def read_samples(network: Network, path: str | Path) -> Data:
    """Read inputs and labels from an npz file.

    Raises:
        InputError: The file cannot be used; the message names it.
    """
    arrays = read_npz(path)
    inputs, outputs = int(network.inputs), int(network.widths[-1])
    return _named(path, lambda: read_data(arrays, inputs, outputs, network.samples, LOSSES[network.loss].labels))


def random_samples(network: Network, seed: int, count: int = 5) -> Data:
    """Return random inputs and fitting labels, for a check without data."""
    rng = np.random.default_rng(seed)
    inputs, outputs = int(network.inputs), int(network.widths[-1])
    X = rng.standard_normal((inputs, count))
    kind = LOSSES[network.loss].labels
    Y = rng.standard_normal((outputs, count))
    if kind == "distribution":
        Y = np.eye(outputs)[:, rng.integers(0, outputs, count)]
    elif kind in ("probability", "signs"):
        Y = (Y > 0).astype(float) if kind == "probability" else np.where(Y > 0, 1.0, -1.0)
    if network.samples == "rows":
        X, Y = X.T, Y.T
    return Data(X, Y, (f"{count} random samples, seed {seed}",))


def _shapes(network: Network) -> dict[str, tuple[int, int]]:
    return {name: (int(rows), int(columns)) for name, (rows, columns) in network.parameter_shapes().items()}


def _named(path: str | Path, read: Any) -> Any:
    try:
        return read()
    except InputError as error:
        raise InputError(f"{path}: {error}") from error
