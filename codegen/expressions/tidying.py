"""Passes that tidy equations before anything is decided: constants, other names, transposes, diagonals."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

from sympy import (
    Basic,
    Expr,
    HadamardProduct,
    Identity,
    Inverse,
    KroneckerProduct,
    MatAdd,
    MatMul,
    MatrixSymbol,
    OneMatrix,
    S,
    Symbol,
    Transpose,
    ZeroMatrix,
)

from codegen.expressions.nodes import flip
from codegen.expressions.properties import Properties
from codegen.passes import Equations, everywhere, rebuild
from symbolic.functions import FUNCTIONS, scalar_function
from symbolic.program import Equation
from symbolic.structure import Diag, DiagonalOf, Reshape, Slice, Tril, diag, diagonal_of, reshape
from symbolic.terms import (
    Applied,
    Broadcast,
    Elementwise,
    HadamardQuotient,
    Inner,
    SquaredNorm,
    SumAlong,
    Term,
    add,
    applied,
    elementwise,
    hadamard,
    is_matrix,
    ones_like,
    product,
    quotient,
    scale,
    split,
)

LINEAR = (MatMul, HadamardProduct, KroneckerProduct, Inner, SquaredNorm, Transpose, SumAlong, Broadcast, Reshape, Slice,
          Diag, DiagonalOf, Tril)
"""Operations that are 0 where one operand is."""


def constants(equations: Equations) -> Equations:
    """Write what is constant, or another name of a value, in the place of its name, and drop what is zero."""
    values: dict[Expr, Term] = {}

    def visit(term: Term) -> Term:
        return values[term] if term in values else _without_zeros(rebuild(term, visit))

    result = []
    for equation in equations:
        term = visit(equation.term)
        result.append(Equation(equation.symbol, term))
        if term.is_number or isinstance(term, ZeroMatrix | MatrixSymbol | Symbol):
            values[equation.symbol] = term
    return tuple(result)


def _without_zeros(term: Term) -> Term:
    operands = term.args[:1] if isinstance(term, HadamardQuotient) else term.args
    if isinstance(term, (*LINEAR, HadamardQuotient)) and any(isinstance(a, ZeroMatrix) for a in operands):
        return ZeroMatrix(*term.shape) if is_matrix(term) else S.Zero
    return term


def known_functions(equations: Equations) -> Equations:
    """Write multiples of functions of the table as such: cos′(A) = −sin(A)."""
    def change(term: Term) -> Term | None:
        if not isinstance(term, Elementwise | Applied) or term.function.row is not None:
            return None
        number, formula = term.function.formula.as_coeff_Mul()
        name = _NAMES.get(formula)
        return None if name is None else product(number, applied(scalar_function(name), term.args[1]))

    return everywhere(equations, change)


_NAMES = {row.formula: name for name, row in FUNCTIONS.items()}


def symmetries(equations: Equations, properties: Properties) -> Equations:
    """Write A for Aᵀ where A is symmetric, and 2 A for A + A."""
    def change(term: Term) -> Term | None:
        if isinstance(term, Transpose) and properties.symmetric(term.args[0]):
            return term.args[0]
        return _collected(term) if isinstance(term, MatAdd) else None

    return everywhere(equations, change)


def _collected(term: MatAdd) -> Term | None:
    coefficients: dict[Term, Expr] = {}
    for coefficient, rest in map(split, term.args):
        coefficients[rest] = coefficients.get(rest, S.Zero) + coefficient
    return add(*(scale(c, rest) for rest, c in coefficients.items())) if len(coefficients) < len(term.args) else None


def one_order(equations: Equations) -> Equations:
    """Write sums and products entry by entry of the same operands in one order, that of the first of them."""
    first: dict[tuple[type[Basic], frozenset[tuple[Basic, int]]], Term] = {}

    def change(term: Term) -> Term | None:
        if isinstance(term, HadamardProduct | MatAdd | Inner):
            return first.setdefault((type(term), frozenset(Counter(term.args).items())), term)
        return None

    return everywhere(equations, change)


def gathered(equations: Equations) -> Equations:
    """Write (A + B)ᵀ for Aᵀ + Bᵀ, so that A + B is seen to be the same value; likewise entry by entry."""
    def change(term: Term) -> Term | None:
        if not isinstance(term, MatAdd | HadamardProduct | HadamardQuotient | Elementwise):
            return None
        before, turned = _outside_inverses(term), flip(term)
        return Basic.__new__(Transpose, turned) if before and _outside_inverses(turned) < before else None

    return everywhere(equations, change)


def _outside_inverses(term: Basic) -> int:
    """Count transposes, but not those of inverted matrices: (Aᵀ)⁻¹ is computed as the transpose of A⁻¹."""
    if isinstance(term, Inverse) and isinstance(term.args[0], Transpose):
        return _outside_inverses(term.args[0].args[0])
    return isinstance(term, Transpose) + sum(map(_outside_inverses, term.args))


def diagonals(equations: Equations) -> Equations:
    """Work on diagonals only, where a diagonal matrix or the diagonal of a matrix is all that counts."""
    def change(term: Term) -> Term | None:
        if isinstance(term, HadamardProduct):
            return _on_diagonal(term)
        if isinstance(term, MatAdd):
            return _one_diagonal(term)
        if isinstance(term, DiagonalOf):
            return diagonal(term.args[0])
        if isinstance(term, Transpose) and isinstance(term.args[0], Diag):
            return term.args[0]
        if isinstance(term, Inverse) and isinstance(term.args[0], Diag):
            v = term.args[0].args[0]
            return diag(quotient(ones_like(v), v))
        return None

    return everywhere(equations, change)


def _one_diagonal(term: MatAdd) -> Term | None:
    """diag(v) + diag(w) = diag(v + w)."""
    parts = [split(s) for s in term.args]
    columns = [scale(c, rest.args[0]) for c, rest in parts if isinstance(rest, Diag)]
    if len(columns) < 2:
        return None
    return add(*(scale(c, rest) for c, rest in parts if not isinstance(rest, Diag)), diag(add(*columns)))


def reshapes(equations: Equations) -> Equations:
    """Work on entries before they are rearranged: vec(A) ⊙ vec(B) = vec(A ⊙ B), f(vec A) = vec f(A)."""
    def change(term: Term) -> Term | None:
        if isinstance(term, Elementwise) and isinstance(term.operand, Reshape):
            return reshape(elementwise(term.function, term.operand.args[0]), *term.shape)
        if isinstance(term, HadamardQuotient) and all(isinstance(a, Reshape) for a in term.args) and len(
                _sources(term.args)) == 1:
            return reshape(quotient(*(a.args[0] for a in term.args)), *term.shape)
        return _together(term) if isinstance(term, HadamardProduct | MatAdd) else None

    return everywhere(equations, change)


def _together(term: HadamardProduct | MatAdd) -> Term | None:
    parts = [split(a) for a in term.args]
    moved = [(c, rest) for c, rest in parts if isinstance(rest, Reshape)]
    if len(moved) < 2 or len(_sources([rest for _, rest in moved])) != 1:
        return None
    join = add if isinstance(term, MatAdd) else hadamard
    inside = reshape(join(*(scale(c, rest.args[0]) for c, rest in moved)), *term.shape)
    return join(*(scale(c, rest) for c, rest in parts if not isinstance(rest, Reshape)), inside)


def _sources(terms: Iterable[Reshape]) -> set[tuple[Expr, Expr]]:
    """Return the shapes of what is reshaped."""
    return {t.args[0].shape for t in terms}


def diagonal(term: Term) -> Term:
    """Return the diagonal of a matrix as a column, of what is computed entry by entry from the diagonals of that."""
    if isinstance(term, Transpose):
        return diagonal(term.args[0])
    if isinstance(term, Elementwise):
        return elementwise(term.function, diagonal(term.operand))
    if isinstance(term, HadamardProduct):
        return hadamard(*map(diagonal, term.args))
    return quotient(*map(diagonal, term.args)) if isinstance(term, HadamardQuotient) else diagonal_of(term)


def _on_diagonal(term: HadamardProduct) -> Term | None:
    kept = [f for f in term.args if not isinstance(f, OneMatrix)]
    if not any(isinstance(f, Diag | Identity) for f in kept):
        return hadamard(*kept) if kept and len(kept) < len(term.args) else None
    columns = [c for f in kept if not isinstance(c := diagonal(f), OneMatrix)]
    return diag(hadamard(*columns)) if columns else kept[0]
