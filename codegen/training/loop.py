"""The epochs of a training."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from typing import Any, final

import numpy as np

from codegen.data import Data
from codegen.training.accuracy import answers, sample_axis
from codegen.training.batches import Batches
from codegen.training.inputs import check_loss, total_loss
from codegen.training.modules import Stepper
from codegen.training.optimizers import Optimizer
from codegen.training.results import DivergenceError, Epoch
from symbolic.network import Network

OnStep = Callable[[int, float], None]


@final
class Loop:
    """The epochs of one training, over parameters and an optimizer that it changes in place.

    Raises:
        InputError: The module refuses the values, or the loss is not finite before the first step.
    """

    def __init__(self, network: Network, module: Any, parameters: dict[str, np.ndarray], rule: Optimizer,
                 data: Data, held_out: Data | None, batch_size: int) -> None:
        axis, dtype = sample_axis(network), next(iter(parameters.values())).dtype
        self._network, self._module, self._parameters, self._rule = network, module, parameters, rule
        data = _cast(data, dtype)
        self._held_out = _cast(held_out, dtype) if held_out is not None else None
        self._last_loss = check_loss(network, module, parameters, data, "")
        if self._held_out is not None:
            check_loss(network, module, parameters, self._held_out, "validation set: ")
        self._batches = Batches(data.X, data.Y, axis, batch_size)
        self._stepper = Stepper(module, rule, axis, dtype)
        self._answers = answers(network, data.Y)

    def epoch(self, seed: int, number: int, on_step: OnStep | None) -> Epoch:
        """Take every sample once.

        Raises:
            DivergenceError: The loss, a parameter or the optimizer's state is not finite.
        """
        begun, total, right = time.perf_counter(), 0.0, 0
        for step, (X, Y) in enumerate(self._batches.epoch(seed, number), start=1):
            if self._answers is not None:
                y_hat, loss = self._stepper.output_and_step(self._parameters, X, Y)
                right += self._answers.right(y_hat, Y)
            else:
                loss = self._stepper.step(self._parameters, X, Y)
            loss = total_loss(self._network, loss, X)
            if not math.isfinite(loss):
                raise self._diverged(f"the loss became {loss}", number, step)
            total += loss
            size = X.shape[sample_axis(self._network)]
            self._last_loss = loss / size
            if on_step is not None:
                on_step(size, self._last_loss)
        # The last update has had no loss yet that would show it.
        for name, array in (*self._parameters.items(), *self._rule.state.items()):
            if not np.all(np.isfinite(array)):
                raise self._diverged(f"{name} is no longer finite", number, self._batches.steps)
        samples = self._batches.samples
        speed = samples / (time.perf_counter() - begun)
        accuracy = right / self._answers.total if self._answers is not None else None
        return Epoch(number, total / samples, accuracy, *self._validated(), speed)

    def _validated(self) -> tuple[float | None, float | None]:
        """Return the loss per sample and the accuracy on the validation set."""
        if self._held_out is None:
            return None, None
        X, Y = self._held_out.X, self._held_out.Y
        loss = total_loss(self._network, self._module.loss(self._parameters, X, Y), X)
        loss /= X.shape[sample_axis(self._network)]
        labels = answers(self._network, Y)
        if labels is None:
            return loss, None
        return loss, labels.right(self._module.forward(self._parameters, X), Y) / labels.total

    def _diverged(self, what: str, epoch: int, step: int) -> DivergenceError:
        return DivergenceError(what, epoch, step, self._last_loss, self._rule.learning_rate)


def _cast(data: Data, dtype: np.dtype) -> Data:
    """Bring samples to the dtype of the parameters, so that a batch is gathered without another conversion."""
    return Data(np.ascontiguousarray(data.X, dtype), np.ascontiguousarray(data.Y, dtype), data.notes)
