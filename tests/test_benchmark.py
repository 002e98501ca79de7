"""The benchmark: its reference, that its contenders agree with it, its page and its picture. No time is asserted.

The oracle of the reference is automatic differentiation of a loss written here.
"""

from __future__ import annotations

import dataclasses
import re
import sys
import xml.etree.ElementTree

import autograd
import autograd.numpy as anp
import numpy as np
import pytest

from benchmarks.speed import __main__ as command
from benchmarks.speed import peers, report
from benchmarks.speed.aims import AIMS, Aim
from benchmarks.speed.measuring import Timing, checked, largest_error, measured
from benchmarks.speed.peers import PEERS, Contender, Left, Peer
from benchmarks.speed.picture import picture
from benchmarks.speed.results import Cell, Cost, Results, read
from benchmarks.speed.workloads import STEPS, WORKLOADS, Problem, Workload, make_problem

SMALL = (
    WORKLOADS["tiny"],
    Workload("small tanh", "", "gradients", "4-5x3-3:tanh*3,softmax", 6),
    Workload("small relu", "", "gradients", "7-6-5-3:relu,relu,softmax?reduction=mean", 8),
    Workload("small Hessian", "", "hessian", "5-1:sigmoid?bias=false", 20),
    Workload("small product", "", "hessian_vector", "7-6-5-3:relu,relu,softmax?reduction=mean", 8),
    Workload("small training", "", "training", "7-6-5-3:relu,relu,softmax?reduction=mean", 8),
)
ABSENT = re.compile("is not installed|no such target yet|no C compiler|NoCompilerError|has no .* yet|its buffers are|"
                    "for its own network|the flat call is for")


def small(workload: Workload):
    return pytest.param(workload, id=workload.name.replace(" ", "-"))


def loss(parameters: dict, problem: Problem):
    """Return the loss as it is defined, sample by sample."""
    total = 0
    for x, y in zip(problem.X.T, problem.Y.T, strict=True):
        h = x
        for k, name in enumerate(problem.activations, start=1):
            a = anp.dot(parameters[f"W{k}"], h)
            if f"b{k}" in parameters:
                a = a + parameters[f"b{k}"][:, 0]
            h = {"sigmoid": lambda a: 1 / (1 + anp.exp(-a)), "tanh": anp.tanh, "relu": lambda a: anp.maximum(a, 0),
                 "softmax": lambda a: anp.exp(a) / anp.sum(anp.exp(a))}[name](a)
        if problem.activations[-1] == "sigmoid":
            total = total - anp.sum(y * anp.log(h) + (1 - y) * anp.log(1 - h))
        else:
            total = total - anp.sum(y * anp.log(h))
    return total * problem.scale


def differentiated(problem: Problem) -> dict:
    """Return what the reference is to return."""
    gradient = autograd.grad(loss)
    if problem.workload.kind == "gradients":
        return {"loss": loss(problem.parameters, problem), **gradient(problem.parameters, problem)}
    if problem.workload.kind == "hessian":
        return {"hessian": autograd.hessian(lambda w: loss({"W1": w[None, :]}, problem))(problem.parameters["W1"][0])}
    if problem.workload.kind == "hessian_vector":
        def along(parameters):
            found = gradient(parameters, problem)
            return sum(anp.sum(found[name] * problem.direction[name]) for name in found)

        return autograd.grad(along)(problem.parameters)
    parameters = problem.copied()
    for _ in range(STEPS):
        before, found = loss(parameters, problem), gradient(parameters, problem)
        parameters = {name: value - problem.learning_rate * found[name] for name, value in parameters.items()}
    return {"loss": before, **parameters}


@pytest.mark.parametrize("workload", [small(w) for w in SMALL])
def test_reference(workload):
    problem = make_problem(workload, "float64")
    expected = differentiated(problem)
    assert problem.expected.keys() == expected.keys()
    for name, value in problem.expected.items():
        np.testing.assert_allclose(value, expected[name], rtol=1e-10, atol=1e-13, err_msg=name)


@pytest.mark.parametrize("dtype", ["float64", "float32"])
@pytest.mark.parametrize(("name", "workload"), [
    pytest.param(name, w, id=f"{name}-{w.name.replace(' ', '-')}")
    for name in PEERS for w in SMALL if hasattr(PEERS[name], w.kind)])
def test_contender_agrees(name, workload, dtype):
    """Whoever is here agrees with the reference; whoever is not says so in a word."""
    try:
        _, error = checked(PEERS[name], make_problem(workload, dtype))
    except Left as left:
        if not ABSENT.search(str(left)):
            raise
        pytest.skip(str(left))
    assert error < 1e-3


@pytest.mark.parametrize(("name", "package"), [
    ("autograd", "autograd"), ("jax", "jax"), ("torch", "torch"), ("njit", "numba"), ("casadi", "casadi"),
    ("casadi-bound", "casadi"), ("tensorgrad", "tensorgrad")])
def test_absent_peer(monkeypatch, name, package):
    for module in [m for m in sys.modules if m.partition(".")[0] == package]:
        monkeypatch.delitem(sys.modules, module)
    monkeypatch.setitem(sys.modules, package, None)
    monkeypatch.delitem(sys.modules, "benchmarks.speed.peers.numba_kernels", raising=False)
    monkeypatch.delattr(peers, "numba_kernels", raising=False)
    problem = make_problem(WORKLOADS["tiny"], "float64")
    found = dict(measured({name: PEERS[name], "hand": PEERS["hand"]}, problem, Timing(0, 1, sample=1000)))
    assert found[name] == {"word": f"{package} is not installed"}
    assert found["hand"]["nanoseconds"] > 0


class Fake(Peer):
    title = about = "a peer of this test"

    def __init__(self, change):
        self.change = change

    def gradients(self, problem):
        return Contender(lambda: self.change(dict(problem.expected)), (), lambda found: found)


@pytest.mark.parametrize(("change", "word"), [
    (lambda found: {**found, "W2": found["W2"] + 1e-6}, r"disagrees with the reference: W2 by \de-0\d"),
    (lambda found: {**found, "b1": found["b1"] * np.nan}, "disagrees with the reference: b1 by nan"),
    (lambda found: {**found, "b3": found["W3"]}, r"gives b3 of shape \(3, 3\), expected \(3, 1\)"),
    (lambda found: {"loss": found["loss"]}, "gives no W1"),
    (lambda found: 1 / 0, "ZeroDivisionError: division by zero"),
    (lambda found: found, None)])
def test_disagreement(change, word):
    problem = make_problem(WORKLOADS["tiny"], "float64")
    ((name, found),) = measured({"fake": Fake(change)}, problem, Timing(0, 2, sample=1000))
    assert name == "fake"
    if word is None:
        assert found["samples"] == 2
        assert found["error"] == 0
    else:
        assert re.fullmatch(word, found["word"])


def test_peer_that_lacks_a_kind():
    with pytest.raises(Left, match="does not do this"):
        checked(Fake(dict), make_problem(SMALL[3], "float64"))


@pytest.mark.parametrize("name", ["mlp-64", "mlp-256"])
def test_no_sample_is_near_a_kink(name):
    problem = make_problem(WORKLOADS[name], "float32")
    h = problem.X.astype(float)
    for k in (1, 2):
        a = problem.parameters[f"W{k}"].astype(float) @ h + problem.parameters[f"b{k}"]
        assert np.min(abs(a)) > 1e-3
        h = np.maximum(a, 0)


def test_partial_contender_is_compared_where_it_gives_something():
    problem = make_problem(WORKLOADS["tiny"], "float64")
    assert largest_error({"W1": problem.expected["W1"]}, problem, partial=True) == 0


def sample_results() -> Results:
    cells = (
        Cell("tiny", "float64", 1, "hand", 23_000.0, 1e-16, 9), Cell("tiny", "float64", 1, "numpy", 18_400.0, 0.0, 9),
        Cell("tiny", "float64", 1, "c", 460.0, 1e-16, 9),
        Cell("tiny", "float64", 1, "jax", word="jax is not installed"),
        Cell("mlp-64", "float64", 1, "hand", 4e5, 0.0, 9), Cell("mlp-64", "float64", 1, "matmul", 3e5, 0.0, 9),
        Cell("mlp-64", "float64", 1, "c", 3.3e5, 1e-15, 9), Cell("mlp-64", "float64", 1, "numba", 3e5, 1e-15, 9),
        Cell("tiny", "float32", 2, "hand", 22_000.0, 1e-7, 9))
    costs = (Cost("tiny", "numpy", 0.002, 0.012, 0.02, 0.001, 0.03, 0.1),
             Cost("tiny", "c", word="no such target yet"))
    machine = {"processor": "one <fast>", "CPUs": "2"}
    return Results(machine, {"numpy": "2.0"}, cells, costs, {"numpy": 0.08}, "at least 9")


def test_page():
    text = report.page(sample_results(), "some.svg")
    assert "| hand-written NumPy | 23.0 µs | 400 µs |" in text
    assert "| gradwright `numpy` | 18.4 µs (1.25×) | – |" in text
    assert "| gradwright `c` | 460 ns (50.0×) | 330 µs (1.21×) |" in text
    assert "| `tiny` | gradwright `numpy` | ≥ 1.15× hand-written NumPy | 1.25× | met |" in text
    assert "| `tiny` | gradwright `c` | ≥ 60× hand-written NumPy | 50.0× | missed by 17 % |" in text
    assert "| `mlp-64` | gradwright `c` | ≤ 1.01× matmul only | 1.10× | missed by 8.9 % |" in text
    assert "| `wide` | gradwright `c` | ≤ 1.01× matmul only | – | not measured |" in text
    assert "| `tiny` | `numpy` | 2.00 ms | 12.0 ms | 20.0 ms | 1.00 ms | 30.0 ms | 100 ms |" in text
    assert "- JAX jit, `tiny` (float64, 1 thread): jax is not installed." in text
    assert "## float32, 2 threads" in text
    assert "some.svg" in text
    assert not re.search("None|nan", text)


def test_picture_is_xml_with_a_bar_each():
    image = xml.etree.ElementTree.fromstring(picture(sample_results()))
    words = [element.text for element in image.iter() if element.tag.endswith("text")]
    assert "460 ns  50.0×" in words
    assert sum(w.endswith("×") and " " in w for w in words) == 7
    bars = [float(e.get("width")) for e in image.iter() if e.tag.endswith("rect")]
    assert min(bars) > 0


def test_results_survive_a_file(tmp_path):
    results = sample_results()
    results.write(tmp_path / "r.json")
    assert read(tmp_path / "r.json") == results


@pytest.mark.parametrize(("nanoseconds", "text"), [
    (0.5, "0.500 ns"), (999.4, "999 ns"), (999.6, "1.00 µs"), (12_345, "12.3 µs"), (9_996_000, "10.0 ms"),
    (2e9, "2.00 s")])
def test_duration(nanoseconds, text):
    assert report.duration(nanoseconds) == text


def test_aims_name_what_there_is():
    for aim in AIMS:
        assert aim.workload in WORKLOADS
        assert {aim.target, aim.other} <= PEERS.keys()


def test_what_bounds_a_missed_aim_is_said(monkeypatch):
    missed, met = (Aim("tiny", "c", "hand", factor, bound=f"the call, {factor}") for factor in (60, 40))
    monkeypatch.setattr(report, "AIMS", (missed, met))
    text = report.aims(sample_results())
    assert "- `tiny`, gradwright `c`: the call, 60" in text
    assert "the call, 40" not in text


def test_command(tmp_path, capsys):
    """A short run in a process of its own, written, and rendered again."""
    asked = ["--quick", "--workload", "tiny", "--peer", "hand", "--peer", "matmul", "--threads", "1"]
    assert command.main([*asked, "-o", str(tmp_path)]) == 0
    results = read(tmp_path / "benchmarks.json")
    assert [(c.peer, c.word) for c in results.cells] == [("hand", ""), ("matmul", "")]
    assert results.machine["BLAS of NumPy"]
    page = (tmp_path / "benchmarks.md").read_text(encoding="utf-8")
    changed = dataclasses.replace(results, versions={"numpy": "of the day"})
    changed.write(tmp_path / "other.json")
    assert command.main(["--from", str(tmp_path / "other.json"), "-o", str(tmp_path)]) == 0
    again = (tmp_path / "benchmarks.md").read_text(encoding="utf-8")
    assert again != page
    assert "numpy of the day" in again
    assert command.main(["--list"]) == 0
    assert "hand-written NumPy" in capsys.readouterr().out
