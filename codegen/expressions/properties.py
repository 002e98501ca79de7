"""What is known of a term from the declared properties of its symbols: symmetric, positive, positive definite."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from sympy import Expr, HadamardProduct, Identity, Inverse, MatAdd, MatMul, MatrixSymbol, OneMatrix, Transpose

from symbolic.program import Assumption
from symbolic.structure import Diag
from symbolic.terms import Term, is_matrix, product, shape, split, transpose

SYMMETRIC = frozenset({"symmetric", "psd", "diagonal"})
"""The properties that make a matrix symmetric."""


@dataclass
class Properties:
    """The assumptions of a program, what its names stand for, and which assumptions were made use of.

    Attributes:
        assumptions: By the symbol that has them.
        definitions: The term of each named value.
        used: The assumptions that a yes of this class rested on.
    """

    assumptions: Mapping[Expr, Mapping[str, Assumption]]
    definitions: Mapping[Expr, Term] = field(default_factory=dict)
    used: set[Assumption] = field(default_factory=set)

    @classmethod
    def of(cls, assumptions: Iterable[Assumption], definitions: Mapping[Expr, Term]) -> Properties:
        """Return the properties of a program."""
        table: dict[Expr, dict[str, Assumption]] = {}
        for assumption in assumptions:
            table.setdefault(assumption.symbol, {})[assumption.key] = assumption
        return cls(table, definitions)

    def symmetric(self, term: Term) -> bool:
        """Say whether a matrix is known to equal its transpose."""
        reading = _Reading(self)
        return self._note(reading, reading.symmetric(term))

    def definite(self, term: Term) -> bool:
        """Say whether a matrix is known to be symmetric and positive semidefinite, so definite where it has an inverse.

        That is so for what was declared psd, for XᵀX and XᵀSX with such an S, for I and
        diag(v) with v positive, for positive multiples of these and for their sums.
        """
        reading = _Reading(self)
        return self._note(reading, reading.definite(term))

    def _note(self, reading: _Reading, answer: bool) -> bool:
        if answer:
            self.used |= reading.used
        return answer


class _Reading:
    """One question, and the assumptions that were met on the way to its answer."""

    def __init__(self, properties: Properties) -> None:
        self.properties = properties
        self.used: set[Assumption] = set()

    def _has(self, symbol: Expr, keys: Iterable[str]) -> bool:
        own = self.properties.assumptions.get(symbol, {})
        found = [own[k] for k in sorted(keys) if k in own]
        self.used.update(found[:1])
        return bool(found)

    def _defined(self, term: Term) -> Term:
        return self.properties.definitions.get(term, term)

    def positive(self, term: Term) -> bool:
        """Say whether a scalar, or each entry of a matrix, is positive."""
        if not is_matrix(term) and term.is_number:
            return bool(term > 0)
        if term.is_Symbol or isinstance(term, MatrixSymbol):
            is_size = not is_matrix(term) and term.is_integer and term.is_positive
            return bool(is_size) or self._has(term, ("positive",))
        if term.is_Pow:
            return self.positive(term.base)
        return isinstance(term, OneMatrix) or (bool(term.is_Mul or term.is_Add) and all(map(self.positive, term.args)))

    def symmetric(self, term: Term) -> bool:
        """Say whether a matrix equals its transpose."""
        term = self._defined(term)
        if isinstance(term, MatrixSymbol):
            return self._has(term, SYMMETRIC)
        if isinstance(term, Identity | Diag):
            return True
        if isinstance(term, OneMatrix):
            return bool(term.shape[0] == term.shape[1])
        if isinstance(term, Inverse | Transpose):
            return self.symmetric(term.args[0])
        if isinstance(term, MatAdd | HadamardProduct):
            return all(map(self.symmetric, term.args))
        return self._of_product(term, self.symmetric)

    def definite(self, term: Term) -> bool:
        """Say whether a matrix is symmetric and positive semidefinite."""
        term = self._defined(term)
        if isinstance(term, MatrixSymbol):
            return self._has(term, ("psd",))
        if isinstance(term, Identity):
            return True
        if isinstance(term, Diag):
            return self.positive(term.args[0])
        if isinstance(term, Inverse | Transpose):
            return self.definite(term.args[0])
        if isinstance(term, MatAdd):
            return all(map(self.definite, term.args))
        return self.positive(split(term)[0]) and self._of_product(term, self.definite)

    def _of_product(self, term: Term, question: Callable[[Term], bool]) -> bool:
        """Answer for c M by M, and for XᵀMX by M; XᵀX is definite."""
        _, rest = split(term)
        if not isinstance(rest, MatMul):
            return rest is not term and question(rest)
        factors, folded = list(rest.args), False
        while len(factors) > 1 and self._mirrored(factors[0], factors[-1]):
            factors, folded = factors[1:-1], True
        return folded and (not factors or question(product(*factors)))

    def _mirrored(self, left: Term, right: Term) -> bool:
        if shape(left) != shape(right)[::-1]:
            return False
        return bool(left == transpose(right)) or (bool(left == right) and self.symmetric(left))
