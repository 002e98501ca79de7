"""A check as JSON."""

from __future__ import annotations

import json
import math
from typing import Any

from gradwright.checking.findings import Check, Place


def to_json(check: Check) -> str:
    """Return a check as JSON.

    A number that JSON has not, which a loss may well be, is one of the words ``nan``, ``inf`` and ``-inf``: null is
    taken by a number that the code as it stands cannot compute.
    """
    network = check.network and {"compact": check.network.compact, "samples": check.network.samples,
                                 "reduction": check.network.reduction, "words": list(check.network.words)}
    data = {
        "network": network,
        "mapping": dict(check.mapping),
        "lines": [{**_place(line.place), "target": line.target, "ours": line.ours, "verdict": line.verdict,
                   "shape": None if line.shape is None else [int(n) for n in line.shape], "term": line.term}
                  for line in check.lines],
        "findings": [{**_place(f.place), "column": f.place.column, "end": f.place.end, "source": f.source,
                      "kind": f.kind, "target": f.target, "message": f.message, "expected": f.expected,
                      "correction": f.correction, "severity": f.severity, "step": f.step,
                      "also": [*map(_place, f.also)]}
                     for f in check.findings],
        "numbers": [{**_place(n.place), "target": n.target, "theirs": _number(n.theirs), "right": _number(n.right)}
                    for n in check.numbers],
        "notes": [{**(_place(n.place) if n.place else {"cell": None, "line": None}), "message": n.message}
                  for n in check.notes],
    }
    text = json.dumps(data, ensure_ascii=False, indent=2, allow_nan=False) + "\n"
    return text.encode("utf-8", "replace").decode()  # half a character, as a Python string can hold, is no UTF-8


def _place(place: Place) -> dict[str, Any]:
    return {"cell": place.cell, "line": place.line}


def _number(number: float | None) -> float | str | None:
    if number is None:
        return None
    return float(number) if math.isfinite(number) else str(float(number))
