"""The four formats: their schema, their width, what they say read back as numbers, LaTeX compiled for real."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterable
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from oracles import (
    LatexReader,
    differentials,
    gradients_of,
    line_value,
    number,
    program_values,
    sizes_of,
)
from sympy import Determinant, Expr, MatrixSymbol, Rational, S, Symbol, Trace, exp, log

from symbolic.architecture import read_architecture
from symbolic.derivation import Derivation
from symbolic.derivatives import differentiate_text
from symbolic.doors import derive, derive_expression
from symbolic.formats import FORMATS
from symbolic.formats.answers import answers_as_latex
from symbolic.functions import ScalarFunction, activations, scalar_function
from symbolic.general import derive_general
from symbolic.losses import LOSSES
from symbolic.names import latex_name, text_name
from symbolic.operations.entrywise import function_name
from symbolic.printing import LatexPrinter, TextPrinter
from symbolic.program import Equation
from symbolic.terms import (
    Elementwise,
    add,
    broadcast,
    elementwise,
    hadamard,
    negative,
    product,
    quotient,
    scale,
    symbols_of,
    transpose,
)

QUIZ = "3-3-3-3:sigmoid,sigmoid,softmax"
WIDTHS = "n0-n1-n2:tanh,softmax"
RICH = "4-3-3-3-2:gelu,mish,x/(1+x^2),softmax?samples=rows&reduction=mean&weight_decay=0.01"
NETWORKS = [QUIZ, WIDTHS, RICH, "3-2:identity", "3-4-2:relu,sigmoid?samples=rows&bias=false"] + [
    f"2-3-2:{activation},{LOSSES[loss].output or activation}?loss={loss}&samples={samples}&reduction={reduction}"
    f"&weight_decay={decay}" for loss in LOSSES for activation, samples, reduction, decay in (
        ("softplus", "rows", "mean", 0), ("leaky_relu", "columns", "mean", 0.1), ("elu", "rows", "sum", 0.1))] + [
    f"2-2-2:{activation},{activation}?loss=huber" for activation in (*activations(), "softmax", "x*abs(x)")]

N = Symbol("N", integer=True, positive=True)
A, X = (MatrixSymbol(name, 3, 3) for name in "AX")
EXPRESSIONS = {
    "traces": (Trace(X) * Trace(A * X.T) + Trace(X.inv()), [X]),
    "log det": (log(Determinant(A * X)), [X, A]),
    "quotient": (exp(Trace(A * X) / 2) / Trace(X.T * X), [X]),
}


@cache
def derived(name: str) -> Derivation:
    if name in EXPRESSIONS:
        return derive_expression(*EXPRESSIONS[name])
    if name.startswith("general "):
        return derive_general(read_architecture(name.removeprefix("general ")))
    return derive(read_architecture(name))


@cache
def page(name: str, form: str) -> str:
    return FORMATS[form](derived(name), derived(name).gradients)


def functions_of(derivation: Derivation) -> set[ScalarFunction]:
    terms = [e.term for e in derivation.forward.equations]
    terms += [t for g in derivation.gradients for s in g.steps for p in s.after for t in (p.cotangent, p.direction)]
    return {f.function for t in terms for f in t.atoms(Elementwise)}


# JSON

GRADIENT_KEYS = {"wrt", "name", "shape", "text", "latex", "assumptions", "steps"}


@pytest.mark.parametrize("name", [QUIZ, WIDTHS, RICH, "general " + QUIZ])
def test_json_schema(name: str) -> None:
    """Exactly the keys of the specification, and the evidence; LaTeX in before, after and statement."""
    data = json.loads(page(name, "json"))
    assert set(data) == {"name", "parameters", "assumptions", "functions", "constants", "notes", "forward",
                         "gradients", "verified"}
    for parameter in data["parameters"]:
        assert set(parameter) == {"name", "shape", "size"}
    for equation in data["forward"]:
        assert set(equation) == {"name", "text", "latex", "shape"}
    for gradient in data["gradients"]:
        assert set(gradient) == GRADIENT_KEYS
        assert gradient["name"] == f"grad_{gradient['wrt']}"
        for step in gradient["steps"]:
            assert set(step) == {"rule", "statement", "source", "before", "after"}
            assert all(step.values()), step
            for key in ("statement", "before", "after"):
                assert not re.search("[⟨⟩⊙⊘ᵀσ₀-₉ŷ∇𝓛]", step[key]), step[key]
        befores = [s["before"] for s in gradient["steps"]]
        assert befores == [r"\mathrm{d}\mathcal{L}", *(s["after"] for s in gradient["steps"][:-1])]
        assert set(gradient["assumptions"]) <= set(data["assumptions"])
    assert data["verified"]["max_relative_error"] < 1e-6


def test_json_of_the_quiz() -> None:
    data = json.loads(page(QUIZ, "json"))
    assert data["parameters"] == [{"name": f"{letter}{k}", "shape": [3, columns], "size": 3 * columns}
                                  for k in (1, 2, 3) for letter, columns in (("W", 3), ("b", 1))]
    assert [e["name"] for e in data["forward"]] == ["a1", "h1", "a2", "h2", "a3", "y_hat", "loss"]
    assert [g["name"] for g in data["gradients"]] == [
        "grad_a3", "grad_W3", "grad_b3", "grad_h2", "grad_a2", "grad_W2", "grad_b2", "grad_h1", "grad_a1", "grad_W1",
        "grad_b1", "grad_X"]
    first = data["gradients"][0]
    assert first["shape"] == [3, "N"]
    assert first["text"] == "∇a₃ = ŷ − Y"
    assert first["latex"] == r"\nabla_{a_3}\mathcal{L} = \hat{y} - Y"
    assumed = ["1ᵀY = 1ᵀ: each column of Y sums to one"]
    assert data["assumptions"] == assumed
    assert all(g["assumptions"] == assumed for g in data["gradients"]), "all of them build on the first"
    assert first["steps"][-1]["after"].strip() == r"\left\langle \hat{y} - Y, \mathrm{d}a_3\right\rangle"


def test_json_of_symbolic_widths() -> None:
    """A shape is integers or names of dimensions."""
    data = json.loads(page(WIDTHS, "json"))
    assert data["parameters"][0] == {"name": "W1", "shape": ["n1", "n0"], "size": "n0*n1"}
    assert data["gradients"][0]["shape"] == ["n2", "N"]


def test_selected_gradients_only() -> None:
    """A page shows those that are asked for, and the gradients that they build on as equations."""
    derivation = derived(QUIZ)
    shown = [derivation.gradient("W2")]
    data = json.loads(FORMATS["json"](derivation, shown))
    assert [g["wrt"] for g in data["gradients"]] == ["W2"]
    text = FORMATS["text"](derivation, shown)
    for line in ("∇W₂ = ∇a₂ h₁ᵀ", "∇a₂ = ∇h₂ ⊙ h₂ ⊙ (1 − h₂)", "∇h₂ = W₃ᵀ ∇a₃", "∇a₃ = ŷ − Y"):
        assert line in text
    assert "∇W₁" not in text
    assert "1ᵀY = 1ᵀ" in text


# Text

PROGRAM_TEXT = r"MatrixSymbol|MatMul|MatAdd|Transpose|Hadamard[A-Z]|Elementwise|Lambda|Piecewise|Dummy|\bTrue\b|\*\*"


@pytest.mark.parametrize("name", [QUIZ, WIDTHS, "3-2:sigmoid", "general " + QUIZ])
def test_text_fits_a_terminal(name: str) -> None:
    wide = [line for line in page(name, "text").splitlines() if len(line) > 80]
    assert not wide, "\n".join(wide)


def test_text_of_the_quiz() -> None:
    text = page(QUIZ, "text")
    for mark in "∇⊙⊘ŷᵀ⟨⟩σ𝓛₃":
        assert mark in text
    for line in ("∇a₃, assuming 1ᵀY = 1ᵀ", "∇a₃ = ŷ − Y", "3×3 = (3×N) (N×3)", "1ᵀY = 1ᵀ: each column of Y sums to one",
                 "1ᵀY = 1ᵀ, assumed: each column of Y sums to one"):
        assert line in text
    assert not re.search(PROGRAM_TEXT + r"|\\", text)


@pytest.mark.parametrize("name", NETWORKS)
def test_pages_are_free_of_program_text(name: str) -> None:
    """No class name, no Python operator; trailing space nowhere in the text."""
    text = page(name, "text")
    assert not re.search(PROGRAM_TEXT, text)
    assert "  d𝓛" in text
    assert all(line == line.rstrip() for line in text.splitlines())
    latex = page(name, "latex")
    assert not re.search(PROGRAM_TEXT, latex)
    assert r"\mathbb" not in latex


# What the page says, read back

@pytest.mark.parametrize("name", NETWORKS)
def test_latex_means_what_it_says(name: str) -> None:
    """Equations, every line and every gradient, parsed from the LaTeX, have the values of the terms."""
    derivation, latex = derived(name), LatexPrinter()
    program, functions = derivation.forward, functions_of(derivation)
    size = sizes_of([*program.inputs, *program.parameters])
    rng, axis = np.random.default_rng(0), 1 if "samples=rows" in name else 0
    values = program_values(program, size, rng, next((n for n in LOSSES if f"loss={n}" in name), ""))
    values |= gradients_of(program, values, [g.wrt for g in derivation.gradients], size)
    symbols = [*values, *{d for m in values if isinstance(m, MatrixSymbol) for s in m.shape for d in s.free_symbols}]
    reader = LatexReader(symbols, functions, values, size, axis)
    for equation in program.equations:
        left, right = latex.equation(equation).split(" = ")
        np.testing.assert_allclose(reader.value(right), reader.value(left), rtol=1e-12, err_msg=right)
    for gradient in derivation.gradients:
        direction = rng.standard_normal(np.shape(values[gradient.wrt]))
        d, _, moving = differentials(program, values, gradient.wrt, direction, size)
        reader = LatexReader(symbols, functions, values, size, axis, d, moving)
        for step in gradient.steps:
            page_value, expected = reader.value(latex.line(step.after)), line_value(step.after, values, size, d)
            assert page_value == pytest.approx(expected, rel=1e-9, abs=1e-12), latex.line(step.after)
            if step.equation:
                left, right = latex.statement(step).split(" = ")
                np.testing.assert_allclose(reader.value(right), reader.value(left), rtol=1e-12, err_msg=right)
        left, right = latex.equation(gradient.equation).split(" = ")
        np.testing.assert_allclose(reader.value(right), number(gradient.term, values, size), rtol=1e-12, err_msg=right)
        assert left == latex_name(f"grad_{gradient.wrt.name}")


MARKS = {
    r"\left\langle ": "⟨", r"\right\rangle ": "⟩", r"\langle ": "⟨", r"\rangle": "⟩", r"\left(": "(", r"\right)": ")",
    r"\lVert ": "‖", r"\rVert^{2}": "‖²", r"\lvert ": "|", r" \rvert": "|", r"\odot": "⊙", r"\oslash": "⊘",
    r"^{\top}": "ᵀ", r"^{-1}": "⁻¹", r"\mathrm{d}": "d", r"\mathbf{1}": "1", r"\mathbf{0}": "0", r"\,": "", "'": "′",
    "-": "−",
}


def as_text(latex: str, symbols: Iterable[Expr], functions: Iterable[ScalarFunction]) -> str:
    """Return LaTeX with each sign in Unicode, without spaces."""
    words = {latex_name(str(s.name)): text_name(str(s.name)) for s in symbols}
    words |= {function_name(f, latex=True): function_name(f, latex=False) for f in functions}
    words |= {r"\operatorname{softmax}": "softmax"} | MARKS
    latex = re.sub(r"(\\mathbf\{1\})_(\{[^{}]*(?:\{[^{}]*\})?[^{}]*\}|\w)", r"\1", latex)  # the text leaves lengths out
    latex = re.sub(r"\\frac\{([^{}]*)\}\{([^{}]*)\}", r"\1/\2", latex)
    pattern = "|".join(re.escape(w) for w in sorted(words, key=len, reverse=True))
    return re.sub(r"\s", "", re.sub(pattern, lambda m: words[m[0]], latex))


@pytest.mark.parametrize("name", [*NETWORKS, "general " + QUIZ, "general 3-2:tanh?samples=rows&reduction=mean"])
def test_text_says_what_latex_says(name: str) -> None:
    """Sign by sign, since the LaTeX was read back as numbers."""
    derivation, functions = derived(name), functions_of(derived(name))
    symbols = [e.symbol for e in derivation.program.equations]
    symbols += [*derivation.forward.inputs, *derivation.forward.parameters, *derivation.forward.constants, N]
    symbols += [s for g in derivation.gradients for s in (g.symbol, g.wrt)]
    symbols += [s for g in derivation.given.values() for s in symbols_of(g)]
    latex, text = LatexPrinter(), TextPrinter()

    def same(left: str, right: str) -> None:
        assert as_text(left, symbols, functions) == re.sub(r"\s", "", right)

    for equation in derivation.program.equations:
        same(latex.equation(equation), text.equation(equation))
    for gradient in derivation.gradients:
        for line in gradient.lines:
            same(latex.line(line), text.line(line))


@pytest.mark.parametrize("name", [QUIZ, RICH])
def test_every_line_is_on_every_page(name: str) -> None:
    """In order, with its statement; equal steps are not dropped."""
    latex, text = LatexPrinter(), TextPrinter()
    for form, printer in (("latex", latex), ("markdown", latex), ("text", text)):
        whole, position = page(name, form), 0
        for gradient in derived(name).gradients:
            for step in gradient.steps:
                position = whole.find("= " + printer.line(step.after).rstrip(), position)
                assert position >= 0, (form, gradient.wrt, step.rule.key)
    data = json.loads(page(name, "json"))
    assert [len(g["steps"]) for g in data["gradients"]] == [len(g.steps) for g in derived(name).gradients]


def test_functions_are_defined_on_the_page() -> None:
    """Each function of a formula has a definition, and only then."""
    text = page(RICH, "text")
    for name in ("gelu", "gelu′", "mish", "mish′", "f", "f′"):
        assert f"  {name}(x) = " in text
    assert "where" not in FORMATS["text"](derived("3-2:identity"), derived("3-2:identity").gradients)


def test_functions_of_building_blocks_are_defined() -> None:
    """Also where they occur in a gradient that the shown one builds on."""
    derivation = derived("3-2-2:relu,identity?loss=huber")
    shown = [derivation.gradient("W1")]
    assert "∇a₂ = huber′(r)" in FORMATS["text"](derivation, shown)
    for name in ("relu", "step", "huber", "huber′"):
        assert f"  {name}(x) = " in FORMATS["text"](derivation, shown)
        assert rf"\operatorname{{{name}}}(x) &=".replace("′}", "}'") in FORMATS["latex"](derivation, shown)


# Markdown

@pytest.mark.parametrize("name", [QUIZ, WIDTHS, RICH, "general " + QUIZ, *EXPRESSIONS])
def test_markdown_is_balanced(name: str) -> None:
    text = page(name, "markdown")
    assert text.count("$$") % 2 == 0
    assert text.count(r"\begin{aligned}") == text.count(r"\end{aligned}") > 0
    assert text.count(r"\left") == text.count(r"\right")
    blocks = text.split("$$")
    for outside in blocks[::2]:
        assert outside.count("$") % 2 == 0, outside
        assert "\\\\" not in outside
    for inside in blocks[1::2]:
        assert inside.count("{") == inside.count("}")
        assert inside.count(r"\begin{") == inside.count(r"\end{")
        assert inside.startswith("\n")
        assert inside.endswith("\n")
        assert "\n\n" not in inside
    assert r"\mathbb" not in text
    assert not re.search(r"\\begin\{align\*\}|\\par\b", text)


# LaTeX

COMPILED = [
    QUIZ, WIDTHS, RICH, "general " + QUIZ, "general 3-2:sigmoid?samples=rows&reduction=mean&loss=hinge",
    "12-12x11-1:tanh*11,x*sin(x)?name=a_b_c&weight_decay=0.1",
    "4-3-3-3-2:leaky_relu,elu,sign(x)*x^2,min(relu(x),6)?loss=mean_absolute_error&reduction=mean",
    "inputs-hidden_units-outputs:silu,sigmoid?loss=binary_cross_entropy&reduction=mean", *EXPRESSIONS,
]


@pytest.mark.skipif(shutil.which("pdflatex") is None and "CI" not in os.environ, reason="pdflatex is not here")
@pytest.mark.parametrize("name", COMPILED)
def test_latex_compiles_without_a_warning(name: str, tmp_path: Path) -> None:
    (tmp_path / "page.tex").write_text(page(name, "latex"), encoding="utf-8")
    done = subprocess.run(["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "page.tex"], cwd=tmp_path,
                          capture_output=True, check=False, timeout=60)
    log = (tmp_path / "page.log").read_text(encoding="utf-8", errors="replace")
    complaints = [line for line in log.splitlines()
                  if line.startswith("!") or re.search("Warning|Overfull|Undefined|Missing", line)]
    assert not complaints, "\n".join(complaints)
    assert done.returncode == 0
    assert "Output written" in log


@pytest.mark.parametrize("name", COMPILED)
def test_latex_is_of_the_common_subset(name: str) -> None:
    r"""No \mathbb, no Unicode outside the text, every statement and page complete."""
    latex = page(name, "latex")
    assert latex.startswith(r"\documentclass")
    assert latex.endswith("\\end{document}\n")
    assert r"\mathbb" not in latex
    assert latex.isascii(), {c for c in latex if not c.isascii()}


# Names

NAMES = {
    "a1": ("a_1", "a₁"), "W12": ("W_{12}", "W₁₂"), "h0": ("h_0", "h₀"), "y_hat": (r"\hat{y}", "ŷ"),
    "X": ("X", "X"), "Y": ("Y", "Y"), "r": ("r", "r"), "N": ("N", "N"), "n0": ("n_0", "n₀"),
    "loss": (r"\mathcal{L}", "𝓛"), "data_loss": (r"\mathcal{L}_{\mathrm{data}}", "𝓛_data"),
    "penalty": (r"\Omega", "Ω"), "lambda": (r"\lambda", "λ"),
    "grad_W3": (r"\nabla_{W_3}\mathcal{L}", "∇W₃"), "grad_a10": (r"\nabla_{a_{10}}\mathcal{L}", "∇a₁₀"),
    "grad_X": (r"\nabla_{X}\mathcal{L}", "∇X"), "grad_y_hat": (r"\nabla_{\hat{y}}\mathcal{L}", "∇ŷ"),
    "a_k": ("a_k", "aₖ"), "h_{k-1}": ("h_{k-1}", "hₖ₋₁"), "a_L": ("a_L", "a_L"), "n_{k-1}": ("n_{k-1}", "nₖ₋₁"),
    "n_L": ("n_L", "n_L"), "grad_h_{k-1}": (r"\nabla_{h_{k-1}}\mathcal{L}", "∇hₖ₋₁"),
    "hidden": (r"\mathrm{hidden}", "hidden"), "hidden_units": (r"\mathrm{hidden\_units}", "hidden_units"),
    "width2": (r"\mathrm{width}_2", "width₂"), "ab": (r"\mathrm{ab}", "ab"), "Na": (r"\mathrm{Na}", "Na"),
}


@pytest.mark.parametrize("name", NAMES)
def test_names(name: str) -> None:
    assert (latex_name(name), text_name(name)) == NAMES[name]


def test_names_stay_apart() -> None:
    """Two names of a program never read alike."""
    names = [*NAMES, *(f"{letter}{k}" for letter in "aWbht" for k in range(1, 120)), "t1", "t_1x", "W1_2", "a", "b"]
    for spell in (latex_name, text_name):
        spelled = {n: spell(n) for n in dict.fromkeys(names)}
        assert len(set(spelled.values())) == len(spelled), sorted(
            n for n in spelled if list(spelled.values()).count(spelled[n]) > 1)


# Signs and parentheses

P, Q, R = (MatrixSymbol(name, 2, 2) for name in "PQR")
s = Symbol("s", real=True)


def test_parentheses() -> None:
    """A table of terms that read differently without them."""
    v = MatrixSymbol("v", 2, 1)
    table = {
        "(P + Q) R": product(add(P, Q), R), "P Q + R": add(product(P, Q), R), "P ⊙ (Q + R)": hadamard(P, add(Q, R)),
        "(P ⊙ Q) R": product(hadamard(P, Q), R), "P ⊙ Q R": hadamard(P, product(Q, R)),
        "P ⊘ (Q ⊙ R)": quotient(P, hadamard(Q, R)), "(P ⊘ Q) ⊙ R": hadamard(quotient(P, Q), R),
        "Pᵀ + Qᵀ": transpose(add(P, Q)), "Qᵀ Pᵀ": transpose(product(P, Q)), "P − Q": add(P, negative(Q)),
        "P − 2 Q": add(P, scale(S(-2), Q)), "−P": negative(P), "−P Q": negative(product(P, Q)),
        "2/3 (P ⊙ Q)": scale(Rational(2, 3), hadamard(P, Q)), "2 (P + Q)": scale(S(2), add(P, Q)),
        "s P": scale(s, P), "tanh(P + Q)": elementwise(scalar_function("tanh"), add(P, Q)),
        "P + v 1ᵀ": add(P, negative(broadcast(negative(v), 1, S(2)))),
        "−(v 1ᵀ) Q": product(broadcast(negative(v), 1, S(2)), Q),
    }
    for expected, term in table.items():
        assert TextPrinter().show(term) == expected
        assert TextPrinter().equation(Equation(P, term)) == f"P = {expected}"


def test_products_with_gradients_and_differentials_stand_apart() -> None:
    """∇_a 𝓛 h is no gradient of 𝓛 h, and dX Y no differential of X Y: in LaTeX a thin space says so."""
    derivation = derive(read_architecture("2-3-2:tanh,softmax"))
    latex = FORMATS["latex"](derivation, derivation.gradients) + answers_as_latex(
        differentiate_text("inv(X)*A", ["X"], 1, {}, {}, "unconstrained"))
    assert r"\nabla_{a_2}\mathcal{L}\, h_1^{\top}" in latex
    assert r"-X^{-1}\, \mathrm{d}X\, X^{-1}" in latex
    assert r"\mathcal{L} h" not in latex
    assert r"\mathrm{d}X X" not in latex


@pytest.mark.parametrize(("name", "latex"), [
    ("dF", r"\mathrm{d}F"), ("dW1", r"\mathrm{d}W_1"), ("dx", r"\mathrm{d}x"), ("data", r"\mathrm{data}"), ("d", "d")])
def test_the_d_of_a_differential_alone_is_upright(name: str, latex: str) -> None:
    assert latex_name(name) == latex
