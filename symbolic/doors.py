"""The doors to a derivation: from a network, or from a plain SymPy expression. Both verify."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from sympy import Expr, MatrixSymbol, Symbol

from symbolic.build import LOSS, build_program
from symbolic.derivation import Derivation
from symbolic.differentiation import differentiate
from symbolic.errors import InputError
from symbolic.expressions import from_sympy
from symbolic.network import Network
from symbolic.program import Assumption, Equation, Program, validate
from symbolic.terms import is_matrix, symbols_of
from symbolic.verify import verify_derivation


def derive(network: Network) -> Derivation:
    """Return the gradients of a network's loss by every quantity, X included, verified.

    Raises:
        VerificationError: A gradient disagrees with numbers.
    """
    program = build_program(network)
    derivation = differentiate(program, wrt=[program.inputs[0]])
    return replace(derivation, verified=verify_derivation(derivation))


def derive_expression(expression: Expr, wrt: Sequence[Expr] | Expr,
                      assumptions: Sequence[Assumption] = ()) -> Derivation:
    """Return the gradients of a scalar SymPy expression by some of its symbols, verified.

    Args:
        expression: Of SymPy's matrix expressions and the nodes of ``symbolic.terms``; a scalar,
            or a 1 × 1 matrix such as xᵀAx.
        wrt: Matrix or scalar symbols of the expression. Each gradient has its symbol's shape.
        assumptions: What may be assumed of the other symbols.

    Raises:
        InputError: It is not a scalar, does not hold a symbol, or has a node without a rule.
        VerificationError: A gradient disagrees with numbers.
    """
    wrt = [wrt] if isinstance(wrt, Expr) else list(wrt)
    if not isinstance(expression, Expr) or not wrt:
        hint = "; a text of the matrix language goes to gradient" if isinstance(expression, str) else ""
        raise InputError("expected a SymPy expression and at least one of its symbols" + hint)
    term = from_sympy(expression)
    if is_matrix(term):
        raise InputError(f"expected a scalar expression, got one of shape {term.shape}")
    held = symbols_of(term)
    missing = [str(s) for s in wrt if s not in held]
    if missing:
        raise InputError(f"the expression does not hold {', '.join(missing)}; "
                         f"it holds {', '.join(sorted(str(s) for s in held))}")
    others = tuple(sorted((s for s in held if s not in wrt and isinstance(s, MatrixSymbol | Symbol)), key=str))
    program = Program("expression", others, tuple(wrt), (Equation(LOSS, term),), tuple(assumptions))
    validate(program)
    derivation = differentiate(program)
    return replace(derivation, verified=verify_derivation(derivation))
