"""Hazards: what is wrong elsewhere, or will be, even where the value happens to be right."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import numpy as np

from gradwright.checking.comparing import Judge
from gradwright.checking.findings import Finding
from gradwright.checking.formulas import said
from gradwright.checking.graph import VIEWS
from gradwright.checking.mending import source_of
from gradwright.checking.naming import is_called_loss, key, label, looks_like_gradient
from gradwright.checking.nodes import Node
from gradwright.checking.objects import Event
from gradwright.checking.reference import CLOSE, close
from gradwright.checking.words import shape

if TYPE_CHECKING:
    from gradwright.checking.bench import Bench

_BROADCAST = ("add", "subtract", "multiply", "divide", "maximum", "minimum", "power")


def hazards(bench: Bench, judge: Judge, taken: set[tuple[int | None, int]]) -> list[Finding]:
    """Return warnings, one of a kind for a line, but for lines that have an error."""
    found: dict[tuple[object, ...], Finding] = {}
    for search in (_layouts, _unsummed, _broadcasts, _unstable, _integers, _overwritten, _shared, _means, _forgotten,
                   _undefined, _turned, _outdated):
        for event, kind, message in search(bench, judge):
            mark = (*event.spot, kind)
            if event.spot not in taken and mark not in found:
                found[mark] = Finding(event.place, source_of(event), kind, event.target, message, severity="warning")
    return list(found.values())


Warned = Iterator[tuple[Event, str, str]]


def _layouts(bench: Bench, judge: Judge) -> Warned:
    """A gradient whose shape is not that of its parameter."""
    for judgement in judge.judgements.values():
        ours, event = judgement.ours, judgement.event
        if (judgement.verdict == "reshaped" and judgement.expected is not None and event.node is not None
                and ours.startswith("grad_") and ours[5:6] in ("W", "b")):
            yield event, "broadcast", (
                f"{said(ours)} has shape {shape(event.node.shape)}, and `{_theirs(judge, ours[5:])}` has "
                f"{shape(judgement.expected.shape)}: the two are broadcast against each other where they meet.")
    if any(j.ours == "y_hat" and j.verdict == "right" for j in judge.judgements.values()):
        yield from _flattened(judge)


def _flattened(judge: Judge) -> Warned:
    """A gradient within the network that has lost the axis of its units or of its samples."""
    for judgement in judge.judgements.values():
        ours, event, expected = judgement.ours, judgement.event, judgement.expected
        if (judgement.verdict == "reshaped" and expected is not None and event.node is not None
                and re.fullmatch(r"grad_(?:[ah]\d+|y_hat)", ours) and len(event.node.shape) < expected.ndim):
            yield event, "shape_change", (
                f"{said(ours)} has shape {shape(event.node.shape)}, and {said(ours[5:])} has {shape(expected.shape)}: "
                "what has one axis and meets it makes a number or a matrix.")


def _unsummed(bench: Bench, judge: Judge) -> Warned:
    """A loss that is an array, where no other value is the loss."""
    if any(j.ours == "loss" for j in judge.judgements.values()):
        return
    for event in bench.plain[0].events:
        node = event.node
        if (node is not None and np.size(node.value) > 1 and is_called_loss(event.target)
                and event.manner in ("assign", "return") and {"X", "Y"} <= {t[0] for t in node.tags}):
            yield event, "missing_sum", (f"`{event.target}` has shape {shape(node.shape)}; the loss is the sum or the "
                                         "mean of its entries.")


def _theirs(judge: Judge, ours: str) -> str:
    return next((label(leaf.path) for leaf in judge.wiring.leaves if leaf.ours == ours), ours)


def _broadcasts(bench: Bench, judge: Judge) -> Warned:
    """A row and a column, or a vector and a column, that make a matrix."""
    run = bench.plain[0]
    for node in run.tape.nodes:
        if node.op not in _BROADCAST or len(node.parents) != 2:
            continue
        one, other = (p.shape for p in node.parents)
        if _spreads(one, other, node.shape):
            event = _first_event(bench, node)
            if event is not None:
                yield event, "broadcast", (f"shapes {shape(one)} and {shape(other)} are broadcast to "
                                           f"{shape(node.shape)}, which neither of them has.")


def _spreads(one: tuple[int, ...], other: tuple[int, ...], result: tuple[int, ...]) -> bool:
    """Say whether two arrays, none of them a number, make a larger one of both."""
    return bool(one and other and max(one) > 1 and max(other) > 1 and result not in (one, other)
                and len(one) != len(other) and np.prod(result) > max(np.prod(one), np.prod(other)))


def _first_event(bench: Bench, node: Node) -> Event | None:
    """Return the assignment that a value goes into."""
    for event in bench.plain[0].events:
        if event.node is not None and event.node.order >= node.order:
            return event if id(node) in bench.plain_graph.ancestors(event.node) else None
    return None


def _unstable(bench: Bench, judge: Judge) -> Warned:
    """A softmax whose exponential can overflow."""
    for node in bench.plain[0].tape.nodes:
        if node.op == "divide" and len(node.parents) == 2:
            top, bottom = node.parents
            bare = top.op == "exp" and bottom.op == "sum" and _argument(bottom) is not None
            if not bare or not _same(top, _argument(bottom)):
                continue
            shift = _shift(top.parents[0])
            event = _first_event(bench, top.parents[0] if shift in ("added", "another") else node)
            if event is not None and shift != "largest":
                yield event, *_SHIFTS[shift]


_SHIFTS = {
    "": ("unstable", "this softmax overflows for entries above 709; subtract the largest entry of each sample before "
                     "the exponential, the value is the same."),
    "added": ("sign", "the largest entry is added where it should be subtracted: the softmax is the same, and "
                      "overflows for entries above 354."),
    "another": ("wrong_name", "the largest entry of another array is subtracted: the softmax is the same, and may "
                              "overflow; subtract that of the array itself."),
}


def _argument(node: Node) -> Node | None:
    return node.parents[0] if node.parents else None


def _same(one: Node, other: Node | None) -> bool:
    return other is not None and (one is other or (other.op == one.op and other.parents == one.parents))


def _shift(node: Node) -> str:
    """Return what is done to the argument of an exponential: ``largest`` where its largest entries are subtracted."""
    if node.op not in ("subtract", "add") or len(node.parents) != 2:
        return "largest" if any(p.op == "max" for p in node.parents) else ""
    of, largest = node.parents
    while largest.op in (*VIEWS, "getitem") and len(largest.parents) == 1:
        largest = largest.parents[0]
    if node.op == "add":
        return "added" if largest.op == "max" and _is_same_value(of, largest.parents[0]) else ""
    return "another" if largest.op == "max" and not _is_same_value(of, largest.parents[0]) else "largest"


def _is_same_value(one: Node, other: Node) -> bool:
    a, b = np.ravel(np.asarray(one.value)), np.ravel(np.asarray(other.value))
    return a.size == b.size and bool(np.allclose(np.sort(a), np.sort(b)))


def _integers(bench: Bench, judge: Judge) -> Warned:
    """Parameters that are whole numbers: an update in place fails, or is cut off."""
    for leaf in bench.wiring.parameters:
        event = bench.own.events[leaf.event]
        if event.node is not None and event.node.op != "number" and np.asarray(event.node.value).dtype.kind in "iu":
            yield event, "integer", (f"`{label(leaf.path)}` holds whole numbers, and an update in place of it fails; "
                                     "write 1.0 for 1, or dtype=float.")


def _overwritten(bench: Bench, judge: Judge) -> Warned:
    """A gradient that is replaced before it is used."""
    events = bench.plain[0].events
    for event in events:
        judgement = judge.judgements.get(event.index)
        if (judgement is None or not judgement.ours.startswith("grad_") or event.node is None
                or event.manner in ("return", "handed") or not event.node.tags):
            continue
        for later in events[event.index + 1:]:
            if later.node is None or id(event.node) in bench.plain_graph.ancestors(later.node):
                break
            moved = event.path.endswith("[…]")  # another item of a list that is turned
            if later.path == event.path and not moved and later.frame is event.frame and later.owner == event.owner:
                yield event, "stale_value", (f"{said(judgement.ours)} is replaced in line {later.place.line} before it "
                                             "is used.")
                break


def _means(bench: Bench, judge: Judge) -> Warned:
    """A loss that is a mean with gradients of a sum, or the other way round, that no update makes up for."""
    scales, count = judge.setting.scales, judge.setting.samples
    updates = [j for j in judge.judgements.values() if j.rate is not None]
    ratio = abs(scales.parameters / scales.loss)
    if count < 2 or not any(abs(ratio - r) <= CLOSE * r for r in (count, 1 / count)) or (
            updates and all(j.plain for j in updates)):
        return
    found = (j.event for j in judge.judgements.values() if j.ours.startswith("grad_") and j.event.node is not None)
    events = sorted((e for e in found if e.node is not None and any(t[0] == "Y" for t in e.node.tags)),
                    key=lambda e: e.index)
    loss = next((j.event for j in judge.judgements.values() if j.ours == "loss"), None)
    if events:
        of, mean = ("a sum", "their mean") if ratio > 1 else ("a mean", "their sum")
        where = f" in line {loss.place.line}" if loss is not None else ""
        yield events[0], "scale", (f"gradients are those of {of} over the {count} samples, and the loss{where} is "
                                   f"{mean}: a step is {ratio:g} times what the learning rate says.")


def _forgotten(bench: Bench, judge: Judge) -> Warned:
    """A parameter that is not updated where others are."""
    updated = {j.ours for j in judge.judgements.values() if j.rate is not None or j.detail}
    if not updated:
        return
    for judgement in judge.judgements.values():
        of = judgement.ours[5:]
        if judgement.ours.startswith("grad_") and of[:1] in "Wb" and of not in updated and judgement.verdict == "right":
            updated.add(of)
            yield judgement.event, "stale_value", (f"`{_theirs(judge, of)}` is not updated by this gradient, as the "
                                                   "other parameters are by theirs.")


def _undefined(bench: Bench, judge: Judge) -> Warned:
    """A name that the file assigns nowhere, beside values of the network."""
    seen: set[str] = set()
    for event in bench.plain[0].events:
        found = re.fullmatch(r"the name (\w+) is not defined", event.unknown.reason) if event.unknown else None
        if found is None or event.unknown is None or event.unknown.raises or found[1] in seen:
            continue
        if event.expression is None or not any(n.id == found[1] for n in ast.walk(event.expression)
                                               if isinstance(n, ast.Name)):
            continue  # it follows from a line before
        if any(tag[0][0] in "Wb" for node in judge.operands_of(event) for tag in node.tags):
            seen.add(found[1])
            yield event, "wrong_name", (f"`{found[1]}` is not defined in this file; unless it comes from elsewhere, "
                                        "another name is meant.")


def _turned(bench: Bench, judge: Judge) -> Warned:
    """A gradient within the network with the other sign, where all gradients by parameters are right."""
    if judge.setting.scales.parameters < 0 or any(j.verdict == "wrong" for j in judge.judgements.values()):
        return
    for judgement in judge.judgements.values():
        event = judgement.event
        if (judgement.verdict != "unknown" or event.node is None or event.manner not in ("assign", "item")
                or not looks_like_gradient(event.target) or np.size(event.node.value) < 2):
            continue
        value = np.asarray(event.node.value)
        for ours, right in judge.values_for(event, False).items():
            if ours.startswith("grad_") and right.shape == value.shape and np.any(right) and close(-value, right):
                yield event, "sign", f"this is −{said(ours)}: the sign is the other one."
                break


def _outdated(bench: Bench, judge: Judge) -> Warned:
    """A parameter that is handed on under its name as it was before an update."""
    for judgement in judge.judgements.values():
        event = judgement.event
        held = judge.holders.get(id(event.node)) if event.manner == "handed" and event.node is not None else None
        if held is None or held[0][0] not in "Wb":
            continue
        newer = [tag[1] for tag in judge.versions if tag[0] == held[0] and held[1] < tag[1] < event.index]
        update = judge.judgements[newer[-1]].event if newer else None
        if update is not None and update.frame is event.frame and key(label(update.target)) == key(label(event.target)):
            yield event, "stale_value", (f"this is {said(held[0])} as it was before its update in line "
                                         f"{update.place.line}, which is lost.")


def replaced(bench: Bench, judge: Judge) -> list[Finding]:
    """Return gradients of one sample that the next round replaces where they should be added up."""
    found: dict[tuple[int | None, int], Finding] = {}
    events = bench.plain[0].events
    for event in events:
        judgement = judge.judgements.get(event.index)
        if judgement is None or not judgement.ours.startswith("grad_") or judgement.ours[5:6] not in ("W", "b") or (
                event.node is None or event.manner not in ("assign", "item")):
            continue
        of = {t for t in event.node.tags if t[0] == "X"}
        for later in events[event.index + 1:]:
            if later.node is None or id(event.node) in bench.plain_graph.ancestors(later.node):
                break
            if later.mark == event.mark and later.path == event.path:
                if of and of != {t for t in later.node.tags if t[0] == "X"}:
                    source, what = source_of(event), said(judgement.ours)
                    message = f"{what} is that of one sample: each round replaces it, and they should be added up."
                    found[event.spot] = Finding(event.place, source, "missing_sum", event.target, message,
                                                correction=source.replace(" = ", " += ", 1))
                break
    return list(found.values()) or _partly(judge)


def _partly(judge: Judge) -> list[Finding]:
    """Return gradients of fewer samples than those by which other parameters are updated in the same step."""
    updates = [j for j in judge.judgements.values() if j.rate is not None and j.event.node is not None
               and not judge.is_stateful(j.event)]
    samples = {j.event.index: _samples(j.event) for j in updates}
    most = max(samples.values(), key=len, default=frozenset())
    found: dict[tuple[int | None, int], Finding] = {}
    for update in updates:
        if not samples[update.event.index] < most:
            continue
        gradients = [j.event for j in judge.judgements.values() if j.ours == f"grad_{update.ours}"
                     and j.event.index < update.event.index and j.event.manner in ("assign", "item")]
        near = bool(gradients) and gradients[-1].frame.function is update.event.frame.function
        event = gradients[-1] if near else update.event  # between them it is handed on, and lost
        source = source_of(event)
        added = source.replace(" = ", " += ", 1) if near and isinstance(event.tree, ast.Assign) else ""
        what, few = said(f"grad_{update.ours}"), len(samples[update.event.index])
        message = (f"{what} is that of {few} of {len(most)} samples, over which other gradients are added up: each "
                   "round replaces it.")
        found[event.spot] = Finding(event.place, source, "missing_sum", event.target, message, correction=added)
    return list(found.values())


def _samples(event: Event) -> frozenset[Any]:
    return frozenset(t for t in event.node.tags if t[0] == "X") if event.node is not None else frozenset()


def _shared(bench: Bench, judge: Judge) -> Warned:
    """An operation in place on an array that another name refers to as well."""
    for event in bench.plain[0].events:
        if event.manner != "in_place" or event.previous is None:
            continue
        first = event.previous.event
        if first < 0:
            continue
        owner = bench.plain[0].events[first]
        if owner.frame is not event.frame and owner.frame.function is not None:
            continue  # a local name of a function that has returned
        if owner.path != event.path and label(owner.path) != label(event.path) and owner.node is event.previous \
                and event.previous.op not in ("leaf", "corrected") and owner.manner == "assign" \
                and owner.path.count(".") == event.path.count("."):
            yield event, "stale_value", (f"`{event.target}` and `{owner.target}` are the same array here, and both are "
                                         "changed; take a copy where the old value is still needed.")
