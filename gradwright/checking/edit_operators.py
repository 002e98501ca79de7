"""Edits of signs, operators, parentheses and the order of operands."""

from __future__ import annotations

import ast
from collections.abc import Iterator

from gradwright.checking.edit_context import Context
from gradwright.checking.edit_pieces import ATOM, BINDING, PRODUCT, SUM, TOKENS, Piece, joined, negated
from gradwright.checking.edit_transposes import products, transposed
from gradwright.checking.edit_types import Edit

ABSOLUTE = frozenset(["abs", "absolute", "fabs"])


def sign_edits(context: Context) -> Iterator[Edit]:
    """Yield each sign flipped."""
    for node in context.values:
        match node:
            case ast.BinOp(left, ast.Sub(), right):
                swap = joined(context.piece(right), "-", context.piece(left))
                yield context.edit({node: swap}, "sign", f"the difference {context.shown(node)} has the wrong sign")
                sentence = f"{context.shown(right)} is subtracted where it is added"
                yield context.edit({node: operator(context, node, "+")}, "sign", sentence)
            case ast.BinOp(_, ast.Add(), right):
                sentence = f"{context.shown(right)} is added where it is subtracted"
                yield context.edit({node: operator(context, node, "-")}, "sign", sentence)
            case ast.UnaryOp(ast.USub(), operand):
                sentence = f"the sign of {context.shown(node)} is wrong"
                yield context.edit({node: context.piece(operand)}, "sign", sentence)
            case ast.Call(function, [left, right]) if context.expression.function(node) in {"add", "subtract"}:
                yield from _other_sums(context, node, function, left, right)
            case ast.Call(_, [operand, *_]) if context.expression.function(node) in ABSOLUTE:
                sentence = f"{context.shown(node)} loses the sign of {context.shown(operand)}"
                yield context.edit({node: context.piece(operand)}, "sign", sentence)
    if not isinstance(context.root, ast.UnaryOp):
        yield context.edit({context.root: negated(context.piece(context.root))}, "sign", "the minus is missing")
    for node in context.values:
        parent = context.expression.parents.get(node)
        if parent is None or isinstance(node, ast.UnaryOp):
            continue
        above = parent[0]
        first = isinstance(above, ast.BinOp) and isinstance(above.op, ast.Add | ast.Sub) and above.left is node
        argument = isinstance(above, ast.Call) and node in above.args
        if first or argument:
            sentence = f"the minus of {context.shown(node)} is missing"
            yield context.edit({node: negated(context.piece(node))}, "sign", sentence)


def operator(context: Context, node: ast.BinOp, token: str) -> Piece:
    """Return a node with another operator, and the author's text around it."""
    old = TOKENS[type(node.op)]
    left, right = context.piece(node.left), context.piece(node.right)
    begin, end = context.expression.outer(node.left)[1], context.expression.outer(node.right)[0]
    between = context.expression.source[begin:end]
    if "\n" not in between or old not in between:
        return joined(left, token, right)
    binds = joined(left, token, right).binds
    return Piece(left.fit(binds) + between.replace(old, token, 1) + right.fit(binds + 1), binds)


def operator_edits(context: Context) -> Iterator[Edit]:
    """Yield each operator exchanged, then operands in another order and parentheses elsewhere."""
    for node in context.values:
        yield from _exchanges(context, node)
    for node, left, right in products(context):
        one, other = context.piece(left), context.piece(right)
        first, second = transposed(context, left), transposed(context, right)
        sentence = f"the operands of {context.shown(node)} stand in the wrong order"
        for a, b in ((other, one), (second, first), (second, one), (other, first)):
            if isinstance(node, ast.BinOp):
                yield context.edit({node: joined(a, "@", b)}, "operator", sentence)
            elif context.expression.function(node) == ".dot":
                yield context.edit({node: Piece(f"{a.fit(ATOM)}.dot({b.text})")}, "operator", sentence)
            else:
                yield context.edit({left: a, right: b}, "operator", sentence, node)
    yield from _regrouped(context)
    for node in context.values:
        match node:
            case ast.BinOp(left, ast.Div() | ast.Pow(), right):
                swap = joined(context.piece(right), TOKENS[type(node.op)], context.piece(left))
                sentence = f"the operands of {context.shown(node)} stand in the wrong order"
                yield context.edit({node: swap}, "operator", sentence)
            case ast.Call(_, [_, left, right]) if context.expression.function(node) == "where":
                changes = {left: context.piece(right), right: context.piece(left)}
                yield context.edit(changes, "operator", "the two cases stand in each other's place", node)


def _exchanges(context: Context, node: ast.expr) -> Iterator[Edit]:
    others = {"*": ("@", "/", "**", "+", "-"), "@": ("*",), "/": ("*",), "**": ("*",), "+": ("*",), "-": ("*",)}
    match node:
        case ast.BinOp(left, op, right) if type(op) in TOKENS:
            old = TOKENS[type(op)]
            for token in others[old]:
                constant = isinstance(left, ast.Constant) or isinstance(right, ast.Constant)
                if constant and {old, token} & {"+", "-"}:
                    continue  # `1 - h` as `1 * h` is told better as a term too many
                if (token == "@" and (context.shapes.is_scalar(left) or context.shapes.is_scalar(right))) or (
                    token == "**" and not constant
                ):
                    continue
                sentence = f"`{old}` stands where `{token}` belongs"
                yield context.edit({node: operator(context, node, token)}, "operator", sentence)
        case ast.Compare(left, [op], [right]):
            flips: dict[type[ast.cmpop], tuple[str, str]] = {
                ast.Gt: (">", "<"), ast.Lt: ("<", ">"), ast.GtE: (">=", "<="), ast.LtE: ("<=", ">="),
                ast.Eq: ("==", "!="), ast.NotEq: ("!=", "=="),
            }  # fmt: skip
            if type(op) in flips:
                old, token = flips[type(op)]
                new = Piece(f"{context.piece(left).fit(6)} {token} {context.piece(right).fit(6)}", 5)
                yield context.edit({node: new}, "operator", f"`{old}` stands where `{token}` belongs")
        case ast.Call(function, [_, _]):
            yield from _other_calls(context, node, function)
        case ast.Call(ast.Attribute(left), [right]) if context.expression.function(node) == ".dot":
            new = joined(context.piece(left), "*", context.piece(right))
            yield context.edit({node: new}, "operator", "`.dot` stands where `*` belongs")


def _other_calls(context: Context, node: ast.Call, function: ast.expr) -> Iterator[Edit]:
    name, numpy = context.expression.function(node), context.scope.numpy
    swaps = {
        "dot": ("multiply", "outer"), "matmul": ("multiply", "outer"), "outer": ("dot", "multiply"),
        "inner": ("dot", "multiply"), "multiply": ("dot", "outer"),
        "maximum": ("minimum",), "minimum": ("maximum",), "divide": ("multiply",),
    }  # fmt: skip
    for new in swaps.get(name, ()):
        yield context.edit({function: Piece(f"{numpy}.{new}")}, "operator", f"`{numpy}.{name}` stands where "
                           f"`{numpy}.{new}` belongs", function)  # fmt: skip


def _other_sums(
    context: Context, node: ast.Call, function: ast.expr, left: ast.expr, right: ast.expr
) -> Iterator[Edit]:
    name, numpy = context.expression.function(node), context.scope.numpy
    if name == "subtract":
        sentence = f"the difference {context.shown(node)} has the wrong sign"
        yield context.edit({left: context.piece(right), right: context.piece(left)}, "sign", sentence)
    new = "add" if name == "subtract" else "subtract"
    yield context.edit({function: Piece(f"{numpy}.{new}")}, "sign", f"`{numpy}.{name}` stands where "
                       f"`{numpy}.{new}` belongs", function)  # fmt: skip


def _regrouped(context: Context) -> Iterator[Edit]:
    """Yield parentheses elsewhere: ``(a * b) @ c`` as ``a * (b @ c)``, and the other way."""
    for node in context.values:
        if not isinstance(node, ast.BinOp) or type(node.op) not in TOKENS:
            continue
        outer, sentence = TOKENS[type(node.op)], f"{context.shown(node)} has its parentheses in the wrong place"
        left, right = node.left, node.right
        mixed = {PRODUCT, SUM}
        if isinstance(left, ast.BinOp) and type(left.op) in TOKENS and BINDING[type(left.op)] in mixed:
            inner = TOKENS[type(left.op)]
            tail = joined(context.piece(left.right), outer, context.piece(right))
            yield context.edit({node: joined(context.piece(left.left), inner, tail)}, "operator", sentence)
        if isinstance(right, ast.BinOp) and type(right.op) in TOKENS and BINDING[type(right.op)] in mixed:
            inner = TOKENS[type(right.op)]
            head = joined(context.piece(left), outer, context.piece(right.left))
            yield context.edit({node: joined(head, inner, context.piece(right.right))}, "operator", sentence)

