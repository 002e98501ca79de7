"""KaTeX as it lies in the vendor folder: its script, its style with the fonts inside, and an engine to run it in."""

from __future__ import annotations

import base64
import json
import re
import threading
from collections.abc import Callable, Collection
from functools import cache
from importlib.resources import files
from importlib.util import find_spec
from typing import cast

_FOLDER = files("gradwright") / "reporting" / "vendor" / "katex"

_OPTIONS = ("output: 'htmlAndMathml', throwOnError: true, "
            "strict: code => code === 'htmlExtension' ? 'ignore' : 'error', "
            "trust: context => context.command === '\\\\htmlClass'")
"""MathML for those who hear the page. Of the commands that write HTML only the one for our own classes is allowed."""

MACROS = r"\def\underbrace#1_#2{\underset{\htmlClass{shape}{#2}}{#1}}"
"""The shape under a factor without a brace, which KaTeX draws as a picture twice as large as the formula."""

_FACE = re.compile(r"@font-face\{[^}]*\}")
_RULE = re.compile(r"([^{}]+)\{([^{}]*)\}")
NOTATION = frozenset({"mathnormal", "mathbf", "mathcal", "delimsizing", "size1", "size2", "size3", "size4", "mult",
                      "delim-size1", "delim-size4", "op-symbol", "small-op", "large-op"})
"""The classes that our notation leads to: for a page whose formulas are set where it is read."""


@cache
def version() -> str:
    """Return the version of the vendored package."""
    return _text("VERSION").split()[1]


@cache
def script() -> str:
    """Return KaTeX itself, to run where the page is read."""
    return _text("katex.min.js")


@cache
def script_start() -> str:
    """Return the lines that set every formula of a page, after `script`."""
    return f"window.gradwrightKatex = {{{_OPTIONS}}};\nwindow.gradwrightMacros = {json.dumps(MACROS)};\n"


def stylesheet(classes: Collection[str]) -> tuple[str, str]:
    """Return the fonts that a page with these classes needs, as data, and the rules of KaTeX's style."""
    css = _text("katex.min.css")
    families = _families(css, classes)

    def inlined(face: re.Match[str]) -> str:
        family, style, weight = (_value(face[0], name) for name in ("font-family", "font-style", "font-weight"))
        source = re.search(r"fonts/([\w-]+\.woff2)", face[0])
        if (family, style, weight) not in families or source is None:
            return ""
        data = base64.b64encode((_FOLDER / "fonts" / source[1]).read_bytes()).decode()
        return (f"@font-face{{font-display:block;font-family:{family};font-style:{style};font-weight:{weight};"
                f'src:url(data:font/woff2;base64,{data}) format("woff2")}}')

    return "".join(map(inlined, _FACE.finditer(css))), _FACE.sub("", css)


def _families(css: str, classes: Collection[str]) -> set[tuple[str, str, str]]:
    """Return family, style and weight of each font that a rule for some of the classes asks for."""
    needed = {("KaTeX_Main", "normal", "400")}
    for selectors, body in _RULE.findall(_FACE.sub("", css)):
        family = _value(body, "font-family")
        if family.startswith("KaTeX_") and any(_met(s, classes) for s in selectors.split(",")):
            needed.add((family, _value(body, "font-style") or "normal", _value(body, "font-weight") or "400"))
    return needed


def _met(selector: str, classes: Collection[str]) -> bool:
    return all(name in classes for name in re.findall(r"\.([\w-]+)", selector) if name != "katex")


def _value(body: str, name: str) -> str:
    found = re.search(rf"(?:^|[;{{]){name}:([^;}}]+)", body)
    return found[1] if found else ""


def engine() -> Callable[[str], str] | None:
    """Return what sets a formula ahead of time, or None where no JavaScript engine is installed.

    It raises ValueError for what KaTeX does not know.
    """
    if not find_spec("quickjs"):
        return None
    if not hasattr(_LOCAL, "render"):
        _LOCAL.render = _started()
    return cast(Callable[[str], str], _LOCAL.render)


_LOCAL = threading.local()
"""Each thread has an engine of its own: QuickJS measures the stack of the one that made it."""


def _started() -> Callable[[str], str]:
    import quickjs  # type: ignore[import-not-found, import-untyped, unused-ignore]

    context = quickjs.Context()
    context.eval(script())
    # As JSON: the binding takes no string that QuickJS has not yet joined from its parts.
    render = context.eval(f"(latex => JSON.stringify(katex.renderToString(latex, {{{_OPTIONS}}})))")

    def rendered(latex: str) -> str:
        try:
            return str(json.loads(render(MACROS + latex)))
        except quickjs.JSException as error:
            raise ValueError(str(error)) from error

    return rendered


@cache
def _text(name: str) -> str:
    return (_FOLDER / name).read_text("utf-8")
