"""``gradwright check``, and the same for pytest and notebooks."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from codegen.npz import read_npz
from gradwright.checking.checker import check_source
from gradwright.checking.executing import execute
from gradwright.checking.findings import Check, Finding, Note
from gradwright.checking.rendering import RENDERINGS
from gradwright.checking.rendering.text import coloured
from gradwright.checking.source import Source, read_source, source_of
from gradwright.exits import CHECK_FAILED
from gradwright.output import console, write
from symbolic.architecture import read_architecture
from symbolic.errors import InputError


def check_file(file: str, arch: str | None, params: str | None, mapping: Sequence[str], run: bool, form: str,
               output: str) -> None:
    """Check a notebook or a script, show what was found, and exit with 1 where something is wrong."""
    source = read_source(Path(file))
    found = _checked(source, arch, params, dict(map(_pair, mapping)))
    if found.network is None:
        raise InputError(f"{file}: {found.notes[0].message}")
    if run:
        found = _with_values(found, source)
    if form == "text" and output == "-" and sys.stdout.isatty():
        out = console()
        out.print(coloured(found, out.width))
    else:
        write(RENDERINGS[form](found), output)
    if found.errors:
        raise SystemExit(CHECK_FAILED)


def check(path_or_source: str | Path, arch: str | None = None, params: str | Path | None = None,
          mapping: Mapping[str, str] | None = None) -> tuple[Finding, ...]:
    """Return what is wrong with hand-written backpropagation; nothing of it is executed.

    For a test: ``assert not [f for f in gradwright.check("model.py") if f.severity == "error"]``.

    Args:
        path_or_source: A notebook, a script, or code as a text of more than one line.
        arch: The architecture that the code should compute; recognised by default.
        params: An npz file, for code that loads parameters from one that is not there.
        mapping: Our names (``W1``, ``b1``, ``X``, ``Y``) by the code's, where they are not recognised.

    Returns:
        The findings in the order of the source: ``kind``, ``message``, ``correction``, ``severity``, ``place``, ….

    Raises:
        InputError: The file cannot be read, or no network was recognised in it.
    """
    if not isinstance(path_or_source, (str, Path)):
        raise InputError(f"expected a path or code as a text, got {type(path_or_source).__name__}")
    is_code = isinstance(path_or_source, str) and (
        "\n" in path_or_source or not path_or_source.endswith((".py", ".ipynb")))
    source = source_of(str(path_or_source)) if is_code else read_source(Path(path_or_source))
    found = _checked(source, arch, None if params is None else str(params), mapping or {})
    if found.network is None:
        raise InputError(f"{source.name}: {found.notes[0].message}")
    return found.findings


def _checked(source: Source, arch: str | None, params: str | None, mapping: Mapping[str, str]) -> Check:
    arrays: dict[str, np.ndarray] = dict(read_npz(Path(params))) if params is not None else {}
    network = read_architecture(arch) if arch is not None else None
    for theirs, ours in mapping.items():
        if not re.fullmatch(r"X|Y|[Wb][1-9]\d*", ours):
            raise InputError(f"--map: expected X, Y or a parameter such as W1 or b2 for {theirs}, got {ours!r}")
    found = check_source(source, network=network, parameters=arrays, mapping=mapping)
    missing = [name for name in mapping if not any(name == line.target for line in found.lines)]
    if found.lines and missing:
        raise InputError(f"--map: the code assigns nothing to {missing[0]!r}")
    return found


def _pair(text: str) -> tuple[str, str]:
    theirs, equals, ours = text.rpartition("=")
    if not (equals and theirs.strip() and ours.strip()):
        raise InputError(f"--map: expected theirs=ours, as w1=W1, got {text!r}")
    return theirs.strip(), ours.strip()


def _with_values(found: Check, source: Source) -> Check:
    """Return the check with the numbers that the code itself computes, run as a process of its own."""
    executed = execute(source)
    numbers = []
    for number in found.numbers:
        value = executed.at.get((number.place.cell, number.place.line, number.target))
        known = value is not None and value.number is not None
        numbers.append(replace(number, theirs=value.number) if known and value is not None else number)
    said = Note(None, f"--execute: {executed.stopped or 'it ran to its end'}")
    return replace(found, numbers=tuple(numbers), notes=(*found.notes, said))
