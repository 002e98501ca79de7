"""The nodes that SymPy's matrix language lacks, and builders that stay shallow.

SymPy's operators evaluate and reorder (`A*B` takes some 80 microseconds); the builders here
keep what was written, flatten nested products and sums, and gather scalar
coefficients in front.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TypeAlias

import sympy
from sympy import Basic, Expr, HadamardProduct, MatAdd, MatMul, OneMatrix, S, Transpose, ZeroMatrix
from sympy.matrices.expressions.matexpr import MatrixExpr

from symbolic.functions import ScalarFunction
from symbolic.scalars import x

Term: TypeAlias = Expr
"""A scalar or a matrix expression (SymPy derives the latter from the former)."""


class Elementwise(MatrixExpr):
    """f(A): a `ScalarFunction` applied to each entry of a matrix. Shape: that of A."""

    operands = slice(1, 2)

    @property
    def function(self) -> ScalarFunction:
        """The function f."""
        return self.args[0]

    @property
    def operand(self) -> MatrixExpr:
        """The matrix A."""
        return self.args[1]

    @property
    def shape(self) -> tuple[Expr, Expr]:
        """Rows and columns."""
        return self.operand.shape

    def _entry(self, i: Expr, j: Expr, **_: object) -> Expr:
        return self.function.formula.subs(x, self.operand[i, j])


class HadamardQuotient(MatrixExpr):
    """A ⊘ B: the entries of A divided by those of B. Shape: that of both."""

    @property
    def shape(self) -> tuple[Expr, Expr]:
        """Rows and columns."""
        return self.args[0].shape

    def _entry(self, i: Expr, j: Expr, **_: object) -> Expr:
        return self.args[0][i, j] / self.args[1][i, j]


class _AlongAxis(MatrixExpr):
    """A function of whole columns (axis 0) or whole rows (axis 1) of a matrix."""

    operands = slice(1)

    @property
    def operand(self) -> MatrixExpr:
        """The matrix A."""
        return self.args[0]

    @property
    def axis(self) -> int:
        """0: within each column. 1: within each row."""
        return int(self.args[1])

    def _exponentials(self, i: Expr, j: Expr) -> Expr:
        rows, columns = self.operand.shape
        if self.axis == 0:
            return sympy.Add(*(sympy.exp(self.operand[r, j]) for r in range(rows)))
        return sympy.Add(*(sympy.exp(self.operand[i, c]) for c in range(columns)))


class Softmax(_AlongAxis):
    """exp(A) with each column (axis 0) or row (axis 1) divided by its sum. Shape: that of A."""

    @property
    def shape(self) -> tuple[Expr, Expr]:
        """Rows and columns."""
        return self.operand.shape

    def _entry(self, i: Expr, j: Expr, **_: object) -> Expr:
        return sympy.exp(self.operand[i, j]) / self._exponentials(i, j)


class LogSoftmax(_AlongAxis):
    """log(softmax(A)), as one operation since that is how it is computed safely. Shape: that of A."""

    @property
    def shape(self) -> tuple[Expr, Expr]:
        """Rows and columns."""
        return self.operand.shape

    def _entry(self, i: Expr, j: Expr, **_: object) -> Expr:
        return self.operand[i, j] - sympy.log(self._exponentials(i, j))


class SumAlong(_AlongAxis):
    """1ᵀA (axis 0, shape 1 × n) or A1 (axis 1, shape m × 1)."""

    @property
    def shape(self) -> tuple[Expr, Expr]:
        """Rows and columns."""
        rows, columns = self.operand.shape
        return (S.One, columns) if self.axis == 0 else (rows, S.One)

    def _entry(self, i: Expr, j: Expr, **_: object) -> Expr:
        rows, columns = self.operand.shape
        if self.axis == 0:
            return sympy.Add(*(self.operand[r, j] for r in range(rows)))
        return sympy.Add(*(self.operand[i, c] for c in range(columns)))


class Broadcast(_AlongAxis):
    """A row a as every row of 1a (axis 0), or a column a as every column of a1ᵀ (axis 1).

    The third argument is the number of repetitions.
    """

    @property
    def shape(self) -> tuple[Expr, Expr]:
        """Rows and columns."""
        rows, columns = self.operand.shape
        return (self.args[2], columns) if self.axis == 0 else (rows, self.args[2])

    def _entry(self, i: Expr, j: Expr, **_: object) -> Expr:
        return self.operand[0, j] if self.axis == 0 else self.operand[i, 0]


class Inner(Expr):
    """⟨A, B⟩ = tr(AᵀB), the sum of the products of entries: a scalar."""

    is_commutative = True
    is_real = True

    def doit(self, **hints: object) -> Expr:
        """Return the sum over entries once the shapes are integers."""
        left, right = (a.doit(**hints) for a in self.args)
        plain = Basic.__new__(Inner, left, right)
        return plain.as_entries() if all(d.is_Integer for d in left.shape) else plain

    def as_entries(self) -> Expr:
        """Return the sum over entries; both shapes must be integers."""
        left, right = self.args
        rows, columns = left.shape
        return sympy.Add(*(left[i, j] * right[i, j] for i in range(rows) for j in range(columns)))


class SquaredNorm(Expr):
    """‖A‖² = ⟨A, A⟩ (Frobenius): a scalar."""

    is_commutative = True
    is_real = True

    def as_entries(self) -> Expr:
        """Return the sum over entries; the shape must be integers."""
        return Inner(self.args[0], self.args[0]).as_entries()


class Applied(Expr):
    """f(s): a `ScalarFunction` of a scalar."""

    operands = slice(1, 2)
    is_commutative = True
    is_real = True

    @property
    def function(self) -> ScalarFunction:
        """The function f."""
        return self.args[0]

    def as_entries(self) -> Expr:
        """Return f(s) as SymPy writes it."""
        return self.function.formula.subs(x, self.args[1])

    def doit(self, **hints: object) -> Expr:
        """Return f(s) as SymPy writes it."""
        return self.function.formula.subs(x, self.args[1].doit(**hints))


class MatrixDifferential(MatrixExpr):
    """dA, of the shape of A."""

    @property
    def shape(self) -> tuple[Expr, Expr]:
        """Rows and columns."""
        return self.args[0].shape


class ScalarDifferential(Expr):
    """ds of a scalar s."""

    is_commutative = True


def is_matrix(term: Term) -> bool:
    """Say whether the term is a matrix expression rather than a scalar."""
    return isinstance(term, MatrixExpr)


def shape(term: Term) -> tuple[Expr, Expr]:
    """Return the shape of a term; a scalar's is (1, 1)."""
    return term.shape if is_matrix(term) else (S.One, S.One)


def differential(term: Term) -> Term:
    """Return d(term)."""
    return Basic.__new__(MatrixDifferential if is_matrix(term) else ScalarDifferential, term)


def elementwise(function: ScalarFunction, operand: MatrixExpr) -> MatrixExpr:
    """Return f(A)."""
    return Basic.__new__(Elementwise, function, operand)


def applied(function: ScalarFunction, operand: Term) -> Term:
    """Return f(A) entry by entry, or f(s) of a scalar."""
    if is_matrix(operand):
        return elementwise(function, operand)
    if operand.is_number:
        value = function.formula.subs(x, operand)
        return value if value.is_number else Basic.__new__(Applied, function, operand)
    return Basic.__new__(Applied, function, operand)


def inverse(term: Term) -> Term:
    """Return A⁻¹, or 1/s of a scalar; (A⁻¹)⁻¹ is A."""
    if not is_matrix(term):
        return 1 / term
    if isinstance(term, sympy.Inverse):
        return term.args[0]
    coefficient, rest = split(term)
    if isinstance(rest, sympy.Identity):
        return scale(1 / coefficient, rest)
    return scale(1 / coefficient, Basic.__new__(sympy.Inverse, rest, S.NegativeOne))


def quotient(numerator: MatrixExpr, denominator: MatrixExpr) -> MatrixExpr:
    """Return A ⊘ B, with the coefficients of both in front."""
    (coefficient, matrix), (below, divisor) = split(numerator), split(denominator)
    whole = coefficient if below is S.One else coefficient / below
    return scale(whole, Basic.__new__(HadamardQuotient, matrix, divisor))


def split(term: Term) -> tuple[Expr, Term]:
    """Return the scalar coefficient of a matrix term, and the rest."""
    if isinstance(term, MatMul):
        first = term.args[0]
        if not isinstance(first, MatrixExpr):
            rest = term.args[1:]
            return first, rest[0] if len(rest) == 1 else Basic.__new__(MatMul, *rest)
    return S.One, term


def scale(coefficient: Expr, term: MatrixExpr) -> MatrixExpr:
    """Return coefficient · A."""
    return product(coefficient, term)


def negative(term: MatrixExpr) -> MatrixExpr:
    """Return −A."""
    return product(S.NegativeOne, term)


def product(*factors: Term) -> Term:
    """Return the product of matrices and scalars, flat, its coefficient first."""
    coefficient: Expr = S.One
    matrices: list[MatrixExpr] = []
    for factor in factors:
        if not isinstance(factor, MatrixExpr):
            coefficient = factor if coefficient is S.One else coefficient * factor
        elif isinstance(factor, MatMul):
            inner, rest = split(factor)
            if inner is not S.One:
                coefficient = coefficient * inner
            inside = rest.args if isinstance(rest, MatMul) else (rest,)
            matrices += (f for f in inside if not isinstance(f, sympy.Identity))
        elif not isinstance(factor, sympy.Identity):
            matrices.append(factor)
    if not matrices:
        identities = [split(f)[1] for f in factors if isinstance(f, MatrixExpr)]
        if not identities:
            return coefficient
        matrices = identities[:1]
    if coefficient is S.Zero:
        return ZeroMatrix(matrices[0].shape[0], matrices[-1].shape[1])
    if coefficient is S.One:
        return matrices[0] if len(matrices) == 1 else Basic.__new__(MatMul, *matrices)
    return Basic.__new__(MatMul, coefficient, *matrices)


def hadamard(*factors: MatrixExpr) -> MatrixExpr:
    """Return the elementwise product, flat, its coefficient in front."""
    coefficient: Expr = S.One
    matrices: list[MatrixExpr] = []
    for factor in factors:
        inner, rest = split(factor)
        if inner is not S.One:
            coefficient = coefficient * inner
        matrices += rest.args if isinstance(rest, HadamardProduct) else (rest,)
    body = matrices[0] if len(matrices) == 1 else Basic.__new__(HadamardProduct, *matrices)
    return body if coefficient is S.One else product(coefficient, body)


def add(*summands: Term) -> Term:
    """Return the sum, flat and without zeros; scalars are added by SymPy."""
    if not is_matrix(summands[0]):
        return sympy.Add(*summands)
    flat: list[MatrixExpr] = []
    for summand in summands:
        flat += summand.args if isinstance(summand, MatAdd) else (summand,)
    kept = [s for s in flat if not isinstance(s, ZeroMatrix)]
    if not kept:
        return flat[0]
    return kept[0] if len(kept) == 1 else Basic.__new__(MatAdd, *kept)


def transpose(term: MatrixExpr) -> MatrixExpr:
    """Return Aᵀ: products turned round, sums summand by summand, double transposes undone."""
    if isinstance(term, Transpose):
        return term.args[0]
    if isinstance(term, (OneMatrix, ZeroMatrix)):
        return type(term)(term.shape[1], term.shape[0])
    if isinstance(term, sympy.Identity):
        return term
    if isinstance(term, sympy.Inverse):
        return inverse(transpose(term.args[0]))
    if isinstance(term, MatMul):
        coefficient, rest = split(term)
        factors: Iterable[MatrixExpr] = reversed(rest.args) if isinstance(rest, MatMul) else (rest,)
        return product(coefficient, *(transpose(f) for f in factors))
    if isinstance(term, (MatAdd, HadamardProduct)):
        return (add if isinstance(term, MatAdd) else hadamard)(*map(transpose, term.args))
    return Basic.__new__(Transpose, term)


def inner(left: MatrixExpr, right: MatrixExpr) -> Expr:
    """Return ⟨A, B⟩, the coefficients of both in front."""
    (a, bare_left), (b, bare_right) = split(left), split(right)
    value = Basic.__new__(Inner, bare_left, bare_right)
    return value if a is S.One and b is S.One else a * b * value


def broadcast(term: MatrixExpr, axis: int, size: Expr) -> MatrixExpr:
    """Return the row (axis 0) or column (axis 1) repeated ``size`` times along that axis."""
    coefficient, rest = split(term)
    return scale(coefficient, Basic.__new__(Broadcast, rest, sympy.Integer(axis), size))


def sum_along(term: MatrixExpr, axis: int) -> MatrixExpr:
    """Return the sums within each column (axis 0) or row (axis 1)."""
    coefficient, rest = split(term)
    return scale(coefficient, Basic.__new__(SumAlong, rest, sympy.Integer(axis)))


def softmax(term: MatrixExpr, axis: int) -> MatrixExpr:
    """Return the softmax of each column (axis 0) or row (axis 1)."""
    return Basic.__new__(Softmax, term, sympy.Integer(axis))


def log_softmax(term: MatrixExpr, axis: int) -> MatrixExpr:
    """Return the logarithm of the softmax of each column (axis 0) or row (axis 1)."""
    return Basic.__new__(LogSoftmax, term, sympy.Integer(axis))


BUILDERS: dict[type[Basic], Callable[..., Term]] = {
    MatMul: product, MatAdd: add, HadamardProduct: hadamard, HadamardQuotient: quotient, Inner: inner,
    Transpose: transpose, sympy.Inverse: lambda a, _: inverse(a)}
"""How a node is made anew from its arguments; nodes that are missing are put together as they stand."""


def rebuilt(node: Term, arguments: Sequence[Basic]) -> Term:
    """Return a node of that kind with other arguments, by its builder where it has one."""
    build = BUILDERS.get(type(node))
    if build is not None:
        return build(*arguments)
    if is_matrix(node) or not isinstance(node, (sympy.Add, sympy.Mul, sympy.Pow, sympy.Function)):
        return Basic.__new__(type(node), *arguments)
    return node.func(*arguments)


def ones_like(term: MatrixExpr) -> OneMatrix:
    """Return the matrix of ones of that shape."""
    return OneMatrix(*term.shape)


def operand_indices(node: Basic) -> range:
    """Return which arguments of a node are terms; the others are parameters such as an axis."""
    everything = range(len(node.args))
    return everything[:1] if isinstance(node, sympy.Inverse) else everything[getattr(node, "operands", slice(None))]


def symbols_of(term: Basic) -> frozenset[Basic]:
    """Return the matrix and scalar symbols of a term, those of its dimensions excepted."""
    if isinstance(term, (sympy.MatrixSymbol, sympy.Symbol)):
        return frozenset([term])
    if isinstance(term, (OneMatrix, ZeroMatrix, sympy.Identity)):
        return frozenset()
    return frozenset().union(*(symbols_of(term.args[i]) for i in operand_indices(term)))
