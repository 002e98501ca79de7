import numpy as np
rng = np.random.default_rng(3)
X = rng.standard_normal((10, 3))
Y = rng.standard_normal((10, 2))
W1 = rng.standard_normal((3, 4))
b1 = np.zeros(4)
W2 = rng.standard_normal((4, 2))
b2 = np.zeros(2)

def loss_of(W1, b1, W2, b2):
    H = np.tanh(X @ W1 + b1)
    P = H @ W2 + b2
    return np.mean((P - Y) ** 2)

H = np.tanh(X @ W1 + b1)
P = H @ W2 + b2
dP = 2 * (P - Y) / P.size
dW2 = H.T @ dP
db2 = dP.sum(axis=0)
dH = dP @ W2.T
dZ = dH * (1 - H ** 2)
dW1 = X.T @ dZ
db1 = dZ.sum(axis=0)

eps = 1e-6
numeric = np.zeros_like(W1)
for i in range(W1.shape[0]):
    for j in range(W1.shape[1]):
        W1[i, j] += eps
        plus = loss_of(W1, b1, W2, b2)
        W1[i, j] -= 2 * eps
        minus = loss_of(W1, b1, W2, b2)
        W1[i, j] += eps
        numeric[i, j] = (plus - minus) / (2 * eps)
print(np.max(np.abs(numeric - dW1)))
