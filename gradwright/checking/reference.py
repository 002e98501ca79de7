"""What should stand there: the values of a network's derivation, in the layout of the code that is checked."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np
import sympy

from symbolic.build import build_program
from symbolic.derivation import Derivation
from symbolic.differentiation import differentiate
from symbolic.doors import derive
from symbolic.evaluate import run
from symbolic.formula import parse_formula
from symbolic.functions import FUNCTIONS, derivative, scalar_function
from symbolic.network import Network
from symbolic.scalar_values import scalar_value
from symbolic.verify import verify_derivation

CLOSE = 1e-7
"""Of the largest entry: closer values are equal. Random values leave no room for coincidences."""

REMEMBERED = 64
"""As many sets of values are remembered of a network."""


@dataclass(frozen=True)
class Scales:
    """By what the code's loss and gradients differ from those that are summed over all samples.

    Attributes:
        loss: Of the loss; 1/N for a mean, 1/2 where a half stands before a square.
        parameters: Of the gradients by parameters; equal to ``loss`` where they are those of the loss.
        values: Of the gradients by a_k and h_k. Where 1/N enters at the parameters only, these are sums.
    """

    loss: float = 1.0
    parameters: float = 1.0
    values: float = 1.0


class Reference:
    """The values of every quantity of a network."""

    def __init__(self, network: Network) -> None:
        self.network = network
        self.samples_axis = 1 if network.samples == "columns" else 0
        self._known: dict[tuple[bytes, ...], dict[str, Any]] = {}

    @cached_property
    def derivation(self) -> Derivation:
        """The derivation of the network as it is, with its reduction."""
        return derive(self.network)

    @cached_property
    def split(self) -> Derivation:
        """The derivation with sums, of which means are multiples, and with the gradient by ŷ, which people write."""
        n = self.network
        summed = Network(n.inputs, n.layers, n.loss, "sum", n.samples, n.weight_decay, n.name)
        program = replace(build_program(summed), through=frozenset())
        derivation = differentiate(program, wrt=[program.inputs[0]])
        return replace(derivation, verified=verify_derivation(derivation))

    def values(self, parameters: Mapping[str, np.ndarray], X: np.ndarray, Y: np.ndarray) -> dict[str, Any]:
        """Return the value of each quantity by our name, with sums over samples; gradients as ``grad_W1``.

        Besides the program's own there are the values that people give names to on the way: ``slope1`` for g'(a₁), the
        parts of a softmax and of a loss. The last ones are remembered: a file is run many times at the same values.
        """
        mark = tuple(np.ascontiguousarray(a).tobytes() for a in (X, Y, *parameters.values()))
        if mark not in self._known:
            if len(self._known) >= REMEMBERED:
                self._known.clear()
            self._known[mark] = self._values(parameters, X, Y)
        return self._known[mark]

    def _values(self, parameters: Mapping[str, np.ndarray], X: np.ndarray, Y: np.ndarray) -> dict[str, Any]:
        program = self.split.program
        given = {program.symbol(name): value for name, value in parameters.items()}
        given |= {program.symbol("X"): X, program.symbol("Y"): Y}
        samples = X.shape[self.samples_axis]
        known = run(program.equations, given, lambda d: int(d.subs(dict.fromkeys(d.free_symbols, samples)))
                    if isinstance(d, sympy.Expr) else int(d))
        found = {str(symbol.name): np.asarray(value) for symbol, value in known.items() if hasattr(symbol, "name")}
        return found | self._helpers(found)

    def _helpers(self, found: Mapping[str, Any]) -> dict[str, Any]:
        last, more = len(self.network.layers), {}
        for k, layer in enumerate(self.network.layers, start=1):
            if layer.activation != "softmax":
                more[f"slope{k}"] = slope(layer.activation, found[f"a{k}"])
        a, y_hat, Y = found[f"a{last}"], found["y_hat"], found["Y"]
        with np.errstate(all="ignore"):
            axis = 1 - self.samples_axis
            shifted = a - a.max(axis=axis, keepdims=True)
            more |= {"residual": y_hat - Y, "residual²": (y_hat - Y) ** 2, "log ŷ": np.log(y_hat),
                     "Y ⊙ log ŷ": Y * np.log(y_hat), "1 − ŷ": 1 - y_hat, "log(1 − ŷ)": np.log(1 - y_hat),
                     "1 − Y": 1 - Y, "(1 − Y) ⊙ log(1 − ŷ)": (1 - Y) * np.log(1 - y_hat),
                     "Y ⊙ log ŷ + (1 − Y) ⊙ log(1 − ŷ)": Y * np.log(y_hat) + (1 - Y) * np.log(1 - y_hat),
                     "exp(a)": np.exp(a), "a − max a": shifted, "exp(a − max a)": np.exp(shifted),
                     "Σ exp(a)": np.exp(a).sum(axis=axis, keepdims=True),
                     "Σ exp(a − max a)": np.exp(shifted).sum(axis=axis, keepdims=True),
                     "max a": a.max(axis=axis, keepdims=True), "−Y ⊘ ŷ": -Y / y_hat,
                     "Σ Y ⊙ log ŷ": (Y * np.log(y_hat)).sum(axis=axis, keepdims=True),
                     "log ŷ of the label": np.log((Y * y_hat).sum(axis=axis, keepdims=True)),
                     "−log ŷ of the label": -np.log((Y * y_hat).sum(axis=axis, keepdims=True)),
                     "−Y ⊙ log ŷ": -Y * np.log(y_hat), "Σ residual²": ((y_hat - Y) ** 2).sum(axis=axis, keepdims=True),
                     "−Σ Y ⊙ log ŷ": -(Y * np.log(y_hat)).sum(axis=axis, keepdims=True), "Y − ŷ": Y - y_hat,
                     "log Σ exp(a)": np.log(np.exp(a).sum(axis=axis, keepdims=True)),
                     "ŷ of the label": (Y * y_hat).sum(axis=axis, keepdims=True)}
            for k in range(1, last):
                h = found[f"h{k}"]
                more |= {f"1 − h{k}": 1 - h, f"h{k}²": h * h, f"−a{k}": -found[f"a{k}"],
                         f"exp(−a{k})": np.exp(-found[f"a{k}"])}
        return more


def activation_value(name: str, a: np.ndarray, axis: int = 0) -> np.ndarray:
    """Return the value of an activation; of softmax, along an axis."""
    if name == "softmax":
        with np.errstate(all="ignore"):
            e = np.exp(a - np.max(a, axis=axis, keepdims=True))
            return e / np.sum(e, axis=axis, keepdims=True)
    formula = FUNCTIONS[name].formula if name in FUNCTIONS else parse_formula(name)
    with np.errstate(all="ignore"):
        return np.asarray(scalar_value(formula, np.asarray(a, float)))


def slope(name: str, a: np.ndarray) -> np.ndarray:
    """Return the derivative of an elementwise activation at a."""
    function = scalar_function(name) if name in FUNCTIONS else scalar_function("g", parse_formula(name))
    formula = derivative(function)
    formula = formula.formula if hasattr(formula, "formula") else formula
    held = {str(s): s for s in formula.free_symbols}
    if "h" in held:
        formula = formula.subs(held["h"], function.formula)
    with np.errstate(all="ignore"):
        return np.asarray(scalar_value(formula, np.asarray(a, float))) + np.zeros(np.shape(a))


def close(value: Any, expected: np.ndarray) -> bool:
    """Say whether two values of equal shape agree."""
    value = np.asarray(value)
    if value.dtype.kind not in "fiub" or value.shape != expected.shape:
        return False
    if not value.size:
        return True
    value, expected = value.astype(float), np.asarray(expected, float)
    with np.errstate(all="ignore"):
        largest = np.max(np.abs(expected))
        if not np.isfinite(largest):
            return np.array_equal(value, expected, equal_nan=True)
        return bool(np.max(np.abs(value - expected)) <= CLOSE * max(largest, 1e-9))


def squeezed(shape: tuple[int, ...]) -> tuple[int, ...]:
    """Return a shape without its ones."""
    return tuple(n for n in shape if n != 1)


def compare(value: Any, expected: np.ndarray) -> str:
    """Return ``equal``, ``reshaped`` where only ones in the shape differ, or an empty text."""
    value = np.asarray(value)
    if close(value, expected):
        return "equal"
    if value.shape != expected.shape and squeezed(value.shape) == squeezed(expected.shape):
        return "reshaped" if close(value.reshape(expected.shape), expected) else ""
    return ""


def is_multiple(value: Any, expected: np.ndarray) -> bool:
    """Say whether a value is a multiple of another."""
    value = np.asarray(value)
    if value.shape != expected.shape or value.dtype.kind != "f" or not np.all(np.isfinite(value)):
        return False
    norm = float(np.sum(expected * expected))
    factor = float(np.sum(value * expected)) / norm if norm else 0.0
    return factor != 0 and close(value / factor, expected)
