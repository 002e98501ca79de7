"""Products with sums, multiplied out where that is cheaper: (XᵀX + c I) w is Xᵀ(X w) + c w."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from sympy import Expr, Identity, MatAdd, Transpose

from codegen.expressions.products import Chain, area, factors_of
from codegen.expressions.properties import Properties
from symbolic.terms import Term, product, transpose


def distributed(factors: Sequence[Term], properties: Properties) -> list[Term] | None:
    """Return the summands of a product that is cheaper multiplied out, as (XᵀX + c I) w is; None where it is not."""
    for i, factor in enumerate(factors):
        summands = _summands(factor) if len(factors) > 1 else []
        if not any(len(inside) > 1 for _, inside in summands):
            continue
        rest = len(summands) - 1
        given = _cost(factors, properties) + sum(_cost(f, properties) for _, f in summands) + rest * area(factor)
        opened = [(c, [*factors[:i], *(f for f in inside if not isinstance(f, Identity)), *factors[i + 1:]])
                  for c, inside in summands]
        whole = product(*factors)
        if sum(_cost(f, properties) for _, f in opened) + rest * area(whole) < given:
            return [product(c, *f) for c, f in opened]
    return None


def _summands(factor: Term) -> list[tuple[Expr, list[Term]]]:
    """Return the coefficients and factors of the summands of a sum, or of a transposed one; none of what is no sum."""
    if isinstance(factor, Transpose) and isinstance(factor.args[0], MatAdd):
        return [(c, [transpose(f) for f in reversed(inside)]) for c, inside in _summands(factor.args[0])]
    return [factors_of(s) for s in factor.args] if isinstance(factor, MatAdd) else []


def _cost(factors: Sequence[Term], properties: Properties) -> float:
    return Chain(factors, replace(properties, used=set()), lambda term: term).cost(0, len(factors))
