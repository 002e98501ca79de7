"""What is read of notebooks and scripts: every line keeps its number, and what is no Python is named."""

from __future__ import annotations

import ast
import json
import os
from pathlib import Path
from typing import Any

import pytest

from gradwright.checking.findings import Place
from gradwright.checking.parsing import DEEPEST
from gradwright.checking.source import LARGEST, Source, read_source, source_of, source_of_cells
from symbolic.errors import InputError


def notebook(*cells: Any, **more: Any) -> dict[str, Any]:
    """Return a notebook of code cells; a dict stands for itself."""
    return {"cells": [c if isinstance(c, dict) else {"cell_type": "code", "source": c} for c in cells],
            "nbformat": 4, "nbformat_minor": 5, "metadata": {}, **more}


def written(folder: Path, content: Any, name: str = "given.ipynb") -> Path:
    path = folder / name
    if isinstance(content, bytes):
        path.write_bytes(content)
    else:
        path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return path


def said(source: Source) -> list[tuple[int | None, int | None, str]]:
    return [(n.place.cell if n.place else None, n.place.line if n.place else None, n.message) for n in source.notes]


def code(source: Source, index: int = 0) -> str:
    return ast.unparse(source.cells[index].tree)


def test_cells_are_numbered_as_jupyter_does_and_blank_ones_are_not(tmp_path: Path) -> None:
    path = written(tmp_path, notebook("a = 1", {"cell_type": "markdown", "source": "# b"}, "", "  \n",
                                      ["b = 2\n", "c = 3"], "# only a comment",
                                      {"cell_type": "raw", "source": "x"}, "d = 4"))
    source = read_source(path)
    assert [(c.number, c.text) for c in source.cells] == [
        (1, "a = 1"), (2, "b = 2\nc = 3"), (3, "# only a comment"), (4, "d = 4")]
    assert source.notebook
    assert source.folder == tmp_path
    assert source.name == str(path)
    assert source.notes == ()


def test_third_format_has_its_cells_in_worksheets(tmp_path: Path) -> None:
    old = {"nbformat": 3, "metadata": {"name": ""}, "worksheets": [{"cells": [
        {"cell_type": "heading", "level": 1, "source": ["no code"]},
        {"cell_type": "code", "language": "python", "input": ["x = 1\n", "y = 2"], "prompt_number": 1},
        {"cell_type": "code", "language": "python", "input": "z = 3", "prompt_number": 2}]}]}
    assert [c.text for c in read_source(written(tmp_path, old)).cells] == ["x = 1\ny = 2", "z = 3"]


MAGIC = {
    "line magic": ("%matplotlib inline\ny = 2", "pass\ny = 2", [1]),
    "shell": ("x = 1\n!pip install 'don't\ny = 2", "x = 1\npass\ny = 2", [2]),
    "shell, continued": ("!pip install a \\\n  b\ny = 2", "pass\ny = 2", [1]),
    "command": ("pip install numpy\ny = 2", "pass\ny = 2", [1]),
    "help": ("?np\nnp.dot?\nx??\ny = 2", "pass\npass\npass\ny = 2", [1, 2, 3]),
    "only one of a block": ("if x:\n    %timeit f()\ny = 2", "if x:\n    pass\ny = 2", [2]),
    "deep in a block": ("for i in r:\n  if i:\n    !ls\n    a = 1\n  y = 2",
                        "for i in r:\n    if i:\n        pass\n        a = 1\n    y = 2", [3]),
    "assigned": ("files = !ls -l\ny = 2", "files = ...\ny = 2", [1]),
    "timed statement": ("%time x = f(1)\ny = 2", "x = f(1)\ny = 2", [1]),
    "timed expression": ("x = %time f(1)\ny = 2", "x = f(1)\ny = 2", [1]),
    "in a string": ("s = '''\n%no\n!no\n'''\n%who\ny = 2", "s = '\\n%no\\n!no\\n'\npass\ny = 2", [5]),
    "a remainder": ("x = (a\n  % b)\n%who\ny = 2", "x = a % b\npass\ny = 2", [3]),
    "a docstring that asks": ("def f():\n    '''Is it?'''\n%who\ny = 2",
                              "def f():\n    '''Is it?'''\npass\ny = 2".replace("'''", '"""'), [3]),
    "timed cell": ("%%time\nx = 1\ny = 2", "x = 1\ny = 2", [1]),
    "two cell magics": ("\n%%capture out\n%%time\ny = 2", "y = 2", [2, 3]),
    "all indented": ("    x = 1\n    if x:\n        y = 2", "x = 1\nif x:\n    y = 2", []),
}


@pytest.mark.parametrize(("text", "python", "lines"), MAGIC.values(), ids=MAGIC.keys())
def test_magics_leave_the_lines_of_the_rest_as_they_are(text: str, python: str, lines: list[int]) -> None:
    source = source_of_cells([text])
    assert code(source) == python
    assert [line for _, line, _ in said(source)] == lines
    assert source.cells[0].text == text
    last = source.cells[0].tree.body[-1]
    written = text.split("\n")[last.end_lineno - 1]  # type: ignore[operator]
    assert "y = 2" in written
    assert written[:last.end_col_offset].endswith("y = 2")


def test_timed_statement_keeps_its_columns() -> None:
    cell = source_of_cells(["if 1:\n    %time loss = f(a3)\n    !ls"]).cells[0]
    block = cell.tree.body[0]
    assert isinstance(block, ast.If)
    assert isinstance(block.body[0], ast.Assign)
    place = cell.place(block.body[0].value)
    assert cell.line(place.line)[place.column:place.end] == "f(a3)"


@pytest.mark.parametrize("magic", ["bash", "html", "writefile x.py", "javascript", "R -i x"])
def test_cell_of_another_language_keeps_its_number(magic: str) -> None:
    source = source_of_cells(["a = 1", f"%%{magic}\necho 'x", "b = 2"])
    assert [c.number for c in source.cells] == [1, 2, 3]
    assert source.cells[1].tree.body == []
    (cell, line, message), = said(source)
    assert (cell, line) == (2, 1)
    assert f"%%{magic.split()[0]}" in message


def test_a_cell_with_a_syntax_error_does_not_stop_the_others(tmp_path: Path) -> None:
    source = read_source(written(tmp_path, notebook("a = 1", "b = 1\nc = = 3", "d = 4", "x = 1\0", "for i in x:")))
    assert [len(c.tree.body) for c in source.cells] == [1, 0, 1, 0, 0]
    found = said(source)
    assert [(cell, line) for cell, line, _ in found] == [(2, 2), (4, 1), (5, 1)]
    assert "invalid syntax" in found[0][2]
    assert "null character" in found[1][2]
    assert "expected an indented block" in found[2][2]


DEEP = {"parentheses": "x = " + "(" * 5000, "signs": "x = " + "-" * 5000 + "1", "a sum": "x = " + "+".join("1" * 5000),
        "just too deep": "x = " + "-" * DEEPEST + "1"}


@pytest.mark.parametrize("text", DEEP.values(), ids=DEEP.keys())
def test_nested_too_deeply(text: str) -> None:
    source = source_of_cells(["a = 1", text])
    assert [len(c.tree.body) for c in source.cells] == [1, 0]
    assert "nested" in source.notes[0].message
    with pytest.raises(InputError, match=r"no Python, line 1: .*nested"):
        source_of(text)


def test_columns_are_characters_and_not_bytes() -> None:
    cell = source_of("é = 'ŷ₁'; d = é @ b").cells[0]
    last = cell.tree.body[-1]
    assert isinstance(last, ast.Assign)
    assert cell.place(last.value) == Place(None, 1, 14, 19)
    assert cell.line(1)[14:19] == "é @ b"


def test_lines_end_as_python_ends_them(tmp_path: Path) -> None:
    path = written(tmp_path, "a = '\x0c\u2028'\r\nb = 2\rc = = 3\n".encode(), "given.py")
    with pytest.raises(InputError, match="line 3"):
        read_source(path)
    path = written(tmp_path, "a = '\x0c\u2028'\r\nb = 2\rc = 3\n".encode(), "given.py")
    cell = read_source(path).cells[0]
    assert [cell.line(n) for n in (1, 2, 3)] == ["a = '\x0c\u2028'", "b = 2", "c = 3"]
    assert [s.lineno for s in cell.tree.body] == [1, 2, 3]


def test_script_in_another_encoding(tmp_path: Path) -> None:
    text = "# -*- coding: latin-1 -*-\nx = 'é'\n"
    assert read_source(written(tmp_path, text.encode("latin-1"), "given.py")).cells[0].line(2) == "x = 'é'"
    marked = read_source(written(tmp_path, b"\xef\xbb\xbfx = 1\n", "given.py"))
    assert marked.cells[0].text == "x = 1\n"
    assert not marked.notebook
    assert marked.cells[0].number is None
    assert read_source(written(tmp_path, b"\xef\xbb\xbf" + json.dumps(notebook("x")).encode())).cells[0].text == "x"


def test_percent_script_is_a_script() -> None:
    source = source_of("# %%\nx = 1\n# %% [markdown]\n# text\n# %%\ny = 2\n")
    assert len(source.cells) == 1
    assert [s.lineno for s in source.cells[0].tree.body] == [2, 6]


def test_numbers_of_another_run_are_told(tmp_path: Path) -> None:
    cells = [{"cell_type": "code", "source": t, "execution_count": n} for t, n in (("a", 1), ("b", 7), ("c", None))]
    (_, _, message), = said(read_source(written(tmp_path, notebook(*cells))))
    assert "In [7] is In [2] here" in message


def test_half_a_character_is_no_error(tmp_path: Path) -> None:
    text = '{"cells": [{"cell_type": "code", "source": "x = \'\\ud800\\ud83d\\ude00\'"}]}'
    source = read_source(written(tmp_path, text))
    assert source.cells[0].text == "x = '\ufffd😀'"


BAD = {
    "not JSON": ("{", "not JSON at line 1"), "empty": ("", "not JSON"), "a number": ("3", "no notebook"),
    "other JSON": ({"a": 1}, 'no "cells"'), "no cells": (notebook(), "no cell with code"),
    "blank cells": (notebook("", " \n"), "no cell with code"), "cells no list": ({"cells": 3}, "no list"),
    "worksheets no list": ({"worksheets": {}}, "no list"), "worksheet no dict": ({"worksheets": [3]}, "no list"),
    "cells of nothing": ({"cells": [3, None, "x", [1]]}, "no cell with code"),
    "not UTF-8": (b'{"cells": "\xff"}', "not UTF-8 at byte 12"),
    "UTF-16": (json.dumps({}).encode("utf-16"), "not UTF-8"),
    "deep": ("[" * 200_000, "nested too deeply"), "a long number": ("1" * 5000, "number too long"),
    "R": (notebook("x <- 1", metadata={"kernelspec": {"language": "R"}}), "notebook in R; only Python"),
    "Julia": (notebook("x = 1", metadata={"language_info": {"name": "julia"}}), "notebook in julia"),
    "large": (b" " * (LARGEST + 1), f"more than {LARGEST} bytes"),
}


@pytest.mark.parametrize(("content", "message"), BAD.values(), ids=BAD.keys())
def test_bad_notebook_is_refused_in_a_sentence(content: Any, message: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=message.replace("(", r"\(")) as caught:
        read_source(written(tmp_path, content))
    assert "\n" not in str(caught.value)


BAD_SCRIPTS = {
    "syntax": (b"x = 1\nif x\n", "line 2: expected ':'"), "null": (b"x = 1\ny = '\0'\n", "line 2: it holds a null"),
    "not UTF-8": (b"x = '\xff'\n", "not UTF-8 at byte 6|invalid or missing encoding"),
    "unknown encoding": (b"# coding: klingon\n", "klingon"), "no text encoding": (b"# coding: hex\n41\n", "hex"),
    "ascii": (b"# coding: ascii\n\xc3\xa9 = 1\n", "not ascii at byte 17"),
}


@pytest.mark.parametrize(("content", "message"), BAD_SCRIPTS.values(), ids=BAD_SCRIPTS.keys())
def test_bad_script_is_refused_in_a_sentence(content: bytes, message: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=message) as caught:
        read_source(written(tmp_path, content, "given.py"))
    assert "given.py" in str(caught.value)


def test_what_is_no_file_of_code(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="No such file"):
        read_source(tmp_path / "none.py")
    with pytest.raises(InputError, match="No such file"):
        read_source(tmp_path / "none")
    (tmp_path / "folder.py").mkdir()
    with pytest.raises(InputError, match="is a directory"):
        read_source(tmp_path / "folder.py")
    with pytest.raises(InputError, match=r"expected a notebook \(\.ipynb\) or a script"):
        read_source(written(tmp_path, "x", "given.txt"))
    with pytest.raises(InputError, match="null"):
        read_source(Path("a\0b.py"))


@pytest.mark.skipif(os.geteuid() == 0, reason="root reads every file")
def test_unreadable_file(tmp_path: Path) -> None:
    path = written(tmp_path, "x = 1", "given.py")
    path.chmod(0)
    with pytest.raises(InputError, match="Permission denied"):
        read_source(path)


def test_a_cell_without_text_is_named(tmp_path: Path) -> None:
    cells = notebook("a = 1", {"cell_type": "code"}, {"cell_type": "code", "source": 3},
                     {"cell_type": "code", "source": ["x", 3]}, "b = 2")
    source = read_source(written(tmp_path, cells))
    assert [c.text for c in source.cells] == ["a = 1", "b = 2"]
    assert [n.message.split(" of")[0] for n in source.notes] == ["code cell 3", "code cell 4"]


def test_nothing_is_executed_or_warned_of(tmp_path: Path, recwarn: pytest.WarningsRecorder) -> None:
    mark = tmp_path / "mark"
    text = f"open({str(mark)!r}, 'w')\ns = '\\d'\nx = 1 is 1\n"
    source_of(text)
    source_of_cells([text, "!touch " + str(mark), f"%time open({str(mark)!r}, 'w')"])
    assert not mark.exists()
    assert not recwarn.list
