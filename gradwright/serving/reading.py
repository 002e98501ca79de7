"""What the page shows while one types: names with their shapes, layers with theirs, and where an error is."""

from __future__ import annotations

import base64
import os
import re
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any
from zipfile import BadZipFile

import numpy as np
from sympy import Expr

from symbolic.architecture import parse_compact, parse_toml
from symbolic.errors import InputError
from symbolic.formats.data import dimensions
from symbolic.language.reading import Reading
from symbolic.network import Network
from symbolic.printing import LatexPrinter
from symbolic.terms import is_matrix


class _Nowhere(type(Path())):  # type: ignore[misc]
    """A folder in which nothing lies; not even an absolute path leads out of it."""

    def __truediv__(self, key: object) -> Path:
        return self


NOWHERE = _Nowhere(f"{os.devnull}/nowhere")
_POINTED = re.compile(r" at (?:line (\d+), )?character (\d+) of '")


class PlacedError(InputError):
    """An error of which the line and the character are known, both counted from 1."""

    def __init__(self, message: str, place: dict[str, int]) -> None:
        super().__init__(message)
        self.place = place


@contextmanager
def expression_place(text: str) -> Iterator[None]:
    """Add to an error its place in the text, which the message names."""
    try:
        yield
    except InputError as error:
        found = _POINTED.search(str(error))
        if found is None:
            raise
        first = len(text) - len(text.lstrip())
        line = int(found[1]) if found[1] else text.count("\n", 0, first) + 1
        raise PlacedError(str(error), {"line": line, "character": int(found[2])}) from error


def reading_table(reading: Reading) -> dict[str, Any]:
    """Return the inputs and equations of a reading, each with its shape."""
    latex = LatexPrinter()
    result = reading.program.result
    used = reading.program.inputs
    return {
        "inputs": [{"name": name, "shape": _shape(symbol), "properties": list(reading.properties.get(name, ())),
                    "latex": latex.show(symbol)} for name, symbol in reading.symbols.items() if symbol in used],
        "equations": [{"name": e.name, "shape": _shape(e.symbol), "latex": latex.equation(e)}
                      for e in reading.program.equations],
        "result": {"shape": _shape(result), "scalar": not is_matrix(result), "latex": latex.show(result)},
    }


def _shape(symbol: Expr) -> list[int | str]:
    """Return rows and columns; nothing of a scalar."""
    return dimensions(symbol) if is_matrix(symbol) else []


def network_of(text: str) -> Network:
    """Return the network of a TOML document or a compact string; never a file's, whatever it looks like."""
    line = text.strip()
    if "\n" in line or re.match(r"[\w-]*\s*=|\[|#|$", line):  # a key, a table, a comment, or nothing
        return parse_toml(text)
    return parse_compact(line)


def network_table(network: Network) -> dict[str, Any]:
    """Return the fields of a network, and a row for each layer with its parameters."""
    shapes = network.parameter_shapes()
    rows = []
    for k, layer in enumerate(network.layers, start=1):
        own = {name: [_size(d) for d in shapes[name]] for name in (f"W{k}", f"b{k}") if name in shapes}
        rows.append({"units": _size(layer.units), "activation": layer.activation, "bias": layer.bias,
                     "parameters": own})
    return {"name": network.name, "inputs": _size(network.inputs), "layers": rows, "loss": network.loss,
            "reduction": network.reduction, "samples": network.samples, "weight_decay": network.weight_decay,
            "parameters": _size(network.parameter_count), "symbolic": network.symbolic}


def _size(width: Any) -> int | str:
    return width if isinstance(width, int) else str(width)


def source_of_code(text: str, name: str) -> Any:
    """Return the source of a notebook, where the name ends so, or of a script.

    It lies in no folder, so that an array's file which the code would load is not found on this machine.
    """
    from gradwright.checking import source as reading

    if name.lower().endswith(reading.NOTEBOOKS):
        return reading.source_of_notebook(text.encode("utf-8", "replace"), name, NOWHERE)
    return replace(reading.source_of(text, name), folder=NOWHERE)


def arrays_of(text: str) -> dict[str, Any]:
    """Return the arrays of an npz file in Base64; none of an empty text.

    Raises:
        InputError: It is none.
    """
    if not text:
        return {}
    try:
        content = base64.b64decode(text, validate=True)
        with np.load(BytesIO(content), allow_pickle=False) as file:
            return {name: file[name] for name in file.files}
    except (ValueError, OSError, EOFError, KeyError, AttributeError, TypeError, NotImplementedError, BadZipFile,
            zlib.error) as error:
        raise InputError(f"parameters: expected an npz file in Base64, {str(error)[:120]}") from None
