"""A program: named equations in order, with what is assumed of its inputs."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property

from sympy import Expr, MatrixSymbol, Symbol

from symbolic.displayed import Displayed
from symbolic.errors import InputError
from symbolic.names import latex_name, text_name
from symbolic.terms import Term, is_matrix, shape, symbols_of


@dataclass(frozen=True)
class Assumption:
    """A property of a symbol that a derivation may use and then has to name.

    Attributes:
        key: ``single_sample``, or one of `PROPERTIES`.
        symbol: The symbol that has it.
        latex: The property as an equation in LaTeX.
        text: The same in Unicode.
        reason: Why it holds, in words.
    """

    key: str
    symbol: Expr
    latex: str
    text: str
    reason: str


PROPERTIES: dict[str, tuple[str, str, str]] = {
    "symmetric": ("{0}^{{\\top}} = {0}", "{0}ᵀ = {0}", "{0} is symmetric"),
    "psd": ("{0}^{{\\top}} = {0}", "{0}ᵀ = {0}", "{0} is symmetric positive definite"),
    "diagonal": ("{0}^{{\\top}} = {0}", "{0}ᵀ = {0}", "{0} is diagonal"),
    "invertible": ("{0} {0}^{{-1}} = I", "{0} {0}⁻¹ = I", "{0} is invertible"),
    "positive": (r"{0} > 0", "{0} > 0", "each entry of {0} is positive"),
    "onehot_rows": (r"{0} \mathbf{{1}} = \mathbf{{1}}", "{0} 1 = 1", "each row of {0} is one-hot"),
    "onehot_cols": (r"\mathbf{{1}}^{{\top}} {0} = \mathbf{{1}}^{{\top}}", "1ᵀ{0} = 1ᵀ",
                     "each column of {0} is one-hot"),
    "distribution_rows": (r"{0} \mathbf{{1}} = \mathbf{{1}}", "{0} 1 = 1", "each row of {0} sums to one"),
    "distribution_cols": (r"\mathbf{{1}}^{{\top}} {0} = \mathbf{{1}}^{{\top}}", "1ᵀ{0} = 1ᵀ",
                          "each column of {0} sums to one"),
}
"""What may be assumed of a matrix: the equation that follows, in LaTeX and in Unicode, and the words."""


def assume(key: str, symbol: Expr) -> Assumption:
    """Return the assumption that a symbol has one of `PROPERTIES`."""
    latex, text, reason = PROPERTIES[key]
    name = text_name(str(symbol.name))
    return Assumption(key, symbol, latex.format(latex_name(str(symbol.name))), text.format(name), reason.format(name))


def distributions(symbol: MatrixSymbol, samples: str) -> Assumption:
    """Return the assumption that each sample of Y (a column or a row) is a distribution."""
    return assume("distribution_cols" if samples == "columns" else "distribution_rows", symbol)


def single_sample(samples: Symbol) -> Assumption:
    """Return the assumption that there is one sample only."""
    name = samples.name
    return Assumption("single_sample", samples, f"{name} = 1", f"{name} = 1", "there is one sample")


@dataclass(frozen=True)
class Equation:
    """``symbol = term``: a matrix symbol, or a plain symbol for a scalar."""

    symbol: Expr
    term: Term

    @property
    def name(self) -> str:
        """The name of what it defines."""
        return str(self.symbol.name)


@dataclass(frozen=True)
class Program(Displayed):
    """Named equations, each using inputs, parameters and names defined before it.

    Attributes:
        name: What the program is called.
        inputs: Symbols whose values are given anew with each call, as X and Y.
        parameters: Symbols whose gradients are wanted.
        equations: In order; the last one is the result.
        assumptions: What may be assumed of the inputs.
        through: Names that receive no gradient of their own: a derivation passes
            through them, as from the loss through softmax to the last pre-activation.
        constants: The value of each scalar symbol that is fixed, as λ.
        named: Whether the result's name is one that was chosen, and may stand in its derivatives.
    """

    name: str
    inputs: tuple[Expr, ...]
    parameters: tuple[Expr, ...]
    equations: tuple[Equation, ...]
    assumptions: tuple[Assumption, ...] = ()
    through: frozenset[Expr] = frozenset()
    constants: Mapping[Expr, float] = field(default_factory=dict)
    named: bool = False

    @cached_property
    def position(self) -> dict[Expr, int]:
        """The index of the equation that defines each symbol."""
        return {e.symbol: i for i, e in enumerate(self.equations)}

    @property
    def result(self) -> Expr:
        """The symbol of the last equation."""
        return self.equations[-1].symbol

    def symbol(self, name: str) -> Expr:
        """Return the symbol of that name.

        Raises:
            InputError: There is none.
        """
        for symbol in (*self.inputs, *self.parameters, *(e.symbol for e in self.equations)):
            if symbol.name == name:
                return symbol
        known = ", ".join(s.name for s in (*self.parameters, *self.inputs))
        raise InputError(f"no quantity is named {name!r}; expected one of {known} or a named value of the network")


def validate(program: Program) -> None:
    """Check that every name is defined once and before its use, with matching shapes.

    Raises:
        InputError: An equation uses an unknown name, defines one twice, or its sides differ in shape.
    """
    known: set[Expr] = {*program.inputs, *program.parameters, *program.constants}
    for equation in program.equations:
        missing = {s for s in symbols_of(equation.term) - known if is_matrix(s)}
        if missing:
            names = ", ".join(sorted(s.name for s in missing))
            raise InputError(f"the equation of {equation.name} uses {names} before it is defined")
        if equation.symbol in known:
            raise InputError(f"{equation.name} is defined twice")
        if shape(equation.symbol) != shape(equation.term):
            raise InputError(f"{equation.name} is {shape(equation.symbol)} but its equation is {shape(equation.term)}")
        known.add(equation.symbol)


def needed(equations: Iterable[Equation], results: Iterable[Expr]) -> tuple[Equation, ...]:
    """Return the equations that the results depend on, in order: dead values are left out."""
    wanted, kept = set(results), []
    for equation in reversed(tuple(equations)):
        if equation.symbol in wanted:
            wanted |= symbols_of(equation.term)
            kept.append(equation)
    return tuple(reversed(kept))
