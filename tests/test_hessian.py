"""The full Hessian of one-layer networks: against differences of hand-written gradients, entry by entry."""

from __future__ import annotations

import itertools
import subprocess
from dataclasses import replace

import c99
import numpy as np
import pytest
from checks import COMPILER, TABLE, derived
from handwritten import MLP
from sympy import MatAdd, S

from codegen import load
from symbolic import read_architecture, second_order
from symbolic.errors import VerificationError
from symbolic.program import needed
from symbolic.terms import add, product

NETS = [(units, activation, loss) for units, activation, loss in (
    (1, "sigmoid", "binary_cross_entropy"), (3, "sigmoid", "binary_cross_entropy"), (2, "softmax", "cross_entropy"),
    (4, "softmax", "cross_entropy"), (1, "identity", "mean_squared_error"), (2, "identity", "mean_squared_error"))]
VARIANTS = list(itertools.product(("columns", "rows"), ("sum", "mean"), (0.0, 0.1), (True, False)))


@pytest.mark.parametrize("target", ["numpy", "numpy-workspace"])
@pytest.mark.parametrize("net", NETS, ids=lambda net: f"{net[0]}-{net[1]}")
def test_hessian_is_the_slope_of_the_gradient(net, target):
    units, activation, loss = net
    for samples, reduction, decay, bias in VARIANTS:
        mlp = MLP((3, units), (activation,), loss, samples, reduction, decay, (bias,))
        module = load(read_architecture(mlp.compact), target=target)
        p, X, Y = mlp.draw(np.random.default_rng(units), 6)
        found = module.hessian(p, X, Y)
        np.testing.assert_allclose(found, found.T, rtol=0, atol=1e-14)
        # The slopes are differences of gradients of order 1 at a distance of 1e-5: right to some 1e-9.
        np.testing.assert_allclose(found, slopes(mlp, p, X, Y), rtol=0, atol=1e-8, err_msg=mlp.compact)
        narrow = module.hessian({n: v.astype(np.float32) for n, v in p.items()}, np.float32(X), np.float32(Y))
        assert narrow.dtype == np.float32


@pytest.mark.skipif(COMPILER is None, reason="no C compiler")
@pytest.mark.parametrize("real", ["double", "float"])
@pytest.mark.parametrize("net", NETS, ids=lambda net: f"{net[0]}-{net[1]}")
def test_hessian_of_the_file_in_c(net, real):
    units, activation, loss = net
    dtype, close = (np.float64, 1e-13) if real == "double" else (np.float32, 2e-5)
    for samples, reduction, decay, bias in VARIANTS[::3]:
        mlp = MLP((3, units), (activation,), loss, samples, reduction, decay, (bias,))
        for N in (1, 6):
            p, X, Y = mlp.draw(np.random.default_rng(units), N)
            expected = load(read_architecture(mlp.compact)).hessian(p, X, Y)
            p, X, Y = {n: v.astype(dtype) for n, v in p.items()}, X.astype(dtype), Y.astype(dtype)
            found = c99.library(mlp.compact, real, N).hessian(p, X, Y)
            np.testing.assert_array_equal(found, found.T)
            np.testing.assert_allclose(found, expected, rtol=0, atol=close * np.max(np.abs(expected)) + 1e-300)


HESSIAN_ALONE = r"""
#include "network.c"
#include <stdlib.h>
static REAL *room(size_t n) {
    REAL *p = malloc(n*sizeof *p);
    if (!p) exit(1);
    for (size_t i = 0; i < n; i++) p[i] = (REAL)(i % 7)/7;
    return p;
}
int main(void) {
    REAL *p = room(PARAMETERS), *X = room(3*N), *Y = room(3*N), *H = room((size_t)PARAMETERS*PARAMETERS);
    REAL *workspace = room(WORKSPACE);
    hessian(p, X, Y, H, workspace);
    const int fine = H[0] == H[0];
    free(p); free(X); free(Y); free(H); free(workspace);
    return !fine;
}
"""


@pytest.mark.skipif(COMPILER is None, reason="no C compiler")
@pytest.mark.parametrize(("real", "N"), [("double", 5), ("float", 1)])
@pytest.mark.parametrize("compact", ["3-3:softmax?samples=rows&weight_decay=0.1",
                                     "3-3:sigmoid?loss=binary_cross_entropy&bias=false"])
def test_hessian_of_the_file_in_c_under_sanitizers(compact, real, N, tmp_path):
    (tmp_path / "network.c").write_text(c99.source(compact, real), encoding="utf-8")
    (tmp_path / "main.c").write_text(HESSIAN_ALONE, encoding="utf-8")
    made = subprocess.run([COMPILER, *c99.STRICT, "-O1", "-fsanitize=address,undefined", "-fno-sanitize-recover=all",
                           f"-DBATCH_SIZE={N}", f"-DREAL={real}", "main.c", "-o", "main", "-lm"], cwd=tmp_path,
                          capture_output=True, text=True, check=False)
    if made.returncode and ("sanitize" in made.stderr or "asan" in made.stderr):
        pytest.skip("no sanitizers")
    assert made.returncode == 0, made.stderr
    run = subprocess.run([str(tmp_path / "main")], capture_output=True, text=True, check=False)
    assert (run.returncode, run.stderr) == (0, "")


def slopes(mlp, p, X, Y, step=1e-5):
    """Return the central differences of the gradients by hand, a column for each entry of the parameters."""
    def gradient(vector):
        parameters, start = {}, 0
        for name, value in p.items():
            parameters[name] = vector[start:start + value.size].reshape(value.shape)
            start += value.size
        gradients = mlp.gradients(parameters, X, Y)
        return np.concatenate([gradients[name].ravel() for name in p])

    at = np.concatenate([v.ravel() for v in p.values()])
    return np.stack([(gradient(at + step * e) - gradient(at - step * e)) / (2 * step) for e in np.eye(at.size)], axis=1)


@pytest.mark.parametrize("compact", ["3-2:tanh", "3-2:sigmoid?loss=mean_squared_error", "3-4-2:tanh,softmax",
                                     "3-2:softmax?loss=mean_squared_error"])
def test_what_has_no_closed_form_offers_none(compact):
    assert not hasattr(load(read_architecture(compact)), "hessian")


def test_labels_are_checked():
    module = load(read_architecture("3-2:softmax"))
    with pytest.raises(ValueError, match="distributions"):
        module.hessian(module.initialize(0), np.ones((3, 2)), np.ones((2, 2)))


# Verification of the Hessian–vector product.

HARD = [
    "3-4-4-3:tanh(30*x),tanh(30*x),tanh(30*x)?loss=mean_squared_error",
    "3-4-4-3:sigmoid(100*x),sigmoid(100*x),sigmoid(100*x)?loss=mean_squared_error",
    "3-4-3:x+1000,tanh?loss=mean_squared_error", "3-4-3:max(x,1000),tanh?loss=mean_squared_error",
    "3-4-4-3:exp(exp(x)),exp(exp(x)),tanh?loss=mean_squared_error", "3-4-3:x^x,softmax?samples=rows&reduction=mean",
    "3-4-3:log(x),sqrt(x)?loss=huber", "4-2-2-2:tanh(30*x),identity,exp(20*x)?loss=mean_squared_error&samples=rows",
    "2-3-2:1/x,softmax", "2-2:sign(x)?loss=mean_absolute_error",
    "3-3-3-3-4:relu,exp(20*x),log(x),softmax?samples=rows",
]
"""Saturated, dead, huge or undefined at most random values: their products are right, and are not withheld."""


@pytest.mark.parametrize("compact", HARD)
def test_right_products_are_not_withheld(compact):
    derivation = derived(compact)
    for seed in range(5):
        second_order.hessian_vector(derivation, seed)


def wrong(term):
    """Yield a term with each summand lost, and all of it a little too large or with the other sign."""
    if isinstance(term, MatAdd):
        for i in range(len(term.args)):
            yield add(*(a for k, a in enumerate(term.args) if k != i))
    yield product(1 + S.One / 10**6, term)
    yield product(S.NegativeOne, term)


@pytest.mark.parametrize("compact", [*HARD, *(c for c, mlp in TABLE.items() if mlp.widths[0] < 10)])
def test_wrong_products_are_withheld(compact, monkeypatch):
    """Each differential that the product reads is spoilt in turn; none of the wrong ones passes."""
    derivation = derived(compact)
    found = second_order.hessian_vector(derivation)
    read = {e.name for e in needed(found.equations, found.results)}
    for i, record in enumerate(found.records):
        if f"d{record.of.name}" in read:
            for term in wrong(record.term):
                records = (*found.records[:i], replace(record, term=term), *found.records[i + 1:])
                monkeypatch.setattr(second_order, "differentials", lambda *a, records=records, **k: records)
                with pytest.raises(VerificationError, match="withheld"):
                    pytest.fail(f"d{record.of.name} = {term} passed: {second_order.hessian_vector(derivation)}")


@pytest.mark.parametrize("compact", ["3-4-2:tanh,softmax", "3-2:sigmoid?loss=mean_squared_error"])
def test_a_differential_that_is_lost_is_withheld(compact, monkeypatch):
    """As one that was taken for 0."""
    derivation, records = derived(compact), second_order.hessian_vector(derived(compact)).records
    for record in records:
        if record.of.name.startswith("grad_W"):
            left = tuple(r for r in records if r is not record)
            monkeypatch.setattr(second_order, "differentials", lambda *a, left=left, **k: left)
            with pytest.raises(VerificationError, match=str(record.of.name)):
                second_order.hessian_vector(derivation)
