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
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from gradwright.checking.blaming import Explained, likely
from gradwright.checking.comparing import Judge
from gradwright.checking.edits import Edit, edits
from gradwright.checking.expressions import parsed
from gradwright.checking.following import Follower, partial_events
from gradwright.checking.functions_found import evidence, readings
from gradwright.checking.interpreter import Interpreter
from gradwright.checking.layouts import Quantities
from gradwright.checking.mending import Mended, any_name, is_rigid
from gradwright.checking.naming import is_called_loss, label, looks_like_gradient, looks_like_loss
from gradwright.checking.nodes import Array, Node, Unreadable, recompute
from gradwright.checking.objects import Event, Function, Mark
from gradwright.checking.reference import activation_value, close, slope
from gradwright.checking.scoping import scope_of
from gradwright.checking.settings import Setting
from symbolic.network import Network

if TYPE_CHECKING:
    from gradwright.checking.checker import Bench

EDITS = 60
"""As many edits of one line are tried, first those with which a function of the code is a known one."""

SAME = 3
"""As many edits that give the same value in the first round of a loop are tried."""

MADE = 400
"""As many edits of a line are made."""

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


@contextmanager
def edited(event: Event, source: str) -> Iterator[None]:
    """Let a line have another expression for a while."""
    old = event.expression
    assert old is not None
    new = ast.parse(f"({source.strip()})", mode="eval").body
    for node in ast.walk(new):
        if hasattr(node, "lineno"):
            ast.copy_location(node, old)
    put = _place_of(old, event.cell.tree)
    put(new)
    try:
        yield
    finally:
        put(old)


@contextmanager
def swapped(block: list[ast.stmt], first: int, later: int) -> Iterator[None]:
    """Let a later statement of a block stand before an earlier one for a while."""
    moved = block.pop(later)
    block.insert(first, moved)
    try:
        yield
    finally:
        block.pop(first)
        block.insert(later, moved)


def _blocks(event: Event) -> Iterator[tuple[list[ast.stmt], int]]:
    """Yield the statements among which an assignment stands, and its place there."""
    for node in ast.walk(event.cell.tree):
        for name in ("body", "orelse"):
            block = getattr(node, name, None)
            if isinstance(block, list):
                for k, statement in enumerate(block):
                    if statement is event.tree or (not hasattr(statement, "body")
                                                   and any(part is event.tree for part in ast.walk(statement))):
                        yield block, k


def _place_of(tree: ast.expr, within: ast.AST) -> Callable[[ast.expr], None]:
    """Return what puts another expression into the place of one."""
    for node in ast.walk(within):
        for name, value in ast.iter_fields(node):
            if value is tree:
                return lambda new, node=node, name=name: setattr(node, name, new)  # type: ignore[misc]
            if isinstance(value, list):
                for k, item in enumerate(value):
                    if item is tree:
                        return lambda new, value=value, k=k: value.__setitem__(k, new)  # type: ignore[misc]
    raise LookupError("the expression is no part of the cell")


@dataclass(eq=False)
class Options:
    """The edits of each line, with values that differ from the line's own and from each other.

    Attributes:
        edits: By line, each with the value that it gives there.
        until: When to stop, in seconds of processor time.
        repeated: Lines that are run more than once: edits that give the same value first may differ later.
    """

    edits: dict[Mark, list[tuple[Edit, Node]]]
    until: float
    repeated: frozenset[Mark] = frozenset()

    def collect(self, event: Event, judge: Judge) -> None:
        """Find the edits of a line; called where it is about to be assigned."""
        mark = event.mark
        if mark in self.edits or event.expression is None or time.process_time() > self.until:
            return
        text = ast.get_source_segment(event.cell.text, event.expression)
        if text is None:
            return
        forward = event.node is None or not any(t[0] == "Y" for t in event.node.tags)
        target = "loss" if looks_like_loss(event.target) else ""
        scope = scope_of(target, event, judge, judge.values_for(event, forward))
        own, seen = _mark(None if event.node is None else event.node.value), Counter[object]()
        known = {_mark(value) for value in known_functions(event)} - {own}
        alike = SAME if mark in self.repeated else 1
        made = EDITS if not known else MADE
        found: list[tuple[Edit, Node]] = []
        usual, names = likely(event, edits(text, scope)), any_name(text, scope)
        if event.unknown is not None and event.unknown.raises:  # names as soon as shapes
            both = itertools.chain.from_iterable(itertools.zip_longest(usual, names))
            usual, names = [edit for edit in both if edit is not None], iter(())
        for edit in itertools.chain(usual, names, forms(text, scope.numpy)):
            if is_rigid(edit.source, text):
                continue
            node = judge.value_of(event, edit.source)
            if node is None or (event.node is not None and event.node.tags and not node.tags):
                continue  # a constant is no value of a network
            value = _mark(node.value)
            seen[value] += 1
            if value != own and seen[value] <= alike:
                found.append((edit, node))
                if len(found) == made:
                    break
        self.edits[mark] = sorted(found, key=lambda f: _mark(f[1].value) not in known)[:EDITS]


def known_functions(event: Event) -> Iterator[np.ndarray]:
    """Yield what a function of the code may have to return for its arguments: activations, and their derivatives."""
    if event.manner != "return" or event.frame.function is None:
        return
    for name in event.frame.parameters:
        value = event.frame.names.get(name)
        a = np.asarray(value.value) if isinstance(value, Array) else np.zeros(())
        if a.ndim and a.dtype.kind == "f" and np.all(np.isfinite(a)):
            for activation in ("sigmoid", "tanh", "relu", "leaky_relu", "softplus", "elu"):
                yield from (activation_value(activation, a), slope(activation, a))
            yield from (activation_value("softmax", a, axis) for axis in range(a.ndim))
            yield from (a * (1 - a), 1 - a * a)


def forms(text: str, numpy: str) -> Iterator[Edit]:
    """Yield activations and their derivatives for an expression, or of one within it, as functions of the code have."""
    tree, end = parsed(text), len(text)
    for node in ast.walk(tree):
        part = ast.get_source_segment(text.strip(), node)
        if part is None or part == numpy or not isinstance(node, (ast.Name, ast.Call, ast.Attribute)):
            continue
        kind = "missing_factor" if node is tree else "activation_derivative"
        for new, factor in ((f"{part} * (1 - {part})", f"1 - {part}"), (f"{part} * ({part} > 0)", f"{part} > 0")):
            why = f"the factor `{factor}` is missing" if node is tree else f"`{text}` stands where `{new}` belongs"
            yield Edit(new, kind, why, 0, end)
        for new in (f"1 - {part} ** 2", f"({part} > 0) * 1.0"):
            yield Edit(new, "activation_derivative", f"`{text}` stands where `{new}` belongs", 0, end)


def _mark(value: Any) -> object:
    """Return what tells two values apart."""
    value = None if value is None else np.asarray(value)
    return value if value is None else (value.shape, (value.astype(float).round(9) + 0.0).tobytes())


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
    marks = Counter(e.mark for e in bench.plain[0].events)
    options = Options({}, until, frozenset(mark for mark, count in marks.items() if count > 1))
    lines = _lines(bench, explained, bench.corrections(setting, explained))
    kept = frozenset(explained.judge.learned.decays)
    later: list[tuple[Event, Edit]] = []
    goal = Goal.of(bench, networks) if bench.trusted else None
    for line in lines:
        if line.unknown is not None and line.unknown.raises:
            for block, k in _blocks(line):
                for other in range(k + 1, min(k + 4, len(block))):
                    with swapped(block, k, other):
                        found = _reading(bench, line, None, kept)
                    if found is not None:
                        return found
    groups = [lines[k:k + GROUP] for k in range(0, len(lines), GROUP)]
    first = lines[0].unknown if lines else None
    if first is not None and first.raises:  # with the calls that led there
        count = sum(e.unknown is not None and e.unknown.reason == first.reason for e in lines[:3])
        groups = [lines[:count], *(lines[k:k + GROUP] for k in range(count, len(lines), GROUP))]
    for group in groups:
        bench.listening(setting, {e.index: options.collect for e in group})
        tries = [(k, line, edit, node) for line in group
                 for k, (edit, node) in enumerate(options.edits.get(line.mark, []))]
        for _, event, edit, node in sorted(tries, key=lambda t: t[0]):
            if time.process_time() > until:
                return None
            if goal is not None and not goal.may_reach(event, node):
                later.append((event, edit))
                continue
            found = _reading(bench, event, edit, kept, goal)
            if found is not None:
                return found
    for event, edit in later:
        if time.process_time() > until:
            return None
        found = _reading(bench, event, edit, kept)
        if found is not None:
            return found
    return None


@dataclass(eq=False)
class Goal:
    """What the first layer's gradient must be a multiple of, to tell quickly that an edit cannot be the right one.

    Attributes:
        nodes: The values in the run that may be that gradient.
        expected: That gradient under each reading.
        once: The lines that assign once: of others, one value says nothing.
    """

    nodes: list[Node]
    expected: list[np.ndarray]
    once: set[Mark]
    ancestors: Callable[[Node], frozenset[int]]

    @staticmethod
    def of(bench: Bench, networks: Sequence[Setting]) -> Goal | None:
        """Return the goal of a file; None where no value may be the gradient."""
        run, follower = bench.plain
        gradients = [_first_gradient(follower, s) for s in {s.network: s for s in networks}.values()]
        expected = [g for g in gradients if g is not None]
        if not expected:
            return None
        nodes = [e.node for e in run.events if e.node is not None and e.node.event == e.index
                 and e.node.shape == expected[0].shape and any(t[0] == "Y" for t in e.node.tags)]
        marks = [e.mark for e in run.events]
        return Goal(nodes[:3], expected, {m for m in marks if marks.count(m) == 1},
                    bench.plain_graph.ancestors) if nodes else None

    def is_reached(self, run: Interpreter) -> bool:
        """Say whether a value of another run is the gradient under one of the readings."""
        return any(_is_multiple(n.value, g) for n in run.tape.nodes for g in self.expected if n.shape == g.shape)

    def may_reach(self, event: Event, node: Node) -> bool:
        """Say whether a value in place of a line's leads to the gradient under one of the readings."""
        if event.node is None or event.mark not in self.once:
            return True
        for of in self.nodes:
            value = of.value
            if id(event.node) in self.ancestors(of):
                try:
                    value = recompute(of, {event.node: node.value})
                except Unreadable:
                    continue
            if any(_is_multiple(value, g) for g in self.expected):
                return True
        return False


def _lines(bench: Bench, explained: Explained, mended: Mapping[int, Mended]) -> list[Event]:
    """Return the lines that may be at fault, the likeliest first: those that raise, roots, and what roots come from."""
    events = bench.plain[0].events
    known = {j.event.index: j for j in explained.judge.judgements.values()}
    roots = {root.event.index for root in explained.roots}
    above: set[int] = set()
    for root in explained.roots:
        node = events[root.event.index].node if root.event.index < len(events) else None
        if node is not None:
            above |= bench.plain_graph.ancestors(node)
    leaves = {leaf.event for leaf in bench.wiring.leaves}
    called = {f for root in explained.roots for f in called_by(root.event)}
    raising = next((e for e in events if e.unknown is not None and e.unknown.raises), None)
    called_there = called_by(raising) if raising is not None else {}
    read_there = {n.id for n in ast.walk(raising.expression) if isinstance(n, ast.Name)} \
        if raising is not None and raising.expression is not None else set()

    def rank(event: Event) -> tuple[int, int]:
        judged = known.get(event.index)
        if raising is not None and (event is raising or (event.manner == "return"
                                                         and event.frame.function in called_there)):
            return 0, event.index
        if raising is not None and event.unknown is not None and raising.unknown is not None \
                and event.unknown.reason == raising.unknown.reason and event.index <= raising.index + 2:
            return 1, event.index  # the calls that led to the error
        if raising is not None and event.index < raising.index and label(event.target) in read_there:
            return 1, -event.index  # what the line reads, the latest first
        upstream = event.node is not None and id(event.node) in above
        if upstream and event.manner == "return" and event.frame.function in called:
            return 1, event.index
        if event.index in mended:
            return 2, event.index
        if upstream and (judged is None or judged.verdict in ("unknown", "raises") or event.manner == "return"):
            return 3, event.index
        if event.index in roots or (event.unknown is not None and event.unknown.raises):
            return 4, event.index
        return 5 if upstream else 6, event.index

    matters = _what_matters(bench)
    marks = {e.mark for e in events if e.node is None or id(e.node) in matters}
    found: dict[Mark, Event] = {}
    for event in sorted(events, key=rank):
        if event.expression is not None and event.index not in leaves and event.manner != "shown" and (
                event.node is None or event.node.tags) and event.mark in marks:
            found.setdefault(event.mark, event)
    return list(found.values())


def _what_matters(bench: Bench) -> set[int]:
    """Return what losses, gradients and updates are computed from; a prediction beside them is at fault for nothing."""
    found: set[int] = set()
    for event in bench.plain[0].events:
        named = is_called_loss(event.target) or looks_like_gradient(event.target)
        if event.node is not None and (named or bench.graph.is_rewritten(event)):
            found |= bench.plain_graph.ancestors(event.node)
    return found


def _reading(bench: Bench, event: Event, edit: Edit | None, kept: frozenset[str],
             goal: Goal | None = None) -> Hypothesis | None:
    """Return how a file with an edit may be read so that nothing is wrong, and some weights still decay."""
    with edited(event, edit.source) if edit is not None else nullcontext():
        now = bench.again()
        if now is None or len(now.wiring.parameters) < len(bench.wiring.parameters):
            return None
        run, follower = now.plain
        if any(e.unknown is not None and e.unknown.raises for e in run.events):
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
                expected = _first_gradient(follower, setting)
                reached[setting.network] = expected is not None and any(
                    n.shape == expected.shape and _is_multiple(n.value, expected) for n in follower.tape.nodes)
            if reached[setting.network]:
                first = now.judge(setting)
                if not now.cost(first, setting):
                    judge = now.judge(setting, before=first.learned)
                    if not now.cost(judge, setting) and is_covered(judge, lossy) and kept <= set(judge.learned.decays):
                        return Hypothesis(event, edit, now, setting, judge)
    return None


def called_by(event: Event) -> dict[Function, str]:
    """Return the functions of the code that an expression calls, and as what."""
    found: dict[Function, str] = {}
    for node in ast.walk(event.expression) if event.expression is not None else ():
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            frame = event.frame.find(node.func.id)
            value = frame.names[node.func.id] if frame is not None else None
            if isinstance(value, Function):
                found[value] = node.func.id
    return found


def is_covered(judge: Judge, lossy: bool) -> bool:
    """Say whether a run has every gradient by a parameter, and the loss where there is one, and all are right."""
    right = {j.ours if j.rate is None else f"grad_{j.ours}" for j in judge.judgements.values()
             if j.verdict in ("right", "reshaped")}
    return all(f"grad_{leaf.ours}" in right for leaf in judge.wiring.parameters) and (not lossy or "loss" in right)


def _first_gradient(follower: Follower, setting: Setting) -> np.ndarray | None:
    """Return the gradient by the first layer's weights at the values of a run, in the layout of the code."""
    quantities = Quantities(follower.wiring, follower.chosen, setting=setting)
    quantities.versions = follower.versions
    return quantities.first().get("grad_W1")


def _is_multiple(value: Any, expected: np.ndarray) -> bool:
    value = np.asarray(value)
    if value.shape != expected.shape or value.dtype.kind != "f" or not np.all(np.isfinite(value)):
        return False
    norm = float(np.sum(expected * expected))
    factor = float(np.sum(value * expected)) / norm if norm else 0.0
    return factor != 0 and close(value / factor, expected)
