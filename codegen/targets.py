"""The languages that a network can be written in: one entry each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from codegen.c.source import generate_c
from codegen.module import generate
from codegen.numba_target.module import generate_numba
from codegen.workspace.module import generate_workspace
from symbolic.derivation import Derivation
from symbolic.network import Network


@dataclass(frozen=True)
class Target:
    """An output language.

    Attributes:
        suffix: Of its files, after the network's name.
        generate: From a network and its verified derivation (made where None) to the text of a file.
        words: What it is for.
    """

    suffix: str
    generate: Callable[[Network, Derivation | None], str]
    words: str


TARGETS: dict[str, Target] = {
    "numpy": Target(".py", generate, "readable NumPy"),
    "numpy-workspace": Target("_workspace.py", generate_workspace, "NumPy that allocates nothing in a step"),
    "numba": Target("_numba.py", generate_numba, "NumPy with loops compiled by numba, for those without a C compiler"),
    "c": Target(".c", generate_c, "one C99 file for devices; gradwright build compiles a fast form of it"),
}
"""``gradwright generate --target`` writes these."""
