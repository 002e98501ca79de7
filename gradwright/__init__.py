"""The front door of gradwright: the command and what it shows on a terminal."""

from codegen.version import __version__  # noqa: TID253  # a string, and codegen is lazy

__all__ = ["__version__"]
