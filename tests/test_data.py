"""Data files: orientations, labels of every kind, and each refusal."""

from __future__ import annotations

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from codegen.data import LABEL_KINDS, read_data
from symbolic.errors import InputError

X32 = np.arange(6.0).reshape(3, 2)


@pytest.mark.parametrize(("x_name", "y_name"), [("X", "y"), ("x", "Y"), ("x", "y"), ("X", "Y")])
@pytest.mark.parametrize("samples", ["columns", "rows"])
def test_matrices_are_taken_as_they_are(x_name: str, y_name: str, samples: str) -> None:
    x, y = X32, np.ones((4, 2), np.float32)
    if samples == "rows":
        x, y = x.T, y.T
    data = read_data({x_name: x, y_name: y}, 3, 4, samples, "real")
    np.testing.assert_array_equal(data.X, x)
    np.testing.assert_array_equal(data.Y, y)
    assert data.notes == ()
    assert data.X.dtype == np.float64
    assert data.Y.dtype == np.float32
    assert not np.shares_memory(data.X, x)


def test_casts_are_said() -> None:
    arrays: dict[str, np.ndarray] = {"X": X32.astype(np.float16), "y": np.eye(2, dtype=np.int32)}
    data = read_data(arrays, 3, 2, "columns", "distribution")
    assert data.X.dtype == np.float32
    assert data.Y.dtype == np.float64
    assert data.notes == ("X: float16 to float32", "y: int32 to float64")


# labels, outputs, y (N,) → Y as N × outputs, and the note.
LABELS = {
    "one-hot": ("distribution", 3, [2, 0], [[0, 0, 1], [1, 0, 0]],
                "2 integer class labels became one-hot {}"),
    "probabilities": ("probability", 2, [1, 1], [[0, 1], [0, 1]], "2 integer class labels became one-hot {}"),
    "signs": ("signs", 3, [2, 0], [[-1, -1, 1], [1, -1, -1]],
              "2 integer class labels became one-hot, −1 off the class, {}"),
    "real classes": ("real", 3, [1, 0], [[0, 1, 0], [1, 0, 0]], "2 integer class labels became one-hot {}"),
    "real values": ("real", 1, [-7, 40], [[-7], [40]], "2 int64 values became {}"),
    "binary": ("probability", 1, [1, 0], [[1], [0]], "2 labels of 0 and 1 became {}"),
    "binary signs": ("signs", 1, [1, 0], [[1], [-1]], "2 labels of 0 and 1 became −1 and +1, {}"),
    "signs already": ("signs", 1, [1, -1], [[1], [-1]], "2 labels of −1 and +1 became {}"),
    "all in class 1": ("signs", 1, [1, 1], [[1], [1]], "2 labels of −1 and +1 became {}"),
    "all in class 0": ("signs", 1, [0, 0], [[-1], [-1]], "2 labels of 0 and 1 became −1 and +1, {}"),
    "only class": ("distribution", 1, [0, 0], [[1], [1]], "2 integer class labels became one-hot {}"),
}


@pytest.mark.parametrize("samples", ["columns", "rows"])
@pytest.mark.parametrize(("labels", "outputs", "y", "expected", "note"), LABELS.values(), ids=LABELS.keys())
def test_labels(labels: str, outputs: int, y: list[int], expected: list, note: str, samples: str) -> None:
    columns = samples == "columns"
    data = read_data({"X": X32 if columns else X32.T, "y": np.array(y)}, 3, outputs, samples, labels)
    np.testing.assert_array_equal(data.Y, np.array(expected).T if columns else expected)
    shape = f"{outputs}×2" if columns else f"2×{outputs}"
    assert data.notes == (f"y: {note.format(shape)} (from shape (2,))",)
    assert data.Y.dtype == np.float64
    assert data.Y.flags.c_contiguous


@pytest.mark.parametrize("dtype", [np.int8, np.uint8, np.int64, np.uint64, ">i4"])
def test_labels_of_any_integer_dtype(dtype: str) -> None:
    data = read_data({"X": X32, "y": np.array([1, 0], dtype)}, 3, 2, "columns", "distribution")
    np.testing.assert_array_equal(data.Y, [[0, 1], [1, 0]])


def test_classes_do_not_widen_float32() -> None:
    data = read_data({"X": X32.astype(np.float32), "y": np.array([1, 0])}, 3, 2, "columns", "signs")
    assert data.X.dtype == data.Y.dtype == np.float32
    # A value is no class: float32 would round it.
    data = read_data({"X": X32.astype(np.float32), "y": np.array([1, 2**24 + 1])}, 3, 1, "columns", "real")
    assert data.Y.dtype == np.float64
    assert int(data.Y[0, 1]) == 2**24 + 1


@given(st.integers(2, 6), st.data(), st.sampled_from(["columns", "rows"]), st.sampled_from(LABEL_KINDS))
def test_one_hot_by_definition(outputs: int, draw: st.DataObject, samples: str, labels: str) -> None:
    y = np.array(draw.draw(st.lists(st.integers(0, outputs - 1), min_size=1, max_size=9)))
    X = np.zeros((2, y.size) if samples == "columns" else (y.size, 2))
    Y = read_data({"X": X, "y": y}, 2, outputs, samples, labels).Y
    by_sample = Y.T if samples == "columns" else Y
    assert by_sample.shape == (y.size, outputs)
    np.testing.assert_array_equal(by_sample.argmax(axis=1), y)
    assert set(by_sample.ravel()) == {-1.0 if labels == "signs" else 0.0, 1.0}
    assert ((by_sample == 1).sum(axis=1) == 1).all()


Y22 = np.eye(2)
ROWS = {"samples": "rows"}
# X and y, settings other than 3 inputs, 2 outputs, columns, distributions; what the refusal must say.
BAD: dict[str, tuple[tuple[object, object], dict, str]] = {
    "transposed X": ((np.ones((100, 3)), Y22), {},
                     'X is 100×3; with samples = "columns" expected 3×N: transpose it, '
                     'or set samples = "rows"'),
    "transposed X, rows": ((np.ones((3, 100)), Y22), ROWS,
                           'X is 3×100; with samples = "rows" expected N×3: transpose it, '
                           'or set samples = "columns"'),
    "transposed y": ((np.ones((3, 5)), np.ones((5, 2))), {},
                     'y is 5×2; with samples = "columns" expected 2×N: transpose it'),
    "wrong X": ((np.ones((4, 5)), Y22), {}, 'X is 4×5; with samples = "columns" expected 3×N'),
    "rank 1": ((np.ones(3), Y22), {},
               'X is (3,); with samples = "columns" expected 3×N, of rank 2: one sample is X.reshape(-1, 1)'),
    "rank 1, rows": ((np.ones(3), Y22), ROWS, "one sample is X.reshape(1, -1)"),
    "rank 1, one input": ((np.ones(5), Y22), {"inputs": 1}, "use X.reshape(1, -1)"),
    "rank 1, one input, rows": ((np.ones(5), Y22), {"inputs": 1} | ROWS, "use X.reshape(-1, 1)"),
    "rank 1, any size": ((np.ones(7), Y22), {}, "expected 3×N, of rank 2"),
    "rank 0": ((np.ones(()), Y22), {}, "X is ()"),
    "rank 3": ((np.ones((3, 2, 1)), Y22), {}, "X is 3×2×1"),
    "no samples": ((np.ones((3, 0)), np.ones((2, 0))), {},
                   'X is 3×0; with samples = "columns" expected 3×N, with at least one sample'),
    "no labels": ((X32, np.ones(0, int)), {}, "y is (0,) of int64, one label for each sample"),
    "other N": ((X32, np.ones((2, 5))), {}, "X has 2 samples and y 5"),
    "other number of labels": ((X32, np.ones(5, int)), {}, "but X has 2 samples; expected (2,)"),
    "one-hot of rank 1": ((X32[:, :1], np.array([0, 1])), {},
                          "y is (2,) of int64, one label for each sample, but X has 1 samples; "
                          "expected (1,): one sample is y.reshape(-1, 1)"),
    "float labels": ((X32, np.array([0.0, 1.0])), {},
                     "y is (2,) of float64; expected 2×N, or integers (class labels)"),
    "float values": ((X32, np.array([0.5, 1.0])), {"outputs": 1, "labels": "real"}, "use y.reshape(1, -1)"),
    "labels as a matrix": ((np.ones((3, 5)), np.ones((1, 5), int)), {},
                           "if these are class labels, save y.reshape(-1)"),
    "too high": ((X32, np.array([0, 2])), {}, "y holds the label 2; expected classes from 0 to 1"),
    "too low": ((X32, np.array([0, -1])), {}, "y holds the label -1; expected classes from 0 to 1"),
    "from 1": ((X32, np.array([1, 2])), {}, "from 0 to 1: save y - 1"),
    "huge": ((X32, np.array([0, 2**64 - 1], np.uint64)), {}, "the label 18446744073709551615"),
    "not binary": ((X32, np.array([0, 2])), {"outputs": 1, "labels": "probability"},
                   "y holds the labels 0, 2; expected 0 and 1 (one output)"),
    "not signs": ((X32, np.array([0, -1])), {"outputs": 1, "labels": "signs"},
                  "y holds the labels -1, 0; expected 0 and 1, or −1 and +1 (one output)"),
    "text": ((X32, np.array(["a", "b"])), {}, "array 'y' has dtype <U1"),
    "booleans": ((X32, np.array([True, False])), {}, "labels with .astype(int)"),
    "NaN": ((X32 * np.nan, Y22), {}, "array 'X' holds 6 NaN"),
    "NaN labels": ((X32, np.array([np.nan, 1])), {}, "array 'y' holds 1 NaN"),
    "samples": ((X32, Y22), {"samples": "column"}, "samples is 'column'"),
    "labels": ((X32, Y22), {"labels": "sign"}, "labels is 'sign', expected one of distribution"),
}


@pytest.mark.parametrize(("arrays", "changed", "expected"), BAD.values(), ids=BAD.keys())
def test_bad_data_is_refused_in_one_line(arrays: tuple, changed: dict, expected: str) -> None:
    settings = {"inputs": 3, "outputs": 2, "samples": "columns", "labels": "distribution"} | changed
    with pytest.raises(InputError, match=re.escape(expected)) as caught:
        read_data(dict(zip(("X", "y"), arrays, strict=True)), **settings)
    assert str(caught.value).isprintable()


BAD_NAMES = {
    "empty": ([], "no array X, expected one named X; the file has nothing"),
    "no y": (["X"], "no array y, expected one named y; the file has 'X'"),
    "both": (["X", "x", "y"], "both array X and x, expected one named X; the file has 'X', 'x', 'y'"),
    "unknown": (["X", "y", "foo\n"], r"unknown array 'foo\n', expected X and y"),
}


@pytest.mark.parametrize(("names", "expected"), BAD_NAMES.values(), ids=BAD_NAMES.keys())
def test_bad_names_are_refused(names: list[str], expected: str) -> None:
    with pytest.raises(InputError, match=re.escape(expected)):
        read_data(dict.fromkeys(names, Y22), 2, 2, "columns", "real")
