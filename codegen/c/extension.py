"""A network as the C source of an extension of CPython that works on NumPy arrays."""

from __future__ import annotations

from typing import Any

from codegen.c.fast import fast_functions
from codegen.c.layout import offsets
from codegen.c.multiply import MULTIPLY
from codegen.c.printer import PRODUCTS, CPrinter, size_text
from codegen.c.source import Function
from codegen.kernels.build import Kernel
from codegen.kernels.functions import Functions
from codegen.templating import render
from codegen.version import __version__
from symbolic.architecture import digest, to_compact
from symbolic.build import SAMPLES
from symbolic.network import Network
from symbolic.terms import is_matrix

UNROLLED, MOST_INSTRUCTIONS = 2000, 400
"""Networks of at most as many parameters, and products and loops in all functions together, are compiled anew for a
single sample, so that all loops are unrolled. The time of the compiler grows with the latter, faster than linearly: ten
layers take 13 s, twenty take 33 s, fifty 56 s and then 10 as loops; a single sample takes twice as long there."""

SIMD = "\n#pragma omp simd\n            "


def extension_source(network: Network, functions: Functions, extension: str) -> str:
    """Return the source of an extension module.

    Args:
        network: With integer widths.
        functions: Its kernels.
        extension: The name of the module.
    """
    instructions = sum(len(kernel.instructions) for kernel in functions.all)
    unrolled = offsets(functions.step.results)[-1] <= UNROLLED and instructions <= MOST_INSTRUCTIONS
    kinds = [_kind(functions, real, unrolled) for real in ("double", "float")]
    X, Y = functions.loss.inputs[-2:]
    parameters = network.parameter_shapes()
    return render(
        "extension.c.jinja", network=network, version=__version__, compact=to_compact(network), digest=digest(network),
        kinds=kinds, decay=network.weight_decay, extension=extension, parameters=parameters, X=_shape(X), Y=_shape(Y),
        values=[(s.name, *_pair(s)) for s in functions.trace.results],
        size=sum(int(r) * int(c) for r, c in parameters.values()),
        sample_axis=1 if network.samples == "columns" else 0, workspace=size_text(functions.workspace),
        products={PRODUCTS[key]: tuple("TRANSPOSED" if t else "PLAIN" for t in key) for key in kinds[0]["products"]},
        unrolled=unrolled)


def _kind(functions: Functions, real: str, unrolled: bool) -> dict[str, Any]:
    """Return what the template needs for one type."""
    suffix = "f64" if real == "double" else "f32"
    printer = CPrinter(real, fast=True, outlined=not unrolled)
    printer.suffix = f"_{suffix}"
    made = [Function("", k.name, tuple(_lines(k, printer))) for k in functions.all]
    products = sorted(printer.products)
    loops = [MULTIPLY[key].format(real=real, simd=SIMD).replace(
        f"static void {PRODUCTS[key]}(", f"static inline void {PRODUCTS[key]}_by_loops_{suffix}(") for key in products]
    return {"real": real, "suffix": suffix, "blas": "d" if real == "double" else "s", "fast": fast_functions(real),
            "loops": ["\n".join(lines) for _, lines in printer.loops.values()],
            "helpers": [*printer.scalars.helpers.values(), *loops], "products": products,
            "functions": [{"name": f.head, "lines": f.lines, "room": max(1, int(k.storage.size.subs(SAMPLES, 1)))}
                          for f, k in zip(made, functions.all, strict=True)]}


def _lines(kernel: Kernel, printer: CPrinter) -> list[str]:
    lines = []
    for i, symbol in enumerate(kernel.inputs):
        if is_matrix(symbol):
            lines.append(f"const {printer.real} *const {symbol.name} = inputs[{i}];")
        else:
            lines.append(f"const {printer.real} {symbol.name} = *(const {printer.real} *)inputs[{i}];")
    lines += [f"{printer.real} *const {s.name if is_matrix(s) else f'at_{s.name}'} = results[{i}];"
              for i, s in enumerate(kernel.results)]
    body = printer.body(kernel)
    unused = [f"(void){name};" for name in (*(s.name for s in kernel.inputs), "workspace", "N")]
    return [*lines, *unused, *body, *(f"*at_{s.name} = {s.name};" for s in kernel.results if not is_matrix(s))]


def _shape(symbol: Any) -> str:
    return ", ".join(map(str, _pair(symbol)))


def _pair(symbol: Any) -> tuple[int, int]:
    if not is_matrix(symbol):
        return 1, 1
    rows, columns = (0 if d == SAMPLES else int(d) for d in symbol.shape)
    return rows, columns
