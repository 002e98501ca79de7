import numpy as np
X = np.random.randn(60, 5)
labels = np.random.randint(0, 3, size=60)
T = np.zeros((60, 3))
for i, c in enumerate(labels):
    T[i, c] = 1
w1 = np.random.uniform(-1, 1, (5, 8)); bias1 = np.zeros((1, 8))
w2 = np.random.uniform(-1, 1, (8, 3)); bias2 = np.zeros((1, 3))
for epoch in range(100):
    hidden_in = np.dot(X, w1) + bias1
    hidden_out = 1 / (1 + np.exp(-hidden_in))
    out_in = np.dot(hidden_out, w2) + bias2
    ex = np.exp(out_in - np.max(out_in, axis=1, keepdims=True))
    out = ex / np.sum(ex, axis=1, keepdims=True)
    loss = -np.sum(T * np.log(np.clip(out, 1e-9, 1))) / X.shape[0]
    acc = np.mean(np.argmax(out, axis=1) == labels)
    error_out = (out - T) / X.shape[0]
    grad_w2 = np.dot(hidden_out.T, error_out)
    grad_bias2 = np.sum(error_out, axis=0, keepdims=True)
    error_hidden = np.dot(error_out, w2.T) * hidden_out * (1 - hidden_out)
    grad_w1 = np.dot(X.T, error_hidden)
    grad_bias1 = np.sum(error_hidden, axis=0, keepdims=True)
    w1 -= 0.1 * grad_w1; bias1 -= 0.1 * grad_bias1
    w2 -= 0.1 * grad_w2; bias2 -= 0.1 * grad_bias2
