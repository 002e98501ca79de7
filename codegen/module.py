"""A network as the text of a NumPy module."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sympy import Expr, ZeroMatrix

from codegen.hessian import closed_form
from codegen.numpy_code import NetworkPrinter
from codegen.passes import inline, optimise
from codegen.templating import render
from codegen.version import __version__
from symbolic.architecture import digest, to_compact
from symbolic.build import SAMPLES
from symbolic.derivation import Derivation
from symbolic.differentiation import gradient_symbol
from symbolic.doors import derive
from symbolic.errors import InputError
from symbolic.functions import FUNCTIONS
from symbolic.network import Network
from symbolic.printing import TextPrinter
from symbolic.program import Equation, Program, needed
from symbolic.second_order import SecondOrder, hessian_vector
from symbolic.terms import symbols_of

WIDTH = 100


@dataclass(frozen=True)
class Lines:
    """The body of one generated function, and whether it takes N and a vector of N ones."""

    lines: tuple[str, ...]
    needs_N: bool
    ones: bool


def generate(network: Network, derivation: Derivation | None = None) -> str:
    """Return the text of a NumPy module for a network, from its verified derivation.

    Args:
        network: With integer widths.
        derivation: Of the network's program, by X too; derived and verified here when not given.

    Raises:
        InputError: A width is symbolic.
        VerificationError: A gradient disagrees with numbers.
    """
    require_widths(network)
    if derivation is None:
        derivation = derive(network)
    return render("numpy.py.jinja", **_context(network, derivation))


def hessian_words(network: Network, derivation: Derivation, second: SecondOrder) -> dict[str, Any]:
    """Return what the template of the closed Hessian needs; ``hessian`` is None where there is none."""
    form = closed_form(network, derivation, second)
    return {"hessian": form, "samples": network.samples, "bias": network.layers[0].bias,
            "features": network.inputs, "decay": network.weight_decay,
            "coefficient": NetworkPrinter().show(form.coefficient) if form else ""}


def require_widths(network: Network) -> Network:
    """Return the network; refuse one with symbolic widths.

    Raises:
        InputError: A width is symbolic.
    """
    if network.symbolic:
        raise InputError(f"expected integer widths to generate code, got {to_compact(network)!r}; "
                         "symbolic widths are for deriving")
    return network


def _context(network: Network, derivation: Derivation) -> dict[str, Any]:
    program, printer = derivation.forward, NetworkPrinter()
    X, Y = program.inputs
    y_hat = program.symbol("y_hat")
    input_gradient = gradient_symbol(X)
    backward = [g.equation for g in derivation.gradients if g.symbol != input_gradient]
    equations = optimise((*program.equations, *backward))
    results = [*(e.symbol for e in program.equations), *(e.symbol for e in backward)]
    split = next(i for i, e in enumerate(equations) if e.symbol == program.result) + 1
    forward, loss = (needed(equations, [r]) for r in (y_hat, program.result))
    gradients = [e.symbol for e in backward if e.symbol in {gradient_symbol(p) for p in program.parameters}]
    # A gradient that is 0 is written as zeros like what it belongs to, which has to keep its name.
    named = [program.symbol(e.name[5:]) for e in backward if isinstance(e.term, ZeroMatrix)]
    short = inline(needed(equations, [program.result, *gradients]), [program.result, *gradients, *named],
                   lambda e: len(printer.assignment(e)) + 4 <= WIDTH)
    comments = _Comments((*program.equations, *backward))
    trace = _body(equations, printer, comments)
    body = {"forward": trace.lines[:split], "backward": trace.lines[split:],
            "names": [s.name for s in results], "needs_N": trace.needs_N, "ones": trace.ones}
    second = hessian_vector(derivation)
    product = needed(optimise(second.equations), second.results)
    columns = network.samples == "columns"
    unpack = _names(program.parameters, program.parameters)
    return {
        "title": f"Network {program.name}: forward pass, loss and gradients in NumPy.",
        "version": __version__, "compact": to_compact(network), "digest": digest(network),
        "conventions": conventions(network), "parameters": network.parameter_shapes(),
        "constants": {"WEIGHT_DECAY": network.weight_decay} if network.weight_decay else {},
        "initial": initial_lines(network), "forward": _body(forward, printer, comments),
        "loss": _body(loss, printer, comments), "trace": body,
        "product": _body(product, printer, comments), "products": [str(r.name) for r in second.results],
        "unpack_product": _names(program.parameters, _symbols(product) | _like_zeros(product, program)),
        "unpack_directions": _names(second.directions, _symbols(product)),
        "gradients": _body(short, printer, _Comments(())),
        "unpack_gradients": _names(program.parameters, _symbols(short)),
        **hessian_words(network, derivation, second),
        "input_gradient": _input_gradient(derivation, printer),
        "unpack": unpack, "unpack_forward": _names(program.parameters, _symbols(forward)),
        "unpack_loss": _names(program.parameters, _symbols(loss)),
        "shapes": {s.name: " x ".join(map(str, s.shape)) for s in (X, Y, y_hat)},
        "sizes": {s.name: "({}, {})".format(*("None" if d == SAMPLES else d for d in s.shape)) for s in (X, Y)},
        "sample_axis": 1 if columns else 0, "class_axis": 0 if columns else 1,
        "sample_word": "column" if columns else "row",
        "distributions": any(a.symbol == Y for a in derivation.assumptions),
        "loss_words": loss_words(network), "helpers": _ordered(printer),
    }


def conventions(network: Network) -> str:
    """Return what the head of a file says of layers, samples and loss."""
    columns = network.samples == "columns"
    layer = "a_k = W_k h_{k-1} + b_k, samples are columns" if columns else "a_k = h_{k-1} W_k + b_k, samples are rows"
    return f"Layer k is {layer}; N is the number of samples.\nThe loss is {loss_words(network)}."


def loss_words(network: Network) -> str:
    """Return the loss in words."""
    words = network.loss.replace("_", " ")
    if network.loss.startswith("mean_"):
        words = words[5:]
    words += ", the mean over samples" if network.reduction == "mean" else ", summed over samples"
    return words + (", plus weight decay" if network.weight_decay else "")


def initial_lines(network: Network) -> dict[str, str]:
    """Return the expression that draws each parameter."""
    lines = {}
    for k, layer in enumerate(network.layers, start=1):
        for name, shape in ((n, s) for n, s in network.parameter_shapes().items() if n in (f"W{k}", f"b{k}")):
            row = FUNCTIONS.get(layer.activation)
            gain = round((row.gain if row else 1.0) ** 2)
            fan_in = network.widths[k - 1]
            lines[name] = (f"rng.standard_normal({shape}) * ({gain} / {fan_in}) ** 0.5" if name.startswith("W")
                           else f"np.zeros({shape})")
    return lines


def _input_gradient(derivation: Derivation, printer: NetworkPrinter) -> list[str]:
    """Return the lines that find the gradient by X from the values of the trace."""
    gradient = derivation.gradient("X").equation
    (equation,) = optimise((gradient,))
    parameters = set(derivation.forward.parameters)
    lines = [f'{s.name} = np.asarray(parameters["{s.name}"])' if s in parameters else
             f'{s.name} = values["{s.name}"]' for s in sorted(symbols_of(equation.term), key=lambda s: str(s.name))]
    return [*lines, f'gradients["X"] = {printer.show(equation.term)}']


class _Comments:
    """The formula of an equation, for the lines whose code does not read like it."""

    def __init__(self, equations: Iterable[Equation]) -> None:
        self.terms = {e.symbol: e for e in equations}
        self.printer = TextPrinter()

    def of(self, equation: Equation) -> str:
        original = self.terms.get(equation.symbol)
        if original is None or original.term == equation.term:
            return ""
        return f"  # {self.printer.show(original.term)}"


def _line(equation: Equation, printer: NetworkPrinter, comments: _Comments) -> str:
    code = printer.assignment(equation)
    comment = comments.of(equation)
    return code + comment if len(code + comment) + 4 <= WIDTH else code


def _body(equations: Sequence[Equation], printer: NetworkPrinter, comments: _Comments) -> Lines:
    words = {word for e in equations for word in re.findall(r"(?<!np\.)\b\w+", printer.show(e.term))}
    ones = "ones" in words
    return Lines(tuple(_line(e, printer, comments) for e in equations), ones or "N" in words, ones)


def _symbols(equations: Iterable[Equation]) -> set[Expr]:
    return {s for e in equations for s in symbols_of(e.term)}


def _like_zeros(equations: Iterable[Equation], program: Program) -> set[Expr]:
    """Return the parameters whose blocks of the product are 0: they are written as zeros like the parameter."""
    return {program.symbol(e.name.removeprefix("dgrad_")) for e in equations if isinstance(e.term, ZeroMatrix)}


def _names(parameters: Sequence[Expr], used: Iterable[Expr]) -> str:
    """Return the names to unpack the parameters into, those not used as an underscore."""
    used = set(used)
    names = [str(p.name) if p in used else "_" for p in parameters]
    text = ", ".join(names)
    if len(names) == 1:
        return f"[{text}]"
    if len(text) + 32 <= WIDTH:
        return text
    return "(\n" + textwrap.fill(text, WIDTH, initial_indent=" " * 8, subsequent_indent=" " * 8) + ",\n    )"


def _ordered(printer: NetworkPrinter) -> list[Any]:
    return list(printer.helpers.values())
