"""tensorgrad: symbolic gradients of tensor diagrams, printed as PyTorch code."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from benchmarks.speed.peers.base import Contender, Peer
from benchmarks.speed.peers.torch_eager import torch_here

if TYPE_CHECKING:
    from benchmarks.speed.workloads import Problem


class Tensorgrad(Peer):
    """The function that it generates is called by itself.

    Its wrapper needs named tensors, which PyTorch 2.13 no longer has; without it the call is faster, too.
    """

    title = "tensorgrad"
    about = "the PyTorch code that its compiler prints, without its wrapper"
    packages = ("tensorgrad",)

    def gradients(self, problem: Problem) -> Contender:
        """Time the generated function."""
        from tensorgrad.compiler import compile_to_callable

        torch = torch_here()
        loss, variables, sizes = _diagram(problem)
        names = list(problem.parameters)
        program = compile_to_callable(loss, *[loss.grad(variables[name]) for name in names])
        arrays = {"X": problem.X.T, "Y": problem.Y.T,
                  **{n: a.reshape(-1) if n.startswith("b") else a for n, a in problem.parameters.items()}}
        tensors = {name: torch.tensor(array.copy()) for name, array in arrays.items()}
        function = program.codegen.specialize(sizes, dtype=tensors["X"].dtype)
        given = tuple(tensors[v.name] for v in program.vars)
        edges = [variables[name].edges for name in names]

        def values(output: Any) -> dict[str, Any]:
            found = {"loss": output[0] * problem.scale}
            for i, name in enumerate(names):
                shape = problem.parameters[name].shape
                order = program.outputs[i + 1][1]
                gradient = output[i + 1].permute([list(order).index(edge) for edge in edges[i]])
                found[name] = gradient.reshape(shape) * problem.scale
            return found

        return Contender(function, given, values)


def _diagram(problem: Problem) -> tuple[Any, dict[str, Any], dict[Any, int]]:
    """Return the loss, the variables by name and the sizes of their edges."""
    import sympy
    import tensorgrad.functions as F
    from tensorgrad import Variable

    n, units = sympy.Symbol("n"), [sympy.Symbol(f"d{k}") for k in range(len(problem.widths))]
    functions = {"sigmoid": F.sigmoid, "tanh": F.tanh, "relu": F.relu, "softmax": lambda a: a}
    last = len(problem.activations)
    X, Y = Variable("X", n=n, h0=units[0]), Variable("Y", n=n, **{f"h{last}": units[last]})
    variables, h = {}, X
    for k, name in enumerate(problem.activations, start=1):
        W = Variable(f"W{k}", **{f"h{k}": units[k], f"h{k - 1}": units[k - 1]})
        b = Variable(f"b{k}", **{f"h{k}": units[k]})
        variables |= {W.name: W, b.name: b}
        h = functions[name](F.dot(h, W, dim=f"h{k - 1}") + b)
    loss = -F.sum(Y * F.log_softmax(h, dim=f"h{last}"))
    return loss, variables, {n: problem.X.shape[1], **dict(zip(units, problem.widths, strict=True))}
