"""The full Hessian of one-layer networks: against differences of hand-written gradients, entry by entry."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from handwritten import MLP

from codegen import load
from symbolic import read_architecture

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
