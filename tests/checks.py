"""What the tests of several targets share: networks, how a target is loaded, and the check against `handwritten`."""

from __future__ import annotations

import functools
import importlib.util
import os
import shlex
import shutil
import warnings

import numpy as np
import pytest
from handwritten import ELEMENTWISE, FORMULAS, LOSSES, MLP, OUTPUTS
from hypothesis import strategies as st

from codegen.loading import LOADABLE, load
from codegen.targets import TARGETS
from symbolic import derive, read_architecture

NAMES = [*ELEMENTWISE, "softmax"]
DTYPES = (np.float64, np.float32)
FAST = [t for t in LOADABLE if t != "numpy"]
COMPILER = next(filter(shutil.which, (*shlex.split(os.environ.get("CC", ""))[:1], "cc", "gcc", "clang")), None)


def table():
    """Return networks that together have all activations, formulas, losses and conventions; two of them are large."""
    a, b, c, d, e, f, g, h, i, j, k, m, n, o = FORMULAS
    return [
        MLP((3, 5, 4, 6, 2), ("sigmoid", "tanh", "gelu", "softmax"), "cross_entropy"),
        MLP((3, 4, 5, 3, 3), ("relu", "softmax", "silu", "softmax"), "cross_entropy", "rows", "mean", 0.1,
            (True, False, True, False)),
        MLP((2, 4, 3, 5, 1), ("leaky_relu", "elu", "mish", "sigmoid"), "binary_cross_entropy", "columns", "mean", 0.1),
        MLP((4, 1, 3, 2), ("softplus", "softmax", "identity"), "hinge", "rows", "sum", 0.05),
        MLP((1, 1), ("identity",), "mean_squared_error", biases=(False,)),
        MLP((2, 3, 1, 2, 3), (a, b, c, d), "mean_squared_error", "columns", "mean"),
        MLP((1, 2, 3, 2, 1), (e, f, g, h), "mean_absolute_error", "rows", "sum", 0.1),
        MLP((3, 2, 2, 4), (i, j, k), "huber", "columns", "sum", 0.1, (False, True, True)),
        MLP((2, 3, 2, 2), (m, n, o), "hinge", "columns", "mean"),
        MLP((2, 1), ("sigmoid",), "binary_cross_entropy", "rows"),
        # Large enough for the products of NumPy's library, one output among them: a product with a column.
        MLP((130, 140, 131, 3), ("relu", "tanh", "softmax"), "cross_entropy", "columns", "mean", 0.01),
        MLP((90, 120, 190, 1), ("gelu", "softmax", "identity"), "huber", "rows", "mean"),
    ]


@st.composite
def networks(draw):
    loss = draw(st.sampled_from(list(LOSSES)))
    depth = draw(st.integers(1, 6))
    activations = [draw(st.sampled_from(NAMES)) for _ in range(depth)]
    activations[-1] = OUTPUTS.get(loss, activations[-1])
    units = [draw(st.integers(2 if a == "softmax" else 1, 7)) for a in activations]
    return MLP(
        (draw(st.integers(1, 7)), *units), tuple(activations), loss,
        draw(st.sampled_from(["columns", "rows"])), draw(st.sampled_from(["sum", "mean"])),
        draw(st.sampled_from([0.0, 0.1])), tuple(draw(st.booleans()) for _ in activations))


TABLE = {mlp.compact: mlp for mlp in table()}
LARGE = [mlp for mlp in TABLE.values() if mlp.widths[0] > 10]


@functools.cache
def derived(compact):
    return derive(read_architecture(compact))


@functools.cache
def loaded(compact, target="numpy"):
    """Return the module of a target; skip where this machine cannot have it."""
    if target == "c" and COMPILER is None:
        pytest.skip("no C compiler")
    if target == "numba" and (target not in TARGETS or importlib.util.find_spec("numba") is None):
        pytest.skip("numba is not installed")
    return load(read_architecture(compact), target=target, derivation=derived(compact))


def close(found, expected, relative, scale=0.0, what=""):
    """Assert equal shapes, and entries equal to a share of the largest entry or of ``scale``."""
    found, expected = np.asarray(found), np.asarray(expected)
    assert found.shape == expected.shape, what
    largest = max(float(np.max(np.abs(expected))), scale)
    allowed = relative * largest + 1e-300
    assert np.all(np.abs(found - expected) <= allowed), f"{what}: {found} is not {expected}"


def strictly(function, *arguments, **keywords):
    """Call a function with warnings as errors."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return function(*arguments, **keywords)


def cast(dtype, p, X, Y):
    return {name: value.astype(dtype) for name, value in p.items()}, X.astype(dtype), Y.astype(dtype)


def directions(p, rng, dtype=float):
    """Draw what has the shapes of parameters."""
    return {name: rng.standard_normal(value.shape).astype(dtype) for name, value in p.items()}


def check_target(mlp, module, p, X, Y, seed=0):
    """Every function of a module, in the type of its arguments, against the formulas by hand in float64.

    Rounding grows by the few operations of each layer. In float64 that leaves 1e-10 of the largest gradient; the
    rounding of float32 is 2**29 times larger, which leaves 1e-3 of the largest gradient of all.
    """
    single = X.dtype == np.float32
    arguments = [*p.values(), X, Y]
    before = [v.copy() for v in arguments]
    exact, wide = cast(float, p, X, Y), 1e-3
    if not single:
        wide = None
    trace = strictly(module.trace, p, X, Y)
    assert list(trace) == mlp.names
    assert {name: v.dtype for name, v in trace.items()} == dict.fromkeys(mlp.names, X.dtype)
    expected = mlp.forward(exact[0], exact[1])
    expected["y_hat"] = expected.pop(f"h{mlp.depth}")
    for name, value in expected.items():
        if name != "h0":
            close(trace[name], value, wide or 1e-13, scale=1, what=name)
    total = mlp.total_loss(*exact)
    close(trace["loss"], total, wide or 1e-12, scale=1, what="loss")
    loss, gradients = strictly(module.loss_and_gradients, p, X, Y, input_gradient=True)
    for found in (loss, strictly(module.loss, p, X, Y), module.loss_and_gradients(p, X, Y)[0]):
        assert type(found) is float
        close(found, total, wide or 1e-12, scale=1, what="loss")
    y_hat = strictly(module.forward, p, X)
    close(y_hat, expected["y_hat"], wide or 1e-13, scale=1, what="forward")

    by_hand = mlp.gradients(*exact)
    largest = max(np.max(np.abs(g)) for g in by_hand.values())
    scale = max(largest, 1e-2) if single else max(1e-3 * largest, 1e-4)  # gradients that cancel to 0
    assert list(gradients) == [*module.PARAMETERS, "X"]
    assert list(module.loss_and_gradients(p, X, Y)[1]) == [*module.PARAMETERS]
    for name, gradient in gradients.items():
        close(gradient, by_hand[name], wide or 1e-10, scale, f"gradient by {name}")
    for name in mlp.names:
        if name.startswith("grad_"):
            close(trace[name], by_hand[name[5:]], wide or 1e-10, scale, name)

    V = directions(p, np.random.default_rng(seed), X.dtype)
    blocks = {}
    if hasattr(module, "hessian_vector"):
        blocks = strictly(module.hessian_vector, p, X, Y, V)
        second = mlp.hessian_vector(*exact, {name: v.astype(float) for name, v in V.items()})
        assert list(blocks) == [*module.PARAMETERS]
        largest = max(np.max(np.abs(b)) for b in second.values())
        scale = max(largest, 1e-2) if single else max(1e-3 * largest, 1e-4)
        for name, block in blocks.items():
            close(block, second[name], wide or 1e-10, scale, f"the Hessian times V, {name}")
    updated = strictly(module.update, p, gradients, 0.1)
    for name, value in updated.items():
        np.testing.assert_array_equal(value, p[name] - 0.1 * gradients[name])
    made = [y_hat, *gradients.values(), *blocks.values(), *updated.values()]
    assert {value.dtype for value in made} == {X.dtype}
    arrays = [*made, *(v for v in trace.values() if v.ndim)]
    assert all(value.flags.writeable for value in arrays)
    assert not any(np.shares_memory(value, given) for value in arrays for given in arguments)
    for i, value in enumerate(made):
        assert not any(np.shares_memory(value, other) for other in made[:i])
    for old, new in zip(before, arguments, strict=True):
        np.testing.assert_array_equal(old, new, err_msg="an argument was changed in place", strict=True)
