"""Where training stands: parameters, the optimizer's state and the place in the shuffled data, as an npz file."""

from __future__ import annotations

import os
from dataclasses import dataclass, field

import numpy as np

from codegen.npz import read_npz, write_npz
from codegen.training.optimizers import OPTIMIZERS
from codegen.weights import TRAINING, Mapping, match_parameters, show_shape
from symbolic.errors import InputError
from symbolic.network import Network

LARGEST = 2**53
"""Of the numbers in a checkpoint: JSON, in which they are shown, is exact up to here."""


@dataclass(frozen=True, eq=False)
class Checkpoint:
    """The parameters after a whole number of epochs, and all that the next epoch depends on.

    Attributes:
        parameters: Under our names.
        optimizer: Its name; "" where no optimizer has been at work.
        steps: Its updates.
        state: Its arrays, ``SLOT:PARAMETER``.
        epochs: The epochs so far; with the seed they tell the next order of the samples.
        seed: Of that order.
        batch_size: Samples of a full batch.
    """

    parameters: dict[str, np.ndarray]
    optimizer: str = ""
    steps: int = 0
    state: dict[str, np.ndarray] = field(default_factory=dict)
    epochs: int = 0
    seed: int = 0
    batch_size: int = 0

    def write(self, path: str | os.PathLike[str]) -> None:
        """Write the npz file, wholly or not at all; it can be read as one of parameters, too.

        Raises:
            InputError: It cannot be written.
        """
        counts = {"epochs": self.epochs, "seed": self.seed, "batch_size": self.batch_size,
                  f"{self.optimizer}:steps": self.steps}
        state = {f"{self.optimizer}:{name}": array for name, array in self.state.items()}
        progress = {name: np.array(value, np.int64) for name, value in counts.items()} | state
        write_npz(path, self.parameters | {TRAINING + name: array for name, array in progress.items()})


def read_checkpoint(network: Network, path: str | os.PathLike[str]) -> tuple[Checkpoint, list[Mapping]]:
    """Read what ``Checkpoint.write`` wrote, or a file of parameters alone by any naming that is recognised.

    Raises:
        InputError: The file cannot be used; the message names it.
    """
    arrays = read_npz(path)
    shapes = {name: (int(rows), int(columns)) for name, (rows, columns) in network.parameter_shapes().items()}
    try:
        parameters, mapping = match_parameters(arrays, shapes, network.samples)
        progress = {name.removeprefix(TRAINING): array for name, array in arrays.items() if name.startswith(TRAINING)}
        return _checkpoint(parameters, progress) if progress else Checkpoint(parameters), mapping
    except InputError as error:
        raise InputError(f"{path}: {error}") from error


def starts_anew(start: Checkpoint, optimizer: str, batch_size: int) -> str:
    """Say in words why the optimizer's state in a checkpoint is of no use; "" where it is, or there is none."""
    if not start.optimizer or (start.optimizer, start.batch_size) == (optimizer, batch_size):
        return ""
    return (f"written by {start.optimizer} with batches of {start.batch_size}, now {optimizer} with batches of "
            f"{batch_size}: the parameters are kept, the optimizer's state starts anew")


def _checkpoint(parameters: dict[str, np.ndarray], progress: dict[str, np.ndarray]) -> Checkpoint:
    """Check the arrays that begin with ``TRAINING``, whose names come without it."""
    optimizer = next((name for name in OPTIMIZERS if f"{name}:steps" in progress), "")
    counts = ["epochs", "seed", "batch_size", f"{optimizer or next(iter(OPTIMIZERS))}:steps"]
    state = {f"{slot}:{name}": parameter for slot in (OPTIMIZERS[optimizer].slots if optimizer else ())
             for name, parameter in parameters.items()}
    expected = [*counts, *(f"{optimizer}:{name}" for name in state)]
    for name in (*expected, *progress):
        if name not in progress or name not in expected:
            raise InputError(f"array {TRAINING + name!r} is {'unknown' if name in progress else 'missing'}; expected "
                             f"what training writes, or no name that begins with {TRAINING!r}: parameters alone")
    epochs, seed, batch_size, steps = (_count(name, progress[name]) for name in counts)
    return Checkpoint(parameters, optimizer, steps, {
        name: _state(f"{optimizer}:{name}", progress[f"{optimizer}:{name}"], parameter)
        for name, parameter in state.items()}, epochs, seed, batch_size)


def _count(name: str, array: np.ndarray) -> int:
    if array.shape != () or array.dtype.kind not in "iu" or not 0 <= int(array) <= LARGEST:
        came = array if array.shape == () else f"an array of shape {show_shape(array.shape)}"
        raise InputError(f"array {TRAINING + name!r}: expected one whole number from 0 to {LARGEST}, came {came}")
    return int(array)


def _state(name: str, array: np.ndarray, parameter: np.ndarray) -> np.ndarray:
    if array.shape != parameter.shape:
        raise InputError(f"array {TRAINING + name!r} is {show_shape(array.shape)}, "
                         f"expected {show_shape(parameter.shape)} as its parameter")
    return array
