"""The check of hand-written backpropagation: right programs are left alone, and mistakes are named where they are."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner, Result

import gradwright
from gradwright.checking.checker import check_source
from gradwright.checking.findings import KINDS, Check
from gradwright.checking.source import read_source, source_of
from gradwright.cli import cli
from symbolic.architecture import read_architecture, to_compact
from symbolic.errors import InputError

ROOT = Path(__file__).parent.parent
QUIZ = ROOT / "examples" / "quiz"
PROGRAMS = sorted((ROOT / "tests" / "programs").glob("*.py"))


def checked(path: Path) -> Check:
    """Return the check of a file."""
    return check_source(read_source(path))


def run(*arguments: object) -> Result:
    """Run the command."""
    return CliRunner().invoke(cli, ["check", *map(str, arguments)])


# The quiz.

def test_quiz() -> None:
    """The notebook's two mistakes are found, named and corrected, and what follows from them is marked."""
    found = checked(QUIZ / "quiz_by_hand.ipynb")
    errors = [(f.place.cell, f.place.line, f.kind, f.target, f.correction) for f in found.errors]
    assert errors == [
        (17, 1, "wrong_name", "gradient_b3", "gradient_b3 = gradient_a3"),
        (26, 1, "broadcast", "y_hat", "y_hat = np.sum(y_hat, axis=1, keepdims=True)"),
    ]
    first, second = found.errors
    assert "∇b₃ = ∇a₃ 1" in first.expected
    assert first.step
    assert "(3,)" in second.message
    assert "(3, 1)" in second.message
    follows = {(line.place.cell, line.target) for line in found.lines if line.verdict == "follows"}
    assert {(24, "b3"), (25, "a3"), (25, "y_hat"), (27, "loss")} <= follows
    assert not any(line.verdict == "wrong" and line.place.cell not in (17, 26) for line in found.lines)


def test_numbers_of_the_quiz() -> None:
    """The loss is shown as the notebook has it, and right."""
    before, after = checked(QUIZ / "quiz_by_hand.ipynb").numbers
    assert before.theirs == before.right == pytest.approx(0.8563785622753882, rel=1e-14)
    assert after.theirs == pytest.approx(6.590823679375906, rel=1e-14)
    assert after.right == pytest.approx(0.07253330081047048, rel=1e-13)


def test_corrected_quiz() -> None:
    """The corrected notebook has no mistake, and nothing follows from one."""
    found = checked(QUIZ / "quiz_by_hand_corrected.ipynb")
    assert not found.errors
    assert {line.verdict for line in found.lines} <= {"right", "unknown"}
    assert found.numbers[-1].theirs == pytest.approx(0.07253330081047048, rel=1e-13)
    assert found.network is not None
    assert found.network.compact == "3-3-3-3:sigmoid,sigmoid,softmax"


# Programs that are right.

@pytest.mark.parametrize("path", PROGRAMS, ids=lambda p: p.stem)
def test_right_programs(path: Path) -> None:
    """No line of a right program is called wrong, its network is recognised, and every gradient is found."""
    found = checked(path)
    assert not found.errors, [f.message for f in found.errors]
    declared = re.match(r"# network: (\S+)", path.read_text(encoding="utf-8"))
    assert declared is not None
    network = read_architecture(declared[1])
    assert found.network is not None
    assert found.network.compact == to_compact(network)
    right = {line.ours for line in found.lines if line.verdict == "right"}
    assert {f"grad_{name}" for name in network.parameter_shapes()} <= right
    assert "loss" in right
    assert "wrong" not in {line.verdict for line in found.lines}


@pytest.mark.parametrize("path", PROGRAMS, ids=lambda p: p.stem)
def test_architecture_given(path: Path) -> None:
    """With the architecture given, nothing is wrong either."""
    declared = re.match(r"# network: (\S+)", path.read_text(encoding="utf-8"))
    assert declared is not None
    found = check_source(read_source(path), network=read_architecture(declared[1]))
    assert not found.errors, [f.message for f in found.errors]


# Single mistakes, as a table: what stands in a right program, what replaces it, and what is said.

RIGHT = """
import numpy as np
np.random.seed(1)
X = np.random.randn(4, 6)
Y = np.eye(3)[:, [0, 1, 2, 0, 1, 2]]
W1, b1 = np.random.randn(5, 4), np.random.randn(5, 1)
W2, b2 = np.random.randn(3, 5), np.random.randn(3, 1)
m = X.shape[1]
lr = 0.1
Z1 = W1 @ X + b1
A1 = np.tanh(Z1)
Z2 = W2 @ A1 + b2
E = np.exp(Z2 - Z2.max(axis=0, keepdims=True))
A2 = E / E.sum(axis=0, keepdims=True)
loss = -np.sum(Y * np.log(A2)) / m
dZ2 = (A2 - Y) / m
dW2 = dZ2 @ A1.T
db2 = np.sum(dZ2, axis=1, keepdims=True)
dA1 = W2.T @ dZ2
dZ1 = dA1 * (1 - A1**2)
dW1 = dZ1 @ X.T
db1 = np.sum(dZ1, axis=1, keepdims=True)
W1 = W1 - lr * dW1
b1 = b1 - lr * db1
W2 = W2 - lr * dW2
b2 = b2 - lr * db2
"""

MISTAKES = [
    ("db2 = np.sum(dZ2,", "db2 = np.sum(dZ1_,".replace("dZ1_", "A2"), "wrong_name"),
    ("dW2 = dZ2 @ A1.T", "dW2 = dZ2 @ A1", "transpose"),
    ("dA1 = W2.T @ dZ2", "dA1 = W1.T @ dZ2", None),
    ("dZ2 = (A2 - Y) / m", "dZ2 = (Y - A2) / m", None),
    ("dZ2 = (A2 - Y) / m", "dZ2 = (A2 + Y) / m", "sign"),
    ("dZ1 = dA1 * (1 - A1**2)", "dZ1 = dA1", "missing_factor"),
    ("dZ1 = dA1 * (1 - A1**2)", "dZ1 = dA1 * (1 - Z1**2)", "activation_derivative"),
    ("dZ1 = dA1 * (1 - A1**2)", "dZ1 = dA1 * A1 * (1 - A1)", "activation_derivative"),
    ("dZ1 = dA1 * (1 - A1**2)", "dZ1 = dA1 * A1 * (1 - A1**2)", "extra_factor"),
    ("db1 = np.sum(dZ1, axis=1, keepdims=True)", "db1 = dZ1", "missing_sum"),
    ("db1 = np.sum(dZ1, axis=1, keepdims=True)", "db1 = np.sum(dZ1, axis=0, keepdims=True)", "missing_sum"),
    ("db1 = np.sum(dZ1, axis=1, keepdims=True)", "db1 = np.mean(dZ1, axis=1, keepdims=True)", "scale"),
    ("dW1 = dZ1 @ X.T", "dW1 = dZ1 @ X.T / m", "scale"),
    ("W1 = W1 - lr * dW1", "W1 = W1 + lr * dW1", "sign"),
    ("W1 = W1 - lr * dW1", "W1 = W1 - lr * W1", "wrong_name"),
    ("Z2 = W2 @ A1 + b2", "Z2 = W2 @ Z1 + b2", "wrong_name"),
    ("b2 = b2 - lr * db2", "b2 = b2 - lr * db2.T", "transpose"),
    ("loss = -np.sum(Y * np.log(A2)) / m", "loss = -np.sum(np.log(A2)) / m", "loss_mismatch"),
    ("A1 = np.tanh(Z1)", "A1 = np.tanh(-Z1)", "sign"),
]


@pytest.mark.parametrize(("right", "wrong", "kind"), MISTAKES, ids=[w for _, w, _ in MISTAKES])
def test_single_mistake(right: str, wrong: str, kind: str | None) -> None:
    """The line with the mistake is the only one called wrong, with its kind, and its correction undoes it."""
    assert RIGHT.count(right) == 1
    source = RIGHT.replace(right, wrong)
    found = check_source(source_of(source))
    line = next(n for n, text in enumerate(source.split("\n"), start=1) if wrong in text)
    assert [(f.place.line, f.severity) for f in found.errors] == [(line, "error")], [f.message for f in found.errors]
    error = found.errors[0]
    assert error.kind in KINDS
    if kind is not None:
        assert error.kind == kind
        corrected = source.replace(source.split("\n")[line - 1], error.correction)
        assert not check_source(source_of(corrected)).errors


def test_stale_weight() -> None:
    """A gradient that uses an already updated weight is a mistake of its own kind."""
    source = RIGHT.replace("W2 = W2 - lr * dW2\n", "").replace("dA1 = W2.T", "W2 = W2 - lr * dW2\ndA1 = W2.T")
    error, = check_source(source_of(source)).errors
    assert (error.kind, error.target) == ("stale_value", "dA1")


def test_equal_value_is_right() -> None:
    """Another way to write the same is no mistake."""
    for old, new in [("dA1 * (1 - A1**2)", "np.multiply(1 - np.power(A1, 2), dA1)"), ("dZ2 @ A1.T", "(A1 @ dZ2.T).T"),
                     ("-np.sum(Y * np.log(A2)) / m", "-np.mean(np.sum(Y * np.log(A2), axis=0))"),
                     ("np.sum(dZ2, axis=1, keepdims=True)", "dZ2.sum(1).reshape(-1, 1)")]:
        assert not check_source(source_of(RIGHT.replace(old, new))).errors


# Hazards.

def test_broadcast_hazard() -> None:
    """A vector for a column is warned of, with both shapes, where its value happens to be right."""
    source = RIGHT.replace("db2 = np.sum(dZ2, axis=1, keepdims=True)", "db2 = np.sum(dZ2, axis=1)").replace(
        "b2 = b2 - lr * db2", "b2 = b2 - lr * db2.reshape(3, 1)")
    found = check_source(source_of(source))
    assert not found.errors
    warning = next(f for f in found.findings if f.kind == "broadcast")
    assert "(3,)" in warning.message
    assert "(3, 1)" in warning.message


def test_unsafe_softmax() -> None:
    """A softmax without the safe form is warned of."""
    source = RIGHT.replace("E = np.exp(Z2 - Z2.max(axis=0, keepdims=True))", "E = np.exp(Z2)")
    found = check_source(source_of(source))
    assert [f.kind for f in found.findings] == ["unstable"]


# The command, and the function.

def test_json() -> None:
    """The JSON has the documented structure."""
    done = run(QUIZ / "quiz_by_hand.ipynb", "--format", "json")
    assert done.exit_code == 1
    data: dict[str, Any] = json.loads(done.stdout)
    assert data["network"]["compact"] == "3-3-3-3:sigmoid,sigmoid,softmax"
    assert data["network"]["samples"] == "columns"
    assert data["network"]["reduction"] == "sum"
    assert data["mapping"]["gradient_b3"] == "grad_b3"
    assert {"cell", "line", "target", "ours", "verdict"} <= set(data["lines"][0])
    finding = next(f for f in data["findings"] if f["severity"] == "error")
    assert {"cell", "line", "source", "kind", "target", "message", "expected", "correction"} <= set(finding)


def test_exit_codes(tmp_path: Path) -> None:
    """0 for a right file, 1 for a wrong one, 2 for one that cannot be read or has no network."""
    assert run(QUIZ / "quiz_by_hand_corrected.ipynb").exit_code == 0
    assert run(QUIZ / "quiz_by_hand.ipynb").exit_code == 1
    for name, text in {"a.py": "x = 1\n", "b.ipynb": "{", "c.py": "def f(:\n"}.items():
        (tmp_path / name).write_text(text)
        done = run(tmp_path / name)
        assert done.exit_code == 2
        assert "Error" in done.stderr
    assert run(tmp_path / "none.py").exit_code == 2


def test_output(tmp_path: Path) -> None:
    """Each format can be written to a file."""
    for form in ("text", "json", "html"):
        run(QUIZ / "quiz_by_hand.ipynb", "--format", form, "-o", tmp_path / form)
        assert "gradient_b3" in (tmp_path / form).read_text(encoding="utf-8")


def test_python_door() -> None:
    """`gradwright.check` takes a path or a text, and returns findings."""
    assert [f.kind for f in gradwright.check(QUIZ / "quiz_by_hand.ipynb") if f.severity == "error"] == [
        "wrong_name", "broadcast"]
    assert gradwright.check(RIGHT) == ()
    with pytest.raises(InputError, match="no network"):
        gradwright.check("x = 1\ny = 2\n")


def test_map() -> None:
    """Names that say nothing can be mapped; a name that the code lacks is refused."""
    assert not gradwright.check(RIGHT, mapping={"Y": "Y", "X": "X"})
    with pytest.raises(InputError, match="assigns nothing"):
        gradwright.check(RIGHT, mapping={"nothing": "W1"})
    with pytest.raises(InputError, match="widths"):
        gradwright.check(RIGHT, arch="4-6-3:tanh,softmax")


def test_parameters_from_elsewhere(tmp_path: Path) -> None:
    """A file of parameters that is not there can be given; without it the code is not followed that far."""
    text = RIGHT.replace("W1, b1 = np.random.randn(5, 4), np.random.randn(5, 1)",
                         'p = np.load("p.npz")\nW1, b1 = p["W1"], p["b1"]')
    (tmp_path / "code.py").write_text(text)
    rng = np.random.default_rng(0)
    np.savez(tmp_path / "other.npz", W1=rng.standard_normal((5, 4)), b1=rng.standard_normal((5, 1)))
    assert run(tmp_path / "code.py", "--params", tmp_path / "other.npz").exit_code == 0
    assert run(tmp_path / "code.py").exit_code == 2


def test_nothing_is_executed(tmp_path: Path) -> None:
    """Code that would write a file, or never end, is read and leaves nothing."""
    trap = tmp_path / "trap"
    text = RIGHT + f"""
import os, subprocess
open({str(trap)!r}, "w").write("x")
os.system("touch {trap}")
subprocess.run(["touch", {str(trap)!r}])
eval("open({str(trap)!r}, 'w')")
exec("open({str(trap)!r}, 'w')")
__import__("os").system("touch {trap}")
np.savez({str(trap)!r}, W1)
while True:
    pass
x = np.zeros((10**6, 10**6))
y = 10 ** 10 ** 10
"""
    (tmp_path / "code.py").write_text(text)
    assert run(tmp_path / "code.py").exit_code == 0
    assert not list(tmp_path.glob("trap*"))
