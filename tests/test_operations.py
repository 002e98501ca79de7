"""Every row of OPERATIONS and FUNCTIONS against entries, numbers and its own spellings."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping

import mpmath
import numpy as np
import pytest
import reference
import sympy
from oracles import (
    STEP,
    LatexReader,
    directional_derivative,
    draw,
    entries,
    entry_symbol,
    explicit,
    number,
    rational_point,
    sizes_of,
)
from sympy import (
    Basic,
    Expr,
    HadamardProduct,
    Identity,
    ImmutableMatrix,
    KroneckerProduct,
    MatAdd,
    MatMul,
    MatrixSymbol,
    OneMatrix,
    Rational,
    S,
    Symbol,
    Transpose,
    ZeroMatrix,
)

from codegen.expressions.printer import ExpressionPrinter
from codegen.numpy_code import NumpyPrinter
from symbolic.differentiation import differentiate
from symbolic.errors import InputError
from symbolic.evaluate import evaluate
from symbolic.functions import FUNCTIONS, ScalarFunction, activations, derivative, h, scalar_function
from symbolic.language.spelling import LanguagePrinter
from symbolic.operations import OPERATIONS, Operation, operation
from symbolic.operations.kronecker import commutation
from symbolic.operations.table import Rule
from symbolic.printing import LatexPrinter, TextPrinter
from symbolic.program import Equation, Program
from symbolic.scalars import x
from symbolic.structure import (
    Cholesky,
    Diag,
    DiagonalOf,
    Reshape,
    Slice,
    Stack,
    Tril,
    as_scalar,
    diag,
    diagonal_of,
    kronecker,
    padded,
    reshape,
    slice_of,
    stack,
    tril,
    vec,
)
from symbolic.terms import (
    Applied,
    Elementwise,
    HadamardQuotient,
    Inner,
    LogSoftmax,
    Softmax,
    SquaredNorm,
    add,
    applied,
    broadcast,
    elementwise,
    hadamard,
    inner,
    is_matrix,
    negative,
    operand_indices,
    product,
    quotient,
    scale,
    shape,
    sum_along,
    symbols_of,
    transpose,
)

TARGETS = ("numpy", "language")
SPELLED_ELSEWHERE = {  # a function is written from its formula
    (target, node) for target in TARGETS for node in (Elementwise, Applied)}

EXAMPLES = [pytest.param(operation(example), example, id=f"{row.node.__name__}-{i}")
            for row in OPERATIONS.values() for i, example in enumerate(row.examples())]
each_row = pytest.mark.parametrize("row", [pytest.param(r, id=r.node.__name__) for r in OPERATIONS.values()])
each_example = pytest.mark.parametrize(("row", "example"), EXAMPLES)
each_linear_example = pytest.mark.parametrize(("row", "example"), [e for e in EXAMPLES if e.values[0].matrix])
each_printer = pytest.mark.parametrize("printer", [NumpyPrinter, ExpressionPrinter])
each_function = pytest.mark.parametrize("name", FUNCTIONS)


def increment(operand: Expr, name: str = "d") -> Expr:
    """Return a symbol of the shape of an operand."""
    return MatrixSymbol(name, *operand.shape) if is_matrix(operand) else Symbol(name, real=True)


def total_differential(term: Expr, increments: Mapping[Expr, Expr]) -> Expr | None:
    """Return the differential by the rows' rules alone, None for a constant."""
    if term in increments:
        return increments[term]
    if not symbols_of(term):
        return None
    parts = [operation(term).differential(term, i, d, term) for i in operand_indices(term)
             if (d := total_differential(term.args[i], increments)) is not None]
    return add(*parts)


def opaque(example: Expr) -> tuple[Expr, list[Expr]]:
    """Return the node with a symbol for each operand that is not a number, and the symbols."""
    indices = operand_indices(example)
    arguments = [increment(a, f"p{i}") if i in indices and not a.is_number else a for i, a in enumerate(example.args)]
    node = Basic.__new__(type(example), *arguments) if is_matrix(example) else example.func(*arguments)
    return node, [arguments[i] for i in indices if not example.args[i].is_number]


DOMAINS = {"log": (0.0, math.inf), "sqrt": (0.0, math.inf), "arcsin": (-1.0, 1.0), "arccos": (-1.0, 1.0)}
"""Where a function is real and smooth; the others are so everywhere but at poles and kinks."""


def functions_of(term: Expr) -> set[ScalarFunction]:
    """Return the functions that are applied in a term, to matrices or scalars."""
    return {f.function for f in term.atoms(Elementwise, Applied)}


def bounded(name: str) -> bool:
    """Say whether a function is defined between two numbers only."""
    return math.isfinite(DOMAINS.get(name.rstrip("'"), (0, math.inf))[1])


def positive_values(term: Expr, symbols: Iterator[Expr] | list[Expr] | None = None, seed: int = 0,
                    ) -> dict[Expr, object]:
    """Return random values at which a term is defined: its logarithms, quotients, inverses, arcsines."""
    rng = np.random.default_rng(seed)
    drawn = draw(sorted(symbols_of(term) if symbols is None else symbols, key=str), int, rng)
    values = {s: np.abs(v) + 0.1 for s, v in drawn.items()}
    if any(bounded(f.name) for f in functions_of(term)):
        return {s: v / (2 + 2 * v) for s, v in values.items()}
    return {s: v + 3 * np.eye(len(v)) if is_matrix(s) and s.shape[0] == s.shape[1] else v for s, v in values.items()}


def numeric_differential(term: Expr, values: Mapping[Expr, object], moved: Expr, direction: object) -> object:
    """Return the directional derivative of ``evaluate``: a complex step, for erf central differences."""
    def at(step: complex) -> object:
        return evaluate(term, {**values, moved: values[moved] + step * direction})

    if any(f.formula.has(sympy.erf) for f in functions_of(term)):
        return (at(1e-6) - at(-1e-6)) / 2e-6
    return np.imag(at(STEP * 1j)) / STEP


def missing(row: Operation) -> Iterator[str]:
    """Name what a row lacks."""
    examples = [e for e in row.examples() if type(e) is row.node]
    if not examples or not all(e.has(row.node) for e in row.examples()):
        yield "examples of its own node"
    rules: list[Rule | None] = [row.differential_rule(e) for e in examples]
    if (row.transposition is None) != (row.transposition_rule is None):
        yield "transposition with its rule"
    if (row.matrix is None) != (row.transposition is None):
        yield "a matrix where it has a transposition, and nowhere else"
    if (row.matrix is None) != (row.matrix_rule is None):
        yield "matrix with its rule"
    rules += [rule for rule in (row.transposition_rule, row.matrix_rule) if rule is not None]
    for rule in rules:
        if rule is None or not all((rule.key, rule.latex, rule.text, rule.source)):
            yield f"key, latex, text and source of {rule}"
        elif not all(map(str.isprintable, (rule.latex, rule.text))) or rule.latex.count("{") != rule.latex.count("}"):
            yield f"LaTeX and text of {rule} that can be printed"
    for what in ("evaluate", "differential"):
        if not callable(getattr(row, what)):
            yield what
    for what, spelling in (("latex", row.latex), ("text", row.text), *row.spelling.items()):
        if not (isinstance(spelling[0], int) and callable(spelling[1])):
            yield what
    for target in TARGETS:
        if target not in row.spelling and (target, row.node) not in SPELLED_ELSEWHERE:
            yield f"a spelling in {target}"


@each_row
def test_row_is_complete(row: Operation) -> None:
    assert not list(missing(row)), f"{row.node.__name__} lacks {', '.join(missing(row))}"


def test_keys_of_rules_are_their_own() -> None:
    """No two rules share a key; statements differ where functions or axes do."""
    rules = [r for row in OPERATIONS.values() for r in
             (*{row.differential_rule(e).key: row.differential_rule(e) for e in row.examples()}.values(),
              row.transposition_rule) if r is not None]
    rules += {row.matrix_rule for row in OPERATIONS.values() if row.matrix_rule}  # ⊗ has one for several rows
    assert len({r.key for r in rules}) == len(rules)


@each_example
def test_shape_of_differential(row: Operation, example: Expr) -> None:
    for i in operand_indices(example):
        if not example.args[i].is_number:
            assert shape(row.differential(example, i, increment(example.args[i]), example)) == shape(example)


@each_example
@pytest.mark.parametrize("positive", [True, False])
def test_differential_by_entries(row: Operation, example: Expr, positive: bool) -> None:
    """Exactly: the sum over the entries of SymPy's scalar derivative times the increment."""
    increments = {s: increment(s, f"d{s.name}") for s in symbols_of(example)}
    scalars = {v: dv for s, ds in increments.items() for v, dv in zip(
        entries(explicit(s)), entries(explicit(ds)), strict=True)}
    expected = directional_derivative(explicit(example), scalars)
    total = total_differential(example, increments)
    found = [S.Zero] * len(expected) if total is None else entries(explicit(total))
    point = rational_point({*scalars, *scalars.values()}, seed=len(expected), positive=positive)
    for left, right in zip(found, expected, strict=True):
        difference = (left - right).xreplace(point)
        assert sympy.Abs(sympy.N(difference, 40, chop=False)) < 1e-35, f"{left} is not {right}"


def entry_values(values: Mapping[Expr, object]) -> dict[Expr, object]:
    """Return the values of scalars, and of the entries of matrices."""
    return {entry_symbol(s, i, j) if is_matrix(s) else s: v for s, array in values.items()
            for (i, j), v in np.ndenumerate(np.atleast_2d(array))}


@each_example
def test_explicit_and_evaluate_agree(row: Operation, example: Expr) -> None:
    """``_entry`` and ``evaluate`` mean the same as the oracle's numbers."""
    values = positive_values(example)
    by_entry = entry_values(values)
    from_entries = [float(sympy.N(e.xreplace(by_entry))) for e in entries(explicit(example))]
    found = evaluate(example, values)
    np.testing.assert_allclose(np.ravel(found), from_entries, rtol=1e-12)
    np.testing.assert_allclose(found, number(example, values), rtol=1e-12)
    assert np.shape(found) == (shape(example) if is_matrix(example) else ())


@each_example
def test_complex_step_of_evaluate_by_entries(row: Operation, example: Expr) -> None:
    """``evaluate`` carries a complex step: its imaginary part is SymPy's scalar derivative of the entries."""
    values = positive_values(example)
    directions = draw(sorted(values, key=str), int, np.random.default_rng(5))
    moved = {s: v + STEP * 1j * directions[s] for s, v in values.items()}
    found = np.imag(evaluate(example, moved)) / STEP
    point = entry_values(values)
    slopes = directional_derivative(explicit(example), entry_values(directions))
    expected = np.reshape([float(sympy.N(slope.xreplace(point))) for slope in slopes], np.shape(found))
    np.testing.assert_allclose(found, expected, rtol=1e-10, atol=1e-12)


@each_example
def test_differential_by_complex_step(row: Operation, example: Expr) -> None:
    """Operand by operand, all others held."""
    node, operands = opaque(example)
    values = positive_values(node)
    for i, operand in enumerate(node.args):
        if operand in operands:
            d = increment(operand)
            direction = np.random.default_rng(i).standard_normal(np.shape(values[operand]))
            found = evaluate(row.differential(node, i, d, node), {**values, d: direction})
            expected = numeric_differential(node, values, operand, direction)
            np.testing.assert_allclose(found, expected, rtol=1e-7 if node.has(sympy.erf) else 1e-12, atol=1e-9)


def linear_operands(node: Expr, operands: list[Expr]) -> list[int]:
    """Return the operands in which a node is linear, but for what the others add, as numbers show."""
    first, others, found = positive_values(node), [positive_values(node, seed=seed) for seed in (1, 2)], []
    for i, operand in enumerate(node.args):
        if operand in operands:
            a, b, c = (values[operand] for values in (first, *others))
            value = [evaluate(node, {**first, operand: v}) for v in (a + b - c, a, b, c)]
            if np.allclose(value[0], value[1] + value[2] - value[3]):
                found.append(i)
    return found


@each_example
def test_transposition_is_adjoint(row: Operation, example: Expr) -> None:
    """⟨U, node(V)⟩ = ⟨Jᵀ U, V⟩ for each operand in which the node is linear; a row that has a rule has one."""
    if row.transposition is None:
        return
    node, operands = opaque(example)
    linear = linear_operands(node, operands)
    assert linear, f"{row.node.__name__} has a transposition rule but is linear in no operand of {example}"
    values = positive_values(node)
    U = increment(node, "U")
    for i in linear:
        V, sample = node.args[i], np.random.default_rng(i)
        direction, cotangent = (sample.standard_normal(shape(t) if is_matrix(t) else ()) for t in (V, U))
        d = increment(V)
        image = evaluate(row.differential(node, i, d, node), {**values, d: direction})
        pulled = row.transposition(node, i, U)
        assert shape(pulled) == shape(V)
        back = evaluate(pulled, {**values, U: cotangent})
        np.testing.assert_allclose(np.sum(cotangent * image), np.sum(back * direction), rtol=1e-12)


def unit(size: tuple[int, int] | tuple[()], place: int) -> object:
    """Return the matrix with a one at a place, counted column by column, or the number one."""
    found = np.zeros(size)
    found[tuple(reversed(np.unravel_index(place, size[::-1])))] = 1
    return found


def column(term: Expr) -> ImmutableMatrix:
    """Return the entries of a term, column by column, in one column."""
    value = explicit(term)
    return ImmutableMatrix([e for j in range(value.cols) for e in value[:, j]] if is_matrix(term) else [value])


@each_linear_example
def test_matrix_column_by_column(row: Operation, example: Expr) -> None:
    """Column k of J is vec(node(unit matrix k)), for each operand in which the node is linear."""
    node, operands = opaque(example)
    values, linear = positive_values(node), linear_operands(node, operands)
    assert linear
    for i in linear:
        operand = node.args[i]
        size = np.shape(values[operand])
        J = row.matrix(node, i)
        assert shape(J) == (math.prod(shape(node)), math.prod(shape(operand)))
        assert operand not in symbols_of(J)
        zero = evaluate(node, {**values, operand: np.zeros(size)})
        images = [evaluate(node, {**values, operand: unit(size, k)}) - zero for k in range(math.prod(size))]
        expected = np.stack([np.ravel(np.transpose(image)) for image in images], axis=1)
        np.testing.assert_allclose(np.reshape(evaluate(J, values), np.shape(expected)), expected, rtol=1e-12)


@each_linear_example
def test_matrix_and_transposition_by_entries(row: Operation, example: Expr) -> None:
    """Exactly: vec(node) = J vec(M) + what the others add, and vec(transposed U) = Jᵀ vec(U)."""
    node, operands = opaque(example)
    U = increment(node, "U")
    point = rational_point({e for t in (*operands, U) for e in entries(explicit(t))}, seed=7, positive=False)
    for i in linear_operands(node, operands):
        operand, value = node.args[i], column(node)
        J, pulled = explicit(row.matrix(node, i)), column(row.transposition(node, i, U))
        J = J if hasattr(J, "shape") else ImmutableMatrix([J])
        others = value.xreplace(dict.fromkeys(entries(explicit(operand)), S.Zero))
        for difference in (value - others - J * column(operand), pulled - J.T * column(U)):
            assert difference.xreplace(point).is_zero_matrix


def of_any_size() -> dict[str, Expr]:
    """Return linear nodes whose sizes are symbols."""
    m, n, p, q = (Symbol(name, integer=True, positive=True) for name in "mnpq")
    A, B, C, D = (MatrixSymbol(name, *sizes) for name, sizes in zip("ABCD", [(m, n), (p, q), (m, n), (m, p)],
                                                                    strict=True))
    X, u, v = MatrixSymbol("X", n, n), MatrixSymbol("u", n, 1), MatrixSymbol("v", 1, n)
    return {
        "sum": add(A, C), "product": product(transpose(A), C, u), "transpose": transpose(A), "inner": inner(A, C),
        "sum along 0": sum_along(A, 0), "sum along 1": sum_along(A, 1), "broadcast 0": broadcast(v, 0, p),
        "broadcast 1": broadcast(u, 1, p), "Hadamard": hadamard(A, C), "Kronecker": kronecker(A, B),
        "Kronecker of three": kronecker(v, B, u), "vec": vec(A), "reshape": reshape(A, n, m), "diag": diag(u),
        "diagonal": diagonal_of(X), "tril": tril(A), "slice": slice_of(A, (S.One, m - 1), (S.Zero, n - 2)),
        "one row": slice_of(A, (m - 1, m), (S.Zero, n)), "blocks 0": stack(0, [A, v, C]),
        "blocks 1": stack(1, [A, D, C])}


@pytest.mark.parametrize("name", of_any_size())
def test_matrix_and_transposition_at_symbolic_sizes(name: str) -> None:
    """J vec(V) = vec(node(V)) − what the others add, and ⟨U, node(V)⟩ with it = ⟨transposed U, V⟩."""
    node = of_any_size()[name]
    row, size, rng = operation(node), sizes_of([node, *symbols_of(node)]), np.random.default_rng(2)
    values, U = draw(sorted(symbols_of(node), key=str), size, rng), increment(node, "U")
    for i, operand in enumerate(node.args):
        if operand in values:
            direction = values[operand]
            image = number(node, values, size) - number(node, {**values, operand: np.zeros_like(direction)}, size)
            J = evaluate(row.matrix(node, i), values, size)
            found = np.reshape(J @ np.reshape(direction.T, (-1, 1)), np.shape(image.T)).T
            np.testing.assert_allclose(found, image, rtol=1e-12, atol=1e-14)
            values[U] = rng.standard_normal(np.shape(image))
            pulled = row.transposition(node, i, U)
            assert shape(pulled) == shape(operand)
            back = np.sum(evaluate(pulled, values, size) * direction)
            np.testing.assert_allclose(np.sum(values[U] * image), back, rtol=1e-12)


def built_and_plain() -> list[tuple[Expr, Expr]]:
    """Return what builders make of their arguments, and the nodes as they stand."""
    raw, s = Basic.__new__, Symbol("s", real=True)
    A, M, v, c = MatrixSymbol("A", 2, 3), MatrixSymbol("M", 3, 3), MatrixSymbol("v", 3, 1), MatrixSymbol("c", 1, 1)
    sA, sM, sv, sc = (raw(MatMul, s, t) for t in (A, M, v, c))
    ones, zeros, reshaped = OneMatrix(2, 3), ZeroMatrix(2, 3), raw(Reshape, A, S(3), S(2))
    part = raw(Slice, A, S(0), S(2), S(1), S(3))
    return [
        *((reshape(t, S(6), S(1)), raw(Reshape, t, S(6), S(1)))
          for t in (A, sA, ones, zeros, raw(MatMul, s, reshaped), raw(Reshape, A, S(1), S(6)))),
        *((reshape(t, *t.shape), t) for t in (sA, reshaped)), (reshape(reshaped, S(2), S(3)), A),
        *((reshape(t, S(1), S(3)), raw(Reshape, t, S(1), S(3))) for t in (v, sv)),
        *((diag(t), raw(Diag, t)) for t in (v, sv, OneMatrix(3, 1), ZeroMatrix(3, 1))),
        *((diagonal_of(t), raw(DiagonalOf, t)) for t in (
            M, sM, raw(MatMul, s, raw(Diag, v)), Identity(3), OneMatrix(3, 3), ZeroMatrix(3, 3))),
        *((tril(t), raw(Tril, t)) for t in (
            M, sM, Identity(3), raw(MatMul, s, raw(Diag, v)), raw(Tril, M), raw(Cholesky, M), OneMatrix(3, 3))),
        *((kronecker(*t), raw(KroneckerProduct, *t)) for t in (
            (sA, v), (A, raw(KroneckerProduct, v, M)), (Identity(2), Identity(3), A), (A, Identity(1), v),
            (OneMatrix(1, 2), OneMatrix(2, 1), v), (A, zeros), (Identity(1), OneMatrix(1, 1)), (v, Identity(2), sA),
            (Identity(2), sA, Identity(3), Identity(2)))),
        *((slice_of(t, (S(1), S(2)), (S(0), S(2))), raw(Slice, t, S(1), S(2), S(0), S(2)))
          for t in (A, sA, ones, zeros, part, raw(MatMul, s, part))),
        (slice_of(sA, (S(0), S(2)), (S(0), S(3))), sA),
        *((stack(axis, t), raw(Stack, *t, S(axis))) for axis in (0, 1) for t in (
            [A, raw(Stack, A, sA, S(0))], [A, raw(Stack, sA, A, S(1))], [zeros, zeros, A], [zeros, A, zeros],
            [zeros] * 3, [A]) if len({b.shape[1 - axis] for b in t}) == 1),
        (padded(A, S(1), S(2), 0), raw(Stack, ZeroMatrix(1, 3), A, ZeroMatrix(2, 3), S(0))),
        (padded(A, S(2), S(0), 1), raw(Stack, ZeroMatrix(2, 2), A, S(1))), (padded(A, S(0), S(0), 1), A),
        *((as_scalar(t), raw(Inner, OneMatrix(1, 1), t)) for t in (
            c, sc, raw(MatMul, s, transpose(v), M, v), raw(MatMul, transpose(v), v), raw(MatMul, c, c),
            raw(MatAdd, sc, c), raw(HadamardProduct, c, sc, c), raw(MatMul, s, raw(MatAdd, c, c)),
            raw(MatMul, s, raw(HadamardProduct, c, c)), OneMatrix(1, 1), Identity(1), ZeroMatrix(1, 1))),
        (as_scalar(A), A), (as_scalar(s), s),
    ]


@pytest.mark.parametrize(("built", "plain"), built_and_plain())
def test_builders_mean_what_they_are_given(built: Expr, plain: Expr) -> None:
    """A builder may simplify, and the entries and the shape stay."""
    assert shape(built) == shape(plain)
    for left, right in zip(entries(explicit(built)), entries(explicit(plain)), strict=True):
        assert sympy.expand(left - right) == 0


@each_example
def test_gradient_is_adjoint_of_differential(row: Operation, example: Expr) -> None:
    """The engine's transposition of a node, by each symbol: ⟨U, d node⟩ = ⟨∇, V⟩."""
    symbols = sorted(symbols_of(example), key=str)
    result, U = increment(example, "result"), increment(example, "U")
    derivation = differentiate(Program("one", (), tuple(symbols), (Equation(result, example),)), given={result: U})
    rng = np.random.default_rng(3)
    values = positive_values(example)
    values[result] = evaluate(example, values)
    values[U] = rng.standard_normal(np.shape(values[result]))
    for gradient in derivation.gradients:
        direction = rng.standard_normal(np.shape(values[gradient.wrt]))
        found = np.sum(evaluate(gradient.term, values) * direction)
        expected = np.sum(values[U] * numeric_differential(example, values, gradient.wrt, direction))
        np.testing.assert_allclose(found, expected, rtol=1e-7 if example.has(sympy.erf) else 1e-11, atol=1e-12)


CLASS_NAMES = re.compile("|".join(
    {n.__name__ for n in OPERATIONS if n.__name__ not in ("exp", "log")} | {
        "MatrixSymbol", "Lambda", "ScalarFunction", "OneMatrix", "ZeroMatrix", "Str", "Differential", "Dummy"}))


@each_example
def test_printed_without_class_names(row: Operation, example: Expr) -> None:
    for printer in (LatexPrinter(), TextPrinter()):
        text = printer.show(example)
        assert text
        assert not CLASS_NAMES.search(text), text
    latex, text = LatexPrinter().show(example), TextPrinter().show(example)
    assert latex.count("{") == latex.count("}")
    assert text.count("(") == text.count(")")


@each_printer
@each_example
def test_numpy_spelling(row: Operation, example: Expr, printer: type[NumpyPrinter]) -> None:
    """The printed NumPy computes what ``evaluate`` does."""
    if is_printed_by(printer, example):
        values = positive_values(example)
        expected = evaluate(example, values)
        found = np.broadcast_to(in_numpy(example, values, printer), np.shape(expected))
        np.testing.assert_allclose(found, expected, rtol=1e-12)


# Terms within terms: precedence, in LaTeX and in NumPy

BUILD: dict[type[Basic], Callable[..., Expr]] = {
    MatAdd: add, MatMul: product, HadamardProduct: hadamard, HadamardQuotient: quotient, Transpose: transpose,
    Inner: inner}


def fillers(operand: Expr) -> dict[str, Expr]:
    """Return terms of every precedence, of the shape of an operand."""
    if not is_matrix(operand):
        s, t, M = Symbol("s", real=True), Symbol("t", real=True), MatrixSymbol("M", 2, 2)
        return {"s + t": s + t, "−s": -s, "s / t": s / t, "norm": SquaredNorm(M), "s ⟨M, M⟩": s * inner(M, M),
                "f": applied(scalar_function("tanh"), s)}
    rows, columns = operand.shape
    P, Q, R = MatrixSymbol("P", rows, columns), MatrixSymbol("Q", rows, columns), MatrixSymbol("R", columns, columns)
    return {
        "sum": add(P, Q), "difference": add(P, negative(Q)), "negative": negative(P), "product": product(P, R),
        "Hadamard": hadamard(P, Q), "quotient": quotient(P, Q), "multiple": scale(Rational(-2, 3), P),
        "minus half": scale(Rational(-1, 2), P), "over t": scale(-1 / Symbol("t", real=True), P),
        "transpose": transpose(MatrixSymbol("S", columns, rows)), "sum of products": add(product(P, R), hadamard(P, Q)),
        "f": elementwise(scalar_function("tanh"), P)}


def nested(example: Expr) -> Iterator[tuple[str, Expr]]:
    """Yield the example with each operand replaced by each filler."""
    for i in operand_indices(example):
        if not example.args[i].is_number:
            for name, filler in fillers(example.args[i]).items():
                arguments = [*example.args[:i], filler, *example.args[i + 1:]]
                build = BUILD.get(type(example))
                yield f"{name} as operand {i}", (
                    build(*arguments) if build else Basic.__new__(type(example), *arguments) if is_matrix(example)
                    else example.func(*arguments))


def first_largest(column: object) -> object:
    return np.arange(len(column)) == list(column).index(max(column))


HELPERS: dict[str, Callable[..., object]] = {
    "logsumexp": lambda a: np.log(np.sum(np.exp(a))),
    "logsumexp_cols": lambda a: np.log(np.sum(np.exp(a), axis=0, keepdims=True)),
    "logsumexp_rows": lambda a: np.log(np.sum(np.exp(a), axis=1, keepdims=True)),
    "argmax": lambda a: np.reshape(first_largest(np.ravel(a.T)), a.T.shape).T * 1.0,
    "argmax_cols": lambda a: np.apply_along_axis(first_largest, 0, a) * 1.0,
    "argmax_rows": lambda a: np.apply_along_axis(first_largest, 1, a) * 1.0,
    "commutation": lambda m, n: np.array([[i == j // m + n * (j % m) for j in range(m * n)] for i in range(m * n)]),
}
"""What the spellings of rows call, where the printer has no helper of that name."""


def is_printed_by(printer: type[NumpyPrinter], term: Expr) -> bool:
    """Say whether a printer has to print a term: that of networks knows no function of a scalar."""
    return printer is ExpressionPrinter or not term.has(Applied)


def in_numpy(term: Expr, values: Mapping[Expr, object], kind: type[NumpyPrinter]) -> object:
    """Return the value of a term by the NumPy that is printed for it."""
    printer = kind()
    code = printer.show(term)
    scope: dict[str, object] = {"np": np, **HELPERS, **{str(s.name): v for s, v in values.items()}}
    for helper in printer.helpers.values():
        exec(helper.source, scope)  # noqa: S102
    return eval(code, scope)  # noqa: S307


def values_within(term: Expr) -> dict[Expr, object]:
    """Return values at which a nested term is defined, if need be negative ones: −P is to be positive for a log."""
    values = positive_values(term)
    opposite = {s: -v for s, v in values.items()}
    return values if np.isfinite(number(term, values)).all() or not np.isfinite(number(term, opposite)).all(
        ) else opposite


def or_refused(compute: Callable[[], object], like: object) -> object:
    """Return a value, in a shape, or not-a-number where NumPy's linear algebra refuses to compute it."""
    try:
        return np.broadcast_to(compute(), np.shape(like))
    except np.linalg.LinAlgError:
        return np.full(np.shape(like), np.nan)


@pytest.mark.filterwarnings("ignore:invalid value")  # the logarithm of a negative filler
@each_example
def test_most_terms_within_are_defined(row: Operation, example: Expr) -> None:
    """The tests below say something: most nested terms have a value, and those of most entries."""
    defined = [np.isfinite(number(term, values_within(term))).all() for _, term in nested(example)]
    assert np.mean(defined or [1]) > 0.7


@pytest.mark.filterwarnings("ignore:invalid value")
@each_printer
@each_example
def test_numpy_spelling_of_terms_within(row: Operation, example: Expr, printer: type[NumpyPrinter]) -> None:
    """NumPy's operators bind as they must: A @ B ** 2 is not (A @ B) ** 2."""
    wrong = []
    for name, term in nested(example):
        if not is_printed_by(printer, term):
            continue
        values = values_within(term)
        expected = number(term, values)
        found = or_refused(lambda term=term, values=values: in_numpy(term, values, printer), expected)
        if not np.allclose(found, expected, rtol=1e-10, equal_nan=True):
            wrong.append(f"{name}: {printer().show(term)}")
    assert not wrong, "\n".join(wrong)


@pytest.mark.filterwarnings("ignore:invalid value")
@each_example
def test_latex_of_terms_within(row: Operation, example: Expr) -> None:
    """The LaTeX, read back, has the value of the term: no parenthesis is missing."""
    wrong = []
    for name, term in nested(example):
        values, latex = values_within(term), LatexPrinter().show(term)
        axis = next((t.axis for t in term.atoms(Softmax, LogSoftmax)), 0)
        found = LatexReader(symbols_of(term), functions_of(term), values, int, axis).value(latex)
        if not np.allclose(found, number(term, values), rtol=1e-10, equal_nan=True):
            wrong.append(f"{name}: {latex}")
    assert not wrong, "\n".join(wrong)


@pytest.mark.parametrize("operand", [
    MatrixSymbol("W1", 3, 3), Identity(3), transpose(MatrixSymbol("W1", 3, 3)), commutation(S(3), S(2)),
    elementwise(scalar_function("tanh"), MatrixSymbol("W1", 3, 3)),
    slice_of(MatrixSymbol("W1", 4, 4), (S(0), S(3)), (S(1), S(4)))], ids=str)
def test_latex_of_a_slice_has_one_subscript(operand: Expr) -> None:
    """TeX refuses a second one: W_1 has to be in braces."""
    term = Basic.__new__(Slice, operand, S(1), S(3), S(0), operand.shape[1])
    values, latex = positive_values(term), LatexPrinter().show(term)
    assert not re.search(r"_(\w|\{[^{}]*\})_", latex), latex
    found = LatexReader(symbols_of(term), functions_of(term), values, int).value(latex)
    np.testing.assert_allclose(found, number(term, values), rtol=1e-12)


@pytest.mark.filterwarnings("ignore:invalid value")
@each_example
def test_evaluation_of_terms_within(row: Operation, example: Expr) -> None:
    for name, term in nested(example):
        values = values_within(term)
        expected = number(term, values)
        found = or_refused(lambda term=term, values=values: evaluate(term, values), expected)
        np.testing.assert_allclose(found, expected, rtol=1e-10, err_msg=name)


# The matrix language


UNWRITABLE = {"hinge", "huber"}
"""Functions of losses that the language lacks."""


def is_writable(term: Expr) -> bool:
    return not UNWRITABLE & {f.name for f in functions_of(term)}


def in_language(term: Expr, values: Mapping[Expr, object]) -> object:
    """Return the value of the text of a term, as the independent interpreter of the language reads it."""
    text = LanguagePrinter().show(term)
    return reference.evaluate(text, {str(s.name): v for s, v in values.items()}, {})


@each_example
def test_language_spelling(row: Operation, example: Expr) -> None:
    """The text, read by an interpreter that is not ours, has the value of ``evaluate`` and its shape; or is refused."""
    if not is_writable(example):
        with pytest.raises(InputError, match="cannot be written"):
            LanguagePrinter().show(example)
        return
    values = positive_values(example)
    expected = evaluate(example, values)
    found = in_language(example, values)
    assert np.shape(found) == (np.shape(expected) if np.size(expected) > 1 else ())
    np.testing.assert_allclose(np.reshape(found, np.shape(expected)), expected, rtol=1e-12)


@pytest.mark.filterwarnings("ignore:invalid value")
@each_example
def test_language_spelling_of_terms_within(row: Operation, example: Expr) -> None:
    """The language's operators bind as they must: A' * B, (A + B)[1, :], X^2."""
    wrong = []
    for name, term in nested(example) if is_writable(example) else ():
        values = values_within(term)
        expected = number(term, values)
        found = or_refused(lambda term=term, values=values: in_language(term, values), expected)
        if not np.allclose(found, expected, rtol=1e-10, equal_nan=True):
            wrong.append(f"{name}: {LanguagePrinter().show(term)}")
    assert not wrong, "\n".join(wrong)


# Elementwise functions

GRID = [mpmath.mpf(n) / 4 for n in range(-16, 17)] + [mpmath.mpf(n) / 100 for n in (-1, 1)]


def scalar(formula: Expr) -> Callable[[object], object]:
    """Return a formula as a function of mpmath numbers, evaluated as SymPy does."""
    with mpmath.workdps(50):
        return sympy.lambdify(x, formula.rewrite(sympy.exp).doit(), modules=[{
            "sigmoid": lambda t: 1 / (1 + mpmath.exp(-t)), "softplus": lambda t: mpmath.log(1 + mpmath.exp(t))},
            "mpmath"])


def slope_of(function: ScalarFunction) -> Expr:
    """Return f' as a formula in x alone."""
    slope = derivative(function)
    return slope.formula if isinstance(slope, ScalarFunction) else sympy.sympify(slope).subs(h, function.formula)


def one_sided(f: Callable, at: object) -> tuple[object, object]:
    """Return the difference quotients to the left and to the right of a point."""
    step = mpmath.mpf(10) ** -20
    return (f(at) - f(at - step)) / step, (f(at + step) - f(at)) / step


def in_domain(f: Callable, at: object) -> bool:
    """Say whether the value is a real number at a point and on both sides of it."""
    step = mpmath.mpf("1e-20")
    try:
        return all(mpmath.isfinite(v) and mpmath.im(v) == 0 for v in (f(at - step), f(at), f(at + step)))
    except (ValueError, ZeroDivisionError):
        return False


BY_HAND: dict[str, Callable[[float], float]] = {
    "identity": lambda t: t, "sigmoid": lambda t: 1 / (1 + math.exp(-t)), "tanh": math.tanh,
    "relu": lambda t: max(t, 0), "leaky_relu": lambda t: t if t > 0 else 0.01 * t,
    "elu": lambda t: t if t > 0 else math.exp(t) - 1, "gelu": lambda t: t * (1 + math.erf(t / 2**0.5)) / 2,
    "silu": lambda t: t / (1 + math.exp(-t)), "softplus": lambda t: math.log(1 + math.exp(t)),
    "mish": lambda t: t * math.tanh(math.log(1 + math.exp(t))), "exp": math.exp, "log": math.log, "abs": abs,
    "sign": lambda t: float(t > 0) - float(t < 0), "step": lambda t: float(t > 0), "hinge": lambda t: max(0, 1 - t),
    "huber": lambda t: t * t / 2 if abs(t) <= 1 else abs(t) - 0.5, "sqrt": math.sqrt, "erf": math.erf,
    "sin": math.sin, "cos": math.cos, "sinh": math.sinh, "cosh": math.cosh, "arctan": math.atan,
    "tan": lambda t: math.sin(t) / math.cos(t), "arcsin": math.asin, "arccos": lambda t: math.pi / 2 - math.asin(t),
}


@each_function
def test_formula_is_the_published_one(name: str) -> None:
    """As a person writes it, kinks included; a new function needs its line above."""
    low, high = DOMAINS.get(name, (-math.inf, math.inf))
    points = np.array([p for p in (-2.5, -1, -0.3, 0, 0.4, 1, 1.7) if low < p < high])
    row = MatrixSymbol("A", 1, len(points))
    found = evaluate(elementwise(scalar_function(name), row), {row: points[None]})
    np.testing.assert_allclose(found[0], [BY_HAND[name](p) for p in points], rtol=1e-14, atol=1e-15)


@each_function
def test_derivative_of_formula(name: str) -> None:
    """SymPy's derivative of the formula, at points away from kinks."""
    function = scalar_function(name)
    difference = slope_of(function) - sympy.diff(function.formula, x)
    variables = [Symbol(f"t{i}") for i in range(8)]
    low, _ = DOMAINS.get(name, (-math.inf, math.inf))
    for point in rational_point(variables, seed=len(name), positive=low == 0).values():
        point = point / 3 if bounded(name) else point
        assert abs(sympy.N(difference.xreplace({x: point}), 30)) < 1e-25, (name, point)


@each_function
def test_derivative_by_differences(name: str) -> None:
    """Difference quotients of the formula, which know nothing of SymPy's derivative."""
    function = scalar_function(name)
    with mpmath.workdps(50):
        f, slope = scalar(function.formula), scalar(slope_of(function))
        for at in (p for p in GRID if in_domain(f, p) and float(p) not in function.kinks):
            left, right = one_sided(f, at)
            assert abs(slope(at) - left) < 1e-15, (name, at)
            assert abs(slope(at) - right) < 1e-15, (name, at)


@each_function
def test_kinks_are_exactly_those_listed(name: str) -> None:
    row = FUNCTIONS[name]
    with mpmath.workdps(50):
        f = scalar(row.formula)
        sides = {float(p): one_sided(f, p) for p in GRID if in_domain(f, p)}
    found = {p for p, (left, right) in sides.items() if abs(left - right) > 1e-6 or max(abs(left), abs(right)) > 1e6}
    assert found == set(row.kinks)
    assert all(float(p) in map(float, GRID) for p in row.kinks), "widen the grid of candidates"


@each_function
def test_value_at_kink_is_a_subgradient(name: str) -> None:
    """At a kink f' is what it is on one side, or between the two: abs has sign, 0 at 0."""
    function = scalar_function(name)
    with mpmath.workdps(50):
        slope = scalar(slope_of(function))
        for kink in map(mpmath.mpf, function.kinks):
            sides = [slope(kink + sign * mpmath.mpf("1e-20")) for sign in (-1, 1)]
            assert min(sides) - 1e-12 <= slope(kink) <= max(sides) + 1e-12
            if name != "abs":
                assert min(abs(slope(kink) - s) for s in sides) < 1e-12


def test_derivatives_that_have_a_name() -> None:
    """f' is shown under the name of the table where the table has it."""
    named = {"relu": "step", "softplus": "sigmoid", "abs": "sign"}
    assert {f: derivative(scalar_function(f)).name for f in named} == named


@each_function
def test_kinks_carry_over_to_primed_names(name: str) -> None:
    slope = derivative(scalar_function(name))
    if isinstance(slope, ScalarFunction) and slope.name.endswith("'"):
        assert slope.kinks == FUNCTIONS[name].kinks


def test_activations_are_rows_that_a_layer_may_have() -> None:
    assert set(activations()) == {n for n, row in FUNCTIONS.items() if row.activation}
    assert set(activations()) == {"identity", "sigmoid", "tanh", "relu", "leaky_relu", "elu", "gelu", "silu",
                                  "softplus", "mish"}


@each_function
def test_function_row_is_complete(name: str) -> None:
    row = FUNCTIONS[name]
    assert row.source
    assert row.text
    assert row.latex
    assert row.formula.free_symbols == {x}
    assert row.gain > 0
