"""Weights under the names and in the layout of other libraries, mapped to ours."""

from __future__ import annotations

import math
import re
from collections.abc import Collection
from dataclasses import dataclass

import numpy as np

from codegen.npz import as_floating
from symbolic.errors import InputError


@dataclass(frozen=True)
class Scheme:
    """How one library names and lays out the parameters of dense layers.

    Attributes:
        title: The library.
        weight: Regular expression of a weight's whole name; its group is the layer.
        bias: The same for a bias.
        examples: The names in a first layer, for messages.
        out_first: Whether a weight is (out, in); None where it follows ``samples``
            as ours does, biases included. Elsewhere a bias is (out,).
        start: The number of the first layer where layers are numbered without gaps;
            None where only the order of the numbers counts.
        unnumbered: What to append to a component of a layer's path that ends in no number.
    """

    title: str
    weight: str
    bias: str
    examples: tuple[str, str]
    out_first: bool | None
    start: int | None = None
    unnumbered: str = ""

    def is_transposed(self, samples: str) -> bool:
        """Tell whether this scheme's weights are ours transposed."""
        return self.out_first is not None and self.out_first != (samples == "columns")


_NUMBER = "([0-9]{1,9})"

SCHEMES = (
    Scheme("gradwright", f"[Ww]_?{_NUMBER}", f"b_?{_NUMBER}", ("W1", "b1"), out_first=None, start=1),
    Scheme("PyTorch", r"(.+)\.weight", r"(.+)\.bias", ("0.weight", "0.bias"), out_first=True),
    Scheme("scikit-learn", f"coefs_{_NUMBER}", f"intercepts_{_NUMBER}", ("coefs_0", "intercepts_0"),
           out_first=False, start=0),
    Scheme("Keras", "(.+)/kernel(?::0)?", "(.+)/bias(?::0)?", ("dense/kernel", "dense/bias"),
           out_first=False, unnumbered="_0"),
)
"""One row a library. No name may match two rows."""

TRAINING = "training:"
"""How the names begin of what `codegen.training` writes beside parameters; no library's names begin so."""


@dataclass(frozen=True)
class Mapping:
    """One array of a file, the parameter that it became, and what was done to it ("" if nothing)."""

    theirs: str
    ours: str
    change: str


def match_parameters(
    arrays: dict[str, np.ndarray], shapes: dict[str, tuple[int, int]], samples: str,
) -> tuple[dict[str, np.ndarray], list[Mapping]]:
    """Turn a file's arrays into the parameters of a network, by their names alone.

    A shape never decides what an array is: a square weight tells nothing.

    Args:
        arrays: A file's arrays under the names of one of ``SCHEMES``; those of ``TRAINING`` are passed over.
        shapes: The network's parameters in order, W1, b1, W2, …; a layer may lack its b.
            With samples "columns" W_k is units_k × units_{k-1} and b_k units_k × 1,
            with "rows" the transposes.
        samples: "columns" or "rows".

    Returns:
        The parameters as float32 or float64, in the order and of the shapes of
        ``shapes``, and where each came from.

    Raises:
        InputError: An unknown name, two schemes, a parameter missing or too many, a
            layer order that the names do not tell, a wrong shape, anything but numbers.
    """
    if samples not in ("columns", "rows"):
        raise InputError(f'samples is {samples!r}, expected "columns" or "rows"')
    arrays = {name: array for name, array in arrays.items() if not name.startswith(TRAINING)}
    scheme = _recognise(arrays)
    sources = _assign(scheme, arrays, shapes)
    parameters, mappings = {}, []
    for ours, shape in shapes.items():
        theirs = sources[ours]
        parameters[ours], change = _convert(scheme, theirs, arrays[theirs], ours, shape, samples)
        mappings.append(Mapping(theirs, ours, change))
    return parameters, mappings


def _recognise(names: Collection[str]) -> Scheme:
    """Find the one scheme that all names follow."""
    found: dict[Scheme, str] = {}
    for name in names:
        fitting = [scheme for scheme in SCHEMES if _parse(scheme, name)]
        if not fitting:
            known = "; ".join(f"{', '.join(scheme.examples)} ({scheme.title})" for scheme in SCHEMES)
            raise InputError(f"unknown array {name!r}; expected names such as {known}; "
                             f"the file has {_list(names)}")
        found.setdefault(fitting[0], name)
    if len(found) > 1:
        mixed = " and ".join(f"{name!r} ({scheme.title})" for scheme, name in found.items())
        raise InputError(f"mixes the names of {mixed}; expected one scheme: rename them; "
                         f"the file has {_list(names)}")
    if not found:
        raise InputError("no arrays, expected the parameters of a network, such as W1 and b1")
    return next(iter(found))


def _parse(scheme: Scheme, name: str) -> tuple[str, str] | None:
    """Split a name into "W" or "b" and the layer, or give None if it is not of this scheme."""
    for letter, pattern in (("W", scheme.weight), ("b", scheme.bias)):
        if match := re.fullmatch(pattern, name):
            return letter, match[1]
    return None


def _assign(scheme: Scheme, names: Collection[str], shapes: Collection[str]) -> dict[str, str]:
    """Give each of our parameters the name that stands for it in the file."""
    layers: dict[tuple[tuple[int, ...], tuple[str, ...]], dict[str, str]] = {}
    for name in names:
        letter, layer = _parse(scheme, name) or ("", "")
        twin = layers.setdefault(_rank(scheme, layer), {}).setdefault(letter, name)
        if twin != name:
            raise InputError(f"arrays {twin!r} and {name!r} stand for the same parameter, expected one")
    if len({words for _, words in layers}) > 1:
        weight, bias = scheme.examples
        raise InputError("the names do not tell the order of the layers; expected names that differ in their "
                         f"numbers only, {weight!r}, {bias!r} and so on; the file has {_list(names)}")
    sources: dict[str, str] = {}
    for position, ((numbers, _), parts) in enumerate(sorted(layers.items())):
        k = position + 1 if scheme.start is None else numbers[0] - scheme.start + 1
        sources |= {f"{letter}{k}": name for letter, name in parts.items()}
    _check_complete(scheme, sources, names, shapes)
    return sources


def _rank(scheme: Scheme, layer: str) -> tuple[tuple[int, ...], tuple[str, ...]]:
    """Split a layer's path into its numbers, by which layers are sorted, and its words, alike in all."""
    if scheme.unnumbered:
        layer = re.sub(r"(?<![0-9])(?=/|\Z)", scheme.unnumbered, layer)
    # Nine digits, as in the patterns: Python refuses to convert thousands of them.
    pieces = re.split(_NUMBER, layer)
    return tuple(int(piece) for piece in pieces[1::2]), tuple(pieces[::2])


def _check_complete(
    scheme: Scheme, sources: dict[str, str], names: Collection[str], shapes: Collection[str],
) -> None:
    base = "" if scheme.start is None else f", whose layers count from {scheme.start}"
    rest = f"expected {_list(shapes)}; the file has {_list(names)} ({scheme.title} names{base})"
    for ours in shapes:
        if ours not in sources:
            raise InputError(f"no array for {ours}; {rest}")
    for ours, theirs in sources.items():
        if ours not in shapes:
            reason = "has bias = false" if f"W{ours[1:]}" in shapes else "does not exist"
            raise InputError(f"array {theirs!r} has no place: layer {ours[1:]} of the network {reason}; "
                             f"{rest}")


def _convert(
    scheme: Scheme, theirs: str, array: np.ndarray, ours: str, shape: tuple[int, int], samples: str,
) -> tuple[np.ndarray, str]:
    """Bring one array to our layout and dtype, and say what was done."""
    flat = scheme.out_first is not None and ours.startswith("b")
    transposed = not flat and scheme.is_transposed(samples)
    expected = (math.prod(shape),) if flat else shape[::-1] if transposed else shape
    if array.shape != expected:
        raise InputError(f"array {theirs!r} is {show_shape(array.shape)}, expected {show_shape(expected)} "
                         f"for {ours} {_advise(scheme, theirs, array, expected, samples)}")
    values, cast = as_floating(theirs, array)
    change = ""
    if flat:
        values, change = values.reshape(shape), f"reshaped {show_shape(expected)} to {show_shape(shape)}"
    elif transposed:
        values, change = np.ascontiguousarray(values.T), "transposed"
    return values, ", ".join(filter(None, (change, cast)))


def _advise(
    scheme: Scheme, theirs: str, array: np.ndarray, expected: tuple[int, ...], samples: str,
) -> str:
    """Say how to mend a wrong shape, where that can be known."""
    own = scheme.out_first is None
    layout = f'with samples = "{samples}"' if own else f"as {scheme.title} stores it"
    if array.shape == expected[::-1]:
        other = "rows" if samples == "columns" else "columns"
        mend = f'save {theirs}.T, or set samples = "{other}"' if own else "save it untransposed"
        return f"{layout}: it fits transposed; {mend}"
    if array.size == math.prod(expected) and 1 in (array.ndim, len(expected)):
        return f"{layout}: save " + (f"{theirs}.reshape{expected}" if own else "it with .reshape(-1)")
    return layout


def show_shape(shape: tuple[int, ...]) -> str:
    """Write a shape as people do: 3×4, and (3,) where the rank is 1."""
    return "×".join(map(str, shape)) if len(shape) > 1 else str(shape)


def _list(names: Collection[str], most: int = 12) -> str:
    shown = [repr(name) for name in names]
    return ", ".join(shown[:most]) + (f" and {len(shown) - most} more" if len(shown) > most else "")
