# network: 4-5-6-7-3:tanh,tanh,tanh,softmax?samples=columns&reduction=mean
import numpy as np

sizes = [4, 5, 6, 7, 3]
L = len(sizes) - 1
rng = np.random.default_rng(5)
N = 8

W = [None] + [rng.standard_normal((sizes[k], sizes[k - 1])) / np.sqrt(sizes[k - 1]) for k in range(1, L + 1)]
b = [None] + [0.1 * rng.standard_normal((sizes[k], 1)) for k in range(1, L + 1)]
X = rng.standard_normal((4, N))
Y = np.eye(3)[:, [0, 1, 2, 2, 1, 0, 0, 1]]

lr = 0.5
for step in range(3):
    a = [None] * (L + 1)
    h = [None] * (L + 1)
    h[0] = X
    for k in range(1, L + 1):
        a[k] = W[k] @ h[k - 1] + b[k]
        if k < L:
            h[k] = np.tanh(a[k])
        else:
            shifted = np.exp(a[k] - np.max(a[k], axis=0))
            h[k] = shifted / np.sum(shifted, axis=0)

    loss = -np.sum(Y * np.log(h[L])) / N

    dW = [None] * (L + 1)
    db = [None] * (L + 1)
    da = (h[L] - Y) / N
    for k in range(L, 0, -1):
        dW[k] = da @ h[k - 1].T
        db[k] = np.sum(da, axis=1, keepdims=True)
        if k > 1:
            dh = W[k].T @ da
            da = dh * (1 - h[k - 1] ** 2)

    for k in range(1, L + 1):
        W[k] = W[k] - lr * dW[k]
        b[k] = b[k] - lr * db[k]
    print(f"step {step}: loss {loss:.4f}")
