# network: 4-5-3:tanh,identity?samples=rows&reduction=mean&loss=mean_squared_error
import numpy as np

rng = np.random.default_rng(8)
x = rng.standard_normal((6, 4))  # n i
t = rng.standard_normal((6, 3))  # n k
w1 = 0.6 * rng.standard_normal((4, 5))  # i j
c1 = 0.2 * rng.standard_normal((1, 5))
w2 = 0.6 * rng.standard_normal((5, 3))  # j k
c2 = 0.2 * rng.standard_normal((1, 3))
n = x.shape[0]
lr = 0.05

# forward
u = np.einsum("ni,ij->nj", x, w1) + c1
h = np.tanh(u)
out = np.einsum("nj,jk->nk", h, w2) + c2
r = out - t
loss = np.einsum("nk,nk->", r, r) / n

# backward
d_out = 2 * r / n
d_w2 = np.einsum("nj,nk->jk", h, d_out)
d_c2 = np.einsum("nk->k", d_out)[None, :]
d_h = np.einsum("nk,jk->nj", d_out, w2)
d_u = np.einsum("nj,nj->nj", d_h, 1 - h * h)
d_w1 = np.einsum("ni,nj->ij", x, d_u)
d_c1 = np.einsum("nj->j", d_u)[None, :]

# update
w2 -= lr * d_w2
c2 -= lr * d_c2
w1 -= lr * d_w1
c1 -= lr * d_c1
print(loss)
