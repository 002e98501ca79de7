"""Which lines may hold the one mistake that explains what is wrong, the likeliest first."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from typing import TYPE_CHECKING

from gradwright.checking.blaming import Explained
from gradwright.checking.functions_found import USUAL
from gradwright.checking.judgements import Judgement, is_main
from gradwright.checking.mending import Mended
from gradwright.checking.naming import is_called_loss, label, looks_like_gradient
from gradwright.checking.nodes import ancestors_of
from gradwright.checking.objects import Event, Function, Instance, Mark

if TYPE_CHECKING:
    from gradwright.checking.bench import Bench


def lines_to_try(bench: Bench, explained: Explained, mended: Mapping[int, Mended]) -> list[Event]:
    """Return the lines that may be at fault, the likeliest first: those that raise, roots, and what roots come from."""
    events = bench.plain[0].events
    known = {j.event.index: j for j in explained.judge.judgements.values()}
    roots = {root.event.index for root in explained.roots}
    nodes = [events[i].node for i in sorted(roots) if i < len(events)]
    each = [bench.plain_graph.ancestors(node) for node in nodes if node is not None]
    above = frozenset().union(*each)
    common = frozenset.intersection(*each) if len(each) > 1 else frozenset()
    leaves = {leaf.event for leaf in bench.wiring.leaves}
    called = {f for root in explained.roots for f in called_by(root.event)}
    raising = next((e for e in events if e.unknown is not None and e.unknown.stops), None)
    led_there = _above(explained, raising) if raising is not None else {}
    called_there = called_by(raising) if raising is not None else {}
    read_there = {n.id for n in ast.walk(raising.expression) if isinstance(n, ast.Name)} \
        if raising is not None and raising.expression is not None else set()

    rare = rare_values(explained)
    read_by_roots = {ast.unparse(n) for root in explained.roots if root.event.expression is not None
                     for n in ast.walk(root.event.expression) if isinstance(n, (ast.Name, ast.Attribute))}

    def rank(event: Event) -> tuple[int, int]:
        judged = known.get(event.index)
        if judged is not None and judged.ours in rare:
            return -1, event.index
        if raising is not None and (event is raising or (event.manner == "return"
                                                         and event.frame.function in called_there)):
            return 0, event.index
        if raising is not None and event.unknown is not None and raising.unknown is not None \
                and event.unknown.reason == raising.unknown.reason and event.index <= raising.index + 2:
            return 1, event.index  # the calls that led to the error
        if raising is not None and event.index < raising.index and label(event.target) in read_there:
            return 1, -event.index  # what the line reads, the latest first
        if event.mark in led_there:
            return 2, -led_there[event.mark]
        upstream = event.node is not None and id(event.node) in above
        if upstream and event.is_alias and event.written in read_by_roots:
            return 1, event.index  # another name of a value, perhaps of the wrong one
        if upstream and event.manner == "return" and event.frame.function in called:
            return 1, event.index
        if event.node is not None and id(event.node) in common and not _is_right(judged):
            return 2, -event.index  # one mistake, perhaps, for several lines
        if event.index in mended:
            return 3, event.index
        if upstream and (judged is None or judged.verdict in ("unknown", "raises") or event.manner == "return"):
            return 4, event.index
        if event.index in roots or (event.unknown is not None and event.unknown.stops):
            return 5, event.index
        return 6 if upstream else 7, event.index

    matters = _what_matters(bench)
    marks = {e.mark for e in events if e.node is None or id(e.node) in matters or rank(e)[0] < 3}
    found: dict[Mark, Event] = {}
    for event in sorted(events, key=rank):
        if event.expression is not None and event.index not in leaves and event.manner != "shown" and (
                event.node is None or event.node.tags or not leaves) and event.mark in marks:
            found.setdefault(event.mark, event)
    return list(found.values())


def rare_values(explained: Explained) -> frozenset[str]:
    """Return the values of rare activations; perhaps a mistake makes one of a usual one."""
    layers = explained.judge.setting.network.layers
    return frozenset(f"h{k}" for k, layer in enumerate(layers, start=1) if layer.activation not in USUAL)


def _above(explained: Explained, raising: Event) -> dict[Mark, int]:
    """Return the lines that lead to one that raises an error, each with its last place."""
    judge = explained.judge
    there = next((e for e in judge.run.events if e.mark == raising.mark and e.node is None), None)
    if there is None:
        return {}
    above = frozenset().union(*(ancestors_of(node) for node in judge.operands_of(there)))
    return {e.mark: e.index for e in judge.run.events if e.node is not None and id(e.node) in above
            and e.index < there.index}


def _is_right(judged: Judgement | None) -> bool:
    return judged is not None and judged.verdict == "right" and is_main(judged.ours)


def _what_matters(bench: Bench) -> set[int]:
    """Return what losses, gradients and updates are computed from; a prediction beside them is at fault for nothing."""
    found: set[int] = set()
    for event in bench.plain[0].events:
        named = is_called_loss(event.target) or looks_like_gradient(event.target)
        if event.node is not None and (named or bench.graph.is_rewritten(event)):
            found |= bench.plain_graph.ancestors(event.node)
    return found


def called_by(event: Event) -> dict[Function, str]:
    """Return the functions and methods of the code that an expression calls, and as what."""
    found: dict[Function, str] = {}
    for node in ast.walk(event.expression) if event.expression is not None else ():
        if not isinstance(node, ast.Call):
            continue
        of = node.func.value if isinstance(node.func, ast.Attribute) else node.func
        frame = event.frame.find(of.id) if isinstance(of, ast.Name) else None
        value = frame.names[of.id] if frame is not None and isinstance(of, ast.Name) else None
        if isinstance(node.func, ast.Attribute):
            value = value.kind.find(node.func.attr) if isinstance(value, Instance) else None
        if isinstance(value, Function):
            found[value] = ast.unparse(node.func)
    return found
