"""Passes that keep numbers finite: logarithms of exponentials, of sums of them, and of determinants."""

from __future__ import annotations

from collections.abc import Mapping

import sympy
from sympy import Basic, Determinant, Expr, Inverse, MatAdd, MatMul, OneMatrix, S

from codegen.expressions.nodes import LogDeterminant, SumOfLogs
from codegen.expressions.properties import Properties
from codegen.passes import Equations, everywhere
from symbolic.extremes import LogSumExp, LogSumExpAlong
from symbolic.functions import scalar_function
from symbolic.operations.scalar import softmax_of_all
from symbolic.scalars import sigmoid
from symbolic.structure import Cholesky
from symbolic.terms import (
    Applied,
    Elementwise,
    HadamardQuotient,
    Inner,
    SumAlong,
    Term,
    applied,
    hadamard,
    is_matrix,
    negative,
    product,
    split,
)

OF_SYMPY = {"log": sympy.log, "exp": sympy.exp, "sigmoid": sigmoid}
Definitions = Mapping[Expr, Term]


def stable_exponentials(equations: Equations) -> Equations:
    """Write logarithms of sigmoids, of 1 + exp and of sums of exp by functions that do not overflow."""
    definitions = {e.symbol: e.term for e in equations}

    def change(term: Term) -> Term | None:
        inside = argument(term, "log")
        if inside is not None:
            return _log(definitions.get(inside, inside), definitions)
        if isinstance(term, HadamardQuotient):
            return _logistic(term, definitions)
        return _softmax(term, definitions) if isinstance(term, MatMul) else None

    return everywhere(equations, change)


def argument(term: Term, name: str) -> Term | None:
    """Return the s of f(s), of a scalar or entry by entry, where the term is that."""
    if isinstance(term, Elementwise | Applied):
        return term.args[1] if term.function == scalar_function(name) else None
    return term.args[0] if isinstance(term, OF_SYMPY[name]) else None


def _log(inside: Term, definitions: Definitions) -> Term | None:
    softplus = scalar_function("softplus")
    logit = argument(inside, "sigmoid")
    if logit is not None:
        return _minus(applied(softplus, _minus(logit)))
    exponent = _of_one_plus_exp(inside, definitions)
    if exponent is not None:
        return applied(softplus, exponent)
    if not is_matrix(inside) and inside.is_Add and len(inside.args) == 2 and inside.args[0] is S.One:
        logit = argument(definitions.get(-inside.args[1], -inside.args[1]), "sigmoid")
        return None if logit is None else -applied(softplus, logit)
    if isinstance(inside, SumAlong):
        summed = argument(definitions.get(inside.operand, inside.operand), "exp")
        return None if summed is None else Basic.__new__(LogSumExpAlong, summed, inside.args[1])
    exponent = _of_summed_exp(inside, definitions)
    return None if exponent is None else Basic.__new__(LogSumExp, exponent)


def _minus(term: Term) -> Term:
    return negative(term) if is_matrix(term) else -term


def _of_one_plus_exp(term: Term, definitions: Definitions) -> Term | None:
    """Return the A of 1 + exp(A)."""
    if isinstance(term, MatAdd) and len(term.args) == 2:
        ones, other = sorted(term.args, key=lambda a: not isinstance(a, OneMatrix))
        if not isinstance(ones, OneMatrix):
            return None
    elif not is_matrix(term) and term.is_Add and len(term.args) == 2 and term.args[0] is S.One:
        other = term.args[1]
    else:
        return None
    return argument(definitions.get(other, other), "exp")


def _of_summed_exp(term: Term, definitions: Definitions) -> Term | None:
    """Return the A of the sum of all entries of exp(A)."""
    if isinstance(term, Inner) and isinstance(term.args[0], OneMatrix):
        return argument(definitions.get(term.args[1], term.args[1]), "exp")
    return None


def _logistic(term: HadamardQuotient, definitions: Definitions) -> Term | None:
    """B ⊙ exp(A) ⊘ (1 + exp(A)) = B ⊙ σ(A), and B ⊘ (1 + exp(A)) = B ⊙ σ(−A)."""
    above, below = term.args
    exponent = _of_one_plus_exp(definitions.get(below, below), definitions)
    if exponent is None:
        return None
    logistic = scalar_function("sigmoid")
    factors = list(above.args) if isinstance(above, sympy.HadamardProduct) else [above]
    for i, factor in enumerate(factors):
        if argument(definitions.get(factor, factor), "exp") == exponent:
            return hadamard(*factors[:i], applied(logistic, exponent), *factors[i + 1:])
    kept = [f for f in factors if not isinstance(f, OneMatrix)]
    return hadamard(*kept, applied(logistic, negative(exponent)))


def _softmax(term: MatMul, definitions: Definitions) -> Term | None:
    """exp(A) / (1ᵀexp(A) 1) = softmax(A), over all entries."""
    coefficient, rest = split(term)
    exponent = argument(definitions.get(rest, rest), "exp")
    if exponent is None:
        return None
    for factor in sympy.Mul.make_args(coefficient):
        base, power = factor.as_base_exp()
        if power == -1 and _of_summed_exp(definitions.get(base, base), definitions) == exponent:
            return product(coefficient * base, softmax_of_all(exponent))
    return None


def log_determinants(equations: Equations, properties: Properties) -> Equations:
    """Write log det A by the logarithms of pivots: the determinant itself over- or underflows early."""
    definitions = {e.symbol: e.term for e in equations}

    def change(term: Term) -> Term | None:
        inside = argument(term, "log")
        value = definitions.get(inside, inside)
        if not isinstance(value, Determinant):
            return None
        matrix, sign = value.args[0], 1
        while isinstance(matrix, Inverse):
            matrix, sign = matrix.args[0], -sign
        if properties.definite(matrix):
            return 2 * sign * Basic.__new__(SumOfLogs, Basic.__new__(Cholesky, matrix))
        return sign * Basic.__new__(LogDeterminant, matrix)

    return everywhere(equations, change)
