"""What the generated code is to reach, as ratios within one run: one row an aim."""

from __future__ import annotations

from dataclasses import dataclass

from benchmarks.speed.results import Results


@dataclass(frozen=True)
class Aim:
    """A ratio that a target is to reach, in float64.

    Attributes:
        target: The contender.
        other: What it is compared with: the limit is to be approached, any other to be outrun.
        factor: At most this many times the limit's time; at least this many times as fast as another.
        bound: What stands in the way, shown where the aim is missed.
    """

    workload: str
    target: str
    other: str
    factor: float
    threads: int = 1
    bound: str = ""

    @property
    def text(self) -> str:
        """The aim in signs."""
        return f"{'≤' if self.other == 'matmul' else '≥'} {self.factor:g}×"

    def reached(self, results: Results) -> float | None:
        """Return the ratio of a run, or None where one of both was not measured."""
        mine, others = (results.time(self.workload, peer, threads=self.threads) for peer in (self.target, self.other))
        if mine is None or others is None:
            return None
        return mine / others if self.other == "matmul" else others / mine

    def verdict(self, results: Results) -> str:
        """Return whether it is met, or by how much it is missed."""
        ratio = self.reached(results)
        if ratio is None:
            return "not measured"
        short = ratio / self.factor - 1 if self.other == "matmul" else 1 - ratio / self.factor
        return "met" if short <= 0 else f"missed by {100 * short:.{0 if short > 0.1 else 1}f} %"


_CHECKS = "shapes, types and labels are checked: 2.3 µs of tiny, 10 µs at batch 256"
_PASSES = "NumPy fuses nothing: bias, activation and slope are a pass over memory each"
_JAX = "the products of XLA are faster here than those of NumPy's library, which the products alone use too"
_LIMIT = "the products alone, with nothing between them, do not reach the aim here"

AIMS = (
    Aim("tiny", "numpy", "hand", 1.15, bound=_CHECKS),
    Aim("tiny", "numpy-workspace", "hand", 3.5),
    Aim("tiny", "c", "hand", 60),
    Aim("tiny", "c-flat", "casadi", 1,
        bound="exp is made for vectors and has a longer chain for one number; more is checked of each array"),
    Aim("tiny", "numba", "hand", 20),
    *(aim for batch in ("mlp-64", "mlp-256") for aim in (
        Aim(batch, "numpy", "hand", 0.98, bound=_CHECKS),
        Aim(batch, "numpy-workspace", "matmul", 1.08, bound=_PASSES),
        Aim(batch, "c", "matmul", 1.01),
        Aim(batch, "c", "jax", 1, bound=_JAX),
        Aim(batch, "c", "jax", 1.3, threads=2),
        Aim(batch, "numba", "matmul", 1.05))),
    Aim("wide", "numpy", "hand", 0.98),
    Aim("wide", "numpy-workspace", "matmul", 1.03),
    Aim("wide", "c", "matmul", 1.01),
    Aim("wide", "c", "jax", 1.2),
    Aim("deep", "numpy", "hand", 2, bound=_LIMIT),
    Aim("deep", "numpy-workspace", "hand", 2.4, bound=_LIMIT),
    Aim("deep", "c", "hand", 3, bound=_LIMIT),
    Aim("deep", "c", "jax", 1.6),
    Aim("deep", "numba", "hand", 2, bound=_LIMIT),
    Aim("hessian", "numpy-workspace", "hand", 1.7, bound="the product alone takes 0.8 of the time; scaling X the rest"),
    Aim("hessian", "numpy-workspace", "jax", 3, bound="the product alone is just at it"),
    Aim("hvp", "numpy", "jax", 1, bound=_JAX),
    Aim("hvp", "numpy-workspace", "jax", 1.1, bound=_JAX),
    Aim("hvp", "c", "jax", 1.3, bound=_JAX),
    Aim("sgd", "numpy-workspace", "hand", 1.1, bound="NumPy's product cannot add to W: two passes more over each W"),
    Aim("sgd", "c", "hand", 1.4, bound=_LIMIT),
    Aim("sgd", "c", "jax", 1),
    Aim("sgd", "c", "torch", 1),
)
