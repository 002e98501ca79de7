"""The mutation study: single mistakes in right programs, and whether the check finds them.

``python tests/mutation_study.py [MOST [PROGRAM…]]`` tries MOST mutants of each kind for each program (2 by default; 0
for all) and prints a table; ``--markdown`` prints it for docs/checking.md; ``--sample=N`` tries N of all, drawn at
random, the same each time. A mutant counts as found where an error or a
warning stands in one of its lines and no error elsewhere; its kind is right where one of these findings has it. Where a
loss and its gradients differ by a constant factor, a finding names both lines, and either counts.
Mutants that leave every value equal must have no error.
"""

from __future__ import annotations

import random
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
        seconds: How long the check took, of processor time.
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


def of_program(program: str, most: int | None, kinds: Sequence[str] = KINDS) -> list[tuple[str, Mutant]]:
    """Return the mutants of a program, each with its name."""
    source = (PROGRAMS / f"{program}.py").read_text(encoding="utf-8")
    return [(program, m) for m in mutants(source, most)
            if m.kind in kinds and not _STARTS.search(m.source.split("\n")[m.line - 1])]


def tried(of: tuple[str, Mutant]) -> Tried:
    """Return the check of a mutant."""
    program, mutant = of
    source = (PROGRAMS / f"{program}.py").read_text(encoding="utf-8")
    change, started = changes_value(source, mutant), time.process_time()
    findings = check_source(source_of(mutant.source, program)).findings
    return Tried(program, mutant, change, findings, time.process_time() - started)


def tries(program: str, most: int | None, kinds: Sequence[str] = KINDS) -> list[Tried]:
    """Return the check of each mutant of a program."""
    return [tried(of) for of in of_program(program, most, kinds)]


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


def main() -> None:
    """Run the study as a command."""
    words = [a for a in sys.argv[1:] if not a.startswith("-")]
    sample = next((int(a.partition("=")[2]) for a in sys.argv[1:] if a.startswith("--sample=")), None)
    most = 0 if sample else int(words[0]) if words else 2
    names = words[1:] or sorted(path.stem for path in PROGRAMS.glob("*.py"))
    wanted = [of for name in names for of in of_program(name, most or None)]
    if sample:
        random.Random(7).shuffle(wanted)
    with ProcessPoolExecutor() as pool:
        done = list(pool.map(tried, wanted[:sample]))
    print(table(done, "--markdown" in sys.argv))
    for t in done:
        if t.elsewhere or (t.change != "equal" and not t.found):
            said = "; ".join(f"{f.place.line} {f.kind} {f.severity}" for f in t.findings)
            print(f"{t.program}:{t.mutant.line} {t.mutant.kind}: {t.mutant.description}: {said or 'nothing'}")


if __name__ == "__main__":
    main()
