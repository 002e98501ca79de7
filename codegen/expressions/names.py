"""Names of a user as names in Python: legal, and out of the way of what a generated module calls."""

from __future__ import annotations

import keyword
import re
from collections.abc import Collection, Iterable, Iterator
from itertools import count

from sympy import Expr

TAKEN = frozenset({"np", "float", "int", "map", "rng", "positive", "ValueError"})
"""What the functions of a module need under its own name."""


def public_name(name: str, others: Collection[str] = ()) -> str:
    """Return the keyword of an argument: the name itself where it is legal, else with an underscore behind."""
    legal = re.sub(r"\W", "_", name)
    if not legal.isidentifier():
        legal = f"x{legal}"
    private = legal.startswith("_")  # as the functions of a module are
    return _free(legal + "_" if legal != name or private or keyword.iskeyword(legal) else legal, others)


def allocate(symbols: Iterable[Expr], taken: Collection[str], known: Collection[str] = ()) -> dict[Expr, str]:
    """Return a local name for each symbol: letters and digits of its own name, with underscores behind where taken.

    Args:
        symbols: In order; the first ones get what they wish.
        taken: Names that have another meaning.
        known: Names that have been given before.
    """
    names: dict[Expr, str] = {}
    used = {*taken, *known}
    for symbol in symbols:
        if symbol not in names:
            names[symbol] = public_name(re.sub(r"\W+", "_", str(symbol.name)).strip("_") or "value", used)
            used.add(names[symbol])
    return names


def _free(name: str, used: Collection[str]) -> str:
    candidates: Iterator[str] = (name + "_" * i for i in count())
    return next(c for c in candidates if c not in used)
