"""What is found of an assignment, and how a wrong one is made right."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from gradwright.checking.naming import Key
from gradwright.checking.nodes import Node
from gradwright.checking.objects import Event
from gradwright.checking.reference import squeezed


@dataclass(frozen=True)
class Fix:
    """How a wrong value is made right.

    Attributes:
        ours: Our name of what it should be; or
        expression: the expression that should stand there.
        wrong: How it differs: ``value``, ``shape`` or ``raises``.
    """

    ours: str = ""
    expression: str = ""
    wrong: str = "value"


@dataclass(eq=False)
class Judgement:
    """What was found of an event.

    Attributes:
        event: The event.
        ours: Our name of its value; empty where none was found.
        verdict: ``right``, ``reshaped``, ``wrong`` or ``unknown``.
        expected: The right value, of a wrong one.
        named: Whether the name, or the use, says what it should be.
        rate: Of an update, by how much of the gradient it goes down; None for others.
        detail: Of a wrong update, what is wrong with it.
        plain: Of an update, whether a number that stands in it is the rate.
        operands: Of a value that could not be computed, those of the names in its expression.
    """

    event: Event
    ours: str = ""
    verdict: str = "unknown"
    expected: np.ndarray | None = None
    named: bool = False
    rate: float | None = None
    detail: str = ""
    plain: bool = True
    operands: tuple[Node, ...] = ()


@dataclass(eq=False)
class Learned:
    """What names meant in a run, for the next one: only then is it certain that a name means one thing.

    Attributes:
        keys: Our names by the object and the letters and number of the code's.
        paths: Our names by the code's whole names.
        own: Our names by letters and number, of what is computed there and not only named again.
        decays: By how much of a weight matrix its gradient is larger, where the code decays weights.
        penalty: λ of the term λ/2 Σ‖W‖² in the loss; 0 where it has none.
        penalised: The names of losses with that term.
        holders: Dicts and the like in which parameters are handed on, under their names.
    """

    keys: dict[tuple[int, Key], set[str]] = field(default_factory=dict)
    paths: dict[str, set[str]] = field(default_factory=dict)
    own: dict[Key, set[str]] = field(default_factory=dict)
    decays: dict[str, float] = field(default_factory=dict)
    penalty: float = 0.0
    penalised: set[str] = field(default_factory=set)
    holders: set[str] = field(default_factory=set)


def squeezed_equal(one: tuple[int, ...], other: tuple[int, ...]) -> bool:
    """Say whether two shapes differ by ones at most."""
    return squeezed(one) == squeezed(other)


def is_main(name: str) -> bool:
    """Say whether a quantity is one of the network's, and not a step on the way to one."""
    return name.startswith("grad_") or name in ("y_hat", "loss", "r") or name[1:].isdigit()
