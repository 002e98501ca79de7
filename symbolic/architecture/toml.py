"""The TOML form of a network: one table, and one of ``[[layers]]`` for each layer."""

from __future__ import annotations

import tomllib
from collections.abc import Iterable
from typing import Any

from symbolic.errors import InputError
from symbolic.messages import nearest, shown, within
from symbolic.network import Layer, Network
from symbolic.network_values import module_name, width_symbol

_NETWORK_KEYS = ("name", "inputs", "loss", "reduction", "samples", "weight_decay", "layers")
_LAYER_KEYS = ("units", "activation", "bias")


def parse_toml(text: str, name: str = "") -> Network:
    """Return the network that a TOML document describes.

    Args:
        text: The document.
        name: The network's name where the document gives none and this one is possible.

    Raises:
        InputError: The text is no TOML, or describes no network.
    """
    try:
        document = tomllib.loads(text)
    except (ValueError, RecursionError) as error:  # ValueError: also integers of 4,300 digits and more
        reason = "nested too deep" if isinstance(error, RecursionError) else shown(str(error), 200)[1:-1]
        raise InputError(f"not TOML: {reason}; correct the file") from None
    _require_keys(document, _NETWORK_KEYS, {"inputs": "inputs = 3", "layers": "[[layers]]"})
    tables = document.pop("layers")
    if not isinstance(tables, list) or not tables or not all(isinstance(table, dict) for table in tables):
        raise InputError(f"layers: expected tables, each below a line [[layers]], came {shown(tables)}")
    layers = []
    for k, table in enumerate(tables, start=1):
        with within(f"layer {k}"):
            layers.append(_layer(table))
    inputs = _width("inputs", document.pop("inputs"))
    document["name"] = module_name(document["name"]) if "name" in document else _possible(name)
    return Network(inputs, tuple(layers), **document)


def to_toml(network: Network) -> str:
    """Return the canonical TOML document; it reads back to an equal network."""
    lines = [
        f'name = "{network.name}"',
        f"inputs = {_value(network.inputs)}",
        f'loss = "{network.loss}"',
        f'reduction = "{network.reduction}"',
        f'samples = "{network.samples}"',
        f"weight_decay = {network.weight_decay!r}",
    ]
    for layer in network.layers:  # no text below needs an escape: formulas are of plain characters
        lines += ["", "[[layers]]", f"units = {_value(layer.units)}", f'activation = "{layer.activation}"',
                  f"bias = {'true' if layer.bias else 'false'}"]
    return "\n".join(lines) + "\n"


def _value(width: object) -> str:
    return str(width) if isinstance(width, int) else f'"{width}"'


def _layer(table: dict[str, Any]) -> Layer:
    _require_keys(table, _LAYER_KEYS, {"units": "units = 3"})
    return Layer(**(table | {"units": _width("units", table["units"])}))


def _width(key: str, value: object) -> Any:
    """Return the symbol that a string names; `Network` judges everything else."""
    if not isinstance(value, str):
        return value
    if value.strip().lstrip("+-").isdigit():
        raise InputError(f"{key}: expected a whole number, came the string {shown(value)}; omit the quotes")
    with within(key):
        return width_symbol(value)


def _require_keys(table: dict[str, Any], known: Iterable[str], needed: dict[str, str]) -> None:
    for key in table:
        if key not in known:
            raise InputError(f"unknown key {shown(key)}{nearest(key, known)}")
    for key, example in needed.items():
        if key not in table:
            raise InputError(f"the key {key!r} is missing; add it, as in {example}")


def _possible(name: str) -> str:
    try:
        return module_name(name)
    except InputError:
        return ""
