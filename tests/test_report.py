"""The report as text: one file that asks for nothing, complete, escaped; what a browser shows is tested elsewhere."""

from __future__ import annotations

import base64
import dataclasses
import hashlib
import re
import shutil
from html.parser import HTMLParser
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest
from markupsafe import escape

from codegen.data import Data
from codegen.evaluation import read_parameters, read_samples
from gradwright.commands import selected
from gradwright.examples import example
from gradwright.reporting import katex, pdf
from gradwright.reporting.command import report
from gradwright.reporting.folding import backward_runs, forward_runs
from gradwright.reporting.mathematics import Mathematics
from gradwright.reporting.page import SECTIONS, derivation_html, report_html, report_page
from gradwright.reporting.rule_names import rule_name
from gradwright.reporting.templating import environment
from symbolic import InputError, derive, read_architecture
from symbolic.printing import LatexPrinter, TextPrinter

WAYS = [pytest.param(True, id="ahead", marks=pytest.mark.skipif(
    not find_spec("quickjs"), reason="quickjs is not installed: formulas are set by the page")),
        pytest.param(False, id="by the page")]
TABLE = [
    "3-4-2:relu,softmax?samples=rows&reduction=mean",
    "2-3-1:x*exp(-x^2),sigmoid?weight_decay=0.1&bias=false",
    "3-2-2:gelu,identity?loss=huber",
    "2-1:identity?loss=hinge",
    "4-3x7-2:elu*7,softmax",
    "n0-n1-n2:x/(1+exp(-x)),sigmoid?samples=rows",
]


def quiz() -> tuple:
    network = read_architecture(example("quiz/quiz.toml"))
    parameters, _ = read_parameters(network, example("quiz/parameters.npz"))
    return network, parameters, read_samples(network, example("quiz/data.npz"))


class Page(HTMLParser):
    """Elements, ids, what is loaded from where, and the text outside of scripts and styles."""

    VOID = ("meta", "link", "br", "img", "input", "hr", "path", "rect")

    def __init__(self, text: str) -> None:
        super().__init__()
        self.ids, self.links, self.loads, self.headings, self.handlers = [], [], [], [], []
        self.text, self.stack, self.elements = [], [], []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag, attributes):
        names = dict(attributes)
        self.elements.append((tag, names))
        if "id" in names:
            self.ids.append(names["id"])
        if tag == "a":
            self.links.append(names["href"])
        self.loads += [v for n, v in attributes if n in ("src", "srcset", "data", "poster", "action", "xlink:href")
                       or (n == "href" and tag != "a")]
        self.handlers += [n for n in names if n.startswith("on")]
        if re.fullmatch("h[1-6]", tag):
            self.headings.append(int(tag[1]))
        if tag not in self.VOID:
            self.stack.append(tag)

    def handle_endtag(self, tag):
        if tag not in self.VOID:
            assert self.stack.pop() == tag

    def handle_data(self, data):
        if not {"script", "style"} & set(self.stack):
            self.text.append(data)


@pytest.fixture(scope="module", params=WAYS)
def page(request) -> str:
    return report_html(*quiz(), mathematics=Mathematics(request.param))


def test_quiz_is_small_and_asks_for_nothing(page: str) -> None:
    assert len(page.encode()) <= 700_000
    seen = Page(page)
    assert not seen.stack
    assert not seen.loads
    assert not seen.handlers
    assert all(link.startswith("#") for link in seen.links)
    assert all(re.match("data:font/woff2;base64,|#(wide|narrow)-(forward|backward)$", url)
               for url in re.findall(r"url\(([^)]*)\)", page))
    assert "@import" not in page
    (policy,) = (a["content"] for t, a in seen.elements if t == "meta" and "http-equiv" in a)
    assert policy.startswith("default-src 'none'; ")
    assert "http" not in policy


def test_sections_are_in_the_order_of_the_issue(page: str) -> None:
    seen = Page(page)
    order = [i for i in seen.ids if i in dict(SECTIONS)]
    assert order == ["network", "layers", "forward", "derivation", "gradients", "numbers", "module", "reproduce"]
    assert seen.headings[0] == 1
    assert all(b - a <= 1 for a, b in zip(seen.headings, seen.headings[1:], strict=False))


def test_links_lead_somewhere_and_ids_are_unique(page: str) -> None:
    seen = Page(page)
    assert len(set(seen.ids)) == len(seen.ids)
    assert {link[1:] for link in seen.links} <= set(seen.ids)


def test_quiz_has_its_numbers(page: str) -> None:
    text = " ".join(Page(page).text)
    for number in ("0.8563785622753", "0.072533300810470", "5.447665", "0.23691422"):
        assert number in text
    for question in ("Q1", "Q2", "Q3", "Q4", "Q5", "Q6", "Q7"):
        assert question in text
    assert "the computed values agree" in text
    assert "every gradient agrees" in text
    assert text.count("complex step") >= 6


def test_module_is_there_to_the_letter(page: str) -> None:
    from codegen.module import generate

    code = re.search(r'<code id="code">(.*?)</code>', page, re.DOTALL)
    assert "".join(Page(f"<pre>{code[1]}</pre>").text) == generate(read_architecture(example("quiz/quiz.toml")), None)


@pytest.mark.parametrize("architecture", ["quiz", *TABLE])
def test_every_step_is_on_the_page(architecture: str) -> None:
    network = quiz()[0] if architecture == "quiz" else read_architecture(architecture)
    derivation = derive(network)
    shown = selected(derivation, ())
    latex, text = LatexPrinter(), TextPrinter()
    html = report_html(network, mathematics=Mathematics(False))
    elements = Page(html).elements
    formulas = {a["data-tex"] for t, a in elements if t == "span" and a.get("class") == "tex"}
    for run in backward_runs(derivation, shown):
        for gradient in run.records:
            assert latex.equation(gradient.equation) in formulas
            for step in gradient.steps:
                assert latex.line(step.after) in formulas
                assert latex.statement(step) in formulas
    if not any(r.index for r in backward_runs(derivation, shown)):
        assert sum("line" in a.get("class", "").split() for _, a in elements) == sum(len(g.steps) for g in shown)
    for run in forward_runs(derivation):
        for equation in run.records:
            assert latex.equation(equation) in formulas
            assert text.equation(equation) in "".join(Page(html).text)


@pytest.mark.skipif(not find_spec("quickjs"), reason="quickjs is not installed")
@pytest.mark.parametrize("architecture", ["quiz", *TABLE])
def test_every_formula_can_be_set(architecture: str) -> None:
    network = quiz()[0] if architecture == "quiz" else read_architecture(architecture)
    html = report_html(network, mathematics=Mathematics(True))
    assert 'class="unset"' not in html
    assert "katex-error" not in html
    assert html.count("<math") == html.count("class=katex-mathml>") > 20
    assert 'class="tex"' not in html


def test_fonts_are_those_used() -> None:
    none, some = katex.stylesheet(set())[0], katex.stylesheet({"mathcal", "mathnormal"})[0]
    face = r"@font-face\{[^}]*font-family:(KaTeX_\w+);font-style:normal;font-weight:400|@font-face\{[^}]*:(KaTeX_Math)"
    assert ["".join(f) for f in re.findall(face, none)] == ["KaTeX_Main"]
    assert ["".join(f) for f in re.findall(face, some)] == ["KaTeX_Caligraphic", "KaTeX_Main", "KaTeX_Math"]
    every, rules = katex.stylesheet(katex.NOTATION)
    assert "@font-face" not in rules
    assert len(re.findall("@font-face", every)) == 8
    assert "url(fonts/" not in every
    assert katex.version() in katex.script()


@pytest.mark.parametrize("name", ["command", "remarks", "notes"])
def test_what_comes_from_outside_is_escaped(name: str) -> None:
    evil = "<script>alert(1)</script>\"'><img src=x onerror=alert(2)>\ud800"
    network, parameters, data = quiz()
    if name == "notes":
        data = Data(data.X, data.Y, (evil,))
    extra = {"command": {"command": evil}, "remarks": {"remarks": [evil]}, "notes": {}}[name]
    html = report_html(network, parameters, data, mathematics=Mathematics(False), **extra)
    seen = Page(html)
    assert "alert(1)" in "".join(seen.text)
    assert not seen.handlers
    assert not [t for t, _ in seen.elements if t == "img"]
    assert sum(t == "script" for t, _ in seen.elements) == 2
    assert environment().autoescape is True


def test_without_parameters_they_are_random_and_it_is_said() -> None:
    text = " ".join(Page(report_html(quiz()[0], mathematics=Mathematics(False))).text)
    assert "parameters initialized at random, seed 0" in text
    assert "5 random samples, seed 0" in text
    assert "Published" not in text


def test_quiz_with_other_numbers_is_not_held_against_the_published() -> None:
    network, parameters, data = quiz()
    text = " ".join(Page(report_html(network, {n: v + 0.1 for n, v in parameters.items()}, data,
                                     mathematics=Mathematics(False))).text)
    assert "Answers Q1 to Q7" in text
    assert "Published" not in text


def test_symbolic_widths_have_a_derivation_and_no_numbers() -> None:
    html = report_html(read_architecture("n0-n1-n2:tanh,sigmoid"), mathematics=Mathematics(False))
    text = " ".join(Page(html).text)
    assert "The widths of this network are symbols" in text
    assert "n₁×n₀" in text
    assert 'id="code"' not in html


def test_formula_that_random_values_do_not_suit_has_no_numbers() -> None:
    """The derivation is there all the same; values that were given are refused, not left out."""
    network = read_architecture("3-2:log(x)")
    text = " ".join(Page(report_html(network, mathematics=Mathematics(False))).text)
    assert "With random parameters and samples, the loss is nan" in text
    assert "With --params and --data of your own this section has values" in text
    assert "loss_and_gradients" in text
    assert "∇W₁" in text
    with pytest.raises(InputError, match="the loss is nan"):
        report_html(network, {"W1": -np.ones((2, 3)), "b1": np.zeros((2, 1))})


def test_deep_network_is_folded_and_small() -> None:
    network = read_architecture(example("deep_tanh.toml"))
    html = report_html(network, mathematics=Mathematics(False))
    seen = Page(html)
    assert html.count('<details class="block"') == 1 + 4 + 4 + 2
    assert "k = 2 … 50" in "".join(seen.text)
    assert len(html) < 850_000
    derivation = derive(network)
    forward, backward = forward_runs(derivation), backward_runs(derivation, selected(derivation, ()))
    assert [(r.first, r.last, r.index) for r in forward] == [(1, 1, ""), (2, 50, "k"), (51, 51, ""), (0, 0, "")]
    assert [(r.first, r.last, r.index) for r in backward] == [(52, 52, ""), (51, 51, ""), (2, 50, "k"), (1, 1, "")]


@pytest.mark.parametrize(("architecture", "folds"), [
    ("4-4x3-2:tanh*3,softmax", []),  # three equal layers at most: nothing is folded
    ("4-4x6-2:tanh*6,softmax", [(2, 6)]),
    ("4-4x6-2:tanh*3,relu,tanh*2,softmax", []),
    ("4-5-4x9-2:tanh*5,relu*5,softmax", [(6, 10)]),
    ("k-k-k-k-k-k-k:tanh*6", [(2, 5)]),
])
def test_only_equal_layers_are_folded(architecture: str, folds: list) -> None:
    derivation = derive(read_architecture(architecture))
    runs = forward_runs(derivation)
    assert [(r.first, r.last) for r in runs if r.index] == folds
    assert all(r.index != "k" for r in runs) or "k-k" not in architecture
    covered = [k for r in runs if r.first for k in range(r.first, r.last + 1)]
    assert covered == list(range(1, len(covered) + 1))


def test_folded_lines_are_those_of_each_layer() -> None:
    """Put each number in place of k in the folded text; the lines of that layer must come out."""
    derivation = derive(read_architecture("4-4x7-2:sigmoid*7,softmax?weight_decay=0.1"))
    shown, text = selected(derivation, ()), TextPrinter()
    (run,) = (r for r in backward_runs(derivation, shown) if r.index)
    by_name = derivation.by_name
    for k in range(run.first, run.last + 1):
        for folded in run.records:
            own = by_name[re.sub(r"_k$", str(k), str(folded.wrt.name).replace("_{k-1}", str(k - 1)))]
            for before, after in zip((*folded.steps,), own.steps, strict=True):
                line = text.line(before.after).replace("ₖ₋₁", _small(k - 1)).replace("ₖ", _small(k))
                assert line == text.line(after.after)
                assert before.rule == after.rule


def _small(number: int) -> str:
    return "".join("₀₁₂₃₄₅₆₇₈₉"[int(d)] for d in str(number))


def test_fragments_can_stand_on_one_page() -> None:
    derivation = derive(read_architecture("2-2:softmax"))
    mathematics = Mathematics(compact=False)
    parts = [derivation_html(derivation, derivation.gradients, mathematics, prefix) for prefix in ("one-", "two-")]
    seen = Page("".join(parts))
    assert len(set(seen.ids)) == len(seen.ids)
    assert {link[1:] for link in seen.links} <= set(seen.ids)


def test_same_input_same_bytes() -> None:
    assert report_html(*quiz()) == report_html(*quiz())


def test_command_writes_a_file(tmp_path: Path, capsys) -> None:
    path = tmp_path / "new" / "report.html"
    report(*(str(example(f"quiz/{name}")) for name in ("quiz.toml", "parameters.npz", "data.npz")), str(path))
    assert capsys.readouterr().out == f"wrote {path}\n"
    assert path.read_text().startswith("<!DOCTYPE html>")
    assert [p.name for p in path.parent.iterdir()] == ["report.html"]


@pytest.mark.parametrize(("arguments", "words"), [
    (("3-2:softmax", None, None, "report.docx"), "expected a file that ends in .html or .pdf"),
    (("3-2:softmax", "p.npz", None, "report.pdf"), "a PDF has the derivation and no numbers"),
    (("n-2:softmax", "p.npz", None, "report.html"), "expected integer widths"),
    (("3-2:softmax", "missing.npz", None, "report.html"), "missing.npz"),
])
def test_command_refuses_in_one_line(arguments: tuple, words: str, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(InputError, match=re.escape(words)) as caught:
        report(*arguments)
    assert "\n" not in str(caught.value)
    assert not list(tmp_path.iterdir())


@pytest.mark.skipif(not shutil.which("pdflatex"), reason="pdflatex is not installed")
def test_pdf(tmp_path: Path) -> None:
    report("3-2:softmax", None, None, str(tmp_path / "report.pdf"))
    assert (tmp_path / "report.pdf").read_bytes().startswith(b"%PDF-")


def test_pdf_without_pdflatex_says_how_to_get_one(monkeypatch) -> None:
    monkeypatch.setattr(pdf.shutil, "which", lambda _: None)
    with pytest.raises(InputError, match="texlive-latex-base"):
        pdf.report_pdf(read_architecture("3-2:softmax"))


def test_wrong_gradient_is_said(monkeypatch) -> None:
    """A page never calls right what the check calls wrong."""
    from gradwright.reporting import numbers

    checked = numbers.check_gradients

    def off(*arguments):
        found = checked(*arguments)
        first = dataclasses.replace(found.parameters[0], ok=False, max_relative_error=0.5)
        return dataclasses.replace(found, parameters=(first, *found.parameters[1:]))

    monkeypatch.setattr(numbers, "check_gradients", off)
    text = " ".join(Page(report_html(*quiz(), mathematics=Mathematics(False))).text)
    assert "a gradient is off" in text
    assert "every gradient agrees" not in text
    assert "WRONG" in text


def test_loss_that_is_not_finite_is_refused() -> None:
    network, parameters, data = quiz()
    with pytest.raises(InputError):
        report_html(network, {n: np.full_like(v, np.inf) for n, v in parameters.items()}, data)


def test_fragment_of_an_expression_has_no_layers() -> None:
    from symbolic.derivatives import differentiate_text
    from symbolic.formats.answers import as_derivation

    answers = differentiate_text("q1 = X*w1; q2 = tanh(q1); norm2(q2 - y)^2", ["w1", "X"], 1, {}, {}, "unconstrained")
    derivation = as_derivation(answers)
    seen = Page(derivation_html(derivation, derivation.gradients, Mathematics(False, compact=False), "e-"))
    text = "".join(seen.text)
    assert "Layer" not in text
    assert "Loss" not in text
    assert "∇w₁" in text
    assert len(set(seen.ids)) == len(seen.ids)
    assert {link[1:] for link in seen.links} <= set(seen.ids)


def test_rules_have_the_names_of_the_field() -> None:
    """No key of the engine's stands in for a name; those of the quiz are what a textbook calls them."""
    shown = {s.rule.key: rule_name(s.rule.key) for a in TABLE for g in derive(read_architecture(a)).gradients
             for s in g.steps}
    assert not [name for name in shown.values() if re.search(r"_|transposition|^collect$|scalar product", name)]
    assert shown["differential_of_product"] == "product rule"
    assert shown["transposition_of_hadamard_product"] == "adjoint of the Hadamard product"
    assert shown["chain_rule"] == "chain rule"
    assert shown["differential_of_scalar_product"] == "constant factor"
    text = " ".join(Page(report_html(quiz()[0], mathematics=Mathematics(False))).text)
    assert "adjoint of the matrix product" in text
    assert "labels that are distributions" in text


@pytest.mark.skipif(not find_spec("quickjs"), reason="quickjs is not installed")
def test_short_classes_lose_nothing() -> None:
    """Each class of a formula has the rules that it has in KaTeX's own style, and no style stands in an attribute."""
    plain, short = Mathematics(True, compact=False), Mathematics(True)
    formulas = [r"\nabla_{W_1}\mathcal{L}", r"\underbrace{A^{\top}}_{m \times n} \oslash \lVert x\rVert^{2}",
                r"\left\langle \hat{y}, \frac{1}{1 + e^{-x}}\right\rangle",
                r"\begin{cases} 1 & x > 0 \\ 0 & \text{else}\end{cases}"]
    sheets = [m.stylesheet() for m in (plain, short) if [m.show(f, "") for f in formulas]]
    assert len(sheets[1]) < len(sheets[0])

    def bodies(sheet: str, name: str) -> list[str]:
        return [body for selectors, body in re.findall(r"([^{}]+)\{([^{}]*)\}", sheet)
                if f".katex .{name}" in selectors.split(",")]

    for formula in formulas:
        before, after = (re.findall(r"<span([^>]*)>", m.show(formula, "")) for m in (plain, short))
        for old, new in zip(before, after, strict=True):
            assert "style" not in new
            names = ["".join(found).split() for tag in (old, new)
                     for found in re.findall(r'class=(?:"([^"]*)"|(\S+))', tag) or [("", "")]]
            assert len(names[1]) - len(names[0]) == ("style=" in old)
            for long, brief in zip(names[0], names[1], strict=False):
                assert bodies(sheets[1], brief) == bodies(sheets[0], long)
        assert re.sub(r"<[^>]*>", "", plain.show(formula, "")) == re.sub(r"<[^>]*>", "", short.show(formula, ""))
    assert short.show(formulas[0], "").count("xmlns") == 0


def test_policy_knows_every_script_and_style() -> None:
    """The policy holds for a page with every way of setting formulas, and needs no exception for attributes."""
    for ahead in (True, False):
        found = report_page(*quiz(), mathematics=Mathematics(ahead), framed=True)
        texts = re.findall(r"<(script|style)>(.*?)</\1>", found.html, re.DOTALL)
        digests = [base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for _, text in texts]
        assert sorted(re.findall(r"'sha256-([^']+)'", found.policy)) == sorted(digests)
        assert "unsafe" not in found.policy
        assert not [a for _, a in Page(found.html).elements if "style" in a]
        assert f'content="{escape(found.policy)}"' in found.html
    assert "framed" not in report_html(quiz()[0], mathematics=Mathematics(False))


def test_sizes_in_symbols_read_as_mathematics() -> None:
    text = " ".join(Page(report_html(read_architecture("n0-n1-n1:tanh,sigmoid"), mathematics=Mathematics(False))).text)
    assert "n₀·n₁ + n₁² + 2·n₁ parameters" in text
