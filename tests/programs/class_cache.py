# network: 4-5-3:sigmoid,softmax?samples=rows&reduction=mean
import numpy as np


class TwoLayerNet:
    """A network with one hidden layer; the backward pass reads what the forward pass has put aside."""

    def __init__(self, n_in, n_hidden, n_out, seed=0):
        rng = np.random.default_rng(seed)
        self.W1 = rng.normal(0, 0.7, (n_in, n_hidden))
        self.b1 = rng.normal(0, 0.1, (1, n_hidden))
        self.W2 = rng.normal(0, 0.7, (n_hidden, n_out))
        self.b2 = rng.normal(0, 0.1, (1, n_out))
        self.cache = {}

    def forward(self, X):
        Z1 = X @ self.W1 + self.b1
        A1 = 1 / (1 + np.exp(-Z1))
        Z2 = A1 @ self.W2 + self.b2
        exps = np.exp(Z2 - np.max(Z2, axis=1, keepdims=True))
        A2 = exps / np.sum(exps, axis=1, keepdims=True)
        self.cache["X"] = X
        self.cache["A1"] = A1
        self.cache["A2"] = A2
        return A2

    def loss(self, Y):
        return -np.sum(Y * np.log(self.cache["A2"] + 1e-12)) / Y.shape[0]

    def backward(self, Y):
        X = self.cache["X"]
        A1 = self.cache["A1"]
        N = X.shape[0]
        dZ2 = (self.cache["A2"] - Y) / N
        self.dW2 = A1.T @ dZ2
        self.db2 = np.sum(dZ2, axis=0, keepdims=True)
        dA1 = dZ2 @ self.W2.T
        dZ1 = dA1 * A1 * (1 - A1)
        self.dW1 = X.T @ dZ1
        self.db1 = np.sum(dZ1, axis=0, keepdims=True)

    def step(self, lr):
        self.W1 -= lr * self.dW1
        self.b1 -= lr * self.db1
        self.W2 -= lr * self.dW2
        self.b2 -= lr * self.db2


data = np.random.default_rng(1).normal(size=(6, 4))
targets = np.eye(3)[[0, 1, 2, 0, 2, 1]]

model = TwoLayerNet(4, 5, 3)
for epoch in range(3):
    probabilities = model.forward(data)
    loss = model.loss(targets)
    model.backward(targets)
    model.step(lr=0.8)
    print(epoch, loss)
