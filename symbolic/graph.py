"""Which values are computed from which, in a program."""

from __future__ import annotations

from sympy import Add, Expr, MatAdd, MatrixSymbol, Symbol

from symbolic.program import Equation, Program
from symbolic.terms import Term, add, operand_indices, symbols_of


class Graph:
    """The uses of each symbol of a program, found once."""

    def __init__(self, program: Program) -> None:
        self.program = program
        self._indices: dict[Term, dict[Expr, list[int]]] = {}
        self.consumers: dict[Expr, list[Equation]] = {}
        for equation in program.equations:
            for symbol in self.index(equation.term):
                self.consumers.setdefault(symbol, []).append(equation)

    def index(self, term: Term) -> dict[Expr, list[int]]:
        """Return, for each symbol of a term, the operands that hold it.

        Built once a term, so that a wide sum is not searched anew for each of its symbols.
        """
        found = self._indices.get(term)
        if found is None:
            found = self._indices[term] = {}
            if isinstance(term, (MatrixSymbol, Symbol)):
                found[term] = []
            elif symbols_of(term):
                for i in operand_indices(term):
                    for symbol in self.index(term.args[i]):
                        found.setdefault(symbol, []).append(i)
        return found

    def active(self, node: Term, targets: set[Expr]) -> list[int]:
        """Return the operands of a node that hold one of the targets."""
        index = self.index(node)
        return sorted({i for t in targets if t in index for i in index[t]})

    def restricted(self, term: Term, targets: set[Expr]) -> Term:
        """Return of a sum only the summands that hold one of the targets: the others do not vary with them."""
        if isinstance(term, (MatAdd, Add)):
            active = self.active(term, targets)
            if len(active) < len(term.args):
                return add(*(term.args[i] for i in active))
        return term

    def reach(self, quantity: Expr) -> tuple[set[Expr], list[Expr]]:
        """Return the quantity with the values passed through on the way, and where the way ends.

        It ends at values that have a gradient of their own, and at the result.
        """
        targets, ends, pending = {quantity}, set[Expr](), [quantity]
        while pending:
            for equation in self.consumers.get(pending.pop(), ()):
                symbol = equation.symbol
                if symbol not in self.program.through or symbol == self.program.result:
                    ends.add(symbol)
                elif symbol not in targets:
                    targets.add(symbol)
                    pending.append(symbol)
        return targets, sorted(ends, key=self.program.position.__getitem__)
