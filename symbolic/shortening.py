"""The last lines of a derivation of an expression: its result as short as a person would write it.

Each move is a rule that a step names. A move is kept where the text in the matrix language
then has fewer operations; what is kept is checked with all else, by numbers.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace

import sympy
from sympy import Add, Basic, Expr, MatAdd, MatMul, Mul, S, Transpose

from symbolic.derivation import Gradient, Plain, Step
from symbolic.errors import InputError
from symbolic.identities import Context, rewrite_once
from symbolic.language.spelling import LanguagePrinter
from symbolic.moves import MOVES, content, with_dummies
from symbolic.operations.table import Rule
from symbolic.program import Equation
from symbolic.terms import (
    Term,
    add,
    is_matrix,
    operand_indices,
    product,
    rebuilt,
    transpose,
)

LARGEST_SUM, MOST_MOVES, LONGEST_TERM = 24, 40, 300
"""Sums are multiplied out up to so many summands; so many moves are tried, on terms of fewer operations than that."""

_OPERATION = re.compile(r"\.[*/^]|[-+*/^']|[A-Za-z_]\w*\(")


def shorten(record: Gradient, context: Context) -> Gradient:
    """Return a record with further steps, at the end of which its term is shorter."""
    used = {(a.key, a.symbol): a for a in record.assumptions}
    shortener = _Shortener(Context(used, context.known))
    term = record.term
    steps: list[Step] = []
    for _ in range(MOST_MOVES if shortener.cost(term) < LONGEST_TERM else 0):
        found = shortener.improved(term)
        if found is None:
            break
        term, rule, equation = found
        steps.append(Step(rule, _line(record, term), equation))
    return replace(record, term=term, steps=(*record.steps, *steps)) if steps else record


def simplified(record: Gradient, context: Context) -> Gradient:
    """Return a record with the identities applied to its term that the context allows, each a step."""
    term, steps = record.term, list[Step]()
    while found := rewrite_once(term, context):
        term = found.term
        steps.append(Step(found.rule, _line(record, term), found.definition, found.assumption))
    return replace(record, term=term, steps=(*record.steps, *steps)) if steps else record


def _line(record: Gradient, term: Term) -> tuple:
    (start,) = record.start
    if isinstance(start, Plain):
        return (Plain(S.One, term),)
    last = record.steps[-1].after[0] if record.steps and record.steps[-1].after else start
    return (type(last)(term, last.direction),)


class _Shortener:
    def __init__(self, context: Context) -> None:
        self.context = context
        self.printer = LanguagePrinter()
        self.costs: dict[Term, float] = {}
        settled = (Equation(e.symbol, self.settled(e.term, without=e.term)) for e in context.known.values())
        self.known = [*context.known.values(), *(e for e in settled if e.term not in context.known)]

    def cost(self, term: Term) -> float:
        """Return the number of operations of a term's text."""
        found = self.costs.get(term)
        if found is None:
            try:
                found = len(_OPERATION.findall(self.printer.show(term)))
            except InputError:
                found = float("inf")
            self.costs[term] = found
        return found

    def improved(self, term: Term) -> tuple[Term, Rule, Equation | None] | None:
        """Return a shorter term that one move leads to."""
        for equation in self.known:
            turned = self.settled(transpose(equation.term)) if is_matrix(equation.term) else None
            named = _named(term, equation, turned)
            if named != term and self.cost(named) < self.cost(term):
                return self.settled(named), KNOWN, equation
        for move in MOVES:
            moved = self.everywhere(term, move.rewrite)
            if moved != term:
                moved = self.settled(moved)
                if self.cost(moved) < self.cost(term):
                    return moved, move.rule, None
        expanded = multiplied_out(term)
        if expanded is not None:
            settled = self.settled(expanded)
            for _ in range(MOST_MOVES):
                better = next((s for m in MOVES if self.cost(s := self.settled(self.everywhere(settled, m.rewrite)))
                               < self.cost(settled)), None)
                if better is None:
                    break
                settled = better
            if self.cost(settled) < self.cost(term):
                return settled, DISTRIBUTED, None
        return None

    def settled(self, term: Term, without: Term | None = None) -> Term:
        """Return a term to which no identity applies any more, not even the name of a value but ``without``."""
        known = {t: e for t, e in self.context.known.items() if t != without}
        plain = Context(self.context.assumptions, known)
        for _ in range(200):
            found = rewrite_once(term, plain)
            if found is None:
                break
            term = found.term
        return term

    def everywhere(self, term: Term, rewrite: Callable[[Term], Term | None]) -> Term:
        """Apply a move to each node, innermost first, where it makes the node shorter."""
        if not term.args or not operand_indices(term) or isinstance(term, sympy.MatrixSymbol):
            return term
        indices = operand_indices(term)
        arguments = [self.everywhere(a, rewrite) if i in indices else a for i, a in enumerate(term.args)]
        changed = any(new is not old for new, old in zip(arguments, term.args, strict=True))
        node = _joined(term, arguments) if changed else term
        moved = rewrite(node)
        if moved is None:
            return node
        moved = self.settled(moved)
        # A factor that moves out may meet another one further out.
        slack = rewrite is content
        return moved if self.cost(moved) < self.cost(node) + slack else node


def _joined(term: Term, arguments: list[Basic]) -> Term:
    """Put a node together again; a transpose that stands in front of a sum or a product stays there."""
    if isinstance(term, Transpose) and isinstance(arguments[0], (MatMul, MatAdd)):
        return Basic.__new__(Transpose, *arguments)
    return rebuilt(term, arguments)


def _named(term: Basic, equation: Equation, turned: Term | None) -> Term:
    """Return a term with the value of a named equation, or its transpose, replaced by the name."""
    symbol, value = equation.symbol, equation.term
    if term == value:
        return symbol
    if not term.args or isinstance(term, sympy.MatrixSymbol):
        return term
    if not is_matrix(value):
        if not is_matrix(term) and isinstance(term, (Mul, sympy.Pow, Add)) and not value.is_number:
            return _named_scalar(term, value, symbol)
    elif isinstance(value, MatMul) and isinstance(term, MatMul):
        for old, new in ((value, symbol), (turned, transpose(symbol))):
            parts, factors = list(old.args) if isinstance(old, MatMul) else [old], list(term.args)
            for i in range(len(factors) - len(parts) + 1):
                if factors[i:i + len(parts)] == parts:
                    return _named(product(*factors[:i], new, *factors[i + len(parts):]), equation, turned)
    indices = operand_indices(term)
    arguments = [_named(a, equation, turned) if i in indices else a for i, a in enumerate(term.args)]
    if all(new is old for new, old in zip(arguments, term.args, strict=True)):
        return term
    return rebuilt(term, arguments)


def _named_scalar(term: Expr, value: Expr, symbol: Expr) -> Expr:
    """Return a scalar by the name of a value in it, if only as a factor; SymPy is shown plain symbols alone."""
    names: dict[Basic, sympy.Dummy] = {}
    plain, wanted = with_dummies(term, names), with_dummies(value, names)
    back = {d: atom for atom, d in names.items()}
    ratio = plain / wanted
    if len(Mul.make_args(ratio)) + 1 < len(Mul.make_args(plain)):
        return symbol * ratio.xreplace(back)
    return plain.subs(wanted, symbol).xreplace(back)


def multiplied_out(term: Term) -> Term | None:
    """Return a term with products of sums multiplied out, or None where that is nothing or too long."""
    parts = list(_summands(term))
    if not is_matrix(term) or len(parts) > LARGEST_SUM or (len(parts) == 1 and parts[0] == term):
        return None
    return add(*parts)


def _summands(term: Term) -> Iterator[Term]:
    if isinstance(term, MatAdd):
        for summand in term.args:
            yield from _summands(summand)
    elif isinstance(term, MatMul):
        for i, factor in enumerate(term.args):
            if isinstance(factor, MatAdd):
                for summand in factor.args:
                    yield from _summands(product(*term.args[:i], summand, *term.args[i + 1:]))
                return
        yield term
    else:
        yield term


KNOWN = Rule("known_value", "", "", "its definition")
DISTRIBUTED = Rule("multiplied_out", r"A (B + C) = A B + A C", "A (B + C) = A B + A C", "matrix algebra")
