"""A check for a terminal: plain text of 80 columns, or the same with colours."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.cells import cell_len
from rich.text import Text

from gradwright.checking.findings import Check, Finding, Line
from gradwright.checking.rendering.parts import (
    conventions,
    errors_and_warnings,
    printable,
    shown_name,
    source_line,
    summary,
    value,
    where,
)

WIDTH, INDENT = 80, "  "
_TAB = "    "
_STYLES = {"error": "bold red", "warning": "bold yellow"}

_Row = list[tuple[str, str]]
"""A line of output: pieces with the names of their styles."""


def to_text(check: Check) -> str:
    """Return what was found as plain text."""
    return "".join("".join(piece for piece, _ in row).rstrip() + "\n" for row in _rows(check, WIDTH))


def coloured(check: Check, width: int = WIDTH) -> Text:
    """Return the same for rich, whose console drops the colours where NO_COLOR is set or no terminal is."""
    rows = [Text.assemble(*row) for row in _rows(check, max(width, 40))]
    return Text("\n").join(rows)


def _rows(check: Check, width: int) -> Iterator[_Row]:
    errors, warnings = errors_and_warnings(check)
    yield from _head(check, width)
    for number, finding in enumerate(errors, start=1):
        yield from _finding(check, finding, f"error {number} of {len(errors)}", width)
    if follows := [line for line in check.lines if line.verdict == "follows"]:
        yield []
        yield [("wrong only because of an earlier line", "bold")]
        yield from _paragraph(", ".join(_listed(follows)), width, INDENT)
    for number, finding in enumerate(warnings, start=1):
        yield from _finding(check, finding, f"warning {number} of {len(warnings)}", width)
    if check.notes:
        yield []
        yield [("notes", "bold")]
        for note in check.notes:
            place = f"{where(note.place)}: " if note.place else ""
            yield from _paragraph(place + note.message, width, INDENT, hanging=INDENT)
    if check.numbers:
        yield []
        yield [("numbers", "bold")]
        for n in check.numbers:
            yield from _paragraph(f"{n.target} ({where(n.place)}): {value(n)}", width, INDENT, hanging=INDENT)
    yield []
    yield from _paragraph(summary(check), width, "", style="bold red" if errors else "bold")


def _head(check: Check, width: int) -> Iterator[_Row]:
    yield from _paragraph(check.name, width, "", style="bold")
    network = check.network
    if network is None:
        yield from _labelled("network", "none was recognised; name it with --arch", width)
    else:
        yield from _labelled("network", f"{network.compact}, {conventions(network)}", width)
        for words in network.words:
            yield from _labelled("", words, width)
    if check.mapping:
        yield from _mapping([(theirs, shown_name(ours)) for theirs, ours in check.mapping.items()], width)


def _mapping(pairs: Sequence[tuple[str, str]], width: int) -> Iterator[_Row]:
    """Yield the names in as many columns as fit, read downwards."""
    pairs = [(printable(theirs), printable(ours)) for theirs, ours in pairs]
    left, right = (max(cell_len(pair[i]) for pair in pairs) for i in (0, 1))
    label = "names".ljust(10)
    if left + right + 1 > width - len(label):
        for i, (theirs, ours) in enumerate(pairs):
            yield from _labelled(label if i == 0 else "", f"{theirs} {ours}", width)
        return
    columns = max(1, (width - len(label) + 3) // (left + right + 4))
    height = -(-len(pairs) // columns)
    for i in range(height):
        cells = "   ".join(f"{_padded(theirs, left)} {_padded(ours, right)}" for theirs, ours in pairs[i::height])
        yield [(label if i == 0 else " " * len(label), "dim"), (cells, "")]


def _finding(check: Check, finding: Finding, title: str, width: int) -> Iterator[_Row]:
    yield []
    yield [(f"{title}: ", _STYLES.get(finding.severity, "")), (where(finding.place), "bold"),
           (f"  {finding.kind}", "dim")]
    written = source_line(check, finding.place)
    lines = finding.source.split("\n") if finding.source else [written.strip()]
    marked = next((i for i, line in enumerate(lines) if line.strip() == written.strip()), 0)
    for i, line in enumerate(lines):
        start, end = finding.place.column, finding.place.end
        if i != marked:
            start = end = -1
        elif end > start:
            shift = _indentation(line) - _indentation(written)
            start, end = max(0, start + shift), max(0, end + shift)
        else:
            start, end = _indentation(line), len(line.rstrip())
        caret = "^" if finding.place.end > finding.place.column else "~"
        yield from _underlined(line, start, end, caret, width, _STYLES.get(finding.severity, ""))
    yield from _paragraph(finding.message, width, INDENT)
    for label, text, style in (("should be:", finding.correction, "green"), ("derived:", finding.expected, ""),
                               ("breaks:", finding.step, "")):
        for i, line in enumerate(text.split("\n") if text else ()):
            yield from _labelled(INDENT + label if i == 0 else "", line, width, style, margin=13)


def _underlined(line: str, start: int, end: int, caret: str, width: int, style: str) -> Iterator[_Row]:
    """Yield a line of code, folded where it is too long, with carets under the characters from ``start`` to ``end``."""
    margin = INDENT * 2
    pieces = [(_TAB if c == "\t" else printable(c), start <= i < end) for i, c in enumerate(line)]
    while True:
        count = _fitting([piece for piece, _ in pieces], width - len(margin))
        folded, pieces = pieces[:count], pieces[count:]
        yield [(margin + "".join(piece for piece, _ in folded), "")]
        under = "".join((caret if marked else " ") * cell_len(piece) for piece, marked in folded).rstrip()
        if under:
            yield [(margin + under, style)]
        if not pieces:
            return


def _fitting(pieces: Sequence[str], width: int) -> int:
    """Return how many pieces fit, up to the last blank where one is in the second half; at least one."""
    used = count = 0
    while count < len(pieces) and used + cell_len(pieces[count]) <= width:
        used += cell_len(pieces[count])
        count += 1
    if count < len(pieces):
        blank = next((i + 1 for i in reversed(range(count // 2, count)) if pieces[i].isspace()), count)
        return max(1, blank)
    return count


def _labelled(label: str, text: str, width: int, style: str = "", margin: int = 10) -> Iterator[_Row]:
    first = True
    for row in _wrapped(printable(text), width - margin):
        yield [(label.ljust(margin) if first else " " * margin, "dim"), (row, style)]
        first = False


def _paragraph(text: str, width: int, indent: str, hanging: str = "", style: str = "") -> Iterator[_Row]:
    rows = _wrapped(printable(text), width - len(indent) - len(hanging))
    for i, row in enumerate(rows):
        yield [(indent + (hanging if i else "") + row, style)]


def _wrapped(text: str, width: int) -> Iterator[str]:
    """Yield the lines of a text; a line keeps its indentation, and a word too long for one is cut."""
    for line in text.replace("\t", _TAB).split("\n"):
        rest = line.rstrip()
        while True:
            count = _fitting(rest, width)
            yield rest[:count].rstrip()
            rest = rest[count:].lstrip()
            if not rest:
                break


def _listed(lines: Sequence[Line]) -> Iterator[str]:
    """Yield the places, those of a cell together, with what is assigned."""
    before: int | None = None
    for line in lines:
        place, number = where(line.place), line.place.cell
        yield f"{line.target} ({place if number is None or number != before else f'line {line.place.line}'})"
        before = number


def _indentation(line: str) -> int:
    return len(line) - len(line.lstrip())


def _padded(text: str, width: int) -> str:
    return text + " " * (width - cell_len(text))
