"""The front door of gradwright: the command, what it shows on a terminal, and the check of hand-written code."""

from __future__ import annotations

from typing import Any

from codegen.version import __version__  # noqa: TID253  # a string, and codegen is lazy

__all__ = ["__version__", "check", "load_ipython_extension"]


def __getattr__(name: str) -> Any:
    """Import a public name when it is first asked for."""
    if name == "check":
        from gradwright.checks import check

        return check
    raise AttributeError(f"module 'gradwright' has no attribute {name!r}")


def load_ipython_extension(ipython: Any) -> None:
    """Give a notebook the magic ``%gradwright_check``, by ``%load_ext gradwright``."""
    from gradwright.checking.jupyter import load_ipython_extension as load

    load(ipython)
