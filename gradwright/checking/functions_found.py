"""Activations and losses that a file computes, found by their values at random points."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from gradwright.checking.facts import SMALL
from gradwright.checking.following import Follower, Tag, linear_values
from gradwright.checking.interpreter import Interpreter
from gradwright.checking.naming import looks_like_loss
from gradwright.checking.nodes import PRODUCTS, Node
from gradwright.checking.reference import Scales, activation_value, close
from gradwright.checking.settings import Setting, network_of
from gradwright.checking.source import Source
from gradwright.checking.wiring import Leaf, Wiring
from symbolic.errors import InputError
from symbolic.network import Network

HIDDEN = ("sigmoid", "tanh", "relu", "leaky_relu", "softplus", "silu", "gelu", "elu", "mish", "identity")
LOSSES = ("cross_entropy", "binary_cross_entropy", "mean_squared_error", "mean_absolute_error", "huber", "hinge")
USUAL = ("sigmoid", "tanh", "relu", "leaky_relu", "softmax", "identity")
"""Activations that hand-written code has, as a rule; between two readings they decide."""

MOST = 40
"""As many readings of a file are tried."""


@dataclass(frozen=True)
class Evidence:
    """What a run at random values says of a network.

    Attributes:
        activations: Of each layer, those that it computes; empty where none of the known ones.
        losses: Loss and the factor to the sum over samples; empty where none was found.
        samples: The number of samples.
        units: The number of outputs.
        spoken: Activations and losses that the code writes somewhere, for what a mistake hides.
    """

    activations: tuple[tuple[str, ...], ...]
    losses: tuple[tuple[str, float], ...]
    samples: int
    units: int
    spoken: tuple[str, ...] = ()

    @property
    def is_complete(self) -> bool:
        """Whether every function of the network, and its loss, was found by its values."""
        return all(self.activations) and bool(self.losses) and not self.is_odd(self.losses[0][1])

    def is_odd(self, factor: float) -> bool:
        """Say whether a loss with this factor is divided by the outputs and not by the samples, as by a wrong axis."""
        return self.units > 1 and self.samples > 1 and any(
            abs(factor * self.units - whole) <= SMALL for whole in (1.0, 0.5)) and self.samples != self.units


_SPOKEN = (
    ("tanh", r"\btanh\("), ("relu", r"maximum\(\s*0|maximum\([^()]*,\s*0\.?0?\)|\brelu\(|> 0|>= 0|<= 0"),
    ("sigmoid", r"1\.?0?\s*\+\s*np\.exp\(-|sigmoid\(|expit\("),
    ("softmax", r"softmax|exp\w*\s*/\s*(?:np\.)?(?:sum\(|\w+\.sum\()|/\s*\w*exp\w*\.sum\("),
    ("leaky_relu", r"leaky"), ("binary_cross_entropy", r"log\(\s*1\.?0?\s*-"),
    ("cross_entropy", r"\blog\("), ("mean_squared_error", r"\*\*\s*2|square\("),
)


def spoken(source: Source) -> tuple[str, ...]:
    """Return activations and losses that a text writes somewhere."""
    text = "\n".join(cell.text for cell in source.cells)
    leaks = [float(leak[1]) for line in text.splitlines() if re.search(r"where\(|maximum\(|> ?=?\s*0|leaky", line)
             for leak in re.finditer(r"(?<![\w.])(0?\.\d+)", line)]
    rectifiers = ["leaky_relu" if c == 0.01 else f"max(x, {c:g}*x)" for c in dict.fromkeys(leaks) if 0 < c < 0.5]
    return (*(name for name, pattern in _SPOKEN if re.search(pattern, text)), *rectifiers[:2])


def evidence(run: Interpreter, follower: Follower, wiring: Wiring) -> Evidence:
    """Return what a run at random values says."""
    linear = linear_values(follower)
    depth = len(wiring.widths) - 1
    found: list[tuple[str, ...]] = []
    outputs: list[Node] = []
    for k in range(1, depth + 1):
        names: list[str] = []
        for a in linear.get(k, []):
            functions = _functions(np.asarray(a.value), last=k == depth)
            for node in _after(follower, a, k, depth):
                name = _named(np.asarray(a.value), np.asarray(node.value), functions)
                if name and name not in names:
                    names.append(name)
                if name and k == depth:
                    outputs.append(node)
            if k == depth and not names:
                outputs.append(a)
        # A loss of logits may take a rectifier of them: the output is what has the usual loss.
        found.append(tuple(sorted(names, key=lambda n: k == depth and n not in ("softmax", "sigmoid"))))
    samples, losses = wiring.count, tuple(_losses(run, follower, wiring, outputs))
    if any(loss == "hinge" for loss, _ in losses) and not any("abs" in cell.text for cell in run.source.cells):
        losses = tuple(o for o in losses if o[0] != "mean_absolute_error")  # the same for ±1 and outputs between
    if losses and not found[-1]:
        found[-1] = ("identity",)  # the loss is one of the last layer's a
    return Evidence(tuple(found), losses, samples, wiring.widths[-1],
                    spoken(run.source))


def _after(follower: Follower, a: Node, k: int, depth: int) -> Iterator[Node]:
    """Yield the values that are computed from a_k before the next layer, those that the next layer takes first."""
    taken = [p for n in follower.tape.nodes if n.op in PRODUCTS and n.order > a.order for p in n.parents[:2]
             if p.shape == a.shape]
    later = [n for n in follower.tape.nodes if n.order > a.order and n.shape == a.shape
             and not any(t[0] == "Y" for t in n.tags) and {t[0] for t in a.tags} <= {t[0] for t in n.tags}
             and not any(t[0] == f"W{k + 1}" for t in n.tags)]
    if k < depth:
        chosen = {id(n) for n in taken}
        yield from (n for n in later if id(n) in chosen)
        if any(t is a for t in taken):
            yield a
    yield from later


def _functions(a: np.ndarray, last: bool) -> list[tuple[str, np.ndarray]]:
    """Return the values of each activation at an array; of softmax along each axis, for outputs only."""
    found = [(name, activation_value(name, a)) for name in HIDDEN[:-1]]
    return found + [("softmax", activation_value("softmax", a, axis)) for axis in range(a.ndim) if last]


def _named(a: np.ndarray, value: np.ndarray, functions: Sequence[tuple[str, np.ndarray]]) -> str:
    """Return the activation that takes one array to the other; empty for none, and for none but the identity."""
    if value.dtype.kind != "f" or value is a:
        return ""
    for name, expected in functions:
        if close(value, expected):
            return name
    negative = a < 0
    if negative.any() and (~negative).any() and close(value[~negative], a[~negative]):
        ratios = value[negative] / a[negative]
        if np.ptp(ratios) < 1e-9 and 0 < ratios[0] < 1:
            return f"max(x, {round(float(ratios[0]), 12):g}*x)"
    return ""


def _losses(run: Interpreter, follower: Follower, wiring: Wiring,
            outputs: Sequence[Node]) -> Iterator[tuple[str, float]]:
    """Yield losses that a value with the name of one equals, as a multiple of the sum."""
    seen: set[tuple[str, float]] = set()
    labels = [leaf for leaf in wiring.leaves if leaf.ours == "Y"]
    for event in run.events:
        node = event.node
        if node is None or not looks_like_loss(event.target) or np.size(node.value) != 1:
            continue
        names = {t[0] for t in node.tags}
        if not names & {"X", "Y"} or not names - {"X", "Y"}:
            continue
        total = float(np.asarray(node.value).item())
        inputs = {t for t in node.tags if t[0] == "X"}
        for loss in LOSSES:
            for value in _sums(follower, wiring, labels, outputs, inputs, loss):
                for factor in _factors(wiring, wiring.count):
                    if abs(total - factor * value) <= SMALL * abs(total) and (loss, factor) not in seen:
                        seen.add((loss, factor))
                        yield loss, factor


def _sums(follower: Follower, wiring: Wiring, labels: Sequence[Leaf], outputs: Sequence[Node], inputs: set[Tag],
          loss: str) -> Iterator[float]:
    """Yield sums of a loss over all samples that a value depends on, for each output it may be of."""
    order = [leaf.event for leaf in wiring.leaves if leaf.ours == "X"]
    if len(inputs) <= 1:
        for output in outputs[:3]:
            value = _loss_sum(loss, _labels_like(follower, labels[0] if labels else None, output, wiring), output)
            if value:
                yield value
        return
    total = 0.0
    for tag in inputs:
        own = [o for o in outputs if {t for t in o.tags if t[0] == "X"} == {tag}]
        if not own or len(labels) != len(order):
            return
        leaf = labels[order.index(tag[1])]
        total += _loss_sum(loss, _labels_like(follower, leaf, own[0], wiring), own[0]) or 0.0
    if total:
        yield total


def _labels_like(follower: Follower, leaf: Leaf | None, output: Node, wiring: Wiring) -> np.ndarray | None:
    value = follower.versions.get(("Y", leaf.event)) if leaf is not None else None
    if value is None or leaf is None:
        return None
    if leaf.classes:
        one_hot = np.eye(wiring.widths[-1])[value.ravel().astype(int)]
        value = one_hot.T if wiring.samples == "columns" else one_hot
    if value.shape == output.shape:
        return value
    if value.T.shape == output.shape:
        return value.T
    return value.reshape(output.shape) if value.size == np.size(output.value) else None


def _factors(wiring: Wiring, samples: int) -> list[float]:
    """Return by what losses are divided: samples, outputs, both, and two."""
    units = wiring.widths[-1]
    plain = [1.0, 1 / samples, 1 / units, 1 / (samples * units)]
    return list(dict.fromkeys([*plain, *(f / 2 for f in plain)]))


def _loss_sum(loss: str, Y: np.ndarray | None, output: Node) -> float | None:
    if Y is None:
        return None
    y_hat = np.asarray(output.value)
    r = y_hat - Y
    with np.errstate(all="ignore"):
        value = {
            "cross_entropy": lambda: -np.sum(Y * np.log(y_hat)),
            "binary_cross_entropy": lambda: -np.sum(Y * np.log(y_hat) + (1 - Y) * np.log(1 - y_hat)),
            "mean_squared_error": lambda: np.sum(r * r),
            "mean_absolute_error": lambda: np.sum(np.abs(r)),
            "huber": lambda: np.sum(np.where(np.abs(r) <= 1, r * r / 2, np.abs(r) - 0.5)),
            "hinge": lambda: np.sum(np.maximum(0, 1 - Y * y_hat)),
        }[loss]()
    return float(value) if np.isfinite(value) else None


def readings(found: Evidence, wiring: Wiring) -> Iterator[Setting]:
    """Yield readings of a file, what it says literally first.

    Where the loss was found and an activation was not, others are tried before other losses and scales.
    """
    pairs = [(a, option) for a in _products(found) for option in _loss_options(found, a[-1])]
    first = [pair for pair in pairs if pair[0] == pairs[0][0]]
    made: list[tuple[int, int, Setting]] = []
    for number, (activations, (loss, factor)) in enumerate([*first, *(pair for pair in pairs if pair not in first)]):
        reduction = "mean" if found.samples > 1 and _has(factor, 1 / found.samples) else "sum"
        try:
            network = network_of(wiring, activations, loss, reduction)
        except InputError:
            continue
        usual = (loss, factor) == _loss_options(found, activations[-1])[0]
        made += [(int(not usual or k > 0), number, Setting(wiring, network, scales))
                 for k, scales in enumerate(scales_of(factor, found.samples))]
    if found.losses and not all(found.activations[:-1]):
        made.sort(key=lambda m: m[:1])
    layers = made[0][2].network.layers if made else ()
    made.sort(key=lambda m: (m[2].network.layers != layers, m[2].scales.values < 0))
    yield from (setting for _, _, setting in made[:MOST])


def of_another_loss(found: Evidence, wiring: Wiring, setting: Setting) -> Iterator[Setting]:
    """Yield readings in which the last activation has its usual loss, where that of a reading is another."""
    activations = tuple(layer.activation for layer in setting.network.layers)
    loss = {"softmax": "cross_entropy", "sigmoid": "binary_cross_entropy"}.get(activations[-1], "mean_squared_error")
    if loss == setting.network.loss or not found.losses:
        return
    for reduction, factor in (("mean", 1 / found.samples), ("sum", 1.0)) if found.samples > 1 else (("sum", 1.0),):
        try:
            network = network_of(wiring, activations, loss, reduction)
        except InputError:
            return
        yield from (Setting(wiring, network, scales) for scales in scales_of(factor, found.samples)
                    if scales.parameters > 0)


def networks(found: Evidence, wiring: Wiring, most: int) -> Iterator[Setting]:
    """Yield readings with different networks, of which each has another gradient."""
    seen: set[Network] = set()
    for activations in _products(found):
        for loss in dict.fromkeys(loss for loss, _ in _loss_options(found, activations[-1])):
            try:
                network = network_of(wiring, activations, loss, "sum")
            except InputError:
                continue
            if network not in seen:
                seen.add(network)
                yield Setting(wiring, network)
            if len(seen) >= most:
                return


def factors(found: Evidence, network: Network) -> list[float]:
    """Return the factors that the loss of a given network may have, as the code has it first."""
    base = 1 / found.samples if network.reduction == "mean" else 1.0
    options = [base, base / 2, base / found.units, base / found.units / 2]
    seen = [factor for loss, factor in found.losses if loss == network.loss and factor in options]
    return list(dict.fromkeys([*seen, *(options[:2] if network.loss == "mean_squared_error" else options[:1])]))


def scales_of(factor: float, samples: int) -> list[Scales]:
    """Return the scales that gradients may have beside a loss."""
    found = [Scales(factor, factor, factor)]
    if samples > 1:
        found += [Scales(factor, factor, factor * samples), Scales(factor, factor * samples, factor * samples)]
    found.append(Scales(factor, -factor, -factor))
    if samples > 1:
        found.append(Scales(factor, -factor * samples, -factor * samples))
    if factor * 2 <= 1:
        found.append(Scales(factor, factor, factor * 2 * samples))
    return found


def _has(factor: float, part: float) -> bool:
    """Say whether a factor contains 1/N, with or without a half or one over the outputs."""
    return factor / part in (1.0, 0.5) or factor < part


def _products(found: Evidence) -> Iterator[tuple[str, ...]]:
    known = [name for names in found.activations[:-1] for name in names[:1]]
    hidden = [name for name in found.spoken if name in HIDDEN or name.startswith("max(")]
    options: list[list[str]] = []
    for names in found.activations[:-1]:
        likely = dict.fromkeys((*names, *known, *hidden, "sigmoid", "tanh", "relu"))
        options.append([*likely][:5])
    options.append(_last_options(found))
    firsts = tuple(o[0] for o in options)
    yield firsts
    single = [(*firsts[:k], other, *firsts[k + 1:]) for k in reversed(range(len(options))) for other in options[k][1:]]
    yield from single
    for combination in itertools.islice(itertools.product(*options), 40):
        if combination != firsts and combination not in single:
            yield combination


def _last_options(found: Evidence) -> list[str]:
    said = found.spoken
    if found.units == 1:
        guesses = ["sigmoid", "identity"] if "binary_cross_entropy" in said else ["identity", "sigmoid"]
    elif "softmax" in said:
        guesses = ["softmax", "sigmoid", "identity"]
    elif "binary_cross_entropy" in said:
        guesses = ["sigmoid", "softmax", "identity"]
    else:
        guesses = ["identity", "sigmoid", "softmax"]
        if "sigmoid" in said and not any(found.activations[-1]):
            guesses = ["sigmoid", "identity", "softmax"]
    return list(dict.fromkeys((*found.activations[-1], *guesses)))[:3]


def _loss_options(found: Evidence, last: str) -> list[tuple[str, float]]:
    usual = {"softmax": "cross_entropy", "sigmoid": "binary_cross_entropy"}.get(last, "mean_squared_error")
    if usual != "mean_squared_error" and usual not in found.spoken and "cross_entropy" not in found.spoken:
        usual = "mean_squared_error"
    mean = 1 / max(found.samples, 1)
    squared = any(loss == "mean_squared_error" for loss, _ in found.losses)  # of which Huber's is half, near 0
    options = [o for o in found.losses if o[0] != "huber" or not squared]
    natural = {"softmax": "cross_entropy", "sigmoid": "binary_cross_entropy"}.get(last)
    for factor in ((mean, 1.0) if found.samples > 1 else (1.0,)):
        options.append((usual, factor))
        if usual == "mean_squared_error":
            options += [(usual, factor / 2), (usual, factor / found.units)]
    if natural is not None and not found.losses:
        options.insert(1, (natural, options[0][1]))
    return list(dict.fromkeys(options))[:5]
