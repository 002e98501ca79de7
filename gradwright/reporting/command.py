"""What `gradwright report` does."""

from __future__ import annotations

import shlex
from pathlib import Path

import click

from codegen.evaluation import read_parameters, read_samples
from codegen.weights import Mapping
from gradwright.files import write_bytes, write_text
from gradwright.reporting.page import report_html
from gradwright.reporting.pdf import report_pdf
from symbolic.architecture import read_architecture
from symbolic.errors import InputError

SUFFIXES = (".html", ".htm", ".pdf")


def report(architecture: str, params: str | None, data: str | None, output: str) -> None:
    """Write a network's report, as HTML or, where the file's name ends in .pdf, its derivation as PDF."""
    suffix = Path(output).suffix.lower()
    if output != "-" and suffix not in SUFFIXES:
        raise InputError(f"cannot write {output!r}: expected a file that ends in .html or .pdf")
    network = read_architecture(architecture)
    if suffix == ".pdf":
        if params is not None or data is not None:
            raise InputError("a PDF has the derivation and no numbers; leave --params and --data out, or write .html")
        write_bytes(Path(output), report_pdf(network))
        click.echo(f"wrote {output}")
        return
    if network.symbolic and (params is not None or data is not None):
        raise InputError("expected integer widths for --params and --data, got symbols")
    parameters, mapping = read_parameters(network, params) if params is not None else (None, [])
    samples = read_samples(network, data) if data is not None else None
    text = report_html(network, parameters, samples, remarks=_remarks(mapping),
                       command=_command(architecture, params, data, output))
    if output == "-":
        click.echo(text, nl=False)
    else:
        write_text(Path(output), text)
        click.echo(f"wrote {output}")


def _remarks(mapping: list[Mapping]) -> list[str]:
    """Say which arrays were read under other names, or transposed."""
    return [f"{m.theirs} read as {m.ours}" + (f", {m.change}" if m.change else "") for m in mapping
            if m.change or m.theirs != m.ours]


def _command(architecture: str, params: str | None, data: str | None, output: str) -> str:
    words = ["gradwright", "report", architecture]
    words += ["--params", params] if params is not None else []
    words += ["--data", data] if data is not None else []
    return shlex.join([*words, *(["-o", output] if output != "-" else [])])
