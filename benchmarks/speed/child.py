"""The process that measures, with one number of threads: it is told what, and answers in lines of JSON."""

from __future__ import annotations

import json
import os
import sys
from typing import Any


def main() -> None:
    """Measure what the first argument asks for."""
    asked = json.loads(sys.argv[1])
    if hasattr(os, "sched_setaffinity"):  # before any library counts the processors
        os.sched_setaffinity(0, asked["cpus"])
    answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(2, 1)  # what libraries print is no answer

    def answer(**values: Any) -> None:
        print(json.dumps(values), file=answers, flush=True)

    from benchmarks.speed.machine import blas
    from benchmarks.speed.measuring import Timing, measured
    from benchmarks.speed.peers import PEERS
    from benchmarks.speed.workloads import WORKLOADS, make_problem

    answer(blas=blas())
    peers, timing = {name: PEERS[name] for name in asked["peers"]}, Timing(**asked["timing"])
    for name in asked["workloads"]:
        for dtype in asked["dtypes"]:
            problem = make_problem(WORKLOADS[name], dtype)
            place = {"workload": name, "dtype": dtype, "threads": len(asked["cpus"])}
            for peer, found in measured(peers, problem, timing, lambda text, p=place: answer(say=text, **p)):
                answer(cell={**place, "peer": peer, **found})


if __name__ == "__main__":
    main()
