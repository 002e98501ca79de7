"""Every line of the derivations of the corpus is true: it has the value of the line that it started from."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from oracles import STEP, number
from test_corpus import answers, each_case

from symbolic.answers import Answer
from symbolic.derivation import Free, Line, Mapped, Plain
from symbolic.derivatives import differentiate_text
from symbolic.evaluate import run
from symbolic.evidence import CHOICES, sizes
from symbolic.program import Program
from symbolic.samples import sample


@np.errstate(all="ignore")  # a draw without a finite value is passed over
def point(program: Program, answer: Answer) -> tuple[dict[Any, Any], dict[Any, Any], Any]:
    """Return values, the same moved by a complex step along the variable, and the sizes."""
    equations = (*program.equations, *answer.equations[:-1])
    for start, descending in CHOICES:
        size = sizes(program, start, descending)
        for draw in (0, 4, 8, 12):
            rng = np.random.default_rng([start, draw])
            given = {s: sample(s, program, size, rng, draw) for s in program.inputs}
            given |= {a: float(size(a)) for e in equations for a in e.term.free_symbols if a.is_integer}
            wrt = answer.wrt[-1]
            direction = rng.standard_normal(np.shape(given[wrt]))
            direction = direction + direction.T if answer.convention == "symmetric" else direction
            try:
                values = run((*program.equations, *answer.equations), given, size)
                moved = run(equations, given | {wrt: given[wrt] + 1j * STEP * direction}, size)
            except np.linalg.LinAlgError:
                continue
            if all(np.all(np.isfinite(v)) for v in (*values.values(), *moved.values())):
                return values, moved, size
    raise AssertionError("no finite point")


def worth(line: Line, values: dict[Any, Any], moved: dict[Any, Any], size: Any) -> Any:
    """Return the value of a line, each differential being that of what stands in it."""
    def d(inside: Any) -> Any:
        return np.imag(number(inside, moved, size)) / STEP

    total: Any = 0.0
    for summand in line:
        direction = number(summand.direction, values, size, d)
        if isinstance(summand, Plain):
            total = total + direction
            continue
        cotangent = number(summand.cotangent, values, size)
        if isinstance(summand, Free):
            total = total + np.sum(np.tril(cotangent * direction))
            continue
        if isinstance(summand, Mapped):
            column = np.reshape(direction, (-1, 1), order="F")
            total = total + (cotangent @ column if np.ndim(cotangent) == 2 else cotangent * column)
        else:
            total = total + np.sum(cotangent * direction)
    return total


def check_lines(program: Program, answer: Answer) -> None:
    """Raise AssertionError where a line has another value than the one that its derivation starts from."""
    values, moved, size = point(program, answer)
    for record in answer.derivations:
        expected = worth(record.start, values, moved, size)
        scale = max(float(np.max(np.abs(expected))), 1e-3)
        for step in record.steps:
            off = float(np.max(np.abs(worth(step.after, values, moved, size) - expected)))
            assert off <= 1e-7 * scale, f"{step.rule.key} in {record.symbol}: off by {off:.1e}"


@each_case
def test_lines_are_true(case: dict[str, Any]) -> None:
    found = answers(case)
    check_lines(found.program, found.answers[0])


@pytest.mark.parametrize("text", [
    "S: n x n symmetric; A: n x n; logdet(S) + tr(S*A)", "S: n x n psd; x: n; x'*inv(S)*x"])
def test_lines_of_the_symmetric_convention_are_true(text: str) -> None:
    found = differentiate_text(text, ["S"], convention="symmetric")
    check_lines(found.program, found.answers[0])


@pytest.mark.parametrize("text", ["x: n; z: m; A: n x m; (x'*A*z)^2", "X: m x n; x: n; sum((X*x).^3) + tr(X'*X)^2"])
def test_lines_of_mixed_blocks_are_true(text: str) -> None:
    found = differentiate_text(text, ["x", "z"] if "z:" in text else ["X", "x"], 2)
    for answer in found.answers:
        moving = [g for g in answer.derivations if g.wrt == answer.wrt[-1]]
        check_lines(found.program, replace(answer, derivations=tuple(moving)))
