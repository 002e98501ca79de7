"""The front door of gradwright: the command and what it shows on a terminal."""

__version__ = "0.1.0"
