"""What the fast modules share: the same functions as the NumPy module, and a Workspace, around an engine."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sympy import Expr

from codegen.kernels.functions import Functions
from codegen.module import conventions, hessian_words, initial_lines, loss_words
from codegen.templating import render
from codegen.version import __version__
from symbolic.architecture import digest, to_compact
from symbolic.build import SAMPLES
from symbolic.derivation import Derivation
from symbolic.network import Network
from symbolic.terms import is_matrix


def fast_module(network: Network, derivation: Derivation, functions: Functions, engine: str,
                **words: str) -> str:
    """Return the text of a module around an engine.

    Args:
        network: With integer widths.
        derivation: Of the network's program.
        functions: Its kernels.
        engine: The text of a class ``_Engine(samples, dtype)``, whose methods forward(parameters, X, y_hat),
            loss(parameters, X, Y), loss_and_gradients(parameters, X, Y, gradients), input_gradient(parameters, X, Y,
            grad_X), trace(parameters, X, Y, values), step(parameters, X, Y, learning_rate) and
            hessian_vector(parameters, X, Y, V, product) write into their last argument and return the loss.
        **words: ``words``, ``target``, ``command``, ``imports`` and ``remark`` of the template.
    """
    return render(
        "fast.py.jinja", engine=engine, **words, **_context(network, derivation, functions))


def _context(network: Network, derivation: Derivation, functions: Functions) -> dict[str, Any]:
    program = derivation.forward
    X, Y = program.inputs
    columns = network.samples == "columns"
    parameters: Mapping[str, Any] = network.parameter_shapes()
    named = functions.trace.results
    return {
        "name": network.name, "version": __version__, "compact": to_compact(network), "digest": digest(network),
        "conventions": conventions(network), "parameters": parameters,
        "values": {str(s.name): _size(s) for s in named}, "size": sum(int(r) * int(c) for r, c in parameters.values()),
        "decay": network.weight_decay, "initial": initial_lines(network), "loss_words": loss_words(network),
        "scalars": tuple(str(s.name) for s in named if not is_matrix(s)),
        "shapes": {s.name: " x ".join(map(str, s.shape)) for s in (X, Y, program.symbol("y_hat"))},
        "sizes": {s.name: f"({_size(s)})" for s in (X, Y)},
        **hessian_words(network, derivation, functions.second),
        "sample_axis": 1 if columns else 0, "class_axis": 0 if columns else 1,
        "sample_word": "column" if columns else "row",
        "distributions": any(a.symbol == Y for a in derivation.assumptions),
    }


def _size(symbol: Expr) -> str:
    if not is_matrix(symbol):
        return "1, 1"
    return ", ".join("None" if d == SAMPLES else str(d) for d in symbol.shape)
