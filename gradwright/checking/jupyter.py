"""``%load_ext gradwright.checking.jupyter``, then ``%gradwright_check``: checks the cells that a notebook has run.

IPython is not imported: it calls `load_ipython_extension`, and shows what a magic returns by its ``_repr_…_`` methods.
"""

from __future__ import annotations

import argparse
import html
import re
import shlex
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NoReturn

from gradwright.checking.findings import Check
from gradwright.checking.rendering import to_html, to_text
from gradwright.checking.source import source_of_cells
from symbolic.errors import InputError

MAGIC = "gradwright_check"
_OURS = re.compile(rf"^\s*%(?:{MAGIC}\b|(?:re)?load_ext\s+gradwright\b).*$", re.MULTILINE)
_HIGHEST = 640
"""Pixels in a notebook; what is longer is scrolled."""


@dataclass(frozen=True)
class Shown:
    """A check as a notebook or a console of IPython displays it."""

    check: Check

    def _repr_html_(self) -> str:
        """Return the page in a frame, so that its style is not the notebook's."""
        # Within a frame like this a bare #place would lead to the notebook's page.
        page = to_html(self.check).replace('href="#', 'href="about:srcdoc#')
        lines = sum(cell.count("\n") + 3 for cell in self.check.cells) + 6 * len(self.check.findings)
        return (f'<iframe title="gradwright check" sandbox srcdoc="{html.escape(page)}" '
                f'style="width: 100%; height: {min(_HIGHEST, 240 + 24 * lines)}px; border: 0"></iframe>')

    def __repr__(self) -> str:
        return to_text(self.check)


class _Runs:
    """Remembers which of the notebook's cells each run was of, where Jupyter tells it."""

    def __init__(self, shell: Any) -> None:
        self.shell, self.numbers = shell, dict[str, list[int]]()

    def begins(self, info: Any = None) -> None:
        """Note the run that is about to begin."""
        cell = getattr(info, "cell_id", None)
        if cell and getattr(info, "store_history", True):
            self.numbers.setdefault(cell, []).append(self.shell.execution_count)

    def superseded(self) -> set[int]:
        """Return the runs after which the same cell was run again."""
        return {number for runs in self.numbers.values() for number in runs[:-1] if number != runs[-1]}


class _Parser(argparse.ArgumentParser):
    def error(self, message: str) -> NoReturn:
        raise InputError(f"%{MAGIC}: {message}")


def load_ipython_extension(ipython: Any) -> None:
    """Give a shell of IPython the line magic ``%gradwright_check [--arch ARCH] [--map theirs=ours]…``."""
    runs = _Runs(ipython)
    if events := getattr(ipython, "events", None):
        events.register("pre_run_cell", runs.begins)

    def magic(line: str) -> Shown | None:
        try:
            return Shown(check_cells(ipython, line, runs.superseded()))
        except InputError as error:
            print(" ".join(str(error).split()))
            return None

    magic.__doc__ = check_cells.__doc__
    ipython.register_magic_function(magic, "line", MAGIC)


def check_cells(ipython: Any, line: str = "", superseded: set[int] | None = None) -> Check:
    """Check the cells that were run so far.

    ``%gradwright_check [--arch ARCH] [--map theirs=ours]…``. Of a cell that was run again only the last run counts, as
    far as Jupyter tells which cell it was: run the cells below an edited one again too, or Restart & Run All.

    Raises:
        InputError: Wrong options, or nothing was run so far.
    """
    from gradwright.checking.checker import check_source
    from symbolic.architecture import read_architecture

    parser = _Parser(prog=f"%{MAGIC}", add_help=False, allow_abbrev=False, exit_on_error=False)
    parser.add_argument("--arch", metavar="ARCH")
    parser.add_argument("--map", action="append", default=[], metavar="THEIRS=OURS")
    try:
        options = parser.parse_args(shlex.split(line))
    except (argparse.ArgumentError, ValueError) as error:
        raise InputError(f"%{MAGIC}: {error}") from error
    texts = ["" if n in (superseded or ()) else _OURS.sub("", text)
             for n, text in enumerate(_history(ipython)[1:], start=1)]
    if not any(text.strip() for text in texts):
        raise InputError(f"%{MAGIC}: no cell was run so far")
    source = source_of_cells(texts, "this notebook", Path.cwd(), keep_blank=True)
    network = read_architecture(options.arch) if options.arch else None
    return check_source(source, network=network, mapping=dict(map(_pair, options.map)))


def _history(ipython: Any) -> list[str]:
    """Return the inputs by their numbers, as they were typed; ``In`` has what IPython made of their magics."""
    raw = getattr(getattr(ipython, "history_manager", None), "input_hist_raw", None)
    return [str(text) for text in (raw or ipython.user_ns.get("In", [""]))]


def _pair(text: str) -> tuple[str, str]:
    theirs, equals, ours = text.rpartition("=")
    if not (equals and theirs.strip() and ours.strip()):
        raise InputError(f"%{MAGIC}: expected --map theirs=ours, got {text!r}")
    return theirs.strip(), ours.strip()
