"""Templates of pages: what they show is escaped unless it was made as HTML."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Any

import jinja2


def render(template: str, **words: Any) -> str:
    """Return the text of a template, with everything in it escaped that is not markup."""
    text = environment().get_template(template).render(**words)
    return text.encode("utf-8", "replace").decode()  # half a surrogate pair is no character


def static(name: str) -> str:
    """Return the text of a file beside the templates: the style or the script of a page."""
    return (files("gradwright") / "reporting" / "static" / name).read_text("utf-8")


@cache
def environment() -> jinja2.Environment:
    """Return the templates' environment."""
    return jinja2.Environment(
        loader=jinja2.PackageLoader("gradwright", "reporting/templates"), undefined=jinja2.StrictUndefined,
        trim_blocks=True, lstrip_blocks=True, autoescape=True)
