"""The page of ``gradwright serve`` in a real browser: answers, controls by mouse and keyboard, links, accessibility.

Needs Playwright's Python package and a Chromium (CHROMIUM names one; Debian's is found), and for one test axe-core's
``axe.min.js`` (AXE names it).
"""

from __future__ import annotations

import json
import os
import re
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

sync_api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")
if CHROMIUM is None:
    pytest.skip("no chromium was found", allow_module_level=True)
test_serving = pytest.importorskip("test_serving", reason="the page needs starlette, uvicorn and httpx")

AXE = os.environ.get("AXE", "")
WIDE, PHONE = {"width": 1200, "height": 900}, {"width": 390, "height": 844}
SCRIPT = "<script>window.hit = 1</script><img src=x onerror=window.hit=1>"
expect = sync_api.expect


@pytest.fixture(scope="module")
def server() -> Iterator[Any]:
    with test_serving.serving(port=0, seconds=30, workers=2) as found:
        found.wait()
        yield found


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    with sync_api.sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        browser.close()


@pytest.fixture
def open_page(browser: Any, server: Any) -> Iterator[Callable[..., Any]]:
    """Return what opens the page; what it complains of, or asks of others, fails the test at its end."""
    contexts, complaints = [], []

    def opened(fragment: str = "", **options: Any) -> Any:
        allowed = ["clipboard-read", "clipboard-write"]
        context = browser.new_context(**{"viewport": WIDE, "permissions": allowed} | options)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(20_000)
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("response", lambda r: complaints.append(f"{r.status} {r.url}") if r.status >= 400 else None)
        page.on("request", lambda r: None if r.url.startswith((server.url, "data:", "blob:", "about:"))
                else complaints.append(r.url))
        page.goto(server.url + fragment)
        return page

    yield opened
    for context in contexts:
        assert not any(page.locator(".katex-error").count() for page in context.pages)
        context.close()
    assert not complaints


def link(tab: str, **given: Any) -> str:
    return f"#{tab}={quote(json.dumps(given))}"


def pasted(page: Any) -> str:
    text: str = page.evaluate("navigator.clipboard.readText()")
    return text


def answered(page: Any, title: str) -> Any:
    """Return the card of an answer, once it is there."""
    card = page.locator("#expression-answers .answer", has=page.get_by_role("heading", name=title, exact=True))
    expect(card).to_be_visible(timeout=20_000)
    return card


def report(page: Any) -> Any:
    """Return what is in the frame of the report that is shown."""
    return page.frame_locator("iframe.report:not(.coming)")


def test_starts_with_an_example(open_page: Any) -> None:
    page = open_page()
    card = answered(page, "gradient by x")
    expect(card.locator(".typed")).to_have_text("2*A'*(A*x - y)")
    expect(card.locator(".verified")).to_contain_text("complex step")
    expect(card.locator(".steps .rule")).to_have_count(5)
    expect(page.locator("#shapes tbody tr")).to_have_count(4)
    expect(card.locator(".boxed .katex")).to_be_visible()


def test_an_expression_by_keyboard(open_page: Any) -> None:
    page = open_page()
    answered(page, "gradient by x")
    page.locator("#expression").focus()
    page.keyboard.press("Control+a")
    page.keyboard.type("x'*S*x + c*softmaks(x)")
    expect(page.locator("#expression-problem")).to_contain_text("did you mean 'softmax'?")
    expect(page.locator(".backdrop mark")).to_have_text("softmaks")
    page.keyboard.press("Control+a")
    page.keyboard.type("x'*S*x + c")
    expect(page.locator("#expression-problem")).to_be_empty()
    expect(answered(page, "gradient by x").locator(".typed")).to_have_text("(S' + S)*x")
    page.keyboard.press("Tab")
    page.keyboard.press("Tab")
    expect(page.locator("#variables input[value=S]")).to_be_focused()
    page.keyboard.press("Space")
    answered(page, "gradient by S")
    expect(page.locator("#variables input[value=S]")).to_be_focused()
    page.keyboard.press("Space")
    expect(page.locator("#expression-answers .answer")).to_have_count(1)
    page.locator("input[name=order][value='1']").focus()
    page.keyboard.press("ArrowRight")
    answered(page, "hessian by x")
    page.get_by_label("Assumed of S").focus()
    page.keyboard.type("sym")
    expect(answered(page, "hessian by x").locator(".typed")).to_have_text("2*S")
    expect(page.get_by_label("Assumed of S")).to_be_focused()
    page.locator("#differentiate").press("Enter")
    expect(answered(page, "hessian by x").locator(".assumed")).to_contain_text("Sᵀ = S")


def test_an_expression_by_mouse(open_page: Any) -> None:
    page = open_page()
    page.locator("#expression-example").select_option(label="Attention")
    for name in ("Q", "K", "V"):
        answered(page, f"gradient by {name}")
    page.locator("#variables label", has_text="T").click()
    answered(page, "gradient by T")
    page.locator("#variables label", has_text="Q").click()
    expect(page.get_by_role("heading", name="gradient by Q")).to_have_count(0)
    page.locator("#expression-example").select_option(label="Trace of a square by a symmetric matrix")
    expect(answered(page, "gradient by S").locator(".typed")).to_contain_text("4 - 2*eye(n)")
    page.locator("label", has_text="all entries").click()
    expect(answered(page, "gradient by S").locator(".typed")).to_have_text(re.compile(r"2\*S$"))
    page.get_by_text("The language").click()
    expect(page.locator("#expression-hint dl")).to_be_visible()
    page.locator(".unfold summary", has_text="steps").click()
    expect(page.locator(".derivation")).not_to_be_visible()
    page.locator(".unfold summary", has_text="Notes").click()
    expect(page.locator(".unfold ul li").first).to_be_visible()


def test_copies_and_downloads(open_page: Any) -> None:
    page = open_page()
    card = answered(page, "gradient by x")
    for name, holds in (("text", "2*A'*(A*x - y)"), ("LaTeX", r"A^{\top}"), ("Python", "def derivative")):
        button = card.get_by_role("button", name=f"Copy gradient by x as {name}")
        button.click()
        expect(button).to_have_text("Copied")
        assert holds in pasted(page)
    for name, suffix in (("NumPy module", ".py"), ("LaTeX", ".tex"), ("Markdown", ".md"), ("Text", ".txt")):
        with page.expect_download() as found:
            page.locator("#expression-answers .downloads").get_by_role("button", name=name).click()
        assert found.value.suggested_filename.endswith(suffix)
        assert Path(found.value.path()).stat().st_size > 100


def test_links_hold_the_input(open_page: Any) -> None:
    page = open_page(link("expression", expression="tr(X*A)", wrt=["A"], order=1))
    answered(page, "gradient by A")
    page.locator("#link").click()
    expect(page.locator("#link")).to_have_text("Copied")
    copied = pasted(page)
    again = open_page("#" + copied.partition("#")[2])
    expect(answered(again, "gradient by A").locator(".typed")).to_have_text(re.compile(r"X'$"))
    page.goto(page.url.partition("#")[0] + link("network", architecture="2-2:softmax"))
    expect(page.locator("#toml")).to_have_value(re.compile("inputs = 2"))
    for broken in ("#expression=%7B", "#expression=null", "#expression~AAAA", "#network=%5B1%5D", "#nothing",
                   link("expression", expression={"a": 1}, wrt="x", order="z"), link("check", code=7)):
        open_page(broken).wait_for_timeout(300)


def test_tabs_by_keyboard(open_page: Any) -> None:
    page = open_page()
    answered(page, "gradient by x")
    page.locator("#tab-expression").focus()
    for key, tab in (("ArrowRight", "network"), ("ArrowRight", "check"), ("ArrowRight", "expression"), ("End", "check"),
                     ("ArrowLeft", "network"), ("Home", "expression")):
        page.keyboard.press(key)
        expect(page.locator(f"#tab-{tab}")).to_be_focused()
        expect(page.locator(f"#panel-{tab}")).to_be_visible()
        expect(page.locator("[role=tabpanel]:visible")).to_have_count(1)


def test_the_editor_writes_toml(open_page: Any) -> None:
    page = open_page("#network")
    cards = page.locator("#network-answers")
    expect(report(page).locator("details.block")).to_have_count(11)
    page.locator("#add-layer").click()
    expect(page.locator("#layers li")).to_have_count(4)
    expect(page.get_by_label("Units of layer 3")).to_be_focused()
    page.get_by_label("Units of layer 3").fill("5")
    page.get_by_label("Activation of layer 3").fill("x/(1+exp(-x))")
    expect(page.locator("#toml")).to_have_value(re.compile(r'units = 5\nactivation = "x/\(1\+exp\(-x\)\)"'))
    expect(cards.get_by_text("62 parameters")).to_be_visible()
    page.get_by_label("Bias of layer 1").uncheck()
    expect(cards.get_by_text("59 parameters")).to_be_visible()
    page.get_by_label("Move layer 3 up").press("Enter")
    expect(page.get_by_label("Units of layer 2")).to_have_value("5")
    expect(page.get_by_label("Move layer 2 up")).to_be_focused()
    page.get_by_label("Move layer 2 down").click()
    expect(page.get_by_label("Units of layer 3")).to_have_value("5")
    page.get_by_label("Remove layer 3").press("Space")
    expect(page.locator("#layers li")).to_have_count(3)
    page.get_by_label("Activation of layer 3").fill("tanh")
    expect(page.locator("#net-loss")).to_have_value("mean_squared_error")
    page.locator("#net-loss").select_option("huber")
    page.locator("#net-reduction").select_option("mean")
    page.locator("#net-samples").select_option("rows")
    page.locator("#net-decay").fill("0.25")
    page.locator("#net-name").fill("mine")
    page.locator("#net-inputs").fill("7")
    expect(cards.get_by_role("heading", name="mine", exact=True)).to_be_visible()
    expect(cards.get_by_role("heading", name="mine.py", exact=True)).to_be_visible()
    expect(report(page).locator("h1")).to_have_text("mine")
    expect(report(page).locator(".lead")).to_have_text(
        "7-3-3-3:sigmoid,sigmoid,tanh?loss=huber&reduction=mean&samples=rows&weight_decay=0.25&name=mine"
        "&bias=false,true,true")
    for words in ("inputs = 7", 'loss = "huber"', 'reduction = "mean"', 'samples = "rows"', "weight_decay = 0.25"):
        expect(page.locator("#toml")).to_have_value(re.compile(re.escape(words)))
    page.locator("#net-decay").fill("much")
    expect(page.locator("#network-problem")).to_contain_text("weight_decay")


def test_toml_fills_the_editor(open_page: Any) -> None:
    page = open_page("#network")
    expect(report(page).locator("details.block")).to_have_count(11)
    page.locator("#toml").fill("4-6-1:relu,identity")
    expect(page.get_by_label("Units of layer 1")).to_have_value("6")
    expect(page.locator("#net-loss")).to_have_value("mean_squared_error")
    page.locator("#toml").fill('inputs = "n0"\n[[layers]]\nunits = "n1"\nactivation = "tanh"\n')
    expect(page.get_by_label("Units of layer 1")).to_have_value("n1")
    expect(page.get_by_text("A module needs widths that are numbers")).to_be_visible()
    expect(report(page).get_by_text("The widths of this network are symbols")).to_be_visible()
    page.locator("#toml").fill("inputs = 3\n[[layers]]\nunits = 2\nactivation = 'tahn'\n")
    expect(page.locator("#network-problem")).to_contain_text("did you mean 'tanh'?")


def test_the_report_and_the_module(open_page: Any) -> None:
    page = open_page(link("network", architecture="3-4-2:tanh,softmax"))
    blocks = report(page).locator("details.block")
    expect(blocks).to_have_count(7)
    expect(report(page).locator(".steps > li:visible").first).to_be_visible()
    report(page).get_by_role("button", name="Open every step").click()
    expect(report(page).locator(".steps:visible")).to_have_count(7)
    report(page).get_by_role("button", name="Open every step").press("Enter")
    expect(report(page).locator(".steps:visible")).to_have_count(0)
    report(page).locator("#grad-W2 summary").press("Enter")
    expect(report(page).locator(".steps:visible")).to_have_count(1)
    report(page).locator(".edge:visible", has_text="∇W₁").focus()
    expect(report(page).locator("#equation-panel .katex")).to_have_count(1)
    report(page).get_by_role("button", name="Copy").click()
    expect(report(page).get_by_text("copied")).to_be_visible()
    assert "def loss_and_gradients" in pasted(page)
    with page.context.expect_page() as apart:
        page.get_by_role("button", name="Open it in a tab of its own").click()
    expect(apart.value.locator("details.block")).to_have_count(7)
    assert apart.value.evaluate("[self.origin, opener]") == ["null", None]
    apart.value.close()
    page.get_by_label("The language of the module").select_option("c")
    expect(page.get_by_role("heading", name="net_3_4_2.c", exact=True)).to_be_visible()
    page.get_by_role("button", name="Copy the module").click()
    assert "#include" in pasted(page)
    page.locator("#toml-copy").click()
    assert "[[layers]]" in pasted(page)
    names = {"LaTeX": ".tex", "Markdown": ".md", "Text": ".txt", "TOML": ".toml", "Download the report": ".html"}
    for name, suffix in names.items():
        with page.expect_download() as found:
            page.locator("#network-answers .downloads").get_by_role("button", name=name).click()
        assert found.value.suggested_filename.endswith(suffix)
    with page.expect_download() as found:
        page.get_by_role("button", name="Download the module").click()
    assert found.value.suggested_filename == "net_3_4_2.c"


def test_the_report_is_live(open_page: Any) -> None:
    """A change brings a new report; what was open stays so, and the reader where he was; so does the cursor."""
    page = open_page(link("network", architecture="3-4-2:tanh,softmax"))
    expect(report(page).locator(".lead")).to_contain_text("3-4-2")
    before = page.evaluate("history.length")
    report(page).locator("#grad-W1 summary").click()
    report(page).locator("#grad-W1").evaluate("e => e.scrollIntoView()")
    page.wait_for_timeout(300)
    was = report(page).locator("#grad-W1").evaluate("e => e.getBoundingClientRect().top")
    units = page.get_by_label("Units of layer 1")
    units.fill("5")
    expect(report(page).locator(".lead")).to_contain_text("3-5-2")
    expect(report(page).locator("#grad-W1")).to_have_attribute("open", "")
    page.wait_for_timeout(300)
    now = report(page).locator("#grad-W1").evaluate("e => e.getBoundingClientRect().top")
    assert abs(now - was) < 5
    expect(units).to_be_focused()
    for width in ("6", "7", "8", "9"):
        units.fill(width)
        page.wait_for_timeout(350)  # just as long as it takes to be asked
    expect(report(page).locator(".lead")).to_contain_text("3-9-2")
    expect(page.locator("iframe.report")).to_have_count(1)
    assert page.evaluate("history.length") == before
    page.locator("#toml").fill("inputs = 3\n[[layers]]\nunits = 2\nactivation = 'tahn'\n")
    expect(page.locator("#network-problem")).to_contain_text("tahn")
    expect(report(page).locator(".lead")).to_contain_text("3-9-2")
    expect(page.locator("#network-answers.stale")).to_have_count(1)
    page.locator("#toml").fill("")
    expect(page.locator("iframe.report")).to_have_count(0)
    expect(page.locator("#layers li")).to_have_count(0)
    page.locator("#add-layer").click()
    expect(report(page).locator(".lead")).to_contain_text("3-3:identity")


def test_a_report_that_takes_too_long_says_so(browser: Any) -> None:
    with test_serving.serving(port=0, workers=1, seconds=0.05) as one:
        one.wait(1)
        page = browser.new_page()
        page.goto(one.url + link("network", architecture="3-4-2:tanh,softmax"))
        expect(report(page).locator("body")).to_contain_text("takes longer than the 0.05 s", timeout=20_000)
        page.close()


def test_checks_code(open_page: Any, tmp_path: Path) -> None:
    page = open_page("#check")
    frame = page.frame_locator("iframe.checked")
    expect(frame.locator(".summary")).to_contain_text("2 errors")
    assert int(page.locator("iframe.checked").get_attribute("height") or 0) > 1000
    frame.locator("a[href$='finding-1']").first.click()
    expect(frame.locator("#finding-1")).to_be_in_viewport()
    page.locator("#clear").click()
    expect(page.locator("#code")).to_be_editable()
    page.locator("#check").click()
    expect(page.locator("#check-problem")).to_contain_text("Paste some code")
    page.locator("#code").fill("x = = 3")
    page.locator("#code").press("Control+Enter")
    expect(page.locator("#check-problem")).to_contain_text("no Python, line 1")
    page.locator("#check-example").select_option(label="Logistic regression with a slip")
    expect(frame.locator(".summary")).to_contain_text("error")
    with page.expect_download():
        page.get_by_role("button", name="Download this page").click()
    script = tmp_path / "own.py"
    script.write_text("import numpy as np\nx = np.ones(3)\n")
    page.locator("#code-file").set_input_files(script)
    expect(page.locator("#code-name")).to_contain_text("own.py")
    expect(frame.locator("h1")).to_have_text("own.py")
    page.get_by_text("If the network or a name is not recognised").click()
    page.locator("#check-network").fill("3-2:nothing")
    page.locator("#check").press("Enter")
    expect(page.locator("#check-problem")).to_contain_text("nothing")
    page.locator("#check-network").fill("")
    page.locator("#check-mapping").fill("x=")
    page.locator("#check").press("Enter")
    expect(page.locator("#check-problem")).to_contain_text("theirs=ours")


def test_a_script_in_every_input(open_page: Any) -> None:
    page = open_page(link("expression", expression=f"# {SCRIPT}\nx'*x", wrt=[SCRIPT, "x"], properties={SCRIPT: SCRIPT}))
    answered(page, "gradient by x")
    page.locator("#expression").fill(f"x + {SCRIPT}")
    expect(page.locator("#expression-problem")).not_to_be_empty()
    page.locator("#tab-network").click()
    expect(report(page).locator("details.block")).to_have_count(11)
    for field in ("#net-inputs", "#net-name", "#net-decay", "#toml"):
        page.locator(field).fill(SCRIPT)
        expect(page.locator("#network-problem")).not_to_be_empty()
    page.locator("#tab-check").click()
    code = f"# {SCRIPT}\nimport numpy as np\nx = np.load('{SCRIPT}')\ny = '{SCRIPT}'\n"
    page.goto(page.url.partition("#")[0] + link("check", code=code, name=f"{SCRIPT}.py"))
    frame = page.frame_locator("iframe.checked")
    expect(frame.locator("h1")).to_contain_text("<script>")
    assert frame.locator("script, img").count() == 0
    assert page.locator("main script, main img").count() == 0
    assert page.evaluate("window.hit") is None


def test_goes_on_where_the_server_has_gone(browser: Any) -> None:
    with test_serving.serving(port=0, workers=1) as one:
        one.wait(1)
        page = browser.new_page()
        page.goto(one.url)
        answered(page, "gradient by x")
        one.process.terminate()
        one.process.wait()
        page.locator("#expression").fill("x'*x")
        expect(page.locator("#expression-problem")).to_contain_text("is it still running?")
        page.close()


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("viewport", [WIDE, PHONE], ids=["wide", "phone"])
@pytest.mark.parametrize("tab", ["expression", "network", "check"])
def test_fits_and_is_accessible(open_page: Any, tab: str, viewport: dict[str, int], scheme: str) -> None:
    page = open_page(f"#{tab}", viewport=viewport, color_scheme=scheme, bypass_csp=bool(AXE))
    shown = {"expression": ".answer .katex", "network": "iframe.report:not(.coming)", "check": "iframe.checked"}[tab]
    page.locator(shown).first.wait_for()
    page.wait_for_timeout(300)
    assert page.evaluate("document.documentElement.scrollWidth") <= viewport["width"]
    frames = [frame for frame in page.frames if frame.parent_frame]
    assert len(frames) == (tab != "expression")
    for frame in frames:
        assert frame.evaluate("document.documentElement.scrollWidth <= innerWidth")
    if not AXE:
        pytest.skip("AXE names no axe.min.js")
    if tab == "check":  # nothing runs in its frame, not even axe: what it shows, as a page of its own
        twin = page.context.new_page()
        twin.set_viewport_size({"width": frames[0].evaluate("innerWidth"), "height": 800})
        twin.set_content(page.locator("iframe.checked").get_attribute("srcdoc"))
        frames = [twin.main_frame]
    for frame in (page.main_frame, *frames):
        frame.evaluate("document.querySelectorAll('details').forEach(d => { d.open = true; })")
        frame.evaluate(Path(AXE).read_text())
        found = frame.evaluate("axe.run(document, {iframes: false}).then(r => r.violations)")
        assert not [(v["id"], v["impact"], [n["html"][:120] for n in v["nodes"][:3]]) for v in found]
