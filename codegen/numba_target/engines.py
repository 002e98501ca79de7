"""The parts of a numba module's text that stand around its compiled functions."""

from __future__ import annotations

IMPORTS = """import math
import os
from operator import is_, itemgetter

import numba
import numpy as np
{extending}
OPTIONS = {{"error_model": "numpy", "fastmath": {{"contract"}}, "cache": os.path.isfile(__file__)}}
\"\"\"Of all compiled functions. NaN and infinity keep their meaning; a file keeps its machine code.\"\"\"

compiled = numba.njit(**OPTIONS)"""

_GIVEN = '''
class _Given:
    """Arrays by name, in a dict or in one vector: checked when they are new, and taken to stay as they were then."""

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
        if given is self.vector or type(given) is dict and self._known(given):
            return self.found
        self._forget()
        if type(given) is dict:
            arrays = [given.get(name) for name in self.shapes]
            for (name, shape), array in zip(self.shapes.items(), arrays):
                require(f"{{self.what}}[{{name!r}}]", array, shape, self.dtype, self.writable)
        else:
            require(self.what, given, (SIZE,), self.dtype, self.writable)
            arrays = list(_views(given).values())
        self.found = {found}
        if type(given) is dict:
            self.arrays = tuple(arrays)
        else:
            self.vector = given
        return self.found


def require(what, array, shape, dtype, writable=False):
    """Return an array that is what compiled code takes for granted: nothing there checks where it reads and writes."""
    if not (isinstance(array, np.ndarray) and array.shape == shape and array.dtype == dtype
            and array.flags.c_contiguous and array.flags.aligned and (array.flags.writeable or not writable)):
        kind = "writable " if writable else ""
        came = f"came a {{type(array).__name__}}"
        if isinstance(array, np.ndarray):
            came = f"came {{array.dtype}} {{array.shape}}"
        raise ValueError(f"{{what}}: expected a {{kind}}C-contiguous array of {{dtype}} {{shape}}, {{came}}")
    return array
'''

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


{helpers}


{functions}


_ANY = ({names})
_SINGLE = ({single_names})


class _Engine:
    """The compiled functions, with the buffer that they share; arrays by name reach them as addresses."""

    def __init__(self, samples, dtype):
        N, self.dtype = samples, dtype
        self.X_shape, self.Y_shape, self.X, self.Y = ({X}), ({Y}), None, None
        self.work = np.zeros({size}, dtype)
        {attributes} = _SINGLE if N == 1 else _ANY
        self.values = _Given("values", {{name: _sized(shape, N) for name, shape in VALUES.items()}}, dtype).of
''' + _MADE + '''
    def samples(self, X, Y):
        """Check X and Y, which are new."""
        self.X, self.Y = require("X", X, self.X_shape, self.dtype), require("Y", Y, self.Y_shape, self.dtype)

    def forward(self, parameters, X, y_hat):
        require("X", X, self.X_shape, self.dtype)
        require("y_hat", y_hat, self.Y_shape, self.dtype, writable=True)
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
        require("grad_X", grad_X, X.shape, self.dtype, writable=True)
        self._input_gradient(self.parameters(parameters), X, Y, grad_X, self.work)

    def trace(self, parameters, X, Y, values):
        self.samples(X, Y)
        self._trace(self.parameters(parameters), X, Y, self.values(values), self.work)

    def step(self, parameters, X, Y, learning_rate):
        if X is not self.X or Y is not self.Y:
            self.samples(X, Y)
        return self._step(self.changed(parameters), X, Y, learning_rate, self.work)

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
