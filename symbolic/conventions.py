"""What has to be said of an answer besides its lines: conventions, and points without a derivative."""

from __future__ import annotations

from sympy import Basic, Determinant, Expr, Pow, Rational, log

from symbolic.answers import Answer
from symbolic.extremes import FirstLargest, LargestAlong, LargestEntry, Maximum, Minimum
from symbolic.identities.entrywise import factors_of
from symbolic.names import text_name
from symbolic.printing import TextPrinter
from symbolic.program import Program
from symbolic.structure import Cholesky
from symbolic.terms import Elementwise, LogSoftmax, Softmax, SquaredNorm, is_matrix, shape, split

SYMMETRIC = ("symmetric", "psd", "diagonal")


def remarks(program: Program, answer: Answer) -> tuple[str, ...]:
    """Return the sentences that belong to an answer."""
    terms = [e.term for e in program.equations]
    return tuple(dict.fromkeys([*_layout(answer, program.result), *_symmetry(program, answer), *_lines(terms),
                               *_kinks(terms, {(a.key, a.symbol) for a in program.assumptions})]))


def _layout(answer: Answer, result: Expr) -> list[str]:
    if answer.kind in ("jacobian", "differential") and is_matrix(answer.wrt[0]):
        flat = any(is_matrix(s) and 1 not in s.shape for s in (result, *answer.wrt))
        found = ["A Jacobian has a row for each output and a column for each input."]
        return [*found, "vec takes the entries of a matrix column by column."] if flat else found
    if answer.kind != "hessian":
        return []
    found = []
    if any(1 not in shape(w) for w in answer.wrt):
        found.append("The matrix of second derivatives is on vec, which takes entries column by column.")
    if len(answer.wrt) == 2:
        x, y = (text_name(str(w.name)) for w in answer.wrt)
        found.append(f"The block by {x} and {y} has a row for each entry of {x} and a column for each of {y}.")
    return found


def _symmetry(program: Program, answer: Answer) -> list[str]:
    found = []
    if answer.convention == "symmetric":
        return [f"{text_name(str(answer.wrt[0].name))} is differentiated by its free entries, those on and below its "
                "diagonal: the symmetric convention is answered, and not the unconstrained one."]
    for w in answer.wrt:
        if any(a.symbol == w and a.key in SYMMETRIC for a in program.assumptions):
            name = text_name(str(w.name))
            found.append(f"{name} has a symmetric value, but its entries vary independently: the unconstrained "
                         f"convention is answered.")
            if answer.kind == "gradient" and any(a.symbol == w and a.key == "diagonal" for a in program.assumptions):
                found.append(f"By the diagonal of {name} alone, the other convention, the derivative is diag(diag(G)), "
                             f"where G is the gradient above.")
            elif answer.kind == "gradient":
                found.append(f"By the free entries of a symmetric {name}, the other convention, the derivative is "
                             f"G + G' - diag(diag(G)), where G is the gradient above (The Matrix Cookbook (2012), "
                             f"equation (138)).")
    return found


def _kinks(terms: list[Expr], assumed: set[tuple[str, Expr]]) -> list[str]:
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
    if any(f.function.name == "sqrt" for t in terms for f in t.atoms(Elementwise)):
        found.append("sqrt is not differentiable at 0; the formula has no value there.")
    inside = [d.args[0] for t in terms for d in t.atoms(Determinant)]
    if any(("psd", a) not in assumed and ("invertible", a) not in assumed for a in inside):
        found.append("The derivative of a determinant is written by the inverse: the matrix is taken to be invertible.")
    if any(isinstance(f.args[0], Determinant) for t in terms for f in t.atoms(log)):
        found.append("The logarithm of a determinant is defined where the determinant is positive.")
    found += [f"A power with an exponent that is no number is written by exp and log: its base, {base}, is taken to be "
              "positive." for base in _bases(terms)]
    return found


def _bases(terms: list[Expr]) -> list[str]:
    """Return the bases of powers whose exponents are no numbers, as text."""
    found: list[Expr] = []
    for term in terms:
        found += [p.base for p in term.atoms(Pow) if not p.exp.is_number and not p.base.is_number]
        for power in term.atoms(Elementwise):
            if power.function.name == "exp":
                parts = factors_of(split(power.operand)[1])[1]
                found += [f.operand for f in parts if isinstance(f, Elementwise) and f.function.name == "log"]
    return sorted({TextPrinter().show(base) for base in found})


def _lines(terms: list[Expr]) -> list[str]:
    """Say along which lines a softmax is taken where that is not seen by its name."""
    nodes = {n for t in terms for n in t.atoms(Softmax, LogSoftmax) if 1 not in n.shape}
    axes = {n.axis for n in nodes}
    if not axes:
        return []
    if len(axes) == 1:
        return [f"softmax is taken within each {'row' if axes == {1} else 'column'}."]
    rows = ", ".join(sorted(TextPrinter().show(n) for n in nodes if n.axis == 1))
    return [f"softmax is taken within each row in {rows}, and within each column elsewhere."]


def _roots(term: Basic) -> bool:
    return any(isinstance(p.base, SquaredNorm) and p.exp == Rational(1, 2) for p in term.atoms(Pow))
