"""Operands by name: what stands for what, in which layer, and how another layer's would be written."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass
from functools import cached_property, lru_cache

from gradwright.checking.edit_text import Expression
from gradwright.checking.edit_types import Scope

Layer = tuple[str, int]
"""A layer as an index and a number to add: ("", 2), or ("k", -1) within a loop."""


@dataclass(frozen=True)
class Reference:
    """An entry of a list or dict: its container, and its key in parts, such as ``grads``, ``dW``, ``k - 1``."""

    container: str
    before: str
    index: str
    after: str = ""
    style: str = "plain"  # or str, fstring, key
    quote: str = '"'

    @property
    def root(self) -> tuple[str, str, str]:
        """All but the index."""
        return self.container, self.before, self.after

    def written(self, index: str | None = None, root: tuple[str, str, str] | None = None) -> str:
        """Write the reference with another index or root, in the same style."""
        container, before, after = root or self.root
        index, quote = self.index if index is None else index, self.quote
        if not before + after:
            return f"{container}[{index}]"
        if self.style == "fstring":
            return f"{container}[f{quote}{before}{{{index}}}{after}{quote}]"
        if self.style == "key":
            return f"{container}[{quote}{before}{index}{after}{quote}]"
        tail = f" + {quote}{after}{quote}" if after else ""
        return f"{container}[{quote}{before}{quote} + str({index}){tail}]"


_ENTRY = re.compile(r"(?s)(.+)\[(.*)\]")
_KEYS = (
    ("plain", re.compile(r"(?P<b>)(?P<i>[^'\"]+)(?P<a>)")),
    ("fstring", re.compile(r"f(?P<q>['\"])(?P<b>[^{}]*)\{(?P<i>[^{}]+)\}(?P<a>[^{}]*)(?P=q)")),
    ("key", re.compile(r"(?P<q>['\"])(?P<b>\D*)(?P<i>\d+)(?P<a>\D*)(?P=q)")),
    ("str", re.compile(r"(?P<q>['\"])(?P<b>\w*)(?P=q)\s*\+\s*str\((?P<i>.+?)\)"
                       r"(?:\s*\+\s*['\"](?P<a>\w*)['\"])?")),
)  # fmt: skip


@lru_cache(maxsize=4096)
def reference(text: str) -> Reference | None:
    """Read an entry of a list or dict, with a number or an index in its key."""
    entry = _ENTRY.fullmatch(text)
    for style, pattern in _KEYS if entry else ():
        assert entry is not None
        found = pattern.fullmatch(entry[2])
        if found and ":" not in found["i"] and "," not in found["i"] and found["i"] not in {"None", "..."}:
            quote = found["q"] if style != "plain" else "'"
            return Reference(entry[1], found["b"], found["i"], found["a"] or "", style, quote)
    return None


@lru_cache(maxsize=4096)
def index_parts(index: str) -> Layer:
    """Split an index into its variable and its number: ``k + 1`` into ("k", 1)."""
    index = index.strip()
    if re.fullmatch(r"-?\d+", index):
        return "", int(index)
    found = re.fullmatch(r"(?s)(.+?)\s*([+-])\s*(\d+)", index)
    return (found[1], int(found[2] + found[3])) if found else (index, 0)


def index_text(layer: Layer, spaced: bool) -> str:
    """Write an index."""
    name, number = layer
    if not name:
        return str(number)
    gap, sign = " " if spaced else "", "-" if number < 0 else "+"
    return f"{name}{gap}{sign}{gap}{abs(number)}" if number else name


@lru_cache(maxsize=4096)
def stem(text: str) -> str:
    """Return a name without its numbers."""
    return re.sub(r"\d+", "", text).replace('"', "'")


@lru_cache(maxsize=1024)
def role(ours: str) -> tuple[str, int | None]:
    """Split a name of ours into its role and layer: ``grad_W2`` into ("grad_W", 2)."""
    found = re.fullmatch(r"(\w*?)(\d+)", ours)
    return (found[1], int(found[2])) if found else (ours, None)


class Names:
    """The names of a scope, and those that an expression uses."""

    def __init__(self, expression: Expression, scope: Scope) -> None:
        self.expression, self.scope = expression, scope
        self._keys = {_plain(key): key for key in scope.arrays}
        self.theirs: dict[str, str] = {}
        for key, name in scope.ours.items():
            if key in scope.arrays:
                self.theirs.setdefault(name, key)
        self.last = max(scope.activations, default=0)
        self.operands: list[tuple[ast.expr, str]] = []
        """Each operand with its key; an entry whose index is computed has none, and an empty text."""
        self._find(expression.root)
        self.key = dict(self.operands)

    @cached_property
    def roots(self) -> dict[tuple[str, str, str], tuple[str, int] | None]:
        """The lists and families of keys in scope: the role of their entries, and what to add for the layer."""
        found: dict[tuple[str, str, str], tuple[str, int] | None] = {}
        for key in self.scope.arrays:
            entry = reference(key)
            if entry is None or entry.style not in {"plain", "key"} or index_parts(entry.index)[0]:
                continue
            part, layer = self.role_of_key(key)
            known = (part, layer[1] - index_parts(entry.index)[1]) if part and layer and not layer[0] else None
            if found.get(entry.root) is None or (part in {"a", "h"} and found[entry.root] is None):
                found[entry.root] = known
        return found

    def _find(self, node: ast.expr) -> None:
        key = self._keys.get(_plain(self.expression.text(node)), "") if _is_name_like(node) else ""
        if key:
            self.operands.append((node, key))
            return
        if isinstance(node, ast.Subscript):
            entry = reference(self.expression.text(node))
            if entry is not None and entry.root in self.roots:
                self.operands.append((node, ""))
                return
        for child in self.expression.below[node]:
            self._find(child)

    def role_of_key(self, key: str) -> tuple[str, Layer | None]:
        """Return the role and the layer of a name; X is h of layer 0, and ŷ that of the last."""
        ours = self.scope.ours.get(key, "")
        if ours == "X":
            return "h", ("", 0)
        if ours == "y_hat":
            return "h", ("", self.last)
        part, layer = role(ours)
        return part, None if layer is None else ("", layer)

    def role_of(self, node: ast.expr) -> tuple[str, Layer | None]:
        """Return the role and the layer of an operand; the role is empty where it is not known."""
        key = self.key.get(node)
        if key:
            return self.role_of_key(key)
        if key is None:
            return "", None
        entry = reference(self.expression.text(node))
        assert entry is not None
        known = self.roots[entry.root]
        name, number = index_parts(entry.index)
        return (known[0], (name, number + known[1])) if known else ("", None)

    def layer_of(self, text: str) -> Layer | None:
        """Return the layer of an entry with a computed index; None where it is not known."""
        entry = reference(text)
        known = self.roots.get(entry.root) if entry is not None else None
        if entry is None or known is None:
            return None
        name, number = index_parts(entry.index)
        return (name, number + known[1]) if name else None

    def written(self, part: str, layer: Layer) -> str:
        """Return how the author writes a role of a layer; empty where it has no name in scope."""
        name, number = layer
        if not name:
            if part == "h" and number == self.last and "y_hat" in self.theirs:
                return self.theirs.get(f"h{number}", self.theirs["y_hat"])
            return self.theirs.get("X" if part == "h" and not number else f"{part}{number}", "")
        for root, known in self.roots.items():
            if known and known[0] == part:
                style = self._style
                plain = style.style == "plain" and root[1]  # keys, where the expression shows only lists
                entry = Reference("", "", style.index, style="str", quote="'") if plain else style
                return entry.written(index_text((name, number - known[1]), " " in style.index), root)
        return ""

    @cached_property
    def _style(self) -> Reference:
        """How the expression writes entries with computed keys."""
        found = [reference(self.expression.text(n)) for n, key in self.operands if not key]
        found = found or [reference(text) for text in self.scope.entries]
        entries = [e for e in found if e is not None]
        return next((e for e in entries if e.style != "plain"), entries[0] if entries else Reference("", "", "k"))

    @cached_property
    def candidates(self) -> dict[str, tuple[int, ...]]:
        """What may stand in an expression: all in scope but what it computes, which would always be right."""
        target, used = self.scope.target, set(self.key.values())
        arrays = self.scope.arrays.items()
        return {k: s for k, s in arrays
                if not target or self.scope.ours.get(k) != target or k in used or target[0] in "Wb"}  # its old value

    @cached_property
    def samples(self) -> str:
        """How the author writes the number of samples; empty where nothing in scope tells it."""
        if "N" in self.theirs:
            return self.theirs["N"]
        holder = self.theirs.get("X") or self.theirs.get("Y") or self.theirs.get("y_hat")
        return f"{holder}.shape[{self.scope.samples_axis}]" if holder else ""

    @cached_property
    def target_layer(self) -> int | None:
        """The layer of what the expression computes."""
        return self.last if self.scope.target == "y_hat" else role(self.scope.target)[1]

    @property
    def backward(self) -> bool:
        """Whether the expression may be a part of the backward pass."""
        return self.scope.target.startswith("grad") or not self.scope.target


@lru_cache(maxsize=4096)
def _plain(text: str) -> str:
    return text.replace('"', "'").replace(" ", "")


def _is_name_like(node: ast.expr) -> bool:
    return isinstance(node, ast.Name | ast.Attribute | ast.Subscript)
