"""Hessian–vector products: the differential of the gradient program, in a direction of all parameters.

With d𝓛 = ⟨∇, dθ⟩, the differential of ∇ in the direction dθ = V is the Hessian times V
(Pearlmutter 1994, Fast exact multiplication by the Hessian). Every equation, forward and
backward, gets one for its differential; the values themselves are shared.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from sympy import Basic, Expr, MatrixSymbol, Symbol, ZeroMatrix

from symbolic.derivation import Derivation, Gradient
from symbolic.errors import VerificationError
from symbolic.evaluate import Size, run
from symbolic.forward import differentials
from symbolic.program import Equation, Program
from symbolic.terms import MatrixDifferential, ScalarDifferential, is_matrix
from symbolic.verify import DRAWS, SHRINKS, STEP, TOLERANCE, random_value, sizes


@dataclass(frozen=True)
class SecondOrder:
    """A gradient program with its differential.

    Attributes:
        equations: Forward, backward, and the differentials of both.
        directions: dW for each parameter W: the blocks of V, by which the Hessian is multiplied.
        results: d∇W for each parameter: the blocks of the product.
        records: How each differential was derived.
    """

    equations: tuple[Equation, ...]
    directions: tuple[Expr, ...]
    results: tuple[Expr, ...]
    records: tuple[Gradient, ...]


def differential_symbol(quantity: Expr) -> Expr:
    """Return the symbol of dv: the name dv, the shape of v."""
    name = f"d{quantity.name}"
    return MatrixSymbol(name, *quantity.shape) if is_matrix(quantity) else Symbol(name, real=True)


def hessian_vector(derivation: Derivation, seed: int = 0) -> SecondOrder:
    """Return the Hessian–vector product of a network's loss, verified by a complex step of its gradient.

    Raises:
        VerificationError: It disagrees with numbers.
    """
    forward = derivation.forward
    wanted = [g for g in derivation.gradients if g.wrt not in forward.inputs]
    gradients = tuple(g.equation for g in wanted)
    program = Program(forward.name, forward.inputs, forward.parameters, (*forward.equations, *gradients),
                      forward.assumptions, constants=forward.constants, named=True)
    records = differentials(program, *forward.parameters)
    equations = tuple(Equation(differential_symbol(r.of), _named(r.term)) for r in records)
    found = {e.symbol for e in equations}
    by_parameter = {g.wrt: differential_symbol(g.symbol) for g in wanted if g.wrt in forward.parameters}
    results = tuple(by_parameter[p] for p in forward.parameters)
    zeros = tuple(Equation(r, ZeroMatrix(*r.shape)) for r in results if r not in found)
    second = SecondOrder((*program.equations, *equations, *zeros),
                         tuple(map(differential_symbol, forward.parameters)), results, records)
    _verify(program, second, by_parameter, seed)
    return second


def _named(term: Basic) -> Any:
    """Write dv as the symbol of that name."""
    table = {d: differential_symbol(d.args[0]) for d in term.atoms(MatrixDifferential, ScalarDifferential)}
    return term.xreplace(table)


def _verify(program: Program, second: SecondOrder, by_parameter: dict[Expr, Expr], seed: int) -> None:
    """Compare with the imaginary part of the gradients at θ + i h V."""
    for draw in range(DRAWS):
        values, directions, size = _values(program, np.random.default_rng([seed, draw]), positive=draw >= DRAWS // 2)
        errors, scale = _errors(program, second, by_parameter, values, directions, size)
        if not all(map(np.isfinite, errors.values())):
            continue  # a logarithm of a negative number: another draw has a value
        worst = max(errors, key=lambda p: errors[p])
        if errors[worst] > TOLERANCE * scale:
            # An error of rounding, as where a Hessian is 0, shrinks with more bits; a wrong formula's stays.
            precise, along = ({s: np.asarray(v, np.longdouble) for s, v in group.items()}
                              for group in (values, directions))
            again, _ = _errors(program, second, by_parameter, precise, along, size)
            if not all(again[p] <= max(TOLERANCE * scale, e / SHRINKS) for p, e in errors.items()):
                raise VerificationError(
                    f"the Hessian-vector product by {worst.name} could not be verified: relative error "
                    f"{errors[worst] / (scale or 1):.1e} by complex step at random values (seed {seed}); "
                    "it is withheld")
        return
    raise VerificationError(f"the Hessian-vector product could not be verified, and is withheld: no finite value in "
                            f"{DRAWS} random draws (seed {seed}); is the formula defined for ordinary arguments?")


def _values(program: Program, rng: np.random.Generator,
            positive: bool) -> tuple[dict[Basic, Any], dict[Expr, Any], Size]:
    size = sizes(program)
    values: dict[Basic, Any] = {s: random_value(s, program, size, rng, positive)
                                for s in (*program.inputs, *program.parameters, *program.constants)}
    for dimension in {s for m in values if is_matrix(m) for d in m.shape for s in d.free_symbols}:
        values[dimension] = float(size(dimension))
    return values, {p: rng.standard_normal(np.shape(values[p])) for p in program.parameters}, size


def _errors(program: Program, second: SecondOrder, by_parameter: dict[Expr, Expr], values: dict[Basic, Any],
            directions: dict[Expr, Any], size: Size) -> tuple[dict[Expr, float], float]:
    """Return the largest error of each block, and the largest entry of all blocks."""
    with np.errstate(all="ignore"):
        found = run(second.equations, values | {differential_symbol(p): v for p, v in directions.items()}, size)
        moved = run(program.equations, values | {p: values[p] + 1j * STEP * v for p, v in directions.items()}, size)
        expected = {r: np.imag(moved[_of(program, r)]) / STEP for r in second.results}
        scale = max(float(np.max(np.abs(e))) for e in expected.values())
        return {p: float(np.max(np.abs(found[r] - expected[r]))) for p, r in by_parameter.items()}, scale


def _of(program: Program, result: Expr) -> Expr:
    return program.symbol(str(result.name).removeprefix("d"))


