import numpy as np
np.random.seed(0)
X = np.random.randn(30, 2)
y = (X[:, :1] * X[:, 1:] > 0).astype(float)

def sigmoid(z):
    return 1 / (1 + np.exp(-z))

# logistic regression
w = np.zeros((2, 1))
b = np.zeros((1, 1))
for i in range(100):
    p = sigmoid(X @ w + b)
    loss = -np.mean(y * np.log(p) + (1 - y) * np.log(1 - p))
    dz = (p - y) / len(X)
    dw = X.T @ dz
    db = dz.sum(0, keepdims=True)
    w -= dw
    b -= db

# a hidden layer
W1 = np.random.randn(2, 5)
b1 = np.zeros((1, 5))
W2 = np.random.randn(5, 1)
b2 = np.zeros((1, 1))
for i in range(100):
    h = np.tanh(X @ W1 + b1)
    p = sigmoid(h @ W2 + b2)
    loss = -np.mean(y * np.log(p) + (1 - y) * np.log(1 - p))
    dz2 = (p - y) / len(X)
    dW2 = h.T @ dz2
    db2 = dz2.sum(0, keepdims=True)
    dz1 = dz2 @ W2.T * (1 - h ** 2)
    dW1 = X.T @ dz1
    db1 = dz1.sum(0, keepdims=True)
    W1 -= dW1
    b1 -= db1
    W2 -= dW2
    b2 -= db2
