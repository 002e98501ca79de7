"""Published derivatives: our answers against them, against autograd, and in length."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import reference

from codegen.loading import load_expression
from symbolic.answers import Answer, Answers
from symbolic.derivatives import differentiate_text
from symbolic.language.reading import read_property, read_shape

FILES = sorted((Path(__file__).parent / "corpus").glob("*.toml"))
CASES = [case | {"file": file.stem} for file in FILES for case in tomllib.loads(file.read_text())["case"]]
each_case = pytest.mark.parametrize("case", [pytest.param(c, id=c["id"]) for c in CASES])


def answers(case: dict[str, Any]) -> Answers:
    """Return what we answer to a case."""
    shapes = dict(read_shape(f"{name}={shape}") for name, shape in case.get("shapes", {}).items())
    properties = dict(read_property(f"{name}={key}") for name, key in case.get("properties", {}).items())
    return differentiate_text(case["expression"], [case["wrt"]], case.get("order", 1), shapes, properties)


def answer(case: dict[str, Any]) -> Answer:
    """Return our only answer to a case."""
    (found,) = answers(case).answers
    return found


SIZES = {"m": 4, "n": 3, "k": 2, "p": 5, "q": 3, "r": 2, "l": 3, "h": 4, "d": 3, "c": 3, "N": 5, "t": 4, "s": 2}
"""A size for each dimension that the cases name."""


def drawn(case: dict[str, Any], seed: int) -> tuple[dict[str, Any], dict[str, int]]:
    """Return random values for the names of a case, and the sizes of its dimensions."""
    header = [f"{name}: {shape.replace(',', ' x ')}" for name, shape in case.get("shapes", {}).items()]
    text = "; ".join([*header, case["expression"]])
    declared = reference.parse(text).declarations
    used = {part[1] for shape, *_ in declared.values() for part in shape or () if part[0] == "name"}
    sizes = {name: size for name, size in SIZES.items() if name in used and name not in declared}
    return reference.draw(text, sizes, np.random.default_rng(seed)), sizes


def close(found: Any, expected: Any, tolerance: float) -> bool:
    """Say whether two derivatives are equal, in shape too, relative to the largest entry."""
    if np.shape(found) != np.shape(expected) and not {np.shape(found), np.shape(expected)} <= {(), (1, 1)}:
        return False
    scale = max(np.max(np.abs(found)), np.max(np.abs(expected)), 1e-3)
    return bool(np.max(np.abs(np.reshape(found, np.shape(expected)) - expected)) <= tolerance * scale)


@each_case
def test_answer_is_the_published_one(case: dict[str, Any]) -> None:
    found = answer(case)
    for seed in range(2):
        values, sizes = drawn(case, seed)
        known = reference.environment(case["expression"], values, sizes)
        published = reference.evaluate(case["published"], known, sizes)
        ours = reference.evaluate(found.text, values, sizes)
        assert close(ours, published, 1e-9), f"{found.text} is not {case['published']}"


@each_case
def test_answer_is_that_of_automatic_differentiation(case: dict[str, Any]) -> None:
    """Autograd knows neither our rules nor the published form."""
    found, (values, sizes) = answer(case), drawn(case, 2)
    text, wrt = case["expression"], case["wrt"]
    ours = np.asarray(reference.evaluate(found.text, values, sizes))
    if case.get("order", 1) == 2:
        expected = reference.differences(
            lambda x: reference.gradient(text, wrt, {**values, wrt: x}, sizes), np.asarray(values[wrt], float))
    else:
        expected = reference.autograd_jacobian(text, wrt, values, sizes)
    assert close(ours.reshape(expected.shape, order="F"), expected, 1e-6)


def length(text: str) -> int:
    """Return the operations of the last statement: names that an answer or a publication uses cost nothing."""
    return reference.operations(text.replace("\n", ";").rsplit(";", 1)[-1])


@each_case
def test_answer_is_no_longer_than_the_published_one(case: dict[str, Any]) -> None:
    found = answer(case).text
    allowed = LONGER.get(case["id"], 0)
    assert length(found) - length(case["published"]) == allowed if allowed else (
        length(found) <= length(case["published"])), f"{found} against {case['published']}"


LONGER: dict[str, int] = {
    "cookbook-41-determinant-adjugate": 2,  # adj(X)' is computed as det(X)*inv(X)' anyway
    "cookbook-557-density-by-deviation": 7,  # a name within a sum of scalars is not seen
    "gaussian-process-by-amplitude": 1,
    "gaussian-process-by-noise": 2,
    "log-determinant-by-cholesky": 33,  # that sum(log(diag(chol(S)))) is logdet(S)/2 is not known
    "cholesky-reverse-mode": 13,  # published by the name of a part of the answer
    "projection-approximation-subspace-tracking": 1,
    "gelu-layer": 1,
    "silu-layer": 2,
    "layer-normalisation": 7,  # published by z, whose quotient by d the answer multiplies out
    "layer-normalisation-jacobian": 6,
    "root-mean-square-normalisation": 3,
    "tensor-cookbook-vec-of-scaled-matrix": 10,  # Khatri-Rao products have no name in the language
    "tensor-cookbook-cubic-form": 9,
}
"""Cases in which our answer has so many operations more than the published form; all others have at most as many."""


@each_case
def test_module_computes_it(case: dict[str, Any]) -> None:
    """The generated module gives the published value and derivative, and passes its own check."""
    found = answers(case)
    module = load_expression(found)
    values, sizes = drawn(case, 3)
    arguments = {n: values[n] for n in map(str, (s.name for s in found.program.inputs))}
    expected = reference.evaluate(case["expression"], values, sizes)
    assert close(module.value(**arguments), expected, 1e-9)
    known = reference.environment(case["expression"], values, sizes)
    assert close(module.derivative(**arguments), reference.evaluate(case["published"], known, sizes), 1e-9)
    assert module.check(seed=1) <= 1e-5
