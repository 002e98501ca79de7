"""Minibatches, shuffled anew each epoch."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np


def shuffled(count: int, seed: int, epoch: int) -> np.ndarray:
    """Return the order of the samples in an epoch.

    It follows from the seed and the epoch's number alone, so that training goes on from a file
    as if it had never stopped.
    """
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(epoch,))).permutation(count)


class Batches:
    """Batches of samples, gathered into the same C-contiguous arrays again and again.

    Attributes:
        samples: The number of samples.
        steps: The batches of an epoch, the last of which may be smaller.
    """

    def __init__(self, X: np.ndarray, Y: np.ndarray, axis: int, size: int) -> None:
        self._X, self._Y, self._axis, self._size = X, Y, axis, size
        self.samples = X.shape[axis]
        self.steps = -(-self.samples // size)
        self._buffers = {n: (_like(X, axis, n), _like(Y, axis, n)) for n in {size, self.samples % size} - {0}}

    def epoch(self, seed: int, epoch: int) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Yield the X and Y of each batch; the next one overwrites them."""
        order = shuffled(self.samples, seed, epoch)
        for start in range(0, self.samples, self._size):
            chosen = order[start:start + self._size]
            X, Y = self._buffers[chosen.size]
            # The default mode gathers into another array first.
            np.take(self._X, chosen, axis=self._axis, out=X, mode="clip")
            np.take(self._Y, chosen, axis=self._axis, out=Y, mode="clip")
            yield X, Y


def _like(array: np.ndarray, axis: int, size: int) -> np.ndarray:
    shape = (array.shape[0], size) if axis == 1 else (size, array.shape[1])
    return np.empty(shape, array.dtype)
