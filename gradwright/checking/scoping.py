"""What an expression can see where it stands, in the code's names and in ours."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from gradwright.checking.comparing import Judge
from gradwright.checking.edit_types import Scope
from gradwright.checking.interpreter import Interpreter
from gradwright.checking.nodes import Array, Unreadable
from gradwright.checking.objects import Event, Frame, Function, Instance, Module
from gradwright.checking.reference import activation_value, close, slope

MOST_ENTRIES = 12
"""As many entries with computed indices are offered."""


def scope_of(target: str, event: Event, judge: Judge, values: Mapping[str, np.ndarray]) -> Scope:
    """Return what an expression can see where it stands.

    Args:
        target: Our name of what it should compute.
        event: Its assignment.
        judge: The run.
        values: Those of our quantities there.
    """
    arrays: dict[str, tuple[int, ...]] = {}
    ours: dict[str, str] = {}
    functions: dict[str, str] = {}
    numpy = "np"
    reached: set[int] = set()  # by a name of the function itself; other ways to the same arrays are not offered
    for name, value, inner in _visible(event.frame):
        if isinstance(value, Module) and value.path == "numpy":
            numpy = name
        if isinstance(value, Function):
            meaning = _meaning(judge.run, value, judge)
            if meaning:
                functions[name] = meaning
            continue
        for path, node in _paths(name, value, 0):
            if not inner and id(node) in reached:
                continue
            if inner:
                reached.add(id(node))
            arrays[path] = node.shape
            known = judge.holders.get(id(node), ("",))[0]
            judged = judge.judgements.get(node.event)
            if known:
                ours[path] = known
            elif judged is not None and judged.ours and judged.verdict in ("right", "wrong"):
                ours[path] = judged.ours
        if isinstance(value, int) and not isinstance(value, bool) and value == values.get("N", np.zeros(())):
            arrays[name], ours[name] = (), "N"
        elif isinstance(value, float) and value not in (0.0, 1.0):  # with which much is the same
            arrays[name] = ()
    entries = {text: node.shape for text in _entries(event) if text not in arrays
               for node in [judge.value_of(replace(event, combine=None), text)] if node is not None}
    read = {n.id for n in ast.walk(event.expression) if isinstance(n, ast.Name)} if event.expression is not None else ()
    missing = frozenset(n for n in read if event.frame.find(n) is None and n not in judge.run.builtins)
    network = judge.setting.network
    samples = int(values["N"]) if "N" in values else 1
    return Scope(arrays, ours, functions, {k: layer.activation for k, layer in enumerate(network.layers, start=1)},
                 judge.setting.reference.samples_axis, samples, target, numpy, judge.run.source.facts.constants,
                 entries, missing)


def _entries(event: Event) -> list[str]:
    """Return entries of lists and dicts with computed indices that are read in the loop around an assignment."""
    home = event.frame.function.tree if event.frame.function is not None else event.cell.tree
    line = event.expression.lineno if event.expression is not None else 0
    loops = [n for n in ast.walk(home)
             if isinstance(n, (ast.For, ast.While)) and n.lineno < line <= (n.end_lineno or 0)]
    found: dict[str, None] = {}
    for node in ast.walk(loops[-1]) if loops else ():
        if isinstance(node, ast.Subscript) and not any(isinstance(n, ast.Slice) for n in ast.walk(node.slice)):
            names = {n.id for n in ast.walk(node.slice) if isinstance(n, ast.Name)}
            text = ast.get_source_segment(event.cell.text, node)
            if names and text is not None:
                found[text] = None
    return list(found)[:MOST_ENTRIES]


def _visible(frame: Frame) -> Iterator[tuple[str, Any, bool]]:
    """Yield the names in scope with what they refer to, and whether a function's own, those first."""
    seen: set[str] = set()
    around: Frame | None = frame
    while around is not None:
        for name, value in list(around.names.items()):
            if name not in seen:
                seen.add(name)
                yield name, value, around is frame and frame.parent is not None
        around = around.parent


def _paths(name: str, value: Any, depth: int) -> Iterator[tuple[str, Any]]:
    """Yield what can be written to reach arrays from a name."""
    if isinstance(value, Array):
        yield name, value.node
    elif depth < 2 and isinstance(value, dict):
        for key, item in list(value.items())[:60]:
            yield from _paths(f"{name}[{key!r}]", item, depth + 1)
    elif depth < 2 and isinstance(value, (list, tuple)):
        for key, item in enumerate(value[:60]):
            yield from _paths(f"{name}[{key}]", item, depth + 1)
    elif depth < 2 and isinstance(value, Instance):
        for key, item in list(value.attributes.items())[:60]:
            yield from _paths(f"{name}.{key}", item, depth + 1)


_POINTS = np.array([[-1.3, -0.4, 0.2], [0.9, 1.7, -2.1]])


def _meaning(run: Interpreter, function: Function, judge: Judge) -> str:
    """Return what a function of one argument computes, by its values; empty where that is nothing known."""
    signature = function.tree.args
    if len(signature.args) - len(function.defaults) != 1 or signature.vararg or signature.kwonlyargs:
        return ""
    listener, events, notes = run.listener, len(run.events), len(run.notes)
    run.listener = None
    try:
        def value(points: np.ndarray) -> Any:
            return run.enter(function, [Array(run.tape.leaf(points))], {})

        direct = value(_POINTS)
        if not isinstance(direct, Array):
            return ""
        names = dict.fromkeys(layer.activation for layer in judge.setting.network.layers)
        for name in names:
            if name == "softmax":
                continue
            if close(direct.value, activation_value(name, _POINTS)):
                return name
            if close(direct.value, slope(name, _POINTS)):
                return f"{name}'"
            of_h = value(activation_value(name, _POINTS))
            if isinstance(of_h, Array) and close(of_h.value, slope(name, _POINTS)):
                return f"{name}' of h"
        if any(close(direct.value, activation_value("softmax", _POINTS, axis)) for axis in (0, 1)):
            return "softmax"
    except (Unreadable, RecursionError, TypeError):
        return ""
    finally:
        run.listener = listener
        del run.events[events:]
        del run.notes[notes:]
    return ""
