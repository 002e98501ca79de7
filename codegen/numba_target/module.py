"""The numba target: fused loops that numba compiles when they are first called."""

from __future__ import annotations

from collections.abc import Sequence

import sympy
from sympy import Expr

from codegen.fast_checks import FITTING, MEMORY, RATE
from codegen.fast_module import fast_module
from codegen.kernels.functions import Functions, functions
from codegen.kernels.storage import largest
from codegen.module import require_widths
from codegen.numba_target.calls import CallsPrinter, scratch_size
from codegen.numba_target.engines import CALLS, IMPORTS, WHOLE
from codegen.numba_target.scalars import NumbaScalars
from codegen.numba_target.whole import SINGLE, WholePrinter
from symbolic.derivation import Derivation
from symbolic.doors import derive
from symbolic.network import Network
from symbolic.terms import shape

PARAMETERS, LAYERS = 2000, 4
"""Networks of at most as many parameters and layers are compiled whole."""

_WHOLE = """Each function is compiled whole, with its products as loops: {size} are so few that a call
of a library would cost more than it computes (at most {most} parameters, {most_layers} layers). For a single sample
there is a form of its own, in which all loops are written out."""

_CALLS = """Products are those of NumPy, and what stands between them are compiled loops: with {size}
products take the time (above {most} parameters), or to compile a function whole would take too long (above
{most_layers} layers). Loops that differ in names only are one, so that depth adds nothing to that."""

_COMPILED = """The first call of each function compiles what it needs, for its dtype: seconds. A module that is a file
keeps the machine code in its __pycache__, so that this happens once; what is executed from a text cannot."""


_CHECKS = "\n\n".join((FITTING.lstrip("\n"), MEMORY, RATE))


def generate_numba(network: Network, derivation: Derivation | None = None) -> str:
    """Return the text of the numba module of a network, from its verified derivation.

    Args:
        network: With integer widths.
        derivation: Of the network's program, by X too; derived and verified here when not given.

    Raises:
        InputError: A width is symbolic.
        VerificationError: A gradient, or the Hessian–vector product, disagrees with numbers.
    """
    require_widths(network)
    derivation = derive(network) if derivation is None else derivation
    found = functions(derivation)
    count, layers = sum(int(r) * int(c) for r, c in network.parameter_shapes().values()), len(network.layers)
    whole = count <= PARAMETERS and layers <= LAYERS
    engine = _whole(network, found) if whole else _calls(found)
    remark = (_WHOLE if whole else _CALLS).format(
        size=f"{count} parameters in {layers} layer{'s' if layers > 1 else ''}", most=PARAMETERS, most_layers=LAYERS)
    return fast_module(network, derivation, found, engine, target="numba", command="generate",
                       imports=_imports(engine), remark=f"{remark}\n\n{_COMPILED}",
                       words="forward pass, loss, gradients and Hessian-vector products in loops that numba compiles.")


def _whole(network: Network, found: Functions) -> str:
    size = found.workspace
    *parameters, X, Y = found.loss.inputs
    scalars, texts, names = NumbaScalars(), [], []
    for single in (False, True):
        printer = WholePrinter(scalars, 1 if network.samples == "columns" else 0, single)
        kernels = [printer.function(k, found) for k in found.all]
        texts += ["\n".join(lines) for lines in (*(lines for _, lines in printer.loops.functions.values()), *kernels)]
        names.append(", ".join(f"_{k.name}{SINGLE if single else ''}" for k in found.all))
    return WHOLE.format(
        checks=_CHECKS, sizes=_tuple(parameters), X=", ".join(map(str, shape(X))), Y=", ".join(map(str, shape(Y))),
        helpers="\n\n\n".join(scalars.helpers.values()), size=size, functions="\n\n\n".join(texts), names=names[0],
        single_names=names[1], attributes=", ".join(f"self._{k.name}" for k in found.all))


def _calls(found: Functions) -> str:
    start = largest([k.storage.size for k in found.all])
    printer = CallsPrinter(start)
    texts = ["\n".join(printer.function(k, found)) for k in found.all]
    helpers = [*printer.scalars.helpers.values(), *("\n".join(lines) for _, lines in printer.loops.functions.values())]
    return CALLS.format(checks=_CHECKS, helpers="\n\n\n".join(helpers), functions="\n\n\n".join(texts),
                        size=sympy.expand(start + scratch_size(found.all)),
                        makers=", ".join(f"_{k.name}" for k in found.all))


def _tuple(symbols: Sequence[Expr]) -> str:
    """Return the numbers of entries as the text of a tuple."""
    return "(" + ", ".join(str(rows * columns) for rows, columns in map(shape, symbols)) + ",)"


def _imports(engine: str) -> str:
    names = [name for name in ("intrinsic", "overload") if f"@{name}" in engine]
    extending = f"from numba.extending import {', '.join(names)}\n" if names else ""
    return IMPORTS.format(extending=extending)
