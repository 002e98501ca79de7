"""What is special to the numba target: what is compiled, and that nothing wrong reaches compiled code."""

from __future__ import annotations

from types import ModuleType

import numpy as np
import pytest

from codegen.loading import load
from codegen.numba_target.module import generate_numba
from symbolic.architecture import parse_compact

SMALL, LARGE = "3-2:softmax", "40-64-2:relu,softmax"


def _compiled(text: str) -> int:
    return text.count("\n@compiled\n")


def test_depth_adds_nothing_to_what_is_compiled() -> None:
    shallow, deep = (generate_numba(parse_compact(f"64-64x{n}-10:tanh*{n},softmax?weight_decay=0.1"))
                     for n in (10, 50))
    assert _compiled(shallow) == _compiled(deep) > 0
    longest = [max(len(line) for line in text.splitlines() if line.startswith("def loop")) for text in (shallow, deep)]
    assert longest[0] == longest[1]  # nor does a loop take more arguments


def test_imports_nothing_but_numpy_and_numba() -> None:
    for arch in (SMALL, LARGE):
        lines = [line for line in generate_numba(parse_compact(arch)).splitlines()
                 if line.startswith(("import ", "from "))]
        assert {line.split()[1].partition(".")[0] for line in lines} <= {"math", "os", "operator", "threading", "numba",
                                                                             "numpy"}


@pytest.mark.parametrize(("arch", "words"), [(SMALL, "compiled whole"), (LARGE, "those of NumPy")])
def test_the_header_says_which_form_was_chosen(arch: str, words: str) -> None:
    assert words in generate_numba(parse_compact(arch)).partition('"""\n\nimport')[0]


@pytest.fixture(scope="module", params=[SMALL, LARGE])
def module(request: pytest.FixtureRequest) -> ModuleType:
    pytest.importorskip("numba", reason="an extra: pip install 'gradwright[numba]'")
    return load(parse_compact(request.param), target="numba")


def _given(module: ModuleType, samples: int) -> tuple[dict[str, np.ndarray], np.ndarray, np.ndarray]:
    parameters = module.initialize(0)
    X = np.random.default_rng(1).standard_normal((parameters["W1"].shape[1], samples))
    return parameters, X, np.eye(2)[:, np.arange(samples) % 2].copy()


def test_arrays_that_do_not_fit_are_refused(module: ModuleType) -> None:
    parameters, X, Y = _given(module, 3)
    workspace = module.Workspace(3)
    workspace.loss_and_gradients(parameters, X, Y)
    first = next(iter(parameters))
    for changed in (
        {**parameters, first: parameters[first][:, :-1]},
        {**parameters, first: np.asfortranarray(parameters[first])},
        {**parameters, first: parameters[first].astype(np.float32)},
        {n: p for n, p in parameters.items() if n != first},
        np.zeros(module.SIZE - 1),
        None,
    ):
        with pytest.raises(ValueError, match="parameters"):
            workspace.loss_and_gradients(changed, X, Y)
    for bad in ((X[:, :2].copy(), Y[:, :2].copy()), (X, Y[:, :2].copy()), (X[:-1].copy(), Y), (X.astype(np.float32), Y),
                (X, Y.astype(int))):
        with pytest.raises(ValueError, match="expected"):
            workspace.loss_and_gradients(parameters, *bad)


def test_arrays_in_a_dict_may_change_places(module: ModuleType) -> None:
    parameters, X, Y = _given(module, 3)
    workspace = module.Workspace(3)
    before = workspace.loss(parameters, X, Y)
    parameters["W1"] = parameters["W1"] * 2
    after = workspace.loss(parameters, X, Y)
    assert after == module.Workspace(3).loss(dict(parameters), X, Y) != before
    parameters["W1"] /= 2
    assert workspace.loss(parameters, X, Y) == before


def test_a_parameter_that_is_read_only_is_read_but_not_stepped(module: ModuleType) -> None:
    parameters, X, Y = _given(module, 3)
    workspace = module.Workspace(3)
    for value in parameters.values():
        value.flags.writeable = False
    workspace.loss_and_gradients(parameters, X, Y)
    with pytest.raises(ValueError, match="writable"):
        workspace.step(parameters, X, Y, 0.1)


def test_nan_and_infinity_keep_their_meaning(module: ModuleType) -> None:
    parameters, X, Y = _given(module, 3)
    workspace = module.Workspace(3)
    X[0, 0] = 1e300
    assert np.isfinite(workspace.forward(parameters, X)).all()
    parameters[list(parameters)[-1]] = np.array([[np.nan], [0.0]])
    assert np.isnan(workspace.forward(parameters, X)).all()
    assert np.isnan(workspace.loss(parameters, X, Y))


def test_samples_reshaped_in_place_are_refused(module: ModuleType) -> None:
    parameters, X, Y = _given(module, 5)
    workspace = module.Workspace(5)
    calls = (workspace.loss, workspace.loss_and_gradients, lambda *a: workspace.step(*a, 0.1))
    for call in calls:
        call(parameters, X, Y)
        for array in (X, Y):
            shape = array.shape
            array.shape = shape[::-1]
            with pytest.raises(ValueError, match=r"expected|changed in place"):
                call(parameters, X, Y)
            array.shape = shape


@pytest.mark.parametrize(("dtype", "points"), [
    (np.float64, [-707.9, -1.0, 0.0, 1e-9, 709.3, 709.5, 709.78]), (np.float32, [-86.0, -1.0, 0.0, 88.2, 88.5, 88.72])])
def test_exp_reaches_as_far_as_the_numbers(dtype: type, points: list[float]) -> None:
    pytest.importorskip("numba", reason="an extra: pip install 'gradwright[numba]'")
    found = load(parse_compact("1-1:exp(x)?loss=mean_squared_error&bias=false"), target="numba")
    X = np.array([points], dtype)
    y_hat = found.forward({"W1": np.ones((1, 1), dtype)}, X)
    exact = np.exp(X.astype(np.longdouble))
    assert np.all(abs(y_hat - exact) <= 4 * np.finfo(dtype).eps * exact)
    assert found.forward({"W1": np.ones((1, 1), dtype)}, np.full((1, 1), 800, dtype))[0, 0] == np.inf
