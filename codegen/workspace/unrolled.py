"""Kernels of tiny networks on one sample as plain arithmetic of Python: a call of NumPy costs more than all of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

import sympy
from sympy import Expr, S
from sympy.printing.pycode import PythonCodePrinter

from codegen.kernels.build import Kernel
from codegen.kernels.instructions import MAX, Loop, Product
from symbolic.build import DECAY, SAMPLES
from symbolic.scalars import sigmoid, softplus
from symbolic.terms import is_matrix, shape

MOST = 1_000
"""As many multiplications and entries of loops are written out; NumPy is faster beyond."""

SAFE = '''
def _sigmoid(x):
    """1 / (1 + exp(-x)), without overflow."""
    return 0.0 if x <= -709 else 1 / (1 + math.exp(-x))


def _softplus(x):
    """log(1 + exp(x)), without overflow."""
    return x + math.log1p(math.exp(-x)) if x > 0 else math.log1p(math.exp(x))


def _sign(x):
    """-1, 0 or 1."""
    return (x > 0) - (x < 0)
'''


class _Scalars(PythonCodePrinter):
    """Formulas by the functions of Python's math."""

    def __init__(self, names: dict[str, str]) -> None:
        super().__init__({"fully_qualified_modules": True, "standard": "python3"})
        self.names = names

    def _print_Symbol(self, term: Expr) -> str:
        return self.names.get(term.name, term.name)

    def _print_Rational(self, term: Expr) -> str:
        return repr(float(term)) if term.q != 1 else repr(int(term))

    _print_Half = _print_Pi = _print_Exp1 = lambda self, term: repr(float(term))

    def _print_sigmoid(self, term: Expr) -> str:
        return f"_{type(term).__name__}({self._print(term.args[0])})"

    def _print_Abs(self, term: Expr) -> str:
        return f"math.fabs({self._print(term.args[0])})"

    _print_softplus = _print_sign = _print_sigmoid

    def _print_Pow(self, term: Expr, rational: bool = False) -> str:
        if term.exp == 2:
            base = self.parenthesize(term.base, 1000)
            return f"{base}*{base}" if term.base.is_Symbol else f"{base}**2"
        text: str = super()._print_Pow(term, rational)
        return text


def obstacle(kernel: Kernel) -> str:
    """Say why plain arithmetic is not faster, or not as safe; nothing where it is both."""
    cost = _cost(kernel)
    if cost > MOST:
        return (f"{kernel.name} alone takes {cost:,} multiplications and entries of loops for one sample, and above "
                f"{MOST:,} NumPy is faster")
    if not all(_is_safe(line.formula) for i in kernel.instructions if isinstance(i, Loop) for line in i.lines):
        return "it has functions that may overflow, where plain arithmetic of Python raises and NumPy has inf or nan"
    return ""


def _cost(kernel: Kernel) -> int:
    total = 0
    for i in kernel.instructions:
        assert isinstance(i, Product | Loop)
        sizes = (*i.out.shape, i.inner) if isinstance(i, Product) else (i.rows, i.columns)
        total += int(sympy.Mul(*_numbers(sizes)))
    return total


_TOTAL = (sigmoid, softplus, sympy.tanh, sympy.Abs, sympy.sign, sympy.Max, sympy.Min, sympy.Piecewise)


def _is_safe(formula: Expr) -> bool:
    """Allow exp of what lies below the largest entry, the logarithm of a sum of such, and division by that sum or N."""
    for part in sympy.preorder_traversal(formula):
        if isinstance(part, sympy.exp):
            safe = part.args[0].is_Symbol and part.args[0].name.startswith("shifted_")
        elif isinstance(part, sympy.log):
            safe = part.args[0].is_Symbol and part.args[0].name.startswith("sum_")
        elif part.is_Pow:
            bounded = part.base.is_number or (part.base.is_Symbol and (
                part.base.name.startswith("sum_") or part.base.name == SAMPLES.name))
            safe = bounded or part.exp == 2
        else:
            safe = not isinstance(part, sympy.Function) or isinstance(part, _TOTAL)
        if not safe:
            return False
    return True


def unrolled(kernel: Kernel) -> Iterator[str]:
    """Yield the lines that compute a kernel on one sample, each entry a name of its own, as W1_0_2."""
    symbols = {str(s.name): s for i in kernel.instructions for s in i.writes}
    symbols |= {str(s.name): s for s in (*kernel.inputs, *kernel.results)}
    for instruction in kernel.instructions:
        if isinstance(instruction, Product):
            yield from _product(instruction)
        else:
            assert isinstance(instruction, Loop)
            yield from _loop(instruction, symbols)


def rows_of(symbol: Expr) -> list[list[str]]:
    """Return the names of the entries of a matrix, row by row."""
    rows, columns = _numbers(shape(symbol))
    return [[f"{symbol.name}_{i}_{j}" for j in range(columns)] for i in range(rows)]


def _numbers(sizes: Iterable[Expr]) -> tuple[int, ...]:
    return tuple(int(sympy.sympify(s).xreplace({SAMPLES: S.One})) for s in sizes)


def _product(product: Product) -> Iterator[str]:
    rows, columns, inner = _numbers((*product.out.shape, product.inner))
    coefficient = _text(product.coefficient, {})
    for i in range(rows):
        for j in range(columns):
            parts = []
            for k in range(inner):
                left = (k, i) if product.left_transposed else (i, k)
                right = (j, k) if product.right_transposed else (k, j)
                parts.append("{}_{}_{}*{}_{}_{}".format(product.left.name, *left, product.right.name, *right))
            text = " + ".join(parts)
            if coefficient != "1":
                text = f"({coefficient})*({text})"
            yield f"{product.out.name}_{i}_{j} {'+=' if product.accumulate else '='} {text}"


def _loop(loop: Loop, symbols: Mapping[str, Expr]) -> Iterator[str]:
    rows, columns = _numbers((loop.rows, loop.columns))
    begun: set[str] = set()
    for i in range(rows):
        for j in range(columns):
            for line in loop.lines:
                names = {str(s.name): _entry(symbols[str(s.name)], i, j) for s in line.formula.free_symbols
                         if str(s.name) in symbols}
                text, target = _text(line.formula, names), _entry(line.target, i, j)
                if not line.reduction or target not in begun:
                    yield f"{target} = {text}"
                elif line.reduction == MAX:
                    yield f"{target} = max({target}, {text})"
                else:
                    yield f"{target} += {text}"
                begun.add(target)


def _entry(symbol: Expr, i: int, j: int) -> str:
    if not is_matrix(symbol):
        return str(symbol.name)
    rows, columns = _numbers(symbol.shape)
    return f"{symbol.name}_{i if rows > 1 else 0}_{j if columns > 1 else 0}"


def _text(formula: Expr, names: Mapping[str, str]) -> str:
    text: str = _Scalars({**names, str(DECAY.name): "WEIGHT_DECAY", str(SAMPLES.name): "1"}).doprint(formula)
    return text
