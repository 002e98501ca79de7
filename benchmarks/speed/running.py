"""Starting the processes that measure, each with its number of threads and its processors."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
THREADS = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS", "NUMBA_NUM_THREADS", "BLIS_NUM_THREADS",
           "VECLIB_MAXIMUM_THREADS")
PINS = ("OPENBLAS_CORETYPE", "OPENBLAS_L2_SIZE")
"""Settings that would pin the kernels of OpenBLAS to those of another processor."""
HEAP = {"MALLOC_TRIM_THRESHOLD_": str(1 << 30), "MALLOC_MMAP_THRESHOLD_": str(1 << 25)}
"""The heap keeps what it has. Where it gives memory back, code that allocates temporaries pays page faults, in the deep
net as much as its work; whether it does depends on what else the process did before, so here nobody pays them."""


def environment(threads: int, folder: Path) -> dict[str, str]:
    """Return the environment of a process that may use so many threads and puts what it compiles into a folder."""
    kept = {name: value for name, value in os.environ.items() if name not in PINS}
    path = os.pathsep.join(filter(None, (str(ROOT), kept.get("PYTHONPATH"))))
    single = "--xla_cpu_multi_thread_eigen=false" if threads == 1 else ""
    return {
        **kept, **dict.fromkeys(THREADS, str(threads)), **HEAP, "PYTHONPATH": path,
        "XLA_FLAGS": f"{kept.get('XLA_FLAGS', '')} {single}".strip(), "JAX_PLATFORMS": "cpu",
        "BENCHMARK_BUILD": str(folder), "NUMBA_CACHE_DIR": str(folder / "numba"),
        "XDG_CACHE_HOME": str(folder / "cache"),
    }


def processors(threads: int) -> list[int] | None:
    """Return the processors to run on, the last ones that are allowed; None where they are too few."""
    if not hasattr(os, "sched_getaffinity"):
        return list(range(threads)) if threads <= (os.cpu_count() or 1) else None
    allowed = sorted(os.sched_getaffinity(0))
    return allowed[-threads:] if threads <= len(allowed) else None


def run(asked: dict[str, Any], folder: Path, say: Callable[[str], None]) -> Iterator[dict[str, Any]]:
    """Yield the answers of one process, but for those that only say how far it is.

    Where it ends in an error, that is the last answer, and the ones before are not lost.
    """
    threads = len(asked["cpus"])
    command = [sys.executable, "-W", "ignore", "-m", "benchmarks.speed.child", json.dumps(asked)]
    place = ""
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, encoding="utf-8", cwd=ROOT,
                          env=environment(threads, folder)) as process:
        for line in process.stdout:
            answer = json.loads(line)
            if "say" in answer:
                where = f"{answer['workload']}, {answer['dtype']}: {answer['say']}"
                place = f"{threads} thread{'s' * (threads > 1)}, {where}"
                say(place)
            else:
                yield answer
    if process.returncode:
        yield {"failed": f"the process ended with code {process.returncode} at {place or 'its start'}"}
