"""PyTorch, eager: a graph is built and run backwards at each call."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from benchmarks.speed.peers.base import Contender, Peer

if TYPE_CHECKING:
    from benchmarks.speed.workloads import Problem


class Torch(Peer):
    """On tensors of its own."""

    title = "PyTorch eager"
    about = "`torch.autograd.grad` of code as one writes it"
    packages = ("torch",)

    def gradients(self, problem: Problem) -> Contender:
        """Time the loss and autograd.grad."""
        torch = torch_here()
        loss, p, x, y = _loss(problem), *_given(problem)
        leaves = list(p.values())

        def function(p: Any, x: Any, y: Any) -> Any:
            value = loss(p, x, y)
            return value, torch.autograd.grad(value, leaves)

        return Contender(function, (p, x, y), lambda r: {"loss": r[0].detach(), **_named(problem, r[1])})

    def training(self, problem: Problem) -> Contender:
        """Time backward and its SGD."""
        torch = torch_here()
        loss, p, x, y = _loss(problem), *_given(problem)
        optimizer = torch.optim.SGD(p.values(), lr=problem.learning_rate)

        def step(x: Any, y: Any) -> Any:
            optimizer.zero_grad()
            value = loss(p, x, y)
            value.backward()
            optimizer.step()
            return value

        return Contender(step, (x, y), lambda value: {"loss": value.detach(), **_named(problem, p.values())})

    def hessian(self, problem: Problem) -> Contender:
        """Time torch.func.hessian."""
        torch = torch_here()

        def loss(w: Any, x: Any, y: Any) -> Any:
            a = x @ w
            return torch.sum(torch.nn.functional.softplus(a) - y * a)

        p, x, y = _given(problem)
        return Contender(torch.func.hessian(loss), (p["W1"][0].detach(), x, y), lambda r: {"hessian": r})

    def hessian_vector(self, problem: Problem) -> Contender:
        """Time the gradient of ⟨∇, v⟩."""
        torch = torch_here()
        loss, p, x, y = _loss(problem), *_given(problem)
        leaves = list(p.values())
        v = [torch.tensor(a).reshape(leaf.shape)
             for a, leaf in zip(problem.direction.values(), p.values(), strict=True)]

        def function(p: Any, x: Any, y: Any, v: Any) -> Any:
            gradients = torch.autograd.grad(loss(p, x, y), leaves, create_graph=True)
            return torch.autograd.grad(gradients, leaves, grad_outputs=v)

        return Contender(function, (p, x, y, v), lambda r: _named(problem, r))


def torch_here() -> Any:
    """Return torch, with as many threads as this process may use."""
    import torch

    torch.set_num_threads(int(os.environ.get("OMP_NUM_THREADS", "1")))
    return torch


def _given(problem: Problem) -> tuple[Any, ...]:
    """Return parameters, inputs and labels as its users have them: samples are rows, labels are classes."""
    torch = torch_here()
    arrays = {name: a.reshape(-1) if name.startswith("b") else a for name, a in problem.parameters.items()}
    parameters = {name: torch.tensor(a, requires_grad=True) for name, a in arrays.items()}
    labels = problem.Y.argmax(axis=0) if len(problem.Y) > 1 else problem.Y[0]
    return parameters, torch.tensor(problem.X.T.copy()), torch.tensor(labels)


def _named(problem: Problem, tensors: Any) -> dict[str, Any]:
    pairs = zip(problem.parameters.items(), tensors, strict=True)
    return {name: t.detach().reshape(array.shape) for (name, array), t in pairs}


def _loss(problem: Problem) -> Any:
    torch = torch_here()
    functional = torch.nn.functional
    functions = {"sigmoid": torch.sigmoid, "tanh": torch.tanh, "relu": torch.relu}
    activations, reduction = problem.activations, "sum" if problem.scale == 1 else "mean"

    def loss(p: Any, x: Any, y: Any) -> Any:
        h = x
        for k, name in enumerate(activations, start=1):
            a = functional.linear(h, p[f"W{k}"], p[f"b{k}"])
            if name != "softmax":
                h = functions[name](a)
        return functional.cross_entropy(a, y, reduction=reduction)

    return loss
