# Backpropagation the way the 3Blue1Brown video explains it:
# C_0 = sum_j (a_j^(L) - y_j)^2
import numpy as np

rng = np.random.default_rng(42)


def sigma(z):
    return 1 / (1 + np.exp(-z))


def d_sigma(z):
    return sigma(z) * (1 - sigma(z))


# layer sizes
n0, n1, n2 = 5, 6, 3
w_1 = rng.normal(size=(n1, n0))
b_1 = rng.normal(size=n1)
w_L = rng.normal(size=(n2, n1))
b_L = rng.normal(size=n2)

data = []
for _ in range(30):
    a0 = rng.normal(size=n0)
    y = np.zeros(n2)
    y[int(np.argmax(a0[:n2]))] = 1
    data.append((a0, y))

eta = 0.5
for epoch in range(50):
    total_cost = 0
    for a_0, y in data:
        # forward
        z_1 = w_1 @ a_0 + b_1
        a_1 = sigma(z_1)
        z_L = w_L @ a_1 + b_L
        a_L = sigma(z_L)

        C_0 = np.sum((a_L - y) ** 2)
        total_cost += C_0

        # chain rule, backwards
        dC_da_L = 2 * (a_L - y)
        da_L_dz_L = d_sigma(z_L)
        dC_dz_L = dC_da_L * da_L_dz_L
        dC_dw_L = np.outer(dC_dz_L, a_1)
        dC_db_L = dC_dz_L
        dC_da_1 = w_L.T @ dC_dz_L
        dC_dz_1 = dC_da_1 * d_sigma(z_1)
        dC_dw_1 = np.outer(dC_dz_1, a_0)
        dC_db_1 = dC_dz_1

        w_L -= eta * dC_dw_L
        b_L -= eta * dC_db_L
        w_1 -= eta * dC_dw_1
        b_1 -= eta * dC_db_1
    if epoch % 10 == 0:
        print("average cost:", total_cost / len(data))
