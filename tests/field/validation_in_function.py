import numpy as np
rng = np.random.default_rng(0)
X = rng.normal(size=(100, 4)); y = rng.normal(size=(100, 1))
Xtr, Xte, ytr, yte = X[:80], X[80:], y[:80], y[80:]
W1 = rng.normal(size=(4, 6)); b1 = np.zeros(6); W2 = rng.normal(size=(6, 1)); b2 = np.zeros(1)
def predict(X):
    return np.tanh(X @ W1 + b1) @ W2 + b2
for ep in range(20):
    z = Xtr @ W1 + b1
    h = np.tanh(z)
    yp = h @ W2 + b2
    train_loss = np.mean((yp - ytr) ** 2)
    g = 2 * (yp - ytr) / len(ytr)
    gW2 = h.T @ g
    gb2 = g.sum(0)
    gz = (g @ W2.T) * (1 - h * h)
    gW1 = Xtr.T @ gz
    gb1 = gz.sum(0)
    W1 -= 0.05 * gW1; b1 -= 0.05 * gb1; W2 -= 0.05 * gW2; b2 -= 0.05 * gb2
    test_loss = np.mean((predict(Xte) - yte) ** 2)
    print(train_loss, test_loss)
rmse = np.sqrt(np.mean((predict(Xte) - yte) ** 2))
mae = np.mean(np.abs(predict(Xte) - yte))
