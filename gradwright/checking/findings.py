"""What a check says: lines with their verdicts, and findings."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Verdict = Literal["right", "wrong", "follows", "unknown"]
Severity = Literal["error", "warning"]

KINDS: Mapping[str, str] = {
    "wrong_name": "another name in scope belongs there",
    "layer_index": "the same quantity of another layer belongs there",
    "transpose": "a transpose is missing, or one too many",
    "sign": "a sign is wrong",
    "operator": "another operator, or the operands in another order",
    "missing_factor": "a factor is missing",
    "extra_factor": "a factor too many",
    "missing_sum": "a sum over the samples (or over entries) is missing, or goes along another axis",
    "scale": "a constant factor is wrong, such as 1/N or 2",
    "activation_derivative": "not the derivative of the activation, or taken at another value",
    "broadcast": "two shapes are broadcast against each other into a third",
    "shape_change": "a quantity changes its shape",
    "stale_value": "a value is used after it was changed, or before",
    "loss_mismatch": "the gradients are not those of the loss",
    "unstable": "overflows or loses digits where a safe form does not",
    "integer": "an array of integers where real numbers belong",
    "wrong_value": "not the value that was derived, for a reason that was not found",
}
"""Each kind of finding, in a few words."""


@dataclass(frozen=True)
class Place:
    """Where something stands.

    Attributes:
        cell: The code cell, counted from 1; None in a script.
        line: The line within the cell or the script, counted from 1.
        column: The first character, counted from 0.
        end: The character after the last one; both 0 where the whole line is meant.
    """

    cell: int | None
    line: int
    column: int = 0
    end: int = 0


@dataclass(frozen=True)
class Line:
    """An assignment, and what it was compared with.

    Attributes:
        place: Where it stands.
        target: What is assigned, as it is written, such as ``gradient_b3`` or ``grads['dW2']``.
        ours: Our name of the quantity, such as ``grad_b3``, ``h1``, ``y_hat`` or ``loss``; empty where none was found.
        verdict: ``follows`` is wrong only because an earlier line is.
        shape: The shape of the value, as the code has it; None where it is not known.
        term: The value as a term of the matrix language, over the names of other lines; empty where there is none.
    """

    place: Place
    target: str
    ours: str
    verdict: Verdict
    shape: tuple[int, ...] | None = None
    term: str = ""


@dataclass(frozen=True)
class Finding:
    """A mistake or a hazard.

    Attributes:
        place: Where it stands.
        source: The source line (or lines) as it is written, without indentation.
        kind: A key of `KINDS`.
        target: What is assigned there, as it is written.
        message: A sentence.
        expected: The formula that was derived, as text, such as ``∇b₃ = ∇a₃ 1``; may be empty.
        correction: The corrected line in the author's names; may be empty.
        severity: ``error`` where a value is wrong, else ``warning``.
        step: The step of the derivation that the line breaks: its rule, as text; may be empty.
        also: Lines that may be at fault instead of this one: that a loss and gradients differ by a constant factor
            does not tell which of them is meant.
    """

    place: Place
    source: str
    kind: str
    target: str
    message: str
    expected: str = ""
    correction: str = ""
    severity: Severity = "error"
    step: str = ""
    also: tuple[Place, ...] = ()


@dataclass(frozen=True)
class Note:
    """Something that was not read, or a choice that was made in reading."""

    place: Place | None
    message: str


@dataclass(frozen=True)
class Recognised:
    """The network that was recognised, or given.

    Attributes:
        compact: As a compact string.
        samples: ``columns`` or ``rows``.
        reduction: ``sum`` or ``mean``.
        words: How the code's conventions differ from the network's, in sentences.
    """

    compact: str
    samples: str
    reduction: str
    words: tuple[str, ...] = ()


@dataclass(frozen=True)
class Number:
    """A number of the author's, on the author's own data: as the code has it, and right.

    Attributes:
        place: The line that computes it.
        target: Its name in the code.
        theirs: Its value as the code stands; None where the code cannot run so far.
        right: Its value with the mistakes corrected.
    """

    place: Place
    target: str
    theirs: float | None
    right: float


@dataclass(frozen=True)
class Check:
    """What was found in a file.

    Attributes:
        name: The file, or a word for the source.
        cells: The source of each code cell; of a script its whole text.
        notebook: Whether it is a notebook.
        network: The network, or None where none was recognised.
        mapping: The code's names and ours.
        lines: Every assignment, in the order of the source.
        findings: Errors and warnings, in the order of the source.
        numbers: Losses, as the author has them and right.
        notes: What was not read.
    """

    name: str
    cells: tuple[str, ...]
    notebook: bool
    network: Recognised | None = None
    mapping: Mapping[str, str] = field(default_factory=dict)
    lines: tuple[Line, ...] = ()
    findings: tuple[Finding, ...] = ()
    numbers: tuple[Number, ...] = ()
    notes: tuple[Note, ...] = ()

    @property
    def errors(self) -> tuple[Finding, ...]:
        """The findings of severity error."""
        return tuple(f for f in self.findings if f.severity == "error")

    def _repr_mimebundle_(self, include: object = None, exclude: object = None) -> dict[str, str]:
        """Return the check as a notebook shows it."""
        from gradwright.checking.jupyter import Shown

        shown = Shown(self)
        return {"text/plain": repr(shown), "text/html": shown._repr_html_()}
