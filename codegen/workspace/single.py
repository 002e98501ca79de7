"""The functions of the workspace for one sample of a tiny network, around what `unrolled` writes."""

from __future__ import annotations

from collections.abc import Sequence

from sympy import Expr

from codegen.kernels.build import Kernel
from codegen.kernels.functions import Functions
from codegen.workspace.unrolled import rows_of, unrolled
from symbolic.terms import is_matrix

_GIVEN = """\
if type(parameters) is dict:
    arrays = _given(parameters, "parameters", dtype{writable})
    {each}
else:
    {all} = _fitting(parameters, "parameters", (SIZE,), dtype{writable}).tolist()"""

RATED = "learning_rate = _rate(learning_rate)"
"""The line that checks a learning rate."""

_CHECKED = """\
if type(gradients) is dict:
    _given(gradients, "gradients", dtype, True)
    _distinct(gradients)
else:
    _fitting(gradients, "gradients", (SIZE,), dtype, True)"""

_INTO = """\
if type({what}) is dict:
    into = scratch
else:
    into = {what}"""

_COPIED = """\
if into is scratch:
    for name, view in _views(scratch).items():
        {what}[name][...] = view"""


def of_one(kernel: Kernel, functions: Functions) -> str:
    """Return the text of a factory of the function on one sample."""
    X, Y = functions.loss.inputs[-2:]
    parameters = functions.loss.inputs[:-2]
    body, name = list(unrolled(kernel)), kernel.name
    each = "\n    ".join(f"{_pattern(p)} = arrays[{i}].tolist()" for i, p in enumerate(parameters))
    lines = _GIVEN.format(each=each, all=f"[{_flat(parameters)}]",
                          writable=", True" if name == "step" else "").splitlines()
    lines += fitting(functions, name)
    lines.append(f"{_pattern(X)} = X.tolist()")
    arguments, last = "parameters, X, Y", ["return float(loss)"]
    if name != "forward":
        lines.append(f"{_pattern(Y)} = Y.tolist()")
    if name == "forward":
        arguments, last = "parameters, X, y_hat", [f"y_hat[...] = {_pattern(kernel.results[0])}"]
    elif name == "loss_and_gradients":
        arguments = "parameters, X, Y, gradients"
        lines += _CHECKED.splitlines()
        last = [*_packed("gradients", [r for r in kernel.results if is_matrix(r)]), *last]
    elif name == "step":
        arguments = "parameters, X, Y, learning_rate"
        lines += ["_distinct(parameters)", RATED]
        last = [*_packed("parameters", parameters), *last]
    inside = "\n".join("        " + line for line in (*lines, *body, *last))
    room = "    scratch, code = np.empty(SIZE, dtype), f\"{SIZE}{dtype.char}\"\n" if "scratch" in inside else ""
    return f"def _{name}_of_one(dtype):\n    N = 1\n{room}    def {name}({arguments}):\n{inside}\n\n    return {name}"


def fitting(functions: Functions, name: str) -> list[str]:
    """Return the lines that refuse X and Y that do not fit."""
    X, Y = functions.loss.inputs[-2:]
    symbols = (X,) if name == "forward" else (X, Y)
    return [f'_fitting({s.name}, "{s.name}", ({s.shape[0]}, {s.shape[1]}), dtype)' for s in symbols]


def _packed(what: str, symbols: Sequence[Expr]) -> list[str]:
    """Return the lines that write all at once into a vector, and from there into the arrays of a dict."""
    return [*_INTO.format(what=what).splitlines(), f"pack_into(code, into, 0, {_flat(symbols)})",
            *_COPIED.format(what=what).splitlines()]


def _pattern(symbol: Expr) -> str:
    return "[" + ", ".join("[" + ", ".join(row) + "]" for row in rows_of(symbol)) + "]"


def _flat(symbols: Sequence[Expr]) -> str:
    return ", ".join(entry for s in symbols for row in rows_of(s) for entry in row)
