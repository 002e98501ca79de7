import random

import numpy as np


def squash(z):
    return np.tanh(z)


class Net:
    def __init__(self, sizes):
        self.w = [np.random.randn(m, n) / np.sqrt(n) for n, m in zip(sizes, sizes[1:])]
        self.b = [np.zeros((m, 1)) for m in sizes[1:]]

    def one(self, x, y):
        h = [x]
        for w, b in zip(self.w, self.b):
            h.append(squash(w @ h[-1] + b))
        delta = 2 * (h[-1] - y) * (1 - h[-1] ** 2)
        dw = [delta @ h[-2].T]
        db = [delta]
        for k in range(len(self.w) - 1, 0, -1):
            delta = (self.w[k].T @ delta) * (1 - h[k] ** 2)
            dw.insert(0, delta @ h[k - 1].T)
            db.insert(0, delta)
        return dw, db

    def learn(self, batch, rate):
        sum_w = [np.zeros_like(w) for w in self.w]
        sum_b = [np.zeros_like(b) for b in self.b]
        for x, y in batch:
            dw, db = self.one(x, y)
            sum_w = [s + d for s, d in zip(sum_w, dw)]
            sum_b = [s + d for s, d in zip(sum_b, db)]
        self.w = [w - rate / len(batch) * s for w, s in zip(self.w, sum_w)]
        self.b = [b - rate / len(batch) * s for b, s in zip(self.b, sum_b)]


pairs = [(np.random.randn(3, 1), np.random.randn(2, 1)) for _ in range(12)]
net = Net([3, 5, 2])
for epoch in range(3):
    random.shuffle(pairs)
    batches = [pairs[k:k + 4] for k in range(0, len(pairs), 4)]
    for batch in batches:
        net.learn(batch, 0.1)
