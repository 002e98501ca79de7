"""Check an answer against numbers before anyone sees it.

The whole program is evaluated beside random points, by complex steps: unlike the check of a
derivation, which goes equation by equation, this one knows nothing of how the answer was found.
Points meet what is assumed of the variables; sizes differ wherever dimensions do.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from itertools import count, islice
from typing import Any

import numpy as np
from sympy import Basic, Expr, ZeroMatrix

from symbolic.answers import Answer
from symbolic.derivation import Verified
from symbolic.errors import VerificationError
from symbolic.evaluate import Size, run
from symbolic.program import Program
from symbolic.samples import sample
from symbolic.structure import Slice
from symbolic.terms import is_matrix, shape

METHOD, STEP, TOLERANCE = "complex step", 1e-30, 1e-9
SLACK = 1e-5
"""The error allowed to a second derivative against differences of first ones."""

POINTS, DRAWS = 3, 40
"""So many points are checked at each choice of sizes; so many are tried before an answer is given up."""

WIDE = 24
"""A wider dimension is checked at a small size."""

CHOICES = ((3, False), (2, True), (3, True), (2, False))
"""The smallest size of a free dimension and whether later dimensions are smaller: det XᵀX needs a tall X."""

ENOUGH = 2
"""At so many choices of sizes an answer is checked."""

Values = dict[Basic, Any]


def verify_answer(program: Program, answer: Answer) -> Verified:
    """Check an answer at random points.

    Raises:
        VerificationError: It is off, or no point was found at which all is finite.
    """
    worst, done = 0.0, 0
    with np.errstate(all="ignore"):
        for choice, (start, descending) in enumerate(CHOICES):
            size = sizes(program, start, descending)
            points = (_checked(program, answer, values, size, rng)
                      for values, rng in _points(program, answer, size, choice))
            errors = list(islice((error for error in points if error is not None), POINTS))
            if not all(error <= TOLERANCE for error in errors):
                raise VerificationError(
                    f"the {answer.kind} by {answer.name} could not be verified: relative error {max(errors):.1e} "
                    f"by {METHOD} at random values (sizes {_sizes(program, size)}); it is withheld")
            worst, done = max(worst, *errors, 0.0), done + bool(errors)
            if done == ENOUGH:
                break
    if not done:
        raise VerificationError(
            f"the {answer.kind} by {answer.name} could not be verified, and is withheld: no finite value in "
            f"{DRAWS * len(CHOICES)} random draws; is the formula defined for ordinary arguments?")
    return Verified(METHOD, TOLERANCE, {answer.name: worst})


def _checked(program: Program, answer: Answer, values: Values, size: Size, rng: Any) -> float | None:
    """Return the error at a point, or None where a matrix beside it is singular."""
    try:
        return _error(program, answer, values, size, rng)
    except np.linalg.LinAlgError:
        return None


def _sizes(program: Program, size: Size) -> str:
    free = sorted({d for s in program.inputs for d in shape(s) if not d.is_Integer}, key=str)
    return ", ".join(f"{d} = {size(d)}" for d in free) or "as given"


def _points(program: Program, answer: Answer, size: Size, choice: int) -> Iterator[tuple[Values, Any]]:
    """Yield random values at which the program and the answer are finite."""
    for draw in range(DRAWS):
        rng = np.random.default_rng([choice, draw])
        try:
            given: Values = {s: sample(s, program, size, rng, draw) for s in (*program.inputs, *program.parameters)}
            for dimension in _free_symbols(program):
                given[dimension] = float(size(dimension))
            values = run((*program.equations, *answer.equations), given, size)
        except np.linalg.LinAlgError:
            continue
        if all(np.all(np.isfinite(v)) and not np.iscomplexobj(v) for v in values.values()):
            yield values, rng


def _free_symbols(program: Program) -> set[Expr]:
    symbols = (*program.inputs, *program.parameters, *(e.symbol for e in program.equations))
    return {a for s in symbols if is_matrix(s) for d in s.shape for a in d.free_symbols} | {
        a for e in program.equations for a in e.term.free_symbols if a.is_integer}


def _error(program: Program, answer: Answer, values: Values, size: Size, rng: Any) -> float:
    """Return the relative error in a random direction."""
    wrt = answer.wrt[-1]
    direction = rng.standard_normal(np.shape(values[wrt]))
    if answer.convention == "symmetric":
        diagonal = any(a.symbol == wrt and a.key == "diagonal" for a in program.assumptions)
        direction = np.diagflat(np.diagonal(direction)) if diagonal else direction + direction.T
    equations = (*program.equations, *answer.equations[:-1])
    moved = run(equations, {s: v for s, v in values.items() if s not in {e.symbol for e in equations}} | {
        wrt: values[wrt] + 1j * STEP * direction}, size)
    watched = equations[-1].symbol if answer.kind == "hessian" else program.result
    expected = np.imag(moved[watched]) / STEP
    found = values[answer.equation.symbol]
    if np.shape(found) != tuple(map(size, answer.equation.symbol.shape)) if is_matrix(
            answer.equation.symbol) else np.ndim(found) != 0:
        return float("inf")
    error = _difference(*_applied(answer, found, direction, expected))
    if answer.kind == "hessian":
        error = max(error, _curvature_error(program, answer, values, direction, size, rng))
    if answer.map:
        steps = run(answer.map, {**values, answer.direction: direction}, size)
        error = max(error, _difference(steps[answer.map[-1].symbol], expected, np.abs(expected)))
    return error


def _curvature_error(program: Program, answer: Answer, values: Values, direction: Any, size: Size, rng: Any) -> float:
    """Return how far ⟨W, H[V]⟩ is from a difference of slopes of the result itself, as a part of the tolerance.

    No gradient formula takes part in it: one that was simplified by an assumption on the variable would be wrong
    beside the point, and so would its derivative.
    """
    x, y = answer.wrt[0], answer.wrt[-1]
    other = rng.standard_normal(np.shape(values[x]))
    given = {s: values[s] for s in values if s not in program.position}

    def slope(t: float) -> float:
        moved = {**given, x: values[x] + t * other}
        moved[y] = moved[y] + 1j * STEP * direction
        return float(np.imag(run(program.equations, moved, size)[program.result]) / STEP)

    rows, columns = np.reshape(other, (-1, 1), order="F"), np.reshape(direction, (-1, 1), order="F")
    matrix = np.reshape(values[answer.equation.symbol], (len(rows), len(columns)), order="F")
    found, scale = float((rows.T @ matrix @ columns)[0, 0]), float(np.sum(np.abs(rows * matrix * columns.T)))
    errors = []
    for t in (1e-4, 1e-5, 1e-6):  # near a kink only small steps stay on its side
        near, far = ((slope(s) - slope(-s)) / (2 * s) for s in (t, 2 * t))
        expected = (4 * near - far) / 3
        errors.append(abs(found - expected) / max(scale, abs(expected), 1e-3))
        if errors[-1] <= SLACK:
            return 0.0
    return min(errors)


def _applied(answer: Answer, found: Any, direction: Any, expected: Any) -> tuple[Any, Any, Any]:
    """Return what the answer says of the direction, what is true, and the size of the products summed."""
    if answer.kind == "gradient":
        products = np.tril(found * direction) if answer.convention == "symmetric" else found * direction
        return np.sum(products), expected, np.sum(np.abs(products))
    if np.ndim(direction) == 0:
        return found * direction, expected, np.abs(found * direction)
    column = np.reshape(direction, (-1, 1), order="F")
    matrix = np.atleast_2d(found)
    return matrix @ column, np.reshape(expected, (-1, 1), order="F"), np.abs(matrix) @ np.abs(column)


def _difference(found: Any, expected: Any, scale: Any) -> float:
    if np.shape(found) != np.shape(expected):
        return float("inf")
    largest = max(float(np.max(scale, initial=0.0)), float(np.max(np.abs(expected), initial=0.0)))
    off = float(np.max(np.abs(found - expected), initial=0.0))
    return off / largest if largest > 1e-3 else off


def sizes(program: Program, start: int, descending: bool = False) -> Size:
    """Return small numbers for the dimensions of a program, distinct where the dimensions are.

    Every matrix of the program then has at least one row and column, and every slice fits.
    """
    symbols = (*program.inputs, *program.parameters, *(e.symbol for e in program.equations))
    dimensions = list(dict.fromkeys(d for s in symbols if is_matrix(s) for d in s.shape))
    parts = [d for d in _inner_sizes(program) if not d.is_Integer]
    atoms = list(dict.fromkeys(a for d in (*dimensions, *parts) for a in sorted(d.free_symbols, key=str)))
    atoms += sorted(_free_symbols(program) - set(atoms), key=str)
    fixed = {int(d) for d in dimensions if d.is_Integer}
    composed = [d for d in (*dimensions, *parts) if not d.is_Symbol and not d.is_Integer]
    for shift in range(120):  # all orders of the smallest numbers, then of larger ones, for slices that need them
        free = (n for n in count(start + shift // 12) if n not in fixed)
        numbers = [next(free) for _ in atoms]
        order = numbers[shift % max(len(numbers), 1):] + numbers[:shift % max(len(numbers), 1)]
        table = dict(zip(atoms, reversed(order) if descending != (shift % 12 >= 6) else order, strict=True))
        if all(int(d.subs(table)) >= 0 for d in composed):
            return lambda d: table[d] if d in table else int(d.subs(table))
    raise VerificationError("could not be verified, and is withheld: no small sizes were found that fit all shapes")


def _inner_sizes(program: Program) -> Iterable[Expr]:
    """Yield what must not be below zero: the sizes of parts, and what a slice leaves out at its end."""
    for equation in program.equations:
        for node in equation.term.atoms(Slice, ZeroMatrix):
            yield from node.shape
            if isinstance(node, Slice):
                a, _, r1, _, c1 = node.args
                yield from (a.shape[0] - r1, a.shape[1] - c1)
