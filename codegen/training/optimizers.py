"""Update rules: in place, and without allocation once they are made."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import ClassVar, final

import numpy as np

Arrays = Mapping[str, np.ndarray]


class Optimizer(ABC):
    """One update rule, with its state for each parameter.

    Attributes:
        name: As a user writes it.
        slots: The arrays of state that each parameter has.
        learning_rate: The ε or α of the source.
        steps: The updates so far.
        state: ``SLOT:PARAMETER`` → array of the parameter's shape and dtype, zeros at first.
    """

    name: ClassVar[str]
    slots: ClassVar[tuple[str, ...]] = ()

    def __init__(self, parameters: Arrays, learning_rate: float) -> None:
        self.learning_rate = learning_rate
        self.steps = 0
        self.state = {f"{slot}:{name}": np.zeros_like(p) for slot in self.slots for name, p in parameters.items()}
        largest = max(parameters.values(), key=np.size)
        flat = np.empty(largest.size, largest.dtype)
        # Views into one array: the parameters are updated one after the other.
        self._scratch = {name: flat[:p.size].reshape(p.shape) for name, p in parameters.items()}

    def update(self, parameters: Arrays, gradients: Arrays) -> None:
        """Change the parameters and the state by one step; the gradients stay as they are."""
        self.steps += 1
        for name, parameter in parameters.items():
            self._update(name, parameter, gradients[name], self._scratch[name])

    @abstractmethod
    def _update(self, name: str, parameter: np.ndarray, gradient: np.ndarray, scratch: np.ndarray) -> None:
        """Change one parameter in place; ``scratch`` has its shape and any content."""


@final
class Sgd(Optimizer):
    """θ ← θ − ε g (Goodfellow et al., Algorithm 8.1)."""

    name = "sgd"

    def _update(self, name: str, parameter: np.ndarray, gradient: np.ndarray, scratch: np.ndarray) -> None:
        np.multiply(gradient, self.learning_rate, out=scratch)
        np.subtract(parameter, scratch, out=parameter)


@final
class Momentum(Optimizer):
    """v ← α v − ε g, θ ← θ + v with α = 0.9 (Goodfellow et al., Algorithm 8.2).

    The learning rate is in the velocity: after it is changed, old gradients keep the rate that they came with.
    """

    name = "momentum"
    slots = ("v",)
    alpha = 0.9

    def _update(self, name: str, parameter: np.ndarray, gradient: np.ndarray, scratch: np.ndarray) -> None:
        velocity = self.state["v:" + name]
        np.multiply(velocity, self.alpha, out=velocity)
        np.multiply(gradient, self.learning_rate, out=scratch)
        np.subtract(velocity, scratch, out=velocity)
        np.add(parameter, velocity, out=parameter)


@final
class Adam(Optimizer):
    """θ ← θ − α m̂ / (√v̂ + ε) with moments corrected for their bias (Kingma, Ba 2015, Algorithm 1)."""

    name = "adam"
    slots = ("m", "v")
    beta1, beta2, epsilon = 0.9, 0.999, 1e-8

    def _update(self, name: str, parameter: np.ndarray, gradient: np.ndarray, scratch: np.ndarray) -> None:
        first, second = self.state["m:" + name], self.state["v:" + name]
        np.multiply(first, self.beta1, out=first)
        np.multiply(gradient, 1 - self.beta1, out=scratch)
        np.add(first, scratch, out=first)
        np.multiply(second, self.beta2, out=second)
        np.multiply(gradient, gradient, out=scratch)
        np.multiply(scratch, 1 - self.beta2, out=scratch)
        np.add(second, scratch, out=second)
        np.divide(second, 1 - self.beta2**self.steps, out=scratch)
        np.sqrt(scratch, out=scratch)
        np.add(scratch, self.epsilon, out=scratch)
        np.divide(first, scratch, out=scratch)
        np.multiply(scratch, self.learning_rate / (1 - self.beta1**self.steps), out=scratch)
        np.subtract(parameter, scratch, out=parameter)


OPTIMIZERS: dict[str, type[Optimizer]] = {kind.name: kind for kind in (Sgd, Momentum, Adam)}
"""One row an update rule."""
