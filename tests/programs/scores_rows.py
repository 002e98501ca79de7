# network: 4-5-3:relu,softmax?samples=rows&reduction=mean
# ruff: noqa: NPY002, UP031
import numpy as np

np.random.seed(0)
N = 6  # number of points
D = 4  # dimensionality
K = 3  # number of classes
H = 5  # size of the hidden layer
X = np.random.randn(N, D)
y = np.array([0, 2, 1, 1, 0, 2])

# initialize parameters randomly
W = 0.5 * np.random.randn(D, H)
b = 0.1 * np.random.randn(1, H)
W2 = 0.5 * np.random.randn(H, K)
b2 = np.zeros((1, K))
step_size = 1e-0

num_examples = X.shape[0]
for i in range(5):
    # evaluate class scores
    hidden_layer = np.maximum(0, np.dot(X, W) + b)  # note, ReLU activation
    scores = np.dot(hidden_layer, W2) + b2

    # compute the class probabilities
    exp_scores = np.exp(scores)
    probs = exp_scores / np.sum(exp_scores, axis=1, keepdims=True)

    # compute the loss: average cross-entropy loss
    correct_logprobs = -np.log(probs[range(num_examples), y])
    loss = np.sum(correct_logprobs) / num_examples
    if i % 2 == 0:
        print("iteration %d: loss %f" % (i, loss))

    # compute the gradient on scores
    dscores = probs
    dscores[range(num_examples), y] -= 1
    dscores /= num_examples

    # backpropagate the gradient to the parameters
    dW2 = np.dot(hidden_layer.T, dscores)
    db2 = np.sum(dscores, axis=0, keepdims=True)
    # next backprop into hidden layer
    dhidden = np.dot(dscores, W2.T)
    # backprop the ReLU non-linearity
    dhidden[hidden_layer <= 0] = 0
    # finally into W, b
    dW = np.dot(X.T, dhidden)
    db = np.sum(dhidden, axis=0, keepdims=True)

    # perform a parameter update
    W += -step_size * dW
    b += -step_size * db
    W2 += -step_size * dW2
    b2 += -step_size * db2
