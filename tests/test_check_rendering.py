"""A check as text, JSON and a page: nothing is lost, nothing breaks the page or the terminal, and it can be read."""

from __future__ import annotations

import dataclasses
import json
import re
from html.parser import HTMLParser
from itertools import pairwise
from typing import Any

import pytest
from rich.cells import cell_len
from rich.console import Console

from gradwright.checking.findings import KINDS, Check, Finding, Line, Note, Number, Place, Recognised
from gradwright.checking.rendering import RENDERINGS, coloured, to_html, to_json, to_text

CELLS = ("import numpy as np\n%matplotlib inline",
         "gradient_w3 = gradient_a3 @ h2.T\ngradient_b3 = gradient_w3",
         "def update():\n\tb3 = b3 - eta * gradient_b3  # 更新\n\treturn b3\n",
         "y_hat = np.sum(h3, axis=1)\nloss = -np.sum(y * np.log(y_hat))", "x = = 3")
WRONG = Finding(Place(2, 2, 14, 25), "gradient_b3 = gradient_w3", "wrong_name", "gradient_b3",
                "`gradient_w3` stands where `gradient_a3` belongs", "∇b₃ = ∇a₃ 1", "gradient_b3 = gradient_a3",
                step="⟨G, A M B⟩ = ⟨Aᵀ G Bᵀ, M⟩ [8]")
WARNED = Finding(Place(4, 2, 15, 32), "loss = -np.sum(y * np.log(y_hat))", "broadcast", "loss",
                 "(3, 1) and (3,) are broadcast to (3, 3)", severity="warning")
CHECK = Check(
    "quiz.ipynb", CELLS, True, Recognised("3-3-3-3:sigmoid,sigmoid,softmax", "columns", "sum", ("One sample.",)),
    {"gradient_w3": "grad_W3", "gradient_b3": "grad_b3", "loss": "loss"},
    (Line(Place(2, 1), "gradient_w3", "grad_W3", "right", (3, 3), "gradient_a3*h2'"),
     Line(Place(2, 2), "gradient_b3", "grad_b3", "wrong", (3, 3)), Line(Place(3, 2), "b3", "", "follows", (3, 3)),
     Line(Place(4, 1), "y_hat", "y_hat", "follows", (3,)), Line(Place(4, 2), "loss", "loss", "follows", ()),
     Line(Place(1, 1), "np", "", "unknown")),
    (WARNED, WRONG), (Number(Place(4, 2), "loss", 6.590823679375906, 0.07253330081047048),),
    (Note(Place(5, 1), "the cell was not read: invalid syntax"), Note(None, "numbered from the top")))


def but(**changes: Any) -> Check:
    return dataclasses.replace(CHECK, **changes)


def with_finding(**changes: Any) -> Check:
    return but(findings=(dataclasses.replace(WRONG, **changes),))


TEXT = """\
quiz.ipynb
network   3-3-3-3:sigmoid,sigmoid,softmax, samples in columns, the loss a sum
          One sample.
names     gradient_w3 ∇W₃   gradient_b3 ∇b₃   loss        𝓛

error 1 of 1: In [2], line 2  wrong_name
    gradient_b3 = gradient_w3
                  ^^^^^^^^^^^
  `gradient_w3` stands where `gradient_a3` belongs
  should be: gradient_b3 = gradient_a3
  derived:   ∇b₃ = ∇a₃ 1
  breaks:    ⟨G, A M B⟩ = ⟨Aᵀ G Bᵀ, M⟩ [8]

wrong only because of an earlier line
  b3 (In [3], line 2), y_hat (In [4], line 1), loss (line 2)

warning 1 of 1: In [4], line 2  broadcast
    loss = -np.sum(y * np.log(y_hat))
                   ^^^^^^^^^^^^^^^^^
  (3, 1) and (3,) are broadcast to (3, 3)

notes
  In [5], line 1: the cell was not read: invalid syntax
  numbered from the top

numbers
  loss (In [4], line 2): 6.590823679375906 as the code has it,
    0.07253330081047048 right

1 error, 1 warning; 1 line right, 3 follow, 1 unknown
"""


def test_text_is_as_it_should_look() -> None:
    assert to_text(CHECK) == TEXT


def test_nothing_wrong_and_nothing_known() -> None:
    text = to_text(Check("s.py", ("x = 1\n",), False))
    assert text == ("s.py\nnetwork   none was recognised; name it with --arch\n\n"
                    "nothing wrong; 0 lines right\n")


@pytest.mark.parametrize(("source", "column", "end", "under"), [
    ("    b = c", 8, 9, "    ^"), ("\tb = c", 5, 6, "    ^"), ("  損 = c", 6, 7, "     ^"),
    ("  b = 損失 @ c", 6, 8, "    ^^^^"), ("    b = c", 0, 0, "~~~~~"), ("b = 'e\u0301' + c", 11, 12, "          ^"),
])
def test_carets_stand_under_their_characters(source: str, column: int, end: int, under: str) -> None:
    check = but(cells=(source,), notebook=False, findings=(dataclasses.replace(
        WRONG, source=source.strip(), place=Place(None, 1, column, end)),))
    rows = to_text(check).split("\n")
    at = rows.index("    " + source.strip().replace("\t", "    "))
    assert rows[at + 1] == "    " + under


def test_caret_of_the_second_line_of_a_statement() -> None:
    cell = "if x:\n    b = (a @\n         c)"
    check = but(cells=(cell,), notebook=False, findings=(dataclasses.replace(
        WRONG, source="b = (a @\n     c)", place=Place(None, 3, 9, 10)),))
    assert "    b = (a @\n         c)\n         ^\n" in to_text(check)


def test_long_lines_are_folded_and_lose_nothing() -> None:
    source = "loss = " + " + ".join(f"損失_{i} * weight_{i}" for i in range(40))
    start = source.index("損失_30")
    check = but(cells=(source,), notebook=False, mapping={"n" * 100: "grad_b3", "b": "b1"}, findings=(
        dataclasses.replace(WRONG, source=source, place=Place(None, 1, start, start + 5), message="word " * 60,
                            correction="x" * 200),))
    text = to_text(check)
    rows = text.split("\n")
    assert max(map(cell_len, rows)) <= 80
    assert source.replace(" ", "") in re.sub(r"\^|\s", "", text)
    (above, carets), = [(a, b) for a, b in pairwise(rows) if b.strip() and set(b.strip()) == {"^"}]
    assert len(carets.strip()) == 7
    assert cell_len(above[:above.index("損失_30")]) == carets.index("^")


def test_colours_change_no_character() -> None:
    text = coloured(CHECK)
    assert "\n".join(row.rstrip() for row in text.plain.split("\n")) == TEXT.rstrip("\n")
    console = Console(force_terminal=True, color_system="standard", width=80, no_color=False)
    with console.capture() as shown:
        console.print(text)
    assert "\x1b[1;31m" in shown.get()
    plain = Console(width=80)
    with plain.capture() as shown:
        plain.print(text, soft_wrap=True)
    assert "\x1b" not in shown.get()


STEERING = "\x1b[2J\x9b\r\x00\u202e\u2066\ud800"


def test_nothing_steers_the_terminal() -> None:
    evil = f"x{STEERING}"
    check = Check(evil, (evil,), True, Recognised(evil, evil, evil, (evil,)), {evil: evil},
                  (Line(Place(1, 1), evil, evil, "follows"),), (dataclasses.replace(
                      WRONG, place=Place(1, 1, 0, 3), source=evil, message=evil, expected=evil, correction=evil,
                      step=evil),),
                  (Number(Place(1, 1), evil, None, 1.0),), (Note(None, evil),))
    for form in ("text", "html"):
        assert not set(RENDERINGS[form](check)) & set(STEERING.replace("[2J", "")), form
    json.loads(to_json(check).encode())


def test_json_has_the_structure_of_the_issue() -> None:
    data = json.loads(to_json(CHECK))
    assert data["network"] == {"compact": "3-3-3-3:sigmoid,sigmoid,softmax", "samples": "columns", "reduction": "sum",
                               "words": ["One sample."]}
    assert data["mapping"] == {"gradient_w3": "grad_W3", "gradient_b3": "grad_b3", "loss": "loss"}
    assert data["lines"][0] == {"cell": 2, "line": 1, "target": "gradient_w3", "ours": "grad_W3", "verdict": "right",
                                "shape": [3, 3], "term": "gradient_a3*h2'"}
    assert data["findings"][1] == {
        "cell": 2, "line": 2, "column": 14, "end": 25, "source": "gradient_b3 = gradient_w3", "kind": "wrong_name",
        "target": "gradient_b3", "message": WRONG.message, "expected": "∇b₃ = ∇a₃ 1",
        "correction": "gradient_b3 = gradient_a3", "severity": "error", "step": WRONG.step, "also": []}
    assert data["numbers"] == [{"cell": 4, "line": 2, "target": "loss", "theirs": 6.590823679375906,
                                "right": 0.07253330081047048}]
    assert data["notes"] == [{"cell": 5, "line": 1, "message": "the cell was not read: invalid syntax"},
                             {"cell": None, "line": None, "message": "numbered from the top"}]
    assert "∇b₃" in to_json(CHECK)
    assert json.loads(to_json(Check("s.py", ("",), False)))["network"] is None


def test_json_has_words_for_what_it_has_no_numbers_for() -> None:
    values = (float("nan"), float("inf"), -float("inf"), None)
    numbers = tuple(Number(Place(1, 1), "loss", theirs, 1.0) for theirs in values)
    text = to_json(but(numbers=numbers))
    assert "NaN" not in text
    assert [n["theirs"] for n in json.loads(text)["numbers"]] == ["nan", "inf", "-inf", None]
    assert "as the code stands it cannot be computed" in to_text(but(numbers=numbers))


class Page(HTMLParser):
    """Reads a page strictly enough to see that it is whole."""

    VOID = frozenset({"meta"})

    def __init__(self, text: str) -> None:
        super().__init__()
        self.open: list[str] = []
        self.seen: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(text)
        self.close()
        assert not self.open

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.seen.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] != "style":
            self.text += data

    def all(self, tag: str) -> list[dict[str, str | None]]:
        return [attributes for name, attributes in self.seen if name == tag]


SCRIPT = "</code></pre><script>alert('&amp;\"')</script>"


@pytest.mark.parametrize("evil", [SCRIPT, "`" + SCRIPT + "`", "\" onmouseover=x ", "<!--", "]]>", "{{ 7 * 6 }}{% x %}"])
def test_page_escapes_every_field(evil: str) -> None:
    place = Place(1, 1, 0, 9)
    check = Check(evil, (evil, f"x = '{evil}'  # {evil}"), True, Recognised(evil, evil, evil, (evil,)), {evil: evil},
                  (Line(place, evil, evil, "follows", (3,), evil), Line(Place(2, 1), evil, evil, "wrong")),
                  (Finding(place, evil, evil, evil, evil, evil, evil, "error", evil),
                   Finding(Place(2, 1), evil, evil, evil, evil, evil, evil, "warning", evil)),
                  (Number(place, evil, 1.0, 2.0),), (Note(place, evil), Note(None, evil)))
    page, plain = Page(to_html(check)), Page(to_html(CHECK))
    assert {tag for tag, _ in page.seen} <= {tag for tag, _ in plain.seen} | {"code"}
    assert {name for _, attributes in page.seen for name in attributes} <= {
        name for _, attributes in plain.seen for name in attributes}
    assert page.text.count(evil.strip("`").strip()) >= 15


def test_page_has_all_that_is_said_and_asks_for_nothing() -> None:
    text = to_html(CHECK)
    page = Page(text)
    for finding in CHECK.findings:
        assert finding.message.replace("`", "") in page.text
        for words in (finding.expected, finding.correction, finding.step, finding.kind):
            assert words in page.text
    for cell in CHECK.cells:
        for line in cell.rstrip().split("\n"):
            assert line in page.text
    assert "6.590823679375906 as the code has it, 0.07253330081047048 right" in page.text
    assert not page.all("script")
    assert not any({"src", "srcset", "style"} & set(attributes) for _, attributes in page.seen)
    assert not re.search(r"url\(|@import|https?:", text)
    assert "default-src 'none'" in text


def test_links_lead_somewhere_and_headings_are_in_order() -> None:
    for check in (CHECK, with_finding(place=Place(9, 9)), with_finding(place=Place(2, 99)), Check("s.py", ("",), False),
                  but(notebook=False, cells=("a = 1",))):
        page = Page(to_html(check))
        names = [attributes["id"] for _, attributes in page.seen if "id" in attributes]
        assert len(names) == len(set(names))
        assert {str(a["href"]).removeprefix("#") for a in page.all("a")} <= set(names)
        levels = [int(tag[1]) for tag, _ in page.seen if re.fullmatch(r"h\d", tag)]
        assert levels[0] == 1
        assert all(after - before <= 1 for before, after in pairwise(levels))
        assert all(f.message.replace("`", "") in page.text for f in check.findings)
    assert all("scope" in th for th in Page(to_html(CHECK)).all("th"))


def test_verdicts_are_told_without_colour() -> None:
    page = Page(to_html(CHECK))
    for sign, word in (("✓", "right"), ("✗", "wrong"), ("↳", "wrong because of an earlier line"), ("?", "unknown")):
        assert re.search(rf"\d\s*{re.escape(sign)}\s*{word}", page.text)


def luminance(colour: str) -> float:
    """Return the relative luminance of WCAG 2."""
    digits = colour.lstrip("#")
    digits = "".join(d * 2 for d in digits) if len(digits) == 3 else digits
    parts = [int(digits[i:i + 2], 16) / 255 for i in (0, 2, 4)]
    linear = [p / 12.92 if p <= 0.04045 else ((p + 0.055) / 1.055) ** 2.4 for p in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


ON: dict[str, str] = {
    "text": "page code error-back warning-back follows-back mark mark-warning",
    "quiet": "page code error-back warning-back follows-back", "link": "page code",
    "right": "page code error-back warning-back", "error": "page code error-back",
    "warning": "warning-back", "follows": "follows-back",
    **dict.fromkeys(("comment", "keyword", "string", "number"), "code error-back follows-back")}


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
def test_contrast_is_enough_to_read(scheme: int) -> None:
    block = re.findall(r":root \{(.*?)\}", to_html(CHECK), re.DOTALL)[scheme]
    colours = dict(re.findall(r"--([\w-]+): (#\w+);", block))
    poor = {}
    for front, backs in ON.items():
        for back in backs.split():
            light, dark = sorted((luminance(colours[front]), luminance(colours[back])), reverse=True)
            if (ratio := (light + 0.05) / (dark + 0.05)) < 4.5:
                poor[front, back] = round(ratio, 2)
    assert not poor


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_is_shown_in_every_form(kind: str) -> None:
    check = with_finding(kind=kind)
    assert all(kind in render(check) for render in RENDERINGS.values())
