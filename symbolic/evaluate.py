"""The numeric meaning of terms and programs, in NumPy: what derivations are checked against."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np
from sympy import Basic, Expr, Identity, MatrixSymbol, OneMatrix, Symbol, ZeroMatrix

from symbolic.operations import operation
from symbolic.program import Equation
from symbolic.terms import Term, operand_indices

Array = Any
Values = Mapping[Basic, Array]
Size = Callable[[Expr], int]
"""The integer that stands for a dimension."""


def evaluate(term: Term, values: Values, size: Size = int) -> Array:
    """Return the value of a term from those of its symbols; complex values are allowed.

    Args:
        term: Any term of the operations table.
        values: An array for each matrix symbol, a number for each scalar symbol.
        size: The integer for each dimension that stands in a constant such as a matrix of ones.

    Raises:
        TypeError: An operation is unknown.
        KeyError: A symbol has no value.
    """
    if isinstance(term, (MatrixSymbol, Symbol)):
        return values[term] if term in values else size(term)
    if isinstance(term, OneMatrix):
        return np.ones(tuple(map(size, term.shape)))
    if isinstance(term, ZeroMatrix):
        return np.zeros(tuple(map(size, term.shape)))
    if isinstance(term, Identity):
        return np.eye(size(term.shape[0]))
    if term.is_number:
        return float(term)
    operands = (evaluate(term.args[i], values, size) for i in operand_indices(term))
    return operation(term).evaluate(term, size, *operands)


def run(equations: Iterable[Equation], values: Values, size: Size = int) -> dict[Basic, Array]:
    """Return the given values and those of all equations, in order."""
    known = dict(values)
    for equation in equations:
        known[equation.symbol] = evaluate(equation.term, known, size)
    return known
