"""What every message about input needs: the input on one line, the nearest known name, the place."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from symbolic.errors import InputError


def shown(value: object, limit: int = 80) -> str:
    """Return a value as it would be typed: on one line, without control characters, cut to ``limit``."""
    try:
        text = repr(value)
    except (ValueError, RecursionError):  # integers of more than 4,300 digits, lists nested in lists
        return "a value too large to show"
    return text if len(text) <= limit else f"{text[:limit]}…"


def nearest(word: str, known: Iterable[str]) -> str:
    """Return ", did you mean 'tanh'?" for a word close to a known one, otherwise the known ones."""
    names = tuple(known)
    close = difflib.get_close_matches(word[:64].lower(), names, n=1)
    return f", did you mean {close[0]!r}?" if close else f"; expected one of {', '.join(names)}"


@contextmanager
def within(place: str) -> Iterator[None]:
    """Say where it was, in every `InputError` that is raised inside."""
    try:
        yield
    except InputError as error:
        raise InputError(f"{place}: {error}") from None
