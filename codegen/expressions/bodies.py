"""The body of a function of an expression's module: from equations to lines."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from itertools import count

from sympy import Basic, Dummy, Expr, MatrixSymbol, Transpose, expand

from codegen.expressions.lines import INDENT, WIDTH, shortened, wrapped
from codegen.expressions.passes import optimise_expression
from codegen.expressions.printer import ExpressionPrinter
from codegen.expressions.properties import Properties
from codegen.expressions.sizes import Sizes, Source
from codegen.expressions.tidying import constants
from codegen.passes import Equations
from codegen.scalar_code import Helper
from symbolic.operations.table import ATOM
from symbolic.printing import TextPrinter
from symbolic.program import needed
from symbolic.structure import DiagonalOf, Reshape, Slice
from symbolic.terms import Broadcast, Term, is_matrix, symbols_of


@dataclass(frozen=True)
class Scope:
    """What all functions of a module share.

    Attributes:
        names: The names of the arguments, sizes, named values and answers.
        arrays: The matrices among the arguments.
        sizes: Where the sizes come from.
        dimensions: The symbols that are sizes, wherever they occur.
        taken: Names that nothing local may have.
        helpers: The functions that are called: filled while lines are made.
        printed: The sizes that occur in code, likewise.
    """

    names: Mapping[Expr, str]
    arrays: tuple[MatrixSymbol, ...]
    sizes: Sizes
    dimensions: frozenset[Expr]
    taken: frozenset[str]
    helpers: dict[str, Helper] = field(default_factory=dict)
    printed: set[Expr] = field(default_factory=set)

    def printer(self, names: Mapping[Expr, str] | None = None) -> ExpressionPrinter:
        """Return a printer that knows some names besides."""
        return ExpressionPrinter(names={**self.names, **(names or {})}, arrays=self.arrays,
                                 dimensions=self.dimensions)


def write_body(equations: Equations, results: Mapping[str, Expr], properties: Properties,
               scope: Scope) -> tuple[str, ...]:
    """Return the lines that compute some results from checked arguments, and return them.

    Args:
        equations: All that is known, in order.
        results: The symbol of each result by its key; several are returned as a dict.
        properties: What the passes may rest on; they note what they did.
        scope: The module's, where helpers and sizes are noted.
    """
    wanted = tuple(dict.fromkeys(results.values()))
    equations = constants(needed(equations, wanted))
    optimised = needed(optimise_expression(equations, properties), wanted)
    writer = _Writer(optimised, {e.symbol: e.term for e in equations}, wanted, scope)
    lines = [*writer.computed(), *(writer.returned(results) if len(results) > 1 else writer.value(wanted[0]))]
    for name, helper in writer.printer.helpers.items():
        scope.helpers.setdefault(name, helper)
    scope.printed.update(writer.printer.sizes)
    return (*size_lines(scope, writer.printer.sizes), *lines)


class _Writer:
    """The lines of one function."""

    def __init__(self, equations: Equations, formulas: Mapping[Expr, Term], wanted: tuple[Expr, ...],
                 scope: Scope) -> None:
        self.scope = scope
        self.formulas = formulas
        self.equations = shortened(equations, wanted, scope.printer())
        self.terms = {e.symbol: e.term for e in self.equations}
        own = (e.symbol for e in self.equations if e.symbol not in scope.names)
        taken = {*scope.taken, *scope.names.values()}
        numbered = (name for i in count(1) if (name := f"t{i}") not in taken)
        self.printer = scope.printer(dict(zip(own, numbered, strict=False)))
        used = {s for e in self.equations for s in symbols_of(e.term)}
        self.inlined = {s for s in wanted if s not in used and (len(wanted) == 1 or self._is_name(self.terms[s]))}

    def _is_name(self, term: Term) -> bool:
        return isinstance(term, MatrixSymbol) or bool(term.is_Symbol)

    def computed(self) -> list[str]:
        """Return the lines of all values but those that are only returned."""
        lines = []
        for equation in self.equations:
            if equation.symbol not in self.inlined:
                code = f"{self.printer.show(equation.symbol)} = {self.printer.show(equation.term)}"
                lines += self._commented(code, equation.symbol)
        return lines

    def value(self, symbol: Expr) -> list[str]:
        """Return the return statement of a single result."""
        if symbol not in self.inlined:
            return [f"return {self._own(symbol)}"]
        return self._commented(f"return {self._own(self.terms[symbol])}", symbol)

    def returned(self, results: Mapping[str, Expr]) -> list[str]:
        """Return the return statement of several results; no array is returned twice."""
        seen: set[Expr] = set()
        lines = []
        for key, symbol in results.items():
            term = self.terms[symbol] if symbol in self.inlined else symbol
            text, source = self._own(term), self._source(term)
            again = source in seen and is_matrix(term) and not text.endswith(".copy()")
            seen.add(source)
            lines.append(f'    "{key}": {text}{".copy()" if again else ""},')
        return ["return {", *lines, "}"]

    def _source(self, term: Term) -> Basic:
        """Return the value that a name is another name of."""
        while self._is_name(self.terms.get(term, Dummy())) and term in self.terms:
            term = self.terms[term]
        return term

    def _own(self, term: Term) -> str:
        """Spell a result as a float, or as an array that is no view of another one."""
        if not is_matrix(term):
            return f"float({self.printer.show(term)})"
        if isinstance(term, Broadcast):
            size = self.printer.show(term.args[2])
            return f"np.repeat({self.printer.show(term.operand)}, {size}, axis={term.axis})"
        return f"{self.printer.show(term, ATOM)}.copy()" if self._is_view(term) else self.printer.show(term)

    def _is_view(self, term: Term) -> bool:
        """Say whether NumPy would return a view of an argument, or one that cannot be written to."""
        if isinstance(term, DiagonalOf | Broadcast):
            return True
        if isinstance(term, MatrixSymbol):
            return term not in self.terms or self._is_view(self.terms[term])
        return isinstance(term, Transpose | Slice | Reshape) and self._is_view(term.args[0])

    def _commented(self, code: str, symbol: Expr) -> list[str]:
        """Put the formula behind a line that does not read like it, or above it where there is no room."""
        formula = self.formulas.get(symbol)
        lines = wrapped(code)
        if formula is None or not self._differs(formula, self.terms[symbol]):
            return lines
        comment = f"# {TextPrinter().show(formula)}"
        if len(f"{code}  {comment}") + INDENT <= WIDTH:
            return [f"{code}  {comment}"]
        return [comment, *lines] if len(comment) + INDENT <= WIDTH else lines

    def _differs(self, formula: Term, term: Term) -> bool:
        """Say whether code differs from the plain code of a formula in more than parentheses."""
        plain, own = (self.scope.printer(self.printer.names).show(t) for t in (formula, term))
        return re.sub(r"[() ]", "", plain) != re.sub(r"[() ]", "", own)


def size_lines(scope: Scope, wanted: Iterable[Expr]) -> list[str]:
    """Return the lines that take some sizes from the shapes of arguments."""
    sources = scope.sizes.needed(wanted)
    lines = []
    for source in sources:
        pair = [s for s in sources if s.plain and s.array == source.array]
        name, array = scope.names[source.size], scope.names[source.array]
        if not source.plain or len(pair) < 2:
            lines.append(f"{name} = {_length(source, scope, array)}")
        elif source is pair[0]:
            lines.append(f"{name}, {scope.names[pair[1].size]} = {array}.shape")
    return lines


def _length(source: Source, scope: Scope, array: str) -> str:
    """Spell the size that the length of an axis says."""
    length = Dummy(integer=True)
    printer = scope.printer({length: f"{array}.shape[{source.axis}]"})
    if source.scale in (1, -1):
        return printer.show(expand((length - source.offset) / source.scale))
    return f"{printer.show(length - source.offset, ATOM)} // {printer.show(source.scale, ATOM)}"
