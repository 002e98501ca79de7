"""Right programs as they are met: data that is not read, validation, weight decay, momentum, accuracy beside the loss.

None of them may be called wrong, and all gradients by parameters must be found; then a mistake must be.
"""

from __future__ import annotations

from pathlib import Path

import pytest

import gradwright
from gradwright.checking.checker import check_source
from gradwright.checking.findings import Check
from gradwright.checking.source import read_source, source_of
from symbolic.errors import InputError

FIELD = Path(__file__).parent / "field"


def gradients(check: Check) -> set[str]:
    """Return the gradients that are found, by a line of their own or in the update of their parameter."""
    right = [line.ours for line in check.lines if line.verdict == "right"]
    return {ours for ours in right if ours[:6] in ("grad_W", "grad_b")} | {
        f"grad_{ours}" for ours in right if ours[0:1] in ("W", "b") and right.count(ours) > 1}


@pytest.mark.parametrize("path", sorted(FIELD.iterdir()), ids=lambda path: path.stem)
def test_a_right_program_is_right(path: Path) -> None:
    check = check_source(read_source(path))
    assert check.errors == ()
    assert check.network is not None
    biased = "bias=false" not in check.network.compact
    layers = 1 + check.network.compact.count(",") if ":" in check.network.compact else 0
    wanted = {f"grad_{p}{k}" for k in range(1, layers + 1) for p in ("Wb" if biased else "W")}
    assert wanted <= gradients(check)


MISTAKES = [
    ("unread_columns", "back2 = (out - y) / n", "back2 = (y - out) / n", "sign"),
    ("unread_columns", "(pre1 > 0)", "(act1 < 0)", "activation_derivative"),
    ("weight_decay_classes", "onehot[np.arange(n), yb] = 1", "onehot[np.arange(n), yb] = 2", "scale"),
    ("weight_decay_cost", "dA1 = W2.T @ dZ2", "dA1 = W2 @ dZ2.T", "transpose"),
    ("validation_in_function", "gW1 = Xtr.T @ gz", "gW1 = Xtr.T @ g", "wrong_name"),
    ("progress_bar", "(1 - a1 ** 2)", "(1 - a1)", "activation_derivative"),
    ("batches_of_pairs", "(self.w[k].T @ delta) * (1 - h[k] ** 2)", "(self.w[k].T @ delta) * (1 - h[k - 1] ** 2)",
     "layer_index"),
    ("weights_of_one_axis", "d_h = np.outer(d_y, w2)", "d_h = np.outer(d_y, d_w2)", "wrong_name"),
    ("hidden_weights", "2 / N * X.T @ error", "1 / N * X.T @ error", "scale"),
    ("unread_theta", "grad = X.T @ (h - y) / m", "grad = X.T @ (y - h) / m", "sign"),
    ("two_networks", "dw = X.T @ dz", "dw = -X.T @ dz", "sign"),
    ("two_networks", "dz2 @ W2.T * (1 - h ** 2)", "dz2 @ W2.T * (1 - h)", "activation_derivative"),
    ("learns_from_each", "dW2 = delta2 @ h.T", "dW2 = delta2 @ x.T", "wrong_name"),
    ("large_data", "dw = X.T.dot(p - y) / len(y)", "dw = X.T.dot(p - y)", "scale"),
    ("bias_attribute", "db = (1 / n_samples) * np.sum(predictions - y)", "db = np.sum(predictions - y)", "scale"),
    ("dataclasses_of_arrays", "b1=dz1.sum(axis=0)", "b1=dz1.mean(axis=0)", "scale"),
    ("layer_objects", "return grad * self.out * (1 - self.out)", "return grad * (1 - self.out)", "missing_factor"),
    ("additive_updates", "l1_error = l2_delta.dot(syn1.T)", "l1_error = l2_error.dot(syn1.T)", "wrong_name"),
    ("finite_differences_inline", "dZ = dH * (1 - H ** 2)", "dZ = dH * (1 + H ** 2)", "sign"),
    ("weight_decay_classes", "dW2 = np.matmul(a1.T, dz2) + lam * W2", "dW2 = np.matmul(a1.T, dz2)", "missing_factor"),
    ("weight_decay_classes", "xb.T, dz1) + lam * W1", "xb.T, dz1) + 2 * lam * W1", "scale"),
    ("weight_decay_cost", "dA1 = W2.T @ dZ2", "dA1 = W2.T @ A2", "wrong_name"),
    ("loss_of_logits", "dlogits = (p - y)", "dlogits = (y - p)", "sign"),
]


@pytest.mark.parametrize(("name", "right", "wrong", "kind"), MISTAKES, ids=lambda value: str(value)[:24])
def test_a_mistake_in_it_is_named(name: str, right: str, wrong: str, kind: str) -> None:
    source = (FIELD / f"{name}.py").read_text(encoding="utf-8")
    assert source.count(right) == 1
    line = source[:source.index(right)].count("\n") + 1
    check = check_source(source_of(source.replace(right, wrong), name))
    assert {f.place.line for f in check.errors} == {line}
    assert kind in {f.kind for f in check.errors}


def test_gradients_that_are_replaced_sample_by_sample() -> None:
    source = (FIELD / "sample_loop.py").read_text(encoding="utf-8")
    assert check_source(source_of(source)).errors == ()
    (found,) = check_source(source_of(source.replace("dV += ", "dV = "))).errors
    assert (found.kind, found.correction) == ("missing_sum", "dV += np.outer(back, x)")


def test_means_against_sums_and_forgotten_updates() -> None:
    source = (FIELD / "progress_bar.py").read_text(encoding="utf-8")
    assert {f.kind for f in check_source(source_of(source)).findings} == set()
    summed = source.replace("d2 = (z2 - y) / len(X)", "d2 = z2 - y")
    assert summed != source
    assert "scale" in {f.kind for f in check_source(source_of(summed)).findings}
    kept = source.replace("W1 -= 0.1 * dW1", "pass")
    assert kept != source
    assert "stale_value" in {f.kind for f in check_source(source_of(kept)).findings}


def test_an_error_that_nothing_explains_is_said() -> None:
    source = (FIELD / "progress_bar.py").read_text(encoding="utf-8")
    early = source.replace("import numpy as np", "import numpy as np\nprint(later)\nlater = 1", 1)
    (found,) = check_source(source_of(early)).errors
    assert found.kind == "stale_value"
    assert "`later` is used here before line" in found.message


@pytest.mark.parametrize("ours", ["foo", "W0", "y"])
def test_a_mapping_to_what_is_none_of_ours(ours: str) -> None:
    with pytest.raises(InputError, match="expected X, Y or a parameter"):
        gradwright.check(FIELD / "progress_bar.py", mapping={"W1": ours})


def test_what_is_neither_a_path_nor_code() -> None:
    with pytest.raises(InputError, match="got int"):
        gradwright.check(3)  # type: ignore[arg-type]


def test_a_gradient_of_one_sample_is_named_at_its_update() -> None:
    """Where the sum over a mini-batch is lost, the update goes by one sample: what it reads has no name of its own."""
    source = (FIELD / "mini_batches_of_pairs.py").read_text(encoding="utf-8")
    right = "sum_b = [total + part for total, part in zip(sum_b, by_b)]"
    assert source.count(right) == 1
    check = check_source(source_of(source.replace(right, "sum_b = by_b")))
    assert [f.kind for f in check.errors] == ["missing_sum"]
    assert check.errors[0].source.startswith("bs = [b - eta")


def test_a_guarded_loss_that_raises_is_named() -> None:
    source = (FIELD / "dataclasses_of_arrays.py").read_text(encoding="utf-8")
    line = source[:source.index("return -np.mean")].count("\n") + 1
    check = check_source(source_of(source.replace("Y * np.log(probs + 1e-12)", "Y @ np.log(probs + 1e-12)")))
    assert [f.place.line for f in check.errors] == [line]


def test_dropout_is_not_compared_and_said() -> None:
    source = (FIELD / "weights_of_one_axis.py").read_text(encoding="utf-8")
    masked = "    mask = (np.random.rand(*h.shape) < 0.8) / 0.8\n    h = h * mask\n"
    dropped = source.replace("    h = np.tanh(z1)\n", "    h = np.tanh(z1)\n" + masked)
    check = check_source(source_of(dropped))
    assert check.errors == ()
    assert any("mask" in note.message for note in check.notes)


def test_an_autoencoder_is_refused_in_a_word() -> None:
    with pytest.raises(InputError, match="labels are the inputs"):
        gradwright.check("import numpy as np\nX = np.random.randn(9, 4)\nW = np.random.randn(4, 4)\nout = X @ W\n"
                         "loss = np.sum((out - X) ** 2)\nW -= 0.1 * X.T @ (2 * (out - X))\n")


def test_a_gradient_of_the_last_sample_alone_is_named() -> None:
    summed = """import numpy as np
rng = np.random.default_rng(0)
X, Y = rng.normal(size=(6, 3)), rng.normal(size=(6, 2))
W, b = rng.normal(size=(2, 3)), np.zeros(2)
for epoch in range(10):
    dW, db = np.zeros_like(W), np.zeros_like(b)
    for n in range(6):
        x, y = X[n], Y[n]
        delta = 2 * (W @ x + b - y)
        dW += np.outer(delta, x)
        db += delta
    W -= 0.1 * dW
    b -= 0.1 * db
"""
    assert [f for f in gradwright.check(summed) if f.severity == "error"] == []
    found = [f for f in gradwright.check(summed.replace("db += delta", "db = delta")) if f.severity == "error"]
    assert [(f.place.line, f.kind, f.correction) for f in found] == [(11, "missing_sum", "db += delta")]
