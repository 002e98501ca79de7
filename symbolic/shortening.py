"""The last lines of a derivation of an expression: its result as short as a person would write it.

Each move is a rule that a step names. A move is kept where the text in the matrix language
then has fewer operations; what is kept is checked with all else, by numbers.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import sympy
from sympy import Add, Basic, Expr, KroneckerProduct, MatAdd, MatMul, Mul, S, Transpose

from symbolic.derivation import Gradient, Plain, Step
from symbolic.errors import InputError
from symbolic.identities import Context, rewrite_once
from symbolic.identities.entrywise import factors_of
from symbolic.language.spelling import LanguagePrinter
from symbolic.operations import is_atom
from symbolic.operations.table import Rule
from symbolic.program import Equation
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
    operand_indices,
    product,
    quotient,
    rebuilt,
    scale,
    split,
    transpose,
)

LARGEST_SUM, MOST_MOVES, LONGEST_TERM = 24, 40, 300
"""Sums are multiplied out up to so many summands; so many moves are tried, on terms of fewer operations than that."""

_OPERATION = re.compile(r"\.[*/^]|[-+*/^']|[A-Za-z_]\w*\(")


@dataclass(frozen=True)
class Move:
    """A rewriting of one node, or None where it has nothing to say."""

    rule: Rule
    rewrite: Callable[[Term], Term | None]


def shorten(record: Gradient, context: Context) -> Gradient:
    """Return a record with further steps, at the end of which its term is shorter."""
    used = {(a.key, a.symbol): a for a in record.assumptions}
    shortener = _Shortener(Context(used, context.known))
    term = record.term
    steps: list[Step] = []
    for _ in range(MOST_MOVES if shortener.cost(term) < LONGEST_TERM else 0):
        found = shortener.improved(term)
        if found is None:
            break
        term, rule, equation = found
        steps.append(Step(rule, _line(record, term), equation))
    return replace(record, term=term, steps=(*record.steps, *steps)) if steps else record


def simplified(record: Gradient, context: Context) -> Gradient:
    """Return a record with the identities applied to its term that the context allows, each a step."""
    term, steps = record.term, list[Step]()
    while found := rewrite_once(term, context):
        term = found.term
        steps.append(Step(found.rule, _line(record, term), found.definition, found.assumption))
    return replace(record, term=term, steps=(*record.steps, *steps)) if steps else record


def _line(record: Gradient, term: Term) -> tuple:
    (start,) = record.start
    if isinstance(start, Plain):
        return (Plain(S.One, term),)
    last = record.steps[-1].after[0] if record.steps and record.steps[-1].after else start
    return (type(start)(term, last.direction),)


class _Shortener:
    def __init__(self, context: Context) -> None:
        self.context = context
        self.printer = LanguagePrinter()
        self.costs: dict[Term, float] = {}
        settled = (Equation(e.symbol, self.settled(e.term, without=e.term)) for e in context.known.values())
        self.known = [*context.known.values(), *(e for e in settled if e.term not in context.known)]

    def cost(self, term: Term) -> float:
        """Return the number of operations of a term's text."""
        found = self.costs.get(term)
        if found is None:
            try:
                found = len(_OPERATION.findall(self.printer.show(term)))
            except InputError:
                found = float("inf")
            self.costs[term] = found
        return found

    def improved(self, term: Term) -> tuple[Term, Rule, Equation | None] | None:
        """Return a shorter term that one move leads to."""
        for equation in self.known:
            turned = self.settled(transpose(equation.term)) if is_matrix(equation.term) else None
            named = _named(term, equation, turned)
            if named != term and self.cost(named) < self.cost(term):
                return self.settled(named), KNOWN, equation
        for move in MOVES:
            moved = self.everywhere(term, move.rewrite)
            if moved != term:
                moved = self.settled(moved)
                if self.cost(moved) < self.cost(term):
                    return moved, move.rule, None
        expanded = multiplied_out(term)
        if expanded is not None:
            settled = self.settled(expanded)
            for _ in range(MOST_MOVES):
                better = next((s for m in MOVES if self.cost(s := self.settled(self.everywhere(settled, m.rewrite)))
                               < self.cost(settled)), None)
                if better is None:
                    break
                settled = better
            if self.cost(settled) < self.cost(term):
                return settled, DISTRIBUTED, None
        return None

    def settled(self, term: Term, without: Term | None = None) -> Term:
        """Return a term to which no identity applies any more, not even the name of a value but ``without``."""
        known = {t: e for t, e in self.context.known.items() if t != without}
        plain = Context(self.context.assumptions, known)
        for _ in range(200):
            found = rewrite_once(term, plain)
            if found is None:
                break
            term = found.term
        return term

    def everywhere(self, term: Term, rewrite: Callable[[Term], Term | None]) -> Term:
        """Apply a move to each node, innermost first, where it makes the node shorter."""
        if not term.args or not operand_indices(term) or isinstance(term, sympy.MatrixSymbol):
            return term
        indices = operand_indices(term)
        arguments = [self.everywhere(a, rewrite) if i in indices else a for i, a in enumerate(term.args)]
        changed = any(new is not old for new, old in zip(arguments, term.args, strict=True))
        node = _joined(term, arguments) if changed else term
        moved = rewrite(node)
        if moved is None:
            return node
        moved = self.settled(moved)
        # A factor that moves out may meet another one further out.
        slack = rewrite is _content
        return moved if self.cost(moved) < self.cost(node) + slack else node


def _joined(term: Term, arguments: list[Basic]) -> Term:
    """Put a node together again; a transpose that stands in front of a sum or a product stays there."""
    if isinstance(term, Transpose) and isinstance(arguments[0], (MatMul, MatAdd)):
        return Basic.__new__(Transpose, *arguments)
    if isinstance(term, (MatMul, MatAdd)) and any(isinstance(a, Transpose) for a in arguments):
        return rebuilt(term, arguments)
    return rebuilt(term, arguments)


def _transposed(term: Term) -> Term | None:
    """Return Aᵀ Bᵀ as (B A)ᵀ, the coefficient in front."""
    if not isinstance(term, (MatMul, MatAdd, sympy.HadamardProduct, sympy.Inverse)):
        return None
    coefficient, rest = split(term)
    return scale(coefficient, Basic.__new__(Transpose, transpose(rest)))


def _content(term: Term) -> Term | None:
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
    if term.is_number or is_atom(term):
        return None
    names: dict[Basic, sympy.Dummy] = {}
    plain = _with_dummies(term, names)
    back = {d: atom for atom, d in names.items()}
    forms = [sympy.factor_terms(plain, fraction=False), sympy.factor_terms(plain, fraction=True)]
    if plain.count_ops() < 40:
        forms.append(sympy.cancel(sympy.together(plain)) if not plain.has(sympy.Float) else plain)
    best = min(forms, key=sympy.count_ops)
    return best.xreplace(back) if best != plain else None


def _with_dummies(term: Basic, names: dict[Basic, sympy.Dummy]) -> Expr:
    if isinstance(term, sympy.Pow) and term.exp.is_Rational and not term.exp.is_Integer and not term.base.is_number:
        return names.setdefault(term.base, sympy.Dummy(f"t{len(names)}", positive=True))**term.exp
    if isinstance(term, Inner) and Basic.__new__(Inner, *reversed(term.args)) in names:
        term = Basic.__new__(Inner, *reversed(term.args))
    if is_atom(term) or (isinstance(term, (Inner, SquaredNorm, sympy.Function, sympy.Pow)) and not (
            isinstance(term, sympy.Pow) and term.exp.is_Integer)):
        return names.setdefault(term, sympy.Dummy(f"t{len(names)}", positive=True))
    if not term.args:
        return term
    return term.func(*(_with_dummies(a, names) for a in term.args))


def _named(term: Basic, equation: Equation, turned: Term | None) -> Term:
    """Return a term with the value of a named equation, or its transpose, replaced by the name."""
    symbol, value = equation.symbol, equation.term
    if term == value:
        return symbol
    if not term.args or isinstance(term, sympy.MatrixSymbol):
        return term
    if not is_matrix(value):
        if not is_matrix(term) and isinstance(term, (Mul, sympy.Pow, Add)) and not value.is_number:
            return _named_scalar(term, value, symbol)
    elif isinstance(value, MatMul) and isinstance(term, MatMul):
        for old, new in ((value, symbol), (turned, transpose(symbol))):
            parts, factors = list(old.args) if isinstance(old, MatMul) else [old], list(term.args)
            for i in range(len(factors) - len(parts) + 1):
                if factors[i:i + len(parts)] == parts:
                    return _named(product(*factors[:i], new, *factors[i + len(parts):]), equation, turned)
    indices = operand_indices(term)
    arguments = [_named(a, equation, turned) if i in indices else a for i, a in enumerate(term.args)]
    if all(new is old for new, old in zip(arguments, term.args, strict=True)):
        return term
    return rebuilt(term, arguments)


def _named_scalar(term: Expr, value: Expr, symbol: Expr) -> Expr:
    """Return a scalar by the name of a value in it, if only as a factor; SymPy is shown plain symbols alone."""
    names: dict[Basic, sympy.Dummy] = {}
    plain, wanted = _with_dummies(term, names), _with_dummies(value, names)
    back = {d: atom for atom, d in names.items()}
    ratio = plain / wanted
    if len(Mul.make_args(ratio)) + 1 < len(Mul.make_args(plain)):
        return symbol * ratio.xreplace(back)
    return plain.subs(wanted, symbol).xreplace(back)


def multiplied_out(term: Term) -> Term | None:
    """Return a term with products of sums multiplied out, or None where that is nothing or too long."""
    parts = list(_summands(term))
    if not is_matrix(term) or len(parts) > LARGEST_SUM or (len(parts) == 1 and parts[0] == term):
        return None
    return add(*parts)


def _summands(term: Term) -> Iterator[Term]:
    if isinstance(term, MatAdd):
        for summand in term.args:
            yield from _summands(summand)
    elif isinstance(term, MatMul):
        for i, factor in enumerate(term.args):
            if isinstance(factor, MatAdd):
                for summand in factor.args:
                    yield from _summands(product(*term.args[:i], summand, *term.args[i + 1:]))
                return
        yield term
    else:
        yield term


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


KNOWN = Rule("known_value", "", "", "its definition")
DISTRIBUTED = Rule("multiplied_out", r"A (B + C) = A B + A C", "A (B + C) = A B + A C", "matrix algebra")

MOVES: tuple[Move, ...] = (
    Move(Rule("sum_in_a_sum", r"A - (B - C) = A - B + C", "A − (B − C) = A − B + C", "matrix algebra"), _flattened),
    Move(Rule("common_scalar", r"c A + c B = c (A + B)", "c A + c B = c (A + B)", "matrix algebra"), _content),
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
