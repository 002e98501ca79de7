"""A derivation as a LaTeX document, and the pieces that Markdown shares with it."""

from __future__ import annotations

from collections.abc import Sequence

from symbolic.derivation import Derivation, Gradient
from symbolic.formats.parts import (
    assumptions,
    building_blocks,
    definition,
    evidence,
    functions,
    heading,
    notes,
    sources,
)
from symbolic.operations.entrywise import function_name
from symbolic.printing import LatexPrinter, TextPrinter

_PREAMBLE = r"""\documentclass[10pt]{article}
\usepackage[utf8]{inputenc}
\usepackage{amsmath}
\usepackage[paperwidth=%.1fcm,paperheight=29.7cm,margin=2cm]{geometry}
\allowdisplaybreaks
\setlength{\parindent}{0pt}
\begin{document}
"""

_WIDEST = 500.0
"""TeX knows no length beyond 575 cm."""

_CENTIMETRES = 0.21
"""Width of a character of mathematics on the page, measured generously."""


def as_latex(derivation: Derivation, shown: Sequence[Gradient]) -> str:
    """Return a complete document; its page is as wide as its longest line needs."""
    latex, text, cited = LatexPrinter(), TextPrinter(), sources(shown)
    body = [rf"\section*{{{escape(heading(derivation))}}}", r"\subsection*{Forward}",
            aligned(forward_rows(derivation, latex))]
    where = function_rows(derivation, shown, latex)
    if where:
        body += ["where", aligned(where)]
    for gradient in shown:
        assuming = "".join(rf", assuming ${a.latex}$" for a in gradient.assumptions)
        body += [rf"\subsection*{{${latex.show(gradient.symbol)}$ \quad (${latex.shape(gradient.symbol)}$){assuming}}}",
                 aligned(rows(gradient, latex, cited)), rf"\[ \boxed{{{shaped(gradient, latex)}}} \]"]
    used = building_blocks(derivation, shown)
    if used:
        body += [r"\subsection*{With}", aligned([f"{latex.show(e.symbol)} &= {latex.show(e.term)}" for e in used])]
    assumed = assumptions(derivation, shown)
    if assumed:
        body += [r"\subsection*{Assumed}", *(rf"${a.latex}$: {escape(a.reason)}.\par" for a in assumed)]
    body += [r"\subsection*{Notes}", *(escape(note) + r"\par" for note in notes(derivation, shown))]
    body += [r"\subsection*{Sources}", *(rf"[{i}] {escape(name)}.\par" for name, i in cited.items()),
             r"\medskip " + evidence(derivation)]
    return _PREAMBLE % _page_width(derivation, shown, text) + "\n".join(body) + "\n\\end{document}\n"


def aligned(lines: Sequence[str]) -> str:
    """Return the rows as an ``align*`` environment, which may break across pages."""
    return "\\begin{align*}\n" + " \\\\\n".join(lines) + "\n\\end{align*}"


def forward_rows(derivation: Derivation, latex: LatexPrinter) -> list[str]:
    """Return the forward equations as rows ``name = term && shape``."""
    return [f"{latex.show(e.symbol)} &= {latex.show(e.term)} && {latex.shape(e.symbol)}"
            for e in derivation.forward.equations]


LONGEST_LINE = 1500
"""A line of mathematics that is longer as text cannot be set on a page; TeX knows no lengths beyond 575 cm."""


def _set(latex: str, text: str) -> str:
    """Return a line, or what it was where it is too long for a page."""
    if len(text) <= LONGEST_LINE:
        return latex
    return rf"\text{{(a line of {len(text)} characters is left out here; the text and JSON formats have it)}}"


def rows(gradient: Gradient, latex: LatexPrinter, cited: dict[str, int]) -> list[str]:
    """Return the lines of a derivation as rows ``d𝓛 &= line && statement [source]``."""
    found, text = [], TextPrinter()
    for i, step in enumerate(gradient.steps):
        left = latex.left(gradient) if i == 0 else ""
        reference = "" if step.equation or step.assumption else rf"\; [{cited[step.rule.source]}]"
        assumed = r"\quad \text{(assumed)}" if step.assumption else ""
        line = _set(latex.line(step.after), text.line(step.after))
        found.append(f"{left} &= {line} && {latex.statement(step)}{assumed}{reference}")
    return found


def shaped(gradient: Gradient, latex: LatexPrinter) -> str:
    """Return the gradient's equation with the shape under each factor."""
    left = rf"\underbrace{{{latex.show(gradient.symbol)}}}_{{{latex.shape(gradient.symbol)}}}"
    return f"{left} = {_set(latex.factored(gradient.term), TextPrinter().show(gradient.term))}"


def function_rows(derivation: Derivation, shown: Sequence[Gradient], latex: LatexPrinter) -> list[str]:
    """Return the definitions of the elementwise functions that occur, and the constants."""
    rows = [f"{function_name(f, latex=True)}(x) &= {latex.show(definition(f))}"
            for f in functions(derivation, shown)]
    return rows + [f"{latex.show(symbol)} &= {value:g}" for symbol, value in derivation.forward.constants.items()]


def escape(text: str) -> str:
    """Return plain words with LaTeX's own characters made harmless, and symbols as mathematics."""
    marks = {"\\": r"\textbackslash{}", "_": r"\_", "&": r"\&", "%": r"\%", "#": r"\#", "$": r"\$", "{": r"\{",
             "}": r"\}", "~": r"\textasciitilde{}", "^": r"\textasciicircum{}", "ᵀ": r"$^{\top}$",
             "σ": r"$\sigma$", "−": "$-$", "⟨": r"$\langle$", "⟩": r"$\rangle$", "λ": r"$\lambda$",
             "⊙": r"$\odot$", "⊘": r"$\oslash$", "⊗": r"$\otimes$", "½": r"$\tfrac{1}{2}$", "⁻": "$^{-}$",
             "¹": "$^{1}$",
             "Σ": r"$\Sigma$", "‖": r"$\Vert$", "²": "$^{2}$", "≤": r"$\le$", "√": r"$\surd$", "π": r"$\pi$",
             "∫": r"$\int$", "×": r"$\times$", "→": r"$\to$", "′": "$'$"}
    return "".join(marks.get(c, c) for c in text)


def typewriter(text: str) -> str:
    """Return text as it is typed, with straight quotes, and lines that may end after each mark."""
    straight = escape(text).replace("'", r"\textquotesingle{}")
    return r"\texttt{" + straight.replace("; ", r"; \allowbreak ").replace(" + ", r" \allowbreak{}+ ") + "}"


def _page_width(derivation: Derivation, shown: Sequence[Gradient], text: TextPrinter) -> float:
    """Return centimetres: room for the longest line beside the longest statement of its block."""
    widest = max((max(len(text.line(s.after)) for s in g.steps) + max(len(text.statement(s)) for s in g.steps)
                  for g in shown if g.steps), default=60)
    forward = max(len(text.equation(e)) for e in derivation.forward.equations)
    return min(_WIDEST, max(21.0, 4 + _CENTIMETRES * (max(widest, forward) + 16)))


