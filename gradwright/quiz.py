"""The quiz that ships with the package: its questions, and its published numbers."""

from __future__ import annotations

import json

import numpy as np

from codegen.evaluation import Evaluation
from gradwright.examples import example

QUESTIONS: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("Q2", ("a1",)), ("Q3", ("h1",)), ("Q4", ("a2", "h2", "a3", "y_hat", "loss")),
    ("Q5", ("grad_a3", "grad_W3", "grad_b3", "grad_h2")), ("Q6", ("grad_a2", "grad_b2")),
    ("Q7", ("grad_W2", "grad_h1", "grad_a1", "grad_b1", "grad_W1")))
"""The questions after the first, which asks for the number of parameters, and the values that each asks for."""


def published(result: Evaluation) -> tuple[float, float, float]:
    """Return the published loss, the loss after a step, and the largest relative difference of the computed values."""
    known = json.loads(example("quiz/answers.json").read_text())
    pairs = [(known["parameters"], result.parameters), (known["loss"], result.loss),
             (known["new_loss"], result.updated_loss)]
    pairs += [(total, float(np.sum(result.values[name]))) for name, total in known["sums"].items()]
    return known["loss"], known["new_loss"], max(abs(there - here) / abs(there) for there, here in pairs)


AGREES = 1e-12
"""A relative difference below it is one of rounding."""
