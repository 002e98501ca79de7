"""The formulas as compiled loops, by hand: imported only where numba is installed.

Parameters and gradients are one vector each (W1, b1, W2, …), so that a net of fifty layers compiles no longer
than one of three. Large products go to BLAS by `np.dot`, small ones are loops; a bias, an activation and a
derivative are one pass.
"""

import math

import numpy as np
from numba import njit

SIGMOID, TANH, RELU, SOFTMAX = 0, 1, 2, 3
SMALL = 512  # multiplications, below which a call of BLAS costs more than they do


@njit(cache=True)
def multiply(a, b, out):
    """Write a b into out."""
    if a.shape[0] * a.shape[1] * b.shape[1] > SMALL:
        np.dot(a, b, out)
        return
    for i in range(a.shape[0]):
        for j in range(b.shape[1]):
            total = a[i, 0] * b[0, j]
            for m in range(1, a.shape[1]):
                total += a[i, m] * b[m, j]
            out[i, j] = total


@njit(cache=True, fastmath=True, error_model="numpy")
def add_bias_and_activate(a, b, activation):
    """Turn W h into f(W h + b 1ᵀ), in place."""
    for i in range(a.shape[0]):
        bias = b[i]
        for j in range(a.shape[1]):
            x = a[i, j] + bias
            if activation == SIGMOID:
                x = 1 / (1 + math.exp(-x))
            elif activation == TANH:
                x = math.tanh(x)
            elif activation == RELU:
                x = max(x, x * 0)  # a zero of its own type
            a[i, j] = x


@njit(cache=True, fastmath=True, error_model="numpy")
def times_slope(g, h, activation):
    """Turn ∇h into ∇a, in place, by the value h."""
    for i in range(g.shape[0]):
        for j in range(g.shape[1]):
            if activation == SIGMOID:
                g[i, j] *= h[i, j] * (1 - h[i, j])
            elif activation == TANH:
                g[i, j] *= 1 - h[i, j] * h[i, j]
            elif not h[i, j] > 0:
                g[i, j] = 0


@njit(cache=True, fastmath=True, error_model="numpy")
def sum_rows(g, out):
    """Write ∇a 1 into out."""
    for i in range(g.shape[0]):
        total = g[i, 0]
        for j in range(1, g.shape[1]):
            total += g[i, j]
        out[i] = total


@njit(cache=True, error_model="numpy")
def cross_entropy(a, y, scale):
    """Return the loss, and turn logits into ∇a, in place."""
    loss = 0.0
    for j in range(a.shape[1]):
        largest = a[0, j]
        for i in range(1, a.shape[0]):
            largest = max(largest, a[i, j])
        total = a[0, j] * 0
        for i in range(a.shape[0]):
            a[i, j] -= largest
            loss -= y[i, j] * a[i, j]
            y_hat = math.exp(a[i, j])
            a[i, j] = y_hat
            total += y_hat
        loss += math.log(total)  # the labels of a sample sum to one
        for i in range(a.shape[0]):
            a[i, j] = (a[i, j] / total - y[i, j]) * scale
    return loss * scale


@njit(cache=True)
def loss_and_gradients(p, X, Y, g, values, slopes, widths, activations, scale):
    """Return the loss and write its gradients into g; values and slopes are scratch for every layer's h and ∇h."""
    n, depth = X.shape[1], len(activations)
    h, at, place = X, 0, 0
    for k in range(depth):
        before, after = widths[k], widths[k + 1]
        a = values[place:place + after * n].reshape(after, n)
        multiply(p[at:at + after * before].reshape(after, before), h, a)
        at += after * before
        add_bias_and_activate(a, p[at:at + after], activations[k])
        at, place, h = at + after, place + after * n, a
    loss = cross_entropy(h, Y, scale)
    gradient, free = h, 0
    for k in range(depth - 1, -1, -1):
        before, after = widths[k], widths[k + 1]
        place -= after * n
        sum_rows(gradient, g[at - after:at])
        at -= after * (before + 1)
        below = X if k == 0 else values[place - before * n:place].reshape(before, n)
        multiply(gradient, below.T, g[at:at + after * before].reshape(after, before))
        if k > 0:
            up = slopes[free:free + before * n].reshape(before, n)
            multiply(p[at:at + after * before].reshape(after, before).T, gradient, up)
            times_slope(up, below, activations[k - 1])
            gradient, free = up, free + before * n
    return loss


@njit(cache=True, fastmath=True)
def step(p, X, Y, g, values, slopes, widths, activations, scale, rate):
    """Return the loss and descend along its gradients, in place."""
    loss = loss_and_gradients(p, X, Y, g, values, slopes, widths, activations, scale)
    for i in range(len(p)):
        p[i] -= rate * g[i]
    return loss


@njit(cache=True, error_model="numpy")
def hessian(w, X, scaled):
    """Return A Aᵀ, A = X diag(√(s (1 − s))): scaled is the place for A."""
    s = np.dot(w, X)
    for j in range(s.shape[1]):
        x = 1 / (1 + math.exp(-s[0, j]))
        s[0, j] = math.sqrt(x * (1 - x))
    for i in range(X.shape[0]):
        for j in range(X.shape[1]):
            scaled[i, j] = X[i, j] * s[0, j]
    return np.dot(scaled, scaled.T)
