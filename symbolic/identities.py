"""The identities by which a cotangent is made short: a short ordered list.

Each has a rule to cite, the kind of node that it looks at, and a rewriting that
answers None where the pattern or the condition is not met.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import sympy
from sympy import Basic, Expr, HadamardProduct, MatAdd, MatMul, MatrixSymbol, OneMatrix, S, ZeroMatrix
from sympy.matrices.expressions.matexpr import MatrixExpr

from symbolic.functions import MAGNUS
from symbolic.operations.table import Rule
from symbolic.program import Assumption, Equation
from symbolic.terms import (
    HadamardQuotient,
    Term,
    add,
    hadamard,
    is_matrix,
    negative,
    operand_indices,
    product,
    quotient,
    scale,
    split,
)


@dataclass
class Context:
    """What an identity may use besides the term: assumptions, and the names of known values.

    Attributes:
        assumptions: By key and symbol.
        known: The equation of each term that has a name.
        normal: Terms on which no identity works any more, kept to visit each once.
    """

    assumptions: Mapping[tuple[str, Expr], Assumption] = field(default_factory=dict)
    known: Mapping[Term, Equation] = field(default_factory=dict)
    normal: set[Term] = field(default_factory=set)


@dataclass(frozen=True)
class Rewriting:
    """One identity applied: the new term, the rule, and what was assumed or defined."""

    term: Term
    rule: Rule
    assumption: Assumption | None = None
    definition: Equation | None = None


@dataclass(frozen=True)
class Identity:
    """One identity: a rule, the node it applies to, and its rewriting."""

    rule: Rule
    node: type[Basic]
    rewrite: Callable[[Term, Context], Term | tuple[Term, Assumption] | None]


def _without_ones(term: HadamardProduct, context: Context) -> Term | None:
    rest = [f for f in term.args if not isinstance(f, OneMatrix)]
    if len(rest) == len(term.args):
        return None
    return hadamard(*rest) if rest else term.args[0]


def _cancel_quotient(term: HadamardProduct, context: Context) -> Term | None:
    for i, factor in enumerate(term.args):
        if isinstance(factor, HadamardQuotient):
            divisors = factor.args[1].args if isinstance(factor.args[1], HadamardProduct) else (factor.args[1],)
            rest = [f for j, f in enumerate(term.args) if j != i]
            for divisor in divisors:
                if divisor in rest:
                    rest.remove(divisor)
                    left = list(divisors)
                    left.remove(divisor)
                    kept = quotient(factor.args[0], hadamard(*left)) if left else factor.args[0]
                    return hadamard(*rest[:i], kept, *rest[i:])
    return None


def _distribution(term: MatMul, context: Context) -> tuple[Term, Assumption] | None:
    for i, (left, right) in enumerate(zip(term.args, term.args[1:], strict=False)):
        if isinstance(left, OneMatrix) and left.shape[0] == 1:
            assumption = context.assumptions.get(("distribution_columns", right))
            if assumption:
                return product(*term.args[:i], OneMatrix(1, right.shape[1]), *term.args[i + 2:]), assumption
        if isinstance(right, OneMatrix) and right.shape[1] == 1:
            assumption = context.assumptions.get(("distribution_rows", left))
            if assumption:
                return product(*term.args[:i], OneMatrix(left.shape[0], 1), *term.args[i + 2:]), assumption
    return None


def _outer_ones(term: MatMul, context: Context) -> Term | None:
    coefficient, rest = split(term)
    factors = rest.args if isinstance(rest, MatMul) else ()
    if not factors or not all(isinstance(f, OneMatrix) for f in factors):
        return None
    inner_sizes = sympy.Mul(*(f.shape[1] for f in factors[:-1]))
    return scale(coefficient * inner_sizes, OneMatrix(factors[0].shape[0], factors[-1].shape[1]))


def _single_sample(term: MatMul, context: Context) -> tuple[Term, Assumption] | None:
    for i, factor in enumerate(term.args):
        if isinstance(factor, OneMatrix) and len(term.args) > 1:
            for size in factor.shape:
                assumption = context.assumptions.get(("single_sample", size))
                others = [a for j, a in enumerate(term.args) if j != i and is_matrix(a)]
                if assumption and others and set(factor.shape) <= {size, S.One}:
                    return product(*term.args[:i], *term.args[i + 1:]), assumption
    return None


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


def _factors(term: Term) -> tuple[Expr, list[Term]]:
    coefficient, rest = split(term)
    return coefficient, list(rest.args) if isinstance(rest, HadamardProduct) else [rest]


def _common_factor(term: MatAdd, context: Context) -> Term | None:
    parts = [_factors(s) for s in term.args]
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


def _distribute_to_cancel(term: HadamardProduct, context: Context) -> Term | None:
    """Multiply a sum out where each of its summands is then rid of a quotient."""
    for i, factor in enumerate(term.args):
        if isinstance(factor, MatAdd):
            others = term.args[:i] + term.args[i + 1:]
            quotients = [q for s in factor.args for q in _factors(s)[1] if isinstance(q, HadamardQuotient)]
            if quotients and all(q.args[1] in others for q in quotients):
                return add(*(hadamard(s, *others) for s in factor.args))
    return None


def _expand_to_cancel(term: MatAdd, context: Context) -> Term | None:
    """Multiply all sums out where enough cancels to leave fewer factors."""
    if not any(isinstance(f, MatAdd) for s in term.args for f in _factors(s)[1]):
        return None
    atoms: dict[Term, Expr] = {}

    def scalar(part: Term) -> Expr:
        coefficient, factors = _factors(part)
        values = [sympy.Add(*map(scalar, f.args)) if isinstance(f, MatAdd)
                  else S.One if isinstance(f, OneMatrix)
                  else atoms.setdefault(f, sympy.Dummy(f"t{len(atoms)}")) for f in factors]
        return coefficient * sympy.Mul(*values)

    before = sympy.Add(*map(scalar, term.args), evaluate=False)
    after = sympy.expand(before)
    if len(after.args if after.is_Add else (after,)) >= len(term.args) + 1 or after.count_ops() >= before.count_ops():
        return None
    names = {dummy: atom for atom, dummy in atoms.items()}

    def matrix(monomial: Expr) -> Term:
        coefficient, rest = monomial.as_coeff_Mul()
        factors = []
        for base, exponent in (f.as_base_exp() for f in sympy.Mul.make_args(rest)):
            if base in names:
                factors += [names[base]] * int(exponent)
            else:
                coefficient *= base**exponent
        return scale(coefficient, hadamard(*factors) if factors else OneMatrix(*term.shape))

    if after == 0:
        return ZeroMatrix(*term.shape)
    ordered = sorted(sympy.Add.make_args(after), key=lambda m: min(list(names).index(s) for s in m.atoms(sympy.Dummy))
                     if m.atoms(sympy.Dummy) else -1)
    return add(*sorted(map(matrix, ordered), key=lambda s: split(s)[0].could_extract_minus_sign()))


def _zero(term: Term, context: Context) -> Term | None:
    return ZeroMatrix(*term.shape) if any(isinstance(a, ZeroMatrix) for a in term.args) else None


_ENTRYWISE = f"{MAGNUS}, chapter 3, section 6"

IDENTITIES: tuple[Identity, ...] = (
    Identity(Rule("zero_product", r"\mathbf{0} A = \mathbf{0}", "0 A = 0", "matrix algebra"), MatMul, _zero),
    Identity(Rule("zero_hadamard_product", r"\mathbf{0} \odot A = \mathbf{0}", "0 ⊙ A = 0", _ENTRYWISE),
             HadamardProduct, _zero),
    Identity(Rule("ones_hadamard_product", r"\mathbf{1} \odot A = A", "1 ⊙ A = A", _ENTRYWISE),
             HadamardProduct, _without_ones),
    Identity(Rule("quotient_cancels", r"C \odot (A \oslash C) = A \text{ where no entry of } C \text{ is } 0",
                  "C ⊙ (A ⊘ C) = A, C without zero entries", _ENTRYWISE), HadamardProduct, _cancel_quotient),
    Identity(Rule("distribution", r"\mathbf{1}^{\top} Y = \mathbf{1}^{\top}", "1ᵀY = 1ᵀ",
                  "assumed of the labels"), MatMul, _distribution),
    Identity(Rule("single_sample", r"\mathbf{1}_{N} = 1 \text{ for } N = 1", "1_N = 1 for N = 1",
                  "assumed of the samples"), MatMul, _single_sample),
    Identity(Rule("product_of_ones", r"\mathbf{1}_{m} \mathbf{1}_{n}^{\top} = \mathbf{1}_{m \times n}",
                  "1 1ᵀ = 1 (m × n)", "matrix algebra"), MatMul, _outer_ones),
    Identity(Rule("distributes", r"A \odot (B + C) = A \odot B + A \odot C", "A ⊙ (B + C) = A ⊙ B + A ⊙ C",
                  _ENTRYWISE), HadamardProduct, _distribute_to_cancel),
    Identity(Rule("like_terms", r"a A + b A = (a + b) A", "a A + b A = (a + b) A", "matrix algebra"),
             MatAdd, _collect),
    Identity(Rule("expand_and_cancel", r"A \odot (B + C) = A \odot B + A \odot C \text{, like terms cancel}",
                  "A ⊙ (B + C) = A ⊙ B + A ⊙ C, like terms cancel", _ENTRYWISE), MatAdd, _expand_to_cancel),
    Identity(Rule("commutative_sum", "-A + B = B - A", "−A + B = B − A", "matrix algebra"),
             MatAdd, _positive_first),
    Identity(Rule("common_coefficient", "c A + c B = c (A + B)", "c A + c B = c (A + B)", "matrix algebra"),
             MatAdd, _common_coefficient),
    Identity(Rule("common_factor", r"A \odot B + A \odot C = A \odot (B + C)",
                  "A ⊙ B + A ⊙ C = A ⊙ (B + C)", _ENTRYWISE), MatAdd, _common_factor),
)

_BY_NODE: dict[type[Basic], list[Identity]] = {}
for _identity in IDENTITIES:
    _BY_NODE.setdefault(_identity.node, []).append(_identity)

_BUILDERS: dict[type[Basic], Callable[..., Term]] = {MatMul: product, MatAdd: add, HadamardProduct: hadamard,
                                                     HadamardQuotient: quotient}

_KNOWN_VALUE = Rule("known_value", "", "", "its definition")


def rewrite_once(term: Term, context: Context) -> Rewriting | None:
    """Apply one identity to the term or to the innermost part of it where one applies."""
    if isinstance(term, (MatrixSymbol, OneMatrix)) or not is_matrix(term) or term in context.normal:
        return None
    for i in operand_indices(term):
        found = rewrite_once(term.args[i], context)
        if found:
            build = _BUILDERS.get(type(term), lambda *a: Basic.__new__(type(term), *a))
            whole = build(*term.args[:i], found.term, *term.args[i + 1:])
            return Rewriting(whole, found.rule, found.assumption, found.definition)
    equation = context.known.get(term)
    if equation is not None:
        return Rewriting(equation.symbol, _KNOWN_VALUE, definition=equation)
    for identity in _BY_NODE.get(type(term), ()):
        answer = identity.rewrite(term, context)
        if isinstance(answer, MatrixExpr):
            return Rewriting(answer, identity.rule)
        if answer is not None:
            return Rewriting(answer[0], identity.rule, assumption=answer[1])
    context.normal.add(term)
    return None
