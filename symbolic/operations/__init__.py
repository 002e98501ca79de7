"""The table of operations: one row for each kind of node that a term may hold."""

from __future__ import annotations

from sympy import Basic

from symbolic.operations import algebra, blocks, cholesky, entrywise, kronecker, scalar, softmax, structure
from symbolic.operations.table import Operation, Rule
from symbolic.terms import is_matrix

_PARTS = (algebra, entrywise, softmax, structure, kronecker, blocks, cholesky, scalar)
OPERATIONS: dict[type[Basic], Operation] = {
    row.node: row for part in _PARTS for row in part.OPERATIONS
}


def operation(node: Basic) -> Operation:
    """Return the row of a node.

    Raises:
        TypeError: No operation of that kind is known.
    """
    row = OPERATIONS.get(type(node))
    if row is None:
        raise TypeError(f"no differential rule for {type(node).__name__}: {node}")
    return row


def is_atom(term: Basic) -> bool:
    """Say whether a scalar is a node of ours, such as ⟨A, B⟩ or det A, and no scalar algebra of SymPy's."""
    row = OPERATIONS.get(type(term))
    return row is not None and not row.of_sympy and not is_matrix(term)


__all__ = ["OPERATIONS", "Operation", "Rule", "is_atom", "operation"]
