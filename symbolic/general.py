"""The formulas of backpropagation for any layer k and any activation g.

Two programs, both with symbolic dimensions and differentiated by the same engine: the
output layer, from a_L to the loss, and layer k, from a_{k-1} to a_k, whose gradient
is given.
"""

from __future__ import annotations

from dataclasses import replace

import sympy
from sympy import MatrixSymbol, S, Symbol

from symbolic.build import (
    DECAY,
    PENALTY,
    SAMPLES,
    affine,
    loss_equations,
    output_activation,
    penalty,
    sample_matrix,
)
from symbolic.derivation import Derivation, Verified
from symbolic.differentiation import differentiate, gradient_symbol
from symbolic.functions import derivative, scalar_function
from symbolic.losses import LOSSES
from symbolic.network import Network
from symbolic.program import Equation, Program, distributions, single_sample
from symbolic.scalars import x
from symbolic.terms import elementwise
from symbolic.verify import verify_derivation

G = scalar_function("g", sympy.Function("g")(x))
"""An activation of which nothing is known but that it is differentiable."""


NOTES = ("k runs from 1 to L, and h_0 is X.",
         "g stands for any activation that works entry by entry; a softmax in a hidden layer is none.")


def _width(index: str) -> Symbol:
    return Symbol(f"n_{index}", integer=True, positive=True)


def derive_general(network: Network) -> Derivation:
    """Return the gradients by a_L, W_k, b_k, h_{k-1} and a_{k-1}, and by b_k for one sample.

    The loss, its reduction, the output activation and the sample convention are the network's;
    the hidden activation is an unspecified g. Every formula is verified with a g of its own.

    Raises:
        VerificationError: A formula disagrees with numbers.
    """
    output, layer = _output(network), _layer(network)
    a = layer.symbol("a_k")
    given = {a: gradient_symbol(a)} | ({PENALTY: S.One} if network.weight_decay else {})
    parts = [differentiate(output), differentiate(layer, given=given)]
    one = differentiate(replace(layer, assumptions=(single_sample(SAMPLES),)), given=given)
    evidence = [verify_derivation(_with_activation(part)) for part in (*parts, one)]
    forward = (*(e for e in layer.equations if e.symbol != PENALTY), *output.equations)
    whole = Program("general", output.inputs, layer.parameters[:-1], forward, output.assumptions, output.through,
                    output.constants)
    bias = [g for g in one.gradients if str(g.wrt.name).startswith("b")]
    return Derivation(whole, (*parts[0].gradients, *parts[1].gradients, *bias), given=given,
                      verified=_weakest(evidence), notes=NOTES)


def _weakest(evidence: list[Verified]) -> Verified:
    """Return the evidence of all parts as one: the weaker method, the larger error of each name."""
    weakest = max(evidence, key=lambda v: v.tolerance)
    errors: dict[str, float] = {}
    for verified in evidence:
        for name, error in verified.errors.items():
            errors[name] = max(error, errors.get(name, 0.0))
    return replace(weakest, errors=errors)


def _output(network: Network) -> Program:
    units = _width("L")
    a, y_hat, Y = (sample_matrix(name, units, network.samples) for name in ("a_L", "y_hat", "Y"))
    equations = (Equation(y_hat, output_activation(network, a)),
                 *loss_equations(network, Y, y_hat, [_weight(network)] if network.weight_decay else []))
    assumed = (distributions(Y, network.samples),) if LOSSES[network.loss].distributions else ()
    inputs = (Y, _weight(network)) if network.weight_decay else (Y,)
    constants = {DECAY: network.weight_decay} if network.weight_decay else {}
    return Program("output", inputs, (a,), equations, assumed, frozenset(e.symbol for e in equations), constants)


def _weight(network: Network) -> MatrixSymbol:
    before, after = _width("{k-1}"), _width("k")
    return MatrixSymbol("W_k", *((after, before) if network.samples == "columns" else (before, after)))


def _layer(network: Network) -> Program:
    before, after = _width("{k-1}"), _width("k")
    a0, h, a = (sample_matrix(name, units, network.samples) for name, units in (
        ("a_{k-1}", before), ("h_{k-1}", before), ("a_k", after)))
    columns = network.samples == "columns"
    weight = _weight(network)
    bias = MatrixSymbol("b_k", *((after, S.One) if columns else (S.One, after)))
    biased = any(layer.bias for layer in network.layers)
    symbols = (weight, bias) if biased else (weight,)
    equations = [Equation(h, elementwise(G, a0)), Equation(a, affine(network.samples, h, *symbols))]
    if network.weight_decay:
        equations.append(Equation(PENALTY, penalty([weight])))
    constants = {DECAY: network.weight_decay} if network.weight_decay else {}
    return Program("layer", (), (*symbols, a0), tuple(equations), constants=constants)


def _with_activation(derivation: Derivation) -> Derivation:
    """Return the derivation with a g that can be evaluated, g(x) = x sin x, and its derivative."""
    concrete = scalar_function("g", x * sympy.sin(x))
    known = {G: concrete, derivative(G): derivative(concrete)}
    equations = tuple(Equation(e.symbol, e.term.xreplace(known)) for e in derivation.forward.equations)
    gradients = tuple(replace(g, term=g.term.xreplace(known)) for g in derivation.gradients)
    return replace(derivation, forward=replace(derivation.forward, equations=equations), gradients=gradients)
