# network: 4-6-5-3:relu,relu,softmax?samples=columns&reduction=mean
# ruff: noqa: E741, NPY002
import numpy as np

layer_dims = [4, 6, 5, 3]
L = len(layer_dims) - 1
np.random.seed(11)

X = np.random.randn(4, 7)
Y = np.zeros((3, 7))
Y[[0, 2, 1, 0, 1, 2, 2], np.arange(7)] = 1
m = X.shape[1]

params = {}
for l in range(1, L + 1):
    params["W" + str(l)] = np.random.randn(layer_dims[l], layer_dims[l - 1]) * np.sqrt(2 / layer_dims[l - 1])
    params["b" + str(l)] = np.random.randn(layer_dims[l], 1) * 0.2


def softmax(Z):
    expZ = np.exp(Z - np.max(Z, axis=0, keepdims=True))
    return expZ / np.sum(expZ, axis=0, keepdims=True)


# forward pass
cache = {"A0": X}
for l in range(1, L + 1):
    cache[f"Z{l}"] = params["W" + str(l)] @ cache[f"A{l - 1}"] + params["b" + str(l)]
    if l == L:
        cache[f"A{l}"] = softmax(cache[f"Z{l}"])
    else:
        cache[f"A{l}"] = np.maximum(cache[f"Z{l}"], 0)

AL = cache[f"A{L}"]
cost = -1 / m * np.sum(Y * np.log(AL))
print("cost", cost)

# backward pass
grads = {}
dZ = AL - Y
for l in reversed(range(1, L + 1)):
    grads[f"dW{l}"] = 1 / m * dZ @ cache[f"A{l - 1}"].T
    grads[f"db{l}"] = 1 / m * np.sum(dZ, axis=1, keepdims=True)
    if l > 1:
        dA = params["W" + str(l)].T @ dZ
        dZ = dA * np.where(cache[f"Z{l - 1}"] > 0, 1, 0)

# gradient descent
learning_rate = 0.1
for l in range(1, L + 1):
    params["W" + str(l)] -= learning_rate * grads[f"dW{l}"]
    params["b" + str(l)] -= learning_rate * grads[f"db{l}"]
