"""Results as a page of Markdown."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence

from benchmarks.speed.aims import AIMS
from benchmarks.speed.measuring import TOLERANCE
from benchmarks.speed.peers import PEERS
from benchmarks.speed.results import Cell, Results
from benchmarks.speed.workloads import WHAT, WORKLOADS


def duration(nanoseconds: float) -> str:
    """Return a time in three digits and its unit."""
    for unit, size in (("s", 1e9), ("ms", 1e6), ("µs", 1e3)):
        if nanoseconds >= 0.9995 * size:
            return f"{digits(nanoseconds / size)} {unit}"
    return f"{digits(nanoseconds)} ns"


def digits(value: float) -> str:
    """Return a number in three significant digits, without an exponent."""
    if value == 0:
        return "0"
    return f"{value:.{max(0, 2 - math.floor(math.log10(abs(float(f'{value:.2e}')))))}f}"


def page(results: Results, picture: str = "") -> str:
    """Return the whole page.

    Args:
        results: Of a run.
        picture: The name of its picture, when there is one.
    """
    parts = [
        "# Benchmarks", "Written by `python -m benchmarks.speed`; do not edit, run it anew.",
        f"![Speed of each contender relative to hand-written NumPy]({picture})" if picture else "",
        _how(results), _machine(results),
        *(f"## {_group(threads, dtype)}\n\n{table(results, threads, dtype)}" for threads, dtype in results.groups()),
        f"## Aims\n\n{aims(results)}", costs(results), left(results), _contenders(results),
    ]
    return "\n\n".join(part for part in parts if part) + "\n"


def table(results: Results, threads: int, dtype: str) -> str:
    """Return the times of one number of threads and one dtype, a contender a row."""
    cells = [c for c in results.cells if (c.threads, c.dtype) == (threads, dtype)]
    workloads, peers = _in_order(WORKLOADS, (c.workload for c in cells)), _in_order(PEERS, (c.peer for c in cells))

    def shown(workload: str, peer: str) -> str:
        mine, hand = (results.time(workload, name, dtype, threads) for name in (peer, "hand"))
        if mine is None:
            return "–"
        return duration(mine) + (f" ({digits(hand / mine)}×)" if hand and peer != "hand" else "")

    rows = [[PEERS[p].title, *(shown(w, p) for w in workloads)] for p in peers]
    return _table(["", *(WORKLOADS[w].title for w in workloads)],
                  [row for row in rows if any(value != "–" for value in row[1:])])


def aims(results: Results) -> str:
    """Return the ratios that the project aims for, and what the run reached."""
    rows, missed = [], []
    for aim in AIMS:
        ratio, threads = aim.reached(results), f", {aim.threads} threads" if aim.threads > 1 else ""
        rows.append([f"`{aim.workload}`{threads}", PEERS[aim.target].title, f"{aim.text} {PEERS[aim.other].title}",
                     "–" if ratio is None else f"{digits(ratio)}×", aim.verdict(results)])
        if aim.bound and aim.verdict(results).startswith("missed"):
            missed.append(f"- `{aim.workload}`, {PEERS[aim.target].title}: {aim.bound}")
    text = ("Ratios of times in float64, one thread unless said: ≤ of the time of the products alone, ≥ of the speed "
            "of another.\n\n" + _table(["workload", "target", "aim", "reached", ""], rows))
    return text + ("\n\nWhat bounds those that are missed:\n\n" + "\n".join(dict.fromkeys(missed)) if missed else "")


def costs(results: Results) -> str:
    """Return what the targets cost before their first result."""
    if not results.costs:
        return ""
    names = ("derive", "generate", "load", "first", "again", "imported")

    def shown(seconds: float | None) -> str:
        return "–" if seconds is None else duration(1e9 * seconds)

    rows = [[f"`{c.workload}`", f"`{c.target}`", *(shown(getattr(c, n)) for n in names)]
            for c in results.costs if not c.word]
    words: dict[str, list[str]] = {}
    for cost in results.costs:
        if cost.word:
            words.setdefault(cost.word, []).append(f"`{cost.workload}` `{cost.target}`")
    imported = ", ".join(f"{name} {shown(seconds)}" for name, seconds in results.imports.items())
    return "\n\n".join(part for part in (
        "## Before the first result",
        "*Load* goes from the network to a module that can be called (derive, generate, compile), with empty caches; "
        "*first call* compiles where a target compiles then; *again* is both in a new process that finds the caches. "
        "*Import* is that of the generated module by itself, with its libraries.",
        _table(["", "target", "derive", "generate", "load", "first call", "again", "import"], rows) if rows else "",
        f"Import of a library in a new process: {imported}." if imported else "",
        *(f"{', '.join(names)}: {word}." for word, names in words.items())) if part)


def left(results: Results) -> str:
    """Return who was left out where, and why."""
    lines = []
    for peer in _in_order(PEERS, (c.peer for c in results.cells)):
        words: dict[str, list[Cell]] = {}
        for cell in results.cells:
            if cell.peer == peer and cell.word and cell.word != "does not do this":
                words.setdefault(cell.word, []).append(cell)
        lines += [f"- {PEERS[peer].title}, {_where(results, cells)}: {word}." for word, cells in words.items()]
    return "## Left out\n\n" + "\n".join(lines) if lines else ""


def _where(results: Results, cells: Sequence[Cell]) -> str:
    """Name the workloads of some cells, and dtype and threads where not all of them are meant."""
    names = ", ".join(f"`{w}`" for w in dict.fromkeys(c.workload for c in cells))
    groups = list(dict.fromkeys((c.threads, c.dtype) for c in cells))
    return names if len(groups) == len(results.groups()) else f"{names} ({'; '.join(_group(*g) for g in groups)})"


def _how(results: Results) -> str:
    tolerances = ", ".join(f"{value:.0e} in {dtype}" for dtype, value in TOLERANCE.items())
    lines = [f"- `{w.name}`: {w.title}, of `{w.architecture}`: {WHAT[w.kind]}." for w in WORKLOADS.values()]
    return "\n\n".join((
        "## What is measured", "\n".join(lines),
        "Samples are columns. All contenders of a workload run in one process, in turn and in a random order, pinned "
        f"to as many processors as there are threads. A time is the least of all rounds ({results.rounds}), each of "
        "several calls after one that warms the caches, with the garbage collector off. In parentheses: how many times "
        "as fast as hand-written NumPy. Arrays are on a peer's own device and in its layout beforehand. The heap keeps "
        "freed memory, so that nobody pays page faults for temporaries, as a new process may.",
        "Before it is timed, each contender must agree with a float64 reference on the same numbers. The largest "
        f"difference within an array may be that many times its largest entry: {tolerances}. One that disagrees or "
        "fails is left out."))


def _machine(results: Results) -> str:
    lines = [f"{name}: {value}" for name, value in results.machine.items()]
    return "## Machine\n\n" + "; ".join(lines) + ".\n\n" + ", ".join(
        f"{name} {version}" for name, version in results.versions.items()) + "."


def _contenders(results: Results) -> str:
    names = _in_order(PEERS, (c.peer for c in results.cells))
    return "## Contenders\n\n" + "\n".join(f"- {PEERS[n].title}: {PEERS[n].about}." for n in names)


def _group(threads: int, dtype: str) -> str:
    return f"{dtype}, {threads} thread{'s' * (threads > 1)}"


def _in_order(known: Iterable[str], found: Iterable[str]) -> list[str]:
    found = set(found)
    return [name for name in known if name in found]


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)
