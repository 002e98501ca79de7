# network: 4-6-5-3:tanh,relu,softmax?samples=columns&reduction=mean
# ruff: noqa: NPY002
import numpy as np

np.random.seed(33)
n_samples = 6
x_train = np.random.normal(0, 1, (4, n_samples))
y_train = np.array([[1, 0, 0], [0, 0, 1], [0, 1, 0], [0, 1, 0], [1, 0, 0], [0, 0, 1]]).T

w1 = np.random.normal(0, 0.6, (6, 4))
bias1 = np.random.normal(0, 0.1, 6).reshape(-1, 1)
w2 = np.random.normal(0, 0.6, (5, 6))
bias2 = np.random.normal(0, 0.1, 5).reshape(-1, 1)
w3 = np.random.normal(0, 0.6, (3, 5))
bias3 = np.random.normal(0, 0.1, 3).reshape(-1, 1)


def softmax(v):
    powers = np.exp(v)
    return powers / np.sum(powers, axis=0).reshape(1, -1)


def relu_derivative(v):
    return (v > 0).astype(float)


learning_rate = 0.25
for iteration in range(2):
    # forward
    net1 = np.add(np.matmul(w1, x_train), bias1)
    out1 = np.tanh(net1)
    net2 = np.add(np.matmul(w2, out1), bias2)
    out2 = net2 * (net2 > 0)
    net3 = np.add(np.matmul(w3, out2), bias3)
    y_pred = softmax(net3)
    error = np.sum(-y_train * np.log(y_pred), axis=0)
    cost = np.mean(error)

    # backward
    d_net3 = np.subtract(y_pred, y_train)
    d_w3 = np.matmul(d_net3, np.transpose(out2)) / n_samples
    d_bias3 = np.mean(d_net3, axis=1).reshape(-1, 1)
    d_out2 = np.matmul(np.transpose(w3), d_net3)
    d_net2 = np.multiply(d_out2, relu_derivative(net2))
    d_w2 = np.matmul(d_net2, np.transpose(out1)) / n_samples
    d_bias2 = np.mean(d_net2, axis=1).reshape(-1, 1)
    d_out1 = np.matmul(np.transpose(w2), d_net2)
    d_net1 = np.multiply(d_out1, 1 - np.square(out1))
    d_w1 = np.matmul(d_net1, np.transpose(x_train)) / n_samples
    d_bias1 = np.mean(d_net1, axis=1).reshape(-1, 1)

    # update
    w3 = w3 - learning_rate * d_w3
    bias3 = bias3 - learning_rate * d_bias3
    w2 = w2 - learning_rate * d_w2
    bias2 = bias2 - learning_rate * d_bias2
    w1 = w1 - learning_rate * d_w1
    bias1 = bias1 - learning_rate * d_bias1
    print(f"{iteration}: {cost}")
