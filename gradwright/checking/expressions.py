"""Expressions, interpreted: arrays are computed and remembered, what is not read is refused in words."""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Iterable, Mapping
from functools import cache, lru_cache
from typing import Any

import numpy as np

from gradwright.checking.calls import Calls
from gradwright.checking.nodes import (
    DRAWN,
    Array,
    Follows,
    Raises,
    Undefined,
    Unknown,
    Unreadable,
    View,
    part_mark,
)
from gradwright.checking.numpy_table import VIEWS
from gradwright.checking.objects import Class, Frame, Function, Instance, Method, Module, Parent

BINARY: Mapping[type[ast.operator], tuple[str, Callable[[Any, Any], Any]]] = {
    ast.Add: ("add", operator.add), ast.Sub: ("subtract", operator.sub), ast.Mult: ("multiply", operator.mul),
    ast.Div: ("divide", operator.truediv), ast.FloorDiv: ("floor_divide", operator.floordiv),
    ast.Mod: ("mod", operator.mod), ast.Pow: ("power", operator.pow), ast.MatMult: ("matmul", operator.matmul),
    ast.BitAnd: ("and", operator.and_), ast.BitOr: ("or", operator.or_), ast.BitXor: ("xor", operator.xor),
    ast.LShift: ("shift", operator.lshift), ast.RShift: ("shift", operator.rshift),
}
_UNARY: Mapping[type[ast.unaryop], tuple[str, Callable[[Any], Any]]] = {
    ast.USub: ("negative", operator.neg), ast.UAdd: ("positive", operator.pos), ast.Invert: ("invert", operator.invert),
}
_COMPARE: Mapping[type[ast.cmpop], Callable[[Any, Any], Any]] = {
    ast.Eq: operator.eq, ast.NotEq: operator.ne, ast.Lt: operator.lt, ast.LtE: operator.le, ast.Gt: operator.gt,
    ast.GtE: operator.ge, ast.Is: operator.is_, ast.IsNot: operator.is_not,
    ast.In: lambda a, b: a in b, ast.NotIn: lambda a, b: a not in b,
}
_LARGEST_POWER, _LONGEST = 10_000, 100_000


@lru_cache(maxsize=4096)
def parsed(text: str) -> ast.expr:
    """Return the tree of an expression.

    Raises:
        SyntaxError: It is none.
    """
    return ast.parse(text.strip(), mode="eval").body


@cache
def _method(kind: str) -> str:
    """Return the name of the method that reads a kind of expression."""
    return f"_{kind.lower()}"


class Expressions(Calls):
    """The expressions of Python, as far as such code uses them.

    Attributes:
        comprehensions: Lists that were made by one, by identity, each with the item's expression and its frames.
        parts: Parts of the data that have a name.
        handled: How many ``try`` statements with handlers are being followed, within each other.
        failed: Whether something was not read since the innermost of them began.
    """

    comprehensions: dict[int, tuple[list[Any], ast.expr, list[Frame]]]
    parts: dict[object, Array]
    handled: int
    failed: bool

    def evaluate(self, tree: ast.expr, frame: Frame) -> Any:
        """Return the value of an expression.

        Raises:
            Unreadable: It is not read, or would raise an error.
        """
        self.count(tree)
        method = getattr(self, _method(type(tree).__name__), None)
        if method is None:
            raise Unreadable(f"{ast.unparse(tree)[:60]} is not read")
        value = method(tree, frame)
        if isinstance(value, Unknown):
            raise Follows(value.reason)
        return value

    def truth(self, tree: ast.expr, frame: Frame) -> bool:
        """Return whether a condition holds."""
        value = self.evaluate(tree, frame)
        if isinstance(value, Array):
            if np.size(value.value) != 1:
                raise Unreadable("the truth value of an array with more than one element is ambiguous")
            return bool(np.asarray(value.value).item())
        return bool(value)

    def _constant(self, tree: ast.Constant, _: Frame) -> Any:
        value = tree.value
        return self.sizes.get(value, value) if type(value) is int else value

    def _name(self, tree: ast.Name, frame: Frame) -> Any:
        found, reason = frame.find(tree.id), f"the name {tree.id} is not defined"
        if found is not None:
            if found.function is None and frame.keeps(tree.id, found):
                raise Raises(reason)
            return found.names[tree.id]
        if tree.id in self.builtins:
            return self.builtins[tree.id]
        raise Raises(reason) if tree.id in self.assigned else Undefined(reason)

    def _namedexpr(self, tree: ast.NamedExpr, frame: Frame) -> Any:
        value = self.evaluate(tree.value, frame)
        frame.names[tree.target.id] = value
        return value

    def _tuple(self, tree: ast.Tuple, frame: Frame) -> Any:
        return tuple(self._items(tree.elts, frame))

    def _list(self, tree: ast.List, frame: Frame) -> Any:
        return self.made(list(self._items(tree.elts, frame)))

    def _set(self, tree: ast.Set, frame: Frame) -> Any:
        return list(self._items(tree.elts, frame))

    def _items(self, trees: Iterable[ast.expr], frame: Frame) -> Iterable[Any]:
        for tree in trees:
            if isinstance(tree, ast.Starred):
                yield from self.iterate(self.evaluate(tree.value, frame))
            else:
                yield self.lenient(tree, frame)

    def lenient(self, tree: ast.expr, frame: Frame) -> Any:
        """Return a value, or that it is unknown, for items: one that is not read should not hide the others."""
        try:
            return self.evaluate(tree, frame)
        except Unreadable as error:
            return self.unknown(error, fresh=True)

    def _dict(self, tree: ast.Dict, frame: Frame) -> Any:
        made: dict[Any, Any] = self.made({})
        for key, value in zip(tree.keys, tree.values, strict=False):
            if key is None:
                more = self.evaluate(value, frame)
                if not isinstance(more, dict):
                    raise Unreadable("two stars before such an object are not read")
                made |= more
            else:
                made[self.plain(self.evaluate(key, frame))] = self.lenient(value, frame)
        return made

    def _joinedstr(self, tree: ast.JoinedStr, frame: Frame) -> Any:
        return "".join(str(self.plain(self.evaluate(part, frame))) for part in tree.values)

    def _formattedvalue(self, tree: ast.FormattedValue, frame: Frame) -> Any:
        value = self.plain(self.evaluate(tree.value, frame))
        written = self.evaluate(tree.format_spec, frame) if tree.format_spec else ""
        if any(digits > 3 for digits in map(len, "".join(c if c.isdigit() else " " for c in written).split())):
            raise Unreadable("a text of that width")
        try:
            return format(value, written)
        except (ValueError, TypeError) as error:
            raise Unreadable(str(error)) from error

    def _ifexp(self, tree: ast.IfExp, frame: Frame) -> Any:
        return self.evaluate(tree.body if self.truth(tree.test, frame) else tree.orelse, frame)

    def _lambda(self, tree: ast.Lambda, frame: Frame) -> Any:
        return self.function(tree, frame)

    def _boolop(self, tree: ast.BoolOp, frame: Frame) -> Any:
        value: Any = None
        for part in tree.values:
            value = self.evaluate(part, frame)
            if self.truth_of(value) == isinstance(tree.op, ast.Or):
                break
        return value

    def truth_of(self, value: Any) -> bool:
        """Return whether a value counts as true."""
        if isinstance(value, Array):
            return bool(np.all(value.value))
        return bool(value)

    def _unaryop(self, tree: ast.UnaryOp, frame: Frame) -> Any:
        if isinstance(tree.op, ast.Not):
            return not self.truth(tree.operand, frame)
        name, function = _UNARY[type(tree.op)]
        value = self.evaluate(tree.operand, frame)
        return self.array(name, function, value) if isinstance(value, Array) else self.python(function, value)

    def _binop(self, tree: ast.BinOp, frame: Frame) -> Any:
        left, right = self.evaluate(tree.left, frame), self.evaluate(tree.right, frame)
        return self.binary(type(tree.op), left, right)

    def binary(self, kind: type[ast.operator], left: Any, right: Any) -> Any:
        """Return the value of two operands and an operator."""
        name, function = BINARY[kind]
        if isinstance(left, str):
            right = self.plain(right)
        if isinstance(left, Array) or isinstance(right, Array):
            if left is None or right is None:
                raise Raises("an operation between an array and None")
            return self.array(name, function, left, right)
        if kind is ast.Pow and isinstance(left, int) and isinstance(right, int):
            if abs(right) > _LARGEST_POWER or abs(left) > _LARGEST_POWER:
                raise Unreadable(f"{left} ** {right} is too large")
        elif kind is ast.Mult and isinstance(left, (str, list, tuple)) != isinstance(right, (str, list, tuple)):
            length, times = (left, right) if isinstance(left, (str, list, tuple)) else (right, left)
            if not isinstance(times, int) or len(length) * times > _LONGEST:
                raise Unreadable("a repetition of that length")
        elif kind in (ast.LShift, ast.RShift):
            raise Unreadable("shifts are not read")
        value = self.python(function, left, right)
        return self.made(value) if isinstance(value, list) else value

    def python(self, function: Callable[..., Any], *values: Any) -> Any:
        """Return the value of a function of plain Python values."""
        if any(isinstance(v, (Function, Instance, Class, Module, Method, Unknown)) for v in values):
            certain = any(isinstance(v, (Function, Class, Module, Method)) for v in values)
            raise (Raises if certain else Unreadable)("an operation between such objects is not read")
        try:
            return function(*values)
        except (TypeError, ValueError, ArithmeticError, LookupError) as error:
            raise Unreadable(str(error)) from error

    def _compare(self, tree: ast.Compare, frame: Frame) -> Any:
        left, result = self.evaluate(tree.left, frame), True
        for kind, comparator in zip(tree.ops, tree.comparators, strict=False):
            right = self.evaluate(comparator, frame)
            function = _COMPARE[type(kind)]
            if isinstance(kind, (ast.Is, ast.IsNot)):
                value = function(left, right)
            elif isinstance(left, Array) or (isinstance(right, Array) and not isinstance(kind, (ast.In, ast.NotIn))):
                value = self.array(type(kind).__name__.lower(), function, left, right)
                if isinstance(left, Array) and left.node.op == "random":
                    value.node.tags = frozenset([DRAWN])
            elif isinstance(kind, (ast.Eq, ast.NotEq)) and isinstance(left, (Function, Class, Method)):
                value = function(left, right)
            else:
                value = self.python(function, left, right)
            if len(tree.ops) == 1:
                return value
            result = result and self.truth_of(value)
            left = right
        return result

    def _yield(self, tree: ast.Yield, frame: Frame) -> None:
        home: Frame | None = frame
        while home is not None and home.yields is None:
            home = home.parent
        if home is None or home.yields is None:
            raise Unreadable("yield is not read here")
        home.yields.append(None if tree.value is None else self.lenient(tree.value, frame))

    def _attribute(self, tree: ast.Attribute, frame: Frame) -> Any:
        return self.attribute(self.evaluate(tree.value, frame), tree.attr)

    def attribute(self, owner: Any, name: str) -> Any:
        """Return an attribute of an object."""
        if isinstance(owner, Module):
            return self.member(owner, name)
        if isinstance(owner, Instance):
            if name in owner.attributes:
                return owner.attributes[name]
            found = owner.kind.find(name)
            if found is None:
                error = Raises if self.is_whole(owner) else Unreadable
                raise error(f"{owner.kind.name} has no attribute {name}")
            return self._member(owner, found) if isinstance(found, Function) else found
        if isinstance(owner, Parent):
            found = next((f for base in owner.bases if (f := base.find(name)) is not None), None)
            return Method(owner.instance, found) if isinstance(found, Function) else Method(owner, name)
        if isinstance(owner, Class):
            found = owner.find(name)
            if isinstance(found, Function) and found.manner == "class":
                return Method(owner, found)
            return Method(owner, name) if found is None else found
        if isinstance(owner, Array):
            if name == "T":
                return View(owner, self.tape, "T", np.transpose)
            if name in ("shape", "ndim", "size", "dtype"):
                return getattr(np.asarray(owner.value), name)
            if name in VIEWS:
                return Method(owner, name)
        return Method(owner, name)

    def _member(self, owner: Instance, found: Function) -> Any:
        """Return what a function of a class is as an attribute of an object."""
        if found.manner == "property":
            return self.enter(found, [owner], {})
        return found if found.manner == "static" else Method(owner.kind if found.manner == "class" else owner, found)

    def unknown(self, error: Unreadable, fresh: bool = False) -> Unknown:
        """Return the unknown value of what is not read; what is tried may stop, and the code goes on."""
        stops = not self.handled
        return Unknown(str(error), stops and isinstance(error, Raises), fresh, stops and isinstance(error, Undefined))

    def _subscript(self, tree: ast.Subscript, frame: Frame) -> Any:
        owner, index = self.evaluate(tree.value, frame), self.index(tree.slice, frame)
        return self.item(owner, index)

    def index(self, tree: ast.expr, frame: Frame) -> Any:
        """Return the value of what stands in brackets."""
        return self.evaluate(tree, frame)

    def item(self, owner: Any, index: Any) -> Any:
        """Return the item of a container, or part of an array."""
        if isinstance(owner, Array):
            part = (View(owner, self.tape, "getitem", lambda a: a[index]) if _is_basic(index)
                    else self.array("getitem", operator.getitem, owner, index))
            known = self.parts.get(part_mark(part.node)) if self.parts and isinstance(part, Array) else None
            return part if known is None else known
        if isinstance(owner, Module) and owner.path in ("numpy.c_", "numpy.r_"):
            join = np.c_ if owner.path == "numpy.c_" else np.r_
            parts = index if isinstance(index, tuple) else (index,)
            return self.array("concatenate", lambda *values: join[values], *parts)
        if isinstance(owner, (Instance, Function, Method, Module, Class)):
            raise Unreadable("an item of such an object is not read")
        index = self.plain(index)
        try:
            value = owner[index] if isinstance(owner, dict) and index in owner else self.python(
                operator.getitem, owner, index)
        except Unreadable as error:
            if isinstance(owner, (dict, list, tuple)) and isinstance(index, (int, str)) and self.is_whole(owner):
                word = f"the key {index!r}" if isinstance(owner, dict) else f"an item {index}"
                raise Raises(f"there is no such item: {word} of {len(owner)}") from error
            raise
        if isinstance(value, Unknown):
            raise Follows(value.reason)
        return value

    def is_whole(self, owner: Any) -> bool:
        """Say whether a container has all that Python would have put into it."""
        raise NotImplementedError

    def _slice(self, tree: ast.Slice, frame: Frame) -> Any:
        return slice(*(None if part is None else self.plain(self.evaluate(part, frame))
                       for part in (tree.lower, tree.upper, tree.step)))

    def _starred(self, tree: ast.Starred, frame: Frame) -> Any:
        raise Unreadable("a star is not read here")

    def _listcomp(self, tree: ast.ListComp, frame: Frame) -> Any:
        frames = list(self._comprehended(tree.generators, frame))
        made = self.made([self.lenient(tree.elt, inner) for inner in frames])
        self.comprehensions[id(made)] = made, tree.elt, frames
        return made

    _generatorexp = _setcomp = _listcomp

    def _dictcomp(self, tree: ast.DictComp, frame: Frame) -> Any:
        return {self.plain(self.evaluate(tree.key, inner)): self.lenient(tree.value, inner)
                for inner in self._comprehended(tree.generators, frame)}

    def _comprehended(self, generators: list[ast.comprehension], frame: Frame) -> Iterable[Frame]:
        if not generators:
            yield frame
            return
        first, *others = generators
        for item in self.iterate(self.evaluate(first.iter, frame)):
            inner = Frame(parent=frame, label=frame.label)
            self.bind(first.target, item, inner)
            if all(self.truth(condition, inner) for condition in first.ifs):
                yield from self._comprehended(others, inner)


def _is_basic(index: Any) -> bool:
    """Say whether an index gives a view: numbers, slices, None and an ellipsis."""
    items = index if isinstance(index, tuple) else (index,)
    return all(item is None or item is Ellipsis or (isinstance(item, (int, slice)) and not isinstance(item, bool))
               for item in items)
