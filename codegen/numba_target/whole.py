"""A kernel as one compiled function, for small networks: calls of NumPy would cost more than what they compute.

There are two forms. For a single sample everything is written out, so that the compiler knows all bounds and little
is left of the loops. For any number of samples loops and products are functions, so that each is compiled once.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

import sympy
from sympy import Expr

from codegen.kernels.build import Kernel, temporaries
from codegen.kernels.functions import LEARNING_RATE, Functions
from codegen.kernels.instructions import Loop, Product, names_of
from codegen.numba_target.loops import Nest
from codegen.numba_target.outlining import Outliner
from codegen.numba_target.products import multiply, written_out
from codegen.numba_target.scalars import NumbaScalars
from symbolic.terms import is_matrix, shape

SINGLE = "_single"
"""What the names of functions for a single sample end with."""


class WholePrinter:
    """Print kernels, each as one function, and remember the helpers and loops that they call.

    Args:
        scalars: Prints formulas; remembers helpers.
        sample_axis: The axis of X that counts samples.
        single: Whether the functions are for a single sample.
    """

    def __init__(self, scalars: NumbaScalars, sample_axis: int, single: bool) -> None:
        self.scalars, self.sample_axis, self.single = scalars, sample_axis, single
        self.loops = Outliner(scalars)

    def function(self, kernel: Kernel, found: Functions) -> list[str]:
        """Return the lines of a compiled function.

        Parameters and what has their shapes come as vectors of the addresses at which their matrices begin.
        """
        parameters = found.loss.inputs[:-2]
        if self.single:
            self.scalars.names[str(LEARNING_RATE.name)] = "rate"
        body = self._body(kernel)
        self.scalars.names.pop(str(LEARNING_RATE.name), None)
        used = set(re.findall(r"\w+", "\n".join(body)))
        used |= {w for n, w in kernel.storage.place.items() if n in used and isinstance(w, str)}
        arguments, places = self._places(kernel, parameters)
        head = ["N = 1" if self.single else f"N = X.shape[{self.sample_axis}]", "real = work.dtype.type",
                *_checks(kernel.name, arguments, found)]
        if "rate" in used:
            head.append("rate = real(learning_rate)")
        for name, place, symbol in places:
            if name in used:
                head.append(f"{name} = matrix({place}, {_sizes(symbol)}, work)")
        loss = [str(r.name) for r in kernel.results if not is_matrix(r)]
        last = [f"at_{n}[0, 0] = {n}" for n in loss] if kernel.name == "trace" else [f"return {n}" for n in loss]
        if kernel.name == "trace":
            head += [f"at_{n} = matrix(values[{i}], 1, 1, work)" for i, r in enumerate(kernel.results)
                     if not is_matrix(r) for n in [r.name]]
        lines = [*head, *self._temporaries(kernel, used), *body, *last]
        name = f"_{kernel.name}{SINGLE if self.single else ''}"
        return ["@compiled", f"def {name}({', '.join([*arguments, 'work'])}):",
                *("    " + line for line in lines)]

    def _places(self, kernel: Kernel, parameters: Sequence[Expr]
                ) -> tuple[list[str], list[tuple[str, str, Expr]]]:
        """Return the arguments of a function, and where the matrices stand that come by address."""
        given = [(str(p.name), f"parameters[{i}]", p) for i, p in enumerate(parameters)]

        def named(vector: str, symbols: Sequence[Expr]) -> list[tuple[str, str, Expr]]:
            return [(str(s.name), f"{vector}[{i}]", s) for i, s in enumerate(symbols) if is_matrix(s)]

        both = ["parameters", "X", "Y"]
        blocks = [r for r in kernel.results if is_matrix(r)]
        return {
            "forward": lambda: (["parameters", "X", "y_hat"], given),
            "loss": lambda: (both, given),
            "loss_and_gradients": lambda: ([*both, "gradients"], [*given, *named("gradients", blocks)]),
            "input_gradient": lambda: ([*both, str(kernel.results[0].name)], given),
            "trace": lambda: ([*both, "values"], [*given, *named("values", kernel.results)]),
            "step": lambda: ([*both, "learning_rate"], given),
            "hessian_vector": lambda: ([*both, "V", "product"],
                                       [*given, *named("V", kernel.inputs[-len(parameters):]),
                                        *named("product", blocks)]),
        }[kernel.name]()

    def _temporaries(self, kernel: Kernel, used: set[str]) -> list[str]:
        lines: list[str] = []
        known: dict[tuple[int, str], str] = {}
        for symbol in temporaries(kernel):
            name, where = str(symbol.name), kernel.storage.place[str(symbol.name)]
            if name not in used:
                continue
            sizes = _sizes(symbol)
            if isinstance(where, str) or (where, sizes) in known:  # by name, so that the compiler sees that it is one
                lines.append(f"{name} = {where if isinstance(where, str) else known[where, sizes]}")
            else:
                known[where, sizes] = name
                lines.append(f"{name} = part(work, {sympy.expand(kernel.storage.offset(where))}, {sizes})")
        return lines

    def _body(self, kernel: Kernel) -> list[str]:
        symbols = {str(s.name): s for i in kernel.instructions for s in i.writes}
        symbols |= {str(s.name): s for s in (*kernel.inputs, *kernel.results)}
        shapes = {n: shape(s) for n, s in symbols.items() if is_matrix(s) and n not in kernel.locals}
        lines: list[str] = []
        for instruction in kernel.instructions:
            if isinstance(instruction, Product):
                lines += (written_out if self.single else multiply)(instruction, self.scalars)
            elif isinstance(instruction, Loop) and instruction.scalar:
                lines += self._scalar_lines(instruction, shapes)
            elif isinstance(instruction, Loop) and not self.single:
                lines += self.loops.calls(instruction, kernel, symbols)
            else:
                assert isinstance(instruction, Loop)
                lines += Nest(self.scalars, instruction, kernel.locals, shapes).lines()
        return lines

    def _scalar_lines(self, loop: Loop, shapes: dict[str, tuple[Expr, Expr]]) -> list[str]:
        lines = []
        for line in loop.lines:
            matrices = names_of(line.formula) & shapes.keys()
            self.scalars.names |= {n: f"{n}[0, 0]" for n in matrices}
            lines.append(f"{line.target.name} = {self.scalars.formula(line.formula)}")
            for name in matrices:
                self.scalars.names.pop(name)
        return lines


def _checks(name: str, arguments: Sequence[str], found: Functions) -> list[str]:
    """Return the lines that refuse X and Y whose shape has changed since they were checked, and shared memory."""
    samples = [s for s in found.loss.inputs[-2:] if str(s.name) in arguments]
    lines = []
    for symbol in samples:
        rows, columns = shape(symbol)
        lines += [f"if {symbol.name}.shape[0] != {rows} or {symbol.name}.shape[1] != {columns}:",
                  f'    raise ValueError("{symbol.name}: its shape was changed in place")']

    def refuse(condition: str, read: str, written: str) -> None:
        lines.extend([f"if {condition}:",
                      f'    raise ValueError("{read}: stands in the memory of {written}, which is written; '
                      'give a copy")'])

    results = {"loss_and_gradients": "gradients", "step": "parameters", "hessian_vector": "product"}
    if name in results:
        written = results[name]
        refuse(f"tied({written}, work)", "one of them", f"another of the {written}")
        for symbol in samples:
            refuse(f"meets({symbol.name}.ctypes.data, {symbol.name}.size, {written}, work)", str(symbol.name), written)
        if written != "parameters":
            refuse(f"meet(parameters, {written}, work)", "one of the parameters", written)
    elif name in ("forward", "input_gradient"):
        (written,) = (a for a in arguments if a not in ("parameters", "X", "Y"))
        refuse(f"meets({written}.ctypes.data, {written}.size, parameters, work)", "one of the parameters", written)
        for symbol in samples:
            lines.append(f"start, end = {symbol.name}.ctypes.data, {written}.ctypes.data")
            refuse(f"start < end + {written}.nbytes and end < start + {symbol.name}.nbytes", str(symbol.name), written)
    return [*lines, *(["V = aside(V, product, work)"] if name == "hessian_vector" else [])]


def _sizes(symbol: Expr) -> str:
    rows, columns = shape(symbol)
    return f"{sympy.expand(rows)}, {sympy.expand(columns)}"
