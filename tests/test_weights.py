"""Foreign weights: a network by hand in their convention equals ours after the mapping."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from codegen.weights import SCHEMES, Mapping, match_parameters
from symbolic.errors import InputError

Arrays = dict[str, np.ndarray]
Shapes = dict[str, tuple[int, int]]


def our_shapes(widths: list[int], samples: str, biases: list[bool] | None = None) -> Shapes:
    shapes: Shapes = {}
    for k, (before, units) in enumerate(itertools.pairwise(widths), start=1):
        shapes[f"W{k}"] = (units, before) if samples == "columns" else (before, units)
        if biases is None or biases[k - 1]:
            shapes[f"b{k}"] = (units, 1) if samples == "columns" else (1, units)
    return shapes


def our_output(parameters: Arrays, X: np.ndarray, samples: str) -> np.ndarray:
    """Evaluate tanh layers on X, N × features, by our own formulas, and give N × outputs."""
    h, k = (X.T if samples == "columns" else X), 1
    while f"W{k}" in parameters:
        W, b = parameters[f"W{k}"], parameters.get(f"b{k}", 0.0)
        h = np.tanh(W @ h + b if samples == "columns" else h @ W + b)
        k += 1
    return h.T if samples == "columns" else h


def torch_output(layers: list[tuple[np.ndarray, np.ndarray]], X: np.ndarray) -> np.ndarray:
    """Follow torch.nn.Linear's documentation: y = x Aᵀ + b, A of shape (out, in), b of shape (out,)."""
    for A, b in layers:
        X = np.tanh(X @ A.T + b)
    return X


def dense_output(layers: list[tuple[np.ndarray, np.ndarray]], X: np.ndarray) -> np.ndarray:
    """Follow scikit-learn's MLP and Keras' Dense: y = x W + b, W of shape (in, out), b of shape (out,)."""
    for W, b in layers:
        X = np.tanh(X @ W + b)
    return X


def dense(k: int) -> str:
    return f"dense_{k}" if k else "dense"


# Names of layer k = 0, 1, …; whether a weight is (out, in); the evaluation by hand.
FOREIGN: dict[str, tuple[Callable[[int], tuple[str, str]], bool, Callable]] = {
    "torch": (lambda k: (f"{k}.weight", f"{k}.bias"), True, torch_output),
    "torch Sequential": (lambda k: (f"{2 * k}.weight", f"{2 * k}.bias"), True, torch_output),
    "torch nested": (lambda k: (f"model.layers.{k}.weight", f"model.layers.{k}.bias"), True, torch_output),
    "torch named": (lambda k: (f"fc{k + 1}.weight", f"fc{k + 1}.bias"), True, torch_output),
    "torch blocks": (lambda k: (f"b{k // 2}.{k % 2}.weight", f"b{k // 2}.{k % 2}.bias"), True, torch_output),
    "sklearn": (lambda k: (f"coefs_{k}", f"intercepts_{k}"), False, dense_output),
    "keras": (lambda k: (f"{dense(k)}/kernel", f"{dense(k)}/bias"), False, dense_output),
    "keras path": (lambda k: (f"m/{dense(k + 7)}/kernel", f"m/{dense(k + 7)}/bias"), False, dense_output),
    "keras h5": (lambda k: (f"{dense(k)}/{dense(k)}/kernel:0", f"{dense(k)}/{dense(k)}/bias:0"), False,
                 dense_output),
}


def foreign_file(
    scheme: str, widths: list[int], rng: np.random.Generator,
) -> tuple[Arrays, list[tuple[np.ndarray, np.ndarray]]]:
    names, out_first, _ = FOREIGN[scheme]
    arrays: Arrays = {}
    layers = []
    for k, (before, units) in enumerate(itertools.pairwise(widths)):
        weight = rng.normal(size=(units, before) if out_first else (before, units))
        bias = rng.normal(size=units)
        arrays |= dict(zip(names(k), (weight, bias), strict=True))
        layers.append((weight, bias))
    # The order in the file must not matter: '10.weight' sorts before '2.weight' as text.
    return {name: arrays[name] for name in sorted(arrays)}, layers


@pytest.mark.parametrize("samples", ["columns", "rows"])
@pytest.mark.parametrize("scheme", FOREIGN)
@settings(max_examples=12, deadline=None)
@given(widths=st.lists(st.integers(1, 4), min_size=2, max_size=14), seed=st.integers(0, 2**32 - 1))
def test_mapped_network_equals_the_foreign_one(
    scheme: str, samples: str, widths: list[int], seed: int,
) -> None:
    rng = np.random.default_rng(seed)
    arrays, layers = foreign_file(scheme, widths, rng)
    shapes = our_shapes(widths, samples)
    parameters, mappings = match_parameters(arrays, shapes, samples)
    assert {name: array.shape for name, array in parameters.items()} == shapes
    assert list(parameters) == list(shapes) == [mapping.ours for mapping in mappings]
    assert sorted(mapping.theirs for mapping in mappings) == sorted(arrays)
    X = rng.normal(size=(5, widths[0]))
    np.testing.assert_allclose(our_output(parameters, X, samples), FOREIGN[scheme][2](layers, X), rtol=1e-12)


@pytest.mark.parametrize("samples", ["columns", "rows"])
@pytest.mark.parametrize("scheme", FOREIGN)
@pytest.mark.parametrize("widths", [[3] * 13, [3, 3], [4, 2, 5]])
def test_square_and_other_networks(scheme: str, samples: str, widths: list[int]) -> None:
    """Where all weights are square nothing but the convention tells what is to be transposed."""
    arrays, layers = foreign_file(scheme, widths, np.random.default_rng(0))
    parameters, mappings = match_parameters(arrays, our_shapes(widths, samples), samples)
    X = np.random.default_rng(1).normal(size=(5, widths[0]))
    np.testing.assert_allclose(our_output(parameters, X, samples), FOREIGN[scheme][2](layers, X), rtol=1e-12)
    transposed = FOREIGN[scheme][1] != (samples == "columns")
    n = widths[1]
    assert mappings[0] == Mapping(FOREIGN[scheme][0](0)[0], "W1", "transposed" if transposed else "")
    to = f"{n}×1" if samples == "columns" else f"1×{n}"
    assert mappings[1] == Mapping(FOREIGN[scheme][0](0)[1], "b1", f"reshaped ({n},) to {to}")
    assert all(array.flags.c_contiguous for array in parameters.values())


@pytest.mark.parametrize("samples", ["columns", "rows"])
@pytest.mark.parametrize("weight", ["W{}", "w{}", "W_{}", "w_{}"])
@pytest.mark.parametrize("bias", ["b{}", "b_{}"])
def test_our_own_names_are_taken_as_they_are(samples: str, weight: str, bias: str) -> None:
    shapes = our_shapes([3, 3, 4, 2], samples, [True, False, True])
    rng = np.random.default_rng(0)
    expected = {name: rng.normal(size=shape) for name, shape in shapes.items()}
    file = {(weight if name[0] == "W" else bias).format(name[1:]): array for name, array in expected.items()}
    parameters, mappings = match_parameters(dict(reversed(file.items())), shapes, samples)
    assert list(parameters) == list(shapes)
    for name, array in expected.items():
        np.testing.assert_array_equal(parameters[name], array)
    assert {mapping.change for mapping in mappings} == {""}


def test_layers_without_bias() -> None:
    arrays = {"0.weight": np.ones((2, 3)), "2.weight": np.ones((4, 2)), "2.bias": np.ones(4)}
    shapes = our_shapes([3, 2, 4], "columns", [False, True])
    parameters, mappings = match_parameters(arrays, shapes, "columns")
    assert list(parameters) == ["W1", "W2", "b2"]
    assert mappings[2].theirs == "2.bias"


def test_a_single_layer_needs_no_number() -> None:
    parameters, _ = match_parameters({"fc.weight": np.ones((1, 2)), "fc.bias": np.ones(1)},
                                     our_shapes([2, 1], "rows"), "rows")
    assert parameters["W1"].shape == (2, 1)


def test_dtypes() -> None:
    arrays = {"0.weight": np.ones((2, 3), np.float16), "0.bias": np.ones(2, int),
              "1.weight": np.ones((1, 2), ">f4"), "1.bias": np.ones(1, np.float32)}
    parameters, mappings = match_parameters(arrays, our_shapes([3, 2, 1], "rows"), "rows")
    assert [array.dtype.name for array in parameters.values()] == ["float32", "float64", "float32", "float32"]
    assert [mapping.change for mapping in mappings] == [
        "transposed, float16 to float32", "reshaped (2,) to 1×2, int64 to float64", "transposed",
        "reshaped (1,) to 1×1"]


def test_result_shares_no_memory_with_the_file() -> None:
    arrays = {"W1": np.ones((2, 3)), "b1": np.ones((2, 1))}
    parameters, _ = match_parameters(arrays, our_shapes([3, 2], "columns"), "columns")
    assert not any(np.shares_memory(parameters[name], arrays[name]) for name in arrays)


def zeros(**shapes: tuple[int, ...]) -> Arrays:
    return {name.replace("__", "."): np.zeros(shape) for name, shape in shapes.items()}


OWN = zeros(W1=(2, 3), b1=(2, 1), W2=(4, 2), b2=(4, 1))
TORCH = zeros(L0__weight=(2, 3), L0__bias=(2,), L1__weight=(4, 2), L1__bias=(4,))
SKLEARN = zeros(coefs_0=(3, 2), intercepts_0=(2,), coefs_1=(2, 4), intercepts_1=(4,))


def without(arrays: Arrays, *names: str, **more: tuple[int, ...]) -> Arrays:
    return {name: array for name, array in arrays.items() if name not in names} | zeros(**more)


# Files for a network 3-2-4 with columns as samples, and what the refusal must say.
BAD = {
    "empty": ({}, "no arrays, expected the parameters of a network"),
    "unknown": (without(OWN, foo=(1,)),
                "unknown array 'foo'; expected names such as W1, b1 (gradwright); 0.weight"),
    "unknown torch": (without(TORCH, L1__running_mean=(4,)), "unknown array 'L1.running_mean'"),
    "whole name only": (without(OWN, "W1", myW1=(2, 3)), "unknown array 'myW1'"),
    "huge number": ({"W" + "1" * 5000: np.zeros((2, 3))}, "unknown array 'W111"),
    "line break": ({"W1\n": np.zeros((2, 3))}, r"unknown array 'W1\n'"),
    "mixed": (without(OWN, "W2", "b2", coefs_1=(2, 4), intercepts_1=(4,)),
              "mixes the names of 'W1' (gradwright) and 'coefs_1' (scikit-learn)"),
    "lacks ours": (without(OWN, "b1"),
                   "no array for b1; expected 'W1', 'b1', 'W2', 'b2'; the file has 'W1', 'W2', 'b2'"),
    "counts from 0": (zeros(W0=(2, 3), b0=(2, 1), W1=(4, 2), b1=(4, 1)), "no array for W2; expected"),
    "lacks torch": (without(TORCH, "L0.bias"), "no array for b1"),
    "lacks torch weight": (without(TORCH, "L1.weight"), "no array for W2"),
    "lacks a layer": (without(TORCH, "L0.weight", "L0.bias"), "no array for W2"),
    "sklearn gap": (without(SKLEARN, "coefs_1", "intercepts_1", coefs_2=(2, 4), intercepts_2=(4,)),
                    "no array for W2; expected 'W1', 'b1', 'W2', 'b2'; the file has 'coefs_0', "
                    "'intercepts_0', 'coefs_2', 'intercepts_2' (scikit-learn names, whose layers count "
                    "from 0)"),
    "too many ours": (without(OWN, W3=(4, 4)),
                      "array 'W3' has no place: layer 3 of the network does not exist"),
    "zeroth": (without(OWN, W0=(4, 4)), "array 'W0' has no place: layer 0"),
    "too many torch": (without(TORCH, L2__weight=(4, 4)), "array 'L2.weight' has no place: layer 3"),
    "twins": (without(OWN, w_1=(2, 3)), "arrays 'W1' and 'w_1' stand for the same parameter"),
    "torch twins": (without(TORCH, L01__weight=(4, 2)),
                    "arrays 'L1.weight' and 'L01.weight' stand for the same parameter"),
    "no order": (zeros(hidden__weight=(2, 3), hidden__bias=(2,), out__weight=(4, 2), out__bias=(4,)),
                 "the names do not tell the order of the layers"),
    "one off the order": (without(TORCH, "L1.weight", "L1.bias", head__weight=(4, 2), head__bias=(4,)),
                          "the names do not tell the order of the layers"),
    "wrong ours": (without(OWN, "W1", W1=(5, 3)), "array 'W1' is 5×3, expected 2×3 for W1"),
    "transposed ours": (without(OWN, "W1", W1=(3, 2)),
                        "array 'W1' is 3×2, expected 2×3 for W1 with samples = \"columns\": "
                        "it fits transposed; save W1.T, or set samples = \"rows\""),
    "transposed bias": (without(OWN, "b1", b1=(1, 2)),
                        "array 'b1' is 1×2, expected 2×1 for b1 with samples = \"columns\": "
                        "it fits transposed; save b1.T"),
    "rank 1 ours": (without(OWN, "b1", b1=(2,)),
                    "array 'b1' is (2,), expected 2×1 for b1 with samples = \"columns\": "
                    "save b1.reshape(2, 1)"),
    "rank 1, wrong size": (without(OWN, "b1", b1=(3,)), "array 'b1' is (3,), expected 2×1 for b1"),
    "rank 0": (without(OWN, "b1", b1=()), "array 'b1' is (), expected 2×1"),
    "rank 3": (without(OWN, "W1", W1=(1, 2, 3)), "array 'W1' is 1×2×3, expected 2×3"),
    "transposed torch": (without(TORCH, "L0.weight", L0__weight=(3, 2)),
                         "array 'L0.weight' is 3×2, expected 2×3 for W1 as PyTorch stores it: "
                         "it fits transposed; save it untransposed"),
    "torch bias of rank 2": (without(TORCH, "L0.bias", L0__bias=(2, 1)),
                             "array 'L0.bias' is 2×1, expected (2,) for b1 as PyTorch stores it: "
                             "save it with .reshape(-1)"),
    "transposed sklearn": (without(SKLEARN, "coefs_1", coefs_1=(4, 2)),
                           "array 'coefs_1' is 4×2, expected 2×4 for W2 as scikit-learn stores it"),
    "text": (without(OWN, "b1") | {"b1": np.array([["a"], ["b"]])}, "array 'b1' has dtype <U1"),
    "NaN": (without(OWN, "b1") | {"b1": np.full((2, 1), np.nan)}, "array 'b1' holds 2 NaN"),
}


@pytest.mark.parametrize(("arrays", "expected"), BAD.values(), ids=BAD.keys())
def test_bad_file_is_refused_in_one_line(arrays: Arrays, expected: str) -> None:
    with pytest.raises(InputError, match=re.escape(expected)) as caught:
        match_parameters(arrays, our_shapes([3, 2, 4], "columns"), "columns")
    assert str(caught.value).isprintable()


def test_bias_where_the_network_has_none() -> None:
    for arrays, name in ((OWN, "b1"), (TORCH, "L0.bias"), (SKLEARN, "intercepts_0")):
        with pytest.raises(InputError, match=f"'{name}' has no place: layer 1 .* has bias = false"):
            match_parameters(arrays, our_shapes([3, 2, 4], "columns", [False, True]), "columns")


def test_advice_for_rows() -> None:
    file = zeros(W1=(2, 3), b1=(2, 1))
    with pytest.raises(InputError, match=r'save W1\.T, or set samples = "columns"'):
        match_parameters(file, our_shapes([3, 2], "rows"), "rows")
    with pytest.raises(InputError, match=re.escape("save b1.reshape(1, 2)")):
        match_parameters(zeros(W1=(3, 2), b1=(2,)), our_shapes([3, 2], "rows"), "rows")
    with pytest.raises(InputError, match='expected "columns" or "rows"'):
        match_parameters(file, our_shapes([3, 2], "rows"), "row")


def test_long_lists_of_names_are_cut() -> None:
    file = {f"{k}.weight": np.zeros((1, 1)) for k in range(50)}
    with pytest.raises(InputError, match="and 38 more") as caught:
        match_parameters(file, our_shapes([1] * 52, "columns", [False] * 51), "columns")
    assert len(str(caught.value)) < 600


def test_no_name_matches_two_schemes() -> None:
    names = [name for scheme in SCHEMES for name in scheme.examples]
    names += [name for names_of, _, _ in FOREIGN.values() for k in (0, 1, 12) for name in names_of(k)]
    for name in names:
        fitting = [s for s in SCHEMES for pattern in (s.weight, s.bias) if re.fullmatch(pattern, name)]
        assert len(fitting) == 1, name
