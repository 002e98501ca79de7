"""The line magic, in a shell that only looks like IPython, and in IPython where it is installed."""

from __future__ import annotations

import html
import re
import sys
import types
from collections.abc import Callable
from typing import Any

import pytest

from gradwright.checking import jupyter
from gradwright.checking.findings import Check
from gradwright.checking.jupyter import MAGIC, Shown, load_ipython_extension


class Events:
    def __init__(self) -> None:
        self.called: dict[str, Callable[..., None]] = {}

    def register(self, name: str, function: Callable[..., None]) -> None:
        self.called[name] = function


class Shell:
    """As much of a shell of IPython as an extension sees."""

    def __init__(self) -> None:
        self.user_ns: dict[str, Any] = {"In": [""]}
        self.events, self.magics, self.execution_count = Events(), dict[str, Callable[[str], Any]](), 1

    def register_magic_function(self, function: Callable[[str], Any], kind: str, name: str) -> None:
        assert kind == "line"
        self.magics[name] = function

    def run(self, text: str, cell: str | None = None) -> Any:
        if called := self.events.called.get("pre_run_cell"):
            called(types.SimpleNamespace(cell_id=cell, store_history=True))
        self.user_ns["In"].append(text)
        self.execution_count += 1
        *_, last = text.split("\n")
        return self.magics[MAGIC](last.removeprefix(f"%{MAGIC}")) if last.startswith(f"%{MAGIC}") else None


@pytest.fixture
def calls(monkeypatch: pytest.MonkeyPatch) -> list[dict[str, Any]]:
    """Stand in for the checker, and keep what it was asked."""
    asked: list[dict[str, Any]] = []

    def check_source(source: Any, **options: Any) -> Check:
        asked.append({"source": source, **options})
        return Check(source.name, tuple(c.text for c in source.cells), True)

    checker = types.ModuleType("gradwright.checking.checker")
    vars(checker).update(check_source=check_source)
    monkeypatch.setitem(sys.modules, "gradwright.checking.checker", checker)
    return asked


@pytest.fixture
def shell() -> Shell:
    made = Shell()
    load_ipython_extension(made)
    return made


def test_cells_keep_their_numbers_without_ours(shell: Shell, calls: list[dict[str, Any]]) -> None:
    for text in ("%load_ext gradwright.checking.jupyter", "a = 1", "%matplotlib inline\nb = 2"):
        shell.run(text)
    shown = shell.run(f"c = 3\n%{MAGIC}")
    assert isinstance(shown, Shown)
    source = calls[0]["source"]
    assert [(c.number, c.text.strip()) for c in source.cells] == [
        (1, ""), (2, "a = 1"), (3, "%matplotlib inline\nb = 2"), (4, "c = 3")]
    assert [(n.place.cell, n.place.line) for n in source.notes] == [(3, 1)]
    assert calls[0]["network"] is None
    assert calls[0]["mapping"] == {}


def test_options(shell: Shell, calls: list[dict[str, Any]]) -> None:
    shell.run("a = 1")
    shell.run(f"%{MAGIC} --arch 3-2:softmax --map V=W1 --map 'dW[\"1\"]=grad_W1'")
    assert calls[0]["mapping"] == {"V": "W1", 'dW["1"]': "grad_W1"}
    assert calls[0]["network"].layers[0].activation == "softmax"


@pytest.mark.parametrize("line", ["--map V", "--map =W1", "--nonsense", "extra", "--arch", "--arch 3-", "--map 'V=W1"])
def test_wrong_options_are_a_line_and_no_trace(line: str, shell: Shell, calls: list[dict[str, Any]],
                                               capsys: pytest.CaptureFixture[str]) -> None:
    shell.run("a = 1")
    assert shell.run(f"%{MAGIC} {line}") is None
    assert not calls
    out = capsys.readouterr().out
    assert out.count("\n") == 1
    assert len(out) > 10


def test_nothing_was_run(shell: Shell, calls: list[dict[str, Any]], capsys: pytest.CaptureFixture[str]) -> None:
    assert shell.run(f"%{MAGIC}") is None
    assert "no cell was run" in capsys.readouterr().out


def test_of_a_cell_run_again_only_the_last_run_counts(shell: Shell, calls: list[dict[str, Any]]) -> None:
    for text, cell in (("a = 1", "first"), ("b = 0", "second"), ("b = 2", "second"), ("c = 3", None), ("c = 3", None)):
        shell.run(text, cell)
    shell.run(f"%{MAGIC}", "last")
    assert [c.text for c in calls[0]["source"].cells] == ["a = 1", "", "b = 2", "c = 3", "c = 3", ""]


def test_shown_page_is_framed_and_its_links_stay_in_it() -> None:
    check = Check("n", ("x = '</iframe>\"'", ""), True)
    frame = Shown(check)._repr_html_()
    assert frame.count("<iframe") == frame.count("</iframe>") == 1
    (page,) = re.findall(r'srcdoc="([^"]*)"', frame)
    assert html.unescape(page).startswith("<!DOCTYPE html>")
    assert 'href="#' not in html.unescape(page)
    assert repr(Shown(check)).startswith("n\nnetwork")


def test_in_ipython(calls: list[dict[str, Any]]) -> None:
    interactive = pytest.importorskip("IPython.core.interactiveshell")
    shell = interactive.InteractiveShell.instance()
    try:
        for text in (f"%load_ext {jupyter.__name__}", "a = 1\n%who_ls", "!true", f"%{MAGIC} --map a=W1"):
            result = shell.run_cell(text, store_history=True)
            assert result.success
        assert isinstance(result.result, Shown)
        assert [c.text for c in calls[0]["source"].cells] == ["", "a = 1\n%who_ls", "!true", ""]
        assert calls[0]["mapping"] == {"a": "W1"}
    finally:
        interactive.InteractiveShell.clear_instance()
