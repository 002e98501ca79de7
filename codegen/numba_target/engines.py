"""The parts of a numba module's text that stand around its compiled functions."""

from __future__ import annotations

IMPORTS = """import math
import os
from operator import index, is_, itemgetter
from threading import local

import numba
import numpy as np
{extending}
OPTIONS = {{"error_model": "numpy", "fastmath": {{"contract"}}, "cache": os.path.isfile(__file__)}}
\"\"\"Of all compiled functions. NaN and infinity keep their meaning; a file keeps its machine code.\"\"\"

compiled = numba.njit(**OPTIONS)"""

_GIVEN = '''
class _Given:
    """Arrays by name, in a dict or in one vector: checked when they are new, and taken to stay as they were then.

    So one whose shape or dtype is changed in place is not seen to have changed.
    """

    def __init__(self, what, shapes, dtype, writable=True):
        self.what, self.shapes, self.dtype, self.writable = what, shapes, dtype, writable
        get = itemgetter(*shapes)
        self.get = get if len(shapes) > 1 else lambda given: (get(given),)
        self._forget()

    def _forget(self):
        self.vector, self.arrays, self.found = self, (self,) * len(self.shapes), None

    def _known(self, given):
        try:
            return all(map(is_, self.get(given), self.arrays))
        except KeyError:
            return False

    def of(self, given):
        """Return what the functions take for them."""
        if given is self.vector or type(given) is dict and len(given) == len(self.shapes) and self._known(given):
            return self.found
        self._forget()
        if type(given) is dict:
            arrays = [given.get(name) for name in self.shapes]
            for (name, shape), array in zip(self.shapes.items(), arrays):
                _fitting(array, f"{{self.what}}[{{name!r}}]", shape, self.dtype, self.writable)
            if len(given) != len(self.shapes):
                _known(given, self.what)
        else:
            _fitting(given, self.what, (SIZE,), self.dtype, self.writable)
            arrays = list(_views(given).values())
        self.found = {found}
        if type(given) is dict:
            self.arrays = tuple(arrays)
        else:
            self.vector = given
        return self.found

{checks}'''

_MADE = '''\
        self.parameters = _Given("parameters", PARAMETERS, dtype, writable=False).of
        self.changed = _Given("parameters", PARAMETERS, dtype).of
        self.gradients = _Given("gradients", PARAMETERS, dtype).of
        self.V = _Given("V", PARAMETERS, dtype, writable=False).of
        self.product = _Given("product", PARAMETERS, dtype).of
'''

WHOLE = '''

@intrinsic
def pointer(typing_context, address):
    """Take a whole number as an address."""
    def generate(context, builder, signature, arguments):
        return builder.inttoptr(arguments[0], context.get_value_type(signature.return_type))
    return numba.types.voidptr(address), generate


@compiled
def matrix(address, rows, columns, work):
    """Return the matrix that begins at an address; its dtype is that of the buffer."""
    return numba.carray(pointer(address), (rows, columns), work.dtype)


@compiled
def part(work, start, rows, columns):
    """Return a matrix that stands in the buffer."""
    return matrix(work.ctypes.data + start * work.itemsize, rows, columns, work)


SIZES = {sizes}
"""The numbers that each parameter holds."""


@compiled
def meets(start, size, blocks, work):
    """Say whether numbers share memory with blocks of the shapes of parameters."""
    for i in range(len(SIZES)):
        if start < blocks[i] + SIZES[i] * work.itemsize and blocks[i] < start + size * work.itemsize:
            return True
    return False


@compiled
def meet(blocks, others, work):
    """Say whether blocks of the shapes of parameters share memory with others."""
    for i in range(len(SIZES)):
        if meets(blocks[i], SIZES[i], others, work):
            return True
    return False


@compiled
def tied(blocks, work):
    """Say whether blocks share memory with one another."""
    for i in range(len(SIZES)):
        for k in range(i):
            if (blocks[i] < blocks[k] + SIZES[k] * work.itemsize
                    and blocks[k] < blocks[i] + SIZES[i] * work.itemsize):
                return True
    return False


@compiled
def aside(V, product, work):
    """Return where directions stand; where that is in the product, a copy of them in the buffer's last part."""
    if not meet(V, product, work):
        return V
    moved, start = V.copy(), work.size - SIZE
    for i in range(len(SIZES)):
        given, copy = matrix(V[i], 1, SIZES[i], work), part(work, start, 1, SIZES[i])
        moved[i] = copy.ctypes.data
        for j in range(SIZES[i]):
            copy[0, j] = given[0, j]
        start += SIZES[i]
    return moved


{helpers}


{functions}


_ANY = ({names})
_SINGLE = ({single_names})


class _Engine:
    """The compiled functions, with the buffer that they share; arrays by name reach them as addresses."""

    def __init__(self, samples, dtype):
        N, self.dtype = samples, dtype
        self.X_shape, self.Y_shape, self.X, self.Y = ({X}), ({Y}), None, None
        self.work = np.zeros({size} + SIZE, dtype)
        {attributes} = _SINGLE if N == 1 else _ANY
        self.values = _Given("values", {{name: _sized(shape, N) for name, shape in VALUES.items()}}, dtype).of
''' + _MADE + '''
    def samples(self, X, Y):
        """Check X and Y, which are new."""
        self.X, self.Y = _fitting(X, "X", self.X_shape, self.dtype), _fitting(Y, "Y", self.Y_shape, self.dtype)

    def forward(self, parameters, X, y_hat):
        _fitting(X, "X", self.X_shape, self.dtype)
        _fitting(y_hat, "y_hat", self.Y_shape, self.dtype, writable=True)
        self._forward(self.parameters(parameters), X, y_hat, self.work)

    def loss(self, parameters, X, Y):
        if X is not self.X or Y is not self.Y:
            self.samples(X, Y)
        return self._loss(self.parameters(parameters), X, Y, self.work)

    def loss_and_gradients(self, parameters, X, Y, gradients):
        if X is not self.X or Y is not self.Y:
            self.samples(X, Y)
        return self._loss_and_gradients(self.parameters(parameters), X, Y, self.gradients(gradients), self.work)

    def input_gradient(self, parameters, X, Y, grad_X):
        self.samples(X, Y)
        _fitting(grad_X, "grad_X", X.shape, self.dtype, writable=True)
        self._input_gradient(self.parameters(parameters), X, Y, grad_X, self.work)

    def trace(self, parameters, X, Y, values):
        self.samples(X, Y)
        _apart("the values", values, parameters=parameters, X=X, Y=Y)
        self._trace(self.parameters(parameters), X, Y, self.values(values), self.work)

    def step(self, parameters, X, Y, learning_rate):
        if X is not self.X or Y is not self.Y:
            self.samples(X, Y)
        return self._step(self.changed(parameters), X, Y, _rate(learning_rate), self.work)

    def hessian_vector(self, parameters, X, Y, V, product):
        if X is not self.X or Y is not self.Y:
            self.samples(X, Y)
        self._hessian_vector(self.parameters(parameters), X, Y, self.V(V), self.product(product), self.work)


''' + _GIVEN.replace("{found}", 'np.array([a.__array_interface__["data"][0] for a in arrays], np.int64)')

CALLS = '''

dot = np.dot


{helpers}


{functions}


class _Engine:
    """The functions, each with its views into one buffer that they share."""

    def __init__(self, samples, dtype):
        N = samples
        buffer = np.zeros({size}, dtype)
''' + _MADE + '''\
        for make in ({makers}):
            setattr(self, make.__name__[1:], make(N, buffer, self))


def view(buffer, start, rows, columns):
    """Return a matrix that stands in a buffer."""
    return buffer[start : start + rows * columns].reshape(rows, columns)

''' + _GIVEN.replace("{found}", "arrays")
