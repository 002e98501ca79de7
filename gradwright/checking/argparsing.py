"""``argparse``, as far as its defaults say the sizes of a network."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from gradwright.checking.objects import Class, Instance, Partial


def argument_parser() -> Instance:
    """Return what ``argparse.ArgumentParser()`` is: its arguments have their defaults."""
    found: dict[str, Any] = {}

    def add_argument(*flags: str, default: Any = None, dest: str = "", action: str = "", **_: Any) -> None:
        name = dest or max((str(flag).lstrip("-") for flag in flags), key=len, default="")
        found[name.replace("-", "_")] = action != "store_true" if action.startswith("store_") else default

    def parse_args(*_: Any) -> Instance:
        return Instance(Class("Namespace", {}), dict(found))

    methods: dict[str, Callable[..., Any]] = {"add_argument": add_argument, "parse_args": parse_args}
    return Instance(Class("ArgumentParser", {}), {name: Partial(name, call) for name, call in methods.items()})
