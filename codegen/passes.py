"""Passes over the equations of a program, before they are printed as code.

Each is a function from equations to equations of equal value; `PASSES` lists them in
the order in which they are applied.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from itertools import count as count_from

from sympy import (
    Basic,
    Expr,
    MatAdd,
    MatMul,
    MatrixSymbol,
    OneMatrix,
    S,
    Symbol,
    Transpose,
)

from codegen.association import associated
from symbolic.extremes import LargestAlong
from symbolic.functions import scalar_function
from symbolic.program import Equation
from symbolic.terms import (
    Broadcast,
    Elementwise,
    LogSoftmax,
    Softmax,
    Term,
    add,
    broadcast,
    elementwise,
    is_matrix,
    log_softmax,
    negative,
    operand_indices,
    product,
    quotient,
    rebuilt,
    split,
    sum_along,
    symbols_of,
)

Equations = tuple[Equation, ...]


@dataclass(frozen=True)
class Pass:
    """A rewriting of equations: its name, why it is done, and the function."""

    name: str
    reason: str
    apply: Callable[[Equations], Equations]


def rebuild(term: Term, change: Callable[[Term], Term]) -> Term:
    """Return the term with ``change`` applied to each operand, by the builders of terms."""
    indices = operand_indices(term)
    if isinstance(term, (MatrixSymbol, OneMatrix, Symbol)) or not indices:
        return term
    arguments = [change(a) if i in indices else a for i, a in enumerate(term.args)]
    if all(new is old for new, old in zip(arguments, term.args, strict=True)):
        return term
    if isinstance(term, Transpose):  # where a transpose stands is decided by passes, not by a builder
        (inside,) = arguments
        return inside.args[0] if isinstance(inside, Transpose) else Basic.__new__(Transpose, inside)
    return rebuilt(term, arguments)


def everywhere(equations: Equations, change: Callable[[Term], Term | None]) -> Equations:
    """Rewrite each node of all terms, operands first; the change answers None where there is nothing to do."""
    def visit(term: Term) -> Term:
        term = rebuild(term, visit)
        found = change(term)
        return term if found is None else found

    return tuple(Equation(e.symbol, visit(e.term)) for e in equations)


def stabilise(equations: Equations) -> Equations:
    """Write log softmax(A) and log σ(A) by functions that neither overflow nor reach log 0."""
    definitions = {e.symbol: e.term for e in equations}
    log, softplus = scalar_function("log"), scalar_function("softplus")

    def change(term: Term) -> Term:
        if isinstance(term, Elementwise) and term.function == log:
            return _safe_log(term, definitions, softplus)
        return rebuild(term, change)

    return tuple(Equation(e.symbol, change(e.term)) for e in equations)


def _safe_log(term: Elementwise, definitions: dict[Expr, Term], softplus: Basic) -> Term:
    """Log softmax(A) = A − 1 lse(A); log σ(A) = −softplus(−A); log(1 − σ(A)) = −softplus(A)."""
    operand = term.operand
    value = definitions.get(operand, operand)
    if isinstance(value, Softmax):
        return log_softmax(value.operand, value.axis)
    if _is_sigmoid(value):
        return negative(elementwise(softplus, negative(value.operand)))
    if isinstance(operand, MatAdd) and len(operand.args) == 2 and isinstance(operand.args[0], OneMatrix):
        coefficient, rest = split(operand.args[1])
        inside = definitions.get(rest, rest)
        if coefficient == -1 and _is_sigmoid(inside):
            return negative(elementwise(softplus, inside.operand))
    return term


def _is_sigmoid(term: Term) -> bool:
    return isinstance(term, Elementwise) and term.function == scalar_function("sigmoid")


def spread(equations: Equations) -> Equations:
    """Write softmax and its logarithm by their parts, exp and sum of what lies below the largest entry, named once."""
    result: list[Equation] = []
    parts: dict[tuple[Term, int], tuple[Term, Term, Term]] = {}

    def of(node: Softmax | LogSoftmax) -> tuple[Term, Term, Term]:
        a, axis = node.operand, node.axis
        if (a, axis) not in parts:
            top = broadcast(Basic.__new__(LargestAlong, a, S(axis)), axis, a.shape[axis])
            of_what = a.name if isinstance(a, MatrixSymbol) else f"of_{equation.name}"
            shifted = name(f"shifted_{of_what}", add(a, negative(top)))
            exponentials = name(f"exp_{of_what}", elementwise(scalar_function("exp"), shifted))
            parts[a, axis] = shifted, exponentials, name(f"sum_{of_what}", sum_along(exponentials, axis))
        return parts[a, axis]

    def name(what: str, term: Term) -> Term:
        symbol = MatrixSymbol(what, *term.shape)
        result.append(Equation(symbol, term))
        return symbol

    def change(term: Term) -> Term | None:
        if not isinstance(term, Softmax | LogSoftmax):
            return None
        shifted, exponentials, total = of(term)
        if isinstance(term, Softmax):
            return quotient(exponentials, broadcast(total, term.axis, term.shape[term.axis]))
        logarithm = elementwise(scalar_function("log"), total)
        return add(shifted, negative(broadcast(logarithm, term.axis, term.shape[term.axis])))

    for equation in equations:
        result += everywhere((equation,), change)
    return tuple(result)


def sum_and_broadcast(equations: Equations) -> Equations:
    """Write products with vectors of ones as sums and repetitions along an axis."""
    return tuple(Equation(e.symbol, _without_ones(e.term)) for e in equations)


def _without_ones(term: Term) -> Term:
    term = rebuild(term, _without_ones)
    if not isinstance(term, MatMul):
        return term
    coefficient, rest = split(term)
    factors = list(rest.args) if isinstance(rest, MatMul) else [rest]
    while len(factors) > 1:
        ones = [i for i, f in enumerate(factors) if _is_ones_vector(f)]
        if not ones:
            break
        # Sums first: they make what is then repeated small.
        factors = _absorb(factors, next((i for i in ones if _sums(factors, i)), ones[0]))
    return product(coefficient, *factors)


def _sums(factors: list[Term], i: int) -> bool:
    """Say whether a vector of ones sums its neighbour, rather than repeating it."""
    return i + 1 < len(factors) if factors[i].shape[0] == 1 else i > 0


def _is_ones_vector(term: Term) -> bool:
    return isinstance(term, OneMatrix) and S.One in term.shape


def _absorb(factors: list[Term], i: int) -> list[Term]:
    """Join a vector of ones with the product on its other side."""
    ones = factors[i]
    row = ones.shape[0] == 1
    if row and i + 1 < len(factors):
        return [*factors[:i], sum_along(product(*factors[i + 1:]), 0)]
    if row:
        return [broadcast(product(*factors[:i]), 1, ones.shape[1])]
    if i > 0:
        return [sum_along(product(*factors[:i]), 1), *factors[i + 1:]]
    return [broadcast(product(*factors[1:]), 0, ones.shape[0])]


def associate(equations: Equations) -> Equations:
    """Multiply three matrices and more two at a time, in the order of least work."""
    names = fresh_names(equations)
    known: dict[Term, MatrixSymbol] = {}
    result: list[Equation] = []

    def change(term: Term) -> Term | None:
        before, found = associated(term, names, known)
        result.extend(before)
        return found if found != term else None

    for equation in equations:
        result += everywhere((equation,), change)
    return tuple(result)


def share(equations: Equations, is_work: Callable[[Term], bool] | None = None) -> Equations:
    """Give a name to each compound term that occurs more than once, and compute it once.

    Args:
        equations: What is computed.
        is_work: Says which terms are worth a name; views, constants and scalars are not where it is not given.
    """
    worth = _is_work if is_work is None else is_work
    counts: Counter[Term] = Counter()

    def count(term: Term) -> None:
        counts[term] += 1
        if (counts[term] == 1 or not worth(term)) and not isinstance(term, (MatrixSymbol, OneMatrix, Symbol)):
            for i in operand_indices(term):
                count(term.args[i])

    for equation in equations:
        count(equation.term)
    fresh = fresh_names(equations)
    names: dict[Term, Expr] = {}
    result: list[Equation] = []

    def change(term: Term) -> Term:
        if term in names:
            return names[term]
        changed = rebuild(term, change)
        if counts[term] > 1 and worth(term):
            symbol = names[term] = named(next(fresh), term)
            result.append(Equation(symbol, changed))
            return symbol
        return changed

    for equation in equations:
        if equation.term in names:
            result.append(Equation(equation.symbol, names[equation.term]))
        elif counts[equation.term] > 1 and worth(equation.term):
            result.append(Equation(equation.symbol, rebuild(equation.term, change)))
            names[equation.term] = equation.symbol
        else:
            result.append(Equation(equation.symbol, change(equation.term)))
    return tuple(result)


def inline(equations: Equations, results: Collection[Expr], fits: Callable[[Equation], bool]) -> Equations:
    """Write a matrix that is used once where it is used, so that it is given back at once; not inside of products.

    Args:
        equations: What is computed.
        results: Names that stay.
        fits: Says whether an equation may stand in one line.
    """
    uses = Counter(s for e in equations for s in _occurrences(e.term))
    waiting: dict[Expr, Equation] = {}
    result: list[Equation] = []
    for equation in equations:
        merged = Equation(equation.symbol, _with(equation.term, {s: e.term for s, e in waiting.items()}))
        held = [s for s in waiting if s in _occurrences(equation.term)]
        if held and (merged.term == equation.term or not fits(merged)):
            merged = equation
        kept = symbols_of(merged.term)
        result += [waiting[s] for s in held if s in kept]
        waiting = {s: e for s, e in waiting.items() if s not in held}
        whole = split(merged.term)[0] is S.One and is_matrix(merged.symbol)
        if whole and uses[merged.symbol] == 1 and merged.symbol not in results:
            waiting[merged.symbol] = merged
        else:
            result.append(merged)
    return (*result, *waiting.values())


def _occurrences(term: Term) -> list[Expr]:
    """Return the symbols of a term, each as often as it stands there."""
    if isinstance(term, (MatrixSymbol, Symbol)):
        return [term]
    return [s for i in operand_indices(term) for s in _occurrences(term.args[i])]


def _with(term: Term, definitions: dict[Expr, Term]) -> Term:
    if isinstance(split(term)[1], MatMul) or isinstance(term, Transpose):
        return term
    return rebuild(term, lambda a: definitions[a] if a in definitions else _with(a, definitions))


def fresh_names(equations: Equations) -> Iterator[str]:
    """Yield t1, t2 and so on, without those that the equations use."""
    taken = {str(s.name) for e in equations for s in (e.symbol, *symbols_of(e.term))}
    return (name for name in (f"t{i}" for i in count_from(1)) if name not in taken)


def named(name: str, term: Term) -> Expr:
    """Return a symbol for the value of a term."""
    return MatrixSymbol(name, *term.shape) if is_matrix(term) else Symbol(name, real=True)


def _is_work(term: Term) -> bool:
    """Say whether the term is worth a name: views, constants and scalars are not, nor −A, which is a sign in a sum."""
    coefficient, rest = split(term)
    if coefficient == -1 and isinstance(rest, MatrixSymbol):
        return False
    return is_matrix(term) and not isinstance(term, MatrixSymbol | OneMatrix | Transpose | Broadcast)


PASSES: tuple[Pass, ...] = (
    Pass("stabilise", "finite for logits of any size, without clipping", stabilise),
    Pass("spread", "softmax and its logarithm share their exponentials", spread),
    Pass("sum_and_broadcast", "no product with a vector of ones", sum_and_broadcast),
    Pass("associate", "products of three and more in the order of least work", associate),
    Pass("share", "each value is computed once", share),
)


def optimise(equations: Equations) -> Equations:
    """Apply all passes in order."""
    for step in PASSES:
        equations = step.apply(equations)
    return equations

