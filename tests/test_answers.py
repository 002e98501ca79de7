"""Answers of every kind against differences of hand-written NumPy, their records, and the door for Python."""

from __future__ import annotations

import re
import shutil
import subprocess
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import reference
import sympy
from sympy import Determinant, HadamardProduct, Inverse, MatrixSymbol, S, Symbol, Trace

import symbolic.answering
from codegen.loading import load_expression
from symbolic import differential, gradient, hessian, jacobian, matrix, scalar, vector
from symbolic.answering import Question, answer
from symbolic.answers import Answer
from symbolic.derivatives import differentiate_text
from symbolic.errors import InputError, VerificationError
from symbolic.evidence import verify_answer
from symbolic.formats.answers import ANSWER_FORMATS, answer_data
from symbolic.formats.latex import escape
from symbolic.identities import IDENTITIES
from symbolic.language import read
from symbolic.moves import MOVES
from symbolic.operations import OPERATIONS
from symbolic.operations.kronecker import commutation
from symbolic.program import Equation
from symbolic.structure import tril
from symbolic.terms import product, scale

SIZES = {"m": 3, "n": 4, "k": 2}


def central(function: Callable[..., Any], values: dict[str, Any], name: str) -> Any:
    """Return the derivative of vec f by vec of an argument, column by column, by central differences."""
    point, columns = np.asarray(values[name], float), []
    for place in np.ndindex(point.shape[::-1]):
        step = np.zeros(point.shape)
        step[place[::-1]] = 1e-5
        ahead, behind = (np.ravel(function(**values | {name: point + s}), order="F") for s in (step, -step))
        columns.append((ahead - behind) / 2e-5)
    return np.array(columns).T


CASES: dict[str, tuple[str, str, str, Callable[..., Any]]] = {
    "gradient of a scalar by a vector": ("x: n; A: n x n; x'*A*x", "x", "gradient", lambda x, A: x.T @ A @ x),
    "gradient by a matrix": ("X: m x n; sum(X.^3)", "X", "gradient", lambda X: np.sum(X**3)),
    "gradient by a scalar": ("x: n; sum(sin(c*x))", "c", "gradient", lambda c, x: np.sum(np.sin(c * x))),
    "vector by vector": ("A: m x n; x: n; tanh(A*x)", "x", "jacobian", lambda A, x: np.tanh(A @ x)),
    "vector by scalar": ("x: n; exp(c*x)", "c", "jacobian", lambda c, x: np.exp(c * x)),
    "row by vector": ("A: m x n; z: m; z'*A", "z", "jacobian", lambda A, z: z.T @ A),
    "matrix by scalar": ("X: m x n; sin(c*X)", "c", "jacobian", lambda c, X: np.sin(c * X)),
    "matrix by vector": ("x: n; z: m; x*z'", "x", "differential", lambda x, z: x @ z.T),
    "vector by matrix": ("A: m x n; x: n; A*x", "A", "differential", lambda A, x: A @ x),
    "matrix by matrix": ("A: m x n; A*A'", "A", "differential", lambda A: A @ A.T),
    "transpose by matrix": ("A: m x n; A'", "A", "differential", lambda A: A.T),
    "constant": ("x: n; y: m; x'*x*y - x'*x*y + y", "x", "jacobian", lambda x, y: y),
}


@pytest.mark.parametrize("name", CASES)
def test_first_derivatives(name: str) -> None:
    text, wrt, kind, function = CASES[name]
    (found,) = differentiate_text(text, [wrt]).answers
    assert found.kind == kind
    values = reference.draw(text, SIZES, np.random.default_rng(0))
    ours = np.asarray(reference.evaluate(found.text, values, SIZES), float)
    expected = central(function, values, wrt)
    if kind == "gradient" or np.ndim(values[wrt]) == 0:
        ours = ours.reshape(expected.shape, order="F")
    np.testing.assert_allclose(ours, expected, rtol=1e-6, atol=1e-7)


@pytest.mark.parametrize("name", [n for n, (_, _, kind, _) in CASES.items() if kind == "differential"])
def test_map_is_the_differential(name: str) -> None:
    text, wrt, _, function = CASES[name]
    (found,) = differentiate_text(text, [wrt]).answers
    rng = np.random.default_rng(1)
    values = reference.draw(text, SIZES, rng)
    direction = rng.standard_normal(np.shape(values[wrt]))
    ours = reference.evaluate(found.map_text, values | {str(found.direction.name): direction}, SIZES)
    ahead, behind = (function(**values | {wrt: values[wrt] + s * direction}) for s in (1e-5, -1e-5))
    np.testing.assert_allclose(ours, (ahead - behind) / 2e-5, rtol=1e-6, atol=1e-8)


SECOND: dict[str, tuple[str, list[str], Callable[..., Any]]] = {
    "two vectors": ("x: n; z: m; A: n x m; x'*A*z + (x'*x)^2*sum(z)", ["x", "z"],
                    lambda x, z, A: (x.T @ A @ z + (x.T @ x) ** 2 * np.sum(z))[0, 0]),
    "scalar and vector": ("x: n; c^3*sum(exp(c*x))", ["c", "x"], lambda c, x: c**3 * np.sum(np.exp(c * x))),
    "vector and scalar": ("x: n; c^3*sum(exp(c*x))", ["x", "c"], lambda c, x: c**3 * np.sum(np.exp(c * x))),
    "matrix and vector": ("X: m x n; x: n; sum((X*x).^3)", ["X", "x"], lambda X, x: np.sum((X @ x) ** 3)),
    "scalar and matrix": ("X: m x n; sum(sin(c*X))", ["c", "X"], lambda c, X: np.sum(np.sin(c * X))),
    "symmetric": ("A: n x n symmetric; tr(A*A*A)", ["A"], lambda A: np.trace(A @ A @ A)),
}


@pytest.mark.parametrize("name", SECOND)
def test_second_derivatives(name: str) -> None:
    """Every block, mixed ones too, against differences of differences."""
    text, wrt, function = SECOND[name]
    answers = differentiate_text(text, wrt, 2).answers
    assert [a.name for a in answers] == [*wrt, *([", ".join(wrt)] if len(wrt) > 1 else [])]
    values = reference.draw(text, SIZES, np.random.default_rng(2))
    for found in answers:
        first, last = (str(w.name) for w in (found.wrt[0], found.wrt[-1]))

        def slope(first: str = first, **given: Any) -> Any:
            return central(function, given, first)

        expected = central(slope, values, last)
        ours = np.asarray(reference.evaluate(found.text, values, SIZES), float).reshape(expected.shape, order="F")
        np.testing.assert_allclose(ours, expected, rtol=1e-3, atol=1e-3, err_msg=found.text)


def asked(text: str, wrt: str, order: int = 1) -> Question:
    reading = read(text)
    return Question(text, reading.program, (reading.symbols[wrt],), order)


WRONG = [
    ("x: n; x'*x", "x", 1, lambda t: scale(S(3), t)),
    ("X: n x n; tr(X*X)", "X", 1, lambda t: sympy.Basic.__new__(sympy.Transpose, t)),
    ("X: n x n; X*X", "X", 1, lambda t: scale(1 + S(10) ** -6, t)),
    ("X: n x n; tr(X*X)", "X", 2, lambda t: product(t, commutation(*2 * [t.shape[0] ** S.Half]))),
]


@pytest.mark.parametrize(("text", "wrt", "order", "spoil"), WRONG)
def test_wrong_answer_is_withheld(text: str, wrt: str, order: int, spoil: Callable[[Any], Any]) -> None:
    question = asked(text, wrt, order)
    (found,) = answer(question).answers
    wrong = Equation(found.equation.symbol, spoil(found.equation.term))
    spoiled = replace(found, equations=(*found.equations[:-1], wrong))
    with pytest.raises(VerificationError, match="could not be verified"):
        verify_answer(question.program, spoiled)


def test_gradient_simplified_by_symmetry_is_not_differentiated_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """2 S for tr(S S) is true at symmetric S alone: its derivative 2 I is not the Hessian, and is withheld."""
    monkeypatch.setattr(symbolic.answering, "OPEN", (*symbolic.answering.OPEN, "symmetric"))
    with pytest.raises(VerificationError):
        differentiate_text("S: n x n symmetric; tr(S*S)", ["S"], 2)


def test_wrong_map_is_withheld() -> None:
    question = asked("X: n x n; X*X", "X")
    (found,) = answer(question).answers
    spoiled = replace(found, map=(Equation(found.map[0].symbol, scale(S(2), found.map[0].term)),))
    with pytest.raises(VerificationError):
        verify_answer(question.program, spoiled)


@pytest.mark.parametrize(("text", "wrt", "expected", "assumption"), [
    ("S: n x n symmetric; x: n; x'*S*x", "x", "2*S*x", "Sᵀ = S: S is symmetric"),
    ("D: n x n diagonal; x: n; x'*D*x", "x", "2*D*x", "Dᵀ = D: D is diagonal"),
    ("x: n positive; sum(abs(x))", "x", "ones(n, 1)", "x > 0: each entry of x is positive"),
    ("W: k x n; x: n; y: k distribution_cols; q = softmax(W*x); -y'*log(q)", "W", "(q - y)*x'", "1ᵀy = 1ᵀ"),
    ("W: n x k; X: m x n; Y: m x k onehot_rows; Q = softmax_rows(X*W); -sum(Y.*log(Q))", "W", "X'*(Q - Y)", "Y 1 = 1"),
])
def test_properties_are_used_and_named(text: str, wrt: str, expected: str, assumption: str) -> None:
    (found,) = differentiate_text(text, [wrt]).answers
    assert found.text.rsplit("; ", 1)[-1] == expected
    assert any(f"{a.text}: {a.reason}".startswith(assumption) for a in found.assumptions)
    (plain,) = differentiate_text(re.sub(r" (symmetric|diagonal|positive|distribution_cols|onehot_rows)", "", text),
                                  [wrt]).answers
    assert plain.assumptions == ()
    assert plain.text.rsplit("; ", 1)[-1] != expected


def test_convention_is_said() -> None:
    (found,) = differentiate_text("S: n x n psd; logdet(S)", ["S"]).answers
    assert any("unconstrained" in note for note in found.notes)


@pytest.mark.parametrize(("text", "words"), [
    ("norm2(x)", "norm"), ("sum(max(x, y))", "equal"), ("norminf(x)", "largest"), ("sum(abs(x))", "not differentiable"),
    ("sum(relu(x))", "not differentiable"), ("det(X)*sum(x)", "invertible"), ("abs(x'*x)", "not differentiable")])
def test_points_without_a_derivative_are_named(text: str, words: str) -> None:
    answers = differentiate_text(text, ["x"])
    assert any(words in note for note in answer_data(answers, answers.answers[0])["notes"])


def test_long_program_is_linear() -> None:
    """The gradients of a long program go by named ones: equations and text grow with its length alone."""
    def found(length: int) -> Answer:
        lines = ["W: n x n; x0: n", *(f"x{i + 1} = tanh(W*x{i})" for i in range(length)), f"x{length}'*x{length}"]
        (only,) = differentiate_text("\n".join(lines), ["x0"]).answers
        return only

    short, long = found(20), found(40)
    assert len(long.equations) <= 2 * len(short.equations)
    assert len(long.text) <= 2.3 * len(short.text)


# The door for Python.

A, X = matrix("A", "n", "n"), matrix("X", "n", "n")
x, c = vector("x", "n"), scalar("c")
n = Symbol("n", integer=True, positive=True)


@pytest.mark.parametrize(("found", "expected"), [
    (lambda: gradient(x.T * A * x, x), "(A + A')*x"), (lambda: gradient("x'*A*x", "x"), "(A' + A)*x"),
    (lambda: gradient(Trace(A * X), X), "A'"), (lambda: gradient(sympy.log(Determinant(X)), X), "inv(X')"),
    (lambda: gradient(c**2 * Trace(X), c), "2*c*tr(X)"), (lambda: gradient(sympy.sin(c) * Trace(X), c), "cos(c)*tr(X)"),
    (lambda: jacobian(A * x, x), "A"), (lambda: jacobian(HadamardProduct(x, x), x), "2*diag(x)"),
    (lambda: jacobian(x.applyfunc(sympy.exp), x), "diag(exp(x))"), (lambda: differential(Inverse(X), X), None),
    (lambda: hessian(x.T * A * x, x), None), (lambda: hessian(x.T * A * x, x, {"A": "symmetric"}), "2*A"),
    (lambda: jacobian(sympy.BlockMatrix([[x], [A * x]]), x), None), (lambda: gradient(X[0, 1], X), None),
    (lambda: differential(sympy.kronecker_product(X, A), X), None),
])
def test_door(found: Callable[[], Any], expected: str | None) -> None:
    derivative = found()
    assert expected is None or derivative.text == expected
    assert isinstance(derivative.sympy, sympy.Expr)
    assert derivative.latex()
    assert derivative.steps
    assert derivative.answer.verified is not None
    assert derivative._repr_latex_().startswith("$")
    assert "def derivative(" in derivative.to_python()


def test_door_for_several_variables() -> None:
    by_x, by_a = gradient(x.T * A * x, [x, A])
    assert (by_x.text, by_a.text) == ("(A + A')*x", "x*x'")
    assert [h.answer.name for h in hessian("x'*A*y", ["x", "y"])] == ["x", "y", "x, y"]


def test_lambdify_and_page() -> None:
    derivative = gradient(x.T * A * x, x)
    a, v = np.arange(9.0).reshape(3, 3), np.ones((3, 1))
    np.testing.assert_allclose(derivative.lambdify()(A=a, x=v), (a + a.T) @ v)
    assert max(map(len, derivative.page().splitlines())) <= 80
    assert str(derivative) == "(A + A')*x"


@pytest.mark.parametrize("call", [
    lambda: gradient(A * x, x), lambda: jacobian(x.T * x, x), lambda: gradient(x.T * x, MatrixSymbol("z", n, 1)),
    lambda: gradient("x'*", "x"), lambda: gradient(3, x), lambda: hessian(A * x, x), lambda: gradient("sum(x)", []),
    lambda: gradient("sum(x)", "x", {"x": "sparse"}), lambda: gradient("sum(x)", "x", {"w": "positive"}),
    lambda: matrix("X", "2n", 3)])
def test_door_refuses_in_one_line(call: Callable[[], Any]) -> None:
    with pytest.raises(InputError) as raised:
        call()
    assert "\n" not in str(raised.value)


@pytest.mark.parametrize(("text", "wrt"), [
    ("x, y: n; norm2(x*((y'.*y') - (c*y')))^2", "c"), ("x, y: n; sum((x.*y)'*(c*x.*y))", "c"),
    ("X: m x n; x: n; z: m; (z'.*(X*x)')*(c*z.*z)", "c")])
def test_text_means_the_answer(text: str, wrt: str) -> None:
    """Entrywise factors keep their parentheses beside a product."""
    (found,) = differentiate_text(text, [wrt]).answers
    values = reference.draw(text, SIZES, np.random.default_rng(3))
    expected = central(lambda **given: reference.evaluate(text, given, SIZES), values, wrt)
    assert np.ravel(reference.evaluate(found.text, values, SIZES)) == pytest.approx(np.ravel(expected), rel=1e-6)


def rules() -> list[Any]:
    """Return every rule that a page may cite."""
    of_rows = [r for row in OPERATIONS.values() for e in row.examples() if type(e) is row.node
               for r in (row.differential_rule(e), row.transposition_rule, row.matrix_rule) if r is not None]
    return [*of_rows, *(i.rule for i in IDENTITIES), *(m.rule for m in MOVES)]


@pytest.mark.parametrize("rule", rules(), ids=lambda r: r.key)
def test_sources_can_be_set_in_latex(rule: Any) -> None:
    """LaTeX's own character set ends at Latin letters: symbols have to become mathematics."""
    assert escape(rule.source).encode("latin-1")
    assert all(c.isascii() for c in rule.latex)


PAGES = ["q = softmax(W*x); -y'*log(q)", "sum(kron(W,W)) + tr(chol(W*W'+eye(m)))", "norminf(W*x) + sum(max(W, 2))",
         "S: n x n psd; tr(inv(S)*W'*W)", "[W*x; x]'*[W*x; 2x] + norm1(W[1, :])", "sum(logsumexp_rows(W).*max_rows(W))"]


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="needs pdflatex")
@pytest.mark.parametrize(("text", "order"), [(t, o) for t in PAGES for o in (1, 2)])
def test_page_compiles(text: str, order: int, tmp_path: Path) -> None:
    page = ANSWER_FORMATS["latex"](differentiate_text(f"W: m x n; x: n; {text}", ["W"], order))
    (tmp_path / "page.tex").write_text(page)
    done = subprocess.run(["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "page.tex"], cwd=tmp_path,
                          capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout[-2000:]


@pytest.mark.parametrize(("text", "wrt", "expected"), [
    ("x[1:3]", "x", "eye(n)[1:3, :]"), ("X: n x n; X[2,3]^2", "X", None), ("sum([A,B].^2)", "A", "2*A"),
    ("x'*y*y'*x", "x", "2*(x'*y)*y"), ("det(c*X)", "c", "n*det(c*X)/c"), ("A: m x n; chol(A*A')", "A", None),
    ("sum(chol(X'*X))", "X", None), ("1e-3x", "x", "eye(n)/1000"), ("1e60*norm2(A*x)^2", "x", "2e60*A'*A*x"),
    ("X: m x n; mean_rows(X)", "X", "kron(ones(1, n), eye(m))/n"), ("x'*diag(y)*x", "y", "x.^2"),
    ("sum(x.^c)", "c", None), ("max(zeros(m, n), 0.5)*x", "x", None)])
def test_what_new_users_tried(text: str, wrt: str, expected: str | None) -> None:
    (found,) = differentiate_text(text, [wrt]).answers
    assert expected is None or found.text.rsplit("; ", 1)[-1] == expected


def test_sympy_entries_of_an_answer() -> None:
    """Entries of products with diag(v) are no zeros: i == j is not asked of symbols."""
    term = jacobian("A: 2 x 2; x: 2; tanh(A*x)", "x").sympy
    entries = term.as_explicit()
    assert all(e != 0 for e in entries)
    assert sympy.Matrix(tril(matrix("B", 2, 2)).as_explicit())[0, 1] == 0


@pytest.mark.parametrize(("text", "wrt", "words"), [
    ("Q = softmax_rows(X); sum(Q.*Y)", "X", "within each row"), ("sum(sqrt(x))", "x", "sqrt is not"),
    ("logdet(X)", "X", "determinant is positive"), ("S: n x n diagonal; tr(S*X)", "S", "diag(diag(G))"),
    ("sum(x.^c)", "x", "taken to be positive"), ("sum(abs(x))", "x", "abs is not differentiable at 0")])
def test_notes_are_said_once(text: str, wrt: str, words: str) -> None:
    answers = differentiate_text(text, [wrt])
    notes = answer_data(answers, answers.answers[0])["notes"]
    assert sum(words in note for note in notes) == 1, notes
    assert not any("symmetric" in note for note in notes) or "symmetric" in text or "diagonal" in text


def test_block_of_a_wide_matrix_and_a_scalar() -> None:
    """The derivative of a matrix by a scalar keeps its shape; it is compared column by column."""
    answers = differentiate_text("X: k x n; z: k; c^2*z'*sum_rows(sin(c*X))", ["X", "c"], 2)
    assert answers["X, c"].equation.symbol.shape == answers.program.inputs[[
        str(s.name) for s in answers.program.inputs].index("X")].shape


def test_answer_too_long_for_the_language_is_given_without_text() -> None:
    (found,) = differentiate_text("\n".join(
        ["x0: n", *(f"x{i + 1} = sin(x{i})" for i in range(250)), "x250'*x250"]), ["x0"]).answers
    assert found.text == ""
    assert any("no text" in note for note in found.notes)


def test_functions_of_scalars_are_defined_on_the_page() -> None:
    page = ANSWER_FORMATS["text"](differentiate_text("sin(c)*x'*x", ["c"], 2))
    assert "cos′(x) = −sin(x)" in page or "cos′(x) = -sin(x)" in page


@pytest.mark.parametrize(("text", "function", "free"), [
    ("S: n x n psd; logdet(S)", lambda S: np.linalg.slogdet(S)[1], "symmetric"),
    ("A: n x n; S: n x n symmetric; tr(A*S*A*S)", lambda A, S: np.trace(A @ S @ A @ S), "symmetric"),
    ("A: n x n; S: n x n diagonal; tr(S*A*S)", lambda A, S: np.trace(S @ A @ S), "diagonal")])
def test_symmetric_convention(text: str, function: Callable[..., Any], free: str) -> None:
    """The derivative by s_ij moves s_ji with it."""
    answers = differentiate_text(text, ["S"], convention="symmetric")
    (found,) = answers.answers
    values = reference.draw(text, SIZES, np.random.default_rng(5))
    expected = np.zeros((4, 4))
    for i, j in np.ndindex(4, 4):
        if free == "symmetric" or i == j:
            step = np.zeros((4, 4))
            step[i, j] = step[j, i] = 1e-5
            ahead, behind = (function(**values | {"S": values["S"] + s}) for s in (step, -step))
            expected[i, j] = (ahead - behind) / 2e-5
    np.testing.assert_allclose(reference.evaluate(found.text, values, SIZES), expected, rtol=1e-6, atol=1e-8)
    assert any("symmetric convention is answered" in note for note in found.notes)
    assert load_expression(answers).check() <= 1e-5


@pytest.mark.parametrize(("text", "wrt", "order"), [
    ("X: n x n; tr(X)", "X", 1), ("S: n x n symmetric; S*S", "S", 1), ("S: n x n symmetric; tr(S*S)", "S", 2)])
def test_symmetric_convention_is_for_gradients_by_symmetric_matrices(text: str, wrt: str, order: int) -> None:
    with pytest.raises(InputError, match="declared symmetric"):
        differentiate_text(text, [wrt], order, convention="symmetric")
