"""A check as one page that stands alone: the source with its findings below the lines, no script, no request."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import groupby

import jinja2
from markupsafe import Markup, escape

from gradwright.checking.findings import Check, Finding, Line, Note, Place, Verdict
from gradwright.checking.rendering.parts import (
    GRAVITY,
    conventions,
    errors_and_warnings,
    printable,
    shown_name,
    summary,
    value,
    where,
)

_MARKS: Mapping[Verdict | None, tuple[str, str]] = {
    "right": ("✓", "right"), "wrong": ("✗", "wrong"), "follows": ("↳", "wrong because of an earlier line"),
    "unknown": ("?", "unknown"), None: ("", "")}
"""The sign of each verdict, and the word for those who hear the page."""


@dataclass(frozen=True)
class _Piece:
    """Characters of a line that look alike."""

    text: str
    style: str
    marked: bool


@dataclass(frozen=True)
class _SourceLine:
    """A line of the source with all that is said of it."""

    number: int
    pieces: tuple[_Piece, ...]
    verdict: str
    sign: str
    word: str
    quantities: str
    findings: tuple[tuple[int, Finding], ...]
    notes: tuple[Note, ...]


def to_html(check: Check) -> str:
    """Return what was found as a page."""
    errors, warnings = errors_and_warnings(check)
    found = tuple(enumerate((*errors, *warnings), start=1))
    cells = [(number, _lines(check, number, text, found)) for number, text in _numbered(check) if text.strip()]
    shown = [(cell, line) for cell, lines in cells for line in lines]
    text = _environment().get_template("check.html.jinja").render(
        check=check, errors=found[:len(errors)], warnings=found[len(errors):], cells=cells, summary=summary(check),
        follows=[line for line in check.lines if line.verdict == "follows"], columns=_columns(check.mapping),
        conventions=check.network and conventions(check.network), where=where, anchor=_anchor, value=value,
        anchors={_anchor(Place(cell, line.number)) for cell, line in shown},
        placed={number for _, line in shown for number, _ in line.findings})
    return text.encode("utf-8", "replace").decode()


def _numbered(check: Check) -> Iterator[tuple[int | None, str]]:
    for number, text in enumerate(check.cells, start=1):
        yield number if check.notebook else None, text


@cache
def _environment() -> jinja2.Environment:
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("gradwright", "checking/templates"), undefined=jinja2.StrictUndefined,
        keep_trailing_newline=True, trim_blocks=True, lstrip_blocks=True, autoescape=True)
    environment.filters.update(printable=printable, shown_name=shown_name, worded=_worded)
    return environment


def _worded(text: str) -> Markup:
    """Return a sentence in which what stands between backticks is code."""
    parts = printable(text).split("`")
    if len(parts) % 2 == 0:
        return escape("`".join(parts))
    return Markup("").join(Markup("<code>{}</code>").format(part) if i % 2 else escape(part)
                           for i, part in enumerate(parts))


def _columns(mapping: Mapping[str, str]) -> list[list[tuple[str, str]]]:
    """Return the names in at most three parts, which stand beside each other where there is room."""
    pairs = list(mapping.items())
    height = max(4, -(-len(pairs) // 3))
    return [pairs[i:i + height] for i in range(0, len(pairs), height)]


def _anchor(place: Place) -> str:
    return f"line-{place.line}" if place.cell is None else f"in-{place.cell}-line-{place.line}"


def _lines(check: Check, cell: int | None, text: str, found: Sequence[tuple[int, Finding]]) -> list[_SourceLine]:
    lines, here = text.split("\n"), [line for line in check.lines if line.place.cell == cell]
    while len(lines) > 1 and not lines[-1].strip():
        lines.pop()
    assigned = {k: list(g) for k, g in groupby(sorted(here, key=_row), key=_row)}
    styles = _styles(text)
    said = []
    for number, line in enumerate(lines, start=1):
        place = (cell, number)
        findings = tuple((i, f) for i, f in found if _at(f.place) == place)
        verdict = max((a.verdict for a in assigned.get(number, ())), key=GRAVITY.__getitem__, default=None)
        sign, word = _MARKS[verdict]
        said.append(_SourceLine(
            number, tuple(_pieces(line, next(styles), [f.place for _, f in findings])), verdict or "", sign, word,
            ", ".join(_quantity(a) for a in assigned.get(number, ()) if a.ours),
            findings, tuple(n for n in check.notes if n.place and _at(n.place) == place)))
    return said


def _row(line: Line) -> int:
    return line.place.line


def _at(place: Place) -> tuple[int | None, int]:
    return place.cell, place.line


def _quantity(line: Line) -> str:
    shape = line.shape or ()
    return f"{shown_name(line.ours)} {'×'.join(map(str, shape)) if len(shape) != 1 else f'({shape[0]},)'}".rstrip()


def _pieces(line: str, styles: Sequence[str], places: Sequence[Place]) -> Iterator[_Piece]:
    """Yield runs of characters of one style; those are marked that a finding is about."""
    marked = [any(p.column <= i < p.end for p in places) for i in range(len(line))]
    for (style, mark), run in groupby(zip(line, styles, marked, strict=True), key=lambda c: (c[1], c[2])):
        yield _Piece(printable("".join(character for character, _, _ in run)), style, mark)


def _styles(text: str) -> Iterator[list[str]]:
    """Yield for each line the style of each of its characters."""
    # rich depends on Pygments.
    from pygments.lexers.python import PythonLexer  # type: ignore[import-untyped]
    from pygments.token import Comment, Keyword, Number, String  # type: ignore[import-untyped]

    kinds = {Comment: "comment", Keyword: "keyword", String: "string", Number: "number"}
    line: list[str] = []
    for _, token, piece in PythonLexer().get_tokens_unprocessed(text):  # which leaves every character in its place
        style = next((name for kind, name in kinds.items() if token in kind), "")
        for character in piece:
            if character == "\n":
                yield line
                line = []
            else:
                line.append(style)
    yield line
