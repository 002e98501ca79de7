import numpy as np

class LogisticRegression:
    def __init__(self, learning_rate=0.1, n_iters=1000):
        self.lr = learning_rate
        self.n_iters = n_iters
        self.weights = None
        self.bias = None

    def fit(self, X, y):
        n_samples, n_features = X.shape
        self.weights = np.zeros(n_features)
        self.bias = 0
        for _ in range(self.n_iters):
            linear_pred = np.dot(X, self.weights) + self.bias
            predictions = self._sigmoid(linear_pred)
            dw = (1 / n_samples) * np.dot(X.T, (predictions - y))
            db = (1 / n_samples) * np.sum(predictions - y)
            self.weights = self.weights - self.lr * dw
            self.bias = self.bias - self.lr * db

    def predict(self, X):
        linear_pred = np.dot(X, self.weights) + self.bias
        y_pred = self._sigmoid(linear_pred)
        return [0 if y <= 0.5 else 1 for y in y_pred]

    def _sigmoid(self, x):
        return 1 / (1 + np.exp(-x))

rng = np.random.default_rng(0)
X = rng.normal(size=(100, 5))
y = (X.sum(axis=1) > 0).astype(int)
clf = LogisticRegression(learning_rate=0.01)
clf.fit(X, y)
print(clf.predict(X))
