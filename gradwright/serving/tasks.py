"""What a worker is asked: one function a question, from checked fields to what becomes JSON.

They parse and derive; none of them evaluates what was typed, and none opens a file.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import Any

from codegen.c.source import generate_c
from codegen.expressions import generate_expression
from codegen.targets import TARGETS
from gradwright.commands import answers_as_data, selected
from gradwright.serving.reading import (
    arrays_of,
    expression_place,
    network_of,
    network_table,
    reading_table,
    source_of_code,
)
from symbolic.architecture import to_compact, to_toml
from symbolic.derivatives import differentiate_text
from symbolic.doors import derive as derive_network
from symbolic.errors import InputError
from symbolic.formats import FORMATS
from symbolic.formats.answers import ANSWER_FORMATS
from symbolic.formats.data import as_data
from symbolic.language.reading import read, read_property, read_shape

SUFFIXES = {"text": "txt", "latex": "tex", "markdown": "md", "python": "py"}
"""Of the files in which the formats are kept."""


def read_expression(question: Mapping[str, Any]) -> dict[str, Any]:
    """Return what an expression holds, with the shape of each name."""
    text = question["expression"]
    with expression_place(text):
        return reading_table(read(text, *_declared(question)))


def differentiate(question: Mapping[str, Any]) -> dict[str, Any]:
    """Return what ``gradwright differentiate`` writes."""
    text, form = question["expression"], question["format"]
    shapes, properties = _declared(question)
    with expression_place(text):
        answers = differentiate_text(text, question["wrt"], question["order"], shapes, properties,
                                     question["convention"])
    if form == "python":
        return _file("derivative", form, generate_expression(answers))
    if form != "json":
        return _file("derivation", form, ANSWER_FORMATS[form](answers))
    return answers_as_data(answers)


def _declared(question: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, tuple[str, ...]]]:
    """Return the shapes and properties that were given beside the text."""
    given = [read_shape(text) for text in question["shapes"]]
    if len(dict(given)) < len(given):
        raise InputError("expected one shape for each name, got two for one of them")
    properties: dict[str, tuple[str, ...]] = {}
    for name, keys in map(read_property, question["properties"]):
        properties[name] = (*properties.get(name, ()), *keys)
    return dict(given), properties


def architecture(question: Mapping[str, Any]) -> dict[str, Any]:
    """Return a network in all of its forms, with a row for each layer."""
    network = network_of(question["architecture"])
    return {"toml": to_toml(network), "compact": to_compact(network)} | network_table(network)


def derive(question: Mapping[str, Any]) -> dict[str, Any]:
    """Return what ``gradwright derive`` writes."""
    derivation = derive_network(network_of(question["architecture"]))
    shown = selected(derivation, question["wrt"])
    if question["format"] == "json":
        return as_data(derivation, shown)
    return _file(derivation.forward.name, question["format"], FORMATS[question["format"]](derivation, shown))


def generate(question: Mapping[str, Any]) -> dict[str, Any]:
    """Return what ``gradwright generate`` writes."""
    network, target = network_of(question["architecture"]), question["target"]
    if question["dtype"] != "double" and target != "c":
        raise InputError(f"dtype is of the target c; a module of {target} keeps the type of its arrays")
    text = generate_c(network, None, question["dtype"]) if target == "c" else TARGETS[target].generate(network, None)
    return {"file": network.name + TARGETS[target].suffix, "format": target, "text": text}


def report(question: Mapping[str, Any]) -> dict[str, Any]:
    """Return what ``gradwright report`` writes."""
    from gradwright.reporting.page import report_html

    network = network_of(question["architecture"])
    return {"file": f"{network.name}.html", "format": "html", "text": report_html(network)}


def live(question: Mapping[str, Any]) -> dict[str, Any]:
    """Return the report as it is shown in a frame of the page, and the policy that it is served with."""
    from gradwright.reporting.page import report_page

    found = report_page(network_of(question["architecture"]), framed=True)
    return {"text": found.html, "policy": found.policy}


def check(question: Mapping[str, Any]) -> dict[str, Any]:
    """Return what ``gradwright check`` writes."""
    from gradwright.checking.checker import check_source
    from gradwright.checking.rendering import RENDERINGS

    source = source_of_code(question["code"], question["name"])
    network = network_of(question["architecture"]) if question["architecture"] else None
    found = check_source(source, network, arrays_of(question["parameters"]), dict(map(_pair, question["mapping"])))
    if question["format"] == "json":
        result: dict[str, Any] = json.loads(RENDERINGS["json"](found))
        return result
    text = RENDERINGS[question["format"]](found)
    return {"file": "check." + {"html": "html", "text": "txt"}[question["format"]], "format": question["format"],
            "text": text}


def _pair(text: str) -> tuple[str, str]:
    theirs, equals, ours = (part.strip() for part in text.rpartition("="))
    if not (equals and theirs and re.fullmatch(r"\w+", ours)):
        raise InputError(f"expected theirs=ours in the mapping, such as weights=W1, got {text[:80]!r}")
    return theirs, ours


def _file(name: str, form: str, text: str) -> dict[str, Any]:
    return {"file": f"{name}.{SUFFIXES[form]}", "format": form, "text": text}


TASKS: Mapping[str, Callable[[Mapping[str, Any]], dict[str, Any]]] = {
    "read": read_expression, "differentiate": differentiate, "architecture": architecture, "derive": derive,
    "generate": generate, "report": report, "live": live, "check": check}

_PLAIN: dict[str, Any] = {"shapes": [], "properties": [], "order": 1, "convention": "unconstrained", "format": "json"}
_TRIED = """import numpy as np
X, y = np.ones((2, 1)), np.ones((1, 1))
W, b = np.ones((1, 2)), np.ones((1, 1))
e = W @ X + b - y
loss = (e ** 2).sum()
dW, db = 2 * e @ X.T, 2 * e
"""

WARMING: tuple[tuple[str, dict[str, Any]], ...] = (
    ("differentiate", {**_PLAIN, "expression": "norm2(A*x - y)^2 + sum(log(1 + exp(x)))", "wrt": ["x"], "order": 2}),
    ("differentiate", {**_PLAIN, "expression": "softmax(A*x)", "wrt": ["x"]}),
    ("differentiate", {**_PLAIN, "expression": "inv(X)*A", "wrt": ["X"]}),
    ("differentiate", {**_PLAIN, "expression": "logdet(X) + tr(X'*A)", "wrt": ["X"], "format": "latex"}),
    ("derive", {"architecture": "2-2-2:tanh,softmax", "wrt": [], "format": "json"}),
    ("generate", {"architecture": "2-2-2:tanh,softmax", "target": "numpy", "dtype": "double"}),
    ("live", {"architecture": "2-2-2:tanh,softmax"}),
    ("check", {"code": _TRIED, "name": "warm.py", "architecture": "", "parameters": "", "mapping": [],
               "format": "html"}),
)
"""Questions that import and fill what the first true one would otherwise wait for."""
