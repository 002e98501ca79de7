"""Answers as text, LaTeX, Markdown or data: the page of their derivations, and the answers in the language."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from symbolic.answers import Answer, Answers
from symbolic.derivation import Derivation, Verified
from symbolic.formats.data import dimension, steps_of
from symbolic.formats.latex import as_latex, escape, typewriter
from symbolic.formats.markdown import as_markdown
from symbolic.formats.parts import notes
from symbolic.formats.text import as_text, wrapped
from symbolic.printing import LatexPrinter, TextPrinter
from symbolic.terms import shape


def as_derivation(answers: Answers) -> Derivation:
    """Return the derivations of all answers as one, each shown once."""
    records = tuple(dict.fromkeys(g for a in answers.answers for g in a.derivations))
    remarks = tuple(dict.fromkeys(n for a in answers.answers for n in a.notes))
    errors = {name: e for a in answers.answers if a.verified for name, e in a.verified.errors.items()}
    first = answers.answers[0].verified
    verified = Verified(first.method, first.tolerance, errors) if first else None
    return Derivation(answers.program, records, verified=verified, notes=remarks)


def answers_as_text(answers: Answers) -> str:
    """Return the page for a terminal, 80 wide."""
    derivation, printer = as_derivation(answers), TextPrinter()
    lines = [f"{title(a)}, {printer.shape(a.equation.symbol)}\n" + "\n".join(wrapped(f"  {t}", 4) for t in _texts(a))
             for a in answers.answers]
    return as_text(derivation, derivation.gradients) + "\nIn the matrix language\n" + "\n".join(lines) + "\n"


def answers_as_latex(answers: Answers) -> str:
    """Return a complete document."""
    derivation = as_derivation(answers)
    lines = [rf"{escape(title(a))}: {typewriter(t)}\par" for a in answers.answers for t in _texts(a)]
    document = as_latex(derivation, derivation.gradients)
    return document.replace(r"\end{document}", "\n".join([r"\subsection*{In the matrix language}", r"\sloppy",
                                                          *lines, r"\end{document}"]))


def answers_as_markdown(answers: Answers) -> str:
    """Return a page that renders ``$…$``."""
    derivation = as_derivation(answers)
    lines = [f"- {title(a)}: `{t}`" for a in answers.answers for t in _texts(a)]
    return as_markdown(derivation, derivation.gradients) + "\n## In the matrix language\n\n" + "\n".join(lines) + "\n"


def title(answer: Answer) -> str:
    """Return what an answer is, in words."""
    if answer.kind == "differential":
        return f"differential by {answer.name}"
    return f"{answer.kind} by {answer.name}"


def _texts(answer: Answer) -> list[str]:
    if not answer.text:
        return ["(too long for the language)"]
    if not answer.map:
        return [answer.text]
    assert answer.direction is not None
    direction = str(answer.direction.name)
    value = answer.map[-1].name if answer.kind == "differential" else f"H[{direction}]"
    left = f"{direction} -> {value}"
    return [f"{left}: {answer.map_text}", f"on vec: {answer.text}"]


def answer_data(answers: Answers, answer: Answer) -> dict[str, Any]:
    """Return an answer as dicts and lists; ``text`` is of the language, statements are LaTeX."""
    latex = LatexPrinter()
    derivation = as_derivation(Answers(answers.source, answers.program, answers.order, (answer,)))
    data: dict[str, Any] = {
        "expression": answers.source,
        "wrt": answer.name,
        "kind": answer.kind,
        "shape": [dimension(d) for d in shape(answer.equation.symbol)],
        "text": answer.text,
        "latex": latex.show(answer.equation.term),
    }
    if answer.map:
        assert answer.direction is not None
        data["map"] = {"direction": str(answer.direction.name), "text": answer.map_text,
                       "latex": [latex.equation(e) for e in answer.map]}
    assert answer.verified is not None
    return data | {
        "assumptions": [f"{a.text}: {a.reason}" for a in answer.assumptions],
        "notes": notes(derivation, derivation.gradients),
        "verified": {"method": answer.verified.method, "max_relative_error": answer.verified.max_relative_error},
        "steps": [step | {"of": latex.left(g)} for g in answer.derivations for step in steps_of(g, latex)],
    }


ANSWER_FORMATS: dict[str, Callable[[Answers], str]] = {
    "text": answers_as_text, "latex": answers_as_latex, "markdown": answers_as_markdown}
