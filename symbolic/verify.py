"""Check a derivation against numbers before anyone sees it.

Each gradient is checked where it was derived: ⟨∇v, V⟩ against the derivative of
Σ ⟨∇u, u(v)⟩ in a random direction V, with random ∇u. That is linear in depth, and no
gradient is too small to be seen, as those of the first layers of a deep net would be if
only the loss were watched. By induction along the program all gradients are then right.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from sympy import Basic, Expr

from symbolic.derivation import Derivation, Gradient, Verified
from symbolic.differentiate import gradient_symbol
from symbolic.errors import VerificationError
from symbolic.evaluate import Size, evaluate, run
from symbolic.graph import Graph
from symbolic.program import Program
from symbolic.scalar_values import is_analytic
from symbolic.terms import Elementwise, is_matrix, shape

COMPLEX_STEP, CENTRAL_STEP = 1e-30, 1e-5
DRAWS = 20
TOLERANCE = {"complex step": 1e-10, "central difference": 1e-6}


def verify_derivation(derivation: Derivation, seed: int = 0) -> Verified:
    """Check every gradient of a derivation at random values that meet its assumptions.

    Raises:
        VerificationError: A gradient is off, or no random values were found at which all is finite.
    """
    program, size = derivation.forward, sizes(derivation.forward)
    method = "complex step" if _analytic(program) else "central difference"
    graph = Graph(program)
    with np.errstate(all="ignore"):
        values, rng = _finite_values(derivation, size, seed)
        errors = {g.wrt.name: _error(derivation, g, values, size, method, graph, rng) for g in derivation.gradients}
    for name, error in errors.items():
        if not error <= TOLERANCE[method]:
            raise VerificationError(
                f"the gradient by {name} could not be verified: relative error {error:.1e} by {method} "
                f"at random values (seed {seed}); it is withheld")
    return Verified(method, TOLERANCE[method], errors)


def _finite_values(derivation: Derivation, size: Size, seed: int) -> tuple[dict[Basic, Any], np.random.Generator]:
    """Draw values until all that is computed from them is finite, as the logarithm of a determinant may not be."""
    for draw in range(DRAWS):
        rng = np.random.default_rng([seed, draw])
        values = _values(derivation, size, rng)
        if all(np.all(np.isfinite(v)) for v in values.values()):
            return values, rng
    raise VerificationError(f"could not be verified, and is withheld: no finite value in {DRAWS} random draws "
                            f"(seed {seed}); is the formula defined for ordinary arguments?")


def sizes(program: Program) -> Size:
    """Return small numbers for the dimensions of a program: distinct where the dimensions are."""
    symbols = (*program.inputs, *program.parameters, *(e.symbol for e in program.equations))
    dimensions = dict.fromkeys(d for s in symbols for d in shape(s))
    fixed = {a.symbol: 1 for a in program.assumptions if a.key == "single_sample"}
    table: dict[Basic, int] = {d: int(d) for d in dimensions if d.is_Integer and d <= 9} | fixed
    free = (n for n in range(4, 4 + 2 * len(dimensions) + 9) if n not in table.values())
    for dimension in dimensions:
        if dimension not in table:
            table[dimension] = next(free)
    return lambda d: table[d] if d in table else int(d)


def random_value(symbol: Expr, program: Program, size: Size, rng: np.random.Generator) -> Any:
    """Return a random value for a symbol: a distribution where one is assumed.

    Other labels have entries in (0, 1); all else is normal, scaled by the square root of its width.
    """
    if not is_matrix(symbol):
        return rng.uniform(0.1, 1.0)
    rows, columns = map(size, symbol.shape)
    keys = {a.key for a in program.assumptions if a.symbol == symbol}
    if "distribution_columns" in keys:
        return rng.dirichlet(np.ones(rows), columns).T
    if "distribution_rows" in keys:
        return rng.dirichlet(np.ones(columns), rows)
    if symbol.name == "Y":
        return rng.uniform(0.05, 0.95, (rows, columns))
    return rng.standard_normal((rows, columns)) / np.sqrt(max(1, min(rows, columns)))


def _values(derivation: Derivation, size: Size, rng: np.random.Generator) -> dict[Basic, Any]:
    program = derivation.forward
    given = {s: random_value(s, program, size, rng) for s in (*program.inputs, *program.parameters, *program.constants)}
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


def _error(derivation: Derivation, gradient: Gradient, values: dict[Basic, Any], size: Size, method: str,
           graph: Graph, rng: np.random.Generator) -> float:
    direction = rng.standard_normal(np.shape(values[gradient.wrt]))
    products = evaluate(gradient.term, values, size) * direction
    if products.shape != np.shape(values[gradient.wrt]):
        return float("inf")
    found = np.sum(products)
    expected = directional(derivation, gradient.wrt, values, direction, size, method, graph)
    scale = max(float(np.sum(np.abs(products))), abs(expected), 1e-12)
    return float(abs(found - expected)) / scale


def directional(derivation: Derivation, wrt: Expr, values: dict[Basic, Any], direction: Any, size: Size,
                method: str, graph: Graph) -> float:
    """Return the derivative of Σ ⟨∇u, u⟩, over the values u computed from ``wrt``, in a direction."""
    targets, ends = graph.reach(wrt)

    def functional(v: Any) -> Any:
        moved = moved_values(derivation.forward, {**values, wrt: v}, {*targets, *ends} - {wrt}, size)
        return sum(np.sum(values[gradient_symbol(u)] * moved[u]) for u in ends)

    if method == "complex step":
        return float(np.imag(functional(values[wrt] + 1j * COMPLEX_STEP * direction)) / COMPLEX_STEP)
    difference = functional(values[wrt] + CENTRAL_STEP * direction) - functional(values[wrt] - CENTRAL_STEP * direction)
    return float(difference / (2 * CENTRAL_STEP))


def moved_values(program: Program, values: dict[Basic, Any], symbols: set[Expr], size: Size) -> dict[Basic, Any]:
    """Return the values with those of ``symbols`` computed anew, in the order of the program."""
    ordered = sorted(symbols, key=program.position.__getitem__)
    return run((program.equations[program.position[s]] for s in ordered), values, size)


def _analytic(program: Program) -> bool:
    functions = {f for e in program.equations for f in e.term.atoms(Elementwise)}
    return all(is_analytic(f.function.formula) for f in functions)

