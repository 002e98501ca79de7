"""The hand-written programs under programs/ are right, and their mutants are what they say.

The oracle is a forward pass written here, in rows, and its central differences: neither the programs nor the engine
take part in it.
"""

from __future__ import annotations

import contextlib
import io
import re
import runpy
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from mutations import KINDS as MUTATION_KINDS
from mutations import Mutant, changes_value, mutants

from codegen import load
from gradwright.checking.findings import KINDS
from symbolic.architecture import read_architecture

PROGRAMS = Path(__file__).parent / "programs"
PATHS = sorted(PROGRAMS.glob("*.py"))

Names = Mapping[str, Any]
Arrays = list[np.ndarray]


@dataclass(frozen=True)
class Run:
    """Where a program, once it has run, keeps what it computed.

    Attributes:
        weights, biases: The parameters after the last update, layer by layer.
        dW, db: The gradients of that update.
        rate: The factor that the update takes them by.
        X, Y: Inputs and labels (integer classes or one-hot), as the program has them.
        loss: The loss before the last update.
        shape: "in,out" or "out,in": how a weight lies.
    """

    weights: Callable[[Names], Sequence[Any]]
    biases: Callable[[Names], Sequence[Any]]
    dW: Callable[[Names], Sequence[Any]]
    db: Callable[[Names], Sequence[Any]]
    rate: Callable[[Names], float]
    X: Callable[[Names], Any]
    Y: Callable[[Names], Any]
    loss: Callable[[Names], float]
    shape: str


def names(*wanted: str) -> Callable[[Names], list[Any]]:
    return lambda v: [v[name] for name in wanted]


def name(wanted: str) -> Callable[[Names], Any]:
    return lambda v: v[wanted]


def numbered(form: str, layers: int, inside: str = "") -> Callable[[Names], list[Any]]:
    """Return a reader of the values named by a form such as "dW{}", of the program or of one of its dicts."""
    return lambda v: [(v[inside] if inside else v)[form.format(k)] for k in range(1, layers + 1)]


def linear_layers(attribute: str) -> Callable[[Names], list[Any]]:
    return lambda v: [getattr(layer, attribute) for layer in v["layers"] if hasattr(layer, "W")]


def attributes(of: str, *wanted: str) -> Callable[[Names], list[Any]]:
    return lambda v: [getattr(v[of], name) for name in wanted]


X, Y, LOSS = name("X"), name("Y"), name("loss")
OUT_IN, IN_OUT = "out,in", "in,out"

RUNS = {
    "binary_columns": Run(
        numbered("W{}", 3), numbered("b{}", 3), numbered("dL_dW{}", 3), numbered("dL_db{}", 3),
        name("eta"), X, name("y"), name("L"), OUT_IN,
    ),
    "class_cache": Run(
        attributes("model", "W1", "W2"), attributes("model", "b1", "b2"),
        attributes("model", "dW1", "dW2"), attributes("model", "db1", "db2"),
        lambda v: 0.8, name("data"), name("targets"), LOSS, IN_OUT,
    ),
    "course_functions": Run(
        numbered("W{}", 3, "parameters"), numbered("b{}", 3, "parameters"),
        numbered("dW{}", 3, "grads"), numbered("db{}", 3, "grads"),
        lambda v: 1.2, X, Y, name("cost"), OUT_IN,
    ),
    "deltas_rows": Run(
        numbered("W{}", 3), numbered("b{}", 3), numbered("dW{}", 3), numbered("db{}", 3),
        name("alpha"), X, Y, LOSS, IN_OUT,
    ),
    "einsum_rows": Run(
        numbered("w{}", 2), numbered("c{}", 2), numbered("d_w{}", 2), numbered("d_c{}", 2),
        name("lr"), name("x"), name("t"), LOSS, IN_OUT,
    ),
    "half_mse": Run(
        names("syn0", "syn1"), names("bias0", "bias1"),
        names("syn0_update", "syn1_update"), names("bias0_update", "bias1_update"),
        lambda v: 1.0, X, name("y"), LOSS, IN_OUT,
    ),
    "helpers_lambdas": Run(
        numbered("W{}", 3), numbered("b{}", 3), numbered("dW{}", 3), numbered("db{}", 3),
        name("lr"), X, Y, name("J"), IN_OUT,
    ),
    "layer_loop": Run(
        lambda v: v["W"][1:], lambda v: v["b"][1:], lambda v: v["dW"][1:], lambda v: v["db"][1:],
        name("lr"), X, Y, LOSS, OUT_IN,
    ),
    "modules": Run(
        linear_layers("W"), linear_layers("b"), linear_layers("dW"), linear_layers("db"),
        lambda v: 0.1, X, Y, LOSS, IN_OUT,
    ),
    "mse_grad_names": Run(
        numbered("W{}", 2), numbered("b{}", 2), names("W1_grad", "grad_W2"), names("b1_grad", "grad_b2"),
        name("learning_rate"), name("x"), name("y"), LOSS, IN_OUT,
    ),
    "nielsen_lists": Run(
        lambda v: v["net"].weights, lambda v: v["net"].biases,
        lambda v: [w / 3 for w in v["sum_w"]], lambda v: [b / 3 for b in v["sum_b"]],
        lambda v: 3.0, lambda v: np.hstack(v["inputs"]), lambda v: np.hstack(v["targets"]), name("cost"), OUT_IN,
    ),
    "quiz_columns": Run(
        numbered("W{}", 3), numbered("b{}", 3), numbered("gradient_w{}", 3), numbered("gradient_b{}", 3),
        name("eta"), X, name("y"), LOSS, OUT_IN,
    ),
    "reshaped_sums": Run(
        numbered("w{}", 3), numbered("bias{}", 3), numbered("d_w{}", 3), numbered("d_bias{}", 3),
        name("learning_rate"), name("x_train"), name("y_train"), name("cost"), OUT_IN,
    ),
    "scores_rows": Run(
        names("W", "W2"), names("b", "b2"), names("dW", "dW2"), names("db", "db2"),
        name("step_size"), X, name("y"), LOSS, IN_OUT,
    ),
    "softmax_regression": Run(
        names("weights"), names("offset"), names("grad_weights"), names("grad_offset"),
        lambda v: 0.5, name("features"), name("one_hot"), lambda v: v["history"][-1], IN_OUT,
    ),
    "string_keys": Run(
        numbered("W{}", 3, "params"), numbered("b{}", 3, "params"),
        numbered("dW{}", 3, "grads"), numbered("db{}", 3, "grads"),
        name("learning_rate"), X, Y, name("cost"), OUT_IN,
    ),
    "torch_layout": Run(
        numbered("fc{}_weight", 3), numbered("fc{}_bias", 3),
        numbered("fc{}_weight_grad", 3), numbered("fc{}_bias_grad", 3),
        name("lr"), X, name("target"), LOSS, OUT_IN,
    ),
    "vectors": Run(
        numbered("W{}", 3), numbered("b{}", 3), numbered("dW{}", 3), numbered("db{}", 3),
        name("lr"), name("x"), name("y"), LOSS, OUT_IN,
    ),
}

HEADER = re.compile(r"# network: (?P<sizes>[\d-]+):(?P<activations>[\w,]+)\?(?P<settings>\S+)\n"
                    r"(# loss factor: (?P<factor>\S+)\n)?")

ACTIVATIONS: dict[str, Callable[[np.ndarray], np.ndarray]] = {
    "identity": lambda a: a,
    "sigmoid": lambda a: 1 / (1 + np.exp(-a)),
    "tanh": np.tanh,
    "relu": lambda a: np.where(a > 0, a, 0),
    "leaky_relu": lambda a: np.where(a > 0, a, a / 100),
    "softmax": lambda a: np.exp(a) / np.exp(a).sum(axis=1)[:, None],
}

LOSSES: dict[str, Callable[[np.ndarray, np.ndarray], np.ndarray]] = {
    "cross_entropy": lambda p, y: -y * np.log(p),
    "binary_cross_entropy": lambda p, y: -y * np.log(p) - (1 - y) * np.log(1 - p),
    "mean_squared_error": lambda p, y: (p - y) ** 2,
}


@dataclass(frozen=True)
class Point:
    """What a program computed, with samples and weights as rows × columns of h W + b."""

    architecture: str
    activations: list[str]
    loss_name: str
    mean: bool
    factor: float
    X: np.ndarray
    Y: np.ndarray
    W: Arrays
    b: Arrays
    dW: Arrays
    db: Arrays
    loss: float

    def expected(self, W: Arrays, b: Arrays) -> float:
        """Return the loss that the header declares."""
        h = self.X
        for activation, weight, bias in zip(self.activations, W, b, strict=True):
            h = ACTIVATIONS[activation](h @ weight + bias)
        total = float(LOSSES[self.loss_name](h, self.Y).sum())
        return self.factor * total / (len(self.X) if self.mean else 1)


def point_of(path: Path) -> Point:
    """Run a program and read the values of its last step; the parameters are those before the update."""
    with contextlib.redirect_stdout(io.StringIO()):
        values = runpy.run_path(str(path))
    found = HEADER.match(path.read_text("utf-8"))
    assert found, "a program begins with the line # network: …"
    settings = dict(part.split("=") for part in found["settings"].split("&"))
    columns = settings["samples"] == "columns"
    sizes, run = [int(n) for n in found["sizes"].split("-")], RUNS[path.stem]

    def rows(array: Any) -> np.ndarray:
        array = np.asarray(array, dtype=float)
        return np.atleast_2d(array.T if columns else array)

    def weight(array: np.ndarray, k: int) -> np.ndarray:
        turned = array.T if run.shape == OUT_IN else array
        assert turned.shape == (sizes[k], sizes[k + 1])
        return turned

    Y = np.asarray(run.Y(values))
    classes = Y.ndim == 1 and Y.dtype.kind == "i"
    dW = [weight(g, k) for k, g in enumerate(run.dW(values))]
    db = [np.reshape(g, (1, -1)) for g in run.db(values)]
    rate = run.rate(values)
    return Point(
        architecture=found[0].splitlines()[0].removeprefix("# network: "),
        activations=found["activations"].split(","),
        loss_name=settings.get("loss", "cross_entropy"),
        mean=settings["reduction"] == "mean",
        factor=float(Fraction(found["factor"] or 1)),
        X=rows(run.X(values)),
        Y=np.eye(sizes[-1])[Y] if classes else rows(Y),
        W=[weight(w, k) + rate * g for k, (w, g) in enumerate(zip(run.weights(values), dW, strict=True))],
        b=[np.reshape(p, (1, -1)) + rate * g for p, g in zip(run.biases(values), db, strict=True)],
        dW=dW, db=db, loss=float(run.loss(values)),
    )


def test_every_program_is_listed() -> None:
    assert [path.stem for path in PATHS] == sorted(RUNS)


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_program_against_central_differences(path: Path) -> None:
    point = point_of(path)
    np.testing.assert_allclose(point.loss, point.expected(point.W, point.b), rtol=1e-9)
    step = 1e-5
    for found, parameter in zip(point.dW + point.db, point.W + point.b, strict=True):
        assert found.shape == parameter.shape
        differences = np.empty_like(parameter)
        for index in np.ndindex(*parameter.shape):
            kept = parameter[index]
            parameter[index] = kept + step
            above = point.expected(point.W, point.b)
            parameter[index] = kept - step
            below = point.expected(point.W, point.b)
            parameter[index] = kept
            differences[index] = (above - below) / (2 * step)
        assert np.abs(differences).max() > 1e-4, "a gradient that vanishes shows nothing"
        np.testing.assert_allclose(found, differences, rtol=1e-6, atol=1e-8)


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_program_against_its_network(path: Path) -> None:
    """The header names the network as the engine understands it."""
    point = point_of(path)
    turn: Callable[[np.ndarray], np.ndarray] = np.transpose if "samples=columns" in point.architecture else np.array
    parameters = {f"{letter}{k}": turn(value) for letter, values in (("W", point.W), ("b", point.b))
                  for k, value in enumerate(values, 1)}
    loss, gradients = load(read_architecture(point.architecture)).loss_and_gradients(
        parameters, turn(point.X), turn(point.Y))
    np.testing.assert_allclose(point.loss, point.factor * loss, rtol=1e-9)
    for letter, values in (("W", point.dW), ("b", point.db)):
        for k, value in enumerate(values, 1):
            np.testing.assert_allclose(turn(value), point.factor * gradients[f"{letter}{k}"], rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_mutants_differ_in_one_line_or_move_one(path: Path) -> None:
    source = path.read_text("utf-8")
    found = mutants(source)
    assert found == mutants(source), "the order is the same each time"
    assert len({mutant.source for mutant in found} | {source}) == len(found) + 1
    assert 30 <= len(found) <= 80
    lines = source.splitlines()
    for mutant in found:
        assert mutant.kind in KINDS
        assert set(mutant.also) <= set(KINDS) - {mutant.kind}
        assert mutant.line in mutant.lines
        theirs = mutant.source.splitlines()
        assert len(theirs) == len(lines)
        changed = [k for k, (a, b) in enumerate(zip(lines, theirs, strict=True), 1) if a != b]
        if mutant.kind == "stale_value":
            assert changed[0] == mutant.line
            assert sorted(theirs) == sorted(lines)
        else:
            assert changed == [mutant.line]


@pytest.mark.parametrize("path", PATHS, ids=lambda path: path.stem)
def test_most_mutants_change_a_value(path: Path) -> None:
    source = path.read_text("utf-8")
    assert changes_value(source, Mutant("sign", 1, "nothing", source)) == "equal"
    assert changes_value(source, Mutant("sign", 1, "a comment", source + "\n# the end\n")) == "equal"
    counts = Counter(changes_value(source, mutant) for mutant in mutants(source))
    assert counts["equal"] <= 0.12 * counts.total()  # steps whose value does not matter, such as the shift of a softmax
    assert counts["different"] >= 0.35 * counts.total()


def test_every_kind_occurs_often() -> None:
    counts = Counter(mutant.kind for path in PATHS for mutant in mutants(path.read_text("utf-8")))
    assert set(counts) == set(MUTATION_KINDS)
    assert min(counts.values()) >= 20


QUIZ = (PROGRAMS / "quiz_columns.py").read_text("utf-8")


@pytest.mark.parametrize(("old", "new", "expected"), [
    ("gradient_b3 = gradient_a3", "gradient_b3 = gradient_w3", "different"),
    ("h2 * (1 - h2)", "(1 - h2) * h2", "equal"),
    ("-(y - y_hat)", "y_hat - y", "equal"),
    ("-(y - y_hat)", "y - y_hat", "different"),
    ("W3.T @ gradient_a3", "W3 @ gradient_a3", "raises"),
    ("W3.T @ gradient_a3", "(gradient_a3.T @ W3).T", "equal"),
    ("gradient_b3 = gradient_a3", "gradient_b3 = gradient_a3.ravel()", "different"),
    ("eta = 1", "while True: eta = 1", "raises"),
    ("import numpy as np", "import numpy as np, os", "raises"),
])
def test_changes_value(old: str, new: str, expected: str) -> None:
    """Edits by hand, whose effect is plain."""
    assert QUIZ.count(old) == 1
    assert changes_value(QUIZ, Mutant("sign", 1, new, QUIZ.replace(old, new))) == expected


def test_data_and_parameters_are_left_alone() -> None:
    """No mutant edits a line that makes data or first values."""
    lines = QUIZ.splitlines()
    made = {k for k, line in enumerate(lines, 1) if "np.random" in line or "np.array" in line or line == "eta = 1"}
    assert len(made) == 10
    assert made.isdisjoint(mutant.line for mutant in mutants(QUIZ, most=None))


def test_the_quiz_mistake_is_among_the_mutants() -> None:
    assert QUIZ.replace("gradient_b3 = gradient_a3", "gradient_b3 = gradient_w3") in {
        mutant.source for mutant in mutants(QUIZ, most=None)}
