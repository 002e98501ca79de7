"""Identities of sums: like terms, common factors, what cancels."""

from __future__ import annotations

import sympy
from sympy import Expr, MatAdd, OneMatrix, S, ZeroMatrix

from symbolic.functions import GOODFELLOW, scalar_function
from symbolic.identities.entrywise import factors_of
from symbolic.identities.products import matrix_factors
from symbolic.identities.table import ENTRYWISE, Context, Identity
from symbolic.operations.table import Rule
from symbolic.structure import Diag, Reshape, diag, vec
from symbolic.terms import Elementwise, Term, add, elementwise, hadamard, negative, product, scale, split


def _collect(term: MatAdd, context: Context) -> Term | None:
    coefficients: dict[Term, Expr] = {}
    for summand in term.args:
        coefficient, rest = split(summand)
        coefficients[rest] = coefficients.get(rest, S.Zero) + coefficient
    if len(coefficients) == len(term.args):
        return None
    kept = [scale(c, rest) for rest, c in coefficients.items() if c != 0]
    return add(*kept) if kept else ZeroMatrix(*term.shape)


def _positive_first(term: MatAdd, context: Context) -> Term | None:
    ordered = sorted(term.args, key=lambda s: split(s)[0].could_extract_minus_sign())
    return None if tuple(ordered) == term.args else add(*ordered)


def _common_coefficient(term: MatAdd, context: Context) -> Term | None:
    pairs = [split(s) for s in term.args]
    sizes = {-c if c.could_extract_minus_sign() else c for c, _ in pairs}
    if len(sizes) != 1 or sizes == {S.One}:
        return None
    (size,) = sizes
    return scale(size, add(*(rest if c == size else negative(rest) for c, rest in pairs)))


def _common_factor(term: MatAdd, context: Context) -> Term | None:
    parts = [factors_of(s) for s in term.args]
    common = [f for f in parts[0][1] if all(f in factors for _, factors in parts[1:])]
    if not common:
        return None
    factor = common[0]
    rests = []
    for coefficient, factors in parts:
        left = list(factors)
        left.remove(factor)
        rests.append(scale(coefficient, hadamard(*left) if left else OneMatrix(*term.shape)))
    return hadamard(factor, add(*rests))


def _expand_to_cancel(term: MatAdd, context: Context) -> Term | None:
    """Multiply all sums out where enough cancels to leave fewer factors."""
    if not any(isinstance(f, MatAdd) for s in term.args for f in factors_of(s)[1]):
        return None
    atoms: dict[Term, Expr] = {}
    scalars: dict[Expr, Expr] = {}

    def scalar(part: Term) -> Expr:
        coefficient, factors = factors_of(part)
        if not coefficient.is_number:  # SymPy is shown plain symbols alone
            number, rest = coefficient.as_coeff_Mul()
            coefficient = number * scalars.setdefault(rest, sympy.Dummy(f"s{len(scalars)}"))
        values = [sympy.Add(*map(scalar, f.args)) if isinstance(f, MatAdd)
                  else S.One if isinstance(f, OneMatrix)
                  else atoms.setdefault(f, sympy.Dummy(f"t{len(atoms)}")) for f in factors]
        return coefficient * sympy.Mul(*values)

    before = sympy.Add(*map(scalar, term.args), evaluate=False)
    after = sympy.expand(before)
    if len(after.args if after.is_Add else (after,)) >= len(term.args) + 1 or after.count_ops() >= before.count_ops():
        return None
    names = {dummy: atom for atom, dummy in atoms.items()}
    coefficients = {dummy: rest for rest, dummy in scalars.items()}

    def matrix(monomial: Expr) -> Term:
        coefficient, rest = monomial.as_coeff_Mul()
        factors = []
        for base, exponent in (f.as_base_exp() for f in sympy.Mul.make_args(rest)):
            if base in names:
                factors += [names[base]] * int(exponent)
            else:
                coefficient *= coefficients.get(base, base)**exponent
        return scale(coefficient, hadamard(*factors) if factors else OneMatrix(*term.shape))

    if after == 0:
        return ZeroMatrix(*term.shape)
    ordered = sorted(sympy.Add.make_args(after), key=lambda m: min(
        (list(names).index(s) for s in m.atoms(sympy.Dummy) if s in names), default=-1))
    return add(*sorted(map(matrix, ordered), key=lambda s: split(s)[0].could_extract_minus_sign()))


def _common_matrix(term: MatAdd, context: Context) -> Term | None:
    """A B + A C = A (B + C) and B A + C A = (B + C) A, for the largest group of summands."""
    parts = [factors_and_coefficient(s) for s in term.args]
    for left in (True, False):
        groups: dict[Term, list[int]] = {}
        for i, (_, factors) in enumerate(parts):
            if len(factors) > 1:
                groups.setdefault(factors[0 if left else -1], []).append(i)
        factor, members = max(groups.items(), key=lambda g: len(g[1]), default=(None, []))
        if len(members) > 1:
            rests = [scale(parts[i][0], product(*(parts[i][1][1:] if left else parts[i][1][:-1]))) for i in members]
            joined = product(factor, add(*rests)) if left else product(add(*rests), factor)
            new = [joined if i == members[0] else s for i, s in enumerate(term.args) if i not in members[1:]]
            return add(*new)
    return None


def factors_and_coefficient(term: Term) -> tuple[Expr, tuple[Term, ...]]:
    """Return the coefficient of a product and its factors; of any other term, itself."""
    coefficient, rest = split(term)
    return coefficient, matrix_factors(rest)


def _reflected(term: MatAdd, context: Context) -> Term | None:
    """1 − σ(−A) = σ(A)."""
    for i, one in enumerate(term.args):
        if isinstance(one, OneMatrix):
            for j, other in enumerate(term.args):
                coefficient, rest = split(other)
                if coefficient == -1 and isinstance(rest, Elementwise) and rest.function == scalar_function(
                        "sigmoid") and split(rest.operand)[0].could_extract_minus_sign():
                    value = elementwise(rest.function, negative(rest.operand))
                    return add(*(value if k == i else a for k, a in enumerate(term.args) if k != j))
    return None


def _vectors(term: MatAdd, context: Context) -> Term | None:
    """Vec A + vec B = vec(A + B), and diag(u) + diag(v) = diag(u + v)."""
    for node, build in ((Reshape, vec), (Diag, diag)):
        found = [(c, r) for c, r in map(split, term.args) if isinstance(r, node)]
        if node is Reshape:
            found = [(c, r) for c, r in found if r.shape[1] == 1 and r.args[0].shape == found[0][1].args[0].shape]
        if len(found) == len(term.args) > 1:
            return build(add(*(scale(c, r.args[0]) for c, r in found)))
    return None


IDENTITIES = [
    Identity(Rule("like_terms", r"a A + b A = (a + b) A", "a A + b A = (a + b) A", "matrix algebra"),
             MatAdd, _collect),
    Identity(Rule("expand_and_cancel", r"A \odot (B + C) = A \odot B + A \odot C \text{, like terms cancel}",
                  "A ⊙ (B + C) = A ⊙ B + A ⊙ C, like terms cancel", ENTRYWISE), MatAdd, _expand_to_cancel),
    Identity(Rule("commutative_sum", "-A + B = B - A", "−A + B = B − A", "matrix algebra"),
             MatAdd, _positive_first),
    Identity(Rule("common_coefficient", "c A + c B = c (A + B)", "c A + c B = c (A + B)", "matrix algebra"),
             MatAdd, _common_coefficient),
    Identity(Rule("common_factor", r"A \odot B + A \odot C = A \odot (B + C)",
                  "A ⊙ B + A ⊙ C = A ⊙ (B + C)", ENTRYWISE), MatAdd, _common_factor),
    Identity(Rule("common_matrix", r"A B + A C = A (B + C)", "A B + A C = A (B + C)", "matrix algebra"),
             MatAdd, _common_matrix),
    Identity(Rule("sum_of_vecs", r"\operatorname{vec} A + \operatorname{vec} B = \operatorname{vec}(A + B)",
                  "vec A + vec B = vec(A + B), and diag(u) + diag(v) = diag(u + v)", "linearity"), MatAdd, _vectors),
    Identity(Rule("reflected_sigmoid", r"\mathbf{1} - \sigma(-A) = \sigma(A)", "1 − σ(−A) = σ(A)",
                  f"{GOODFELLOW}, section 3.10"), MatAdd, _reflected),
]
