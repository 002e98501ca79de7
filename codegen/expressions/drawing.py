"""At which sizes a check is to draw random arguments: XᵀX has an inverse where X is tall."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice, permutations

import numpy as np
from sympy import Basic, Determinant, Expr, Inverse

from codegen.expressions.sizes import Sizes, conditions
from codegen.passes import Equations
from symbolic.answers import Answers
from symbolic.evaluate import evaluate, run
from symbolic.samples import sample
from symbolic.structure import Cholesky

SMALLEST, SPARE = 2, 2
"""Sizes are drawn from so many more numbers than there are sizes, the smallest of them first."""

TRIED, KEPT = 60, 6
"""So many choices of sizes are tried, and of those that will do so many are kept."""

DRAWS, REGULAR = 8, 1e6
"""So many draws are made at each; a matrix with a condition number below this counts as regular."""


def numbers(sizes: Sequence[Expr]) -> range:
    """Return the numbers from which sizes are drawn."""
    return range(SMALLEST, SMALLEST + len(sizes) + SPARE)


def fitting_sizes(answers: Answers, equations: Equations, sizes: Sizes) -> list[tuple[int, ...]]:
    """Return some choices of the sizes at which every matrix that is inverted is regular; none where any will do.

    Args:
        answers: The program is theirs.
        equations: Of the program and of what is answered.
        sizes: The symbols, in the order of the numbers that are returned.
    """
    symbols = [s.size for s in sizes.sources]
    terms = [e.term for e in equations]
    regular = [node.args[0] for term in terms for node in term.atoms(Inverse, Determinant, Cholesky)]
    needed = conditions(sizes.arrays, terms)
    if not symbols or not (regular or needed):
        return []
    tried = list(_choices(symbols))
    found = []
    for choice in tried:
        table = dict(zip(symbols, choice, strict=True))
        if all(d.subs(table) >= least for d, least in needed) and (
                not regular or _is_regular(answers, regular, table)):
            found.append(choice)
    return [] if len(found) == len(tried) else found[::max(1, len(found) // KEPT)][:KEPT]


def _choices(symbols: Sequence[Expr]) -> Iterator[tuple[int, ...]]:
    every = permutations(numbers(symbols), len(symbols))
    if len(symbols) < 4:
        return islice(every, TRIED)
    rng = np.random.default_rng(0)
    return (tuple(map(int, rng.permutation(numbers(symbols))[:len(symbols)])) for _ in range(TRIED))


def _is_regular(answers: Answers, matrices: Iterable[Expr], table: Mapping[Basic, int]) -> bool:
    """Say whether some random arguments of these sizes make all the matrices regular."""
    program, rng = answers.program, np.random.default_rng(0)

    def size(dimension: Expr) -> int:
        return int(dimension.subs(table))

    for draw in range(DRAWS):
        given = {s: sample(s, program, size, rng, draw) for s in (*program.inputs, *program.parameters)}
        try:
            with np.errstate(all="ignore"):
                known = run(program.equations, given, size)
                if all(np.linalg.cond(evaluate(matrix, known, size)) < REGULAR for matrix in matrices):
                    return True
        except np.linalg.LinAlgError:
            continue
    return False
