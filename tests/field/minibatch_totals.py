import numpy as np
from sklearn.datasets import load_iris
from sklearn.model_selection import train_test_split


class MLPClassifier:
    """Multi-layer perceptron with one hidden layer, trained by minibatch SGD."""

    def __init__(self, n_hidden=16, lr=0.05, epochs=100, batch_size=16, random_state=0):
        self.n_hidden = n_hidden
        self.lr = lr
        self.epochs = epochs
        self.batch_size = batch_size
        self.random_state = random_state

    def _init_weights(self, n_features, n_classes):
        rng = np.random.RandomState(self.random_state)
        self.W1_ = rng.randn(n_features, self.n_hidden) * np.sqrt(2.0 / n_features)
        self.b1_ = np.zeros(self.n_hidden)
        self.W2_ = rng.randn(self.n_hidden, n_classes) * np.sqrt(2.0 / self.n_hidden)
        self.b2_ = np.zeros(n_classes)

    @staticmethod
    def _relu(z):
        return np.maximum(z, 0)

    @staticmethod
    def _softmax(z):
        z = z - z.max(axis=1, keepdims=True)
        e = np.exp(z)
        return e / e.sum(axis=1, keepdims=True)

    def _forward(self, X):
        self._z1 = X @ self.W1_ + self.b1_
        self._a1 = self._relu(self._z1)
        self._z2 = self._a1 @ self.W2_ + self.b2_
        return self._softmax(self._z2)

    def _loss(self, proba, Y):
        return -np.mean(np.sum(Y * np.log(proba + 1e-12), axis=1))

    def _backward(self, X, Y, proba):
        n = X.shape[0]
        dz2 = (proba - Y) / n
        dW2 = self._a1.T @ dz2
        db2 = dz2.sum(axis=0)
        da1 = dz2 @ self.W2_.T
        dz1 = da1 * (self._z1 > 0)
        dW1 = X.T @ dz1
        db1 = dz1.sum(axis=0)
        return dW1, db1, dW2, db2

    def fit(self, X, y):
        self.classes_ = np.unique(y)
        Y = np.eye(len(self.classes_))[y]
        self._init_weights(X.shape[1], len(self.classes_))
        rng = np.random.RandomState(self.random_state)
        self.loss_curve_ = []
        for epoch in range(self.epochs):
            idx = rng.permutation(len(X))
            epoch_loss = 0.0
            for start in range(0, len(X), self.batch_size):
                batch = idx[start:start + self.batch_size]
                Xb, Yb = X[batch], Y[batch]
                proba = self._forward(Xb)
                epoch_loss += self._loss(proba, Yb) * len(batch)
                dW1, db1, dW2, db2 = self._backward(Xb, Yb, proba)
                self.W1_ -= self.lr * dW1
                self.b1_ -= self.lr * db1
                self.W2_ -= self.lr * dW2
                self.b2_ -= self.lr * db2
            self.loss_curve_.append(epoch_loss / len(X))
        return self

    def predict_proba(self, X):
        return self._forward(X)

    def predict(self, X):
        return self.classes_[np.argmax(self.predict_proba(X), axis=1)]

    def score(self, X, y):
        return np.mean(self.predict(X) == y)


if __name__ == '__main__':
    X, y = load_iris(return_X_y=True)
    X_train, X_test, y_train, y_test = train_test_split(X, y, test_size=0.3, random_state=1, stratify=y)
    clf = MLPClassifier(n_hidden=16, epochs=100).fit(X_train, y_train)
    print('final loss', clf.loss_curve_[-1])
    print('test accuracy', clf.score(X_test, y_test))
