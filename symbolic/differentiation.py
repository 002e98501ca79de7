"""Backpropagation by matrix calculus: take the differential, transpose, read the gradient off.

A Jacobian comes from the same differential rules, with vec(A M B) = (Bᵀ ⊗ A) vec M and the
like in place of the transpositions.

For a quantity v, d𝓛 = Σ ⟨∇u 𝓛, du⟩ over the values u that are computed from v. Differential
rules push d inwards, transposition rules move what stands around dv to the left of the
inner product, identities keep that left side short, until d𝓛 = ⟨∇v 𝓛, dv⟩. Each rule that
is applied is recorded; the record is the derivation that is shown.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace

from sympy import Add, Basic, Expr, Identity, MatAdd, MatrixSymbol, Mul, S, Symbol, ZeroMatrix

from symbolic.derivation import Derivation, Gradient, Line, Mapped, Step, Summand
from symbolic.errors import InputError
from symbolic.functions import MAGNUS
from symbolic.graph import Graph
from symbolic.identities import SILENT, Context, rewrite_once
from symbolic.operations import operation
from symbolic.operations.table import Rule
from symbolic.program import Assumption, Equation, Program
from symbolic.structure import reshape
from symbolic.terms import (
    MatrixDifferential,
    ScalarDifferential,
    Term,
    add,
    differential,
    is_matrix,
    product,
    shape,
    split,
)

CHAIN = Rule(
    "chain_rule", r"\mathrm{d}\mathcal{L} = \textstyle\sum_u \langle \nabla_u \mathcal{L}, \mathrm{d}u\rangle",
    "chain rule: d𝓛 = Σ ⟨∇u, du⟩", f"{MAGNUS}, chapter 5, sections 12 and 13")
GIVEN = Rule(
    "given_gradient", r"\mathrm{d}\mathcal{L} = \textstyle\sum_u \langle \nabla_u \mathcal{L}, \mathrm{d}u\rangle",
    "d𝓛 = Σ ⟨∇u, du⟩, 𝓛 depends on it through u only", f"{MAGNUS}, chapter 5, sections 12 and 13")
DEFINITION = Rule("definition", "", "", "its definition")
COLLECT = Rule(
    "collect", r"\langle G, M\rangle + \langle H, M\rangle = \langle G + H, M\rangle",
    "⟨G, M⟩ + ⟨H, M⟩ = ⟨G + H, M⟩", "linearity of the inner product")
DISTRIBUTE = Rule(
    "linearity", r"\langle G, M + N\rangle = \langle G, M\rangle + \langle G, N\rangle",
    "⟨G, M + N⟩ = ⟨G, M⟩ + ⟨G, N⟩", "linearity of the inner product")
LINEAR = Rule(
    "linearity_of_vec", r"\operatorname{vec}(M + N) = \operatorname{vec} M + \operatorname{vec} N",
    "vec(M + N) = vec M + vec N", "linearity")
SCALED = Rule("vec_of_scaled_matrix", r"\operatorname{vec}(s\, C) = \operatorname{vec}(C)\, s", "vec(s C) = vec(C) s",
              "linearity")
INDEPENDENT = Rule(
    "independent", r"\mathrm{d}\mathcal{L} = 0", "d𝓛 = 0: nothing depends on it", "definition of the differential")

LOSS = Symbol("loss", real=True)

LARGEST, DEEPEST = 20_000, 120
"""A longer cotangent is refused: it would take minutes, and nobody could read it."""


def gradient_symbol(quantity: Expr) -> Expr:
    """Return the symbol of ∇v: the name grad_v, the shape of v."""
    name = f"grad_{quantity.name}"
    return MatrixSymbol(name, *quantity.shape) if is_matrix(quantity) else Symbol(name, real=True)


def differentiate(program: Program, wrt: Iterable[Expr] = (),
                  given: Mapping[Expr, Expr] | None = None) -> Derivation:
    """Derive the gradient of a program's result by each of its quantities, with the steps.

    Args:
        program: Its result is a scalar, unless gradients are given.
        wrt: Inputs whose gradients are wanted too; those of the parameters and of
            all values that are not passed through are always found.
        given: The gradients of a loss by values of the program from which that loss is computed
            elsewhere, as ∇a_k by a_k; the loss depends on the program through these only.

    Returns:
        The gradients in the order of the backward pass; each has the shape of its quantity.

    Raises:
        InputError: The result is a matrix and no gradient is given.
    """
    if not given and is_matrix(program.result):
        raise InputError(f"expected a scalar to differentiate; {program.result} is {shape(program.result)}")
    engine = _Engine(program, given or {})
    order = _backward_order(program, {*program.parameters, *wrt}, engine)
    return Derivation(program, tuple(engine.gradient(v) for v in order), given or {})


def jacobian(program: Program, wrt: Expr, symbol: Expr) -> Gradient:
    """Derive the Jacobian of a program's result by one of its quantities, with the steps.

    Returns:
        A record whose term is ∂vec F/∂vec X, outputs × inputs, entries taken column by column;
        by a scalar it has the shape of F.
    """
    engine = _Engine(replace(program, through=frozenset(program.position)), {})
    targets, ends = engine.graph.reach(wrt)
    return _Derivator(engine, wrt, targets, ends, symbol).derive()


def _backward_order(program: Program, leaves: set[Expr], engine: _Engine) -> list[Expr]:
    """Return the quantities so that each follows all the values computed from it."""
    first_use: dict[Expr, list[Expr]] = {}
    for leaf in (*program.parameters, *program.inputs):
        if leaf in leaves:
            uses = engine.graph.consumers.get(leaf)
            first_use.setdefault(uses[0].symbol if uses else program.result, []).append(leaf)
    order: list[Expr] = []
    for equation in reversed(program.equations):
        if not (equation.symbol in program.through or equation.symbol in engine.given
                or equation.symbol == program.result):
            order.append(equation.symbol)
        order += first_use.get(equation.symbol, ())
    return order


def engine_context(program: Program) -> Context:
    """Return what identities may use: the program's assumptions, and the names of its values.

    The result is left out unless it was named: a derivative is not to be written by it.
    """
    equations = program.equations if program.named else program.equations[:-1]
    known = {e.term: e for e in reversed(equations) if e.term.args and not isinstance(e.term, MatrixSymbol)}
    return Context({(a.key, a.symbol): a for a in program.assumptions}, known)


class _Engine:
    """What all gradients of one program share."""

    def __init__(self, program: Program, given: Mapping[Expr, Expr]) -> None:
        self.program = program
        self.given = given
        self.graph = Graph(program)
        self.context = engine_context(program)
        self._sizes: dict[Basic, tuple[int, int]] = {}

    def size(self, term: Basic) -> tuple[int, int]:
        """Return the number of parts of a term, each counted as often as it stands there, and how deep they nest."""
        found = self._sizes.get(term)
        if found is None:
            inside = [self.size(a) for a in term.args]
            found = 1 + sum(parts for parts, _ in inside), 1 + max((depth for _, depth in inside), default=0)
            self._sizes[term] = found
        return found

    def gradient(self, quantity: Expr) -> Gradient:
        """Derive the gradient by one quantity from the gradients of what is computed from it."""
        targets, ends = self.graph.reach(quantity)
        return _Derivator(self, quantity, targets, ends).derive()


class _Derivator:
    """The derivation of one gradient: a line, and the steps that led to it."""

    def __init__(self, engine: _Engine, quantity: Expr, targets: set[Expr], ends: list[Expr],
                 jacobian: Expr | None = None) -> None:
        self.engine = engine
        self.quantity = quantity
        self.targets = targets
        self.ends = ends
        self.jacobian = jacobian
        self.result = LOSS if engine.given else engine.program.result
        self.pair: type[Summand] = Summand if jacobian is None else Mapped
        entries = Mul(*shape(self.result))
        unit = Identity(entries) if jacobian is not None and is_matrix(self.result) else S.One
        self.start: Line = (self.pair(unit, differential(self.result)),)
        self.line: Line = self.start
        self.steps: list[Step] = []

    def derive(self) -> Gradient:
        self._begin()
        while True:
            self._push_inwards()
            self._collect()
            pending = [s.direction.args[0] for s in self.line if s.direction.args[0] != self.quantity]
            if not pending:
                break
            self._define(max(pending, key=self.engine.program.position.__getitem__))
        if self.jacobian is not None:
            return self._read_jacobian(self.jacobian)
        term = self.line[0].cotangent if self.line else _zero(self.quantity)
        return Gradient(self.quantity, gradient_symbol(self.quantity), term, self.start, tuple(self.steps))

    def _read_jacobian(self, symbol: Expr) -> Gradient:
        """Return the matrix in front of vec dX; by a scalar, in the shape of the result."""
        rows, columns = Mul(*shape(self.result)), Mul(*shape(self.quantity))
        matrix = is_matrix(self.result) or is_matrix(self.quantity)
        term = self.line[0].cotangent if self.line else ZeroMatrix(rows, columns) if matrix else S.Zero
        if is_matrix(self.result) and not is_matrix(self.quantity):
            term = reshape(term, *shape(self.result))
            while found := rewrite_once(term, self.engine.context):
                term = found.term
        return Gradient(self.quantity, symbol, term, self.start, tuple(self.steps), self.result)

    def _begin(self) -> None:
        """Write d𝓛 by the differentials of the values that are computed from the quantity."""
        engine, result = self.engine, self.engine.program.result
        if not self.ends:
            self._record(INDEPENDENT, ())
        elif not engine.given and self.ends == [result]:
            self._define(result)
        else:
            line = tuple(self._end(u) for u in self.ends)
            self._record(GIVEN if engine.given else CHAIN, line)
            for end in self.ends:
                if engine.given or end != result:
                    self._define(end)

    def _end(self, symbol: Expr) -> Summand:
        """Return ⟨∇u, du⟩; for the loss itself d of the part of it that counts."""
        engine = self.engine
        if symbol in engine.given:
            return Summand(engine.given[symbol], differential(symbol))
        if symbol != engine.program.result or engine.given:
            return Summand(gradient_symbol(symbol), differential(symbol))
        equation = engine.program.equations[engine.program.position[symbol]]
        return Summand(S.One, differential(self._restricted(equation.term)))

    def _define(self, symbol: Expr) -> None:
        """Replace du by d(its equation), keeping of a sum only the summands that count."""
        equation = self.engine.program.equations[self.engine.program.position[symbol]]
        term = self._restricted(equation.term)
        i = next(i for i, s in enumerate(self.line) if s.direction.args[0] == symbol
                 and isinstance(s.direction, (MatrixDifferential, ScalarDifferential)))
        coefficient, rest = self._split(term)
        self._replace(i, [self.pair(product(coefficient, self.line[i].cotangent), differential(rest))], DEFINITION,
                      equation=Equation(symbol, equation.term if len(equation.term.args) < 5 else term))

    def _restricted(self, term: Term) -> Term:
        return self.engine.graph.restricted(term, self.targets)

    def _active(self, node: Term) -> list[int]:
        """Return the operands of a node that depend on the quantity."""
        return self.engine.graph.active(node, self.targets)

    def _split(self, term: Term) -> tuple[Expr, Term]:
        """Return a coefficient that is constant, and the rest; a coefficient that moves stays with the rest."""
        coefficient, rest = split(term)
        constant = coefficient is not S.One and self.targets.isdisjoint(self.engine.graph.index(coefficient))
        return (coefficient, rest) if constant else (S.One, term)

    def _push_inwards(self) -> None:
        """Apply differential and transposition rules until each direction is d of a symbol."""
        i = 0
        while i < len(self.line):
            cotangent, direction = self.line[i].cotangent, self.line[i].direction
            if isinstance(direction, (MatrixDifferential, ScalarDifferential)):
                inside = direction.args[0]
                if inside in self.targets or inside in self.ends:
                    i += 1
                else:
                    self._differentiate(i, cotangent, inside)
            else:
                self._transpose(i, cotangent, direction)

    def _differentiate(self, i: int, cotangent: Term, node: Term) -> None:
        row = operation(node)
        if isinstance(node, (MatAdd, Add)):
            parts = [self._split(node.args[j]) for j in self._active(node)]
            self._replace(i, [self.pair(product(c, cotangent), differential(rest)) for c, rest in parts],
                          row.differential_rule(node))
            return
        equation = self.engine.context.known.get(node)
        value = equation.symbol if equation else node
        parts = [row.differential(node, j, differential(node.args[j]), value) for j in self._active(node)]
        parts = [p for p in parts if not (isinstance(p, ZeroMatrix) or p is S.Zero)]
        new = [self.pair(cotangent, add(*parts) if len(parts) > 1 else parts[0])] if parts else []
        self._replace(i, new, row.differential_rule(node))

    def _transpose(self, i: int, cotangent: Term, node: Term) -> None:
        linear = [j for j, a in enumerate(node.args) if _holds_differential(a)]
        if isinstance(node, (MatAdd, Add)):
            parts = [_constant_in_front(node.args[j]) for j in linear]
            # A sum of scalars needs no rule to be read as several summands.
            self._replace(i, [self.pair(product(c, cotangent), rest) for c, rest in parts],
                          DISTRIBUTE if self.jacobian is None else LINEAR, shown=is_matrix(node))
            return
        row, j = operation(node), linear[0]
        if row.transposition is None or row.matrix is None or len(linear) != 1:
            raise TypeError(f"{node} is not linear in its differential")
        if self.jacobian is None:
            moved = row.transposition(node, j, cotangent)
            rule: Rule | None = row.transposition_rule
            # g·⟨A, dM⟩ and ⟨g A, dM⟩ read alike on a page, so that this is no step to show.
            shown = is_matrix(node)
        else:
            moved, rule = product(cotangent, row.matrix(node, j)), row.matrix_rule
            rule = SCALED if is_matrix(node) and not is_matrix(node.args[j]) else rule
            shown = is_matrix(node.args[j]) or is_matrix(node)
        assert rule is not None  # a test holds every row to it
        self._replace(i, [self.pair(moved, node.args[j])], rule, shown=shown)

    def _collect(self) -> None:
        """Add up the cotangents of equal directions."""
        grouped: dict[Term, list[Term]] = {}
        for summand in self.line:
            grouped.setdefault(summand.direction, []).append(summand.cotangent)
        if len(grouped) < len(self.line):
            merged = {d: add(*sorted(cs, key=_below_zero)) for d, cs in grouped.items()}
            self._record(COLLECT, tuple(self.pair(c, d) for d, c in merged.items()))
            for i in range(len(self.line)):
                self._simplify(i)

    def _replace(self, i: int, new: Sequence[Summand], rule: Rule, shown: bool = True,
                 equation: Equation | None = None) -> None:
        line = (*self.line[:i], *new, *self.line[i + 1:])
        if shown or not self.steps:
            self._record(rule, line, equation)
        else:
            self._amend(line)
        for j in range(i, i + len(new)):
            self._simplify(j)

    def _simplify(self, i: int) -> None:
        """Apply identities to a cotangent until none works, each a step."""
        while found := rewrite_once(self.line[i].cotangent, self.engine.context):
            line = (*self.line[:i], self.pair(found.term, self.line[i].direction), *self.line[i + 1:])
            if found.rule in SILENT and self.steps:
                self._amend(line)
            else:
                self._record(found.rule, line, found.definition, found.assumption)

    def _amend(self, line: Line) -> None:
        """Let the last step lead to a line that reads like the one that it led to."""
        last = self.steps[-1]
        self.line = line
        self.steps[-1] = Step(last.rule, line, last.equation, last.assumption)

    def _record(self, rule: Rule, line: Line, equation: Equation | None = None,
                assumption: Assumption | None = None) -> None:
        self.line = line
        for summand in line:
            parts, depth = self.engine.size(summand.cotangent)
            if parts > LARGEST or depth > DEEPEST:
                raise InputError(f"the derivative by {self.quantity.name} is too long for one formula (more than "
                                 f"{LARGEST} parts, or nested more than {DEEPEST} deep)")
        self.steps.append(Step(rule, line, equation, assumption))


def _holds_differential(term: Basic) -> bool:
    return isinstance(term, (MatrixDifferential, ScalarDifferential)) or any(map(_holds_differential, term.args))


def _constant_in_front(term: Term) -> tuple[Expr, Term]:
    """Return a coefficient that is no differential itself, and the rest."""
    coefficient, rest = split(term)
    return (S.One, term) if _holds_differential(coefficient) else (coefficient, rest)


def _below_zero(term: Term) -> bool:
    return bool(split(term)[0].could_extract_minus_sign())


def _zero(quantity: Expr) -> Term:
    return ZeroMatrix(*quantity.shape) if is_matrix(quantity) else S.Zero


__all__ = ["differentiate", "gradient_symbol", "jacobian"]
