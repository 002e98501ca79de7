"""Mistakes for hand-written programs: each mutant is the program with one line wrong, and says how.

The mutators know nothing of networks. They edit the text of one expression at a time, found by `ast`, and leave the
author's text elsewhere as it is; shapes come from running the program once.
"""

from __future__ import annotations

import ast
import builtins
import re
import time
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from functools import cache
from types import ModuleType
from typing import Any, Literal

import numpy as np

KINDS = (
    "wrong_name", "layer_index", "transpose", "sign", "operator", "missing_factor", "extra_factor", "missing_sum",
    "scale", "activation_derivative", "broadcast", "shape_change", "stale_value", "loss_mismatch",
)

Change = Literal["equal", "different", "raises"]
Role = Literal["forward", "loss", "backward", "update"]
Shape = tuple[int, ...]

CREATION = {"array", "asarray", "zeros", "ones", "eye", "load", "arange", "linspace", "zeros_like", "ones_like",
            "empty", "default_rng", "RandomState", "random", "rand", "randn", "randint", "normal", "uniform",
            "standard_normal", "integers", "seed", "copy"}
"""Calls that make data or first values: what they stand in is not a line of the network."""

BUILTINS = ("abs", "bool", "dict", "enumerate", "float", "int", "isinstance", "len", "list", "max", "min", "object",
            "range", "reversed", "round", "set", "sorted", "str", "sum", "super", "tuple", "zip", "__build_class__")
"""All that a program may call besides NumPy."""

SEEDS = ("seed", "default_rng", "RandomState")
PREPARES = re.compile(r"init|load|make|data|one_hot|generate")
"""Names of functions that prepare."""

GRADIENT = re.compile(r"^(grad|delta|nabla|d_|dL_|d[A-Z]|d[a-z]{1,7}\d*$|nw$|nb$|dn[wb]$|sp$)"
                      r"|_(grad|delta|error|update)\d*$|gradient")
"""Names that people give to gradients."""

LOSS = re.compile(r"^(loss|cost|total|[LJ]$|bce|cross_entropy|error$|criterion|correct_logprobs)", re.IGNORECASE)
BACKWARD = re.compile(r"back|prime|deriv|gradient")
UPDATE = re.compile(r"update|step|descend")
SUMS = ("sum", "mean")
FLIPPED: dict[type[ast.cmpop], str] = {ast.Gt: "<", ast.GtE: "<", ast.Lt: ">", ast.LtE: ">"}


@dataclass(frozen=True)
class Mutant:
    """A program with one mistake.

    Attributes:
        kind: One of `KINDS`.
        line: The line of the mutant's source that was edited, counted from 1.
        description: What was done.
        source: The whole program.
        lines: All lines where the mistake may rightly be reported: those of the edited statement, and where a
            statement was moved or left out also the ones that now read a wrong value.
        also: Other kinds that describe the same text as well.
    """

    kind: str
    line: int
    description: str
    source: str
    lines: tuple[int, ...] = ()
    also: tuple[str, ...] = ()


def mutants(source: str, most: int | None = 6) -> list[Mutant]:
    """Return the mutants of a program, in the order of kinds and places.

    Args:
        source: A program, trusted: it is run once.
        most: How many to keep of a kind, spread evenly over the places; None for all.
    """
    program = Program(source)
    found: dict[str, Mutant] = {}
    for kind in ("loss_mismatch", *KINDS[:-1]):  # the first to make a text names it
        for mutant in MUTATORS[kind](program):
            if mutant.source == source or not _compiles(mutant.source):
                continue
            known = found.get(mutant.source)
            if known is None:
                found[mutant.source] = mutant
            elif kind != known.kind and kind not in known.also:
                found[mutant.source] = replace(known, also=(*known.also, kind))
    kept = []
    for kind in KINDS:
        these = sorted((m for m in found.values() if m.kind == kind), key=lambda m: m.line)
        count = len(these) if most is None else min(most, len(these))
        kept += [these[i * len(these) // count] for i in range(count)]
    return kept


def changes_value(original: str, mutant: Mutant) -> Change:
    """Tell whether a mutant has other results than the program, on its data and on two other draws of them.

    Results are what is printed and what is there at the end; a step of a function whose value is the same is none.
    """
    changed = False
    for draw in range(3):
        try:
            values = _record(mutant.source, draw)
        except Exception:
            return "raises"
        changed = changed or not _same(_results(_original(original, draw)), _results(values))
    return "different" if changed else "equal"


def _results(records: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in records.items() if name.startswith(("at the end:", "printed"))}


def _compiles(source: str) -> bool:
    try:
        compile(source, "mutant", "exec")
    except SyntaxError:
        return False
    return True


# The program: its statements, and the shapes of its expressions


@dataclass(frozen=True, eq=False)
class Statement:
    """A statement that may be mutated.

    Attributes:
        node: The statement.
        scope: The function it stands in, with its class; empty at the top.
        role: What it is a part of.
        block: The statements it stands among.
    """

    node: ast.stmt
    scope: str
    role: Role
    block: list[ast.stmt]


@dataclass(frozen=True, eq=False)
class Unit:
    """An expression that is assigned, returned or appended, with what it is assigned to."""

    value: ast.expr
    target: str
    statement: Statement


@dataclass
class Program:
    """A source, its tree, and what the mutators ask of them."""

    source: str
    tree: ast.Module = field(init=False)
    statements: list[Statement] = field(init=False, default_factory=list)
    data: set[str] = field(init=False, default_factory=set)

    def __post_init__(self) -> None:
        self.bytes = self.source.encode()
        self.starts = [0]
        for line in self.bytes.splitlines(keepends=True):
            self.starts.append(self.starts[-1] + len(line))
        self.tree = ast.parse(self.source)
        self.parents = {child: node for node in ast.walk(self.tree) for child in ast.iter_child_nodes(node)}
        self._collect(self.tree.body, "")
        self.shapes = _shapes(self.source)
        self.units = [unit for statement in self.statements for unit in self._units(statement)]
        self.before = self._activations()

    # text

    def span(self, node: ast.AST) -> tuple[int, int]:
        at: Any = node
        return self.starts[at.lineno - 1] + at.col_offset, self.starts[at.end_lineno - 1] + at.end_col_offset

    def text(self, node: ast.AST) -> str:
        start, end = self.span(node)
        return self.bytes[start:end].decode()

    def put(self, node: ast.expr, at: ast.AST) -> str:
        """Return the text of a node for the place of another, in parentheses where it needs them there."""
        return self.fit(self.text(node), _is_loose(node), at)

    def fit(self, text: str, loose: bool, at: ast.AST) -> str:
        """Return a text for the place of a node, in parentheses if it is loose and the place binds it closer."""
        start, end = self.span(at)
        enclosed = self.bytes[:start].rstrip().endswith(b"(") and self.bytes[end:].lstrip().startswith(b")")
        closer = isinstance(self.parents.get(at), ast.BinOp | ast.UnaryOp | ast.Attribute | ast.Subscript)
        return f"({text})" if loose and closer and not enclosed else text

    def edited(self, kind: str, statement: Statement, at: ast.AST, text: str, description: str,
               also: tuple[str, ...] = ()) -> Mutant:
        """Return the mutant in which a text stands in the place of a node."""
        start, end = self.span(at)
        node: Any = at
        if statement.role == "loss" and kind != "loss_mismatch":
            also = (*also, "loss_mismatch")  # a loss that is wrong is also one that the gradients are not of
        first, last = statement.node.lineno, statement.node.end_lineno or statement.node.lineno
        return Mutant(kind, node.lineno, f"{self.text(at)} → {text}: {description}",
                      (self.bytes[:start] + text.encode() + self.bytes[end:]).decode(),
                      tuple(range(first, last + 1)), tuple(dict.fromkeys(also)))

    # statements

    def _collect(self, body: list[ast.stmt], scope: str) -> None:
        for node in body:
            if isinstance(node, ast.FunctionDef | ast.ClassDef):
                if not PREPARES.search(node.name):
                    self._collect(node.body, f"{scope}.{node.name}".lstrip("."))
            elif isinstance(node, ast.For | ast.While | ast.If | ast.With):
                self._collect(node.body, scope)
                self._collect(getattr(node, "orelse", []), scope)
            elif self._is_line(node, scope):
                self.statements.append(Statement(node, scope, self._role(node, scope), body))

    def _is_line(self, node: ast.stmt, scope: str) -> bool:
        """Tell whether a statement computes a part of the network, and remember the names of data otherwise."""
        if isinstance(node, ast.Return):
            return node.value is not None
        if isinstance(node, ast.Expr):
            return isinstance(node.value, ast.Call) and isinstance(node.value.func, ast.Attribute) \
                and node.value.func.attr == "append"
        if not isinstance(node, ast.Assign | ast.AugAssign) or node.value is None:
            return False
        value = node.value
        if any(isinstance(n, ast.Compare) and isinstance(n.ops[0], ast.Eq) for n in ast.walk(value)) or (
                isinstance(value, ast.Attribute) and value.attr in ("shape", "size")):
            return False
        if isinstance(value, ast.ListComp | ast.BinOp) and _creates(value) and (scope or "None" in self.text(value)):
            return False  # room for results
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        roots = {_root(t) for target in targets for t in getattr(target, "elts", [target])}
        loads = {n.id for n in ast.walk(value) if isinstance(n, ast.Name)} - {"np"} - set(dir(builtins))
        if isinstance(value, ast.Lambda):
            return True
        if not loads and not any(isinstance(n, ast.Call) for n in ast.walk(value)):
            if self.text(value) in ("[]", "{}") or "None" in self.text(value):
                return False  # room for results
            if isinstance(node, ast.AugAssign) or isinstance(targets[0], ast.Subscript):
                return roots.isdisjoint(self.data)
            self.data |= roots if not scope else set()
            return False
        made = _creates(value) and loads <= self.data | _bound(value)
        prepared = loads <= self.data and (roots <= self.data or self._is_size(value))
        if not scope and (made or prepared):
            self.data |= roots
            return False
        return not self._is_size(value) and not (scope and _creates(value) and not loads)

    def _is_size(self, value: ast.expr) -> bool:
        """Tell whether an expression is a size or another number that describes the data."""
        return (isinstance(value, ast.Subscript) and ".shape" in self.text(value)) \
            or (isinstance(value, ast.Attribute) and value.attr in ("shape", "size")) \
            or (isinstance(value, ast.Call) and self.text(value.func) == "len") \
            or (isinstance(value, ast.BinOp) and "len(" in self.text(value) and not isinstance(value.op, ast.Div))

    def _role(self, node: ast.stmt, scope: str) -> Role:
        function = scope.rpartition(".")[2]
        target = ""
        if isinstance(node, ast.Assign):
            target = _last(node.targets[0])
        elif isinstance(node, ast.AugAssign):
            target = _last(node.target)
        value: Any = getattr(node, "value", None)
        gradient = bool(GRADIENT.search(target)) and target not in ("data", "dims")
        takes = any(GRADIENT.search(_last(n)) for n in ast.walk(value)
                    if isinstance(n, ast.Name | ast.Subscript | ast.Attribute))
        again = (isinstance(node, ast.AugAssign) and isinstance(node.op, ast.Add | ast.Sub)) or (
            isinstance(node, ast.Assign) and isinstance(value, ast.BinOp)
            and self.text(value.left) == self.text(node.targets[0]))
        if UPDATE.search(function) or (takes and again and not gradient):
            return "update"
        if gradient or BACKWARD.search(function):
            return "backward"
        if LOSS.search(target) or re.search(r"loss|cost", function) or "np.log(" in self.text(value):
            return "loss"
        return "forward"

    def _units(self, statement: Statement) -> list[Unit]:
        node = statement.node
        if isinstance(node, ast.Assign):
            value, target = node.value, node.targets[0]
            if isinstance(value, ast.Tuple) and isinstance(target, ast.Tuple):
                return [Unit(v, self.text(t), statement) for v, t in zip(value.elts, target.elts, strict=True)]
            if isinstance(value, ast.Lambda):
                return [Unit(value.body, self.text(target), statement)]
            return [Unit(value, self.text(target), statement)]
        if isinstance(node, ast.AugAssign):
            return [Unit(node.value, self.text(node.target), statement)]
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call):
            return [Unit(argument, "", statement) for argument in node.value.args]
        returned = getattr(node, "value", None)
        return [Unit(returned, "", statement)] if returned is not None else []

    def _activations(self) -> dict[tuple[str, str], str]:
        """Return of each array that is computed entry by entry from one other that one: of h1 the a1."""
        found = {}
        for unit in self.units:
            if unit.statement.role != "forward" or not unit.target:
                continue
            same = {self.text(n) for n in self.references(unit.value) if self.shape(n) == self.shape(unit.value) != ()}
            others = [n for n in self.references(unit.value) if self.shape(n) not in ((), self.shape(unit.value))]
            if len(same) == 1 and not others:
                found[unit.statement.scope, unit.target] = same.pop()
        return found

    # expressions

    def shape(self, node: ast.AST) -> Shape | None:
        return self.shapes.get(_key(node))

    def is_array(self, node: ast.AST) -> bool:
        return bool(self.shape(node))

    def is_number(self, node: ast.AST) -> bool:
        return self.shape(node) == () or (isinstance(node, ast.Constant) and isinstance(node.value, int | float))

    def walk(self, unit: Unit) -> Iterator[ast.expr]:
        """Yield the expressions of a unit that stand for values, and none of an index or a string."""
        yield from _values(unit.value)

    def references(self, value: ast.expr) -> list[ast.expr]:
        return [n for n in _values(value) if _is_reference(n) and self.is_array(n)]

    def in_scope(self, statement: Statement) -> dict[str, Shape]:
        """Return the arrays that are known at a statement by the text that refers to them, the latest first."""
        found: dict[str, Shape] = {}
        for unit in self.units:
            if unit.statement.scope != statement.scope or unit.statement.node.lineno >= statement.node.lineno:
                continue
            for node in self.references(unit.value):
                if not any(isinstance(n, ast.comprehension) for n in self._above(node)):
                    found.setdefault(self.text(node), self.shape(node) or ())
            if unit.target and self.is_array(unit.value) and "," not in unit.target:
                found.pop(unit.target, None)
                found[unit.target] = self.shape(unit.value) or ()
        return dict(reversed(found.items()))

    def _above(self, node: ast.AST) -> Iterator[ast.AST]:
        above = self.parents.get(node)
        while above is not None:
            yield from ast.iter_child_nodes(above) if isinstance(above, ast.ListComp) else [above]
            above = self.parents.get(above)


def _key(node: ast.AST) -> tuple[int, int, int, int, str]:
    at: Any = node
    return at.lineno, at.col_offset, at.end_lineno, at.end_col_offset, type(node).__name__


def _is_reference(node: ast.AST) -> bool:
    """Tell whether a node refers to a value: a name, an attribute other than NumPy's, an entry of a list or dict."""
    if isinstance(node, ast.Attribute):
        return node.attr not in ("T", "shape", "size") and _is_reference(node.value) and _root(node) != "np"
    if isinstance(node, ast.Subscript):
        return _is_reference(node.value)
    return isinstance(node, ast.Name) and node.id != "np"


def _values(node: ast.AST) -> Iterator[ast.expr]:
    if isinstance(node, ast.expr):
        yield node
    if _is_reference(node) or isinstance(node, ast.JoinedStr):
        return
    if isinstance(node, ast.Call):
        if isinstance(node.func, ast.Attribute) and _root(node.func) != "np":
            yield from _values(node.func.value)
        for argument in node.args:
            yield from _values(argument)
        for keyword in node.keywords:
            if keyword.arg not in ("axis", "keepdims"):
                yield from _values(keyword.value)
        return
    if isinstance(node, ast.Subscript):
        yield from _values(node.value)
        return
    for child in ast.iter_child_nodes(node):
        if isinstance(child, ast.expr):
            yield from _values(child)


def _is_loose(node: ast.AST) -> bool:
    return isinstance(node, ast.Compare | ast.BoolOp | ast.IfExp | ast.Lambda | ast.UnaryOp) \
        or (isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add | ast.Sub))


def _root(node: ast.AST) -> str:
    while isinstance(node, ast.Attribute | ast.Subscript | ast.Starred):
        node = node.value
    return node.id if isinstance(node, ast.Name) else ""


def _last(node: ast.AST) -> str:
    """Return the name by which a reference calls its value: ``dW1`` of ``grads["dW1"]``, ``W1`` of ``self.W1``."""
    if isinstance(node, ast.Tuple):
        return _last(node.elts[0])
    if isinstance(node, ast.Subscript):
        keys = [n.value for n in ast.walk(node.slice) if isinstance(n, ast.Constant) and isinstance(n.value, str)]
        return keys[0] if keys else _last(node.value)
    return node.attr if isinstance(node, ast.Attribute) else node.id if isinstance(node, ast.Name) else ""


def _creates(value: ast.AST) -> bool:
    return any(isinstance(n, ast.Call) and isinstance(n.func, ast.Attribute) and n.func.attr in CREATION
               and n.func.attr != "copy" for n in ast.walk(value)) \
        or any(isinstance(n, ast.List) and n.elts and isinstance(n.elts[0], ast.Constant) for n in ast.walk(value))


def _bound(value: ast.AST) -> set[str]:
    return {n.id for n in ast.walk(value) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}


# Running


class _Numbered(ast.NodeTransformer):
    """Show every value to `__see__`, and every assignment to `__record__`; other draws of the data by other seeds."""

    def __init__(self, draw: int, see: bool) -> None:
        self.draw, self.see, self.scope = draw, see, ""

    def _in(self, node: Any) -> Any:
        outer, self.scope = self.scope, f"{self.scope}.{node.name}"
        node.body = [s for statement in node.body for s in _as_list(self.visit(statement))]
        self.scope = outer
        return node

    visit_FunctionDef = visit_ClassDef = _in

    def visit(self, node: ast.AST) -> Any:
        key = _key(node) if isinstance(node, ast.expr) else None
        keep = isinstance(node, ast.Constant | ast.JoinedStr | ast.Slice | ast.Lambda | ast.Starred) \
            or not isinstance(getattr(node, "ctx", ast.Load()), ast.Load)
        seen = super().visit(node)
        if key is None or keep or not self.see or not isinstance(seen, ast.expr):
            return seen
        return ast.Call(ast.Name("__see__", ast.Load()), [ast.parse(repr(key), mode="eval").body, seen], [])

    def visit_Call(self, node: ast.Call) -> Any:
        if self.draw and isinstance(node.func, ast.Attribute) and node.func.attr in SEEDS:
            node.args = [ast.BinOp(a, ast.Add(), ast.Constant(100 * self.draw)) for a in node.args]
            return node
        if isinstance(node.func, ast.Attribute) and _root(node.func) != "np":
            node.func.value = self.visit(node.func.value)
        node.args = [a if isinstance(a, ast.GeneratorExp) else self.visit(a) for a in node.args]
        for keyword in node.keywords:
            keyword.value = self.visit(keyword.value)
        return node

    def visit_Attribute(self, node: ast.Attribute) -> Any:
        if _root(node) != "np" and isinstance(node.ctx, ast.Load):
            node.value = self.visit(node.value)
        return node

    def visit_Subscript(self, node: ast.Subscript) -> Any:
        if isinstance(node.ctx, ast.Load) and not _is_reference(node):
            node.value = self.visit(node.value)
        return node

    def _assigned(self, node: Any) -> list[ast.stmt]:
        targets = node.targets if isinstance(node, ast.Assign) else [node.target]
        node.value = self.visit(node.value)
        singles = [single for t in targets for single in getattr(t, "elts", [t])]
        return [node, *(_record_call(self.scope, t.value if isinstance(t, ast.Subscript) else t) for t in singles)]

    visit_Assign = visit_AugAssign = _assigned

    def visit_Return(self, node: ast.Return) -> Any:
        if node.value is not None:
            call: Any = _record_call(self.scope, self.visit(node.value), "return")
            node.value = call.value
        return node


def _as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _record_call(scope: str, node: ast.expr, text: str = "") -> ast.Expr:
    loaded = ast.parse(text or ast.unparse(node), mode="exec") if not text else None
    value = loaded.body[0].value if loaded is not None else node  # type: ignore[attr-defined]
    name = ast.Constant(f"{scope}:{text or ast.unparse(node)}")
    return ast.Expr(ast.Call(ast.Name("__record__", ast.Load()), [name, value], []))


def _frozen(value: Any, depth: int = 4) -> Any:
    """Return a copy of the numbers in a value; None of what holds none."""
    if isinstance(value, np.ndarray):
        return value.copy() if value.dtype.kind in "biuf" else None
    if isinstance(value, bool | int | float | np.number | np.bool_):
        return float(value)
    if isinstance(value, str):
        return value
    if depth and isinstance(value, dict):
        return {str(k): _frozen(v, depth - 1) for k, v in value.items()}
    if depth and isinstance(value, list | tuple):
        return [_frozen(v, depth - 1) for v in value]
    if depth and hasattr(value, "__dict__") and not isinstance(value, type | ModuleType) and not callable(value):
        return _frozen(vars(value), depth - 1)
    return None


def _same(a: Any, b: Any) -> bool:
    if isinstance(a, dict) and isinstance(b, dict):
        return a.keys() == b.keys() and all(_same(a[k], b[k]) for k in a)
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(_same(x, y) for x, y in zip(a, b, strict=True))
    if isinstance(a, np.ndarray | float) and isinstance(b, np.ndarray | float):
        return np.shape(a) == np.shape(b) and np.allclose(a, b, rtol=1e-9, atol=1e-12, equal_nan=True)
    return a == b if isinstance(a, str) else type(a) is type(b)


def _import(name: str, *others: Any) -> ModuleType:
    if name.partition(".")[0] != "numpy":  # NumPy's own lazy imports come through here as well
        raise ImportError(f"a program imports numpy alone, not {name}")
    return builtins.__import__(name, *others)


def _run(source: str, draw: int, see: bool, limit: float = 2.0) -> tuple[dict[str, Any], dict[Any, Any]]:
    """Run a program; return what was assigned, in order by name, and the shapes that its expressions had first."""
    tree = ast.fix_missing_locations(_Numbered(draw, see).visit(ast.parse(source)))
    records: dict[str, Any] = {}
    shapes: dict[Any, Any] = {}
    end = time.monotonic() + limit

    def record(name: str, value: Any) -> Any:
        if time.monotonic() > end:
            raise TimeoutError(f"the program ran for more than {limit} seconds")
        records.setdefault(name, []).append(_frozen(value))
        return value

    def look(key: Any, value: Any) -> Any:
        if isinstance(value, np.ndarray | bool | int | float | np.number):
            shapes.setdefault(tuple(key), np.shape(value))
        return value

    names = {name: getattr(builtins, name) for name in BUILTINS}
    names |= {"print": lambda *values, **_: record("printed", list(values)), "__import__": _import}
    namespace: dict[str, Any] = {"__builtins__": names, "__name__": "program", "__record__": record, "__see__": look}
    state = np.random.get_state()  # noqa: NPY002 - the programs seed the global generator
    try:
        with np.errstate(all="ignore"):
            exec(compile(tree, "program", "exec"), namespace)  # noqa: S102 - programs of these tests
    finally:
        np.random.set_state(state)  # noqa: NPY002
    for name, value in namespace.items():
        if not name.startswith("__"):
            records[f"at the end:{name}"] = _frozen(value)
    return records, shapes


def _record(source: str, draw: int) -> dict[str, Any]:
    return _run(source, draw, see=False)[0]


@cache
def _original(source: str, draw: int) -> dict[str, Any]:
    return _record(source, draw)


@cache
def _shapes(source: str) -> dict[Any, Any]:
    return _run(source, 0, see=True)[1]


# Mutators


def _renumbered(text: str, by: int) -> str | None:
    """Return a name with its last number moved: ``h2`` of ``h1``; None where there is none."""
    found = re.search(r"\d+(?=\D*$)", text)
    if found is None or int(found[0]) + by < 0:
        return None
    return f"{text[:found.start()]}{int(found[0]) + by}{text[found.end():]}"


def _stem(text: str) -> str:
    return re.sub(r"\d+", "", text)


def wrong_name(program: Program) -> Iterator[Mutant]:
    turn = 0
    for unit in program.units:
        scope = program.in_scope(unit.statement)
        for node in program.references(unit.value):
            text, shape = program.text(node), program.shape(node)
            others = [t for t in scope if _stem(t) != _stem(text) and t != unit.target]
            same = [t for t in others if scope[t] == shape]
            rest = [t for t in others if scope[t] != shape and len(scope[t]) == len(shape or ())]
            for pool in (others[:1], same, rest):  # what was assigned last is what a copied line still names
                if pool:
                    turn += 1
                    other = pool[turn * 7 % len(pool)]
                    yield program.edited("wrong_name", unit.statement, node, other, "another name in scope")


def layer_index(program: Program) -> Iterator[Mutant]:
    for unit in program.units:
        scope = program.in_scope(unit.statement)
        for node in program.references(unit.value):
            text = program.text(node)
            if isinstance(node, ast.Subscript):
                for at, new in _moved_indices(program, node.slice):
                    yield program.edited("layer_index", unit.statement, at, new, "the entry of another layer")
            named = [_renumbered(text, by) for by in (-1, 1)]
            named += [t for t in scope if t != text and _stem(t) == _stem(text)]
            for other in dict.fromkeys(named):
                if other in scope and other != unit.target:
                    yield program.edited("layer_index", unit.statement, node, other, "the quantity of another layer")


def _moved_indices(program: Program, index: ast.expr) -> Iterator[tuple[ast.AST, str]]:
    """Yield a node of an index and its text for a neighbouring layer."""
    if isinstance(index, ast.JoinedStr):  # f"W{k - 1}"
        for part in index.values:
            if isinstance(part, ast.FormattedValue):
                yield from _moved_indices(program, part.value)
    elif isinstance(index, ast.BinOp) and isinstance(index.right, ast.Call):  # "W" + str(k)
        yield from _moved_indices(program, index.right.args[0])
    elif isinstance(index, ast.BinOp) and isinstance(index.right, ast.Constant):  # k - 1
        yield index, program.text(index.left)
    elif isinstance(index, ast.UnaryOp) and isinstance(index.operand, ast.Constant):
        yield index, f"-{int(index.operand.value) + 1}"  # type: ignore[arg-type]
    elif isinstance(index, ast.Name | ast.UnaryOp) and not program.is_array(index):
        yield index, f"{program.text(index)} - 1"
        yield index, f"{program.text(index)} + 1"
    elif isinstance(index, ast.Constant) and isinstance(index.value, int):
        yield index, str(index.value + 1)


def _products(program: Program, unit: Unit) -> Iterator[tuple[ast.expr, ast.expr, ast.expr, str]]:
    """Yield the products of matrices of a unit: the node, its operands, and how it is written."""
    for node in program.walk(unit):
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.MatMult):
            yield node, node.left, node.right, "@"
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            name = node.func.attr
            if _root(node.func) == "np" and name in ("dot", "matmul", "outer") and len(node.args) == 2:
                yield node, node.args[0], node.args[1], f"np.{name}"
            elif _root(node.func) != "np" and name == "dot" and len(node.args) == 1:
                yield node, node.func.value, node.args[0], ".dot"


def transpose(program: Program) -> Iterator[Mutant]:
    for unit in program.units:
        for node in program.walk(unit):
            inner: ast.expr | None = None
            if isinstance(node, ast.Attribute) and node.attr == "T":
                inner = node.value
            elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "transpose":
                inner = node.args[0] if node.args else node.func.value
            if inner is not None:
                yield program.edited("transpose", unit.statement, node, program.put(inner, node), "a transpose less")
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and "->" in node.value:
                operands, _, result = node.value.partition("->")
                first, _, second = operands.partition(",")
                for new in (f"{first[::-1]},{second}->{result}", f"{first},{second[::-1]}->{result}",
                            f"{operands}->{result[::-1]}"):
                    if second:
                        yield program.edited("transpose", unit.statement, node, f'"{new}"', "indices in another order")
        for _, left, right, _ in _products(program, unit):
            for operand in (left, right):
                if len(program.shape(operand) or ()) == 2 and not program.text(operand).endswith((".T", "transpose()")):
                    text = program.text(operand)
                    loose = isinstance(operand, ast.BinOp | ast.UnaryOp) and not text.startswith("(")
                    _, end = program.span(operand)
                    if loose and program.bytes[end:end + 1] == b")":
                        continue  # parentheses of the author's around it: the place after them is not a node's
                    yield program.edited("transpose", unit.statement, operand, f"({text}).T" if loose else f"{text}.T",
                                         "a transpose more")
        if unit.statement.role == "update":
            for node in program.references(unit.value):
                if GRADIENT.search(_last(node)) and len(program.shape(node) or ()) == 2:
                    text = f"{program.text(node)}.T"
                    yield program.edited("transpose", unit.statement, node, text, "a transpose more")


def sign(program: Program) -> Iterator[Mutant]:
    for statement in program.statements:
        line = statement.node
        if isinstance(line, ast.AugAssign) and isinstance(line.op, ast.Add | ast.Sub):
            old, new = ("+=", "-=") if isinstance(line.op, ast.Add) else ("-=", "+=")
            whole = program.text(line)
            yield program.edited("sign", statement, line, whole.replace(old, new, 1), f"{new} for {old}")
    for unit in program.units:
        for value in program.walk(unit):
            known = program.shape(value) is not None
            if isinstance(value, ast.BinOp) and isinstance(value.op, ast.Add | ast.Sub) and known:
                if isinstance(value.right, ast.Constant) and isinstance(value.right.value, float):
                    continue  # the small number that keeps a logarithm finite
                new = "-" if isinstance(value.op, ast.Add) else "+"
                yield _with_operator(program, "sign", unit, value, new, f"{new} for the other")
            elif isinstance(value, ast.UnaryOp) and isinstance(value.op, ast.USub):
                yield program.edited("sign", unit.statement, value, program.put(value.operand, value), "a minus less")
            elif isinstance(value, ast.Call) and program.text(value.func) in ("np.add", "np.subtract"):
                new = "np.subtract" if program.text(value.func) == "np.add" else "np.add"
                yield program.edited("sign", unit.statement, value.func, new, "subtracted for added")
        computed = isinstance(unit.value, ast.BinOp | ast.Call) and program.is_array(unit.value)
        if unit.statement.role == "backward" and computed:
            text = program.text(unit.value)
            text = f"-({text})" if _is_loose(unit.value) else f"-{text}"
            yield program.edited("sign", unit.statement, unit.value, text, "a minus more")


def _with_operator(program: Program, kind: str, unit: Unit, node: ast.BinOp, new: str, description: str,
                   also: tuple[str, ...] = ()) -> Mutant:
    """Return the mutant with another operator between the operands of a node."""
    (start, end), (_, left), (right, _) = program.span(node), program.span(node.left), program.span(node.right)
    between = program.bytes[left:right].decode()
    changed = re.sub(r"\*\*|[-+*/@]", new, between, count=1)
    text = program.bytes[start:left].decode() + changed + program.bytes[right:end].decode()
    return program.edited(kind, unit.statement, node, text, description, also)


def operator(program: Program) -> Iterator[Mutant]:
    for unit in program.units:
        for node, left, right, written in _products(program, unit):
            first, second = program.text(left), program.text(right)
            also = ("transpose",) if written == "np.outer" else ()
            if written == "@":
                # the parentheses of the operands belong to neither node: cut at the operator instead
                (start, end), (_, a), (b, _) = program.span(node), program.span(left), program.span(right)
                cut = program.bytes.index(b"@", a, b)
                texts = program.bytes[start:cut].decode().strip(), program.bytes[cut + 1:end].decode().strip()
                swapped = f"{texts[1]} @ {texts[0]}"
                if isinstance(left, ast.BinOp) and isinstance(left.op, ast.MatMult | ast.Mult | ast.Div):
                    swapped = f"{texts[1]} @ ({texts[0]})"
                yield program.edited("operator", unit.statement, node, swapped, "operands swapped")
                if isinstance(node, ast.BinOp):
                    yield _with_operator(program, "operator", unit, node, "*", "* for @")
            elif written == ".dot":
                receiver = f"({second})" if isinstance(right, ast.BinOp) else second
                yield program.edited("operator", unit.statement, node, f"{receiver}.dot({first})", "operands swapped")
                yield program.edited("operator", unit.statement, node,
                                     program.fit(f"{first} * {second}", True, node), "* for dot")
            elif isinstance(node, ast.Call):
                yield program.edited("operator", unit.statement, node, f"{written}({second}, {first})",
                                     "operands swapped", also)
                yield program.edited("operator", unit.statement, node.func, "np.multiply", "multiply for a product")
        for value in program.walk(unit):
            if isinstance(value, ast.BinOp) and program.is_array(value.left) and program.is_array(value.right):
                if isinstance(value.op, ast.Mult):
                    yield _with_operator(program, "operator", unit, value, "@", "@ for *")
                elif isinstance(value.op, ast.Div):
                    yield _with_operator(program, "operator", unit, value, "*", "* for /")
            elif isinstance(value, ast.BinOp) and isinstance(value.op, ast.Pow) and program.is_array(value):
                yield _with_operator(program, "operator", unit, value, " * ", "* for **", ("activation_derivative",))
            elif isinstance(value, ast.Call) and program.text(value.func) == "np.multiply":
                yield program.edited("operator", unit.statement, value.func, "np.dot", "a product for multiply")


def _one_minus(program: Program, node: ast.expr) -> str | None:
    """Return the text of u in 1 - u."""
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Sub) and program.text(node.left) in ("1", "1.0"):
        return program.text(node.right)
    return None


def _factors(program: Program, unit: Unit) -> Iterator[tuple[ast.expr, ast.expr, ast.expr]]:
    """Yield the products entry by entry of two arrays: the node and its factors."""
    for node in program.walk(unit):
        if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult):
            left, right = node.left, node.right
        elif isinstance(node, ast.Call) and program.text(node.func) == "np.multiply":
            left, right = node.args
        else:
            continue
        if program.is_array(left) and program.is_array(right):
            yield node, left, right


def missing_factor(program: Program) -> Iterator[Mutant]:
    for unit in program.units:
        for node, left, right in _factors(program, unit):
            slope = program.text(left) == _one_minus(program, right)
            also = ("activation_derivative",) if slope or _one_minus(program, right) else ()
            for kept, gone in ((left, right), (right, left)):
                yield program.edited("missing_factor", unit.statement, node, program.put(kept, node),
                                     f"without {program.text(gone)}", also)
            inner = left.right if isinstance(left, ast.BinOp) and isinstance(left.op, ast.Mult) else None
            if inner is not None and program.text(inner) == _one_minus(program, right):
                outer = left.left  # type: ignore[attr-defined]
                yield program.edited("missing_factor", unit.statement, node, program.put(outer, node),
                                     "without the derivative of the activation", ("activation_derivative",))
    for statement in program.statements:
        line = statement.node
        target = line.targets[0] if isinstance(line, ast.Assign) else None
        if isinstance(target, ast.Subscript) and any(isinstance(n, ast.Compare) for n in ast.walk(target)):
            yield _left_out(program, "missing_factor", statement, target.value, "without the mask")


def _references(program: Program, node: ast.AST) -> set[str]:
    return {program.text(n) for n in ast.walk(node) if isinstance(n, ast.expr) and _is_reference(n)}


def _left_out(program: Program, kind: str, statement: Statement, target: ast.expr, description: str) -> Mutant:
    """Return the mutant without a statement; it may be reported where the value stands now or is read next, too."""
    mutant = program.edited(kind, statement, statement.node, "pass", description)
    text, place = program.text(target), statement.block.index(statement.node)
    reads = [s for s in statement.block[place + 1:] if text in _references(program, s)]
    stands = [s for s in statement.block[:place] if text in _writes(program, s)][-1:]
    return replace(mutant, lines=(*mutant.lines, *(s.lineno for s in (*stands, *reads))))


def extra_factor(program: Program) -> Iterator[Mutant]:
    for unit in program.units:
        repeated = False
        for node, _, right in _factors(program, unit):
            factor = program.text(right)
            factor = f"({factor})" if _is_loose(right) else factor
            yield program.edited("extra_factor", unit.statement, node,
                                 program.fit(f"{program.text(node)} * {factor}", False, node), "a factor twice")
            repeated = True
        if not repeated and program.is_array(unit.value) and unit.statement.role in ("backward", "forward"):
            scope = program.in_scope(unit.statement)
            fitting = [t for t, shape in scope.items() if shape == program.shape(unit.value) and t != unit.target]
            if fitting:
                text = program.text(unit.value)
                text = f"({text})" if isinstance(unit.value, ast.BinOp) else text
                text = f"{text} * {fitting[0]}"
                yield program.edited("extra_factor", unit.statement, unit.value, text, "a factor more")


def _sums(program: Program, unit: Unit) -> Iterator[tuple[ast.Call, ast.expr, str]]:
    """Yield the sums and means of a unit: the call, what is summed, and the name."""
    for node in program.walk(unit):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in SUMS:
            yield node, node.args[0] if _root(node.func) == "np" else node.func.value, node.func.attr


def missing_sum(program: Program) -> Iterator[Mutant]:
    for unit in program.units:
        for node, summed, _ in _sums(program, unit):
            yield program.edited("missing_sum", unit.statement, node, program.put(summed, node), "without the sum")
            for keyword in node.keywords:
                if keyword.arg == "axis":
                    old = program.text(keyword.value)
                    new = {"0": "1", "1": "0", "-1": "0"}[old]
                    yield program.edited("missing_sum", unit.statement, keyword.value, new, "along the other axis")


def scale(program: Program) -> Iterator[Mutant]:
    for unit in program.units:
        role = unit.statement.role
        if role == "update":
            continue  # any positive rate is right
        for node in program.walk(unit):
            if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult | ast.Div):
                known = program.shape(node) is not None
                if known and program.is_number(node.right) and not program.is_number(node.left):
                    yield program.edited("scale", unit.statement, node, program.put(node.left, node),
                                         f"without {program.text(node.right)}")
                if isinstance(node.op, ast.Mult) and program.is_number(node.left) and program.is_array(node.right):
                    yield program.edited("scale", unit.statement, node, program.put(node.right, node),
                                         f"without {program.text(node.left)}")
            elif isinstance(node, ast.BinOp) and isinstance(node.op, ast.MatMult) and isinstance(node.left, ast.BinOp) \
                    and program.is_number(node.left.left):
                yield program.edited("scale", unit.statement, node.left, program.put(node.left.right, node.left),
                                     f"without {program.text(node.left.left)}")
        for node, _, name in _sums(program, unit):
            if role != "loss" and isinstance(node.func, ast.Attribute):
                other = "mean" if name == "sum" else "sum"
                text = f"{program.text(node.func.value)}.{other}"
                yield program.edited("scale", unit.statement, node.func, text, f"{other} for {name}")
        if role == "backward" and program.is_array(unit.value) and isinstance(unit.value, ast.BinOp | ast.Call):
            text = program.text(unit.value)
            loose = _is_loose(unit.value)
            whole = f"({text})" if loose else text
            count = _sample_count(program, unit.statement)
            if count:
                yield program.edited("scale", unit.statement, unit.value, f"{whole} / {count}", f"/ {count} more")
            yield program.edited("scale", unit.statement, unit.value, f"2 * {whole}", "2 more")
    for statement in program.statements:
        line = statement.node
        if isinstance(line, ast.AugAssign) and isinstance(line.op, ast.Div | ast.Mult):
            yield _left_out(program, "scale", statement, line.target, f"without {program.text(line)}")


def _sample_count(program: Program, statement: Statement) -> str | None:
    """Return a name of the number of samples that is in scope."""
    function = statement.scope.rpartition(".")[2]
    tree: ast.AST = next((n for n in ast.walk(program.tree) if isinstance(n, ast.FunctionDef) and n.name == function),
                         program.tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.Name) and node.id in ("N", "m", "n", "batch", "n_samples", "num_examples") \
                and node.lineno < statement.node.lineno:
            return node.id
    return None


def activation_derivative(program: Program) -> Iterator[Mutant]:
    for unit in program.units:
        if unit.statement.role != "backward":
            continue
        for node in program.walk(unit):
            for text, description in _other_slopes(program, unit, node):
                yield program.edited("activation_derivative", unit.statement, node, text, description)
            if isinstance(node, ast.Compare):
                new = FLIPPED[type(node.ops[0])]
                text = f"{program.text(node.left)} {new} {program.text(node.comparators[0])}"
                yield program.edited("activation_derivative", unit.statement, node, text, f"{new} for the other")
            if isinstance(node, ast.Call) and re.search(r"prime|deriv", program.text(node)) and node.args:
                argument = node.args[0]
                names = {h: a for (scope, h), a in program.before.items() if scope == unit.statement.scope}
                turned = names.get(program.text(argument)) or next(
                    (h for h, a in names.items() if a == program.text(argument)), None)
                if turned:
                    yield program.edited("activation_derivative", unit.statement, argument, turned,
                                         "the derivative at another value")
                plain = re.sub(r"_prime|_derivative|, deriv=True", "", program.text(node))
                if plain != program.text(node) and program.is_array(node):
                    yield program.edited("activation_derivative", unit.statement, node, plain,
                                         "the function for its derivative")
    for statement in program.statements:
        line = statement.node
        masked = isinstance(line, ast.Assign) and isinstance(line.targets[0], ast.Subscript)
        for compared in ast.walk(line.targets[0]) if masked and isinstance(line, ast.Assign) else ():
            if isinstance(compared, ast.Compare):
                new = FLIPPED[type(compared.ops[0])]
                text = f"{program.text(compared.left)} {new} {program.text(compared.comparators[0])}"
                yield program.edited("activation_derivative", statement, compared, text, f"{new} for the other")


def _other_slopes(program: Program, unit: Unit, node: ast.expr) -> Iterator[tuple[str, str]]:
    """Yield texts for a derivative that is written by the activation's value: of another one, or at a."""
    at_a = "the derivative at a for h"
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Mult):
        value = _one_minus(program, node.right)
        left = node.left
        head = ""
        if isinstance(left, ast.BinOp) and isinstance(left.op, ast.Mult) and value == program.text(left.right):
            head = f"{program.put(left.left, left)} * "
        elif value != program.text(left):
            return
        before = program.before.get((unit.statement.scope, value))
        if before:
            yield f"{head}{before} * (1 - {before})", at_a
        slope = f"1 - {value}**2"
        yield f"{head}({slope})" if head else program.fit(slope, True, node), "the derivative of tanh for sigmoid's"
        return
    square = _one_minus(program, node)
    if square is None or not isinstance(node, ast.BinOp):
        return
    value = re.sub(r"\s*\*\*\s*2$|^np\.square\((.*)\)$|^np\.power\((.*), 2\)$|^(\w+) \* \3$",
                   lambda m: m[1] or m[2] or m[3] or "", square)
    if value == square:
        return
    before = program.before.get((unit.statement.scope, value))
    if before:
        yield program.fit(f"1 - {square.replace(value, before)}", True, node), at_a
    yield program.fit(f"{value} * (1 - {value})", False, node), "the derivative of sigmoid for tanh's"
    yield program.fit(f"1 - {value}", True, node), "without the square"


def broadcast(program: Program) -> Iterator[Mutant]:
    for unit in program.units:
        for node in program.walk(unit):
            if isinstance(node, ast.Call) and any(k.arg == "keepdims" for k in node.keywords):
                text = re.sub(r",\s*keepdims=True(?=\)$)", "", program.text(node))
                yield program.edited("broadcast", unit.statement, node, text, "without keepdims")
            elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "reshape":
                text = program.text(node.func.value)
                yield program.edited("broadcast", unit.statement, node, text, "without reshape")
            elif isinstance(node, ast.Subscript) and "None" in program.text(node.slice):
                yield program.edited("broadcast", unit.statement, node, program.text(node.value), "without a new axis")


def shape_change(program: Program) -> Iterator[Mutant]:
    for unit in program.units:
        if unit.statement.role == "update":
            # gradients stand in other statements of the update, or in the lines before it
            known = program.in_scope(unit.statement) | {
                program.text(n): program.shape(n) or () for u in program.units
                if u.statement.scope == unit.statement.scope for n in program.references(u.value)}
            for node in program.references(unit.value):
                if not GRADIENT.search(_last(node)):
                    continue
                digits = re.findall(r"\d", program.text(node))
                others = [t for t, shape in known.items() if shape != program.shape(node)
                          and re.findall(r"\d", t) == digits
                          and GRADIENT.search(re.sub(r"^.*\[f?[\"']|^self\.", "", t))]
                for other in others[:2]:
                    yield program.edited("shape_change", unit.statement, node, other,
                                         "a gradient of another shape", ("wrong_name", "broadcast"))
        elif unit.statement.role == "backward" and len(program.shape(unit.value) or ()) == 2 \
                and isinstance(unit.value, ast.BinOp | ast.Call):
            text = program.text(unit.value)
            whole = f"({text})" if isinstance(unit.value, ast.BinOp) else text
            yield program.edited("shape_change", unit.statement, unit.value, f"{whole}.ravel()",
                                 "one axis for two", ("broadcast",))


def stale_value(program: Program) -> Iterator[Mutant]:
    by_node = {statement.node: statement for statement in program.statements}
    for statement in program.statements:
        block, index = statement.block, statement.block.index(statement.node)
        following = by_node.get(block[index + 1]) if index + 1 < len(block) else None
        if following is not None and statement.node.end_lineno is not None and (
                _writes(program, statement.node) & _reads(program, following.node)
                or _reads(program, statement.node) & _writes(program, following.node)):
            yield _moved(program, following.node, statement.node)
        if statement.role == "update":
            written, needed = _writes(program, statement.node), _reads(program, statement.node)
            earlier = [s for s in block[:index] if s in by_node]
            ready = max((i for i, s in enumerate(earlier) if _writes(program, s) & (needed - written)), default=-1)
            late = [s for s in earlier[ready + 1:] if written & _reads(program, s) and by_node[s].role == "backward"]
            if ready >= 0 and late:
                yield _moved(program, statement.node, late[0])


def _moved(program: Program, node: ast.stmt, before: ast.stmt) -> Mutant:
    """Return the mutant with a statement moved up before another one of its block."""
    lines = program.source.splitlines(keepends=True)
    first, last, to = node.lineno - 1, (node.end_lineno or node.lineno), before.lineno - 1
    source = "".join(lines[:to] + lines[first:last] + lines[to:first] + lines[last:])
    written = _writes(program, node) | _writes(program, before)
    others = [s for s in ast.walk(program.tree) if isinstance(s, ast.stmt) and before.lineno <= s.lineno < node.lineno
              and not hasattr(s, "body") and _reads(program, s) & written]
    size = last - first
    lines_of = {*range(to + 1, to + 1 + size), before.lineno + size, *(s.lineno + size for s in others)}
    return Mutant("stale_value", to + 1, f"{program.text(node)} before {program.text(before)}", source,
                  tuple(sorted(lines_of)))


def _writes(program: Program, node: ast.stmt) -> set[str]:
    targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AugAssign) else []
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call) and isinstance(node.value.func, ast.Attribute):
        targets = [node.value.func.value]
    return {program.text(t) for target in targets for t in getattr(target, "elts", [target])} | {
        program.text(t.value) for t in targets if isinstance(t, ast.Subscript)}


def _reads(program: Program, node: ast.stmt) -> set[str]:
    value: Any = getattr(node, "value", None)
    read = _references(program, value) if value else set()
    if isinstance(node, ast.AugAssign):
        read |= _writes(program, node)
    for target in getattr(node, "targets", []):
        if isinstance(target, ast.Subscript):
            read |= _references(program, target.slice) | {program.text(target.value)}
    return read


def loss_mismatch(program: Program) -> Iterator[Mutant]:
    for unit in program.units:
        if unit.statement.role != "loss":
            continue
        for node, left, right in _factors(program, unit):
            for kept, gone in ((left, right), (right, left)):
                if ".log(" in program.text(kept) and ".log(" not in program.text(gone):
                    yield program.edited("loss_mismatch", unit.statement, node, program.put(kept, node),
                                         f"without the label {program.text(gone)}", ("missing_factor",))
        for node, _, name in _sums(program, unit):
            if isinstance(node.func, ast.Attribute):
                other = "mean" if name == "sum" else "sum"
                yield program.edited("loss_mismatch", unit.statement, node.func,
                                     f"{program.text(node.func.value)}.{other}", f"{other} for {name}", ("scale",))
        scope = program.in_scope(unit.statement)
        for value in program.walk(unit):
            if isinstance(value, ast.BinOp) and isinstance(value.op, ast.Div) and program.shape(value) == () \
                    and program.is_number(value.right):
                yield program.edited("loss_mismatch", unit.statement, value, program.put(value.left, value),
                                     f"without / {program.text(value.right)}", ("scale",))
            if isinstance(value, ast.Call) and program.text(value.func) == "np.log" and value.args:
                argument = value.args[0]
                others = [t for t, shape in scope.items()
                          if shape == program.shape(argument) and t != program.text(argument)]
                if others and _is_reference(argument):
                    yield program.edited("loss_mismatch", unit.statement, argument, others[0],
                                         "the log of another array", ("wrong_name",))
            if isinstance(value, ast.Subscript) and "range(" in program.text(value.slice):
                text = program.text(value.value)
                yield program.edited("loss_mismatch", unit.statement, value, text, "without the label")
        references = list(dict.fromkeys(program.text(n) for n in program.references(unit.value)))
        if program.shape(unit.value) == () and len(references) == 2 and ".log(" in program.text(unit.value):
            yield program.edited("loss_mismatch", unit.statement, unit.value,
                                 f"np.sum(({references[0]} - {references[1]}) ** 2)", "squared error for cross-entropy")


MUTATORS = {
    "wrong_name": wrong_name, "layer_index": layer_index, "transpose": transpose, "sign": sign, "operator": operator,
    "missing_factor": missing_factor, "extra_factor": extra_factor, "missing_sum": missing_sum, "scale": scale,
    "activation_derivative": activation_derivative, "broadcast": broadcast, "shape_change": shape_change,
    "stale_value": stale_value, "loss_mismatch": loss_mismatch,
}
