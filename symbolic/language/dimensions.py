"""Unknown dimensions and their unification."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import count
from typing import TypeAlias

from sympy import Expr, Integer, Symbol, sympify

ONE = Integer(1)
LARGEST_SIZE = 10**7
_LETTERS = "nmkpqrstuvwl"


class Unknown:
    """A dimension not known yet; it is found when it is unified with one that is."""

    def __init__(self, wish: str = "") -> None:
        self.wish = wish


Dimension: TypeAlias = Expr | Unknown
Shape: TypeAlias = tuple[Dimension, Dimension]
SCALAR: Shape = (ONE, ONE)


class Dimensions:
    """The equalities between dimensions that an expression implies."""

    def __init__(self) -> None:
        self._found: dict[Unknown, Dimension] = {}
        self._order: list[Unknown] = []

    def unknown(self) -> Unknown:
        """Return a new dimension of which nothing is known."""
        variable = Unknown()
        self._order.append(variable)
        return variable

    def find(self, dimension: Dimension) -> Dimension:
        """Return what is known of a dimension now."""
        while isinstance(dimension, Unknown) and dimension in self._found:
            dimension = self._found[dimension]
        return dimension

    def shape(self, shape: Shape) -> Shape:
        """Return what is known of a shape now."""
        return self.find(shape[0]), self.find(shape[1])

    def unify(self, left: Dimension, right: Dimension) -> bool:
        """Make two dimensions equal; False where they are known to differ."""
        left, right = self.find(left), self.find(right)
        if left is right:
            return True
        if isinstance(left, Unknown):
            self._found[left] = right
            return True
        if isinstance(right, Unknown):
            self._found[right] = left
            return True
        return bool(left == right)

    def meet(self, left: Dimension, right: Dimension) -> bool:
        """Make two dimensions equal as `unify` does, but never an unknown one 1: that would hide a mistake."""
        left, right = self.find(left), self.find(right)
        if isinstance(left, Unknown) != isinstance(right, Unknown) and ONE in (left, right):
            return False
        return self.unify(left, right)

    def settle(self, taken: Iterable[str]) -> None:
        """Give a symbol to each dimension that is still free: n, or m and n, or m, n, k and so on."""
        free = list(dict.fromkeys(f for v in self._order if isinstance(f := self.find(v), Unknown)))
        names = [c for c in _LETTERS if c not in set(taken)]
        if len(free) > 1 and {"m", "n"} <= set(names):
            names = ["m", "n", *(c for c in names if c not in "mn")]
        endless = (f"n{i}" for i in count(1) if f"n{i}" not in set(taken))
        for variable, name in zip(free, [*names, *(next(endless) for _ in range(len(free)))], strict=False):
            self._found[variable] = size(name)


def size(name: str) -> Symbol:
    """Return the symbol of a dimension."""
    return Symbol(name, integer=True, positive=True)


def fixed(number: int | str) -> Expr:
    """Return a dimension given as a number."""
    return sympify(int(number))
