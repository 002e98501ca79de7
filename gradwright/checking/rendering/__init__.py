"""A check as text, JSON or a page."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from gradwright.checking.findings import Check
from gradwright.checking.rendering.data import to_json
from gradwright.checking.rendering.html import to_html
from gradwright.checking.rendering.text import coloured, to_text

__all__ = ["RENDERINGS", "coloured", "to_html", "to_json", "to_text"]

RENDERINGS: Mapping[str, Callable[[Check], str]] = {"text": to_text, "json": to_json, "html": to_html}
"""Each format, and what writes it."""
