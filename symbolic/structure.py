"""Nodes that rearrange entries or pick from them: blocks, slices, vec, Kronecker products, largest entries."""

from __future__ import annotations

from collections.abc import Sequence

import sympy
from sympy import Basic, Expr, Identity, Integer, KroneckerProduct, OneMatrix, S, ZeroMatrix
from sympy.matrices.expressions.matexpr import MatrixExpr

from symbolic.terms import BUILDERS, Term, add, hadamard, inner, is_matrix, product, scale, split, transpose


class Reshape(MatrixExpr):
    """The entries of A, taken column by column, as a matrix of other sizes. Arguments: A, rows, columns."""

    operands = slice(1)

    @property
    def shape(self) -> tuple[Expr, Expr]:
        """Rows and columns."""
        return self.args[1], self.args[2]

    def _entry(self, i: Expr, j: Expr, **_: object) -> Expr:
        place, rows = int(i) + int(j) * int(self.args[1]), int(self.args[0].shape[0])
        return self.args[0][place % rows, place // rows]


class Diag(MatrixExpr):
    """diag(v): the square matrix with the column v on its diagonal, zero elsewhere."""

    @property
    def shape(self) -> tuple[Expr, Expr]:
        """Rows and columns."""
        return self.args[0].shape[0], self.args[0].shape[0]

    def _entry(self, i: Expr, j: Expr, **_: object) -> Expr:
        return self.args[0][i, 0] * sympy.KroneckerDelta(i, j)


class DiagonalOf(MatrixExpr):
    """diag(A): the diagonal of a square matrix, as a column."""

    @property
    def shape(self) -> tuple[Expr, Expr]:
        """Rows and columns."""
        return self.args[0].shape[0], S.One

    def _entry(self, i: Expr, j: Expr, **_: object) -> Expr:
        return self.args[0][i, i]


class Tril(MatrixExpr):
    """The lower triangle of A with its diagonal, zero above. Shape: that of A."""

    @property
    def shape(self) -> tuple[Expr, Expr]:
        """Rows and columns."""
        return self.args[0].shape

    def _entry(self, i: Expr, j: Expr, **_: object) -> Expr:
        below = sympy.Ge(i, j)
        if below in (sympy.true, sympy.false):
            return self.args[0][i, j] if below else S.Zero
        return sympy.Piecewise((self.args[0][i, j], below), (S.Zero, True))


class Slice(MatrixExpr):
    """A[r0:r1, c0:c1], counted from 0, the ends excluded. Arguments: A, r0, r1, c0, c1."""

    operands = slice(1)

    @property
    def shape(self) -> tuple[Expr, Expr]:
        """Rows and columns."""
        _, r0, r1, c0, c1 = self.args
        return r1 - r0, c1 - c0

    def _entry(self, i: Expr, j: Expr, **_: object) -> Expr:
        return self.args[0][self.args[1] + i, self.args[3] + j]


class Stack(MatrixExpr):
    """Blocks below each other (axis 0) or side by side (axis 1). Arguments: the blocks, then the axis."""

    operands = slice(-1)

    @property
    def axis(self) -> int:
        """0: below each other. 1: side by side."""
        return int(self.args[-1])

    @property
    def blocks(self) -> tuple[MatrixExpr, ...]:
        """The blocks."""
        return self.args[:-1]

    @property
    def shape(self) -> tuple[Expr, Expr]:
        """Rows and columns."""
        total = sympy.Add(*(b.shape[self.axis] for b in self.blocks))
        other = self.blocks[0].shape[1 - self.axis]
        return (total, other) if self.axis == 0 else (other, total)

    def start(self, i: int) -> Expr:
        """Return where block i begins along the axis."""
        return sympy.Add(*(b.shape[self.axis] for b in self.blocks[:i]))

    def _entry(self, i: Expr, j: Expr, **_: object) -> Expr:
        place = i if self.axis == 0 else j
        for block in self.blocks:
            if place < block.shape[self.axis]:
                return block[place, j] if self.axis == 0 else block[i, place]
            place = place - block.shape[self.axis]
        raise IndexError(f"entry {i}, {j} of {self.shape}")


class Commutation(MatrixExpr):
    """K with K vec(A) = vec(Aᵀ) for A of m × n (Magnus & Neudecker, chapter 3, section 7). Arguments: m, n."""

    operands = slice(0)

    @property
    def shape(self) -> tuple[Expr, Expr]:
        """Rows and columns."""
        return self.args[0] * self.args[1], self.args[0] * self.args[1]

    def _entry(self, i: Expr, j: Expr, **_: object) -> Expr:
        m, n = map(int, self.args)
        return S.One if int(i) == int(j) // m + n * (int(j) % m) else S.Zero


class Cholesky(MatrixExpr):
    """The lower triangular L, positive on its diagonal, with LLᵀ = (A + Aᵀ)/2."""

    @property
    def shape(self) -> tuple[Expr, Expr]:
        """Rows and columns."""
        return self.args[0].shape

    def _entry(self, i: Expr, j: Expr, **_: object) -> Expr:
        a, i, j = self.args[0], int(i), int(j)
        if i < j:
            return S.Zero
        rest = (a[i, j] + a[j, i]) / 2 - sympy.Add(*(self._entry(i, k) * self._entry(j, k) for k in range(j)))
        return sympy.sqrt(rest) if i == j else rest / self._entry(j, j)


def is_column(term: Term) -> bool:
    """Say whether a matrix term has one column."""
    return term.shape[1] == S.One


def reshape(term: MatrixExpr, rows: Expr, columns: Expr) -> MatrixExpr:
    """Return the entries, column by column, as a matrix of other sizes."""
    coefficient, rest = split(term)
    if isinstance(rest, Reshape):
        rest = rest.args[0]
    if rest.shape == (rows, columns):
        return scale(coefficient, rest)
    if isinstance(rest, (OneMatrix, ZeroMatrix)):
        return scale(coefficient, type(rest)(rows, columns))
    if S.One in rest.shape and (columns, rows) == rest.shape:
        return scale(coefficient, transpose(rest))
    return scale(coefficient, Basic.__new__(Reshape, rest, rows, columns))


def vec(term: MatrixExpr) -> MatrixExpr:
    """Return the columns of a matrix below each other, as one column."""
    return reshape(term, term.shape[0] * term.shape[1], S.One)


def diag(column: MatrixExpr) -> MatrixExpr:
    """Return the diagonal matrix of a column, its coefficient in front."""
    coefficient, rest = split(column)
    if isinstance(rest, OneMatrix):
        return scale(coefficient, Identity(rest.shape[0]))
    if isinstance(rest, ZeroMatrix):
        return ZeroMatrix(rest.shape[0], rest.shape[0])
    return scale(coefficient, Basic.__new__(Diag, rest))


def diagonal_of(term: MatrixExpr) -> MatrixExpr:
    """Return the diagonal of a square matrix as a column."""
    coefficient, rest = split(term)
    if isinstance(rest, Diag):
        return scale(coefficient, rest.args[0])
    if isinstance(rest, (Identity, OneMatrix)):
        return scale(coefficient, OneMatrix(rest.shape[0], 1))
    if isinstance(rest, sympy.Transpose):
        rest = rest.args[0]
    return scale(coefficient, Basic.__new__(DiagonalOf, rest))


def tril(term: MatrixExpr) -> MatrixExpr:
    """Return the lower triangle with the diagonal."""
    coefficient, rest = split(term)
    if isinstance(rest, (Identity, Diag, Tril, Cholesky)):
        return term
    return scale(coefficient, Basic.__new__(Tril, rest))


def kronecker(*factors: MatrixExpr) -> MatrixExpr:
    """Return A ⊗ B ⊗ …, flat, the coefficients in front, without factors that are 1 × 1 and one."""
    coefficient: Expr = S.One
    kept: list[MatrixExpr] = []
    for factor in factors:
        own, rest = split(factor)
        coefficient = coefficient * own
        if rest.shape == (1, 1):
            coefficient = coefficient * as_scalar(rest)
            continue
        kept += rest.args if isinstance(rest, KroneckerProduct) else (rest,)
    if any(isinstance(f, ZeroMatrix) for f in kept):
        return ZeroMatrix(sympy.Mul(*(f.shape[0] for f in kept)), sympy.Mul(*(f.shape[1] for f in kept)))
    flat: list[MatrixExpr] = []
    for factor in kept:
        if flat and isinstance(flat[-1], Identity) and isinstance(factor, Identity):
            flat[-1] = Identity(flat[-1].shape[0] * factor.shape[0])
        elif flat and isinstance(flat[-1], OneMatrix) and isinstance(factor, OneMatrix):
            flat[-1] = OneMatrix(flat[-1].shape[0] * factor.shape[0], flat[-1].shape[1] * factor.shape[1])
        elif flat and is_column(flat[-1]) and factor.shape[0] == 1:
            flat[-1] = product(flat[-1], factor)  # a column and a row: their outer product
        elif flat and flat[-1].shape[0] == 1 and is_column(factor):
            flat[-1] = product(factor, flat[-1])
        else:
            flat.append(factor)
    if not flat:
        return scale(coefficient, Identity(1))
    return scale(coefficient, flat[0] if len(flat) == 1 else Basic.__new__(KroneckerProduct, *flat))


def unkronecker(term: MatrixExpr, left: tuple[Expr, Expr], right: tuple[Expr, Expr]) -> tuple[Term, Term] | None:
    """Return C and D of those shapes with C ⊗ D = the term, where its form shows them."""
    coefficient, rest = split(term)
    if isinstance(rest, OneMatrix):
        return scale(coefficient, OneMatrix(*left)), OneMatrix(*right)
    if isinstance(rest, Identity) and left[0] == left[1] and right[0] == right[1]:
        return scale(coefficient, Identity(left[0])), Identity(right[0])
    if isinstance(rest, KroneckerProduct):
        c, d = rest.args[0], kronecker(*rest.args[1:])
        if (c.shape, d.shape) == (left, right):
            return scale(coefficient, c), d
    return None


def slice_of(term: MatrixExpr, rows: tuple[Expr, Expr], columns: tuple[Expr, Expr]) -> MatrixExpr:
    """Return A[r0:r1, c0:c1], counted from 0, the ends excluded."""
    coefficient, rest = split(term)
    if (rows, columns) == ((S.Zero, rest.shape[0]), (S.Zero, rest.shape[1])):
        return term
    if isinstance(rest, (OneMatrix, ZeroMatrix)):
        return scale(coefficient, type(rest)(rows[1] - rows[0], columns[1] - columns[0]))
    if isinstance(rest, Stack):
        block = _whole_block(rest, rows, columns)
        if block is not None:
            return scale(coefficient, block)
    if isinstance(rest, Slice):
        rest, r, _, c, _ = rest.args
        return slice_of(scale(coefficient, rest), (r + rows[0], r + rows[1]), (c + columns[0], c + columns[1]))
    return scale(coefficient, Basic.__new__(Slice, rest, *rows, *columns))


def _whole_block(node: Stack, rows: tuple[Expr, Expr], columns: tuple[Expr, Expr]) -> MatrixExpr | None:
    """Return the block that a slice is, or a slice of the only block that it takes all lines of."""
    along, across = (rows, columns) if node.axis == 0 else (columns, rows)
    for i, block in enumerate(node.blocks):
        start = node.start(i)
        if along == (start, start + block.shape[node.axis]):
            own = (S.Zero, block.shape[node.axis])
            return slice_of(block, *((own, across) if node.axis == 0 else (across, own)))
    return None


def stack(axis: int, blocks: Sequence[MatrixExpr]) -> MatrixExpr:
    """Return blocks below each other (axis 0) or side by side (axis 1), flat."""
    flat: list[MatrixExpr] = []
    for block in blocks:
        parts = block.blocks if isinstance(block, Stack) and block.axis == axis else (block,)
        for part in parts:
            joined = flat and isinstance(part, ZeroMatrix) and isinstance(flat[-1], ZeroMatrix)
            flat[-1:] = [_zeros(axis, flat[-1], part)] if joined else [*flat[-1:], part]
    return flat[0] if len(flat) == 1 else Basic.__new__(Stack, *flat, Integer(axis))


def _zeros(axis: int, left: MatrixExpr, right: MatrixExpr) -> MatrixExpr:
    if axis == 0:
        return ZeroMatrix(left.shape[0] + right.shape[0], left.shape[1])
    return ZeroMatrix(left.shape[0], left.shape[1] + right.shape[1])


def padded(term: MatrixExpr, before: Expr, after: Expr, axis: int) -> MatrixExpr:
    """Return a matrix with so many rows (axis 0) or columns (axis 1) of zeros before and after it."""
    def zeros(size: Expr) -> list[MatrixExpr]:
        if size == 0:
            return []
        return [ZeroMatrix(size, term.shape[1]) if axis == 0 else ZeroMatrix(term.shape[0], size)]
    return stack(axis, [*zeros(before), term, *zeros(after)])


def as_scalar(term: Term) -> Term:
    """Return a 1 × 1 matrix as a scalar, any other term as it is."""
    if not is_matrix(term) or term.shape != (1, 1):
        return term
    coefficient, rest = split(term)
    if isinstance(rest, (OneMatrix, Identity)):
        return coefficient
    if isinstance(rest, ZeroMatrix):
        return S.Zero
    if isinstance(rest, sympy.MatMul):
        return coefficient * inner(transpose(rest.args[0]), product(*rest.args[1:]))
    if isinstance(rest, sympy.MatAdd):
        return coefficient * add(*map(as_scalar, rest.args))
    if isinstance(rest, sympy.HadamardProduct):
        return coefficient * inner(rest.args[0], hadamard(*rest.args[1:]))
    return coefficient * inner(OneMatrix(1, 1), rest)


BUILDERS.update({
    Reshape: reshape, Diag: diag, DiagonalOf: diagonal_of, Tril: tril, KroneckerProduct: kronecker,
    Slice: lambda a, r0, r1, c0, c1: slice_of(a, (r0, r1), (c0, c1)),
    Stack: lambda *a: stack(int(a[-1]), a[:-1])})
