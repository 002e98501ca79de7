"""What is found of a network before its functions are looked at: its parameters, inputs and labels."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Leaf:
    """A parameter, the inputs or the labels, as the code has them.

    Attributes:
        ours: Our name: ``W1``, ``b1``, ``X`` or ``Y``.
        event: The assignment that gives the code's value.
        path: The code's name.
        transposed: Whether the code has the transpose of ours.
        shape: The shape in the code.
        classes: Whether labels are class numbers.
    """

    ours: str
    event: int
    path: str
    transposed: bool
    shape: tuple[int, ...]
    classes: bool = False


@dataclass(frozen=True)
class Wiring:
    """What was found of a network before its functions are looked at.

    Attributes:
        samples: ``columns`` or ``rows``.
        widths: Inputs, then the units of each layer.
        leaves: Parameters, in the order W1, b1, W2, …; then inputs and labels, several where samples come singly.
        words: What was taken for granted, in sentences.
        foreign: The assignments that give the parameters of other networks in the same file.
    """

    samples: str
    widths: tuple[int, ...]
    leaves: tuple[Leaf, ...]
    words: tuple[str, ...] = ()
    foreign: frozenset[int] = frozenset()

    @property
    def parameters(self) -> tuple[Leaf, ...]:
        """The parameters."""
        return tuple(leaf for leaf in self.leaves if leaf.ours not in ("X", "Y"))

    @property
    def count(self) -> int:
        """The number of samples: of the first inputs, or of all of them where samples come singly."""
        axis = 1 if self.samples == "columns" else 0
        counts = [1 if len(leaf.shape) < 2 else leaf.shape[axis ^ int(leaf.transposed)]
                  for leaf in self.leaves if leaf.ours == "X"]
        return counts[0] if counts and counts[0] > 1 else sum(counts)

    def biased(self, k: int) -> bool:
        """Say whether a layer has a bias."""
        return any(leaf.ours == f"b{k}" for leaf in self.leaves)


class NotRecognised(Exception):
    """No network was found; the message says what was looked for."""
