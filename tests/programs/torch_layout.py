# network: 4-5-6-3:leaky_relu,tanh,softmax?samples=rows&reduction=mean
import numpy as np

rng = np.random.default_rng(13)
X = rng.standard_normal((7, 4))
target = np.array([2, 1, 0, 0, 1, 2, 1])
batch = X.shape[0]

# weights lie as in torch.nn.Linear: (out_features, in_features)
fc1_weight = rng.uniform(-0.9, 0.9, (5, 4))
fc1_bias = rng.uniform(-0.5, 0.5, 5)
fc2_weight = rng.uniform(-0.9, 0.9, (6, 5))
fc2_bias = rng.uniform(-0.5, 0.5, 6)
fc3_weight = rng.uniform(-0.9, 0.9, (3, 6))
fc3_bias = rng.uniform(-0.5, 0.5, 3)

pre1 = X @ fc1_weight.T + fc1_bias
act1 = np.where(pre1 > 0, pre1, 0.01 * pre1)
pre2 = act1 @ fc2_weight.T + fc2_bias
act2 = np.tanh(pre2)
logits = act2 @ fc3_weight.T + fc3_bias

log_probs = logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))
loss = -log_probs[np.arange(batch), target].mean()

grad_logits = np.exp(log_probs)
grad_logits[np.arange(batch), target] -= 1
grad_logits = grad_logits / batch
fc3_weight_grad = grad_logits.T @ act2
fc3_bias_grad = grad_logits.sum(axis=0)
grad_act2 = grad_logits @ fc3_weight
grad_pre2 = grad_act2 * (1 - act2**2)
fc2_weight_grad = grad_pre2.T @ act1
fc2_bias_grad = grad_pre2.sum(axis=0)
grad_act1 = grad_pre2 @ fc2_weight
grad_pre1 = grad_act1 * np.where(pre1 > 0, 1.0, 0.01)
fc1_weight_grad = grad_pre1.T @ X
fc1_bias_grad = grad_pre1.sum(axis=0)

lr = 0.2
fc1_weight -= lr * fc1_weight_grad
fc1_bias -= lr * fc1_bias_grad
fc2_weight -= lr * fc2_weight_grad
fc2_bias -= lr * fc2_bias_grad
fc3_weight -= lr * fc3_weight_grad
fc3_bias -= lr * fc3_bias_grad
print(f"{loss:.6f}")
