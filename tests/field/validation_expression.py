import numpy as np
X = np.random.randn(30, 3)
y = np.random.randn(30, 2)
W1 = np.random.randn(3, 4)
b1 = np.zeros(4)
W2 = np.random.randn(4, 2)
b2 = np.zeros(2)

X_val = np.random.randn(10, 3)
y_val = np.random.randn(10, 2)
for e in range(3):
    order = np.random.permutation(30)
    for k in range(0, 30, 10):
        xb = X[order[k:k+10]]
        yb = y[order[k:k+10]]
        z1 = xb @ W1 + b1
        a1 = np.tanh(z1)
        z2 = a1 @ W2 + b2
        loss = 0.5 * np.sum((z2 - yb) ** 2) / len(xb)
        d2 = (z2 - yb) / len(xb)
        dW2 = a1.T @ d2
        db2 = d2.sum(axis=0)
        d1 = d2 @ W2.T * (1 - a1 ** 2)
        dW1 = xb.T @ d1
        db1 = d1.sum(axis=0)
        W1 -= 0.1 * dW1
        b1 -= 0.1 * db1
        W2 -= 0.1 * dW2
        b2 -= 0.1 * db2
    val_loss = 0.5 * np.mean(np.sum((np.tanh(X_val @ W1 + b1) @ W2 + b2 - y_val) ** 2, axis=1))
    pred = np.tanh(X_val @ W1 + b1) @ W2 + b2
    mae = np.mean(np.abs(pred - y_val))
