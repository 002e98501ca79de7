"""The axes of a plot: from values to places, with ticks at round numbers."""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence
from dataclasses import dataclass

DECADES_APART = 30
"""The ratio of two losses from which a linear axis would hide how the lesser one changes."""


@dataclass(frozen=True)
class Axis:
    """Values from ``low`` to ``high``, drawn from ``start`` to ``end``.

    Attributes:
        low: The value at ``start``.
        high: The value at ``end``, above ``low``.
        start: In units of the drawing.
        end: Likewise.
        logarithmic: Whether equal ratios have equal lengths; then ``low`` is positive.
        ticks: Values and their labels.
    """

    low: float
    high: float
    start: float
    end: float
    logarithmic: bool
    ticks: tuple[tuple[float, str], ...]

    def place(self, value: float) -> float:
        """Return where a value lies."""
        scale = math.log if self.logarithmic else float
        share = (scale(value) - scale(self.low)) / (scale(self.high) - scale(self.low))
        return self.start + share * (self.end - self.start)


def epoch_axis(epochs: Sequence[int], start: float, end: float) -> Axis:
    """Return an axis of whole numbers; a single one is in the middle."""
    first, last = min(epochs), max(epochs)
    low, high = (first, last) if first < last else (first - 1, last + 1)
    step = max(1, round_step((high - low) / 8))
    ticks = [k * step for k in range(math.ceil(low / step), math.floor(high / step) + 1)]
    return Axis(low, high, start, end, False, tuple((t, f"{t:.0f}") for t in ticks if first <= t <= last))


def loss_axis(losses: Sequence[float], start: float, end: float) -> Axis:
    """Return an axis from about the least to about the greatest loss, logarithmic where they are decades apart."""
    least, greatest = min(losses), max(losses)
    if least > 0 and greatest / least >= DECADES_APART:
        room = math.exp(0.04 * (math.log(greatest) - math.log(least)))
        low, high = least / room or least, min(greatest * room, sys.float_info.max)
        return Axis(low, high, start, end, True, tuple((t, f"{t:g}") for t in _powers(low, high)))
    size = max(abs(least), abs(greatest))
    apart = greatest - least > 1e-6 * size
    room = 0.05 * (greatest - least) if apart else 0.05 * size or 1.0
    low, high = least - room, min(greatest + room, sys.float_info.max)
    # A loss that cannot be negative shall not seem to come near it.
    low = 0.0 if least >= 0 and (low < 0 or least < greatest / 3) else low
    step = round_step((high - low) / 6)
    ticks = (k * step for k in range(math.ceil(low / step), math.floor(high / step) + 1))
    return Axis(low, high, start, end, False, tuple((t, f"{t:.10g}") for t in ticks))


def round_step(width: float) -> float:
    """Return the least of 1, 2 and 5 times a power of ten that is at least a width."""
    power = 10.0 ** math.floor(math.log10(width))
    return next(m * power for m in (1, 2, 5, 10) if m * power >= width * (1 - 1e-9))


def _powers(low: float, high: float) -> list[float]:
    """Return powers of ten between two numbers, or more where these are few; at most about ten."""
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
    every = max(1, (last - first) // 8)
    mantissas = (1, 2, 5) if last - first <= 3 else (1,)
    found = [float(f"{m}e{k}") for k in range(first, last + 1) if k % every == 0 for m in mantissas]
    return [v for v in found if low <= v <= high]
