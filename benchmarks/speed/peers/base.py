"""What a peer is: one class, a method for each kind of workload that it can do."""

from __future__ import annotations

from abc import ABC
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

if TYPE_CHECKING:
    from benchmarks.speed.workloads import Problem


class Left(Exception):
    """A peer is left out; the message is the word why."""


@dataclass(frozen=True)
class Contender:
    """A call to be timed.

    Attributes:
        function: What is timed, with its arguments.
        arguments: On the peer's own device and in its own types: conversions are not timed.
        values: From the result of a call to arrays by the names of the reference.
        partial: Whether it computes a part only.
    """

    function: Callable[..., Any]
    arguments: tuple[Any, ...]
    values: Callable[[Any], dict[str, Any]]
    partial: bool = False


class Peer(ABC):
    """A way to compute. Its methods import what they need, and return a contender.

    Attributes:
        title: For a reader.
        about: A line for a reader.
        packages: Distributions whose versions matter.
        left: Workloads, or kinds of them, that it is spared or cannot do, and why.
    """

    title: ClassVar[str]
    about: ClassVar[str]
    packages: ClassVar[tuple[str, ...]] = ()
    left: ClassVar[dict[str, str]] = {}

    def contender(self, problem: Problem) -> Contender:
        """Return what is to be timed on a problem.

        Raises:
            Left: The peer is not installed, or does not do this.
        """
        for key in (problem.workload.name, problem.workload.kind):
            if key in self.left:
                raise Left(self.left[key])
        method = getattr(self, problem.workload.kind, None)
        if method is None:
            raise Left("does not do this")
        try:
            return method(problem)
        except ImportError as error:
            raise Left(f"{(error.name or str(error)).partition('.')[0]} is not installed") from error
