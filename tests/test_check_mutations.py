"""Single mistakes in right programs are found at their line, and named; a part of `mutation_study`, which does all."""

from __future__ import annotations

import pytest
from mutation_study import KINDS, PROGRAMS, Tried, table, tries

NAMES = sorted(path.stem for path in PROGRAMS.glob("*.py"))
AT_THE_LINE, NAMED = 0.85, 0.8
"""The least parts of the mutants; what is reached stands in docs/checking.md."""


@pytest.fixture(scope="module")
def done() -> list[Tried]:
    """The first mutant of three kinds for each program, other kinds for the next."""
    found = []
    for place, name in enumerate(NAMES):
        kinds = [KINDS[(place + shift) % len(KINDS)] for shift in (0, 5, 9)]
        found += tries(name, 1, kinds)
    return found


def test_mutants_are_found(done: list[Tried]) -> None:
    """Nearly all are found at the right line, with no right line called wrong, and most are named."""
    changed = [t for t in done if t.change != "equal"]
    assert len(changed) > 40
    assert sum(t.found for t in changed) >= AT_THE_LINE * len(changed), table(done)
    assert sum(t.named for t in changed) >= NAMED * len(changed), table(done)


def test_no_false_alarm(done: list[Tried]) -> None:
    """A mutant that changes no value is called right."""
    assert not [t for t in done if t.change == "equal" and t.elsewhere]
