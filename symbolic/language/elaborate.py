"""From what the parser read to terms: shapes first, for all statements, then the terms."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction

import sympy
from sympy import Expr, MatrixSymbol, Rational, S, Symbol

from symbolic.functions import scalar_function
from symbolic.language.dimensions import LARGEST_SIZE, ONE, SCALAR, Dimensions, Shape, Unknown, fixed, size
from symbolic.language.functions import LANGUAGE, inverse
from symbolic.language.tree import (
    Binary,
    Blocks,
    Call,
    Declaration,
    Name,
    Node,
    Number,
    Source,
    Text,
    Unary,
)
from symbolic.messages import nearest
from symbolic.program import Equation
from symbolic.scalars import x
from symbolic.terms import (
    Term,
    add,
    elementwise,
    hadamard,
    inner,
    is_matrix,
    negative,
    ones_like,
    product,
    quotient,
    transpose,
)
from symbolic.terms import scale as scaled

LARGEST_POWER, LARGEST_NUMBER = 64, 1e100


class Elaborator:
    """One text on its way to equations."""

    def __init__(self, text: Text, shapes: Mapping[str, Shape]) -> None:
        self.source: Source = text.source
        self.text = text
        self.dims = Dimensions()
        self.names: dict[str, Shape] = {}
        self.given = dict(shapes)
        self.shapes: dict[int, Shape] = {}
        self.order: list[str] = []
        self.terms: dict[str, Term] = {}

    def equations(self) -> tuple[list[Equation], dict[str, Expr]]:
        """Return the named equations, the last one for the result, and the symbols of the inputs."""
        for declaration in self.text.declarations:
            self.declare(declaration)
        defined: list[str] = []
        for i, statement in enumerate(self.text.statements):
            found = self.infer(statement.expression)
            last = i == len(self.text.statements) - 1
            if statement.name is None and not last:
                raise self.source.refusal("expected name = expression for all but the last", statement.position)
            if statement.name is not None:
                if statement.name in self.names:
                    raise self.source.refusal(f"{statement.name} is defined twice", statement.position)
                self.names[statement.name] = found
                defined.append(statement.name)
        self.dims.settle([*self.names, *self._dimension_names()])
        symbols = {name: self.symbol(name) for name in self.names}
        self.terms = dict(symbols)
        equations = []
        for i, statement in enumerate(self.text.statements):
            name = statement.name or f"result{i}"
            term = self.build(statement.expression)
            symbol = symbols.get(name) or Symbol("loss", real=True)
            equations.append(Equation(symbol, term))
        return equations, {n: s for n, s in symbols.items() if n not in defined}

    def _dimension_names(self) -> set[str]:
        return {str(s) for shape in self.names.values() for d in shape
                if isinstance(f := self.dims.find(d), Expr) for s in f.free_symbols}

    def declare(self, declaration: Declaration) -> None:
        """Note the shapes and properties of a declaration."""
        for name in declaration.names:
            if name in self.names:
                raise self.source.refusal(f"{name} is declared twice", declaration.position)
            if declaration.scalar:
                self.names[name] = SCALAR
            elif declaration.shape:
                sizes = [self.dimension(d) for d in declaration.shape]
                self.names[name] = (sizes[0], sizes[1] if len(sizes) > 1 else ONE)
            else:
                self.names[name] = self.default(name)
            if declaration.properties:
                raise self.source.refusal(f"properties such as {declaration.properties[0]} are not used yet",
                                          declaration.position, "; leave it out")

    def dimension(self, node: Node) -> Expr:
        """Return a dimension: numbers, names, and sums and products of them."""
        if isinstance(node, Number):
            if not node.text.isdigit() or not 1 <= int(node.text) <= LARGEST_SIZE:
                raise self.source.refusal(f"a dimension is a whole number from 1, came {node.text}", node.position)
            return fixed(node.text)
        if isinstance(node, Name):
            return size(node.name)
        if isinstance(node, Binary) and node.operator in "+-*":
            left, right = self.dimension(node.left), self.dimension(node.right)
            return left + right if node.operator == "+" else left - right if node.operator == "-" else left * right
        raise self.source.refusal("a dimension is a number, a name, or a sum or product of them", node.position)

    def default(self, name: str) -> Shape:
        """Return the shape of a name that is not declared: by its first letter, as matrixcalculus.org has it."""
        first = name[0]
        if "a" <= first <= "g":
            return SCALAR
        rows = self.dims.unknown()
        return (rows, ONE) if first.islower() else (rows, self.dims.unknown())

    # Shapes.

    def infer(self, node: Node) -> Shape:
        """Return the shape of a node, and note it."""
        found = self.dims.shape(self._infer(node))
        self.shapes[id(node)] = found
        return found

    def _infer(self, node: Node) -> Shape:
        if isinstance(node, Number):
            return SCALAR
        if isinstance(node, Name):
            if node.name not in self.names:
                self.names[node.name] = self.given.get(node.name) or self.default(node.name)
            return self.names[node.name]
        if isinstance(node, Unary):
            rows, columns = self.infer(node.operand)
            return (columns, rows) if node.operator == "'" else (rows, columns)
        if isinstance(node, Binary):
            return self._infer_binary(node, self.infer(node.left), self.infer(node.right))
        if isinstance(node, Call):
            return self._infer_call(node)
        raise self.source.refusal(f"{'blocks' if isinstance(node, Blocks) else 'slices'} are not read yet",
                                  node.position)

    def _infer_binary(self, node: Binary, left: Shape, right: Shape) -> Shape:
        operator = node.operator
        if operator == "^":
            return self._infer_power(node, left, right)
        if operator == "/":
            if right != SCALAR:
                raise self.source.refusal(f"division by a matrix ({self.show(right)})", node.position,
                                          "; write inv(A)*b, or a./b entry by entry")
            return left
        if SCALAR in (left, right):
            return right if left == SCALAR else left
        if operator == "*":
            if not self.dims.meet(left[1], right[0]):
                raise self.source.refusal(
                    f"shapes cannot meet in a product: {self.show(left)} times {self.show(right)}", node.position,
                    "; transpose a factor by ', or write .* for entry by entry")
            return left[0], right[1]
        if not (self.dims.unify(left[0], right[0]) and self.dims.unify(left[1], right[1])):
            raise self.source.refusal(f"shapes differ: {self.show(left)} {operator} {self.show(right)}",
                                      node.position)
        return left

    def _infer_power(self, node: Binary, left: Shape, right: Shape) -> Shape:
        if right != SCALAR:
            raise self.source.refusal(f"an exponent is a scalar, came {self.show(right)}", node.position,
                                      "; entry by entry it is .^")
        if left != SCALAR and not self.dims.meet(*left):
            raise self.source.refusal(f"a power of a matrix that is not square ({self.show(left)})", node.position,
                                      "; entry by entry it is .^")
        return left

    def _infer_call(self, node: Call) -> Shape:
        function = LANGUAGE.get(node.function)
        if function is None:
            raise self.source.refusal(f"unknown function {node.function!r}", node.position,
                                      nearest(node.function, LANGUAGE))
        if len(node.arguments) != function.arguments:
            raise self.source.refusal(f"{node.function} takes {function.arguments} argument"
                                      f"{'s' * (function.arguments > 1)}, came {len(node.arguments)}", node.position)
        shapes = [self.infer(a) for a in node.arguments]
        found = function.infer(self.dims, shapes)
        if isinstance(found, str):
            raise self.source.refusal(f"{node.function} of {self.show(shapes[0])}: {found}", node.position)
        return found

    def show(self, shape: Shape) -> str:
        """Return a shape in words; ? stands for what is not known."""
        if shape == SCALAR:
            return "a scalar"
        return "×".join("?" if isinstance(d, Unknown) else str(d) for d in self.dims.shape(shape))

    # Terms.

    def symbol(self, name: str) -> Expr:
        """Return the symbol of a name."""
        rows, columns = self.dims.shape(self.names[name])
        if (rows, columns) == SCALAR:
            return Symbol(name, real=True)
        return MatrixSymbol(name, rows, columns)

    def build(self, node: Node) -> Term:
        """Return the term of a node whose shapes are settled."""
        if isinstance(node, Number):
            value = Fraction(node.text)
            if abs(value) > LARGEST_NUMBER:
                raise self.source.refusal("a number beyond 1e100", node.position)
            return Rational(value.numerator, value.denominator)
        if isinstance(node, Name):
            return self.terms[node.name]
        if isinstance(node, Unary):
            operand = self.build(node.operand)
            if not is_matrix(operand):
                return operand if node.operator == "'" else -operand
            return transpose(operand) if node.operator == "'" else negative(operand)
        if isinstance(node, Binary):
            return self._build_binary(node)
        assert isinstance(node, Call)  # nothing else has a shape
        return LANGUAGE[node.function].build(*map(self.build, node.arguments))

    def _build_binary(self, node: Binary) -> Term:
        left, right = self.build(node.left), self.build(node.right)
        operator = node.operator
        if operator in ("^", ".^"):
            return self._build_power(node, left, right)
        if not is_matrix(left) and not is_matrix(right):
            return {"+": left + right, "-": left - right, "*": left * right, ".*": left * right}.get(
                operator) if operator not in ("/", "./") else self._divided(node, left, right)
        if operator in ("+", "-"):
            left, right = self._full(left, right), self._full(right, left)
            return add(left, right if operator == "+" else negative(right))
        if operator in ("/", "./"):
            if is_matrix(right):
                return quotient(self._full(left, right), right)
            return scaled(self._divided(node, S.One, right), left)
        if not (is_matrix(left) and is_matrix(right)):
            return product(left, right)
        if operator == ".*":
            return hadamard(left, right)
        if (left.shape[0], right.shape[1]) == (1, 1):
            return inner(transpose(left), right)
        return product(left, right)

    def _divided(self, node: Binary, left: Expr, right: Expr) -> Expr:
        if right == 0:
            raise self.source.refusal("division by zero", node.position)
        return left / right

    def _full(self, term: Term, other: Term) -> Term:
        """Return a scalar that is added to a matrix as a matrix."""
        return term if is_matrix(term) or not is_matrix(other) else scaled(term, ones_like(other))

    def _build_power(self, node: Binary, base: Term, exponent: Term) -> Term:
        if exponent.is_number and abs(exponent) > LARGEST_POWER:
            raise self.source.refusal(f"an exponent beyond {LARGEST_POWER}", node.position)
        if not is_matrix(base):
            return sympy.Pow(base, exponent)
        if not exponent.is_number:
            raise self.source.refusal("expected a number as the exponent of a matrix", node.position)
        if node.operator == ".^":
            return _entrywise_power(base, exponent)
        if not exponent.is_Integer:
            raise self.source.refusal(f"expected a whole number as the exponent of a matrix, came {exponent}",
                                      node.position, "; entry by entry it is .^")
        if exponent == 0:
            return sympy.Identity(base.shape[0])
        return product(*[inverse(base) if exponent < 0 else base] * abs(int(exponent)))


def _entrywise_power(base: Term, exponent: Expr) -> Term:
    """Return A.^n, as a Hadamard product where n is small and whole."""
    if exponent == Rational(1, 2):
        return elementwise(scalar_function("sqrt"), base)
    if exponent.is_Integer and 1 <= exponent <= 4:
        return hadamard(*[base] * int(exponent))
    name = f"pow_{exponent}".replace("/", "_over_").replace("-", "minus_")
    return elementwise(scalar_function(name, x**exponent), base)
