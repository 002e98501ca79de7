"""A kernel: what one generated function computes, as instructions on planned buffers."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

from sympy import Expr

from codegen.kernels.fusing import fuse, live, locals_of
from codegen.kernels.instructions import Instruction
from codegen.kernels.lowering import lower
from codegen.kernels.reuse import reuse
from codegen.kernels.storage import Storage, plan
from codegen.passes import Equations
from symbolic.terms import is_matrix


@dataclass(frozen=True)
class Kernel:
    """Instructions, and where their values live.

    Attributes:
        name: Of the function.
        inputs: Matrices that it reads: parameters first, then X and so on.
        results: What it writes, in order; scalars are returned.
        instructions: In order.
        locals: Names that live within one loop.
        storage: The buffers of what lives longer.
        plain: The instructions before loops were fused.
    """

    name: str
    inputs: tuple[Expr, ...]
    results: tuple[Expr, ...]
    instructions: tuple[Instruction, ...]
    locals: frozenset[str]
    storage: Storage
    plain: tuple[Instruction, ...] = ()


def build_kernel(name: str, equations: Equations, inputs: Sequence[Expr], results: Sequence[Expr]) -> Kernel:
    """Return the kernel that computes some of the names of a program.

    Args:
        name: Of the function.
        equations: After the passes over equations.
        inputs: Matrices that are given.
        results: Names of the equations.
    """
    wanted = {str(r.name) for r in results}
    plain = live(reuse(lower(equations)), wanted)
    instructions = live(fuse(plain), wanted)
    inside = locals_of(instructions, wanted)
    given = {str(i.name) for i in inputs}
    storage = plan(instructions, {*given, *wanted, *inside}, wanted)
    return Kernel(name, tuple(inputs), tuple(results), instructions, inside, storage, plain)


def buffered(instructions: Sequence[Instruction], results: Collection[str]) -> frozenset[str]:
    """Return the names of matrices that are neither results nor live within one loop."""
    inside = locals_of(instructions, results)
    return frozenset(str(s.name) for i in instructions for s in i.writes
                     if is_matrix(s) and str(s.name) not in inside and str(s.name) not in results)


def temporaries(kernel: Kernel) -> tuple[Expr, ...]:
    """Return the matrices that live in the kernel's buffers, in the order in which they are written."""
    found = dict.fromkeys(s for i in kernel.instructions for s in i.writes
                          if is_matrix(s) and str(s.name) in kernel.storage.place)
    return tuple(found)
