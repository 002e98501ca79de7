"""Terms, lines and shapes as LaTeX and as Unicode text.

Both are SymPy's printers with our notation for the nodes of the operations table:
SymPy prints a matrix of ones as 1 and the Hadamard product as a ring.
"""

from __future__ import annotations

import re
from typing import Any

from sympy import (
    Add,
    Basic,
    Expr,
    HadamardProduct,
    Identity,
    MatAdd,
    MatMul,
    Mul,
    OneMatrix,
    Pow,
    S,
    ZeroMatrix,
)
from sympy.printing.latex import LatexPrinter as SympyLatexPrinter
from sympy.printing.str import StrPrinter

from symbolic.derivation import Free, Gradient, Line, Mapped, Plain, Step, Summand
from symbolic.names import braced, latex_name, text_name
from symbolic.operations import OPERATIONS, is_atom
from symbolic.operations.table import ATOM, PRODUCT, SUM, TIMES
from symbolic.program import Equation
from symbolic.terms import (
    HadamardQuotient,
    MatrixDifferential,
    ScalarDifferential,
    SquaredNorm,
    Term,
    is_matrix,
    scale,
    shape,
    split,
)


class _Notation:
    """What LaTeX and text have in common: precedence, signs, lines. Mixed into SymPy's printers."""

    minus: str
    times: str
    wide: tuple[str, str]
    angles: tuple[str, str]
    loss: str
    vec: str
    norm: tuple[str, str, str, str]
    free: str
    comma = ", "
    d: str

    def __init__(self) -> None:
        super().__init__()
        self._shown: dict[tuple[Basic, int], str] = {}

    def show(self, term: Basic, precedence: int = 0) -> str:
        """Return the term, in parentheses where it binds looser than ``precedence``."""
        key = (term, precedence)
        text = self._shown.get(key)
        if text is None:
            own, text = self._spell(term)
            if own < precedence:
                text = self.wide[0] + text + self.wide[1]
            self._shown[key] = text
        return text

    def _print(self, expr: Any, **options: Any) -> str:
        """Print what SymPy asks for within a scalar function, such as det A in log det A, by its row."""
        if isinstance(expr, Basic) and (is_atom(expr) or isinstance(expr, ScalarDifferential)):
            return self.show(expr)
        if isinstance(expr, Pow) and isinstance(expr.base, SquaredNorm) and (2 * expr.exp).is_Integer:
            return self._norm_power(expr)
        return str(super()._print(expr, **options))  # type: ignore[misc]

    def _norm_power(self, term: Pow) -> str:
        """Spell (‖A‖²)² as ‖A‖⁴, and its root as ‖A‖."""
        exponent = abs(2 * term.exp)
        norm = self.norm[0] + self.show(term.base.args[0]) + self.norm[1]
        power = norm if exponent == 1 else self.norm[2].format(norm, exponent)
        return self.norm[3].format(power) if term.exp < 0 else power

    def equation(self, equation: Equation) -> str:
        """Return ``name = term``."""
        return f"{self.show(equation.symbol)} = {self.show(equation.term)}"

    def line(self, line: Line) -> str:
        """Return a sum of inner products, as it stands to the right of d𝓛 =."""
        text = ""
        for summand in line:
            below_zero, body = self._summand(summand)
            text += (f" {self.minus} " if text else self.minus) if below_zero else " + " if text else ""
            text += body
        return text or "0"

    def factored(self, term: Term, precedence: int = 0) -> str:
        """Return the term with each factor marked by its shape."""
        if isinstance(term, MatAdd | MatMul | HadamardProduct | HadamardQuotient):
            own, spell = self._spelling(OPERATIONS[type(term)])
            own, text = precedence_of(term, own), spell(term, self.factored)
            return self.wide[0] + text + self.wide[1] if own < precedence else text
        return self._shape_of_factor(term) if is_matrix(term) else self.show(term, precedence)

    def _shape_of_factor(self, term: Term) -> str:
        raise NotImplementedError

    def statement(self, step: Step) -> str:
        """Return the statement of a step's rule, or the equation that it used."""
        return self.equation(step.equation) if step.equation else self._rule(step)

    def left(self, gradient: Gradient) -> str:
        """Return what a derivation is of: d𝓛, dF or vec dF."""
        (start,) = gradient.start
        if isinstance(start, Mapped):
            return self._mapped(S.One, start.direction)[1]
        if isinstance(start, Plain) or gradient.of is not None:
            return self.show(start.direction)
        return self.loss

    def _mapped(self, matrix: Term, direction: Term) -> tuple[bool, str]:
        """Spell J vec M; vec is left out where M is a column or a scalar."""
        body = self.show(direction, PRODUCT + 1)
        if is_matrix(direction) and direction.shape[1] != 1:
            body = f"{self.vec}{self._gap}{body}"
        if isinstance(matrix, Identity) or matrix is S.One:
            return False, body
        coefficient, rest = split(matrix) if is_matrix(matrix) else (matrix, S.One)
        below_zero = bool(coefficient.could_extract_minus_sign())
        size = -coefficient if below_zero else coefficient
        shown = rest if size is S.One else scale(size, rest) if is_matrix(rest) else size
        return below_zero, body if shown is S.One else f"{self.show(shown, PRODUCT)}{self.times}{body}"

    def _summand(self, summand: Summand) -> tuple[bool, str]:
        cotangent, direction = summand.cotangent, summand.direction
        if isinstance(summand, Plain):
            return False, self.show(direction, SUM)
        if isinstance(summand, Mapped):
            return self._mapped(cotangent, direction)
        if isinstance(summand, Free):
            return False, self.free.format(self.show(cotangent, TIMES + 1), self.show(direction, TIMES + 1))
        if is_matrix(cotangent):
            coefficient, rest = split(cotangent)
            body = self._angled(self.show(rest), self.show(direction))
        else:
            coefficient, body = cotangent, self.show(direction, SUM + 1)
        below_zero = bool(coefficient.could_extract_minus_sign())
        size = -coefficient if below_zero else coefficient
        return below_zero, body if size == 1 else f"{self.show(size, PRODUCT)}{self.times}{body}"

    def _angled(self, left: str, right: str) -> str:
        return f"{self.angles[0]}{left}{self.comma}{right}{self.angles[1]}"

    def _spell(self, term: Basic) -> tuple[int, str]:
        if isinstance(term, MatrixDifferential | ScalarDifferential):
            return self._differential(term.args[0])
        row = OPERATIONS.get(type(term))
        if row is not None and not row.of_sympy:
            precedence, spell = self._spelling(row)
            return precedence_of(term, precedence), spell(term, self.show)
        if isinstance(term, Mul) and _holds_atoms(term):
            return self._scaled(term)
        if isinstance(term, Add) and _holds_atoms(term):
            return SUM, self._signed_sum(term)
        return self._precedence(term), self._print(term)

    def _differential(self, inside: Basic) -> tuple[int, str]:
        if not is_matrix(inside) and isinstance(inside, Add | Mul):
            return PRODUCT, self.d + self.wide[0] + self.show(inside) + self.wide[1]
        row = OPERATIONS.get(type(inside))
        if row is None:
            return ATOM, self.d + self.show(inside)
        if self._spelling(row)[0] == ATOM:
            return PRODUCT, self.d + self._gap + self.show(inside)
        return ATOM, self.d + self.wide[0] + self.show(inside) + self.wide[1]

    def _scaled(self, term: Mul) -> tuple[int, str]:
        """Spell c · s with the coefficient in front, as in −(1/N) ⟨Y, log ŷ⟩."""
        bodies = [a for a in term.args if _holds_atoms(a)]
        coefficient = Mul(*(a for a in term.args if a not in bodies))
        body = self.times.join(self.show(b, PRODUCT) for b in bodies)
        below_zero = bool(coefficient.could_extract_minus_sign())
        size = -coefficient if below_zero else coefficient
        text = body if size == 1 else f"{self.show(size, PRODUCT)}{self.times}{body}"
        return (SUM if below_zero else PRODUCT), (self.minus if below_zero else "") + text

    def _signed_sum(self, term: Add) -> str:
        text = ""
        for summand in summands(term):
            body = self.show(summand, 0)
            if not text:
                text = body
            else:
                text += f" {self.minus} {body[len(self.minus):]}" if body.startswith(self.minus) else f" + {body}"
        return text

    def _precedence(self, term: Basic) -> int:
        return SUM if isinstance(term, Add) or (isinstance(term, Expr) and term.could_extract_minus_sign()) else (
            PRODUCT if isinstance(term, Mul | Pow) else ATOM)

    def _spelling(self, row: Any) -> Any:
        raise NotImplementedError

    def _rule(self, step: Step) -> str:
        raise NotImplementedError

    _gap: str


def precedence_of(term: Basic, precedence: int) -> int:
    """Return a node's precedence; with a minus sign in front a product binds like a sum."""
    return SUM if isinstance(term, MatMul) and split(term)[0].could_extract_minus_sign() else precedence


def summands(term: Add) -> tuple[Expr, ...]:
    """Return the summands of a scalar; squared norms in the order of their numbers, which SymPy's is not."""
    if all(a.has(SquaredNorm) for a in term.args):
        return tuple(sorted(term.args, key=lambda a: [int(number) for number in re.findall(r"\d+", str(a))]))
    return term.args


def _holds_atoms(term: Basic) -> bool:
    """Say whether a scalar holds nodes that SymPy's printers do not know."""
    return is_atom(term) or isinstance(term, ScalarDifferential) or any(map(_holds_atoms, term.args))


class LatexPrinter(_Notation, SympyLatexPrinter):
    """Terms in the LaTeX that amsmath, KaTeX and MathJax share."""

    minus, times, wide, angles = "-", r"\,", (r"\left(", r"\right)"), (r"\left\langle ", r"\right\rangle ")
    d, _gap = r"\mathrm{d}", r"\,"
    loss, vec = r"\mathrm{d}\mathcal{L}", r"\operatorname{vec}"
    norm = (r"\lVert ", r"\rVert", "{0}^{{{1}}}", r"\frac{{1}}{{{0}}}")
    free = r"\textstyle\sum_{{i \le j}} \left({0} \odot {1}\right)_{{ij}}"

    def _spelling(self, row: Any) -> Any:
        return row.latex

    def _rule(self, step: Step) -> str:
        return step.assumption.latex if step.assumption else step.rule.latex

    def _print_Symbol(self, symbol: Expr, style: str = "plain") -> str:
        return latex_name(symbol.name)

    _print_MatrixSymbol = _print_Symbol

    def _print_sigmoid(self, term: Expr, exp: str | None = None) -> str:
        return r"\sigma" + (f"^{{{exp}}}" if exp else "") + rf"\left({self._print(term.args[0])}\right)"

    def _print_softplus(self, term: Expr, exp: str | None = None) -> str:
        power = f"^{{{exp}}}" if exp else ""
        return rf"\operatorname{{softplus}}{power}\left({self._print(term.args[0])}\right)"

    def _print_OneMatrix(self, term: OneMatrix, mat_symbol_style: str = "plain") -> str:
        rows, columns = term.shape
        if columns == 1:
            return rf"\mathbf{{1}}_{braced(self._print(rows))}"
        return rf"\mathbf{{1}}_{braced(self._print(columns))}^{{\top}}" if rows == 1 else r"\mathbf{1}"

    def _print_ZeroMatrix(self, term: ZeroMatrix, mat_symbol_style: str = "plain") -> str:
        return r"\mathbf{0}"

    def _print_Identity(self, term: Expr, mat_symbol_style: str = "plain") -> str:
        return f"I_{braced(self._print(term.shape[0]))}"

    def shape(self, term: Term) -> str:
        """Return the shape, as in 3 × N."""
        return r" \times ".join(self._print(s) for s in shape(term))

    def _shape_of_factor(self, term: Term) -> str:
        return rf"\underbrace{{{self.show(term)}}}_{{{self.shape(term)}}}"


class TextPrinter(_Notation, StrPrinter):
    """Terms in Unicode, for a terminal."""

    minus, times, wide, angles = "−", " ", ("(", ")"), ("⟨", "⟩")
    d, _gap = "d", " "
    loss, vec = "d𝓛", "vec"
    norm = ("‖", "‖", "{0}^{1}", "1/{0}")
    free = "Σ over i ≤ j of ({0} ⊙ {1})ᵢⱼ"

    def _spelling(self, row: Any) -> Any:
        return row.text

    def _rule(self, step: Step) -> str:
        return f"{step.assumption.text}, assumed: {step.assumption.reason}" if step.assumption else step.rule.text

    def _print_Symbol(self, symbol: Expr) -> str:
        return text_name(symbol.name)

    _print_MatrixSymbol = _print_Symbol

    def _print_sigmoid(self, term: Expr) -> str:
        return f"σ({self._print(term.args[0])})"

    def _print_Abs(self, term: Expr) -> str:
        return f"|{self._print(term.args[0])}|"

    def _print_OneMatrix(self, term: OneMatrix) -> str:
        return "1ᵀ" if term.shape[0] == 1 and term.shape[1] != 1 else "1"

    def _print_ZeroMatrix(self, term: ZeroMatrix) -> str:
        return "0"

    def _print_Piecewise(self, term: Expr) -> str:
        return "{" + "; ".join(
            self._print(branch) + (" otherwise" if condition is S.true else f" if {self._print(condition)}")
            for branch, condition in term.args) + "}"

    def _print_Pow(self, term: Expr, rational: bool = False) -> str:
        return super()._print_Pow(term, rational).replace("**", "^")

    def shape(self, term: Term) -> str:
        """Return the shape, as in 3×N."""
        return "×".join(self._print(s) for s in shape(term))

    def _shape_of_factor(self, term: Term) -> str:
        return f"({self.shape(term)})"
