"""What has to be said of an answer besides its lines: conventions, and points without a derivative."""

from __future__ import annotations

from sympy import Abs, Basic, Determinant, Expr, Pow, Rational

from symbolic.answers import Answer
from symbolic.names import text_name
from symbolic.program import Program
from symbolic.structure import Cholesky, FirstLargest, LargestAlong, LargestEntry, Maximum, Minimum
from symbolic.terms import SquaredNorm, is_matrix, shape

SYMMETRIC = ("symmetric", "psd", "diagonal")


def remarks(program: Program, answer: Answer) -> tuple[str, ...]:
    """Return the sentences that belong to an answer."""
    terms = [e.term for e in program.equations]
    return tuple(dict.fromkeys([*_layout(answer, program.result), *_symmetry(program, answer), *_kinks(terms)]))


def _layout(answer: Answer, result: Expr) -> list[str]:
    if answer.kind in ("jacobian", "differential") and is_matrix(answer.wrt[0]):
        flat = any(is_matrix(s) and 1 not in s.shape for s in (result, *answer.wrt))
        found = ["A Jacobian has a row for each output and a column for each input."]
        return [*found, "vec takes the entries of a matrix column by column."] if flat else found
    if answer.kind == "hessian" and any(1 not in shape(w) for w in answer.wrt):
        return ["The matrix of second derivatives is on vec, which takes entries column by column."]
    return []


def _symmetry(program: Program, answer: Answer) -> list[str]:
    found = []
    for w in answer.wrt:
        if any(a.symbol == w and a.key in SYMMETRIC for a in program.assumptions):
            name = text_name(str(w.name))
            found.append(f"{name} has a symmetric value, but its entries vary independently: the unconstrained "
                         f"convention is answered.")
            if answer.kind == "gradient":
                found.append(f"By the free entries of a symmetric {name}, the other convention, the derivative is "
                             f"G + G' - diag(diag(G)), where G is the gradient above (The Matrix Cookbook (2012), "
                             f"equation (138)).")
    return found


def _kinks(terms: list[Expr]) -> list[str]:
    found = []
    if any(_roots(t) for t in terms):
        found.append("A norm is not differentiable where its argument is 0; the formula has no value there (0/0).")
    if any(t.atoms(Maximum, Minimum) for t in terms):
        found.append("max and min are not differentiable where both arguments are equal; there the derivative is "
                     "that of the second one.")
    if any(t.atoms(LargestAlong, LargestEntry, FirstLargest) for t in terms):
        found.append("A largest entry is not differentiable where several are largest; there the derivative is that "
                     "of the first one.")
    if any(t.atoms(Cholesky) for t in terms):
        found.append("chol reads a matrix by its symmetric part, so that a derivative by it is symmetric too.")
    if any(t.atoms(Abs) for t in terms):
        found.append("abs is not differentiable at 0; its derivative there is taken to be 0.")
    if any(t.atoms(Determinant) for t in terms):
        found.append("The derivative of a determinant is written by the inverse: the matrix is taken to be invertible.")
    return found


def _roots(term: Basic) -> bool:
    return any(isinstance(p.base, SquaredNorm) and p.exp == Rational(1, 2) for p in term.atoms(Pow))
