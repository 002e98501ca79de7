"""Nodes of largest and smallest entries, and of their smooth likeness, log-sum-exp."""

from __future__ import annotations

import sympy
from sympy import Expr, S
from sympy.matrices.expressions.matexpr import MatrixExpr

from symbolic.terms import _AlongAxis


class Maximum(MatrixExpr):
    """The larger of the entries of A and B. Shape: that of both."""

    @property
    def shape(self) -> tuple[Expr, Expr]:
        """Rows and columns."""
        return self.args[0].shape

    def _entry(self, i: Expr, j: Expr, **_: object) -> Expr:
        return sympy.Max(self.args[0][i, j], self.args[1][i, j])


class Minimum(MatrixExpr):
    """The smaller of the entries of A and B. Shape: that of both."""

    @property
    def shape(self) -> tuple[Expr, Expr]:
        """Rows and columns."""
        return self.args[0].shape

    def _entry(self, i: Expr, j: Expr, **_: object) -> Expr:
        return sympy.Min(self.args[0][i, j], self.args[1][i, j])


class LargestAlong(_AlongAxis):
    """The largest entry of each column (axis 0, shape 1 × n) or of each row (axis 1, shape m × 1)."""

    @property
    def shape(self) -> tuple[Expr, Expr]:
        """Rows and columns."""
        rows, columns = self.operand.shape
        return (S.One, columns) if self.axis == 0 else (rows, S.One)

    def _entry(self, i: Expr, j: Expr, **_: object) -> Expr:
        rows, columns = self.operand.shape
        if self.axis == 0:
            return sympy.Max(*(self.operand[r, j] for r in range(rows)))
        return sympy.Max(*(self.operand[i, c] for c in range(columns)))


class FirstLargest(_AlongAxis):
    """1 at the first largest entry of each column (axis 0), row (axis 1) or of all (axis 2), 0 elsewhere."""

    @property
    def shape(self) -> tuple[Expr, Expr]:
        """Rows and columns."""
        return self.operand.shape

    def _rivals(self, i: int, j: int) -> list[tuple[int, int]]:
        rows, columns = map(int, self.operand.shape)
        if self.axis == 0:
            return [(r, j) for r in range(rows)]
        return [(i, c) for c in range(columns)] if self.axis == 1 else [
            (r, c) for c in range(columns) for r in range(rows)]

    def _entry(self, i: Expr, j: Expr, **_: object) -> Expr:
        rivals, own = self._rivals(int(i), int(j)), self.operand[i, j]
        place = rivals.index((int(i), int(j)))
        wins = [own > self.operand[r, c] for r, c in rivals[:place]]
        wins += [own >= self.operand[r, c] for r, c in rivals[place + 1:]]
        return sympy.Piecewise((S.One, sympy.And(*wins)), (S.Zero, True))


class LogSumExpAlong(_AlongAxis):
    """log Σ exp within each column (axis 0, shape 1 × n) or each row (axis 1, shape m × 1)."""

    @property
    def shape(self) -> tuple[Expr, Expr]:
        """Rows and columns."""
        rows, columns = self.operand.shape
        return (S.One, columns) if self.axis == 0 else (rows, S.One)

    def _entry(self, i: Expr, j: Expr, **_: object) -> Expr:
        return sympy.log(self._exponentials(i, j))


class _OfEntries(Expr):
    """A scalar function of all entries of a matrix."""

    is_commutative = True
    is_real = True

    def _entries(self) -> list[Expr]:
        rows, columns = self.args[0].shape
        return [self.args[0][i, j] for j in range(columns) for i in range(rows)]


class LargestEntry(_OfEntries):
    """The largest entry of a matrix: a scalar."""

    def as_entries(self) -> Expr:
        """Return it by the entries; the shape must be integers."""
        return sympy.Max(*self._entries())


class LogSumExp(_OfEntries):
    """log Σ exp over all entries of a matrix: a scalar."""

    def as_entries(self) -> Expr:
        """Return it by the entries; the shape must be integers."""
        return sympy.log(sympy.Add(*map(sympy.exp, self._entries())))
