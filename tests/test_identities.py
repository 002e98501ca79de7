"""Every identity: an example that it rewrites, both sides in numbers, and where its condition fails."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
import pytest
import sympy
from oracles import draw, number
from sympy import Basic, Expr, HadamardProduct, MatMul, MatrixSymbol, OneMatrix, S, Symbol, ZeroMatrix

from symbolic.functions import scalar_function
from symbolic.identities import IDENTITIES, Context, Identity, rewrite_once
from symbolic.program import Assumption, Equation, distributions, single_sample
from symbolic.terms import (
    add,
    elementwise,
    hadamard,
    negative,
    product,
    quotient,
    scale,
    shape,
)

N = Symbol("N", integer=True, positive=True)
s, t = (Symbol(n, real=True) for n in "st")
A, B, C = (MatrixSymbol(n, 3, 4) for n in "ABC")
COLUMNS, ROWS = MatrixSymbol("P", 3, 4), MatrixSymbol("Q", 3, 4)
G = MatrixSymbol("G", 3, N)
ASSUMED = (distributions(COLUMNS, "columns"), distributions(ROWS, "rows"), single_sample(N))
ONES = OneMatrix(3, 4)


def context(*assumptions: Assumption) -> Context:
    return Context({(a.key, a.symbol): a for a in assumptions})


def raw(node: type[Basic], *arguments: Expr) -> Expr:
    """Return a node as it stands, past the builders."""
    return Basic.__new__(node, *arguments)


@dataclass(frozen=True)
class Case:
    """Terms that an identity rewrites, some that it leaves, and a use of what it rewrites.

    ``broken`` gives values for which the condition does not hold, so that the sides differ.
    """

    rewrites: tuple[Expr, ...]
    leaves: tuple[Expr, ...]
    broken: dict[Expr, object] = field(default_factory=dict)


CASES: dict[str, Case] = {
    "zero_product": Case((raw(MatMul, ZeroMatrix(2, 3), A), raw(MatMul, A, ZeroMatrix(4, 2))), (product(s, A),)),
    "zero_hadamard_product": Case((raw(HadamardProduct, A, ZeroMatrix(3, 4)),), (hadamard(A, B),)),
    "ones_hadamard_product": Case(
        (hadamard(ONES, A), hadamard(A, ONES, B), hadamard(ONES, ONES)), (hadamard(A, B),)),
    "quotient_cancels": Case(
        (hadamard(C, quotient(A, C)), hadamard(quotient(A, C), B, C), hadamard(B, quotient(A, hadamard(C, B))),
         hadamard(C, C, quotient(A, C)), hadamard(C, quotient(A, hadamard(C, C))),
         hadamard(C, quotient(A, hadamard(C, B, C)))),
        (hadamard(A, quotient(A, C)), hadamard(C, B)),
        broken={C: np.zeros((3, 4)), B: np.zeros((3, 4))}),
    "distribution": Case(
        (product(OneMatrix(2, 1), OneMatrix(1, 3), COLUMNS), product(s, OneMatrix(1, 3), COLUMNS),
         product(ROWS, OneMatrix(4, 1), OneMatrix(1, 5)), product(s, ROWS, OneMatrix(4, 1))),
        (product(OneMatrix(1, 3), A), product(OneMatrix(1, 3), ROWS), product(COLUMNS, OneMatrix(4, 1)),
         product(s, OneMatrix(3, 1), OneMatrix(1, 4)), product(OneMatrix(2, 3), COLUMNS)),
        broken={COLUMNS: np.arange(12.0).reshape(3, 4), ROWS: np.arange(12.0).reshape(3, 4)}),
    "single_sample": Case(
        (product(G, OneMatrix(N, 1)), product(s, G, OneMatrix(N, 1)), product(A, OneMatrix(4, 1), OneMatrix(1, N))),
        (product(A, OneMatrix(4, 1)), product(s, A)),
        broken={N: 3}),
    "product_of_ones": Case(
        (product(OneMatrix(3, 1), OneMatrix(1, 4)), product(s, OneMatrix(3, 2), OneMatrix(2, 5), OneMatrix(5, 4)),
         product(OneMatrix(3, N), OneMatrix(N, 4))),
        (product(OneMatrix(3, 3), A), product(s, ONES), product(A, OneMatrix(4, 1)))),
    "distributes": Case(
        (hadamard(add(quotient(A, C), negative(quotient(B, C))), C),
         hadamard(B, add(quotient(A, C), scale(t, hadamard(A, quotient(B, C)))), C)),
        (hadamard(add(A, B), C), hadamard(add(quotient(A, C), quotient(A, B)), C))),
    "like_terms": Case(
        (add(A, scale(S(2), A)), add(A, B, scale(s, A)), add(A, negative(A)), add(A, negative(A), B)),
        (add(A, B), add(A, hadamard(A, A)))),
    "expand_and_cancel": Case(
        (add(hadamard(add(ONES, negative(A)), B), negative(hadamard(A, add(ONES, negative(B))))),
         add(hadamard(A, add(B, C)), negative(hadamard(A, C))),
         add(hadamard(A, add(B, C)), negative(hadamard(A, B)), negative(hadamard(A, C))),
         add(scale(s, hadamard(A, add(B, C))), scale(-s, hadamard(A, C)))),
        (add(A, B), add(hadamard(A, add(B, C)), B))),
    "commutative_sum": Case((add(negative(A), B), add(negative(A), B, scale(-s, C), C)), (add(B, negative(A)),)),
    "common_coefficient": Case(
        (add(scale(s, A), scale(-s, B)), add(scale(1 / s, A), scale(1 / s, B))),
        (add(A, B), add(negative(A), negative(B)), add(scale(s, A), scale(t, B)), add(A, negative(B)))),
    "common_factor": Case(
        (add(hadamard(A, B), hadamard(C, A)), add(hadamard(A, B), negative(A)), add(hadamard(A, A, B), hadamard(A, A)),
         add(scale(s, hadamard(A, B)), scale(t, hadamard(A, C)))),
        (add(A, B), add(hadamard(A, B), hadamard(B, C), C))),
}
BY_KEY = {i.rule.key: i for i in IDENTITIES}
CONDITIONAL = ("distribution", "single_sample", "quotient_cancels")

each_rewriting = pytest.mark.parametrize(("key", "term"), [
    pytest.param(key, term, id=f"{key}-{i}") for key, case in CASES.items() for i, term in enumerate(case.rewrites)])


def rewritten(identity: Identity, term: Expr, *assumptions: Assumption) -> Expr | None:
    """Return what an identity makes of a term, without the assumption that it names."""
    answer = identity.rewrite(term, context(*(assumptions or ASSUMED)))
    return answer[0] if isinstance(answer, tuple) and not isinstance(answer, Basic) else answer


def value(term: Expr, given: dict[Expr, object] | None = None, seed: int = 0) -> object:
    """Return a term at random values that meet every assumption, or at the given ones."""
    rng, given = np.random.default_rng(seed), given or {}
    size = lambda d: int(sympy.sympify(d).subs(N, given.get(N, 1)))  # noqa: E731
    values = draw([A, B, C, G, s, t], size, rng)
    values |= {COLUMNS: rng.dirichlet(np.ones(3), 4).T, ROWS: rng.dirichlet(np.ones(4), 3)}
    with np.errstate(all="ignore"):
        return number(term, values | given, size)


def test_every_identity_has_a_case() -> None:
    assert [i.rule.key for i in IDENTITIES] == list(dict.fromkeys(i.rule.key for i in IDENTITIES)), "keys repeat"
    assert set(BY_KEY) == set(CASES), f"without a case: {set(BY_KEY) - set(CASES)}"


@pytest.mark.parametrize("identity", IDENTITIES, ids=lambda i: i.rule.key)
def test_identity_is_stated_and_has_a_source(identity: Identity) -> None:
    rule = identity.rule
    assert all((rule.key, rule.latex, rule.text, rule.source))
    assert "=" in rule.latex
    assert "=" in rule.text
    assert rule.latex.count("{") == rule.latex.count("}")


@each_rewriting
def test_both_sides_are_equal(key: str, term: Expr) -> None:
    identity = BY_KEY[key]
    assert isinstance(term, identity.node)
    found = rewritten(identity, term)
    assert found is not None, f"{key} leaves {term}"
    assert found != term
    for seed in range(3):
        after = np.broadcast_to(value(found, seed=seed), np.shape(value(term, seed=seed)))
        np.testing.assert_allclose(after, value(term, seed=seed), rtol=1e-12, atol=1e-13)


@each_rewriting
def test_shape_is_kept(key: str, term: Expr) -> None:
    """Up to the one sample, whose 1_N is 1."""
    found = shape(rewritten(BY_KEY[key], term))
    if key == "single_sample":
        assert tuple(d.subs(N, 1) for d in found) == tuple(d.subs(N, 1) for d in shape(term))
    else:
        assert found == shape(term)


@pytest.mark.parametrize(("key", "term"), [
    pytest.param(key, term, id=f"{key}-{i}") for key, case in CASES.items() for i, term in enumerate(case.leaves)])
def test_other_terms_are_left(key: str, term: Expr) -> None:
    """None, unless the node is not the one that the identity is asked about."""
    if isinstance(term, BY_KEY[key].node):
        assert rewritten(BY_KEY[key], term) is None


@pytest.mark.parametrize(("key", "term"), [
    pytest.param(key, term, id=f"{key}-{i}") for key in CONDITIONAL for i, term in enumerate(CASES[key].rewrites)])
def test_condition_is_needed(key: str, term: Expr) -> None:
    """At values that do not meet the condition the sides differ, as a number or as a shape."""
    broken = CASES[key].broken
    before, after = value(term, broken), value(rewritten(BY_KEY[key], term), broken)
    assert np.shape(before) != np.shape(after) or not np.allclose(before, after)


@pytest.mark.parametrize("key", ["distribution", "single_sample"])
def test_without_the_assumption_nothing_is_rewritten(key: str) -> None:
    others = {"distribution": ASSUMED[2:], "single_sample": ASSUMED[:2]}[key]
    for term in CASES[key].rewrites:
        assert rewritten(BY_KEY[key], term, *others) is None


def test_assumption_is_named() -> None:
    """The rewriting carries the assumption that it used, of the symbol that has it."""
    terms = product(OneMatrix(1, 3), COLUMNS), product(ROWS, OneMatrix(4, 1)), product(G, OneMatrix(N, 1))
    for term, expected in zip(terms, ASSUMED, strict=True):
        found = rewrite_once(term, context(*ASSUMED))
        assert found is not None
        assert found.assumption == expected


def test_one_sample_leaves_a_matrix() -> None:
    """A multiple of 1_N alone becomes a matrix and not a bare number."""
    found = rewritten(BY_KEY["single_sample"], product(s, OneMatrix(1, N)))
    assert found is None or shape(found) == (1, 1)
    assert found is None or found.is_Matrix


def test_condition_stands_in_every_statement() -> None:
    """What the text says of zero entries the LaTeX says too."""
    rule = BY_KEY["quotient_cancels"].rule
    assert "zero" in rule.text
    assert "0" in rule.latex or "zero" in rule.latex


def test_known_value_is_named() -> None:
    """A term that has a name is replaced by it, and the equation is given as the reason."""
    h, tanh = MatrixSymbol("h", 3, 4), scalar_function("tanh")
    equation = Equation(h, hadamard(A, B))
    found = rewrite_once(elementwise(tanh, hadamard(A, B)), Context(known={equation.term: equation}))
    assert found is not None
    assert found.term == elementwise(tanh, h)
    assert found.definition == equation


SUMS = [hadamard(A, quotient(B, A)), hadamard(ONES, C), negative(hadamard(A, add(ONES, negative(B)))), B,
        scale(s, hadamard(A, C)), product(OneMatrix(3, 1), OneMatrix(1, 3), COLUMNS), hadamard(A, A, B),
        scale(S(-2), quotient(A, hadamard(C, C))), raw(HadamardProduct, A, ZeroMatrix(3, 4)), negative(ONES),
        hadamard(C, quotient(B, hadamard(C, B))), hadamard(add(quotient(A, C), negative(quotient(B, C))), C),
        scale(-s, B)]


@pytest.mark.parametrize("seed", range(60))
def test_fixed_point_keeps_the_value(seed: int) -> None:
    """Random sums of products come to an end, each rewriting on the way true."""
    rng = np.random.default_rng(seed)
    picked = [SUMS[i] for i in rng.integers(len(SUMS), size=rng.integers(1, 5))]
    term = add(*picked) if seed % 2 else add(B, hadamard(add(*picked), SUMS[seed % len(SUMS)]))
    given = draw([A, B, C, s], int, rng) | {COLUMNS: rng.dirichlet(np.ones(3), 4).T}
    before, known = number(term, given), context(*ASSUMED)
    for _ in range(80):
        found = rewrite_once(term, known)
        if found is None:
            return
        after = number(found.term, given)
        np.testing.assert_allclose(after, before, rtol=1e-9, atol=1e-9 * np.abs(before).max(),
                                   err_msg=f"{found.rule.key}: {term} is not {found.term}")
        term = found.term
    pytest.fail(f"no end: {term}")


def test_zero_is_a_number_too() -> None:
    """Terms that cancel leave the zero matrix of their shape."""
    assert rewritten(BY_KEY["like_terms"], add(A, negative(A))) == ZeroMatrix(3, 4)
    assert rewritten(BY_KEY["like_terms"], add(A, scale(S(2), A))) == scale(S(3), A)
