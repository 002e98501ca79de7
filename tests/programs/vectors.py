# network: 4-5-6-3:tanh,sigmoid,softmax?samples=columns&reduction=sum
import numpy as np

# everything here is a vector of rank one: a single example, no batch
x = np.array([0.2, -1.0, 0.7, 1.3])
y = np.array([0.0, 0.0, 1.0])

rs = np.random.RandomState(9)
W1 = rs.uniform(-1, 1, (5, 4))
b1 = rs.uniform(-1, 1, 5)
W2 = rs.uniform(-1, 1, (6, 5))
b2 = rs.uniform(-1, 1, 6)
W3 = rs.uniform(-1, 1, (3, 6))
b3 = rs.uniform(-1, 1, 3)

# forward pass
z1 = np.dot(W1, x) + b1
a1 = np.tanh(z1)
z2 = np.dot(W2, a1) + b2
a2 = 1.0 / (1.0 + np.exp(-z2))
z3 = np.dot(W3, a2) + b3
exps = np.exp(z3 - np.max(z3))
p = exps / np.sum(exps)
loss = -np.dot(y, np.log(p))

# backward pass
dz3 = p - y
dW3 = np.outer(dz3, a2)
db3 = dz3
da2 = np.dot(W3.T, dz3)
dz2 = da2 * a2 * (1 - a2)
dW2 = np.outer(dz2, a1)
db2 = dz2
da1 = np.dot(W2.T, dz2)
dz1 = da1 * (1 - a1**2)
dW1 = np.outer(dz1, x)
db1 = dz1

# descend
lr = 0.1
W1, b1 = W1 - lr * dW1, b1 - lr * db1
W2, b2 = W2 - lr * dW2, b2 - lr * db2
W3, b3 = W3 - lr * dW3, b3 - lr * db3
print("loss", loss)
