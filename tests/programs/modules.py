# network: 4-5-6-3:relu,relu,softmax?samples=rows&reduction=mean
# ruff: noqa: NPY002
import numpy as np


class Linear:
    def __init__(self, n_in, n_out):
        self.W = np.random.randn(n_in, n_out) * np.sqrt(2.0 / n_in)
        self.b = np.random.randn(1, n_out) * 0.1

    def forward(self, x):
        self.x = x
        return x @ self.W + self.b

    def backward(self, grad):
        self.dW = self.x.T @ grad
        self.db = grad.sum(axis=0, keepdims=True)
        return grad @ self.W.T

    def update(self, lr):
        self.W -= lr * self.dW
        self.b -= lr * self.db


class ReLU:
    def forward(self, x):
        self.mask = x > 0
        return x * self.mask

    def backward(self, grad):
        return grad * self.mask

    def update(self, lr):
        pass


class SoftmaxCrossEntropy:
    def forward(self, x, y):
        x = x - x.max(axis=1, keepdims=True)
        e = np.exp(x)
        self.p = e / e.sum(axis=1, keepdims=True)
        self.y = y
        return -np.mean(np.sum(y * np.log(self.p), axis=1))

    def backward(self):
        return (self.p - self.y) / self.y.shape[0]


np.random.seed(2)
X = np.random.randn(8, 4)
Y = np.eye(3)[[0, 1, 2, 0, 1, 2, 2, 0]]

layers = [Linear(4, 5), ReLU(), Linear(5, 6), ReLU(), Linear(6, 3)]
criterion = SoftmaxCrossEntropy()

for epoch in range(2):
    out = X
    for layer in layers:
        out = layer.forward(out)
    loss = criterion.forward(out, Y)

    grad = criterion.backward()
    for layer in reversed(layers):
        grad = layer.backward(grad)

    for layer in layers:
        layer.update(0.1)
    print(f"epoch {epoch + 1}, loss {loss:.5f}")
