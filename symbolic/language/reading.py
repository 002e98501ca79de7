"""From a text to a program: its equations, its inputs, and what was declared of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import chain, count

from sympy import Expr, MatrixSymbol, Symbol

from symbolic.errors import InputError
from symbolic.language.dimensions import SCALAR, Shape
from symbolic.language.elaborate import Builder
from symbolic.language.inference import Inference
from symbolic.language.parser import PROPERTIES, parse
from symbolic.language.scope import Scope
from symbolic.language.sizes import LARGEST_SIZE, ONE, fixed, size, surely
from symbolic.language.tree import FlawError, Slice, Statement, Text
from symbolic.messages import nearest, shown
from symbolic.program import Equation, Program
from symbolic.terms import Term, is_matrix

RESULTS = ("F", "G", "H", "Z", "R")
"""Names of a matrix that was given none."""


@dataclass(frozen=True)
class Reading:
    """What a text says.

    Attributes:
        program: Its equations; the last one is the result.
        symbols: The symbols of the inputs by name, in order of appearance.
        properties: What was declared of each of them; names without any are left out.
        bounds: Polynomials in the dimensions that have to be zero or more, as m - k where rows 1 to k
            of m are taken; those that always are, are left out.
    """

    program: Program
    symbols: dict[str, Expr]
    properties: dict[str, tuple[str, ...]]
    bounds: tuple[Expr, ...] = ()


def read(text: str, shapes: Mapping[str, Shape] | None = None,
         properties: Mapping[str, Sequence[str]] | None = None) -> Reading:
    """Return the program that a text spells.

    Args:
        text: Declarations and equations of the matrix language, the last one for the result.
        shapes: The shapes of names that the text does not declare.
        properties: Properties of names besides those that the text declares.

    Raises:
        InputError: The text is not of the language, or its shapes do not meet; the message
            points at the character.
    """
    for name, keys in (properties or {}).items():
        _check_properties(name, keys)
    parsed = parse(text)
    try:
        scope = Scope(parsed, shapes or {}, properties or {})
        inference = _inferred(parsed, scope)
    except FlawError as flaw:
        raise parsed.source.pointed(flaw, 0) from None
    builder = Builder(scope, inference)
    equations = _equations(parsed.statements, scope, builder)
    inputs = {name: builder.symbol(name) for name in scope.used}
    program = Program("expression", tuple(inputs.values()), (), equations,
                      through=frozenset(e.symbol for e in equations), named=parsed.statements[-1].name is not None)
    declared = {name: keys for name in inputs if (keys := scope.properties.get(name, ()))}
    bounds = dict.fromkeys(bound for bound, _ in scope.bounds if not surely(bound))
    return Reading(program, inputs, declared, tuple(bounds))


def _inferred(text: Text, scope: Scope) -> Inference:
    """Return the shapes of all statements, settled."""
    inference = Inference(scope)
    for statement in text.statements:
        found = inference.infer(statement.expression)
        scope.dims.solve()
        if statement.name is not None:
            scope.define(statement, found)
        elif statement is not text.statements[-1]:
            raise text.source.refusal("expected name = expression for all but the last", statement.position)
    scope.finish()
    for node in inference.shapes:
        if isinstance(node, Slice):
            inference.check(node)
    return inference


def _equations(statements: Sequence[Statement], scope: Scope, builder: Builder) -> tuple[Equation, ...]:
    equations = []
    for statement in statements:
        term = builder.build(statement.expression)
        symbol = _symbol(statement.name or _result(term, scope), term)
        if statement.name is not None:
            builder.symbols[statement.name] = symbol
        equations.append(Equation(symbol, term))
    return tuple(equations)


def _symbol(name: str, term: Term) -> Expr:
    return MatrixSymbol(name, *term.shape) if is_matrix(term) else Symbol(name, real=True)


def _result(term: Term, scope: Scope) -> str:
    """Return a name for the result that the text does not use."""
    wishes, stem = (RESULTS, "F") if is_matrix(term) else (("loss",), "loss")
    taken = scope.words | set(scope.shapes)
    return next(name for name in chain(wishes, (f"{stem}{i}" for i in count(1))) if name not in taken)


def read_shape(text: str) -> tuple[str, Shape]:
    """Return the name and the shape of ``X=m,n``, ``x=n`` or ``c=scalar``.

    Raises:
        InputError: It is none of these.
    """
    name, sizes = _assignment(text)
    parts = [part.strip() for part in sizes.split(",")]
    if not name or not sizes or len(parts) > 2:
        raise InputError(f"expected a shape such as X=m,n or x=n,1 or c=scalar, got {shown(text)}")
    if sizes == "scalar":
        return name, SCALAR
    found = []
    for part in parts:
        if part.isascii() and part.isdigit() and len(part) < 10 and 1 <= int(part) <= LARGEST_SIZE:
            found.append(fixed(part))
        elif part.isascii() and part.isidentifier() and part[0] != "_":
            found.append(size(part))
        else:
            raise InputError(f"expected a dimension, a name or a number from 1 to {LARGEST_SIZE}, "
                             f"got {shown(part)} in {shown(text)}")
    return name, (found[0], found[1] if len(found) > 1 else ONE)


def read_property(text: str) -> tuple[str, tuple[str, ...]]:
    """Return the name and the properties of ``S=symmetric`` or ``S=psd,positive``.

    Raises:
        InputError: It is neither.
    """
    name, keys = _assignment(text)
    found = tuple(dict.fromkeys(key.strip() for key in keys.split(",")))
    if not name or not keys:
        raise InputError(f"expected a property such as S=symmetric, got {shown(text)}")
    _check_properties(name, found)
    return name, found


def _assignment(text: str) -> tuple[str, str]:
    """Return what stands on both sides of the sign; no name where there is none that the language could hold."""
    name, _, value = (part.strip() for part in text.partition("="))
    return (name if name.isascii() and name.isidentifier() and name[0] != "_" else ""), value


def _check_properties(name: str, keys: Sequence[str]) -> None:
    for key in keys:
        if key not in PROPERTIES:
            raise InputError(f"unknown property {shown(key)} of {name}{nearest(key, PROPERTIES)}")
