"""From what was found to what is said: lines, findings, mapping and numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from typing import TYPE_CHECKING, Any

import numpy as np

from gradwright.checking.blaming import Explained, Root
from gradwright.checking.comparing import Judge
from gradwright.checking.findings import Check, Finding, Line, Note, Number, Place, Recognised, Verdict
from gradwright.checking.formulas import derived, in_code, rule_of
from gradwright.checking.hazards import hazards, replaced
from gradwright.checking.judgements import Fix, Judgement
from gradwright.checking.mending import Mended, source_of
from gradwright.checking.multiples import multiple
from gradwright.checking.nodes import ancestors_of
from gradwright.checking.objects import Event
from gradwright.checking.reference import close
from gradwright.checking.settings import Setting
from gradwright.checking.terms import terms_of
from gradwright.checking.words import conventions, sentence, too_early
from symbolic.architecture import to_compact

if TYPE_CHECKING:
    from gradwright.checking.bench import Bench


def report(empty: Check, bench: Bench, setting: Setting, explained: Explained) -> Check:
    """Return all that is said of a file."""
    judge = explained.judge
    mended = bench.corrections(setting, explained)
    errors = [_finding(root, mended.get(root.event.index), judge, explained) for root in explained.roots]
    errors = errors or raised(bench) or replaced(bench, judge)
    warnings = hazards(bench, judge, {(f.place.cell, f.place.line) for f in errors})
    findings = sorted([*errors, *warnings], key=lambda f: (f.place.cell or 0, f.place.line, f.severity))
    network = Recognised(to_compact(setting.network), setting.network.samples, setting.network.reduction,
                         conventions(setting))
    if judge.drawn:
        said = Note(judge.drawn[0].place, "what a mask that is drawn has changed, as that of dropout, is not compared")
        empty = replace(empty, notes=(*empty.notes, said))
    return replace(empty, network=network, mapping=mapping_of(judge), lines=tuple(_lines(bench, explained)),
                   findings=tuple(findings), numbers=tuple(_numbers(bench, setting, explained, mended)))


def together(checks: Sequence[Check]) -> Check:
    """Return what is said of the networks of one file, of which each was checked alone; the largest is its network."""
    if len(checks) == 1:
        return checks[0]
    found = [c.network for c in checks if c.network is not None]
    known: dict[tuple[Any, ...], Line] = {}
    for line in (line for check in checks for line in check.lines):
        mark = line.place, line.target
        if mark not in known or _RANK[line.verdict] > _RANK[known[mark].verdict]:
            known[mark] = line
    main = max(checks, key=lambda c: len(c.mapping))
    others = ", ".join(n.compact for n in found if n is not main.network)
    findings = {(f.place, f.kind): f for check in checks for f in check.findings}
    numbers = {n.place: n for check in checks for n in check.numbers}
    return replace(
        main, mapping={name: ours for check in (*checks, main) for name, ours in check.mapping.items()},
        lines=tuple(sorted(known.values(), key=lambda n: _order(n.place))),
        findings=tuple(sorted(findings.values(), key=lambda f: _order(f.place))),
        numbers=tuple(sorted(numbers.values(), key=lambda n: _order(n.place))),
        notes=(Note(None, f"the file has more than one network; checked too: {others}"), *main.notes))


def _order(place: Place) -> tuple[int, int, int]:
    return place.cell or 0, place.line, place.column


def raised(bench: Bench) -> list[Finding]:
    """Return the first line at which Python or NumPy would raise an error, where no mistake explains it."""
    for place, message in [r for r in bench.own.raised if r[0] not in bench.own.assumed_at][:1]:
        cell = next(c for c in bench.source.cells if c.number == place.cell)
        line, late = cell.line(place.line).strip(), too_early(message, cell, place)
        said = f"{late}." if late else f"This raises an error: {message}."
        return [Finding(Place(place.cell, place.line), line, "stale_value" if late else "wrong_value", "", said)]
    return []


def _finding(root: Root, mended: Mended | None, judge: Judge, explained: Explained) -> Finding:
    event = root.event.source
    kind, said = sentence(root, mended, judge)
    source = source_of(event)
    place = event.place
    if mended is not None and mended.edit is not None and event.expression is not None:
        place = _marked(event, mended)
    ours = root.ours if root.ours else (root.witness.ours if root.witness is not None else "")
    judgement = judge.judgements.get(event.index)
    if judgement is not None and judgement.rate is not None and not ours.startswith("grad"):
        ours = f"grad_{ours}"
    instead = _instead(root, explained)
    if root.event.origin is not None:
        instead = (Place(root.event.place.cell, root.event.place.line),)
        said += f" Or {_lines_of(instead)} takes what is returned in another order."
    elif instead:
        said += (f" Or it is right, and what stands in {_lines_of(instead)} is wrong: loss and gradients differ by a "
                 "factor.")
    return Finding(place, source, kind, event.target, said, derived(judge.setting, ours),
                   mended.statement if mended is not None else in_code(root, judge),
                   "warning" if _is_mean_of_sum(root, instead, explained) else "error",
                   rule_of(judge.setting, ours, kind), instead)


def _instead(root: Root, explained: Explained) -> tuple[Place, ...]:
    """Return the lines that may be at fault where a loss and all its gradients differ by a constant factor alone."""
    event = root.event
    factor = multiple(root, explained.judge.setting)
    if len(explained.spots) != 1 or root.detail or event.node is None or factor is None:
        return ()
    judged = sorted(explained.judge.judgements.values(), key=lambda j: j.event.index)
    gradients = [j.event for j in judged if j.ours.startswith("grad_") and j.event.manner not in ("shown", "handed")
                 and j.event.node is not None and any(t[0] == "Y" for t in j.event.node.tags)
                 and not (j.event.path == event.path and j.event.index < event.index)]  # a step to it
    if root.ours != "loss" and any(e.spot != event.spot and not _comes_from(e, event) for e in gradients):
        return ()  # a gradient beside this one has the factor of the loss
    losses = [j.event for j in judged if j.ours == "loss" and j.event.manner != "shown" and j.verdict == "right"]

    def parts(loss: Event) -> list[Event]:
        above = ancestors_of(loss.node) if loss.node is not None else set()
        return [j.event for j in judged if j.verdict == "unknown" and j.event.index < loss.index
                and j.event.node is not None and id(j.event.node) in above]

    if root.ours == "loss":
        found = [*(gradients[:1] if factor > 0 else ()), *parts(event)]
    else:
        first = not gradients or gradients[0].spot == event.spot or gradients[0].index > event.index
        found = [e for loss in losses for e in (*parts(loss), loss)] if first else []
    places = dict.fromkeys(Place(e.place.cell, e.place.line) for e in found if e.spot != event.spot)
    return tuple(places)


def _comes_from(event: Event, other: Event) -> bool:
    """Say whether a value was computed from the one that another event has been corrected to."""
    waiting, seen = [event.node] if event.node is not None else [], set()
    while waiting:
        node = waiting.pop()
        if node.event == other.index:
            return True
        if id(node) not in seen:
            seen.add(id(node))
            waiting += node.parents
    return False


def _is_mean_of_sum(root: Root, instead: tuple[Place, ...], explained: Explained) -> bool:
    """Say whether a loss is only the mean where the gradients are of the sum, or the sum where they are of the mean."""
    count = explained.judge.setting.samples
    return bool(instead) and count > 1 and multiple(root, explained.judge.setting) in (
        count, Fraction(1, count), Fraction(count, 2), Fraction(2, count))


def _lines_of(places: tuple[Place, ...]) -> str:
    """Return lines in words."""
    cells = [f"In [{p.cell}], line {p.line}" if p.cell is not None else f"line {p.line}" for p in places]
    return " or ".join(cells)


def _marked(event: Event, mended: Mended) -> Place:
    """Return the place of the part of a line that is at fault."""
    assert event.expression is not None
    assert mended.edit is not None
    start = event.cell.place(event.expression)
    segment = event.cell.text.split("\n")[event.expression.lineno - 1]
    before = mended.edit
    offset = start.column + before.column
    if "\n" in segment or offset >= len(segment):
        return event.place
    end = min(start.column + before.end, len(segment))
    return Place(event.place.cell, start.line, offset, max(end, offset + 1))


def mapping_of(judge: Judge) -> dict[str, str]:
    """Return the code's names and ours; the first of several."""
    found: dict[str, str] = {}
    for judgement in judge.judgements.values():
        event = judgement.event
        named = event.manner in ("assign", "item", "in_place") and judgement.verdict in ("right", "wrong")
        if named and judgement.ours not in ("", "function", "N") and " " not in judgement.ours:
            found.setdefault(event.target, judgement.ours)
    return found


def _lines(bench: Bench, explained: Explained) -> list[Line]:
    plain = bench.plain[0].events
    found: dict[tuple[Any, ...], Line] = {}
    terms = terms_of(plain, bench.plain[1].holders)
    for judgement in explained.judge.judgements.values():
        event = judgement.event
        verdict = _verdict(judgement, plain, explained)
        ours = "" if judgement.ours == "function" else judgement.ours
        theirs = plain[event.index] if event.index < len(plain) else None
        term = terms[event.index] if theirs is not None and theirs.path == event.path else ""
        line = Line(event.place, event.target, ours, verdict, None if event.node is None else event.node.shape, term)
        mark = (*event.spot, event.target, ours)
        if mark not in found or _RANK[line.verdict] > _RANK[found[mark].verdict]:
            found[mark] = line
    return sorted(found.values(), key=lambda n: (n.place.cell or 0, n.place.line, n.place.column))


_RANK = {"unknown": 0, "right": 1, "follows": 2, "wrong": 3}


def _verdict(judgement: Judgement, plain: list[Event], explained: Explained) -> Verdict:
    event = judgement.event
    if event.spot in explained.spots and judgement.verdict in ("wrong",):
        return "wrong"
    if judgement.verdict == "wrong":
        return "wrong"
    theirs = plain[event.index] if event.index < len(plain) else None
    if theirs is not None and theirs.path == event.path and event.node is not None:
        same = theirs.node is not None and close(np.asarray(theirs.node.value), np.asarray(event.node.value))
        if not same:
            return "follows"
    return "right" if judgement.verdict in ("right", "reshaped") else "unknown"


def _numbers(bench: Bench, setting: Setting, explained: Explained, mended: Mapping[int, Mended]) -> list[Number]:
    """Return losses on the author's own data, as they are and as they are with corrected lines."""
    own = bench.own.events
    fixes = explained.fixes | {i: Fix(expression=m.edit.source) for i, m in mended.items() if m.edit is not None}
    if bench.source.sizes or bench.source.assumed:
        return []  # they would be of other data
    judge = bench.judge(replace(setting, rate=None), chosen={}, fixes=fixes, before=explained.judge.before)
    found: list[Number] = []
    for judgement in judge.judgements.values():
        event = judgement.event
        if judgement.ours != "loss" or event.index >= len(own) or event.index in judge.partial:
            continue
        right = judgement.expected if judgement.verdict == "wrong" else (
            event.node.value if event.node is not None else None)
        theirs = own[event.index]
        if right is None or np.size(right) != 1 or theirs.path != event.path:
            continue
        value = None
        if theirs.node is not None and np.size(theirs.node.value) == 1:
            value = float(np.asarray(theirs.node.value).item())
        number = Number(event.place, event.target, value, float(np.asarray(right).item()))
        if event.manner != "return":
            found.append(number)
    return found
