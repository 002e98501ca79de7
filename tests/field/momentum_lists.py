import numpy as np

np.random.seed(42)
X = np.random.randn(500, 6)
Y = np.eye(4)[np.random.randint(0, 4, 500)]

W1 = np.random.randn(6, 16) * 0.1; b1 = np.zeros(16)
W2 = np.random.randn(16, 4) * 0.1; b2 = np.zeros(4)
params = [W1, b1, W2, b2]
m = [np.zeros_like(p) for p in params]
beta1, lr = 0.9, 1e-3
batch_size = 32

for epoch in range(10):
    perm = np.random.permutation(len(X))
    for start in range(0, len(X), batch_size):
        idx = perm[start:start + batch_size]
        xb, yb = X[idx], Y[idx]
        # forward
        z1 = xb @ W1 + b1
        a1 = np.tanh(z1)
        z2 = a1 @ W2 + b2
        z2 -= z2.max(axis=1, keepdims=True)
        e = np.exp(z2)
        p = e / e.sum(axis=1, keepdims=True)
        loss = -np.sum(yb * np.log(p)) / len(xb)
        # backward
        dz2 = (p - yb) / len(xb)
        dW2 = a1.T @ dz2
        db2 = dz2.sum(axis=0)
        da1 = dz2 @ W2.T
        dz1 = da1 * (1 - a1 ** 2)
        dW1 = xb.T @ dz1
        db1 = dz1.sum(axis=0)
        grads = [dW1, db1, dW2, db2]
        for i in range(4):
            m[i] = beta1 * m[i] + (1 - beta1) * grads[i]
            params[i] -= lr * m[i]
