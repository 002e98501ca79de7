"""Words that more than one rendering says."""

from __future__ import annotations

import math
import unicodedata
from collections.abc import Mapping

from gradwright.checking.findings import Check, Finding, Number, Place, Recognised, Verdict
from symbolic.names import text_name

GRAVITY: Mapping[Verdict, int] = {"right": 0, "unknown": 1, "follows": 2, "wrong": 3}
"""What is said of a source line with several assignments: the gravest of their verdicts."""

_BIDIRECTIONAL = frozenset("\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069\u2028\u2029")
SAME = 1e-9
"""Two numbers are the same up to this relative difference."""


def where(place: Place) -> str:
    """Return a place as people name it, such as ``In [17], line 1``."""
    return f"line {place.line}" if place.cell is None else f"In [{place.cell}], line {place.line}"


def printable(text: str) -> str:
    """Replace what would steer a terminal, or show source code in another order than it runs."""
    return "".join(c if c in "\n\t" else _visible(c) for c in text)


def _visible(character: str) -> str:
    if character in _BIDIRECTIONAL:
        return "\N{REPLACEMENT CHARACTER}"
    category = unicodedata.category(character)
    if category == "Cc":
        return chr(0x2400 + ord(character)) if ord(character) < 0x20 else "\N{REPLACEMENT CHARACTER}"
    return "\N{REPLACEMENT CHARACTER}" if category == "Cs" else character


def shown_name(ours: str) -> str:
    """Return our name of a quantity as a derivation writes it: ``grad_b3`` as ∇b₃, the loss as 𝓛."""
    return "𝓛" if ours == "loss" else text_name(ours)


def errors_and_warnings(check: Check) -> tuple[tuple[Finding, ...], tuple[Finding, ...]]:
    """Return the findings in the order in which they are told."""
    return check.errors, tuple(f for f in check.findings if f.severity != "error")


def source_line(check: Check, place: Place) -> str:
    """Return the line of a place as it stands in the source; empty where there is none."""
    index = 0 if place.cell is None else place.cell - 1
    lines = check.cells[index].split("\n") if 0 <= index < len(check.cells) else []
    return lines[place.line - 1] if 0 < place.line <= len(lines) else ""


def conventions(network: Recognised) -> str:
    """Say how samples lie and how the loss adds up."""
    return f"samples in {network.samples}, the loss a {network.reduction}"


def value(number: Number) -> str:
    """Say what a number is as the code has it, and what it should be."""
    if number.theirs is None:
        return f"{number.right!r} right; as the code stands it cannot be computed"
    if math.isclose(number.theirs, number.right, rel_tol=SAME) or number.theirs == number.right:
        return f"{number.theirs!r}, which is right"
    return f"{number.theirs!r} as the code has it, {number.right!r} right"


def summary(check: Check) -> str:
    """Count what was found: ``2 errors, 1 warning; 34 lines right, 5 follow, 3 unknown``."""
    errors, warnings = errors_and_warnings(check)
    found = [_count(len(errors), "error")] if errors else []
    found += [_count(len(warnings), "warning")] if warnings else []
    counts = {verdict: sum(line.verdict == verdict for line in check.lines) for verdict in GRAVITY}
    words = [_count(counts["right"], "line") + " right"]
    words += [f"{counts['follows']} follow" + ("s" if counts["follows"] == 1 else "")] if counts["follows"] else []
    words += [f"{counts['unknown']} unknown"] if counts["unknown"] else []
    return f"{', '.join(found) or 'nothing wrong'}; {', '.join(words)}"


def _count(count: int, word: str) -> str:
    return f"{count} {word}" + ("" if count == 1 else "s")
