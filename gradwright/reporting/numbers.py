"""The numeric evidence of a report: values, the check of each gradient, the loss before and after one update."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import numpy as np

from codegen.data import Data
from codegen.evaluation import Evaluation, evaluate_module, random_samples
from codegen.gradcheck import TOLERANCE, Report, check_gradients
from codegen.npz import read_npz
from gradwright.examples import example
from gradwright.quiz import AGREES, QUESTIONS, published
from symbolic.architecture import read_architecture
from symbolic.errors import InputError
from symbolic.names import text_name
from symbolic.network import Network

FEW, MOST = 16, 400
"""As many entries of an array are shown, and as many values."""


@dataclass(frozen=True)
class Value:
    """A value as a row of a table."""

    name: str
    shape: str
    total: str
    entries: str
    question: str = ""


@dataclass(frozen=True)
class Check:
    """The check of one gradient as a row of a table."""

    name: str
    error: str
    method: str
    central: str
    verdict: str
    ok: bool


@dataclass(frozen=True)
class Numbers:
    """All the numbers of a report.

    Attributes:
        notes: Where parameters and samples come from, and what was done to them.
        values: Every named value; ``left_out`` more are not shown.
        checks: One row for each parameter.
        limits: What the check allows and how it went, in words.
        right: Whether every gradient agrees.
        loss, updated: The loss, before and after one update with learning rate 1.
        answers: The quiz's answers, if it is the quiz.
        published: How they compare with those published, in words, where the parameters are the quiz's.
        samples: How many there are.
    """

    notes: tuple[str, ...]
    values: tuple[Value, ...]
    left_out: int
    checks: tuple[Check, ...]
    limits: tuple[str, ...]
    right: bool
    loss: float
    updated: float
    answers: tuple[Value, ...]
    published: str
    samples: int


def numbers(network: Network, module: ModuleType, parameters: Mapping[str, Any] | None, data: Data | None,
            notes: Sequence[str] = ()) -> Numbers:
    """Evaluate and check a module; parameters and samples that are not given are random.

    Raises:
        InputError: The values do not fit the network, or its loss is not finite there.
    """
    said = list(notes)
    if parameters is None:
        parameters = module.initialize(0)
        said.append("parameters initialized at random, seed 0")
    samples = random_samples(network, 0) if data is None else data
    said += samples.notes
    result = evaluate_module(module, dict(parameters), samples.X, samples.Y)
    try:
        report = check_gradients(network, module, parameters, samples.X, samples.Y)
    except (ValueError, TypeError) as error:
        raise InputError(str(error)) from error
    arrays = [(n, np.asarray(v)) for n, v in result.values.items() if np.ndim(v)]
    quiz = _is_quiz(network)
    return Numbers(
        tuple(said), tuple(_value(n, a) for n, a in arrays[:MOST]), max(0, len(arrays) - MOST),
        tuple(Check(text_name(f"grad_{p.name}"), f"{p.max_relative_error:.1e}", p.method, f"{p.central_error:.1e}",
                    "WRONG" if not p.ok else "below rounding" if p.below_rounding else "right", p.ok)
              for p in report.parameters),
        _limits(report), report.ok, float(result.loss), float(result.updated_loss),
        _answers(result) if quiz else (), _published(result) if quiz and _quiz_values(parameters, samples) else "",
        samples.X.shape[1 if network.samples == "columns" else 0])


def _value(name: str, value: Any, question: str = "") -> Value:
    array = np.asarray(value)
    if array.ndim == 0:
        return Value(text_name(name), "1×1", "", repr(float(array)), question)
    if array.size > FEW:
        entries = f"{array.size:,} entries, from {array.min():.6g} to {array.max():.6g}"
    else:
        entries = np.array2string(array if array.shape[1] > 1 else array.ravel(), precision=8, separator=", ",
                                  suppress_small=True)
    return Value(text_name(name), "×".join(map(str, array.shape)), f"{array.sum():.10g}", entries, question)


def _limits(report: Report) -> tuple[str, ...]:
    allowed = ", ".join(f"{method} {limit:g}" for method, limit in TOLERANCE.items())
    kinks = "no entry lies at a kink" if not report.kinks else (
        f"{report.kinks} entries lie at a kink, where a subgradient is taken; "
        + ("the parameters were moved a little" if report.moved
           else f"checked on the {report.samples} samples that have none"))
    return (f"Relative error allowed: {allowed}. Step {report.step:g} for central differences, {report.dtype}.",
            kinks[0].upper() + kinks[1:] + ".")


def _is_quiz(network: Network) -> bool:
    try:
        return network == read_architecture(example("quiz/quiz.toml"))
    except InputError:  # an installation without the examples
        return False


def _quiz_values(parameters: Mapping[str, Any], samples: Data) -> bool:
    """Say whether the numbers are those that the quiz comes with."""
    theirs = read_npz(example("quiz/parameters.npz"))
    data = read_npz(example("quiz/data.npz"))
    return (all(np.array_equal(theirs[n], parameters[n]) for n in theirs if n in parameters)
            and np.array_equal(data["X"], samples.X))


def _answers(result: Evaluation) -> tuple[Value, ...]:
    first = Value("number of parameters", "", "", str(result.parameters), "Q1")
    return (first, *(_value(name, result.values[name], question) for question, names in QUESTIONS for name in names))


def _published(result: Evaluation) -> str:
    """Hold the quiz's published numbers against the computed ones."""
    loss, new_loss, worst = published(result)
    return (f"Published (mended): loss {loss!r}, new loss {new_loss!r}; the computed values "
            + ("agree" if worst < AGREES else "differ") + f", largest relative difference {worst:.0e}.")
