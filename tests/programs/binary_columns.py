# network: 4-5-3-1:sigmoid,sigmoid,sigmoid?samples=columns&reduction=mean&loss=binary_cross_entropy
# ruff: noqa: NPY002
import numpy as np

np.random.seed(21)
X = np.random.randn(4, 6)
y = np.array([[0, 1, 1, 0, 1, 0]])
m = y.shape[1]

W1 = np.random.randn(5, 4)
b1 = np.random.randn(5, 1)
W2 = np.random.randn(3, 5)
b2 = np.random.randn(3, 1)
W3 = np.random.randn(1, 3)
b3 = np.random.randn(1, 1)


def sigma(v):
    return 1 / (1 + np.exp(-v))


s1 = W1 @ X + b1
x1 = sigma(s1)
s2 = W2 @ x1 + b2
x2 = sigma(s2)
s3 = W3 @ x2 + b3
y_hat = sigma(s3)
L = -np.mean(y * np.log(y_hat) + (1 - y) * np.log(1 - y_hat))

# by the chain rule, one factor a line
dL_dy_hat = (-(y / y_hat) + (1 - y) / (1 - y_hat)) / m
dL_ds3 = dL_dy_hat * y_hat * (1 - y_hat)
dL_dW3 = dL_ds3 @ x2.T
dL_db3 = dL_ds3.sum(axis=1, keepdims=True)
dL_dx2 = W3.T @ dL_ds3
dL_ds2 = dL_dx2 * x2 * (1 - x2)
dL_dW2 = dL_ds2 @ x1.T
dL_db2 = dL_ds2.sum(axis=1, keepdims=True)
dL_dx1 = W2.T @ dL_ds2
dL_ds1 = dL_dx1 * x1 * (1 - x1)
dL_dW1 = dL_ds1 @ X.T
dL_db1 = dL_ds1.sum(axis=1, keepdims=True)

eta = 0.5
W1 -= eta * dL_dW1
b1 -= eta * dL_db1
W2 -= eta * dL_dW2
b2 -= eta * dL_db2
W3 -= eta * dL_dW3
b3 -= eta * dL_db3
print(L)
