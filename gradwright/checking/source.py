"""Files of code, as text and syntax trees. Nothing of them is ever executed.

Cells are numbered as Jupyter numbers them when it runs a notebook from top to bottom: code cells from 1, where a cell
of nothing but blanks is not run and so not counted; one of comments is. A cell that is no Python keeps its number, with
an empty tree.
"""

from __future__ import annotations

import ast
import io
import json
import tokenize
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from gradwright.checking.facts import Facts, facts_of
from gradwright.checking.findings import Note, Place
from gradwright.checking.magics import cell_magic
from gradwright.checking.parsing import NotPythonError, clean, parsed
from symbolic.errors import InputError

LARGEST = 10_000_000
"""As many bytes are read of a file."""

SCRIPTS, NOTEBOOKS = (".py", ".pyw", ".ipy"), (".ipynb",)


@dataclass(frozen=True)
class Cell:
    r"""A code cell, or a script.

    Attributes:
        number: As in ``In [n]``; None of a script.
        text: As the author wrote it, with ``\n`` between lines, which are the lines of ``tree``.
        tree: Empty where the cell could not be read.
    """

    number: int | None
    text: str
    tree: ast.Module

    def place(self, node: ast.AST) -> Place:
        """Return where a node of the tree begins; its end too where that is on the same line.

        Python counts columns in bytes of UTF-8, a `Place` in characters.
        """
        line, column, end = (getattr(node, a, 0) or 0 for a in ("lineno", "col_offset", "end_col_offset"))
        text = self.line(line).encode()
        if getattr(node, "end_lineno", line) != line:
            end = len(text.rstrip())
        return Place(self.number, line, *(len(text[:n].decode(errors="ignore")) for n in (column, end)))

    def line(self, number: int) -> str:
        """Return a line as it is written; empty where there is none."""
        lines = self.text.split("\n")
        return lines[number - 1] if 0 < number <= len(lines) else ""


@dataclass(frozen=True)
class Source:
    """What is to be checked.

    Attributes:
        name: The file as it was named, or a word.
        cells: One of a script.
        notebook: Whether cells are numbered.
        folder: Where files are that the code loads; None where the code is of no file.
        notes: What was not read.
        assumed: Values for names whose data is not read, by name.
        sizes: What large numbers of the code are read as.
    """

    name: str
    cells: tuple[Cell, ...]
    notebook: bool
    folder: Path | None
    notes: tuple[Note, ...] = ()
    assumed: Mapping[str, Any] = field(default_factory=dict)
    sizes: Mapping[int, int] = field(default_factory=dict)

    @cached_property
    def facts(self) -> Facts:
        """What the text says as a whole."""
        return facts_of(cell.tree for cell in self.cells)


def read_source(path: Path) -> Source:
    """Read a notebook or a script.

    Raises:
        InputError: It cannot be read, or is neither; of a script also where it is no Python.
    """
    content = _content(path)
    folder = path.absolute().parent
    if path.suffix.lower() in NOTEBOOKS:
        return source_of_notebook(content, str(path), folder)
    return _script(_decoded(path, content), str(path), folder)


def source_of(text: str, name: str = "<source>") -> Source:
    """Return the source of a script that is no file.

    Raises:
        InputError: It is no Python, or too large.
    """
    if len(text) > LARGEST:
        raise InputError(f"{name} has more than {LARGEST} characters")
    return _script(text, name, None)


def source_of_cells(texts: Iterable[str], name: str = "notebook", folder: Path | None = None,
                    keep_blank: bool = False) -> Source:
    """Return the source of a notebook's cells.

    Args:
        texts: The cells in the order in which they are run.
        name: What to call it.
        folder: Where files are that the code loads.
        keep_blank: Whether blank texts count, so that others keep the numbers that a running notebook shows.
    """
    cells: list[Cell] = []
    notes: list[Note] = []
    for text in map(clean, texts):
        if text.strip() or keep_blank:
            cell, said = _cell(len(cells) + 1, text)
            cells.append(cell)
            notes += said
    return Source(name, tuple(cells), True, folder, tuple(notes))


def source_of_notebook(content: bytes, name: str, folder: Path | None = None) -> Source:
    """Return the source of a notebook's file.

    Raises:
        InputError: It is no notebook, has no code, or is in another language than Python.
    """
    try:
        data = json.loads(content.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        raise InputError(f"{name} is not UTF-8 at byte {error.start + 1}") from error
    except json.JSONDecodeError as error:
        raise InputError(f"{name} is no notebook: not JSON at line {error.lineno}, {error.msg}") from error
    except (RecursionError, ValueError) as error:
        raise InputError(f"{name} is no notebook: its JSON is nested too deeply or has a number too long") from error
    written = _cells(data, name)
    if language := _other_language(data, written):
        raise InputError(f"{name} is a notebook in {language}; only Python can be checked")
    texts, counts, notes = [], [], []
    for position, cell in enumerate(written, start=1):
        source = cell.get("source", cell.get("input", ""))
        if isinstance(source, list) and all(isinstance(s, str) for s in source):
            source = "".join(source)
        if not isinstance(source, str):
            notes.append(Note(None, f"code cell {position} of the file has no text, and was left out"))
        elif source.strip():
            texts.append(source)
            counts.append(cell.get("execution_count", cell.get("prompt_number")))
    if not texts:
        raise InputError(f"{name} has no cell with code")
    read = source_of_cells(texts, name, folder)
    return Source(name, read.cells, True, folder, (*notes, *_counted_anew(counts), *read.notes))


def _content(path: Path) -> bytes:
    try:
        if path.is_dir():
            raise InputError(f"expected a notebook or a script, {path} is a directory")
        if path.suffix.lower() not in (*SCRIPTS, *NOTEBOOKS):
            if not path.exists():
                raise InputError(f"cannot read {path}: No such file or directory")
            raise InputError(f"expected a notebook (.ipynb) or a script (.py), got {path}")
        with path.open("rb") as file:
            content = file.read(LARGEST + 1)
    except OSError as error:
        raise InputError(f"cannot read {path}: {error.strerror or error}") from error
    except ValueError as error:  # a null character in the name
        raise InputError(f"cannot read {str(path)!r}: {error}") from error
    if len(content) > LARGEST:
        raise InputError(f"{path} has more than {LARGEST} bytes")
    return content


def _decoded(path: Path, content: bytes) -> str:
    """Return a script's text in the encoding that its byte order mark or its first two lines name."""
    try:
        encoding, _ = tokenize.detect_encoding(io.BytesIO(content).readline)
    except SyntaxError as error:
        raise InputError(f"cannot read {path}: {error.msg}") from error
    try:
        return content.decode(encoding)
    except UnicodeDecodeError as error:
        name = "UTF-8" if encoding.startswith("utf-8") else encoding
        raise InputError(f"{path} is not {name} at byte {error.start + 1}") from error
    except (LookupError, ValueError) as error:
        raise InputError(f"cannot read {path}: {error}") from error


def _script(text: str, name: str, folder: Path | None) -> Source:
    text = clean(text)
    try:
        tree, replaced = parsed(text)
    except NotPythonError as error:
        raise InputError(f"{name} is no Python, line {error.line}: {error.reason}") from error
    notes = tuple(Note(Place(None, line), message) for line, message in replaced)
    return Source(name, (Cell(None, text, tree),), False, folder, notes)


def _cells(data: Any, name: str) -> list[dict[str, Any]]:
    """Return the code cells; notebooks of the third format have theirs in worksheets."""
    if not isinstance(data, dict) or not ("cells" in data or "worksheets" in data):
        raise InputError(f"{name} is JSON, but no notebook: it has no \"cells\"")
    sheets = [data] if "cells" in data else data["worksheets"]
    lists = [s.get("cells") if isinstance(s, dict) else None for s in (sheets if isinstance(sheets, list) else [None])]
    if not all(isinstance(cells, list) for cells in lists):
        raise InputError(f"{name} is JSON, but no notebook: its \"cells\" are no list")
    found = [cell for cells in lists for cell in cells or [] if isinstance(cell, dict)]
    return [cell for cell in found if cell.get("cell_type") == "code"]


def _other_language(data: dict[str, Any], cells: Sequence[dict[str, Any]]) -> str:
    """Return the language of the kernel where it is not Python; what names none is taken for Python."""
    described = data.get("metadata")
    words = []
    if isinstance(described, dict):
        for key, word in (("kernelspec", "language"), ("language_info", "name")):
            part = described.get(key)
            words.append(part.get(word) if isinstance(part, dict) else None)
    words += [cell.get("language") for cell in cells]
    named = [w for w in words if isinstance(w, str) and w]
    return next((w for w in named[:1] if "python" not in w.lower()), "")


def _counted_anew(counts: Sequence[Any]) -> tuple[Note, ...]:
    """Say so where the file shows other numbers, as it does when cells were run twice or out of order."""
    other = next(((c, n) for n, c in enumerate(counts, start=1) if isinstance(c, int) and c != n), None)
    if other is None:
        return ()
    return (Note(None, f"cells are numbered from the top, as after Restart & Run All: what the file has as "
                       f"In [{other[0]}] is In [{other[1]}] here"),)


def _cell(number: int, text: str) -> tuple[Cell, list[Note]]:
    python, replaced = cell_magic(text)
    notes = [Note(Place(number, r.line), r.message) for r in replaced]
    if python is None:
        return Cell(number, text, ast.Module([], [])), notes
    try:
        tree, lines = parsed(python)
    except NotPythonError as error:
        reason = f"the cell was not read: {error.reason}"
        return Cell(number, text, ast.Module([], [])), [*notes, Note(Place(number, error.line), reason)]
    return Cell(number, text, tree), [*notes, *(Note(Place(number, line), message) for line, message in lines)]
