"""Products of three matrices and more, two at a time in the cheapest order."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sympy import Basic, Expr, MatMul, MatrixSymbol, S, Symbol
from sympy.matrices.expressions.matexpr import MatrixExpr

from symbolic.program import Equation
from symbolic.terms import Term, product, split

SAMPLES = 64
"""What a dimension counts that is a symbol, as the number of samples."""


def associated(term: Term, names: Iterator[str],
               known: dict[Term, MatrixSymbol]) -> tuple[tuple[Equation, ...], Term]:
    """Return a product as equations of two factors each, and the product that is left.

    The order is that of least multiplications (Cormen et al., Introduction to Algorithms, section 15.2).

    Args:
        term: Any term; one that is no product of three matrices stays as it is.
        names: Of what is computed on the way.
        known: The name of each product that has one; new ones are added.
    """
    coefficient, rest = split(term)
    if not isinstance(rest, MatMul) or len(rest.args) < 3:
        return (), term
    equations: list[Equation] = []

    def joined(factors: Sequence[MatrixExpr]) -> MatrixExpr:
        if len(factors) == 1:
            return factors[0]
        cut = _cut(factors)
        return Basic.__new__(MatMul, named(factors[:cut]), named(factors[cut:]))

    def named(factors: Sequence[MatrixExpr]) -> MatrixExpr:
        value = joined(factors)
        if len(factors) == 1:
            return value
        if value not in known:
            known[value] = MatrixSymbol(next(names), *value.shape)
            equations.append(Equation(known[value], value))
        return known[value]

    last = joined(rest.args)
    return tuple(equations), last if coefficient is S.One else product(coefficient, last)


def _cut(factors: Sequence[MatrixExpr]) -> int:
    """Return behind which factor a chain is cut last."""
    sizes = [_number(factors[0].shape[0]), *(_number(f.shape[1]) for f in factors)]
    n = len(factors)
    cost, cuts = [[0] * n for _ in range(n)], [[0] * n for _ in range(n)]
    for length in range(1, n):
        for i in range(n - length):
            j = i + length
            cost[i][j], cuts[i][j] = min(
                (cost[i][k] + cost[k + 1][j] + sizes[i] * sizes[k + 1] * sizes[j + 1], k + 1) for k in range(i, j))
    return cuts[0][n - 1]


def _number(dimension: Expr) -> int:
    return int(dimension.subs(dict.fromkeys(dimension.atoms(Symbol), SAMPLES)))
