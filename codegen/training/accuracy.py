"""How many answers are right, where the labels are classes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import final

import numpy as np

from symbolic.losses import LOSSES
from symbolic.network import Network


def sample_axis(network: Network) -> int:
    """Return the axis of X and Y that counts samples."""
    return 1 if network.samples == "columns" else 0


@final
@dataclass(frozen=True)
class Answers:
    """What counts right answers in outputs.

    Attributes:
        classes: The axis of ŷ over which the likeliest class is the answer; None where each entry is one, at 0.5.
        total: The answers in all the labels.
    """

    classes: int | None
    total: int

    def right(self, y_hat: np.ndarray, Y: np.ndarray) -> int:
        """Return the number of right answers in ŷ."""
        if self.classes is None:
            return int(np.count_nonzero((y_hat > 0.5) == (Y > 0.5)))
        return int(np.count_nonzero(np.argmax(y_hat, self.classes) == np.argmax(Y, self.classes)))


def answers(network: Network, Y: np.ndarray) -> Answers | None:
    """Return what counts the right answers to labels; None where they are no classes.

    Cross-entropy has one answer a sample, binary cross-entropy one for each output of a sample.
    """
    kind, axis = LOSSES[network.loss].labels, sample_axis(network)
    if kind not in ("distribution", "probability") or not np.all((Y == 0) | (Y == 1)):
        return None
    return Answers(1 - axis, Y.shape[axis]) if kind == "distribution" else Answers(None, Y.size)
