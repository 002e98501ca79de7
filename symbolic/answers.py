"""What is answered of an expression: derivatives in closed matrix form, with their steps and evidence."""

from __future__ import annotations

from dataclasses import dataclass

from sympy import Expr, MatrixSymbol

from symbolic.derivation import Gradient, Verified
from symbolic.displayed import Displayed
from symbolic.program import Assumption, Equation, Program


@dataclass(frozen=True)
class Answer:
    """One derivative of the result of a program.

    Attributes:
        kind: ``gradient`` of a scalar, ``jacobian`` (outputs × inputs; on vec, column by column, where
            either is a matrix), ``hessian`` (on vec too), or ``differential`` of a matrix by a matrix.
        wrt: The variables: one, or two for a mixed block of second derivatives.
        equations: What to compute after the program's equations; the last one is the answer.
        map: The answer as a linear map in matrix form, where a variable is a matrix: the equations
            of dF in terms of dX, or of H[V]; the last one is its value. Empty otherwise.
        direction: The symbol that the map takes, as dX or V; None without a map.
        derivations: The steps, in the order in which they are read.
        assumptions: What was used of the variables' properties.
        notes: What has to be said besides, in sentences.
        verified: The evidence.
        convention: ``unconstrained``, or ``symmetric`` for a gradient by the free entries of a symmetric matrix.
        text: The answer in the matrix language, as it can be pasted back in.
        map_text: The map in the language, in terms of the direction.
    """

    kind: str
    wrt: tuple[Expr, ...]
    equations: tuple[Equation, ...]
    map: tuple[Equation, ...] = ()
    direction: MatrixSymbol | None = None
    derivations: tuple[Gradient, ...] = ()
    assumptions: tuple[Assumption, ...] = ()
    notes: tuple[str, ...] = ()
    verified: Verified | None = None
    convention: str = "unconstrained"
    text: str = ""
    map_text: str = ""

    @property
    def equation(self) -> Equation:
        """``symbol = term`` of the answer."""
        return self.equations[-1]

    @property
    def name(self) -> str:
        """The names of the variables: ``X``, or ``X, Y`` for a mixed block."""
        return ", ".join(str(w.name) for w in self.wrt)


@dataclass(frozen=True)
class Answers(Displayed):
    """All that was asked of one expression or program.

    Attributes:
        source: The text that was read, or SymPy's of the expression.
        program: Its inputs (the variables among them) and equations; the last one is the result.
        order: 1 or 2.
        answers: One for each variable, then the mixed blocks.
    """

    source: str
    program: Program
    order: int
    answers: tuple[Answer, ...]

    def __getitem__(self, name: str) -> Answer:
        """Return the answer for a variable, or for two joined by a comma."""
        wanted = [part.strip() for part in name.split(",")]
        for answer in self.answers:
            if sorted(wanted) == sorted(str(w.name) for w in answer.wrt):
                return answer
        raise KeyError(f"{name}; answered are {'; '.join(a.name for a in self.answers)}")
