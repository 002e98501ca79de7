# network: 4-5-6-2:sigmoid,tanh,sigmoid?samples=rows&reduction=sum&loss=binary_cross_entropy
# ruff: noqa: E731, NPY002
import numpy as np

sigmoid = lambda z: 1 / (1 + np.exp(-z))
sigmoid_prime = lambda z: sigmoid(z) * (1 - sigmoid(z))
tanh_prime = lambda z: 1 - np.tanh(z) ** 2
bce = lambda p, t: -np.sum(t * np.log(p) + (1 - t) * np.log(1 - p))

np.random.seed(17)
X = np.random.randn(6, 4)
Y = np.random.randint(0, 2, (6, 2))

W1, b1 = np.random.randn(4, 5), np.random.randn(1, 5)
W2, b2 = np.random.randn(5, 6), np.random.randn(1, 6)
W3, b3 = np.random.randn(6, 2), np.random.randn(1, 2)

lr = 0.01
for epoch in range(3):
    A0 = X
    Z1 = A0 @ W1 + b1
    A1 = sigmoid(Z1)
    Z2 = A1 @ W2 + b2
    A2 = np.tanh(Z2)
    Z3 = A2 @ W3 + b3
    A3 = sigmoid(Z3)
    J = bce(A3, Y)

    dZ3 = A3 - Y
    dZ2 = dZ3 @ W3.T * tanh_prime(Z2)
    dZ1 = dZ2 @ W2.T * sigmoid_prime(Z1)

    dW3, db3 = A2.T @ dZ3, np.sum(dZ3, axis=0, keepdims=True)
    dW2, db2 = A1.T @ dZ2, np.sum(dZ2, axis=0, keepdims=True)
    dW1, db1 = A0.T @ dZ1, np.sum(dZ1, axis=0, keepdims=True)

    for param, grad in [(W1, dW1), (b1, db1), (W2, dW2), (b2, db2), (W3, dW3), (b3, db3)]:
        param -= lr * grad
    print(epoch, J)
