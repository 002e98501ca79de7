"""The questions of the API."""

from __future__ import annotations

from collections.abc import Mapping

from gradwright.serving.fields import Endpoint, Field

_EXPRESSION = Field("expression", "An expression or program of the matrix language.", example="norm2(A*x - y)^2")
_SHAPES = Field("shapes", "Shapes of names that the text does not declare, as `X=m,n` or `c=scalar`.", default=[],
                longest=200, example=["A=m,n"])
_PROPERTIES = Field("properties", "What to assume of names, as `S=symmetric`.", default=[], longest=400,
                    example=["S=symmetric"])
_ARCHITECTURE = Field("architecture", "A network: a TOML document, or a compact string.", longest=200_000,
                      example="3-5-2:tanh,softmax")
_NAMES = Field("wrt", "The quantities by which; all parameters and values if empty.", default=[], longest=64, most=1000,
               example=["W1"])


def _form(*others: str) -> Field:
    return Field("format", "json for the answer as data; else an object with `file`, `format` and `text`.",
                 default="json", choices=("json", *others), longest=20)


ENDPOINTS: Mapping[str, Endpoint] = {e.name: e for e in (
    Endpoint("read", "Reads an expression: names, shapes, equations; fast enough to be asked at each keystroke.",
             (_EXPRESSION, _SHAPES, _PROPERTIES),
             "`inputs` and `equations` with shapes (an empty one is a scalar's), and the `result`. An error that is at "
             "a character has a `place`, its `line` and `character` counted from 1."),
    Endpoint("differentiate", "Differentiates an expression, each step with its rule; verified against numbers.",
             (_EXPRESSION,
              Field("wrt", "The variables, one answer for each.", kind=list, longest=64, example=["x"]),
              Field("order", "2 for second derivatives of a scalar.", default=1, choices=(1, 2)),
              _SHAPES, _PROPERTIES,
              Field("convention", "symmetric for gradients by the free entries of a symmetric matrix.",
                    default="unconstrained", choices=("unconstrained", "symmetric"), longest=20),
              _form("text", "latex", "markdown", "python")),
             "An answer with `text` in the matrix language, `latex`, `python`, `steps`, `verified`; of several "
             "variables or blocks, a list of `answers`.", "gradwright differentiate"),
    Endpoint("architecture", "Reads a network, and returns all of its forms with a row for each layer.",
             (_ARCHITECTURE,), "`toml`, `compact`, the fields, `layers` with the shapes of their parameters."),
    Endpoint("derive", "Derives every gradient of a network's loss; verified against numbers.",
             (_ARCHITECTURE, _NAMES, _form("text", "latex", "markdown")),
             "The `forward` equations, and `gradients` with `steps`.", "gradwright derive"),
    Endpoint("generate", "Writes the network as a module.",
             (_ARCHITECTURE,
              Field("target", "The language of the module.", default="numpy",
                    choices=("numpy", "numpy-workspace", "numba", "c"), longest=20),
              Field("dtype", "The numbers of a C file.", default="double", choices=("double", "float"), longest=20)),
             "An object with `file`, `format` and `text`.", "gradwright generate"),
    Endpoint("report", "Writes a network's report, a page that stands alone.", (_ARCHITECTURE,),
             "An object with `file`, `format` and `text`.", "gradwright report"),
    Endpoint("check", "Checks hand-written backpropagation line by line; the code is followed, never run.",
             (Field("code", "A script, or the JSON of a notebook.", longest=2_000_000, example="import numpy as np\n…"),
              Field("name", "What the file is called; a notebook's ends in .ipynb.", default="pasted.py", longest=200),
              Field("architecture", "The network, where it should not be recognised.", default="", longest=200_000),
              Field("parameters", "An npz file in Base64, for one that the code loads.", default="", longest=2_000_000),
              Field("mapping", "Names of the code and ours, as `weights=W1`.", default=[], longest=200),
              _form("html", "text")),
             "The `network`, `lines` with verdicts, `findings` with corrections, `numbers`.", "gradwright check"),
)}
