# network: 4-5-6-3:tanh,tanh,softmax?samples=rows&reduction=mean
import numpy as np

rng = np.random.default_rng(42)
X = rng.normal(size=(6, 4))
labels = np.array([2, 0, 1, 1, 2, 0])
Y = np.eye(3)[labels]
n = len(X)

W1 = rng.normal(scale=0.5, size=(4, 5))
b1 = rng.normal(scale=0.1, size=(1, 5))
W2 = rng.normal(scale=0.5, size=(5, 6))
b2 = rng.normal(scale=0.1, size=(1, 6))
W3 = rng.normal(scale=0.5, size=(6, 3))
b3 = rng.normal(scale=0.1, size=(1, 3))
alpha = 0.3

for epoch in range(4):
    # ---- forward ----
    z1 = X @ W1 + b1
    a1 = np.tanh(z1)
    z2 = a1 @ W2 + b2
    a2 = np.tanh(z2)
    z3 = a2 @ W3 + b3
    e = np.exp(z3 - z3.max(axis=1, keepdims=True))
    p = e / e.sum(axis=1, keepdims=True)
    loss = -np.mean(np.sum(Y * np.log(p), axis=1))

    # ---- backward ----
    delta4 = (p - Y) / n
    dW3 = a2.T @ delta4
    db3 = delta4.sum(axis=0, keepdims=True)
    delta3 = (delta4 @ W3.T) * (1 - a2**2)
    dW2 = a1.T @ delta3
    db2 = delta3.sum(axis=0, keepdims=True)
    delta2 = (delta3 @ W2.T) * (1 - a1**2)
    dW1 = X.T @ delta2
    db1 = delta2.sum(axis=0, keepdims=True)

    # ---- update ----
    W3 -= alpha * dW3
    b3 -= alpha * db3
    W2 -= alpha * dW2
    b2 -= alpha * db2
    W1 -= alpha * dW1
    b1 -= alpha * db1

    print(epoch, loss)
