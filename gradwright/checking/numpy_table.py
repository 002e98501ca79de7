"""The subset of NumPy that is read: functions of arrays, by name, each free of effects."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view

from gradwright.checking.nodes import MOST_ENTRIES, Unreadable

_SAME = """
    abs absolute add all allclose any append arange arccos arccosh arcsin arcsinh arctan arctan2 arctanh argmax argmin
    argsort array_equal around asarray average bincount cbrt ceil clip column_stack concatenate copysign corrcoef cos
    cosh count_nonzero cov cross cumprod cumsum deg2rad diag diff divide dot dstack einsum equal exp exp2 expand_dims
    expm1 fabs flip floor floor_divide fmax fmin greater greater_equal heaviside hstack hypot inner invert isclose
    isfinite isinf isnan kron less less_equal linspace log log10 log1p log2 logaddexp logical_and logical_not
    logical_or logical_xor matmul max maximum mean median min minimum mod moveaxis multiply nan_to_num negative nonzero
    not_equal ones_like outer percentile positive power prod ptp rad2deg reciprocal repeat rint roll round sign signbit
    sin sinc sinh sort split sqrt square stack std subtract sum swapaxes take take_along_axis tan tanh tensordot tile
    trace tril triu true_divide trunc unique vander var vdot vstack where zeros_like amax amin full_like argwhere
    identity eye ones zeros full empty empty_like array meshgrid cumsum ascontiguousarray atleast_2d atleast_1d
    asfortranarray array_split searchsorted digitize
""".split()  # noqa: SIM905  # a list of words reads as one

_CREATES = {"zeros": 0, "ones": 0, "empty": 0, "full": 0, "eye": 0, "identity": 0, "arange": None, "linspace": None,
            "repeat": None, "tile": None}

FUNCTIONS: Mapping[str, Callable[..., Any]] = {
    name: getattr(np, name) for name in _SAME if hasattr(np, name)} | {
    "sliding_window_view": sliding_window_view, "linalg.norm": np.linalg.norm, "linalg.inv": np.linalg.inv,
    "linalg.det": np.linalg.det, "linalg.solve": np.linalg.solve, "linalg.multi_dot": np.linalg.multi_dot,
    "copy": lambda a: np.array(a), "float64": np.float64, "float32": np.float32, "int64": np.int64, "int32": np.int32,
    "empty": np.zeros, "empty_like": np.zeros_like,
}
"""Functions by their name within NumPy. What ``empty`` holds is not defined; it is read as zeros."""

VIEWS: Mapping[str, Callable[..., Any]] = {
    "transpose": np.transpose, "reshape": np.reshape, "ravel": np.ravel, "squeeze": np.squeeze,
    "expand_dims": np.expand_dims, "swapaxes": np.swapaxes, "moveaxis": np.moveaxis, "atleast_2d": np.atleast_2d,
}
"""Those whose value shares the memory of the argument."""

METHODS: Mapping[str, Callable[..., Any]] = {
    "dot": np.dot, "sum": np.sum, "mean": np.mean, "max": np.max, "min": np.min, "argmax": np.argmax,
    "argmin": np.argmin, "std": np.std, "var": np.var, "prod": np.prod, "clip": np.clip, "copy": np.array,
    "astype": lambda a, dtype, **_: np.asarray(a).astype(dtype), "flatten": lambda a, *_: np.array(a).flatten(),
    "repeat": np.repeat, "cumsum": np.cumsum, "round": np.round, "all": np.all, "any": np.any, "trace": np.trace,
    "diagonal": lambda a, *r: np.array(np.diagonal(a, *r)), "nonzero": np.nonzero, "conj": np.conj, "take": np.take,
    "argsort": np.argsort, "item": lambda a, *i: np.float64(np.asarray(a).item(*i)),
    "tolist": lambda a: np.asarray(a).tolist(),
}
"""Methods of arrays, as functions of the array."""

CONSTANTS: Mapping[str, Any] = {
    "pi": math.pi, "e": math.e, "inf": math.inf, "nan": math.nan, "newaxis": None, "float64": np.float64,
    "float32": np.float32, "int64": np.int64, "int32": np.int32, "float": float, "int": int, "bool_": np.bool_,
    "uint8": np.uint8, "float_": float, "double": np.float64,
}

MATH: Mapping[str, Callable[..., Any]] = {
    name: getattr(math, name) for name in (
        "sqrt", "exp", "log", "log2", "log10", "tanh", "sin", "cos", "floor", "ceil", "prod", "fabs", "pow")}

DTYPES: Mapping[str, Any] = {"float": float, "int": int, "bool": bool, "float64": np.float64, "float32": np.float32}


def refuse_large(name: str, arguments: tuple[Any, ...]) -> None:
    """Refuse a call that would create an array that is too large.

    Raises:
        Unreadable: It would.
    """
    if name not in _CREATES or not arguments:
        return
    numbers = [a for a in arguments if isinstance(a, (int, float)) and math.isfinite(a)]
    if _CREATES[name] == 0:
        shape = arguments[0] if isinstance(arguments[0], (tuple, list)) else numbers[:1]
        numbers = [s for s in shape if isinstance(s, int)]
        if name in ("eye", "identity"):
            numbers = numbers[:1] + [a for a in (arguments[1:2] or numbers[:1]) if isinstance(a, int)]
    elif name == "arange":
        start, stop, step, *_ = (*numbers, 1, 1, 1) if len(numbers) > 1 else (0, *(numbers or [0]), 1)
        numbers = [int(abs((stop - start) / (step or 1))) + 1]
    if math.prod(int(abs(s)) for s in numbers) > MOST_ENTRIES:
        raise Unreadable(f"{name} of that many entries")
