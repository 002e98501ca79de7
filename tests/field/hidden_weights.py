import numpy as np
rng = np.random.default_rng(1)
N, d = 100, 3
true_w = np.array([[1.0], [-2.0], [0.5]])
true_b = 0.3
X = rng.normal(size=(N, d))
y = X @ true_w + true_b + 0.01 * rng.normal(size=(N, 1))
w = np.zeros((d, 1))
b = 0.0
for _ in range(500):
    y_hat = X @ w + b
    error = y_hat - y
    loss = (error ** 2).mean()
    grad_w = 2 / N * X.T @ error
    grad_b = 2 / N * error.sum()
    w -= 0.1 * grad_w
    b -= 0.1 * grad_b
