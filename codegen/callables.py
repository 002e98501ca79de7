"""A callable at once: SymPy's lambdify over the equations of a program."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import sympy
from sympy import Basic, Expr

from codegen.numpy_code import NAMES, NumpyPrinter
from codegen.passes import optimise
from symbolic.derivation import Derivation
from symbolic.errors import InputError
from symbolic.program import Equation, needed
from symbolic.terms import is_matrix, shape


class _Printer:
    """The interface that lambdify asks of a printer."""

    def __init__(self) -> None:
        self.numpy = NumpyPrinter()

    def doprint(self, expr: Basic | Sequence[Basic]) -> str:
        if isinstance(expr, (list, tuple)):
            return f"[{', '.join(map(self.doprint, expr))}]"
        return self.numpy.show(expr)


def lambdify(derivation: Derivation, outputs: Sequence[str] = ()) -> Callable[..., dict[str, Any]]:
    """Return a function of the program's inputs and parameters by name, with arrays for values.

    Args:
        derivation: A program and its gradients.
        outputs: Names of values to return; the result and the parameters' gradients by default.

    Returns:
        A function that takes each input and parameter as a keyword, as arrays of the program's
        shapes, and returns a dict of the outputs by name. It checks names and ranks only; the
        generated module checks shapes and labels too.
    """
    program = derivation.program
    forward = derivation.forward
    wanted = [program.symbol(n) for n in outputs] or [forward.result, *(
        g.symbol for g in derivation.gradients if g.wrt in forward.parameters)]
    equations = needed(optimise(program.equations), wanted)
    arguments = [*forward.inputs, *forward.parameters]
    sizes = _free_sizes(arguments)
    constants = [sympy.Symbol(NAMES.get(str(c.name), str(c.name))) for c in forward.constants]
    printer = _Printer()
    function = sympy.lambdify(
        [*arguments, *sizes, *constants], wanted, modules=[_helpers(equations), "numpy"], printer=printer,
        cse=lambda results: ([(e.symbol, e.term) for e in equations], results), dummify=False)

    def call(**values: Any) -> dict[str, Any]:
        names = [str(s.name) for s in arguments]
        if set(values) != set(names):
            raise InputError(f"expected exactly {', '.join(names)} by name, got {', '.join(values) or 'nothing'}")
        arrays = [values[name] for name in names]
        for symbol, name in zip(arguments, names, strict=True):
            if is_matrix(symbol) and np.ndim(values[name]) != 2:
                raise InputError(f"{name}: expected an array of rank 2, got shape {np.shape(values[name])}")
        found = [_size(s, arguments, arrays) for s in sizes]
        return dict(zip((str(w.name) for w in wanted),
                        function(*arrays, *found, *forward.constants.values()), strict=True))

    return call


def _helpers(equations: Sequence[Equation]) -> dict[str, Any]:
    """Return the helper functions that the equations call, made from their own text."""
    printer = NumpyPrinter()
    for equation in equations:
        printer.show(equation.term)
    namespace: dict[str, Any] = {"np": np}
    for helper in printer.helpers.values():
        exec(helper.source, namespace)  # noqa: S102  # our own text
    return namespace


def _free_sizes(symbols: Sequence[Expr]) -> list[Expr]:
    return sorted({d for s in symbols for d in shape(s) if d.is_Symbol}, key=str)


def _size(dimension: Expr, symbols: Sequence[Expr], arrays: Sequence[Any]) -> int:
    for symbol, array in zip(symbols, arrays, strict=True):
        for axis, d in enumerate(shape(symbol)):
            if d == dimension:
                return int(np.shape(array)[axis])
    raise KeyError(dimension)
