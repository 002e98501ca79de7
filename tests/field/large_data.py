import numpy as np
def sigmoid(z):
    return 1 / (1 + np.exp(-z))
X = np.random.randn(60000, 784)
y = (np.random.rand(60000) > 0.5).astype(float)
w = np.zeros(784)
b = 0
alpha = 0.1
for i in range(200):
    p = sigmoid(X.dot(w) + b)
    cost = -np.mean(y * np.log(p) + (1 - y) * np.log(1 - p))
    dw = X.T.dot(p - y) / len(y)
    db = np.mean(p - y)
    w = w - alpha * dw
    b = b - alpha * db
