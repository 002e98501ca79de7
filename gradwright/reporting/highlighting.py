"""Python as HTML in which comments, keywords, strings and numbers differ."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import groupby

from markupsafe import Markup, escape


def highlighted(text: str) -> Markup:
    """Return the code, each character in its place, with spans around what has a style."""
    parts = []
    for style, group in groupby(_tokens(text), key=lambda token: token[0]):
        piece = "".join(token for _, token in group)
        parts.append(Markup('<span class="{}">{}</span>').format(style, piece) if style else escape(piece))
    return Markup("").join(parts)


def _tokens(text: str) -> Iterator[tuple[str, str]]:
    # rich depends on Pygments.
    from pygments.lexers.python import PythonLexer  # type: ignore[import-untyped]
    from pygments.token import Comment, Keyword, Name, Number, String  # type: ignore[import-untyped]

    styles = {Comment: "comment", Keyword: "keyword", String: "string", Number: "number", Name.Function: "function"}
    for _, token, piece in PythonLexer().get_tokens_unprocessed(text):  # which leaves every character in its place
        yield next((name for kind, name in styles.items() if token in kind), ""), piece
