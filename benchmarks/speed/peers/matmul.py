"""The limit: the matrix products of the forward and the backward pass, and nothing between them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from benchmarks.speed import reference
from benchmarks.speed.peers.base import Contender, Peer

if TYPE_CHECKING:
    from benchmarks.speed.workloads import Problem

Product = tuple[np.ndarray, np.ndarray, np.ndarray]


def products(pairs: list[Product]) -> None:
    """Multiply each pair into its preallocated place."""
    matmul = np.matmul
    for a, b, out in pairs:
        matmul(a, b, out)


class Matmul(Peer):
    """Its operands are the reference's h and ∇a, so that the ∇W that it finds can be checked."""

    title = "matmul only"
    about = "the matrix products alone, into preallocated arrays: the limit of a program on NumPy's BLAS"

    def gradients(self, problem: Problem) -> Contender:
        """Time W h, ∇a hᵀ and, above the first layer, Wᵀ ∇a."""
        _, delta, h = reference.backward(problem, problem.parameters)
        pairs, found = [], {}
        for k in range(1, len(delta) + 1):
            pairs.append(_into(problem, problem.parameters[f"W{k}"], h[k - 1]))
        for k in range(len(delta), 0, -1):
            pairs.append(_into(problem, delta[k - 1], h[k - 1].T))
            found[f"W{k}"] = pairs[-1][2]
            if k > 1:
                pairs.append(_into(problem, problem.parameters[f"W{k}"].T, delta[k - 1]))
        return Contender(products, (pairs,), lambda _: found, partial=True)

    def training(self, problem: Problem) -> Contender:
        """Time the same products; the update is on top."""
        contender = self.gradients(problem)
        return Contender(products, contender.arguments, lambda _: {}, partial=True)

    def hessian(self, problem: Problem) -> Contender:
        """Time A Aᵀ, which BLAS does in half the multiplications."""
        s = reference.FUNCTIONS["sigmoid"][1](problem.parameters["W1"] @ problem.X)
        A = np.ascontiguousarray(problem.X * np.sqrt(s))
        pair = _into(problem, A, A)
        pair = (pair[0], pair[0].T, np.empty((len(A), len(A)), A.dtype))
        return Contender(products, ([pair],), lambda _: {"hessian": pair[2]})

    def hessian_vector(self, problem: Problem) -> Contender:
        """Time the products of both sweeps and of their changes, without the gradients' own."""
        p, v = problem.parameters, problem.direction
        _, delta, h = reference.backward(problem, p)
        pairs, depth = [], len(delta)
        for k in range(1, depth + 1):
            operands = [(p, h), (v, h)] + ([(p, h)] if k > 1 else [])
            pairs += [_into(problem, m[f"W{k}"], below[k - 1]) for m, below in operands]
        for k in range(depth, 0, -1):
            pairs += [_into(problem, delta[k - 1], h[k - 1].T)] * (2 if k > 1 else 1)
            if k > 1:
                pairs += [_into(problem, m[f"W{k}"].T, delta[k - 1]) for m in (p, p, v)]
        return Contender(products, (pairs,), lambda _: {}, partial=True)


def _into(problem: Problem, a: np.ndarray, b: np.ndarray) -> Product:
    """Return two operands in the workload's dtype, transposed ones as views, and a place for the product."""
    a, b = (_contiguous(m, problem.dtype) for m in (a, b))
    return a, b, np.empty((a.shape[0], b.shape[1]), problem.dtype)


def _contiguous(m: np.ndarray, dtype: str) -> np.ndarray:
    if m.flags.f_contiguous and not m.flags.c_contiguous:
        return np.ascontiguousarray(m.T, dtype).T
    return np.ascontiguousarray(m, dtype)
