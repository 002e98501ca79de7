"""How long SymPy takes to tell the shape of a term: it asks c A for its rows and then for its columns, and so on."""

from __future__ import annotations

from sympy import KroneckerProduct, MatMul

from symbolic.structure import Diag, Stack
from symbolic.terms import Term, is_matrix, operand_indices

MOST_LOOKS = 2000


class Looks:
    """The number of nodes that are looked at to tell the shape of a term."""

    def __init__(self) -> None:
        self._known: dict[Term, int] = {}

    def at(self, term: Term) -> int:
        """Return the number, which may double with each operation around another."""
        if term not in self._known:
            self._known[term] = 1 + sum(map(self.at, _asked(term)))
        return self._known[term]


def _asked(term: Term) -> list[Term]:
    """Return what is asked for its shape by a term, as often as it is."""
    matrices = [term.args[i] for i in operand_indices(term) if is_matrix(term.args[i])] if is_matrix(term) else []
    if isinstance(term, MatMul):
        return [matrices[0], matrices[-1]]
    if isinstance(term, Stack | Diag):
        return [*matrices, matrices[0]]
    if isinstance(term, KroneckerProduct):
        return [*matrices, *matrices[1:]]
    return matrices[:1]
