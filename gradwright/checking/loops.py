"""Which loops are followed for one round only: those that train, round after round alike."""

from __future__ import annotations

import ast
from typing import TypeGuard

from gradwright.checking.roles import called_input


def runs_once(loop: ast.For | ast.While) -> bool:
    """Say whether a loop repeats the same step; found once, since a file is followed many times."""
    known: bool | None = getattr(loop, "known_by_gradwright", None)
    if known is None:
        known = loop.known_by_gradwright = _runs_once(loop)  # type: ignore[union-attr]
    return known


def _runs_once(loop: ast.For | ast.While) -> bool:
    """Say whether a loop repeats the same step, so that its first round says all.

    It does where it changes a name by itself (``W -= …``, ``W = W - …``) or calls for it, and does not pick what it
    works on by its counter; or where it goes over samples and learns from each, or over entries for finite differences.
    """
    if isinstance(loop, ast.For) and (_learns(loop) or _probes(loop)):
        return True
    if isinstance(loop, ast.For) and not _counts(loop.iter):
        return False
    counter = {n.id for n in ast.walk(loop.target) if isinstance(n, ast.Name)} if isinstance(loop, ast.For) else set()
    updates = [u for statement in loop.body for u in ast.walk(statement) if _updates(u)]
    if any(_uses(_target(u), counter) for u in updates):
        return False
    works = any(isinstance(n, (ast.MatMult, ast.Call)) for s in loop.body for n in ast.walk(s))
    if updates and works and not _indexes(loop.body, counter, slices=False):
        return True
    called = any(isinstance(s, (ast.Expr, ast.Assign)) and isinstance(s.value, ast.Call) for s in loop.body)
    return bool(counter or isinstance(loop, ast.While)) and called and not _indexes(loop.body, counter, slices=True)


def _learns(loop: ast.For) -> bool:
    """Say whether a loop changes in each round what it computes with: weights, not a sum of gradients over samples."""
    counter = {n.id for n in ast.walk(loop.target) if isinstance(n, ast.Name)}
    samples = any(called_input(n.id) for tree in (loop.target, loop.iter) for n in ast.walk(tree)
                  if isinstance(n, ast.Name))
    parts = [n for statement in loop.body for n in ast.walk(statement)]
    updates = [u for u in parts if _updates(u) and not _uses(_target(u), counter)]
    within = {id(n) for u in updates for n in ast.walk(u)}
    named = [n for n in parts if isinstance(n, (ast.Name, ast.Attribute)) and id(n) not in within]
    stored = {ast.unparse(n) for n in named if isinstance(n.ctx, ast.Store)}
    read = {ast.unparse(n) for n in named if isinstance(n.ctx, ast.Load)}
    for update in updates:
        op = _operator(update)
        path = _base(_target(update))
        lowers = isinstance(op, ast.Sub) or (samples and isinstance(op, ast.Add))
        if lowers and path in read and path not in stored:
            return True
    return False


def _probes(loop: ast.For) -> bool:
    """Say whether a loop changes an entry that its counter picks, and changes it again: for finite differences."""
    counter = {n.id for n in ast.walk(loop.target) if isinstance(n, ast.Name)}
    parts = [n for statement in loop.body for n in ast.walk(statement)]
    targets: list[ast.expr] = []
    for n in parts:
        match n:
            case ast.AugAssign(target, ast.Add() | ast.Sub()):
                targets.append(target)
            case ast.Assign([target], ast.BinOp(ast.Name(), ast.Add() | ast.Sub(), ast.Name() | ast.Constant())):
                targets.append(target)  # W[k] = old + eps
    picked = [ast.unparse(t) for t in targets if isinstance(t, ast.Subscript) and _picks(t.slice, counter)]
    calls = any(isinstance(n, ast.Call) for n in parts)
    return calls and any(picked.count(text) > 1 for text in picked)


def _base(target: ast.expr) -> str:
    """Return what an assignment changes: ``W`` of ``W[k]``, ``self.W`` of itself."""
    while isinstance(target, ast.Subscript):
        target = target.value
    return ast.unparse(target)


def trains_on(loop: ast.For) -> bool:
    """Say whether a loop does nothing but hand what it goes over to a function: a batch each time."""
    names = {n.id for n in ast.walk(loop.target) if isinstance(n, ast.Name)}

    def hands_over(call: ast.Call) -> bool:
        given = {a.id for a in call.args if isinstance(a, ast.Name)}
        collects = isinstance(call.func, ast.Attribute) and call.func.attr in ("append", "insert", "extend", "add")
        return not collects and not _uses(call.func, names) and names <= given

    return all(isinstance(s, ast.Expr) and isinstance(s.value, ast.Call) and hands_over(s.value) for s in loop.body)


def _counts(iterated: ast.expr) -> bool:
    return (isinstance(iterated, ast.Call) and isinstance(iterated.func, ast.Name)
            and iterated.func.id in ("range", "trange", "tqdm"))


def _updates(node: ast.AST) -> TypeGuard[ast.Assign | ast.AugAssign]:
    if isinstance(node, ast.AugAssign):
        return isinstance(node.op, (ast.Sub, ast.Add))
    match node:
        case ast.Assign([target], ast.BinOp(left)):
            return ast.unparse(left) == ast.unparse(target)
        case ast.Assign([target], ast.ListComp(ast.BinOp(op=ast.Sub()), [ast.comprehension(iter=iterated)])):
            read = {ast.unparse(n) for n in ast.walk(iterated) if isinstance(n, (ast.Name, ast.Attribute))}
            return ast.unparse(target) in read  # W = [w - g for w, g in zip(W, gradients)]
    return False


def _operator(update: ast.Assign | ast.AugAssign) -> ast.operator:
    if isinstance(update, ast.AugAssign):
        return update.op
    value = update.value.elt if isinstance(update.value, ast.ListComp) else update.value
    assert isinstance(value, ast.BinOp)
    return value.op


def _target(node: ast.Assign | ast.AugAssign) -> ast.expr:
    return node.target if isinstance(node, ast.AugAssign) else node.targets[0]


def _uses(tree: ast.AST, names: set[str]) -> bool:
    return any(isinstance(n, ast.Name) and n.id in names for n in ast.walk(tree))


def _picks(index: ast.AST, names: set[str]) -> bool:
    """Say whether an index has one of the names outside of slices: ``W[k]``, but not ``X[order[k:k + 10]]``."""
    if isinstance(index, ast.Slice):
        return False
    if isinstance(index, ast.Name):
        return index.id in names
    return any(_picks(child, names) for child in ast.iter_child_nodes(index))


def _indexes(body: list[ast.stmt], counter: set[str], slices: bool) -> bool:
    """Say whether the counter picks items; slices of data count only where asked."""
    for statement in body:
        for node in ast.walk(statement):
            if isinstance(node, ast.Subscript) and (_uses(node.slice, counter) if slices
                                                    else _picks(node.slice, counter)):
                return True
            if (isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "str"
                    and _uses(node, counter)):
                return True
    return False
