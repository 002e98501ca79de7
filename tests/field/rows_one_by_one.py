import numpy as np

np.random.seed(7)

X = np.random.uniform(-1, 1, size=(200, 3))
Y = np.stack([np.sin(X[:, 0] * X[:, 1]), np.cos(X[:, 2])], axis=1)

W1 = np.random.normal(0, 0.5, (8, 3))
b1 = np.zeros(8)
W2 = np.random.normal(0, 0.5, (2, 8))
b2 = np.zeros(2)

lr = 0.05

for epoch in range(30):
    total = 0.0
    for x, y in zip(X, Y):
        # forward
        a1 = W1.dot(x) + b1
        h1 = np.tanh(a1)
        y_hat = W2.dot(h1) + b2

        total += 0.5 * np.sum((y_hat - y) ** 2)

        # backward
        delta2 = y_hat - y
        delta1 = W2.T.dot(delta2) * (1 - np.tanh(a1) ** 2)

        # update
        W2 -= lr * np.outer(delta2, h1)
        b2 -= lr * delta2
        W1 -= lr * np.outer(delta1, x)
        b1 -= lr * delta1
    print("epoch", epoch, "loss", total / len(X))
