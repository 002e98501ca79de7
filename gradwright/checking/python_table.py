"""The functions of Python itself that are read."""

from __future__ import annotations

import ast
import math
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from gradwright.checking.expressions import Expressions
from gradwright.checking.nodes import Array, Raises
from gradwright.checking.objects import Class, Instance, Partial


def builtins(interpreter: Expressions) -> dict[str, Any]:
    """Return the functions of Python that are read."""
    def plain(function: Callable[..., Any], op: str | None = None, arrays: Any = None) -> Partial:
        def call(*arguments: Any, **options: Any) -> Any:
            if op is not None and arguments and isinstance(arguments[0], Array):
                return interpreter.array(op, arrays or function, *arguments, **options)
            values = [interpreter.plain(a) for a in arguments]
            return interpreter.python(lambda *v: function(*v, **options), *values)
        return Partial(function.__name__, call)

    def length(value: Any) -> int:
        if isinstance(value, Array):
            if not value.shape:
                raise Raises("len() of a number")
            return len(value.value)
        return interpreter.python(len, value)

    def listed(kind: type) -> Partial:
        return Partial(kind.__name__, lambda *v: kind(interpreter.iterate(v[0])) if v else kind())

    def zipped(*values: Any, strict: bool = False) -> list[tuple[Any, ...]]:
        return list(zip(*map(interpreter.iterate, values), strict=False))

    def dictionary(*values: Any, **options: Any) -> dict[Any, Any]:
        first = values[0] if values else ()
        pairs = first.items() if isinstance(first, dict) else interpreter.iterate(first)
        return {interpreter.plain(k): v for k, v in pairs} | options

    def summed(values: Any, start: Any = 0) -> Any:
        total = start
        for value in interpreter.iterate(values):
            total = interpreter.binary(ast.Add, total, value)
        return total

    def extreme(name: str, function: Callable[..., Any]) -> Partial:
        def call(*values: Any, **options: Any) -> Any:
            items = [interpreter.plain(v) for v in (interpreter.iterate(values[0]) if len(values) == 1 else values)]
            return interpreter.python(lambda *v: function(v), *items)
        return Partial(name, call)

    def is_instance(value: Any, kind: Any) -> bool:
        return isinstance(value, Instance) and isinstance(kind, Class) and kind in _ancestry(value.kind)

    def mapped(function: Any, *values: Any) -> list[Any]:
        together = zip(*map(interpreter.iterate, values), strict=False)
        return [interpreter.invoke(function, list(items), {}) for items in together]

    def number(kind: type, op: str) -> Partial:
        return plain(kind, op, lambda a: (kind if op == "int" else np.float64)(np.asarray(a).item()))

    return {
        "range": plain(range), "len": Partial("len", length), "abs": plain(abs, "abs", np.abs),
        "float": number(float, "float"), "int": number(int, "int"), "str": plain(str), "bool": plain(bool),
        "round": plain(round, "round", np.round), "max": extreme("max", max), "min": extreme("min", min),
        "sum": Partial("sum", summed), "list": listed(list), "tuple": listed(tuple), "set": listed(list),
        "zip": Partial("zip", zipped), "dict": Partial("dict", dictionary), "map": Partial("map", mapped),
        "enumerate": Partial("enumerate", lambda v, start=0: list(enumerate(interpreter.iterate(v), start))),
        "reversed": Partial("reversed", lambda v: list(reversed(list(interpreter.iterate(v))))),
        "sorted": Partial("sorted", lambda v, **o: interpreter.python(sorted, list(interpreter.iterate(v)))),
        "print": Partial("print", lambda *v, **o: None), "isinstance": Partial("isinstance", is_instance),
        "pow": plain(math.pow), "object": Class("object", {}),
        "__name__": "__main__",
        "hasattr": Partial("hasattr", lambda o, n: isinstance(o, Instance) and n in o.attributes),
        "getattr": Partial("getattr", lambda o, n, *d: interpreter.attribute(o, n)),
    }


def _ancestry(kind: Class) -> Iterator[Class]:
    yield kind
    for base in kind.bases:
        yield from _ancestry(base)
