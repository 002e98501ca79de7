import numpy as np


class ReLU:
    def f(self, z):
        return np.maximum(0, z)

    def df(self, z):
        return (z > 0).astype(float)


class Sigmoid:
    def f(self, z):
        return 1 / (1 + np.exp(-z))

    def df(self, z):
        s = self.f(z)
        return s * (1 - s)


class Linear:
    def f(self, z):
        return z

    def df(self, z):
        return np.ones_like(z)


class NeuralNetwork:
    def __init__(self, layers, seed=0):
        """layers: list of (n_in, n_out, activation)"""
        rng = np.random.default_rng(seed)
        self.W, self.b, self.act = [], [], []
        for n_in, n_out, activation in layers:
            self.W.append(rng.normal(0, np.sqrt(2 / n_in), (n_in, n_out)))
            self.b.append(np.zeros((1, n_out)))
            self.act.append(activation)
        self.L = len(layers)

    def forward(self, X):
        self.Z = []
        self.A = [X]
        for l in range(self.L):
            self.Z.append(self.A[l] @ self.W[l] + self.b[l])
            self.A.append(self.act[l].f(self.Z[l]))
        return self.A[-1]

    def loss(self, Y):
        return np.mean(np.sum((self.A[-1] - Y) ** 2, axis=1)) / 2

    def backward(self, Y):
        m = Y.shape[0]
        self.dW = [None] * self.L
        self.db = [None] * self.L
        dA = (self.A[-1] - Y) / m
        for l in range(self.L - 1, -1, -1):
            dZ = dA * self.act[l].df(self.Z[l])
            self.dW[l] = self.A[l].T @ dZ
            self.db[l] = np.sum(dZ, axis=0, keepdims=True)
            dA = dZ @ self.W[l].T

    def update(self, lr, weight_decay=0.0):
        for l in range(self.L):
            self.W[l] -= lr * (self.dW[l] + weight_decay * self.W[l])
            self.b[l] -= lr * self.db[l]

    def train(self, X, Y, epochs=100, lr=0.1, batch_size=32, weight_decay=1e-4, verbose=True):
        n = len(X)
        for epoch in range(epochs):
            order = np.random.permutation(n)
            losses = []
            for s in range(0, n, batch_size):
                batch = order[s:s + batch_size]
                self.forward(X[batch])
                losses.append(self.loss(Y[batch]))
                self.backward(Y[batch])
                self.update(lr, weight_decay)
            if verbose and epoch % 20 == 0:
                print(f'[{epoch:03d}] loss={np.mean(losses):.4f}')


np.random.seed(42)
X = np.random.uniform(-2, 2, (256, 2))
Y = np.column_stack([np.sin(X[:, 0]), X[:, 0] * X[:, 1]])
net = NeuralNetwork([(2, 32, ReLU()), (32, 16, Sigmoid()), (16, 2, Linear())])
net.train(X, Y, epochs=100)
