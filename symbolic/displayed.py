"""How values show themselves in a notebook: what Jupyter asks for, by `symbolic.formats.notebook`."""

from __future__ import annotations

from collections.abc import Iterable


class Displayed:
    """A value that a notebook shows as mathematics."""

    def _repr_mimebundle_(self, include: Iterable[str] | None = None,
                          exclude: Iterable[str] | None = None) -> dict[str, str]:
        """Return the value as plain text, LaTeX and HTML, by their media types."""
        from symbolic.formats.notebook import bundle

        found = bundle(self)
        wanted = set(found if include is None else include) - set(exclude or ())
        return {kind: text for kind, text in found.items() if kind in wanted}
