"""Where results go: standard output, a terminal, a file."""

from __future__ import annotations

from pathlib import Path

import click
from rich.console import Console

from gradwright.files import write_text


def console() -> Console:
    """Return a console on standard output; it heeds NO_COLOR and is plain when piped."""
    return Console(highlight=False)


def write(text: str, output: str) -> None:
    """Write a text to a file, or to standard output for ``-``."""
    if output == "-":
        click.echo(text, nl=False)
    else:
        write_text(Path(output), text)
