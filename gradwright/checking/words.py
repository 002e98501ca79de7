"""What is said of a mistake, in sentences."""

from __future__ import annotations

import ast
import re

import numpy as np

from gradwright.checking.blaming import Root
from gradwright.checking.comparing import Judge
from gradwright.checking.findings import Place
from gradwright.checking.formulas import said
from gradwright.checking.mending import Mended
from gradwright.checking.multiples import multiple, times
from gradwright.checking.reference import close
from gradwright.checking.settings import Setting
from gradwright.checking.source import Cell


def shape(value: tuple[int, ...]) -> str:
    """Return a shape as NumPy writes it."""
    return f"({value[0]},)" if len(value) == 1 else str(value)


def conventions(setting: Setting) -> tuple[str, ...]:
    """Return how the code's conventions differ from the network's, in sentences."""
    scales, reduction, found = setting.scales, setting.network.reduction, []
    usual = [leaf for leaf in setting.wiring.leaves if leaf.ours.startswith("W")]
    if any(leaf.transposed for leaf in usual):
        found.append("Each weight matrix is the transpose of ours, and so is its gradient.")
    if any(leaf.classes for leaf in setting.wiring.leaves):
        found.append("Labels are class numbers; ours are one-hot.")
    if scales.parameters < 0:
        found.append("Gradients are those of −𝓛, and updates add them.")
    elif scales.values != scales.parameters and reduction == "mean":
        found.append("Gradients by values within the network are those of a sum; 1/N enters at the parameters.")
    elif scales.parameters != scales.loss:
        found.append("Gradients are those of a sum; 1/N enters in the updates, if at all.")
    ratio = scales.loss * (setting.samples if reduction == "mean" else 1)
    if abs(ratio - 1) > 1e-9:
        found.append(f"The loss is {ratio:g} times ours.")
    return tuple(found)


def sentence(root: Root, mended: Mended | None, judge: Judge) -> tuple[str, str]:
    """Return the kind of a mistake and a sentence about it."""
    event = root.event
    what = _what(root, judge)
    if root.detail == "shape" and root.event.node is not None and event.previous is not None:
        before, after = event.previous.shape, root.event.node.shape
        kind = "shape_change" if mended is None or mended.kind in ("broadcast", "missing_sum") else mended.kind
        why = f"; {mended.sentence}" if mended is not None else ""
        return kind, f"{what} changes its shape from {shape(before)} to {shape(after)}{why}."
    if root.detail == "reshaped" and event.node is not None and root.expected is not None:
        return "broadcast", (f"{what} has shape {shape(event.node.shape)} where {shape(root.expected.shape)} belongs"
                             f"{_consequence(root)}.")
    if is_stale(root, judge):
        return "stale_value", f"{what} is wrong: a parameter is used here after it was updated; take its old value."
    early = _too_early(root)
    if early:
        return "stale_value", f"{early}; this should be {what}."
    if event.node is not None and root.expected is not None and event.node.shape != root.expected.shape:
        kind = mended.kind if mended is not None else "wrong_value"
        why = f"{mended.sentence}; " if mended is not None else ""
        return kind, (f"This is not {what}: {why}the shape is {shape(event.node.shape)}, and "
                      f"{shape(root.expected.shape)} belongs there.")
    if mended is not None:
        if mended.kind == "operator" and re.search(r"`[<>]=?` stands", mended.sentence) and root.ours[:5] in (
                "grad_", "slope"):
            return "activation_derivative", f"This is not {what}: {mended.sentence}."
        return mended.kind, f"This is not {what}: {mended.sentence}."
    if _is_other_mask(root, judge):
        return "activation_derivative", f"This is not {what}: the entries that are set are the others."
    if judge.lacks_decay(root.ours, event) and mended is None:
        return "missing_factor", f"This is not {what}: the loss has a term λ/2 ‖W‖², its gradient λ W is missing here."
    factor = multiple(root, judge.setting)
    if factor is not None:
        kind = "sign" if factor < 0 else "loss_mismatch" if root.ours == "loss" else "scale"
        return kind, f"This is not {what}: it is {times(factor, judge.setting.samples)} that."
    if root.ours == "loss" and event.node is not None:
        return "loss_mismatch", f"This is not {what} whose gradients follow: its value is another."
    if event.node is None and event.unknown is not None:
        return "wrong_value", f"This raises an error ({event.unknown.reason}); it should be {what}."
    return "wrong_value", f"This is not {what}: its value is another."


def _is_other_mask(root: Root, judge: Judge) -> bool:
    """Say whether a line sets entries by a condition, and is right by the opposite one."""
    event = root.event
    if not isinstance(event.tree, ast.Assign) or event.previous is None or root.expected is None or event.node is None:
        return False
    target = event.tree.targets[0]
    if not isinstance(target, ast.Subscript) or not isinstance(target.slice, ast.Compare):
        return False
    before, after = np.asarray(event.previous.value), np.asarray(event.node.value)
    changed = before != after
    return bool(before.shape == after.shape == root.expected.shape
                and close(np.where(changed, before, 0), root.expected))


def _too_early(root: Root) -> str:
    """Return that a name is used before the line that computes it, where that is so."""
    event = root.event
    return too_early(event.unknown.reason if event.unknown is not None else "", event.cell, event.place)


def too_early(reason: str, cell: Cell, place: Place) -> str:
    """Return in words that a name is used before the line that computes it, where an error is for that reason."""
    found = re.fullmatch(r"the name (\w+) is not defined|(?:\w+ has no attribute (\w+))", reason)
    if found is None:
        return ""
    name = found[1] or found[2]
    for node in ast.walk(cell.tree):
        if isinstance(node, (ast.Name, ast.Attribute)) and isinstance(node.ctx, ast.Store) and (
                getattr(node, "id", None) or getattr(node, "attr", None)) == name and node.lineno > place.line:
            return f"`{name}` is used here before line {node.lineno} computes it"
    return ""


def _what(root: Root, judge: Judge) -> str:
    judgement = judge.judgements.get(root.event.index)
    if not root.ours:
        witness = root.witness
        return f"what `{witness.event.target}` needs" if witness is not None else "what was meant"
    if judgement is not None and (judgement.rate is not None or judgement.detail):
        return f"a step down the gradient of {said(root.ours)}"
    words = {"y_hat": "ŷ, the output", "loss": "the loss 𝓛"}
    if root.ours in words:
        return words[root.ours]
    if root.ours.startswith("grad_"):
        return f"{said(root.ours)}, the gradient by {said(root.ours.removeprefix('grad_'))}"
    if root.ours.startswith("slope"):
        return f"g′(a{root.ours[5:]}), the derivative of the activation"
    return said(root.ours)


def _consequence(root: Root) -> str:
    """Return what a misleading shape leads to."""
    if root.witness is None or root.witness.event is root.event:
        return ""
    event = root.witness.event
    return f", and is broadcast where `{event.target}` is computed in line {event.place.line}"


def is_stale(root: Root, judge: Judge) -> bool:
    """Say whether a gradient depends on a parameter before and after its update."""
    if root.event.node is None or not root.ours.startswith("grad_"):
        return False
    names = [tag[0] for tag in root.event.node.tags if tag[0] not in ("X", "Y")]
    return len(names) != len(set(names))
