from dataclasses import dataclass
import numpy as np

@dataclass
class Parameters:
    W1: np.ndarray
    b1: np.ndarray
    W2: np.ndarray
    b2: np.ndarray

@dataclass
class Gradients:
    W1: np.ndarray
    b1: np.ndarray
    W2: np.ndarray
    b2: np.ndarray

def init(n_in, n_hidden, n_out, rng):
    return Parameters(
        W1=rng.normal(0, 0.1, (n_in, n_hidden)),
        b1=np.zeros(n_hidden),
        W2=rng.normal(0, 0.1, (n_hidden, n_out)),
        b2=np.zeros(n_out),
    )

def forward(p, X):
    z1 = X @ p.W1 + p.b1
    h1 = np.maximum(z1, 0)
    z2 = h1 @ p.W2 + p.b2
    z2 = z2 - z2.max(axis=1, keepdims=True)
    e = np.exp(z2)
    return z1, h1, e / e.sum(axis=1, keepdims=True)

def loss_fn(probs, Y):
    return -np.mean(np.sum(Y * np.log(probs + 1e-12), axis=1))

def backward(p, X, Y, z1, h1, probs):
    n = X.shape[0]
    dz2 = (probs - Y) / n
    dW2 = h1.T @ dz2
    db2 = dz2.sum(axis=0)
    dh1 = dz2 @ p.W2.T
    dz1 = dh1 * (z1 > 0)
    return Gradients(W1=X.T @ dz1, b1=dz1.sum(axis=0), W2=dW2, b2=db2)

rng = np.random.default_rng(0)
X = rng.normal(size=(30, 4))
Y = np.eye(3)[rng.integers(0, 3, 30)]
p = init(4, 6, 3, rng)
for step in range(100):
    z1, h1, probs = forward(p, X)
    loss = loss_fn(probs, Y)
    g = backward(p, X, Y, z1, h1, probs)
    p.W1 -= 0.1 * g.W1
    p.b1 -= 0.1 * g.b1
    p.W2 -= 0.1 * g.W2
    p.b2 -= 0.1 * g.b2
