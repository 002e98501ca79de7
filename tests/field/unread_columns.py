import numpy as np
from my_data import blobs

inputs, y = blobs("two")
n0, n = inputs.shape
rng = np.random.default_rng(1)
theta1, theta2 = rng.normal(0, 0.5, (6, n0)), rng.normal(0, 0.5, (y.shape[0], 6))
c1, c2 = np.zeros((6, 1)), np.zeros((y.shape[0], 1))

for step in range(200):
    pre1 = theta1 @ inputs + c1
    act1 = np.maximum(0, pre1)
    pre2 = theta2 @ act1 + c2
    out = 1 / (1 + np.exp(-pre2))
    cost = -np.sum(y * np.log(out) + (1 - y) * np.log(1 - out)) / n

    back2 = (out - y) / n
    grad_theta2 = back2 @ act1.T
    grad_c2 = back2.sum(axis=1, keepdims=True)
    back1 = (theta2.T @ back2) * (pre1 > 0)
    grad_theta1 = back1 @ inputs.T
    grad_c1 = back1.sum(axis=1, keepdims=True)

    theta2 -= 0.5 * grad_theta2
    c2 -= 0.5 * grad_c2
    theta1 -= 0.5 * grad_theta1
    c1 -= 0.5 * grad_c1
