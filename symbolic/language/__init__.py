"""The matrix language: text to a program of terms."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from sympy import Expr, Symbol

from symbolic.derivation import Derivation
from symbolic.differentiation import differentiate
from symbolic.errors import InputError
from symbolic.language.dimensions import LARGEST_SIZE, ONE, SCALAR, Shape, fixed, size
from symbolic.language.elaborate import Elaborator
from symbolic.language.parser import parse
from symbolic.messages import nearest
from symbolic.program import Equation, Program, validate
from symbolic.terms import is_matrix
from symbolic.verify import verify_derivation

LOSS = Symbol("loss", real=True)


def read_program(text: str, shapes: Mapping[str, Shape] | None = None) -> tuple[Program, dict[str, Expr]]:
    """Return the program that a text spells, and the symbols of its inputs by name.

    Raises:
        InputError: The text is not of the language, or its shapes do not meet; the message
            points at the character.
    """
    equations, inputs = Elaborator(parse(text), shapes or {}).equations()
    *named, last = equations
    result = last.symbol if is_matrix(last.term) else LOSS
    program = Program("expression", tuple(inputs.values()), (), (*named, Equation(result, last.term)),
                      through=frozenset(e.symbol for e in equations))
    return program, inputs


def read_shape(text: str) -> tuple[str, Shape]:
    """Return the name and the shape of ``X=m,n``, ``x=n`` or ``c=scalar``.

    Raises:
        InputError: It is none of these.
    """
    name, _, sizes = (part.strip() for part in text.partition("="))
    parts = [part.strip() for part in sizes.split(",")]
    if not name.isidentifier() or not sizes or len(parts) > 2:
        raise InputError(f"expected a shape such as X=m,n or x=n,1 or c=scalar, got {text!r}")
    if sizes == "scalar":
        return name, SCALAR
    found = []
    for part in parts:
        if part.isdigit() and 1 <= int(part) <= LARGEST_SIZE:
            found.append(fixed(part))
        elif part.isidentifier() and part.isascii():
            found.append(size(part))
        else:
            raise InputError(f"expected a dimension, a name or a number from 1 to {LARGEST_SIZE}, "
                             f"got {part!r} in {text!r}")
    return name, (found[0], found[1] if len(found) > 1 else ONE)


def derive_text(text: str, wrt: Sequence[str], shapes: Mapping[str, Shape] | None = None) -> Derivation:
    """Return the gradients of a scalar expression or program of the language, verified.

    Raises:
        InputError: It cannot be read, is no scalar, or does not hold a name.
        VerificationError: A gradient disagrees with numbers.
    """
    program, inputs = read_program(text, shapes)
    for name in wrt:
        if name not in inputs:
            raise InputError(f"{name!r} is not in the expression, which holds {', '.join(inputs)}"
                             f"{nearest(name, inputs)}")
    if is_matrix(program.equations[-1].term):
        raise InputError(f"expected a scalar, came a matrix of {program.equations[-1].term.shape}")
    variables = tuple(inputs[name] for name in wrt)
    program = replace(program, inputs=tuple(s for s in program.inputs if s not in variables), parameters=variables)
    validate(program)
    derivation = differentiate(program)
    return replace(derivation, verified=verify_derivation(derivation))
