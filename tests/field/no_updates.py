import numpy as np

rng = np.random.default_rng(0)
B, I, H, O = 8, 5, 7, 3
x = rng.normal(size=(B, I))
t = np.eye(O)[rng.integers(0, O, B)]
U = rng.normal(size=(H, I))
c = rng.normal(size=H)
V = rng.normal(size=(O, H))
d = rng.normal(size=O)

a = np.einsum("hi,bi->bh", U, x) + c
s = np.tanh(a)
o = np.einsum("oh,bh->bo", V, s) + d
o = o - o.max(axis=-1, keepdims=True)
q = np.exp(o) / np.exp(o).sum(axis=-1, keepdims=True)
L = -np.einsum("bo,bo->", t, np.log(q)) / B

do = (q - t) / B
dV = np.einsum("bo,bh->oh", do, s)
dd = np.einsum("bo->o", do)
ds = np.einsum("bo,oh->bh", do, V)
da = ds * (1 - s ** 2)
dU = np.einsum("bh,bi->hi", da, x)
dc = da.sum(0)
