"""What an operation is: everything that the project knows of one kind of node."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from sympy import Basic
from sympy.matrices.expressions.matexpr import MatrixExpr

from symbolic.terms import Term, operand_indices

Show = Callable[..., str]
"""``show(term, precedence)``: the term as text, in parentheses if it binds looser than that."""

Spelling = tuple[int, Callable[[Any, Show], str]]
"""A precedence, and the text of a node from the texts of its operands."""

SUM, TIMES, PRODUCT, POWER, ATOM = 10, 20, 30, 40, 50
"""Precedences, loosest first: + −, then ⊙ ⊘ (and * / in code), then the product, then ᵀ."""


@dataclass(frozen=True)
class Rule:
    """A line of mathematics that leads from one expression to the next.

    Attributes:
        key: Its identifier.
        latex: The statement in LaTeX.
        text: The statement in Unicode.
        source: Where it stands in the literature.
    """

    key: str
    latex: str
    text: str
    source: str


@dataclass(frozen=True)
class Operation:
    """One kind of node: the only place that knows it.

    Attributes:
        node: The SymPy class.
        differential: ``(node, i, d, value)`` → the part of d(node) that is linear in
            the differential ``d`` of operand i; ``value`` stands for the node's own value.
        differential_rule: The rule for a node, since it may name the function.
        transposition: ``(node, i, G)`` → G′ with ⟨G, node⟩ = ⟨G′, operand i⟩, for a node
            that is linear in operand i; None where it is linear in none.
        transposition_rule: Its statement.
        matrix: ``(node, i)`` → J with vec(node) = J vec(operand i), for a node that is linear in
            operand i; None where it is linear in none.
        matrix_rule: Its statement.
        evaluate: ``(node, size, *operands)`` → its value, in NumPy, complex operands
            included; ``size`` gives the integer that stands for a dimension.
        latex, text: Its spellings on a page and in a terminal.
        spelling: Its spelling in each target of ``codegen``, and in the matrix language (``language``).
        examples: Terms of 2 × 3 symbols on which the tests try all of the above.
        of_sympy: Whether it is scalar algebra, which SymPy's printers spell and SymPy builds.
    """

    node: type[Basic]
    differential: Callable[[Any, int, Term, Term], Term]
    differential_rule: Callable[[Any], Rule]
    transposition: Callable[[Any, int, Term], Term] | None
    transposition_rule: Rule | None
    evaluate: Callable[..., Any]
    latex: Spelling
    text: Spelling
    spelling: Mapping[str, Spelling] = field(default_factory=dict)
    examples: Callable[[], tuple[Term, ...]] = tuple
    of_sympy: bool = False
    matrix: Callable[[Any, int], Term] | None = None
    matrix_rule: Rule | None = None


def called(name: str | Callable[[Any], str]) -> Spelling:
    """Return the spelling ``name(A, B)`` of the operands; the name may depend on the node."""
    def spell(node: Any, show: Show) -> str:
        arguments = (show(node.args[i], 0) for i in operand_indices(node))
        return f"{name if isinstance(name, str) else name(node)}({', '.join(arguments)})"
    return ATOM, spell


def infix(sign: str, precedence: int) -> Spelling:
    """Return the spelling ``A sign B sign C`` of a flat operation."""
    return precedence, lambda node, show: f" {sign} ".join(show(a, precedence + 1) for a in node.args)


def is_scalar(term: Basic) -> bool:
    """Say whether the term is a scalar."""
    return not isinstance(term, MatrixExpr)
