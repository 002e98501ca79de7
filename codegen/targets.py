"""The languages that a network can be written in: one entry each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from codegen.module import generate
from symbolic.derivation import Derivation
from symbolic.network import Network


@dataclass(frozen=True)
class Target:
    """An output language.

    Attributes:
        suffix: Of its files.
        generate: From a network and its verified derivation (made where None) to the text of a file.
    """

    suffix: str
    generate: Callable[[Network, Derivation | None], str]


TARGETS: dict[str, Target] = {"numpy": Target(".py", generate)}
