"""The door for Python: derivatives of SymPy matrix expressions, or of texts of the matrix language."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from sympy import Expr, MatrixSymbol, Symbol, sympify

from symbolic.answering import Question, answer
from symbolic.answers import Answer, Answers
from symbolic.derivation import Gradient
from symbolic.displayed import Displayed
from symbolic.errors import InputError
from symbolic.expressions import from_sympy
from symbolic.formats.answers import answers_as_text, title
from symbolic.language.functions import LANGUAGE
from symbolic.language.reading import read
from symbolic.messages import nearest
from symbolic.printing import LatexPrinter
from symbolic.program import PROPERTIES, Equation, Program, assume, validate
from symbolic.structure import as_scalar
from symbolic.terms import is_matrix, symbols_of

Properties = Mapping[str, str | Sequence[str]]
"""Property keys by name, as ``{"S": "symmetric"}`` or ``{"S": ["psd"]}``."""


@dataclass(frozen=True)
class Derivative(Displayed):
    """A verified derivative.

    Attributes:
        answers: The question with this one answer.
    """

    answers: Answers

    @property
    def answer(self) -> Answer:
        """The record."""
        return self.answers.answers[0]

    @property
    def sympy(self) -> Expr:
        """The result as a SymPy expression, by the names of the program's values."""
        return self.answer.equation.term

    @property
    def text(self) -> str:
        """The result in the matrix language."""
        return self.answer.text

    @property
    def steps(self) -> tuple[Gradient, ...]:
        """The derivations that led to it, each with its lines and rules."""
        return self.answer.derivations

    def latex(self) -> str:
        """Return the result as LaTeX."""
        return LatexPrinter().show(self.sympy)

    def to_python(self) -> str:
        """Return a NumPy module with ``value``, ``derivative`` and ``check``."""
        return str(_code("codegen.expressions").generate_expression(self.answers))

    def lambdify(self) -> Callable[..., Any]:
        """Return the derivative as a function of arrays, keyword-only."""
        function: Callable[..., Any] = _code("codegen.loading").load_expression(self.answers).derivative
        return function

    def page(self) -> str:
        """Return all steps with their rules and sources, for a screen 80 wide."""
        return answers_as_text(self.answers)

    def __str__(self) -> str:
        return self.text

    def __repr__(self) -> str:
        return f"<{title(self.answer)}: {self.text}>"

    def _repr_latex_(self) -> str:
        return f"$\\displaystyle {LatexPrinter().equation(self.answer.equation)}$"


def _code(module: str) -> Any:
    """Return a module of ``codegen``, which nothing else here knows of, when it is asked for."""
    return import_module(module)


def matrix(name: str, rows: object, columns: object) -> MatrixSymbol:
    """Return a matrix symbol; a dimension is a number, a name or a SymPy expression."""
    return MatrixSymbol(name, _dimension(rows), _dimension(columns))


def vector(name: str, rows: object) -> MatrixSymbol:
    """Return the symbol of a column."""
    return matrix(name, rows, 1)


def scalar(name: str) -> Symbol:
    """Return the symbol of a real number."""
    return Symbol(name, real=True)


def _dimension(size: object) -> Expr:
    if isinstance(size, str):
        if not size.isidentifier():
            raise InputError(f"expected the name of a dimension, got {size!r}")
        return Symbol(size, integer=True, positive=True)
    dimension = sympify(size)
    if dimension.is_number and not (dimension.is_Integer and dimension > 0):
        raise InputError(f"expected a dimension, a whole number from 1 or a name, got {size!r}")
    return dimension


def gradient(expression: Expr | str, wrt: object, properties: Properties | None = None) -> Any:
    """Return the gradient of a scalar expression by a symbol, in the symbol's shape.

    Args:
        expression: A SymPy expression, its own matrix nodes included, or a text of the matrix language.
        wrt: A symbol or its name; for several, a list, and a tuple of derivatives is returned.
        properties: What may be assumed of the symbols.

    Raises:
        InputError: It is no scalar, or cannot be read.
        VerificationError: The result disagrees with numbers.
    """
    return _derived(expression, wrt, 1, properties, "gradient")


def jacobian(expression: Expr | str, wrt: object, properties: Properties | None = None) -> Any:
    """Return ∂f/∂xᵀ of a vector by a vector, outputs × inputs; on vec where either is a matrix.

    Takes and raises what `gradient` does.
    """
    return _derived(expression, wrt, 1, properties, "jacobian")


def differential(expression: Expr | str, wrt: object, properties: Properties | None = None) -> Any:
    """Return dF in terms of dX for a matrix by a matrix, and ∂vec F/∂(vec X)ᵀ.

    Takes and raises what `gradient` does.
    """
    return _derived(expression, wrt, 1, properties, "differential")


def hessian(expression: Expr | str, wrt: object, properties: Properties | None = None) -> Any:
    """Return the second derivatives of a scalar; for several symbols also the mixed blocks.

    Takes and raises what `gradient` does.
    """
    return _derived(expression, wrt, 2, properties, "hessian")


def _derived(expression: Expr | str, wrt: object, order: int, properties: Properties | None, kind: str) -> Any:
    several = isinstance(wrt, (list, tuple))
    asked = list(wrt) if isinstance(wrt, (list, tuple)) else [wrt]
    answers = differentiate_expression(expression, asked, order, properties)
    for found in answers.answers:
        if kind == "gradient" and found.kind != "gradient":
            raise InputError(f"expected a scalar expression for a gradient, came one of "
                             f"{' x '.join(map(str, answers.program.result.shape))}; ask for the jacobian")
        if kind in ("jacobian", "differential") and found.kind == "gradient":
            raise InputError("expected a matrix or a vector, came a scalar; ask for the gradient")
    split = tuple(Derivative(Answers(answers.source, answers.program, order, (a,))) for a in answers.answers)
    return split if several else split[0]


def differentiate_expression(expression: Expr | str, wrt: Iterable[object], order: int = 1,
                             properties: Properties | None = None) -> Answers:
    """Return all derivatives asked of a SymPy expression or of a text, verified.

    Raises:
        InputError: It cannot be read, or does not hold a variable.
        VerificationError: A result disagrees with numbers.
    """
    if order not in (1, 2):
        raise InputError(f"expected order 1 or 2, got {order!r}")
    names = list(dict.fromkeys(w if isinstance(w, str) else str(getattr(w, "name", w)) for w in wrt))
    given = {str(getattr(n, "name", n)): (k,) if isinstance(k, str) else tuple(k)
             for n, k in (properties or {}).items()}
    if isinstance(expression, str):
        return differentiate_text(expression, names, order, properties=given)
    program, symbols = _program(expression)
    return _asked(str(expression), program, symbols, given, names, order)


def differentiate_text(text: str, wrt: Sequence[str], order: int = 1, shapes: Mapping[str, Any] | None = None,
                       properties: Mapping[str, Sequence[str]] | None = None,
                       convention: str = "unconstrained") -> Answers:
    """Return all derivatives asked of a text of the matrix language, verified.

    Raises:
        InputError: It cannot be read, or does not hold a variable; the message points at the character.
        VerificationError: A result disagrees with numbers.
    """
    reading = read(text, shapes, properties)
    return _asked(text, reading.program, reading.symbols, reading.properties, wrt, order, convention)


def _asked(source: str, program: Program, symbols: Mapping[str, Expr], properties: Mapping[str, Sequence[str]],
           wrt: Sequence[str], order: int, convention: str = "unconstrained") -> Answers:
    for name in wrt:
        if name not in symbols and name in {e.name for e in program.equations}:
            raise InputError(f"{name!r} is defined by an equation; derivatives are by what is given, which is "
                             f"{', '.join(symbols)}")
        if name not in symbols:
            raise InputError(f"{name!r} is not in the expression, which holds {', '.join(symbols) or 'no name'}"
                             f"{nearest(name, symbols) if symbols else ''}")
    if not wrt:
        raise InputError(f"expected the name of at least one variable; the expression holds {', '.join(symbols)}")
    for name, keys in properties.items():
        for key in keys:
            if key not in PROPERTIES:
                raise InputError(f"unknown property {key!r} of {name}{nearest(key, PROPERTIES)}")
            if name not in symbols:
                raise InputError(f"{name!r} has a property but is not in the expression{nearest(name, symbols)}")
    assumptions = tuple(assume(key, symbols[name]) for name, keys in properties.items() for key in keys)
    program = Program(program.name, program.inputs, (), program.equations, assumptions,
                      frozenset(e.symbol for e in program.equations), named=program.named)
    return answer(Question(source, program, tuple(symbols[n] for n in dict.fromkeys(wrt)), order, convention))


def _program(expression: Expr) -> tuple[Program, dict[str, Expr]]:
    if not isinstance(expression, Expr):
        raise InputError(f"expected a SymPy expression or a text, got {type(expression).__name__}")
    term = as_scalar(from_sympy(expression))
    held = sorted((s for s in symbols_of(term) if not s.is_integer or is_matrix(s)), key=str)
    symbols = {str(s.name): s for s in held}
    for name in symbols:
        if not re.fullmatch(r"[A-Za-z][A-Za-z0-9_]*", name) or name in LANGUAGE:
            raise InputError(f"expected names of letters, digits and _ that are no functions, got {name!r}")
    if len(symbols) < len(held):
        raise InputError(f"expected symbols of different names, got {', '.join(map(str, held))}")
    name = next(n for n in ("F", "G", "H", "Z", "R", *(f"F{i}" for i in range(1, 99))) if n not in symbols)
    result = MatrixSymbol(name, *term.shape) if is_matrix(term) else Symbol("loss", real=True)
    program = Program("expression", tuple(held), (), (Equation(result, term),))
    validate(program)
    return program, symbols
