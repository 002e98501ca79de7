"""Bad input of every kind: exit code 2, one line on standard error, nothing written."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gradwright.cli import cli

ARCH = "3-4-2:tanh,softmax"
MOST_SECONDS = 10

rng = np.random.default_rng(0)
GOOD = {n: rng.random(shape) for n, shape in {"W1": (4, 3), "b1": (4, 1), "W2": (2, 4), "b2": (2, 1)}.items()}
X, Y = rng.random((3, 5)), np.eye(2)[:, [0, 1, 1, 0, 1]]


def but(**changes: Any) -> dict[str, Any]:
    """Return the good parameters with some replaced, or left out where None is given."""
    return {n: a for n, a in {**GOOD, **changes}.items() if a is not None}


PARAMS = {
    "missing": (but(b1=None), "b1"),
    "extra": (but(W3=np.ones((2, 2))), "W3"),
    "of_nothing": (but(gamma=np.ones(2)), "gamma"),
    "nan": (but(W1=np.full((4, 3), np.nan)), "'W1' holds 12 NaN"),
    "inf": (but(b2=np.array([[np.inf], [0]])), "1 infinite"),
    "shape": (but(W1=np.ones((4, 4))), "'W1' is 4×4, expected 4×3"),
    "transposed": (but(W1=np.ones((3, 4))), "fits transposed"),
    "rank_1": (but(b1=np.ones(4)), "'b1' is (4,), expected 4×1"),
    "rank_3": (but(b1=np.ones((4, 1, 1))), "b1"),
    "scalar": (but(b2=np.float64(1)), "b2"),
    "empty_array": (but(W2=np.ones((0, 4))), "W2"),
    "strings": (but(W1=np.full((4, 3), "1.0")), "expected real numbers"),
    "complex": (but(W1=np.ones((4, 3), complex)), "complex128"),
    "objects": (but(W1=np.array([[None] * 3] * 4)), "pickled Python objects"),
    "names_of_data": ({"X": X, "y": Y}, "'X'"),
    "two_schemes": (but(**{"0.weight": np.ones((4, 3))}), "0.weight"),
    "twins": (but(w1=np.ones((4, 3))), "w1"),
    "torch_shape": ({"0.weight": np.ones((3, 4)), "0.bias": np.ones(4), "2.weight": np.ones((2, 4)),
                     "2.bias": np.ones(2)}, "0.weight"),
    "sklearn_depth": ({"coefs_0": np.ones((3, 4)), "intercepts_0": np.ones(4)}, "W2"),
}

DATA = {
    "no_X": ({"y": Y}, "X"),
    "no_y": ({"X": X}, "y"),
    "extra": ({"X": X, "y": Y, "z": Y}, "'z'"),
    "twins": ({"X": X, "y": Y, "Y": Y}, "Y"),
    "other_N": ({"X": X, "y": Y[:, :4]}, "5 samples"),
    "labels_other_N": ({"X": X, "y": np.array([0, 1])}, "2"),
    "rank_1": ({"X": X[:, 0], "y": Y[:, :1]}, "(3,)"),
    "rows": ({"X": X.T, "y": Y.T}, 'samples = "columns"'),
    "features": ({"X": np.ones((4, 5)), "y": Y}, "4×5"),
    "classes": ({"X": X, "y": np.eye(5)}, "5×5"),
    "no_samples": ({"X": X[:, :0], "y": Y[:, :0]}, "3×0"),
    "nan": ({"X": np.full((3, 5), np.nan), "y": Y}, "NaN"),
    "inf_labels": ({"X": X, "y": np.full((2, 5), np.inf)}, "infinite"),
    "strings": ({"X": X, "y": np.array(["cat"] * 5)}, "real numbers"),
    "objects": ({"X": X, "y": np.array([None] * 5)}, "pickled"),
    "label_2_of_2": ({"X": X, "y": np.array([0, 1, 2, 0, 1])}, "2"),
    "label_negative": ({"X": X, "y": np.array([0, 1, -1, 0, 1])}, "1"),
    "label_fraction": ({"X": X, "y": np.array([0, 0.5, 1, 0, 1])}, "float64"),
    "no_distribution": ({"X": X, "y": Y * 2}, "distributions"),
    "negative_probability": ({"X": X, "y": np.array([[2.0] * 5, [-1.0] * 5])}, "distributions"),
}

BYTES = {"empty.npz": b"", "text.npz": b"W1 = 3\n", "pickle.npz": b"\x80\x04K\x01.", "zip.npz": b"PK\x03\x04"}

LAYER = "[[layers]]\nunits = 2\n"
TOML: dict[str, tuple[str | bytes, str]] = {
    "empty": ("", "'inputs' is missing"),
    "no_toml": ("inputs : 3", "not TOML"),
    "unclosed": ("inputs = [", "not TOML"),
    "binary": (b"\xff\xfe\x00", "UTF-8"),
    "json": ('{"inputs": 3}', "not TOML"),
    "twice": (f"inputs = 3\ninputs = 3\n{LAYER}", "not TOML"),
    "unknown_key": (f"inputs = 3\nlos = 'hinge'\n{LAYER}", "unknown key 'los', did you mean 'loss'"),
    "unknown_layer_key": (f"inputs = 3\n{LAYER}unit = 3", "layer 1: unknown key 'unit', did you mean"),
    "no_units": ("inputs = 3\n[[layers]]\nbias = true", "'units' is missing"),
    "no_inputs": (LAYER, "'inputs' is missing"),
    "no_layers": ("inputs = 3", "'layers' is missing"),
    "layers_empty": ("inputs = 3\nlayers = []", "layers"),
    "layers_number": ("inputs = 3\nlayers = 2", "layers"),
    "layers_table": ("inputs = 3\n[layers]\nunits = 2", "layers"),
    "layers_numbers": ("inputs = 3\nlayers = [1, 2]", "layers"),
    "inputs_list": (f"inputs = [3]\n{LAYER}", "inputs"),
    "inputs_true": (f"inputs = true\n{LAYER}", "inputs"),
    "inputs_float": (f"inputs = 3.0\n{LAYER}", "came 3.0"),
    "inputs_date": (f"inputs = 2020-01-01\n{LAYER}", "inputs"),
    "inputs_string": (f"inputs = '3'\n{LAYER}", "omit the quotes"),
    "inputs_zero": (f"inputs = 0\n{LAYER}", "came 0"),
    "units_negative": ("inputs = 3\n[[layers]]\nunits = -2", "came -2"),
    "units_huge": ("inputs = 3\n[[layers]]\nunits = 99999999999", "came 99999999999"),
    "loss_number": (f"inputs = 3\nloss = 1\n{LAYER}", "unknown loss 1"),
    "loss_near": (f"inputs = 3\nloss = 'mean_square_error'\n{LAYER}", "did you mean 'mean_squared_error'"),
    "loss_unfit": (f"inputs = 3\nloss = 'cross_entropy'\n{LAYER}", "needs 'softmax'"),
    "reduction": (f"inputs = 3\nreduction = 'max'\n{LAYER}", "unknown reduction 'max'"),
    "samples": (f"inputs = 3\nsamples = 'row'\n{LAYER}", "did you mean 'rows'"),
    "decay_string": (f"inputs = 3\nweight_decay = '0.1'\n{LAYER}", "weight_decay"),
    "decay_negative": (f"inputs = 3\nweight_decay = -0.1\n{LAYER}", "weight_decay"),
    "decay_nan": (f"inputs = 3\nweight_decay = nan\n{LAYER}", "weight_decay"),
    "bias_string": (f"inputs = 3\n{LAYER}bias = 'yes'", "bias"),
    "bias_number": (f"inputs = 3\n{LAYER}bias = 1", "bias"),
    "activation_list": (f"inputs = 3\n{LAYER}activation = ['tanh']", "activation"),
    "activation_near": (f"inputs = 3\n{LAYER}activation = 'sigmoyd'", "did you mean 'sigmoid'"),
    "name_number": (f"name = 3\ninputs = 3\n{LAYER}", "name"),
    "name_empty": (f"name = ''\ninputs = 3\n{LAYER}", "name"),
    "name_parent": (f"name = '../evil'\ninputs = 3\n{LAYER}", "without a path"),
    "name_path": (f"name = 'a/b'\ninputs = 3\n{LAYER}", "without a path"),
    "name_windows": (f"name = 'a\\b'\ninputs = 3\n{LAYER}", "name"),
    "name_absolute": (f"name = '/tmp/evil'\ninputs = 3\n{LAYER}", "without a path"),
    "name_keyword": (f"name = 'class'\ninputs = 3\n{LAYER}", "identifier"),
    "name_dots": (f"name = 'a.b'\ninputs = 3\n{LAYER}", "identifier"),
    "name_newline": (f'name = "a\\nb"\ninputs = 3\n{LAYER}', "identifier"),
    "name_docstring": (f"name = 'a\"\"\"'\ninputs = 3\n{LAYER}", "identifier"),
    "name_numpy": (f"name = 'numpy'\ninputs = 3\n{LAYER}", "hide the module"),
}

STRINGS = {
    "": "no such file", "3": "WIDTHS:ACTIVATIONS", "no_such_file": "no such file",
    "none.toml": "no such file", "no/such/file": "no such file", "folder": "a directory",
    "folder.toml": "a directory", "nul\0": "WIDTHS", "3-2": "activations are missing", "3-2:": "activation",
    ":tanh": "widths", "3:tanh": "two widths", "3-0:tanh": "came 0", "3--2:tanh": "width",
    "3-2.5:tanh": "'2.5'", "3-1e3:tanh": "'1e3'", "3-99999999:tanh": "from 1 to",
    "3-2-2:tanh": "expected 2 activations", "3-2:tanh,tanh": "expected 1 activation",
    "3-2:tanhh": "did you mean 'tanh'", "3-2:ReLu": "did you mean 'relu'",
    "3-2:swish": "unknown activation", "3-2:tanh?loss=hing": "did you mean 'hinge'",
    "3-2:tanh?los=hinge": "did you mean 'loss'", "3-2:tanh?loss=hinge?loss=huber": "3-2",
    "3-1:softmax": "softmax of one unit", "3-2:softmax?loss=binary_cross_entropy": "needs 'sigmoid'",
    "3-2:sigmoid?loss=cross_entropy": "needs 'softmax'", "3-2:tanh?name=../evil": "without a path",
    "3-2:tanh?name=a/b": "without a path", "3-2:tanh?name=lambda": "identifier",
    "3-2:tanh?name=1a": "identifier", "3-2:tanh?name=os": "hide the module",
    "3-2:tanh?weight_decay=inf": "weight_decay", "3-2:tanh?weight_decay=1e999": "weight_decay",
    "3-2:tanh?samples=cols": "samples", "3-2:tanh?reduction=average": "reduction",
    "3-2:tanh?bias=maybe": "bias", "x-2:tanh": "", "W1-2:tanh": "another quantity", "3-if:tanh": "'if'",
}
"""Architectures as an argument, with a part of the refusal."""

FORMULAS = {
    "__import__('os').system('x')": "", "x.__class__": "", "9**9**9": "", "lambda x: x": "", "lambda": "",
    "eval(x)": "", "x if x else 1": "", "[x]": "", "x[0]": "", "'x'": "", "x;x": "", "exec(x)": "",
    "x=1": "", "x:=1": "", "f(x)": "", "2x": "2*x", "x x": "2*x", "(x": "", "x)": "", "x+": "", "": "",
    "1": "depend on x", "y": "'y'", "1/0*x": "", "sqrt(-1)*x": "", "log(-1)+x": "", "exp": "exp(x)",
    "exq(x)": "did you mean 'exp'", "max(x)": "two arguments", "exp(x, x)": "one argument",
    "x^999999999": "exponent", "((((x^99)^99)^99)^99)": "", "10^1000*x": "", "(" * 999 + "x": "",
    "x" + "+x" * 999: "characters", "1" * 50 + "*x": "digits", "∑x": "", "x\u200b": "",
    "exp(exp(exp(exp(exp(9)))))*x": "", "x-x": "", "oo*x": "", "I*x": "", "sqrt(x-5)": "finite",
    "Integral(x)": "unknown function", "os": "", "__builtins__": "",
}
"""Activations that are no formula, with a part of the refusal."""

OUTPUTS = [
    (("derive", ARCH, "-o", "folder"), "folder"),
    (("derive", ARCH, "-o", "file/out.txt"), "file"),
    (("derive", ARCH, "-o", ""), ""),
    (("derive", ARCH, "-o", "n" * 300), "too long"),
    (("generate", ARCH, "-o", "file"), "file"),
    (("generate", ARCH, "-o", "file/deeper"), "file"),
    (("generate", "3-2:tanh?name=taken", "-o", "folder"), "taken.py"),
    (("run", ARCH, "-o", "file"), "file"),
    (("run", ARCH, "-o", "file/deeper"), "file"),
]

WRT = {"W9": "W2", "w1": "W1", "": "W1", "y_hat": "W1", "loss": "W1", "W1;b1": "W1", "Y": "W1"}
"""Quantities without a gradient; the refusal lists those that have one."""

SYMBOLIC = [
    ("generate",), ("verify",), ("run",), ("generate", "--check"), ("generate", "-o", "-"),
    ("evaluate", "--params", "good.npz", "--data", "data.npz")]

USAGE = [
    (), ("nothing",), ("--nothing",), ("derive",), ("generate",), ("evaluate",), ("verify",), ("show",),
    ("derive", ARCH, ARCH), ("derive", ARCH, "--format", "html"), ("evaluate", ARCH, "--format", "latex"),
    ("verify", ARCH, "--seed", "-1"), ("verify", ARCH, "--seed", "x"), ("verify", ARCH, "--seed", "1.5"),
    ("evaluate", ARCH, "--learning-rate", "fast"), ("derive", "-3-2:tanh"),
    ("show", ARCH, "--general"), ("run", ARCH, "--check"),
]
"""What click itself refuses, by its usage, a hint and an error; the bare command prints the help."""


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with all the input files, good and bad."""
    folder = tmp_path_factory.mktemp("inputs")
    np.savez(folder / "good.npz", **GOOD)  # type: ignore[arg-type]
    np.savez(folder / "data.npz", X=X, y=Y)
    content = (folder / "good.npz").read_bytes()
    for name, data in {**BYTES, "cut.npz": content[:-40], "half.npz": content[:len(content) // 2]}.items():
        (folder / name).write_bytes(data)
    np.save(folder / "one.npy", X)
    for kind, table in (("params", PARAMS), ("data", DATA)):
        for name, (arrays, _) in table.items():
            np.savez(folder / f"{kind}_{name}.npz", **arrays)
    for name, (text, _) in TOML.items():
        (folder / f"{name}.toml").write_bytes(text if isinstance(text, bytes) else text.encode())
    return folder


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return a working folder in which some outputs are already taken."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "file").write_text("old")
    (tmp_path / "folder" / "taken.py").mkdir(parents=True)
    (tmp_path / "folder.toml").mkdir()
    return tmp_path


Refuse = Callable[..., str]


@pytest.fixture
def refuse(place: Path, capsys: pytest.CaptureFixture[str]) -> Refuse:
    """Run the command in this process; give the line with which it refuses."""

    def run(*args: object) -> str:
        before, begun = tree(place), time.monotonic()
        with pytest.raises(SystemExit) as stopped:
            cli.main([str(a) for a in args], prog_name="gradwright")
        assert time.monotonic() - begun < MOST_SECONDS
        out, err = capsys.readouterr()
        check_refusal(stopped.value.code, out if args[0] != "run" else "", err)
        assert tree(place) == before, "nothing written"
        return err

    return run


def check_refusal(code: object, out: str, err: str) -> None:
    assert code == 2, out + err
    assert out == ""
    assert err.startswith("Error: ")
    assert err.endswith("\n")
    line = err[:-1]
    assert line.isprintable(), "one line, and no control characters"
    assert 20 < len(line) < 700
    assert "Traceback" not in line
    assert "Error(" not in line


def tree(folder: Path) -> dict[str, bytes | None]:
    return {str(p): p.read_bytes() if p.is_file() else None for p in folder.rglob("*")}


@pytest.mark.parametrize(("arch", "part"), STRINGS.items(), ids=map(repr, STRINGS))
def test_architecture(refuse: Refuse, arch: str, part: str) -> None:
    assert part in refuse("generate", arch)


VERBS = [("derive",), ("derive", "--general"), ("generate",), ("generate", "--check"), ("verify",), ("show",),
         ("run",), ("evaluate", "--params", "p", "--data", "d")]


@pytest.mark.parametrize("verb", VERBS, ids=" ".join)
@pytest.mark.parametrize("arch", ["3-2:tahn", "none.toml", "folder", "3-2:__import__('os')"])
def test_architecture_by_every_verb(refuse: Refuse, verb: tuple[str, ...], arch: str) -> None:
    refuse(verb[0], arch, *verb[1:])


@pytest.mark.parametrize(("name", "part"), [(n, p) for n, (_, p) in TOML.items()], ids=TOML)
def test_toml(refuse: Refuse, inputs: Path, name: str, part: str) -> None:
    line = refuse("generate", inputs / f"{name}.toml")
    assert f"{name}.toml" in line
    assert part in line


@pytest.mark.parametrize(("formula", "part"), FORMULAS.items(), ids=lambda text: repr(text)[:40])
def test_formula(refuse: Refuse, inputs: Path, tmp_path_factory: pytest.TempPathFactory, formula: str,
                 part: str) -> None:
    line = refuse("derive", f"3-2-2:tanh,{formula}", "-o", "out.txt")
    assert part in line
    assert "layer 2" in line
    path = tmp_path_factory.mktemp("toml") / "formula.toml"
    path.write_text(f"inputs = 3\n[[layers]]\nunits = 2\nactivation = {json.dumps(formula)}", "utf-8")
    assert part in refuse("derive", path, "-o", "out.txt")


@pytest.mark.parametrize("verb", ["evaluate", "verify"])
@pytest.mark.parametrize(("name", "part"), [(n, p) for n, (_, p) in PARAMS.items()], ids=PARAMS)
def test_parameters(refuse: Refuse, inputs: Path, verb: str, name: str, part: str) -> None:
    line = refuse(verb, ARCH, "--params", inputs / f"params_{name}.npz", "--data", inputs / "data.npz")
    assert f"params_{name}.npz" in line
    assert part in line


@pytest.mark.parametrize("verb", ["evaluate", "verify"])
@pytest.mark.parametrize(("name", "part"), [(n, p) for n, (_, p) in DATA.items()], ids=DATA)
def test_data(refuse: Refuse, inputs: Path, verb: str, name: str, part: str) -> None:
    line = refuse(verb, ARCH, "--params", inputs / "good.npz", "--data", inputs / f"data_{name}.npz")
    assert part in line


@pytest.mark.parametrize(("option", "name"), [
    ("--params", "params_nan"), ("--params", "none"), ("--data", "data_other_N"), ("--data", "cut")])
def test_run_reads_before_it_writes(refuse: Refuse, inputs: Path, option: str, name: str) -> None:
    files = {"--params": inputs / "good.npz", "--data": inputs / "data.npz", option: inputs / f"{name}.npz"}
    refuse("run", ARCH, *(part for pair in files.items() for part in pair))


@pytest.mark.parametrize("verb", ["evaluate", "verify"])
@pytest.mark.parametrize("option", ["--params", "--data"])
@pytest.mark.parametrize("name", [*BYTES, "cut.npz", "half.npz", "one.npy", "none.npz", ".", "no_toml.toml"])
def test_files_that_are_no_npz(refuse: Refuse, inputs: Path, verb: str, option: str, name: str) -> None:
    files = {"--params": inputs / "good.npz", "--data": inputs / "data.npz", option: inputs / name}
    refuse(verb, ARCH, *(part for pair in files.items() for part in pair))


@pytest.mark.parametrize("option", ["--params", "--data"])
def test_verify_with_an_empty_file_name(refuse: Refuse, option: str) -> None:
    refuse("verify", ARCH, option, "")


@pytest.mark.parametrize("given", [(), ("--params", "good.npz"), ("--data", "data.npz")])
def test_evaluate_needs_both_files(refuse: Refuse, inputs: Path, given: tuple[str, ...]) -> None:
    assert "--params" in refuse("evaluate", ARCH, *given)


@pytest.mark.parametrize("labels", [[0, 1, 2], [0, 1, 7], [-1, 0, 1]])
@pytest.mark.parametrize("arch", ["3-1:sigmoid", "3-1:identity?loss=hinge"])
def test_labels_of_two_classes(refuse: Refuse, tmp_path_factory: pytest.TempPathFactory, arch: str,
                               labels: list[int]) -> None:
    folder = tmp_path_factory.mktemp("labels")
    np.savez(folder / "d.npz", X=X[:, :3], y=np.array(labels))
    assert "expected 0 and 1" in refuse("verify", arch, "--data", folder / "d.npz")


@pytest.mark.parametrize(("arch", "labels"), [
    ("3-1:sigmoid", [[5.0, 1.0, -3.0]]), ("3-1:identity?loss=hinge", [[0.0, 1.0, 1.0]]),
    ("3-2:identity?loss=hinge", np.eye(2, 3))])
def test_label_matrices(refuse: Refuse, tmp_path_factory: pytest.TempPathFactory, arch: str,
                        labels: Any) -> None:
    folder = tmp_path_factory.mktemp("labels")
    np.savez(folder / "d.npz", X=X[:, :3], y=np.array(labels))
    refuse("verify", arch, "--data", folder / "d.npz")


@pytest.mark.parametrize(("name", "part"), WRT.items(), ids=repr)
def test_wrt(refuse: Refuse, name: str, part: str) -> None:
    assert part in refuse("derive", ARCH, "--wrt", "W1", "--wrt", name, "-o", "out.txt")
    refuse("derive", ARCH, "--general", "--wrt", name)


@pytest.mark.parametrize(("args", "part"), OUTPUTS, ids=lambda args: " ".join(args)[:60])
def test_output(refuse: Refuse, args: tuple[str, ...], part: str) -> None:
    assert part in refuse(*args)


@pytest.mark.parametrize("args", SYMBOLIC, ids=" ".join)
def test_symbolic_widths(refuse: Refuse, inputs: Path, args: tuple[str, ...]) -> None:
    verb, *options = args
    line = refuse(verb, "n0-n1-n2:tanh,softmax", *(inputs / o if o.endswith(".npz") else o for o in options))
    assert "integer widths" in line


@pytest.mark.parametrize("args", [
    ("derive", ARCH, "-o", "file"), ("generate", "3-2:tanh?name=net", "-o", ".")], ids=" ".join)
@pytest.mark.parametrize("step", ["replace", "fdopen"])
def test_a_full_disk_leaves_the_old_file(refuse: Refuse, place: Path, monkeypatch: pytest.MonkeyPatch,
                                         args: tuple[str, ...], step: str) -> None:
    (place / "net.py").write_text("old")

    def fail(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, step, fail)
    assert "No space left" in refuse(*args)


def test_what_the_system_forbids(refuse: Refuse, place: Path) -> None:
    """Not by chmod alone: root, as which containers run, may do everything there."""
    if Path("/proc/self/mem").exists():
        assert "cannot" in refuse("show", "/proc/self/mem")
        refuse("verify", ARCH, "--params", "/proc/self/mem")
        assert "cannot write" in refuse("derive", ARCH, "-o", "/proc/gradwright.txt")
        assert "cannot write" in refuse("generate", ARCH, "-o", "/proc/gradwright")
        refuse("show", "/dev/zero")
    if hasattr(os, "geteuid") and os.geteuid():
        locked = place / "folder"
        locked.chmod(0o500)
        try:
            assert "Permission denied" in refuse("generate", ARCH, "-o", locked)
        finally:
            locked.chmod(0o700)


@pytest.mark.parametrize("args", USAGE, ids=lambda args: " ".join(args) or "bare")
def test_usage(place: Path, capsys: pytest.CaptureFixture[str], args: tuple[str, ...]) -> None:
    before = tree(place)
    with pytest.raises(SystemExit) as stopped:
        cli.main(list(args), prog_name="gradwright")
    out, err = capsys.readouterr()
    assert (stopped.value.code, out) == (2, "")
    lines = [line for line in err.splitlines() if line]
    assert lines[0].startswith("Usage: gradwright")
    if args:
        assert len(lines) == 3
        assert lines[1].startswith("Try 'gradwright")
        assert lines[2].startswith("Error: ")
    assert tree(place) == before


PROCESSES = [
    ("generate", "3-2:__import__('os').system('x'),tanh"), ("derive", "3-2:9**9**9,tanh", "-o", "out.txt"),
    ("show", "none.toml"), ("generate", ARCH, "-o", "file"),
    ("evaluate", ARCH, "--params", "@cut.npz", "--data", "@data.npz"),
    ("show", "@unknown_key.toml"), ("verify", "n0-n1:tanh"),
    ("verify", "2-3-2:log(x),identity"),
]


@pytest.mark.parametrize("args", PROCESSES, ids=" ".join)
def test_as_a_process(place: Path, inputs: Path, args: tuple[str, ...]) -> None:
    before = tree(place)
    command = [sys.executable, "-m", "gradwright", *(a.replace("@", f"{inputs}{os.sep}") for a in args)]
    done = subprocess.run(command, cwd=place, capture_output=True, encoding="utf-8", timeout=60, check=False)
    check_refusal(done.returncode, done.stdout, done.stderr)
    assert tree(place) == before


@pytest.mark.parametrize("args", [("show", ARCH), ("derive", ARCH)], ids=" ".join)
def test_a_full_standard_output(place: Path, args: tuple[str, ...]) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("no /dev/full here")
    with open("/dev/full", "wb") as full:
        done = subprocess.run([sys.executable, "-m", "gradwright", *args], cwd=place, stdout=full,
                              stderr=subprocess.PIPE, encoding="utf-8", timeout=60, check=False)
    check_refusal(done.returncode, "", done.stderr)
