"""Shapes, node by node, from the names up."""

from __future__ import annotations

from collections.abc import Iterable

from sympy import Expr

from symbolic.language.dimensions import SCALAR, Dimension, Shape, Unknown
from symbolic.language.functions import LANGUAGE, Function
from symbolic.language.scope import Scope
from symbolic.language.sizes import ONE, never, total
from symbolic.language.tree import (
    Blocks,
    Call,
    Chain,
    FlawError,
    Link,
    Name,
    Node,
    Number,
    Power,
    Range,
    Slice,
    Unary,
    children,
    postorder,
)
from symbolic.messages import nearest

DEEPEST = 60
"""So many operations may be within each other; what comes after reading recurses on them."""

Interval = tuple[Expr, "Expr | None"]
"""Where a range starts, counted from 0, and where it ends, excluded; None stands for the end."""


class Inference:
    """The shape of each node.

    Attributes:
        shapes: What is known of it; `Scope.dims` knows the rest once all is settled.
        sizes: The dimensions among the arguments of a call.
        intervals: The rows and the columns of a slice.
    """

    def __init__(self, scope: Scope) -> None:
        self.scope, self.dims = scope, scope.dims
        self.shapes: dict[Node, Shape] = {}
        self.sizes: dict[Call, list[Expr]] = {}
        self.intervals: dict[Slice, tuple[Interval, Interval]] = {}
        self._depth: dict[Node, int] = {}

    def infer(self, root: Node) -> Shape:
        """Return the shape of an expression."""
        for node in postorder(root, self.operands):
            self.dims.position = node.position
            self._check_depth(node)
            try:
                self.shapes[node] = self._infer(node)
            except FlawError as flaw:
                raise self.scope.source.pointed(flaw, node.position) from None
        return self.shape(root)

    def shape(self, node: Node) -> Shape:
        """Return what is known of the shape of a node."""
        return self.dims.shape(self.shapes[node])

    def operands(self, node: Node) -> Iterable[Node]:
        """Return the parts of a node that are expressions; sizes are none."""
        return node.arguments[:self.function(node).arguments] if isinstance(node, Call) else children(node)

    def function(self, node: Call) -> Function:
        """Return the function that is called."""
        found = LANGUAGE.get(node.function)
        if found is None:
            hint = nearest(node.function, LANGUAGE)
            if node.function in self.scope.shapes or len(node.function) == 1:
                hint = f"; a product is written {node.function}*(…)"
            raise self.scope.source.refusal(f"unknown function {node.function!r}", node.position, hint)
        if not found.accepts(len(node.arguments)):
            raise self.scope.source.refusal(f"{node.function} takes {found.takes}, came {len(node.arguments)}",
                                            node.position)
        return found

    def _check_depth(self, node: Node) -> None:
        nested = sum(link.operator == "./" for link in node.rest) if isinstance(node, Chain) else 0
        depth = 1 + nested + max((self._depth[child] for child in self.operands(node)), default=0)
        if depth > DEEPEST:
            raise self.scope.source.refusal(f"operations nested more than {DEEPEST} deep", node.position,
                                            "; name a part by an equation")
        self._depth[node] = depth

    def _infer(self, node: Node) -> Shape:
        match node:
            case Number():
                return SCALAR
            case Name():
                return self.scope.use(node)
            case Unary():
                rows, columns = self.shape(node.operand)
                return (columns, rows) if node.operator == "'" else (rows, columns)
            case Chain():
                found, shown = self.shape(node.first), self._shown(node.first)
                for link in node.rest:
                    self.dims.position = link.position
                    found = self.dims.shape(self._join(link, found, shown))
                    shown = self.scope.show(found)
                return found
            case Power():
                return self._power(node, self.shape(node.base), self.shape(node.exponent))
            case Call():
                return self._call(node)
            case Slice():
                return self._slice(node)
        assert isinstance(node, Blocks)  # nothing else has a shape
        return self._blocks(node)

    # Operators.

    def _shown(self, node: Node) -> str:
        """Return the shape of an operand in words, with its name if it is one."""
        shown = self.scope.show(self.shapes[node])
        return f"{node.name} ({shown})" if isinstance(node, Name) else shown

    def _join(self, link: Link, left: Shape, words: str) -> Shape:
        operator, right = link.operator, self.shape(link.operand)
        if operator == "/" and right != SCALAR:
            raise FlawError(f"division by a matrix ({self.scope.show(right)})",
                            "; write inv(A)*b, or a./b entry by entry", link.position)
        if SCALAR in (left, right):
            return right if left == SCALAR else left
        shown = words, self._shown(link.operand)
        if operator == "*":
            if not self.dims.meet(left[1], right[0]):
                raise FlawError(f"shapes cannot meet in a product: {shown[0]} times {shown[1]}",
                                f"{_reason(left[1], right[0])}; transpose a factor by ', or write .* for entry by "
                                "entry", link.position)
            return left[0], right[1]
        if not self.dims.same(left, right):
            raise FlawError(f"shapes differ: {shown[0]} {operator} {shown[1]}",
                            _reason(left[0], right[0]) or _reason(left[1], right[1]), link.position)
        return left

    def _power(self, node: Power, base: Shape, exponent: Shape) -> Shape:
        if node.operator == ".^" and exponent != SCALAR:
            if base == SCALAR or self.dims.same(base, exponent):
                return exponent
            raise FlawError(f"shapes differ: {self.scope.show(base)} .^ {self.scope.show(exponent)}")
        if exponent != SCALAR:
            raise FlawError(f"an exponent is a scalar, came {self.scope.show(exponent)}", "; entry by entry it is .^")
        if node.operator == "^" and base != SCALAR and not self.dims.meet(*base):
            raise FlawError(f"a power of a matrix that is not square ({self.scope.show(base)})",
                            "; entry by entry it is .^")
        return base

    def _call(self, node: Call) -> Shape:
        function = self.function(node)
        arguments, sizes = node.arguments[:function.arguments], node.arguments[function.arguments:]
        self.sizes[node] = [self.scope.size(size) for size in sizes]
        shapes = [self.shape(a) for a in arguments]
        shown = " and ".join(map(self.scope.show, shapes))
        if function.needs and isinstance(arguments[0], Name) and shapes[0] != SCALAR:
            self._check_declared(node, arguments[0], *function.needs)
        found = function.infer(self.dims, shapes, self.sizes[node])
        if isinstance(found, str):
            raise FlawError(f"{node.function} of {shown}: {found}")
        return found

    def _check_declared(self, node: Call, argument: Name, needed: str, words: str) -> None:
        name = argument.name
        if name not in self.scope.defined and needed not in self.scope.properties.get(name, ()):
            raise FlawError(f"{node.function} needs {words.format(name=name)}")

    # Slices and blocks.

    def _slice(self, node: Slice) -> Shape:
        shape = self.shape(node.operand)
        intervals = self._interval(node.rows), self._interval(node.columns)
        self.intervals[node] = intervals
        return self._width(intervals[0], shape[0]), self._width(intervals[1], shape[1])

    def _interval(self, node: Range) -> Interval:
        start = total(self.scope.bound(node.first), -ONE) if node.first else total()
        if node.first is not None and never(start):
            raise FlawError(f"indices are counted from 1, came {start + 1}", position=node.position)
        return start, self.scope.bound(node.last) if node.last else None

    def _width(self, interval: Interval, size: Dimension) -> Dimension:
        start, stop = interval
        if stop is not None:
            return total(stop, -start)
        return size if start == 0 else self.dims.rest(size, start)

    def check(self, node: Slice) -> None:
        """Refuse ranges that are empty or end beyond the matrix, once its size is settled."""
        for part, interval, size, axis in zip((node.rows, node.columns), self.intervals[node],
                                              self.shape(node.operand), ("rows", "columns"), strict=True):
            assert isinstance(size, Expr)
            start, stop = interval[0], size if interval[1] is None else interval[1]
            words, axis = f"the range {start + 1}:{stop}", axis[:-1] if size == ONE else axis
            if never(total(size, -stop)) or never(total(size, -start, -ONE)):
                hint = "; a row is sliced by [1, i:j]" if axis == "row" else ""
                raise self.scope.source.refusal(f"{words} ends beyond the {size} {axis}", part.position, hint)
            if never(total(stop, -start, -ONE)):
                raise self.scope.source.refusal(f"{words} is empty", part.position)
            self.scope.bounds += [(bound, part.position) for bound in (start, total(stop, -start, -ONE),
                                                                       total(size, -stop))]

    def _blocks(self, node: Blocks) -> Shape:
        rows = [[self.shape(block) for block in row] for row in node.rows]
        heights, widths = [], []
        for row, shapes in zip(node.rows, rows, strict=True):
            for block, shape in zip(row[1:], shapes[1:], strict=True):
                if not self.dims.meet(shapes[0][0], shape[0]):
                    raise FlawError(f"blocks side by side need one height: {self.scope.show(shapes[0])} beside "
                                    f"{self.scope.show(shape)}", position=block.position)
            heights.append(shapes[0][0])
        self._align(rows)
        for row, shapes in zip(node.rows, rows, strict=True):
            widths.append(self.dims.sum(*(shape[1] for shape in shapes)))
            if not self.dims.meet(widths[0], widths[-1]):
                above, below = ((self.dims.find(h), w) for h, w in zip((heights[0], heights[len(widths) - 1]),
                                                                       (widths[0], widths[-1]), strict=True))
                raise FlawError(f"blocks below each other need one width: {self.scope.show(above)} above "
                                f"{self.scope.show(below)}", position=row[0].position)
        return self.dims.sum(*heights), widths[0]

    def _align(self, rows: list[list[Shape]]) -> None:
        """Let blocks above each other be equally wide, where all of them can be."""
        if len({len(row) for row in rows}) > 1:
            return
        columns = [[self.dims.find(shape[1]) for shape in column] for column in zip(*rows, strict=True)]
        known = [[w for w in widths if not isinstance(w, Unknown)] for widths in columns]
        if all(len(set(given)) < 2 for given in known):
            for widths, given in zip(columns, known, strict=True):
                for width in widths:
                    self.dims.meet(given[0] if given else widths[0], width)


def _reason(left: Dimension, right: Dimension) -> str:
    """Return why two dimensions cannot meet, where both are known."""
    if isinstance(left, Unknown) or isinstance(right, Unknown) or left == right:
        return ""
    return f": {left} is not {right}"
