"""A kernel as calls of NumPy's products and of compiled loops, for large networks.

Loops that differ in names only are one compiled function, so that a hundred layers compile as fast as two.
"""

from __future__ import annotations

from collections.abc import Sequence

import sympy
from sympy import Expr, S

from codegen.kernels.build import Kernel, temporaries
from codegen.kernels.functions import Functions
from codegen.kernels.instructions import Instruction, Loop, Product, names_of
from codegen.kernels.storage import largest, last_uses
from codegen.numba_target.outlining import Outliner
from codegen.numba_target.scalars import NumbaScalars
from symbolic.terms import is_matrix, shape

SCALE = '''@compiled
def scale(c, A):
    """Multiply A by c."""
    factor = A.dtype.type(c)
    for i in range(A.shape[0]):
        for j in range(A.shape[1]):
            A[i, j] *= factor'''

ADD_SCALED = '''@compiled
def add_scaled(c, A, B):
    """Add c A to B."""
    factor = A.dtype.type(c)
    for i in range(A.shape[0]):
        for j in range(A.shape[1]):
            B[i, j] += factor * A[i, j]'''


class CallsPrinter:
    """Print kernels as factories of functions, and remember the loops and helpers that they call.

    Args:
        scratch: Where the buffer's last part begins, which holds products that are added to something.
    """

    def __init__(self, scratch: Expr) -> None:
        self.scratch = scratch
        self.scalars = NumbaScalars()
        self.loops = Outliner(self.scalars)

    def function(self, kernel: Kernel, found: Functions) -> list[str]:
        """Return the lines of a factory of one function: its buffers, then the function itself."""
        parameters, X, Y = found.loss.inputs[:-2], *found.loss.inputs[-2:]
        self.views: dict[str, str] = {}
        self.inside = [s for s in temporaries(kernel) if not isinstance(kernel.storage.place[str(s.name)], str)]
        for symbol in self.inside:
            where = kernel.storage.place[str(symbol.name)]
            assert isinstance(where, int)
            self.views[str(symbol.name)] = _view(kernel.storage.offset(where), symbol)
        symbols = {str(s.name): s for i in kernel.instructions for s in i.writes}
        symbols |= {str(s.name): s for s in (*kernel.inputs, *kernel.results)}
        body = [line for i in kernel.instructions for line in self._instruction(i, kernel, symbols)]
        shared = [f"{n} = {where}" for n, where in kernel.storage.place.items() if isinstance(where, str)]
        arguments, head = _signature(kernel, parameters)
        head += [f"_fitting({m.name}, {str(m.name)!r}, ({', '.join(map(str, shape(m)))}), buffer.dtype"
                 f"{', writable=True' if m in kernel.results else ''})" for m in (X, Y, *kernel.results)
                 if str(m.name) in arguments]
        head += _apart(kernel.name, arguments)
        loss = [str(r.name) for r in kernel.results if not is_matrix(r)]
        last = [f"at_{n}[0, 0] = {n}" for n in loss] if kernel.name == "trace" else [f"return float({n})" for n in loss]
        return [f"def _{kernel.name}(N, buffer, engine):",
                *(f"    {name} = {view}" for name, view in self.views.items()), "",
                f"    def {kernel.name}({', '.join(arguments)}):",
                *("        " + line for line in (*head, *shared, *body, *last)), "", f"    return {kernel.name}"]

    def _instruction(self, instruction: Instruction, kernel: Kernel, symbols: dict[str, Expr]) -> list[str]:
        if isinstance(instruction, Product):
            return self._product(instruction)
        assert isinstance(instruction, Loop)
        if instruction.scalar:
            return self._scalar_lines(instruction, symbols)
        return self.loops.calls(instruction, kernel, symbols)

    def _product(self, product: Product) -> list[str]:
        factors = ", ".join(self._factor(*f) for f in (
            (product.left, product.left_transposed), (product.right, product.right_transposed)))
        c, out = self.scalars.plain(product.coefficient), str(product.out.name)
        if product.accumulate:
            self.scalars.helpers.setdefault("add_scaled", ADD_SCALED)
            rows, columns = product.out.shape
            scratch = f"scratch_{rows}_{columns}"
            self.views[scratch] = _view(self.scratch, product.out)
            return [f"dot({factors}, out={scratch})", f"add_scaled({c}, {scratch}, {out})"]
        if product.coefficient is S.One:
            return [f"dot({factors}, out={out})"]
        self.scalars.helpers.setdefault("scale", SCALE)
        return [f"dot({factors}, out={out})", f"scale({c}, {out})"]

    def _factor(self, symbol: Expr, transposed: bool) -> str:
        name = str(symbol.name)
        if not transposed or name not in self.views:
            return f"{name}.T" if transposed else name
        self.views[f"{name}_T"] = f"{name}.T"
        return f"{name}_T"

    def _scalar_lines(self, loop: Loop, symbols: dict[str, Expr]) -> list[str]:
        lines = []
        for line in loop.lines:
            entries = {n: f"{n}[0, 0]" for n in names_of(line.formula) if n in symbols and is_matrix(symbols[n])}
            lines.append(f"{line.target.name} = {self.scalars.plain(line.formula, entries)}")
        return lines


def scratch_size(kernels: Sequence[Kernel]) -> Expr:
    """Return the numbers that products hold before they are added to something, at any N."""
    outs = [i.out.shape for k in kernels for i in k.instructions if isinstance(i, Product) and i.accumulate]
    return largest([rows * columns for rows, columns in outs])


def _view(start: Expr, symbol: Expr) -> str:
    rows, columns = shape(symbol)
    return f"view(buffer, {sympy.expand(start)}, {rows}, {columns})"


def _apart(name: str, arguments: Sequence[str]) -> list[str]:
    """Return the lines that refuse shared memory, once all arguments are known to be arrays that fit."""
    read = ", ".join(f"{n}={n}" for n in arguments if n in ("parameters", "X", "Y"))
    if name == "step":
        return ["_distinct(parameters)", '_apart("parameters", parameters, X=X, Y=Y)',
                "learning_rate = _rate(learning_rate)"]
    if name == "hessian_vector":
        return [f'_apart("the product", product, {read})']
    if name == "loss_and_gradients":
        return ["_distinct(gradients)", f'_apart("the gradients", gradients, {read})']
    written = next((a for a in arguments if a not in ("parameters", "X", "Y")), None)
    return [f'_apart("{written}", {written}, {read})'] if written else []


def _signature(kernel: Kernel, parameters: Sequence[Expr]) -> tuple[list[str], list[str]]:
    """Return the arguments of a function, and the lines that unpack those that are dicts or vectors."""
    used = last_uses(kernel.instructions)

    def unpacked(symbols: Sequence[Expr], given: str) -> str:
        names = [str(s.name) if str(s.name) in used else "_" for s in symbols]
        return f"{', '.join(names)}{',' if len(names) == 1 else ''} = {given}"

    reading, both = unpacked(parameters, "engine.parameters(parameters)"), ["parameters", "X", "Y"]
    blocks = [r for r in kernel.results if is_matrix(r)]
    if kernel.name == "forward":
        return ["parameters", "X", "y_hat"], [reading]
    if kernel.name == "step":
        return [*both, "learning_rate"], [unpacked(parameters, "engine.changed(parameters)")]
    if kernel.name == "input_gradient":
        return [*both, str(kernel.results[0].name)], [reading]
    if kernel.name == "trace":
        return [*both, "values"], [reading, *(
            f'{r.name if is_matrix(r) else f"at_{r.name}"} = values["{r.name}"]' for r in kernel.results)]
    if kernel.name == "hessian_vector":
        directions = unpacked(kernel.inputs[-len(parameters):], "_aside(engine.V(V), product)")
        return [*both, "V", "product"], [reading, unpacked(blocks, "engine.product(product)"), directions]
    if kernel.name == "loss":
        return both, [reading]
    return [*both, "gradients"], [reading, unpacked(blocks, "engine.gradients(gradients)")]

