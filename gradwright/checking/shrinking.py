"""Smaller sizes for large data: random values stand for it at any rate, so that as many samples tell no more."""

from __future__ import annotations

import ast
from dataclasses import replace

import numpy as np

from gradwright.checking.findings import Note
from gradwright.checking.interpreter import Interpreter
from gradwright.checking.source import Source

LARGE = 200_000
"""Arrays of more entries are made smaller."""

SIZE, FEW = 5_000, 200
"""Numbers from this one on are sizes; the largest becomes at most the other."""


def shrunk(source: Source, run: Interpreter) -> Source | None:
    """Return a file whose large numbers are read as smaller ones, all by the same factor, so that sums still hold.

    Args:
        source: The code.
        run: Of it as it is.

    Returns:
        The file; None where its arrays are not large, or no number of it says so.
    """
    refused = any(note.message.endswith(" entries") for note in run.notes)
    if not refused and all(np.size(n.value) <= LARGE for n in run.tape.nodes if n.op != "load"):
        return None
    found = {n.value for cell in source.cells for n in ast.walk(cell.tree)
             if isinstance(n, ast.Constant) and type(n.value) is int and n.value >= SIZE}
    factor = 1
    while found and max(found) > FEW * factor:
        factor *= 10
    if not found:
        return None
    sizes = {n: -(-n // factor) for n in sorted(found)}
    said = ", ".join(f"{n} as {small}" for n, small in sizes.items())
    return replace(source, sizes=sizes, notes=(*source.notes, Note(
        None, f"random values stand for large data, so sizes are read as smaller ones: {said}")))

