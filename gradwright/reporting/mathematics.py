"""Formulas on a page: set by KaTeX ahead of time where an engine is installed, otherwise where the page is read."""

from __future__ import annotations

import re

from markupsafe import Markup, escape

from gradwright.reporting import katex
from gradwright.reporting.compacting import Compaction


class Mathematics:
    """The formulas of one page; remembers what they need of the style.

    Without an engine a formula stands as Unicode text, which reads without JavaScript, until the page's script
    sets it.

    Args:
        ahead: Whether to set formulas now. By default where quickjs is installed.
        compact: Whether KaTeX's classes get short names, and its style attributes become classes: a third less to
            load. Fragments that are put into a page later keep them.
    """

    def __init__(self, ahead: bool | None = None, compact: bool = True) -> None:
        self._engine = katex.engine() if ahead is not False else None
        self._compaction = Compaction() if compact else None
        self._known: dict[str, Markup] = {}
        self._classes: set[str] = set()

    @property
    def ahead(self) -> bool:
        """Whether formulas are set ahead of time."""
        return self._engine is not None

    def show(self, latex: str, text: str) -> Markup:
        """Return a formula as HTML; ``text`` is what stands there where it cannot be set."""
        if latex not in self._known:
            self._known[latex] = self._set(latex, text)
        return self._known[latex]

    def stylesheet(self) -> str:
        """Return KaTeX's style with the fonts that the formulas shown so far use."""
        fonts, rules = katex.stylesheet(self._classes if self.ahead else katex.NOTATION)
        return fonts + (self._compaction.stylesheet(rules) if self._compaction and self.ahead else rules)

    def script(self) -> str:
        """Return what the page needs to set formulas itself: nothing where they are set."""
        return "" if self.ahead else katex.script() + "\n" + katex.script_start()

    def _set(self, latex: str, text: str) -> Markup:
        if self._engine is None:
            return Markup('<span class="tex" data-tex="{}">{}</span>').format(latex, text)
        try:
            html = self._engine(latex)
        except ValueError:
            return Markup('<span class="unset">{}</span>').format(escape(text))
        # Without the source that KaTeX repeats inside: a screen reader passes over it, and it is a tenth of the page.
        html = re.sub(r"<annotation .*?</annotation>", "", html, flags=re.DOTALL)
        for names in re.findall(r'class="([^"]*)"', html):
            self._classes.update(names.split())
        return Markup(self._compaction.markup(html) if self._compaction else html)
