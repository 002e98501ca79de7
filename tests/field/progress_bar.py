from tqdm import tqdm
import numpy as np
X = np.random.randn(30, 3)
y = np.random.randn(30, 2)
W1 = np.random.randn(3, 4)
b1 = np.zeros(4)
W2 = np.random.randn(4, 2)
b2 = np.zeros(2)

for i in tqdm(range(10)):
    z1 = X @ W1 + b1
    a1 = np.tanh(z1)
    z2 = a1 @ W2 + b2
    loss = 0.5 * np.sum((z2 - y) ** 2) / len(X)
    d2 = (z2 - y) / len(X)
    dW2 = a1.T @ d2
    db2 = d2.sum(axis=0)
    d1 = d2 @ W2.T * (1 - a1 ** 2)
    dW1 = X.T @ d1
    db1 = d1.sum(axis=0)
    W1 -= 0.1 * dW1
    b1 -= 0.1 * db1
    W2 -= 0.1 * dW2
    b2 -= 0.1 * db2

