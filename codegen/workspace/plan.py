"""A kernel as calls of NumPy whose buffers are planned."""

from __future__ import annotations

from dataclasses import dataclass

from sympy import Expr

from codegen.kernels.build import Kernel
from codegen.kernels.instructions import Instruction
from codegen.kernels.storage import Storage, plan
from codegen.workspace.expanding import expand


@dataclass(frozen=True)
class Planned:
    """A kernel with its calls.

    Attributes:
        kernel: What is computed.
        instructions: Products, calls and scalar lines.
        symbols: The matrix or scalar of each name.
        storage: Where each temporary lives.
    """

    kernel: Kernel
    instructions: tuple[Instruction, ...]
    symbols: dict[str, Expr]
    storage: Storage


def planned(kernel: Kernel) -> Planned:
    """Return a kernel as calls of NumPy."""
    symbols = {str(s.name): s for i in kernel.plain for s in i.writes}
    symbols |= {str(s.name): s for s in (*kernel.inputs, *kernel.results)}
    calls = expand(kernel.plain, symbols)
    symbols |= {str(s.name): s for i in calls for s in i.writes}
    wanted = {str(r.name) for r in kernel.results}
    storage = plan(calls, {*(str(i.name) for i in kernel.inputs), *wanted}, wanted)
    return Planned(kernel, calls, symbols, storage)
