"""Templates: the skeletons of generated files; all decisions are made before."""

from __future__ import annotations

from functools import cache
from typing import Any

import jinja2


def render(template: str, **words: Any) -> str:
    """Return the text of a template of the package."""
    return _environment().get_template(template).render(**words)


@cache
def _environment() -> jinja2.Environment:
    return jinja2.Environment(loader=jinja2.PackageLoader("codegen"), undefined=jinja2.StrictUndefined,
                              keep_trailing_newline=True, autoescape=False)
