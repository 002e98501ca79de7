"""Check a derivation against numbers before anyone sees it.

Each gradient is checked where it was derived: ⟨∇v, V⟩ against the derivative of
Σ ⟨∇u, u(v)⟩ in a random direction V, with random ∇u, by a complex step. That is linear in
depth, and no gradient is too small to be seen, as those of the first layers of a deep net
would be if only the loss were watched. By induction along the program all gradients are
then right.
"""

from __future__ import annotations

from itertools import count
from typing import Any

import numpy as np
from sympy import Basic, Expr

from symbolic.derivation import Derivation, Gradient, Verified
from symbolic.differentiation import gradient_symbol
from symbolic.errors import VerificationError
from symbolic.evaluate import Size, evaluate, run
from symbolic.graph import Graph
from symbolic.program import Program
from symbolic.terms import is_matrix, shape

METHOD, STEP, TOLERANCE = "complex step", 1e-30, 1e-10
DRAWS = 24
"""As many random values are tried before a derivation is given up as undefined."""

WIDE = 150
"""A wider dimension is checked at a small size."""

WITNESSES = 3
"""As many draws are tried for a gradient: those of dead or saturated units prove nothing."""

SHRINKS = 50
"""By at least this much an error of rounding shrinks with 11 bits more."""

TELLING, NOTHING = 1e-4, 1e-12
"""Above the first a directional derivative is evidence; one that is nothing is below the second."""


def verify_derivation(derivation: Derivation, seed: int = 0) -> Verified:
    """Check every gradient of a derivation at random values that meet its assumptions.

    Raises:
        VerificationError: A gradient is off, or no random values were found at which all is finite.
    """
    try:
        return _verify(derivation, sizes(derivation.forward), seed)
    except _UndefinedError:  # det XᵀX has a value where X is tall: let it be so
        return _verify(derivation, sizes(derivation.forward, descending=True), seed)


class _UndefinedError(VerificationError):
    """No random values were found at which all is finite."""


def _verify(derivation: Derivation, size: Size, seed: int) -> Verified:
    graph = Graph(derivation.forward)
    errors: dict[str, float] = {}
    pending = list(derivation.gradients)
    with np.errstate(all="ignore"):
        for witness in range(WITNESSES):
            values, rng = _finite_values(derivation, size, seed + witness)
            directions = {g: rng.standard_normal(np.shape(values[g.wrt])) for g in pending}
            trials = {g: _trial(derivation.forward, g, values, size, graph, d) for g, d in directions.items()}
            for gradient, (error, telling) in trials.items():
                if error > (TOLERANCE if telling else NOTHING):
                    again = _precisely(derivation.forward, gradient, values, size, graph, directions[gradient])
                    rounding = error < 0.1 and again <= max(NOTHING, error / SHRINKS)
                    error = again if rounding else error
                if not error <= TOLERANCE:
                    raise VerificationError(
                        f"the gradient by {gradient.wrt.name} could not be verified: relative error {error:.1e} "
                        f"by {METHOD} at random values (seed {seed}); it is withheld")
                errors[gradient.wrt.name] = max(error, errors.get(gradient.wrt.name, 0.0))
            pending = [g for g, (_, telling) in trials.items() if not telling]
            if not pending:
                break
    return Verified(METHOD, TOLERANCE, errors)


def _precisely(program: Program, gradient: Gradient, values: dict[Basic, Any], size: Size, graph: Graph,
               direction: Any) -> float:
    """Return the error in extended precision: one of rounding, as where 1 − ŷ cancels, is then smaller.

    Extended precision has 11 bits more on most machines; a wrong formula stays as wrong.
    """
    precise = {s: np.asarray(v, np.longdouble) for s, v in values.items()}
    try:
        precise |= run(program.equations, {s: v for s, v in precise.items() if s not in program.position}, size)
        return _trial(program, gradient, precise, size, graph, direction)[0]
    except TypeError:  # linear algebra has double precision only
        return float("inf")


def _finite_values(derivation: Derivation, size: Size, seed: int) -> tuple[dict[Basic, Any], np.random.Generator]:
    """Draw values until all that is computed from them is finite.

    The logarithm of a determinant may not be, nor that of a negative number: the second
    half of the draws is of positive numbers only.
    """
    for draw in range(DRAWS):
        rng = np.random.default_rng([seed, draw])
        try:
            values = _values(derivation, size, rng, positive=draw >= DRAWS // 2)
            terms = [evaluate(g.term, values, size) for g in derivation.gradients]
        except np.linalg.LinAlgError:
            continue
        except ValueError:  # shapes that do not meet: not for the draw to judge
            return values, rng
        if all(np.all(np.isfinite(v)) for v in (*values.values(), *terms)):
            return values, rng
    raise _UndefinedError(f"could not be verified, and is withheld: no finite value in {DRAWS} random draws "
                          f"(seed {seed}); is the formula defined for ordinary arguments?")


def sizes(program: Program, descending: bool = False) -> Size:
    """Return small numbers for the dimensions of a program: distinct where the dimensions are.

    Integers stay what they are, since they may stand in a coefficient too, up to a width that would take long.
    """
    symbols = (*program.inputs, *program.parameters, *(e.symbol for e in program.equations))
    dimensions = dict.fromkeys(d for s in symbols for d in shape(s))
    composed = any(not d.is_Integer and not d.is_Symbol for d in dimensions)
    atoms = dict.fromkeys(a for d in dimensions for a in ([d] if d.is_Integer else sorted(d.free_symbols, key=str)))
    fixed = {a.symbol: 1 for a in program.assumptions if a.key == "single_sample"}
    table: dict[Basic, int] = {d: int(d) for d in atoms if d.is_Integer and (d <= WIDE or composed)} | fixed
    free = (n for n in count(4) if n not in table.values())
    unsettled = [atom for atom in atoms if atom not in table]
    for atom in reversed(unsettled) if descending else unsettled:
        table[atom] = next(free)
    return lambda d: table[d] if d in table else int(d.subs(table))


def random_value(symbol: Expr, program: Program, size: Size, rng: np.random.Generator,
                 positive: bool = False) -> Any:
    """Return a random value for a symbol: a distribution where one is assumed.

    All else is normal, or positive where that is asked for, and a matrix is scaled by the
    square root of its larger side, so that nothing saturates.
    """
    if not is_matrix(symbol):
        return rng.uniform(0.1, 1.0)
    rows, columns = map(size, symbol.shape)
    keys = {a.key for a in program.assumptions if a.symbol == symbol}
    if "distribution_cols" in keys:
        return rng.dirichlet(np.ones(rows), columns).T
    if "distribution_rows" in keys:
        return rng.dirichlet(np.ones(columns), rows)
    if positive:
        return rng.uniform(0.5, 1.5, (rows, columns))
    return rng.standard_normal((rows, columns)) / np.sqrt(max(rows, columns))


def _values(derivation: Derivation, size: Size, rng: np.random.Generator, positive: bool) -> dict[Basic, Any]:
    program = derivation.forward
    given = {s: random_value(s, program, size, rng, positive)
             for s in (*program.inputs, *program.parameters, *program.constants)}
    for dimension in {s for m in given if is_matrix(m) for d in m.shape for s in d.free_symbols}:
        given[dimension] = float(size(dimension))
    values = run(program.equations, given, size)
    for equation in program.equations:
        value = values[equation.symbol]
        values[gradient_symbol(equation.symbol)] = rng.standard_normal(np.shape(value))
    for symbol, gradient in derivation.given.items():
        if gradient.is_number:
            values[gradient_symbol(symbol)] = float(gradient)
        else:
            values[gradient] = values[gradient_symbol(symbol)]
    if not derivation.given:
        values[gradient_symbol(program.result)] = 1.0
    return values


def _trial(program: Program, gradient: Gradient, values: dict[Basic, Any], size: Size, graph: Graph,
           direction: Any) -> tuple[float, bool]:
    """Return the error in a direction, relative where the values there are large enough to be evidence."""
    try:
        found = evaluate(gradient.term, values, size)
    except ValueError:  # shapes that do not meet
        return float("inf"), True
    if np.shape(found) != np.shape(direction):
        return float("inf"), True
    parts = change(program, gradient.wrt, values, direction, size, graph)
    products, summed = found * direction, sum(float(np.sum(np.abs(p))) for p in parts)
    expected = sum(float(np.sum(p)) for p in parts)
    difference, scale = float(abs(np.sum(products) - expected)), max(float(np.sum(np.abs(products))), summed)
    return (difference / scale, True) if scale > TELLING else (difference, False)


def change(program: Program, wrt: Expr, values: dict[Basic, Any], direction: Any, size: Size,
           graph: Graph) -> list[Any]:
    """Return ∇u ⊙ du for each value u computed from ``wrt``, as that moves in a direction.

    Only what lies between moves along: another value with a gradient of its own stays.
    """
    targets, ends = graph.reach(wrt)
    moved = {**values, wrt: values[wrt] + 1j * STEP * direction}

    def step(symbol: Expr) -> Any:
        """Return the imaginary part of a value; summands that do not move have none."""
        term = graph.restricted(program.equations[program.position[symbol]].term, targets)
        return np.imag(evaluate(term, moved, size))

    for symbol in sorted(targets - {wrt}, key=program.position.__getitem__):
        moved[symbol] = values[symbol] + 1j * step(symbol)
    return [values[gradient_symbol(u)] * step(u) / STEP for u in ends]
