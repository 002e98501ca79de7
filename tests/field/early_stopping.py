import copy
import numpy as np

np.random.seed(123)
X = np.random.rand(300, 5)
y = (X @ np.array([1.0, -2.0, 3.0, 0.5, -1.0]) + np.sin(5 * X[:, 0]))[:, None]

# shuffle and split
idx = np.random.permutation(len(X))
n_train = int(0.8 * len(X))
X_train, y_train = X[idx[:n_train]], y[idx[:n_train]]
X_val, y_val = X[idx[n_train:]], y[idx[n_train:]]

# standardize with the training statistics
mu, sd = X_train.mean(axis=0), X_train.std(axis=0)
X_train = (X_train - mu) / sd
X_val = (X_val - mu) / sd

model = {
    'W1': np.random.randn(5, 16) * 0.3,
    'b1': np.zeros((1, 16)),
    'W2': np.random.randn(16, 1) * 0.3,
    'b2': np.zeros((1, 1)),
}


def forward(model, X):
    z1 = X @ model['W1'] + model['b1']
    a1 = np.maximum(0, z1)
    out = a1 @ model['W2'] + model['b2']
    return z1, a1, out


def mse(pred, target):
    return ((pred - target) ** 2).mean()


best_val, best_model, patience, wait = np.inf, None, 20, 0
lr = 0.05
for epoch in range(1000):
    z1, a1, pred = forward(model, X_train)
    train_loss = mse(pred, y_train)

    grads = {}
    dpred = 2 * (pred - y_train) / y_train.shape[0]
    grads['W2'] = a1.T @ dpred
    grads['b2'] = dpred.sum(axis=0, keepdims=True)
    da1 = dpred @ model['W2'].T
    dz1 = da1 * (z1 > 0)
    grads['W1'] = X_train.T @ dz1
    grads['b1'] = dz1.sum(axis=0, keepdims=True)

    for key in model:
        model[key] -= lr * grads[key]

    _, _, val_pred = forward(model, X_val)
    val_loss = mse(val_pred, y_val)
    if val_loss < best_val - 1e-6:
        best_val, best_model, wait = val_loss, copy.deepcopy(model), 0
    else:
        wait += 1
        if wait >= patience:
            print('early stopping at epoch', epoch)
            break
    if epoch % 100 == 0:
        print(epoch, train_loss, val_loss)

print('best validation loss', best_val)
