"""Inner products, traces and diagonals of products, without the products' other entries."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import sympy
from sympy import (
    Basic,
    Expr,
    HadamardProduct,
    Identity,
    Inverse,
    KroneckerProduct,
    MatAdd,
    MatMul,
    OneMatrix,
    Transpose,
)

from codegen.expressions.nodes import Trace, transposes
from codegen.expressions.products import Chain, area, factors_of, weight, without_dots
from codegen.expressions.properties import Properties
from codegen.expressions.tidying import diagonal
from codegen.passes import Equations, everywhere
from symbolic.structure import Diag, DiagonalOf, Reshape
from symbolic.terms import (
    Elementwise,
    HadamardQuotient,
    Inner,
    SquaredNorm,
    Term,
    hadamard,
    inner,
    product,
    split,
    sum_along,
    transpose,
)

LONGEST = 12
"""Products with more factors than this are not turned round to find a cheaper trace."""

GAIN = 4
"""How much cheaper a sum of entries has to become before ones are multiplied in."""

Way = tuple[float, int, Term]
"""A term with what it costs to compute and how many transposes it has: the least is taken."""


def inner_products(equations: Equations, properties: Properties) -> Equations:
    """Write ⟨A, B⟩ and tr(A B) by the cheapest two stretches of the product, and squares as squared norms."""
    finder = _Finder(replace(properties, used=set()))  # nothing is decided here that would rest on a property
    return everywhere(equations, finder.change)


class _Finder:
    """What is found for one list of equations."""

    def __init__(self, properties: Properties) -> None:
        self.properties = properties

    def change(self, term: Term) -> Term | None:
        """Return a cheaper form of a node; None where there is none."""
        if isinstance(term, DiagonalOf):
            return self.diagonal_of(term.args[0])
        if isinstance(term, MatMul):
            return self.without_scalars(term)
        return self.inner(*term.args) if isinstance(term, Inner) else None

    def inner(self, left: Term, right: Term) -> Term | None:
        """Return ⟨A, B⟩."""
        for one, other in ((left, right), (right, left)):
            if isinstance(one, Identity):
                return self.trace(other)
            if isinstance(one, Diag):
                return self._of(one.args[0], self.diagonal_of(other))
            if isinstance(one, OneMatrix) and isinstance(other, HadamardProduct):
                return self._of(other.args[0], hadamard(*other.args[1:]))
        if isinstance(left, Reshape) and isinstance(right, Reshape) and left.args[0].shape == right.args[0].shape:
            return self._of(left.args[0], right.args[0])
        if any(isinstance(a, MatMul | Inverse) for a in (left, right)):
            return self._cheapest(left, right)
        return _squared(left, right)

    def _of(self, left: Term, right: Term) -> Term:
        """Return ⟨A, B⟩ of any two terms."""
        (a, left), (b, right) = split(left), split(right)
        found = self.inner(left, right)
        return a * b * (inner(left, right) if found is None else found)

    def trace(self, term: Term) -> Term:
        """Return tr A."""
        coefficient, rest = split(term)
        if isinstance(rest, Identity):
            return coefficient * rest.shape[0]
        if isinstance(rest, MatAdd):
            return coefficient * sympy.Add(*map(self.trace, rest.args))
        if isinstance(rest, KroneckerProduct) and all(f.shape[0] == f.shape[1] for f in rest.args):
            return coefficient * sympy.Mul(*map(self.trace, rest.args))
        if isinstance(rest, Transpose):
            return coefficient * self.trace(rest.args[0])
        if isinstance(rest, Diag | HadamardProduct | HadamardQuotient | Elementwise):
            column = self.diagonal_of(rest)
            return coefficient * self._of(OneMatrix(*column.shape), column)
        if isinstance(rest, MatMul):
            own, factors = factors_of(rest)
            count, cycle = without_dots(factors)
            return coefficient * own * count * min(self._cuts(cycle), key=_rank)[2]
        return coefficient * Basic.__new__(Trace, rest)

    def _cheapest(self, left: Term, right: Term) -> Term | None:
        """Return the cheapest of tr(X Y) over all cuts of the cycle AᵀB into X and Y, and of ⟨A, B⟩ itself."""
        (a, first), (b, second) = factors_of(left), factors_of(right)
        count, cycle = without_dots([*map(transpose, reversed(first)), *second])
        given = 2 * area(left) + sum(Chain(f, self.properties, _as_is).cost(0, len(f)) for f in (first, second))
        gain = GAIN if any(isinstance(x, OneMatrix) for x in (left, right)) else 1
        cost, turned, term = min(self._cuts(cycle), key=_rank)
        if (cost * gain, turned) >= (given, transposes(left) + transposes(right)):
            return _squared(left, right)
        return a * b * count * term

    def _cuts(self, cycle: Sequence[Term]) -> Iterator[Way]:
        """Yield the ways to compute the trace of a product."""
        for turn in range(len(cycle) if len(cycle) <= LONGEST else 1):
            factors = [*cycle[turn:], *cycle[:turn]]
            chain = Chain(factors, self.properties, _as_is)
            for k in range(1, len(factors)):
                yield _cut(factors, k, chain.cost(0, k) + chain.cost(k, len(factors)) + 2 * chain.area(0, k))
            whole = product(*factors)
            yield chain.cost(0, len(factors)) + weight(whole.shape[0]), transposes(whole), Basic.__new__(Trace, whole)
            if isinstance(factors[0], Diag) and len(factors) > 1:
                cost, column = self._diagonal(factors[1:])
                term = inner(factors[0].args[0], column)
                yield cost + 2 * weight(column.shape[0]), transposes(term), term

    def diagonal_of(self, term: Term) -> Term:
        """Return diag(A)."""
        column = diagonal(term)
        coefficient, rest = split(column)
        if not isinstance(rest, DiagonalOf) or not isinstance(rest.args[0], MatMul):
            return column
        own, factors = factors_of(rest.args[0])
        count, factors = without_dots(factors)
        return product(coefficient * own * count, self._diagonal(factors)[1])

    def _diagonal(self, factors: Sequence[Term]) -> tuple[float, Term]:
        """diag(X Y) = (X ⊙ Yᵀ) 1, for the cheapest cut of a product into two."""
        if len(factors) == 1:
            return 0, diagonal(factors[0])
        chain, n = Chain(factors, self.properties, _as_is), len(factors)
        costs = {k: chain.cost(0, k) + chain.cost(k, n) + 2 * chain.area(0, k) for k in range(1, n)}
        k = min(costs, key=costs.__getitem__)
        first, second = product(*factors[:k]), product(*factors[k:])
        if isinstance(first, Diag):
            return costs[k], hadamard(first.args[0], self.diagonal_of(second))
        if isinstance(second, Diag):
            return costs[k], hadamard(self.diagonal_of(first), second.args[0])
        whole = hadamard(first, transpose(second))
        return costs[k], whole if whole.shape[1] == 1 else sum_along(whole, 1)

    def without_scalars(self, term: MatMul) -> Term | None:
        """Write a row times a column within a longer product as the number that it is: x (yᵀz) wᵀ."""
        coefficient, rest = split(term)
        factors = list(rest.args) if isinstance(rest, MatMul) else [rest]
        for i, j in _rows_to_columns(factors):
            number = self._of(transpose(factors[i]), product(*factors[i + 1:j + 1]))
            shorter = product(coefficient * number, *factors[:i], *factors[j + 1:])
            again = self.without_scalars(shorter) if isinstance(shorter, MatMul) else None
            return shorter if again is None else again
        return None


def _rows_to_columns(factors: Sequence[Term]) -> Iterator[tuple[int, int]]:
    """Yield the stretches of a product, not all of it, that begin with a row and end with a column."""
    for i, row in enumerate(factors):
        for j in range(i + 1, len(factors)):
            if row.shape[0] == 1 and factors[j].shape[1] == 1 and (i, j) != (0, len(factors) - 1):
                yield i, j


def _cut(factors: Sequence[Term], k: int, cost: float) -> Way:
    """Return ⟨Xᵀ, Y⟩ or ⟨X, Yᵀ⟩ for the first k factors and the others, whichever has fewer transposes."""
    first, second = product(*factors[:k]), product(*factors[k:])
    pairs = [(transpose(first), second), (first, transpose(second))]
    left, right = min(pairs, key=lambda pair: transposes(pair[0]) + transposes(pair[1]))
    squared = _squared(left, right)
    return cost, transposes(left) + transposes(right), inner(left, right) if squared is None else squared


def _rank(way: Way) -> tuple[float, int]:
    return way[:2]


def _squared(left: Term, right: Term) -> Expr | None:
    """Return ‖A‖² for ⟨A, A⟩."""
    return Basic.__new__(SquaredNorm, left) if left == right else None


def _as_is(term: Term) -> Term:
    return term
