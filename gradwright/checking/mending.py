"""What should stand in a wrong line: the small edit of it that gives the right value, or the derived formula."""

from __future__ import annotations

import ast
import itertools
import re
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from gradwright.checking.blaming import Root, likely
from gradwright.checking.comparing import Judge
from gradwright.checking.edit_scope import stem
from gradwright.checking.edits import Edit, Scope, edits, pairs
from gradwright.checking.nodes import Array, Unreadable
from gradwright.checking.objects import Event
from gradwright.checking.reference import close
from gradwright.checking.scoping import scope_of

SECONDS = 0.8
"""As long are edits of one line tried."""


@dataclass(frozen=True)
class Mended:
    """A line as it should be.

    Attributes:
        edit: The edit of its expression; None where another part of the statement changes.
        kind: The kind of mistake.
        sentence: What was wrong.
        statement: The whole statement, corrected; empty where no edit was found.
        double: Whether two edits at once were needed.
    """

    edit: Edit | None
    kind: str
    sentence: str
    statement: str
    double: bool = False


def mend(root: Root, event: Event, judge: Judge, until: float) -> Mended | None:
    """Return the edit that gives a wrong line the right value; called where the line is about to be assigned."""
    event = event.source
    if root.expected is None or event.expression is None:
        return None
    text = ast.get_source_segment(event.cell.text, event.expression)
    if text is None:
        return None
    if root.edit is not None and root.repeated:
        return Mended(root.edit, root.edit.kind, root.edit.sentence, spliced(event, root.edit.source))
    operator = _operators(root, event, judge)
    if operator is not None:
        return operator
    forward = not root.ours.startswith("grad_")
    again = event.manner == "handed" or root.event.origin is not None  # a name of the right value is what is looked for
    scope = scope_of("" if again else root.ours, event, judge, judge.values_for(event, forward))
    meant = next((name for name, ours in scope.ours.items() if again and ours == root.ours), "")
    if meant and meant != text:
        kind = "layer_index" if stem(meant) == stem(text) else "wrong_name"
        edit = Edit(meant, kind, f"`{text}` stands where `{meant}` belongs", 0, len(text))
        return Mended(edit, kind, edit.sentence, spliced(event, meant))
    until = min(until, time.process_time() + SECONDS)
    single = likely(event, edits(text, scope))
    if root.detail == "reshaped":
        single.sort(key=lambda e: e.kind != "broadcast")
    rigid: Mended | None = None
    for double, found in ((False, itertools.chain(single, any_name(text, scope))), (True, pairs(text, scope))):
        for edit in found:
            if time.process_time() > until or (rigid is not None and double):
                break
            node = judge.value_of(event, edit.source)
            if node is not None and _right(root, judge, event, node.value):
                mended = Mended(edit, edit.kind, edit.sentence, spliced(event, edit.source), double)
                if not is_rigid(edit.source, text):
                    return mended
                rigid = rigid or mended
    if rigid is not None:
        return rigid
    if root.edit is not None:
        return Mended(root.edit, root.edit.kind, root.edit.sentence, spliced(event, root.edit.source))
    return None


def is_rigid(new: str, text: str) -> bool:
    """Say whether an edit of a line with computed indices has one more that is a number: right in one round at most."""
    computed, fixed = r"\[[^\[\]]*[A-Za-z_][^\[\]]*\]", r"\[-?\d+\]"
    return bool(re.search(computed, text)) and bool(Counter(re.findall(fixed, new)) - Counter(re.findall(fixed, text)))


def any_name(text: str, scope: Scope) -> Iterator[Edit]:
    """Yield the expression with one name replaced by any other in scope, whatever its shape.

    Entries of lists are offered at the indices that the expression has, such as ``W[k]``; a function that is not called
    may be replaced too.
    """
    if "\n" in text.strip():
        return  # columns of one line are not those of another
    tree, plain = ast.parse(text.strip(), mode="eval"), text.strip().encode()
    called = {id(node.func) for node in ast.walk(tree) if isinstance(node, ast.Call)}
    bound = [n.id for n in ast.walk(tree) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)]
    offered = dict.fromkeys([*bound, *scope.entries, *_entries(tree, scope), *scope.arrays])
    for node in ast.walk(tree):
        if not isinstance(node, (ast.Name, ast.Attribute, ast.Subscript)) or node.lineno != 1 or node.end_lineno != 1:
            continue
        start, end = node.col_offset, node.end_col_offset or 0
        old = plain[start:end].decode(errors="ignore")
        known = any(old in names for names in (scope.arrays, scope.entries, scope.missing))
        picks = isinstance(node, ast.Subscript) and ast.unparse(node.value) in scope.arrays
        if known or picks or (old in scope.functions and id(node) not in called):
            for name in offered:
                if name != old and (scope.ours.get(name) != scope.target or scope.target[:1] in ("W", "b")):
                    new = (plain[:start] + name.encode() + plain[end:]).decode()
                    yield Edit(new, "wrong_name", f"`{old}` stands where `{name}` belongs", start, end)


def _entries(tree: ast.AST, scope: Scope) -> Iterator[str]:
    """Yield the lists in scope at the indices that an expression has, where these are computed."""
    indices = [ast.unparse(node.slice) for node in ast.walk(tree) if isinstance(node, ast.Subscript)
               and isinstance(node.slice, (ast.Name, ast.BinOp, ast.UnaryOp))]
    lists = {name.rpartition("[")[0] for name in scope.arrays if re.search(r"\[\d+\]$", name)}
    indices += [f"{index} {sign} 1" for index in indices if index.isidentifier() for sign in "-+"]
    for index in dict.fromkeys(indices):
        yield from (f"{name}[{index}]" for name in sorted(lists))


def _right(root: Root, judge: Judge, event: Event, value: Any) -> bool:
    """Say whether a value is what the line should compute, or makes the line right that gave it away."""
    if root.ours and not root.ours.startswith("grad_") and root.detail in ("value", "rate", "shape", "raises"):
        wrong = judge.judgements.get(event.index)
        if wrong is not None and judge.descends(wrong, value):
            return True
    return root.expected is not None and close(value, root.expected)


def _operators(root: Root, event: Event, judge: Judge) -> Mended | None:
    """Try the other sign, and the other operators, of an in-place operation."""
    if not isinstance(event.tree, ast.AugAssign) or event.combine is None or event.expression is None:
        return None
    swaps = {ast.Add: (ast.Sub, "sign"), ast.Sub: (ast.Add, "sign"), ast.Mult: (ast.Div, "operator"),
             ast.Div: (ast.Mult, "operator")}
    if type(event.tree.op) not in swaps:
        return None
    other, kind = swaps[type(event.tree.op)]
    signs = {ast.Add: "+=", ast.Sub: "-=", ast.Mult: "*=", ast.Div: "/="}
    run = judge.run
    if event.previous is None or not isinstance(event.tree.target, (ast.Name, ast.Attribute)):
        return None
    listener, run.listener = run.listener, None
    try:
        value = run.evaluate(event.expression, event.frame)
        result = run.binary(other, Array(event.previous), value)
    except Unreadable:
        return None
    finally:
        run.listener = listener
    if not isinstance(result, Array) or not _right(root, judge, event, result.value):
        return None
    was, right = signs[type(event.tree.op)], signs[other]
    statement = source_of(event).replace(was, right, 1)
    return Mended(None, kind, f"`{was}` stands where `{right}` belongs", statement)


def source_of(event: Event) -> str:
    """Return the statement that an event stands for, without its indentation."""
    statement = _statement(event)
    text = ast.get_source_segment(event.cell.text, statement) if hasattr(statement, "lineno") else None
    return text if text is not None else event.cell.line(event.place.line).strip()


def _statement(event: Event) -> ast.AST:
    """Return the statement around an event's place, where that is an expression within one."""
    if isinstance(event.tree, ast.stmt):
        return event.tree
    best: ast.AST = event.tree
    for node in ast.walk(event.cell.tree):
        if (isinstance(node, ast.stmt) and not hasattr(node, "body")
                and any(part is event.tree for part in ast.walk(node))):
            best = node
    return best


def spliced(event: Event, expression: str) -> str:
    """Return the statement with another expression."""
    statement = _statement(event)
    whole = ast.get_source_segment(event.cell.text, statement)
    if whole is None or event.expression is None:
        return ""
    start = _offset(event.cell.text, statement.lineno, statement.col_offset)  # type: ignore[attr-defined]
    first = _offset(event.cell.text, event.expression.lineno, event.expression.col_offset) - start
    last = _offset(event.cell.text, event.expression.end_lineno or 0, event.expression.end_col_offset or 0) - start
    if re.search(r"\[f?\"", whole) and not re.search(r"\[f?'", whole):  # the author's quotes for keys
        expression = re.sub(r"\['([^'\"]*)'\]", r'["\1"]', expression)
    return whole[:first] + expression + whole[last:]


def _offset(text: str, line: int, column: int) -> int:
    """Return the position of a line and a column, which is in bytes, within a text."""
    lines = text.split("\n")
    before = lines[line - 1].encode()[:column].decode(errors="ignore")
    return sum(len(row) + 1 for row in lines[:line - 1]) + len(before)
