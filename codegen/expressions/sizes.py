"""Where the sizes of an expression come from: which argument says what m is, and what has to agree with it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import sympy
from sympy import Basic, Expr, MatrixSymbol, preorder_traversal

from symbolic.structure import Slice


@dataclass(frozen=True)
class Source:
    """What gives a size its value.

    Attributes:
        size: The dimension, a symbol.
        array: The argument whose shape says it; None where it is an argument itself.
        axis: The axis of that shape.
        scale, offset: size = (length - offset) / scale, both free of sizes that are not known before.
    """

    size: Expr
    array: MatrixSymbol | None = None
    axis: int = 0
    scale: Expr = sympy.S.One
    offset: Expr = sympy.S.Zero

    @property
    def plain(self) -> bool:
        """Whether the length is the size itself."""
        return self.array is not None and (self.scale, self.offset) == (1, 0)


@dataclass(frozen=True)
class Sizes:
    """The sources of all sizes, in an order in which each can be found from those before."""

    arrays: tuple[MatrixSymbol, ...]
    sources: tuple[Source, ...]

    @property
    def keywords(self) -> tuple[Expr, ...]:
        """The sizes that no array tells, which are arguments of their own."""
        return tuple(s.size for s in self.sources if s.array is None)

    @property
    def by_size(self) -> Mapping[Expr, Source]:
        """The source of each size."""
        return {s.size: s for s in self.sources}

    def needed(self, sizes: Iterable[Expr]) -> tuple[Source, ...]:
        """Return the sources of some sizes and of those that they are found from, in order; keywords are known."""
        wanted = set(sizes)
        kept = []
        for source in reversed(self.sources):
            if source.size in wanted and source.array is not None:
                wanted |= source.scale.free_symbols | source.offset.free_symbols
                kept.append(source)
        return tuple(reversed(kept))


def find_sizes(arrays: Sequence[MatrixSymbol], used: Iterable[Expr]) -> Sizes:
    """Return where each size comes from.

    A dimension that is a plain symbol gives it; one such as m - k gives the last of its symbols that is
    still unknown, where it is linear in that. What is unknown then, of the shapes and of the sizes that
    are used elsewhere, becomes an argument.
    """
    lengths = [(a, axis, d) for a in arrays for axis, d in enumerate(a.shape)]
    sources: dict[Expr, Source] = {}
    for array, axis, dimension in lengths:
        if dimension.is_Symbol and dimension not in sources:
            sources[dimension] = Source(dimension, array, axis)
    wanted = sorted({s for *_, d in lengths for s in d.free_symbols} | set(used), key=str)
    while any(s not in sources for s in wanted):
        found = next((s for length in lengths if (s := _solved(*length, sources))), None)
        if found is None:
            found = Source(next(s for s in wanted if s not in sources))
        sources[found.size] = found
    return Sizes(tuple(arrays), tuple(sources.values()))


def _solved(array: MatrixSymbol, axis: int, dimension: Expr, known: Iterable[Expr]) -> Source | None:
    """Return the one size of a dimension that is not known, where the dimension is linear in it."""
    unknown = dimension.free_symbols - set(known)
    if len(unknown) != 1 or not dimension.is_polynomial(*unknown):
        return None
    (size,) = unknown
    scale = sympy.diff(dimension, size)
    return None if scale.has(size) else Source(size, array, axis, scale, sympy.expand(dimension - scale * size))


def conditions(arrays: Sequence[MatrixSymbol], terms: Iterable[Basic]) -> tuple[tuple[Expr, int], ...]:
    """Return the sizes that have to reach a number, with that number, where it is not plain that they do.

    A composed dimension is at least 1, a slice holds something and lies within its matrix.
    """
    found = [(d, 1) for a in arrays for d in a.shape]
    for term in terms:
        for node in (n for n in preorder_traversal(term) if isinstance(n, Slice)):
            for (start, stop), size in zip((node.args[1:3], node.args[3:]), node.args[0].shape, strict=True):
                found += [(stop - start, 1), (start, 0), (size - stop, 0)]
    moved = ((d - d.as_coeff_Add()[0], least - d.as_coeff_Add()[0]) for d, least in found)
    return tuple(dict.fromkeys((d, int(least)) for d, least in moved if not _reaches(d, least)))


def _reaches(dimension: Expr, least: Expr) -> bool:
    """Say whether a sum of sizes, each at least 1, reaches a number in any case."""
    terms = [] if dimension == 0 else sympy.Add.make_args(dimension)
    return all(t.is_positive for t in terms) and sum(t.as_coeff_Mul()[0] for t in terms) >= least
