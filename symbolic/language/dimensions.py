"""Unknown dimensions and their unification."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import chain, count
from typing import TypeAlias

from sympy import Expr

from symbolic.language import sizes
from symbolic.language.sizes import ONE, size
from symbolic.language.tree import FlawError

_LETTERS = "nmkpqrstuvwl"
MOST_RELATIONS = 200


class Unknown:
    """A dimension not known yet; it is found when it is unified with one that is."""


Dimension: TypeAlias = Expr | Unknown
Shape: TypeAlias = tuple[Dimension, Dimension]
SCALAR: Shape = (ONE, ONE)


@dataclass(frozen=True, eq=False)
class Relation:
    """A dimension that is the sum or the product of others, some of them unknown.

    Attributes:
        whole: The sum, or the product where ``times``.
        parts: Of what.
        derived: The unknown that gets its value from the others if nothing else settles it.
        position: The character that the relation comes from.
    """

    whole: Dimension
    parts: tuple[Dimension, ...]
    times: bool
    derived: Unknown
    position: int


class Dimensions:
    """The equalities between dimensions that an expression implies.

    Attributes:
        position: The character of what is being read, for the relations that come from it.
        positive: Dimensions found by subtraction, which are to be positive.
    """

    def __init__(self) -> None:
        self.position = 0
        self.positive: list[tuple[Expr, int]] = []
        self._found: dict[Unknown, Dimension] = {}
        self._order: list[Unknown] = []
        self._relations: list[Relation] = []

    def unknown(self) -> Unknown:
        """Return a new dimension of which nothing is known."""
        variable = Unknown()
        self._order.append(variable)
        return variable

    def find(self, dimension: Dimension) -> Dimension:
        """Return what is known of a dimension now."""
        root = dimension
        while isinstance(root, Unknown) and root in self._found:
            root = self._found[root]
        if isinstance(dimension, Unknown) and root is not dimension:
            self._found[dimension] = root  # the way is short the next time
        return root

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

    def same(self, left: Shape, right: Shape) -> bool:
        """Make two shapes equal, as `unify` does, but never a matrix a scalar."""
        left, right = self.shape(left), self.shape(right)
        if ONE in (left[0], right[0]) and ONE in (left[1], right[1]) and not left == right == SCALAR:
            return False
        return self.unify(left[0], right[0]) and self.unify(left[1], right[1])

    def sum(self, *parts: Dimension) -> Dimension:
        """Return the sum of dimensions."""
        return self._joined([self.find(p) for p in parts], times=False)

    def product(self, *parts: Dimension) -> Dimension:
        """Return the product of dimensions."""
        return self._joined([p for p in map(self.find, parts) if p != ONE], times=True)

    def rest(self, whole: Dimension, part: Expr) -> Dimension:
        """Return what is left of a dimension without a part."""
        whole = self.find(whole)
        if not isinstance(whole, Unknown):
            return sizes.total(whole, -part)
        left = self.unknown()
        self._relate(Relation(whole, (part, left), False, left, self.position))
        return left

    def _joined(self, parts: list[Dimension], times: bool) -> Dimension:
        if len(parts) == 1:
            return parts[0]
        known = [p for p in parts if not isinstance(p, Unknown)]
        if len(known) == len(parts):
            return (sizes.multiple if times else sizes.total)(*known)
        whole = self.unknown()
        self._relate(Relation(whole, tuple(parts), times, whole, self.position))
        return whole

    def _relate(self, relation: Relation) -> None:
        self._relations.append(relation)
        if len(self._relations) > MOST_RELATIONS:
            raise FlawError(f"more than {MOST_RELATIONS} blocks, slices or Kronecker products of unknown sizes",
                            "; declare the shapes of the names")

    def solve(self) -> None:
        """Find what the relations say of the unknown dimensions.

        Raises:
            FlawError: They contradict each other.
        """
        moved = True
        while moved and self._relations:
            kept = [r for r in self._relations if not self._settled(r)]
            moved = len(kept) < len(self._relations)
            self._relations = kept

    def _settled(self, relation: Relation) -> bool:
        """Say whether a relation has told all that it says."""
        whole, parts = self.find(relation.whole), [self.find(p) for p in relation.parts]
        known = [p for p in parts if not isinstance(p, Unknown)]
        unknown = [p for p in parts if isinstance(p, Unknown)]
        if len(unknown) > 1 or (unknown and isinstance(whole, Unknown)):
            return False
        try:
            joined = (sizes.multiple if relation.times else sizes.total)(*known)
            if not unknown:
                fits = self.unify(whole, joined)
            else:
                assert isinstance(whole, Expr)
                left = sizes.quotient(whole, joined) if relation.times else sizes.total(whole, -joined)
                fits = left is not None and not sizes.never(left - 1) and self.unify(unknown[0], left)
                if fits and left is not None and not relation.times:
                    self.positive.append((left - 1, relation.position))
        except FlawError as flaw:
            raise FlawError(flaw.problem, flaw.advice, relation.position) from None
        if not fits:
            needed = str(whole).replace("**", "^")
            raise FlawError(f"sizes cannot meet: {needed} is needed, came {self._spelled(relation)}",
                            "; declare the shapes of the names", relation.position)
        return True

    def _spelled(self, relation: Relation) -> str:
        parts = ("?" if isinstance(p, Unknown) else str(p) for p in map(self.find, relation.parts))
        if relation.times:
            return "*".join(f"({p})" if "+" in p or "-" in p else p for p in parts)
        return " + ".join(parts)

    def settle(self, taken: Iterable[str]) -> None:
        """Give a symbol to each dimension that is still free: n, or m and n, or m, n, k and so on.

        Raises:
            FlawError: The relations cannot hold then.
        """
        self.solve()
        derived = self._derived()
        free = [v for v in dict.fromkeys(map(self.find, self._order)) if isinstance(v, Unknown) and v not in derived]
        names = _names(len(free), set(taken))
        for variable in free:
            root = self.find(variable)
            if root not in derived:
                self._name(root, names)
                derived = self._derived()
        for variable in self._order:
            self._name(self.find(variable), names)

    def _name(self, root: Dimension, names: Iterator[str]) -> None:
        if isinstance(root, Unknown):
            self._found[root] = size(next(names))
            self.solve()

    def _derived(self) -> set[Dimension]:
        return {self.find(r.derived) for r in self._relations}


def _names(wanted: int, taken: set[str]) -> Iterator[str]:
    names = [c for c in _LETTERS if c not in taken]
    if wanted > 1 and {"m", "n"} <= set(names):
        names = ["m", "n", *(c for c in names if c not in "mn")]
    return chain(names, (f"n{i}" for i in count(1) if f"n{i}" not in taken))
