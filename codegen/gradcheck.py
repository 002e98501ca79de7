"""Check the gradients of a generated module against its loss, numerically."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import numpy as np
from sympy import Abs, Piecewise, diff, sign

from symbolic.build import SAMPLES, build_program
from symbolic.errors import InputError
from symbolic.evaluate import evaluate, run
from symbolic.network import Network
from symbolic.program import Program
from symbolic.scalar_values import scalar_value
from symbolic.scalars import x
from symbolic.terms import Elementwise

Array = Any
Arrays = Mapping[str, Array]

COMPLEX_STEP = 1e-30
CENTRAL_STEP = 6e-6
"""About the cube root of the spacing of float64, which balances truncation and rounding."""

TOLERANCE = {"complex step": 1e-9, "central differences": 1e-5}
ENTRIES, DIRECTIONS, BUDGET = 40, 3, 600
"""Entries and directions tried a parameter; entries in all, so that a deep net takes seconds."""

MOVES = 20
JUMP = 1e-2
"""A change of slope within the reach of a step that only a kink explains."""


@dataclass(frozen=True)
class Checked:
    """The evidence for one parameter.

    Attributes:
        name: The parameter.
        max_relative_error: The largest deviation, over the largest entry of the gradient.
        method: ``complex step`` (of the mathematical loss, where it is analytic) or
            ``central differences`` (of the generated loss).
        central_error: The deviation from central differences, which are always taken.
        ok: Whether both deviations are within the tolerance of their method.
        below_rounding: Whether the gradient is too small for the method to tell from rounding noise.
    """

    name: str
    max_relative_error: float
    method: str
    central_error: float
    ok: bool
    below_rounding: bool


@dataclass(frozen=True)
class Report:
    """The evidence for all parameters.

    Attributes:
        parameters: One row each.
        step: The step of the central differences.
        dtype: The type in which all was computed.
        kinks: How many entries lie at a point where a function is not differentiable; samples
            that have one are left out.
        samples: How many samples the check used.
        moved: Whether the parameters were moved a little, since no sample was free of kinks.
    """

    parameters: tuple[Checked, ...]
    step: float
    dtype: str
    kinks: int
    samples: int
    moved: bool

    @property
    def ok(self) -> bool:
        """Whether every gradient agrees."""
        return all(p.ok for p in self.parameters)


def check_gradients(network: Network, module: ModuleType, parameters: Arrays, X: Array, Y: Array,
                    seed: int = 0) -> Report:
    """Compare every gradient of the module with numeric derivatives, in float64.

    Random entries of each parameter are tried one by one (up to 40, fewer in a deep net), and
    random directions that move all of its entries at once.

    Raises:
        InputError: The loss is not finite at the given values.
    """
    with np.errstate(all="ignore"):  # what is not finite is refused in words
        return _check(network, module, parameters, X, Y, np.random.default_rng(seed))


def _check(network: Network, module: ModuleType, parameters: Arrays, X: Array, Y: Array,
           rng: np.random.Generator) -> Report:
    program = build_program(network)
    parameters = {name: np.asarray(value, float) for name, value in parameters.items()}
    X, Y = np.asarray(X, float), np.asarray(Y, float)
    kinks, moved, axis = 0, False, 1 if network.samples == "columns" else 0
    for attempt in range(MOVES):
        near = _near_kinks(program, parameters, X, Y)
        kinks = kinks if attempt else int(np.sum(near))
        clean = np.flatnonzero(near == 0)
        if clean.size:
            X, Y = np.take(X, clean, axis=axis), np.take(Y, clean, axis=axis)
            break
        moved = True
        parameters = {n: v + 1e-2 * rng.standard_normal(v.shape) for n, v in parameters.items()}
    loss, gradients = module.loss_and_gradients(parameters, X, Y)
    if not np.isfinite(loss):
        raise InputError(f"the loss is {loss} at these values, so that no gradient can be checked there; "
                         "give others, smaller ones as a rule")
    values = module.trace(parameters, X, Y)
    probe = _Probe(program, module, parameters, X, Y, float(loss))
    entries = max(1, min(ENTRIES, BUDGET // len(parameters)))
    rows = [probe.check(name, gradients[name], _rounding(values, X, name),
                        _probes(gradients[name].shape, entries, rng)) for name in gradients]
    return Report(tuple(rows), CENTRAL_STEP, "float64", kinks, X.shape[axis], moved)


@dataclass(frozen=True)
class _Probe:
    """Numeric derivatives of one loss at one place."""

    program: Program
    module: ModuleType
    parameters: Arrays
    X: Array
    Y: Array
    loss: float

    def check(self, name: str, gradient: Array, rounding: float, directions: list[Array]) -> Checked:
        """Compare a gradient with the derivatives in some directions."""
        size = float(np.max(np.abs(gradient)))
        exact = [float(np.sum(gradient * d)) for d in directions]
        least = 1e-4 * max(1.0, abs(self.loss))
        central = _deviation(exact, [self.central(name, d) for d in directions], size, least)
        method, error = "central differences", central
        if _analytic(self.program):
            steps = [self.complex_step(name, d) for d in directions]
            if np.all(np.isfinite(steps)):  # the formulas as written may overflow where the module does not
                method, error, least = "complex step", _deviation(exact, steps, size, rounding), rounding
        ok = bool(error <= TOLERANCE[method] and central <= TOLERANCE["central differences"])
        return Checked(name, error, method, central, ok, bool(size < least))

    def central(self, name: str, direction: Array) -> float:
        """Return a central difference of the module's loss."""
        up, down = (self.module.loss({**self.parameters, name: self.parameters[name] + step * direction},
                                     self.X, self.Y) for step in (CENTRAL_STEP, -CENTRAL_STEP))
        return float((up - down) / (2 * CENTRAL_STEP))

    def complex_step(self, name: str, direction: Array) -> float:
        """Return a complex step of the mathematical loss."""
        moved = {**self.parameters, name: self.parameters[name] + 1j * COMPLEX_STEP * direction}
        return float(np.imag(_values(self.program, moved, self.X, self.Y)[self.program.result]) / COMPLEX_STEP)


def _deviation(found: list[float], expected: list[float], size: float, least: float) -> float:
    """Return the largest difference over the largest entry, or over the ``least`` that can be told from noise."""
    return float(max(abs(f - e) for f, e in zip(found, expected, strict=True)) / max(size, least))


def _rounding(values: dict[str, Array], X: Array, name: str) -> float:
    """Return the size below which a gradient by W_k or b_k is rounding noise of the products it sums."""
    k = int(name[1:])
    h = values[f"h{k - 1}"] if k > 1 else X
    products = float(np.sum(np.abs(values[f"grad_a{k}"]))) * max(1.0, float(np.max(np.abs(h))))
    upstream = float(np.max(np.abs(values["y_hat"])))
    return 50 * np.finfo(float).eps * (products + max(1.0, upstream)) / TOLERANCE["complex step"]


def _probes(shape: tuple[int, int], entries: int, rng: np.random.Generator) -> list[Array]:
    """Return single entries, then random directions of unit length that move all entries."""
    size = shape[0] * shape[1]
    probes = []
    for i in rng.choice(size, min(size, entries), replace=False):
        entry = np.zeros(size)
        entry[i] = 1.0
        probes.append(entry.reshape(shape))
    for _ in range(min(DIRECTIONS, entries)):
        direction = rng.standard_normal(shape)
        probes.append(direction / np.linalg.norm(direction))
    return probes


def _values(program: Program, parameters: Arrays, X: Array, Y: Array) -> dict[Any, Array]:
    given = {program.inputs[0]: X, program.inputs[1]: Y, **{s: parameters[s.name] for s in program.parameters},
             **program.constants}
    samples = X.shape[program.inputs[0].shape.index(SAMPLES)]
    with np.errstate(all="ignore"):
        return run(program.equations, {**given, SAMPLES: samples}, lambda d: samples if d == SAMPLES else int(d))


def _elementwise(program: Program) -> list[Elementwise]:
    return [node for e in program.equations for node in sorted(e.term.atoms(Elementwise), key=str)]


def _analytic(program: Program) -> bool:
    """Say whether the network is analytic, so that a complex step can be taken anywhere."""
    return not any(n.function.formula.has(Abs, Piecewise, sign) for n in _elementwise(program))


def _near_kinks(program: Program, parameters: Arrays, X: Array, Y: Array) -> Array:
    """Count, for each sample, the entries so near to a kink that a difference would step over it.

    There the slope jumps within the reach of a step; that finds the kinks of a user's formula too.
    """
    values = _values(program, parameters, X, Y)
    reach = 10 * CENTRAL_STEP * max(1.0, float(np.max(np.abs(X))))
    columns = program.inputs[0].shape.index(SAMPLES) == 1
    count = np.zeros(X.shape[1 if columns else 0], dtype=int)
    for node in _elementwise(program):
        if node.function.formula.has(Abs, Piecewise, sign):
            operand, slope = evaluate(node.operand, values), diff(node.function.formula, x)
            jump = np.abs(scalar_value(slope, operand + reach) - scalar_value(slope, operand - reach))
            count += np.sum(jump > JUMP, axis=0 if columns else 1)
    return count
