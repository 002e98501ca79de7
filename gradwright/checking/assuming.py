"""Values for data that cannot be read: arrays of sizes with which the code runs, for names of inputs and labels."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from gradwright.checking.interpreter import Interpreter
from gradwright.checking.naming import label
from gradwright.checking.recognising import find_wirings
from gradwright.checking.roles import called_input, called_label
from gradwright.checking.source import Source
from gradwright.checking.wiring import NotRecognised, Wiring
from symbolic.network import Network

SAMPLES, FEATURES = 7, 4
TRIES = 48
"""As many kinds of data are tried."""


def with_assumptions(source: Source, files: Callable[[str], Any], own: Interpreter, network: Network | None,
                     hints: Mapping[str, str]) -> tuple[Source, Interpreter, list[Wiring]] | None:
    """Return a file with values for its data, run at them, and what was recognised; None where nothing fits.

    Args:
        source: The code.
        files: What reads the files that it loads.
        own: The run in which the data is unknown.
        network: What the code should compute, where that is given.
        hints: Our name for the code's, where the user gave them.
    """
    unknown = [label(e.target) for e in own.events if e.node is None and e.unknown is not None]
    inputs = {n for n in unknown if hints.get(n, "X" if called_input(n) else "") == "X"}
    labels = {n for n in unknown if hints.get(n, "Y" if called_label(n) else "") == "Y"} - inputs
    if not inputs:
        return None
    for X, Y in itertools.islice(_data(own, network), TRIES):
        assumed = dict.fromkeys(inputs, X) | dict.fromkeys(labels, Y)
        candidate = replace(source, assumed=assumed)
        run = Interpreter(candidate, files=files)
        run.run()
        if any(place not in run.assumed_at for place, _ in run.raised):
            continue
        try:
            wirings = find_wirings(run, hints)
        except NotRecognised:
            continue
        if all(map(_fits, wirings)):
            return candidate, run, wirings
    return None


def _fits(wiring: Wiring) -> bool:
    """Say whether there are labels of as many samples as inputs; features may have been taken for samples."""
    if not {"X", "Y"} <= {leaf.ours for leaf in wiring.leaves} or wiring.count > SAMPLES:
        return False
    return wiring.count != FEATURES and all(
        int(np.prod(leaf.shape)) == wiring.count * (1 if leaf.classes else wiring.widths[-1])
        for leaf in wiring.leaves if leaf.ours == "Y")


def _data(own: Interpreter, network: Network | None) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Yield inputs and labels: samples in rows and in columns, one-hot, class numbers, or numbers."""
    rng = np.random.default_rng(0)
    starts = ("random", "array", "multiply", "divide", "zeros")
    sizes = [n for e in own.events if e.node is not None and e.node.op in starts for n in np.shape(e.node.value)]
    features = [network.widths[0]] if network is not None else list(dict.fromkeys(
        [*sizes[:2], *(n - 1 for n in sizes[:1] if n > 1), FEATURES]))
    units = [network.widths[-1]] if network is not None else list(dict.fromkeys([*sizes[:-3:-1], 1, 3]))
    for rows, n, k in itertools.product((True, False), features, units):
        X = rng.standard_normal((SAMPLES, n))
        numbers = rng.permutation(np.arange(SAMPLES) % max(k, 2))
        one_hot = np.eye(k)[numbers] if k > 1 else numbers.reshape(-1, 1).astype(float)
        for Y in (one_hot, numbers):
            yield (X, Y) if rows else (X.T.copy(), Y.T.copy())
