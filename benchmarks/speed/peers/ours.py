"""The targets of this project, called as a user calls them: through a Workspace where there is one."""

from __future__ import annotations

import functools
from types import ModuleType
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from benchmarks.speed.peers.base import Contender, Left, Peer
from benchmarks.speed.peers.flat import split, vectors

if TYPE_CHECKING:
    from benchmarks.speed.workloads import Problem


class Target(Peer):
    """A generated module.

    Attributes:
        target: Its name in the project.
    """

    target: ClassVar[str]

    def gradients(self, problem: Problem) -> Contender:
        """Time loss_and_gradients."""
        call = self.place(problem).loss_and_gradients
        return Contender(call, (problem.parameters, problem.X, problem.Y), lambda r: {"loss": r[0], **r[1]})

    def training(self, problem: Problem) -> Contender:
        """Time the Workspace's step in place; else gradients and update."""
        place, p, rate = self.place(problem), problem.copied(), problem.learning_rate
        if not isinstance(place, ModuleType):
            return Contender(place.step, (p, problem.X, problem.Y, rate), lambda loss: {"loss": loss, **p})
        state = [p]

        def step(X: np.ndarray, Y: np.ndarray) -> float:
            loss, gradients = place.loss_and_gradients(state[0], X, Y)
            state[0] = place.update(state[0], gradients, rate)
            return loss

        return Contender(step, (problem.X, problem.Y), lambda loss: {"loss": loss, **state[0]})

    def hessian(self, problem: Problem) -> Contender:
        """Time the full Hessian of a one-layer model."""
        return Contender(self.offered(problem, "hessian"), (problem.parameters, problem.X, problem.Y),
                         lambda found: {"hessian": found})

    def hessian_vector(self, problem: Problem) -> Contender:
        """Time the product with a direction."""
        call = self.offered(problem, "hessian_vector")
        return Contender(call, (problem.parameters, problem.X, problem.Y, problem.direction), dict)

    def place(self, problem: Problem) -> Any:
        """Return what has the functions: a Workspace for the batch, or the module."""
        module = loaded(problem.workload.architecture, self.target)
        if hasattr(module, "Workspace"):
            return module.Workspace(problem.X.shape[1], dtype=np.dtype(problem.dtype))
        return module

    def offered(self, problem: Problem, name: str) -> Any:
        """Return a function that a target may lack."""
        for place in (self.place(problem), loaded(problem.workload.architecture, self.target)):
            if hasattr(place, name):
                return getattr(place, name)
        raise Left(f"has no {name} yet")


class Numpy(Target):
    """The readable module."""

    target = "numpy"
    title = "gradwright `numpy`"
    about = "the readable module"


class NumpyWorkspace(Target):
    """The same in preallocated buffers."""

    target = "numpy-workspace"
    title = "gradwright `numpy-workspace`"
    about = "NumPy in preallocated buffers"


class C(Target):
    """The compiled extension module."""

    target = "c"
    title = "gradwright `c`"
    about = "C, called with dicts of arrays"
    flat: ClassVar[str] = "loss_and_gradients_flat"

    def place(self, problem: Problem) -> Any:
        """Refuse what it falls back to without a compiler: that is another target's row."""
        place = super().place(problem)
        if not hasattr(place, self.flat):
            raise Left("fell back to another target: no C compiler")
        return place


class CFlat(C):
    """The same, called with one vector of parameters and one of gradients."""

    title = "gradwright `c`, flat call"
    about = "the same, called with four flat arrays"
    left: ClassVar[dict[str, str]] = dict.fromkeys(
        ("hessian", "hessian_vector", "training"), "the flat call is for loss and gradients")

    def gradients(self, problem: Problem) -> Contender:
        """Time the flat call."""
        p, gradients = vectors(problem)
        return Contender(getattr(self.place(problem), self.flat), (p, problem.X, problem.Y, gradients),
                         lambda loss: {"loss": loss, **split(problem, gradients)})


class Numba(Target):
    """The module compiled by numba."""

    target = "numba"
    title = "gradwright `numba`"
    about = "compiled by numba when first called"
    packages = ("numba",)

    def place(self, problem: Problem) -> Any:
        """Refuse what it falls back to without numba, as above."""
        import numba  # noqa: F401

        return super().place(problem)


@functools.cache
def loaded(architecture: str, target: str) -> ModuleType:
    """Return the generated module of a network.

    Raises:
        Left: The project has no such target.
    """
    from codegen import load
    from codegen.targets import TARGETS
    from symbolic import read_architecture

    if target not in TARGETS:
        raise Left("no such target yet")
    return load(read_architecture(architecture), target=target)
