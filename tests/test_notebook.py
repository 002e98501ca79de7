"""What a notebook shows: media types, mathematics that a page can set, and the example notebooks, executed."""

from __future__ import annotations

import html
import json
import re
from pathlib import Path
from typing import Any

import pytest

from gradwright.checking.checker import check_source
from gradwright.checking.source import read_source
from symbolic import Layer, Network, derive, gradient, hessian
from symbolic.build import build_program
from symbolic.derivatives import differentiate_text

NETWORK = Network(3, [Layer(4, "tanh"), Layer(2, "softmax", bias=False)])
VALUES: dict[str, Any] = {
    "network": NETWORK, "program": build_program(NETWORK), "derivation": derive(NETWORK),
    "gradient": derive(NETWORK).gradient("W1"), "answer": gradient("norm2(A*x-y)^2", "x"),
    "hessian": hessian("logdet(X)", "X"), "answers": differentiate_text("x'*A*x", ["x", "A"]),
}
NOTEBOOKS = sorted((Path(__file__).parent.parent / "examples" / "notebooks").glob("*.ipynb"))


@pytest.mark.parametrize("name", VALUES)
def test_media_types(name: str) -> None:
    """Each value has plain text, LaTeX and HTML; HTML holds the LaTeX, escaped, and nothing that runs."""
    bundle = VALUES[name]._repr_mimebundle_()
    assert set(bundle) == {"text/plain", "text/latex", "text/html"}
    assert bundle["text/latex"].count("$$") % 2 == 0
    page = bundle["text/html"]
    assert "<script" not in page
    mathematics = "".join(re.findall(r"\$\$?(.+?)\$\$?", page, re.DOTALL))
    assert "\\" in mathematics
    assert "&amp;" in mathematics or "&" not in html.unescape(mathematics)
    for tag in ("details", "table", "p", "ol"):
        assert page.count(f"<{tag}>") == page.count(f"</{tag}>")


def test_include_and_exclude() -> None:
    """Jupyter may ask for some types only."""
    assert set(NETWORK._repr_mimebundle_(include=["text/plain"])) == {"text/plain"}
    assert "text/html" not in NETWORK._repr_mimebundle_(exclude=["text/html"])


def test_every_gradient_is_shown() -> None:
    """A derivation unfolds each gradient, with as many lines as it has steps."""
    derivation = VALUES["derivation"]
    page = derivation._repr_mimebundle_()["text/html"]
    blocks = re.findall(r"<details>(.*?)</details>", page, re.DOTALL)
    shown = [g for g in derivation.gradients if g.wrt.name != "X"]
    assert [b.count("\\\\\n") + 1 for b in blocks] == [len(g.steps) for g in shown]


def test_widths_as_symbols() -> None:
    """A network of symbolic widths shows itself too."""
    from symbolic.architecture import read_architecture

    bundle = read_architecture("n0-n1-2:tanh,softmax")._repr_mimebundle_()
    assert "n_1" in bundle["text/latex"]
    assert "<td>n₁ × n₀</td><td>n₁ × 1</td><td>n₀·n₁ + n₁</td>" in bundle["text/html"]


def test_check_shows_itself() -> None:
    """A check is a page within a frame, so that its style is not the notebook's."""
    quiz = Path(__file__).parent.parent / "examples" / "quiz" / "quiz_by_hand.ipynb"
    bundle = check_source(read_source(quiz))._repr_mimebundle_()
    assert bundle["text/html"].startswith("<iframe")
    assert "gradient_a3" in bundle["text/plain"]


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda p: p.stem)
def test_example_notebooks(path: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each example notebook runs from top to bottom in another folder."""
    monkeypatch.chdir(tmp_path)
    notebook = json.loads(path.read_text(encoding="utf-8"))
    names: dict[str, Any] = {"__name__": "__main__"}
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            source = "".join(cell["source"])
            exec(compile(source, f"{path.name}", "exec"), names)  # noqa: S102  # our own examples
