"""A reading of the code: its network and its conventions."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property, lru_cache

from gradwright.checking.reference import Reference, Scales
from gradwright.checking.wiring import Wiring
from symbolic.network import Layer, Network

SUMMED = Scales()


@dataclass(frozen=True)
class Setting:
    """A reading of the code: its network, its conventions.

    Attributes:
        wiring: Parameters, inputs and labels.
        network: The network.
        scales: Of loss and gradients.
        rate: The learning rate; None where it is to be found.
        after: Names such as ``dh1`` or ``dy_hat`` that mean the gradient by a_k, which comes after that by h_k.
    """

    wiring: Wiring
    network: Network
    scales: Scales = SUMMED
    rate: float | None = None
    after: frozenset[str] = frozenset()

    @cached_property
    def reference(self) -> Reference:
        """The values of the network's quantities."""
        return reference_of(self.network)

    @property
    def samples(self) -> int:
        """How many samples the code has."""
        return self.wiring.count


@lru_cache(maxsize=64)
def reference_of(network: Network) -> Reference:
    """Return the values of a network's quantities; derived once."""
    return Reference(network)


def network_of(wiring: Wiring, activations: tuple[str, ...], loss: str, reduction: str) -> Network:
    """Return the network of a wiring and these functions."""
    layers = [Layer(units, name, wiring.biased(k))
              for k, (units, name) in enumerate(zip(wiring.widths[1:], activations, strict=True), start=1)]
    return Network(wiring.widths[0], tuple(layers), loss, reduction, wiring.samples)
