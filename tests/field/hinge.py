import numpy as np
np.random.seed(5)
relu = lambda v: v * (v > 0)
drelu = lambda v: (v > 0).astype(float)
X = np.random.randn(64, 2)
y = np.where(X[:, :1] ** 2 + X[:, 1:] ** 2 > 1, 1.0, -1.0)
W1, b1 = np.random.randn(2, 12), np.zeros((1, 12))
W2, b2 = np.random.randn(12, 1), np.zeros((1, 1))
lr0, decay = 0.1, 0.01
for epoch in range(200):
    lr = lr0 / (1 + decay * epoch)
    pre = X.dot(W1) + b1
    hid = relu(pre)
    score = hid.dot(W2) + b2
    margin = 1 - y * score
    loss = np.maximum(0, margin).mean()
    dscore = -y * (margin > 0) / X.shape[0]
    dW2 = hid.T.dot(dscore)
    db2 = dscore.sum(axis=0, keepdims=True)
    dhid = dscore.dot(W2.T)
    dpre = dhid * drelu(pre)
    dW1 = X.T.dot(dpre)
    db1 = dpre.sum(axis=0, keepdims=True)
    W1, b1, W2, b2 = W1 - lr * dW1, b1 - lr * db1, W2 - lr * dW2, b2 - lr * db2
print(loss, (np.sign(score) == y).mean())
