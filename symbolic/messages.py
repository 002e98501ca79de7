"""The two things that every message about input needs: the input on one line, and the nearest known name."""

from __future__ import annotations

import difflib
from collections.abc import Iterable


def shown(value: object, limit: int = 80) -> str:
    """Return a value as it would be typed: on one line, without control characters, cut to ``limit``."""
    try:
        text = repr(value)
    except ValueError:  # Python refuses to print integers of more than 4,300 digits
        return "an integer of thousands of digits"
    return text if len(text) <= limit else f"{text[:limit]}…"


def nearest(word: str, known: Iterable[str]) -> str:
    """Return ", did you mean 'tanh'?" for a word close to a known one, otherwise the known ones."""
    names = tuple(known)
    close = difflib.get_close_matches(word[:64].lower(), names, n=1)
    return f", did you mean {close[0]!r}?" if close else f"; expected one of {', '.join(names)}"
