"""An expression as text and as a tree at once: parts are replaced, and the author's text stays elsewhere."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping

from gradwright.checking.edit_pieces import ATOM, BINDING, DROP, POWER, SIGN, Piece, joined


class Expression:
    """An expression, its tree and where each node stands in its text."""

    def __init__(self, source: str, numpy: str = "np") -> None:
        self.source, self.numpy = source, numpy
        # In parentheses, for the lines of an expression may end where only the parentheses around it allow.
        text = f"({source}\n)"
        self.root: ast.expr = ast.parse(text, mode="eval").body
        self._lines = [0]
        for line in text.split("\n"):
            self._lines.append(self._lines[-1] + len(line) + 1)
        self._bytes = None if source.isascii() else [line.encode() for line in text.split("\n")]
        self.parents: dict[ast.expr, tuple[ast.expr, int]] = {}
        self.below: dict[ast.expr, list[ast.expr]] = {}
        self.nodes: list[ast.expr] = []
        self._span: dict[ast.expr, tuple[int, int]] = {}
        self._outer: dict[ast.expr, tuple[int, int]] = {}
        self._visit(self.root, (0, len(source)))

    def _offset(self, line: int, column: int) -> int:
        if self._bytes is not None:
            column = len(self._bytes[line - 1][:column].decode())
        return self._lines[line - 1] + column - 1

    def _visit(self, node: ast.expr, limit: tuple[int, int]) -> None:
        begin = self._offset(node.lineno, node.col_offset)
        end = self._offset(node.end_lineno or node.lineno, node.end_col_offset or node.col_offset)
        self.nodes.append(node)
        self.below[node] = []
        self._span[node] = begin, end
        self._outer[node] = self._around(begin, end, limit)
        for child, least, inner in self._children(node, begin, end):
            self.parents[child] = node, least
            self.below[node].append(child)
            self._visit(child, inner)

    def _around(self, begin: int, end: int, limit: tuple[int, int]) -> tuple[int, int]:
        """Return the span with the redundant parentheses around it."""
        source = self.source
        while True:
            low, high = begin - 1, end
            while low >= limit[0] and source[low].isspace():
                low -= 1
            while high < limit[1] and source[high].isspace():
                high += 1
            if low < limit[0] or high >= limit[1] or source[low] != "(" or source[high] != ")":
                return begin, end
            begin, end = low, high + 1

    def _children(self, node: ast.expr, begin: int, end: int) -> Iterator[tuple[ast.expr, int, tuple[int, int]]]:
        """Yield the expressions directly below a node, how tightly each must bind, and where it can stand."""
        here = begin, end
        match node:
            case ast.JoinedStr():  # Python 3.11 has no true positions within it
                return
            case ast.BinOp(left, op, right):
                binds = BINDING[type(op)]
                power = isinstance(op, ast.Pow)
                yield left, POWER + 1 if power else binds, here
                yield right, SIGN if power else binds + 1, here
            case ast.UnaryOp(op, operand):
                yield operand, 4 if isinstance(op, ast.Not) else SIGN, here
            case ast.Compare(left, _, comparators):
                for operand in (left, *comparators):
                    yield operand, 6, here
            case ast.Call(function, arguments, keywords):
                yield function, ATOM, here
                inner = self._offset(function.end_lineno or 1, function.end_col_offset or 0)
                while self.source[inner] != "(":
                    inner += 1
                for argument in (*arguments, *(k.value for k in keywords)):
                    yield argument, 1, (inner + 1, end - 1)
            case ast.Attribute(value):
                yield value, ATOM, here
            case ast.Subscript(value, index):
                yield value, ATOM, here
                yield index, -1, here
            case ast.IfExp(test, body, other):
                yield from ((test, 2, here), (body, 2, here), (other, 1, here))
            case ast.Tuple(elements) | ast.List(elements) | ast.Set(elements):
                yield from ((element, 1, here) for element in elements)
            case ast.BoolOp(_, values):
                yield from ((value, 4, here) for value in values)

    def span(self, node: ast.expr) -> tuple[int, int]:
        """Return where a node begins and ends, without parentheses around it."""
        return self._span[node]

    def outer(self, node: ast.expr) -> tuple[int, int]:
        """Return where a node begins and ends, with the parentheses around it."""
        return self._outer[node]

    def text(self, node: ast.expr) -> str:
        """Return a node's text."""
        begin, end = self._span[node]
        return self.source[begin:end]

    def piece(self, node: ast.expr) -> Piece:
        """Return a node as a part for use elsewhere."""
        return Piece(self.text(node), self._binds(node))

    def _binds(self, node: ast.expr) -> int:
        match node:
            case ast.BinOp(_, op, _):
                return BINDING[type(op)]
            case ast.UnaryOp(op):
                return 4 if isinstance(op, ast.Not) else SIGN
            case ast.Compare():
                return 5
            case ast.BoolOp():
                return 2
            case ast.IfExp():
                return 1
            case ast.Lambda():
                return 0
            case ast.Tuple():
                return ATOM if self.text(node).startswith("(") else -1
        return ATOM

    def replaced(self, changes: Mapping[ast.expr, Piece]) -> str:
        """Return the whole expression with nodes replaced, or dropped where they are operands."""
        dirty = set()
        for node in changes:
            dirty.add(node)
            while node in self.parents:
                node = self.parents[node][0]
                dirty.add(node)
        result = self._rewritten(self.root, changes, dirty)
        result = Piece("1") if result is DROP else result
        if self.root in changes:
            begin, end = self._outer[self.root]
            # Its line breaks may need the parentheses that the author has.
            least = ATOM + 1 if "\n" in result.text and (begin, end) != self._span[self.root] else 0
            return self.source[:begin] + result.fit(least) + self.source[end:]
        begin, end = self._span[self.root]
        return self.source[:begin] + result.text + self.source[end:]

    def _rewritten(self, node: ast.expr, changes: Mapping[ast.expr, Piece], dirty: set[ast.expr]) -> Piece:
        if node in changes:
            return changes[node]
        begin, end = self._span[node]
        text, at = [], begin
        for child in self.below[node]:
            if child not in dirty:
                continue
            new = self._rewritten(child, changes, dirty)
            if new is DROP:
                return self._without(node, child, changes, dirty)
            low, high = self._outer[child]
            kept = child not in changes and (low, high) != self._span[child]
            if kept:  # the author's parentheses stay also where none are needed
                low, high = self._span[child]
            text += [self.source[at:low], new.text if kept else new.fit(self.parents[child][1])]
            at = high
        return Piece("".join([*text, self.source[at:end]]), self._binds(node))

    def _without(
        self, node: ast.expr, child: ast.expr, changes: Mapping[ast.expr, Piece], dirty: set[ast.expr]
    ) -> Piece:
        """Return a product without one of its operands."""
        if isinstance(node, ast.UnaryOp):
            return Piece("-1", SIGN)  # its sign stays
        assert isinstance(node, ast.BinOp | ast.Call), "only an operand can be dropped"
        left, right = (node.left, node.right) if isinstance(node, ast.BinOp) else node.args[:2]
        kept = self._rewritten(right if child is left else left, changes, dirty)
        if kept is not DROP and isinstance(node, ast.BinOp) and isinstance(node.op, ast.Div) and child is left:
            return joined(Piece("1"), "/", kept)
        return kept

    def function(self, node: ast.AST) -> str:
        """Return the name of a NumPy function that a node calls, or of a method as ``.sum``; else an empty text."""
        if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
            return ""
        base = node.func.value
        if isinstance(base, ast.Name) and base.id == self.numpy:
            return node.func.attr
        return f".{node.func.attr}"

    def user_function(self, node: ast.AST) -> str:
        """Return the name of a function of the author's that a node calls; else an empty text."""
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name | ast.Attribute):
            name = self.function(node)
            if not name or name.startswith("."):
                return self.text(node.func)
        return ""

    def is_value(self, node: ast.expr) -> bool:
        """Say whether a node is a value of its own: no function's name, index, axis, module or text."""
        if isinstance(node, ast.Slice | ast.JoinedStr | ast.Tuple | ast.List):
            return False
        if isinstance(node, ast.Constant) and (isinstance(node.value, bool) or not isinstance(node.value, int | float)):
            return False
        parent = self.parents.get(node)
        if parent is None:
            return True
        above = parent[0]
        if isinstance(above, ast.Call):
            if above.func is node or node not in above.args:
                return False
            name = self.function(above)
            if name.startswith("."):
                return name == ".dot"
            return node is above.args[0] or not name.startswith(("sum", "mean", "max", "amax", "reshape"))
        return not (isinstance(above, ast.Subscript) and above.slice is node) and not (
            isinstance(above, ast.Attribute) and isinstance(node, ast.Name) and node.id in (self.numpy, "self")
        )

