"""What a module computes and under which names: equations of all answers in one list, arguments, sizes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import count

from sympy import Basic, Expr, MatrixSymbol, Symbol

from codegen.expressions.names import TAKEN, allocate, public_name
from codegen.expressions.sizes import Sizes, find_sizes
from codegen.passes import Equations, named, rebuild
from symbolic.answers import Answer, Answers
from symbolic.program import Equation
from symbolic.terms import Term, is_matrix, symbols_of


@dataclass(frozen=True)
class Computed:
    """An answer and the symbols under which its value and its map's value are computed."""

    answer: Answer
    value: Expr | None
    mapped: Expr | None


@dataclass(frozen=True)
class Layout:
    """The names and the equations of a module.

    Attributes:
        equations: The program's, and those of all answers.
        computed: The answers.
        arguments: The symbols that are given, sizes among them, with their keywords.
        directions: Those of the maps, with their keywords.
        names: The name in code of each symbol.
        sizes: Where the sizes come from.
        dimensions: All symbols that are sizes.
        taken: Names that no local value may have.
    """

    equations: Equations
    computed: tuple[Computed, ...]
    arguments: dict[Expr, str]
    directions: dict[Expr, str]
    names: dict[Expr, str]
    sizes: Sizes
    dimensions: frozenset[Expr]
    taken: frozenset[str]

    @property
    def renamed(self) -> bool:
        """Whether an argument has another name inside, since its own has a meaning there."""
        return any(self.names[s] != keyword for s, keyword in (self.arguments | self.directions).items())

    def variable(self, direction: Expr) -> Expr:
        """Return the variable in whose direction a map is taken: the last one of its shape."""
        return next(v for c in self.computed if c.answer.direction == direction
                    for v in reversed(c.answer.wrt) if is_matrix(v) and v.shape == direction.shape)

    @property
    def arrays(self) -> tuple[MatrixSymbol, ...]:
        """The matrices among the arguments."""
        return tuple(s for s in self.arguments if is_matrix(s))


def lay_out(answers: Answers, used_sizes: Iterable[Expr], called: Iterable[str]) -> Layout:
    """Return the layout of a module.

    Args:
        answers: What it computes.
        used_sizes: The sizes that occur in its code.
        called: The helpers that its code calls.
    """
    program = answers.program
    equations, computed = _merged(answers)
    directions = tuple(dict.fromkeys(a.direction for a in answers.answers if a.map and a.direction is not None))
    inputs = dict.fromkeys((*program.inputs, *program.parameters))
    defined = {e.symbol for e in equations}
    dimensions = _dimensions([*inputs, *directions, *defined], equations) - set(inputs) - defined
    sizes = find_sizes([s for s in inputs if is_matrix(s)], used_sizes)
    taken = frozenset({*TAKEN, *called})
    public: dict[Expr, str] = {}
    for symbol in (*inputs, *sizes.keywords, *directions):
        public[symbol] = public_name(str(symbol.name), set(public.values()))
    names: dict[Expr, str] = {}
    for symbol, keyword in public.items():
        names[symbol] = public_name(keyword, {*taken, *names.values()})
    others = [*(s.size for s in sizes.sources), *(e.symbol for e in equations), *sorted(dimensions, key=str)]
    names |= allocate([s for s in others if s not in names], taken, names.values())
    names |= {s: repr(float(value)) for s, value in program.constants.items()}
    arguments = {s: k for s, k in public.items() if s not in directions}
    return Layout(equations, computed, arguments, {d: public[d] for d in directions}, names, sizes,
                  frozenset(dimensions), taken)


def _merged(answers: Answers) -> tuple[Equations, tuple[Computed, ...]]:
    """Return all equations in one list; a name that two answers give to different terms gets a second one."""
    known = {e.symbol: e.term for e in answers.program.equations}
    computed = []
    for answer in answers.answers:
        renamed: dict[Basic, Expr] = {}
        last = [_append(equations, known, renamed) for equations in (answer.equations, answer.map)]
        closed = answer.direction is None or not _depends(answer.equations, answer.direction)
        computed.append(Computed(answer, last[0] if closed else None, last[1]))
    return tuple(Equation(s, t) for s, t in known.items()), tuple(computed)


def _append(equations: Sequence[Equation], known: dict[Expr, Term], renamed: dict[Basic, Expr]) -> Expr | None:
    symbol: Expr | None = None
    for equation in equations:
        term = _replaced(equation.term, renamed)
        symbol = equation.symbol
        if known.get(symbol, term) != term:
            free = next(n for i in count(2) if (n := f"{symbol.name}_{i}") not in {str(s.name) for s in known})
            renamed[symbol] = symbol = named(free, symbol)
        known[symbol] = term
    return symbol


def _depends(equations: Sequence[Equation], direction: Expr) -> bool:
    return any(direction in symbols_of(e.term) for e in equations)


def _replaced(term: Term, names: dict[Basic, Expr]) -> Term:
    if not names:
        return term
    return names.get(term) or rebuild(term, lambda part: _replaced(part, names))


def _dimensions(symbols: Iterable[Expr], equations: Equations) -> set[Expr]:
    """Return the symbols that occur in shapes, and those that no operation of a term knows as a value."""
    found = {s for symbol in symbols if is_matrix(symbol) for d in symbol.shape for s in d.free_symbols}
    for equation in equations:
        found |= {s for s in equation.term.atoms(Symbol) if s.is_integer and s.is_positive}
    return found
