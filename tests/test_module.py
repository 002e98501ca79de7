"""The generated module: right formulas, safe numbers, kept dtypes, refusals, and text that does not change.

The oracle is `handwritten`: plain NumPy that shares nothing with the project.
"""

from __future__ import annotations

import ast
import functools
import math
import re
from collections import Counter

import numpy as np
import pytest
from checks import DTYPES, NAMES, cast, close, loaded, networks, strictly
from handwritten import ACTIVATIONS, FORMULAS, LOSSES, MLP, OUTPUTS
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from codegen import generate, lambdify, load
from codegen.passes import PASSES, optimise
from symbolic import derive, read_architecture
from symbolic.build import DECAY, build_program
from symbolic.evaluate import run
from symbolic.functions import scalar_function
from symbolic.program import Equation
from symbolic.terms import Broadcast, Elementwise, LogSoftmax, is_matrix, operand_indices, symbols_of

# (a) The formulas, on random architectures.

@settings(max_examples=300, deadline=None, derandomize=True, database=None,
          suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(networks(), st.integers(1, 5), st.integers(0, 2**32 - 1))
@example(MLP((1, 1), ("identity",), "mean_squared_error", biases=(False,)), 1, 0)
@example(MLP((2, 3, 2), ("softmax", "softmax"), "cross_entropy", "rows", "mean", 0.1, (True, False)), 2, 1)
@example(MLP((3, 2, 2), ("softmax", "softmax"), "hinge", "rows"), 3, 2)
def test_random_architectures(mlp, samples, seed):
    module = loaded(mlp.compact)
    given_values = mlp.draw(np.random.default_rng(seed), samples)
    before = [v.copy() for v in (*given_values[0].values(), *given_values[1:])]
    check_against_the_hand(mlp, module, *given_values)
    check_float32(module, *given_values)
    for old, new in zip(before, (*given_values[0].values(), *given_values[1:]), strict=True):
        np.testing.assert_array_equal(old, new, err_msg="an argument was changed in place")


def check_against_the_hand(mlp, module, p, X, Y):
    trace = strictly(module.trace, p, X, Y)
    assert list(trace) == mlp.names
    expected = mlp.forward(p, X)
    expected["y_hat"] = expected.pop(f"h{mlp.depth}")
    for name, value in expected.items():
        if name != "h0":
            close(trace[name], value, 1e-13, scale=1, what=name)
    total = mlp.total_loss(p, X, Y)
    close(trace["loss"], total, 1e-12, scale=1, what="loss")
    loss, gradients = strictly(module.loss_and_gradients, p, X, Y, input_gradient=True)
    assert loss == float(trace["loss"]) == strictly(module.loss, p, X, Y)
    assert type(loss) is type(module.loss(p, X, Y)) is float  # and no np.float64, which is one too
    np.testing.assert_array_equal(strictly(module.forward, p, X), trace["y_hat"])

    by_hand = mlp.gradients(p, X, Y)
    scale = max(1e-3 * max(np.max(np.abs(g)) for g in by_hand.values()), 1e-4)  # gradients that cancel to 0
    assert list(gradients) == [*module.PARAMETERS, "X"]
    assert list(module.loss_and_gradients(p, X, Y)[1]) == [*module.PARAMETERS]
    for name, gradient in gradients.items():
        if name != "X":
            np.testing.assert_array_equal(gradient, trace[f"grad_{name}"], strict=True)
        close(gradient, mlp.complex_step(p, X, Y, name), 1e-10, scale, name)
        assert gradient.flags.writeable
    for name in mlp.names:
        if name.startswith("grad_"):
            close(trace[name], by_hand[name[5:]], 1e-10, scale, name)


def check_float32(module, p, X, Y):
    p, X, Y = cast(np.float32, p, X, Y)
    values = strictly(module.trace, p, X, Y)
    assert {name for name, value in values.items() if value.dtype != np.float32} == set()
    loss, gradients = strictly(module.loss_and_gradients, p, X, Y, input_gradient=True)
    assert type(loss) is float
    updated = module.update(p, gradients, np.float64(0.1))
    others = [*gradients.values(), *updated.values(), module.forward(p, X)]
    assert {value.dtype for value in others} == {np.dtype(np.float32)}


@pytest.mark.parametrize("name", NAMES)
def test_central_differences_agree(name):
    """A second oracle, which shares no trick with the first; every entry."""
    for samples, loss in zip(["columns", "rows"] * 3, LOSSES, strict=True):
        mlp = MLP((3, 2, 2), (name, OUTPUTS.get(loss, name)), loss, samples, "mean", 0.05)
        p, X, Y = mlp.draw(np.random.default_rng(7), 3)
        gradients = loaded(mlp.compact).loss_and_gradients(p, X, Y, input_gradient=True)[1]
        for quantity, gradient in gradients.items():
            close(gradient, mlp.central_difference(p, X, Y, quantity), 1e-7, 0.1, f"{loss}, {quantity}")


def test_the_hand_agrees_with_itself():
    """Its backpropagation against a complex step through its own forward pass, or it would be no oracle."""
    for name in NAMES:
        for loss in LOSSES:
            mlp = MLP((3, 4, 2), (name, OUTPUTS.get(loss, name)), loss, "rows", "mean", 0.1, (True, False))
            p, X, Y = mlp.draw(np.random.default_rng(3), 4)
            by_hand = mlp.gradients(p, X, Y)
            for quantity in (*p, "X"):
                close(by_hand[quantity], mlp.complex_step(p, X, Y, quantity), 1e-12, 1e-3, f"{name}, {loss}")


def test_kinks_have_the_documented_slope():
    """relu and leaky_relu at 0 take the lower branch; |r| has slope 0 at 0, hinge slope 0 at margin 1."""
    one, zero = np.ones((1, 1)), np.zeros((1, 1))
    slopes = {"relu": 0, "leaky_relu": 0.01, "elu": 1, "max(0, x)": 0, "max(x, 0)": 0}
    for name, slope in slopes.items():
        module = loaded(f"1-1:{name}?loss=mean_squared_error")
        assert module.loss_and_gradients({"W1": one, "b1": zero}, zero, -one)[1]["b1"] == 2 * slope
    for loss, Y in (("mean_absolute_error", one), ("hinge", one), ("huber", one)):
        module = loaded(f"1-1:identity?loss={loss}")
        assert module.loss_and_gradients({"W1": one, "b1": zero}, one, Y)[1]["b1"] == 0


def test_sum_and_mean_differ_by_the_number_of_samples():
    nets = [MLP((3, 4, 2), ("tanh", "identity"), "huber", "rows", r) for r in ("sum", "mean")]
    p, X, Y = nets[0].draw(np.random.default_rng(1), 5)
    (total, gradients), (mean, means) = (loaded(n.compact).loss_and_gradients(p, X, Y) for n in nets)
    assert mean == pytest.approx(total / 5, rel=1e-14)
    for name in gradients:
        close(means[name], gradients[name] / 5, 1e-13)


def test_rows_are_the_transposed_columns():
    for loss in LOSSES:
        nets = [MLP((3, 4, 2), ("softmax", OUTPUTS.get(loss, "gelu")), loss, s, weight_decay=0.2)
                for s in ("columns", "rows")]
        p, X, Y = nets[0].draw(np.random.default_rng(1), 3)
        columns = loaded(nets[0].compact).trace(p, X, Y)
        rows = loaded(nets[1].compact).trace({name: v.T for name, v in p.items()}, X.T, Y.T)
        for name, value in columns.items():
            close(rows[name], value.T, 1e-13, 1, f"{loss}, {name}")


# (b) Numerical safety.

def extremes(dtype, samples):
    """Return a layer of two units and inputs: logits of ±1e4 in all combinations, 0, and smaller ones."""
    W = np.array([[1e4, 0], [0, 1e4]], dtype)
    X = np.array([[1, -1, 1, -1, 0, 1, 0.01], [1, 1, -1, -1, 0, 0, -0.02]], dtype)
    b = np.zeros((2, 1) if samples == "columns" else (1, 2), dtype)
    return W, b, X if samples == "columns" else X.T


def labels(loss, dtype, samples):
    Y = np.array([[1, 0, 0, 1, 1, 0, 0], [0, 1, 1, 0, 0, 1, 1]], dtype)
    if loss == "hinge":
        Y = 2 * Y - 1
    return Y if samples == "columns" else Y.T


@pytest.mark.parametrize("name", NAMES)
def test_huge_logits_are_finite(name):
    for i, loss in enumerate(LOSSES):
        samples = ("columns", "rows")[i % 2]
        suffix = f"?loss={loss}&samples={samples}&reduction={('sum', 'mean')[i % 3 == 0]}"
        for dtype in DTYPES:
            W, b, X = extremes(dtype, samples)
            small = np.array([[0.5, -0.25], [-0.125, 0.75]], dtype)
            nets = {f"2-2-2:{name},{OUTPUTS.get(loss, 'identity')}": {"W1": W, "b1": b, "W2": small, "b2": b}}
            if OUTPUTS.get(loss, name) == name:
                nets[f"2-2:{name}"] = {"W1": W, "b1": b}
            for compact, p in nets.items():
                module, Y = loaded(compact + suffix), labels(loss, dtype, samples)
                values = strictly(module.trace, p, X, Y)
                wrong = {n for n, v in values.items() if not np.all(np.isfinite(v)) or v.dtype != dtype}
                assert wrong == set(), f"{compact}{suffix}, {dtype.__name__}"
                gradients = strictly(module.loss_and_gradients, p, X, Y, input_gradient=True)[1]
                assert all(np.all(np.isfinite(g)) for g in gradients.values())
                assert np.isfinite(strictly(module.loss, p, X, Y))
                assert np.all(np.isfinite(strictly(module.forward, p, X)))


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("samples", ["columns", "rows"])
def test_huge_logits_have_the_right_loss(dtype, samples):
    """Clipping would make these finite too, and wrong."""
    def turned(a):
        return np.array(a, dtype) if samples == "columns" else np.array(a, dtype).T

    for loss, output, a, Y, expected, gradient in (
        ("cross_entropy", "softmax", [[1e4], [-1e4]], [[0], [1]], 2e4, [[1], [-1]]),
        ("cross_entropy", "softmax", [[1e4], [-1e4]], [[1], [0]], 0, [[0], [0]]),
        ("cross_entropy", "softmax", [[1e4], [1e4]], [[0.5], [0.5]], math.log(2), [[0], [0]]),
        ("cross_entropy", "softmax", [[1e4], [1e4 - 64]], [[0.5], [0.5]], 32, [[0.5], [-0.5]]),
        ("binary_cross_entropy", "sigmoid", [[1e4], [-1e4]], [[0], [1]], 2e4, [[1], [-1]]),
        ("binary_cross_entropy", "sigmoid", [[1e4], [-1e4]], [[1], [0]], 0, [[0], [0]]),
        ("binary_cross_entropy", "sigmoid", [[1e4], [-1e4]], [[0.5], [0.25]], 7.5e3, [[0.5], [-0.25]]),
    ):
        module = loaded(f"2-2:{output}?loss={loss}&samples={samples}&bias=false")
        p = {"W1": np.eye(2, dtype=dtype)}
        found, gradients = strictly(module.loss_and_gradients, p, turned(a), turned(Y), input_gradient=True)
        assert found == pytest.approx(expected, rel=4 * float(np.finfo(dtype).eps))
        np.testing.assert_allclose(gradients["X"], turned(gradient), rtol=1e-6, atol=1e-30)


# (c) Types.

@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("loss", LOSSES)
def test_floats_keep_their_type(loss, dtype):
    for i, name in enumerate(NAMES, start=list(LOSSES).index(loss)):
        variant = (("columns", "sum", 0.1), ("rows", "mean", 0.0))[i % 2]
        mlp = MLP((2, 3, 2), (name, OUTPUTS.get(loss, name)), loss, *variant)
        p, X, Y = cast(dtype, *mlp.draw(np.random.default_rng(0), 2))
        values = loaded(mlp.compact).trace(p, X, Y)
        assert {n for n, v in values.items() if v.dtype != dtype} == set(), mlp.compact


@pytest.mark.parametrize("convert", [np.ndarray.tolist, np.asfortranarray, lambda a: a.astype(int),
                                     lambda a: a.astype(np.uint8), lambda a: a.astype(bool)],
                         ids=["lists", "Fortran", "int", "uint8", "bool"])
def test_other_numbers_are_taken_as_float64(convert):
    module = loaded("2-2:softmax")
    W, b = np.array([[1.0, 0], [0, 1]]), np.array([[0.0], [1]])
    X, Y = np.array([[1.0, 0, 1], [0, 1, 1]]), np.array([[1.0, 0, 0], [0, 1, 1]])
    expected = module.trace({"W1": W, "b1": b}, X, Y)
    p = {"W1": convert(W), "b1": convert(b)}
    for name, value in module.trace(p, convert(X), convert(Y)).items():
        np.testing.assert_array_equal(value, expected[name], strict=True)
    _, gradients = module.loss_and_gradients(p, convert(X), convert(Y), input_gradient=True)
    assert all(g.dtype == float for g in gradients.values())
    assert all(v.dtype == float for v in module.update(p, gradients, 1).values())


# (d) Refusals.

COLUMNS, ROWS = (f"2-4-3:tanh,softmax?samples={s}" for s in ("columns", "rows"))


def good(samples="columns"):
    mlp = MLP((2, 4, 3), ("tanh", "softmax"), "cross_entropy", samples)
    return mlp.draw(np.random.default_rng(0), 5)


def with_parameter(name, change):
    def spoil(p, X, Y):
        return {**p, name: change(p[name])}, X, Y
    return spoil


def with_data(which, change):
    def spoil(p, X, Y):
        return (p, change(X), Y) if which == "X" else (p, X, change(Y))
    return spoil


BAD = {
    "missing": (lambda p, X, Y: ({n: v for n, v in p.items() if n != "b2"}, X, Y),
                ["parameters", "missing b2"]),
    "unknown": (lambda p, X, Y: ({**p, "W3": X}, X, Y), ["parameters", "unknown W3", "W1, b1, W2, b2"]),
    "both": (lambda p, X, Y: ({"w1" if n == "W1" else n: v for n, v in p.items()}, X, Y),
             ["missing W1", "unknown w1"]),
    "X as a parameter": (lambda p, X, Y: ({**p, "X": X}, X, Y), ["unknown X"]),
    "a list": (lambda p, X, Y: (list(p.values()), X, Y), ["parameters", "list"]),
    "nothing": (lambda p, X, Y: (None, X, Y), ["parameters", "None"]),
    "no parameters": (lambda p, X, Y: ({}, X, Y), ["missing W1, b1, W2, b2"]),
    "transposed weight": (with_parameter("W1", np.transpose), ["W1", "4 x 2", "(2, 4)"]),
    "square bias": (with_parameter("b2", lambda b: b @ b.T), ["b2", "3 x 1", "(3, 3)"]),
    "row bias": (with_parameter("b2", np.transpose), ["b2", "3 x 1", "(1, 3)"]),
    "rank-1 bias": (with_parameter("b1", np.ravel), ["b1", "4 x 1", "(4,)", "b1.reshape(4, 1)"]),
    "rank-1 weight": (with_parameter("W1", np.ravel), ["W1", "4 x 2", "(8,)", "W1.reshape(4, 2)"]),
    "rank-3 weight": (with_parameter("W1", lambda W: W[None]), ["W1", "4 x 2", "(1, 4, 2)"]),
    "scalar bias": (with_parameter("b1", lambda b: 0.0), ["b1", "4 x 1", "()"]),
    "empty weight": (with_parameter("W1", lambda W: W[:0]), ["W1", "4 x 2", "(0, 2)"]),
    "object": (with_parameter("W1", lambda W: W.astype(object)), ["W1", "numbers", "object"]),
    "None": (with_parameter("W1", lambda W: None), ["W1", "numbers", "object"]),
    "strings": (with_parameter("W1", lambda W: W.astype(str)), ["W1", "numbers", "<U"]),
    "complex": (with_parameter("b1", lambda b: b + 0j), ["b1", "real", "complex128"]),
    "dates": (with_data("X", lambda X: X.astype(int).astype("M8[s]")), ["X", "numbers", "datetime64"]),
    "ragged": (with_parameter("W1", lambda W: [[1.0, 2.0], [3.0]]), ["W1", "ragged"]),
    "rank-1 X": (with_data("X", lambda X: X[:, 0]), ["X", "2 x N", "(2,)", "X.reshape(2, -1)"]),
    "X with a feature more": (with_data("X", lambda X: X[[0, 1, 1]]), ["X", "2 x N", "(3, 5)"]),
    "transposed X": (with_data("X", np.transpose), ["X", "2 x N", "(5, 2)"]),
    "ragged X": (with_data("X", lambda X: [[1.0], [2.0, 3.0]]), ["X", "ragged"]),
    "complex X": (with_data("X", lambda X: X * 1j), ["X", "real", "complex128"]),
    "no samples": (lambda p, X, Y: (p, X[:, :0], Y[:, :0]), ["X", "one sample", "(2, 0)"]),
}
BAD_LABELS = {
    "one label less": (with_data("Y", lambda Y: Y[:, 1:]), ["X and Y", "(2, 5)", "(3, 4)"]),
    "one label for all": (with_data("Y", lambda Y: Y[:, :1]), ["X and Y", "(2, 5)", "(3, 1)"]),
    "rank-1 Y": (with_data("Y", lambda Y: Y[:, 0]), ["Y", "3 x N", "(3,)", "Y.reshape(3, -1)"]),
    "class more": (with_data("Y", lambda Y: Y[[0, 1, 2, 2]]), ["Y", "3 x N", "(4, 5)"]),
    "strings": (with_data("Y", lambda Y: Y.astype(str)), ["Y", "numbers", "<U"]),
    "not a distribution": (with_data("Y", lambda Y: 2 * Y), ["Y", "columns", "distributions"]),
    "one column is none": (with_data("Y", lambda Y: Y * [1, 1, 0, 1, 1]), ["Y", "columns", "distributions"]),
    "negative": (with_data("Y", lambda Y: Y * 0 + [[2], [-1], [0]]), ["Y", "columns", "distributions"]),
    "not a number": (with_data("Y", lambda Y: Y * np.nan), ["Y", "columns", "distributions"]),
    "no samples": (with_data("Y", lambda Y: Y[:, :0]), ["Y", "one sample", "(3, 0)"]),
}
CALLS = {
    "forward": lambda m, p, X, Y: m.forward(p, X), "loss": lambda m, *a: m.loss(*a),
    "loss_and_gradients": lambda m, *a: m.loss_and_gradients(*a), "trace": lambda m, *a: m.trace(*a),
}


@pytest.mark.parametrize("function", CALLS)
@pytest.mark.parametrize("case", [*BAD, *(f"labels: {c}" for c in BAD_LABELS)])
def test_wrong_input_is_refused(case, function):
    spoil, words = BAD_LABELS[case[8:]] if case.startswith("labels: ") else BAD[case]
    module, call = loaded(COLUMNS), CALLS[function]
    expected = call(module, *good())
    if function == "forward" and case.startswith("labels: "):
        return
    with pytest.raises((ValueError, TypeError)) as raised:
        call(module, *spoil(*good()))
    assert [w for w in words if w not in str(raised.value)] == [], str(raised.value)
    assert "\n" not in str(raised.value)
    np.testing.assert_equal(call(module, *good()), expected)


@pytest.mark.parametrize(("spoil", "words"), [
    (with_data("Y", lambda Y: Y * [[1], [1], [0], [1], [1]]), ["Y", "rows", "distributions"]),
    (with_data("Y", lambda Y: (Y.T / Y.T.sum(axis=1, keepdims=True)).T), ["Y", "rows", "distributions"]),
    (with_data("X", np.transpose), ["X", "N x 2", "(2, 5)"]),
    (with_data("X", lambda X: X[0]), ["X", "N x 2", "(2,)", "X.reshape(-1, 2)"]),
    (with_data("Y", lambda Y: Y[1:]), ["X and Y", "(5, 2)", "(4, 3)"]),
    (with_parameter("b2", np.transpose), ["b2", "1 x 3", "(3, 1)"]),
    (with_parameter("b2", np.ravel), ["b2", "1 x 3", "(3,)", "b2.reshape(1, 3)"]),
    (lambda p, X, Y: (p, X[:0], Y[:0]), ["X", "one sample", "(0, 2)"]),
], ids=["a row is none", "columns sum to 1", "transposed X", "rank-1 X", "N differs", "column bias",
        "rank-1 bias", "no samples"])
def test_wrong_input_is_refused_with_samples_as_rows(spoil, words):
    with pytest.raises(ValueError, match="expected") as raised:
        loaded(ROWS).loss(*spoil(*good("rows")))
    assert [w for w in words if w not in str(raised.value)] == [], str(raised.value)


@pytest.mark.parametrize("case", [c for c, (_, words) in {**BAD, **BAD_LABELS}.items()
                                  if any("reshape" in w for w in words)])
def test_the_advice_on_rank_1_arrays_helps(case):
    p, X, Y = {**BAD, **BAD_LABELS}[case][0](*good())
    if case == "rank-1 Y":
        X = X[:, :1]
    if case == "rank-1 X":
        Y = Y[:, :1]
    with pytest.raises(ValueError, match="reshape") as raised:
        loaded(COLUMNS).loss(p, X, Y)
    name, *shape = re.search(r"use (\w+)\.reshape\((-?\d+), (-?\d+)\)", str(raised.value)).groups()
    arguments = {**p, "X": X, "Y": Y}
    arguments[name] = arguments[name].reshape(*map(int, shape))
    X, Y = arguments.pop("X"), arguments.pop("Y")
    loaded(COLUMNS).loss(arguments, X, Y)


BAD_GRADIENTS = {
    "weight for bias": (lambda g: {**g, "b2": g["W2"]}, ["gradients['b2']", "3 x 1", "(3, 4)"]),
    "3 x 3 for bias": (lambda g: {**g, "b2": np.ones((3, 3))}, ["gradients['b2']", "3 x 1", "(3, 3)"]),
    "rank 1": (lambda g: {**g, "b2": g["b2"].ravel()}, ["gradients['b2']", "3 x 1", "(3,)", "reshape(3, 1)"]),
    "transposed": (lambda g: {**g, "W1": g["W1"].T}, ["gradients['W1']", "4 x 2", "(2, 4)"]),
    "scalar": (lambda g: {**g, "W1": 0.0}, ["gradients['W1']", "4 x 2", "()"]),
    "object": (lambda g: {**g, "W1": g["W1"].astype(object)}, ["gradients['W1']", "numbers", "object"]),
    "missing": (lambda g: {n: v for n, v in g.items() if n != "W2"}, ["gradients", "missing W2"]),
    "unknown": (lambda g: {**g, "W9": g["W1"]}, ["gradients", "unknown W9"]),
    "loss": (lambda g: {**g, "loss": 1.0}, ["gradients", "unknown loss"]),
    "list": (lambda g: list(g.values()), ["gradients", "list"]),
}


@pytest.mark.parametrize("case", BAD_GRADIENTS)
def test_wrong_gradients_are_refused(case):
    change, words = BAD_GRADIENTS[case]
    module, (p, X, Y) = loaded(COLUMNS), good()
    gradients = module.loss_and_gradients(p, X, Y)[1]
    with pytest.raises((ValueError, TypeError)) as raised:
        module.update(p, change(gradients), 0.1)
    assert [w for w in words if w not in str(raised.value)] == [], str(raised.value)
    module.update(p, gradients, 0.1)


@pytest.mark.parametrize("rate", [None, "fast", 1j, np.array([0.1, 0.2])], ids=str)
def test_wrong_learning_rates_are_refused(rate):
    module, (p, X, Y) = loaded(COLUMNS), good()
    with pytest.raises((ValueError, TypeError), match="learning_rate"):
        module.update(p, module.loss_and_gradients(p, X, Y)[1], rate)


# (e) Parameters.

@pytest.mark.parametrize("mlp", [
    MLP((2, 4, 3), ("relu", "softmax"), "cross_entropy"),
    MLP((2, 4, 3), ("relu", "identity"), "huber", "rows", biases=(False, True)),
    MLP((1, 1), ("identity",), "hinge", biases=(False,)),
], ids=lambda m: m.compact)
def test_parameters_and_initialize(mlp):
    module = loaded(mlp.compact)
    assert list(module.PARAMETERS.items()) == list(mlp.shapes.items())
    first, again, other = module.initialize(3), module.initialize(3), module.initialize(4)
    assert list(first) == list(module.PARAMETERS)
    for name, value in first.items():
        assert (value.shape, value.dtype) == (mlp.shapes[name], float)
        np.testing.assert_array_equal(value, again[name])
        if name.startswith("b"):
            assert not value.any()
        else:
            assert not np.array_equal(value, other[name])
    module.forward(first, np.ones((mlp.widths[0], 2) if mlp.columns else (2, mlp.widths[0])))


@pytest.mark.parametrize(("name", "gain"), [("relu", 2), ("tanh", 1), ("softmax", 1), ("x^3/10", 1)])
@pytest.mark.parametrize("samples", ["columns", "rows"])
def test_initial_weights_have_the_variance_of_their_docstring(name, gain, samples):
    weight = loaded(f"50-400:{name}?loss=huber&samples={samples}").initialize(0)["W1"]
    assert np.var(weight) == pytest.approx(gain / 50, rel=0.05)


def test_update_is_one_step_out_of_place():
    module, (p, X, Y) = loaded(COLUMNS), good()
    old = {name: value.copy() for name, value in p.items()}
    loss, gradients = module.loss_and_gradients(p, X, Y, input_gradient=True)  # "X" is passed over
    new = module.update(p, gradients, 0.1)
    assert list(new) == list(p)
    for name in p:
        np.testing.assert_array_equal(new[name], old[name] - 0.1 * gradients[name])
        np.testing.assert_array_equal(p[name], old[name])
    unchanged = module.update(p, gradients, 0)
    assert not any(np.shares_memory(unchanged[name], p[name]) for name in p)
    assert module.loss(new, X, Y) < loss


# (f) The text.

TEXTS = [
    "3-3-3-3:sigmoid,sigmoid,softmax?name=quiz",
    "784-128-64-10:relu,relu,softmax?reduction=mean&samples=rows",
    "4-4x50:tanh*50?loss=mean_squared_error&weight_decay=0.001",
    "2-3-2:x/(1+exp(-x)),max(x, -x/4)?bias=false,true",
    "1-1:identity?bias=false",
]


@pytest.mark.parametrize("compact", TEXTS)
def test_text(compact):
    network = read_architecture(compact)
    text = generate(network)
    assert generate(network) == text
    assert generate(read_architecture(compact)) == text
    tree = ast.parse(text)
    imports = [n for n in ast.walk(tree) if isinstance(n, ast.Import | ast.ImportFrom)]
    assert [ast.unparse(n) for n in imports] == ["import numpy as np"]
    functions = [n for n in tree.body if isinstance(n, ast.FunctionDef)]
    public = [f.name for f in functions if not f.name.startswith("_") and f.name != "hessian"][-7:]
    assert public == ["initialize", "forward", "loss", "loss_and_gradients", "trace", "hessian_vector", "update"]
    assert all(ast.get_docstring(f) for f in functions)
    header = ast.get_docstring(tree)
    assert re.search(r"\(digest [0-9a-f]{12}\)", header)
    command = re.search(r"^ *gradwright generate '(.*)'$", header, re.MULTILINE).group(1)
    assert generate(read_architecture(command)) == text
    assert text.endswith("\n")
    assert not text.endswith("\n\n")
    assert not [line for line in text.split("\n") if line != line.rstrip() or "\t" in line]


def test_the_lines_of_the_quiz_are_short():
    for compact in TEXTS[0], TEXTS[1]:
        assert max(map(len, generate(read_architecture(compact)).split("\n"))) <= 110


def test_no_name_is_computed_twice_or_in_vain():
    """In each function of a module every assignment is new, and is used or returned."""
    for compact in (*TEXTS, "3-4-2:softmax,softmax?loss=hinge&samples=rows", "3-4-2:mish,gelu?loss=huber"):
        for function in ast.parse(generate(read_architecture(compact))).body:
            if isinstance(function, ast.FunctionDef) and function.name in ("forward", "loss", "trace"):
                names = [n for n in ast.walk(function) if isinstance(n, ast.Name)]
                stored = Counter(n.id for n in names if isinstance(n.ctx, ast.Store))
                read = {n.id for n in names if isinstance(n.ctx, ast.Load)}
                assert {n for n, times in stored.items() if times > 1 and n not in ("X", "Y", "_")} == set()
                assert stored.keys() - read - {"_", "Y"} == set(), f"{compact}, {function.name}"


@pytest.mark.parametrize("formula", FORMULAS)
def test_formulas_are_helper_functions(formula):
    text = generate(read_architecture(f"2-3-2:{formula},identity"))
    functions = [n.name for n in ast.parse(text).body if isinstance(n, ast.FunctionDef)]
    assert "f" in functions
    assert "h1 = f(a1)" in text


SHAPES = [
    "sqrt(3)*x + pi/7", "-x", "x", "2*x", "x^2", "e*x", "abs(x)", "x*step(x)", "sign(x)*x^2", "x + sign(x)",
    "x^2*max(3*step(x), 0)^2", "abs(max(x, -1))", "max(0, min(1, (x + 1)/2))", "1/(1+x^2)^0.5", "2^x",
    "1/(1+x^2)^(1/3)", "(1+x^2)^(-3/2)", "x*sign(x)^3", "x/(2 + step(x-1))", "max(x, sin(x), cos(x))",
    "log(1+max(x, 0))", "sign(x)", "step(x)/2 + 1", "min(max(x, -pi), pi)", "max(x, pi/4)",
    "min(pi - x, x^2)", "max(x^2, e)", "min(x, erf(2)*cos(x))", "min(x^2, 3 - pi)",
    "min(arctan(x)/erf(0.5), 1)",
    "sigmoid(3*x - 1)*softplus(2 - x)", "(exp(x)-exp(-x))/(exp(x)+exp(-x))", "arctan(x)*2/pi", "tan(x/4)",
    "1.0507*(max(0,x) + min(0, 1.67326*(exp(x)-1)))", "0.5*x*(1 + tanh(sqrt(2/pi)*(x + 0.044715*x^3)))",
    "log(cosh(x))", "x/max(abs(x), 1)", "exp(-abs(x))", "cosh(x)/(1+cosh(x)^2)", "erf(x)^2 * x", "abs(x)^1.5",
]


@pytest.mark.parametrize("formula", SHAPES)
def test_formulas_of_every_shape(formula):
    """Against Python's math, by a central difference: each must run, keep its type, and be right."""
    names = {n: getattr(math, n) for n in dir(math) if not n.startswith("_")}
    names |= {"arctan": math.atan, "step": lambda u: float(u > 0), "sign": lambda u: float(np.sign(u)),
              "sigmoid": lambda u: 1 / (1 + math.exp(-u)), "softplus": lambda u: math.log1p(math.exp(u)),
              "max": max, "min": min, "abs": abs}
    code = compile(formula.replace("^", "**"), "formula", "eval")

    def f(v):
        return eval(code, {**names, "x": v})  # noqa: S307  # the literals above

    module = loaded(f"1-1:{formula}?loss=mean_squared_error&bias=false")
    points = np.array([[-3.3, -1.9, -0.7, -0.3, 0.4, 0.9, 1.2, 2.6, 3.7]])
    values = np.array([[f(v) for v in points[0]]])
    slopes = np.array([[(f(v + 1e-6) - f(v - 1e-6)) / 2e-6 for v in points[0]]])
    for dtype, tolerance in ((np.float64, 1e-7), (np.float32, 1e-4)):
        p, X, Y = cast(dtype, {"W1": np.ones((1, 1))}, points, np.zeros_like(points))
        found = strictly(module.trace, p, X, Y)
        assert {n for n, v in found.items() if v.dtype != dtype} == set()
        close(found["y_hat"], values, tolerance, 1)
        close(found["grad_a1"], 2 * values * slopes, tolerance, 1)


@pytest.mark.parametrize("compact", [
    "5-2:softmax?loss=mean_absolute_error&weight_decay=0.1",  # gradients of 0, found as 1e-16
    "6-7-6-8:gelu,tanh,softmax?loss=mean_absolute_error&reduction=mean",
    "6-1-1-1-2-5:identity*4,softmax?loss=mean_absolute_error&bias=false",
    "4-8-7-9-1-5:tanh,gelu,softplus,tanh,sigmoid?reduction=mean",  # saturated
    "9-8-8-1-2-3-7:softmax,identity,relu,identity,identity,sigmoid?reduction=mean&weight_decay=0.1",
    "5-2-1-5-1:gelu,exp(-x^2),tanh,exp(-x^2)?loss=mean_absolute_error&reduction=mean&weight_decay=0.1",
    "2-2-1-2-6:tanh,gelu,relu,silu?loss=mean_absolute_error&reduction=mean&samples=rows&bias=true*3,false",
    "7-8-9-7-3-9:leaky_relu,softplus,gelu,relu,leaky_relu?loss=huber&reduction=mean&weight_decay=0.1"
    "&bias=false,true,true,true,false",  # a kink within the central difference
])
def test_right_networks_are_not_withheld(compact):
    """Rounding or a kink near the random values of the check must not be taken for a wrong formula."""
    generate(read_architecture(compact))


@pytest.mark.parametrize("depth", [50, 300])
def test_deep_networks_generate_and_run(depth):
    widths = (3,) + (2,) * depth
    mlp = MLP(widths, ("tanh",) * depth, "huber", "rows")
    text = generate(read_architecture(mlp.compact))
    module = load(read_architecture(mlp.compact), text)
    p, X, Y = mlp.draw(np.random.default_rng(0), 3)
    gradients, by_hand = module.loss_and_gradients(p, X, Y)[1], mlp.gradients(p, X, Y)
    for name, gradient in gradients.items():
        close(gradient, by_hand[name], 1e-9, 1e-200, name)
    assert len(text) < 2000 * depth


def test_length_grows_linearly():
    sizes = [len(generate(read_architecture(f"3-3x{depth}:tanh*{depth}"))) for depth in (20, 40, 80)]
    assert (sizes[2] - sizes[1]) == pytest.approx(2 * (sizes[1] - sizes[0]), rel=0.05)


# (g) The callable without a file.

@pytest.mark.parametrize("mlp", [
    MLP((3, 3, 3, 3), ("sigmoid", "sigmoid", "softmax"), "cross_entropy"),
    MLP((3, 4, 2), ("gelu", "softmax"), "cross_entropy", "rows", "mean"),
    MLP((2, 4, 3), ("softmax", "sigmoid"), "binary_cross_entropy", weight_decay=0.1),
    MLP((2, 3, 2), ("x/(1+exp(-x))", "x^3/10"), "huber", "rows", "mean", 0.1, (False, True)),
    MLP((2, 3, 2), ("elu", "softmax"), "hinge", "rows"),
    MLP((1, 1), ("identity",), "mean_absolute_error", biases=(False,)),
], ids=lambda m: m.compact)
def test_lambdify_equals_the_module(mlp):
    derivation, module = derive(read_architecture(mlp.compact)), loaded(mlp.compact)
    p, X, Y = mlp.draw(np.random.default_rng(0), 4)
    trace = module.trace(p, X, Y)
    by_default = lambdify(derivation)(X=X, Y=Y, **p)
    assert list(by_default) == ["loss", *(n for n in mlp.names if n[5:] in p)]
    everything = lambdify(derivation, mlp.names)(X=X, Y=Y, **p)
    assert list(everything) == mlp.names
    for name, value in (*by_default.items(), *everything.items()):
        close(value, trace[name], 1e-15, what=name)


# (h) The passes.

def programs():
    for loss in LOSSES:
        activations = ("softmax", "mish", OUTPUTS.get(loss, "softmax"))
        for samples in ("columns", "rows"):
            for reduction, decay in (("sum", 0.0), ("mean", 0.1)):
                yield MLP((3, 4, 2, 2), activations, loss, samples, reduction, decay)


@functools.cache
def equations_of(compact):
    derivation = derive(read_architecture(compact))
    return derivation.program, derivation.program.equations


def evaluated(equations, program, mlp):
    p, X, Y = mlp.draw(np.random.default_rng(0), 3)
    arrays = {**p, "X": X, "Y": Y}
    values = {s: arrays[s.name] for s in (*program.inputs, *program.parameters)} | {DECAY: mlp.weight_decay}
    return run(equations, values, lambda d: 3 if d.is_Symbol else int(d))


def compounds(equations):
    """Count the terms that cost anything to compute; −A in a sum is a subtraction."""
    counts, free = Counter(), ("MatrixSymbol", "OneMatrix", "ZeroMatrix", "Transpose", "Broadcast")

    def visit(term):
        kinds = [type(t).__name__ for t in (term, *term.args)]
        negated = kinds == ["MatMul", "NegativeOne", "MatrixSymbol"]
        if is_matrix(term) and kinds[0] not in free and not negated:
            counts[term] += 1
        if not symbols_of(term) <= {term}:
            for i in operand_indices(term):
                visit(term.args[i])

    for equation in equations:
        visit(equation.term)
    return counts


PASS = {step.name: step.apply for step in PASSES}


@pytest.mark.parametrize("mlp", list(programs()), ids=lambda m: m.compact)
def test_passes_keep_values(mlp):
    program, equations = equations_of(mlp.compact)
    before = evaluated(equations, program, mlp)
    in_order = equations
    for step in PASSES:
        in_order = step.apply(in_order)
        for changed in (step.apply(equations), in_order):
            after = evaluated(changed, program, mlp)
            for equation in equations:
                symbol = equation.symbol
                close(after[symbol], before[symbol], 1e-13, 1, f"{step.name}, {equation.name}")
    assert in_order == optimise(equations)
    assert optimise(in_order) == in_order


@pytest.mark.parametrize("mlp", list(programs()), ids=lambda m: m.compact)
def test_passes_do_what_they_say(mlp):
    _, equations = equations_of(mlp.compact)
    stabilise, sum_and_broadcast, share = (PASS[name] for name in ("stabilise", "sum_and_broadcast", "share"))
    if mlp.loss in OUTPUTS:
        log = scalar_function("log")
        logs = [{t for e in es for t in e.term.atoms(Elementwise) if t.function == log}
                for es in (equations, stabilise(equations))]
        assert logs[0]
        assert logs[1] == set()
        assert mlp.loss != "cross_entropy" or any(e.term.atoms(LogSoftmax) for e in stabilise(equations))
    for equation in sum_and_broadcast(equations):
        for term in compounds([equation]):
            vectors = [f for f in term.args if type(f).__name__ == "OneMatrix" and 1 in f.shape]
            assert not (type(term).__name__ == "MatMul" and vectors), f"{equation.name} = {term}"
    for shared in (share(equations), optimise(equations)):
        assert {t for t, times in compounds(shared).items() if times > 1} == set()
        original = [e.symbol for e in equations]
        assert [e.symbol for e in shared if e.symbol in original] == original
        known = set()
        for equation in shared:
            used = {s for s in symbols_of(equation.term) if s in {e.symbol for e in shared}}
            assert used <= known, f"{equation.name} is used before it is defined"
            known.add(equation.symbol)


def test_share_names_an_equation_that_is_its_own_term():
    """What an equation computes is used by its name afterwards, not computed under a second one."""
    program, _ = equations_of("2-2:tanh?loss=mean_squared_error")
    a1, y_hat = program.symbol("a1"), program.symbol("y_hat")
    again = Equation(program.symbol("r"), program.equations[1].term)
    share = PASS["share"]
    assert share((program.equations[0], program.equations[1], again))[2] == Equation(again.symbol, y_hat)
    assert a1 in symbols_of(share(program.equations)[1].term)


def test_build_program_needs_no_passes():
    """The mathematics is untouched by the code: what is shown has its logarithms and vectors of ones."""
    program = build_program(read_architecture("2-3:softmax"))
    assert program.equations[-1].term.atoms(Elementwise)
    assert not any(e.term.atoms(Broadcast) for e in program.equations)


# The helper functions.

WIDE = np.geomspace(1e-12, 1e4, 300)
GRID = np.concatenate([np.linspace(-8, 8, 4001), WIDE, -WIDE, [0.0]])


def helper(activation, name):
    return getattr(loaded(f"2-2:{activation}?loss=mean_squared_error"), name)


def test_erf():
    expected = np.array([math.erf(v) for v in GRID])
    close(strictly(helper("gelu", "erf"), GRID), expected, 1e-15, 1)
    found = strictly(helper("gelu", "erf"), GRID.astype(np.float32))
    assert found.dtype == np.float32
    close(found, np.array([math.erf(v) for v in GRID.astype(np.float32)]), 5e-7, 1)


@pytest.mark.parametrize("name", ACTIVATIONS)
@pytest.mark.parametrize("dtype", DTYPES)
def test_activations_and_slopes_over_the_line(name, dtype):
    """Each over [-1e4, 1e4]: values by their own size, also tiny ones; slopes by ∂|h + 1e6| / ∂a."""
    module, (f, slope) = loaded(f"1-1:{name}?loss=mean_absolute_error&bias=false"), ACTIVATIONS[name]
    points = GRID[None].astype(dtype)
    values = strictly(module.trace, {"W1": np.ones((1, 1), dtype)}, points, np.full_like(points, -1e6))
    exact, eps = points.astype(float), float(np.finfo(dtype).eps)
    with np.errstate(all="ignore"):
        y, dy = f(exact), slope(exact)
    lost = 32 * eps * np.abs(exact) if name == "gelu" else 0  # in 1 + erf
    allowed = 32 * eps * np.abs(y) + lost + 4 * float(np.finfo(dtype).tiny)
    assert np.all(np.abs(values["y_hat"].astype(float) - y) <= allowed)
    assert np.all(np.abs(values["grad_a1"].astype(float) - dy) <= 64 * eps)


@pytest.mark.parametrize("dtype", DTYPES)
def test_sigmoid_and_softplus_at_extremes(dtype):
    sigmoid, softplus = helper("sigmoid", "sigmoid"), helper("softplus", "softplus")
    ends, values = np.array([[-np.inf, -1e4, 0, 1e4, np.inf]], dtype), [[0, 0, math.log(2), 1e4, np.inf]]
    np.testing.assert_array_equal(strictly(sigmoid, ends), np.array([[0, 0, 0.5, 1, 1]], dtype), strict=True)
    np.testing.assert_allclose(strictly(softplus, ends), np.array(values, dtype), rtol=1e-6)
    for v in (-80.0, -30.0, -5.0, 0.5, 30.0, 80.0):
        one = np.array([[v]], dtype)
        rounding = 4 * float(np.finfo(dtype).eps)
        assert sigmoid(one).item() == pytest.approx(1 / (1 + math.exp(-v)), rel=rounding)
        assert softplus(one).item() == pytest.approx(max(v, 0) + math.log1p(math.exp(-abs(v))), rel=rounding)


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("samples", ["columns", "rows"])
def test_softmax_and_its_logarithm_at_extremes(dtype, samples):
    module = loaded(f"3-3:softmax?samples={samples}")
    a = np.array([[1e4, -1e4, 0], [0, 0, 0], [-1e4, -1e4, -1e4], [1e30, 1e30, -1e30], [1, 2, 3]], dtype)
    a = a.T if samples == "columns" else a
    axis = 0 if samples == "columns" else 1
    p = {"W1": np.eye(3, dtype=dtype), "b1": np.zeros((3, 1) if axis == 0 else (1, 3), dtype)}
    softmax, logarithm = strictly(module.forward, p, a), np.empty_like(a)
    for sample in range(5):  # the loss of one sample is the logarithm, picked by its label
        for label in range(3):
            x, y = (a[:, [sample]], np.eye(3)[:, [label]]) if axis == 0 else (a[[sample]], np.eye(3)[[label]])
            logarithm[(label, sample) if axis == 0 else (sample, label)] = -strictly(module.loss, p, x, y.astype(dtype))
    assert softmax.dtype == dtype
    close(softmax.sum(axis=axis), np.ones(5), 4 * float(np.finfo(dtype).eps))
    third, half = math.log(1 / 3), math.log(1 / 2)
    last = np.log(np.exp([1, 2, 3]) / np.exp([1, 2, 3]).sum())
    expected = np.array([[0, -2e4, -1e4], [third] * 3, [third] * 3, [half, half, -2e30], last])
    expected = expected.T if samples == "columns" else expected
    np.testing.assert_allclose(logarithm, expected, rtol=1e-6)
    np.testing.assert_allclose(softmax, np.exp(expected), rtol=1e-6, atol=1e-30)
