"""The C99 file of a network as a module: compiled as a shared library, called by ctypes.

All that a function writes lies before a row of marks that it may not touch, and is NaN before, as is its
workspace: what it fails to write, or reads before it has written it, is seen.
"""

from __future__ import annotations

import ctypes
import functools
import re
import subprocess
import tempfile
from pathlib import Path

import numpy as np
from checks import COMPILER, derived, loaded

from codegen.c.source import generate_c
from symbolic import read_architecture

STRICT = ("-std=c99", "-Wall", "-Wextra", "-Werror", "-pedantic")
MARKS = 64


@functools.cache
def source(compact, dtype="double"):
    return generate_c(read_architecture(compact), derived(compact), dtype)


def compiled(text, folder, *flags, name="network", output="network.so"):
    """Compile a file without a warning; return its path."""
    path = Path(folder, f"{name}.c")
    path.write_text(text, encoding="utf-8")
    command = [COMPILER, *STRICT, *flags, str(path), "-o", str(Path(folder, output)), "-lm"]
    found = subprocess.run(command, capture_output=True, text=True, check=False)
    assert found.returncode == 0, found.stderr
    return Path(folder, output)


@functools.cache
def library(compact, dtype, samples):
    folder = tempfile.TemporaryDirectory()  # removed when this process ends
    path = compiled(source(compact, dtype), folder.name, "-O1", "-fPIC", "-shared", f"-DBATCH_SIZE={samples}")
    return C99(compact, dtype, ctypes.CDLL(str(path)), folder)


def expanded(size, N):
    return tuple(N if n is None else n for n in size)


class C99:
    """What the NumPy module offers, for one number of samples."""

    def __init__(self, compact, dtype, found, folder):
        self.real, self.dtype = {"double": (ctypes.c_double, np.float64), "float": (ctypes.c_float, np.float32)}[dtype]
        self.found, self.folder = found, folder
        module = loaded(compact, "numpy-workspace")
        self.PARAMETERS, self.VALUES = module.PARAMETERS, module.VALUES
        numbers = re.search(r"PARAMETERS = (.*?), WORKSPACE = (.*?), VALUES = (.*?) \};", source(compact, dtype))
        self.count, self.workspace, self.values = (
            lambda N, text=text: eval(text, {"N": N}) for text in numbers.groups())  # noqa: S307  # of our own text
        self.sample_axis = 1 if "samples=columns" in compact else 0

    def call(self, name, given, sizes, returns):
        """Call a function with vectors and rooms of those sizes; return its value, and what it wrote."""
        given = [np.ascontiguousarray(v, self.dtype) for v in given]
        rooms = [np.full(size + MARKS, np.nan, self.dtype) for size in sizes]
        for room in rooms:
            room[-MARKS:] = 7
        function = getattr(self.found, name)
        function.restype = self.real if returns else None
        value = function(*(v.ctypes.data_as(ctypes.POINTER(self.real)) for v in (*given, *rooms)))
        assert all(np.all(room[-MARKS:] == 7) for room in rooms), f"{name} wrote beyond an end"
        return value, [room[:-MARKS].copy() for room in rooms]

    def vector(self, arrays):
        assert list(arrays) == list(self.PARAMETERS)
        return np.concatenate([a.ravel() for a in arrays.values()])

    def blocks(self, vector, shapes, N=1):
        found, start = {}, 0
        for name, shape in shapes.items():
            rows, columns = expanded(shape, N)
            found[name] = vector[start:start + rows * columns].reshape(rows, columns)
            start += rows * columns
        assert start == vector.size
        return found

    def forward(self, p, X):
        N = X.shape[self.sample_axis]
        shape = expanded(self.VALUES["y_hat"], N)
        _, (y_hat, _) = self.call("forward", (self.vector(p), X), (shape[0] * shape[1], self.workspace(N)), False)
        return y_hat.reshape(shape)

    def loss(self, p, X, Y):
        return self.call("loss", (self.vector(p), X, Y), (self.workspace(X.shape[self.sample_axis]),), True)[0]

    def loss_and_gradients(self, p, X, Y, input_gradient=False):
        N, given = X.shape[self.sample_axis], (self.vector(p), X, Y)
        value, (gradients, _) = self.call("loss_and_gradients", given, (self.count(N), self.workspace(N)), True)
        gradients = self.blocks(gradients, self.PARAMETERS)
        if input_gradient:
            _, (by_X, _) = self.call("input_gradient", given, (X.size, self.workspace(N)), False)
            gradients["X"] = by_X.reshape(X.shape)
        return value, gradients

    def trace(self, p, X, Y):
        N = X.shape[self.sample_axis]
        _, (values, _) = self.call("trace", (self.vector(p), X, Y), (self.values(N), self.workspace(N)), False)
        scalars = {"loss", "data_loss", "penalty"}
        return {n: v[0, 0] if n in scalars else v for n, v in self.blocks(values, self.VALUES, N).items()}

    def hessian_vector(self, p, X, Y, V):
        N = X.shape[self.sample_axis]
        _, (product, _) = self.call("hessian_vector", (self.vector(p), X, Y, self.vector(V)),
                                    (self.count(N), self.workspace(N)), False)
        return self.blocks(product, self.PARAMETERS)

    def hessian(self, p, X, Y):
        N, size = X.shape[self.sample_axis], self.count(1)
        _, (H, _) = self.call("hessian", (self.vector(p), X, Y), (size * size, self.workspace(N)), False)
        return H.reshape(size, size)

    def update(self, p, gradients, rate):
        # parameters come first, are changed in place
        vector, given = self.vector(p).astype(self.dtype), self.vector({n: gradients[n] for n in p}).astype(self.dtype)
        kind = ctypes.POINTER(self.real)
        self.found.update(vector.ctypes.data_as(kind), given.ctypes.data_as(kind), self.real(rate))
        return self.blocks(vector, self.PARAMETERS)

    def step(self, p, X, Y, rate):
        """Change the parameters in place, return the loss before."""
        N, vector, kind = X.shape[self.sample_axis], self.vector(p), ctypes.POINTER(self.real)
        workspace = np.full(self.workspace(N), np.nan, self.dtype)
        self.found.step.restype = self.real
        loss = self.found.step(*(v.ctypes.data_as(kind) for v in (vector, *map(np.ascontiguousarray, (X, Y)))),
                               self.real(rate), workspace.ctypes.data_as(kind))
        for name, block in self.blocks(vector, self.PARAMETERS).items():
            p[name][...] = block
        return loss
