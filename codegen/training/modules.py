"""A target's module as the trainer calls it."""

from __future__ import annotations

from typing import Any, final

import numpy as np

from codegen.training.optimizers import Optimizer, Sgd


@final
class Stepper:
    """One step of training after another.

    A module offers ``PARAMETERS``, ``initialize``, ``forward``, ``loss`` and ``loss_and_gradients``. One that
    has a class ``Workspace(samples, dtype)`` is called by it: ``forward(parameters, X)``,
    ``loss_and_gradients(parameters, X, Y)``, whose arrays the next call overwrites, and
    ``step(parameters, X, Y, learning_rate)``, a step of gradient descent in place. There is a workspace for
    the full batches and another for the smaller last one.

    Where answers are counted, a module's ``trace`` returns the output along with the gradients, and a
    workspace's ``forward`` writes it into a buffer that ``step`` leaves alone.
    """

    def __init__(self, module: Any, optimizer: Optimizer, axis: int, dtype: np.dtype) -> None:
        self._module, self._optimizer, self._axis, self._dtype = module, optimizer, axis, dtype
        self._workspaces: dict[int, Any] = {}

    def output_and_step(self, parameters: dict[str, np.ndarray], X: np.ndarray, Y: np.ndarray) -> tuple[Any, float]:
        """Do as ``step`` does, and return the output before the update, too."""
        performer = self._performer(X.shape[self._axis])
        if performer is self._module:
            values = performer.trace(parameters, X, Y)
            self._optimizer.update(parameters, {name: values["grad_" + name] for name in parameters})
            return values["y_hat"], float(values["loss"])
        return performer.forward(parameters, X), self.step(parameters, X, Y)

    def step(self, parameters: dict[str, np.ndarray], X: np.ndarray, Y: np.ndarray) -> float:
        """Update the parameters in place, and return the loss before."""
        performer = self._performer(X.shape[self._axis])
        if isinstance(self._optimizer, Sgd) and performer is not self._module:
            self._optimizer.steps += 1
            return float(performer.step(parameters, X, Y, self._optimizer.learning_rate))
        loss, gradients = performer.loss_and_gradients(parameters, X, Y)
        self._optimizer.update(parameters, gradients)
        return float(loss)

    def _performer(self, samples: int) -> Any:
        if not hasattr(self._module, "Workspace"):
            return self._module
        if samples not in self._workspaces:
            self._workspaces[samples] = self._module.Workspace(samples, dtype=self._dtype)
        return self._workspaces[samples]
