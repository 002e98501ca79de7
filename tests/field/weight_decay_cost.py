import numpy as np
X = np.random.randn(3, 40)
Y = np.random.randint(0, 2, (1, 40))
W1 = np.random.randn(4, 3); b1 = np.zeros((4, 1))
W2 = np.random.randn(1, 4); b2 = np.zeros((1, 1))
m = 40; lambd = 0.7; lr = 0.1
Z1 = W1 @ X + b1
A1 = np.maximum(0, Z1)
Z2 = W2 @ A1 + b2
A2 = 1 / (1 + np.exp(-Z2))
cross_entropy_cost = -1 / m * np.sum(Y * np.log(A2) + (1 - Y) * np.log(1 - A2))
L2_cost = lambd / (2 * m) * (np.sum(np.square(W1)) + np.sum(np.square(W2)))
cost = cross_entropy_cost + L2_cost
dZ2 = A2 - Y
dW2 = 1 / m * dZ2 @ A1.T + lambd / m * W2
db2 = 1 / m * np.sum(dZ2, axis=1, keepdims=True)
dA1 = W2.T @ dZ2
dZ1 = np.multiply(dA1, np.int64(A1 > 0))
dW1 = 1 / m * dZ1 @ X.T + lambd / m * W1
db1 = 1 / m * np.sum(dZ1, axis=1, keepdims=True)
W1 = W1 - lr * dW1
b1 = b1 - lr * db1
W2 = W2 - lr * dW2
b2 = b2 - lr * db2
