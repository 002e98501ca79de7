"""The report in a real browser: mathematics, controls by mouse and keyboard, paper, accessibility.

Needs Playwright's Python package and a Chromium (CHROMIUM names one; Debian's is found), and for one test axe-core's
``axe.min.js`` (AXE names it).
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from codegen.evaluation import read_parameters, read_samples
from gradwright.examples import example
from gradwright.reporting.mathematics import Mathematics
from gradwright.reporting.page import report_html
from symbolic import read_architecture

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
if CHROMIUM is None:
    pytest.skip("no chromium was found", allow_module_level=True)

ROOT = Path(__file__).resolve().parent.parent
AXE = os.environ.get("AXE", "")
DEEP = "4-4x8-3:tanh*8,softmax?name=deep"
WIDE, PHONE = {"width": 1200, "height": 900}, {"width": 390, "height": 844}


@pytest.fixture(scope="module")
def browser():
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def files(tmp_path_factory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("reports")
    network = read_architecture(example("quiz/quiz.toml"))
    parameters, _ = read_parameters(network, example("quiz/parameters.npz"))
    quiz = network, parameters, read_samples(network, example("quiz/data.npz"))
    pages = {"ahead": report_html(*quiz), "by the page": report_html(*quiz, mathematics=Mathematics(False)),
             "deep": report_html(read_architecture(DEEP)),
             "symbols": report_html(read_architecture("n0-n1-n2:x*exp(-x),sigmoid?samples=rows&weight_decay=0.1"))}
    for name, text in pages.items():
        (folder / f"{name}.html").write_text(text)
    return {name: folder / f"{name}.html" for name in pages}


@pytest.fixture
def open_page(browser, files):
    """Return what opens a report; whatever a page complains of or asks for fails the test at its end."""
    contexts, complaints = [], []

    def opened(name: str, **options):
        context = browser.new_context(**{"viewport": WIDE, **options})
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("request", lambda request: complaints.append(request.url) if not request.url.startswith(
            ("file:", "data:")) else None)
        page.goto(files[name].as_uri())
        return page

    yield opened
    for context in contexts:
        context.close()
    assert not complaints


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("viewport", [WIDE, PHONE], ids=["wide", "phone"])
@pytest.mark.parametrize("name", ["ahead", "by the page", "deep", "symbols"])
def test_page_is_whole(open_page, name: str, viewport: dict, scheme: str) -> None:
    page = open_page(name, viewport=viewport, color_scheme=scheme)
    assert page.locator(".katex-error, .unset, .tex").count() == 0
    assert page.locator(".katex").count() > 60
    assert page.locator(".katex-mathml math").count() == page.locator(".katex").count()
    assert page.evaluate("document.documentElement.scrollWidth") <= viewport["width"]
    assert page.evaluate("document.fonts.ready.then(() => [...document.fonts].every(f => f.status !== 'error'))")
    assert page.locator(".picture:visible").count() == 1


def test_steps_on_a_phone_have_no_empty_lines(open_page) -> None:
    page = open_page("symbols", viewport=PHONE)
    gaps = page.locator("details.block[open] .steps > li").evaluate_all(
        """items => items.map(item => item.querySelector('.line').getBoundingClientRect().top
            - item.getBoundingClientRect().top)""")
    assert len(gaps) == 20
    assert max(gaps) < 12


def test_page_reads_without_javascript(open_page) -> None:
    for name in ("ahead", "by the page"):
        page = open_page(name, java_script_enabled=False)
        block = page.locator("#grad-W3")
        assert not block.locator(".steps").is_visible()
        block.locator("summary").click()
        assert block.locator(".steps > li").count() == 4
        assert block.locator(".steps").is_visible()
        assert page.locator("button:visible").count() == 0


def test_blocks_open_by_mouse_and_keyboard(open_page) -> None:
    page = open_page("ahead")
    block = page.locator("#grad-b2")
    block.locator("summary").click()
    assert block.locator(".result").is_visible()
    block.locator("summary").press("Enter")
    assert not block.locator(".result").is_visible()
    block.locator("summary").press("Space")
    assert block.locator(".result").is_visible()


def test_rule_is_told_on_demand(open_page) -> None:
    page = open_page("ahead")
    rule = page.locator("#grad-a3 .rule", has_text="differential of softmax")
    rule.focus()
    page.keyboard.press("Enter")
    shown = page.locator("#grad-a3 .rule-shown")
    assert "Goodfellow" in shown.inner_text()
    assert shown.locator(".katex").count() == 1
    assert rule.get_attribute("aria-expanded") == "true"
    rule.click()
    assert shown.count() == 0
    page.locator("#grad-a3 .rule", has_text="definition of ŷ").click()
    assert shown.locator(".katex").count() == 1


def test_one_step_at_a_time(open_page) -> None:
    page = open_page("ahead")
    block = page.locator("#grad-a3")
    visible = block.locator(".steps > li:visible")
    assert visible.count() == 16
    block.get_by_role("button", name="One step at a time").press("Enter")
    assert visible.count() == 1
    for count in range(2, 17):
        page.keyboard.press("Enter")  # the focus is on "Next step"
        assert visible.count() == count
    assert not block.locator(".result").is_visible()
    page.keyboard.press("Enter")
    assert block.locator(".result").is_visible()
    assert block.get_by_role("button", name="Next step").is_disabled()


def test_open_every_step(open_page) -> None:
    page = open_page("ahead")
    button = page.get_by_role("button", name="Open every step")
    button.click()
    assert page.locator(".steps > li:visible").count() == 56
    assert button.get_attribute("aria-pressed") == "true"
    button.press("Space")
    assert page.locator(".steps > li:visible").count() == 0


@pytest.mark.parametrize("viewport", [WIDE, PHONE], ids=["wide", "phone"])
def test_edge_tells_its_equation(open_page, viewport: dict) -> None:
    page = open_page("ahead", viewport=viewport)
    edges, panel = page.locator(".edge:visible"), page.locator("#equation-panel")
    assert edges.count() == 25
    for i in range(edges.count()):
        edges.nth(i).focus()
        assert "Point at" not in panel.inner_text()
        assert edges.nth(i).get_attribute("aria-label")
    edges.filter(has_text="∇W₂").first.focus()
    assert panel.locator(".katex").count() == 1
    page.locator("h1").hover()
    edges.filter(has_text="h₁").first.locator("text").hover()
    assert "σ" in panel.inner_text()
    edges.filter(has_text="∇W₂").first.press("Enter")
    assert page.locator("#grad-W2 .result").is_visible()


def test_every_control_is_reached_by_tab(open_page) -> None:
    page = open_page("ahead")
    wanted = page.evaluate("""() => [...document.querySelectorAll(
        'a[href], button, summary, [tabindex="0"]')].filter(e => e.checkVisibility() && !e.disabled).length""")
    seen = page.evaluate("document.activeElement === document.body") and 0
    for _ in range(wanted + 5):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement === document.body"):
            break
        seen += 1
    assert seen >= wanted


def test_copy(open_page) -> None:
    page = open_page("ahead", permissions=["clipboard-read", "clipboard-write"])
    page.get_by_role("button", name="Copy").press("Enter")
    page.get_by_text("copied").wait_for()
    assert page.evaluate("navigator.clipboard.readText()") == page.evaluate(
        "document.getElementById('code').textContent")


def test_equal_layers_unfold(open_page) -> None:
    page = open_page("deep")
    assert page.locator("#derivation details.block").count() == 1 + 4 + 4 + 2
    button = page.get_by_role("button", name="Unfold all layers")
    button.click()
    assert page.locator("#derivation details.block:visible").count() == 1 + 4 + 7 * 4 + 2
    headings = page.locator("#derivation h3:visible").all_inner_texts()
    assert headings == ["Loss", *(f"Layer {k}" for k in range(9, 0, -1))]
    assert page.locator("#layers tbody tr:visible th").all_inner_texts() == [str(k) for k in range(1, 10)]
    assert page.locator("#layers tbody tr:visible").nth(3).inner_text().split("\t") == [
        "4", "h₄ = tanh(a₄)", "4×4", "4×1", "20"]
    boxed = page.locator(".boxed:visible .katex-mathml").all_inner_texts()
    assert not [b for b in boxed if "k" in b or "𝑘" in b]
    shown = page.evaluate("""() => [...document.querySelectorAll('.boxes [data-copied] math')].map(
        m => [...m.querySelectorAll('mn')].map(n => n.textContent).join(' '))""")
    assert shown[:3] == ["8 8 7", "8 8 1", "7 8 8"]  # ∇W₈ = ∇a₈ h₇ᵀ, ∇b₈ = ∇a₈ 1, ∇h₇ = W₈ᵀ ∇a₈
    page.locator("#grad-W-k--8 summary").click()
    page.locator("#grad-W-k--8 .rule", has_text="definition of a₈").click()
    assert "k" not in page.locator("#grad-W-k--8 .rule-shown").inner_text()
    button = page.get_by_role("button", name="Fold equal layers")
    button.press("Enter")
    assert page.locator("#derivation details.block").count() == 1 + 4 + 4 + 2


def test_paper_has_everything(open_page) -> None:
    page = open_page("ahead")
    page.emulate_media(media="print")
    page.wait_for_timeout(100)
    assert page.evaluate("""() => [...document.querySelectorAll('.steps > li, .result, .rule-entry, .values td')].every(
        e => e.checkVisibility({contentVisibilityAuto: true}) && e.getBoundingClientRect().height > 0)""")
    assert page.locator("button:visible, nav:visible").count() == 0
    page.emulate_media(media="screen")
    page.evaluate("dispatchEvent(new Event('beforeprint'))")
    assert page.locator("details:not([open])").count() == 0
    page.evaluate("dispatchEvent(new Event('afterprint'))")
    assert page.locator("details[open]").count() == 1


@pytest.mark.skipif(not Path(AXE or "/nowhere").is_file(), reason="AXE names no axe.min.js of axe-core")
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("viewport", [WIDE, PHONE], ids=["wide", "phone"])
@pytest.mark.parametrize("name", ["ahead", "deep"])
def test_axe_finds_nothing_serious(open_page, browser, files, name: str, viewport: dict, scheme: str) -> None:
    # The page's policy allows no other script, so this one comes from outside of it.
    context = browser.new_context(viewport=viewport, color_scheme=scheme, bypass_csp=True)
    page = context.new_page()
    page.goto(files[name].as_uri())
    page.evaluate("document.querySelectorAll('details').forEach(d => { d.open = true; })")
    page.locator(".rule").first.click()
    page.add_script_tag(path=AXE)
    found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")
    context.close()
    assert [(v["id"], v["impact"], v["nodes"][0]["html"][:200]) for v in found["violations"]] == []


def test_screenshots_for_the_readme(tmp_path: Path) -> None:
    """The command takes them all, of the sizes of those that are kept; the README shows each of those."""
    subprocess.run([sys.executable, ROOT / "docs/screenshots.py", tmp_path], check=True, timeout=120)
    kept = ROOT / "docs/screenshots"
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == sorted(path.name for path in kept.iterdir())
    assert names == [f"report-{size}-{scheme}.png" for size in ("phone", "wide") for scheme in ("dark", "light")]
    for name in names:
        taken, shown = (tmp_path / name).read_bytes(), (kept / name).read_bytes()
        assert taken.startswith(b"\x89PNG")
        assert taken[16:24] == shown[16:24]  # width and height
        assert len(shown) < 250_000
        assert f"docs/screenshots/{name}" in (ROOT / "README.md").read_text()
