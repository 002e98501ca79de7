"""The Python side of the extension: a module that offers what the NumPy module offers."""

from __future__ import annotations

from codegen.fast_module import fast_module
from codegen.kernels.functions import Functions
from symbolic.derivation import Derivation
from symbolic.network import Network

_ENGINE = '''

class _Engine:
    """The functions of the extension, each with the workspace that it needs."""

    def __init__(self, samples, dtype):
        workspace = np.empty(max(1, {extension}.workspace_size(samples)), dtype)
        for name in ("forward", "loss", "loss_and_gradients", "input_gradient", "trace", "step", "hessian_vector"):
            setattr(self, name, partial(getattr({extension}, name), workspace))


def _use_blas_of_numpy():
    """Let large products be computed by the library that NumPy itself has loaded, so that no second one competes."""
    library = ctypes.CDLL(np._core._multiarray_umath.__file__)  # finds the functions of what it is linked with
    found = [getattr(library, f"{prefix}cblas_{{name}}{suffix}", None) for name in ("dgemm", "sgemm", "dgemv", "sgemv")]
    if all(found):
        {extension}.use(*(ctypes.cast(function, ctypes.c_void_p).value for function in found))


_use_blas_of_numpy()'''

IMPORTS = '''import ctypes
from functools import partial
from operator import index
from threading import local

import numpy as np

import {extension}'''


def c_module(network: Network, derivation: Derivation, functions: Functions, extension: str, prefix: str,
             suffix: str) -> str:
    """Return the text of the module that imports an extension.

    Args:
        network: With integer widths.
        derivation: Of the network's program.
        functions: Its kernels.
        extension: The name of the extension module.
        prefix: What stands before ``cblas_dgemm`` in NumPy's library.
        suffix: What stands behind it.
    """
    engine = _ENGINE.format(extension=extension, prefix=prefix, suffix=suffix)
    return fast_module(
        network, derivation, functions, engine, target="c", command="build",
        imports=IMPORTS.format(extension=extension),
        words="forward pass, loss, gradients and Hessian-vector products by compiled C.", remark="")
