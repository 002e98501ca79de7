"""The derivation as PDF, set by pdflatex."""

from __future__ import annotations

import re
import shutil
import subprocess
import tempfile
from pathlib import Path

from gradwright.commands import selected
from symbolic.doors import derive
from symbolic.errors import InputError
from symbolic.formats import as_latex
from symbolic.network import Network

SECONDS = 300


def report_pdf(network: Network) -> bytes:
    """Return what ``derive --format latex`` writes as a PDF.

    Raises:
        VerificationError: A gradient disagrees with numbers.
        InputError: There is no pdflatex here, or it fails.
    """
    compiler = shutil.which("pdflatex")
    if compiler is None:
        raise InputError("no pdflatex was found, which sets a PDF; install TeX Live (Debian: apt install "
                         "texlive-latex-base), or write an HTML report and print that")
    derivation = derive(network)
    with tempfile.TemporaryDirectory() as folder:
        Path(folder, "report.tex").write_text(as_latex(derivation, selected(derivation, ())), "utf-8")
        # No shell escape and nothing but the document: what a name of the network says cannot run a command.
        command = [compiler, "-no-shell-escape", "-interaction=nonstopmode", "-halt-on-error", "report.tex"]
        try:
            run = subprocess.run(command, cwd=folder, capture_output=True, timeout=SECONDS, check=False,
                                 stdin=subprocess.DEVNULL)
        except (OSError, subprocess.TimeoutExpired) as error:
            raise InputError(f"pdflatex did not finish: {error}") from error
        if run.returncode:
            raise InputError(f"pdflatex failed: {_first_error(run.stdout.decode('utf-8', 'replace'))}; "
                             "write an HTML report instead")
        return Path(folder, "report.pdf").read_bytes()


def _first_error(log: str) -> str:
    found = re.search(r"^! (.*)$", log, flags=re.MULTILINE)
    return found[1] if found else "it says not why"
