"""What a target costs before its first result, each figure from a process of its own.

`python -m benchmarks.speed.costs WORKLOAD TARGET FOLDER` measures one and prints it. Its caches are where the
environment says, and a second such process finds there what the first one left.
"""

from __future__ import annotations

import contextlib
import importlib.util
import json
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from benchmarks.speed.results import Cost
from benchmarks.speed.running import ROOT, environment

IMPORTS = {
    "NumPy": "import numpy", "gradwright's `load`": "from codegen import load", "numba": "import numba",
    "JAX": "import jax", "PyTorch": "import torch", "autograd": "import autograd", "CasADi": "import casadi",
    "tensorgrad": "import tensorgrad",
}
CLOCK = "import time, sys; start = time.perf_counter(); {}; print(time.perf_counter() - start)"

Say = Callable[[str], None]


def costs(workloads: tuple[str, ...], targets: tuple[str, ...], folder: Path, say: Say) -> Iterator[Cost]:
    """Yield the costs of each target for some workloads; the caches are empty at first."""
    for workload in workloads:
        for target in targets:
            say(f"costs, {workload}: {target}")
            own = folder / f"{workload}_{target}"
            own.mkdir()
            try:
                command = ["-m", "benchmarks.speed.costs", workload, target, str(own)]
                yield Cost(workload, target, **_figures(command, own))
            except RuntimeError as error:
                yield Cost(workload, target, word=str(error))


def _figures(command: list[str], folder: Path) -> dict[str, Any]:
    first = json.loads(_output(command, folder))
    if first.get("word"):
        return first
    again, name = json.loads(_output(command, folder)), first.pop("module")
    code = f"sys.path.insert(0, {str(folder)!r}); import {name}"
    return {**first, "again": again["load"] + again["first"], "imported": _least(code, folder)}


def imports(folder: Path, say: Say) -> dict[str, float]:
    """Return the seconds that the import of each library takes, of those that are installed."""
    found = {}
    for name, statement in IMPORTS.items():
        if importlib.util.find_spec(statement.split()[1]) is not None:
            say(f"import of {name}")
            with contextlib.suppress(RuntimeError):
                found[name] = _least(statement, folder)
    return found


def measure(workload: str, target: str, folder: Path) -> dict[str, Any]:
    """Return the costs of one target, and the name of its module, which is put into the folder."""
    from benchmarks.speed.peers.ours import loaded
    from benchmarks.speed.workloads import WORKLOADS, make_problem
    from codegen.targets import TARGETS
    from symbolic import derive, read_architecture

    if target not in TARGETS:
        return {"word": "no such target yet"}
    problem = make_problem(WORKLOADS[workload], "float64")
    network = read_architecture(problem.workload.architecture)
    derivation, derived = _clock(lambda: derive(network))
    text, generated = _clock(lambda: TARGETS[target].generate(network, derivation))
    module, load = _clock(lambda: loaded(problem.workload.architecture, target))
    place = module.Workspace(problem.workload.batch) if hasattr(module, "Workspace") else module
    _, first = _clock(lambda: place.loss_and_gradients(problem.parameters, problem.X, problem.Y))
    if target == "c":  # the module that was loaded, not the file for devices that the target writes
        from codegen.building import build_c

        built = build_c(network, derivation)
        shutil.copy(built.compiled, folder / f"{built.extension}.so")
        text = built.text
    (folder / f"generated_{network.name}.py").write_text(text, encoding="utf-8")
    return {"derive": derived, "generate": generated, "load": load, "first": first,
            "module": f"generated_{network.name}"}


def _clock(work: Callable[[], Any]) -> tuple[Any, float]:
    start = time.perf_counter()
    result = work()
    return result, time.perf_counter() - start


def _least(code: str, folder: Path) -> float:
    """Return the least time of a statement in new processes; the first of them also compiles to bytecode."""
    times = []
    while len(times) < 2 or (len(times) < 4 and sum(times) < 1):
        times.append(float(_output(["-c", CLOCK.format(code)], folder)))
    return min(times)


def _output(arguments: list[str], folder: Path) -> str:
    done = subprocess.run([sys.executable, "-W", "ignore", *arguments], capture_output=True, text=True, check=False,
                          cwd=ROOT, env=environment(1, folder))
    if done.returncode:
        raise RuntimeError((done.stderr.splitlines() or ["fails"])[-1][:100])
    return done.stdout


if __name__ == "__main__":
    # What a module prints when it is loaded is not the answer.
    answers, sys.stdout = sys.stdout, sys.stderr
    print(json.dumps(measure(sys.argv[1], sys.argv[2], Path(sys.argv[3]))), file=answers)
