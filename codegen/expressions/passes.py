"""Passes over the equations of an expression: what a careful hand would write in their place.

They may use nodes that only code has, and decide by the declared properties of the symbols.
"""

from __future__ import annotations

from collections import Counter
from functools import partial

import sympy
from sympy import (
    Basic,
    Expr,
    Identity,
    Inverse,
    MatMul,
    MatrixSymbol,
    OneMatrix,
    S,
    Symbol,
    Transpose,
    ZeroMatrix,
)

from codegen.expressions.distribution import distributed
from codegen.expressions.inner_products import inner_products
from codegen.expressions.joins import inverted
from codegen.expressions.nodes import Norm, Solve, Times, flip, times
from codegen.expressions.products import area, associated, factors_of, without_dots
from codegen.expressions.properties import Properties
from codegen.expressions.safety import argument, log_determinants, stable_exponentials
from codegen.expressions.tidying import constants, diagonals, gathered, known_functions, one_order, reshapes, symmetries
from codegen.passes import Equations, Pass, everywhere, rebuild, share, stabilise
from symbolic.program import Equation
from symbolic.terms import (
    Applied,
    Broadcast,
    SquaredNorm,
    SumAlong,
    Term,
    add,
    inverse,
    is_matrix,
    scale,
    split,
)


def associate(equations: Equations, properties: Properties) -> Equations:
    """Compute products in the cheapest order, solve instead of inverting, scale and sum instead of multiplying."""
    def visit(term: Term) -> Term:
        if isinstance(term, MatMul | SumAlong | Broadcast):
            coefficient, factors = factors_of(term)
            count, factors = without_dots(factors)
            summands = distributed(factors, properties)
            if summands is not None:
                return visit(scale(coefficient * count, add(*summands)))
            factors = [f if isinstance(f, Inverse) else visit(f) for f in factors]
            return scale(visit(coefficient) * count, associated(factors, properties, visit).term)
        return inverted(visit(term.args[0])) if isinstance(term, Inverse) else rebuild(term, visit)

    return tuple(Equation(e.symbol, visit(e.term)) for e in equations)


def norms(equations: Equations) -> Equations:
    """Write roots of sums of squares as norms."""
    def change(term: Term) -> Term | None:
        root = argument(term, "sqrt") if isinstance(term, Applied) else None
        base, exponent = (root, S.Half) if root is not None else term.as_base_exp() if term.is_Pow else (None, S.One)
        if isinstance(base, SquaredNorm) and exponent.is_Rational and exponent.q == 2:
            return sympy.Pow(Basic.__new__(Norm, *base.args), 2 * exponent)
        return None

    return everywhere(equations, change)


WIDELY = 4
"""From so many uses of A⁻¹ on, inverting once is taken to be the better way."""


def share_inverses(equations: Equations) -> Equations:
    """Invert a matrix once where many systems with it are solved."""
    uses: Counter[Term] = Counter()
    seen: set[Term] = set()

    def count(term: Term) -> Term | None:
        if (type(term) is Solve or isinstance(term, Inverse)) and term not in seen:
            uses[_upright(term.args[0])] += 1
        seen.add(term)
        return None

    def change(term: Term) -> Term | None:
        if type(term) is not Solve or uses[_upright(term.args[0])] < WIDELY:
            return None
        matrix = term.args[0]
        upright = _upright(matrix)
        once = inverse(upright)
        return times(once if matrix == upright else Basic.__new__(Transpose, once), term.args[1])

    everywhere(equations, count)
    return everywhere(equations, change)


def _upright(matrix: Term) -> Term:
    """Return A or Aᵀ, the one that sorts first, so that both are counted as one."""
    return min(matrix, flip(matrix), key=sympy.default_sort_key)


LABORIOUS = 4
"""A scalar of symbols alone gets a name from so many operations on."""


def is_work(term: Term) -> bool:
    """Say whether a matrix or a scalar is worth a name: views, constants, signs and simple multiples are not."""
    if not is_matrix(term):
        return _is_scalar_work(term)
    coefficient, rest = split(term)
    if isinstance(rest, MatrixSymbol | OneMatrix | ZeroMatrix | Identity | Transpose | Broadcast):
        return False
    return rest is term or not (coefficient.is_number or isinstance(coefficient, Symbol))


def _is_scalar_work(term: Term) -> bool:
    if isinstance(term, Symbol) or not (_holds_matrix(term) or term.count_ops() >= LABORIOUS):
        return False
    if term.is_Mul:
        return bool(term.as_coeff_Mul()[1].is_Mul)
    return not (term.is_Pow and term.exp.is_Integer)


def _holds_matrix(term: Basic) -> bool:
    return any(_holds_matrix(a) or is_matrix(a) for a in term.args if isinstance(a, Expr))


def place_scalars(equations: Equations) -> Equations:
    """Multiply the smallest factor of a product by its coefficient, where that is smaller than the product."""
    def change(term: Term) -> Term | None:
        coefficient, rest = split(term)
        if not isinstance(rest, Times) or coefficient in (1, -1):
            return None
        sign = S.NegativeOne if coefficient.could_extract_minus_sign() else S.One
        return None if sign * coefficient == 1 else scale(sign, _placed(sign * coefficient, rest))

    return everywhere(equations, change)


def _placed(coefficient: Expr, term: Times) -> Term:
    """Multiply the first of the smallest values that a product is made of."""
    least = min(map(area, _values(term)))

    def place(node: Term) -> tuple[Term, bool]:
        if area(node) == least:
            return scale(coefficient, node), True
        if not isinstance(node, Times):
            return node, False
        left, done = place(node.args[0])
        right, done = (node.args[1], True) if done else place(node.args[1])
        return times(left, right), done

    return place(term)[0]


def _values(term: Term) -> list[Term]:
    return [term, *(v for a in term.args for v in _values(a))] if isinstance(term, Times) else [term]


def expression_passes(properties: Properties) -> tuple[Pass, ...]:
    """Return the passes for an expression, in order; what they may assume is said by ``properties``."""
    return (
        Pass("constants", "zeros, numbers and second names need no line", constants),
        Pass("known_functions", "a derivative that has a name needs no function of its own", known_functions),
        Pass("stabilise", "finite for logits of any size, without clipping", stabilise),
        Pass("stable_exponentials", "exp neither overflows nor meets log 0", stable_exponentials),
        Pass("log_determinants", "a determinant over- and underflows, its logarithm does not",
             partial(log_determinants, properties=properties)),
        Pass("diagonals", "n multiplications, not n²", diagonals),
        Pass("reshapes", "entries are rearranged once", reshapes),
        Pass("one_order", "A + B and B + A are seen to be the same", one_order),
        Pass("inner_products", "a trace needs no other entries of a product than its diagonal",
             partial(inner_products, properties=properties)),
        Pass("symmetries", "Aᵀ is A where that was declared", partial(symmetries, properties=properties)),
        Pass("gathered", "Aᵀ + Bᵀ is the A + B that is there already", gathered),
        Pass("associate", "the cheapest order; a system is solved, no matrix inverted for it",
             partial(associate, properties=properties)),
        Pass("norms", "no overflow of squares, and one call", norms),
        Pass("share_inverses", "one inversion instead of many systems", share_inverses),
        Pass("share", "each value is computed once", partial(share, is_work=is_work)),
        Pass("place_scalars", "the least entries are multiplied", place_scalars),
    )


def optimise_expression(equations: Equations, properties: Properties) -> Equations:
    """Apply all passes in order."""
    for step in expression_passes(properties):
        equations = step.apply(equations)
    return equations
