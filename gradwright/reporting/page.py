"""The report as one page: everything is gathered here, the template only sets it."""

from __future__ import annotations

import base64
import hashlib
import platform
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import sympy
from markupsafe import Markup

from codegen.data import Data
from codegen.loading import load
from codegen.module import generate
from gradwright import __version__
from gradwright.commands import selected
from gradwright.display import sum_of
from gradwright.reporting import katex
from gradwright.reporting.blocks import Layers, Telling
from gradwright.reporting.highlighting import highlighted
from gradwright.reporting.mathematics import Mathematics
from gradwright.reporting.numbers import Numbers, numbers
from gradwright.reporting.picture import pictures
from gradwright.reporting.templating import render, static
from symbolic.architecture import to_compact
from symbolic.architecture.reading import digest
from symbolic.architecture.toml import to_toml
from symbolic.build import formula_names
from symbolic.derivation import Derivation, Gradient
from symbolic.doors import derive
from symbolic.errors import InputError
from symbolic.formats.parts import amount, evidence, notes
from symbolic.names import text_name
from symbolic.network import Network

SECTIONS = (("network", "The network"), ("layers", "Layers"), ("forward", "Forward"), ("derivation", "Derivation"),
            ("gradients", "Gradients"), ("numbers", "Numbers"), ("module", "Module"), ("reproduce", "Versions"))
"""Anchor and title of each section, in order."""


@dataclass(frozen=True)
class Row:
    """A row of the table of layers."""

    title: str
    output: str
    weight: str
    bias: str
    count: str
    first: int
    last: int
    index: str


@dataclass(frozen=True)
class Report:
    """A page that stands alone, and the policy by which a browser takes its scripts and styles, and no others.

    Attributes:
        html: The page; it states the policy too.
        policy: For whoever serves it.
    """

    html: str
    policy: str


def report_html(network: Network, parameters: Mapping[str, Any] | None = None, data: Data | None = None,
                **options: Any) -> str:
    """Return the text of `report_page`."""
    return report_page(network, parameters, data, **options).html


def report_page(network: Network, parameters: Mapping[str, Any] | None = None, data: Data | None = None, *,
                remarks: Sequence[str] = (), command: str = "", mathematics: Mathematics | None = None,
                framed: bool = False) -> Report:
    """Return the report of a network as a page that stands alone.

    Args:
        network: The network; where its widths are symbols the page has no numbers and no module.
        parameters: Arrays by our names, as `read_parameters` returns them; random ones when left out.
        data: Samples and labels, as `read_samples` returns them; random ones when left out.
        remarks: What was done to the parameters that were read, in words.
        command: The command that makes this page again.
        mathematics: How formulas are set; ahead of time by default, where that can be done.
        framed: Whether it is shown inside a page that will replace it, and keeps its reader's place for the next one.

    Raises:
        VerificationError: A gradient disagrees with numbers.
        InputError: The parameters or samples do not fit the network.
    """
    derivation = derive(network)
    shown = selected(derivation, ())
    mathematics = mathematics or Mathematics()
    telling = Telling(derivation, shown, mathematics)
    forward, backward = telling.forward(), telling.backward()
    code, found, reason = _module(network, derivation, parameters, data, remarks)
    scripts = (mathematics.script(), static("report.js"), static("framed.js") if framed else "")
    drawn = pictures(network, derivation, forward, backward)
    words: dict[str, Any] = {
        "forward": forward, "definitions": telling.definitions(), "backward": backward,
        "named": list(telling.rules.values()), "assumptions": telling.assumptions(),
        "pictures": drawn, "rows": _rows(network, forward),
        "long": any(layers.index for layers in (*forward, *backward)),
        "steps": sum(len(g.steps) for g in shown), "blocks_count": len(shown),
        "notes": notes(derivation, shown), "evidence": evidence(derivation), "numbers": found,
        "reason": reason,
        "code": highlighted(code), "code_lines": code.count("\n"), "file": f"{network.name}.py"}
    # After the formulas, so that the style has what they need.
    least = f".picture.wide svg {{ min-width: {drawn[0].least}px; }}"
    styles = (mathematics.stylesheet(), static("report.css") + least)
    policy = (f"default-src 'none'; style-src {_digests(styles)}; font-src data:; script-src {_digests(scripts)}; "
              "base-uri 'none'; form-action 'none'")
    html = render("report.html.jinja", **words, **_facts(network, command), policy=policy, sections=SECTIONS,
                  scripts=[Markup(s) for s in scripts if s], styles=[Markup(s) for s in styles])
    return Report(html, policy)


def derivation_html(derivation: Derivation, shown: Sequence[Gradient], mathematics: Mathematics,
                    prefix: str = "") -> str:
    """Return a derivation as a fragment for another page: forward equations, blocks of steps, rules.

    The page needs `report.css`, KaTeX's style (``mathematics.stylesheet()`` afterwards) and `report.js`, which work on
    fragments that come later too. ``prefix`` keeps the anchors of several fragments apart.
    """
    telling = Telling(derivation, shown, mathematics, prefix)
    forward, definitions, backward = telling.forward(), telling.definitions(), telling.backward()
    return render("fragment.html.jinja", forward=forward, definitions=definitions, backward=backward,
                  others=telling.others(), named=list(telling.rules.values()), assumptions=telling.assumptions(),
                  notes=notes(derivation, shown), evidence=evidence(derivation))


def _module(network: Network, derivation: Derivation, parameters: Mapping[str, Any] | None, data: Data | None,
            remarks: Sequence[str]) -> tuple[str, Numbers | None, str]:
    """Return the module, its numbers, and why there are none."""
    if network.symbolic:
        return "", None, "The widths of this network are symbols. With numbers for them"
    code = generate(network, derivation)
    try:
        return code, numbers(network, load(network, code), parameters, data, remarks), ""
    except InputError as error:
        if parameters is not None or data is not None:
            raise
        # Values of our own choice, where a formula such as log(x) need not be defined.
        return code, None, f"With random parameters and samples, {error}. With --params and --data of your own"


def _facts(network: Network, command: str) -> dict[str, Any]:
    compact = to_compact(network)
    return {"name": network.name, "compact": compact, "count": amount(network.parameter_count),
            "loss_name": network.loss.replace("_", " "), "reduction": network.reduction, "samples": network.samples,
            "decay": f"{network.weight_decay:g}" if network.weight_decay else "", "toml": to_toml(network),
            "digest": digest(network), "command": command or f"gradwright report '{compact}'",
            "formulas": [(name, formula) for formula, name in formula_names(network).items()],
            "versions": f"gradwright {__version__}, Python {platform.python_version()}, SymPy {sympy.__version__}, "
                        f"NumPy {np.__version__}, KaTeX {katex.version()}"}


def _rows(network: Network, forward: Sequence[Layers]) -> list[Row]:
    shapes, formulas, rows = network.parameter_shapes(), formula_names(network), []
    for layers in forward:
        if not layers.first:
            continue
        k, activation = layers.first, network.layers[layers.first - 1].activation
        weight, bias = shapes[f"W{k}"], shapes.get(f"b{k}")
        count = sum_of(shape for shape in (weight, bias) if shape)
        index = str(layers.index or k)
        output = "ŷ" if k == len(network.layers) else text_name(f"h_{index}")
        total = f"{amount(count)} each, {amount(count * layers.count)} together" if layers.index else amount(count)
        rows.append(Row(f"{index} = {layers.first} … {layers.last}" if layers.index else str(k),
                        f"{output} = {formulas.get(activation, activation)}({text_name(f'a_{index}')})",
                        _shape(weight), _shape(bias) if bias else "none", total, k, layers.last, layers.index))
    return rows


def _shape(shape: tuple[Any, Any]) -> str:
    return "×".join(text_name(str(n)) if str(n).isidentifier() else str(n) for n in shape)


def _digests(texts: Sequence[str]) -> str:
    """Return what a policy says of scripts or styles, so that a browser takes these and no others."""
    found = [base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() for text in texts if text]
    return " ".join(f"'sha256-{digest}'" for digest in found)
