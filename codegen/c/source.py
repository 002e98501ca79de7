"""A network as one C99 file without dependencies, for devices."""

from __future__ import annotations

import re
from dataclasses import dataclass

from sympy import Expr

from codegen.c.hessian import hessian_function, room
from codegen.c.layout import offsets, pointers
from codegen.c.multiply import MULTIPLY
from codegen.c.printer import CPrinter, size_text
from codegen.kernels.build import Kernel
from codegen.kernels.functions import Functions, functions
from codegen.kernels.storage import largest
from codegen.module import conventions, require_widths
from codegen.templating import render
from codegen.version import __version__
from symbolic.architecture import digest, to_compact
from symbolic.derivation import Derivation
from symbolic.doors import derive
from symbolic.network import Network
from symbolic.printing import TextPrinter
from symbolic.terms import is_matrix


@dataclass(frozen=True)
class Function:
    """A function of the file: its comment, its head, and its lines."""

    comment: str
    head: str
    lines: tuple[str, ...]


def generate_c(network: Network, derivation: Derivation | None = None, dtype: str = "double") -> str:
    """Return the text of a C99 file for a network, from its verified derivation.

    Args:
        network: With integer widths.
        derivation: Of the network's program, by X too; derived and verified here when not given.
        dtype: "double" or "float".

    Raises:
        InputError: A width is symbolic, or a constant is beyond the range of the dtype.
        VerificationError: A gradient disagrees with numbers.
    """
    require_widths(network)
    derivation = derive(network) if derivation is None else derivation
    forward, found, printer = derivation.forward, functions(derivation), CPrinter(dtype)
    X, Y = forward.inputs
    text = TextPrinter()
    comments = {e.name: text.show(e.term) for e in (
        *forward.equations, *(g.equation for g in derivation.gradients))}
    decay = printer.scalars.number(network.weight_decay) if network.weight_decay else ""
    made = _functions(_Parts(printer, forward.parameters, comments), found)
    hessian = hessian_function(network, derivation, found, printer.scalars)
    workspace = largest([found.workspace, room(network, found)]) if hessian else found.workspace
    return render(
        "network.c.jinja", network=network, version=__version__, compact=to_compact(network),
        digest=digest(network), real=dtype, conventions=conventions(network), X=" x ".join(map(str, X.shape)),
        Y=" x ".join(map(str, Y.shape)), layout=_layout(forward.parameters), count=offsets(forward.parameters)[-1],
        decay=decay, workspace=size_text(workspace), hessian=hessian,
        values=size_text(offsets(found.trace.results)[-1]),
        helpers=[*printer.scalars.helpers.values(),
                 *(MULTIPLY[key].format(real=dtype, simd="") for key in sorted(printer.products))],
        functions=made)


def _functions(parts: _Parts, found: Functions) -> list[Function]:
    """Return the functions of the file, in order."""
    dtype = parts.printer.real
    real, work = f"const {dtype} *", f"{dtype} *workspace"
    given, both = f"{real}parameters, {real}X", f"{real}parameters, {real}X, {real}Y"
    product = found.hessian_vector
    directions = product.inputs[-len(product.results):]
    return [
        parts.function(found.forward, "Write y_hat.", "void", f"{given}, {dtype} *y_hat, {work}", []),
        parts.function(found.loss, "Return the loss.", dtype, f"{both}, {work}", []),
        parts.function(found.loss_and_gradients, "Return the loss; write its gradients, in the order of the "
                       "parameters.", dtype, f"{both}, {dtype} *gradients, {work}",
                       pointers(found.loss_and_gradients.results[1:], dtype, "gradients", False)),
        parts.function(found.input_gradient, "Write the gradient by X.", "void", f"{both}, {dtype} *grad_X, {work}",
                       []),
        parts.function(found.trace, "Write every named value, forward and backward, one after another:\n   "
                       + _listed(found.trace), "void", f"{both}, {dtype} *values, {work}",
                       pointers(found.trace.results, dtype, "values", False)),
        parts.function(found.step, "Take one step of gradient descent in place; return the loss before it.",
                       dtype, f"{dtype} *parameters, {real}X, {real}Y, {dtype} learning_rate, {work}",
                       pointers(found.step.results[1:], dtype, "parameters", False), own=False),
        parts.function(product, "Write the Hessian of the loss times the vector V, which stands in the "
                       "order of the parameters, as does the product.", "void",
                       f"{both}, {real}V, {dtype} *product, {work}",
                       [*pointers(directions, dtype, "V", True), *pointers(product.results, dtype, "product", False)]),
    ]


class _Parts:
    def __init__(self, printer: CPrinter, parameters: tuple[Expr, ...], comments: dict[str, str]) -> None:
        self.printer, self.parameters, self.comments = printer, parameters, comments

    def function(self, kernel: Kernel, comment: str, returns: str, arguments: str, where: list[str],
                 own: bool = True) -> Function:
        """Return one function; ``where`` are the lines that name the places of its results."""
        body = self.printer.body(kernel, self.comments)
        text = "\n".join(body)
        named = [*(pointers(self.parameters, self.printer.real, "parameters", True) if own else []), *where]
        used = set(re.findall(r"\w+", text))
        lines = [line for line in named if _name(line) in used or _name(line).startswith("at_")]
        scalars = [f"*at_{s.name} = {s.name};" for s in kernel.results if not is_matrix(s) and returns == "void"]
        unused = [f"(void){n};" for n in ("workspace", "parameters", "X", "Y", "V") if f" *{n}" in arguments
                  and n not in used and not any(_uses(line, n) for line in lines)]
        last = [] if returns == "void" else [f"return {next(s.name for s in kernel.results if not is_matrix(s))};"]
        return Function(comment, f"{returns} {kernel.name}({arguments})", (*lines, *unused, *body, *scalars, *last))


def _name(line: str) -> str:
    return line.split("const ")[-1].split(" =")[0]


def _uses(line: str, name: str) -> bool:
    return name in re.findall(r"\w+", line)


def _listed(kernel: Kernel) -> str:
    parts = [f"{s.name} at {size_text(o)}" for s, o in zip(kernel.results, offsets(kernel.results), strict=False)]
    lines, line = [], ""
    for part in parts:
        if len(line) + len(part) > 96:
            lines.append(line.rstrip())
            line = ""
        line += part + ", "
    return "\n   ".join([*lines, line.removesuffix(", ")]) + "."


def _layout(parameters: tuple[Expr, ...]) -> list[str]:
    places = zip(parameters, offsets(parameters), strict=False)
    return [f"{p.name}: {p.shape[0]} x {p.shape[1]} at {offset}" for p, offset in places]

