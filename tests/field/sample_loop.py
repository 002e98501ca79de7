import numpy as np

data = np.random.randn(9, 4)
answers = np.random.randn(9, 2)
V = np.random.randn(3, 4)
c = np.zeros(3)
U = np.random.randn(2, 3)
e = np.zeros(2)

for epoch in range(5):
    dV, dc, dU, de = np.zeros_like(V), np.zeros_like(c), np.zeros_like(U), np.zeros_like(e)
    J = 0.0
    for i in range(len(data)):
        x, y = data[i], answers[i]
        hidden = np.tanh(V @ x + c)
        out = U @ hidden + e
        J += np.sum((out - y) ** 2)
        error = 2 * (out - y)
        back = (U.T @ error) * (1 - hidden ** 2)
        dU += np.outer(error, hidden)
        de += error
        dV += np.outer(back, x)
        dc += back
    U -= 0.01 * dU
    e -= 0.01 * de
    V -= 0.01 * dV
    c -= 0.01 * dc
