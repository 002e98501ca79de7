"""Write the quiz's parameters.npz and data.npz beside this file, the same bytes each time.

Run it from anywhere in an environment in which gradwright is installed:
``python examples/quiz/make_data.py``.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

from codegen.npz import write_npz


def make_parameters() -> dict[str, np.ndarray]:
    """Draw W1, b1, W2, b2, W3, b3 as the quiz's notebook did: weights 3×3, biases 3×1, float64."""
    # numpy.random.seed(0) followed by numpy.random.rand, without the global state. The order counts.
    draw = np.random.RandomState(0).rand
    parameters = {}
    for k in (1, 2, 3):
        parameters[f"W{k}"] = draw(3, 3)
        parameters[f"b{k}"] = draw(3, 1)
    return parameters


def make_data() -> dict[str, np.ndarray]:
    """Give the one sample: X and the one-hot y, both 3×1, float64."""
    return {"X": np.array([[1.0], [0.0], [1.0]]), "y": np.array([[0.0], [0.0], [1.0]])}


def write(directory: Path) -> None:
    """Write both files into a directory."""
    write_npz(directory / "parameters.npz", make_parameters())
    write_npz(directory / "data.npz", make_data())


if __name__ == "__main__":
    write(Path(__file__).parent)
