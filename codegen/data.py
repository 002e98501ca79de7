"""Samples and labels from the arrays of a data file."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from codegen.npz import as_floating, check_numbers
from codegen.weights import show_shape
from symbolic.errors import InputError

LABEL_KINDS = ("distribution", "probability", "signs", "real")


@dataclass(frozen=True, eq=False)
class Data:
    """Samples and what the network should answer.

    Attributes:
        X: inputs × N with samples as columns, N × inputs as rows; float32 or float64.
        Y: outputs × N or N × outputs, likewise.
        notes: What was done to the arrays of the file, in words.
    """

    X: np.ndarray
    Y: np.ndarray
    notes: tuple[str, ...]


def read_data(arrays: dict[str, np.ndarray], inputs: int, outputs: int, samples: str, labels: str) -> Data:
    """Check the arrays X and y of a data file and turn class labels into matrices.

    Integer labels of shape (N,) become one-hot; with one output, binary labels become
    0.0 and 1.0, and real ones their values. Where ``labels`` is "signs" -1 stands for 0.

    Args:
        arrays: ``X`` (or ``x``) and ``y`` (or ``Y``), nothing else.
        inputs: Features of a sample.
        outputs: Units of the last layer.
        samples: "columns" or "rows".
        labels: What the loss takes Y for, one of ``LABEL_KINDS``.

    Raises:
        InputError: An array missing, unknown or given twice, a wrong shape, rank 1
            where it is not class labels, a label that is no class, different
            numbers of samples, none at all, anything but finite real numbers.
    """
    if samples not in ("columns", "rows"):
        raise InputError(f'samples is {samples!r}, expected "columns" or "rows"')
    if labels not in LABEL_KINDS:
        raise InputError(f"labels is {labels!r}, expected one of {', '.join(LABEL_KINDS)}")
    x_name, y_name = _names(arrays)
    x, y = arrays[x_name], arrays[y_name]
    _check_matrix(x_name, x, inputs, samples)
    X, change = as_floating(x_name, x)
    notes = [f"{x_name}: {change}"] if change else []
    count = X.shape[_axis(samples)]
    if y.ndim == 1:
        _check_labels(y_name, y, count, outputs, samples)
        by_sample, change = _from_labels(y_name, y, outputs, labels)
        Y = np.ascontiguousarray(by_sample.T) if samples == "columns" else by_sample
        change = f"{y.size} {change} {show_shape(Y.shape)} (from shape {show_shape(y.shape)})"
        # Classes are exact in any dtype: they shall not widen a float32 network.
        Y = Y if labels == "real" and outputs == 1 else Y.astype(X.dtype)
    else:
        _check_matrix(y_name, y, outputs, samples)
        Y, change = as_floating(y_name, y)
        _check_entries(y_name, Y, labels)
    if change:
        notes.append(f"{y_name}: {change}")
    if Y.shape[_axis(samples)] != count:
        raise InputError(f"{x_name} has {count} samples and {y_name} {Y.shape[_axis(samples)]} "
                         f'(samples = "{samples}"), expected as many of both')
    return Data(X, Y, tuple(notes))


def _axis(samples: str) -> int:
    return 1 if samples == "columns" else 0


def _names(arrays: dict[str, np.ndarray]) -> tuple[str, str]:
    came = f"the file has {', '.join(map(repr, arrays)) or 'nothing'}"
    for name in arrays:
        if name not in ("X", "x", "Y", "y"):
            raise InputError(f"unknown array {name!r}, expected X and y; {came}")
    found = []
    for upper, lower, shown in (("X", "x", "X"), ("Y", "y", "y")):
        names = [name for name in (upper, lower) if name in arrays]
        if len(names) != 1:
            raise InputError(f"{'both' if names else 'no'} array {' and '.join(names) or shown}, "
                             f"expected one named {shown}; {came}")
        found += names
    return found[0], found[1]


def _check_matrix(name: str, array: np.ndarray, features: int, samples: str) -> None:
    wanted = _want(features, samples)
    came = f'{name} is {show_shape(array.shape)}; with samples = "{samples}" expected {wanted}'
    if array.ndim != 2:
        raise InputError(f"{came}, of rank 2{_advise_reshape(name, array, features, samples)}")
    axis = _axis(samples)
    if array.shape[1 - axis] != features:
        if array.shape[axis] == features:
            other = "rows" if samples == "columns" else "columns"
            raise InputError(f'{came}: transpose it, or set samples = "{other}"')
        labels = name in "Yy" and array.dtype.kind in "iu" and 1 in array.shape
        raise InputError(came + (f": if these are class labels, save {name}.reshape(-1)" if labels else ""))
    if array.size == 0:
        raise InputError(f"{came}, with at least one sample")


def _want(features: int, samples: str) -> str:
    return f"{features}×N" if samples == "columns" else f"N×{features}"


def _advise_reshape(name: str, array: np.ndarray, features: int, samples: str) -> str:
    if array.ndim == 1 and array.size == features:
        return f": one sample is {name}.reshape({'-1, 1' if samples == 'columns' else '1, -1'})"
    if array.ndim == 1 and features == 1:
        return f": use {name}.reshape({'1, -1' if samples == 'columns' else '-1, 1'})"
    return ""


def _check_entries(name: str, Y: np.ndarray, labels: str) -> None:
    """Refuse entries that the loss has no meaning for; the generated module checks distributions."""
    if labels == "probability" and (np.min(Y) < 0 or np.max(Y) > 1):
        raise InputError(f"{name} has entries from {np.min(Y):g} to {np.max(Y):g}; "
                         "expected probabilities, from 0 to 1")
    if labels == "signs" and not np.all(np.abs(Y) == 1):
        other = Y[np.abs(Y) != 1].flat[0]
        raise InputError(f"{name} has the entry {other:g}; expected −1 and +1"
                         + (f": save 2 * {name} - 1" if np.all((Y == 0) | (Y == 1)) else ""))


def _check_labels(name: str, y: np.ndarray, count: int, outputs: int, samples: str) -> None:
    """Refuse an array of rank 1 that is not one integer a sample."""
    check_numbers(name, y)
    came = f"{name} is {show_shape(y.shape)} of {y.dtype.name}"
    advice = _advise_reshape(name, y, outputs, samples)
    if y.dtype.kind == "f":
        raise InputError(f"{came}; expected {_want(outputs, samples)}, or integers (class labels){advice}")
    if y.size != count:
        advice = advice if count == 1 and y.size == outputs else ""
        raise InputError(f"{came}, one label for each sample, but X has {count} samples; "
                         f"expected ({count},){advice}")


def _from_labels(name: str, y: np.ndarray, outputs: int, labels: str) -> tuple[np.ndarray, str]:
    """Turn integers (N,) into N × outputs, and say how."""
    if outputs == 1 and labels == "real":
        return y.astype(np.float64)[:, np.newaxis], f"{y.dtype.name} values became"
    # A distribution over a single class is 1, whatever the sample.
    if outputs == 1 and labels != "distribution":
        return _binary(name, y, labels == "signs")
    return _one_hot(name, y, outputs, labels == "signs")


def _binary(name: str, y: np.ndarray, signs: bool) -> tuple[np.ndarray, str]:
    values = {int(value) for value in np.unique(y)}
    if signs and values <= {-1, 1}:
        return y.astype(np.float64)[:, np.newaxis], "labels of −1 and +1 became"
    if not values <= {0, 1}:
        wanted = "0 and 1, or −1 and +1" if signs else "0 and 1"
        came = ", ".join(map(str, sorted(values)[:5])) + (", …" if len(values) > 5 else "")
        raise InputError(f"{name} holds the labels {came}; expected {wanted} (one output)")
    ones = (y == 1).astype(np.float64)[:, np.newaxis]
    if signs:
        return 2 * ones - 1, "labels of 0 and 1 became −1 and +1,"
    return ones, "labels of 0 and 1 became"


def _one_hot(name: str, y: np.ndarray, outputs: int, signs: bool) -> tuple[np.ndarray, str]:
    low, high = int(y.min()), int(y.max())
    if low < 0 or high >= outputs:
        advice = f": save {name} - 1" if (low, high) == (1, outputs) else ""
        raise InputError(f"{name} holds the label {low if low < 0 else high}; "
                         f"expected classes from 0 to {outputs - 1}{advice}")
    hot = np.full((y.size, outputs), -1.0 if signs else 0.0)
    hot[np.arange(y.size), y.astype(np.intp)] = 1.0
    return hot, f"integer class labels became one-hot{', −1 off the class,' if signs else ''}"
