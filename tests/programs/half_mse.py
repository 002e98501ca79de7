# network: 4-5-2:sigmoid,sigmoid?samples=rows&reduction=sum&loss=mean_squared_error
# loss factor: 1/2
# ruff: noqa: NPY002
import numpy as np


def nonlin(x, deriv=False):
    if deriv:
        return x * (1 - x)
    return 1 / (1 + np.exp(-x))


X = np.array([[0, 0, 1, 1], [0, 1, 1, 0], [1, 0, 1, 0.5], [1, 1, 1, -1], [0.5, -0.5, 1, 2]])
y = np.array([[0, 1], [1, 0], [1, 1], [0, 0], [1, 0]])

np.random.seed(1)
# initialize weights randomly with mean 0
syn0 = 2 * np.random.random((4, 5)) - 1
bias0 = 2 * np.random.random((1, 5)) - 1
syn1 = 2 * np.random.random((5, 2)) - 1
bias1 = 2 * np.random.random((1, 2)) - 1

for j in range(6):
    # feed forward through layers 0, 1, and 2
    l0 = X
    l1 = nonlin(np.dot(l0, syn0) + bias0)
    l2 = nonlin(np.dot(l1, syn1) + bias1)

    # how much did we miss the target value?
    l2_error = l2 - y
    loss = 0.5 * np.sum((l2 - y) ** 2)
    if j % 3 == 0:
        print("Error:", loss)

    # in what direction is the target value?
    l2_delta = l2_error * nonlin(l2, deriv=True)
    # how much did each l1 value contribute to the l2 error?
    l1_error = l2_delta.dot(syn1.T)
    l1_delta = l1_error * nonlin(l1, deriv=True)

    syn1_update = l1.T.dot(l2_delta)
    bias1_update = np.sum(l2_delta, axis=0, keepdims=True)
    syn0_update = l0.T.dot(l1_delta)
    bias0_update = np.sum(l1_delta, axis=0, keepdims=True)

    syn1 -= syn1_update
    bias1 -= bias1_update
    syn0 -= syn0_update
    bias0 -= bias0_update
