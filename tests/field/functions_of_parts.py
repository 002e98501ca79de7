import numpy as np


def softmax(Z):
    e = np.exp(Z - np.max(Z, axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def loss(X, y, W):
    A = softmax(X.dot(W))
    return -np.mean(np.log(A[range(X.shape[0]), y]))


def grad(X, y, W):
    A = softmax(X.dot(W))
    A[range(X.shape[0]), y] -= 1
    return X.T.dot(A) / X.shape[0]


X = np.random.randn(20, 2)
y = np.random.randint(0, 3, 20)
W = np.random.randn(2, 3)
for i in range(10):
    W -= 0.1 * grad(X[:10], y[:10], W)
    print(loss(X, y, W))
