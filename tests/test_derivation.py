"""Derivations: the quiz, every line as a number, refusals, the general formulas, depth, SymPy's own answers."""

from __future__ import annotations

import random
import re
import subprocess
import sys
import warnings
from collections.abc import Iterator
from dataclasses import replace
from functools import cache

import numpy as np
import pytest
import sympy
from oracles import (
    block_values,
    draw,
    entry_symbol,
    gradients_of,
    number,
    program_values,
    rational_point,
    sizes_of,
    true_gradient,
)
from sympy import (
    Abs,
    Determinant,
    Expr,
    HadamardProduct,
    Identity,
    ImmutableMatrix,
    MatAdd,
    MatMul,
    MatrixSymbol,
    OneMatrix,
    Rational,
    S,
    Symbol,
    Trace,
    Transpose,
    exp,
    log,
    sin,
    sqrt,
    tanh,
)

import codegen.callables
import symbolic.evaluate
from symbolic.architecture import read_architecture
from symbolic.build import build_program
from symbolic.derivation import Derivation, Gradient
from symbolic.differentiation import differentiate, gradient_symbol
from symbolic.doors import derive, derive_expression
from symbolic.errors import InputError, VerificationError
from symbolic.formats import FORMATS
from symbolic.functions import activations, derivative, scalar_function
from symbolic.general import G, derive_general
from symbolic.identities import IDENTITIES
from symbolic.losses import LOSSES
from symbolic.network import Layer, Network
from symbolic.operations import operation
from symbolic.printing import LatexPrinter, TextPrinter
from symbolic.program import Equation, Program, distributions
from symbolic.scalars import x
from symbolic.terms import (
    SquaredNorm,
    add,
    elementwise,
    hadamard,
    inner,
    is_matrix,
    negative,
    product,
    quotient,
    scale,
    shape,
    softmax,
    split,
    symbols_of,
    transpose,
)
from symbolic.verify import verify_derivation

QUIZ = "3-3-3-3:sigmoid,sigmoid,softmax"
FORMULA = "x*sin(x)"
N = Symbol("N", integer=True, positive=True)
n = Symbol("n", integer=True, positive=True)
s = Symbol("s", real=True)
A, B, X, Y = (MatrixSymbol(name, 3, 3) for name in "ABXY")
T = MatrixSymbol("T", 2, 3)
u, v, y = (MatrixSymbol(name, 3, 1) for name in "uvy")
ONES = OneMatrix(1, 3)


@cache
def derived(architecture: str) -> Derivation:
    return derive(read_architecture(architecture))


def rows(loss: str, reduction: str, samples: str) -> str:
    return f"?loss={loss}&reduction={reduction}&samples={samples}"


# The quiz

QUIZ_FORMULAS = {
    "a3": "∇a₃ = ŷ − Y", "W3": "∇W₃ = ∇a₃ h₂ᵀ", "b3": "∇b₃ = ∇a₃ 1", "h2": "∇h₂ = W₃ᵀ ∇a₃",
    "a2": "∇a₂ = ∇h₂ ⊙ h₂ ⊙ (1 − h₂)", "W2": "∇W₂ = ∇a₂ h₁ᵀ", "b2": "∇b₂ = ∇a₂ 1", "h1": "∇h₁ = W₂ᵀ ∇a₂",
    "a1": "∇a₁ = ∇h₁ ⊙ h₁ ⊙ (1 − h₁)", "W1": "∇W₁ = ∇a₁ Xᵀ", "b1": "∇b₁ = ∇a₁ 1", "X": "∇X = W₁ᵀ ∇a₁",
}


def test_formulas_of_the_quiz() -> None:
    """In the order of the backward pass."""
    found = {str(g.wrt.name): TextPrinter().equation(g.equation) for g in derived(QUIZ).gradients}
    assert found == QUIZ_FORMULAS
    assert list(found) == list(QUIZ_FORMULAS)
    assert LatexPrinter().equation(derived(QUIZ).gradient("a3").equation) == (
        r"\nabla_{a_3}\mathcal{L} = \hat{y} - Y")


def test_assumption_of_the_quiz_is_named() -> None:
    """On the gradient that uses it, at the step that uses it, and nowhere else."""
    derivation = derived(QUIZ)
    (assumption,) = derivation.gradient("a3").assumptions
    assert assumption == distributions(derivation.forward.symbol("Y"), "columns")
    assert assumption.text == "1ᵀY = 1ᵀ"
    assert [s.rule.key for s in derivation.gradient("a3").steps if s.assumption] == ["distribution"]
    assert derivation.assumptions == (assumption,)


def test_steps_of_the_quiz_are_honest() -> None:
    """ŷ − Y is reached by the differentials of log and softmax, transposition, cancelling and the assumption."""
    keys = [s.rule.key for s in derived(QUIZ).gradient("a3").steps]
    expected = ["differential_of_log", "differential_of_softmax", "transposition_of_hadamard_product",
                "quotient_cancels", "transposition_of_product", "distribution", "collect"]
    assert [k for k in keys if k in expected] == [
        *expected[:6], "transposition_of_hadamard_product", "collect"]


@pytest.mark.parametrize("samples", ["columns", "rows"])
def test_without_the_assumption(samples: str) -> None:
    """(1 1ᵀY) ⊙ ŷ − Y, at labels whose samples do not sum to one; then ŷ − Y would be wrong."""
    network = read_architecture(f"3-4:softmax?samples={samples}")
    program = replace(build_program(network), assumptions=())
    derivation = differentiate(program)
    gradient = derivation.gradient("a1")
    assert gradient.assumptions == ()
    size = sizes_of(program.inputs)
    values = program_values(program, size, np.random.default_rng(0))
    Y, y_hat = values[program.symbol("Y")], values[program.symbol("y_hat")]
    sums = Y.sum(axis=0 if samples == "columns" else 1, keepdims=True)
    np.testing.assert_allclose(number(gradient.term, values, size), sums * y_hat - Y, rtol=1e-12)
    np.testing.assert_allclose(sums * y_hat - Y, true_gradient(program, values, gradient.wrt, size), rtol=1e-9)
    assert not np.allclose(sums * y_hat - Y, y_hat - Y)
    verify_derivation(derivation)


def test_assumption_is_not_used_of_other_symbols() -> None:
    """Assumed of Z, nothing is said of Y."""
    program = build_program(read_architecture("3-4:softmax"))
    other = distributions(MatrixSymbol("Z", 4, N), "columns")
    assert differentiate(replace(program, assumptions=(other,))).gradient("a1").assumptions == ()


SIMPLE = {
    "3-2:sigmoid": "∇a₁ = ŷ − Y",
    "3-2:sigmoid?samples=rows": "∇a₁ = ŷ − Y",
    "3-2:sigmoid?reduction=mean": "∇a₁ = 1/N (ŷ − Y)",
    "3-2:softmax?samples=rows": "∇a₁ = ŷ − Y",
    "3-2:softmax?reduction=mean": "∇a₁ = 1/N (ŷ − Y)",
    "3-2:softmax?reduction=mean&samples=rows": "∇a₁ = 1/N (ŷ − Y)",
    "3-2:identity": "∇a₁ = 2 r",
    "3-2:identity?reduction=mean": "∇a₁ = 2/N r",
    "3-2:identity?loss=mean_absolute_error": "∇a₁ = sign(r)",
    "3-2:identity?loss=huber": "∇a₁ = huber′(r)",
    "3-2:identity?loss=hinge": "∇a₁ = hinge′(m) ⊙ Y",
}


@pytest.mark.parametrize("architecture", SIMPLE)
def test_gradient_at_the_output(architecture: str) -> None:
    gradient = derived(architecture).gradient("a1")
    assert TextPrinter().equation(gradient.equation) == SIMPLE[architecture]
    assert bool(gradient.assumptions) == ("softmax" in architecture)


# The losses

LOSS_BY_HAND = {
    "cross_entropy": lambda Y, p: -(Y * np.log(p)),
    "binary_cross_entropy": lambda Y, p: -(Y * np.log(p) + (1 - Y) * np.log(1 - p)),
    "mean_squared_error": lambda Y, p: (p - Y) ** 2,
    "mean_absolute_error": lambda Y, p: np.abs(p - Y),
    "huber": lambda Y, p: np.where(np.abs(p - Y) <= 1, (p - Y) ** 2 / 2, np.abs(p - Y) - 0.5),
    "hinge": lambda Y, p: np.maximum(0, 1 - Y * p),
}


@pytest.mark.parametrize("samples", ["columns", "rows"])
@pytest.mark.parametrize("loss", LOSSES)
def test_program_is_the_network(loss: str, samples: str) -> None:
    """The forward equations, the loss, its mean over samples and λ/2 ‖W‖², as a person writes them in NumPy."""
    output = LOSSES[loss].output or "tanh"
    for reduction, decay in (("sum", 0), ("mean", 0), ("sum", 0.1), ("mean", 0.1)):
        program = build_program(read_architecture(
            f"2-3-4:sigmoid,{output}{rows(loss, reduction, samples)}&weight_decay={decay}"))
        size = sizes_of(program.inputs, N=5)
        found = {q.name: a for q, a in program_values(program, size, np.random.default_rng(0), loss).items()}
        X, Y, W1, b1, W2, b2 = (found[q] if samples == "columns" else found[q].T
                                for q in ("X", "Y", "W1", "b1", "W2", "b2"))
        a = W2 @ (1 / (1 + np.exp(-(W1 @ X + b1)))) + b2
        y_hat = {"softmax": np.exp(a) / np.exp(a).sum(0), "sigmoid": 1 / (1 + np.exp(-a)), "tanh": np.tanh(a)}[output]
        total = LOSS_BY_HAND[loss](Y, y_hat).sum() / (5 if reduction == "mean" else 1)
        if decay:
            total += found["lambda"] / 2 * ((W1**2).sum() + (W2**2).sum())
            assert program.constants == {Symbol("lambda", positive=True): 0.1}
        np.testing.assert_allclose(found["y_hat"], y_hat if samples == "columns" else y_hat.T, rtol=1e-12)
        np.testing.assert_allclose(found["loss"], total, rtol=1e-12)


# Every line

CASES = [(loss, samples, reduction) for loss in LOSSES for samples in ("columns", "rows")
         for reduction in ("sum", "mean")]


def assert_lines(derivation: Derivation, loss: str = "", seed: int = 0) -> int:
    """Check each line of each block against the true differential; return how many there were."""
    program = derivation.forward
    size = sizes_of([*program.inputs, *program.parameters])
    rng, count = np.random.default_rng(seed), 0
    values = program_values(program, size, rng, loss)
    values |= gradients_of(program, values, [g.wrt for g in derivation.gradients], size)
    for gradient in derivation.gradients:
        whole, lines = block_values(derivation, gradient, values, size, rng)
        for step, found in zip(gradient.steps, lines, strict=True):
            assert found == pytest.approx(whole, rel=1e-8, abs=1e-11), (gradient.wrt, step.rule.key, step.after)
        truth = values[gradient.symbol]
        assert np.shape(number(gradient.term, values, size)) == np.shape(truth)
        np.testing.assert_allclose(number(gradient.term, values, size), truth, rtol=1e-8, atol=1e-11)
        count += len(lines)
    return count


@pytest.mark.parametrize(("loss", "samples", "reduction"), CASES)
def test_every_line_is_true(loss: str, samples: str, reduction: str) -> None:
    """With each activation, weight decay in every other network, against complex steps through the program."""
    count = 0
    for i, activation in enumerate((*activations(), "softmax", FORMULA)):
        output = LOSSES[loss].output or activation
        decay = "&weight_decay=0.1" if i % 2 else ""
        architecture = f"2-3-2:{activation},{output}{rows(loss, reduction, samples)}{decay}"
        count += assert_lines(differentiate_by_all(architecture), loss, seed=i)
    assert count > 400


def differentiate_by_all(architecture: str) -> Derivation:
    program = build_program(read_architecture(architecture))
    return differentiate(program, wrt=[program.inputs[0]])


@pytest.mark.parametrize("architecture", [
    QUIZ, "3-4-1-2:tanh,relu,identity?samples=rows&weight_decay=0.5&reduction=mean",
    "4-3:sigmoid?loss=mean_squared_error&bias=false", "n0-2-n1:x/(1+x^2),softmax?reduction=mean",
    "2-2-2:softmax,1/(1+exp(-x))?loss=huber", "1-1:identity", "1-1-1:exp(x),x^2?samples=rows"])
def test_every_line_of_other_networks_is_true(architecture: str) -> None:
    assert_lines(differentiate_by_all(architecture))


def test_verified_gradients_carry_their_evidence() -> None:
    verified = derived(QUIZ).verified
    assert verified is not None
    assert set(verified.errors) == {str(g.wrt.name) for g in derived(QUIZ).gradients}
    assert verified.max_relative_error <= verified.tolerance


@pytest.mark.parametrize("seed", range(40))
def test_every_line_of_random_programs_is_true(seed: int) -> None:
    """Values used more than once, shortcuts past others, names passed through: also what no network has yet."""
    program = random_program(random.Random(seed))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # an overflow in a value that is then skipped
        values = program_values(program, int, np.random.default_rng(seed))
        if all(np.all(np.isfinite(v)) and np.max(np.abs(v)) < 1e3 for v in values.values()):
            assert_lines(differentiate(program, wrt=program.inputs), seed=seed)


def random_program(rng: random.Random) -> Program:
    """Return a loss of 2 × 2 matrices, computed through values with and without gradients of their own."""
    parameters = tuple(MatrixSymbol(f"P{i}", 2, 2) for i in range(rng.randint(1, 3)))
    known, equations = [*parameters, MatrixSymbol("X", 2, 2)], []

    def term(depth: int) -> Expr:
        if depth == 0:
            return rng.choice(known[-4:])
        a, b = term(depth - 1), term(depth - 1)
        function = scalar_function(rng.choice(["sigmoid", "tanh", "silu", "relu", "identity"]))
        return rng.choice([
            lambda: add(a, b), lambda: product(a, b), lambda: hadamard(a, b), lambda: elementwise(function, a),
            lambda: softmax(a, rng.choice([0, 1])), lambda: add(a, negative(b)), lambda: transpose(a),
            lambda: quotient(a, elementwise(scalar_function("exp"), b)), lambda: scale(Rational(-2, 3), a)])()

    for i in range(rng.randint(1, 6)):
        symbol = MatrixSymbol(f"v{i}", 2, 2)
        equations.append(Equation(symbol, term(rng.randint(0, 2))))
        known.append(symbol)
    through = {e.symbol for e in equations if rng.random() < 0.3}
    first, second, loss = (Symbol(n, real=True) for n in ("first", "second", "loss"))
    equations += [Equation(first, inner(term(1), term(1))), Equation(second, SquaredNorm(term(1)) + inner(*known[-2:])),
                  Equation(loss, rng.choice([first + second, 2 * first - second / 3, first * second]))]
    return Program("random", (known[len(parameters)],), parameters, tuple(equations), (),
                   frozenset({*through, first, second, loss}))


# Refusals

def corruptions(term: Expr) -> Iterator[tuple[str, Expr]]:
    """Yield terms near a right one that are wrong, whatever the shape."""
    yield "sign", negative(term)
    yield "twice", scale(S(2), term)
    yield "slightly", scale(1 + Rational(1, 10**4), term)
    if shape(term)[0] == shape(term)[1]:
        yield "transposed", Transpose(term)
    coefficient, rest = split(term)
    if coefficient is not S.One:
        yield "coefficient dropped", rest
    if isinstance(rest, MatMul | HadamardProduct | MatAdd):
        build = {MatMul: product, HadamardProduct: hadamard, MatAdd: add}[type(rest)]
        for i in range(len(rest.args)):
            yield f"without {rest.args[i]}", scale(coefficient, build(*rest.args[:i], *rest.args[i + 1:]))
            if not rest.args[i].has(OneMatrix):
                yield f"{rest.args[i]} transposed", scale(
                    coefficient, build(*rest.args[:i], transpose(rest.args[i]), *rest.args[i + 1:]))
    if isinstance(rest, MatMul) and len(rest.args) > 1:
        yield "turned round", scale(coefficient, product(*reversed(rest.args)))


@pytest.mark.parametrize("architecture", [
    QUIZ, "3-4-2:tanh,sigmoid?samples=rows&reduction=mean", "2-3-2:relu,identity?loss=huber&weight_decay=0.1",
    "3-3-2:gelu,softmax?samples=rows", "3-3:leaky_relu?loss=hinge"])
def test_wrong_gradients_are_refused(architecture: str) -> None:
    derivation = derived(architecture)
    for i, gradient in enumerate(derivation.gradients):
        kinds = list(corruptions(gradient.term))
        assert len(kinds) >= 3
        for kind, wrong in kinds:
            gradients = list(derivation.gradients)
            gradients[i] = replace(gradient, term=wrong)
            try:
                verify_derivation(replace(derivation, gradients=tuple(gradients)))
            except VerificationError:
                continue
            pytest.fail(f"∇{gradient.wrt} of {architecture} was accepted: {kind}")


@pytest.mark.parametrize("architecture", [QUIZ, "3-3-2:gelu,softmax?samples=rows", "4-5-2:tanh,identity"])
def test_refusal_is_not_a_matter_of_luck(architecture: str) -> None:
    """A gradient that is one per cent off is refused at every seed."""
    derivation, accepted = derived(architecture), []
    for i, gradient in enumerate(derivation.gradients):
        gradients = list(derivation.gradients)
        gradients[i] = replace(gradient, term=scale(Rational(101, 100), gradient.term))
        wrong = replace(derivation, gradients=tuple(gradients))
        for seed in range(12):
            try:
                verify_derivation(wrong, seed)
            except VerificationError:
                continue
            accepted.append((gradient.wrt.name, seed))
    assert not accepted


def test_refusal_names_the_gradient() -> None:
    derivation = derived(QUIZ)
    wrong = [replace(g, term=negative(g.term)) if g.wrt.name == "W2" else g for g in derivation.gradients]
    with pytest.raises(VerificationError, match="W2"):
        verify_derivation(replace(derivation, gradients=tuple(wrong)))


@pytest.mark.parametrize("architecture", [
    "3-9-7-1:sigmoid,silu,gelu?loss=mean_squared_error&samples=rows&reduction=mean",
    "3-50-9:identity,softmax?loss=mean_absolute_error&reduction=mean&weight_decay=0.1",
    "9-50-5-1:elu,gelu,gelu?loss=hinge&reduction=mean&weight_decay=0.1",
    "1-9-5-9-1-784:identity,leaky_relu,gelu,gelu,relu?loss=hinge&reduction=mean",
    "3-50-1-50:elu,identity,sigmoid?loss=binary_cross_entropy&reduction=mean&weight_decay=0.1",
    "50-7-7-50-5-7-1-3:tanh,leaky_relu,softplus,softplus,elu,tanh,relu?loss=mean_squared_error&samples=rows"])
def test_right_gradients_are_not_refused(architecture: str) -> None:
    """Where saturation, cancellation or dead units leave little to compare; the evidence is what the page says."""
    verified = derive(read_architecture(architecture)).verified
    assert verified is not None
    assert verified.max_relative_error <= verified.tolerance


def test_shortcut_is_not_refused() -> None:
    """A residual block, h₂ = tanh(W h₁) + h₁: ∇h₁ has two parts, of which one passes through the other value."""
    X, W, a, h = (MatrixSymbol(n, 3, 3) for n in ("X", "W", "a", "h"))
    loss = Symbol("loss", real=True)
    program = Program("residual", (), (X, W), (
        Equation(a, product(W, X)), Equation(h, add(elementwise(scalar_function("tanh"), a), X, a)),
        Equation(loss, SquaredNorm(h))))
    derivation = differentiate(program)
    assert_lines(derivation)
    verify_derivation(derivation)


def test_scalar_in_a_named_value() -> None:
    """v = s A, w = (s² + ‖A‖²) A: the coefficient moves too, and not only what it stands before."""
    first, second = (MatrixSymbol(name, 3, 3) for name in "vw")
    loss = Symbol("loss", real=True)
    program = Program("scaled", (), (s, A), (
        Equation(first, scale(s, A)), Equation(second, add(scale(s**2 + SquaredNorm(A), A), first)),
        Equation(loss, SquaredNorm(second) + SquaredNorm(first))))
    derivation = differentiate(program)
    assert_lines(derivation)
    verify_derivation(derivation)


# General formulas

def general_symbols(samples: str = "columns") -> dict[str, MatrixSymbol]:
    sizes = {n: Symbol(f"n_{n}", integer=True, positive=True) for n in ("L", "k", "{k-1}")}
    shapes = {"a_L": ("L", N), "y_hat": ("L", N), "Y": ("L", N), "a_k": ("k", N), "h_{k-1}": ("{k-1}", N),
              "a_{k-1}": ("{k-1}", N), "W_k": ("k", "{k-1}"), "b_k": ("k", 1)}
    found = {}
    for name, (first, second) in shapes.items():
        both = [sizes.get(s, s) for s in (first, second)]
        found[name] = MatrixSymbol(name, *(both if samples == "columns" else reversed(both)))
    return found


def test_general_formulas() -> None:
    """The five of the quiz with a symbolic k and an unspecified g, and the bias for one sample, exactly."""
    m, derivation = general_symbols(), derive_general(read_architecture(QUIZ))
    da, dh = gradient_symbol(m["a_k"]), gradient_symbol(m["h_{k-1}"])
    expected = [
        ("a_L", MatAdd(m["y_hat"], MatMul(-1, m["Y"]))),
        ("W_k", MatMul(da, Transpose(m["h_{k-1}"]))),
        ("b_k", MatMul(da, OneMatrix(N, 1))),
        ("h_{k-1}", MatMul(Transpose(m["W_k"]), da)),
        ("a_{k-1}", hadamard(dh, elementwise(derivative(G), m["a_{k-1}"]))),
        ("b_k", da),
    ]
    assert [str(g.wrt.name) for g in derivation.gradients] == [name for name, _ in expected]
    for gradient, (name, term) in zip(derivation.gradients, expected, strict=True):
        assert gradient.wrt == m[name]
        assert gradient.term == term
    assert [[a.key for a in g.assumptions] for g in derivation.gradients] == [
        ["distribution_cols"], [], [], [], [], ["single_sample"]]
    texts = [TextPrinter().equation(g.equation) for g in derivation.gradients]
    assert texts == ["∇a_L = ŷ − Y", "∇Wₖ = ∇aₖ hₖ₋₁ᵀ", "∇bₖ = ∇aₖ 1", "∇hₖ₋₁ = Wₖᵀ ∇aₖ", "∇aₖ₋₁ = ∇hₖ₋₁ ⊙ g′(aₖ₋₁)",
                     "∇bₖ = ∇aₖ"]


def test_general_formulas_with_samples_as_rows() -> None:
    derivation = derive_general(read_architecture("3-2:softmax?samples=rows&reduction=mean"))
    texts = [TextPrinter().equation(g.equation) for g in derivation.gradients]
    assert texts == ["∇a_L = 1/N (ŷ − Y)", "∇Wₖ = hₖ₋₁ᵀ ∇aₖ", "∇bₖ = 1ᵀ ∇aₖ", "∇hₖ₋₁ = ∇aₖ Wₖᵀ",
                     "∇aₖ₋₁ = ∇hₖ₋₁ ⊙ g′(aₖ₋₁)", "∇bₖ = ∇aₖ"]


def test_general_formulas_with_weight_decay() -> None:
    derivation = derive_general(read_architecture("3-2:softmax?weight_decay=0.1"))
    assert TextPrinter().equation(derivation.gradient("W_k").equation) == "∇Wₖ = ∇aₖ hₖ₋₁ᵀ + λ Wₖ"
    assert TextPrinter().equation(derivation.gradient("a_L").equation) == "∇a_L = ŷ − Y"


@pytest.mark.parametrize("architecture", ["3-2:softmax", "3-2:sigmoid?samples=rows", "3-2:relu?loss=hinge",
                                          "3-2:softmax?samples=rows&reduction=mean&weight_decay=0.1",
                                          "3-2:tanh?loss=huber&reduction=mean", "3-2:identity"])
def test_every_line_of_the_general_formulas_is_true(architecture: str) -> None:
    """With g(x) = x sin x in the place of g; the program is that of the output or that of layer k."""
    derivation = derive_general(read_architecture(architecture))
    concrete = scalar_function("g", x * sin(x))
    known = {G: concrete, derivative(G): derivative(concrete)}
    equations = [Equation(e.symbol, e.term.xreplace(known)) for e in derivation.forward.equations]
    output = next(i for i, e in enumerate(equations) if e.name == "y_hat")
    rng = np.random.default_rng(0)
    for gradient in derivation.gradients:
        at_output = gradient.wrt.name == "a_L"
        part = tuple(equations[output:] if at_output else
                     [*equations[:output], *(e for e in equations if e.name == "penalty")])
        held = sorted({q for e in part for q in symbols_of(e.term)} - {e.symbol for e in part}, key=str)
        program = Program(
            "part", tuple(q for q in held if is_matrix(q)), (), part, derivation.forward.assumptions,
            frozenset(e.symbol for e in part if at_output),
            {q: 1.0 for q in held if not (is_matrix(q) or q.is_integer)})
        single = any(a.key == "single_sample" for a in gradient.assumptions)
        size = sizes_of([g.wrt for g in derivation.gradients], N=1 if single else 3)
        values = program_values(program, size, rng, "hinge" if "hinge" in architecture else "")
        if at_output:
            values |= gradients_of(program, values, [gradient.wrt], size)
        else:
            values |= draw((gradient_symbol(e.symbol) for e in part), size, rng)
            values |= {gradient_symbol(q): float(g) for q, g in derivation.given.items() if g.is_number}
        steps = tuple(replace(step, after=tuple(replace(
            p, cotangent=p.cotangent.xreplace(known), direction=p.direction.xreplace(known)) for p in step.after))
            for step in gradient.steps)
        block = replace(derivation, forward=program, given={} if at_output else derivation.given)
        whole, lines = block_values(block, replace(gradient, steps=steps), values, size, rng)
        assert lines == pytest.approx([whole] * len(lines), rel=1e-9)


# Depth

def deep(layers: int, decay: float = 0.0, samples: str = "columns") -> Network:
    return Network(3, tuple(Layer(3, "tanh") for _ in range(layers)), samples=samples, weight_decay=decay)


def measures(layers: int, decay: float) -> dict[str, int]:
    """Count equations, steps and characters; names with more digits and padding count the same."""
    program = build_program(deep(layers, decay))
    derivation = differentiate(program, wrt=[program.inputs[0]])
    found = {"equations": len(derivation.program.equations), "steps": len(list(steps_of(derivation)))}
    for name in ("text", "latex"):
        page = FORMATS[name](derivation, derivation.gradients)
        found[name] = len(re.sub(r"\s+", " ", re.sub(r"\{\d+\}|\d+|[₀-₉]+", "1", page)))
    return found


@pytest.mark.parametrize("decay", [0.0, 0.1])
def test_linear_in_depth(decay: float) -> None:
    """Each layer adds the same to equations, steps and characters."""
    first, second, third = (measures(layers, decay) for layers in (100, 200, 400))
    for what in first:
        assert third[what] - second[what] == pytest.approx(2 * (second[what] - first[what]), rel=1e-3), what
        assert second[what] < 2.1 * first[what]


@pytest.mark.parametrize("decay", [0.0, 0.1])
def test_verification_is_linear_in_depth(decay: float, monkeypatch: pytest.MonkeyPatch) -> None:
    """Counted by the nodes that are evaluated; a walk over all weights for each weight is quadratic."""
    evaluated = 0

    def counting(node: Expr) -> object:
        nonlocal evaluated
        evaluated += 1
        return operation(node)

    monkeypatch.setattr(symbolic.evaluate, "operation", counting)
    counts = []
    for layers in (20, 40, 80):
        program = build_program(deep(layers, decay))
        derivation, evaluated = differentiate(program), 0
        verify_derivation(derivation)
        counts.append(evaluated)
    assert counts[2] - counts[1] == pytest.approx(2 * (counts[1] - counts[0]), rel=0.01), counts


def test_two_thousand_layers() -> None:
    """Derived, verified and printed without recursion over the program."""
    derivation = derive(deep(2000))
    assert len(derivation.gradients) == 2000 * 4
    assert len(FORMATS["text"](derivation, derivation.gradients)) > 10**6
    assert "W_{2000}" in FORMATS["latex"](derivation, derivation.gradients[:5])


# Expressions, and what SymPy's own derivative makes of them


EXPRESSIONS: dict[str, tuple[Expr, list[Expr]]] = {
    "tr(AX)": (Trace(A * X), [X]),
    "tr(X'AX)": (Trace(X.T * A * X), [X, A]),
    "u'Au": (u.T * A * u, [u, A]),
    "u'u/2 + u'Av": (u.T * u / 2 + u.T * A * v, [u, v]),
    "log det X": (log(Determinant(X)), [X]),
    "det(AX)": (Determinant(A * X), [X]),
    "tr(inv(X)A)": (Trace(X.inv() * A), [X]),
    "tr(inv(XX)A)": (Trace(X**-2 * A), [X]),
    "tr(XXX)": (Trace(X**3), [X]),
    "norm(AX - B)^2": (Trace((A * X - B).T * (A * X - B)), [X, A]),
    "tr X": (Trace(X), [X]),
    "two traces": (Trace(B * X) + Trace(X.T * X), [X]),
    "product of traces": (Trace(X) ** 2 * Trace(A * X), [X]),
    "quotient of forms": (Trace(u.T * A * u) / Trace(u.T * u), [u]),
    "norm": (sqrt(Trace(X.T * X)), [X]),
    "exp(tr)": (exp(Trace(A * X) / 3), [X]),
    "2^tr": (2 ** Trace(X), [X]),
    "Hadamard": (Trace(A * HadamardProduct(X, X, B)), [X]),
    "not square": (Trace(T.T * T * A), [T]),
    "transposed": (Trace(A * X.T) + Trace(T * X.T * T.T), [X, T]),
    "tanh": (Trace(A.T * X.applyfunc(tanh)), [X]),
    "sin and cos": (Trace(A.T * X.applyfunc(sin)) + Trace(B.T * X.applyfunc(sympy.cos)), [X]),
    "two formulas": (Trace(A.T * X.applyfunc(lambda t: t / (1 + t**2))) + Trace(B.T * X.applyfunc(
        lambda t: t * sin(t))) + Trace(A * sympy.HadamardPower(X, 3)) + Trace(A * sympy.HadamardPower(X, 2)), [X]),
    "abs": (Trace(A.T * X.applyfunc(Abs)), [X]),
    "log": (Trace(A.T * X.applyfunc(log)), [X]),
    "sign": (Trace(A.T * X.applyfunc(sympy.sign)) + Trace(X), [X]),
    "constant function": (Trace(A.T * X.applyfunc(lambda _: S(3))) + Trace(X), [X]),
    "entrywise cube": (Trace(A * sympy.HadamardPower(X, 3)), [X]),
    "scalar": (s**2 * Trace(X) + s, [s, X]),
    "norm(sA + B)^2": (Trace((s * A + B).T * (s * A + B)), [s]),
    "f(sA)": (Trace(B * (s * A).applyfunc(tanh)), [s, A]),
    "norm(X)^2 A + X": (Trace(B.T * (Trace(X.T * X) * A + X)), [X]),
    "scaled sum": (SquaredNorm(scale(s**2, add(product(A, X), negative(hadamard(B, B))))), [s, A, B]),
    "det(sA)": (Determinant(s * A), [s, A]),
    "norm(norm(X)^2 X)^2": (SquaredNorm(product(SquaredNorm(X), X)), [X]),
    "quotients": (inner(quotient(A, hadamard(B, B)), hadamard(B, X)), [X, A, B]),
    "identity": (Trace((Identity(3) + X).inv()), [X]),
    "two layers": (Trace((A * (B * u).applyfunc(tanh) - v).T * (A * (B * u).applyfunc(tanh) - v)), [A, B, u]),
    "log-sum-exp": (log(Trace(ONES * u.applyfunc(exp))), [u]),
    "softmax cross-entropy": (log(Trace(ONES * u.applyfunc(exp))) - Trace(y.T * u), [u]),
    "ones": (inner(MatrixSymbol("w", 20, 1), product(OneMatrix(20, 1), OneMatrix(1, 20), OneMatrix(20, 1))),
             [MatrixSymbol("w", 20, 1)]),
}


def by_entries(expression: Expr, point: dict[Expr, Expr]) -> Expr:
    """Return a scalar expression by the entries of its symbols, with SymPy's explicit matrices."""
    replaced = {m: ImmutableMatrix(*m.shape, lambda i, j, m=m: point.get(entry_symbol(m, i, j), entry_symbol(m, i, j)))
                for m in expression.atoms(MatrixSymbol)}

    def go(term: Expr) -> Expr:
        if term in replaced:
            return replaced[term]
        if isinstance(term, OneMatrix | Identity | sympy.ZeroMatrix):
            return ImmutableMatrix(term.as_explicit())
        if not term.args or isinstance(term, sympy.Lambda):
            return point.get(term, term)
        parts = [go(a) for a in term.args]
        known = ENTRIES.get(type(term))
        return known(term, *parts) if known else term.func(*parts)

    value = go(expression)
    return value[0, 0] if hasattr(value, "shape") else value


def multiplied(_: Expr, *factors: Expr) -> Expr:
    """Return a product of matrices and scalars."""
    found = factors[0]
    for factor in factors[1:]:
        found = found * factor
    return found


ENTRIES = {
    MatMul: multiplied, MatAdd: lambda _, *a: sum(a[1:], a[0]), Transpose: lambda _, a: a.T,
    Trace: lambda _, a: a.trace(), Determinant: lambda _, a: a.det(), sympy.Inverse: lambda _, a, *__: a.inv("ADJ"),
    sympy.MatPow: lambda _, a, n: a**n if n > 0 else a.inv("ADJ") ** -n,
    HadamardProduct: lambda _, *a: multiplied_entries(*a),
    sympy.HadamardPower: lambda _, a, n: a.applyfunc(lambda e: e**n),
    type(X.applyfunc(sin)): lambda term, *a: a[-1].applyfunc(term.function),
    SquaredNorm: lambda _, a: sum(e**2 for e in a),
    type(inner(A, B)): lambda _, a, b: sum(multiplied_entries(a, b)),
    type(quotient(A, B)): lambda _, a, b: multiplied_entries(a, b.applyfunc(lambda e: 1 / e)),
}


def multiplied_entries(first: Expr, *others: Expr) -> Expr:
    for other in others:
        first = first.multiply_elementwise(other)
    return first


@pytest.mark.parametrize("name", EXPRESSIONS)
def test_gradient_of_expression(name: str) -> None:
    """At a rational point: SymPy's scalar derivative by each entry, all others being numbers."""
    expression, wrt = EXPRESSIONS[name]
    derivation = derive_expression(expression, wrt)
    matrices = expression.atoms(MatrixSymbol)
    entries = {m: [entry_symbol(m, i, j) for i in range(m.shape[0]) for j in range(m.shape[1])] for m in matrices}
    point = rational_point([*(e for m in matrices for e in entries[m]), s], seed=1, positive=True)
    values = {m: np.array([float(point[e]) for e in entries[m]]).reshape(m.shape) for m in matrices}
    values[s] = float(point[s])
    for gradient in derivation.gradients:
        variables = entries.get(gradient.wrt, [s])
        expected = []
        for variable in variables:
            others = {k: p for k, p in point.items() if k != variable}
            free = by_entries(expression, others)
            expected.append(float(sympy.N(sympy.diff(free, variable).subs(variable, point[variable]))))
        found = number(gradient.term, values)
        assert np.shape(found) == (shape(gradient.wrt) if is_matrix(gradient.wrt) else ())
        np.testing.assert_allclose(np.ravel(found), expected, rtol=1e-9, atol=1e-10, err_msg=str(gradient.term))
        assert shape(gradient.term) == shape(gradient.wrt)


@pytest.mark.parametrize("name", EXPRESSIONS)
def test_every_line_of_expression_is_true(name: str) -> None:
    expression, wrt = EXPRESSIONS[name]
    derivation = derive_expression(expression, wrt)
    program = derivation.forward
    rng = np.random.default_rng(0)
    given = {k: np.abs(a) + 0.2 for k, a in draw((*program.inputs, *program.parameters), int, rng).items()}
    given = {k: a + 3 * np.eye(3) if np.shape(a) == (3, 3) else a for k, a in given.items()}  # determinants above 0
    values = given | {program.result: number(program.equations[0].term, given)}
    values |= gradients_of(program, values, wrt, int)
    for gradient in derivation.gradients:
        whole, lines = block_values(derivation, gradient, values, int, rng)
        assert lines == pytest.approx([whole] * len(lines), rel=1e-8)


@pytest.mark.parametrize("name", EXPRESSIONS)
def test_expression_is_computed_as_derived(name: str) -> None:
    """The code made of a derivation gives the numbers of its terms: the loss and each gradient."""
    expression, wrt = EXPRESSIONS[name]
    derivation = derive_expression(expression, wrt)
    program, rng = derivation.forward, np.random.default_rng(0)
    values = {q: np.abs(a) + 0.2 for q, a in draw((*program.inputs, *program.parameters), int, rng).items()}
    values = {q: a + 3 * np.eye(3) if np.shape(a) == (3, 3) else a for q, a in values.items()}
    found = codegen.callables.lambdify(derivation)(**{str(q.name): a for q, a in values.items()})
    for equation in (program.equations[0], *(g.equation for g in derivation.gradients)):
        expected = number(equation.term, values)
        np.testing.assert_allclose(np.broadcast_to(found[equation.name], np.shape(expected)), expected, rtol=1e-9,
                                   err_msg=equation.name)


WRONG_IN_SYMPY = {  # "0" is a wrong answer without a word, an exception an honest one
    "log det X": (X, "0"), "log-sum-exp": (u, "0"), "softmax cross-entropy": (u, "0"), "two traces": (X, "0"),
    "two layers": (B, "ShapeError"),
}


@pytest.mark.skipif(not sympy.__version__.startswith("1.14"), reason="what SymPy answers is that of 1.14")
@pytest.mark.parametrize("name", WRONG_IN_SYMPY)
def test_sympy_is_wrong(name: str) -> None:
    """SymPy says 0, we say ŷ − y (its issues 23492, 26561, 26585, 27406); why matrix .diff is banned."""
    symbol, answer = WRONG_IN_SYMPY[name]
    expression = EXPRESSIONS[name][0]
    if answer == "0":
        assert expression.diff(symbol) == sympy.ZeroMatrix(*symbol.shape)
    else:
        with pytest.raises(sympy.matrices.exceptions.ShapeError):
            expression.diff(symbol)
    assert not isinstance(derive_expression(expression, [symbol]).gradients[0].term, sympy.ZeroMatrix)


def test_softmax_cross_entropy_of_an_expression() -> None:
    """The gradient is ŷ − y, by NumPy."""
    rng = np.random.default_rng(0)
    logits, label = rng.standard_normal((3, 1)), np.array([[0.0], [1.0], [0.0]])
    (gradient,) = derive_expression(*EXPRESSIONS["softmax cross-entropy"]).gradients
    expected = np.exp(logits) / np.exp(logits).sum() - label
    np.testing.assert_allclose(number(gradient.term, {u: logits, y: label}), expected, rtol=1e-12)


@pytest.mark.parametrize(("expression", "wrt", "expected"), [
    (Trace(MatrixSymbol("Q", n, n)), "Q", "∇Q = I"),
    (Trace(MatrixSymbol("Q", n + 1, 2).T * MatrixSymbol("Q", n + 1, 2)), "Q", "∇Q = 2 Q"),
    (Trace(MatrixSymbol("Q", n, 2 * n).T * MatrixSymbol("Q", n, 2 * n)), "Q", "∇Q = 2 Q"),
])
def test_symbolic_dimensions(expression: Expr, wrt: str, expected: str) -> None:
    (symbol,) = (m for m in expression.atoms(MatrixSymbol) if str(m.name) == wrt)
    (gradient,) = derive_expression(expression, [symbol]).gradients
    assert TextPrinter().equation(gradient.equation) == expected


@pytest.mark.parametrize(("expression", "wrt"), [
    (X, X), (Trace(A * X), Y), (sympy.gamma(Trace(X)), X), (Trace(A * X.applyfunc(sympy.gamma)), X),
    (Trace(A * X.applyfunc(lambda t: s * t**2)), X), (Trace(A * X.applyfunc(sympy.floor)), X), (Trace(sympy.I * X), X),
    (Trace(sympy.FunctionMatrix(*A.shape, sympy.Lambda((s, x), s)) * X), X),
    (Trace(A * sympy.HadamardPower(X, s)), X), (Trace(A * sympy.HadamardPower(X, A)), X), (X**s, X)])
def test_expressions_that_are_refused(expression: Expr, wrt: Expr) -> None:
    with pytest.raises(InputError):
        derive_expression(expression, [wrt])


def test_singular_values_are_refused_and_do_not_crash() -> None:
    """det(T Tᵀ) is fine, det(TᵀT) of a 2 × 3 matrix is 0 for every T: its formula has no value."""
    derive_expression(Determinant(T * T.T), [T])
    with pytest.raises((VerificationError, InputError)):
        derive_expression(Determinant(T.T * T), [T])


@pytest.mark.parametrize("name", ["sin and cos", "two formulas"])
def test_two_functions_have_two_names(name: str) -> None:
    """Told apart on the page and in code."""
    derivation = derive_expression(*EXPRESSIONS[name])
    page = FORMATS["text"](derivation, derivation.gradients)
    definitions = [line.split("=")[0] for line in page.split("where\n")[1].split("\n\n")[0].splitlines()]
    assert len(set(definitions)) == len(definitions), definitions


def test_public_names_are_not_modules() -> None:
    """``from symbolic import derive`` is the function, though a module has its name."""
    names = ", ".join(symbolic.__all__)
    script = f"from symbolic import {names}; print([v for v in ({names}) if type(v).__name__ == 'module'])"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_identities_used_by_networks() -> None:
    """The cases above reach most identities through the engine, not only by themselves."""
    used = {step.rule.key for loss, samples, reduction in CASES for step in steps_of(
        derived(f"2-3-2:tanh,{LOSSES[loss].output or 'tanh'}{rows(loss, reduction, samples)}"))}
    assert {i.rule.key for i in IDENTITIES} & used >= {
        "quotient_cancels", "distribution", "product_of_ones", "ones_hadamard_product", "distributes",
        "expand_and_cancel", "common_coefficient"}


def steps_of(derivation: Derivation) -> Iterator[object]:
    return (step for gradient in derivation.gradients for step in gradient.steps)


@pytest.mark.parametrize("architecture", [QUIZ, "3-2-2:gelu,sigmoid?samples=rows&weight_decay=0.1"])
def test_every_step_cites_a_rule(architecture: str) -> None:
    for gradient in derived(architecture).gradients:
        assert_cited(gradient)


def assert_cited(gradient: Gradient) -> None:
    for step in gradient.steps:
        assert step.rule.key
        assert step.rule.source
        assert step.equation or (step.rule.latex and step.rule.text)
        assert LatexPrinter().statement(step)
        assert TextPrinter().statement(step)
    last = gradient.steps[-1].after
    assert len(last) == 1
    assert last[0].cotangent == gradient.term
    assert last[0].direction.args[0] == gradient.wrt
