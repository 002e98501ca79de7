import numpy as np
data = np.loadtxt("ex2data1.txt", delimiter=",")
X = data[:, :2]
y = data[:, 2:]
m = len(y)
X = np.c_[np.ones((m, 1)), X]
theta = np.zeros((3, 1))
for i in range(1000):
    h = 1 / (1 + np.exp(-X @ theta))
    J = -1 / m * np.sum(y * np.log(h) + (1 - y) * np.log(1 - h))
    grad = X.T @ (h - y) / m
    theta = theta - 0.01 * grad
