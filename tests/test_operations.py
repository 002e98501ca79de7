"""Every row of OPERATIONS and FUNCTIONS against entries, numbers and its own spellings."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping

import mpmath
import numpy as np
import pytest
import sympy
from oracles import (
    KNOWN,
    STEP,
    LatexReader,
    directional_derivative,
    draw,
    entries,
    entry_symbol,
    explicit,
    number,
    rational_point,
)
from sympy import (
    Basic,
    Expr,
    HadamardProduct,
    Identity,
    MatAdd,
    MatMul,
    MatrixSymbol,
    Rational,
    Symbol,
    Transpose,
)

from codegen.numpy_code import NumpyPrinter
from symbolic.differentiation import differentiate
from symbolic.evaluate import evaluate
from symbolic.functions import FUNCTIONS, ScalarFunction, activations, derivative, h, scalar_function
from symbolic.operations import OPERATIONS, Operation, operation
from symbolic.operations.table import Rule
from symbolic.printing import LatexPrinter, TextPrinter
from symbolic.program import Equation, Program
from symbolic.scalars import x
from symbolic.terms import (
    Elementwise,
    HadamardQuotient,
    Inner,
    LogSoftmax,
    Softmax,
    SquaredNorm,
    add,
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
    symbols_of,
    transpose,
)

TARGETS = ("numpy",)
SPELLED_ELSEWHERE = {("numpy", Elementwise)}  # codegen/scalar_code.py writes a function from its formula

EXAMPLES = [pytest.param(operation(example), example, id=f"{row.node.__name__}-{i}")
            for row in OPERATIONS.values() for i, example in enumerate(row.examples())]
each_row = pytest.mark.parametrize("row", [pytest.param(r, id=r.node.__name__) for r in OPERATIONS.values()])
each_example = pytest.mark.parametrize(("row", "example"), EXAMPLES)
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


def positive_values(symbols: Iterator[Expr] | list[Expr], seed: int = 0) -> dict[Expr, object]:
    """Return random values at which logarithms, quotients and inverses are defined."""
    rng = np.random.default_rng(seed)
    values = {s: np.abs(v) + 0.1 for s, v in draw(sorted(symbols, key=str), int, rng).items()}
    return {s: v + 3 * np.eye(len(v)) if is_matrix(s) and s.shape[0] == s.shape[1] else v for s, v in values.items()}


def numeric_differential(term: Expr, values: Mapping[Expr, object], moved: Expr, direction: object) -> object:
    """Return the directional derivative of ``evaluate``: a complex step, for erf central differences."""
    def at(step: complex) -> object:
        return evaluate(term, {**values, moved: values[moved] + step * direction})

    if any(f.function.formula.has(sympy.erf) for f in term.atoms(Elementwise)):
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
    if row.transposition_rule is not None:
        rules.append(row.transposition_rule)
    for rule in rules:
        if rule is None or not all((rule.key, rule.latex, rule.text, rule.source)):
            yield f"key, latex, text and source of {rule}"
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
    found = entries(explicit(total_differential(example, increments)))
    point = rational_point({*scalars, *scalars.values()}, seed=len(expected), positive=positive)
    for left, right in zip(found, expected, strict=True):
        difference = (left - right).xreplace(point)
        assert sympy.Abs(sympy.N(difference, 40, chop=False)) < 1e-35, f"{left} is not {right}"


@each_example
def test_explicit_and_evaluate_agree(row: Operation, example: Expr) -> None:
    """``_entry`` and ``evaluate`` mean the same as the oracle's numbers."""
    values = positive_values(list(symbols_of(example)))
    by_entry = {entry_symbol(s, i, j) if is_matrix(s) else s: v for s, array in values.items()
                for (i, j), v in np.ndenumerate(np.atleast_2d(array))}
    from_entries = [float(sympy.N(e.xreplace(by_entry))) for e in entries(explicit(example))]
    found = evaluate(example, values)
    np.testing.assert_allclose(np.ravel(found), from_entries, rtol=1e-12)
    np.testing.assert_allclose(found, number(example, values), rtol=1e-12)
    assert np.shape(found) == (shape(example) if is_matrix(example) else ())


@each_example
def test_differential_by_complex_step(row: Operation, example: Expr) -> None:
    """Operand by operand, all others held."""
    node, operands = opaque(example)
    values = positive_values(operands)
    for i, operand in enumerate(node.args):
        if operand in operands:
            d = increment(operand)
            direction = np.random.default_rng(i).standard_normal(np.shape(values[operand]))
            found = evaluate(row.differential(node, i, d, node), {**values, d: direction})
            expected = numeric_differential(node, values, operand, direction)
            np.testing.assert_allclose(found, expected, rtol=1e-7 if node.has(sympy.erf) else 1e-12, atol=1e-9)


def linear_operands(node: Expr, operands: list[Expr]) -> list[int]:
    """Return the operands in which a node is linear, as numbers show."""
    first, second, found = positive_values(operands), positive_values(operands, 1), []
    for i, operand in enumerate(node.args):
        if operand in operands:
            a, b = first[operand], second[operand]
            value = [evaluate(node, {**first, operand: v}) for v in (2 * a + 3 * b, a, b)]
            if np.allclose(value[0], 2 * value[1] + 3 * value[2]):
                found.append(i)
    return found


@each_example
def test_transposition_is_adjoint(row: Operation, example: Expr) -> None:
    """⟨U, node(V)⟩ = ⟨Jᵀ U, V⟩ for each operand in which the node is linear; a row that has a rule has one."""
    node, operands = opaque(example)
    linear = linear_operands(node, operands) if type(node) is not sympy.Add and type(node).__name__ != "MatAdd" else [
        i for i, a in enumerate(node.args) if a in operands]
    if row.transposition is None:
        return
    assert linear, f"{row.node.__name__} has a transposition rule but is linear in no operand of {example}"
    values = positive_values(operands)
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


@each_example
def test_gradient_is_adjoint_of_differential(row: Operation, example: Expr) -> None:
    """The engine's transposition of a node, by each symbol: ⟨U, d node⟩ = ⟨∇, V⟩."""
    symbols = sorted(symbols_of(example), key=str)
    result, U = increment(example, "result"), increment(example, "U")
    derivation = differentiate(Program("one", (), tuple(symbols), (Equation(result, example),)), given={result: U})
    rng = np.random.default_rng(3)
    values = positive_values(symbols)
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


@each_example
def test_numpy_spelling(row: Operation, example: Expr) -> None:
    """The printed NumPy computes what ``evaluate`` does."""
    values = positive_values(list(symbols_of(example)))
    expected = evaluate(example, values)
    np.testing.assert_allclose(np.broadcast_to(in_numpy(example, values), np.shape(expected)), expected, rtol=1e-12)


# Terms within terms: precedence, in LaTeX and in NumPy

BUILD: dict[type[Basic], Callable[..., Expr]] = {
    MatAdd: add, MatMul: product, HadamardProduct: hadamard, HadamardQuotient: quotient, Transpose: transpose,
    Inner: inner}


def fillers(operand: Expr) -> dict[str, Expr]:
    """Return terms of every precedence, of the shape of an operand."""
    if not is_matrix(operand):
        s, t, M = Symbol("s", real=True), Symbol("t", real=True), MatrixSymbol("M", 2, 2)
        return {"s + t": s + t, "−s": -s, "s / t": s / t, "norm": SquaredNorm(M), "s ⟨M, M⟩": s * inner(M, M)}
    rows, columns = operand.shape
    P, Q, R = MatrixSymbol("P", rows, columns), MatrixSymbol("Q", rows, columns), MatrixSymbol("R", columns, columns)
    return {
        "sum": add(P, Q), "difference": add(P, negative(Q)), "negative": negative(P), "product": product(P, R),
        "Hadamard": hadamard(P, Q), "quotient": quotient(P, Q), "multiple": scale(Rational(-2, 3), P),
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


def in_numpy(term: Expr, values: Mapping[Expr, object]) -> object:
    """Return the value of a term by the NumPy that is printed for it."""
    printer = NumpyPrinter()
    code = printer.show(term)
    scope: dict[str, object] = {"np": np, **{str(s.name): v for s, v in values.items()}}
    for helper in printer.helpers.values():
        exec(helper.source, scope)  # noqa: S102
    return eval(code, scope)  # noqa: S307


@pytest.mark.filterwarnings("ignore:invalid value")  # the logarithm of a negative filler
@each_example
def test_numpy_spelling_of_terms_within(row: Operation, example: Expr) -> None:
    """NumPy's operators bind as they must: A @ B ** 2 is not (A @ B) ** 2."""
    wrong = []
    for name, term in nested(example):
        values = positive_values(list(symbols_of(term)))
        expected = number(term, values)
        found = np.broadcast_to(in_numpy(term, values), np.shape(expected))
        if not np.allclose(found, expected, rtol=1e-10, equal_nan=True):
            wrong.append(f"{name}: {NumpyPrinter().show(term)}")
    assert not wrong, "\n".join(wrong)


@pytest.mark.filterwarnings("ignore:invalid value")
@each_example
def test_latex_of_terms_within(row: Operation, example: Expr) -> None:
    """The LaTeX, read back, has the value of the term: no parenthesis is missing."""
    wrong = []
    for name, term in nested(example):
        nodes = {type(t) for t in sympy.preorder_traversal(term)}
        if Identity in nodes or nodes & set(OPERATIONS) - KNOWN:
            continue  # signs that the reader does not know
        symbols, functions = symbols_of(term), {f.function for f in term.atoms(Elementwise)}
        values, latex = positive_values(list(symbols)), LatexPrinter().show(term)
        axis = next((t.axis for t in term.atoms(Softmax, LogSoftmax)), 0)
        found = LatexReader(symbols, functions, values, int, axis).value(latex)
        if not np.allclose(found, number(term, values), rtol=1e-10, equal_nan=True):
            wrong.append(f"{name}: {latex}")
    assert not wrong, "\n".join(wrong)


@pytest.mark.filterwarnings("ignore:invalid value")
@each_example
def test_evaluation_of_terms_within(row: Operation, example: Expr) -> None:
    for name, term in nested(example):
        values = positive_values(list(symbols_of(term)))
        np.testing.assert_allclose(evaluate(term, values), number(term, values), rtol=1e-10, err_msg=name)


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
    """Say whether the value is a real number on both sides of a point."""
    try:
        return all(mpmath.isfinite(v) and mpmath.im(v) == 0 for v in (f(at - mpmath.mpf("1e-20")), f(at)))
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
}
POSITIVE = ("log", "sqrt")
"""Functions of positive numbers only."""


@each_function
def test_formula_is_the_published_one(name: str) -> None:
    """As a person writes it, kinks included; a new function needs its line above."""
    points = np.array([p for p in (-2.5, -1, -0.3, 0, 0.4, 1, 1.7) if p > 0 or name not in POSITIVE])
    row = MatrixSymbol("A", 1, len(points))
    found = evaluate(elementwise(scalar_function(name), row), {row: points[None]})
    np.testing.assert_allclose(found[0], [BY_HAND[name](p) for p in points], rtol=1e-14, atol=1e-15)


@each_function
def test_derivative_of_formula(name: str) -> None:
    """SymPy's derivative of the formula, at points away from kinks."""
    function = scalar_function(name)
    difference = slope_of(function) - sympy.diff(function.formula, x)
    variables = [Symbol(f"t{i}") for i in range(8)]
    for point in rational_point(variables, seed=len(name), positive=name in POSITIVE).values():
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
