"""Statements, interpreted: a file is followed as Python would, without running anything of it."""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

import numpy as np

from gradwright.checking.assignments import Assignments, Listener, is_container
from gradwright.checking.loops import runs_once, trains_on
from gradwright.checking.naming import label
from gradwright.checking.nodes import Array, Follows, Raises, Unknown, Unreadable
from gradwright.checking.objects import Class, Frame, Function, Module, Origin
from gradwright.checking.python_table import builtins
from gradwright.checking.source import Source

MOST_STEPS, MOST_ROUNDS = 400_000, 2_000

_MANNERS = {"staticmethod": "static", "classmethod": "class", "property": "property", "cached_property": "property"}


class _Return(Exception):
    def __init__(self, value: Any) -> None:
        self.value = value


class _Break(Exception):
    pass


class _Continue(Exception):
    pass


class Interpreter(Assignments):
    """Follows a file from top to bottom.

    Attributes:
        events: What was assigned, in the order of execution.
        notes: What was not read.
        frame: The names of the file.
    """

    def __init__(self, source: Source, listener: Listener | None = None,
                 files: Callable[[str], Any] | None = None) -> None:
        super().__init__(source, listener)
        self.files = files
        self.assigned, self.sizes = source.facts.assigned, source.sizes
        self.random = np.random.RandomState(0)
        self.frame = Frame()
        self.builtins = builtins(self)
        self._steps = self._cut = 0
        self._grown: dict[int, Any] = {}
        self._fresh: dict[int, Any] = {}
        self._unread = self.failed = False
        self.handled = 0
        self._handlers: dict[type[ast.stmt], Callable[[Any, Frame], None]] = {
            ast.Assign: self._assign, ast.AugAssign: self._augassign, ast.AnnAssign: self._annassign,
            ast.Expr: self._expression, ast.For: self._for, ast.While: self._while, ast.If: self._if,
            ast.FunctionDef: self._define, ast.ClassDef: self._class, ast.Return: self._return,
            ast.Import: self._import, ast.ImportFrom: self._import, ast.Pass: self._nothing,
            ast.Assert: self._nothing, ast.Delete: self._delete, ast.Global: self._global,
            ast.Nonlocal: self._global, ast.With: self._with, ast.Try: self._try, ast.Break: self._break,
            ast.Continue: self._continue, ast.Raise: self._raise,
        }

    def run(self) -> None:
        """Follow all cells; what stops one does not stop the next."""
        with np.errstate(all="ignore"):
            self._cells()

    def _cells(self) -> None:
        for cell in self.source.cells:
            self._cell = cell
            try:
                self._statements(cell.tree.body, self.frame)
            except (_Return, _Break, _Continue):
                pass
            except _TooLong as error:
                self._note(error.tree, str(error))
                return
            except RecursionError:
                self._note(cell.tree.body[0], "nested too deep to be followed")

    def count(self, tree: ast.AST) -> None:
        """Count a step, and stop at too many."""
        self._steps += 1
        if self._steps > MOST_STEPS:
            raise _TooLong(tree)

    # Statements.

    def _statements(self, body: list[ast.stmt], frame: Frame) -> None:
        for statement in body:
            handler = self._handlers.get(type(statement))
            try:
                if handler is None:
                    raise Unreadable(f"{type(statement).__name__.lower()} is not read")
                handler(statement, frame)
            except Unreadable as error:
                if not isinstance(error, Follows):
                    self._note(statement, str(error), isinstance(error, Raises))
                self._forget(statement, frame, str(error))

    def _forget(self, statement: ast.AST, frame: Frame, reason: str) -> None:
        """Make unknown what a statement that was not read would have assigned."""
        for part in ast.walk(statement):
            if isinstance(part, ast.Name) and isinstance(part.ctx, ast.Store):
                frame.names[part.id] = Unknown(reason)

    # Flow.

    def _expression(self, tree: ast.Expr, frame: Frame) -> None:
        call = tree.value
        if (isinstance(call, ast.Call) and isinstance(call.func, ast.Attribute)
                and call.func.attr in ("append", "insert") and self._append(call, call.func, frame)):
            return
        if isinstance(call, ast.Constant):
            return
        shown = [call]
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id in ("print", "display"):
            shown = [a for a in call.args if not isinstance(a, ast.Starred)]
        for part in shown:
            value = self._value(part, frame)
            if isinstance(value, Array) and value.node.event < 0 and not isinstance(part, ast.JoinedStr):
                event = self._named(ast.unparse(part), frame, part, part, "shown")
                event.node = value.node
                self._tell(event)

    def _append(self, call: ast.Call, method: ast.Attribute, frame: Frame) -> bool:
        """Follow ``values.append(value)`` of a list, which gives the value a name."""
        owner = self.evaluate(method.value, frame)
        if not isinstance(owner, list) or not call.args or call.keywords:
            return False
        value = self._value(call.args[-1], frame)
        at = len(owner)
        if method.attr == "insert":
            at = self.plain(self.evaluate(call.args[0], frame))
        path = self._path(method.value, frame)
        path = f"{path}[…]" if label(path) in self.source.facts.turned else f"{path}[{at}]"
        if (isinstance(value, Array) and value.node.event < 0) or isinstance(value, Unknown):
            event = self._named(path, frame, call, call.args[-1], "item")
            event.node = value.node if isinstance(value, Array) else None
            event.unknown = value if isinstance(value, Unknown) else None
            replaced = self._tell(event)
            if replaced is not None:
                value = Array(replaced)
        elif isinstance(value, Array) and isinstance(call.args[-1], (ast.Name, ast.Attribute, ast.Subscript)):
            value = self._handed(path, value, frame, call.args[-1])
        owner.insert(at, value)
        self.grow(owner)
        return True

    def _if(self, tree: ast.If, frame: Frame) -> None:
        if _is_main(tree.test):
            self._statements(tree.body, frame)
            return
        self._statements(tree.body if self.truth(tree.test, frame) else tree.orelse, frame)

    def _for(self, tree: ast.For, frame: Frame) -> None:
        items = list(self.iterate(self.evaluate(tree.iter, frame)))
        batches = len(items) > 1 and all(isinstance(item, (list, tuple)) for item in items) and trains_on(tree)
        if batches or (len(items) > 1 and runs_once(tree)):
            self._note(tree, f"of {len(items)} rounds of this loop the first is followed", cut=True)
            with self._within_cut():
                self._rounds(tree, items[:1], frame)
            return
        if len(items) > MOST_ROUNDS:
            raise Unreadable(f"a loop of {len(items)} rounds is not followed")
        self._rounds(tree, items, frame)

    def _round(self, body: list[ast.stmt], frame: Frame) -> bool:
        """Follow a round of a loop, and return whether the loop goes on."""
        try:
            self._statements(body, frame)
        except _Break:
            return False
        except _Continue:
            pass
        return True

    def _rounds(self, tree: ast.For, items: list[Any], frame: Frame) -> None:
        for item in items:
            self.bind(tree.target, item, frame)
            for part in ast.walk(tree.target):
                if isinstance(part, ast.Name):
                    self._meet(part.id, part, frame)
            if not self._round(tree.body, frame):
                return
        self._statements(tree.orelse, frame)

    def _while(self, tree: ast.While, frame: Frame) -> None:
        once = runs_once(tree)
        with self._within_cut() if once else nullcontext():
            for _ in range(1 if once else MOST_ROUNDS):
                if not self.truth(tree.test, frame) or not self._round(tree.body, frame):
                    break

    @contextmanager
    def _within_cut(self) -> Iterator[None]:
        """Follow a loop of which only the first round is followed."""
        self._cut += 1
        try:
            yield
        finally:
            self._cut -= 1

    def grow(self, owner: Any) -> None:
        """Remember a container that later rounds of a loop would make larger, which are not followed."""
        if self._cut and id(owner) not in self._fresh:
            self._grown[id(owner)] = owner

    def made(self, container: Any) -> Any:
        """Remember a container that each round of a loop makes anew."""
        if self._cut:
            self._fresh[id(container)] = container
        return container

    def is_whole(self, owner: Any) -> bool:
        """Say whether a container has all that Python would have put into it."""
        return not self._unread and id(owner) not in self._grown

    def _with(self, tree: ast.With, frame: Frame) -> None:
        for item in tree.items:
            if item.optional_vars is not None:
                value = self._value(item.context_expr, frame)
                self.bind(item.optional_vars, value, frame)
        self._statements(tree.body, frame)

    def _try(self, tree: ast.Try, frame: Frame) -> None:
        """Follow what is tried; where that is not all read, a handler may run, and what it assigns is unknown."""
        before, self.failed = self.failed, False
        self.handled += bool(tree.handlers)
        try:
            self._statements(tree.body, frame)
        finally:
            self.handled -= bool(tree.handlers)
        if self.failed:
            for handler in tree.handlers:
                self._forget(handler, frame, "an error may be handled there")
        self.failed |= before
        self._statements([*tree.orelse, *tree.finalbody], frame)

    def _return(self, tree: ast.Return | ast.Lambda, frame: Frame) -> None:
        expression = tree.body if isinstance(tree, ast.Lambda) else tree.value
        if expression is None:
            raise _Return(None)
        value, path = self._value(expression, frame), f"{frame.label}()"
        if is_container(value):
            self._items_of(path, value, frame, tree, expression)
            if isinstance(value, tuple) and isinstance(expression, ast.Tuple) and len(expression.elts) == len(value):
                self.returned[id(value)] = value, [Origin(part, self._cell, frame) for part in expression.elts]
        elif isinstance(value, (Unknown, Array)):
            event = self._named(path, frame, tree, expression, "return")
            event.node = value.node if isinstance(value, Array) else None
            event.unknown = value if isinstance(value, Unknown) else None
            replaced = self._tell(event)
            if replaced is not None:
                value = Array(replaced)
        raise _Return(value)

    def run_body(self, function: Function, frame: Frame) -> Any:
        """Run the statements of a function."""
        cell, self._cell = self._cell, function.cell
        frame.yields = [] if function.generates else None
        try:
            for argument in (*function.tree.args.posonlyargs, *function.tree.args.args):
                self._meet(argument.arg, argument, frame)
            if isinstance(function.tree, ast.Lambda):
                self._return(function.tree, frame)
            else:
                self._statements(function.tree.body, frame)
        except _Return as returned:
            if frame.yields is not None:
                return frame.yields
            if isinstance(returned.value, Unknown):
                raise Follows(returned.value.reason) from None
            return returned.value
        except (_Break, _Continue):
            return None
        finally:
            self._cell = cell
        return frame.yields

    def _break(self, tree: ast.stmt, frame: Frame) -> None:
        raise _Break

    def _continue(self, tree: ast.stmt, frame: Frame) -> None:
        raise _Continue

    def _raise(self, tree: ast.stmt, frame: Frame) -> None:
        raise _Return(Unknown("an error is raised there"))

    def _nothing(self, tree: ast.stmt, frame: Frame) -> None:
        """What has no effect on values."""

    def _global(self, tree: ast.Global | ast.Nonlocal, frame: Frame) -> None:
        frame.globals |= set(tree.names)

    def _delete(self, tree: ast.Delete, frame: Frame) -> None:
        for target in tree.targets:
            if isinstance(target, ast.Name):
                frame.names.pop(target.id, None)

    # Definitions.

    def function(self, tree: ast.FunctionDef | ast.Lambda, frame: Frame) -> Function:
        """Return the function of a definition."""
        signature = tree.args
        defaults = tuple(self.evaluate(d, frame) for d in signature.defaults)
        keyword = {a.arg: self.evaluate(d, frame)
                   for a, d in zip(signature.kwonlyargs, signature.kw_defaults, strict=True) if d}
        return Function(tree, frame, self._cell, defaults, keyword)

    def _define(self, tree: ast.FunctionDef, frame: Frame) -> None:
        made = self.function(tree, frame)
        for decorator in tree.decorator_list:
            name = ast.unparse(decorator)
            known = frame.names.get(name.removesuffix(".setter"))
            if name.endswith(".setter") and isinstance(known, Function):
                known.setter = made
                return
            made.manner = _MANNERS.get(name.rpartition(".")[2], "wrapped")
        frame.names[tree.name] = made

    def _class(self, tree: ast.ClassDef, frame: Frame) -> None:
        inner = Frame(parent=frame)
        self._statements(tree.body, inner)
        for value in inner.names.values():
            if isinstance(value, Function) and value.closure is inner:
                value.closure = frame
        bases = [self._value(base, frame) for base in tree.bases]
        frame.names[tree.name] = Class(tree.name, inner.names, tuple(b for b in bases if isinstance(b, Class)),
                                       _fields(tree))
        for value in inner.names.values():
            if isinstance(value, Function):
                value.closure = Frame({"__class__": frame.names[tree.name]}, frame)

    def _import(self, tree: ast.Import | ast.ImportFrom, frame: Frame) -> None:
        for alias in tree.names:
            if isinstance(tree, ast.Import):
                name = alias.asname or alias.name.partition(".")[0]
                frame.names[name] = Module(alias.name if alias.asname else name)
            elif tree.module is not None and alias.name != "*":
                frame.names[alias.asname or alias.name] = self.member(Module(tree.module), alias.name)
            elif tree.module == "numpy":
                starred = ("array", "exp", "log", "dot", "sum", "zeros")
                frame.names |= {n: self.member(Module("numpy"), n) for n in starred}

    def load(self, arguments: list[Any]) -> Any:
        """Return what an npy or npz file holds.

        Raises:
            Unreadable: There is no such file here.
        """
        name = arguments[0] if arguments else ""
        if not isinstance(name, str) or self.files is None:
            raise Unreadable("a file whose name is not known")
        found = self.files(name)
        if isinstance(found, dict):
            return {key: Array(self.tape.leaf(value, "load")) for key, value in found.items()}
        return Array(self.tape.leaf(found, "load"))


def _fields(tree: ast.ClassDef) -> tuple[str, ...]:
    """Return the fields of a dataclass or a named tuple; none of another class."""
    said = " ".join(map(ast.unparse, (*tree.decorator_list, *tree.bases)))
    if "dataclass" not in said and "NamedTuple" not in said:
        return ()
    return tuple(s.target.id for s in tree.body if isinstance(s, ast.AnnAssign) and isinstance(s.target, ast.Name))


class _TooLong(Exception):
    def __init__(self, tree: ast.AST) -> None:
        super().__init__(f"reading stopped here, after {MOST_STEPS} steps")
        self.tree = tree


def _is_main(test: ast.expr) -> bool:
    return (isinstance(test, ast.Compare) and isinstance(test.left, ast.Name) and test.left.id == "__name__")
