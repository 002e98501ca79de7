# network: 4-5-6-3:sigmoid,sigmoid,softmax?samples=columns&reduction=sum
# ruff: noqa: NPY002
"""Quiz: forward and backward pass of a small network for one sample, by hand."""

import numpy as np

np.random.seed(3)
W1 = np.random.rand(5, 4) - 0.5
b1 = np.random.rand(5, 1)
W2 = np.random.rand(6, 5) - 0.5
b2 = np.random.rand(6, 1)
W3 = np.random.rand(3, 6) - 0.5
b3 = np.random.rand(3, 1)

X = np.array([1.0, 0.5, -1.5, 2.0]).reshape(-1, 1)
y = np.array([0, 1, 0]).reshape(-1, 1)
eta = 1


def sigmoid(x):
    return 1 / (1 + np.exp(-x))


def softmax(x):
    return np.exp(x) / np.sum(np.exp(x))


# forward
a1 = W1 @ X + b1
h1 = sigmoid(a1)
a2 = W2 @ h1 + b2
h2 = sigmoid(a2)
a3 = W3 @ h2 + b3
y_hat = softmax(a3)
loss = -np.sum(y * np.log(y_hat))
print("loss", loss)

# output layer
gradient_a3 = -(y - y_hat)
gradient_w3 = np.matmul(gradient_a3, h2.T)
gradient_b3 = gradient_a3
gradient_h2 = W3.T @ gradient_a3
print(gradient_h2)

# hidden layer 2
gradient_a2 = gradient_b2 = gradient_h2 * (h2 * (1 - h2))
gradient_w2 = np.matmul(gradient_a2, h1.T)
gradient_h1 = np.matmul(W2.T, gradient_a2)

# hidden layer 1
gradient_a1 = gradient_b1 = np.multiply(gradient_h1, h1 * (1 - h1))
gradient_w1 = np.dot(gradient_a1, X.T)
print(gradient_w1)

# one step of gradient descent
W1 = W1 - eta * gradient_w1
b1 = b1 - eta * gradient_b1
W2 = W2 - eta * gradient_w2
b2 = b2 - eta * gradient_b2
W3 = W3 - eta * gradient_w3
b3 = b3 - eta * gradient_b3
