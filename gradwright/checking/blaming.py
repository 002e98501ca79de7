"""Which line is at fault for a wrong value: the one itself, or one before it whose value is none of the network's."""

from __future__ import annotations

import ast
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from gradwright.checking.comparing import Judge
from gradwright.checking.edits import Edit, edits
from gradwright.checking.judgements import Fix, Judgement, is_main, squeezed_equal
from gradwright.checking.naming import error_signal
from gradwright.checking.nodes import Unreadable, recompute
from gradwright.checking.objects import Event
from gradwright.checking.reference import close
from gradwright.checking.scoping import scope_of

ROUNDS, SUSPECTS = 14, 14

Runner = Callable[..., Judge]
"""Runs the file with ``fixes=``, ``before=`` and ``probe=``."""


@dataclass(frozen=True)
class Root:
    """A line that is at fault.

    Attributes:
        event: Its assignment.
        ours: Our name of what it should compute; empty where it is a helper.
        expected: The right value.
        detail: Of an update, what is wrong with it; ``reshaped`` for a shape that misleads a later line.
        witness: The later line whose value gave it away; None for the line itself.
        named: Whether the line's name says what it should be.
        edit: What makes it right, where that is known.
        repeated: Whether the line is run more than once, so that one right value does not tell that an edit is right.
    """

    event: Event
    ours: str
    expected: np.ndarray | None
    detail: str = ""
    witness: Judgement | None = None
    named: bool = True
    edit: Edit | None = None
    repeated: bool = False


@dataclass(eq=False)
class Explained:
    """A run in which every wrong value is explained.

    Attributes:
        judge: The last run, with all fixes.
        fixes: By event.
        roots: The lines at fault, in the order of execution.
    """

    judge: Judge
    fixes: dict[Any, Fix] = field(default_factory=dict)
    roots: list[Root] = field(default_factory=list)

    @property
    def spots(self) -> set[tuple[int | None, int]]:
        """Cells and lines of the roots."""
        return {root.event.spot for root in self.roots}


def explain(run: Runner, first: Judge, seconds: float) -> Explained:
    """Return the lines at fault; after each the right value goes on."""
    fixes: dict[Any, Fix] = {}
    roots: dict[int, Root] = {}
    judge, until = first, time.process_time() + seconds
    for _ in range(ROUNDS):
        found = None
        for judgement in _wrong(judge, fixes):
            if judgement.event.index in roots:
                continue
            if time.process_time() > until:
                roots[judgement.event.index] = _own(judgement)
                continue
            settle = settled if judgement.verdict == "raises" else culprit
            found = settle(run, judge, judgement, fixes)
            if found is not None:
                break
            roots[judgement.event.index] = _own(judgement)
        if found is None:
            break
        root, fix = found
        fixes[root.event.index if fix.ours else root.event.mark] = fix
        roots = {i: r for i, r in roots.items() if i < root.event.index}
        roots[root.event.index] = root
        judge = run(fixes=fixes, before=judge.learned)
    kept: dict[tuple[int | None, int], Root] = {}
    for index in sorted(roots):
        kept.setdefault(roots[index].event.spot, roots[index])
    return Explained(judge, fixes, list(kept.values()))


def _own(judgement: Judgement) -> Root:
    """Return a wrong line as its own root."""
    return Root(judgement.event, judgement.ours, judgement.expected, judgement.detail)


def _wrong(judge: Judge, fixes: Mapping[Any, Fix]) -> list[Judgement]:
    found = [j for j in judge.judgements.values() if j.verdict in ("wrong", "raises")
             and j.event.index not in fixes and j.event.mark not in fixes]
    return sorted(found, key=lambda j: j.event.index)


def culprit(run: Runner, judge: Judge, wrong: Judgement, fixes: Mapping[Any, Fix]) -> tuple[Root, Fix] | None:
    """Return an earlier line that is at fault for a wrong value, and what mends it; None where it is the line itself.

    A line that a small edit gives a value with which all is right is the likeliest; the earliest of several.
    """
    if wrong.expected is None:
        return None
    fallback = None
    for suspect in suspects(judge, wrong, fixes):
        values = _mending(run, judge, wrong, suspect, fixes)
        if not values:
            continue
        detail = "reshaped" if suspect.verdict == "reshaped" else ""
        first = next(iter(values))
        ours, text = (first, "") if detail else _reached(run, judge, suspect.event, values, fixes)
        fix = Fix(expression=text) if text and suspect.event.manner == "return" else Fix(ours or first)
        found = Root(suspect.event, ours or first, values[ours or first], detail, wrong, named=False), fix
        if ours:
            return found
        fallback = fallback or found
    if fallback is not None and _reached(run, judge, wrong.event, {wrong.ours: wrong.expected}, fixes, wrong)[0]:
        return None
    return fallback


def _reached(run: Runner, judge: Judge, event: Event, values: Mapping[str, np.ndarray], fixes: Mapping[Any, Fix],
             wrong: Judgement | None = None) -> tuple[str, str]:
    """Return the first of some values that a small edit of a line gives, and the edit; empty texts for none."""
    found: list[tuple[str, str]] = []

    def probe(at: Event, now: Judge) -> None:
        text = None if at.expression is None else ast.get_source_segment(at.cell.text, at.expression)
        if text is None:
            return
        target = next(iter(values))
        for edit in edits(text, scope_of(target, at, now, now.values_for(at, not target.startswith("grad_")))):
            node = now.value_of(at, edit.source)
            if node is None:
                continue
            if wrong is not None and wrong.detail and now.descends(wrong, node.value):
                found.append((wrong.ours, edit.source))
                return
            for ours, value in values.items():
                if close(node.value, value):
                    found.append((ours, edit.source))
                    return

    run(fixes=fixes, before=judge.before, probe={event.index: probe})
    return found[0] if found else ("", "")


def likely(event: Event, found: Iterable[Edit]) -> list[Edit]:
    """Return edits in the order that an error suggests: of shapes that do not fit, those of shapes first."""
    reason = event.unknown.reason if event.unknown is not None else ""
    first = ("broadcast",) if "broadcast" in reason else ()
    return sorted(found, key=lambda e: e.kind not in first)


def settled(run: Runner, judge: Judge, raising: Judgement, fixes: Mapping[Any, Fix]) -> tuple[Root, Fix] | None:
    """Return what a line that raises an error, and whose name says nothing, should compute.

    It is a value of the network that an edit of the line gives; of several, the one with which the rest is right.
    """
    event = raising.event
    names: dict[str, int] = {}

    def probe(at: Event, judge: Judge) -> None:
        if at.expression is None:
            return
        text = ast.get_source_segment(at.cell.text, at.expression)
        values = judge.values_for_operands(at, raising.operands)
        for edit in likely(at, edits(text, scope_of("", at, judge, values))) if text is not None else ():
            node = judge.value_of(at, edit.source)
            if node is not None:
                ours, how = judge.by_value(replace(at, node=node), values)
                if how == "equal" and ours != "function":
                    names.setdefault(ours, len(names))

    run(fixes=fixes, before=judge.before, probe={event.index: probe})
    if not names:
        tags = {tag[0] for node in raising.operands for tag in node.tags}
        values = judge.values_for_operands(event, raising.operands)
        done = {j.ours for j in judge.judgements.values() if j.verdict == "right" and j.event.index < event.index}
        names = {n: k for k, n in enumerate(values) if is_main(n) and n not in done and n[:1] not in "WbXYr"
                 and ("Y" in tags or not tags or not n.startswith("grad_"))}
    best: tuple[int, str] | None = None
    for ours in sorted(names, key=lambda n: (not is_main(n), names[n]))[:10]:
        trial = run(fixes={**fixes, event.index: Fix(ours)}, before=judge.before)
        bad = sum(j.verdict in ("wrong", "raises", "unknown") for j in trial.judgements.values())
        if best is None or bad < best[0]:
            best = bad, ours
    if best is None:
        return None
    final = run(fixes={**fixes, event.index: Fix(best[1])}, before=judge.before).judgements[event.index]
    return Root(event, best[1], final.expected, "", None, named=False), Fix(best[1])


def suspects(judge: Judge, wrong: Judgement, fixes: Mapping[Any, Fix]) -> list[Judgement]:
    """Return the events that a wrong value is computed from and that are none of the network's values."""
    start = [wrong.event.node] if wrong.event.node is not None else list(wrong.operands)
    holders: dict[int, list[Judgement]] = {}
    for judgement in judge.judgements.values():
        if judgement.event.node is not None and judgement.event.manner != "handed":
            holders.setdefault(id(judgement.event.node), []).append(judgement)
    found: dict[int, Judgement] = {}
    seen: set[int] = set()
    while start:
        node = start.pop()
        if node is None or id(node) in seen:
            continue
        seen.add(id(node))
        here = [j for j in holders.get(id(node), ()) if j.event is not wrong.event and j.event.index not in fixes]
        if node.op == "corrected" or any(j.verdict in ("right", "wrong") and j.ours != "function" for j in here):
            continue
        for judgement in here:
            if judgement.event.index < wrong.event.index and (
                    judgement.verdict == "reshaped" or (judgement.verdict == "unknown" and node.tags)):
                found[judgement.event.index] = judgement
        start += node.parents
    return [found[k] for k in sorted(found)][:SUSPECTS]


def _mending(run: Runner, judge: Judge, wrong: Judgement, suspect: Judgement,
             fixes: Mapping[Any, Fix]) -> dict[str, np.ndarray]:
    """Return the values of the network that make a wrong value right where they stand in for a suspect's."""
    found: dict[str, np.ndarray] = {}
    for ours, value in _candidates(judge, suspect, wrong):
        if len(found) >= 8 or ours in found:
            continue
        if wrong.event.node is not None and suspect.event.node is not None:
            try:
                good = _agrees(judge, wrong, recompute(wrong.event.node, {suspect.event.node: value}))
            except Unreadable:
                continue
        else:
            trial = run(fixes={**fixes, suspect.event.index: Fix(ours)}, before=judge.before)
            again = trial.judgements.get(wrong.event.index)
            good = again is not None and again.verdict == "right"
        if good:
            found[ours] = value
    return found


def _agrees(judge: Judge, wrong: Judgement, result: Any) -> bool:
    if wrong.expected is None:
        return False
    if wrong.rate is not None or wrong.detail:
        return close(result, wrong.expected) or judge.descends(wrong, result)
    return close(result, wrong.expected)


def _candidates(judge: Judge, suspect: Judgement, wrong: Judgement) -> Iterator[tuple[str, np.ndarray]]:
    """Yield values that a suspect may have been meant to have, the likeliest first."""
    event = suspect.event
    if event.node is None:
        return
    values = judge.values_for(event, not any(t[0] == "Y" for t in event.node.tags))
    if suspect.verdict == "reshaped" and suspect.ours in values:
        yield suspect.ours, values[suspect.ours]
        return
    shape = np.shape(event.node.value)
    layer = error_signal(event.target)
    same = event.node is wrong.event.node
    order = sorted(values, key=lambda n: (not (same and n == wrong.ours), n != f"grad_a{layer}",
                                          not n.startswith("grad_"), not n[1:].isdigit()))
    order = [n for n in order if n != "N" and (shape or n == "loss")]
    yield from ((n, values[n]) for n in order if values[n].shape == shape)
    yield from ((n, values[n]) for n in order if values[n].shape != shape and (
        squeezed_equal(values[n].shape, shape) or n.startswith("grad_") or is_main(n)))
