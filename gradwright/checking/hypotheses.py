"""One small edit that makes the whole file right: tried where lines alone do not explain what is wrong.

A mistake early in a file hides what the network is: its activations, its loss, sometimes its weights. So an edit of one
line is taken for granted, the file is read again from the start, and the edit is the mistake if nothing else is wrong.
"""

from __future__ import annotations

import ast
import itertools
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING

from gradwright.checking.blaming import Explained
from gradwright.checking.comparing import Judge
from gradwright.checking.edits import Edit
from gradwright.checking.expressions import parsed
from gradwright.checking.following import partial_events
from gradwright.checking.functions_found import evidence, readings
from gradwright.checking.goals import Goal, Wanted, first_gradient, is_covered, quantities
from gradwright.checking.judgements import is_main
from gradwright.checking.likely_edits import Option, Options
from gradwright.checking.lines_to_try import lines_to_try, rare_values
from gradwright.checking.mending import Mended
from gradwright.checking.naming import key, label, looks_like_gradient, looks_like_loss
from gradwright.checking.objects import Event, Mark
from gradwright.checking.reference import is_multiple
from gradwright.checking.settings import Setting
from gradwright.checking.trying import blocks_of, edited, swapped
from symbolic.network import Network

if TYPE_CHECKING:
    from gradwright.checking.bench import Bench

ROUNDS = 16
"""In as many further rounds of a loop are the edits of its lines followed."""

URGENT = 3
"""So many lines that lead to one that raises an error are tried with it."""

GROUP = 5
"""So many lines are looked at together: the first edits of each before further ones."""


@dataclass(frozen=True)
class Hypothesis:
    """An edit of a line with which all is right.

    Attributes:
        event: The first assignment by that line, in the run of the file as it is.
        edit: The edit; None where a later line belongs before this one.
        bench: The edited file.
        setting: What it computes.
        judge: Its run.
    """

    event: Event
    edit: Edit | None
    bench: Bench
    setting: Setting
    judge: Judge


def search(bench: Bench, setting: Setting, explained: Explained, networks: Sequence[Setting],
           seconds: float) -> Hypothesis | None:
    """Return an edit of one line with which nothing is wrong; None where none is found in time.

    Args:
        bench: The file.
        setting: A reading of it, for the roles of names.
        explained: What is wrong under that reading.
        networks: Other readings.
        seconds: How long to look.
    """
    until = time.process_time() + seconds
    mended = bench.corrections(setting, explained)
    lines = lines_to_try(bench, explained, mended)
    kept = frozenset(explained.judge.learned.decays)
    found = _by_order(bench, lines, kept, until)
    if found is not None:
        return found
    events = bench.plain[0].events
    for index, correction in mended.items():  # what mends one of them may mend them all
        if len(explained.roots) > 1 and correction.edit is not None and not correction.double and index < len(events):
            found = _reading(bench, events[index], correction.edit, kept)
            if found is not None:
                return found
    goal = Goal.of(bench, networks) if bench.trusted else None
    marks = Counter(e.mark for e in bench.plain[0].events)
    options = Options({}, until, frozenset(mark for mark, count in marks.items() if count > 1),
                      quantities(bench.plain[1], networks) if bench.trusted else frozenset(),
                      stops=any(e.unknown is not None and e.unknown.stops for e in bench.plain[0].events))
    wanted = Wanted.of(bench, explained)
    tried: set[tuple[Mark, str]] = set()
    later: list[tuple[Event, Edit]] = []
    for tries in _tries(bench, setting, lines, options, wanted, explained):
        for event, option in tries:
            if time.process_time() > until:
                return None
            mark = event.mark, option.edit.source
            if mark in tried:
                continue
            tried.add(mark)
            if goal is not None and not goal.may_reach(option, options.runs[event.mark]):
                later.append((event, option.edit))
                continue
            found = _reading(bench, event, option.edit, kept, goal)
            if found is not None:
                return found
    for event, edit in later:
        if time.process_time() > until:
            return None
        found = _reading(bench, event, edit, kept)
        if found is not None:
            return found
    return None


def _by_order(bench: Bench, lines: Sequence[Event], kept: frozenset[str], until: float) -> Hypothesis | None:
    """Return a later line that belongs before one that raises an error, where all is right with it there."""
    for line in lines:
        if line.unknown is not None and line.unknown.stops:
            for block, k in blocks_of(line):
                for other in range(k + 1, min(k + 4, len(block))):
                    if time.process_time() > until:
                        return None
                    with swapped(block, k, other):
                        found = _reading(bench, line, None, kept)
                    if found is not None:
                        return found
    return None


def same_kind(explained: Explained, mended: Mapping[int, Mended]) -> str:
    """Return the kind of mistake that all lines at fault seem to have, where there are several; perhaps it is one."""
    kinds = {mended[r.event.index].kind if r.event.index in mended else "" for r in explained.roots}
    return next(iter(kinds)) if len(kinds) == 1 and len(explained.roots) > 1 else ""


def _tries(bench: Bench, setting: Setting, lines: Sequence[Event], options: Options, wanted: Wanted | None,
           explained: Explained) -> Iterator[list[tuple[Event, Option]]]:
    """Yield edits to try: of lines that raise an error, then those that give a known quantity, then all."""
    kind = same_kind(explained, bench.corrections(setting, explained))
    judgements, rare = explained.judge.judgements, rare_values(explained)
    right = frozenset(i for i, j in judgements.items() if j.verdict == "right" and is_main(j.ours)
                      and j.ours not in rare)
    strange = frozenset(i for i, j in judgements.items() if j.ours in rare)

    def collected(group: Sequence[Event]) -> list[tuple[int, Event, Option]]:
        new = {e.mark for e in group if e.mark not in options.edits}
        bench.listening(setting, _probes(bench, new, options), explained.judge.judgements)
        return [(k, line, option) for line in group for k, option in enumerate(options.edits.get(line.mark, []))]

    def in_turn(group: Sequence[Event], urgent: int = GROUP) -> list[tuple[Event, Option]]:
        later = {id(line) for line in group[urgent:]}  # of these half as many in the same time
        ordered = sorted(collected(group), key=lambda t: t[0] * (2 if id(t[1]) in later else 1))
        return [(line, option) for _, line, option in ordered]

    first = lines[0].unknown if lines else None
    count = 0
    if first is not None and first.stops:  # with the calls that led there
        count = sum(e.unknown is not None and e.unknown.reason == first.reason for e in lines[:3])
        yield in_turn(lines[:count + URGENT], count)
    later: dict[int, list[tuple[Event, Option]]] = {1: [], 2: []}
    for k in range(0, len(lines) if options.quantities else 0, GROUP):
        group = [(line, option) for _, line, option in collected(lines[k:k + GROUP])]
        met = [t for t in group if wanted is not None and wanted.is_met(t[1], options.runs[t[0].mark])]
        known = sorted((t for t in group if t[1].known), key=lambda t: t[1].edit.kind != kind)
        at_once: list[tuple[Event, Option]] = []
        same = [t for t in known if t[0].is_alias and t[0].node is not None and not _computes_of_name(*t)
                and t[0].node.shape == t[1].node.shape]  # of these it is not known what they make right
        same += [t for t in known if t[0].index in strange]
        for t in (*same, *met, *known):  # what is named again is seldom computed there, what is right seldom wrong
            at = 1 if _computes_of_name(*t) else 2 if t[0].index in right and not t[0].is_alias else 0
            (later[at] if at else at_once).append(t)
        yield at_once
    yield from later.values()
    for k in range(count, len(lines), GROUP):
        yield in_turn(lines[k:k + GROUP])


def _computes_of_name(line: Event, option: Option) -> bool:
    """Say whether an edit computes something where a line only names a value again."""
    if not line.is_alias or isinstance(parsed(option.edit.source), (ast.Name, ast.Attribute, ast.Subscript)):
        return False
    names = line.target, ast.unparse(line.expression) if line.expression is not None else ""
    return not all(map(looks_like_gradient, names)) or key(label(names[0])) == key(label(names[1]))  # not dz = da


def _probes(bench: Bench, marks: set[Mark], options: Options) -> dict[int, Callable[[Event, Judge], None]]:
    """Return what to do where some lines are about to be assigned: in the first round, and in further ones."""
    rounds: dict[Mark, list[int]] = {}
    for event in bench.plain[0].events:
        if event.mark in marks:
            rounds.setdefault(event.mark, []).append(event.index)
    found: dict[int, Callable[[Event, Judge], None]] = {}
    for first, *others in rounds.values():
        found[first] = options.collect
        found |= dict.fromkeys(others[:ROUNDS + 1], options.follow if len(others) <= ROUNDS else options.forget)
    return found


def _reading(bench: Bench, event: Event, edit: Edit | None, kept: frozenset[str],
             goal: Goal | None = None) -> Hypothesis | None:
    """Return how a file with an edit may be read so that nothing is wrong, and some weights still decay."""
    with edited(event, edit.source) if edit is not None else nullcontext():
        now = bench.again()
        if now is None or len(now.wiring.parameters) < len(bench.wiring.parameters):
            return None
        run, follower = now.plain
        if any(e.unknown is not None and e.unknown.stops for e in run.events):
            return None
        if goal is not None and not goal.is_reached(run):
            return None
        found = evidence(run, follower, now.wiring)
        lossy = any(looks_like_loss(e.target) for e in run.events)
        if not all(found.activations[:-1]) or (lossy and not found.losses):
            return None
        now.partial = partial_events(run)
        reached: dict[Network, bool] = {}
        for setting in itertools.islice(readings(found, now.wiring), 12):
            hidden = [layer.activation for layer in setting.network.layers[:-1]]
            if hidden != [names[0] for names in found.activations[:-1]]:
                continue
            if setting.network not in reached:
                expected = first_gradient(follower, setting)
                reached[setting.network] = expected is not None and any(
                    n.shape == expected.shape and is_multiple(n.value, expected) for n in follower.tape.nodes)
            if reached[setting.network]:
                first = now.judge(setting)
                if not now.cost(first, setting):
                    judge = now.judge(setting, before=first.learned)
                    if not now.cost(judge, setting) and is_covered(judge, lossy) and kept <= set(judge.learned.decays):
                        return Hypothesis(event, edit, now, setting, judge)
    return None
