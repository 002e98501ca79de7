"""The numpy-workspace target: every buffer is made ahead, and no step allocates one."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Sequence

from sympy import Expr, S

from codegen.fast_checks import FITTING, MEMORY, RATE
from codegen.fast_module import fast_module
from codegen.kernels.build import Kernel
from codegen.kernels.functions import Functions, functions
from codegen.kernels.storage import largest, last_uses
from codegen.module import require_widths
from codegen.scalar_code import ERF_IN_PLACE
from codegen.workspace.plan import Planned, planned
from codegen.workspace.printer import WorkspacePrinter
from codegen.workspace.single import RATED, fitting, of_one
from codegen.workspace.unrolled import SAFE, obstacle
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
        if len(value) != len(_SHAPES):
            _known(value, what)
        return arrays
    return list(_views(_fitting(value, what, (SIZE,), dtype, writable)).values())


_SHAPES = list(PARAMETERS.values())

{checks}

{functions}'''

_BOUNDS = 'LOWEST = {np.dtype(np.float64): -709.0, np.dtype(np.float32): -88.0}\n"""Below it exp(-x) overflows."""\n'


_OF_ONE = '''
        if N == 1:
            for make in ({makers}):
                setattr(self, make.__name__[1:].removesuffix("_of_one"), make(dtype))'''

_IMPORTS = """\
import math
from operator import index
from struct import pack_into
from threading import local

import numpy as np"""

_IMPORTS_OF_ARRAYS = _IMPORTS.replace("from struct import pack_into\n", "")

_REMARK = """\
Of two variants, whole arrays and single numbers, this module has both. For one sample {written} written out in plain
arithmetic of Python: the network is so small that a call of NumPy costs more than all that it would compute. All else,
and more samples, is computed by NumPy on whole arrays."""

_REMARK_OF_ARRAYS = """\
Of two variants, whole arrays and single numbers, the first was chosen throughout: {why}."""


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
    candidates = (found.forward, found.loss, found.loss_and_gradients, found.step)
    one = [of_one(k, found) for k in candidates if not obstacle(k)]
    if one:
        text += "\n\n\n" + "\n\n\n".join(one) + "\n" + SAFE.rstrip()
    engine = _ENGINE.format(
        of_one=_OF_ONE.format(makers=", ".join(_made(one))) if one else "",
        bounds=_BOUNDS if "LOWEST" in text else "", aliases=aliases,
        size=largest([S.One, *(p.storage.size for p in plans)]),
        checks="\n\n".join((FITTING, MEMORY, RATE)),
        helpers=f"\n\n{ERF_IN_PLACE}\n" if "erf" in printer.functions else "",
        makers=", ".join(f"_{k.name}" for k in found.all), functions=text)
    return fast_module(network, derivation, found, engine, target="numpy-workspace", command="generate",
                       imports=_IMPORTS if one else _IMPORTS_OF_ARRAYS, remark=_remark(candidates),
                       words="forward pass, loss, gradients and Hessian-vector products in NumPy, without allocation.")


def _remark(candidates: Sequence[Kernel]) -> str:
    """Say which variants were chosen, and why."""
    written = [k.name for k in candidates if not obstacle(k)]
    if not written:
        text = _REMARK_OF_ARRAYS.format(why=obstacle(candidates[0]))
    else:
        first, last = ", ".join(written[:-1]), written[-1]
        text = _REMARK.format(written=f"{first} and {last} are" if first else f"{last} is")
    return textwrap.fill(text, 110)


def _signature(plan: Planned, found: Functions) -> tuple[str, list[str]]:
    """Return the arguments of a function, and the lines that check and unpack them."""
    parameters = found.loss.inputs[:-2]
    used = last_uses(plan.instructions)
    names = ", ".join(str(p.name) if str(p.name) in used else "_" for p in parameters)
    kind = plan.kernel.name
    writable = ", True" if kind == "step" else ""
    given = [f"{names}{',' if len(parameters) == 1 else ''} = _given(parameters, \"parameters\", dtype{writable})",
             *fitting(found, kind)]
    results = [r for r in plan.kernel.results if is_matrix(r)]
    read = "parameters=parameters, X=X" + ("" if kind == "forward" else ", Y=Y")

    def apart(what: str, written: str) -> str:
        return f'_apart("{what}", {written}, {read})'

    if kind == "forward":
        return "parameters, X, y_hat", [*given, apart("y_hat", "y_hat")]
    if kind == "loss":
        return "parameters, X, Y", given
    if kind == "input_gradient":
        return "parameters, X, Y, grad_X", [*given, apart("grad_X", "grad_X")]
    if kind == "step":
        return "parameters, X, Y, learning_rate", [
            *given, "_distinct(parameters)", '_apart("parameters", parameters, X=X, Y=Y)', RATED]
    if kind == "trace":
        return "parameters, X, Y, values", [*given, apart("the values", "values"), *(
            f'{r.name if is_matrix(r) else f"at_{r.name}"} = values["{r.name}"]' for r in plan.kernel.results)]
    if kind == "hessian_vector":
        blocks = plan.kernel.inputs[-len(parameters):]
        directions = ", ".join(str(d.name) if str(d.name) in used else "_" for d in blocks)
        return "parameters, X, Y, V, product", [
            *given, *_listed(results, "product", True), apart("the product", "product"),
            f"{directions}{',' if len(blocks) == 1 else ''} = _aside(_given(V, \"V\", dtype), product)"]
    return "parameters, X, Y, gradients", [
        *given, *_listed(results, "gradients", True), "_distinct(gradients)", apart("the gradients", "gradients")]


def _listed(symbols: list[Expr] | list[str], what: str, writable: bool = False) -> Iterator[str]:
    names = ", ".join(s if isinstance(s, str) else str(s.name) for s in symbols)
    comma = "," if "," not in names else ""
    yield f"{names}{comma} = _given({what}, \"{what}\", dtype{', True' if writable else ''})"

