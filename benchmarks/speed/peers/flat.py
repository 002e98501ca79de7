"""Parameters and gradients as one vector each, for peers that are called with flat buffers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from benchmarks.speed.workloads import Problem


def vectors(problem: Problem) -> tuple[np.ndarray, np.ndarray]:
    """Return the parameters W1, b1, W2, … as one vector, and a place for the gradients."""
    parameters = np.concatenate([array.ravel() for array in problem.parameters.values()])
    return parameters, np.empty_like(parameters)


def split(problem: Problem, vector: np.ndarray) -> dict[str, np.ndarray]:
    """Return the parts of a vector by the names of the parameters."""
    parts, at = {}, 0
    for name, array in problem.parameters.items():
        parts[name], at = vector[at:at + array.size].reshape(array.shape), at + array.size
    return parts
