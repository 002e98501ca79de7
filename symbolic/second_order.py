"""Hessian–vector products: the differential of the gradient program, in a direction of all parameters.

With d𝓛 = ⟨∇, dθ⟩, the differential of ∇ in the direction dθ = V is the Hessian times V
(Pearlmutter 1994, Fast exact multiplication by the Hessian). Every equation, forward and
backward, gets one for its differential; the values themselves are shared.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from sympy import Basic, Expr, MatrixSymbol, Symbol, ZeroMatrix

from symbolic.derivation import Derivation, Gradient
from symbolic.errors import VerificationError
from symbolic.evaluate import evaluate, run
from symbolic.forward import differentials
from symbolic.program import Equation, Program, needed
from symbolic.terms import MatrixDifferential, ScalarDifferential, is_matrix, symbols_of
from symbolic.verify import (
    NOTHING,
    SHRINKS,
    TELLING,
    TOLERANCE,
    random_value,
    sizes,
)

STEP = 1e-100
"""Of the complex step: far below every value that is drawn, at an exponential's too, and its square vanishes."""

MANY = 96
"""As many draws are made while one is wanted that proves something."""

ZEROS = 8
"""In as many draws a value has to make no difference, where none is claimed: step(a) moves with a nowhere."""

SCALES = (1, 0.1, 10, 1e-2, 100, 1e-3, 1e4, 1e-4, 1e-6, 1e-8, 1e-10, 1e-12)
"""Magnitudes of the parameters that are drawn in turn: where one saturates a layer, another does not."""


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
    """Return the Hessian–vector product of a network's loss, each differential verified by a complex step.

    Raises:
        VerificationError: One disagrees with numbers.
    """
    forward = derivation.forward
    wanted = [g for g in derivation.gradients if g.wrt not in forward.inputs]
    gradients = tuple(g.equation for g in wanted)
    # A gradient that is 0 stands still, and is no name for every other 0.
    still = tuple(e.symbol for e in gradients if isinstance(e.term, ZeroMatrix))
    moving = tuple(e for e in gradients if e.symbol not in still)
    program = Program(forward.name, (*forward.inputs, *still), forward.parameters, (*forward.equations, *moving),
                      forward.assumptions, constants=forward.constants, named=True)
    records = differentials(program, *forward.parameters, skip_zeros=True)
    equations = tuple(Equation(differential_symbol(r.of), _named(r.term)) for r in records)
    found = {e.symbol for e in equations}
    by_parameter = {g.wrt: differential_symbol(g.symbol) for g in wanted if g.wrt in forward.parameters}
    results = tuple(by_parameter[p] for p in forward.parameters)
    read = {e.symbol for e in needed((*program.equations, *equations), results)} | set(results)
    unread = {e.symbol for e in program.equations if differential_symbol(e.symbol) in found - read}
    checked = [e for e in program.equations if e.symbol not in unread]  # nothing reads that of the loss
    verify_differentials(program, {r.of: e.term for r, e in zip(records, equations, strict=True)}, checked,
                         {g.symbol for g in wanted}, seed)
    zeros = tuple(Equation(r, ZeroMatrix(*r.shape)) for r in results if r not in found)
    return SecondOrder((*forward.equations, *gradients, *equations, *zeros),
                       tuple(map(differential_symbol, forward.parameters)), results, records)


def _named(term: Basic) -> Any:
    """Write dv as the symbol of that name."""
    table = {d: differential_symbol(d.args[0]) for d in term.atoms(MatrixDifferential, ScalarDifferential)}
    return term.xreplace(table)


def verify_differentials(program: Program, terms: Mapping[Expr, Expr], checked: Iterable[Equation],
                         cotangents: Collection[Expr], seed: int = 0) -> None:
    """Compare each differential with the imaginary part of its own equation, beside random values.

    Each value that an equation reads moves by itself in a random direction, and gradients have random values, so that
    nothing drowns in what the layers before and behind it do, nor in another summand; by induction along the program
    the product is then right. As for gradients, a draw at which a differential vanishes or has no value proves nothing,
    and parameters of other magnitudes are drawn; an error that shrinks in extended precision is one of rounding.

    Args:
        program: Forward and backward equations.
        terms: The differential of each value that moves, in the symbols of `differential_symbol`; that of others is 0.
        checked: The equations whose differentials are looked at.
        cotangents: The values that are gradients.
        seed: Of the values.

    Raises:
        VerificationError: A differential is off, or no random values were found at which it has a value.
    """
    moving = {*program.parameters, *terms}
    pending = [_Trial(e, terms.get(e.symbol), operand) for e in checked
               for operand in sorted(symbols_of(e.term) & moving, key=str)]
    for draw in range(MANY):
        if not pending:
            return
        point = _Point(program, cotangents, np.random.default_rng([seed, draw]), draw)
        pending = [t for t in pending if not t.at(point, seed)]
    for trial in pending:
        trial.settle(seed)


class _Point:
    """Random values of all names.

    Every other draw is of positive numbers, since a logarithm may have no value elsewhere.
    """

    def __init__(self, program: Program, cotangents: Collection[Expr], rng: np.random.Generator, draw: int) -> None:
        self.size, self.rng, self.directions = sizes(program), rng, dict[Expr, Any]()
        self.forward = [e for e in program.equations if e.symbol not in cotangents]
        scale = SCALES[draw // 2 % len(SCALES)]
        given: dict[Basic, Any] = {}
        for symbol in (*program.inputs, *program.parameters, *program.constants):
            value = random_value(symbol, program, self.size, rng, positive=draw % 2 == 1)
            given[symbol] = value * scale if symbol in program.parameters else value
        for symbol in sorted(cotangents, key=str):
            shape = tuple(map(self.size, symbol.shape)) if is_matrix(symbol) else ()
            given[symbol] = rng.standard_normal(shape)
        for dimension in {s for m in given if is_matrix(m) for d in m.shape for s in d.free_symbols}:
            given[dimension] = float(self.size(dimension))
        self.given = given
        with np.errstate(all="ignore"):
            self.values = run(self.forward, given, self.size)

    @cached_property
    def precise(self) -> dict[Basic, Any]:
        """The same values in extended precision."""
        given = {s: np.asarray(v, np.longdouble) for s, v in self.given.items()}
        with np.errstate(all="ignore"):
            return run(self.forward, given, self.size)

    def direction(self, symbol: Expr) -> Any:
        """Return the random direction in which a value moves."""
        if symbol not in self.directions:
            self.directions[symbol] = self.rng.standard_normal(np.shape(self.values[symbol]))
        return self.directions[symbol]


class _Trial:
    """The differential of one equation as one value that it reads moves, and what the draws have shown of it."""

    def __init__(self, equation: Equation, term: Expr | None, operand: Expr) -> None:
        self.equation, self.operand = equation, operand
        self.moved = differential_symbol(operand)
        self.term = term if term is not None and self.moved in symbols_of(term) else None
        self.reads = symbols_of(equation.term)
        self.agreed = 0

    def at(self, point: _Point, seed: int) -> bool:
        """Say whether a draw has settled the matter.

        Raises:
            VerificationError: It is off.
        """
        values = [point.values[s] for s in (self.equation.symbol, *self.reads) if s in point.values]
        if not all(np.all(np.isfinite(v)) for v in values):
            return False  # a logarithm of a negative number has a slope in the complex plane, and no value here
        error, scale = self._error(point.values, point)
        if not np.isfinite([error, scale]).all():
            return False
        size = max(1.0, *(float(np.max(np.abs(v))) for v in values))
        allowed = TOLERANCE * (scale if scale > TELLING else 1)
        if error > allowed:
            error, found = self._error(point.precise, point)[0], error
            if error > max(NOTHING, found / SHRINKS, TOLERANCE * size) or not np.isfinite(error):
                raise VerificationError(
                    f"the Hessian-vector product could not be verified: the differential of {self.equation.name} has "
                    f"a relative error of {found / (scale or 1):.1e} by complex step at random values (seed {seed}); "
                    "it is withheld")
            if error > allowed:
                return False  # so much rounding, as of a saturated slope beside large values, that nothing is seen
        self.agreed += 1
        return scale > TELLING or (self.term is None and self.agreed >= ZEROS)

    def settle(self, seed: int) -> None:
        """Accept a differential that is 0 wherever it was looked at; refuse one that could not be looked at.

        Raises:
            VerificationError: It had no value, or one that was nothing but rounding.
        """
        if not self.agreed:
            raise VerificationError(
                f"the Hessian-vector product could not be verified, and is withheld: the differential of "
                f"{self.equation.name} had no finite value in {MANY} random draws (seed {seed}); is the formula "
                "defined for ordinary arguments?")

    def _error(self, values: Mapping[Basic, Any], point: _Point) -> tuple[float, float]:
        """Return the largest error of an entry, and the largest entry."""
        move = point.direction(self.operand)
        with np.errstate(all="ignore"):
            moved = {**values, self.operand: values[self.operand] + 1j * STEP * move}
            expected = np.imag(evaluate(self.equation.term, moved, point.size)) / STEP
            found = np.zeros_like(expected) if self.term is None else evaluate(
                self.term, {**values, **self._others(values), self.moved: move}, point.size)
            if np.shape(found) != np.shape(expected):
                return 1.0, 0.0
            return float(np.max(np.abs(found - expected))), float(max(np.max(np.abs(found)), np.max(np.abs(expected))))

    def _others(self, values: Mapping[Basic, Any]) -> dict[Basic, Any]:
        """Return zeros for the differentials of what stands still."""
        return {differential_symbol(s): np.zeros_like(values[s]) for s in self.reads if s in values}
