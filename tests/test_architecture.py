"""Architectures in each of their forms: read, refused, written and read again."""

from __future__ import annotations

import dataclasses
import math
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import sympy
from hypothesis import given, settings
from hypothesis import strategies as st

from symbolic.architecture import digest, parse_compact, parse_toml, read_architecture, to_compact, to_toml
from symbolic.errors import InputError
from symbolic.losses import LOSSES
from symbolic.network import Layer, Network, activation_names, width_symbol

QUIZ = Network(3, (Layer(3, "sigmoid"), Layer(3, "sigmoid"), Layer(3, "softmax")), name="quiz")

QUIZ_TOML = """\
name = "quiz"
inputs = 3
loss = "cross_entropy"
reduction = "sum"
samples = "columns"
weight_decay = 0.0

[[layers]]
units = 3
activation = "sigmoid"
bias = true

[[layers]]
units = 3
activation = "sigmoid"
bias = true

[[layers]]
units = 3
activation = "softmax"
bias = true
"""

COMPACT = {
    "3-3-3-3:sigmoid,sigmoid,softmax?name=quiz": QUIZ,
    " 3 - 2 : tanh ": Network(3, [Layer(2, "tanh")]),
    "3-1:sigmoid": Network(3, [Layer(1, "sigmoid")], loss="binary_cross_entropy"),
    "3-1:identity": Network(3, [Layer(1)], loss="mean_squared_error"),
    "3-2:softmax?loss=huber": Network(3, [Layer(2, "softmax")], loss="huber"),
    "3-2-1:max(x, -x/2),x^2?loss=hinge&reduction=mean&samples=rows&weight_decay=1e-3": Network(
        3, [Layer(2, "max(x, -x/2)"), Layer(1, "x^2")], "hinge", "mean", "rows", 0.001),
    "4-3-2:tanh,relu?bias=false": Network(4, [Layer(3, "tanh", False), Layer(2, "relu", False)]),
    "4-3-2:tanh,relu?bias=true,false": Network(4, [Layer(3, "tanh"), Layer(2, "relu", False)]),
    "784-64x50-10:tanh*50,softmax": Network(784, [Layer(64, "tanh")] * 50 + [Layer(10, "softmax")]),
    "n0-n1-n2:tanh,softmax": Network(width_symbol("n0"), [Layer(width_symbol("n1"), "tanh"),
                                                          Layer(width_symbol("n2"), "softmax")]),
    "2-2:x*50": Network(2, [Layer(2, "x*50")]),
}

BAD_COMPACT = {
    "": "WIDTHS:ACTIVATIONS",
    "quiz": "no such file",
    "quiz.toml": "no such file",
    "nets/quiz": "no such file",
    "a\x00.toml": "no such file",
    ".": "a directory",
    "3-4-1": "the activations are missing",
    "3-4-1?loss=huber": "the activations are missing",
    "3:tanh": "expected two widths or more",
    "3-0:tanh": "layer 1: units: expected a whole number from 1 to 10000000, came 0",
    "0-3:tanh": "inputs: expected a whole number",
    "3--1:tanh": "expected a width such as 64",
    "3-1.5:tanh": "came '1.5'",
    "3-²:tanh": "expected a width",
    "3-99999999:tanh": "came 99999999",
    "3-" + "9" * 9999 + ":tanh": "units: expected a whole number",
    "28x28-10:softmax": "the inputs are one width",
    "3-5x0:tanh": "came '5x0'",
    "3-5x10001:tanh": "expected 1 to 10000 layers",
    "3-5:tanh*" + "9" * 9999: "expected 1 to 10000 layers",
    "N-3:tanh": "the width 'N' has the name of another quantity",
    "3-W1:tanh": "the width 'W1' has the name of another quantity",
    "3-lambda:tanh": "came 'lambda'",
    "3-3-2:tanh": "expected 2 activations, one for each layer, came 1",
    "3-2:tanh,relu": "expected 1 activations, one for each layer, came 2",
    "3-2:tahn": "layer 1: unknown activation 'tahn', did you mean 'tanh'?",
    "3-2-2:relu,Softmaxx": "layer 2: unknown activation 'Softmaxx', did you mean 'softmax'?",
    "3-2:exp": "write it as a formula, exp(x)",
    "3-2:": "activation: expected a name or a formula in x, came ''",
    "3-2:x/(1+exq(-x))": "unknown function 'exq' at character 6, did you mean 'exp'?",
    "3-2:tanh&loss=huber": "unexpected '&'",
    "3-1:softmax": "softmax of one unit is always 1",
    "3-2:softmax?loss=binary_cross_entropy": "loss 'binary_cross_entropy' needs 'sigmoid'",
    "3-2:tanh?loss=cross_entropy": "loss 'cross_entropy' needs 'softmax' as the last activation, came 'tanh'",
    "3-2:tanh?loss=huberr": "unknown loss 'huberr', did you mean 'huber'?",
    "3-2:tanh?lost=huber": "unknown setting 'lost', did you mean 'loss'?",
    "3-2:tanh?loss=huber&loss=huber": "came twice",
    "3-2:tanh?": "expected settings such as",
    "3-2:tanh?loss=": "expected a value",
    "3-2:tanh?reduction=avg": "unknown reduction 'avg'; expected one of sum, mean",
    "3-2:tanh?samples=columms": "unknown samples 'columms', did you mean 'columns'?",
    "3-2:tanh?weight_decay=-1": "weight_decay: expected a finite number, 0 or more, came -1.0",
    "3-2:tanh?weight_decay=1e999": "weight_decay: expected a finite number",
    "3-2:tanh?weight_decay=nan": "weight_decay: expected a number such as 0.01, came 'nan'",
    "3-2:tanh?name=a/b": "without a path, came 'a/b'",
    "3-2:tanh?name=../x": "without a path",
    "3-2:tanh?name=class": "expected a Python identifier",
    "3-2:tanh?name=__init__": "expected a Python identifier",
    "3-2:tanh?name=é": "expected a Python identifier",
    "3-2:tanh?name=" + "n" * 65: "at most 64",
    "3-2:tanh?name=numpy": "would hide the module 'numpy'",
    "3-2:tanh?name=random": "would hide the module 'random'",
    "3-2:tanh?bias=yes": "bias: expected true or false, for all layers or each, came 'yes'",
    "3-2-2:tanh,tanh?bias=true,false,true": "expected 2 values of bias",
    "3-2:" + " " * 1_000_000: "at most 1000000 characters",
}

BAD_TOML = {
    "inputs = \n": "not TOML: Invalid value (at line 1, column",
    "inputs = 3": "the key 'layers' is missing",
    "[[layers]]\nunits = 3": "the key 'inputs' is missing",
    "inputs = 3\n[[layers]]": "layer 1: the key 'units' is missing",
    "input = 3\n[[layers]]\nunits = 3": "unknown key 'input', did you mean 'inputs'?",
    "inputs = 3\n[[layers]]\nunits = 3\nactivaton = 'tanh'": "layer 1: unknown key 'activaton', did you mean",
    "inputs = 3\nlayers = 3": "expected tables, each below a line [[layers]], came 3",
    "inputs = 3\nlayers = []": "expected tables",
    "inputs = 3\n[layers]\nunits = 3": "expected tables",
    "inputs = true\n[[layers]]\nunits = 3": "inputs: expected a whole number from 1 to 10000000, came True",
    "inputs = 3.0\n[[layers]]\nunits = 3": "inputs: expected a whole number from 1 to 10000000, came 3.0",
    "inputs = '3'\n[[layers]]\nunits = 3": "inputs: expected a whole number, came the string '3'; omit",
    "inputs = 'X'\n[[layers]]\nunits = 3": "inputs: the width 'X' has the name of another quantity",
    "inputs = 3\n[[layers]]\nunits = -1": "layer 1: units: expected a whole number from 1 to 10000000, came",
    "inputs = 3\n[[layers]]\nunits = []": "layer 1: units: expected a whole number",
    "inputs = 3\n[[layers]]\nunits = 3\n[[layers]]\nunits = 2\nactivation = 'tahn'": "layer 2: unknown",
    "inputs = 3\n[[layers]]\nunits = 3\nactivation = 7": "layer 1: activation: expected a name or a formula",
    "inputs = 3\n[[layers]]\nunits = 3\nbias = 'no'": "layer 1: bias: expected true or false, came 'no'",
    "inputs = 3\nloss = 4\n[[layers]]\nunits = 3": "unknown loss 4; expected one of cross_entropy",
    "inputs = 3\nweight_decay = inf\n[[layers]]\nunits = 3": "weight_decay: expected a finite number",
    "inputs = 3\nweight_decay = nan\n[[layers]]\nunits = 3": "weight_decay: expected a finite number",
    "inputs = 3\nweight_decay = true\n[[layers]]\nunits = 3": "weight_decay: expected a finite number",
    "inputs = 3\nname = ''\n[[layers]]\nunits = 3": "name: expected a Python identifier",
    "inputs = 3\nname = 'a/b'\n[[layers]]\nunits = 3": "without a path, came 'a/b'",
    "inputs = 3\nname = 5\n[[layers]]\nunits = 3": "name: expected a Python identifier",
    "inputs = 0x" + "f" * 9999 + "\n[[layers]]\nunits = 3": "inputs: expected a whole number",
    "inputs = " + "9" * 9999 + "\n[[layers]]\nunits = 3": "not TOML",
    "inputs = " + "[" * 9999: "not TOML: nested too deep",
}

BAD_LAYER: list[tuple[tuple[Any, ...], str]] = [
    ((0,), "units: expected a whole number"), ((True,), "came True"), ((2.0,), "came 2.0"),
    (("n1",), "came 'n1'"), ((10**7 + 1,), "from 1 to 10000000"),
    ((sympy.Symbol("n1"),), "make it with width_symbol('n1')"),
    ((sympy.Symbol("a b"),), "a short name such as n1"), ((2, None), "activation"), ((2, "tanh", 1), "bias"),
]

BAD_NETWORK: list[tuple[dict[str, Any], str]] = [
    ({"layers": ()}, "at least one Layer"),
    ({"layers": None}, "at least one Layer"),
    ({"layers": "tanh"}, "at least one Layer"),
    ({"layers": [3]}, "at least one Layer"),
    ({"layers": [Layer(3)] * 10_001}, "at most 10000, came 10001"),
    ({"inputs": 0}, "inputs: expected a whole number"),
    ({"loss": "mse"}, "unknown loss 'mse'"),
    ({"loss": False}, "unknown loss False"),
    ({"reduction": None}, "unknown reduction None"),
    ({"weight_decay": "1"}, "weight_decay"),
    ({"weight_decay": 10**400}, "weight_decay"),
    ({"name": None}, "name: expected a Python identifier"),
]


@pytest.mark.parametrize(("text", "network"), COMPACT.items())
def test_a_compact_string_is_the_network(text: str, network: Network) -> None:
    assert read_architecture(text) == network


@pytest.mark.parametrize(("text", "fragment"), BAD_COMPACT.items())
def test_a_bad_string_is_refused_in_one_line(text: str, fragment: str) -> None:
    with pytest.raises(InputError) as error:
        read_architecture(text)
    assert fragment in str(error.value)
    assert len(str(error.value).splitlines()) == 1


@pytest.mark.parametrize(("text", "fragment"), BAD_TOML.items())
def test_a_bad_file_is_refused_in_one_line(tmp_path: Path, text: str, fragment: str) -> None:
    path = tmp_path / "net.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError) as error:
        read_architecture(str(path))
    assert fragment in str(error.value)
    assert "net.toml" in str(error.value)
    assert len(str(error.value).splitlines()) == 1


@pytest.mark.parametrize(("content", "fragment"), [
    (b"\xff\xfe", "not UTF-8 at byte 1"), (b"#" * 1_000_001, "larger than 1000000 bytes")])
def test_a_file_that_is_no_ordinary_text_is_refused(tmp_path: Path, content: bytes, fragment: str) -> None:
    (tmp_path / "net").write_bytes(content)
    with pytest.raises(InputError, match=fragment):
        read_architecture(tmp_path / "net")


@pytest.mark.parametrize("source", [None, 3, b"3-1:tanh", ["3-1:tanh"]])
def test_an_architecture_is_a_string_or_a_path(source: object) -> None:
    with pytest.raises(InputError, match="an architecture is a TOML file or a string"):
        read_architecture(source)  # type: ignore[arg-type]


def test_the_file_of_the_quiz(tmp_path: Path) -> None:
    assert to_toml(QUIZ) == QUIZ_TOML
    path = tmp_path / "other.toml"
    for text in (QUIZ_TOML, "\ufeff" + QUIZ_TOML, QUIZ_TOML.replace("\n", "\r\n")):
        path.write_bytes(text.encode())
        assert read_architecture(path) == read_architecture(str(path)) == QUIZ
    assert to_compact(QUIZ) == "3-3-3-3:sigmoid,sigmoid,softmax?name=quiz"


@pytest.mark.parametrize(("stem", "name"), [
    ("deep", "deep"), ("two words", "net_3_2"), ("random", "net_3_2")])
def test_a_file_gives_the_name_where_it_can(tmp_path: Path, stem: str, name: str) -> None:
    path = tmp_path / f"{stem}.toml"
    path.write_text("inputs = 3\n[[layers]]\nunits = 2\n")
    assert read_architecture(path) == Network(3, [Layer(2, "identity", True)], name=name)


def test_a_name_of_an_existing_file_needs_no_suffix(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Path("quiz").write_text(QUIZ_TOML)
    assert read_architecture("quiz") == QUIZ


@pytest.mark.parametrize(("arguments", "fragment"), BAD_LAYER)
def test_a_layer_is_checked_when_it_is_made(arguments: tuple[Any, ...], fragment: str) -> None:
    with pytest.raises(InputError) as error:
        Layer(*arguments)
    assert fragment in str(error.value)


@pytest.mark.parametrize(("changes", "fragment"), BAD_NETWORK)
def test_a_network_is_checked_when_it_is_made(changes: dict[str, Any], fragment: str) -> None:
    with pytest.raises(InputError) as error:
        Network(**{"inputs": 3, "layers": [Layer(3)]} | changes)
    assert fragment in str(error.value)


@pytest.mark.parametrize("name", ["N", "X", "Y", "W1", "b2", "a1", "h1", "y_hat", "r", "m", "loss", "lambda",
                                  "", "1n", "a b", "_n", "n" * 33, "é"])
def test_a_width_cannot_have_the_name_of_something_else(name: str) -> None:
    with pytest.raises(InputError):
        width_symbol(name)


def test_numbers_of_other_libraries_become_plain_ones() -> None:
    network = Network(np.int64(3), [Layer(sympy.Integer(2))], weight_decay=Fraction(1, 4))
    assert (type(network.inputs), type(network.layers[0].units), network.weight_decay) == (int, int, 0.25)
    assert math.copysign(1, Network(3, [Layer(2)], weight_decay=-0.0).weight_decay) == 1


def test_a_network_is_a_value() -> None:
    assert hash(QUIZ) == hash(read_architecture(to_compact(QUIZ)))
    with pytest.raises(dataclasses.FrozenInstanceError):
        QUIZ.inputs = 4  # type: ignore[misc]
    assert dataclasses.replace(QUIZ, samples="rows").parameter_count == 36


@pytest.mark.parametrize(("samples", "shapes"), [
    ("columns", {"W1": (4, 3), "b1": (4, 1), "W2": (2, 4), "W3": (1, 2), "b3": (1, 1)}),
    ("rows", {"W1": (3, 4), "b1": (1, 4), "W2": (4, 2), "W3": (2, 1), "b3": (1, 1)})])
def test_shapes_of_the_parameters(samples: str, shapes: dict[str, tuple[int, int]]) -> None:
    network = read_architecture(f"3-4-2-1:tanh*3?bias=true,false,true&samples={samples}")
    assert list(network.parameter_shapes().items()) == list(shapes.items())
    assert network.parameter_count == 12 + 4 + 8 + 2 + 1
    assert network.widths == (3, 4, 2, 1)
    assert not network.symbolic


def test_shapes_of_a_symbolic_network() -> None:
    network = read_architecture("n0-n1-2:tanh,softmax")
    n0, n1 = map(width_symbol, ("n0", "n1"))
    assert network.symbolic
    assert network.parameter_shapes() == {"W1": (n1, n0), "b1": (n1, 1), "W2": (2, n1), "b2": (2, 1)}
    assert sympy.expand(network.parameter_count - (n0 * n1 + n1 + 2 * n1 + 2)) == 0


@pytest.mark.parametrize(("text", "name"), [
    ("3-3-3-3:tanh*3", "net_3_3_3_3"), ("784-64x50-10:tanh*50,softmax", "net_784_64x50_10"),
    ("n0-n1:tanh", "net_n0_n1")])
def test_a_network_without_a_name_is_called_by_its_widths(text: str, name: str) -> None:
    assert read_architecture(text).name == name


def test_the_name_of_a_long_network_stays_short() -> None:
    names = [Network(3, [Layer(k + shift) for k in range(1, 99)]).name for shift in (0, 1)]
    assert all(name.isidentifier() and len(name) <= 64 for name in names)
    assert names[0] != names[1]


def test_the_digest_changes_with_the_network() -> None:
    assert digest(QUIZ) == digest(parse_toml(QUIZ_TOML))
    others = [dataclasses.replace(QUIZ, **change) for change in (
        {"inputs": 4}, {"loss": "huber"}, {"reduction": "mean"}, {"samples": "rows"}, {"weight_decay": 0.1},
        {"name": "other"}, {"layers": QUIZ.layers[1:]})]
    digests = {digest(network) for network in (QUIZ, *others)}
    assert len(digests) == 1 + len(others)
    assert all(len(d) == 12 and set(d) <= set("0123456789abcdef") for d in digests)


WIDTHS = st.one_of(st.integers(2, 7), st.integers(2, 10**7),
                   st.sampled_from(["n0", "n_1", "width"]).map(width_symbol))
FORMULAS = st.sampled_from([
    "x", "x*50", "x/(1+exp(-x))", "max(x, 0.1*x)", "min( max(x,-1) ,1)", "2 * x^3", "e^-x"])
LAYERS = st.builds(Layer, WIDTHS, st.one_of(st.sampled_from(activation_names()), FORMULAS), st.booleans())
RUNS = st.lists(st.tuples(LAYERS, st.integers(1, 6)), min_size=1, max_size=4).map(
    lambda runs: [layer for layer, count in runs for _ in range(count)])


@st.composite
def networks(draw: st.DrawFn) -> Network:
    layers = draw(RUNS)
    losses = [name for name, loss in LOSSES.items() if loss.output in (None, layers[-1].activation)]
    return Network(
        draw(WIDTHS), layers, draw(st.sampled_from([None, *losses])), draw(st.sampled_from(["sum", "mean"])),
        draw(st.sampled_from(["columns", "rows"])), draw(st.floats(0, allow_infinity=False)),
        draw(st.sampled_from(["", "quiz", "_a9", "Net"])))


@settings(max_examples=100, deadline=None)
@given(networks())
def test_a_network_survives_both_forms(network: Network) -> None:
    assert parse_compact(to_compact(network)) == network
    assert parse_toml(to_toml(network)) == network
    assert to_compact(parse_toml(to_toml(network))) == to_compact(network)


def _one_line(text: str) -> None:
    """Read a text as either form; anything but a network or one line of refusal fails."""
    for read in (read_architecture, parse_compact, parse_toml):
        try:
            network = read(text)
        except InputError as error:
            message = str(error)
        else:
            assert isinstance(network, Network)
            continue
        assert len(message.splitlines()) == 1


@settings(max_examples=150, deadline=None)
@given(st.one_of(st.text(), st.text("0123456789-x:?&=,*()./ntahbs\n[]\"'\x00\ud800")))
def test_any_text_is_a_network_or_an_input_error(text: str) -> None:
    _one_line(text)


@settings(max_examples=150, deadline=None)
@given(st.sampled_from([*COMPACT, *BAD_TOML, QUIZ_TOML]), st.integers(0, 200), st.integers(0, 4),
       st.text("0123456789-x:?&=,*()./ ntahbs\n[]{}\"'\\\x00é", max_size=4))
def test_a_mutated_text_is_a_network_or_an_input_error(text: str, at: int, cut: int, insert: str) -> None:
    _one_line(text[:at] + insert + text[at + cut:])
