"""A derivation as Markdown with mathematics between dollar signs."""

from __future__ import annotations

from collections.abc import Sequence

from symbolic.derivation import Derivation, Gradient
from symbolic.formats.latex import forward_rows, function_rows, rows, shaped
from symbolic.formats.parts import assumptions, building_blocks, evidence, heading, notes, sources
from symbolic.printing import LatexPrinter


def as_markdown(derivation: Derivation, shown: Sequence[Gradient]) -> str:
    """Return the derivation for a page that renders ``$…$`` and ``$$…$$``."""
    latex, cited = LatexPrinter(), sources(shown)
    parts = [f"# {heading(derivation)}", "## Forward",
             _block(forward_rows(derivation, latex))]
    where = function_rows(derivation, shown, latex)
    if where:
        parts += ["where", _block(where)]
    for gradient in shown:
        assuming = "".join(f", assuming ${a.latex}$" for a in gradient.assumptions)
        parts += [f"## ${latex.show(gradient.symbol)}$, ${latex.shape(gradient.symbol)}${assuming}",
                  _block(rows(gradient, latex, cited)), f"$$\n\\boxed{{{shaped(gradient, latex)}}}\n$$"]
    used = building_blocks(derivation, shown)
    if used:
        parts += ["## With", _block([f"{latex.show(e.symbol)} &= {latex.show(e.term)}" for e in used])]
    assumed = assumptions(derivation, shown)
    if assumed:
        parts += ["## Assumed", "\n".join(f"- ${a.latex}$: {a.reason}" for a in assumed)]
    parts += ["## Notes", "\n".join(f"- {note}" for note in notes(derivation, shown))]
    parts += ["## Sources", "\n".join(f"{i}. {name}" for name, i in cited.items()),
              evidence(derivation)]
    return "\n\n".join(p for p in parts if p) + "\n"


def _block(lines: Sequence[str]) -> str:
    return "$$\n\\begin{aligned}\n" + " \\\\\n".join(lines) + "\n\\end{aligned}\n$$"
