"""Rewritings that may make a result shorter: each a rule and a function of one node."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

import sympy
from sympy import Add, Basic, Expr, KroneckerProduct, MatAdd, MatMul, Mul, S, Transpose

from symbolic.identities.entrywise import factors_of
from symbolic.operations import is_atom
from symbolic.operations.table import Rule
from symbolic.structure import kronecker
from symbolic.terms import (
    HadamardQuotient,
    Inner,
    SquaredNorm,
    Term,
    add,
    hadamard,
    inner,
    is_matrix,
    product,
    quotient,
    scale,
    split,
    transpose,
)


@dataclass(frozen=True)
class Move:
    """A rewriting of one node, or None where it has nothing to say."""

    rule: Rule
    rewrite: Callable[[Term], Term | None]


def _transposed(term: Term) -> Term | None:
    """Return Aᵀ Bᵀ as (B A)ᵀ, the coefficient in front."""
    if not isinstance(term, (MatMul, MatAdd, sympy.HadamardProduct, sympy.Inverse)):
        return None
    coefficient, rest = split(term)
    return scale(coefficient, Basic.__new__(Transpose, transpose(rest)))


def content(term: Term) -> Term | None:
    """Return a sum with what its coefficients have in common in front."""
    if not isinstance(term, MatAdd):
        return None
    pairs = [split(a) for a in term.args]
    common = _common([c for c, _ in pairs])
    if common is S.One:
        return None
    return scale(common, add(*(scale(c / common, rest) for c, rest in pairs)))


def _common(coefficients: list[Expr]) -> Expr:
    """Return the common factor of scalars: of their numbers, and of the powers that all have."""
    numbers, rests = zip(*(c.as_coeff_Mul() for c in coefficients), strict=True)
    if not all(n.is_Rational for n in numbers):
        return S.One
    number = sympy.Rational(sympy.gcd_list([n.p for n in numbers]), sympy.ilcm(*[n.q for n in numbers], 1))
    powers = [r.as_powers_dict() for r in rests]
    shared = S.One
    for base, exponent in powers[0].items():
        others = [p.get(base, S.Zero) for p in powers[1:]]
        if base is not S.One and exponent.is_number and all(o.is_number for o in others):
            if exponent > 0 and all(o > 0 for o in others):
                shared *= base ** min(exponent, *others)
            elif exponent < 0 and all(o < 0 for o in others):
                shared *= base ** max(exponent, *others)
    if all(n < 0 for n in numbers):
        number = -number
    return number * shared


def _flattened(term: Term) -> Term | None:
    """Return a sum with the sums in it as its own summands."""
    if not isinstance(term, MatAdd) or not any(isinstance(split(a)[1], MatAdd) for a in term.args):
        return None
    parts: list[Term] = []
    for summand in term.args:
        coefficient, rest = split(summand)
        parts += [scale(coefficient, a) for a in rest.args] if isinstance(rest, MatAdd) else [summand]
    ordered = sorted(parts, key=lambda a: bool(split(a)[0].could_extract_minus_sign()))
    return add(*ordered)


def _signed(term: Term) -> Term | None:
    """Return −c (A − B) C as c (B − A) C."""
    if not isinstance(term, MatMul):
        return None
    coefficient, rest = split(term)
    if not coefficient.could_extract_minus_sign():
        return None
    factors = rest.args if isinstance(rest, MatMul) else (rest,)
    for i, factor in enumerate(factors):
        if isinstance(factor, MatAdd):
            turned = sorted((scale(-c, r) for c, r in map(split, factor.args)),
                            key=lambda a: bool(split(a)[0].could_extract_minus_sign()))
            return product(-coefficient, *factors[:i], add(*turned), *factors[i + 1:])
    return None


def _scalar(term: Term) -> Term | None:
    """Return a scalar factored, or over one denominator, whichever is shorter."""
    if is_matrix(term):
        coefficient, rest = split(term)
        if coefficient is S.One or coefficient.is_number:
            return None
        shorter = _scalar_form(coefficient)
        return None if shorter is None else scale(shorter, rest)
    return _scalar_form(term) if isinstance(term, (Add, Mul, sympy.Pow)) else None


def _scalar_form(term: Expr) -> Expr | None:
    if term.is_number or is_atom(term) or term.count_ops() > LARGEST_SCALAR:
        return None
    names: dict[Basic, sympy.Dummy] = {}
    plain = with_dummies(term, names)
    back = {d: atom for atom, d in names.items()}
    forms = [sympy.factor_terms(plain, fraction=False), sympy.factor_terms(plain, fraction=True)]
    if plain.count_ops() < 40:
        forms.append(sympy.cancel(sympy.together(plain)) if not plain.has(sympy.Float) else plain)
    best = min(forms, key=sympy.count_ops)
    shorter = best.xreplace(back)
    return shorter if shorter != term else None


def with_dummies(term: Basic, names: dict[Basic, sympy.Dummy]) -> Expr:
    """Return a scalar with plain symbols for what is no scalar algebra, and note them."""
    if isinstance(term, sympy.Pow) and term.exp.is_Rational and not term.exp.is_Integer and not term.base.is_number:
        return names.setdefault(term.base, sympy.Dummy(f"t{len(names)}", positive=True))**term.exp
    if isinstance(term, Inner) and Basic.__new__(Inner, *reversed(term.args)) in names:
        term = Basic.__new__(Inner, *reversed(term.args))
    if is_atom(term) or (isinstance(term, (Inner, SquaredNorm, sympy.Function, sympy.Pow)) and not (
            isinstance(term, sympy.Pow) and term.exp.is_Integer)):
        return names.setdefault(term, sympy.Dummy(f"t{len(names)}", positive=True))
    if not term.args:
        return term
    return term.func(*(with_dummies(a, names) for a in term.args))


def _inner_of_sum(term: Term) -> Term | None:
    """Return ⟨A, B + C⟩ as ⟨A, B⟩ + ⟨A, C⟩."""
    if isinstance(term, Inner):
        for left, right in (term.args, term.args[::-1]):
            if isinstance(right, MatAdd):
                return Add(*(inner(left, a) for a in right.args))
    return None


def _between_inverses(term: Term) -> Term | None:
    """Return P M P + c P as P (M + c A) P, where P = A⁻¹."""
    if not isinstance(term, MatAdd):
        return None
    pairs = [split(a) for a in term.args]
    factors = [r.args if isinstance(r, MatMul) else (r,) for _, r in pairs]
    outer = next((f[0] for f in factors if len(f) > 2 and isinstance(f[0], sympy.Inverse) and f[0] == f[-1]), None)
    if outer is None or not all(f[0] == outer == f[-1] for f in factors):
        return None
    inside = [scale(c, product(*f[1:-1]) if len(f) > 1 else outer.args[0]) for (c, _), f in zip(
        pairs, factors, strict=True) if len(f) != 2]
    return product(outer, add(*inside), outer) if len(inside) == len(pairs) else None


def _common_denominator(term: Term) -> Term | None:
    """Return A ⊘ B + C ⊘ (B ⊙ D) as (A ⊙ D + C) ⊘ (B ⊙ D)."""
    if not isinstance(term, MatAdd):
        return None
    parts = [(c, *(r.args if isinstance(r, HadamardQuotient) else (r, None))) for c, r in map(split, term.args)]
    below = [Counter(factors_of(b)[1]) if b is not None else Counter() for _, _, b in parts]
    whole: Counter[Term] = Counter()
    for divisors in below:
        whole |= divisors
    if not whole or any(d.total() == 0 for d in below):
        return None
    above = [scale(c, hadamard(a, *(whole - d).elements())) for (c, a, _), d in zip(parts, below, strict=True)]
    return quotient(add(*above), hadamard(*whole.elements()))


def _common_kronecker(term: Term) -> Term | None:
    """Return A ⊗ C + B ⊗ C as (A + B) ⊗ C, and A ⊗ B + A ⊗ C as A ⊗ (B + C)."""
    if not isinstance(term, MatAdd):
        return None
    pairs = [split(a) for a in term.args]
    if not all(isinstance(r, KroneckerProduct) and len(r.args) == 2 for _, r in pairs):
        return None
    lefts, rights = zip(*(r.args for _, r in pairs), strict=True)
    if len(set(rights)) == 1:
        return kronecker(add(*(scale(c, a) for (c, _), a in zip(pairs, lefts, strict=True))), rights[0])
    if len(set(lefts)) == 1:
        return kronecker(lefts[0], add(*(scale(c, b) for (c, _), b in zip(pairs, rights, strict=True))))
    return None


LARGEST_SCALAR = 150
"""Scalars of more operations are left as they are: to factor them takes long."""

MOVES: tuple[Move, ...] = (
    Move(Rule("sum_in_a_sum", r"A - (B - C) = A - B + C", "A − (B − C) = A − B + C", "matrix algebra"), _flattened),
    Move(Rule("common_scalar", r"c A + c B = c (A + B)", "c A + c B = c (A + B)", "matrix algebra"), content),
    Move(Rule("scalar_algebra", r"(a + a b) = a (1 + b)", "a + a b = a (1 + b)", "scalar algebra"), _scalar),
    Move(Rule("sign_of_difference", r"-(A - B) = B - A", "−(A − B) = B − A", "matrix algebra"), _signed),
    Move(Rule("inner_product_of_sum", r"\langle A, B + C\rangle = \langle A, B\rangle + \langle A, C\rangle",
              "⟨A, B + C⟩ = ⟨A, B⟩ + ⟨A, C⟩", "linearity of the inner product"), _inner_of_sum),
    Move(Rule("between_inverses", r"A^{-1} M A^{-1} + c A^{-1} = A^{-1} (M + c A) A^{-1}",
              "A⁻¹ M A⁻¹ + c A⁻¹ = A⁻¹ (M + c A) A⁻¹", "matrix algebra"), _between_inverses),
    Move(Rule("common_denominator", r"A \oslash B + C \oslash (B \odot D) = (A \odot D + C) \oslash (B \odot D)",
              "A ⊘ B + C ⊘ (B ⊙ D) = (A ⊙ D + C) ⊘ (B ⊙ D)", "fractions, entry by entry"), _common_denominator),
    Move(Rule("common_kronecker_factor", r"A \otimes C + B \otimes C = (A + B) \otimes C",
              "A ⊗ C + B ⊗ C = (A + B) ⊗ C", "linearity of the Kronecker product"), _common_kronecker),
    Move(Rule("transpose_of_product", r"A^{\top} B^{\top} = (B A)^{\top}", "Aᵀ Bᵀ = (B A)ᵀ", "matrix algebra"),
         _transposed),
)
