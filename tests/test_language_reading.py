"""From texts of the matrix language to programs: shapes, values against an interpreter of its own, refusals."""

from __future__ import annotations

import random
import tomllib
from pathlib import Path

import numpy as np
import pytest
from reference import draw, evaluate
from sympy import MatrixSymbol, Symbol

from symbolic.errors import InputError
from symbolic.evaluate import run
from symbolic.language.functions import LANGUAGE
from symbolic.language.reading import read, read_property, read_shape
from symbolic.terms import shape

SIZES = {"m": 4, "n": 3, "k": 2, "p": 5}
NAMES = ("A, B: n x n; S: n x n psd; X, Y: m x n positive; W: n x m; H: k x n; R: 1 x n; x, y: n; z: m; "
         "c, d: scalar positive; ")


def shapes(text, **more):
    """Return the shapes of the inputs and of the result, as words."""
    reading = read(text, **more)
    result = reading.program.equations[-1].term
    return {n: spelled(s) for n, s in reading.symbols.items()} | {"": spelled(result)}


def spelled(term):
    return "scalar" if shape(term) == (1, 1) else "×".join(map(str, shape(term)))


def size(dimension):
    return int(dimension.subs({s: SIZES[s.name] for s in dimension.free_symbols}))


def check_value(text, seed=0, meaning=None):
    """Compare the value of a text with the interpreter's, at random values of what it declares.

    ``meaning`` is the text that the interpreter is given, where it reads less than we do.
    """
    values = draw(meaning or text, SIZES, np.random.default_rng(seed))
    reading = read(text)
    given = {symbol: values[name] for name, symbol in reading.symbols.items()}
    found = run(reading.program.equations, given, size)[reading.program.result]
    expected = evaluate(meaning or text, values, SIZES)
    assert np.shape(found) == np.shape(expected), text
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-12, err_msg=text)


# Values.

ENTRYWISE = ("sin", "cos", "tan", "arctan", "sinh", "cosh", "tanh", "exp", "log", "sqrt", "abs", "sign", "relu",
             "step", "sigmoid", "softplus", "erf", "gelu", "silu", "leaky_relu", "elu")

VALUES = [
    *(f"{f}({a})" for f in ENTRYWISE for a in ("X", "x.^2", "c", "0.7")),
    *(f"{f}({a} - 0.5)" for f in ("abs", "sign", "relu", "step", "leaky_relu", "elu", "gelu") for a in "Xxcm"),
    *(f"{f}({a}/9)" for f in ("arcsin", "arccos") for a in ("A", "x", "c", "2")),
    *(f"{f}({a})" for f in ("max", "min") for a in ("X, Y", "X, 0.5", "c, X", "c, d", "d, c", "2, 3", "x, c", "m, n")),
    *(f"{f}({a})" for f in ("sum", "mean", "norm1", "norm2", "norminf", "logsumexp", "vec", "tril", "argmax",
                            "argmax_rows", "argmax_cols", "sum_rows", "sum_cols", "mean_rows", "mean_cols",
                            "max_rows", "max_cols", "logsumexp_rows", "logsumexp_cols", "softmax_rows",
                            "softmax_cols", "log_softmax_rows", "log_softmax_cols")
      for a in ("X", "A - B", "x", "x'", "c", "3")),
    *(f"{f}({a})" for f in ("tr", "det", "inv", "adj", "diag") for a in ("A", "A*B", "S", "c", "4")),
    *(f"logdet({a})" for a in ("A", "X'*X", "c", "4")),
    *(f"softmax({a})" for a in ("x", "A*x", "c", "3")),
    *(f"chol({a})" for a in ("S", "A*A' + eye(n)", "c", "4")),
    "diag(x)", "diag(A*x)", "kron(A, x)", "kron(x', X)", "kron(c, A)", "kron(A, 2)", "kron(c, d)", "kron(x, y)",
    "ones(m, n)", "ones(1, 1)", "zeros(m, n)", "eye(n)", "eye(1)", "ones(m - k, 2*n + 1)",
    "ones(n^2, (m + 1)*k)", "commutation(m, n)*vec(X)", "commutation(1, n)", "commutation(m, 2)",
    "reshape(X, n, m)", "reshape(x, 1, n)", "reshape(X, m*n, 1)", "reshape(A, 1, n^2)", "reshape(c, 1, 1)",
    "sum(ones(m, n))", "tr(eye(n))", "tr(ones(n, n))", "sum(zeros(m, 2))", "sum(2*ones(m, 1))", "sum(3)",
    "mean(ones(m, n))",
    # operators
    "X + Y - 2*X + 1 - c", "1 + 2 + X", "2 + c - X + 3", "c*X*d*2", "X*A*x", "x'*A*y", "x'*y*x", "x*y'*x", "x*x'*y*y'",
    "c/d/2*X/c", "X./Y./X", "1./X", "c./X", "X/c", "2*X./Y*3", "c*X./Y", "c./d", "X.*Y.*X", "X.*c", "c.*d", "x.*(A*x)",
    "A^2", "A^3*x", "A^-1", "A^(-2)", "A^0", "A^1", "A^2'", "A^-1'", "(A*B)^2", "A'^2", "c^2", "c^d", "c^-2",
    "c^(1/3)", "2^c", "2^3^2", "-2^2", "2^-1", "c**2", "(-2)^3", "m^2", "X.^2", "X.^0", "X.^-1", "X.^-2", "X.^0.5",
    "X.^(1/3)", "X.^7", "X.^c", "X.^Y", "2.^X", "c.^X", "c.^x'", "X.^sqrt(2)", "X.^m", "c.^d", "A.^3", "(A - B).^4",
    "-X'", "--c", "+x", "x''", "x'''*y", "2x", "2x.^2", "2(x + y)", "3 x'*y", "-2x", "1/2c", "X'*X*x - 2 x",
    "sum(X)/m", "x*n", "sqrt(c^2)", "sqrt(4*c^2*d^2)", "(c^2)^1.5", "sqrt((x'*y)^2)", "exp(log(c))", "log(exp(c))",
    "(x'*y)^2/norm2(x)^2", "m*n/(m + n)", "R*x", "x'*R'", "R*R'*X", "sum_rows(R)", "0*X + 1", "0*c", "x - x",
    "1e-3*x", "0.1e2*c", "2.5*x'*x", "3.141592653589793*c",
    # slices
    "X[1:2, 2:3]", "X[2, :]", "X[:, 2]", "X[2, 3]", "X[2:, :2]", "X[:, :]", "X[3]", "X[1:k, k:n]", "X[k+1:m, n]",
    "X[m, n]", "X[m - 1, n - 1]", "X[k*2, :]", "x[2]", "x[1:2]", "x[:]", "x[k:]", "x[:k]", "x[1:n-1]", "x[n]",
    "R[1, 2:n]",
    "(A*x)[2:3]", "A^2[1, :]", "A'[1, 2:3]", "X[2:4, :][1:2, 2]", "x[1:2]'*y[2:3]", "c[1]", "c[1, 1]", "(R*x)[1]",
    "ones(m, n)[2:3, :]", "(2*X)[1, 1]", "X[1:\n 2, 1]", "X[1, :]*x + c", "exp(X)[2, 2]^2",
    # blocks
    "[A, B]", "[A; B]", "[A, B; B, A]", "[A, x; y', 1]", "[A, x; y', c]", "[x, y]", "[x; y]", "[x', c]", "[c, d; d, c]",
    "[1, 2; 3, 4]", "[c]", "[x]", "[[A, B]; [B, A]]", "[[x; y], [y; x]]", "[A, B]*[x; y]", "[X; R]", "[H; A; R]",
    "[zeros(n, 2), A]", "[1, 2]*[3; 4]", "[1, 2;\n 3, 4]", "[A,\n B]", "[x[1:2]]", "[X, z; A, ones(n, 1)]",
    "det([A, x; y', 3])", "[A, x, y][1:2, n:n+2]", "[-A, -x; x', -1]", "[X, X; A, A]",
]


@pytest.mark.parametrize("expression", VALUES)
def test_values(expression):
    check_value(NAMES + expression)


@pytest.mark.parametrize(("expression", "meaning"), {
    "ones(n)": "ones(n, 1)", "zeros(k)": "zeros(k, 1)", "[A, B\n B, A]": "[A, B; B, A]", "[x\n\n y]": "[x; y]",
    "[1, 2;\n\n 3,\n 4 # end\n]": "[1, 2; 3, 4]", "(1\n + 2)": "3", "[A*(x\n - y)\n x]": "[A*(x - y); x]",
    "x" + "'" * 4: "x",
}.items())
def test_values_of_what_the_interpreter_does_not_read(expression, meaning):
    check_value(NAMES + expression, meaning=NAMES + meaning)


def test_every_function_is_tried():
    tried = {f for f in LANGUAGE for text in VALUES if f"{f}(" in text}
    assert set(LANGUAGE) == tried


@pytest.mark.parametrize("text", [
    "q = softmax(A*x); L = q*q'; tr(L) - c",
    "X: m x n\nw: n\nr = X*w - z  # the residual\nr'*r",
    "n: scalar; n*x",
    "s, m: n; m'*s",
    "x: n; n = sum(x); n*x",
    "T: n x n; T = A'*A; tr(T)",
    "a, b: n; M: (n + 1) x 2 positive; M'*[a; 1] + M[1:n, :]'*b",
    "A: 2 x 3; B: 3 x 1; A*B",
    "E: 1 x 1; E*x",
    "f: m; f'*f",
    ";; x'*x ;;",
])
def test_values_of_programs(text):
    used = NAMES if "A:" not in text and "X:" not in text else "z: m; "
    check_value(used + text)


# The corpus.

CASES = [case for file in sorted((Path(__file__).parent / "corpus").glob("*.toml"))
         for case in tomllib.loads(file.read_text())["case"]]


def in_front(expression):
    """Return the declarations and named equations of an expression, for another one to follow."""
    return "".join(f"{part};" for part in expression.split(";") if ":" in part or "=" in part)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["id"])
def test_the_corpus_is_read(case):
    check_value(case["expression"])
    check_value(in_front(case["expression"]) + case["published"])


# Random expressions, most of them of shapes that do not meet: both accept the same ones.

LEAVES = ("A", "B", "S", "X", "Y", "W", "H", "R", "x", "y", "z", "c", "d", "2", "0.5")
UNARY = [name for name, f in LANGUAGE.items() if f.arguments == 1 and f.sizes == (0, 0) and name != "chol"]


def expression(rng, depth):
    if not depth or rng.random() < 0.1:
        return rng.choice(LEAVES)
    a, b = expression(rng, depth - 1), expression(rng, depth - 1)
    return rng.choice([
        f"{a}{rng.choice(['+', ' - '])}{b}", f"({a}){rng.choice(['*', '*', '.*', './', '/'])}({b})",
        f"({a}){rng.choice(['^2', '.^2', '^-1', chr(39), '.^3'])}", f"-{a}", f"{rng.choice(UNARY)}({a})",
        f"{rng.choice(['max', 'min', 'kron'])}({a}, {b})", f"[{a}{rng.choice([', ', '; '])}{b}]",
        f"({a})[{rng.choice(['1', '1, 1', ':, 1', '1, :', '1:1'])}]"])


@pytest.mark.parametrize("seed", range(8))
@pytest.mark.filterwarnings("ignore::RuntimeWarning")
def test_random_expressions(seed):
    rng = random.Random(seed)
    met = 0
    for _ in range(60):
        text = NAMES + expression(rng, rng.choice((1, 2, 2, 3)))
        values = draw(text, SIZES, np.random.default_rng(seed))
        try:
            expected = evaluate(text, values, SIZES)
        except np.linalg.LinAlgError:
            continue
        except ValueError:
            with pytest.raises(InputError):
                read(text)
            continue
        if np.all(np.isfinite(expected)):
            check_value(text, seed)
            met += 1
    assert met > 10


# Shapes.

@pytest.mark.parametrize(("text", "expected"), {
    "x'*A*x": {"x": "n×1", "A": "n×n", "": "scalar"},
    "A*x": {"A": "m×n", "x": "n×1", "": "m×1"},
    "A*B*x + y": {"A": "m×n", "B": "n×k", "x": "k×1", "y": "m×1", "": "m×1"},
    "c*d": {"c": "scalar", "d": "scalar", "": "scalar"},
    "X + ones(m, n)": {"X": "m×n", "": "m×n"},
    "X + ones(n, m)*2": {"X": "n×m", "": "n×m"},
    "X*X' - eye(3)": {"X": "3×n", "": "3×3"},
    "ones(n)'*x": {"x": "n×1", "": "scalar"},
    "x*y' + ones(n, k)": {"x": "n×1", "y": "k×1", "": "n×k"},
    "n'*x": {"n": "m×1", "x": "m×1", "": "scalar"},
    "X: 3 x n; X*Y": {"X": "3×n", "Y": "n×m", "": "3×m"},
    "Y: k x 2; X*Y": {"X": "n×k", "Y": "k×2", "": "n×2"},
    "X: m x n; X*w": {"X": "m×n", "w": "n×1", "": "m×1"},
    "S: psd; S*x": {"S": "n×n", "x": "n×1", "": "n×1"},
    "q = A*x; q + y": {"A": "m×n", "x": "n×1", "y": "m×1", "": "m×1"},
    "diag(x)*A": {"x": "m×1", "A": "m×n", "": "m×n"},
    "diag(X)": {"X": "n×n", "": "n×1"},
    "vec(A)": {"A": "m×n", "": "m*n×1"},
    "kron(A, B)*x": {"A": "m×n", "B": "k×p", "x": "n*p×1", "": "k*m×1"},
    "reshape(x, m, n)*y": {"x": "m*n×1", "y": "n×1", "": "m×1"},
    "[A, x; x', 1]": {"A": "n×n", "x": "n×1", "": "n + 1×n + 1"},
    "[A, B; C, D]*x": {"A": "m×n", "B": "m×k", "C": "p×n", "D": "p×k", "x": "k + n×1", "": "m + p×1"},
    "[A, x]*y": {"A": "m×n", "x": "m×1", "y": "n + 1×1", "": "m×1"},
    "[A, x]*y + [B, z]*y": {"A": "m×n", "x": "m×1", "y": "n + 1×1", "B": "m×n", "z": "m×1", "": "m×1"},
    "[x; y] + ones(5)": {"x": "m×1", "y": "5 - m×1", "": "5×1"},
    "x: 3; [x; y] + ones(5)": {"x": "3×1", "y": "2×1", "": "5×1"},
    "A: m x 2; B: m x 3; C: k x 4; [A, B; C, D]": {"A": "m×2", "B": "m×3", "C": "k×4", "D": "k×1", "": "k + m×5"},
    "x[2:4]": {"x": "n×1", "": "3×1"},
    "x[2:] + y": {"x": "n×1", "y": "n - 1×1", "": "n - 1×1"},
    "y: k; x[2:] + y": {"x": "k + 1×1", "y": "k×1", "": "k×1"},
    "X[1:k, :]*x": {"X": "m×n", "x": "n×1", "": "k×1"},
    "X: m x n; X[1:k, k+1:n]": {"X": "m×n", "": "k×-k + n"},
    "X[2, 3]": {"X": "m×n", "": "scalar"},
    "max(X, x)": {"X": "n×1", "x": "n×1", "": "n×1"},
    "2": {"": "scalar"},
    "eye(2)": {"": "2×2"},
}.items())
def test_shapes(text, expected):
    assert shapes(text) == expected


def test_invented_dimensions_collide_with_no_name():
    reading = read("X*n + ones(m, 1) + k")
    (rows, columns) = reading.symbols["X"].shape
    assert str(rows) == "m"
    assert str(columns) not in ("n", "m", "k", "X")
    symbols = read("m*n'*X*Y*p").symbols.values()
    assert {str(d) for s in symbols for d in s.shape if d.is_Symbol}.isdisjoint("mnpXY")
    assert {str(d) for d in read("Y*X[1:n, k]").symbols["X"].shape}.isdisjoint("nkXY")


def test_shapes_beside_the_text():
    beside = dict(read_shape(s) for s in ("X=m,4", "c=7", "f=scalar"))
    assert shapes("X*w + f*X*c[1:4]", shapes=beside) == {
        "X": "m×4", "w": "4×1", "f": "scalar", "c": "7×1", "": "m×1"}
    assert shapes("X: m x 4; sum(X)/m", shapes={"X": beside["X"]}) == {"X": "m×4", "": "scalar"}
    with pytest.raises(InputError, match="Q, which is not in the expression"):
        read("x'*x", dict([read_shape("Q=3,3")]))
    with pytest.raises(InputError, match="X is declared as m×5 here, and as m×4 elsewhere"):
        read("X: m x 5; X*x", {"X": beside["X"]})
    with pytest.raises(InputError, match="Q is m×1, and declared as m×4"):
        read("X: m x 4; Q = X*x; Q", {"Q": beside["X"]})
    assert shapes("sum(X)/m", shapes={"X": beside["X"]}) == {"X": "m×4", "": "scalar"}


@pytest.mark.parametrize("wrong", ["X", "X=", "=3", "X=0,2", "X=1,2,3", "1=2", "X=m n", "X=2.5", "X=²", "X=99999999",
                                   "X=-1", "X=9,", "X = _m", "é=2", "X=" + "9" * 5000])
def test_shapes_beside_the_text_that_are_none(wrong):
    with pytest.raises(InputError):
        read_shape(wrong)


# Programs and properties.

def test_programs():
    program = read("q = softmax(W*x); -y'*log(q)").program
    assert [e.name for e in program.equations] == ["q", "loss"]
    assert [s.name for s in program.inputs] == ["W", "x", "y"]
    assert program.through == {e.symbol for e in program.equations}
    assert program.result == Symbol("loss", real=True)
    assert read("r = X*w").program.result.name == "r"
    assert isinstance(read("A*x").program.result, MatrixSymbol)


@pytest.mark.parametrize(("text", "name"), {
    "x'*x": "loss", "loss'*x": "loss1", "A*x": "F", "F*x": "G", "F*G*H*Z*x": "R", "F*G*H*Z*R*x": "F1", "b = 2": "b",
    "lambda = x'*x": "lambda", "F = A*x; F*2": "G",
}.items())
def test_the_result_has_a_free_name(text, name):
    assert read(text).program.result.name == name


def test_declared_and_not_used_is_no_input():
    assert list(read("X, Y: m x n; c: scalar; sum(X)").symbols) == ["X"]


def test_properties():
    reading = read("S: n x n symmetric invertible; x: n positive; y: n; x'*S*y", properties={"y": ("positive",)})
    assert reading.properties == {"S": ("symmetric", "invertible"), "x": ("positive",), "y": ("positive",)}
    assert read("S: psd; S: positive; S*x").properties == {"S": ("psd", "positive")}
    assert shapes("S*x", properties={"S": ("symmetric",)}) == {"S": "n×n", "x": "n×1", "": "n×1"}
    assert shapes("chol(S)", properties={"S": ("psd",)}) == {"S": "n×n", "": "n×n"}
    with pytest.raises(InputError, match="Q, which is not in the expression"):
        read("x'*x", properties={"Q": ("psd",)})
    with pytest.raises(InputError, match="did you mean 'symmetric'"):
        read("S", properties={"S": ("symetric",)})
    with pytest.raises(InputError, match="S is 2×3, and only a square matrix is psd"):
        read("S: 2 x 3; S", properties={"S": ("psd",)})


def test_properties_beside_the_text():
    assert read_property("S=symmetric") == ("S", ("symmetric",))
    assert read_property(" S = psd, positive ") == ("S", ("psd", "positive"))
    for wrong in ("S", "S=", "=psd", "S=nice", "S=psd,", "1=psd"):
        with pytest.raises(InputError):
            read_property(wrong)


def test_bounds_say_what_sizes_are_needed():
    assert [str(b) for b in read("X: m x n; X[1:k, 2:]").bounds] == ["-k + m", "n - 2"]
    assert [str(b) for b in read("x[5]").bounds] == ["n - 5"]
    assert read("X: m x n; X[1, :]").bounds == ()


# Refusals.

@pytest.mark.parametrize(("text", "position", "words"), [
    # the text
    ("", 1, ["expected an expression"]),
    ("X: m x n", 1, ["expected an expression"]),
    ("A+", 3, ["expected an operand", "the end"]),
    ("A+*B", 3, ["expected an operand", "'*'"]),
    ("A B", 3, ["expected an operator", "'B'"]),
    ("(A", 1, ["unbalanced '('", "missing"]),
    ("A)", 2, ["unbalanced ')'"]),
    ("[A, B", 1, ["unbalanced '['"]),
    ("[A, B)", 6, ["unbalanced '['", "')'"]),
    ("x[1:2", 2, ["unbalanced '['"]),
    ("sum(x", 4, ["unbalanced '('"]),
    ("x[1, 2, 3]", 7, ["expected ']'", "','"]),
    ("[]", 2, ["expected an operand"]),
    ("[1\n-2]", 1, ["line 2", "begins with a sign"]),
    ("x = y = 2", 7, ["'='"]),
    ("x $ y", 3, ["unexpected character '$'"]),
    ("xᵀ*x", 2, ["unexpected character", "write '"]),
    ("2 × x", 3, ["unexpected character", "write *"]),
    ("x & y", 3, ["unexpected character"]),
    ("__import__('os')", 1, ["unexpected character '_'"]),
    ("x'*x; y'*y", 1, ["name = expression"]),
    ("x'*x\ny'*)", 4, ["line 2", "')'"]),
    # names
    ("foo(x)", 1, ["unknown function 'foo'"]),
    ("softmx(x)", 1, ["did you mean 'softmax'"]),
    ("f(x)", 1, ["unknown function 'f'", "f*("]),
    ("2*sin", 3, ["sin is a function"]),
    ("sin = 3; sin", 1, ["sin is a function"]),
    ("psd = 3; psd", 1, ["psd is a word of declarations"]),
    ("scalar*x", 1, ["scalar is a word"]),
    ("tr: n; tr", 1, ["tr is a function"]),
    ("y = x; y = 2*x; y", 8, ["y is defined twice"]),
    ("y = 2*x; x = z; y", 10, ["x is used before it is defined"]),
    ("X: m x n; y = X/m; m = 2; y", 20, ["m is used before it is defined"]),
    ("X: 2 x 3; X: 3 x 2; X", 11, ["3×2", "2×3"]),
    ("Y: 2 x 3; Y = eye(2); Y", 11, ["Y is 2×2", "2×3"]),
    ("Y: n x n psd; Y = A*A'; Y", 15, ["properties are declared of inputs"]),
    # declarations
    ("S: n x n symetric; S", 10, ["unknown property 'symetric'", "did you mean 'symmetric'"]),
    ("S: symetric; S", 4, ["unknown property 'symetric'", "did you mean 'symmetric'"]),
    ("X: 2 x 3 symmetric; X", 1, ["X is 2×3", "square"]),
    ("x: n psd; x", 1, ["x is n×1", "square"]),
    ("X: 0 x 3; X", 4, ["whole number from 1"]),
    ("X: 2.5 x 3; X", 4, ["whole number"]),
    ("X: 2x3; X", 5, ["with spaces"]),
    ("X: mxn; X", 4, ["with spaces", "m x n"]),
    ("X: m x; X", 7, ["expected a dimension"]),
    ("X: m*n; X", 5, ["expected a shape"]),
    ("X: (m/n) x 2; X", 5, ["a size is"]),
    ("X: (m - m) x 2; X", 5, ["whole number from 1"]),
    # shapes
    ("x*y", 2, ["shapes cannot meet", "x (?×1)", "y (?×1)", ".*"]),
    ("X: m x n; Y: k x p; X*Y", 22, ["X (m×n) times Y (k×p)", "n is not k"]),
    ("X: 3 x n; Y: k x 2; Y*X", 22, ["2 is not 3"]),
    ("X: 2 x 3; Y: 2 x 4; sum(X + Y)", 27, ["shapes differ", "2×3", "2×4", "3 is not 4"]),
    ("X*ones(3,1) + X*ones(4,1)", 16, ["X (?×3)", "3 is not 4"]),
    ("x + y'", 3, ["?×1", "1×?"]),
    ("A/B", 2, ["division by a matrix", "inv"]),
    ("c/x", 2, ["division by a matrix"]),
    ("2^x", 2, ["exponent is a scalar", ".^"]),
    ("x^2", 2, ["not square", ".^"]),
    ("X: 2 x 3; X.^ones(3,2)", 12, ["shapes differ", "2×3", "3×2"]),
    ("det(x)", 1, ["det of ?×1", "square"]),
    ("X: 3 x 4; tr(X)", 11, ["3×4", "square"]),
    ("softmax(A)", 1, ["column vector", "softmax_rows"]),
    ("diag(x')", 1, ["a column or a square matrix"]),
    ("max(x, A*B*y')", 11, ["shapes cannot meet"]),
    ("X: 2 x 3; Y: 3 x 2; max(X, Y)", 21, ["max of 2×3 and 3×2"]),
    ("X: m x n; reshape(X, k, p)", 11, ["m*n entries", "k*p"]),
    ("X: 2 x 3; reshape(X, 4, 2)", 11, ["6 entries", "8"]),
    ("reshape(X, m, n)", 1, ["sizes cannot meet", "declare"]),
    ("chol(S)", 1, ["chol needs a positive definite matrix; declare S: n x n psd"]),
    ("A: 2 x 2; B: 3 x 3; [A, B]", 25, ["2×2 beside 3×3"]),
    ("A: 2 x 2; B: 3 x 3; [A; B]", 25, ["2×2 above 3×3"]),
    ("[1, 2; 3]", 8, ["1×2 above a scalar"]),
    ("A: m x 4; [A, B] + ones(m, 4)", 11, ["sizes cannot meet"]),
    ("sum(x, y)", 1, ["sum takes 1 argument, came 2"]),
    ("kron(x)", 1, ["kron takes 2 arguments, came 1"]),
    ("ones()", 1, ["ones takes 1 or 2 arguments, came 0"]),
    ("eye(m, n)", 1, ["eye takes 1 argument, came 2"]),
    ("ones(0, 1)", 6, ["whole number from 1"]),
    ("ones(x'*x, 1)", 7, ["a size is"]),
    ("ones(99999999, 1)", 6, ["10000000"]),
    # slices
    ("x: 4; x[1:5]", 9, ["beyond the 4 rows"]),
    ("x: 4; x[3:2]", 9, ["empty"]),
    ("x: n; x[0]", 9, ["counted from 1"]),
    ("x: n; x[n+1]", 9, ["beyond the n rows"]),
    ("x: n; x[n+1:]", 9, ["beyond the n rows"]),
    ("x: n; x[k:k-1]", 9, ["empty"]),
    ("X: 2 x 3; X[1, 4]", 16, ["beyond the 3 columns"]),
    ("y'[2]", 4, ["beyond the 1 row", "[1, i:j]"]),
    ("c[2]", 3, ["beyond the 1 row"]),
    ("k: scalar; x[1:k]", 16, ["k is a quantity"]),
    ("x[1.5]", 3, ["a size is"]),
    # numbers
    ("x'*x/0", 5, ["division by zero"]),
    ("x./(2 - 2)", 2, ["division by zero"]),
    ("X./zeros(m, n)", 2, ["division by zero"]),
    ("0^-1", 2, ["division by zero"]),
    ("inv(0*A)", 1, ["zeros"]),
    ("inv(c - c)", 1, ["division by zero"]),
    ("x + log(0)", 5, ["finite"]),
    ("log(c - c)", 1, ["finite"]),
    ("log(-1)", 1, ["finite"]),
    ("sqrt(-2)", 1, ["finite"]),
    ("arcsin(2)", 1, ["finite"]),
    ("(-8)^(1/3)", 5, ["finite"]),
    ("log(zeros(3))", 1, ["finite"]),
    ("zeros(3).^-1", 9, ["finite"]),
    ("0^(-c)", 2, ["finite"]),
    ("(-2).^x", 5, ["not positive"]),
    ("exp(1000)", 1, ["1e100"]),
    ("1e200*c", 1, ["1e100"]),
    ("1e99*c*1e99", 1, ["1e100"]),
    ("1e-300*c", 1, ["1e-100"]),
    ("1/(sin(1)^2 + cos(1)^2 - 1)", 4, ["zero"]),
    ("A^0.5", 2, ["whole number", ".^"]),
    ("A^c", 2, ["number as the exponent", ".^"]),
    ("A^65", 2, ["exponent beyond 64"]),
    ("c^1000000000", 2, ["exponent"]),
    ("x.^1000000000", 2, ["exponent"]),
    ("2^64^64", 5, ["1e100"]),
    ("1" + "0" * 400, 1, ["digits"]),
    # what would take long
    ("y" * 65, 1, ["a name of 65 characters"]),
    ("x+" * 5000 + "x", 1, ["10001 characters"]),
    ("(" * 201 + "x" + ")" * 201, 201, ["nested more than 200"]),
    ("(" * 9000, 201, ["nested more than 200"]),
    ("((A^64)^64)^64", 8, ["factors"]),
    ("*".join(f"c{i}" for i in range(1000)), 1, ["200 factors"]),
    ("ones(" + "m+" * 100 + "m, 1)", 6, ["operations"]),
    ("sum(" + "sin(" * 100 + "x" + ")" * 101, 165, ["nested"]),
])
def test_refusals_point_at_the_character(text, position, words):
    with pytest.raises(InputError) as raised:
        read(text)
    message = str(raised.value)
    assert [w for w in (f"character {position} ", *words) if w not in message] == [], message
    assert message.isprintable()


# Limits.

@pytest.mark.parametrize("text", [
    "x+" * 4999 + "x", "-x" * 4999, "1+" * 4999 + "1", "x" + "'" * 9998, "-" * 9998 + "x", "\n" * 9000 + "x",
    "A*" * 199 + "A", "(" * 200 + "x" + ")" * 200, "((" * 55 + "x" + "))+1" * 55, "[" * 50 + "x" + "]" * 50,
    "+".join(f"c{i}" for i in range(1600)), "*".join(f"X{i}" for i in range(199)), "[" + "x, " * 900 + "x]",
    "tanh(W*" * 28 + "x" + ")" * 28, "exp(" * 50 + "c" + ")" * 50, "sin(" * 50 + "1" + ")" * 50,
    "X" + "[:, :]" * 50, "c/" * 4000 + "c",
    "; ".join(f"x{i} = x{i - 1} + 1" for i in range(1, 500)), "+".join(f"sqrt({i})" for i in range(2, 900)),
], ids=lambda text: text[:12])
def test_long_texts_are_read(text):
    assert read(text).program.equations


@pytest.mark.parametrize("text", [
    "2*" * 4999 + "1", "x.*" * 3000 + "x", "x./" * 3000 + "x", "c^" * 4999 + "c", "2^" * 4999 + "2",
    "x.^" * 3000 + "2", "1e99*" * 1900 + "1", "sin(" * 199 + "x" + ")" * 199, "[A, " * 150 + "B" + "]" * 150,
    "+".join(["[A, B]"] * 1400), "[" + ", ".join(f"A{i}" for i in range(1500)) + "]", ":" * 9999, ")" * 9999,
    "X" + ".^4" * 1000, "((((X.^4).^4).^4).^4)", "(c+1)" + "^64" * 3000, "(" * 28 + "X" + "+1).^4" * 28,
    "kron(X, " * 59 + "X" + ")" * 59, "max(c, " * 190 + "c" + ")" * 190, "'" * 9999, "x" + "[1:2]" * 1900,
    "*".join(f"sqrt({i})" for i in range(2, 900)), "ones(m^16^16, 1)",
    "exp(-" * 28 + "x" + ")" * 28, "[A, [B; " * 28 + "A" + "]]" * 28, "[" + "x, " * 3000 + "x]",
    "relu(sqrt(5+2*sqrt(6))-sqrt(2)-sqrt(3))",
    "".join(random.Random(1).choice("xA1+-*/.^'()[],;: \n") for _ in range(10_000)),
], ids=lambda text: text[:12])
def test_what_would_take_long_is_refused(text):
    with pytest.raises(InputError):
        read(text)


PIECES = ("x", "A", "c", "1", "2.5", *"+-*/^'()[],;:=\n \r\t", ".*", "sum(", "[", "é", "\u2028")


@pytest.mark.parametrize("seed", range(20))
def test_garbage_is_read_or_refused_in_one_line(seed):
    rng = random.Random(seed)
    text = "".join(rng.choice(PIECES) for _ in range(rng.randint(1, 60)))
    message = ""
    try:
        read(text)
    except InputError as error:
        message = str(error)
    assert message.isprintable()
