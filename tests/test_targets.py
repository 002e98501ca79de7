"""Every target: the same formulas by hand, safety, types and refusals; workspaces, memory, C and its compiler.

The oracle is `handwritten`. Architectures of the compiled targets are those of `checks.TABLE`, since a compiler takes
seconds; the others are random too.
"""

from __future__ import annotations

import ctypes
import itertools
import math
import os
import re
import stat
import subprocess
import sys
import sysconfig
import tracemalloc
from pathlib import Path

import c99
import numpy as np
import pytest
import sympy
from checks import (
    COMPILER,
    DTYPES,
    FAST,
    LARGE,
    NAMES,
    TABLE,
    cast,
    check_target,
    close,
    derived,
    directions,
    loaded,
    networks,
    strictly,
)
from handwritten import FORMULAS, LOSSES, MLP, OUTPUTS
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from test_module import BAD, BAD_GRADIENTS, BAD_LABELS, CALLS, COLUMNS, SHAPES, extremes, good, labels

from codegen import building, load
from codegen.c.extension import extension_source
from codegen.c.fast import fast_functions
from codegen.c.scalars import ScalarPrinter
from codegen.c.source import generate_c
from codegen.kernels.functions import functions
from codegen.loading import LOADABLE
from symbolic import read_architecture
from symbolic.architecture import to_compact
from symbolic.errors import InputError
from symbolic.scalars import x

needs_compiler = pytest.mark.skipif(COMPILER is None, reason="no C compiler")
INTERPRETED = [t for t in FAST if t not in ("c", "numba")]
REALS = {np.float64: "double", np.float32: "float"}


@pytest.fixture(autouse=True, scope="session")
def cache(tmp_path_factory):
    """Keep compiled extensions in a folder of this run, which the processes of pytest-xdist share."""
    base = tmp_path_factory.getbasetemp()
    folder = base.parent if "PYTEST_XDIST_WORKER" in os.environ else base
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(folder / "cache"))
        yield


def draw(mlp, samples, dtype=np.float64, seed=0):
    p, X, Y = cast(dtype, *mlp.draw(np.random.default_rng(seed), samples))
    return p, np.ascontiguousarray(X), np.ascontiguousarray(Y)


def flat(p):
    return np.concatenate([v.ravel() for v in p.values()])


# (a) The formulas.

@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("compact", TABLE)
@pytest.mark.parametrize("target", LOADABLE)
def test_formulas(target, compact, dtype):
    module, mlp = loaded(compact, target), TABLE[compact]
    for samples in (1, 5, 1):
        check_target(mlp, module, *cast(dtype, *mlp.draw(np.random.default_rng(samples), samples)))


@pytest.mark.parametrize("name", [*NAMES, *list(FORMULAS)[4:7]])
def test_every_activation_with_every_loss(name):
    """What verification looks at are terms, not the lines that are printed from them: so those are run, too."""
    for i, (loss, depth) in enumerate(itertools.product(LOSSES, (1, 2))):
        activations, biases = (name, OUTPUTS.get(loss, name))[-depth:], (i % 5 != 2,) * depth
        mlp = MLP((3, 4, 2)[-depth - 1:], activations, loss, ("rows", "columns")[i % 2],
                  weight_decay=(0.1, 0.0, 0.0)[i % 3], biases=biases)
        p, X, Y = mlp.draw(np.random.default_rng(i), 3)
        check_target(mlp, loaded(mlp.compact), p, X, Y)
        narrow = cast(np.float32, p, X, Y)
        blocks = loaded(mlp.compact).hessian_vector(*narrow, narrow[0])
        assert {b.dtype for b in blocks.values()} == {np.dtype(np.float32)}


@pytest.mark.parametrize("compact", ["2-3:relu?loss=hinge", "3-2:identity?loss=mean_absolute_error&samples=rows",
                                     "2-2:abs(x)?loss=hinge&weight_decay=0.1", "2-3-2:sign(x),relu?loss=huber"])
@pytest.mark.parametrize("target", FAST)
def test_products_that_are_zero(target, compact):
    module, plain = loaded(compact, target), loaded(compact)
    p, rng = plain.initialize(0), np.random.default_rng(1)
    Y = np.sign(rng.standard_normal([4 if n is None else n for n in loaded(compact, FAST[0]).VALUES["y_hat"]]))
    X = rng.standard_normal((4, p["W1"].shape[0]) if "rows" in compact else (p["W1"].shape[1], 4))
    for name, block in module.hessian_vector(p, X, Y, p).items():
        np.testing.assert_allclose(block, plain.hessian_vector(p, X, Y, p)[name], atol=1e-14)


@needs_compiler
@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("compact", TABLE)
def test_formulas_of_the_file_in_c(compact, dtype):
    mlp = TABLE[compact]
    for samples in (1, 5):
        p, X, Y = draw(mlp, samples, dtype, samples)
        module = c99.library(compact, REALS[dtype], samples)
        check_target(mlp, module, p, X, Y)
        check_step(module, module.step, p, X, Y)


@pytest.mark.parametrize("target", INTERPRETED)
@settings(max_examples=60, deadline=None, derandomize=True, database=None,
          suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(networks(), st.integers(1, 5), st.integers(0, 2**32 - 1))
@example(MLP((1, 1), ("identity",), "mean_squared_error", biases=(False,)), 1, 0)
@example(MLP((2, 3, 2), ("softmax", "softmax"), "cross_entropy", "rows", "mean", 0.1, (True, False)), 2, 1)
@example(MLP((3, 2, 2), ("softmax", "softmax"), "hinge", "rows"), 3, 2)
def test_random_architectures(target, mlp, samples, seed):
    module, (p, X, Y) = loaded(mlp.compact, target), draw(mlp, samples, seed=seed)
    check_target(mlp, module, p, X, Y)
    check_step(module, module.Workspace(samples).step, p, X, Y)
    p, X, Y = cast(np.float32, p, X, Y)
    loss, gradients = strictly(module.loss_and_gradients, p, X, Y, input_gradient=True)
    product = module.hessian_vector(p, X, Y, p)
    found = [*gradients.values(), *product.values(), module.forward(p, X), *module.trace(p, X, Y).values()]
    assert (type(loss), {v.dtype for v in found}) == (float, {np.dtype(np.float32)})


def check_step(module, step, p, X, Y):
    """One step in place is what an update does; its loss is the one before."""
    rounding = 1e-12 if X.dtype == np.float64 else 1e-4
    gradients, moved = module.loss_and_gradients(p, X, Y)[1], {name: v.copy() for name, v in p.items()}
    close(strictly(step, moved, X, Y, 0.1), module.loss(p, X, Y), rounding, 1, "the loss of a step")
    for name, value in moved.items():
        close(value, p[name] - 0.1 * gradients[name], rounding, 1, f"{name} after a step")


def test_the_hand_agrees_with_itself_about_hessians():
    """A complex step through its gradients against central differences of them, or it would be no oracle."""
    for name, loss in itertools.product(NAMES, LOSSES):
        mlp = MLP((3, 4, 2), (name, OUTPUTS.get(loss, name)), loss, "rows", "mean", 0.1, (True, False))
        p, X, Y = draw(mlp, 4, seed=3)
        V = directions(p, np.random.default_rng(4))
        product = mlp.hessian_vector(p, X, Y, V)
        above, below = (mlp.gradients({n: v + h * V[n] for n, v in p.items()}, X, Y) for h in (1e-6, -1e-6))
        for n in p:
            close(product[n], (above[n] - below[n]) / 2e-6, 1e-7, 0.1, f"{name}, {loss}, {n}")


@pytest.mark.parametrize("compact", TABLE)
@pytest.mark.parametrize("target", LOADABLE)
def test_hessians_are_symmetric_and_linear(target, compact):
    module, mlp = loaded(compact, target), TABLE[compact]
    p, X, Y = draw(mlp, 4)
    U, V = (directions(p, np.random.default_rng(seed)) for seed in (1, 2))
    HU, HV = (flat(module.hessian_vector(p, X, Y, W)) for W in (U, V))
    size = np.linalg.norm(flat(U)) * np.linalg.norm(HV) + 1e-300
    assert abs(flat(U) @ HV - flat(V) @ HU) <= 1e-12 * size
    both = module.hessian_vector(p, X, Y, {n: 2 * U[n] - 3 * V[n] for n in p})
    close(flat(both), 2 * HU - 3 * HV, 1e-12, np.max(np.abs(np.concatenate([HU, HV]))))
    nothing = module.hessian_vector(p, X, Y, {n: np.zeros_like(v) for n, v in p.items()})
    assert not np.any(flat(nothing))


@pytest.mark.parametrize("target", INTERPRETED)
@pytest.mark.parametrize("formula", SHAPES)
def test_formulas_of_every_shape(formula, target):
    """Against the NumPy module, which has been compared with Python's math."""
    compact = f"1-1:{formula}?loss=mean_squared_error&bias=false"
    points = np.array([[-3.3, -1.9, -0.7, -0.3, 0.4, 0.9, 1.2, 2.6, 3.7]])
    for dtype, tolerance in ((np.float64, 1e-12), (np.float32, 1e-4)):
        for X in (points, points[:, :1]):
            p, X, Y = cast(dtype, {"W1": np.ones((1, 1))}, X, np.zeros_like(X))
            found, expected = (strictly(loaded(compact, t).trace, p, X, Y) for t in (target, "numpy"))
            for name, value in expected.items():
                close(found[name], value, tolerance, 1, f"{formula}, {name}")
            for t in (target, "numpy"):
                assert type(loaded(compact, t).loss(p, X, Y)) is float
            close(loaded(compact, target).loss(p, X, Y), expected["loss"], tolerance, 1, formula)
            gradients, of_numpy = (loaded(compact, t).loss_and_gradients(p, X, Y)[1]["W1"] for t in (target, "numpy"))
            close(gradients, of_numpy, tolerance, 1, formula)


@needs_compiler
@pytest.mark.parametrize("fast", [False, True], ids=["math.h", "fast"])
@pytest.mark.parametrize("dtype", DTYPES)
def test_scalar_formulas_in_c(dtype, fast, tmp_path):
    """Every activation, its slope and the slope of that, printed as C, against SymPy in 30 digits."""
    real, points = REALS[dtype], [-3.25, -1.875, -0.75, -0.3125, 0.4375, 0.875, 1.25, 2.625, 3.75]
    printer, formulas = ScalarPrinter(real, fast), []
    for name in (*NAMES[:-1], *SHAPES):
        compact = f"1-1:{name}?loss=mean_squared_error&bias=false"
        equations = {str(e.symbol.name): e.term for e in derived(compact).forward.equations}
        formula = equations["y_hat"].function.formula if hasattr(equations["y_hat"], "function") else x
        formulas += [formula, sympy.diff(formula, x).doit(), sympy.diff(formula, x, 2).doit()]
    formulas = [f for f in formulas if not f.has(sympy.DiracDelta, sympy.Derivative, sympy.Subs)]
    bodies = [f"{real} f{i}(const {real} x) {{ (void)x; return {printer.formula(f)}; }}"
              for i, f in enumerate(formulas)]
    heads = [*(["#include <stdint.h>", "#include <string.h>"] if fast else []), "#include <math.h>"]
    parts = [*heads, *([fast_functions(real)] if fast else []), *printer.helpers.values(), *bodies]
    text = "\n".join(parts) + "\n"
    library = ctypes.CDLL(str(c99.compiled(text, tmp_path, "-O1", "-fPIC", "-shared", "-Wno-unused-function")))
    kind = {"double": ctypes.c_double, "float": ctypes.c_float}[real]
    rounding = 64 * float(np.finfo(dtype).eps)
    for i, formula in enumerate(formulas):
        function = getattr(library, f"f{i}")
        function.restype, function.argtypes = kind, [kind]
        for point in points:
            # A value below is 1/8 at least beside those that cancel: rounding counts from there.
            expected = float(sympy.N(formula.subs(x, sympy.Rational(point)), 30))
            largest = max(abs(expected), 1)
            assert abs(function(point) - expected) <= rounding * largest, f"{formula} at {point}"


@needs_compiler
@pytest.mark.parametrize("dtype", DTYPES)
def test_fast_exponentials(dtype, tmp_path):
    """Within 2 units in the last place, from about where exp is the smallest normal number; 0, inf, nan beyond."""
    real = REALS[dtype]
    kind = {"double": ctypes.c_double, "float": ctypes.c_float}[real]
    suffix = "" if real == "double" else "f"
    calls = "\n".join(f"void {n}_all(const {real} *x, {real} *y, size_t n) "
                      f"{{ for (size_t i = 0; i < n; i++) y[i] = fast_{n}{suffix}(x[i]); }}" for n in ("exp", "tanh"))
    text = "\n".join(["#include <math.h>", "#include <stddef.h>", "#include <stdint.h>", "#include <string.h>",
                      fast_functions(real), calls, ""])
    library = ctypes.CDLL(str(c99.compiled(text, tmp_path, "-O2", "-fPIC", "-shared")))

    def run(name, values):
        values = np.ascontiguousarray(values, dtype)
        found = np.empty_like(values)
        pointers = (v.ctypes.data_as(ctypes.POINTER(kind)) for v in (values, found))
        getattr(library, f"{name}_all")(*pointers, ctypes.c_size_t(values.size))
        return found

    info, low = np.finfo(dtype), {np.float64: -708.0, np.float32: -86.9}[dtype]
    inside = np.random.default_rng(0).uniform(low, np.log(float(info.max)) * (1 - 1e-6), 200_000).astype(dtype)
    inside = np.concatenate([inside, np.linspace(-3, 3, 10_001, dtype=dtype), np.array([0, 1e-30, -1e-30], dtype)])
    expected = np.exp(inside.astype(np.longdouble))
    assert np.max(np.abs(run("exp", inside) - expected) / expected) <= 2 * info.eps
    assert not np.any(run("exp", [-np.inf, -1e4, -1e30]))
    assert np.all(run("exp", [np.inf, 1e4, 1e30]) == np.inf)
    small = np.array([s * 10.0**-k for k in range(31) for s in (1, -1, 3.7, -3.7)], dtype)
    inside = np.concatenate([np.linspace(-25, 25, 100_001, dtype=dtype), small])
    expected = np.tanh(inside.astype(np.longdouble))
    assert np.max(np.abs(run("tanh", inside) - expected) / np.maximum(np.abs(expected), 1e-300)) <= 4 * info.eps
    np.testing.assert_array_equal(run("tanh", [np.inf, -np.inf, 1e30, -1e4, 0]), [1, -1, 1, -1, 0])
    for name in ("exp", "tanh"):
        assert np.all(np.isnan(run(name, [np.nan] * 9)))


# (b) Numerical safety.

@pytest.mark.parametrize("target", INTERPRETED)
@pytest.mark.parametrize("name", NAMES)
def test_huge_logits_are_finite(name, target):
    for i, loss in enumerate(LOSSES):
        samples = ("columns", "rows")[i % 2]
        suffix = f"?loss={loss}&samples={samples}&reduction={('sum', 'mean')[i % 3 == 0]}"
        small = np.array([[0.5, -0.25], [-0.125, 0.75]])
        compact = f"2-2-2:{name},{OUTPUTS.get(loss, 'identity')}{suffix}"
        for dtype in DTYPES:
            W, b, X = extremes(dtype, samples)
            p = {"W1": W, "b1": b, "W2": small.astype(dtype), "b2": b}
            Y = labels(loss, dtype, samples)
            if loss == "mean_absolute_error":  # a residual of 0 has any slope, by the last bit
                Y = Y - dtype(0.3)
            check_extremes(loaded(compact, target), compact, p, X, Y)


def check_extremes(module, compact, p, X, Y):
    """Nothing overflows, and all is as the NumPy module has it, which has been compared with exact values."""
    samples, given_X, given_Y = 1 if "samples=columns" in compact else 0, X, Y
    for chosen in (slice(None), [0], [X.shape[samples] - 1]) if hasattr(module, "Workspace") else (slice(None),):
        where = (slice(None), chosen) if samples else (chosen, slice(None))
        X, Y = (np.ascontiguousarray(a[where]) for a in (given_X, given_Y))
        tolerance = 1e-10 if X.dtype == np.float64 else 1e-3
        values, expected = strictly(module.trace, p, X, Y), loaded(compact).trace(p, X, Y)
        largest = max(np.max(np.abs(v)) for n, v in expected.items() if n.startswith("grad_"))
        for n, v in expected.items():
            assert np.all(np.isfinite(values[n])), f"{compact}, {n}"
            close(values[n], v, tolerance, max(1, largest) if n.startswith("grad_") else 1, f"{compact}, {n}")
        loss, gradients = strictly(module.loss_and_gradients, p, X, Y, input_gradient=True)
        for n, g in loaded(compact).loss_and_gradients(p, X, Y, input_gradient=True)[1].items():
            close(gradients[n], g, tolerance, max(1, largest), f"{compact}, {n}")
        close(loss, expected["loss"], tolerance, 1)
        close(strictly(module.loss, p, X, Y), expected["loss"], tolerance, 1)
        close(strictly(module.forward, p, X), expected["y_hat"], tolerance, 1)
        assert all(np.all(np.isfinite(b)) for b in strictly(module.hessian_vector, p, X, Y, p).values()), compact


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("compact", [c for c, m in TABLE.items() if not set(m.activations) & set(FORMULAS)])
@pytest.mark.parametrize("target", [*LOADABLE, "c99"])
def test_large_parameters_are_safe(target, compact, dtype):
    if target == "c99" and COMPILER is None:
        pytest.skip("no C compiler")
    mlp = TABLE[compact]
    for samples, scale in ((1, 300.0), (5, 1e3)):
        p, X, Y = draw(mlp, samples, dtype)
        module = c99.library(compact, REALS[dtype], samples) if target == "c99" else loaded(compact, target)
        check_extremes(module, compact, {n: v * dtype(scale) if n == "W1" else v for n, v in p.items()}, X, Y)


# (c) Types, refusals.

@pytest.mark.parametrize("convert", [np.ndarray.tolist, np.asfortranarray, lambda a: a.astype(int),
                                     lambda a: a.astype(np.uint8), lambda a: a.astype(bool),
                                     lambda a: a.astype(">f8"), lambda a: np.repeat(a, 2, axis=1)[:, ::2],
                                     lambda a: a[::-1].copy()[::-1], np.asmatrix, lambda a: unaligned(a.astype(float))],
                         ids=["lists", "Fortran", "int", "uint8", "bool", "bytes", "strides", "backwards", "matrix",
                              "unaligned"])
@pytest.mark.parametrize("target", FAST)
def test_other_numbers_are_taken_as_float64(target, convert):
    module = loaded(COLUMNS, target)
    p = {n: np.arange(math.prod(s)).reshape(s) % 2 * 1.0 for n, s in module.PARAMETERS.items()}
    X, Y = np.array([[1.0, 0, 1], [0, 1, 1]]), np.array([[1.0, 0, 0], [0, 1, 0], [0, 0, 1]])
    expected, product = module.trace(p, X, Y), module.hessian_vector(p, X, Y, p)
    loss, gradients = module.loss_and_gradients(p, X, Y, input_gradient=True)
    p, X, Y = {n: convert(v) for n, v in p.items()}, convert(X), convert(Y)
    assert module.loss(p, X, Y) == loss
    for name, value in module.trace(p, X, Y).items():
        np.testing.assert_array_equal(value, expected[name], strict=True)
    for name, value in module.loss_and_gradients(p, X, Y, input_gradient=True)[1].items():
        np.testing.assert_array_equal(value, gradients[name], strict=True)
    for name, value in module.hessian_vector(p, X, Y, p).items():
        np.testing.assert_array_equal(value, product[name], strict=True)


@pytest.mark.parametrize("target", FAST)
def test_one_wide_argument_makes_all_wide(target):
    module, (p, X, Y) = loaded(COLUMNS, target), good()
    narrow = cast(np.float32, p, X, Y)
    for wide in ({**narrow[0], "b2": p["b2"]}, narrow[1], Y), (narrow[0], X, Y), (narrow[0], narrow[1], Y):
        found = module.loss_and_gradients(*wide, input_gradient=True)[1]
        assert {g.dtype for g in found.values()} == {np.dtype(float)}


ALL_CALLS = {**CALLS, "hessian_vector": lambda m, p, X, Y: m.hessian_vector(p, X, Y, good()[0])}


@pytest.mark.parametrize("function", ALL_CALLS)
@pytest.mark.parametrize("target", FAST)
def test_refusals_are_those_of_numpy(target, function):
    modules, call = [loaded(COLUMNS, t) for t in (target, "numpy")], ALL_CALLS[function]
    expected = call(modules[0], *good())
    for case, (spoil, _) in (*BAD.items(), *((f"labels: {c}", v) for c, v in BAD_LABELS.items())):
        if function == "forward" and case.startswith("labels: "):
            continue
        messages = []
        for module in modules:
            with pytest.raises((ValueError, TypeError)) as raised:
                call(module, *spoil(*good()))
            messages.append((raised.type, str(raised.value)))
        assert messages[0] == messages[1], case
    np.testing.assert_equal(call(modules[0], *good()), expected)


@pytest.mark.parametrize("case", BAD_GRADIENTS)
@pytest.mark.parametrize("target", FAST)
def test_wrong_gradients_and_directions_are_refused(target, case):
    change = BAD_GRADIENTS[case][0]
    for function in ("update", "hessian_vector"):
        messages = []
        for module in (loaded(COLUMNS, t) for t in (target, "numpy")):
            p, X, Y = good()
            wrong = change(module.loss_and_gradients(p, X, Y)[1])
            with pytest.raises((ValueError, TypeError)) as raised:
                module.update(p, wrong, 0.1) if function == "update" else module.hessian_vector(p, X, Y, wrong)
            messages.append((raised.type, str(raised.value)))
        assert messages[0] == messages[1], function


# (d) Workspaces.

WORKSPACES = list(TABLE)[:6]


@pytest.mark.parametrize("dtype", DTYPES)
@pytest.mark.parametrize("samples", [1, 4])
@pytest.mark.parametrize("compact", WORKSPACES)
@pytest.mark.parametrize("target", FAST)
def test_workspaces(target, compact, samples, dtype):
    module, mlp = loaded(compact, target), TABLE[compact]
    p, X, Y = draw(mlp, samples, dtype)
    V = directions(p, np.random.default_rng(1), dtype)
    workspace = module.Workspace(samples, dtype)
    kept = [v.copy() for v in (*p.values(), X, Y, *V.values())]
    expected = module.loss_and_gradients(p, X, Y, input_gradient=True)
    product = module.hessian_vector(p, X, Y, V)
    for theta, direction in ((p, V), (flat(p), flat(V))):
        loss, gradients = strictly(workspace.loss_and_gradients, theta, X, Y)
        assert type(loss) is type(workspace.loss(theta, X, Y)) is float
        assert list(gradients) == list(p)
        assert (loss, workspace.loss(theta, X, Y)) == (expected[0], module.loss(p, X, Y))
        results = {"forward": (workspace.forward(theta, X), module.forward(p, X)),
                   "X": (workspace.input_gradient(theta, X, Y), expected[1]["X"]),
                   **{f"grad_{n}": (gradients[n], expected[1][n]) for n in p}}
        blocks = workspace.hessian_vector(theta, X, Y, direction)
        results |= {n: (blocks[n], product[n]) for n in p}
        for name, value in workspace.trace(theta, X, Y).items():
            results[f"trace {name}"] = value, np.reshape(module.trace(p, X, Y)[name], value.shape)
        for name, (found, wanted) in results.items():
            np.testing.assert_array_equal(found, wanted, err_msg=name, strict=True)
        vector = np.full(module.SIZE, np.nan, dtype)
        assert workspace.loss_and_gradients_flat(theta, X, Y, vector) == loss
        np.testing.assert_array_equal(vector, flat({n: expected[1][n] for n in p}))
        by_name = {n: np.full_like(v, np.nan) for n, v in p.items()}
        assert workspace.loss_and_gradients_flat(theta, X, Y, by_name) == loss
        for name, value in by_name.items():
            np.testing.assert_array_equal(value, expected[1][name])
    for old, new in zip(kept, (*p.values(), X, Y, *V.values()), strict=True):
        np.testing.assert_array_equal(old, new)
    check_step(module, workspace.step, p, X, Y)
    by_name, vector = {n: v.copy() for n, v in p.items()}, flat(p)
    for _ in range(3):
        assert workspace.step(by_name, X, Y, 0.1) == workspace.step(vector, X, Y, 0.1)
        np.testing.assert_array_equal(flat(by_name), vector)


@pytest.mark.parametrize("target", FAST)
def test_workspaces_share_nothing(target):
    """What one has returned is overwritten by its own next call of that function alone."""
    compact = WORKSPACES[1]
    module, mlp = loaded(compact, target), TABLE[compact]
    first, second = (module.Workspace(4) for _ in range(2))
    p, X, Y = draw(mlp, 4)
    q, Z, T = draw(mlp, 4, seed=1)
    returned = [lambda w, *a: {"y_hat": w.forward(*a[:2])}, lambda w, *a: w.loss_and_gradients(*a)[1],
                lambda w, *a: {"X": w.input_gradient(*a)}, lambda w, *a: w.trace(*a),
                lambda w, *a: w.hessian_vector(*a, a[0])]
    found = [call(first, p, X, Y) for call in returned]
    kept = [{n: v.copy() for n, v in f.items()} for f in found]
    others = [call(second, q, Z, T) for call in returned]
    second.step({n: v.copy() for n, v in q.items()}, Z, T, 0.1)
    first.loss(q, Z, T)
    module.trace(q, Z, T)
    for one, other, copy in zip(found, others, kept, strict=True):
        for name in one:
            np.testing.assert_array_equal(one[name], copy[name])
            assert not np.shares_memory(one[name], other[name])
    arrays = [v for f in found for v in f.values()]
    for a, b in itertools.combinations(arrays, 2):
        assert not np.shares_memory(a, b)
    for call, before in zip(returned, found, strict=True):
        assert all(value is before[name] for name, value in call(first, q, Z, T).items() if name != "X")


def strided(a):
    return np.repeat(a, 2, axis=-1)[..., ::2]


def unaligned(a):
    return np.frombuffer(b"x" + a.tobytes(), np.uint8)[1:].view(a.dtype).reshape(a.shape)


MISFITS = {
    "X with a feature more": lambda p, X, Y: (p, X[[0, 1, 1]], Y),
    "X with a sample less": lambda p, X, Y: (p, X[:, 1:].copy(), Y),
    "X and Y with a sample more": lambda p, X, Y: (p, np.hstack([X, X[:, :1]]), np.hstack([Y, Y[:, :1]])),
    "rank-1 X": lambda p, X, Y: (p, X[:, 0].copy(), Y),
    "transposed X": lambda p, X, Y: (p, X.T.copy(), Y),
    "float32 X": lambda p, X, Y: (p, X.astype(np.float32), Y),
    "strided X": lambda p, X, Y: (p, strided(X), Y),
    "Fortran X": lambda p, X, Y: (p, np.asfortranarray(X), Y),
    "X of integers": lambda p, X, Y: (p, X.astype(int), Y),
    "a list": lambda p, X, Y: (p, X.tolist(), Y),
    "one label for all": lambda p, X, Y: (p, X, Y[:, :1].copy()),
    "one row of labels": lambda p, X, Y: (p, X, Y[:1].copy()),
    "rank-1 Y": lambda p, X, Y: (p, X, Y[0].copy()),
    "float32 Y": lambda p, X, Y: (p, X, Y.astype(np.float32)),
    "Fortran Y": lambda p, X, Y: (p, X, np.asfortranarray(Y)),
    "Y of integers": lambda p, X, Y: (p, X, Y.astype(int)),
    "a scalar": lambda p, X, Y: (p, X, 0.5),
    "missing": lambda p, X, Y: ({n: v for n, v in p.items() if n != "b2"}, X, Y),
    "transposed weight": lambda p, X, Y: ({**p, "W1": p["W1"].T.copy()}, X, Y),
    "rank-1 bias": lambda p, X, Y: ({**p, "b1": p["b1"].ravel()}, X, Y),
    "row bias": lambda p, X, Y: ({**p, "b2": p["b2"].T.copy()}, X, Y),
    "scalar bias": lambda p, X, Y: ({**p, "b2": np.zeros((1, 1))}, X, Y),
    "float32 weight": lambda p, X, Y: ({**p, "W2": p["W2"].astype(np.float32)}, X, Y),
    "float32 bias": lambda p, X, Y: ({**p, "b2": p["b2"].astype(np.float32)}, X, Y),
    "strided weight": lambda p, X, Y: ({**p, "W2": strided(p["W2"])}, X, Y),
    "a vector too long": lambda p, X, Y: (np.append(flat(p), 0), X, Y),
    "a vector too short": lambda p, X, Y: (flat(p)[1:].copy(), X, Y),
    "a column": lambda p, X, Y: (flat(p)[:, None], X, Y),
    "an unknown name": lambda p, X, Y: ({**p, "b7": p["b1"]}, X, Y),
    "X among the parameters": lambda p, X, Y: ({**p, "X": X}, X, Y),
    "unaligned X": lambda p, X, Y: (p, unaligned(X), Y),
    "unaligned weight": lambda p, X, Y: ({**p, "W1": unaligned(p["W1"])}, X, Y),
    "an unaligned vector": lambda p, X, Y: (unaligned(flat(p)), X, Y),
    "a vector of float32": lambda p, X, Y: (flat(p).astype(np.float32), X, Y),
    "a strided vector": lambda p, X, Y: (strided(flat(p)), X, Y),
}


@pytest.mark.parametrize("case", MISFITS)
@pytest.mark.parametrize("target", FAST)
def test_workspaces_refuse_what_does_not_fit(target, case):
    module, samples = loaded(COLUMNS, target), 5
    workspace = module.Workspace(samples)
    p, X, Y = MISFITS[case](*good_contiguous())
    arrays = [*(p.values() if isinstance(p, dict) else [p]), X, Y]
    before = [np.copy(a) for a in arrays]
    gradients = np.full(module.SIZE, 0.25)
    calls = {
        "step": lambda: workspace.step(p, X, Y, 0.1),
        "loss_and_gradients": lambda: workspace.loss_and_gradients_flat(p, X, Y, gradients),
        "loss": lambda: workspace.loss(p, X, Y), "trace": lambda: workspace.trace(p, X, Y),
        "hessian_vector": lambda: workspace.hessian_vector(p, X, Y, good_contiguous()[0]),
    }
    for name, call in calls.items():
        with pytest.raises(ValueError, match=r"\w"):
            call()
        for a, b in zip(arrays, before, strict=True):
            np.testing.assert_array_equal(a, b, err_msg=name)
        assert np.all(gradients == 0.25), name


@pytest.mark.parametrize("target", FAST)
def test_fewer_samples_are_refused_or_right(target):
    module, (p, X, Y) = loaded(COLUMNS, target), good_contiguous()
    for samples in (1, 4):
        few = p, X[:, :samples].copy(), Y[:, :samples].copy()
        try:
            loss, gradients = module.Workspace(5).loss_and_gradients(*few)
        except ValueError:
            continue
        expected = module.loss_and_gradients(*few)
        assert loss == expected[0]
        np.testing.assert_equal(gradients, expected[1])


def good_contiguous():
    p, X, Y = good()
    return p, np.ascontiguousarray(X), np.ascontiguousarray(Y)


@pytest.mark.parametrize("change", [lambda g: g[1:].copy(), lambda g: np.append(g, 0), lambda g: g.astype(np.float32),
                                    strided, lambda g: g[:, None], lambda g: g[None].copy()],
                         ids=["short", "long", "float32", "strided", "column", "row"])
@pytest.mark.parametrize("target", FAST)
def test_workspaces_refuse_wrong_results_and_directions(target, change):
    module, (p, X, Y) = loaded(COLUMNS, target), good_contiguous()
    workspace, wrong = module.Workspace(5), change(np.full(module.SIZE, 0.25))
    with pytest.raises(ValueError, match=r"\w"):
        workspace.loss_and_gradients_flat(p, X, Y, wrong)
    assert set(np.unique(wrong)) <= {0, 0.25}
    with pytest.raises(ValueError, match=r"\w"):
        workspace.hessian_vector(p, X, Y, wrong)


@pytest.mark.parametrize("target", FAST)
def test_workspaces_refuse_results_that_cannot_be_written(target):
    module, (p, X, Y) = loaded(COLUMNS, target), good_contiguous()
    frozen = np.zeros(module.SIZE)
    frozen.flags.writeable = False
    with pytest.raises(ValueError, match=r"\w"):
        module.Workspace(5).loss_and_gradients_flat(p, X, Y, frozen)
    vector = flat(p)
    vector.flags.writeable = False
    with pytest.raises(ValueError, match=r"\w"):
        module.Workspace(5).step(vector, X, Y, 0.1)


@pytest.mark.parametrize("compact", [*WORKSPACES, *(m.compact for m in LARGE)])
@pytest.mark.parametrize("target", [*FAST, "c99"])
def test_trajectories(target, compact):
    """50 steps of gradient descent, against the steps of the formulas by hand."""
    if target == "c99" and COMPILER is None:
        pytest.skip("no C compiler")
    mlp = TABLE[compact]
    start, X, Y = draw(mlp, 5)
    start = {n: v * 0.5 for n, v in start.items()}
    by_hand, moved, losses = dict(start), {n: v.copy() for n, v in start.items()}, []
    for _ in range(50):
        losses.append(float(mlp.total_loss(by_hand, X, Y)))
        gradients = mlp.gradients(by_hand, X, Y)
        by_hand = {n: v - 0.01 * gradients[n] for n, v in by_hand.items()}
    step = c99.library(compact, "double", 5).step if target == "c99" else loaded(compact, target).Workspace(5).step
    found = [step(moved, X, Y, 0.01) for _ in range(50)]
    close(found, losses, 1e-9, 1, "losses")
    for name, value in moved.items():
        close(value, by_hand[name], 1e-9, 1, name)


# (e) Memory.

@pytest.mark.parametrize("activations", [*((n, n) for n in NAMES)], ids=lambda a: a[0])
@pytest.mark.parametrize("target", ["numpy-workspace"])
def test_a_step_allocates_nothing(target, activations):
    """The smallest buffer, 10 x 256 numbers of float64, has 20 kB. Python's own objects stay far below.

    A call makes views, of some 100 bytes each, and lists of them: of 6 parameters, as many results and directions.
    """
    for samples, loss in (("rows", "cross_entropy"), ("columns", "huber")):
        mlp = MLP((50, 40, 30, 10), (*activations, OUTPUTS.get(loss, "identity")), loss, samples, "mean", 0.1)
        module = loaded(mlp.compact, target)
        p, X, Y = draw(mlp, 256)
        workspace, V = module.Workspace(256), directions(p, np.random.default_rng(1))
        calls = {"loss_and_gradients": (p, X, Y), "step": (p, X, Y, 1e-3), "loss": (p, X, Y), "forward": (p, X),
                 "hessian_vector": (p, X, Y, V), "trace": (p, X, Y), "input_gradient": (p, X, Y)}
        for name, arguments in calls.items():
            call = getattr(workspace, name)
            for _ in range(3):
                call(*arguments)
            tracemalloc.start()
            call(*arguments)
            before = tracemalloc.get_traced_memory()[0]
            tracemalloc.reset_peak()
            call(*arguments)
            peak = tracemalloc.get_traced_memory()[1] - before
            tracemalloc.stop()
            assert peak <= 4096, f"{name} of {mlp.compact} allocates {peak} bytes"


# (f) The C99 file.

@needs_compiler
@pytest.mark.parametrize("real", ["double", "float"])
@pytest.mark.parametrize("compact", TABLE)
def test_the_file_in_c_needs_libm_alone(compact, real, tmp_path):
    path = tmp_path / "network.c"
    path.write_text(c99.source(compact, real), encoding="utf-8")
    for size in (1, 7):
        subprocess.run([COMPILER, *c99.STRICT, "-O0", f"-DBATCH_SIZE={size}", "-c", str(path), "-o",
                        str(tmp_path / "network.o")], check=True)
    symbols = subprocess.run(["nm", str(tmp_path / "network.o")], capture_output=True, text=True, check=True).stdout
    kinds = [line.split()[-2:] for line in symbols.splitlines()]
    assert [name for kind, name in kinds if kind in "bBdDC"] == []
    functions = {"exp", "log", "log1p", "expm1", "tanh", "sin", "cos", "erf", "sqrt", "pow", "fabs", "fmax", "fmin"}
    called = {name for kind, name in kinds if kind == "U"} - {"_GLOBAL_OFFSET_TABLE_", "__stack_chk_fail"}
    assert called <= {f if real == "double" else f"{f}f" for f in functions}
    public = {name for kind, name in kinds if kind == "T"}
    closed = {"hessian"} if hasattr(loaded(compact), "hessian") else set()
    assert public == {"forward", "loss", "loss_and_gradients", "input_gradient", "trace", "step", "hessian_vector",
                      "update"} | closed


BEYOND = ["x*1e50", "x*1e-60", "x*1e30", "x*1e-30", "tanh(x/1e46)"]
"""Their slopes, or the squares of those, are beyond float."""


@needs_compiler
@pytest.mark.parametrize("real", ["double", "float"])
@pytest.mark.parametrize("activation", [*BEYOND, "x*1e15", "x*1e-15", "x/3e18"])
def test_constants_beyond_a_type_are_refused(activation, real, tmp_path):
    """Else the compiler warns, and the number is infinite or 0."""
    network = read_architecture(f"2-2:{activation}?loss=mean_squared_error")
    if real == "float" and activation in BEYOND:
        with pytest.raises(InputError, match=r"^the constant \S+ of the formulas is beyond the range of float; "
                                             "generate the file with --dtype double$"):
            generate_c(network, None, real)
    else:
        c99.compiled(generate_c(network, None, real), tmp_path, "-O1", "-fPIC", "-shared")


@needs_compiler
def test_a_weight_decay_beyond_float_is_refused(tmp_path):
    network = read_architecture("2-2:tanh?loss=mean_squared_error&weight_decay=1e-50")
    with pytest.raises(InputError, match="the constant 1e-50 of the formulas is beyond the range of float"):
        generate_c(network, None, "float")
    c99.compiled(generate_c(network), tmp_path, "-O1", "-fPIC", "-shared")


@needs_compiler
def test_no_samples_are_refused_in_words(tmp_path):
    (tmp_path / "network.c").write_text(c99.source(COLUMNS), encoding="utf-8")
    for size in ("0", "-1"):
        made = subprocess.run([COMPILER, "-std=c99", f"-DBATCH_SIZE={size}", "-c", "network.c"], cwd=tmp_path,
                              capture_output=True, text=True, check=False)
        assert made.returncode
        assert "BATCH_SIZE: expected a whole number of samples from 1 on" in made.stderr


def test_many_layers_are_compiled_as_loops_that_they_share():
    """A compiler's time is what the rule is about: a network of many narrow layers is large, too."""
    few, many = (extension_source(n, functions(derived(to_compact(n))), "_x") for n in map(
        read_architecture, ("3-3-3-3:sigmoid,sigmoid,softmax", f"4-{'4-' * 29}4:tanh*29,softmax")))
    assert "static void loop1" not in few
    assert "room[" in few
    assert "static void loop1" in many
    assert "room[" not in many
    assert len(set(re.findall(r"static void (loop\d+_f64)", many))) < 40


@pytest.mark.parametrize("compact", TABLE)
def test_the_file_in_c_does_not_change(compact):
    for real in ("double", "float"):
        text = c99.source(compact, real)
        assert generate_c(read_architecture(compact), None, real) == text
        assert text.endswith("}\n")
        assert not [line for line in text.split("\n") if line != line.rstrip() or "\t" in line]


SANITIZED = [("double", 5), ("float", 1), ("double", 1), ("float", 3)]
MAIN = r"""
#include "network.c"
#include <stdio.h>
#include <stdlib.h>

static REAL *room(size_t n) {
    REAL *p = malloc(n*sizeof *p);
    if (!p) exit(1);
    for (size_t i = 0; i < n; i++) p[i] = (REAL)NAN;
    return p;
}

static REAL *given(size_t n) {
    REAL *p = room(n);
    for (size_t i = 0; i < n; i++) {
        double value;
        if (scanf("%lf", &value) != 1) exit(2);
        p[i] = (REAL)value;
    }
    return p;
}

static void show(const REAL *p, size_t n) {
    for (size_t i = 0; i < n; i++) printf("%.17g\n", (double)p[i]);
}

int main(void) {
    REAL *parameters = given(PARAMETERS), *X = given(X_SIZE), *Y = given(Y_SIZE), *V = given(PARAMETERS);
    REAL *rooms[8];
    const size_t sizes[] = {Y_SIZE, 1, PARAMETERS, X_SIZE, VALUES, PARAMETERS, 1};
    for (size_t i = 0; i < 7; i++) rooms[i] = room(sizes[i]);
    for (int i = 0; i < 7; i++) {  /* a workspace of its own for each, so that reading what was not written is seen */
        REAL *workspace = room(WORKSPACE);
        if (i == 0) forward(parameters, X, rooms[0], workspace);
        if (i == 1) *rooms[1] = loss(parameters, X, Y, workspace);
        if (i == 2) (void)loss_and_gradients(parameters, X, Y, rooms[2], workspace);
        if (i == 3) input_gradient(parameters, X, Y, rooms[3], workspace);
        if (i == 4) trace(parameters, X, Y, rooms[4], workspace);
        if (i == 5) hessian_vector(parameters, X, Y, V, rooms[5], workspace);
        if (i == 6) *rooms[6] = step(parameters, X, Y, (REAL)0.125, workspace);
        free(workspace);
    }
    for (size_t i = 0; i < 7; i++) { show(rooms[i], sizes[i]); free(rooms[i]); }
    show(parameters, PARAMETERS);
    free(parameters); free(X); free(Y); free(V);
    return 0;
}
"""


@needs_compiler
@pytest.mark.parametrize(("compact", "real", "samples"), [
    (c, *variant) for c, variant in zip(TABLE, itertools.cycle(SANITIZED), strict=False) if TABLE[c] not in LARGE])
def test_the_file_in_c_under_sanitizers(compact, real, samples, tmp_path):
    mlp = TABLE[compact]
    p, X, Y = draw(mlp, samples)
    V = directions(p, np.random.default_rng(1))
    (tmp_path / "network.c").write_text(c99.source(compact, real), encoding="utf-8")
    (tmp_path / "main.c").write_text(MAIN, encoding="utf-8")
    flags = ["-O1", "-g", "-fsanitize=address,undefined", "-fno-sanitize-recover=all", f"-DBATCH_SIZE={samples}",
             f"-DREAL={real}", f"-DX_SIZE={X.size}", f"-DY_SIZE={Y.size}"]
    made = subprocess.run([COMPILER, *c99.STRICT, *flags, "main.c", "-o", "main", "-lm"], cwd=tmp_path,
                          capture_output=True, text=True, check=False)
    if made.returncode and ("sanitize" in made.stderr or "asan" in made.stderr):
        pytest.skip("no sanitizers")
    assert made.returncode == 0, made.stderr
    numbers = "\n".join(repr(float(v)) for a in (flat(p), X, Y, flat(V)) for v in np.ravel(a))
    run = subprocess.run([str(tmp_path / "main")], input=numbers, capture_output=True, text=True, check=False)
    assert (run.returncode, run.stderr) == (0, "")
    found = iter(np.array(run.stdout.split(), float))

    def take(n):
        return np.array(list(itertools.islice(found, n)))

    relative = 1e-10 if real == "double" else 1e-3
    values, gradients = mlp.forward(p, X), mlp.gradients(p, X, Y)
    second, total = mlp.hessian_vector(p, X, Y, V), float(mlp.total_loss(p, X, Y))
    largest = max(1, *(np.max(np.abs(g)) for g in (*gradients.values(), *second.values())))
    named = loaded(compact).trace(p, X, Y)
    close(take(Y.size), values[f"h{mlp.depth}"].ravel(), relative, 1, "forward")
    close(take(1), [total], relative, 1, "loss")
    close(take(flat(p).size), flat({n: gradients[n] for n in p}), relative, largest, "gradients")
    close(take(X.size), gradients["X"].ravel(), relative, largest, "X")
    for name, value in named.items():
        close(take(np.size(value)), np.ravel(value), relative, largest, name)
    close(take(flat(p).size), flat(second), relative, largest, "hessian_vector")
    close(take(1), [total], relative, 1, "the loss of a step")
    close(take(flat(p).size), flat(p) - 0.125 * flat({n: gradients[n] for n in p}), relative, largest, "step")
    assert next(found, None) is None


# (g) The compiler and the cache.

TINY = "1-1:tanh?loss=mean_squared_error"


@pytest.fixture
def own_cache(tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "gradwright"


@pytest.fixture
def fresh(monkeypatch):
    """Let no extension be known to Python, as in a new process."""
    for name in [n for n in sys.modules if n.startswith("_net_")]:
        monkeypatch.delitem(sys.modules, name)


@pytest.fixture
def counting(tmp_path, monkeypatch):
    """Set $CC to a script that notes each run but those that ask for the version."""
    log, script = tmp_path / "runs", tmp_path / "compiler"
    script.write_text(f'#!/bin/sh\ncase "$*" in *--version) ;; *) echo run >> "{log}";; esac\nexec {COMPILER} "$@"\n')
    script.chmod(script.stat().st_mode | stat.S_IEXEC)
    monkeypatch.setenv("CC", str(script))
    return lambda: len(log.read_text().splitlines()) if log.exists() else 0


def check_tiny(module):
    p, X, Y = {"W1": np.array([[0.5]]), "b1": np.array([[0.25]])}, np.array([[1.5]]), np.array([[2.0]])
    assert module.loss(p, X, Y) == pytest.approx((math.tanh(1) - 2) ** 2, rel=1e-14)


@needs_compiler
def test_an_extension_is_compiled_once(own_cache, fresh, counting):
    network = read_architecture(TINY)
    for _ in range(2):
        found, target, words = building.load_fast(network, "c")
        assert (target, words, counting()) == ("c", "", 1)
        check_tiny(found)
    (file,) = own_cache.rglob("*.so")
    assert [f for f in file.parent.iterdir() if f != file] == []  # nothing that was on the way is left
    load(read_architecture(TINY.replace("tanh", "sigmoid")), target="c")
    assert counting() == 2


NO_COMPILER = {
    "an empty PATH": (lambda m, path: (m.delenv("CC", raising=False), m.setenv("PATH", str(path))), ["no C compiler"]),
    "a compiler that is none": (lambda m, path: (m.setenv("CC", "/nonexistent"), m.setenv("PATH", str(path))),
                                ["no C compiler"]),
    "a compiler that fails": (lambda m, path: m.setenv("CC", str(path / "broken")), ["broken", "error: out of ideas"]),
    "no headers": (lambda m, path: m.setattr(sysconfig, "get_path", lambda *a, **k: str(path)), ["Python.h"]),
}


@pytest.mark.parametrize("case", [c if c == "an empty PATH" else pytest.param(c, marks=needs_compiler)
                                  for c in NO_COMPILER])
def test_without_a_compiler_the_next_best_target_is_used(case, own_cache, fresh, tmp_path, monkeypatch):
    broken = tmp_path / "broken"
    broken.write_text('#!/bin/sh\necho "a note"; echo "x.c:1: error: out of ideas" >&2\nexit 1\n')
    broken.chmod(0o755)
    change, expected = NO_COMPILER[case]
    change(monkeypatch, tmp_path)
    found, target, words = building.load_fast(read_architecture(TINY), "c")
    assert target in ("numba", "numpy-workspace")
    check_tiny(found)
    assert [w for w in (*expected, "c cannot be had", f"{target} is used instead") if w not in words] == [], words
    assert "\n" not in words
    assert list(own_cache.rglob("*.so")) == []
    with pytest.raises(building.NoCompilerError, match=expected[0]):
        load(read_architecture(TINY), target="c")


def test_where_numpy_alone_is_there_numba_is_passed_over(monkeypatch):
    monkeypatch.setitem(sys.modules, "numba", None)
    found, target, words = building.load_fast(read_architecture(TINY), "numba")
    assert target == "numpy-workspace"
    assert words.endswith("numpy-workspace is used instead")
    assert "\n" not in words
    check_tiny(found)


@needs_compiler
def test_a_cache_that_cannot_be_written(tmp_path, fresh, monkeypatch):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    found, target, words = building.load_fast(read_architecture(TINY), "c")
    assert target in ("numba", "numpy-workspace")
    assert words
    check_tiny(found)


@needs_compiler
def test_processes_that_compile_at_once(own_cache):
    code = f"""
import numpy as np
from codegen import load
from symbolic import read_architecture
module = load(read_architecture({TINY!r}), target="c")
print(module.loss({{"W1": np.array([[0.5]]), "b1": np.array([[0.25]])}}, np.array([[1.5]]), np.array([[2.0]])))
"""
    root = Path(__file__).parent.parent
    running = [subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                                cwd=root) for _ in range(3)]
    for process in running:
        out, errors = process.communicate(timeout=300)
        assert (process.returncode, errors) == (0, "")
        assert float(out) == pytest.approx((math.tanh(1) - 2) ** 2, rel=1e-14)
    (file,) = own_cache.rglob("*.so")
    assert list(file.parent.iterdir()) == [file]


@needs_compiler
def test_a_spoilt_file_of_the_cache(own_cache, fresh):
    """A file that is no library gives an error or a new one, never a wrong result."""
    built = building.build_c(read_architecture(TINY))
    built.compiled.write_bytes(b"")
    found, target, words = building.load_fast(read_architecture(TINY), "c")
    assert target == "c" or words
    check_tiny(found)


@needs_compiler
@pytest.mark.parametrize("mlp", LARGE, ids=lambda m: m.compact)
def test_without_the_library_of_numpy_loops_multiply(mlp):
    """A process whose extension was told no addresses computes the same."""
    code = f"""
import sys, ctypes
import numpy as np
sys.path[:0] = {[str(Path(__file__).parent)]!r}
from checks import check_target, derived
from handwritten import MLP
from codegen.building import build_c, import_extension
from codegen.loading import execute
from symbolic import read_architecture
mlp = {mlp!r}
built = build_c(read_architecture(mlp.compact), derived(mlp.compact))
import_extension(built)
module = execute(built.name, built.text.replace("cblas_{{name}}", "nothing_{{name}}"))
assert "nothing_" in built.text.replace("cblas_{{name}}", "nothing_{{name}}")
for samples in 1, 5:
    check_target(mlp, module, *mlp.draw(np.random.default_rng(samples), samples))
"""
    subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(__file__).parent.parent)
