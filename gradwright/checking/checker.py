"""Checks a file: follows it, recognises its network, compares each line, and explains what is wrong."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any
from zipfile import BadZipFile, ZipFile, is_zipfile

import numpy as np

from gradwright.checking.assuming import with_assumptions
from gradwright.checking.bench import NOTHING, Bench
from gradwright.checking.findings import Check, Note
from gradwright.checking.interpreter import Interpreter
from gradwright.checking.nodes import Unreadable
from gradwright.checking.recognising import find_wirings
from gradwright.checking.reporting import report, together
from gradwright.checking.shrinking import shrunk
from gradwright.checking.source import Source
from gradwright.checking.wiring import NotRecognised
from symbolic.network import Network

LARGEST = 1 << 28
"""As many bytes are read of a file of arrays."""


@np.errstate(all="ignore")
def check_source(source: Source, network: Network | None = None, parameters: Mapping[str, np.ndarray] | None = None,
                 mapping: Mapping[str, str] | None = None) -> Check:
    """Return what is wrong with hand-written backpropagation.

    Args:
        source: The code.
        network: What it should compute; recognised where it is not given.
        parameters: Arrays for a file of parameters that the code loads and that is not there.
        mapping: Our names (``W1``, ``b1``, ``X``, ``Y``) by the code's, where they are not recognised.

    Raises:
        InputError: The mapping names what the code does not have, or the network is another than the code's.
    """
    files, hints = _files(source, parameters or {}), dict(mapping or {})
    own = Interpreter(source, files=files)
    own.run()
    smaller = shrunk(source, own)
    if smaller is not None:
        source, own = smaller, Interpreter(smaller, files=files)
        own.run()
    notes = (*source.notes, *own.notes)
    empty = Check(source.name, tuple(c.text for c in source.cells), source.notebook, notes=notes)
    try:
        wirings = find_wirings(own, hints)
    except NotRecognised as error:
        assumed = with_assumptions(source, files, own, network, hints)
        if assumed is None:
            bench = Bench(source, files, own, NOTHING, hints=hints)
            repaired = bench.repaired() if network is None else None
            if repaired is None:
                word = f"no network was recognised: {error}; --arch and --map can say what the code computes"
                return replace(empty, notes=(Note(None, word), *notes))
            return report(empty, bench, *repaired)
        source, own, wirings = assumed
        empty = replace(empty, notes=(*source.notes, *own.notes))
    meant = [w for w in wirings if network is not None and (w.widths, w.samples) == (network.widths, network.samples)]
    checks: list[Check] = []
    for wiring in meant[:1] or wirings:
        bench = Bench(source, files, own, wiring, hints=hints)
        found = report(empty, bench, *bench.best(network))
        if bench.wiring is not wiring and len(wirings) > 1:  # one edit makes one network of them
            return found
        checks.append(found)
    return together(checks)


def _files(source: Source, parameters: Mapping[str, np.ndarray]) -> Callable[[str], Any]:
    """Return what reads, once, an npy or npz file that the code loads, beside it; nothing else is opened."""
    @cache
    def read(name: str) -> Any:
        path = (source.folder or Path()) / name
        if not path.is_file():
            if parameters:
                return dict(parameters)
            raise Unreadable(f"the file {name} is not there; --params can give parameters")
        if path.stat().st_size > LARGEST:
            raise Unreadable(f"the file {name} is larger than 256 MB")
        try:
            if is_zipfile(path) and sum(i.file_size for i in ZipFile(path).infolist()) > LARGEST:
                raise Unreadable(f"the file {name} is larger than 256 MB")
            loaded = np.load(path, allow_pickle=False)
            return loaded if isinstance(loaded, np.ndarray) else {key: loaded[key] for key in loaded.files}
        except (ValueError, OSError, EOFError, KeyError, BadZipFile) as error:
            raise Unreadable(f"the file {name} holds no arrays: {error}") from error
    return read
