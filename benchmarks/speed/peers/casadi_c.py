"""CasADi: a scalar or matrix graph, printed as C, compiled, and called with flat buffers."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import shutil
import subprocess
import sysconfig
import tempfile
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.speed.peers.base import Contender, Left, Peer
from benchmarks.speed.peers.flat import split, vectors

if TYPE_CHECKING:
    from benchmarks.speed.workloads import Problem

FLAGS = ("-O3", "-march=native", "-shared", "-fPIC")
NO_BLAS = dict.fromkeys(("mlp-64", "mlp-256", "wide", "deep"), "spared: its C unrolls scalars, and has no BLAS")
EXTENSION = """
#define NPY_NO_DEPRECATED_API NPY_1_7_API_VERSION
#include <Python.h>
#include <numpy/arrayobject.h>
#include "generated.c"

static const casadi_real *in[ARGUMENTS];
static casadi_real *out[RESULTS], work[REALS];
static casadi_int integers[INTEGERS];

/* call(parameters, X, Y, gradients): four contiguous arrays, as few checks as are safe. */
static const npy_intp sizes[4] = SIZES;
static PyObject *call(PyObject *self, PyObject *const *a, Py_ssize_t n) {
    casadi_real loss;
    if (n != 4) { PyErr_SetString(PyExc_TypeError, "expected four arrays"); return NULL; }
    for (int i = 0; i < 4; i++)
        if (!PyArray_Check(a[i]) || PyArray_TYPE((PyArrayObject *)a[i]) != REAL_TYPE ||
            !PyArray_IS_C_CONTIGUOUS((PyArrayObject *)a[i]) || PyArray_SIZE((PyArrayObject *)a[i]) != sizes[i]) {
            PyErr_SetString(PyExc_ValueError, "expected contiguous arrays of the right size"); return NULL;
        }
    for (int i = 0; i < 3; i++) in[i] = PyArray_DATA((PyArrayObject *)a[i]);
    out[0] = &loss;
    out[1] = PyArray_DATA((PyArrayObject *)a[3]);
    f(in, out, integers, work, 0);
    return PyFloat_FromDouble(loss);
}
static PyMethodDef methods[] = {{"call", (PyCFunction)(void (*)(void))call, METH_FASTCALL, ""}, {0}};
static struct PyModuleDef module = {PyModuleDef_HEAD_INIT, "casadi_call", "", -1, methods};
PyMODINIT_FUNC PyInit_casadi_call(void) { import_array(); return PyModule_Create(&module); }
"""


class Casadi(Peer):
    """Its C in an extension module that takes four arrays: the leanest call that there is for it."""

    title = "CasADi C, flat call"
    about = "its generated C, as a function of four flat arrays in a hand-written extension module"
    packages = ("casadi",)
    left = NO_BLAS

    def gradients(self, problem: Problem) -> Contender:
        """Time the extension's call."""
        p, gradients = vectors(problem)
        return Contender(_extension(problem).call, (p, problem.X, problem.Y, gradients),
                         lambda loss: {"loss": loss, **split(problem, gradients)})


class CasadiBound(Peer):
    """Its own buffer interface, in which a call has no arguments at all; float64 only."""

    title = "CasADi C, bound buffers"
    about = "the same through its own `Function.buffer()`: bound beforehand, so that no argument is passed"
    packages = ("casadi",)
    left = NO_BLAS

    def gradients(self, problem: Problem) -> Contender:
        """Time the trigger of a function whose buffers are bound."""
        import casadi

        if problem.dtype != "float64":
            raise Left("its buffers are float64")
        p, gradients = vectors(problem)
        loss, function = np.zeros(1), casadi.external("f", str(_extension(problem).__file__))
        buffer, trigger = function.buffer()
        for i, array in enumerate((p, problem.X, problem.Y)):
            buffer.set_arg(i, memoryview(array.reshape(-1)))
        for i, array in enumerate((loss, gradients)):
            buffer.set_res(i, memoryview(array))
        owners = (function, buffer, p, problem)  # the trigger keeps none of them alive

        def values(_: Any, owners: tuple[Any, ...] = owners) -> dict[str, Any]:
            return {"loss": loss[0], **split(problem, gradients)}

        return Contender(trigger, (), values)


def _function(problem: Problem) -> Any:
    """Return the graph as a function of flat arrays; its matrices are stored by columns, so all is transposed."""
    import casadi as ca

    widths, n = problem.widths, problem.X.shape[1]
    p = ca.SX.sym("p", sum(array.size for array in problem.parameters.values()))
    X, Y = ca.SX.sym("X", n, widths[0]), ca.SX.sym("Y", n, widths[-1])
    functions = {"sigmoid": lambda a: 1 / (1 + ca.exp(-a)), "tanh": ca.tanh, "relu": lambda a: ca.fmax(a, 0)}
    h, at = X, 0
    for before, after, name in zip(widths[:-1], widths[1:], problem.activations, strict=True):
        weights, bias = p[at:at + before * after], p[at + before * after:at + (before + 1) * after]
        a = ca.mtimes(h, ca.reshape(weights, before, after)) + ca.repmat(bias.T, n, 1)
        h, at = functions.get(name, lambda a: a)(a), at + (before + 1) * after
    largest = h[:, 0]
    for j in range(1, widths[-1]):
        largest = ca.fmax(largest, h[:, j])
    shifted = h - ca.repmat(largest, 1, widths[-1])
    log_y = shifted - ca.repmat(ca.log(ca.sum2(ca.exp(shifted))), 1, widths[-1])
    loss = -ca.sum1(ca.sum2(Y * log_y)) * problem.scale
    return ca.Function("f", [p, X, Y], [loss, ca.gradient(loss, p)], {"cse": True})


def _extension(problem: Problem) -> ModuleType:
    """Compile and load the C, unless another process of this run has done it."""
    function = _function(problem)
    compiler = next((c for c in ("cc", "gcc", "clang") if shutil.which(c)), None)
    if compiler is None:
        raise Left("no C compiler found")
    real = {"float64": ("double", "NPY_DOUBLE"), "float32": ("float", "NPY_FLOAT")}[problem.dtype]
    constants = {
        "REAL_TYPE": real[1], "SIZES": "{" + ", ".join(str(function.numel_in(i)) for i in (0, 1, 2, 0)) + "}",
        "ARGUMENTS": function.sz_arg(), "RESULTS": function.sz_res(), "REALS": function.sz_w() + 1,
        "INTEGERS": function.sz_iw() + 1}
    text = "".join(f"#define {name} {value}\n" for name, value in constants.items()) + EXTENSION
    digest = hashlib.sha256(f"{function.serialize()} {text} {FLAGS}".encode()).hexdigest()[:12]
    folder = Path(os.environ.get("BENCHMARK_BUILD") or tempfile.mkdtemp()) / f"casadi_{digest}"
    library = folder / "casadi_call.so"
    if not library.exists():
        folder.mkdir(parents=True, exist_ok=True)
        _generator(function, real[0]).generate(f"{folder}{os.sep}")
        (folder / "call.c").write_text(text)
        includes = [f"-I{path}" for path in (folder, sysconfig.get_path("include"), np.get_include())]
        done = subprocess.run([compiler, *FLAGS, *includes, str(folder / "call.c"), "-o", str(library), "-lm"],
                              capture_output=True, text=True, check=False)
        if done.returncode:
            raise Left(f"the compiler refused it: {next(iter(done.stderr.splitlines()), '')}")
    spec = importlib.util.spec_from_file_location("casadi_call", library)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def _generator(function: Any, real: str) -> Any:
    """Return a generator of "generated.c" that tells its sizes."""
    import casadi as ca

    generator = ca.CodeGenerator("generated.c", {"casadi_real": real, "with_header": False})
    generator.add(function)
    return generator
