"""Training: update rules against scalars by hand, minibatches, going on from a file, stops, and the command."""

from __future__ import annotations

import io
import json
import math
import os
import re
import runpy
import signal
import subprocess
import sys
import time
import tracemalloc
import warnings
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
from rich.console import Console

from codegen import load, read_npz
from codegen.evaluation import read_parameters
from codegen.training import (
    OPTIMIZERS,
    Checkpoint,
    DivergenceError,
    Epoch,
    Training,
    read_checkpoint,
    train,
)
from codegen.training.batches import Batches
from gradwright.cli import cli
from gradwright.plots import loss_svg
from gradwright.progress import TrainingProgress
from symbolic.architecture import read_architecture
from symbolic.errors import InputError

EXAMPLES = Path(__file__).parent.parent / "examples"
ARCH = "3-5-2:tanh,softmax?samples=rows&reduction=mean"
COLUMNS = "3-5-2:tanh,softmax"
NETWORK = read_architecture(ARCH)
RATES = {"sgd": 0.1, "momentum": 0.02, "adam": 0.01}


def separable(count: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Return samples as rows, and as classes the side of a plane that no sample is near."""
    rng = np.random.default_rng(seed)
    X = rng.standard_normal((4 * count, 3))
    margin = X @ [1.0, -2.0, 0.5] - 0.3
    X, margin = X[np.abs(margin) > 0.5][:count], margin[np.abs(margin) > 0.5][:count]
    return X, (margin > 0).astype(int)


X, y = separable(43, 0)
"""43 samples: batches of 8 leave 3."""


def trained(arch: str = ARCH, optimizer: str = "sgd", **options: Any) -> Training:
    network = read_architecture(arch)
    data = X if network.samples == "rows" else X.T
    settings = {"epochs": 2, "batch_size": 8, "learning_rate": RATES[optimizer], "optimizer": optimizer}
    return train(network, data, y, **(settings | options))


def same_bits(one: dict[str, np.ndarray], other: dict[str, np.ndarray]) -> bool:
    return one.keys() == other.keys() and all(
        one[n].dtype == other[n].dtype and one[n].tobytes() == other[n].tobytes() for n in one)


# Update rules.

def by_hand(rule: str, theta: float, gradients: list[float], rate: float) -> float:
    """Follow one scalar parameter, as the sources write their algorithms."""
    v = m = 0.0
    for t, g in enumerate(gradients, start=1):
        if rule == "sgd":
            theta = theta - rate * g
        elif rule == "momentum":
            v = 0.9 * v - rate * g
            theta = theta + v
        else:
            m = 0.9 * m + (1 - 0.9) * g
            v = 0.999 * v + (1 - 0.999) * g**2
            m_hat, v_hat = m / (1 - 0.9**t), v / (1 - 0.999**t)
            theta = theta - rate * m_hat / (math.sqrt(v_hat) + 1e-8)
    return theta


@pytest.mark.parametrize("rule", OPTIMIZERS)
def test_update_rule_against_scalars_by_hand(rule: str) -> None:
    rng = np.random.default_rng(1)
    parameters = {"W1": rng.standard_normal((3, 4)), "b1": rng.standard_normal((3, 1))}
    first = {name: p.copy() for name, p in parameters.items()}
    steps = [{name: rng.standard_normal(p.shape) * 10.0**rng.integers(-6, 4) for name, p in parameters.items()}
             for _ in range(30)]
    optimizer = OPTIMIZERS[rule](parameters, 0.03)
    for gradients in steps:
        before = {name: g.copy() for name, g in gradients.items()}
        optimizer.update(parameters, gradients)
        assert same_bits(before, gradients)
    assert optimizer.steps == 30
    for name, start in first.items():
        for i, theta in np.ndenumerate(start):
            expected = by_hand(rule, float(theta), [float(g[name][i]) for g in steps], 0.03)
            assert parameters[name][i] == pytest.approx(expected, rel=1e-12, abs=1e-12)


def test_momentum_has_the_rate_inside_the_velocity() -> None:
    parameters = {"w": np.zeros((1, 1))}
    optimizer = OPTIMIZERS["momentum"](parameters, 0.1)
    for rate, expected in ((0.1, -0.1), (0.1, -0.29), (0.0, -0.29 - 0.9 * 0.19)):
        optimizer.learning_rate = rate
        optimizer.update(parameters, {"w": np.ones((1, 1))})
        assert parameters["w"][0, 0] == pytest.approx(expected, rel=1e-14)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("rule", OPTIMIZERS)
def test_an_update_allocates_no_array(rule: str, dtype: str) -> None:
    parameters = {"W1": np.ones((300, 200), dtype), "b1": np.ones((300, 1), dtype)}
    gradients = {name: np.full_like(p, 0.5) for name, p in parameters.items()}
    optimizer = OPTIMIZERS[rule](parameters, 0.01)
    assert peak_of(lambda: optimizer.update(parameters, gradients)) < 20_000 < parameters["W1"].nbytes / 10
    assert all(array.dtype == dtype for array in (*parameters.values(), *optimizer.state.values()))


def peak_of(run: Callable[[], object]) -> int:
    """Return the bytes that a call allocates at most, and sixteen calls do not keep."""
    run()
    tracemalloc.start()
    try:
        before = tracemalloc.get_traced_memory()[0]
        for _ in range(16):
            run()
        return tracemalloc.get_traced_memory()[1] - before
    finally:
        tracemalloc.stop()


# Minibatches.

def numbered(samples: str) -> Batches:
    rows = np.arange(11.0)[:, np.newaxis] * [1, 100]
    if samples == "rows":
        return Batches(rows, rows[:, :1].copy(), 0, 4)
    return Batches(np.ascontiguousarray(rows.T), np.ascontiguousarray(rows[:, :1].T), 1, 4)


def orders(samples: str, seed: int, epoch: int) -> list[list[float]]:
    found = []
    for x, label in numbered(samples).epoch(seed, epoch):
        assert x.flags.c_contiguous
        assert label.flags.c_contiguous
        rows, ids = (x, label) if samples == "rows" else (x.T, label.T)
        assert np.array_equal(rows, ids * [1, 100])
        found.append(ids[:, 0].tolist())
    return found


@pytest.mark.parametrize("samples", ["rows", "columns"])
def test_an_epoch_takes_each_sample_once_in_an_order_of_the_seed(samples: str) -> None:
    found = orders(samples, 5, 1)
    assert [len(batch) for batch in found] == [4, 4, 3]
    assert sorted(sample for batch in found for sample in batch) == list(range(11))
    assert found == orders(samples, 5, 1)
    assert len({str(orders(samples, seed, epoch)) for seed in (5, 6) for epoch in (1, 2, 3)}) == 6
    assert orders("rows", 5, 2) == orders("columns", 5, 2)


def test_a_batch_is_gathered_without_another_array() -> None:
    rng = np.random.default_rng(0)
    batches = Batches(rng.random((4000, 100)), rng.random((4000, 2)), 0, 200)
    steps = batches.epoch(0, 1)
    assert peak_of(lambda: next(steps)) < 10_000 < 200 * 100 * 8 / 10


# The loop.

@pytest.mark.parametrize("arch", [ARCH, COLUMNS, f"{ARCH}&weight_decay=0.1", "3-5-1:tanh,sigmoid",
                                  "3-4-1:relu,identity?samples=rows"])
def test_one_epoch_in_one_batch_is_one_step_of_the_module(arch: str) -> None:
    network = read_architecture(arch)
    module, N = load(network), len(X)
    rows = y[:, np.newaxis].astype(float) if network.widths[-1] == 1 else np.eye(2)[y]
    data = (X, rows) if network.samples == "rows" else (X.T, rows.T)
    first = module.initialize(3)
    loss, gradients = module.loss_and_gradients(first, *data)
    found = train(network, *data, epochs=1, batch_size=N, learning_rate=0.05, seed=3, validation=data)
    expected = module.update(first, gradients, 0.05)
    for name, array in expected.items():
        np.testing.assert_allclose(found.parameters[name], array, rtol=1e-11, atol=1e-13)
    per_sample = 1 if network.reduction == "mean" else N
    row = found.history[0]
    assert row.loss == pytest.approx(loss / per_sample, rel=1e-12)
    assert row.validation_loss == pytest.approx(module.loss(expected, *data) / per_sample, rel=1e-10)


def test_the_loss_of_an_epoch_weighs_the_last_batch_by_its_samples() -> None:
    seen: list[tuple[int, float]] = []
    found = trained(epochs=1, on_step=lambda samples, loss: seen.append((samples, loss)))
    assert [samples for samples, _ in seen] == [8] * 5 + [3]
    assert found.history[0].loss == pytest.approx(sum(n * loss for n, loss in seen) / 43, rel=1e-12)


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("arch", [ARCH, COLUMNS, "3-5-1:tanh,sigmoid"])
def test_separable_classes_are_learnt(arch: str, optimizer: str) -> None:
    rate = 5 * RATES[optimizer] / (1 if "mean" in arch or optimizer == "adam" else 20)
    test = separable(200, 1)
    rows = "rows" in arch
    found = trained(arch, optimizer, epochs=60, learning_rate=rate,
                    validation=(test[0] if rows else test[0].T, test[1]))
    assert found.history[-1].accuracy == 1
    validated = found.history[-1].validation_accuracy
    assert validated is not None
    assert validated > 0.97
    assert found.history[-1].loss < found.history[0].loss / 4


@pytest.mark.parametrize("arch", [ARCH, COLUMNS, "3-4-1:tanh,sigmoid", "3-4-2:tanh,sigmoid?samples=rows"])
def test_accuracy_is_the_share_of_right_answers(arch: str) -> None:
    network = read_architecture(arch)
    data = X if network.samples == "rows" else X.T
    found = trained(arch, validation=(data, y), epochs=1, learning_rate=0.005)
    outputs = load(network).forward(found.parameters, data)
    rows = outputs if network.samples == "rows" else outputs.T
    if network.widths[-1] == 1:
        right = [(p > 0.5) == bool(label) for (p,), label in zip(rows, y, strict=True)]
    elif network.loss == "cross_entropy":
        right = [max(range(2), key=lambda k: p[k]) == label for p, label in zip(rows, y, strict=True)]
    else:
        right = [(p[k] > 0.5) == (label == k) for p, label in zip(rows, y, strict=True) for k in (0, 1)]
    assert 0 < sum(right) < len(right)
    assert found.history[-1].validation_accuracy == sum(right) / len(right)
    assert found.history[-1].accuracy is not None


@pytest.mark.parametrize(("arch", "labels"), [
    (ARCH, np.full((43, 2), 0.5)), ("3-2:tanh?samples=rows", np.eye(2)[y]), ("3-2:identity?loss=hinge", y)])
def test_labels_that_are_no_classes_have_no_accuracy(arch: str, labels: np.ndarray) -> None:
    data = X if "rows" in arch else X.T
    found = train(read_architecture(arch), data, labels, epochs=1, batch_size=5, learning_rate=0.01,
                  validation=(data, labels))
    assert found.history[0].accuracy is None
    assert found.history[0].validation_accuracy is None


@pytest.mark.parametrize(("parameters", "data", "expected"), [
    ("float32", "float64", "float32"), ("float64", "float32", "float64"), (None, "float32", "float32")])
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_dtype_is_that_of_the_parameters(optimizer: str, parameters: str | None, data: str, expected: str) -> None:
    start = None
    if parameters is not None:
        start = Checkpoint({n: p.astype(parameters) for n, p in load(NETWORK).initialize(0).items()})
    kept = {n: p.copy() for n, p in start.parameters.items()} if start else {}
    given = X.astype(data)
    before = given.copy()
    found = train(NETWORK, given, y, epochs=1, batch_size=8, learning_rate=0.01, optimizer=optimizer, start=start)
    assert {a.dtype.name for a in (*found.parameters.values(), *found.checkpoint.state.values())} == {expected}
    assert np.array_equal(given, before)
    assert start is None or same_bits(start.parameters, kept)


# Targets.

def with_workspace(arch: str, made: list[Any]) -> Any:
    """Return a module that offers workspaces, as a compiled target does."""
    plain = load(read_architecture(arch))

    class Workspace:
        def __init__(self, samples: int, dtype: Any = float) -> None:
            self.samples, self.calls = samples, {"step": 0, "gradients": 0}
            self._arrays = {name: np.empty(shape, dtype) for name, shape in plain.PARAMETERS.items()}
            made.append(self)

        def loss_and_gradients(self, parameters: Any, X: Any, Y: Any) -> tuple[float, dict[str, np.ndarray]]:
            self.calls["gradients"] += 1
            values = plain.trace(parameters, X, Y)
            for name, array in self._arrays.items():
                array[...] = values["grad_" + name]
            return float(values["loss"]), self._arrays

        def forward(self, parameters: Any, X: Any) -> np.ndarray:
            return plain.forward(parameters, X)

        def step(self, parameters: Any, X: Any, Y: Any, learning_rate: float) -> float:
            loss, gradients = self.loss_and_gradients(parameters, X, Y)
            self.calls["gradients"] -= 1
            self.calls["step"] += 1
            for name, array in gradients.items():
                parameters[name] -= learning_rate * array
            return loss

    return SimpleNamespace(Workspace=Workspace, PARAMETERS=plain.PARAMETERS, initialize=plain.initialize,
                           loss=plain.loss, forward=plain.forward)


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("arch", [ARCH, COLUMNS])
def test_targets_take_the_same_way(arch: str, optimizer: str) -> None:
    made: list[Any] = []
    network = read_architecture(arch)
    modules = [load(network), load(network, target="numpy-workspace"), with_workspace(arch, made)]
    runs = [trained(arch, optimizer, epochs=4, module=module) for module in modules]
    for other in runs[1:]:
        for name, array in runs[0].parameters.items():
            np.testing.assert_allclose(other.parameters[name], array, rtol=0, atol=1e-9)
        assert [row.accuracy for row in other.history] == [row.accuracy for row in runs[0].history]
        assert other.checkpoint.steps == 24
    calls = {"step": 1, "gradients": 0} if optimizer == "sgd" else {"step": 0, "gradients": 1}
    assert {w.samples: w.calls for w in made} == {
        8: {kind: 20 * n for kind, n in calls.items()}, 3: {kind: 4 * n for kind, n in calls.items()}}
    assert len(made) == 2


# Going on from a file.

@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("optimizer", OPTIMIZERS)
@pytest.mark.parametrize("arch", [ARCH, COLUMNS])
def test_two_epochs_and_two_more_are_four(tmp_path: Path, arch: str, optimizer: str, dtype: str) -> None:
    network = read_architecture(arch)
    start = Checkpoint({n: p.astype(dtype) for n, p in load(network).initialize(7).items()}, seed=11)
    whole = trained(arch, optimizer, epochs=4, start=start)
    trained(arch, optimizer, epochs=2, start=start).checkpoint.write(tmp_path / "half.npz")
    half, _ = read_checkpoint(network, tmp_path / "half.npz")
    rest = trained(arch, optimizer, epochs=2, start=half)
    assert same_bits(rest.parameters, whole.parameters)
    assert same_bits(rest.checkpoint.state, whole.checkpoint.state)
    assert not same_bits(half.parameters, whole.parameters)
    assert [row.epoch for row in rest.history] == [3, 4]
    assert [row.loss for row in rest.history] == [row.loss for row in whole.history[2:]]
    assert rest.checkpoint.steps == 24
    for name, training in (("whole", whole), ("rest", rest)):
        training.checkpoint.write(tmp_path / f"{name}.npz")
    assert (tmp_path / "whole.npz").read_bytes() == (tmp_path / "rest.npz").read_bytes()


def test_a_checkpoint_is_read_as_parameters_too(tmp_path: Path) -> None:
    found = trained(optimizer="adam")
    found.checkpoint.write(tmp_path / "trained.npz")
    parameters, mapping = read_parameters(NETWORK, tmp_path / "trained.npz")
    assert same_bits(parameters, found.parameters)
    assert [m.theirs for m in mapping] == list(parameters)
    assert {"training:epochs", "training:adam:steps", "training:adam:m:W1"} < set(read_npz(tmp_path / "trained.npz"))


@pytest.mark.parametrize(("optimizer", "size"), [("momentum", 8), ("adam", 5)])
def test_another_optimizer_or_batch_size_starts_its_state_anew(optimizer: str, size: int) -> None:
    half = trained(optimizer="adam").checkpoint
    bare = Checkpoint(half.parameters, epochs=half.epochs, seed=half.seed)
    found, expected = (trained(optimizer=optimizer, batch_size=size, start=start) for start in (half, bare))
    assert same_bits(found.parameters, expected.parameters)
    assert found.checkpoint.steps == 2 * -(-43 // size)
    assert [row.epoch for row in found.history] == [3, 4]


GOOD = trained(optimizer="adam").checkpoint
STATE = {
    "missing": ({"training:adam:m:W1": None}, "'training:adam:m:W1' is missing"),
    "no_epochs": ({"training:epochs": None}, "'training:epochs' is missing"),
    "no_optimizer": ({"training:adam:steps": None}, "is missing"),
    "unknown": ({"training:adam:u:W1": np.ones((3, 5))}, "'training:adam:u:W1' is unknown"),
    "two_optimizers": ({"training:sgd:steps": np.array(3)}, "is unknown"),
    "shape": ({"training:adam:m:W1": np.ones((5, 3))}, "'training:adam:m:W1' is 5×3, expected 3×5"),
    "negative": ({"training:epochs": np.array(-1)}, "expected one whole number from 0"),
    "huge": ({"training:epochs": np.array(2**63 - 1)}, "expected one whole number from 0"),
    "fraction": ({"training:seed": np.array(1.5)}, "came 1.5"),
    "several": ({"training:batch_size": np.array([8, 8])}, "came an array of shape (2,)"),
    "nan": ({"training:adam:v:b1": np.full((1, 5), np.nan)}, "NaN"),
    "no_parameters": (dict.fromkeys(("W1", "b1", "W2", "b2")), "no arrays"),
}


def damaged(folder: Path, change: dict[str, Any]) -> Path:
    GOOD.write(folder / "good.npz")
    arrays = {n: a for n, a in {**read_npz(folder / "good.npz"), **change}.items() if a is not None}
    np.savez(folder / "damaged.npz", **arrays)
    return folder / "damaged.npz"


@pytest.mark.parametrize(("change", "part"), STATE.values(), ids=STATE)
def test_a_damaged_checkpoint_is_refused(tmp_path: Path, change: dict[str, Any], part: str) -> None:
    with pytest.raises(InputError, match=re.escape(part)) as refused:
        read_checkpoint(NETWORK, damaged(tmp_path, change))
    assert str(refused.value).startswith(str(tmp_path / "damaged.npz"))


# Arguments that cannot be used.

@pytest.mark.parametrize(("change", "part"), [
    ({"epochs": 0}, "as epochs, got 0"), ({"epochs": 2.5}, "as epochs, got 2.5"), ({"epochs": True}, "as epochs"),
    ({"batch_size": 0}, "as batch size, got 0"), ({"batch_size": 44}, "at most 43"),
    ({"learning_rate": math.nan}, "got nan"), ({"learning_rate": math.inf}, "got inf"),
    ({"learning_rate": 0.0}, "above 0, got 0"), ({"learning_rate": -0.1}, "got -0.1"),
    ({"seed": -1}, "as seed, got -1"), ({"seed": 2**60}, "as seed"),
    ({"start": Checkpoint({})}, "got none"),
    ({"start": Checkpoint({n: np.ones((2, 2)) for n in GOOD.parameters})}, "W1 is 2×2, expected 3×5"),
    ({"start": Checkpoint({n: np.full(p.shape, np.nan) for n, p in GOOD.parameters.items()})}, "NaN"),
    ({"start": Checkpoint(GOOD.parameters, "sgd", state={"m:W1": np.ones(1)}, batch_size=8)}, "expected the state"),
    ({"validation": (X[:, :2], y)}, "expected N×3"), ({"validation": (X, y[:-1])}, "43 samples"),
    ({"validation": (X, np.ones((43, 2)))}, "validation set: Y: expected rows that are distributions"),
])
def test_bad_arguments(change: dict[str, Any], part: str) -> None:
    with pytest.raises(InputError) as refused:
        trained(**change)
    assert part in str(refused.value)


def test_unknown_optimizer() -> None:
    with pytest.raises(InputError, match="unknown optimizer 'Adam'; expected sgd, momentum, adam"):
        train(NETWORK, X, y, epochs=1, batch_size=1, learning_rate=0.1, optimizer="Adam")


def test_labels_are_checked_before_the_first_step() -> None:
    labels, called = np.eye(2)[y], []
    labels[-1] = [0.5, 0.6]
    with pytest.raises(InputError, match="distributions"):
        train(NETWORK, X, labels, epochs=1, batch_size=1, learning_rate=0.1, on_step=lambda *a: called.append(a))
    assert not called


# A loss that is not finite.

LINEAR = "1-1:identity?bias=false&samples=rows"
"""ŷ = w x and the loss Σ (ŷ − y)², which a large rate blows up by the same factor each step."""
ONES = np.ones((6, 1))
RATE = 1e20


def blown_up() -> tuple[int, int, float]:
    """Return the epoch and step whose loss is the first to overflow, and the one before, by scalars; w₀ = 2."""
    w, last, step = 2.0, math.nan, 0
    while True:
        squared = (w - 1) * (w - 1)
        if math.isinf(2 * squared):
            return step // 3 + 1, step % 3 + 1, last
        last, w, step = squared, w - RATE * (2 * 2 * (w - 1)), step + 1


def test_training_stops_where_the_loss_is_not_finite() -> None:
    network = read_architecture(LINEAR)
    epochs: list[Epoch] = []
    with warnings.catch_warnings(action="error"), pytest.raises(DivergenceError) as stopped:
        train(network, ONES, ONES, epochs=99, batch_size=2, learning_rate=RATE,
              start=Checkpoint({"W1": np.array([[2.0]])}), on_epoch=lambda epoch, _: epochs.append(epoch))
    epoch, step, last = blown_up()
    assert epoch > 1
    assert (stopped.value.epoch, stopped.value.step) == (epoch, step)
    assert stopped.value.last_loss == pytest.approx(last, rel=1e-9)
    assert len(epochs) == epoch - 1
    assert f"epoch {epoch}, step {step}" in str(stopped.value)
    assert f"{last:.6g}" in str(stopped.value)
    assert "lower the learning rate, 1e+20 now" in str(stopped.value)


def test_parameters_that_overflow_in_the_last_step_stop_it_too() -> None:
    with pytest.raises(DivergenceError, match="W1 is no longer finite in epoch 1, step 1; the last finite loss was 1"):
        train(read_architecture(LINEAR), ONES, ONES * 2, epochs=1, batch_size=6, learning_rate=1e308,
              start=Checkpoint({"W1": np.array([[1.0]])}))


# The command.

Call = Callable[..., tuple[str, str]]


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Call:
    """Run the command in this process and an own folder that has the data; give what it wrote."""
    monkeypatch.chdir(tmp_path)
    np.savez("data.npz", X=X, y=y)
    np.savez("other.npz", X=separable(20, 2)[0], y=separable(20, 2)[1])

    def run(*args: object, code: int = 0) -> tuple[str, str]:
        with pytest.raises(SystemExit) as stopped:
            cli.main([str(a) for a in args], prog_name="gradwright")
        out, err = capsys.readouterr()
        assert stopped.value.code == code, out + err
        assert "Traceback" not in out + err
        return out, err

    return run


def args(**changes: Any) -> list[object]:
    """Return the arguments of ``gradwright train``; None leaves one out."""
    options = {"data": "data.npz", "epochs": 2, "batch_size": 8, "learning_rate": 0.1, **changes}
    arch = options.pop("arch", ARCH)
    given = [("--" + n.replace("_", "-"), v) for n, v in options.items() if v is not None]
    return ["train", arch, *(part for pair in given for part in pair)]


def names(folder: Path) -> set[str]:
    return {p.name for p in folder.iterdir()}


def test_train(call: Call, tmp_path: Path) -> None:
    out, err = call(*args(validation="other.npz", plot="curve.svg", optimizer="adam", seed=4))
    assert not err
    assert names(tmp_path) == {"data.npz", "other.npz", "trained.npz", "curve.svg"}
    expected = trained(optimizer="adam", learning_rate=0.1, seed=4, validation=separable(20, 2))
    assert same_bits(read_checkpoint(NETWORK, "trained.npz")[0].parameters, expected.parameters)
    assert "parameters initialized, seed 4" in out
    assert re.search(r"^epoch +loss +accuracy +validation loss +accuracy +samples/s$", out, re.M)
    for row in expected.history:
        line = re.search(rf"^ +{row.epoch} +(\S+) +(\S+)% +(\S+) +(\S+)% +[\d,]+$", out, re.M)
        assert line is not None
        assert line.groups() == (f"{row.loss:.6g}", f"{100 * row.accuracy:.2f}", f"{row.validation_loss:.6g}",
                                 f"{100 * row.validation_accuracy:.2f}")
    assert "wrote trained.npz after epoch 2, 12 steps of adam" in out
    assert max(map(len, out.splitlines())) <= 80


def test_train_as_json(call: Call) -> None:
    out, err = call(*args(validation="other.npz", format="json", optimizer="momentum", output="p.npz"))
    assert not err
    found = json.loads(out)
    expected = trained(optimizer="momentum", learning_rate=0.1, validation=separable(20, 2))
    rows = found.pop("epochs")
    assert all(row.pop("samples_per_second") > 0 for row in rows)
    assert rows == [{"epoch": row.epoch, "loss": row.loss, "accuracy": row.accuracy, "validation_loss":
                     row.validation_loss, "validation_accuracy": row.validation_accuracy} for row in expected.history]
    assert found.pop("notes")[0] == "parameters initialized, seed 0"
    assert found == {"loss": "per sample", "target": "numpy", "optimizer": "momentum", "learning_rate": 0.1,
                     "batch_size": 8, "seed": 0, "samples": 43, "steps": 12, "parameters": 32, "output": "p.npz"}


@pytest.mark.parametrize("optimizer", OPTIMIZERS)
def test_train_goes_on_from_its_file(call: Call, tmp_path: Path, optimizer: str) -> None:
    call(*args(epochs=4, seed=9, optimizer=optimizer, output="whole.npz"))
    call(*args(epochs=2, seed=9, optimizer=optimizer))
    out, _ = call(*args(epochs=2, optimizer=optimizer, params="trained.npz"))
    assert "trained.npz: going on after epoch 2" in out
    assert "anew" not in out
    assert (tmp_path / "whole.npz").read_bytes() == (tmp_path / "trained.npz").read_bytes()


def test_train_says_in_one_line_that_the_state_starts_anew(call: Call) -> None:
    call(*args(optimizer="adam"))
    out, _ = call(*args(optimizer="momentum", batch_size=5, params="trained.npz", output="next.npz"))
    assert ("trained.npz: written by adam with batches of 8, now momentum with batches of 5: the parameters are kept, "
            "the optimizer's state starts anew") in out.splitlines()
    assert re.search(r"^ +3 ", out, re.M)


def test_evaluate_and_verify_read_the_file(call: Call) -> None:
    rows = json.loads(call(*args(validation="other.npz", format="json", optimizer="adam"))[0])["epochs"]
    files = ("--params", "trained.npz", "--data", "other.npz", "--format", "json")
    loss = json.loads(call("evaluate", ARCH, *files)[0])["loss"]
    assert loss == pytest.approx(rows[-1]["validation_loss"], rel=1e-12)
    assert json.loads(call("verify", ARCH, *files)[0])["ok"]


def test_train_from_another_librarys_weights(call: Call) -> None:
    rng = np.random.default_rng(0)
    np.savez("torch.npz", **{"0.weight": rng.random((5, 3)), "0.bias": rng.random(5), "2.weight": rng.random((2, 5)),
                             "2.bias": rng.random(2)})
    assert "0.weight read as W1, transposed" in call(*args(params="torch.npz"))[0]
    assert set(read_checkpoint(NETWORK, "trained.npz")[0].parameters) == {"W1", "b1", "W2", "b2"}


def test_rows_of_many_epochs_are_few_and_end_with_the_last(call: Call) -> None:
    out, _ = call(*args(epochs=500))
    rows = re.findall(r"^ +(\d+) +\S+ +\S+% +[\d,]+$", out, re.M)
    assert len(rows) < 30
    assert (rows[0], rows[-1]) == ("1", "500")


def test_losses_that_a_network_sums_are_shown_per_sample(call: Call, tmp_path: Path) -> None:
    np.savez("columns.npz", X=X.T, y=y)
    out, _ = call(*args(arch=COLUMNS, data="columns.npz", learning_rate=0.01))
    assert "losses are per sample; the network's loss is their sum" in out


REFUSED = {
    "no_file": ({"data": "none.npz"}, "none.npz"), "no_params": ({"params": "none.npz"}, "none.npz"),
    "no_validation": ({"validation": "none.npz"}, "none.npz"), "no_npz": ({"data": "text"}, "text"),
    "shape": ({"arch": "4-5-2:tanh,softmax?samples=rows"}, "expected N×4"),
    "transposed": ({"arch": COLUMNS}, 'samples = "rows"'),
    "params_shape": ({"params": "other_net.npz"}, "'W1' is 3×4, expected 3×5"),
    "params_are_data": ({"params": "data.npz"}, "'X'"), "epochs": ({"epochs": 0}, "as epochs, got 0"),
    "epochs_negative": ({"epochs": -3}, "as epochs, got -3"), "batch": ({"batch_size": 44}, "at most 43"),
    "batch_0": ({"batch_size": 0}, "as batch size"), "rate_nan": ({"learning_rate": "nan"}, "got nan"),
    "rate_inf": ({"learning_rate": "inf"}, "got inf"), "rate_0": ({"learning_rate": 0}, "got 0"),
    "optimizer": ({"optimizer": "adma"}, "unknown optimizer 'adma'; expected sgd, momentum, adam"),
    "target": ({"target": "cobol"}, "got 'cobol'"), "seed": ({"seed": 10**30}, "as seed"),
    "plot": ({"plot": "curve.pdf"}, "FILE.svg"), "plot_nameless": ({"plot": "svg"}, "FILE.svg"),
    "plot_folder": ({"plot": "folder.svg"}, "'folder.svg'"), "plot_nowhere": ({"plot": "no/c.svg"}, "no folder 'no'"),
    "output_folder": ({"output": "folder"}, "'folder'"), "output_nowhere": ({"output": "no/t.npz"}, "no folder 'no'"),
    "output_below_file": ({"output": "text/t.npz"}, "'text'"), "output_empty": ({"output": ""}, "expected a file"),
    "output_long": ({"output": "n" * 300}, "too long"), "output_nul": ({"output": "a\0/b"}, "cannot write"),
    "output_is_standard_output": ({"output": "-"}, "to a file, which -o names"),
    "output_is_data": ({"output": "data.npz"}, "it is the data"),
    "output_is_validation": ({"validation": "other.npz", "output": "other.npz"}, "it is the data"),
    "symbolic": ({"arch": "n0-n1-2:tanh,softmax"}, "integer widths"),
    "labels": ({"data": "labels.npz"}, "distributions"),
    "overflow": ({"arch": "3-1:identity?samples=rows", "data": "huge.npz"}, "the loss is inf before the first step"),
}


@pytest.mark.parametrize(("change", "part"), REFUSED.values(), ids=REFUSED)
def test_bad_input_is_refused_in_one_line(call: Call, tmp_path: Path, change: dict[str, Any], part: str) -> None:
    (tmp_path / "text").write_text("old")
    for folder in ("folder", "folder.svg"):
        (tmp_path / folder).mkdir()
    np.savez("other_net.npz", W1=np.ones((3, 4)), b1=np.ones((1, 4)), W2=np.ones((4, 2)), b2=np.ones((1, 2)))
    np.savez("labels.npz", X=X, y=np.ones((43, 2)))
    np.savez("huge.npz", X=X * 1e200, y=y)
    before = {p: p.stat().st_mtime_ns for p in tmp_path.rglob("*")}
    out, err = call(*args(**change), code=2)
    assert not out
    assert err.startswith("Error: ")
    assert part in err
    assert err.count("\n") == 1
    assert {p: p.stat().st_mtime_ns for p in tmp_path.rglob("*")} == before


@pytest.mark.parametrize(("change", "part"), STATE.values(), ids=STATE)
def test_a_damaged_checkpoint_is_refused_in_one_line(call: Call, tmp_path: Path, change: dict[str, Any],
                                                     part: str) -> None:
    _, err = call(*args(params=damaged(tmp_path, change), optimizer="adam"), code=2)
    assert part in err
    assert err.count("\n") == 1


@pytest.mark.parametrize("missing", ["data", "epochs", "batch_size", "learning_rate"])
def test_what_is_needed_is_named(call: Call, missing: str) -> None:
    _, err = call(*args(**{missing: None}), code=2)
    assert f"Missing option '--{missing.replace('_', '-')}'" in err


def test_png_without_matplotlib_is_refused(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gradwright.plots.find_spec", lambda name: None)
    assert "pip install 'gradwright[plot]'" in call(*args(plot="curve.png"), code=2)[1]


def test_png(call: Call, tmp_path: Path) -> None:
    pytest.importorskip("matplotlib", reason="a PNG is drawn by matplotlib, the extra 'plot'")
    call(*args(plot="curve.png"))
    assert (tmp_path / "curve.png").read_bytes().startswith(b"\x89PNG")
    assert names(tmp_path) == {"data.npz", "other.npz", "trained.npz", "curve.png"}


def test_divergence_ends_with_1_and_keeps_the_last_whole_epoch(call: Call, tmp_path: Path) -> None:
    np.savez("ones.npz", X=ONES, y=ONES)
    np.savez("start.npz", W1=np.array([[2.0]]))
    diverging = args(arch=LINEAR, data="ones.npz", params="start.npz", epochs=99, batch_size=2, learning_rate=RATE,
                     plot="curve.svg")
    _, err = call(*diverging, code=1)
    epoch, step, last = blown_up()
    assert err.startswith(f"Error: the loss became inf in epoch {epoch}, step {step}; "
                          f"the last finite loss was {last:.6g}; ")
    assert f"trained.npz holds epoch {epoch - 1}, from which --params trained.npz goes on" in err
    assert err.count("\n") == 1
    assert read_checkpoint(read_architecture(LINEAR), "trained.npz")[0].epochs == epoch - 1
    assert names(tmp_path) == {"data.npz", "other.npz", "ones.npz", "start.npz", "trained.npz"}
    _, err = call(*diverging, "--format", "json", "--learning-rate", "1e300", code=1)
    assert "nothing was written" in err


@pytest.mark.parametrize("error", [OSError(28, "No space left on device"), KeyboardInterrupt()])
def test_the_old_file_survives_a_failure_to_write(call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
                                                  error: BaseException) -> None:
    call(*args())
    old = (tmp_path / "trained.npz").read_bytes()

    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr("codegen.npz.os.replace", fail)
    _, err = call(*args(params="trained.npz"), code=2 if isinstance(error, OSError) else 1)
    assert ("No space left" if isinstance(error, OSError) else "interrupted; nothing was written") in err
    assert (tmp_path / "trained.npz").read_bytes() == old
    assert names(tmp_path) == {"data.npz", "other.npz", "trained.npz"}


def test_an_interruption_leaves_the_last_whole_epoch(call: Call, tmp_path: Path,
                                                     monkeypatch: pytest.MonkeyPatch) -> None:
    call(*args(epochs=1, output="one.npz"))
    steps = []

    def step(self: TrainingProgress, samples: int, loss: float) -> None:
        steps.append(samples)
        if len(steps) == 9:
            raise KeyboardInterrupt

    monkeypatch.setattr(TrainingProgress, "step", step)
    _, err = call(*args(epochs=5), code=1)
    assert err == "Error: interrupted; trained.npz holds epoch 1, from which --params trained.npz goes on\n"
    assert (tmp_path / "trained.npz").read_bytes() == (tmp_path / "one.npz").read_bytes()


# A shell's background jobs ignore the signal, and so would their children.
HEEDING = ("import signal; signal.signal(signal.SIGINT, signal.default_int_handler); "
           "from gradwright.__main__ import main; main()")


@pytest.mark.skipif(os.name == "nt", reason="Windows has no SIGINT for another process")
def test_control_c(call: Call, tmp_path: Path) -> None:
    process = subprocess.Popen([sys.executable, "-c", HEEDING, *map(str, args(epochs=10**6))], cwd=tmp_path,
                               stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    try:
        while not (tmp_path / "trained.npz").exists() and process.poll() is None:
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        err = process.communicate(timeout=60)[1]
    finally:
        process.kill()
    assert process.returncode == 1, err
    assert err.startswith("Error: interrupted; trained.npz holds epoch ")
    assert err.count("\n") == 1
    assert names(tmp_path) == {"data.npz", "other.npz", "trained.npz"}
    assert read_checkpoint(NETWORK, tmp_path / "trained.npz")[0].epochs > 0


def test_the_bar_shows_loss_speed_and_place_and_goes_away() -> None:
    console = Console(file=io.StringIO(), force_terminal=True, width=100, legacy_windows=False)
    with TrainingProgress(console, 2, 3, 10, ["a note"]) as progress:
        progress.step(10, 0.25)
        progress.epoch(Epoch(3, 0.25, 0.5, None, None, 1234.0))
    text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", console.file.getvalue())
    assert re.search(r"epoch 3/5 .* 33% loss 0.25 [\d,]+ samples/s", text)
    assert text.index("a note") < text.index("1,234")
    assert text.splitlines()[-1].strip() == ""


@pytest.mark.parametrize("width", [72, 80, 120])
def test_the_bar_is_whole_and_shows_what_is_known(width: int) -> None:
    """Before the first batch there is no loss, and no speed."""
    console = Console(file=io.StringIO(), force_terminal=True, width=width, legacy_windows=False)
    with TrainingProgress(console, 990, 1000, 10_000, []) as progress:
        progress.step(10_000, 0.000123456)
    text = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", console.file.getvalue())
    assert "nan" not in text
    assert "loss" not in text.partition("loss 0.00012346")[0]
    assert re.search(r"epoch 991/1990 .* 0% loss 0.00012346 [\d,]+ samples/s", text)


# The loss curve.

SVG = "{http://www.w3.org/2000/svg}"


def history(training: list[float], validation: list[float | None]) -> list[Epoch]:
    return [Epoch(e, loss, None, held_out, None, 1.0)
            for e, (loss, held_out) in enumerate(zip(training, validation, strict=True), start=1)]


def drawn(training: list[float], validation: list[float | None]) -> tuple[list[np.ndarray], dict[str, float]]:
    """Return the points of each curve, and the place of each label of the vertical axis."""
    root = ElementTree.fromstring(loss_svg(history(training, validation), "a <b> & c"))
    texts = list(root.iter(SVG + "text"))
    assert "a <b> & c" in [t.text for t in texts]
    lines = [np.array([[float(v) for v in pair.split(",")] for pair in line.attrib["points"].split()])
             for line in root.iter(SVG + "polyline")]
    assert len([t for t in texts if t.text in ("training", "validation")]) == len(lines)
    labels = {t.text or "": float(t.attrib["y"]) - 4.5 for t in texts if t.attrib.get("text-anchor") == "end"}
    width, height = (float(root.attrib[n]) for n in ("width", "height"))
    for points in lines:
        assert np.all((points >= 0) & (points <= [width, height]))
    return lines, labels


def test_curve_on_a_linear_axis() -> None:
    (training, validation), labels = drawn([1.0, 0.75, 0.5], [0.8, None, 0.6])
    assert len(training) == 3
    assert len(validation) == 2
    assert training[1, 1] == pytest.approx((training[0, 1] + training[2, 1]) / 2, abs=0.11)
    assert labels["0.6"] == pytest.approx(validation[1, 1], abs=0.11)
    assert labels["0.8"] == pytest.approx(validation[0, 1], abs=0.11)
    assert training[0, 0] == validation[0, 0] < training[1, 0] < training[2, 0] == validation[1, 0]


def test_curve_on_a_logarithmic_axis() -> None:
    (training,), labels = drawn([100.0, 10.0, 1.0, 0.1, 0.01], [None] * 5)
    assert np.diff(training[:, 1]) == pytest.approx(np.full(4, np.diff(training[:, 1]).mean()), abs=0.21)
    assert {"0.01", "0.1", "1", "10", "100"} <= labels.keys()
    assert labels["10"] == pytest.approx(training[1, 1], abs=0.11)


@pytest.mark.parametrize("losses", [
    [0.5], [0.0, 0.0], [-1.0, -2.0], [1.0, 1.0000000000000002], [1e308, 1.7e308], [1.7e308, 5e-324], [1e-320, 1e-322],
    [3.0, 0.0], list(np.linspace(5, 1, 2000))])
def test_curve_of_any_losses(losses: list[float]) -> None:
    (points,), labels = drawn(losses, [math.inf] + [None] * (len(losses) - 1))
    assert len(points) == len(losses)
    assert 1 <= len(labels) <= 15


# scikit-learn's digits.

def test_digits_above_97_percent(call: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    pytest.importorskip("sklearn", reason="the digits come with scikit-learn, the extra 'examples'")
    script = EXAMPLES / "train_digits.py"
    monkeypatch.setattr(sys, "argv", [str(script), str(tmp_path)])
    runpy.run_path(str(script), run_name="__main__")
    out, _ = call(*args(arch=EXAMPLES / "digits.toml", data="digits_train.npz", validation="digits_test.npz",
                        epochs=20, batch_size=32, format="json"))
    rows = out[out.index("{"):]
    assert json.loads(rows)["epochs"][-1]["validation_accuracy"] > 0.97
