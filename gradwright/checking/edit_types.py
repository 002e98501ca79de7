"""What the generator of edits is given, and what it yields."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Scope:
    """What an expression can see.

    Attributes:
        arrays: The shape of each array or number in scope, by how it is written there: ``h1``, ``W[2]``,
            ``grads['dW1']``, ``self.W1``, ``cache["h"][1]``.
        ours: Our name of those that are known: ``h1``, ``a2``, ``W3``, ``grad_a3``, ``X``, ``Y``, ``y_hat``, ``N``.
        functions: The user's functions of one argument whose meaning is known, by name: ``sigmoid`` for one that
            computes an activation of a_k, ``sigmoid'`` for its derivative as a function of a_k, ``sigmoid' of h`` for
            its derivative as a function of h_k.
        activations: The activation of each layer, from 1.
        samples_axis: The axis along which samples lie: 1 for columns, 0 for rows.
        samples: How many samples there are.
        target: Our name of what the expression should compute, such as ``grad_a2``; empty where it is not known.
        numpy: How NumPy is called, such as ``np``.
        constants: Numbers that stand somewhere in the code, as they are written, such as ``0.01``.
        missing: Names that the expression reads and that are not defined.
        entries: Entries with computed indices that stand in other lines of the same loop, such as ``h[k - 1]``.
    """

    arrays: Mapping[str, tuple[int, ...]]
    ours: Mapping[str, str] = field(default_factory=dict)
    functions: Mapping[str, str] = field(default_factory=dict)
    activations: Mapping[int, str] = field(default_factory=dict)
    samples_axis: int = 1
    samples: int = 1
    target: str = ""
    numpy: str = "np"
    constants: tuple[str, ...] = ()
    entries: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    missing: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Edit:
    """An expression after one small edit.

    Attributes:
        source: The whole expression as text, in the author's style.
        kind: The kind of mistake that the edit undoes, a key of `findings.KINDS`.
        sentence: What was wrong, such as "``gradient_w3`` stands where ``gradient_a3`` belongs".
        column: Where in the expression's text the edited part begins.
        end: Where it ends.
    """

    source: str
    kind: str
    sentence: str
    column: int
    end: int
