"""Checking and timing the contenders of one workload, in turn."""

from __future__ import annotations

import gc
import math
import random
import time
import timeit
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from benchmarks.speed.peers.base import Contender, Left, Peer
from benchmarks.speed.workloads import STEPS, Problem

TOLERANCE = {"float64": 1e-10, "float32": 5e-5}
"""Of each array: the largest difference from the reference, over the largest entry of the reference."""


@dataclass(frozen=True)
class Timing:
    """How long the rounds last.

    Attributes:
        seconds: For all contenders of a workload together.
        rounds: The fewest, whatever they last.
        most: The most.
        sample: Nanoseconds that a sample lasts at least.
        pause: Seconds before each sample, in which the threads of the contender before it fall asleep.
    """

    seconds: float
    rounds: int
    most: int = 400
    sample: int = 1_500_000
    pause: float = 0.0


class Sampler:
    """A contender under the clock. `timeit` writes the call out, so that nothing else is timed with it."""

    def __init__(self, contender: Contender, timing: Timing) -> None:
        names = {f"x{i}": value for i, value in enumerate(contender.arguments)}
        call = f"f({', '.join(names)})"
        self.timer = timeit.Timer(call, timer=time.perf_counter_ns, globals={"f": contender.function, **names})
        self.contender, self.timing, self.calls = contender, timing, 1  # the first keeps what it owns alive
        while (took := self.timer.timeit(self.calls)) < timing.sample / 4 and self.calls < 1 << 20:
            self.calls *= 2
        self.calls = max(1, math.ceil(self.calls * timing.sample / max(took, 1)))
        self.best, self.spent, self.samples = math.inf, 0.0, 0

    def sample(self) -> None:
        """Time some calls after one that warms the caches."""
        start = time.perf_counter()
        if self.timing.pause:
            time.sleep(self.timing.pause)
        self.timer.timeit(1)
        self.best = min(self.best, self.timer.timeit(self.calls) / self.calls)
        self.samples += 1
        self.spent += time.perf_counter() - start


def checked(peer: Peer, problem: Problem) -> tuple[Contender, float]:
    """Return a peer's contender and its largest error.

    Raises:
        Left: It is absent, fails, or disagrees with the reference.
    """
    try:
        contender = peer.contender(problem)
        for _ in range(STEPS if problem.workload.kind == "training" else 1):
            output = contender.function(*contender.arguments)
        return contender, largest_error(contender.values(output), problem, contender.partial)
    except Left:
        raise
    except Exception as error:  # a peer may fail in any way, and the others are measured all the same
        raise Left(f"{type(error).__name__}: {' '.join(str(error).split())[:100]}".rstrip(": ")) from error


def largest_error(found: Mapping[str, Any], problem: Problem, partial: bool = False) -> float:
    """Compare with the reference, and return the largest relative error.

    Raises:
        Left: A value is missing or disagrees.
    """
    worst = 0.0
    for name, expected in problem.expected.items():
        if name not in found:
            if partial:
                continue
            raise Left(f"gives no {name}")
        got = np.asarray(found[name], dtype=float)
        if got.shape != expected.shape:
            raise Left(f"gives {name} of shape {got.shape}, expected {expected.shape}")
        error = float(np.max(np.abs(got - expected)) / np.max(np.abs(expected)))
        if not error <= TOLERANCE[problem.dtype]:
            raise Left(f"disagrees with the reference: {name} by {error:.0e}")
        worst = max(worst, error)
    return worst


def measured(peers: Mapping[str, Peer], problem: Problem, timing: Timing,
             say: Callable[[str], None] = lambda _: None) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield for each peer the nanoseconds of its best sample, or the word why it was left out."""
    samplers, errors = {}, {}
    for name, peer in peers.items():
        say(name)
        try:
            contender, errors[name] = checked(peer, problem)
            samplers[name] = Sampler(contender, timing)
        except Left as left:
            yield name, {"word": str(left)}
    say("timing")
    _rounds(list(samplers.values()), timing)
    for name, sampler in samplers.items():
        yield name, {"nanoseconds": sampler.best, "error": errors[name], "samples": sampler.samples}


def _rounds(samplers: list[Sampler], timing: Timing) -> None:
    """Take one sample of each in a random order, again and again.

    In a fixed order each would always find the caches and the threads of the same other. One that is slow
    drops out when it has had twice its share of the time.
    """
    share, start, order = 2 * timing.seconds / max(1, len(samplers)), time.perf_counter(), random.Random(0)
    gc.collect()
    for done in range(timing.most):
        if done >= timing.rounds and time.perf_counter() - start > timing.seconds:
            break
        for sampler in order.sample(samplers, len(samplers)):
            if done < timing.rounds or sampler.spent < share:
                sampler.sample()
