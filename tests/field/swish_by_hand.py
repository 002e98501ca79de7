import numpy as np

np.random.seed(3)


def sigmoid(x):
    return 1.0 / (1.0 + np.exp(-x))


def swish(x):
    return x * sigmoid(x)


def dswish(x):
    s = sigmoid(x)
    return s + x * s * (1 - s)


X = np.random.randn(150, 3)
Y = np.hstack((X[:, [0]] * X[:, [1]], np.abs(X[:, [2]])))

W1, b1 = np.random.randn(3, 24) * 0.5, np.zeros((1, 24))
W2, b2 = np.random.randn(24, 24) * 0.2, np.zeros((1, 24))
W3, b3 = np.random.randn(24, 2) * 0.2, np.zeros((1, 2))

learning_rate = 0.05
for epoch in range(1000):
    Z1 = X.dot(W1) + b1
    A1 = swish(Z1)
    Z2 = A1.dot(W2) + b2
    A2 = swish(Z2)
    Yhat = A2.dot(W3) + b3

    E = Yhat - Y
    L = (E ** 2).sum() / (2 * X.shape[0])

    dYhat = E / X.shape[0]
    dW3 = A2.T.dot(dYhat)
    db3 = dYhat.sum(axis=0)
    dA2 = dYhat.dot(W3.T)
    dZ2 = dA2 * dswish(Z2)
    dW2 = A1.T.dot(dZ2)
    db2 = dZ2.sum(axis=0)
    dA1 = dZ2.dot(W2.T)
    dZ1 = dA1 * dswish(Z1)
    dW1 = X.T.dot(dZ1)
    db1 = dZ1.sum(axis=0)

    W3 -= learning_rate * dW3
    b3 -= learning_rate * db3
    W2 -= learning_rate * dW2
    b2 -= learning_rate * db2
    W1 -= learning_rate * dW1
    b1 -= learning_rate * db1
    if epoch % 200 == 0:
        print("%4d  %.5f" % (epoch, L))
