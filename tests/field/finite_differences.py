import numpy as np

def forward(p, X, y):
    Z1 = X @ p["W1"] + p["b1"]
    H = np.maximum(Z1, 0)
    out = H @ p["W2"] + p["b2"]
    diff = out - y
    loss = 0.5 * np.sum(diff ** 2) / X.shape[0]
    cache = (X, Z1, H, diff)
    return loss, cache

def backward(p, cache):
    X, Z1, H, diff = cache
    N = X.shape[0]
    g = {}
    dout = diff / N
    g["W2"] = H.T @ dout
    g["b2"] = dout.sum(0)
    dH = dout @ p["W2"].T
    dZ1 = dH * (Z1 > 0)
    g["W1"] = X.T @ dZ1
    g["b1"] = dZ1.sum(0)
    return g

def numerical(p, X, y, name, eps=1e-5):
    num = np.zeros_like(p[name])
    it = np.nditer(p[name], flags=["multi_index"])
    while not it.finished:
        ix = it.multi_index
        old = p[name][ix]
        p[name][ix] = old + eps
        lp, _ = forward(p, X, y)
        p[name][ix] = old - eps
        lm, _ = forward(p, X, y)
        p[name][ix] = old
        num[ix] = (lp - lm) / (2 * eps)
        it.iternext()
    return num

rng = np.random.default_rng(3)
X = rng.normal(size=(10, 4)); y = rng.normal(size=(10, 2))
p = dict(W1=rng.normal(size=(4, 6)), b1=np.zeros(6), W2=rng.normal(size=(6, 2)), b2=np.zeros(2))
loss, cache = forward(p, X, y)
g = backward(p, cache)
for name in p:
    n = numerical(p, X, y, name)
    err = np.max(np.abs(n - g[name]) / (np.abs(n) + np.abs(g[name]) + 1e-12))
    print(name, err)
