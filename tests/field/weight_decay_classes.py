import numpy as np
from keras.datasets import mnist

(train_x, train_y), (test_x, test_y) = mnist.load_data()
train_x = train_x.reshape(60000, 784).astype("float32") / 255
test_x = test_x.reshape(10000, 784).astype("float32") / 255

def softmax(s):
    s = s - np.max(s, axis=1, keepdims=True)
    return np.exp(s) / np.sum(np.exp(s), axis=1, keepdims=True)

W1 = np.random.randn(784, 128) * 0.01
b1 = np.zeros((1, 128))
W2 = np.random.randn(128, 10) * 0.01
b2 = np.zeros((1, 10))
lam = 1e-4
lr = 0.1
for epoch in range(5):
    for i in range(0, 60000, 64):
        xb = train_x[i:i+64]
        yb = train_y[i:i+64]
        n = xb.shape[0]
        z1 = np.matmul(xb, W1) + b1
        a1 = 1.0 / (1.0 + np.exp(-z1))
        z2 = np.matmul(a1, W2) + b2
        probs = softmax(z2)
        loss = -np.mean(np.log(probs[np.arange(n), yb])) + lam / 2 * (np.sum(W1 ** 2) + np.sum(W2 ** 2))
        onehot = np.zeros((n, 10))
        onehot[np.arange(n), yb] = 1
        dz2 = (probs - onehot) / n
        dW2 = np.matmul(a1.T, dz2) + lam * W2
        db2 = np.sum(dz2, axis=0, keepdims=True)
        da1 = np.matmul(dz2, W2.T)
        dz1 = da1 * a1 * (1 - a1)
        dW1 = np.matmul(xb.T, dz1) + lam * W1
        db1 = np.sum(dz1, axis=0, keepdims=True)
        W1 -= lr * dW1
        b1 -= lr * db1
        W2 -= lr * dW2
        b2 -= lr * db2
