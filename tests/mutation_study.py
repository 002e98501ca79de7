"""The mutation study: single mistakes in right programs, and whether the check finds them.

``python tests/mutation_study.py [MOST [PROGRAM…]]`` tries MOST mutants of each kind for each program (2 by default; 0
for all) and prints a table; ``--markdown`` prints it for docs/checking.md. A mutant counts as found where an error or a
warning stands in one of its lines and no error elsewhere; its kind is right where one of these findings has it. Where a
loss and its gradients differ by a constant factor, a finding names both lines, and either counts.
Mutants that leave every value equal must have no error.
"""

from __future__ import annotations

import re
import sys
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from mutations import KINDS, Change, Mutant, changes_value, mutants

from gradwright.checking.checker import check_source
from gradwright.checking.findings import Finding
from gradwright.checking.source import source_of

PROGRAMS = Path(__file__).parent / "programs"
_STARTS = re.compile(r"randn|rand\(|\.normal\(|zeros\(|random")
"""What first values of parameters are made of: another start is no mistake."""


@dataclass(frozen=True)
class Tried:
    """A mutant and what the check said.

    Attributes:
        program: Its name.
        mutant: The mutant.
        change: Whether it changes a value.
        findings: What was found.
        seconds: How long the check took.
    """

    program: str
    mutant: Mutant
    change: Change
    findings: tuple[Finding, ...]
    seconds: float

    @property
    def lines(self) -> set[int]:
        """The lines where the mistake may be reported."""
        return {self.mutant.line, *self.mutant.lines}

    @property
    def elsewhere(self) -> bool:
        """Whether a right line is called wrong, and not only as one of two that may be."""
        allowed = self.lines if self.change != "equal" else set()
        return any(f.severity == "error" and not _named(f) & allowed for f in self.findings)

    @property
    def found(self) -> bool:
        """Whether the mistake is found, at its line only."""
        return any(_named(f) & self.lines for f in self.findings) and not self.elsewhere

    @property
    def named(self) -> bool:
        """Whether its kind is right."""
        kinds = {self.mutant.kind, *self.mutant.also}
        return any(_named(f) & self.lines and f.kind in kinds for f in self.findings)


def _named(finding: Finding) -> set[int]:
    """Return the line of a finding, and those that it says may be wrong instead."""
    return {finding.place.line, *(place.line for place in finding.also)}


def tries(program: str, most: int | None, kinds: Sequence[str] = KINDS) -> list[Tried]:
    """Return the check of each mutant of a program."""
    source = (PROGRAMS / f"{program}.py").read_text(encoding="utf-8")
    found = []
    for mutant in mutants(source, most):
        if mutant.kind not in kinds or _STARTS.search(mutant.source.split("\n")[mutant.line - 1]):
            continue
        change, started = changes_value(source, mutant), time.perf_counter()
        findings = check_source(source_of(mutant.source, program)).findings
        found.append(Tried(program, mutant, change, findings, time.perf_counter() - started))
    return found


def table(done: Iterable[Tried], markdown: bool = False) -> str:
    """Return the counts by kind as text."""
    done = list(done)
    changed = [t for t in done if t.change != "equal"]
    total, found, named = (Counter(t.mutant.kind for t in some) for some in (
        changed, (t for t in changed if t.found), (t for t in changed if t.named)))
    rows = [(kind, total[kind], found[kind], named[kind]) for kind in KINDS if total[kind]]
    rows.append(("all", sum(total.values()), sum(found.values()), sum(named.values())))
    equal = [t for t in done if t.change == "equal"]
    lines = ["| kind | mutants | at the right line | right kind |", "|---|---|---|---|"] if markdown else []
    shape = "| {} | {} | {} | {} |" if markdown else "{:24}{:6}{:6}{:6}"
    lines += [shape.format(*row) for row in rows]
    wrong = sum(t.elsewhere for t in equal)
    lines += ["", f"{len(equal)} mutants are equal in every value; of these {wrong} are called wrong.",
              f"A check took {sum(t.seconds for t in done) / max(1, len(done)):.2f} s on average, "
              f"{max((t.seconds for t in done), default=0):.1f} s at most."]
    return "\n".join(lines)


def _all(arguments: tuple[str, int | None]) -> list[Tried]:
    return tries(*arguments)


def main() -> None:
    """Run the study as a command."""
    words = [a for a in sys.argv[1:] if not a.startswith("-")]
    most = int(words[0]) if words else 2
    names = words[1:] or sorted(path.stem for path in PROGRAMS.glob("*.py"))
    with ProcessPoolExecutor() as pool:
        done = [t for some in pool.map(_all, [(name, most or None) for name in names]) for t in some]
    print(table(done, "--markdown" in sys.argv))
    for t in done:
        if t.elsewhere or (t.change != "equal" and not t.found):
            said = "; ".join(f"{f.place.line} {f.kind} {f.severity}" for f in t.findings)
            print(f"{t.program}:{t.mutant.line} {t.mutant.kind}: {t.mutant.description}: {said or 'nothing'}")


if __name__ == "__main__":
    main()
