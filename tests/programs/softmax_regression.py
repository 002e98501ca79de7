# network: 4-3:softmax?samples=rows&reduction=mean
import numpy as np


def softmax(logits):
    logits = logits - np.max(logits, axis=-1, keepdims=True)
    exponentials = np.exp(logits)
    return exponentials / np.sum(exponentials, axis=-1, keepdims=True)


def cross_entropy(probabilities, targets):
    return -np.mean(np.log(np.sum(probabilities * targets, axis=1)))


def train(X, T, W, b, learning_rate, iterations):
    losses = []
    for _ in range(iterations):
        P = softmax(np.matmul(X, W) + b)
        losses.append(cross_entropy(P, T))
        dlogits = (P - T) / T.shape[0]
        dW = np.matmul(X.T, dlogits)
        db = np.sum(dlogits, axis=0, keepdims=True)
        W = W - learning_rate * dW
        b = b - learning_rate * db
    return W, b, dW, db, losses


rng = np.random.default_rng(6)
features = rng.uniform(-1, 1, size=(8, 4))
one_hot = np.eye(3)[rng.integers(0, 3, size=8)]
weights = rng.uniform(-1, 1, size=(4, 3))
offset = rng.uniform(-1, 1, size=(1, 3))
weights, offset, grad_weights, grad_offset, history = train(features, one_hot, weights, offset, 0.5, 4)
print(history)
