# network: 4-5-2:relu,identity?samples=rows&reduction=mean&loss=mean_squared_error
# loss factor: 1/2
# ruff: noqa: NPY002
"""Regression with one hidden layer, trained by plain gradient descent."""

import numpy as np

np.random.seed(4)
N, D_in, H, D_out = 6, 4, 5, 2

x = np.random.randn(N, D_in)
y = np.random.randn(N, D_out)
W1 = np.random.randn(D_in, H)
b1 = np.random.randn(1, H)
W2 = np.random.randn(H, D_out)
b2 = np.random.randn(1, D_out)

learning_rate = 1e-2
for t in range(10):
    # Forward pass: compute predicted y
    h = x.dot(W1) + b1
    h_relu = np.maximum(h, 0)
    y_pred = h_relu.dot(W2) + b2

    # Compute and print loss
    loss = np.mean(np.square(y_pred - y))
    print(t, loss)

    # Backprop to compute gradients of the weights with respect to loss
    grad_y_pred = 2.0 * (y_pred - y) / y.size
    grad_W2 = h_relu.T.dot(grad_y_pred)
    grad_b2 = grad_y_pred.sum(axis=0, keepdims=True)
    grad_h_relu = grad_y_pred.dot(W2.T)
    grad_h = grad_h_relu.copy()
    grad_h[h < 0] = 0
    W1_grad = x.T.dot(grad_h)
    b1_grad = grad_h.sum(axis=0, keepdims=True)

    # Update weights
    W1 -= learning_rate * W1_grad
    b1 -= learning_rate * b1_grad
    W2 -= learning_rate * grad_W2
    b2 -= learning_rate * grad_b2
