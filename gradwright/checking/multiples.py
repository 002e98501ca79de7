"""By what factor a value differs from the right one: of two, the samples, the outputs."""

from __future__ import annotations

from fractions import Fraction

import numpy as np

from gradwright.checking.blaming import Root
from gradwright.checking.reference import CLOSE, close
from gradwright.checking.settings import Setting


def multiple(root: Root, setting: Setting) -> Fraction | None:
    """Return the factor by which a value is the right one; None where it is no usual multiple of it."""
    if root.event.node is None or root.expected is None:
        return None
    value, expected = np.asarray(root.event.node.value), root.expected
    if value.shape != expected.shape or value.dtype.kind != "f" or not np.all(np.isfinite(value)):
        return None
    norm = float(np.sum(expected * expected))
    factor = float(np.sum(value * expected)) / norm if norm else 0.0
    if not factor or not close(value / factor, expected):
        return None
    usual = {s * u * t for s in _both(setting.samples) for u in _both(setting.wiring.widths[-1]) for t in _both(2)}
    return next((f for f in (*usual, Fraction(-1)) if abs(factor - f) <= CLOSE * abs(f)), None)


def times(factor: Fraction, samples: int) -> str:
    """Say a factor: ``twice``, ``half of``, ``as many times as there are samples, 20, …``."""
    known = {Fraction(2): "twice", Fraction(1, 2): "half of", Fraction(-1): "minus"}
    if factor in known:
        return known[factor]
    if samples > 1 and factor in (samples, Fraction(1, samples)):
        return f"{factor} times (there are {samples} samples)"
    return f"{factor} times"


def _both(count: int) -> tuple[Fraction, ...]:
    return Fraction(1), Fraction(count), Fraction(1, count)
