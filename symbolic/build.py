"""From a network to its program: the forward equations and the loss."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from sympy import Expr, MatrixSymbol, OneMatrix, Rational, S, Symbol, sympify
from sympy.matrices.expressions.matexpr import MatrixExpr

from symbolic.formula import parse_formula
from symbolic.functions import FUNCTIONS, scalar_function
from symbolic.losses import LOSSES
from symbolic.network import Network
from symbolic.program import Assumption, Equation, Program, distributions
from symbolic.terms import SquaredNorm, add, elementwise, product, softmax

SAMPLES = Symbol("N", integer=True, positive=True)
"""The number of samples, symbolic throughout."""

DECAY = Symbol("lambda", positive=True)
LOSS = Symbol("loss", real=True)
DATA_LOSS = Symbol("data_loss", real=True)
PENALTY = Symbol("penalty", real=True)


def build_program(network: Network) -> Program:
    """Return the forward equations of a network, down to its loss.

    Layer k is ``a_k = W_k h_{k-1} + b_k 1ᵀ`` with samples as columns and
    ``a_k = h_{k-1} W_k + 1 b_k`` with samples as rows; h_0 is X, the last h is y_hat.
    """
    X, Y = sample_matrix("X", network.inputs, network.samples), sample_matrix("Y", network.widths[-1], network.samples)
    equations: list[Equation] = []
    parameters: list[Expr] = []
    applied = _activations(network)
    h: Expr = X
    for k, layer in enumerate(network.layers, start=1):
        last = k == len(network.layers)
        symbols = layer_parameters(network, k)
        a = sample_matrix(f"a{k}", layer.units, network.samples)
        equations.append(Equation(a, affine(network.samples, h, *symbols)))
        h = sample_matrix("y_hat" if last else f"h{k}", layer.units, network.samples)
        equations.append(Equation(h, applied[k - 1](a)))
        parameters += symbols
    weights = [p for p in parameters if str(p.name).startswith("W")]
    equations += loss_equations(network, Y, h, weights)
    through = {e.symbol for e in equations[2 * len(network.layers) - 1:]}
    return Program(network.name, (X, Y), tuple(parameters), tuple(equations), _assumptions(network, Y),
                   frozenset(through), {DECAY: network.weight_decay} if network.weight_decay else {})


def layer_parameters(network: Network, k: int) -> tuple[MatrixSymbol, ...]:
    """Return W_k, and b_k where the layer has a bias."""
    before, after = map(sympify, network.widths[k - 1:k + 1])
    columns = network.samples == "columns"
    weight = MatrixSymbol(f"W{k}", *((after, before) if columns else (before, after)))
    bias = MatrixSymbol(f"b{k}", *((after, S.One) if columns else (S.One, after)))
    return (weight, bias) if network.layers[k - 1].bias else (weight,)


def affine(samples: str, h: MatrixExpr, weight: MatrixExpr, bias: MatrixExpr | None = None) -> Expr:
    """Return ``W h + b 1ᵀ`` (samples as columns) or ``h W + 1 b`` (as rows)."""
    if samples == "columns":
        linear = product(weight, h)
        return linear if bias is None else add(linear, product(bias, OneMatrix(1, h.shape[1])))
    linear = product(h, weight)
    return linear if bias is None else add(linear, product(OneMatrix(h.shape[0], 1), bias))


def sample_matrix(name: str, units: object, samples: str) -> MatrixSymbol:
    """Return a matrix symbol with a column (or a row) for each of N samples."""
    return MatrixSymbol(name, units, SAMPLES) if samples == "columns" else MatrixSymbol(name, SAMPLES, units)


def output_activation(network: Network, a: MatrixExpr) -> MatrixExpr:
    """Return the last activation of a network applied to a."""
    return _activations(network)[-1](a)


def _activations(network: Network) -> list[Callable[[MatrixExpr], MatrixExpr]]:
    """Return each layer's activation."""
    axis, names = softmax_axis(network.samples), formula_names(network)

    def applied(name: str) -> Callable[[MatrixExpr], MatrixExpr]:
        if name == "softmax":
            return lambda a: softmax(a, axis)
        if name == "identity":
            return lambda a: a
        function = scalar_function(name) if name in FUNCTIONS else scalar_function(names[name], parse_formula(name))
        return lambda a: elementwise(function, a)

    table = {name: applied(name) for name in {layer.activation for layer in network.layers}}
    return [table[layer.activation] for layer in network.layers]


def formula_names(network: Network) -> dict[str, str]:
    """Return a name for each formula among the activations: f, or f1, f2, … where there are several."""
    formulas = dict.fromkeys(a for layer in network.layers if (a := layer.activation) not in FUNCTIONS
                             and a != "softmax")
    return {f: "f" if len(formulas) == 1 else f"f{i}" for i, f in enumerate(formulas, start=1)}


def softmax_axis(samples: str) -> int:
    """Return the axis along which the entries of one sample lie."""
    return 0 if samples == "columns" else 1


def _assumptions(network: Network, Y: MatrixSymbol) -> tuple[Assumption, ...]:
    return (distributions(Y, network.samples),) if LOSSES[network.loss].distributions else ()


def loss_equations(network: Network, Y: MatrixSymbol, y_hat: Expr, weights: list[Expr]) -> list[Equation]:
    """Return the equations from the output y_hat and the labels Y to the loss."""
    loss, equations = LOSSES[network.loss], []
    argument = y_hat
    if loss.argument:
        name, term = loss.argument
        argument = MatrixSymbol(name, *y_hat.shape)
        equations.append(Equation(argument, term(Y, y_hat)))
    total = loss.total(Y, argument)
    if network.reduction == "mean":
        total = total.expand() / SAMPLES if total.is_Add else total / SAMPLES
    if not network.weight_decay:
        return [*equations, Equation(LOSS, total)]
    return [*equations, Equation(DATA_LOSS, total), Equation(PENALTY, penalty(weights)),
            Equation(LOSS, DATA_LOSS + PENALTY)]


def penalty(weights: Sequence[Expr]) -> Expr:
    """Return λ/2 ‖W‖², summed over weight matrices (Goodfellow et al. 2016, section 7.1.1)."""
    return add(*(DECAY * Rational(1, 2) * SquaredNorm(w) for w in weights))


__all__ = ["SAMPLES", "affine", "build_program", "layer_parameters", "softmax_axis"]
