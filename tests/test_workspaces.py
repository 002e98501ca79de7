"""Workspaces: what they are called with, and the memory that they read and write; module functions in threads."""

from __future__ import annotations

import math
import re
import sys
import threading

import numpy as np
import pytest
from checks import FAST, TABLE, directions, loaded
from test_module import COLUMNS
from test_targets import cache, draw, flat, good_contiguous, strided, unaligned  # noqa: F401  # cache is a fixture

MESSAGES = {
    "dtype": (lambda X: X.astype(np.float32), r"X: expected .*float64 \(2, 5\), came float32 \(2, 5\)$"),
    "order": (np.asfortranarray, r"X: .* came float64 \(2, 5\) in Fortran order$"),
    "strides": (strided, r"X: .* came float64 \(2, 5\) with strides$"),
    "shape": (lambda X: X[:1].copy(), r"X: .*\(2, 5\), came float64 \(1, 5\)$"),
    "alignment": (unaligned, r"X: .* aligned .* came float64 \(2, 5\) that is not aligned$"),
    "bytes": (lambda X: X.astype(">f8"), r"X: .* came >f8 \(2, 5\)$"),
    "no array": (lambda X: X.tolist(), r"X: expected .*\(2, (5|N)\), came a list$"),
}


@pytest.mark.parametrize("case", MESSAGES)
@pytest.mark.parametrize("target", FAST)
def test_workspaces_say_what_came(target, case):
    change, words = MESSAGES[case]
    p, X, Y = good_contiguous()
    workspace = loaded(COLUMNS, target).Workspace(5)
    for call in (workspace.loss, workspace.loss_and_gradients, workspace.trace):
        with pytest.raises(ValueError, match=words):
            call(p, change(X), Y)
    if case != "shape":
        of_weight = words.replace("X: ", r"parameters\['W1'\]: ").replace("2, 5", "4, 2").replace("2, (5|N)", "4, 2")
        with pytest.raises(ValueError, match=of_weight):
            workspace.loss({**p, "W1": change(p["W1"])}, X, Y)


@pytest.mark.parametrize("target", FAST)
def test_arguments_of_workspaces(target):
    module, (p, X, Y) = loaded(COLUMNS, target), good_contiguous()
    for dtype in (int, complex, np.float16, object, ">f8"):
        with pytest.raises(TypeError, match="float64 or float32"):
            module.Workspace(3, dtype)
    for samples in (0, -1, np.int64(-2)):
        with pytest.raises(ValueError, match="samples: expected a whole number from 1 on"):
            module.Workspace(samples)
    for samples in ("3", 2.0, None):
        with pytest.raises(TypeError, match="samples: expected a whole number from 1 on"):
            module.Workspace(samples)
    workspace = module.Workspace(samples=np.int64(5), dtype="float64")
    assert workspace.loss(p, X, Y) == module.loss(p, X, Y)
    before = flat(p)
    for rate, error in (("a", TypeError), (None, TypeError), (1j, TypeError), (math.nan, ValueError),
                        (math.inf, ValueError)):
        with pytest.raises(error, match="learning_rate: expected a"):
            workspace.step(p, X, Y, rate)
    np.testing.assert_array_equal(flat(p), before)
    for rate in (0.5, np.float32(0.5), np.array(0.5)):
        moved = {n: v.copy() for n, v in p.items()}
        workspace.step(moved, X, Y, rate)
        np.testing.assert_allclose(moved["b2"], p["b2"] - 0.5 * module.loss_and_gradients(p, X, Y)[1]["b2"], rtol=1e-12)
    with pytest.raises(ValueError, match="b7"):
        workspace.hessian_vector(p, X, Y, {**p, "b7": p["b1"]})
    with_X = {**p, "X": X}  # as gradients come from loss_and_gradients
    np.testing.assert_equal(workspace.hessian_vector(p, X, Y, with_X), module.hessian_vector(p, X, Y, p))


@pytest.mark.parametrize("samples", [1, 5])
@pytest.mark.parametrize("target", FAST)
def test_arguments_may_come_by_name(target, samples):
    module, (p, X, Y) = loaded(COLUMNS, target), good_contiguous()
    X, Y = X[:, :samples].copy(), Y[:, :samples].copy()
    V, names = directions(p, np.random.default_rng(0)), {"parameters": p, "X": X, "Y": Y}
    workspace = module.Workspace(samples=samples)
    for name, more in {"loss": {}, "loss_and_gradients": {}, "input_gradient": {}, "trace": {},
                       "hessian_vector": {"V": V}}.items():
        np.testing.assert_equal(getattr(workspace, name)(**names, **more),
                                getattr(module.Workspace(samples), name)(*names.values(), *more.values()))
    assert workspace.loss(p, Y=Y, X=X) == workspace.loss(p, X, Y)
    np.testing.assert_equal(workspace.forward(X=X, parameters=p), module.forward(X=X, parameters=p))
    by_name, moved = copied(p), copied(p)
    assert workspace.step(by_name, X, Y, learning_rate=0.1) == workspace.step(moved, X, Y, 0.1)
    np.testing.assert_equal(by_name, moved)
    workspace.loss_and_gradients_flat(**names, gradients=np.zeros(module.SIZE))
    for call in (lambda: workspace.loss(**names, Z=1), lambda: workspace.loss(p, X, Y, Y=Y),
                 lambda: workspace.step(p, X, Y), lambda: workspace.loss(), lambda: workspace.loss(X=X),
                 lambda: workspace.step(p, X, Y, 0.1, 0.2)):
        with pytest.raises(TypeError):
            call()


# Memory that is read and written.

def own_results(workspace, p, X, Y, V):
    """Calls that hand a workspace what it returned: what they are given, and the calls."""
    product, gradients = workspace.hessian_vector(p, X, Y, V), workspace.loss_and_gradients(p, X, Y)[1]
    values, vector = workspace.trace(p, X, Y), np.zeros_like(flat(p))
    vector[...] = flat(p)
    y_hat, grad_X = workspace.forward(p, X), workspace.input_gradient(p, X, Y)
    views = {n: v[...] for n, v in product.items()}
    return {
        "V is the product": (lambda m, V: m.hessian_vector(p, X, Y, V), product),
        "V is made of views of it": (lambda m, V: m.hessian_vector(p, X, Y, V), views),
        "V is its vector": (lambda m, V: m.hessian_vector(p, X, Y, V), next(iter(product.values())).base),
        "V are the gradients": (lambda m, V: m.hessian_vector(p, X, Y, V), gradients),
        "parameters are the product": (lambda m, q: m.hessian_vector(q, X, Y, V), product),
        "parameters are the gradients": (lambda m, q: m.loss_and_gradients(q, X, Y), gradients),
        "X is y_hat": (lambda m, Z: m.forward(p, Z), y_hat),
        "X is y_hat, and gradients": (lambda m, Z: m.loss_and_gradients(p, Z, Y), y_hat),
        "Y is y_hat": (lambda m, Z: m.loss_and_gradients(p, X, Z), y_hat),
        "X is grad_X": (lambda m, Z: m.input_gradient(p, Z, Y), grad_X),
        "X is a value": (lambda m, Z: m.trace(p, Z, Y), values["y_hat"]),
        "Y is a value": (lambda m, Z: m.trace(p, X, Z), values["y_hat"]),
        "parameters are values": (lambda m, q: m.trace(q, X, Y), {n: values[f"grad_{n}"] for n in p}),
        "a step of the gradients": (lambda m, q: (m.step(q, X, Y, 0.1), q), gradients),
        "gradients over the parameters": (lambda m, f: (m.loss_and_gradients_flat(f, X, Y, f), f), vector),
        "the same by name": (lambda m, q: (m.loss_and_gradients_flat(q, X, Y, q), q), copied(p)),
    }


def copied(given):
    return {n: v.copy() for n, v in given.items()} if isinstance(given, dict) else given.copy()


WORKS = {"V is the product", "V is made of views of it", "V is its vector", "V are the gradients", "Y is y_hat",
         "X is y_hat, and gradients", "a step of the gradients"}


@pytest.mark.parametrize("samples", [1, 4])
@pytest.mark.parametrize("compact", ["3-4-3:tanh,softmax", "40-60-40:tanh,softmax?samples=rows"])
@pytest.mark.parametrize("target", FAST)
def test_results_as_arguments_are_right_or_refused(target, compact, samples):
    module, rng = loaded(compact, target), np.random.default_rng(0)
    p, rows = module.initialize(1), "rows" in compact
    wide = 40 if rows else 3
    X, Y = rng.standard_normal((samples, wide)), rng.dirichlet(np.ones(wide), samples)
    X, Y = (X, Y) if rows else (X.T.copy(), Y.T.copy())
    V = directions(p, rng)
    for case in own_results(module.Workspace(samples), p, X, Y, V):
        workspace, fresh = module.Workspace(samples), module.Workspace(samples)
        call, given = own_results(workspace, p, X, Y, V)[case]
        if case.startswith("gradients over") or case == "the same by name":
            other = np.zeros_like(flat(p))
            expected = fresh.loss_and_gradients_flat(copied(given), X, Y, other)
            expected = expected, other
        else:
            expected = call(fresh, copied(given))
        before, error = copied(given), ""
        try:
            found = call(workspace, given)
        except ValueError as raised:
            error = str(raised)
        if error:
            assert case not in WORKS, error
            assert re.fullmatch("[^\n]*stands in the memory of [^\n]*, which is written; give a copy", error)
            np.testing.assert_equal(copied(given), before)
            continue
        if isinstance(found, tuple) and case in ("gradients over the parameters", "the same by name"):
            found = found[0], flat(found[1]) if isinstance(found[1], dict) else found[1]
        np.testing.assert_equal(found, expected, err_msg=case)


@pytest.mark.parametrize("target", FAST)
def test_power_iteration(target):
    module, (p, X, Y) = loaded(COLUMNS, target), good_contiguous()
    workspace, expected = module.Workspace(5), directions(p, np.random.default_rng(0))
    v = {n: b.copy() for n, b in expected.items()}
    for _ in range(5):
        v = workspace.hessian_vector(p, X, Y, v)
        expected = module.hessian_vector(p, X, Y, expected)
        size = np.linalg.norm(flat(v))
        for block in v.values():
            block /= size
        expected = {n: b / size for n, b in expected.items()}
    np.testing.assert_allclose(flat(v), flat(expected), rtol=1e-12)


@pytest.mark.parametrize("compact", ["3-3-3:tanh,softmax", "50-50-50:tanh,softmax"])
@pytest.mark.parametrize("samples", [1, 3])
@pytest.mark.parametrize("target", FAST)
def test_a_step_refuses_parameters_that_share_memory(target, compact, samples):
    module, width = loaded(compact, target), int(compact.partition("-")[0])
    p, X, Y = module.initialize(0), np.ones((width, samples)), np.eye(width)[:, :samples].copy()
    for tied in ({**p, "W2": p["W1"]}, {**p, "W2": p["W1"].view()}):
        assert module.Workspace(samples).loss(tied, X, Y) == module.loss(copied(tied), X, Y)
        with pytest.raises(ValueError, match="stands in the memory of"):
            module.Workspace(samples).step(tied, X, Y, 0.1)
    vector = np.arange(float(module.SIZE))
    by_name, start = {}, 0
    for name, (rows, columns) in module.PARAMETERS.items():  # views of one vector overlap nowhere
        by_name[name] = vector[start:start + rows * columns].reshape(rows, columns)
        start += rows * columns
    vector *= 1e-3
    other = vector.copy()
    assert module.Workspace(samples).step(by_name, X, Y, 0.1) == module.Workspace(samples).step(other, X, Y, 0.1)
    np.testing.assert_array_equal(vector, other)


@pytest.mark.parametrize("target", FAST)
def test_threads_do_not_disturb_one_another(target):
    """Calls of module functions, of the same numbers of samples, at once."""
    module, mlp = loaded(list(TABLE)[1], target), list(TABLE.values())[1]
    given = [draw(mlp, 4, seed=seed) for seed in range(4)]
    expected = [(module.loss_and_gradients(*g), module.hessian_vector(*g, g[0]), module.forward(*g[:2])) for g in given]
    wrong, start, interval = [], threading.Barrier(len(given)), sys.getswitchinterval()

    def work(i):
        start.wait()
        for _ in range(150):
            found = (module.loss_and_gradients(*given[i]), module.hessian_vector(*given[i], given[i][0]),
                     module.forward(*given[i][:2]))
            try:
                np.testing.assert_equal(found, expected[i])
            except AssertionError as error:
                wrong.append(error)
                return

    threads = [threading.Thread(target=work, args=(i,)) for i in range(len(given))]
    sys.setswitchinterval(1e-6)
    try:
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    finally:
        sys.setswitchinterval(interval)
    assert wrong == []
