import numpy as np


def softmax(x):
    ex = np.exp(x)
    return ex / np.sum(ex, axis=1)[:, None]


X = np.random.randn(8, 5)
T = np.eye(3)[np.random.randint(0, 3, 8)]
w = np.random.randn(5, 3)
for i in range(10):
    y = softmax(X @ w)
    loss = -np.sum(T * np.log(y)) / 8
    dy = (y - T) / 8
    w -= X.T @ dy
