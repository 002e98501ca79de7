"""What training comes to."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from codegen.training.checkpoint import Checkpoint


@dataclass(frozen=True)
class Epoch:
    """What one epoch came to. Every loss is per sample, also where the network's sums over them.

    Attributes:
        epoch: Its number, from 1; it goes on where a checkpoint ended.
        loss: The mean over the epoch's batches, each before its update.
        accuracy: The share of right answers in them; None where labels are no classes.
        validation_loss: Of the validation set, after the epoch; None without one.
        validation_accuracy: Likewise.
        samples_per_second: Of training, without the validation.
    """

    epoch: int
    loss: float
    accuracy: float | None
    validation_loss: float | None
    validation_accuracy: float | None
    samples_per_second: float


@dataclass(frozen=True, eq=False)
class Training:
    """What training came to.

    Attributes:
        parameters: After the last epoch.
        history: One row an epoch.
        checkpoint: From which to go on.
    """

    parameters: dict[str, np.ndarray]
    history: tuple[Epoch, ...]
    checkpoint: Checkpoint


class DivergenceError(ArithmeticError):
    """Training that cannot go on, since something is not finite.

    Attributes:
        epoch: In which it stopped; the one before was the last whole one.
        step: The batch of that epoch, from 1.
        last_loss: The last finite loss per sample.
    """

    def __init__(self, what: str, epoch: int, step: int, last_loss: float, learning_rate: float) -> None:
        super().__init__(f"{what} in epoch {epoch}, step {step}; the last finite loss was {last_loss:.6g}; "
                         f"lower the learning rate, {learning_rate:g} now, or scale the data to about 1")
        self.epoch, self.step, self.last_loss = epoch, step, last_loss
