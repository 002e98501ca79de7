"""The identities by which a cotangent is made short: a short ordered list.

Each has a rule to cite, the kind of node that it looks at, and a rewriting that
answers None where the pattern or the condition is not met.
"""

from __future__ import annotations

from sympy import Basic, MatrixSymbol, Number, OneMatrix, Symbol

from symbolic.identities import entrywise, kronecker, ones, products, scalars, sums
from symbolic.identities.table import Context, Identity, Rewriting
from symbolic.operations.table import Rule
from symbolic.terms import MatrixDifferential, ScalarDifferential, Term, operand_indices, rebuilt

_PARTS = (ones, products, kronecker, entrywise, sums, scalars)
IDENTITIES: tuple[Identity, ...] = tuple(i for part in _PARTS for i in part.IDENTITIES)

SILENT = tuple(i.rule for i in IDENTITIES if i.rule.key in ("sums_as_product", "repetition_as_product"))
"""Rules between terms that read alike on a page."""

_BY_NODE: dict[type[Basic], list[Identity]] = {}
for _identity in IDENTITIES:
    _BY_NODE.setdefault(_identity.node, []).append(_identity)

_KNOWN_VALUE = Rule("known_value", "", "", "its definition")
_LEAVES = (MatrixSymbol, OneMatrix, MatrixDifferential, ScalarDifferential, Symbol, Number)


def rewrite_once(term: Term, context: Context) -> Rewriting | None:
    """Apply one identity to the term or to the innermost part of it where one applies."""
    if isinstance(term, _LEAVES) or term in context.normal:
        return None
    for i in operand_indices(term):
        found = rewrite_once(term.args[i], context)
        if found:
            whole = rebuilt(term, [*term.args[:i], found.term, *term.args[i + 1:]])
            return Rewriting(whole, found.rule, found.assumption, found.definition)
    equation = context.known.get(term)
    if equation is not None:
        return Rewriting(equation.symbol, _KNOWN_VALUE, definition=equation)
    for identity in _BY_NODE.get(type(term), ()):
        answer = identity.rewrite(term, context)
        if isinstance(answer, tuple) and not isinstance(answer, Basic):
            return Rewriting(answer[0], identity.rule, assumption=answer[1])
        if answer is not None:
            return Rewriting(answer, identity.rule)
    context.normal.add(term)
    return None


__all__ = ["IDENTITIES", "SILENT", "Context", "Identity", "Rewriting", "rewrite_once"]
