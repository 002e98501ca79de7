"""The quiz: every number that its notebook prints, and the two that it got wrong.

The literals are the notebook's, digit for digit; `handwritten` is what a student writes.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from handwritten import quiz, quiz_loss_after_update

from codegen import load
from symbolic import read_architecture

FILES = Path(__file__).parent.parent / "examples" / "quiz"
ARCHITECTURES = ("3-3-3-3:sigmoid,sigmoid,softmax?name=quiz", FILES / "quiz.toml")

PRINTED = {
    "a1": [1.5350184, 1.98250233, 1.93014489],
    "h1": [0.82273938, 0.87894766, 0.87326546],
    "y_hat": [0.23691422, 0.33838847, 0.42469732],
    "grad_a3": [0.23691422, 0.33838847, -0.57530268],
    "grad_b3": [0.23691422, 0.33838847, -0.57530268],
    "grad_W3": [[0.21202113, 0.18529411, 0.2260992],
                [0.30283325, 0.26465862, 0.3229412],
                [-0.51485438, -0.44995274, -0.5490404]],
    "grad_h2": [0.1954864, -0.11722488, -0.08814526],
    "grad_a2": [0.01838198, -0.01997644, -0.0038401],
    "grad_b2": [0.01838198, -0.01997644, -0.0038401],
    "grad_W2": [[0.01512358, 0.0161568, 0.01605235],
                [-0.0164354, -0.01755824, -0.01744473],
                [-0.0031594, -0.00337525, -0.00335343]],
    "grad_h1": [0.00571305, 0.01326947, -0.01908499],
    "grad_a1": [0.00083319, 0.00141185, -0.00211219],
    "grad_b1": [0.00083319, 0.00141185, -0.00211219],
    "grad_W1": [[0.00083319, 0, 0.00083319],
                [0.00141185, 0, 0.00141185],
                [-0.00211219, 0, -0.00211219]],
}
SUMS = {
    "a1": 5.44766562448759, "h1": 2.5749524957231924, "a2": 6.460166773282592,
    "h2": 2.63139309587371, "a3": 4.874920988265703, "loss": 0.8563785622753882,
}
NEW_LOSS, NEW_Y_HAT = 0.07253330081047048, [0.03475536, 0.03520987, 0.93003478]
ROUNDING = 2e-15


@pytest.fixture(scope="module", params=ARCHITECTURES, ids=["compact", "toml"])
def module(request):
    return load(read_architecture(request.param))


@pytest.fixture(scope="module")
def parameters():
    with np.load(FILES / "parameters.npz", allow_pickle=False) as file:
        return dict(file)


@pytest.fixture(scope="module")
def data():
    with np.load(FILES / "data.npz", allow_pickle=False) as file:
        return file["X"], file["y"]


@pytest.fixture(scope="module")
def values(module, parameters, data):
    return module.trace(parameters, *data)


def test_the_files_are_the_notebooks(parameters, data):
    draw = np.random.RandomState(0)
    for k in (1, 2, 3):
        np.testing.assert_array_equal(parameters[f"W{k}"], draw.rand(3, 3), strict=True)
        np.testing.assert_array_equal(parameters[f"b{k}"], draw.rand(3, 1), strict=True)
    np.testing.assert_allclose(parameters["W1"][0], [0.5488135, 0.71518937, 0.60276338], rtol=0, atol=5e-9)
    np.testing.assert_array_equal(data[0], [[1.0], [0.0], [1.0]], strict=True)
    np.testing.assert_array_equal(data[1], [[0.0], [0.0], [1.0]], strict=True)


def test_q1_number_of_parameters(module):
    assert sum(np.prod(shape) for shape in module.PARAMETERS.values()) == 36
    expected = {f"{letter}{k}": (3, 3 if letter == "W" else 1) for k in (1, 2, 3) for letter in "Wb"}
    assert list(module.PARAMETERS.items()) == list(expected.items())


@pytest.mark.parametrize("name", PRINTED)
def test_values_to_the_printed_digits(values, name):
    expected = np.array(PRINTED[name], dtype=float)
    expected = expected if expected.ndim == 2 else expected.reshape(3, 1)
    np.testing.assert_allclose(values[name], expected, rtol=0, atol=5.001e-9, strict=True)


@pytest.mark.parametrize("name", SUMS)
def test_sums(values, name):
    assert np.sum(values[name]) == pytest.approx(SUMS[name], rel=ROUNDING)


def test_every_value_equals_the_hand_written_one(values, parameters, data):
    by_hand = quiz(parameters, *data)
    assert list(values) == list(by_hand)
    for name, value in by_hand.items():
        np.testing.assert_allclose(values[name], value, rtol=1e-14, atol=1e-16, err_msg=name)


def test_functions_agree_with_the_trace(module, values, parameters, data):
    loss, gradients = module.loss_and_gradients(parameters, *data)
    assert loss == module.loss(parameters, *data) == values["loss"]
    assert loss == pytest.approx(0.8563785622753882, rel=ROUNDING)
    np.testing.assert_array_equal(module.forward(parameters, data[0]), values["y_hat"])
    assert list(gradients) == list(parameters)
    for name, gradient in gradients.items():
        np.testing.assert_array_equal(gradient, values[f"grad_{name}"], strict=True)


def test_loss_after_one_update(module, parameters, data):
    before = {name: value.copy() for name, value in parameters.items()}
    gradients = module.loss_and_gradients(parameters, *data)[1]
    updated = module.update(parameters, gradients, learning_rate=1)
    assert module.loss(updated, *data) == pytest.approx(NEW_LOSS, rel=ROUNDING)
    np.testing.assert_allclose(module.forward(updated, data[0]).ravel(), NEW_Y_HAT, rtol=0, atol=5.001e-9)
    for name, value in before.items():
        np.testing.assert_array_equal(parameters[name], value, err_msg=f"update changed {name} in place")


@pytest.mark.parametrize(("mistakes", "expected"), [
    ({"wrong_b3": True, "wrong_squeeze": True}, 6.590823679375906),
    ({"wrong_squeeze": True}, 6.7783837632112665),
    ({"wrong_b3": True}, 0.08028554470396346),
    ({}, NEW_LOSS),
], ids=["both mistakes", "only b3 mended", "only the squeeze mended", "right"])
def test_the_notebooks_story(parameters, data, mistakes, expected):
    loss, y_hat = quiz_loss_after_update(parameters, *data, **mistakes)
    assert loss == pytest.approx(expected, rel=ROUNDING)
    assert y_hat.shape == ((3,) if "wrong_squeeze" in mistakes else (3, 1))


def test_the_first_mistake_is_refused(module, parameters, data):
    gradients = module.loss_and_gradients(parameters, *data)[1]
    with pytest.raises(ValueError, match=r"b3.*3 x 1.*\(3, 3\)"):
        module.update(parameters, {**gradients, "b3": gradients["W3"]}, 1)
    with pytest.raises(ValueError, match=r"b3.*3 x 1.*\(3, 3\)"):
        module.forward({**parameters, "b3": parameters["b3"] - gradients["W3"]}, data[0])


def test_the_second_mistake_is_refused(module, parameters, data):
    with pytest.raises(ValueError, match=r"Y.*3 x N.*\(3,\).*Y\.reshape\(3, -1\)"):
        module.loss(parameters, data[0], data[1].ravel())
