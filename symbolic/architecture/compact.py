"""The compact form of a network, ``3-3-3-3:sigmoid,sigmoid,softmax?reduction=mean``.

Widths end at the first colon, settings begin at the last question mark, and commas
inside parentheses belong to a formula.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from itertools import groupby
from typing import Any

from symbolic.errors import InputError
from symbolic.messages import nearest, shown, within
from symbolic.network import MOST_LAYERS, Layer, Network, default_loss, default_name, width_runs
from symbolic.network_values import Width, width_symbol

LONGEST = 1_000_000
EXAMPLE = "3-4-1:tanh,sigmoid"

_WIDTH = re.compile(r"(?P<width>[0-9]+|[A-Za-z][A-Za-z0-9_]*)")
_RUN = re.compile(r"(?P<item>[0-9]+)x(?P<count>[0-9]+)")
_REPEATED = re.compile(r"(?P<item>(?!(?:x|pi|e)\*)[A-Za-z_][A-Za-z0-9_]*)\*(?P<count>[0-9]+)")
_NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")


def parse_compact(text: str) -> Network:
    """Return the network that a compact string describes.

    Raises:
        InputError: The string is no such description.
    """
    with within(f"architecture {shown(text, 60)}"):
        if len(text) > LONGEST:
            raise InputError(f"expected at most {LONGEST} characters, came {len(text)}")
        head, colon, rest = text.partition(":")
        if not colon:
            raise _no_activations(head)
        names, mark, suffix = rest.rpartition("?") if "?" in rest else (rest, "", "")
        settings = _settings(suffix) if mark else {}
        inputs, *units = _widths(head)
        biases = settings.pop("bias", [True])
        if len(biases) == 1:
            biases *= len(units)
        activations = _activations(names)
        _require_one_each("activations", activations, units)
        _require_one_each("values of bias", biases, units)
        layers = []
        for k, values in enumerate(zip(units, activations, biases, strict=True), start=1):
            with within(f"layer {k}"):
                layers.append(Layer(*values))
        return Network(inputs, tuple(layers), **settings)


def to_compact(network: Network) -> str:
    """Return the canonical compact string, without what is default; it reads back to an equal network."""
    names = [layer.activation for layer in network.layers]
    biases = ["true" if layer.bias else "false" for layer in network.layers]
    settings = {
        "loss": (network.loss, default_loss(network.layers)),
        "reduction": (network.reduction, "sum"),
        "samples": (network.samples, "columns"),
        "weight_decay": (repr(network.weight_decay), "0.0"),
        "name": (network.name, default_name(network.widths)),
        "bias": (biases[0] if len(set(biases)) == 1 else _runs(biases), "true"),
    }
    suffix = "&".join(f"{key}={value}" for key, (value, default) in settings.items() if value != default)
    return "-".join(width_runs(network.widths)) + ":" + _runs(names) + ("?" + suffix if suffix else "")


def _runs(items: Iterable[str]) -> str:
    """Join items by commas, runs of four or more of a name as ``tanh*50``; formulas cannot be repeated."""
    texts: list[str] = []
    for item, group in groupby(items):
        count = len(list(group))
        texts += [f"{item}*{count}"] if count >= 4 and _REPEATED.fullmatch(f"{item}*1") else [item] * count
    return ",".join(texts)


def _no_activations(head: str) -> InputError:
    widths = [part.strip() for part in head.partition("?")[0].split("-")]
    if len(widths) > 1 and all(_WIDTH.fullmatch(part) or _RUN.fullmatch(part) for part in widths):
        return InputError(f"the activations are missing; add a colon and one for each layer, as in {EXAMPLE}")
    return InputError(f"no such file, and not of the form WIDTHS:ACTIVATIONS; write such as {EXAMPLE}")


def _widths(head: str) -> list[Width]:
    first, *rest = (part.strip() for part in head.split("-"))
    if not rest:
        raise InputError(f"expected two widths or more, the inputs and each layer, came {shown(head)}; "
                         f"write such as {EXAMPLE}")
    if _RUN.fullmatch(first):
        raise InputError(f"the inputs are one width, came {first!r}; write the product, or name each layer")
    return [_width(first), *_expanded(rest, _RUN, _width)]


def _width(text: str) -> Width:
    if not _WIDTH.fullmatch(text):
        raise InputError(f"expected a width such as 64, 64x50 (fifty layers) or n1, came {shown(text)}")
    if not text.isdigit():
        return width_symbol(text)
    return int(text[:20])  # long enough to be refused, short enough to be read


def _activations(text: str) -> list[str]:
    """Split at commas outside parentheses, and write repeated names out."""
    parts, depth = [""], 0
    for character in text:
        depth = max(0, depth + (character == "(") - (character == ")"))
        if character == "," and depth == 0:
            parts.append("")
        else:
            parts[-1] += character
    return _expanded((part.strip() for part in parts), _REPEATED, str)


def _expanded(parts: Iterable[str], repeated: re.Pattern[str], read: Callable[[str], Any]) -> list[Any]:
    items: list[Any] = []
    for part in parts:
        match = repeated.fullmatch(part)
        count = int(match["count"][:20]) if match else 1
        if not 1 <= count <= MOST_LAYERS - len(items):
            raise InputError(f"expected 1 to {MOST_LAYERS} layers in all, came {shown(part)}")
        items += [read(match["item"] if match else part)] * count
    return items


def _require_one_each(what: str, items: list[Any], units: list[Width]) -> None:
    if len(items) != len(units):
        raise InputError(f"expected {len(units)} {what}, one for each layer, came {len(items)}; "
                         "a name can be repeated, as in tanh*50")


def _settings(suffix: str) -> dict[str, Any]:
    readers: dict[str, Callable[[str], Any]] = {
        "loss": _word, "reduction": _word, "samples": _word, "weight_decay": _number, "name": _word,
        "bias": _biases}
    settings: dict[str, Any] = {}
    for part in suffix.split("&"):
        key, equals, value = (piece.strip() for piece in part.partition("="))
        if not equals:
            raise InputError(f"expected settings such as ?reduction=mean&samples=rows, came {shown(part)}")
        if key not in readers:
            raise InputError(f"unknown setting {shown(key)}{nearest(key, readers)}")
        if key in settings:
            raise InputError(f"the setting {key!r} came twice; give it once")
        settings[key] = readers[key](value)
    return settings


def _number(text: str) -> float:
    if not _NUMBER.fullmatch(text):
        raise InputError(f"weight_decay: expected a number such as 0.01, came {shown(text)}")
    return float(text)


def _word(text: str) -> str:
    if not text:
        raise InputError("expected a value after each = of the settings, came nothing")
    return text


def _biases(text: str) -> list[bool]:
    words = _expanded(map(str.strip, text.split(",")), _REPEATED, str)
    for word in words:
        if word not in ("true", "false"):
            raise InputError(f"bias: expected true or false, for all layers or each, came {shown(word)}")
    return [word == "true" for word in words]
