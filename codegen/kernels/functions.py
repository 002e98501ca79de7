"""The kernels of a network: one for each function that a fast module offers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sympy import Expr, S, Symbol

from codegen.kernels.build import Kernel, build_kernel
from codegen.kernels.storage import largest
from codegen.passes import Equations, optimise
from symbolic.derivation import Derivation
from symbolic.differentiation import gradient_symbol
from symbolic.program import Equation
from symbolic.second_order import SecondOrder, hessian_vector
from symbolic.terms import add, product, symbols_of

LEARNING_RATE = Symbol("learning_rate", real=True)


@dataclass(frozen=True)
class Functions:
    """What a fast module computes.

    Attributes:
        forward: y_hat.
        loss: The loss.
        loss_and_gradients: The loss and the gradient by each parameter.
        input_gradient: The gradient by X.
        trace: Every named value, forward and backward.
        step: The loss, and each parameter after one step of gradient descent, in its own buffer.
        hessian_vector: The blocks of the product.
        second: What the latter was made from.
    """

    forward: Kernel
    loss: Kernel
    loss_and_gradients: Kernel
    input_gradient: Kernel
    trace: Kernel
    step: Kernel
    hessian_vector: Kernel
    second: SecondOrder

    @property
    def all(self) -> tuple[Kernel, ...]:
        """All of them."""
        return (self.forward, self.loss, self.loss_and_gradients, self.input_gradient, self.trace, self.step,
                self.hessian_vector)

    @property
    def workspace(self) -> Expr:
        """The numbers that the buffers of any of them hold, one at least."""
        return largest([S.One, *(kernel.storage.size for kernel in self.all)])


def functions(derivation: Derivation) -> Functions:
    """Return the kernels of a network, from its verified derivation.

    Raises:
        VerificationError: The Hessian–vector product disagrees with numbers.
    """
    program = derivation.forward
    X, Y = program.inputs
    gradients = [g.equation for g in derivation.gradients if g.wrt != X]
    equations = optimise((*program.equations, *gradients))
    with_input = optimise((*program.equations, *(g.equation for g in derivation.gradients)))
    second = hessian_vector(derivation)
    parameters, loss = program.parameters, program.result
    found = [gradient_symbol(p) for p in parameters]
    named = [e.symbol for e in (*program.equations, *gradients)]
    return Functions(
        build_kernel("forward", equations, [*parameters, X], [program.symbol("y_hat")]),
        build_kernel("loss", equations, [*parameters, X, Y], [loss]),
        build_kernel("loss_and_gradients", equations, [*parameters, X, Y], [loss, *found]),
        build_kernel("input_gradient", with_input, [*parameters, X, Y], [gradient_symbol(X)]),
        build_kernel("trace", equations, [*parameters, X, Y], named),
        build_kernel("step", optimise(updated((*program.equations, *gradients), parameters)),
                     [X, Y, LEARNING_RATE], [loss, *parameters]),
        build_kernel("hessian_vector", optimise(second.equations), [*parameters, X, Y, *second.directions],
                     second.results),
        second,
    )


def updated(equations: Equations, parameters: Sequence[Expr]) -> Equations:
    """Add ``W = W − η ∇W`` for each parameter, right behind the last equation that reads it.

    The gradient is written out in it, so that the product that it ends with can be added to W as it is computed.
    """
    by_gradient = {gradient_symbol(p): p for p in parameters}
    last: dict[Expr, int] = {}
    for i, equation in enumerate(equations):
        last |= {p: i for p in symbols_of(equation.term) if p in by_gradient.values()}
        if equation.symbol in by_gradient:
            last[by_gradient[equation.symbol]] = i
    ready: dict[int, list[Expr]] = {}
    for parameter, i in last.items():
        ready.setdefault(i, []).append(parameter)
    terms = {e.symbol: e.term for e in equations}
    result: list[Equation] = []
    for i, equation in enumerate(equations):
        if equation.symbol not in by_gradient:
            result.append(equation)
        for parameter in ready.get(i, ()):
            term = terms[gradient_symbol(parameter)]
            parts = term.args if term.is_MatAdd else (term,)
            result.append(Equation(parameter, add(parameter, *(product(-LEARNING_RATE, part) for part in parts))))
    return tuple(result)
