"""The record of a differentiation: lines, the steps between them, and the gradients they end in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

from sympy import Expr

from symbolic.displayed import Displayed
from symbolic.errors import InputError
from symbolic.operations.table import Rule
from symbolic.program import Assumption, Equation, Program, needed
from symbolic.terms import Term, symbols_of


@dataclass(frozen=True)
class Summand:
    """⟨G, M⟩: a cotangent G and a direction M that is linear in differentials, of equal shape."""

    cotangent: Term
    direction: Term


@dataclass(frozen=True)
class Mapped(Summand):
    """J vec M: a matrix J, kept as the cotangent, applied to the entries of a direction, column by column."""


@dataclass(frozen=True)
class Plain(Summand):
    """M: a direction that is linear in differentials, as it stands; its cotangent is 1."""


@dataclass(frozen=True)
class Free(Summand):
    """Σ over i ≤ j of (G ⊙ M)ᵢⱼ: what ⟨G, M⟩ is for the free entries of a symmetric M."""


Line = tuple[Summand, ...]
"""A sum; every line of a derivation equals d𝓛, vec dF or dF, as its summands are."""


@dataclass(frozen=True)
class Step:
    """One line to the next, by one rule.

    Attributes:
        rule: The rule or identity.
        after: The line it leads to.
        equation: The equation that was used, for a definition or a known value.
        assumption: The assumption that was used, if any.
    """

    rule: Rule
    after: Line
    equation: Equation | None = None
    assumption: Assumption | None = None


@dataclass(frozen=True)
class Gradient(Displayed):
    """The gradient of the result by one quantity, and how it was found; or a Jacobian, or a differential.

    Attributes:
        wrt: The quantity.
        symbol: The name of the gradient, of the same shape.
        term: Its formula, by named values and gradients found before.
        start: The line the derivation starts from.
        steps: How the start becomes ⟨term, d wrt⟩ (of a Jacobian term · vec d wrt, of a differential term).
        of: The quantity that is differentiated; None stands for the loss.
    """

    wrt: Expr
    symbol: Expr
    term: Term
    start: Line
    steps: tuple[Step, ...]
    of: Expr | None = None

    @property
    def equation(self) -> Equation:
        """``symbol = term``."""
        return Equation(self.symbol, self.term)

    @property
    def assumptions(self) -> tuple[Assumption, ...]:
        """The assumptions that its steps used, each once."""
        return tuple(dict.fromkeys(s.assumption for s in self.steps if s.assumption))

    @property
    def lines(self) -> tuple[Line, ...]:
        """The start and what each step leads to."""
        return self.start, *(s.after for s in self.steps)


@dataclass(frozen=True)
class Verified:
    """The evidence for a derivation.

    Attributes:
        method: ``complex step`` or ``central difference``.
        tolerance: The relative error that the method allows.
        errors: The relative error found for each quantity, by name.
    """

    method: str
    tolerance: float
    errors: Mapping[str, float]

    @property
    def max_relative_error(self) -> float:
        """The largest of the errors."""
        return max(self.errors.values(), default=0.0)


@dataclass(frozen=True)
class Derivation(Displayed):
    """A program and the gradients of its result.

    Attributes:
        forward: The program that was differentiated.
        gradients: In the order of the backward pass.
        given: The gradients that were given for values of the program, where the loss lies outside it.
        verified: The evidence, once it has been checked against numbers.
        notes: What has to be said of it, in sentences.
    """

    forward: Program
    gradients: tuple[Gradient, ...]
    given: Mapping[Expr, Term] = field(default_factory=dict)
    verified: Verified | None = None
    notes: tuple[str, ...] = ()

    @property
    def program(self) -> Program:
        """The forward equations followed by those of the gradients."""
        backward = tuple(g.equation for g in self.gradients)
        return replace(self.forward, equations=self.forward.equations + backward)

    @property
    def by_name(self) -> Mapping[str, Gradient]:
        """The gradients by the name of the quantity."""
        return {g.wrt.name: g for g in self.gradients}

    @property
    def assumptions(self) -> tuple[Assumption, ...]:
        """The assumptions used anywhere, each once."""
        return tuple(dict.fromkeys(a for g in self.gradients for a in g.assumptions))

    @cached_property
    def inherited(self) -> dict[Gradient, tuple[Assumption, ...]]:
        """What each gradient assumes, itself or by the gradients in its formula."""
        found: dict[Gradient, tuple[Assumption, ...]] = {}
        by_symbol: dict[Expr, tuple[Assumption, ...]] = {}
        for gradient in self.gradients:
            used = [a for s in symbols_of(gradient.term) for a in by_symbol.get(s, ())]
            found[gradient] = tuple(dict.fromkeys([*gradient.assumptions, *used]))
            by_symbol.setdefault(gradient.symbol, found[gradient])
        return found

    def gradient(self, name: str) -> Gradient:
        """Return the gradient by the quantity of that name.

        Raises:
            InputError: There is none.
        """
        if name not in self.by_name:
            raise InputError(f"no gradient by {name!r}; expected one of {', '.join(self.by_name)}")
        return self.by_name[name]

    def used_by(self, name: str) -> tuple[Equation, ...]:
        """Return the gradient equations that the gradient by ``name`` builds on, its own excepted."""
        own = self.gradient(name).symbol
        backward = (g.equation for g in self.gradients)
        return tuple(e for e in needed(backward, [own]) if e.symbol != own)
