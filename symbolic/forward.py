"""The differential itself: dF in terms of dX, equation by equation, as forward mode has it."""

from __future__ import annotations

from sympy import Add, Basic, Expr, MatAdd, S, ZeroMatrix

from symbolic.derivation import Gradient, Line, Plain, Step
from symbolic.differentiation import DEFINITION, engine_context
from symbolic.graph import Graph
from symbolic.identities import SILENT, Context, rewrite_once
from symbolic.operations import operation
from symbolic.operations.table import Rule
from symbolic.program import Equation, Program
from symbolic.terms import (
    MatrixDifferential,
    ScalarDifferential,
    Term,
    add,
    differential,
    is_matrix,
    product,
    rebuilt,
    split,
)


def differentials(program: Program, *wrt: Expr, skip_zeros: bool = False) -> tuple[Gradient, ...]:
    """Derive dF of a program's result, after those of the named values it needs, each in terms of dX.

    Args:
        program: The equations.
        *wrt: The variables.
        skip_zeros: Whether a differential that is 0 has no record, and stands in no other one.

    Returns:
        A record for each equation that depends on one of ``wrt``, in order: its term is linear in the
        differentials of ``wrt`` and of the values before it.
    """
    graph, context = Graph(program), engine_context(program)
    moving, records = set(wrt), []
    for equation in program.equations:
        if not moving.isdisjoint(graph.index(equation.term)):
            moving.add(equation.symbol)
            record = _Forward(equation, wrt[0], moving, graph, context).derive()
            if skip_zeros and (isinstance(record.term, ZeroMatrix) or record.term == 0):
                moving.remove(equation.symbol)
            else:
                records.append(record)
    return tuple(records)


class _Forward:
    """The derivation of one differential."""

    def __init__(self, equation: Equation, wrt: Expr, moving: set[Expr], graph: Graph, context: Context) -> None:
        self.equation = equation
        self.wrt = wrt
        self.moving = moving
        self.graph = graph
        self.context = context
        self.term: Term = differential(equation.symbol)
        self.steps: list[Step] = []

    def derive(self) -> Gradient:
        """Return the record: d pushed inwards until it stands before names alone."""
        start: Line = (Plain(S.One, self.term),)
        term = self.graph.restricted(self.equation.term, self.moving)
        coefficient, rest = self._split(term)
        self._record(Step(DEFINITION, (Plain(S.One, product(coefficient, differential(rest))),), self.equation))
        while found := self._pushed(self.term):
            term, rule = found
            self._record(Step(rule, (Plain(S.One, term),)))
            while rewritten := rewrite_once(self.term, self.context):
                if rewritten.rule in SILENT:
                    last = self.steps.pop()
                    self._record(Step(last.rule, (Plain(S.One, rewritten.term),), last.equation, last.assumption))
                    continue
                self._record(Step(rewritten.rule, (Plain(S.One, rewritten.term),), rewritten.definition,
                                  rewritten.assumption))
        symbol = self.equation.symbol
        return Gradient(self.wrt, differential(symbol), self.term, start, tuple(self.steps), symbol)

    def _record(self, step: Step) -> None:
        self.term = step.after[0].direction
        self.steps.append(step)

    def _pushed(self, term: Basic) -> tuple[Term, Rule] | None:
        """Apply one differential rule to the first d of what is no name."""
        if isinstance(term, (MatrixDifferential, ScalarDifferential)):
            inside = term.args[0]
            return None if inside in self.moving else self._differentiated(inside)
        for i, operand in enumerate(term.args):
            if operand.args and (found := self._pushed(operand)):
                arguments = [found[0] if j == i else a for j, a in enumerate(term.args)]
                return rebuilt(term, arguments), found[1]
        return None

    def _differentiated(self, node: Term) -> tuple[Term, Rule]:
        row = operation(node)
        active = self.graph.active(node, self.moving)
        if isinstance(node, (MatAdd, Add)):
            pairs = [self._split(node.args[j]) for j in active]
            parts = [product(c, differential(rest)) for c, rest in pairs]
        else:
            equation = self.context.known.get(node)
            value = equation.symbol if equation else node
            parts = [row.differential(node, j, differential(node.args[j]), value) for j in active]
        parts = [p for p in parts if not (isinstance(p, ZeroMatrix) or p is S.Zero)]
        zero = ZeroMatrix(*node.shape) if is_matrix(node) else S.Zero
        return (add(*parts) if parts else zero), row.differential_rule(node)

    def _split(self, term: Term) -> tuple[Expr, Term]:
        """Return a coefficient that is constant, and the rest; one that moves stays with the rest."""
        coefficient, rest = split(term)
        constant = coefficient is not S.One and self.moving.isdisjoint(self.graph.index(coefficient))
        return (coefficient, rest) if constant else (S.One, term)
