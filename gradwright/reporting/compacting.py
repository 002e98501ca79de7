"""KaTeX's markup with fewer letters: half of it are names of classes, which mean something to its style alone."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import count, product
from string import ascii_uppercase

KEPT = ("katex", "katex-html", "katex-mathml", "katex-display", "mathnormal", "shape")
"""Classes that the page's own style and script know."""

_RULE = re.compile(r"([^{}]+)\{([^{}]*)\}")
_CLASS = re.compile(r"\.([A-Za-z_][\w-]*)")  # a number such as .5em begins with a digit


class Compaction:
    """Short names for the classes of one page, in capitals, which no class of the page's own style is written in."""

    def __init__(self) -> None:
        self._names: dict[str, str] = {name: name for name in KEPT}
        self._measures: dict[str, str] = {}
        self._short = _short_names()

    def markup(self, html: str) -> str:
        """Return a formula's markup with short classes, also in place of style attributes."""
        # Namespace and wrapper are for XML and for the annotation; in HTML neither says anything.
        html = re.sub(r"</?semantics>| xmlns=\"[^\"]*\"", "", html)
        return re.sub(r"<span([^>]*)>", self._tag, html)

    def stylesheet(self, css: str) -> str:
        """Return KaTeX's rules for what occurs on the page, under the short names, and the measures."""
        rules = []
        for selectors, body in _RULE.findall(css):
            met = [s for s in selectors.split(",") if self._occurs(s)]
            if met:
                short = _CLASS.sub(lambda found: "." + self._names.get(found[1], found[1]), ",".join(met))
                rules.append(f"{short}{{{body}}}")
        # Important, as an attribute would be: no rule of KaTeX's may win over its own measures.
        rules += (f".{name}{{{style.rstrip(';').replace(';', '!important;')}!important}}"
                  for style, name in self._measures.items())
        return "".join(rules)

    def _occurs(self, selector: str) -> bool:
        return all(name in self._names for name in _CLASS.findall(re.sub(r":not\([^)]*\)", "", selector)))

    def _tag(self, tag: re.Match[str]) -> str:
        attributes = dict(re.findall(r' ([\w-]+)="([^"]*)"', tag[1]))
        names = [self._named(name) for name in attributes.pop("class", "").split()]
        if style := attributes.pop("style", ""):
            if style not in self._measures:
                self._measures[style] = next(self._short)
            names.append(self._measures[style])
        joined = " ".join(names)
        shown = f' class="{joined}"' if len(names) > 1 else f" class={joined}" if names else ""
        others = "".join(f' {name}="{value}"' for name, value in attributes.items())
        return f"<span{shown}{others}>"

    def _named(self, name: str) -> str:
        if name not in self._names:
            self._names[name] = next(self._short)
        return self._names[name]


def _short_names() -> Iterator[str]:
    for length in count(1):
        yield from map("".join, product(ascii_uppercase, repeat=length))
