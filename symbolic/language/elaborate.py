"""From what the parser read to terms, once all shapes are settled."""

from __future__ import annotations

from fractions import Fraction

import sympy
from sympy import Expr, MatrixSymbol, OneMatrix, Rational, S, Symbol

from symbolic.language.building import as_matrix, divided, entrywise, filled, function, powers
from symbolic.language.constants import entry, sound
from symbolic.language.dimensions import SCALAR
from symbolic.language.functions import LANGUAGE
from symbolic.language.inference import Inference
from symbolic.language.nesting import MOST_LOOKS, Looks
from symbolic.language.scope import Scope
from symbolic.language.sizes import size
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
    Slice,
    Unary,
    postorder,
)
from symbolic.scalars import x
from symbolic.structure import as_scalar, slice_of, stack
from symbolic.terms import (
    Term,
    add,
    hadamard,
    inner,
    inverse,
    is_matrix,
    negative,
    ones_like,
    product,
    quotient,
    transpose,
)

LARGEST_POWER, MOST_PARTS, MOST_FACTORS, MOST_EQUAL_FACTORS = 64, 10_000, 200, 4
EXACT = 10**10
"""A decimal with a larger denominator is kept as a decimal and not as a fraction."""


class Builder:
    """The term of each node of a text whose shapes are settled."""

    def __init__(self, scope: Scope, inference: Inference) -> None:
        self.scope, self.inference = scope, inference
        self.symbols: dict[str, Expr] = {}
        self._terms: dict[Node, Term] = {}
        self._parts: dict[Node, int] = {}
        self._looks = Looks()

    def symbol(self, name: str) -> Expr:
        """Return the symbol of an input."""
        if name not in self.symbols:
            shape = self.scope.dims.shape(self.scope.shapes[name])
            self.symbols[name] = Symbol(name, real=True) if shape == SCALAR else MatrixSymbol(name, *shape)
        return self.symbols[name]

    def build(self, root: Node) -> Term:
        """Return the term of an expression."""
        operands = self.inference.operands
        for node in postorder(root, operands):
            try:
                self._parts[node] = 1 + sum(self._parts[o] for o in operands(node))
                term = self._build(node)
                self._check_length(node, term)
                self._terms[node] = sound(as_scalar(term))
            except FlawError as flaw:
                raise self.scope.source.pointed(flaw, node.position) from None
        return self._terms[root]

    def _check_length(self, node: Node, term: Term) -> None:
        """Refuse what would take long to differentiate."""
        if self._looks.at(term) > MOST_LOOKS:
            raise FlawError(f"a matrix that is made of more than {MOST_LOOKS} parts", "; name a part by an equation")
        if isinstance(term, sympy.MatMul | sympy.HadamardProduct | sympy.Mul) and len(term.args) > MOST_FACTORS:
            raise FlawError(f"a product of more than {MOST_FACTORS} factors", "; name a part by an equation")
        if self._parts[node] > MOST_PARTS:
            raise FlawError(f"an expression of more than {MOST_PARTS} operations, powers written out",
                            "; name a part by an equation")

    def _build(self, node: Node) -> Term:
        match node:
            case Number():
                value = Fraction(node.text)
                if value.denominator > EXACT:  # as 3.141592653589793, whose fraction nobody wants to see
                    return sympy.Float(node.text, 17)
                return Rational(value.numerator, value.denominator)
            case Name():
                return size(node.name) if self._counts(node.name) else self.symbol(node.name)
            case Unary():
                operand = self._terms[node.operand]
                if not is_matrix(operand):
                    return operand if node.operator == "'" else -operand
                return transpose(operand) if node.operator == "'" else negative(operand)
            case Chain():
                return (self._sum if node.rest[0].operator in ("+", "-") else self._product)(node)
            case Power():
                return self._power(node, self._terms[node.base], self._terms[node.exponent])
            case Call():
                arguments = (self._terms[a] for a in self.inference.operands(node))
                return LANGUAGE[node.function].build(*arguments, *self.inference.sizes[node])
            case Slice():
                return self._slice(node)
        assert isinstance(node, Blocks)  # nothing else has a shape
        return stack(0, [stack(1, [as_matrix(self._terms[block]) for block in row]) for row in node.rows])

    def _counts(self, name: str) -> bool:
        return name in self.scope.counted and name not in self.scope.shapes

    # Sums and products.

    def _sum(self, node: Chain) -> Term:
        """Add scalars to each other before the first matrix, and afterwards as full matrices."""
        parts = [self._terms[node.first]]
        for link in node.rest:
            operand = self._terms[link.operand]
            negated = negative(operand) if is_matrix(operand) else -operand
            parts.append(operand if link.operator == "+" else negated)
        first = next((i for i, part in enumerate(parts) if is_matrix(part)), None)
        if first is None:
            return sympy.Add(*parts)
        like = parts[first]
        scalars = [filled(sympy.Add(*parts[:first]), like)] if first else []
        return add(*scalars, *(filled(part, like) for part in parts[first:]))

    def _product(self, node: Chain) -> Term:
        """Multiply from the left; what is scalar on the way is a coefficient."""
        coefficients: list[Expr] = []
        factors: list[Term] = []
        for link in (Link(node.position, "*", node.first), *node.rest):
            try:
                self._times(link, coefficients, factors, self._terms[link.operand])
            except FlawError as flaw:
                raise FlawError(flaw.problem, flaw.advice, link.position) from None
        scalar = sympy.Mul(*coefficients)
        return product(scalar, *factors) if factors else scalar

    def _times(self, link: Link, coefficients: list[Expr], factors: list[Term], operand: Term) -> None:
        """Multiply or divide the product so far, in place; it is not built before it has to be."""
        divides = "/" in link.operator
        if not is_matrix(operand):
            coefficients.append(divided(S.One, operand) if divides else operand)
        elif divides:
            if entry(operand) == 0:
                raise FlawError("division by zero")
            factors[:] = [quotient(product(*factors) if factors else ones_like(operand), operand)]
        elif not factors or link.operator == "*":
            if factors and (factors[0].shape[0], operand.shape[1]) == (1, 1):
                coefficients.append(inner(transpose(product(*factors)), operand))
                factors.clear()
            else:
                factors.append(operand)
        else:
            factors[:] = [hadamard(product(*factors), operand)]

    # Powers.

    def _power(self, node: Power, base: Term, exponent: Term) -> Term:
        if is_matrix(exponent):
            return self._matrix_exponent(base, exponent)
        if exponent.is_number and abs(exponent) > LARGEST_POWER:
            raise FlawError(f"an exponent beyond {LARGEST_POWER}")
        if not is_matrix(base):
            if base == 0 and exponent.is_number and exponent < 0:
                raise FlawError("division by zero")
            return sympy.Pow(base, exponent)
        if node.operator == ".^":
            return self._entrywise_power(node, base, exponent)
        if not exponent.is_number:
            raise FlawError("expected a number as the exponent of a matrix", "; entry by entry it is .^")
        if not exponent.is_Integer:
            raise FlawError(f"expected a whole number as the exponent of a matrix, came {exponent}",
                            "; entry by entry it is .^")
        self._parts[node] *= max(1, abs(int(exponent)))
        if exponent == 0:
            return sympy.Identity(base.shape[0])
        return product(*[inverse(base) if exponent < 0 else base] * abs(int(exponent)))

    def _matrix_exponent(self, base: Term, exponent: Term) -> Term:
        """Return exp(log(A) ⊙ B) entry by entry, for positive A."""
        if entry(base) == 0 or (not is_matrix(base) and base.is_number and not base > 0):
            raise FlawError(f"a base that is not positive ({entry(base) if is_matrix(base) else base}) with exponents "
                            "that vary")
        logarithm = entrywise("log", base)
        joined = hadamard(logarithm, exponent) if is_matrix(base) else product(sound(logarithm), exponent)
        return entrywise("exp", joined)

    def _entrywise_power(self, node: Power, base: Term, exponent: Expr) -> Term:
        """Return A.^s, as a Hadamard product where s is small and whole."""
        if not exponent.is_Rational:
            return entrywise("exp", product(exponent, entrywise("log", base)))
        if exponent == 0:
            return OneMatrix(*base.shape)
        if exponent == Rational(1, 2):
            return entrywise("sqrt", base)
        if exponent.is_Integer and 1 <= exponent <= MOST_EQUAL_FACTORS:
            self._parts[node] *= int(exponent)
            return hadamard(*[base] * int(exponent))
        name = f"pow_{exponent}".replace("/", "_over_").replace("-", "minus_")
        return powers(function(name, x**exponent), base)

    def _slice(self, node: Slice) -> Term:
        operand = as_matrix(self._terms[node.operand])
        rows, columns = ((start, operand.shape[i] if stop is None else stop)
                         for i, (start, stop) in enumerate(self.inference.intervals[node]))
        return slice_of(operand, rows, columns)
