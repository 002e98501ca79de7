"""A derivation as text, LaTeX, Markdown or JSON: four readings of one record."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from symbolic.derivation import Derivation, Gradient
from symbolic.formats.data import as_json
from symbolic.formats.latex import as_latex
from symbolic.formats.markdown import as_markdown
from symbolic.formats.text import as_text

FORMATS: dict[str, Callable[[Derivation, Sequence[Gradient]], str]] = {
    "text": as_text, "latex": as_latex, "markdown": as_markdown, "json": as_json}

__all__ = ["FORMATS", "as_json", "as_latex", "as_markdown", "as_text"]
