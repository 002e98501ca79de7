import numpy as np
X = np.random.randn(30, 3)
y = np.random.randn(30, 2)
W1 = np.random.randn(3, 2)
p = X @ W1
loss = np.mean((p - y) ** 2)
d = 2 * (p - y) / y.size
dW1 = X.T @ d
W1 -= 0.1 * dW1
