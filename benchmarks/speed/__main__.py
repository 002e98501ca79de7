"""The command: `python -m benchmarks.speed`, in an environment with `pip install -e '.[bench]'`."""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from pathlib import Path

from benchmarks.speed import costs, report
from benchmarks.speed.machine import machine, versions
from benchmarks.speed.peers import PEERS
from benchmarks.speed.peers.ours import Target
from benchmarks.speed.picture import picture
from benchmarks.speed.results import Cell, Results, read
from benchmarks.speed.running import ROOT, processors, run
from benchmarks.speed.workloads import DTYPES, WORKLOADS

FULL = {"seconds": 3.5, "rounds": 5}
QUICK = {"seconds": 0.4, "rounds": 3}
PAUSE = 0.01
"""Seconds before a sample with several threads: those of the contender before it still wait for work."""


def main(arguments: list[str] | None = None) -> int:
    """Measure, print, and write the page, its picture and the results."""
    options = _options().parse_args(arguments)
    if options.list:
        print(_list())
        return 0
    if options.results:
        results = read(Path(options.results))
    else:
        results = _measured(options)
        part = options.quick or options.workload or options.peer or options.threads != [1, 2] or options.dtype
        if part and not options.output:
            print(report.page(results))
            return 0
    folder = Path(options.output or ROOT / "docs")
    folder.mkdir(parents=True, exist_ok=True)
    results.write(folder / "benchmarks.json")
    threads, dtype = min(results.groups(), key=lambda group: (group[0], group[1] != "float64"))
    (folder / "benchmarks.svg").write_text(picture(results, dtype, threads), encoding="utf-8")
    text = report.page(results, "benchmarks.svg")
    (folder / "benchmarks.md").write_text(text, encoding="utf-8")
    print(text, f"Written: {folder}/benchmarks.md, .svg, .json", sep="\n")
    return 0


def _options() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.speed", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="few rounds, float64 alone: about a minute")
    parser.add_argument("--workload", action="append", choices=WORKLOADS, help="only this; may be repeated")
    parser.add_argument("--peer", action="append", choices=PEERS, help="only this; may be repeated")
    parser.add_argument("--threads", default=[1, 2], metavar="1,2",
                        type=lambda text: [int(part) for part in text.split(",")], help="numbers of threads")
    parser.add_argument("--dtype", choices=DTYPES, help="only this")
    parser.add_argument("-o", dest="output", metavar="DIR",
                        help="where to write; by default docs/ after a full run, nowhere after a part of one")
    parser.add_argument("--from", dest="results", metavar="JSON", help="write the page of these results")
    parser.add_argument("--list", action="store_true", help="list workloads and contenders")
    return parser


def _measured(options: argparse.Namespace) -> Results:
    """Run the processes that measure."""
    workloads, peers = (list(chosen or known) for chosen, known in (
        (options.workload, WORKLOADS), (options.peer, PEERS)))
    timing = QUICK if options.quick else FULL
    dtypes = [options.dtype] if options.dtype else list(DTYPES[:1] if options.quick else DTYPES)
    asked = {"workloads": workloads, "peers": peers, "dtypes": dtypes}
    facts, cells, start = machine(), [], time.perf_counter()
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        for threads in options.threads:
            cpus = processors(threads)
            if cpus is None:
                _say(f"{threads} threads: fewer processors than that", "\n")
                continue
            pause = PAUSE if threads > 1 else 0
            for answer in run({**asked, "cpus": cpus, "timing": {**timing, "pause": pause}}, folder, _say):
                if "cell" in answer:
                    cells.append(Cell(**answer["cell"]))
                elif "failed" in answer:
                    facts[f"failed with {threads}"] = answer["failed"]
                    _say(answer["failed"], "\n")
                else:
                    facts["BLAS of NumPy"] = answer["blas"]
        before, libraries = (), {}
        if not (options.workload or options.peer):
            targets = tuple(dict.fromkeys(p.target for p in PEERS.values() if isinstance(p, Target)))
            kinds = ("mlp-64",) if options.quick else ("tiny", "mlp-64", "deep")
            before, libraries = tuple(costs.costs(kinds, targets, folder, _say)), costs.imports(folder, _say)
    _say(f"done in {time.perf_counter() - start:.0f} s", "\n")
    packages = dict.fromkeys(package for name in peers for package in PEERS[name].packages)
    rounds = f"at least {timing['rounds']}, for {timing['seconds']:g} s a workload"
    return Results(facts, versions(("gradwright", "sympy", *packages)), tuple(cells), before, libraries, rounds)


def _list() -> str:
    lines = ["workloads"]
    lines += [f"  {w.name:<16} {w.title}: {w.architecture}" for w in WORKLOADS.values()]
    lines += ["contenders"]
    for name, peer in PEERS.items():
        found = versions(peer.packages)
        missing = [package for package in peer.packages if package not in found]
        lines.append(f"  {name:<16} {peer.title}: {peer.about}" + (f" [lacks {', '.join(missing)}]" if missing else ""))
    return "\n".join(lines)


def _say(text: str, end: str = "") -> None:
    """Tell how far it is, in one line where that is a terminal."""
    if sys.stderr.isatty():
        print(f"\r\033[K{text}", end=end, file=sys.stderr, flush=True)
    elif end:
        print(text, file=sys.stderr)


if __name__ == "__main__":
    sys.exit(main())
