"""autograd: NumPy code, differentiated as it runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from benchmarks.speed.peers.base import Contender, Peer

if TYPE_CHECKING:
    from benchmarks.speed.workloads import Problem


class Autograd(Peer):
    """Records the NumPy calls of each evaluation anew."""

    title = "autograd"
    about = "NumPy code, recorded and differentiated at each call"
    packages = ("autograd",)
    left: ClassVar[dict[str, str]] = {"wide": "spared: slow"}

    def gradients(self, problem: Problem) -> Contender:
        """Time value_and_grad over the dict of parameters."""
        from autograd import value_and_grad

        function = value_and_grad(_loss(problem))
        return Contender(function, (problem.parameters, problem.X, problem.Y), lambda r: {"loss": r[0], **r[1]})

    def training(self, problem: Problem) -> Contender:
        """Time gradients and update."""
        from autograd import value_and_grad

        function, p, eta = value_and_grad(_loss(problem)), problem.copied(), problem.learning_rate

        def step(x: Any, y: Any) -> Any:
            loss, gradients = function(p, x, y)
            for name in p:
                p[name] = p[name] - eta * gradients[name]
            return loss

        return Contender(step, (problem.X, problem.Y), lambda loss: {"loss": loss, **p})

    def hessian(self, problem: Problem) -> Contender:
        """Time its hessian of the logistic loss."""
        import autograd.numpy as np
        from autograd import hessian

        def loss(w: Any, x: Any, y: Any) -> Any:
            a = np.dot(w, x)
            return np.sum(np.logaddexp(0, a) - y[0] * a)

        function = hessian(loss)
        return Contender(function, (problem.parameters["W1"][0], problem.X, problem.Y), lambda r: {"hessian": r})

    def hessian_vector(self, problem: Problem) -> Contender:
        """Time the gradient of ⟨∇, v⟩."""
        import autograd.numpy as np
        from autograd import grad

        gradient = grad(_loss(problem))

        def along(p: Any, x: Any, y: Any, v: Any) -> Any:
            found = gradient(p, x, y)
            return sum(np.sum(found[name] * v[name]) for name in v)

        return Contender(grad(along), (problem.parameters, problem.X, problem.Y, problem.direction), dict)


def _loss(problem: Problem) -> Any:
    import autograd.numpy as np

    functions = {"sigmoid": lambda a: 1 / (1 + np.exp(-a)), "tanh": np.tanh, "relu": lambda a: np.maximum(a, 0)}
    activations, scale = problem.activations, problem.scale

    def loss(p: Any, x: Any, y: Any) -> Any:
        h = x
        for k, name in enumerate(activations, start=1):
            a = np.dot(p[f"W{k}"], h) + p[f"b{k}"]
            if name != "softmax":
                h = functions[name](a)
        a = a - np.max(a, axis=0)
        return -np.sum(y * (a - np.log(np.sum(np.exp(a), axis=0)))) * scale

    return loss
