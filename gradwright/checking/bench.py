"""A file and the runs of it: the reading under which the fewest lines are at fault, and those."""

from __future__ import annotations

import ast
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any

import numpy as np

from gradwright.checking.blaming import Explained, Root, explain
from gradwright.checking.comparing import Judge, Listening
from gradwright.checking.edit_types import Edit
from gradwright.checking.expressions import parsed
from gradwright.checking.following import Follower, partial_events, random_leaves
from gradwright.checking.functions_found import (
    USUAL,
    Evidence,
    evidence,
    factors,
    networks,
    of_another_loss,
    readings,
    scales_of,
)
from gradwright.checking.goals import factors_reached, is_covered
from gradwright.checking.graph import Graph
from gradwright.checking.hypotheses import same_kind, search
from gradwright.checking.interpreter import Interpreter
from gradwright.checking.judgements import Fix, Judgement, is_main
from gradwright.checking.lines_to_try import called_by
from gradwright.checking.mending import Mended, mend
from gradwright.checking.objects import Event
from gradwright.checking.recognising import find_wirings
from gradwright.checking.settings import Setting
from gradwright.checking.source import Source
from gradwright.checking.wiring import NotRecognised, Wiring
from gradwright.checking.words import is_stale
from symbolic.errors import InputError
from symbolic.network import Layer, Network

NOTHING = Wiring("columns", (1, 1), ())
"""Of a file in which no network is found."""

CONTENDERS = 4
"""As many readings are looked at closely."""

PATIENCE = 12
"""After so many readings that are no better than the best, no more are tried."""

PATIENTLY = 1.5
"""As much longer are readings tried where lines are wrong under each."""

FIRST = 6
"""So many readings are tried at any rate."""

FAR = 3
"""A reading with so many times the wrong lines of the best does not become the best when it is run again."""

READINGS, FEW = 16, 4
"""So many readings tell of an edit whether it can be right; so many in a brief search."""

SEARCH = 4.0
"""As long is one edit looked for that makes all right."""

BRIEFLY = 0.8
"""As long, where small edits of several lines explain all as well: as a rule these are several mistakes."""

SEVERAL = 3
"""So many lines at fault are seldom as many mistakes."""

MEND = 1.0
"""As long are edits of the lines at fault tried."""

EXPLAIN = 0.8
"""As long are the mistakes of the first reading looked for."""

SECONDS = 1.2
"""As long may the readings of a file be tried; the best so far is then taken."""


@dataclass(frozen=True)
class _Judged:
    """A reading, its run, and its rank among others.

    The rank is how many lines are wrong, whether gradients are not found, how many lines on the way to them say nothing
    though all is right, rare activations, how many lines say nothing at any rate, a sum, and the order.
    """

    rank: tuple[int, bool, int, int, int, bool, int]
    setting: Setting
    judge: Judge


@dataclass(eq=False)
class Bench:
    """A file and the runs of it.

    Attributes:
        source: The code.
        files: What reads the arrays that it loads.
        own: The run at its own values.
        wiring: Parameters, inputs and labels.
        partial: Events that are only a step to the next of the same name.
        hints: Our name for the code's, where the user gave them.
    """

    source: Source
    files: Callable[[str], Any]
    own: Interpreter
    wiring: Wiring
    partial: frozenset[int] = frozenset()
    hints: Mapping[str, str] = field(default_factory=dict)
    _corrections: dict[Explained, dict[int, Mended]] = field(default_factory=dict)

    @cached_property
    def trusted(self) -> bool:
        """Whether parameters, inputs and labels were found in a run without an error."""
        counts = [sum(leaf.ours == ours for leaf in self.wiring.leaves) for ours in ("X", "Y")]
        raises = any(e.unknown is not None and e.unknown.raises for e in self.own.events)
        return counts[0] == counts[1] > 0 and not raises

    @cached_property
    def _raises(self) -> bool:
        """Whether the file raises an error at random values."""
        return any(e.unknown is not None and e.unknown.raises for e in self.plain[0].events)

    @cached_property
    def graph(self) -> Graph:
        """What depends on what."""
        return Graph(self.own)

    @cached_property
    def chosen(self) -> dict[int, Any]:
        """Random values for the leaves."""
        return random_leaves(self.graph, self.wiring, 1)

    @cached_property
    def plain(self) -> tuple[Interpreter, Follower]:
        """The run at random values, with nothing corrected."""
        return self.follow(self.chosen)

    def follow(self, chosen: Mapping[int, Any], replaced: Mapping[int, Any] | None = None
               ) -> tuple[Interpreter, Follower]:
        """Return a run at chosen values, with nothing corrected but what is given."""
        follower = Follower(self.wiring, chosen, replaced=replaced or {})
        run = Interpreter(self.source, follower, self.files)
        follower.tape = run.tape
        run.run()
        return run, follower

    @cached_property
    def plain_graph(self) -> Graph:
        """What depends on what at random values."""
        return Graph(self.plain[0])

    def judge(self, setting: Setting, chosen: Mapping[int, Any] | None = None, **more: Any) -> Judge:
        """Return a run in which events are compared, and wrong ones corrected."""
        judge = self._judge(setting, self.chosen if chosen is None else chosen, self.partial, more)
        if self._raises:  # what goes on with the right value shows steps that an error has hidden
            steps = partial_events(judge.run) - self.partial
            if any(i in steps and j.verdict == "wrong" for i, j in judge.judgements.items()):
                judge = self._judge(setting, judge.chosen, self.partial | steps, more)
        return judge

    def _judge(self, setting: Setting, chosen: Mapping[int, Any], partial: frozenset[int],
               more: Mapping[str, Any]) -> Judge:
        judge = Judge(self.wiring, chosen, setting=setting, partial=partial, **more)
        judge.run = Interpreter(self.source, judge, self.files)
        judge.tape = judge.run.tape
        judge.run.run()
        return judge

    def runner(self, setting: Setting) -> Callable[..., Judge]:
        """Return what runs the file under a reading."""
        return lambda **more: self.judge(setting, **more)

    def best(self, network: Network | None) -> tuple[Setting, Explained]:
        """Return the reading under which the fewest lines are at fault, and those.

        Where the first reading leaves lines without an explanation, one edit is looked for that makes all right. A
        mistake early in the file hides what follows; so, where there is no such edit, the file is looked at again with
        the first mistake corrected, and what is then seen may be read otherwise.
        """
        self.partial = partial_events(self.plain[0])
        seen = evidence(*self.plain, self.wiring)
        options = list(self._readings(network, seen))
        if not seen.losses:  # by what the gradients are, where no loss says it
            reached = factors_reached(*self.plain, options)
            options.sort(key=lambda s: not reached(s))
        literal = [s for s in options if _is_literal(s, options[0])] if seen.is_complete else []
        judged = self._judged(literal or options, seen)
        setting, explained = self._explained(judged[0], EXPLAIN)
        if not self._is_doubtful(setting, explained) or network is not None:
            return setting, explained
        if not self._raises and (len(explained.spots) > 1 or not self._is_explained(setting, explained)):
            for other in of_another_loss(seen, self.wiring, setting):
                judge = self.judge(other)
                wrong = [j for j in judge.judgements.values() if j.verdict in ("wrong", "raises")]
                if wrong and all(j.ours == "loss" for j in wrong) and is_covered(judge, lossy=False):
                    return self._explained(_Judged((1, False, 0, 0, 0, False, 0), other, judge), EXPLAIN)
        found = self._by_one_edit(setting, explained, seen)
        if found is None and len(literal) not in (0, len(options)) and not self._is_explained(setting, explained):
            judged = self._judged(options, seen)
            if judged[0].setting != replace(setting, rate=None):
                setting, explained = self._explained(judged[0], EXPLAIN)
                if not self._is_doubtful(setting, explained):
                    return setting, explained
                found = self._by_one_edit(setting, explained, seen)
        if found is not None or self._is_explained(setting, explained):
            return found or (setting, explained)
        return self._closest(judged)

    def repaired(self) -> tuple[Setting, Explained] | None:
        """Return the reading of a file in which no network is found before one edit; None where none is found then."""
        if not self.own.notes:
            return None
        setting = Setting(NOTHING, Network(1, (Layer(1, "identity"),), "mean_squared_error", "sum", "columns"))
        return self._by_one_edit(setting, Explained(self.judge(setting)), None)

    def _closest(self, judged: list[_Judged]) -> tuple[Setting, Explained]:
        started = time.process_time()
        seen, run, best = set(), self.plain, None
        for _ in range(3):
            cost, setting, explained = self._best(judged)
            if best is None or cost < best[0]:
                best = cost, setting, explained, self.partial
            if cost <= 1 or explained.roots[0].expected is None or time.process_time() - started > SECONDS:
                break
            first = explained.roots[0]
            run = self.follow(self.chosen, {first.event.index: first.expected})
            self.partial, found = partial_events(run[0]), evidence(*run, self.wiring)
            if (self.partial, found) in seen:
                break
            seen.add((self.partial, found))
            judged = self._judged(list(self._readings(None, found)), found)
        assert best is not None
        self.partial = best[3]
        return best[1], best[2]

    def corrections(self, setting: Setting, explained: Explained) -> dict[int, Mended]:
        """Return the correction of each root, found where it is about to be assigned."""
        if explained not in self._corrections:
            found = self._corrections[explained] = {}

            def probe(root: Root) -> Callable[[Event, Judge], None]:
                def look(event: Event, judge: Judge) -> None:
                    mended = mend(root, event, judge, until)
                    if mended is not None:
                        found[event.index] = mended
                return look

            until = time.process_time() + MEND
            if explained.roots:
                self.judge(setting, fixes=explained.fixes, before=explained.judge.before,
                           probe={root.event.index: probe(root) for root in explained.roots})
        return self._corrections[explained]

    def _is_doubtful(self, setting: Setting, explained: Explained) -> bool:
        """Say whether what is wrong may be explained better than by these lines."""
        if not explained.roots:
            if explained.judge.drawn:
                return False  # not everything can be found
            raises = any(e.unknown is not None and e.unknown.stops for e in self.own.events)
            return raises or not is_covered(explained.judge, lossy=False)
        if any(layer.activation not in USUAL for layer in setting.network.layers):
            return True
        found = self.corrections(setting, explained)
        if len(explained.spots) > 1:
            return True  # perhaps one mistake early in the file explains them all
        strange = {j.event.frame.function for j in explained.judge.judgements.values()
                   if j.event.manner == "return" and not _is_sound(j.ours)}
        for root in explained.roots:
            edit, called = found[root.event.index].edit if root.event.index in found else None, called_by(root.event)
            if any(function in strange for function in called):
                return True  # perhaps the function that is called is at fault
            if edit is not None and any(name not in edit.source for name in called.values()):
                return True  # perhaps the function that the edit avoids is at fault
            if edit is not None and called and edit.kind in ("missing_factor", "wrong_name"):
                return True  # perhaps the function that is called is at fault, and not what it is given
            if edit is not None and self._avoids_alias(root, edit):
                return True  # perhaps the name that it avoids is that of a wrong value
        return not self._is_explained(setting, explained)

    def _avoids_alias(self, root: Root, edit: Edit) -> bool:
        """Say whether an edit of a line avoids a name that is another name of a value."""
        def read(tree: ast.AST | None) -> Counter[str]:
            return Counter(ast.unparse(n) for n in (ast.walk(tree) if tree is not None else ())
                           if isinstance(n, (ast.Name, ast.Attribute)))

        avoided = read(root.event.expression) - read(parsed(edit.source))
        return any(e.is_alias and e.index < root.event.index and e.written in avoided for e in self.plain[0].events)

    def _is_explained(self, setting: Setting, explained: Explained) -> bool:
        """Say whether a small edit is known of each line at fault, at least of one."""
        found = self.corrections(setting, explained)
        return bool(explained.roots) and all((r.event.index in found and not found[r.event.index].double)
                                             or is_stale(r, explained.judge) for r in explained.roots)

    def again(self) -> Bench | None:
        """Return the bench of the file as its trees are now; None where an error is raised or no network is found."""
        if self.trusted:
            now = Bench(self.source, self.files, self.own, self.wiring, hints=self.hints)
            now.chosen = self.chosen
            return now
        own = Interpreter(self.source, files=self.files)
        own.run()
        if any(e.unknown is not None and e.unknown.stops for e in own.events):
            return None
        try:
            wirings = find_wirings(own, self.hints)
            names = [leaf.path for leaf in self.wiring.parameters]
            same = [w for w in wirings if names == [leaf.path for leaf in w.parameters]]
            return Bench(self.source, self.files, own, (same or wirings)[0], hints=self.hints)
        except NotRecognised:
            return None

    def listening(self, setting: Setting, probe: Mapping[int, Callable[[Event, Judge], None]],
                  known: Mapping[int, Judgement]) -> None:
        """Follow the file with nothing corrected, and look at some events, where it is known what others mean."""
        judge = Listening(self.wiring, self.chosen, setting=setting, partial=self.partial, probe=probe)
        judge.judgements = dict(known)
        judge.run = Interpreter(self.source, judge, self.files)
        judge.tape = judge.run.tape
        judge.run.run()

    def _by_one_edit(self, setting: Setting, explained: Explained,
                     seen: Evidence | None) -> tuple[Setting, Explained] | None:
        """Return the reading in which one edit makes all right, and that line; None where there is none."""
        usual = all(layer.activation in USUAL for layer in setting.network.layers)
        several = len(explained.spots) >= SEVERAL or same_kind(explained, self.corrections(setting, explained))
        brief = usual and not several and self._is_explained(setting, explained)
        seconds, most = (BRIEFLY, FEW) if brief else (SEARCH, READINGS)
        others = [] if seen is None else list(networks(seen, self.wiring, most))
        found = search(self, setting, explained, others, seconds)
        if found is None:
            return None
        right = _at(found.judge, found.event)
        if right is None or right.event.node is None:
            return None
        wiring, chosen, partial = self.wiring, self.chosen, self.partial
        self._take(found.bench.wiring, found.bench.chosen, found.bench.partial)
        reading = replace(found.setting, rate=_rate(found.judge))
        ours = "" if right.ours == "function" else right.ours
        fixes = {found.event.mark: Fix(expression=found.edit.source) if found.edit is not None else Fix(ours)}
        amended = self.judge(reading, fixes=fixes, before=found.judge.learned)
        at = _at(amended, found.event)
        if at is None:
            self._take(wiring, chosen, partial)
            return None
        times = sum(e.mark == found.event.mark for e in amended.run.events)
        root = Root(at.event, ours, np.asarray(right.event.node.value), edit=found.edit, repeated=times > 1)
        return reading, Explained(amended, dict(fixes), [root])

    def _take(self, wiring: Wiring, chosen: dict[int, Any], partial: frozenset[int]) -> None:
        """Go on with another wiring; what was found with the old one is forgotten."""
        for name in ("plain", "plain_graph", "trusted", "_raises"):
            self.__dict__.pop(name, None)
        self.wiring, self.chosen, self.partial = wiring, chosen, partial

    def _judged(self, options: Sequence[Setting], seen: Evidence) -> list[_Judged]:
        """Return readings with their runs, those with the fewest wrong lines first.

        A reading by which a layer has another activation than it computes has one more wrong line. What a run has
        learned makes the second right about more lines; a reading that is far behind the best is not run again.
        """
        found: list[_Judged] = []
        until = time.process_time() + SECONDS
        for order, setting in enumerate(options):
            judge = self.judge(setting)
            if not found or self.cost(judge, setting) <= FAR * (min(f.rank[0] for f in found) + 1):
                judge = self.judge(setting, before=judge.learned)
            while judge.after - setting.after:
                named = replace(setting, after=setting.after | judge.after)
                other = self.judge(named, before=judge.learned)
                if self.cost(other, named) >= self.cost(judge, setting):
                    break
                setting, judge = named, other
            rare = sum(layer.activation not in USUAL for layer in setting.network.layers)
            rare += seen.is_odd(setting.scales.loss)
            others = sum(bool(names) and layer.activation not in names
                         for layer, names in zip(setting.network.layers, seen.activations, strict=True))
            wrong, lost = self.cost(judge, setting) + others, not is_covered(judge, lossy=False)
            unknown = _unknown(judge)
            silent = 0 if wrong or lost else unknown
            rank = (wrong, lost, silent, rare, unknown, setting.network.reduction != "mean", order)
            found.append(_Judged(rank, setting, judge))
            best = min(found, key=lambda f: f.rank).rank
            patient = time.process_time() < until if not any(best[:2]) else (
                order - best[-1] < PATIENCE and (order < FIRST or time.process_time() < until + PATIENTLY))
            if not any(best[:3]) or not patient:
                break
        return sorted(found, key=lambda f: f.rank)

    def _explained(self, judged: _Judged, seconds: float) -> tuple[Setting, Explained]:
        """Return a reading with its learning rate, and which lines are at fault under it."""
        setting = replace(judged.setting, rate=_rate(judged.judge))
        run = self.runner(setting)
        return setting, explain(run, run(before=judged.judge.learned), seconds)

    def _best(self, found: list[_Judged]) -> tuple[int, Setting, Explained]:
        started, results = time.process_time(), []
        contenders = found[:CONTENDERS]
        if any(f.rank[3] for f in contenders):
            contenders += [f for f in found[CONTENDERS:] if not f.rank[3]][:2]
        for judged in contenders:
            setting, explained = self._explained(judged, SECONDS)
            cost = len(explained.spots) + self._apart(explained.judge, setting)
            results.append(((cost, *judged.rank[1:]), setting, explained))
            best_possible = not judged.rank[0] or (cost == 1 and not any((*judged.rank[1:4], judged.rank[5])))
            if best_possible or time.process_time() - started > SECONDS:
                break
        rank, setting, explained = min(results, key=lambda r: r[0])
        return rank[0], setting, explained

    def _readings(self, network: Network | None, seen: Evidence) -> Iterator[Setting]:
        if network is None:
            yield from readings(seen, self.wiring)
            return
        if network.widths != self.wiring.widths or network.samples != self.wiring.samples:
            raise InputError(f"the architecture has widths {'-'.join(map(str, network.widths))} and samples as "
                             f"{network.samples}, the code {'-'.join(map(str, self.wiring.widths))} and "
                             f"{self.wiring.samples}")
        for factor in factors(seen, network):
            for scales in scales_of(factor, seen.samples):
                yield Setting(self.wiring, network, scales)

    def cost(self, judge: Judge, setting: Setting) -> int:
        """Return how many lines are wrong; one more where loss and gradients do not belong together."""
        wrong = {j.event.spot for j in judge.judgements.values() if j.verdict in ("wrong", "raises")}
        return len(wrong) + self._apart(judge, setting)

    @staticmethod
    def _apart(judge: Judge, setting: Setting) -> bool:
        scales, updates = setting.scales, [j for j in judge.judgements.values() if j.rate is not None]
        if scales.parameters < 0 and not any(j.verdict == "right" for j in updates):
            return True  # only updates that add them make sense of gradients of −𝓛
        return scales.parameters != scales.loss and not all(j.plain for j in updates)


def _is_sound(ours: str) -> bool:
    """Say whether a function may well return such a value: one of the network, a slope, a known function."""
    return is_main(ours) or ours == "function" or ours.startswith("slope")


def _unknown(judge: Judge) -> int:
    """Return how many arrays that depend on the labels are none that is known: perhaps gradients of the other sign."""
    return sum(j.verdict == "unknown" and j.event.node is not None and j.event.manner not in ("shown", "handed")
               and j.event.index not in judge.partial and np.size(j.event.node.value) > 1
               and any(t[0] == "Y" for t in j.event.node.tags) for j in judge.judgements.values())


def _is_literal(setting: Setting, first: Setting) -> bool:
    """Say whether a reading differs from the first by the scales of gradients alone."""
    return setting.network == first.network and setting.scales.loss == first.scales.loss


def _at(judge: Judge, event: Event) -> Judgement | None:
    """Return what was found of an event in another run, where its expression may be another."""
    mark = event.spot, event.manner, event.target
    return next((j for j in judge.judgements.values()
                 if (j.event.spot, j.event.manner, j.event.target) == mark), None)


def _rate(judge: Judge) -> float | None:
    """Return the learning rate of most updates."""
    rates = [r for r in judge.rates if r > 0]
    return max(rates, key=lambda r: sum(abs(r - o) <= 1e-6 * r for o in rates)) if rates else None
