"""The numpy-workspace target: every buffer is made ahead, and no step allocates one."""

from __future__ import annotations

from collections.abc import Iterator

from sympy import Expr, S

from codegen.fast_module import fast_module
from codegen.kernels.functions import Functions, functions
from codegen.kernels.storage import largest, last_uses
from codegen.module import require_widths
from codegen.scalar_code import ERF_IN_PLACE
from codegen.workspace.plan import Planned, planned
from codegen.workspace.printer import WorkspacePrinter
from codegen.workspace.single import fitting, of_one
from codegen.workspace.unrolled import SAFE, suits
from symbolic.derivation import Derivation
from symbolic.doors import derive
from symbolic.network import Network
from symbolic.terms import is_matrix

_FUNCTIONS = {"dot": "np.dot", "vdot": "np.vdot", "total": "np.add.reduce", "largest": "np.maximum.reduce"}

_ENGINE = '''
{bounds}
{aliases}
{helpers}

class _Engine:
    """The functions, each with its views into one buffer that they share."""

    def __init__(self, N, dtype):
        buffer = np.zeros({size}, dtype)
        for make in ({makers}):
            setattr(self, make.__name__[1:], make(N, dtype, buffer)){of_one}


def _view(buffer, start, rows, columns, dtype=None):
    """Return a matrix that stands in a buffer."""
    return (buffer[start:] if dtype is None else buffer[start:].view(dtype))[: rows * columns].reshape(rows, columns)


def _given(value, what, dtype, writable=False):
    """Return the arrays of a dict by name, or of one vector of all parameters, in order; refuse what does not fit."""
    if type(value) is dict:
        arrays = [value.get(name) for name in PARAMETERS]
        for array, shape in zip(arrays, _SHAPES):
            if not (type(array) is np.ndarray and array.shape == shape and array.dtype is dtype
                    and array.flags.carray):  # a closer look, with a name for the message
                for array, (name, shape) in zip(arrays, PARAMETERS.items()):
                    _fitting(array, f"{{what}}[{{name!r}}]", shape, dtype, writable)
        return arrays
    return list(_views(_fitting(value, what, (SIZE,), dtype, writable)).values())


_SHAPES = list(PARAMETERS.values())


def _fitting(array, name, shape, dtype, writable=False):
    """Return the array; refuse one that NumPy would broadcast, convert or copy without a word."""
    if type(array) is np.ndarray and array.shape == shape and array.dtype == dtype:
        flags = array.flags
        if flags.c_contiguous and flags.aligned and (flags.writeable or not writable):
            return array
    came = f"{{array.dtype}} {{array.shape}}" if isinstance(array, np.ndarray) else f"a {{type(array).__name__}}"
    kind = "writable " if writable else ""
    raise ValueError(f"{{name}}: expected a {{kind}}C-contiguous array of {{dtype}} {{shape}}, came {{came}}")


{functions}'''

_BOUNDS = 'LOWEST = {np.dtype(np.float64): -709.0, np.dtype(np.float32): -88.0}\n"""Below it exp(-x) overflows."""\n'


_OF_ONE = '''
        if N == 1:
            for make in ({makers}):
                setattr(self, make.__name__[1:].removesuffix("_of_one"), make(dtype))'''

_IMPORTS = """\
import math
from struct import pack_into

import numpy as np"""

_REMARK = """\
For a single sample forward, loss, loss_and_gradients and step are written out in plain arithmetic of Python:
the network is so small that a call of NumPy costs more than all that it would compute."""


def _made(functions: list[str]) -> list[str]:
    return [text.split("(")[0].removeprefix("def ") for text in functions]


def generate_workspace(network: Network, derivation: Derivation | None = None) -> str:
    """Return the text of the numpy-workspace module of a network, from its verified derivation.

    Args:
        network: With integer widths.
        derivation: Of the network's program, by X too; derived and verified here when not given.

    Raises:
        InputError: A width is symbolic.
        VerificationError: A gradient, or the Hessian–vector product, disagrees with numbers.
    """
    require_widths(network)
    derivation = derive(network) if derivation is None else derivation
    found, printer = functions(derivation), WorkspacePrinter()
    plans = [planned(k) for k in found.all]
    texts = ["\n".join(printer.function(p, *_signature(p, found))) for p in plans]
    aliases = "\n".join(f"{f} = {_FUNCTIONS.get(f, f'np.{f}')}" for f in sorted(printer.functions - {"erf"}))
    text = "\n\n\n".join(texts)
    one = [of_one(k, found) for k in (found.forward, found.loss, found.loss_and_gradients, found.step) if suits(k)]
    if one:
        text += "\n\n\n" + "\n\n\n".join(one) + "\n" + SAFE.rstrip()
    engine = _ENGINE.format(
        of_one=_OF_ONE.format(makers=", ".join(_made(one))) if one else "",
        bounds=_BOUNDS if "LOWEST" in text else "", aliases=aliases,
        size=largest([S.One, *(p.storage.size for p in plans)]),
        helpers=f"\n\n{ERF_IN_PLACE}\n" if "erf" in printer.functions else "",
        makers=", ".join(f"_{k.name}" for k in found.all), functions=text)
    return fast_module(network, derivation, found, engine, target="numpy-workspace", command="generate",
                       imports=_IMPORTS if one else "import numpy as np", remark=_REMARK if one else "",
                       words="forward pass, loss, gradients and Hessian-vector products in NumPy, without allocation.")


def _signature(plan: Planned, found: Functions) -> tuple[str, list[str]]:
    """Return the arguments of a function, and the lines that unpack them."""
    parameters = found.loss.inputs[:-2]
    used = last_uses(plan.instructions)
    names = ", ".join(str(p.name) if str(p.name) in used else "_" for p in parameters)
    kind = plan.kernel.name
    writable = ", True" if kind == "step" else ""
    given = [f"{names}{',' if len(parameters) == 1 else ''} = _given(parameters, \"parameters\", dtype{writable})",
             *fitting(found, kind)]
    if kind == "forward":
        return "parameters, X, y_hat", given
    if kind == "loss":
        return "parameters, X, Y", given
    if kind == "input_gradient":
        return "parameters, X, Y, grad_X", given
    if kind == "step":
        return "parameters, X, Y, learning_rate", given
    results = [r for r in plan.kernel.results if is_matrix(r)]
    if kind == "trace":
        return "parameters, X, Y, values", [*given, *(
            f'{r.name if is_matrix(r) else f"at_{r.name}"} = values["{r.name}"]' for r in plan.kernel.results)]
    if kind == "hessian_vector":
        blocks = plan.kernel.inputs[-len(parameters):]
        directions = ", ".join(str(d.name) if str(d.name) in used else "_" for d in blocks)
        return "parameters, X, Y, V, product", [*given, *_listed([directions], "V"), *_listed(results, "product", True)]
    return "parameters, X, Y, gradients", [*given, *_listed(results, "gradients", True)]


def _listed(symbols: list[Expr] | list[str], what: str, writable: bool = False) -> Iterator[str]:
    names = ", ".join(s if isinstance(s, str) else str(s.name) for s in symbols)
    comma = "," if "," not in names else ""
    yield f"{names}{comma} = _given({what}, \"{what}\", dtype{', True' if writable else ''})"

