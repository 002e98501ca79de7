"""The command as a user runs it: every verb and option, mostly as a real process in another folder."""

from __future__ import annotations

import contextlib
import importlib.util
import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable
from functools import cache
from itertools import pairwise
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from codegen import generate, load
from gradwright import __version__, commands, pipeline
from gradwright.cli import cli
from symbolic.architecture import read_architecture

ARCH = "3-3-3-3:sigmoid,sigmoid,softmax"
EXAMPLES = Path(__file__).parent.parent / "examples" / "quiz"
QUIZ, PARAMS, DATA = (str(EXAMPLES / name) for name in ("quiz.toml", "parameters.npz", "data.npz"))
FILES = ("--params", PARAMS, "--data", DATA)
NEW_LOSS = 0.07253330081047048
# What would change the width or the colours of an answer, or where modules come from.
OURS = {k: v for k, v in os.environ.items()
        if k not in ("COLUMNS", "NO_COLOR", "FORCE_COLOR", "TTY_COMPATIBLE", "PYTHONIOENCODING")}

Outcome = subprocess.CompletedProcess[str]
Call = Callable[..., str]


def start(*args: object, cwd: Path, code: int = 0, **env: str) -> Outcome:
    """Run ``python -m gradwright`` as a process."""
    done = subprocess.run([sys.executable, "-m", "gradwright", *map(str, args)], cwd=cwd, env={**OURS, **env},
                          capture_output=True, encoding="utf-8", timeout=60, check=False)
    assert done.returncode == code, done.stdout + done.stderr
    assert "\x1b" not in done.stdout + done.stderr, "no escape codes when piped"
    assert "Traceback" not in done.stderr
    assert code or not done.stderr
    return done


@pytest.fixture
def call(capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Call:
    """Run the command in this process and folder; give its standard output."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "80")

    def run(*args: object, code: int = 0) -> str:
        with pytest.raises(SystemExit) as stopped:
            cli.main([str(a) for a in args], prog_name="gradwright")
        out, err = capsys.readouterr()
        assert stopped.value.code == code, out + err
        assert code or not err
        return out

    return run


def state(folder: Path) -> dict[Path, tuple[bytes, int]]:
    return {p: (p.read_bytes(), p.stat().st_mtime_ns) for p in sorted(folder.rglob("*")) if p.is_file()}


def module_at(path: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(path.stem, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


# Help, version, start-up.

OPTIONS = {
    "derive": ("ARCH", "--wrt", "--general", "--format [text|latex|markdown|json]", "-o"),
    "generate": ("ARCH", "-o", "--check", "--target", "--dtype [double|float]", "--explain", "--samples"),
    "build": ("ARCH", "-o", "--target"),
    "train": ("ARCH", "--params", "--seed", "--data", "--validation", "--epochs", "--batch-size", "--learning-rate",
              "--optimizer", "--target", "--plot", "-o"),
    "evaluate": ("ARCH", "--params", "--data", "--learning-rate", "--format [text|json]"),
    "verify": ("ARCH", "--params", "--data", "--seed", "--format [text|json]"),
    "show": ("ARCH",),
    "run": ("[ARCH]", "--params", "--data", "-o"),
}


def test_help_and_version(tmp_path: Path) -> None:
    text = start("--help", cwd=tmp_path).stdout
    assert all(re.search(rf"^  {verb} +[A-Z].*\.$", text, re.M) for verb in OPTIONS), "a whole sentence"
    assert "Exit codes: 0" in text
    assert __version__ in start("--version", cwd=tmp_path).stdout


@pytest.mark.parametrize(("verb", "options"), OPTIONS.items(), ids=OPTIONS)
def test_help_of_each_verb(tmp_path: Path, verb: str, options: tuple[str, ...]) -> None:
    text = start(verb, "--help", cwd=tmp_path).stdout
    assert all(option in text for option in options)
    assert max(map(len, text.splitlines())) <= 80


def test_the_installed_script_is_the_same_command(tmp_path: Path) -> None:
    script = Path(sys.executable).with_name("gradwright")
    if not script.exists():
        pytest.skip("not installed beside this Python")
    found = subprocess.check_output([script, "--version"], cwd=tmp_path, env=OURS, text=True)
    assert found == start("--version", cwd=tmp_path).stdout


@pytest.mark.parametrize("args", [["--help"], ["derive", "--help"], ["--version"], ["derive", "--formatt"]])
def test_start_up_imports_nothing_heavy(tmp_path: Path, args: list[str]) -> None:
    def imported(*command: str) -> set[str]:
        done = subprocess.run([sys.executable, "-X", "importtime", *command], cwd=tmp_path, env=OURS,
                              capture_output=True, text=True, check=False)
        rows = [line for line in done.stderr.splitlines() if line.startswith("import time:")]
        return {row.rpartition("|")[2].strip() for row in rows[1:]}

    added = imported("-m", "gradwright", *args) - imported("-c", "pass")
    foreign = {name.partition(".")[0] for name in added} - sys.stdlib_module_names
    assert foreign <= {"click", "gradwright", "symbolic", "codegen"}, "neither sympy, numpy, jinja2 nor rich"
    assert sum(name.startswith(("gradwright", "symbolic", "codegen")) for name in added) <= 10
    assert len(added) <= 120


# derive

FORMULAS = {
    "grad_a3": "∇a₃ = ŷ − Y", "grad_W3": "∇W₃ = ∇a₃ h₂ᵀ", "grad_b3": "∇b₃ = ∇a₃ 1",
    "grad_h2": "∇h₂ = W₃ᵀ ∇a₃",
    "grad_a2": "∇a₂ = ∇h₂ ⊙ h₂ ⊙ (1 − h₂)", "grad_W2": "∇W₂ = ∇a₂ h₁ᵀ", "grad_b2": "∇b₂ = ∇a₂ 1",
    "grad_h1": "∇h₁ = W₂ᵀ ∇a₂", "grad_a1": "∇a₁ = ∇h₁ ⊙ h₁ ⊙ (1 − h₁)", "grad_W1": "∇W₁ = ∇a₁ Xᵀ",
    "grad_b1": "∇b₁ = ∇a₁ 1"}
"""The quiz's backward pass, written by hand."""

GENERAL = ["∇a_L = ŷ − Y", "∇Wₖ = ∇aₖ hₖ₋₁ᵀ", "∇bₖ = ∇aₖ", "∇hₖ₋₁ = Wₖᵀ ∇aₖ", "∇aₖ₋₁ = ∇hₖ₋₁ ⊙ g′(aₖ₋₁)"]


@cache
def derived(*args: str) -> str:
    """Run ``derive`` as a process, once for several tests."""
    return start("derive", *args, cwd=Path(tempfile.gettempdir())).stdout


def test_derive_text() -> None:
    text = derived(QUIZ)
    lines = text.splitlines()
    assert max(map(len, lines)) <= 80
    assert [line.strip() for line in lines if line.strip() in FORMULAS.values()] == list(FORMULAS.values())
    assert "1ᵀY = 1ᵀ, assumed: each column of Y sums to one" in text
    assert re.search(r"^∇a₃, assuming 1ᵀY = 1ᵀ +3×N$", text, re.M)
    assert "\nSources\n" in text


def test_derive_latex_and_markdown() -> None:
    latex, markdown = derived(QUIZ, "--format", "latex"), derived(QUIZ, "--format", "markdown")
    assert latex.startswith("\\documentclass")
    assert latex.endswith("\\end{document}\n")
    assert markdown.startswith("# ")
    for text in (latex, markdown):
        assert r"\hat{y}" in text
        assert r"\mathbf{1}" in text
        assert text.count(r"\begin{") == text.count(r"\end{")
        assert r"\mathbb" not in text
    assert markdown.count("$$") % 2 == 0


def check_schema(document: dict[str, Any]) -> None:
    """Hold a JSON derivation to the schema of the issue."""
    assert {"name", "parameters", "assumptions", "forward", "gradients"} <= document.keys()
    for parameter in document["parameters"]:
        assert parameter.keys() == {"name", "shape", "size"}
    for equation in document["forward"] + document["gradients"]:
        assert {"name", "text", "latex", "shape"} <= equation.keys()
        assert len(equation["shape"]) == 2
        assert all(isinstance(size, int | str) for size in equation["shape"])
    for gradient in document["gradients"]:
        assert gradient["name"] == f"grad_{gradient['wrt']}"
        assert set(gradient["assumptions"]) <= set(document["assumptions"])
        for step in gradient["steps"]:
            assert step.keys() == {"rule", "statement", "source", "before", "after"}
            assert all(isinstance(value, str) and value for value in step.values())
        steps = gradient["steps"]
        assert all(one["after"] == two["before"] for one, two in pairwise(steps))


def test_derive_json() -> None:
    document = json.loads(derived(QUIZ, "--format", "json"))
    check_schema(document)
    assert document["name"] == "quiz"
    assert [(p["name"], p["shape"], p["size"]) for p in document["parameters"]] == [
        row for k in (1, 2, 3) for row in ((f"W{k}", [3, 3], 9), (f"b{k}", [3, 1], 3))]
    assert [e["name"] for e in document["forward"]] == ["a1", "h1", "a2", "h2", "a3", "y_hat", "loss"]
    assert {g["name"]: g["text"] for g in document["gradients"]} == FORMULAS
    assert len(document["assumptions"]) == 1
    output = document["gradients"][0]
    assert output["assumptions"] == document["assumptions"]
    assert output["latex"] == r"\nabla_{a_3}\mathcal{L} = \hat{y} - Y"


def test_derive_wrt() -> None:
    document = json.loads(derived(QUIZ, "--wrt", "X", "--wrt", "W1", "--format", "json"))
    check_schema(document)
    assert [g["text"] for g in document["gradients"]] == ["∇W₁ = ∇a₁ Xᵀ", "∇X = W₁ᵀ ∇a₁"]
    text = derived(QUIZ, "--wrt", "W1")
    assert "∇W₁ = ∇a₁ Xᵀ" in text
    assert "∇a₃ = ŷ − Y" in text, "what the answer builds on is said"


def test_derive_wrt_states_the_assumption_that_it_builds_on() -> None:
    assert "1ᵀY = 1ᵀ" in derived(QUIZ, "--wrt", "W1")


def test_derive_general() -> None:
    document = json.loads(derived(QUIZ, "--general", "--format", "json"))
    check_schema(document)
    texts = [g["text"] for g in document["gradients"]]
    assert [t for t in texts if t in GENERAL] == [GENERAL[0], GENERAL[1], GENERAL[3], GENERAL[4], GENERAL[2]]
    assert "∇bₖ = ∇aₖ 1" in texts
    assert "∇Wₖ = ∇aₖ hₖ₋₁ᵀ" in derived(QUIZ, "--general")


def test_derive_general_keeps_the_weight_decay(call: Call) -> None:
    assert "∇Wₖ = ∇aₖ hₖ₋₁ᵀ + λ Wₖ" in call("derive", f"{ARCH}?weight_decay=0.1", "--general")


@pytest.mark.parametrize("form", ["text", "latex", "markdown", "json"])
def test_derive_writes_a_file(call: Call, tmp_path: Path, form: str) -> None:
    assert call("derive", QUIZ, "--format", form, "-o", "new/out.x") == ""
    written = (tmp_path / "new" / "out.x").read_bytes().decode()
    assert written == call("derive", QUIZ, "--format", form, "-o", "-") == derived(QUIZ, "--format", form)


def test_derive_with_symbolic_widths() -> None:
    document = json.loads(derived("n0-n1-n2:tanh,softmax", "--format", "json"))
    check_schema(document)
    assert document["parameters"][0] == {"name": "W1", "shape": ["n1", "n0"], "size": "n0*n1"}


# generate

def test_generate_and_check(tmp_path: Path, call: Call) -> None:
    call("generate", ARCH, "--check", code=1)
    assert state(tmp_path) == {}
    done = start("generate", ARCH, cwd=tmp_path)
    path = tmp_path / "generated" / "net_3_3_3_3.py"
    assert str(path.relative_to(tmp_path)) in done.stdout
    text = path.read_bytes().decode()
    assert text == generate(read_architecture(ARCH))
    assert text == start("generate", ARCH, "-o", "-", cwd=tmp_path).stdout
    before = state(tmp_path)
    start("generate", ARCH, "--check", cwd=tmp_path)
    assert state(tmp_path) == before
    call("generate", ARCH, "-o", "generated")
    assert {p: b for p, (b, _) in state(tmp_path).items()} == {path: text.encode()}, "same input, same bytes"
    path.write_text(text + "#\n", "utf-8")
    before = state(tmp_path)
    assert "differs" in start("generate", ARCH, "--check", cwd=tmp_path, code=1).stdout
    assert state(tmp_path) == before


def test_the_generated_file_stands_alone(call: Call, tmp_path: Path) -> None:
    call("generate", QUIZ, "-o", "deep/er")
    module = module_at(tmp_path / "deep" / "er" / "quiz.py")
    parameters, data = np.load(PARAMS), np.load(DATA)
    loss, gradients = module.loss_and_gradients(dict(parameters), data["X"], data["y"])
    assert loss == pytest.approx(0.8563785622753882, rel=1e-12)
    assert {n: g.shape for n, g in gradients.items()} == {n: p.shape for n, p in parameters.items()}
    text = (tmp_path / "deep" / "er" / "quiz.py").read_text("utf-8")
    assert re.findall(r"^(?:import|from) (\w+)", text, re.M) == ["numpy"]


# evaluate

def evaluated(call: Call, *args: object) -> dict[str, Any]:
    return json.loads(call("evaluate", *args, "--format", "json"))


def test_evaluate_json(tmp_path: Path) -> None:
    found = json.loads(start("evaluate", QUIZ, *FILES, "--format", "json", cwd=tmp_path).stdout)
    assert found.keys() == {"parameters", "values", "loss", "updated"}
    assert found["parameters"] == 36
    assert found["loss"] == pytest.approx(0.8563785622753882, rel=1e-12)
    assert found["updated"].keys() == {"loss", "y_hat"}
    assert found["updated"]["loss"] == pytest.approx(NEW_LOSS, rel=1e-12)
    np.testing.assert_allclose(found["updated"]["y_hat"], np.array([[0.03475536, 0.03520987, 0.93003478]]).T,
                               atol=5e-9)
    values = found["values"]
    assert list(values) == ["a1", "h1", "a2", "h2", "a3", "y_hat", "loss", *FORMULAS]
    assert all(np.shape(v) == ((3, 3) if "W" in n else (3, 1)) for n, v in values.items() if n != "loss")
    np.testing.assert_allclose(values["y_hat"], [[0.23691422], [0.33838847], [0.42469732]], atol=5e-9)
    np.testing.assert_allclose(values["grad_W1"], np.outer([0.00083319, 0.00141185, -0.00211219], [1, 0, 1]),
                               atol=5e-9)


def test_evaluate_text(tmp_path: Path) -> None:
    text = start("evaluate", QUIZ, *FILES, "--learning-rate", "1", cwd=tmp_path).stdout
    assert max(map(len, text.splitlines())) <= 80
    assert "36 parameters" in text
    assert all(re.search(rf"^ {name} +3×[13] ", text, re.M) for name in ("a₁", "h₂", "ŷ", "∇W₁", "∇b₃"))
    assert "5.447665624" in text
    losses = [float(n) for n in re.findall(r"^loss.* ([0-9.]+)$", text, re.M)]
    assert losses == pytest.approx([0.8563785622753882, NEW_LOSS], rel=1e-12)


def test_evaluate_learning_rate(call: Call) -> None:
    none, small = (evaluated(call, QUIZ, *FILES, "--learning-rate", rate) for rate in (0, 0.1))
    assert none["updated"]["loss"] == none["loss"]
    assert NEW_LOSS < small["updated"]["loss"] < none["loss"]


# ours W (out, in) and flat b → the arrays of a file
CONVENTIONS: dict[str, Callable[[int, Any, Any, bool], dict[str, Any]]] = {
    "ours": lambda k, W, b, rows: {f"W{k}": W.T if rows else W, f"b{k}": b[None] if rows else b[:, None]},
    "torch": lambda k, W, b, rows: {f"{2 * k - 2}.weight": W, f"{2 * k - 2}.bias": b},
    "torch layers": lambda k, W, b, rows: {f"layers.{k - 1}.weight": W, f"layers.{k - 1}.bias": b},
    "sklearn": lambda k, W, b, rows: {f"coefs_{k - 1}": W.T, f"intercepts_{k - 1}": b},
}


@pytest.mark.parametrize("samples", ["columns", "rows"])
@pytest.mark.parametrize("names", CONVENTIONS)
def test_evaluate_with_the_names_of_other_libraries(call: Call, tmp_path: Path, names: str,
                                                    samples: str) -> None:
    rng, rows = np.random.default_rng(7), samples == "rows"
    X, y = rng.standard_normal((6, 4)), rng.integers(0, 3, 6)
    W1, b1, W2, b2 = (rng.standard_normal(shape) for shape in ((5, 4), 5, (3, 5), 3))
    theirs = {**CONVENTIONS[names](1, W1, b1, rows), **CONVENTIONS[names](2, W2, b2, rows)}
    np.savez("p.npz", **theirs)
    np.savez("d.npz", X=X if rows else X.T, y=y)
    scores = np.exp(np.tanh(X @ W1.T + b1) @ W2.T + b2)
    y_hat = scores / scores.sum(1, keepdims=True)
    args = (f"4-5-3:tanh,softmax?samples={samples}", "--params", "p.npz", "--data", "d.npz")
    found = evaluated(call, *args)
    np.testing.assert_allclose(found["values"]["y_hat"], y_hat if rows else y_hat.T, rtol=1e-12)
    assert found["loss"] == pytest.approx(-np.log(y_hat[range(6), y]).sum(), rel=1e-12)
    text = call("evaluate", *args)
    assert "one-hot" in text, "what became of the class labels is said"
    for name, mine in zip(theirs, ("W1", "b1", "W2", "b2"), strict=True):
        turned = mine[0] == "W" and rows == (names != "sklearn")
        change = ", transposed" if turned else "" if mine[0] == "W" else ", reshaped"
        line = f"{name} read as {mine}{change}"
        assert (line in text) == (names != "ours")


def test_evaluate_class_labels_as_one_hot(call: Call, tmp_path: Path) -> None:
    X = np.load(DATA)["X"]
    np.savez("labels.npz", X=X, y=np.array([2]))
    np.savez("capital.npz", X=X, Y=np.array([[0], [0], [1]]))
    one, two, three = (evaluated(call, QUIZ, "--params", PARAMS, "--data", data)
                       for data in (DATA, "labels.npz", "capital.npz"))
    assert one == two == three


# verify

def test_verify(tmp_path: Path) -> None:
    text = start("verify", QUIZ, *FILES, cwd=tmp_path).stdout
    assert max(map(len, text.splitlines())) <= 80
    assert text.count("complex step") >= 6
    assert "every gradient agrees" in text
    found = json.loads(start("verify", QUIZ, "--seed", 3, "--format", "json", cwd=tmp_path).stdout)
    assert found["ok"] is True
    assert [p["name"] for p in found["parameters"]] == ["W1", "b1", "W2", "b2", "W3", "b3"]
    assert all({"name", "max_relative_error", "method"} <= p.keys() for p in found["parameters"])
    assert all(0 <= p["max_relative_error"] < 1e-9 for p in found["parameters"])


def test_verify_seed(call: Call) -> None:
    first, again, other = (call("verify", QUIZ, "--seed", s, "--format", "json") for s in (1, 1, 2))
    assert first == again != other


BROKEN = {
    "sign": lambda g: -g, "factor": lambda g: 1.001 * g, "zero": np.zeros_like, "shifted": lambda g: g + 1e-4,
    "one entry": lambda g: g + 1e-3 * (np.arange(g.size).reshape(g.shape) == 1),
}


@pytest.mark.parametrize("name", ["W1", "b2", "W3"])
@pytest.mark.parametrize("how", BROKEN)
def test_verify_finds_a_broken_gradient(call: Call, monkeypatch: pytest.MonkeyPatch, name: str,
                                        how: str) -> None:
    monkeypatch.setattr(commands, "load", lambda network: corrupt(load(network), name, how))
    found = json.loads(call("verify", QUIZ, *FILES, "--format", "json", code=1))
    assert found["ok"] is False
    assert [p["name"] for p in found["parameters"] if not p["ok"]] == [name]
    assert "WRONG" in call("verify", QUIZ, *FILES, code=1)


def corrupt(module: ModuleType, name: str, how: str) -> ModuleType:
    right = module.loss_and_gradients

    def wrong(*args: Any, **options: Any) -> Any:
        loss, gradients = right(*args, **options)
        return loss, {**gradients, name: BROKEN[how](gradients[name])}

    module.loss_and_gradients = wrong  # type: ignore[attr-defined]
    return module


@pytest.mark.parametrize(("arch", "scale"), [
    (ARCH, 10), (ARCH, 30), (ARCH, 1000), ("3-3-3-3:tanh,tanh,softmax", 30)])
def test_verify_of_a_saturated_network(call: Call, arch: str, scale: float) -> None:
    """Tiny gradients are rounding noise beside the loss; they shall not be called wrong."""
    np.savez("p.npz", **{n: scale * p for n, p in np.load(PARAMS).items()})
    call("verify", arch, "--params", "p.npz", "--data", DATA)


@pytest.mark.parametrize("activation", ["relu", "leaky_relu", "abs(x)", "max(x, 0.1*x)"])
def test_verify_at_a_kink(call: Call, activation: str) -> None:
    np.savez("zeros.npz", **{n: np.zeros_like(p) for n, p in np.load(PARAMS).items()})
    args = (f"3-3-3-3:{activation},tanh,softmax", "--params", "zeros.npz", "--data", DATA)
    assert "3 entries" in call("verify", *args)
    assert json.loads(call("verify", *args, "--format", "json"))["kinks"] == 3


def test_verify_of_many_samples(call: Call) -> None:
    rng = np.random.default_rng(0)
    np.savez("d.npz", X=rng.standard_normal((2, 2000)), y=rng.integers(0, 3, 2000))
    call("verify", "2-64-3:relu,softmax", "--data", "d.npz")


# show, run

def test_show(tmp_path: Path) -> None:
    text = start("show", QUIZ, cwd=tmp_path).stdout
    assert max(map(len, text.splitlines())) <= 80
    assert "quiz" in text
    assert len(re.findall(r"^ [123] .* 3×3 +3×1 +12 *$", text, re.M)) == 3
    assert "36 parameters" in text
    text = start("show", "784-128-64-10:relu,relu,softmax?bias=false", cwd=tmp_path).stdout
    assert "109,184 parameters" in text


def test_show_names_a_formula(call: Call) -> None:
    assert ")(a₁)" not in call("show", "3-2:x/(1+exp(-x))")


ANSWERS = {
    "Q1": "36", "Q2": "1.5350184 , 1.98250233, 1.93014489", "Q3": "0.82273938, 0.87894766, 0.87326546",
    "Q4": "0.23691422, 0.33838847, 0.42469732", "Q5": "0.1954864 , -0.11722488, -0.08814526",
    "Q6": "0.01838198, -0.01997644, -0.0038401", "Q7": "0.00083319,  0.00141185, -0.00211219"}


def new_loss(text: str) -> float:
    """Return the one loss after an update that the main job printed."""
    (found,) = re.findall(r"learning rate 1: ([0-9.]+)", text)
    return float(found)


@pytest.fixture(scope="module")
def ran(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """Return the folder that the main job wrote, and what it printed."""
    folder = tmp_path_factory.mktemp("run")
    return folder / "generated", start("run", cwd=folder).stdout


def test_run_answers_the_quiz(ran: tuple[Path, str]) -> None:
    text = ran[1]
    for question, answer in ANSWERS.items():
        assert re.search(rf"{question} .*= .*{re.escape(answer)}", text), question
    assert new_loss(text) == pytest.approx(NEW_LOSS, rel=1e-12)
    positions = [text.index(f"{i}/6") for i in range(1, 7)]
    assert positions == sorted(positions)
    assert "every gradient agrees" in text


def test_run_writes_what_the_other_verbs_print(ran: tuple[Path, str], call: Call) -> None:
    folder, text = ran
    assert {p.name for p in folder.iterdir()} == {"quiz.py", "quiz.txt", "quiz.tex", "quiz.md"}
    assert all(name in text for name in ("quiz.py", "quiz.txt", "quiz.tex", "quiz.md"))
    assert (folder / "quiz.py").read_text("utf-8") == call("generate", QUIZ, "-o", "-")
    for suffix, form in (("txt", "text"), ("tex", "latex"), ("md", "markdown")):
        assert (folder / f"quiz.{suffix}").read_text("utf-8") == derived(QUIZ, "--format", form)


def test_run_with_another_network(tmp_path: Path) -> None:
    arch = "2-4-1:relu,sigmoid?samples=rows&reduction=mean&weight_decay=0.1&name=mine"
    done = start("run", arch, "-o", "out", cwd=tmp_path)
    assert {p.name for p in (tmp_path / "out").iterdir()} == {"mine.py", "mine.txt", "mine.tex", "mine.md"}
    assert "Q1" not in done.stdout
    assert "every gradient agrees" in done.stdout


def test_run_with_files(call: Call, tmp_path: Path) -> None:
    assert new_loss(call("run", ARCH, *FILES)) == pytest.approx(NEW_LOSS, rel=1e-12)
    np.savez("d.npz", X=np.eye(3), y=np.array([0, 1, 2]))
    text = call("run", "--data", "d.npz")
    assert "one-hot" in text
    assert "Q1" not in text, "these are not the quiz's answers"


def test_run_exits_1_when_a_gradient_is_wrong(call: Call, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pipeline, "load", lambda *given: corrupt(load(*given), "b3", "factor"))
    assert "WRONG" in call("run", code=1)


def test_run_refuses_symbolic_widths_before_it_writes(call: Call, tmp_path: Path) -> None:
    call("run", "n0-n1-n2:tanh,softmax", code=2)
    assert state(tmp_path) == {}


# Every loss by a TOML file; formulas; all of it through.

TOML = """name = "case"
inputs = 3
loss = "{loss}"
reduction = "{reduction}"
samples = "{samples}"
weight_decay = {decay}
[[layers]]
units = 4
activation = "{hidden}"
[[layers]]
units = 2
activation = "{last}"
bias = false
"""
LAST = {"cross_entropy": "softmax", "binary_cross_entropy": "sigmoid", "mean_squared_error": "identity",
        "mean_absolute_error": "tanh", "huber": "identity", "hinge": "identity"}


@pytest.mark.parametrize(("reduction", "samples", "decay", "hidden"), [
    ("sum", "columns", 0.0, "tanh"), ("mean", "rows", 0.25, "gelu")])
@pytest.mark.parametrize("loss", LAST)
def test_a_file_of_each_loss(call: Call, tmp_path: Path, loss: str, reduction: str, samples: str,
                             decay: float, hidden: str) -> None:
    choices = {"loss": loss, "reduction": reduction, "samples": samples, "decay": decay, "hidden": hidden}
    (tmp_path / "net.toml").write_text(TOML.format(**choices, last=LAST[loss]), "utf-8")
    document = json.loads(call("derive", "net.toml", "--format", "json"))
    check_schema(document)
    assert [p["name"] for p in document["parameters"]] == ["W1", "b1", "W2"]
    assert ("penalty" in [e["name"] for e in document["forward"]]) == bool(decay)
    assert json.loads(call("verify", "net.toml", "--format", "json"))["ok"] is True
    shown = call("show", "net.toml")
    assert loss in shown
    assert reduction in shown
    call("generate", "net.toml")
    module = module_at(tmp_path / "generated" / "case.py")
    assert list(module.PARAMETERS) == ["W1", "b1", "W2"]
    check_schema(json.loads(call("derive", "net.toml", "--general", "--format", "json")))


FORMULAS_IN_X = [
    "x/(1+exp(-x))", "abs(x-0.5)", "max(min(x, 1), min(2*x, 0.5))", "max(x, x^2, 1)", "sin(x)/x", "x^99",
    "max(0, min(1, x))", "max(-1, min(1, x))", "x*max(0, min(6, x+3))/6", "step(x)", "sign(x)", "x^100"]


@pytest.mark.parametrize("formula", FORMULAS_IN_X)
def test_formulas_give_code_that_runs(call: Call, tmp_path: Path, formula: str) -> None:
    assert json.loads(call("verify", f"3-4-2:{formula},identity", "--format", "json"))["ok"] is True


@pytest.mark.parametrize("arch", [
    "3-5-1-2:gelu,relu,leaky_relu?loss=mean_absolute_error&samples=rows&bias=true,true,false",
    "3-1-1-1-1-3:relu*4,gelu?bias=false",
    "4-2-5-3:x^3,max(x,0.1*x),sigmoid?samples=rows&reduction=mean"])
def test_right_gradients_are_not_withheld(call: Call, arch: str) -> None:
    assert "∇W₁" in call("derive", arch)


@pytest.mark.parametrize(("samples", "hidden"), [
    ("columns", "softmax"), ("rows", "softmax"), ("rows", "relu"), ("columns", "gelu"),
    ("rows", "max(x, 0.1*x)"),
    ("columns", "max(0, min(1, x))"), ("rows", "max(min(x, 1), min(2*x, 0.5))")])
def test_float32_stays_float32(call: Call, tmp_path: Path, hidden: str, samples: str) -> None:
    call("generate", f"3-4-2:{hidden},identity?samples={samples}&name=small")
    module = module_at(tmp_path / "generated" / "small.py")
    parameters = {n: p.astype(np.float32) for n, p in module.initialize(0).items()}
    X, Y = (np.ones((5, n) if samples == "rows" else (n, 5), np.float32) for n in (3, 2))
    assert {n: v.dtype.name for n, v in module.trace(parameters, X, Y).items() if v.dtype != np.float32} == {}


# What surrounds the command.

def test_no_color_on_a_terminal(tmp_path: Path) -> None:
    pty = pytest.importorskip("pty")
    ours, theirs = pty.openpty()
    process = subprocess.Popen([sys.executable, "-m", "gradwright", "verify", "2-2:tanh"], cwd=tmp_path,
                               env={**OURS, "TERM": "xterm-256color", "NO_COLOR": "1"},
                               stdin=theirs, stdout=theirs, stderr=theirs)
    os.close(theirs)
    text = b""
    with contextlib.suppress(OSError):  # as Linux ends a terminal
        while piece := os.read(ours, 65536):
            text += piece
    os.close(ours)
    assert process.wait(timeout=60) == 0
    assert b"every gradient agrees" in text
    assert not re.search(rb"\x1b\[[0-9;]*(3[0-7]|4[0-7]|9[0-7]|38|48)[;m]", text)


@pytest.mark.parametrize("verb", ["show", "generate"])
def test_a_terminal_of_another_encoding(tmp_path: Path, verb: str) -> None:
    output = ("-o", "-") if verb == "generate" else ()
    start(verb, "2-2:tanh", *output, cwd=tmp_path, PYTHONIOENCODING="cp1252")


def test_a_closed_pipe_is_no_error(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "gradwright", "derive", "2-9x200:tanh*200"]
    process = subprocess.Popen(command, cwd=tmp_path, env=OURS, stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE)
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.read(10)
    process.stdout.close()
    assert b"Traceback" not in process.stderr.read()
    process.stderr.close()
    process.wait(timeout=60)


def test_an_unverified_answer_is_withheld(call: Call, tmp_path: Path) -> None:
    assert call("derive", "9-9-2:sqrt(sin(x)-0.99),identity", "-o", "out.txt", code=3) == ""
    assert state(tmp_path) == {}


@pytest.mark.parametrize("tag", ["[/a]", "[red]"])
def test_brackets_in_the_names_of_a_file(call: Call, tmp_path: Path, tag: str) -> None:
    np.savez("p.npz", **{f"{tag}.weight": np.ones((3, 3)), f"{tag}.bias": np.ones(3)})
    assert f"{tag}.weight read as W1" in call("evaluate", "3-3:softmax", "--params", "p.npz", "--data", DATA)
    assert f"out{tag}" in call("run", "3-3:softmax", "-o", f"out{tag}")


def test_an_evaluation_that_overflows_is_still_json(tmp_path: Path) -> None:
    def refuse(constant: str) -> None:
        raise AssertionError(f"{constant} is not JSON")

    rng = np.random.default_rng(0)
    np.savez(tmp_path / "p.npz", W1=rng.standard_normal((2, 2)), b1=np.ones((2, 1)))
    np.savez(tmp_path / "d.npz", X=rng.standard_normal((2, 3)), y=rng.standard_normal((2, 3)))
    done = start("evaluate", "2-2:exp(x^3)", "--params", "p.npz", "--data", "d.npz", "--learning-rate", "1e6",
                 "--format", "json", cwd=tmp_path)
    json.loads(done.stdout, parse_constant=refuse)


def test_differentiate(call: Call, tmp_path: Path) -> None:
    assert "∇x = 2 Aᵀ (A x − y)" in call("differentiate", "norm2(A*x-y)^2", "--wrt", "x")
    (tmp_path / "attention.txt").write_text("# two equations\nq = softmax(W*x)\n-y'*log(q)\n")
    document = json.loads(call("differentiate", "attention.txt", "--wrt", "W", "--format", "json"))
    assert {name: document[name] for name in ("wrt", "kind", "shape", "text")} == {
        "wrt": "W", "kind": "gradient", "shape": ["m", "n"], "text": "q = softmax(W*x); (sum(y)*q - y)*x'"}
    assert document["verified"]["max_relative_error"] < 1e-9
    assert set(document["steps"][0]) >= {"rule", "statement", "source", "before", "after"}
    assert "def derivative(" in document["python"]
    both = json.loads(call("differentiate", "x'*A*y", "--wrt", "x", "--wrt", "y", "--order", "2", "--format", "json"))
    assert [a["wrt"] for a in both["answers"]] == ["x", "y", "x, y"]
    assumed = json.loads(call("differentiate", "x'*A*x", "--wrt", "x", "--property", "A=symmetric", "--format", "json"))
    assert assumed["text"] == "2*A*x"
    assert assumed["assumptions"] == ["Aᵀ = A: A is symmetric"]
    module = call("differentiate", "A*inv(X)*B", "--wrt", "X", "--format", "python")
    assert "import numpy as np" in module
    assert "np.linalg.solve" in module
    assert "3×4" in call("differentiate", "sum(X)", "--wrt", "X", "--shape", "X=3,4")


@pytest.mark.parametrize("args", [("A*", "--wrt", "A"), ("sum(x)", "--wrt", "z"), ("sum(x)",), ("foo(x)", "--wrt", "x"),
                                  ("sum(x)", "--wrt", "x", "--shape", "x"), ("__import__('os')", "--wrt", "x")])
def test_differentiate_refuses(call: Call, args: tuple[str, ...]) -> None:
    call("differentiate", *args, code=2)
