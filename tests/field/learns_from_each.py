import numpy as np
rng = np.random.default_rng(0)
X = rng.normal(size=(20, 3))
Y = rng.normal(size=(20, 2))
W1 = rng.normal(size=(4, 3))
b1 = np.zeros((4, 1))
W2 = rng.normal(size=(2, 4))
b2 = np.zeros((2, 1))
def sigmoid(z):
    return 1 / (1 + np.exp(-z))
for epoch in range(10):
    for x, y in zip(X, Y):
        x = x.reshape(-1, 1)
        y = y.reshape(-1, 1)
        h = sigmoid(W1 @ x + b1)
        o = W2 @ h + b2
        loss = 0.5 * np.sum((o - y) ** 2)
        delta2 = o - y
        dW2 = delta2 @ h.T
        delta1 = W2.T @ delta2 * h * (1 - h)
        dW1 = delta1 @ x.T
        W2 -= 0.1 * dW2
        b2 -= 0.1 * delta2
        W1 -= 0.1 * dW1
        b1 -= 0.1 * delta1
