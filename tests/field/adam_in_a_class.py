import numpy as np
class Adam:
    def __init__(self, params, lr=0.01, betas=(0.9, 0.999), eps=1e-8):
        self.params, self.lr, self.betas, self.eps = params, lr, betas, eps
        self.m = {k: np.zeros_like(v) for k, v in params.items()}
        self.v = {k: np.zeros_like(v) for k, v in params.items()}
        self.t = 0
    def step(self, grads):
        self.t += 1
        b1, b2 = self.betas
        for k, g in grads.items():
            self.m[k] = b1 * self.m[k] + (1 - b1) * g
            self.v[k] = b2 * self.v[k] + (1 - b2) * g ** 2
            mh = self.m[k] / (1 - b1 ** self.t)
            vh = self.v[k] / (1 - b2 ** self.t)
            self.params[k] -= self.lr * mh / (np.sqrt(vh) + self.eps)
def one_hot(c, k):
    out = np.zeros((c.size, k))
    out[np.arange(c.size), c] = 1
    return out
def softmax(z):
    e = np.exp(z - z.max(axis=-1, keepdims=True))
    return e / e.sum(axis=-1, keepdims=True)
rng = np.random.default_rng(42)
X = rng.normal(size=(90, 4)); c = rng.integers(0, 3, size=90)
X[np.arange(90), c] += 2
Y = one_hot(c, 3)
P = {"w0": rng.normal(0, .3, (4, 8)), "c0": np.zeros(8), "w1": rng.normal(0, .3, (8, 8)), "c1": np.zeros(8), "w2": rng.normal(0, .3, (8, 3)), "c2": np.zeros(3)}
n_layers = 3
opt = Adam(P)
for epoch in range(5):
    order = rng.permutation(len(X))
    for s in range(0, len(X), 30):
        sel = order[s:s + 30]
        xb, yb = X[sel], Y[sel]
        store = {"h-1": xb}
        h = xb
        for i in range(n_layers):
            z = h @ P[f"w{i}"] + P[f"c{i}"]
            h = softmax(z) if i == n_layers - 1 else np.maximum(z, 0)
            store[f"h{i}"] = h
        loss = -np.mean(np.sum(yb * np.log(h + 1e-12), axis=1))
        delta = (store[f"h{n_layers-1}"] - yb) / xb.shape[0]
        grads = {}
        for i in reversed(range(n_layers)):
            prev = store.pop(f"h{i-1}")
            grads[f"w{i}"] = prev.T @ delta
            grads[f"c{i}"] = delta.sum(axis=0)
            if i > 0:
                delta = (delta @ P[f"w{i}"].T) * (prev > 0)
        opt.step(grads)
    print(epoch, loss)
