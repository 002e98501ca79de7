import numpy as np
from sklearn.datasets import load_breast_cancer
from sklearn.preprocessing import StandardScaler

data = load_breast_cancer()
X = StandardScaler().fit_transform(data.data)
y = data.target.reshape(-1, 1)
n, d = X.shape
hidden = 10
params = {
    "W1": np.random.randn(d, hidden) / np.sqrt(d),
    "b1": np.zeros((1, hidden)),
    "W2": np.random.randn(hidden, 1) / np.sqrt(hidden),
    "b2": np.zeros((1, 1)),
}

def sigmoid(z):
    return 1 / (1 + np.exp(-z))

def loss_fn(y_true, y_prob):
    eps = 1e-8
    y_prob = np.clip(y_prob, eps, 1 - eps)
    return -np.mean(y_true * np.log(y_prob) + (1 - y_true) * np.log(1 - y_prob))

def step(params, X, y, lr):
    z1 = X @ params["W1"] + params["b1"]
    a1 = np.maximum(0, z1)
    z2 = a1 @ params["W2"] + params["b2"]
    yp = sigmoid(z2)
    loss = loss_fn(y, yp)
    dz2 = (yp - y) / len(y)
    grads = {}
    grads["W2"] = a1.T @ dz2
    grads["b2"] = dz2.sum(axis=0, keepdims=True)
    da1 = dz2 @ params["W2"].T
    dz1 = da1.copy()
    dz1[z1 <= 0] = 0
    grads["W1"] = X.T @ dz1
    grads["b1"] = dz1.sum(axis=0, keepdims=True)
    for key in params:
        params[key] -= lr * grads[key]
    return loss

for epoch in range(500):
    loss = step(params, X, y, 0.1)
    if epoch % 50 == 0:
        print(f"epoch {epoch} loss {loss:.3f}")
