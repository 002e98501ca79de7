"""Equal layers as one with an index: a run of layers whose records are the same but for their numbers."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from typing import Generic, TypeVar

from sympy import Expr, MatrixSymbol

from symbolic.derivation import Derivation, Gradient, Line
from symbolic.differentiation import gradient_symbol
from symbolic.program import Equation

Record = TypeVar("Record", Equation, Gradient)

FEWEST = 4
"""As many equal layers in a row are shown as one."""


@dataclass(frozen=True)
class Run(Generic[Record]):
    """Layers first to last, and the records of one of them: with the index in place of a number where it is folded.

    Attributes:
        first: The number of the first layer; 0 for what belongs to no layer.
        last: That of the last one.
        records: The equations or gradients of the layer.
        index: The letter that stands for the number, or nothing.
    """

    first: int
    last: int
    records: tuple[Record, ...]
    index: str = ""


def forward_runs(derivation: Derivation) -> list[Run[Equation]]:
    """Return the forward equations layer by layer; the layer of ŷ is the last, the loss belongs to none."""
    layer, layers = 0, []
    for equation in derivation.forward.equations:
        base, number = parts(equation.name)
        if number:
            layer = number
        layers.append((layer if number or base == "y_hat" else 0, equation))
    return _folded(derivation, layers, _renamed_equation)


def backward_runs(derivation: Derivation, shown: Sequence[Gradient]) -> list[Run[Gradient]]:
    """Return gradients by layer: of W_k, b_k, h_{k-1} and a_{k-1}, all that ∇a_k leads to."""
    layers = []
    for gradient in shown:
        base, number = parts(str(gradient.wrt.name))
        layers.append((number + 1 if base in ("a", "h") else number or (1 if base == "X" else 0), gradient))
    return _folded(derivation, layers, _renamed_gradient)


def _folded(derivation: Derivation, records: Sequence[tuple[int, Record]],
            renamed: Callable[[Record, Mapping[Expr, Expr]], Record]) -> list[Run[Record]]:
    layers = [(k, tuple(r for _, r in group)) for k, group in groupby(records, key=lambda pair: pair[0])]
    if len(layers) < FEWEST:
        return [Run(k, k, group) for k, group in layers]
    index, numbered = _letter(derivation), _numbered(derivation)
    general = []
    for k, group in layers:
        names = {s: t for j in (k - 1, k) for s, t in _indexed(numbered.get(j, ()), index, k - j)}
        general.append((k, group, tuple(renamed(r, names) for r in group) if k else group))
    runs: list[Run[Record]] = []
    for common, same in groupby(general, key=lambda layer: layer[2]):
        equal = list(same)
        first, last = sorted((equal[0][0], equal[-1][0]))
        if len(equal) >= FEWEST:
            runs.append(Run(first, last, common, index))
        else:
            runs += [Run(k, k, group) for k, group, _ in equal]
    return runs


def parts(name: str) -> tuple[str, int]:
    """Return a name without its number, and the number; 0 where it has none."""
    match = re.fullmatch(r"(.*?)(\d+)", name)
    return (match[1], int(match[2])) if match else (name, 0)


def _numbered(derivation: Derivation) -> dict[int, list[Expr]]:
    """Return the symbols that have each number."""
    program = derivation.forward
    symbols = [*program.parameters, *(e.symbol for e in program.equations)]
    found: dict[int, list[Expr]] = {}
    for symbol in symbols:
        number = parts(str(symbol.name))[1]
        if number:
            found.setdefault(number, []).extend([symbol, gradient_symbol(symbol)])
    return found


def _indexed(symbols: Iterable[Expr], index: str, below: int) -> Iterable[tuple[Expr, Expr]]:
    for symbol in symbols:
        name = parts(str(symbol.name))[0]
        yield symbol, MatrixSymbol(f"{name}_{{{index}-1}}" if below else f"{name}_{index}", *symbol.shape)


def _letter(derivation: Derivation) -> str:
    """Return a letter that no dimension has."""
    taken = {str(d) for s in derivation.forward.parameters for d in s.shape}
    return next(letter for letter in "kjlmpqrstuv" if letter not in taken)


def _renamed_equation(equation: Equation, names: Mapping[Expr, Expr]) -> Equation:
    return Equation(equation.symbol.xreplace(names), equation.term.xreplace(names))


def _renamed_gradient(gradient: Gradient, names: Mapping[Expr, Expr]) -> Gradient:
    def line(old: Line) -> Line:
        return tuple(replace(s, cotangent=s.cotangent.xreplace(names), direction=s.direction.xreplace(names))
                     for s in old)

    steps = tuple(replace(s, after=line(s.after), equation=s.equation and _renamed_equation(s.equation, names))
                  for s in gradient.steps)
    return replace(gradient, wrt=gradient.wrt.xreplace(names), symbol=gradient.symbol.xreplace(names),
                   term=gradient.term.xreplace(names), start=line(gradient.start), steps=steps)
