"""Networks, programs, gradients and derivations as a notebook shows them: plain text, LaTeX, and HTML around LaTeX.

Mathematics stands between dollar signs, which Jupyter typesets within HTML too.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import singledispatch
from html import escape

from symbolic.answers import Answers
from symbolic.architecture import to_compact
from symbolic.build import build_program
from symbolic.derivation import Derivation, Gradient
from symbolic.derivatives import Derivative
from symbolic.displayed import Displayed
from symbolic.formats.answers import answers_as_text, as_derivation
from symbolic.formats.latex import forward_rows, rows, shaped
from symbolic.formats.parts import amount, assumptions, evidence, heading, sources
from symbolic.formats.text import as_text
from symbolic.network import Network
from symbolic.printing import LatexPrinter, TextPrinter
from symbolic.program import Program

Bundle = dict[str, str]


@singledispatch
def bundle(value: Displayed) -> Bundle:
    """Return a value as ``text/plain``, ``text/latex`` and ``text/html``.

    Raises:
        TypeError: It is none of those that have a form for notebooks.
    """
    raise TypeError(f"nothing is known of how to show a {type(value).__name__}")


def _bundle(plain: str, latex: str, html: str) -> Bundle:
    return {"text/plain": plain, "text/latex": latex, "text/html": html}


def _aligned(lines: Sequence[str]) -> str:
    return "$$\\begin{aligned}\n" + " \\\\\n".join(lines) + "\n\\end{aligned}$$"


@bundle.register
def _(value: Program) -> Bundle:
    latex, text = LatexPrinter(), TextPrinter()
    block = _aligned(forward_rows(Derivation(value, ()), latex))
    return _bundle("\n".join(map(text.equation, value.equations)), block, escape(block))


@bundle.register
def _(value: Network) -> Bundle:
    program = build_program(value)
    shown = bundle(program)
    title = f"{value.name}  {to_compact(value)}"
    table = _table(value)
    html = f"<p><b>{escape(value.name)}</b> <code>{escape(to_compact(value))}</code></p>{table}{shown['text/html']}"
    return _bundle(f"{title}\n{shown['text/plain']}", shown["text/latex"], html)


def _table(network: Network) -> str:
    """Return the layers with shapes and counts as a table."""
    shapes, cells = network.parameter_shapes(), []
    for k, layer in enumerate(network.layers, start=1):
        sizes = [shapes[f"W{k}"]] + ([shapes[f"b{k}"]] if layer.bias else [])
        written = [f"{amount(rows)} × {amount(columns)}" for rows, columns in sizes] + ["none"] * (2 - len(sizes))
        count = sum(rows * columns for rows, columns in sizes)
        cells.append(f"<tr><td>{k}</td><td>{escape(layer.activation)}</td><td>{written[0]}</td><td>{written[1]}</td>"
                     f"<td>{amount(count)}</td></tr>")
    return ("<table><thead><tr><th>layer</th><th>activation</th><th>W</th><th>b</th><th>parameters</th></tr></thead>"
            f"<tbody>{''.join(cells)}</tbody><tfoot><tr><td colspan='4'>all</td>"
            f"<td>{amount(network.parameter_count)}</td></tr></tfoot></table>")


@bundle.register
def _(value: Gradient) -> Bundle:
    latex, text = LatexPrinter(), TextPrinter()
    cited = sources([value])
    steps = _aligned(rows(value, latex, cited)) if value.steps else ""
    boxed = f"$$\\boxed{{{shaped(value, latex)}}}$$"
    block = f"{steps}\n{boxed}".strip()
    listed = "".join(f"<li>{escape(name)}</li>" for name in cited)
    return _bundle(text.equation(value.equation), block, f"{escape(block)}<ol>{listed}</ol>")


@bundle.register
def _(value: Derivation) -> Bundle:
    gradients = [g for g in value.gradients if g.wrt.name != "X"]
    return _derivation(value, gradients, as_text(value, gradients))


@bundle.register
def _(value: Answers) -> Bundle:
    derivation = as_derivation(value)
    return _derivation(derivation, derivation.gradients, answers_as_text(value))


@bundle.register
def _(value: Derivative) -> Bundle:
    shown = bundle(value.answers)
    block = f"$$\\displaystyle {LatexPrinter().equation(value.answer.equation)}$$"
    html = f"{escape(block)}<details><summary>the steps</summary>{shown['text/html']}</details>"
    return _bundle(repr(value), block, html)


def _derivation(value: Derivation, gradients: Sequence[Gradient], plain: str) -> Bundle:
    """Return a derivation; in HTML each gradient unfolds its steps."""
    latex, cited = LatexPrinter(), sources(gradients)
    forward = _aligned(forward_rows(value, latex))
    parts = [f"<p><b>{escape(heading(value))}</b></p>", escape(forward)]
    for gradient in gradients:
        inline = escape(f"${latex.equation(gradient.equation)}$")
        steps = _aligned(rows(gradient, latex, cited)) if gradient.steps else ""
        parts.append(f"<details><summary>{inline}</summary>{escape(steps)}</details>")
    assumed = "".join(f"<li>{escape(f'${a.latex}$: {a.reason}')}</li>" for a in assumptions(value, gradients))
    parts.append(f"<ul>{assumed}</ul>" if assumed else "")
    parts.append("<ol>" + "".join(f"<li>{escape(name)}</li>" for name in cited) + "</ol>")
    parts.append(f"<p>{escape(evidence(value))}</p>" if value.verified else "")
    blocks = [forward, *(f"$${latex.equation(g.equation)}$$" for g in gradients)]
    return _bundle(plain, "\n".join(blocks), "".join(parts))
