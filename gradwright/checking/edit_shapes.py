"""The shape of a part of an expression, as far as it is known."""

from __future__ import annotations

import ast

from gradwright.checking.edit_scope import Names
from gradwright.checking.edit_text import Expression

Shape = tuple[int, ...]

ELEMENTWISE = frozenset([
    "exp", "log", "log1p", "expm1", "tanh", "sinh", "cosh", "sqrt", "square", "abs", "absolute", "sign", "negative",
    "reciprocal", "maximum", "minimum", "multiply", "add", "subtract", "divide", "power", "clip", "where", "logaddexp",
])  # fmt: skip
"""NumPy's functions of entries."""

SUMS = frozenset(["sum", "mean", "max", "min", "amax", "prod", ".sum", ".mean", ".max", ".min"])


def broadcast(*shapes: Shape | None) -> Shape | None:
    """Return the shape of shapes broadcast against each other; None where it is not known or there is none."""
    result: list[int] = []
    for shape in shapes:
        if shape is None:
            return None
        long, short = (result, list(shape)) if len(result) >= len(shape) else (list(shape), result)
        short = [1] * (len(long) - len(short)) + short
        if any(m != n and 1 not in (m, n) for m, n in zip(long, short, strict=True)):
            return None
        result = [n if m == 1 else m for m, n in zip(long, short, strict=True)]
    return tuple(result)


class Shapes:
    """The shapes of an expression's nodes."""

    def __init__(self, expression: Expression, names: Names) -> None:
        self.expression, self.names = expression, names
        self._known: dict[ast.expr, Shape | None] = {}

    def of(self, node: ast.expr) -> Shape | None:
        """Return a node's shape; None where it is not known."""
        if node not in self._known:
            self._known[node] = self._of(node)
        return self._known[node]

    def is_scalar(self, node: ast.expr) -> bool:
        """Say whether a node is a number."""
        return self.of(node) == ()

    def is_array(self, node: ast.expr) -> bool:
        """Say whether a node is an array, or may be one."""
        return self.of(node) != ()

    def _of(self, node: ast.expr) -> Shape | None:
        key = self.names.key.get(node)
        if key is not None:
            return self.names.scope.arrays.get(key) if key else None
        match node:
            case ast.Constant(int() | float()):
                return ()
            case ast.UnaryOp(_, operand):
                return self.of(operand)
            case ast.BinOp(left, ast.MatMult(), right):
                return product(self.of(left), self.of(right))
            case ast.BinOp(left, _, right):
                return broadcast(self.of(left), self.of(right))
            case ast.Compare(left, _, [right]):
                return broadcast(self.of(left), self.of(right))
            case ast.Attribute(value, "T"):
                shape = self.of(value)
                return None if shape is None else shape[::-1]
            case ast.Attribute(_, "size") | ast.Subscript(ast.Attribute(_, "shape"), _):
                return ()
            case ast.Call(function, arguments, keywords):
                name = self.expression.function(node)
                if name.startswith("."):
                    assert isinstance(function, ast.Attribute)
                    arguments = [function.value, *arguments]
                return self._call(self.expression.text(function), name.lstrip("."), arguments, keywords)
        return None

    def _call(self, text: str, name: str, arguments: list[ast.expr], keywords: list[ast.keyword]) -> Shape | None:
        shapes = [self.of(argument) for argument in arguments]
        if text in {"len", "float", "int"}:
            return ()
        if not shapes:
            return None
        if name in ELEMENTWISE:
            return broadcast(*shapes)
        if text in self.names.scope.functions or name in {"zeros_like", "ones_like"}:
            return shapes[0]
        if name in {"dot", "matmul"} and len(shapes) == 2:
            return product(*shapes)
        if name == "transpose" and shapes[0] is not None:
            return shapes[0][::-1]
        if name in {"sum", "mean", "max", "min"} and shapes[0] is not None:
            given = {k.arg: k.value for k in keywords}
            axis = given.get("axis", arguments[1] if len(arguments) > 1 else None)
            kept = isinstance(kept_node := given.get("keepdims"), ast.Constant) and bool(kept_node.value)
            if axis is None or (isinstance(axis, ast.Constant) and axis.value is None):
                return (1,) * len(shapes[0]) if kept else ()
            if isinstance(axis, ast.Constant) and isinstance(axis.value, int) and axis.value < len(shapes[0]):
                left = list(shapes[0])
                left[axis.value : axis.value + 1] = [1] if kept else []
                return tuple(left)
        return None


def product(left: Shape | None, right: Shape | None) -> Shape | None:
    """Return the shape of a matrix product; None where it is not known or there is none."""
    if left is None or right is None or not left or not right:
        return None
    if left[-1] != right[-2 if len(right) > 1 else 0]:
        return None
    return left[:-1] + (right[:-2] + right[-1:] if len(right) > 1 else ())
