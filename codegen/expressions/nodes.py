"""Nodes that only code has: products in a chosen order, solving instead of inverting, norms and traces."""

from __future__ import annotations

from sympy import Basic, Expr, MatAdd, MatMul, Mul, S, Transpose
from sympy.matrices.expressions.matexpr import MatrixExpr

from symbolic.operations.table import ATOM, TIMES, Show, Spelling, called
from symbolic.structure import Diag, DiagonalOf
from symbolic.terms import (
    Elementwise,
    HadamardQuotient,
    Term,
    add,
    elementwise,
    product,
    quotient,
    split,
    transpose,
)


class Times(MatrixExpr):
    """A @ B of two operands that stay as they are: `product` would flatten them."""

    @property
    def shape(self) -> tuple[Expr, Expr]:
        """Rows and columns."""
        return self.args[0].shape[0], self.args[1].shape[1]


class Solve(MatrixExpr):
    """A⁻¹B, by elimination. Arguments: A, B."""

    @property
    def shape(self) -> tuple[Expr, Expr]:
        """Rows and columns."""
        return self.args[1].shape


class CholeskySolve(Solve):
    """(LLᵀ)⁻¹B for a lower triangular L. Arguments: L, B."""


class Power(MatrixExpr):
    """Aⁿ. Arguments: A, n."""

    operands = slice(1)

    @property
    def shape(self) -> tuple[Expr, Expr]:
        """Rows and columns."""
        return self.args[0].shape


class Rows(MatrixExpr):
    """K B for the commutation matrix K of m × n: the rows of B in another order. Arguments: B, m, n."""

    operands = slice(1)

    @property
    def shape(self) -> tuple[Expr, Expr]:
        """Rows and columns."""
        return self.args[0].shape


class Columns(Rows):
    """A K for the commutation matrix K of n × m: the columns of A in another order. Arguments: A, m, n."""


class _OfMatrix(Expr):
    """A scalar function of a matrix."""

    is_commutative = True
    is_real = True


class Trace(_OfMatrix):
    """tr A."""


class Norm(_OfMatrix):
    """‖A‖, Frobenius."""


class LogDeterminant(_OfMatrix):
    """log det A, refused where the determinant is not positive."""


class SumOfLogs(_OfMatrix):
    """The sum of the logarithms of a diagonal: ½ log det(LLᵀ) for a lower triangular L."""


def times(left: MatrixExpr, right: MatrixExpr) -> MatrixExpr:
    """Return A @ B."""
    return Basic.__new__(Times, left, right)


def flip(term: Term) -> Term:
    """Return Aᵀ with the transposes at the leaves, nodes of code included."""
    if isinstance(term, Times):
        return times(flip(term.args[1]), flip(term.args[0]))
    if isinstance(term, Power):
        return Basic.__new__(Power, flip(term.args[0]), term.args[1])
    if isinstance(term, MatMul):
        coefficient, rest = split(term)
        return product(coefficient, flip(rest)) if coefficient is not S.One else transpose(term)
    if isinstance(term, MatAdd):
        return add(*map(flip, term.args))
    if isinstance(term, HadamardQuotient):
        return quotient(*map(flip, term.args))
    if isinstance(term, Elementwise):
        return elementwise(term.function, flip(term.operand))
    return transpose(term)


def transposes(term: Basic) -> int:
    """Count the transposes in a term."""
    return isinstance(term, Transpose) + sum(map(transposes, term.args))


def _times(node: Times, show: Show) -> str:
    """Spell A @ B; @ binds as * and / do, from left to right, which only a plain coefficient may rely on."""
    left, right = node.args
    plain = isinstance(left, Times) or (isinstance(left, MatMul) and not _divides(split(left)[0]))
    return f"{show(left, TIMES if plain else TIMES + 1)} @ {show(right, TIMES + 1)}"


def _divides(coefficient: Expr) -> bool:
    factors = Mul.make_args(coefficient)
    return any(f.as_base_exp()[1].could_extract_minus_sign() or (f.is_Rational and f.q != 1) for f in factors)


def _diagonal(node: Diag, show: Show) -> str:
    v = node.args[0]
    return f"np.diag(np.diagonal({show(v.args[0], 0)}))" if isinstance(v, DiagonalOf) else f"np.diagflat({show(v, 0)})"


def _order(node: Rows, show: Show) -> str:
    return f"transposed({show(node.args[1], 0)}, {show(node.args[2], 0)})"


SPELLING: dict[type[Basic], Spelling] = {
    Times: (TIMES, _times),
    Solve: called("np.linalg.solve"),
    Power: (ATOM, lambda node, show: f"np.linalg.matrix_power({show(node.args[0], 0)}, {show(node.args[1], 0)})"),
    Rows: (ATOM, lambda node, show: f"{show(node.args[0], ATOM)}[{_order(node, show)}]"),
    Columns: (ATOM, lambda node, show: f"{show(node.args[0], ATOM)}[:, {_order(node, show)}]"),
    Trace: called("np.trace"),
    Norm: called("np.linalg.norm"),
    Diag: (ATOM, _diagonal),
    SumOfLogs: (ATOM, lambda node, show: f"np.sum(np.log(np.diagonal({show(node.args[0], 0)})))"),
}
"""The NumPy of the nodes that need no helper, as the rows of operations spell theirs."""
