"""Products in the cheapest order, by the dynamic programme of matrix chains.

A chain is a list of factors. Joining two parts of it may be a product, but also the solution of
a linear system (A⁻¹ next to anything), a scaling (a diagonal matrix), a sum or a repetition (a
vector of ones); each has its cost. Sizes that are symbols count as 100.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cache

from sympy import Basic, Expr, Integer, Inverse, MatMul, OneMatrix, S, Symbol, Transpose
from sympy.matrices.expressions.matexpr import MatrixExpr

from codegen.expressions.joins import inverted, multiplied, permuted, scaled, with_ones
from codegen.expressions.nodes import CholeskySolve, Power, Solve, flip, transposes
from codegen.expressions.properties import Properties
from symbolic.operations.algebra import runs
from symbolic.structure import Cholesky, Commutation, Diag
from symbolic.terms import (
    Broadcast,
    SumAlong,
    Term,
    split,
    transpose,
)

SIZE = 100
"""What a dimension counts that is not known."""

INVERT = 10
"""What inverting costs, in n³: more than it takes, since a solution is more accurate too."""


@cache
def weight(dimension: Expr) -> float:
    """Return the number that stands for a dimension."""
    return max(1.0, float(dimension.subs(dict.fromkeys(dimension.atoms(Symbol), SIZE))))


def area(term: MatrixExpr) -> float:
    """Return how many entries a matrix has."""
    return weight(term.shape[0]) * weight(term.shape[1])


@dataclass(frozen=True)
class Part:
    """A product: its term, and what it costs to compute."""

    term: Term
    cost: float


def factors_of(term: MatrixExpr) -> tuple[Expr, list[Term]]:
    """Return the coefficient and the factors of a matrix, sums and repetitions as products with ones."""
    coefficient, rest = split(term)
    if isinstance(rest, MatMul):
        found: list[Term] = []
        for factor in rest.args:
            own, inside = factors_of(factor)
            coefficient, found = coefficient * own, found + inside
        return coefficient, found
    if isinstance(rest, SumAlong | Broadcast):
        own, inside = factors_of(rest.operand)
        ones = OneMatrix(*((rest.shape[0], rest.operand.shape[0]) if rest.axis == 0
                           else (rest.operand.shape[1], rest.shape[1])))
        return coefficient * own, [ones, *inside] if rest.axis == 0 else [*inside, ones]
    if isinstance(rest, Transpose) and isinstance(rest.args[0], MatMul | SumAlong | Broadcast):
        own, inside = factors_of(rest.args[0])
        return coefficient * own, [transpose(f) for f in reversed(inside)]
    if isinstance(rest, OneMatrix) and S.One not in rest.shape:
        return coefficient, [OneMatrix(rest.shape[0], 1), OneMatrix(1, rest.shape[1])]
    return coefficient, [rest]


def without_dots(factors: Sequence[Term]) -> tuple[Expr, list[Term]]:
    """Return the factors without the products 1ᵀ1 of two vectors of ones, and the number that these make."""
    count: Expr = S.One
    kept: list[Term] = []
    for factor in factors:
        if kept and _is_row_of_ones(kept[-1]) and isinstance(factor, OneMatrix) and factor.shape[1] == 1:
            count = count * factor.shape[0]
            kept.pop()
        else:
            kept.append(factor)
    return count, kept or [OneMatrix(1, 1)]


def _is_row_of_ones(factor: Term) -> bool:
    return isinstance(factor, OneMatrix) and factor.shape[0] == 1


class Chain:
    """The cheapest ways to compute all stretches of a list of factors."""

    def __init__(self, factors: Sequence[Term], properties: Properties, inside: Callable[[Term], Term]) -> None:
        """Take the factors, and what is to be done to a matrix that is inverted."""
        self.properties = properties
        self.factors = list(factors)
        self.inside = inside
        self._costs: dict[tuple[int, int], tuple[float, list[int]]] = {}
        self._terms: dict[tuple[int, int], Term] = {}

    def whole(self) -> Part:
        """Return the cheapest way to the product of all factors."""
        return Part(self.term(0, len(self.factors)), self.cost(0, len(self.factors)))

    def area(self, start: int, stop: int) -> float:
        """Return how many entries the product of factors[start:stop] has."""
        return weight(self.factors[start].shape[0]) * weight(self.factors[stop - 1].shape[1])

    def cost(self, start: int, stop: int) -> float:
        """Return what the product of factors[start:stop] costs."""
        return self._cheapest(start, stop)[0]

    def term(self, start: int, stop: int) -> Term:
        """Return the product of factors[start:stop]: of equal ways that with the fewest transposes, from the left."""
        found = self._terms.get((start, stop))
        if found is None:
            if stop - start == 1:
                factor = self.factors[start]
                found = inverted(self.inside(factor.args[0])) if isinstance(factor, Inverse) else factor
            else:
                ways = self._cheapest(start, stop)[1]
                found = min((self._joined(start, k, stop) for k in ways), key=transposes)
            self._terms[start, stop] = found
        return found

    def _cheapest(self, start: int, stop: int) -> tuple[float, list[int]]:
        """Return the least cost of a stretch, and the places to cut it that lead to it, from the right."""
        found = self._costs.get((start, stop))
        if found is None:
            if stop - start == 1:
                factor = self.factors[start]
                found = (INVERT * weight(factor.shape[0])**3 if isinstance(factor, Inverse) else 0.0), []
            elif self._alike(start, stop):
                found = self._cut(start, stop - 1, stop), [stop - 1]
            else:
                costs = {k: self._cut(start, k, stop) for k in range(stop - 1, start, -1)}
                least = min(costs.values())
                found = least, [k for k, cost in costs.items() if cost == least]
            self._costs[start, stop] = found
        return found

    def _alike(self, start: int, stop: int) -> bool:
        """Say whether the factors are square matrices of one size, multiplied at the same cost in any order."""
        inside = self.factors[start:stop]
        return len({d for f in inside for d in f.shape}) == 1 and not any(
            isinstance(f, Inverse | Diag | Commutation | OneMatrix) for f in inside)

    def _lone(self, start: int, middle: int, stop: int) -> tuple[Term | None, int, int, bool]:
        """Return the factor whose kind says how a cut is joined, the stretch it meets, and whether it stands behind.

        An inverse comes first, then a diagonal matrix, then a permutation, then a vector of ones.
        """
        alone = [(self.factors[start], middle, stop, False)] if middle - start == 1 else []
        alone += [(self.factors[middle], start, middle, True)] if stop - middle == 1 else []
        for kind in (Inverse, Diag, Commutation, OneMatrix):
            for found in alone:
                if isinstance(found[0], kind) and (kind is not OneMatrix or S.One in found[0].shape):
                    return found
        return None, 0, 0, False

    def _cut(self, start: int, middle: int, stop: int) -> float:
        """Return what a stretch costs when it is cut there."""
        factor, i, j, _ = self._lone(start, middle, stop)
        result = self.area(start, stop)
        if isinstance(factor, Inverse):
            n = weight(factor.shape[0])
            return self.cost(i, j) + n**3 * 2 / 3 + 2 * n * self.area(i, j)
        if factor is not None:
            return self.cost(i, j) + (max(result, self.area(i, j)) if isinstance(factor, OneMatrix) else result)
        return self.cost(start, middle) + self.cost(middle, stop) + 2 * result * weight(self.factors[middle].shape[0])

    def _joined(self, start: int, middle: int, stop: int) -> Term:
        """Return the term of a stretch that is cut there."""
        factor, i, j, turned = self._lone(start, middle, stop)
        if isinstance(factor, Inverse):
            return self._solved(factor.args[0], self.term(i, j), turned)
        if isinstance(factor, Diag):
            return scaled(factor.args[0], self.term(i, j), turned)
        if isinstance(factor, Commutation):
            return permuted(factor, self.term(i, j), turned)
        if isinstance(factor, OneMatrix):
            return with_ones(factor, self.term(i, j), turned)
        return multiplied(self.term(start, middle), self.term(middle, stop))

    def _solved(self, matrix: MatrixExpr, other: MatrixExpr, turned: bool) -> Term:
        """Return A⁻¹B, or BA⁻¹ as (A⁻ᵀBᵀ)ᵀ where ``turned``."""
        if turned:
            symmetric = self.properties.symmetric(matrix)
            return flip(self._solved(matrix if symmetric else transpose(matrix), flip(other), False))
        if self.properties.definite(matrix):
            return Basic.__new__(CholeskySolve, Basic.__new__(Cholesky, self.inside(matrix)), other)
        return Basic.__new__(Solve, self.inside(matrix), other)


def associated(factors: Sequence[Term], properties: Properties, inside: Callable[[Term], Term]) -> Part:
    """Return the cheapest way to a product; equal neighbours as a power where that is cheaper."""
    best = Chain(factors, properties, inside).whole()
    grouped = runs(factors)
    if not any(n >= 3 and _has_power(f) for f, n in grouped):
        return best
    powers: list[Term] = []
    cost = 0.0
    for factor, n in grouped:
        if n >= 3 and _has_power(factor):
            powers.append(Basic.__new__(Power, factor, Integer(n)))
            cost += 2 * n.bit_length() * weight(factor.shape[0])**3
        else:
            powers += [factor] * n
    other = Chain(powers, properties, inside).whole()
    return Part(other.term, other.cost + cost) if other.cost + cost < best.cost else best


def _has_power(factor: Term) -> bool:
    bare = factor.args[0] if isinstance(factor, Transpose) else factor
    return not isinstance(bare, Inverse | Diag | OneMatrix) and S.One not in factor.shape
