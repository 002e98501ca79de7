"""Write the gallery of derivations anew: `python docs/gallery.py`. CI compares it with what is committed."""

from __future__ import annotations

import re
from pathlib import Path

from gradwright.reporting.page import report_html
from symbolic.architecture import read_architecture, to_compact
from symbolic.derivatives import differentiate_text
from symbolic.doors import derive
from symbolic.formats import FORMATS
from symbolic.formats.answers import ANSWER_FORMATS
from symbolic.general import derive_general
from symbolic.network import Network

HERE = Path(__file__).resolve().parent / "gallery"
EXAMPLES = HERE.parent.parent / "examples"

NETWORKS = {
    "quiz": ("The quiz", str(EXAMPLES / "quiz" / "quiz.toml")),
    "regression": ("Regression with a hidden layer", "4-8-2:tanh,identity?samples=rows&reduction=mean&name=regression"),
    "binary": ("Two classes", "4-6-1:relu,sigmoid?reduction=mean&name=binary"),
}
EXPRESSIONS = {
    "attention": ("Q", "K", "V"), "gaussian": ("S", "u"), "kalman": ("z", "x"), "layer_norm": ("x", "w"),
    "lstm": ("h", "s"),
}

STYLE = """
text { font-family: system-ui, sans-serif; font-size: 14px; fill: #1b1f24; }
.frame { fill: #eef3f8; stroke: #c8d1da; } .frame-name { fill: #57606a; font-size: 12px; }
.node rect { fill: #fff; stroke: #1b1f24; stroke-width: 1.4; }
.edge .arrow { fill: none; stroke: currentColor; stroke-width: 2; } .edge .reach { fill: none; stroke: none; }
.edge text { fill: currentColor; } .edge .name { font-weight: 700; } .edge .size { font-size: 12px; }
.edge.forward, .head.forward { color: #0b5fc4; fill: #0b5fc4; }
.edge.backward, .head.backward { color: #b5400c; fill: #b5400c; }
"""


def picture(network: Network) -> str:
    """Return the network's picture as an SVG file of its own."""
    page = report_html(network)
    found = re.search(r"<svg[^>]*viewBox.*?</svg>", page, re.DOTALL)
    assert found is not None
    drawn = re.sub(r'<a\b[^>]*?(class="[^"]*")[^>]*>', r"<g \1>", found[0]).replace("</a>", "</g>")
    head, _, rest = drawn.partition(">")
    return (f'{head} xmlns="http://www.w3.org/2000/svg"><style>{STYLE}</style>'
            f'<rect width="100%" height="100%" fill="#fff"/>{rest}\n')


def contents() -> dict[str, str]:
    """Return the text of every page and picture by its name."""
    files, index = {}, ["# Gallery", "", "Written by `python docs/gallery.py`; do not edit, run it anew.", ""]
    index += ["## Networks", ""]
    for name, (title, text) in NETWORKS.items():
        network = read_architecture(text)
        derivation = derive(network)
        shown = [g for g in derivation.gradients if g.wrt.name != "X"]
        files[f"{name}.svg"] = picture(network)
        files[f"{name}.md"] = f"![{title}]({name}.svg)\n\n{FORMATS['markdown'](derivation, shown)}"
        index += [f"### [{title}]({name}.md)", "", f"`{to_compact(network)}`", "", f"![{title}]({name}.svg)", ""]
    general = derive_general(read_architecture(NETWORKS["quiz"][1]))
    files["general.md"] = FORMATS["markdown"](general, general.gradients)
    index += ["### [Any layer k, any activation g](general.md)", "", "## Expressions", ""]
    for name, wrt in EXPRESSIONS.items():
        source = (EXAMPLES / "expressions" / f"{name}.txt").read_text(encoding="utf-8")
        files[f"{name}.md"] = ANSWER_FORMATS["markdown"](differentiate_text(source, wrt))
        said = source.split("\n")[0].lstrip("# ")
        index += [f"- [{name.replace('_', ' ')}]({name}.md), by {', '.join(wrt)}: {said}"]
    return files | {"README.md": "\n".join(index) + "\n"}


def main() -> None:
    """Write the files."""
    HERE.mkdir(exist_ok=True)
    for name, text in contents().items():
        (HERE / name).write_text(text, encoding="utf-8", newline="\n")
        print(f"wrote docs/gallery/{name}")


if __name__ == "__main__":
    main()
