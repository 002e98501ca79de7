"""JAX: traced once, compiled by XLA."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from benchmarks.speed.peers.base import Contender, Peer

if TYPE_CHECKING:
    from benchmarks.speed.workloads import Problem


class Jax(Peer):
    """Arrays are on its device beforehand, and a call ends when the result is there."""

    title = "JAX jit"
    about = "`jax.jit`, until `block_until_ready`"
    packages = ("jax", "jaxlib")

    def gradients(self, problem: Problem) -> Contender:
        """Time a jitted value_and_grad."""
        jax = _jax()
        function = jax.jit(jax.value_and_grad(_loss(problem)))
        return Contender(_blocking(function), _given(problem), lambda r: {"loss": r[0], **r[1]})

    def training(self, problem: Problem) -> Contender:
        """Time a jitted step that is given its parameters to overwrite."""
        jax = _jax()
        gradient, eta = jax.value_and_grad(_loss(problem)), problem.learning_rate

        def step(p: Any, x: Any, y: Any) -> Any:
            loss, gradients = gradient(p, x, y)
            return loss, jax.tree.map(lambda v, g: v - eta * g, p, gradients)

        function, (p, x, y) = jax.jit(step, donate_argnums=0), _given(problem)
        state = [p]

        def call(x: Any, y: Any) -> Any:
            loss, state[0] = function(state[0], x, y)
            return jax.block_until_ready((loss, state[0]))

        return Contender(call, (x, y), lambda r: {"loss": r[0], **r[1]})

    def hessian(self, problem: Problem) -> Contender:
        """Time a jitted jax.hessian."""
        jax = _jax()

        def loss(w: Any, x: Any, y: Any) -> Any:
            a = w @ x
            return jax.numpy.sum(jax.nn.softplus(a) - y[0] * a)

        p, x, y = _given(problem)
        return Contender(_blocking(jax.jit(jax.hessian(loss))), (p["W1"][0], x, y), lambda r: {"hessian": r})

    def hessian_vector(self, problem: Problem) -> Contender:
        """Time a jitted forward derivative of the gradient."""
        jax = _jax()
        gradient = jax.grad(_loss(problem))

        def product(p: Any, x: Any, y: Any, v: Any) -> Any:
            return jax.jvp(lambda q: gradient(q, x, y), (p,), (v,))[1]

        return Contender(_blocking(jax.jit(product)), (*_given(problem), _on_device(problem.direction)), dict)


def _jax() -> Any:
    import jax

    jax.config.update("jax_enable_x64", True)
    return jax


def _blocking(function: Any) -> Any:
    block = _jax().block_until_ready
    return lambda *arguments: block(function(*arguments))


def _on_device(arrays: dict[str, Any]) -> dict[str, Any]:
    return {name: _jax().numpy.array(array) for name, array in arrays.items()}


def _given(problem: Problem) -> tuple[Any, ...]:
    jnp = _jax().numpy
    return _on_device(problem.parameters), jnp.array(problem.X), jnp.array(problem.Y)


def _loss(problem: Problem) -> Any:
    jax = _jax()
    functions = {"sigmoid": jax.nn.sigmoid, "tanh": jax.numpy.tanh, "relu": jax.nn.relu}
    activations, scale = problem.activations, problem.scale

    def loss(p: Any, x: Any, y: Any) -> Any:
        h = x
        for k, name in enumerate(activations, start=1):
            a = p[f"W{k}"] @ h + p[f"b{k}"]
            if name != "softmax":
                h = functions[name](a)
        return -jax.numpy.sum(y * jax.nn.log_softmax(a, axis=0)) * scale

    return loss
