# Handwritten digits as pairs of columns, two mini-batches a round, and a count of hits on others.
import random

import numpy as np

rng = np.random.RandomState(4)
points = rng.randn(40, 3)
pairs = [(point.reshape(3, 1), np.eye(2)[:, [int(point[0] > point[2])]]) for point in points]
held_back = pairs[:12]

layers = [3, 6, 4, 2]
Ws = [0.6 * rng.randn(after, before) for before, after in zip(layers[:-1], layers[1:])]
bs = [0.1 * rng.randn(after, 1) for after in layers[1:]]


def squash(s):
    return 1.0 / (1.0 + np.exp(-s))


def run_through(column):
    for W, b in zip(Ws, bs):
        column = squash(W @ column + b)
    return column


def slopes_of(column, wanted):
    outs = [column]
    for W, b in zip(Ws, bs):
        outs.append(squash(W @ outs[-1] + b))
    by_W, by_b = [None] * len(Ws), [None] * len(bs)
    signal = (outs[-1] - wanted) * outs[-1] * (1 - outs[-1])
    for place in range(len(Ws) - 1, -1, -1):
        by_W[place] = signal @ outs[place].T
        by_b[place] = signal
        if place > 0:
            signal = (Ws[place].T @ signal) * outs[place] * (1 - outs[place])
    return by_W, by_b


def learn_from(batch, eta):
    global Ws, bs
    sum_W = [np.zeros_like(W) for W in Ws]
    sum_b = [np.zeros_like(b) for b in bs]
    for column, wanted in batch:
        by_W, by_b = slopes_of(column, wanted)
        sum_W = [total + part for total, part in zip(sum_W, by_W)]
        sum_b = [total + part for total, part in zip(sum_b, by_b)]
    Ws = [W - eta / len(batch) * total for W, total in zip(Ws, sum_W)]
    bs = [b - eta / len(batch) * total for b, total in zip(bs, sum_b)]


for epoch in range(3):
    random.shuffle(pairs)
    for batch in [pairs[k:k + 8] for k in range(0, len(pairs), 8)]:
        learn_from(batch, 2.0)
    hits = sum(int(np.argmax(run_through(c)) == np.argmax(w)) for c, w in held_back)
    print(epoch, hits)
