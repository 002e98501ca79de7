import numpy as np
X = np.random.randn(40, 3); y = np.random.randint(0, 2, (40, 1)).astype(float)
W1 = np.random.randn(3, 5); b1 = np.zeros(5); W2 = np.random.randn(5, 1); b2 = np.zeros(1)
z1 = X @ W1 + b1
a1 = np.where(z1 > 0, z1, np.exp(z1) - 1)
logits = a1 @ W2 + b2
loss = np.mean(np.maximum(logits, 0) - logits * y + np.log1p(np.exp(-np.abs(logits))))
p = 1 / (1 + np.exp(-logits))
dlogits = (p - y) / 40
dW2 = a1.T @ dlogits
db2 = dlogits.sum(0)
da1 = dlogits @ W2.T
dz1 = da1 * np.where(z1 > 0, 1, np.exp(z1))
dW1 = X.T @ dz1
db1 = dz1.sum(0)
W1 -= dW1; b1 -= db1; W2 -= dW2; b2 -= db2
