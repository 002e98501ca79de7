"""How a generated module checks its arguments, and how it draws random ones: lines of code."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from sympy import Expr, MatrixSymbol

from codegen.expressions.bodies import Scope, size_lines
from codegen.expressions.drawing import numbers
from codegen.expressions.printer import ExpressionPrinter
from codegen.expressions.sizes import conditions
from symbolic.program import Assumption
from symbolic.terms import Term, is_matrix


@dataclass(frozen=True)
class Property:
    """What a declared property means in code.

    Attributes:
        words: What is said of the argument, after "is" or "has".
        test: A condition on the array ``a`` and the tolerance ``tolerance`` that says it has it.
        draw: An expression that gives an array with it, from any array ``{0}`` with entries in (-1, 1).
        move: Likewise for a direction that keeps it; empty where any direction is taken.
    """

    words: str
    test: str
    draw: str
    move: str = ""


AXES = ((0, "cols", "columns"), (1, "rows", "rows"))

PROPERTIES: dict[str, Property] = {
    "positive": Property("positive entries", "np.min(a) > 0", "np.abs({0}) + 0.2"),
    "symmetric": Property("a symmetric matrix", "np.max(np.abs(a - a.T)) <= tolerance", "({0} + {0}.T) / 2",
                          "{0} + {0}.T"),
    "psd": Property(
        "a symmetric positive semidefinite matrix",
        "np.max(np.abs(a - a.T)) <= tolerance and np.min(np.linalg.eigvalsh(a)) >= -tolerance", "{0} @ {0}.T",
        "{0} + {0}.T"),
    "diagonal": Property("a diagonal matrix", "np.max(np.abs(a - np.diagflat(np.diagonal(a)))) <= tolerance",
                         "np.diagflat(np.diagonal({0}))", "np.diagflat(np.diagonal({0}))"),
    "invertible": Property("an invertible matrix", "np.all(np.isfinite(a)) and np.linalg.cond(a) < 1e12", "{0}"),
    **{f"onehot_{kind}": Property(
        f"one-hot {words}",
        f"set(np.unique(a)) <= {{0, 1}} and np.all(np.sum(a, axis={axis}) == 1)",
        f"({{0}} == np.max({{0}}, axis={axis}, keepdims=True)).astype(float)")
       for axis, kind, words in AXES},
    **{f"distribution_{kind}": Property(
        f"{words} that are distributions",
        f"np.min(a) >= 0 and np.max(np.abs(np.sum(a, axis={axis}) - 1)) <= tolerance",
        f"np.abs({{0}}) / np.sum(np.abs({{0}}), axis={axis}, keepdims=True)")
       for axis, kind, words in AXES},
}
"""The properties of the language, by key. The order is that in which they are imposed on what is drawn."""


def words_of(shape: Iterable[Expr]) -> str:
    """Return a shape in words, as in m x n."""
    return " x ".join(map(size_words, shape))


def size_words(size: Expr) -> str:
    """Return a size in words, by the user's names, as in m - 2*k."""
    return ExpressionPrinter().show(size).replace(" * ", "*")


def checking_lines(arguments: Sequence[Expr], terms: Iterable[Term], used: Iterable[Assumption],
                   scope: Scope) -> list[str]:
    """Return the body of the function that checks the arguments."""
    names = [scope.names[a] for a in arguments]
    lines = []
    for argument, name in zip(arguments, names, strict=True):
        if is_matrix(argument):
            lines.append(f'{name} = _array("{argument.name}", {name}, "{words_of(argument.shape)}")')
        else:
            kind = "_size" if argument in scope.sizes.keywords else "_number"
            lines.append(f'{name} = {kind}("{argument.name}", {name})')
    lines += size_lines(scope, {s for a in scope.arrays for d in a.shape for s in d.free_symbols})
    lines += [f'_reaches("{s.size}", {scope.names[s.size]}, 1)' for s in scope.sizes.sources
              if s.array is not None and not s.plain]
    lines += _reaching(terms, scope)
    lines += [line for a in scope.arrays for line in _fitting(a, scope)]
    plain = [a for a in arguments if a not in scope.sizes.keywords]
    if len(plain) == 1 and not is_matrix(plain[0]):
        lines.append(f"{scope.names[plain[0]]} = np.float64({scope.names[plain[0]]})")
    tests = [f'_{a.key}("{a.symbol.name}", {scope.names[a.symbol]})'
             for a in sorted(used, key=lambda a: (names.index(scope.names[a.symbol]), a.key))]
    returned = ", ".join(names)
    if len(plain) > 1:
        listed = ", ".join(scope.names[a] for a in plain)
        if not tests and len(plain) == len(names):
            return [*lines, f"return _alike({listed})"]
        lines.append(f"{listed} = _alike({listed})")
    return [*lines, *tests, f"return {returned}"]


def _reaching(terms: Iterable[Term], scope: Scope) -> list[str]:
    """Return the lines that try sizes which could be too small; one that no code needs is not known."""
    return [f'_reaches("{size_words(dimension)}", {scope.printer().show(dimension)}, {least})'
            for dimension, least in conditions(scope.arrays, terms)
            if dimension.free_symbols <= set(scope.sizes.by_size)]


def _fitting(array: MatrixSymbol, scope: Scope) -> list[str]:
    """Return the line that compares an array's shape with the sizes that others say; none where it says both."""
    sources = [scope.sizes.by_size.get(d) for d in array.shape]
    if all(s is not None and s.plain and s.array == array and s.axis == i for i, s in enumerate(sources)):
        return []
    found = dict.fromkeys(s for d in array.shape for s in sorted(d.free_symbols, key=str))
    told = [f"{s} = {{{scope.names[s]}}}" + (f" as in {source.name}" if source is not None else "")
            for s in found if (source := scope.sizes.by_size[s].array) != array]
    words = words_of(array.shape) + (f" with {', '.join(told)}" if told else "")
    shape = ", ".join(map(scope.printer().show, array.shape))
    name = scope.names[array]
    return [f'_fit("{array.name}", {name}, ({shape}), {"f" if told else ""}"{words}")']


def drawing_lines(arguments: Sequence[Expr], assumptions: Iterable[Assumption], fitting: Sequence[tuple[int, ...]],
                  scope: Scope) -> list[str]:
    """Return the body of the function that draws random arguments; where given, at one of the fitting sizes."""
    printer = scope.printer()
    sizes = [s.size for s in scope.sizes.sources]
    names, drawn = ", ".join(scope.names[s] for s in sizes), numbers(sizes)
    lines = []
    if fitting:
        listed = ", ".join(map(str, fitting))
        lines.append(f"{names}{',' * (len(sizes) == 1)} = [{listed}][rng.integers({len(fitting)})]")
    elif len(sizes) == 1:
        lines.append(f"{names} = int(rng.integers({drawn.start}, {drawn.stop}))")
    elif sizes:
        numbered = f"np.arange({drawn.start}, {drawn.stop})"
        lines.append(f"{names} = map(int, rng.permutation({numbered})[:{len(sizes)}])")
    declared: dict[Expr, set[str]] = {}
    for assumption in assumptions:
        declared.setdefault(assumption.symbol, set()).add(assumption.key)
    for argument in arguments:
        name = scope.names[argument]
        if is_matrix(argument):
            rows, columns = map(printer.show, argument.shape)
            lines.append(f"{name} = _entries(rng, {rows}, {columns}, positive)")
            lines += [f"{name} = {row.draw.format(name)}" for key, row in PROPERTIES.items()
                      if key in declared.get(argument, ()) and row.draw != "{0}"]
        elif argument not in sizes:
            lines.append(f"{name} = rng.uniform(0.1, 1)")
    return lines
