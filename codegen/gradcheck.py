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
ENTRIES, DIRECTIONS = 40, 3
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
    """

    name: str
    max_relative_error: float
    method: str
    central_error: float
    ok: bool


@dataclass(frozen=True)
class Report:
    """The evidence for all parameters.

    Attributes:
        parameters: One row each.
        step: The step of the central differences.
        dtype: The type in which all was computed.
        kinks: How many entries were at a point where a function is not differentiable.
        moved: Whether the parameters were moved a little, away from such points.
    """

    parameters: tuple[Checked, ...]
    step: float
    dtype: str
    kinks: int
    moved: bool

    @property
    def ok(self) -> bool:
        """Whether every gradient agrees."""
        return all(p.ok for p in self.parameters)


def check_gradients(network: Network, module: ModuleType, parameters: Arrays, X: Array, Y: Array,
                    seed: int = 0) -> Report:
    """Compare every gradient of the module with numeric derivatives, in float64.

    Up to 40 random entries of each parameter are tried one by one, and 3 random directions
    that move all of its entries at once.

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
    kinks = found = _kinks(program, parameters, X, Y)
    for _ in range(20):
        if not found:
            break
        parameters = {n: v + 1e-2 * rng.standard_normal(v.shape) for n, v in parameters.items()}
        found = _kinks(program, parameters, X, Y)
    loss, gradients = module.loss_and_gradients(parameters, X, Y)
    values = module.trace(parameters, X, Y)
    if not np.isfinite(loss):
        raise InputError(f"the loss is {loss} at these values, so that no gradient can be checked; scale them down")
    analytic = _analytic(program)
    rows = []
    for name, gradient in gradients.items():
        probes = _probes(parameters[name].shape, rng)
        exact = [float(np.sum(gradient * d)) for d in probes]
        central = [_central(module, parameters, X, Y, name, d) for d in probes]
        size = max(float(np.max(np.abs(gradient))), 1e-300)
        central_error = _deviation(exact, central, size, 1e-4 * max(1.0, abs(loss)))
        method, error = "central differences", central_error
        if analytic:
            steps = [_complex_step(program, parameters, X, Y, name, d) for d in probes]
            method, error = "complex step", _deviation(exact, steps, size, _rounding(values, X, name))
        ok = bool(error <= TOLERANCE[method] and central_error <= TOLERANCE["central differences"])
        rows.append(Checked(name, error, method, central_error, ok))
    return Report(tuple(rows), CENTRAL_STEP, "float64", kinks, kinks > 0)


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


def _probes(shape: tuple[int, int], rng: np.random.Generator) -> list[Array]:
    """Return single entries, then random directions of unit length that move all entries."""
    size = shape[0] * shape[1]
    probes = []
    for i in rng.choice(size, min(size, ENTRIES), replace=False):
        entry = np.zeros(size)
        entry[i] = 1.0
        probes.append(entry.reshape(shape))
    for _ in range(DIRECTIONS):
        direction = rng.standard_normal(shape)
        probes.append(direction / np.linalg.norm(direction))
    return probes


def _central(module: ModuleType, parameters: Arrays, X: Array, Y: Array, name: str, direction: Array) -> float:
    up, down = (module.loss({**parameters, name: parameters[name] + sign * CENTRAL_STEP * direction}, X, Y)
                for sign in (1, -1))
    return (up - down) / (2 * CENTRAL_STEP)


def _complex_step(program: Program, parameters: Arrays, X: Array, Y: Array, name: str, direction: Array) -> float:
    moved = {**parameters, name: parameters[name] + 1j * COMPLEX_STEP * direction}
    return float(np.imag(_values(program, moved, X, Y)[program.result]) / COMPLEX_STEP)


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


def _kinks(program: Program, parameters: Arrays, X: Array, Y: Array) -> int:
    """Count the entries so near to a kink that a difference would step over it.

    There the slope jumps within the reach of a step; that finds the kinks of a user's formula too.
    """
    values = _values(program, parameters, X, Y)
    reach = 10 * CENTRAL_STEP * max(1.0, float(np.max(np.abs(X))))
    count = 0
    for node in _elementwise(program):
        if node.function.formula.has(Abs, Piecewise, sign):
            operand, slope = evaluate(node.operand, values), diff(node.function.formula, x)
            jump = scalar_value(slope, operand + reach) - scalar_value(slope, operand - reach)
            count += int(np.sum(np.abs(jump) > JUMP))
    return count
