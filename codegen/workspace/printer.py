"""Kernels as Python functions that call NumPy with an ``out`` for everything."""

from __future__ import annotations

from collections.abc import Iterable

import sympy
from sympy import Expr, Symbol

from codegen.kernels.instructions import MASK, Apply, Instruction, Loop, Product, names_of
from codegen.numpy_code import NumpyPrinter
from codegen.workspace.plan import Planned
from symbolic.build import DECAY, SAMPLES
from symbolic.terms import is_matrix, shape

NAMES = {"sums0": "dot", "sums1": "dot", "largest0": "largest", "largest1": "largest", "copy": "copyto",
         "copy_where": "copyto", "dot": "vdot", "total": "total"}
"""The function of the module's head that does what an instruction names, where that is not its own name."""


class WorkspacePrinter:
    """Print planned kernels, and remember what the head of the module has to import."""

    def __init__(self) -> None:
        self.functions: set[str] = set()
        self.scalars = NumpyPrinter()

    def function(self, planned: Planned, arguments: str, unpack: Iterable[str]) -> list[str]:
        """Return a factory of one function: its buffers and constants, then the function itself.

        Args:
            planned: The kernel.
            arguments: Of the function.
            unpack: Its first lines.
        """
        self.constants: dict[Expr, str] = {}
        self.turned: dict[str, str] = {}
        self.ones: dict[str, str] = {}
        local = {n for n, where in planned.storage.place.items() if not isinstance(where, str)}
        shared = [f"{n} = {where}" for n, where in planned.storage.place.items() if isinstance(where, str)]
        body = [line for i in planned.instructions for line in self._instruction(i, local)]
        head = [*self._views(planned), *(f"{t} = {n}.T" for n, t in self.turned.items()),
                *(f"{name} = np.ones({size}, dtype)" for size, name in self.ones.items()),
                *(f"{name} = np.array({self._python(value)}, dtype)" for value, name in self.constants.items())]
        loss = [str(r.name) for r in planned.kernel.results if not is_matrix(r)]
        name = planned.kernel.name
        stores = [f"at_{n}[0, 0] = {n}" for n in loss] if name == "trace" else []
        last = [f"return float({loss[-1]})"] if loss and name != "trace" else []
        lines = [*unpack, *shared, *body, *stores, *last]
        return [f"def _{name}(N, dtype, buffer):", *("    " + line for line in head), "",
                f"    def {name}({arguments}):", *("        " + line for line in lines), "", f"    return {name}"]

    def _views(self, planned: Planned) -> list[str]:
        lines = []
        for name, where in planned.storage.place.items():
            if isinstance(where, str):
                continue
            rows, columns = shape(planned.symbols[name])
            kind = ", bool" if name.startswith(MASK) else ""
            lines.append(f"{name} = _view(buffer, {planned.storage.offset(where)}, {rows}, {columns}{kind})")
        return lines

    def _instruction(self, instruction: Instruction, local: set[str]) -> list[str]:
        if isinstance(instruction, Product):
            left, right = (self._factor(f, t, local) for f, t in (
                (instruction.left, instruction.left_transposed), (instruction.right, instruction.right_transposed)))
            return [self._call("dot", [left, right], instruction.out)]
        if isinstance(instruction, Loop):
            return [f"{line.target.name} = {self._python(line.formula)}" for line in instruction.lines]
        return self._apply(instruction)

    def _factor(self, symbol: Expr, transposed: bool, local: set[str]) -> str:
        name = str(symbol.name)
        if not transposed:
            return name
        if name not in local:
            return f"{name}.T"
        self.turned[name] = f"{name}_T"
        return f"{name}_T"

    def _apply(self, call: Apply) -> list[str]:
        name, out = call.function, call.out
        if name == "scratch":
            return []
        operands = [self._operand(o) for o in call.operands]
        if name in ("sums0", "sums1"):
            ones = self._ones(shape(call.operands[0]), int(name[-1]))
            return [self._call("dot", [ones, operands[0]] if name == "sums0" else [operands[0], ones], out)]
        if name in ("largest0", "largest1"):
            self.functions.add("largest")
            return [f"largest({operands[0]}, axis={name[-1]}, keepdims=True, out={out.name})"]
        if name in ("dot", "total"):
            self.functions.add(NAMES[name])
            axis = ", axis=None" if name == "total" else ""
            return [f"{out.name} = {NAMES[name]}({', '.join(operands)}{axis})"]
        if name == "copy":
            self.functions.add("copyto")
            return [f"copyto({out.name}, {operands[0]})"]
        if name == "copy_where":
            self.functions.add("copyto")
            return [f"copyto({out.name}, {operands[1]}, where={operands[2]})"]
        return [self._call(name, operands, out)]

    def _call(self, name: str, operands: list[str], out: Expr) -> str:
        self.functions.add(name)
        return f"{name}({', '.join(operands)}, out={out.name})"

    def _ones(self, size: tuple[Expr, Expr], axis: int) -> str:
        text = f"(1, {size[0]})" if axis == 0 else f"({size[1]}, 1)"
        return self.ones.setdefault(text, f"ones{len(self.ones) + 1}")

    def _operand(self, operand: Expr) -> str:
        if is_matrix(operand):
            return str(operand.name)
        if names_of(operand) <= {str(SAMPLES.name), str(DECAY.name), "LOWEST"}:
            return self.constants.setdefault(operand, f"c{len(self.constants) + 1}")
        return self._python(operand)

    def _python(self, formula: Expr) -> str:
        if formula == Symbol("LOWEST"):
            return "LOWEST[dtype]"
        return self.scalars.show(sympy.sympify(formula))


