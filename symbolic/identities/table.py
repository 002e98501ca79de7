"""What an identity is, and what it may use besides the term."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from sympy import Basic, Expr

from symbolic.functions import MAGNUS
from symbolic.operations.table import Rule
from symbolic.program import Assumption, Equation
from symbolic.terms import Term


@dataclass
class Context:
    """What an identity may use besides the term: assumptions, and the names of known values.

    Attributes:
        assumptions: By key and symbol.
        known: The equation of each term that has a name.
        normal: Terms on which no identity works any more, kept to visit each once.
    """

    assumptions: Mapping[tuple[str, Expr], Assumption] = field(default_factory=dict)
    known: Mapping[Term, Equation] = field(default_factory=dict)
    normal: set[Term] = field(default_factory=set)

    @cached_property
    def definitions(self) -> dict[Expr, Equation]:
        """The equation of each named value."""
        return {e.symbol: e for e in self.known.values()}


@dataclass(frozen=True)
class Rewriting:
    """One identity applied: the new term, the rule, and what was assumed or defined."""

    term: Term
    rule: Rule
    assumption: Assumption | None = None
    definition: Equation | None = None


Answer = Term | tuple[Term, Assumption] | None
"""The new term, with the assumption that was used if there was one; None where nothing is to be done."""


@dataclass(frozen=True)
class Identity:
    """One identity: a rule, the node it applies to, and its rewriting."""

    rule: Rule
    node: type[Basic]
    rewrite: Callable[[Term, Context], Answer]


ENTRYWISE = f"{MAGNUS}, chapter 3, section 6"
