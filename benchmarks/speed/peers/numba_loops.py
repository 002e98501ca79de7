"""numba: the same formulas as compiled loops, by hand."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from benchmarks.speed.peers.base import Contender, Peer
from benchmarks.speed.peers.flat import split, vectors

if TYPE_CHECKING:
    from benchmarks.speed.workloads import Problem


class Njit(Peer):
    """Fused loops, BLAS for large products, nothing allocated in a call."""

    title = "numba by hand"
    about = "fused loops, `np.dot` for large products, all buffers preallocated"
    packages = ("numba", "llvmlite", "scipy")

    def gradients(self, problem: Problem) -> Contender:
        """Time the compiled function on flat vectors."""
        from benchmarks.speed.peers import numba_kernels as kernels

        arguments = _flat(problem)
        return Contender(kernels.loss_and_gradients, arguments,
                         lambda loss: {"loss": loss, **split(problem, arguments[3])})

    def training(self, problem: Problem) -> Contender:
        """Time the compiled step."""
        from benchmarks.speed.peers import numba_kernels as kernels

        arguments = _flat(problem)
        rate = arguments[0].dtype.type(problem.learning_rate)
        return Contender(kernels.step, (*arguments, rate),
                         lambda loss: {"loss": loss, **split(problem, arguments[0])})

    def hessian(self, problem: Problem) -> Contender:
        """Time the closed form as one product."""
        from benchmarks.speed.peers import numba_kernels as kernels

        arguments = problem.parameters["W1"], problem.X, np.empty_like(problem.X)
        return Contender(kernels.hessian, arguments, lambda found: {"hessian": found})


def _flat(problem: Problem) -> tuple[Any, ...]:
    from benchmarks.speed.peers import numba_kernels as kernels

    codes = {"sigmoid": kernels.SIGMOID, "tanh": kernels.TANH, "relu": kernels.RELU, "softmax": kernels.SOFTMAX}
    p, gradients = vectors(problem)
    scratch = [np.empty(sum(problem.widths[1:]) * problem.X.shape[1], p.dtype) for _ in range(2)]
    return (p, problem.X, problem.Y, gradients, *scratch, np.array(problem.widths),
            np.array([codes[name] for name in problem.activations]), p.dtype.type(problem.scale))
