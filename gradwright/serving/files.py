"""The files of the page, read once and served by name, so that no request ever names a path."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterator, Mapping
from importlib.util import find_spec
from pathlib import Path

from starlette.requests import Request
from starlette.responses import Response

TYPES = {".html": "text/html; charset=utf-8", ".js": "text/javascript; charset=utf-8",
         ".css": "text/css; charset=utf-8", ".svg": "image/svg+xml", ".woff2": "font/woff2"}
_HERE = Path(__file__).resolve().parent


class Files:
    """The page's files by their paths.

    Attributes:
        contents: Bytes and their type.
    """

    def __init__(self, katex: Path | None = None) -> None:
        self.contents: dict[str, tuple[bytes, str]] = {}
        for path, file in (*_static(), *_mathematics(katex or vendored())):
            self.contents[path] = file.read_bytes(), TYPES[file.suffix]
        self.contents["/"] = self.contents["/index.html"]

    def respond(self, request: Request) -> Response:
        """Return a file, or that the browser has it already."""
        content, kind = self.contents[request.url.path]
        tag = f'"{hashlib.sha256(content).hexdigest()[:20]}"'
        headers = {"etag": tag, "cache-control": "no-cache"}
        if request.headers.get("if-none-match") == tag:
            return Response(status_code=304, headers=headers)
        return Response(content, headers=headers, media_type=kind)


def _static() -> Iterator[tuple[str, Path]]:
    for file in sorted((_HERE / "static").iterdir()):
        if file.suffix in TYPES:
            yield f"/{file.name}", file


def _mathematics(folder: Path | None) -> Iterator[tuple[str, Path]]:
    """Yield KaTeX's program, style and fonts; without them the page shows LaTeX as it is written."""
    if folder is None:
        return
    for name in ("katex.min.js", "katex.min.css"):
        yield f"/katex/{name}", folder / name
    for font in sorted((folder / "fonts").glob("*.woff2")):
        yield f"/katex/fonts/{font.name}", font


def vendored() -> Path | None:
    """Return the folder of the KaTeX that this package carries; None where it carries none."""
    found = find_spec("gradwright.reporting")
    for place in (found.submodule_search_locations or ()) if found else ():
        for file in sorted(Path(place, "vendor").rglob("katex.min.js")):
            if (file.parent / "katex.min.css").is_file():
                return file.parent
    return None


def policy(inline: Mapping[str, str]) -> str:
    """Return the Content-Security-Policy: nothing but our own files, and styles whose text is known.

    Args:
        inline: Pages that are shown in a frame, the check's for one, by a word; their style elements are allowed.
    """
    styles = [style for page in inline.values() for style in re.findall(r"<style>(.*?)</style>", page, re.DOTALL)]
    hashes = sorted({base64.b64encode(hashlib.sha256(s.encode()).digest()).decode() for s in styles})
    return "; ".join((
        "default-src 'none'", "script-src 'self'", " ".join(("style-src 'self'", *(f"'sha256-{h}'" for h in hashes))),
        "font-src 'self'", "img-src 'self' data:", "connect-src 'self'", "form-action 'self'", "frame-src 'self'",
        "base-uri 'none'", "frame-ancestors 'none'"))
