"""A feed-forward network: what a user chooses, validated, and nothing derived from it yet."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import groupby

import sympy

from symbolic.displayed import Displayed
from symbolic.errors import InputError
from symbolic.losses import LOSSES
from symbolic.messages import shown
from symbolic.network_values import (
    LONGEST_NAME,
    Width,
    activation,
    activation_names,
    decay,
    known_name,
    module_name,
    width,
    width_symbol,
)

__all__ = ["Layer", "Network", "activation_names", "width_symbol"]

MOST_LAYERS = 10_000
REDUCTIONS, SAMPLES = ("sum", "mean"), ("columns", "rows")
DEFAULT_LOSSES = {"softmax": "cross_entropy", "sigmoid": "binary_cross_entropy"}


@dataclass(frozen=True)
class Layer:
    """One layer, h = f(W h + b).

    Attributes:
        units: Its width, a whole number or a symbol of `width_symbol`.
        activation: A name of `activation_names`, or a formula in x.
        bias: Whether it has the summand b.

    Raises:
        InputError: A value is not one of these.
    """

    units: Width
    activation: str = "identity"
    bias: bool = True

    def __post_init__(self) -> None:
        """Validate the values and bring them to one form."""
        object.__setattr__(self, "units", width("units", self.units))
        object.__setattr__(self, "activation", activation(self.activation))
        if not isinstance(self.bias, bool):
            raise InputError(f"bias: expected true or false, came {shown(self.bias)}")
        if self.activation == "softmax" and self.units == 1:
            raise InputError("activation: softmax of one unit is always 1; use sigmoid, or more units")


@dataclass(frozen=True)
class Network(Displayed):
    """A network, its loss, and the conventions in which it is to be written.

    Attributes:
        inputs: The number of features, a whole number or a symbol of `width_symbol`.
        layers: The layers from the input to the output; any sequence is accepted.
        loss: A name of `symbolic.losses.LOSSES`. When empty (or None) it is chosen by the last
            activation: cross-entropy of softmax, binary cross-entropy of sigmoid, else mean squared error.
        reduction: "sum" or "mean" over the samples.
        samples: "columns" (X is features × N) or "rows" (X is N × features).
        weight_decay: The factor λ of λ/2 ‖W‖², per weight matrix; zero for none.
        name: The name of the generated module; derived from the widths when empty.

    Raises:
        InputError: A value is not one of these, or two do not go together.
    """

    inputs: Width
    layers: tuple[Layer, ...]
    loss: str = ""
    reduction: str = "sum"
    samples: str = "columns"
    weight_decay: float = 0.0
    name: str = ""

    def __post_init__(self) -> None:
        """Validate the values, bring them to one form, and fill in what was left to the network."""
        def settle(field: str, value: object) -> None:
            object.__setattr__(self, field, value)

        settle("inputs", width("inputs", self.inputs))
        settle("layers", _layers(self.layers))
        chosen = default_loss(self.layers) if self.loss in (None, "") else self.loss
        settle("loss", known_name("loss", chosen, LOSSES))
        settle("reduction", known_name("reduction", self.reduction, REDUCTIONS))
        settle("samples", known_name("samples", self.samples, SAMPLES))
        last, needed = self.layers[-1].activation, LOSSES[self.loss].output
        if needed is not None and last != needed:
            raise InputError(f"loss {self.loss!r} needs {needed!r} as the last activation, came {last!r}; "
                             "change one of them")
        settle("weight_decay", decay(self.weight_decay))
        settle("name", default_name(self.widths) if self.name == "" else module_name(self.name))

    @cached_property
    def widths(self) -> tuple[Width, ...]:
        """The inputs, then the units of each layer."""
        return (self.inputs, *(layer.units for layer in self.layers))

    @property
    def symbolic(self) -> bool:
        """Whether a width is a symbol, so that formulas can be derived but no code generated."""
        return any(isinstance(units, sympy.Symbol) for units in self.widths)

    def parameter_shapes(self) -> dict[str, tuple[Width, Width]]:
        """Return the shape of each parameter, in the order W1, b1, W2, b2, …, without absent biases.

        With samples as columns W_k is units × inputs of its layer and b_k a column; as rows, transposed.
        """
        shapes: dict[str, tuple[Width, Width]] = {}
        for k, layer in enumerate(self.layers, start=1):
            before, after = self.widths[k - 1], layer.units
            shapes[f"W{k}"] = (after, before) if self.samples == "columns" else (before, after)
            if layer.bias:
                shapes[f"b{k}"] = (after, 1) if self.samples == "columns" else (1, after)
        return shapes

    @property
    def parameter_count(self) -> int | sympy.Expr:
        """The number of scalars in all parameters, an expression where widths are symbols."""
        sizes = [rows * columns for rows, columns in self.parameter_shapes().values()]
        return sympy.Add(*sizes) if self.symbolic else sum(sizes)


def default_loss(layers: Sequence[Layer]) -> str:
    """Return the loss that goes with the last activation."""
    return DEFAULT_LOSSES.get(layers[-1].activation, "mean_squared_error")


def width_runs(widths: Iterable[Width]) -> list[str]:
    """Return widths as text, runs of four or more as ``64x50``; the inputs, first, stand alone."""
    first, *rest = widths
    texts = [str(first)]
    for units, group in groupby(rest):
        count = len(list(group))
        texts += [f"{units}x{count}"] if count >= 4 and isinstance(units, int) else [str(units)] * count
    return texts


def default_name(widths: Iterable[Width]) -> str:
    """Return the name of a network that has none, such as net_3_3_3_3 or net_784_64x50_10."""
    texts = width_runs(widths)
    name = "_".join(["net", *texts])
    if len(name) <= LONGEST_NAME:
        return name
    return f"net_{len(texts)}_widths_{hashlib.sha256(name.encode()).hexdigest()[:8]}"


def _layers(value: object) -> tuple[Layer, ...]:
    layers = tuple(value) if isinstance(value, Iterable) else (value,)
    if not layers or not all(isinstance(layer, Layer) for layer in layers):
        raise InputError(f"layers: expected a sequence of at least one Layer, came {shown(value)}")
    if len(layers) > MOST_LAYERS:
        raise InputError(f"layers: expected at most {MOST_LAYERS}, came {len(layers)}")
    return layers
