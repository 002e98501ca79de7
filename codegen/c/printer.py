"""A kernel as the body of a C function."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import sympy
from sympy import Expr, S

from codegen.c.scalars import ScalarPrinter
from codegen.kernels.build import Kernel, temporaries
from codegen.kernels.instructions import MAX, Assign, Instruction, Loop, Product, names_of
from codegen.kernels.outline import Outlined, outline
from symbolic.build import DECAY, SAMPLES
from symbolic.terms import is_matrix, shape

PRODUCTS = {(False, False): "multiply", (True, False): "multiply_transposed", (False, True): "multiply_by_transposed"}
"""The function of the file that multiplies, by which factors are transposed."""


class CPrinter:
    """Print the kernels of one file, and remember which helpers they call.

    Args:
        dtype: "double" or "float".
        fast: Whether loops are marked for vector instructions, and exp and tanh are those of the file.
        outlined: Whether each kind of loop becomes one function of the file.
    """

    def __init__(self, dtype: str, fast: bool = False, outlined: bool = False) -> None:
        self.real, self.fast, self.outlined = dtype, fast, outlined
        self.loops: dict[Any, tuple[str, list[str]]] = {}
        self.scalars = ScalarPrinter(dtype, fast)
        self.scalars.names = {str(SAMPLES.name): f"({dtype})N", str(DECAY.name): "WEIGHT_DECAY"}
        self.suffix = ""
        self.products: set[tuple[bool, bool]] = set()

    def body(self, kernel: Kernel, comments: Mapping[str, str] | None = None) -> list[str]:
        """Return the lines that compute a kernel's results, from pointers of the names of its matrices.

        Args:
            kernel: What is computed.
            comments: The formula of a name, which stands above the lines that compute it.
        """
        lines = []
        for symbol in temporaries(kernel):
            lines.append(f"{self.real} *const {symbol.name} = {self.place(kernel, str(symbol.name))};")
        symbols = {str(s.name): s for i in kernel.instructions for s in i.writes}
        symbols |= {str(s.name): s for s in (*kernel.inputs, *kernel.results)}
        for instruction in kernel.instructions:
            lines += [f"/* {s.name} = {comments[str(s.name)]} */" for s in instruction.writes
                      if comments and str(s.name) in comments]
            lines += self._instruction(instruction, kernel, symbols)
        return lines

    def place(self, kernel: Kernel, name: str) -> str:
        """Return where a temporary begins."""
        where = kernel.storage.place[name]
        if isinstance(where, str):
            return where
        offset = kernel.storage.offset(where)
        return "workspace" if offset == 0 else f"workspace + {size_text(offset)}"

    def _instruction(self, instruction: Instruction, kernel: Kernel, symbols: dict[str, Expr]) -> list[str]:
        shapes = {n: shape(s) for n, s in symbols.items() if is_matrix(s) and n not in kernel.locals}
        if isinstance(instruction, Product):
            return [self._product(instruction)]
        assert isinstance(instruction, Loop)
        if instruction.scalar:
            return self._scalar_lines(instruction, shapes)
        if self.outlined:
            return self._call(outline(instruction, symbols, kernel.locals, self.scalars.names))
        return list(_Nest(self, instruction, kernel.locals, shapes).lines())

    def _call(self, outlined: Outlined) -> list[str]:
        """Return the call of the function for a kind of loop, which is written where there is none yet."""
        if outlined.key not in self.loops:
            name = f"loop{len(self.loops) + 1}{self.suffix}"
            self.loops[outlined.key] = name, self._function(name, outlined)
        summed = {str(line.target.name) for line in outlined.loop.lines if not is_matrix(line.target)}
        arguments = [f"{'&' if str(own.name) in summed else ''}{theirs.name}" for theirs, own in outlined.arguments]
        declared = [f"{self.real} {theirs.name};" for theirs, own in outlined.arguments if str(own.name) in summed]
        return [*declared, f"{self.loops[outlined.key][0]}({', '.join(['N', *arguments])});"]

    def _function(self, name: str, outlined: Outlined) -> list[str]:
        written = {str(s.name) for s in outlined.loop.writes}
        kinds, last = [], []
        for _, own in outlined.arguments:
            constant = "" if str(own.name) in written else "const "
            if is_matrix(own):
                kinds.append(f"{constant}{self.real} *const {own.name}")
            else:
                kinds.append(f"{self.real} *const at_{own.name}" if not constant else f"const {self.real} {own.name}")
                last += [] if constant else [f"*at_{own.name} = {own.name};"]
        shapes = {str(own.name): shape(own) for _, own in outlined.arguments if is_matrix(own)}
        body = [*_Nest(self, outlined.loop, outlined.inside, shapes).lines(), *last]
        head = f"static void {name}({', '.join(['const size_t N', *kinds])}) {{"
        return [head, "    (void)N;", *(line if line.startswith("#") else "    " + line for line in body), "}"]

    def _product(self, product: Product) -> str:
        key = (product.left_transposed, product.right_transposed)
        self.products.add(key)
        rows, columns = product.out.shape
        sizes = ", ".join(map(size_text, (rows, product.inner, columns)))
        names = ", ".join(str(s.name) for s in (product.left, product.right, product.out))
        return (f"{PRODUCTS[key]}{self.suffix}({sizes}, {self.scalars.formula(product.coefficient)}, {names}, "
                f"{int(product.accumulate)});")

    def _scalar_lines(self, loop: Loop, shapes: dict[str, tuple[Expr, Expr]]) -> list[str]:
        lines = []
        for line in loop.lines:
            self.scalars.names |= {n: f"{n}[0]" for n in names_of(line.formula) if n in shapes}
            lines.append(f"const {self.real} {line.target.name} = {self.scalars.formula(line.formula)};")
            for name in names_of(line.formula) & shapes.keys():
                self.scalars.names.pop(name)
        return lines


class _Nest:
    """Two loops, one inside the other, over the entries of a shape."""

    def __init__(self, printer: CPrinter, loop: Loop, inside: frozenset[str],
                 shapes: dict[str, tuple[Expr, Expr]]) -> None:
        self.printer, self.loop, self.inside, self.shapes = printer, loop, inside, shapes
        self.real = printer.real
        self.size = (loop.rows, loop.columns)
        self.reductions = [line for line in loop.lines if line.reduction]

    def lines(self) -> Iterator[str]:
        """Yield the lines of code."""
        for line in self.reductions:
            if not is_matrix(line.target):
                yield f"{self.real} {line.target.name} = {self._start(line)};"
        for line in self._along_rows():
            yield (f"for (size_t j = 0; j < {size_text(self.loop.columns)}; j++) "
                   f"{line.target.name}[j] = {self._start(line)};")
        outer, inner = self.loop.rows != 1, self.loop.columns != 1
        indent = ""
        if outer or not inner:  # a block of its own for the names of a single entry
            yield f"for (size_t i = 0; i < {size_text(self.loop.rows)}; i++) {{" if outer else "{"
            indent += "    "
        for line in self._along_columns():
            yield f"{indent}{self.real} {self._local(line)} = {self._start(line)};"
        if inner:
            if self.printer.fast:
                yield self._pragma()
            yield f"{indent}for (size_t j = 0; j < {size_text(self.loop.columns)}; j++) {{"
        for text in self._innermost():
            yield indent + ("    " if inner else "") + text
        if inner:
            yield f"{indent}}}"
        for line in self._along_columns():
            yield f"{indent}{line.target.name}[{self._index(shape(line.target))}] = {self._local(line)};"
        if outer or not inner:
            yield "}"

    def _pragma(self) -> str:
        """Return the pragma that lets a compiler use vector instructions: its sums may be taken in any order."""
        clauses = [f"reduction({'max' if line.reduction == MAX else '+'}:{name})" for line in self.reductions
                   if (name := self._accumulator(line))]
        return " ".join(["#pragma omp simd", *clauses])

    def _accumulator(self, line: Assign) -> str:
        """Return the variable that the inner loop sums into, empty where that is an entry of a row."""
        if not is_matrix(line.target):
            return str(line.target.name)
        return self._local(line) if self._into_column(line) else ""

    def _along_rows(self) -> list[Assign]:
        """Return the reductions into a row: over i."""
        return [line for line in self.reductions if is_matrix(line.target) and not self._into_column(line)]

    def _along_columns(self) -> list[Assign]:
        return [line for line in self.reductions if is_matrix(line.target) and self._into_column(line)]

    def _into_column(self, line: Assign) -> bool:
        return bool(shape(line.target) == (self.loop.rows, S.One))

    def _start(self, line: Assign) -> str:
        return "-INFINITY" if line.reduction == MAX else "0"

    def _local(self, line: Assign) -> str:
        return f"{line.target.name}_i"

    def _innermost(self) -> Iterator[str]:
        """Yield what happens at one entry: all is read before anything is written, since buffers are shared."""
        names = {}
        for name in sorted(self.loop.reads & self.shapes.keys()):
            names[name] = f"{name}_ij"
            yield f"const {self.real} {name}_ij = {name}[{self._index(self.shapes[name])}];"
        table = self.printer.scalars.names
        table |= names
        stores = []
        for line in self.loop.lines:
            formula = self.printer.scalars.formula(line.formula)
            name = str(line.target.name)
            if line.reduction:
                yield self._reduced(line, formula)
                continue
            local = f"{name}_new" if name in names else f"{name}_ij"
            table[name] = names[name] = local
            yield f"const {self.real} {local} = {formula};"
            if name not in self.inside:
                stores.append(f"{name}[{self._index(shape(line.target))}] = {local};")
        yield from stores
        for name in names:
            table.pop(name)

    def _reduced(self, line: Assign, formula: str) -> str:
        target = self._accumulator(line) or f"{line.target.name}[{self._index(shape(line.target))}]"
        if line.reduction == MAX:
            return f"{target} = {formula} > {target} ? {formula} : {target};"
        return f"{target} += {formula};"

    def _index(self, size: Iterable[Expr]) -> str:
        """Return the index of the entry of a matrix that belongs to (i, j)."""
        rows, columns = size
        row = "i" if rows != 1 else ""
        column = "j" if columns != 1 else ""
        if row and column:
            return f"i*{size_text(columns)} + j"
        return row or column or "0"


def size_text(size: Expr) -> str:
    """Return a size, a polynomial in N with whole coefficients, as C."""
    text = str(sympy.expand(size))
    return text if text.replace("N", "").isdigit() or text == "N" else f"({text})"
