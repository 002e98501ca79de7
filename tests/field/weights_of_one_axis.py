import numpy as np
rng = np.random.default_rng(0)
X = rng.normal(size=(50, 4))
y = rng.normal(size=50)
W1 = rng.normal(size=(4, 8)) * 0.1
b1 = np.zeros(8)
w2 = rng.normal(size=8) * 0.1
b2 = 0.0
lr = 0.05
for epoch in range(100):
    z1 = X @ W1 + b1
    h = np.tanh(z1)
    y_hat = h @ w2 + b2
    loss = np.mean((y_hat - y) ** 2)
    d_y = 2 * (y_hat - y) / len(y)
    d_w2 = h.T @ d_y
    d_b2 = d_y.sum()
    d_h = np.outer(d_y, w2)
    d_z1 = d_h * (1 - h ** 2)
    d_W1 = X.T @ d_z1
    d_b1 = d_z1.sum(axis=0)
    W1 -= lr * d_W1
    b1 -= lr * d_b1
    w2 -= lr * d_w2
    b2 -= lr * d_b2
