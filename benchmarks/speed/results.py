"""What a run found, as plain data that goes into a file and back."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class Cell:
    """One contender on one workload.

    Attributes:
        nanoseconds: For a call, in its best sample; None where it was left out.
        error: The largest relative difference from the reference.
        samples: How many were taken.
        word: Why it was left out.
    """

    workload: str
    dtype: str
    threads: int
    peer: str
    nanoseconds: float | None = None
    error: float | None = None
    samples: int = 0
    word: str = ""


@dataclass(frozen=True)
class Cost:
    """What a target costs before its first result, in seconds, each in a process of its own.

    Attributes:
        load: From the network to a module that can be called: deriving, generating, compiling.
        first: The first call, which may compile, too.
        again: Both in a second process, which finds what the first one cached.
        imported: Of the generated module by itself, with the libraries that it imports.
        word: Why there is none.
    """

    workload: str
    target: str
    derive: float | None = None
    generate: float | None = None
    load: float | None = None
    first: float | None = None
    again: float | None = None
    imported: float | None = None
    word: str = ""


@dataclass(frozen=True)
class Results:
    """A run."""

    machine: dict[str, str]
    versions: dict[str, str]
    cells: tuple[Cell, ...]
    costs: tuple[Cost, ...] = ()
    imports: dict[str, float] = dataclasses.field(default_factory=dict)
    rounds: str = ""

    def cell(self, workload: str, peer: str, dtype: str = "float64", threads: int = 1) -> Cell | None:
        """Return what was found of a contender, or None where it was not asked for."""
        key = (workload, peer, dtype, threads)
        return next((c for c in self.cells if (c.workload, c.peer, c.dtype, c.threads) == key), None)

    def time(self, workload: str, peer: str, dtype: str = "float64", threads: int = 1) -> float | None:
        """Return a contender's nanoseconds, or None."""
        found = self.cell(workload, peer, dtype, threads)
        return found.nanoseconds if found else None

    def groups(self) -> list[tuple[int, str]]:
        """Return the numbers of threads and dtypes that were measured, in order."""
        return list(dict.fromkeys((c.threads, c.dtype) for c in self.cells))

    def write(self, path: Path) -> None:
        """Write a JSON file."""
        path.write_text(json.dumps(dataclasses.asdict(self), indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def read(path: Path) -> Results:
    """Return the results that a JSON file holds."""
    data: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    data["cells"] = _rows(Cell, data["cells"])
    data["costs"] = _rows(Cost, data["costs"])
    return Results(**data)


def _rows(kind: type, rows: Iterable[dict[str, Any]]) -> tuple[Any, ...]:
    return tuple(kind(**row) for row in rows)
