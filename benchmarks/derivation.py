"""Time to derive, verify, print and generate, by depth: `python benchmarks/derivation.py`.

Each figure is the minimum over rounds, with the garbage collector on, as in use.
"""

from __future__ import annotations

import platform
import time
from collections.abc import Callable

import numpy as np
import sympy

from codegen.module import generate
from symbolic.architecture import read_architecture
from symbolic.build import build_program
from symbolic.differentiation import differentiate
from symbolic.doors import derive
from symbolic.formats import FORMATS
from symbolic.verify import verify_derivation

DEPTHS = (3, 50, 200, 800)
COLUMNS = ("build", "derive", "verify", "LaTeX", "generate")


def milliseconds(work: Callable[[], object], rounds: int) -> float:
    """Return the least time of some rounds."""
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return 1e3 * min(times)


def row(depth: int) -> list[float]:
    """Measure one depth: layers of three sigmoid units, then a softmax."""
    network = read_architecture(f"3-3x{depth}:sigmoid*{depth - 1},softmax")
    program, derivation = build_program(network), derive(network)
    shown = [g for g in derivation.gradients if g.wrt.name != "X"]
    rounds = 20 if depth <= 50 else 5
    return [
        milliseconds(lambda: build_program(network), rounds),
        milliseconds(lambda: differentiate(program), rounds),
        milliseconds(lambda: verify_derivation(derivation), rounds),
        milliseconds(lambda: FORMATS["latex"](derivation, shown), min(rounds, 5)),
        milliseconds(lambda: generate(network, derivation), min(rounds, 5)),
    ]


def main() -> None:
    """Print a table in milliseconds."""
    print(f"Python {platform.python_version()}, SymPy {sympy.__version__}, NumPy {np.__version__}, "
          f"{platform.machine()}; milliseconds")
    print(f"{'layers':>8}" + "".join(f"{c:>10}" for c in COLUMNS) + f"{'derive/L':>10}")
    for depth in DEPTHS:
        times = row(depth)
        print(f"{depth:8}" + "".join(f"{t:10.1f}" for t in times) + f"{times[1] / depth:10.2f}")


if __name__ == "__main__":
    main()
