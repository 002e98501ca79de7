"""What each pass makes of a network's program: equations, work, memory, and the buffers that are left."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import sympy
from sympy import Expr, HadamardProduct, MatAdd, MatMul, MatrixSymbol, S

from codegen.kernels.build import buffered
from codegen.kernels.fusing import fuse, live, locals_of
from codegen.kernels.instructions import Instruction, Loop, Product
from codegen.kernels.lowering import lower
from codegen.kernels.reuse import reuse
from codegen.kernels.storage import plan
from codegen.passes import PASSES, Equations
from symbolic.build import SAMPLES
from symbolic.derivation import Derivation
from symbolic.differentiation import gradient_symbol
from symbolic.terms import Elementwise, Inner, LogSoftmax, Softmax, SquaredNorm, SumAlong, is_matrix, shape, split

ITEM = 8
"""Bytes of a number."""


@dataclass(frozen=True)
class Stage:
    """The program after a pass, for a number of samples.

    Attributes:
        name: Of the pass.
        reason: Why it is done.
        equations: How many equations, or instructions once the program is lowered.
        flops: Multiplications, additions and function calls of entries.
        bytes: What is read and written between equations, or instructions.
        buffers: Bytes that all temporaries take.
    """

    name: str
    reason: str
    equations: int
    flops: int
    bytes: int
    buffers: int


def explain(derivation: Derivation, samples: int) -> tuple[Stage, ...]:
    """Return what each pass makes of the loss and its gradients, in the order in which the passes are applied."""
    program = derivation.forward
    backward = [g.equation for g in derivation.gradients if g.wrt not in program.inputs]
    results = [program.result, *map(gradient_symbol, program.parameters)]
    wanted = {str(r.name) for r in results}
    given = {str(s.name) for s in (*program.inputs, *program.parameters)}
    equations: Equations = (*program.equations, *backward)
    stages = [_of_equations("derivation", "as it was derived", equations, wanted, samples)]
    for step in PASSES:
        equations = step.apply(equations)
        stages.append(_of_equations(step.name, step.reason, equations, wanted, samples))
    instructions = lower(equations)
    for name, reason, change in (
            ("lower", "products of matrices, and loops over entries", lambda i: i),
            ("reuse", "forward values of costly functions serve their derivatives", reuse),
            ("dead", "what no result depends on is not computed", lambda i: live(i, wanted)),
            ("fuse", "loops over one shape are one loop; what nobody else needs is never stored", fuse)):
        instructions = tuple(change(instructions))
        stages.append(_of_instructions(name, reason, instructions, wanted, samples))
    inside = locals_of(instructions, wanted)
    storage = plan(instructions, {*given, *wanted, *inside}, wanted)
    last = stages[-1]
    stages.append(Stage("liveness", "buffers are taken over once their value is dead", last.equations, last.flops,
                        last.bytes, ITEM * _count(storage.size, samples)))
    return tuple(stages)


def _of_equations(name: str, reason: str, equations: Equations, wanted: set[str], samples: int) -> Stage:
    flops = sum(_work(e.term, samples) for e in equations)
    moved = sum(_size(s, samples) for e in equations for s in (e.symbol, *e.term.atoms(MatrixSymbol)))
    kept = sum(_size(e.symbol, samples) for e in equations if e.name not in wanted)
    return Stage(name, reason, len(equations), flops, ITEM * moved, ITEM * kept)


def _of_instructions(name: str, reason: str, instructions: Sequence[Instruction], wanted: set[str],
                     samples: int) -> Stage:
    symbols = {str(s.name): s for i in instructions for s in i.writes}
    stored = buffered(instructions, wanted)
    flops = moved = 0
    for i in instructions:
        if isinstance(i, Product):
            flops += 2 * _count(i.out.shape[0] * i.inner * i.out.shape[1], samples)
            moved += sum(_size(s, samples) for s in (i.left, i.right, i.out))
        elif isinstance(i, Loop):
            entries = _count(i.rows * i.columns, samples)
            flops += entries * sum(max(1, int(line.formula.count_ops())) + bool(line.reduction) for line in i.lines)
            touched = {*i.reads, *(str(s.name) for s in i.writes if str(s.name) in stored or str(s.name) in wanted)}
            moved += sum(_size(symbols[n], samples) if n in symbols else entries for n in touched)
    return Stage(name, reason, len(instructions), flops, ITEM * moved,
                 ITEM * sum(_size(symbols[n], samples) for n in stored))


def _work(term: Expr, samples: int) -> int:
    """Return the operations on entries of a term, those of its operands included."""
    own, (coefficient, rest) = 0, split(term)
    if isinstance(rest, MatMul):
        for left, right in zip(rest.args, rest.args[1:], strict=False):
            own += 2 * _count(rest.shape[0] * left.shape[1] * right.shape[1], samples)
    elif isinstance(rest, MatAdd | HadamardProduct):
        own = (len(rest.args) - 1) * _size(rest, samples)
    elif isinstance(rest, Elementwise):
        own = max(1, int(rest.function.formula.count_ops())) * _size(rest, samples)
    elif isinstance(rest, Softmax | LogSoftmax):
        own = 5 * _size(rest, samples)
    elif isinstance(rest, SumAlong | Inner | SquaredNorm):
        own = (1 if isinstance(rest, SumAlong) else 2) * _size(rest.args[0], samples)
    elif is_matrix(rest) and rest.args and not isinstance(rest, MatrixSymbol):
        own = _size(rest, samples) if len([a for a in rest.args if is_matrix(a)]) > 1 else 0
    scaled = _size(rest, samples) if coefficient is not S.One and is_matrix(term) else 0
    if isinstance(term, MatrixSymbol):
        return 0
    return own + scaled + sum(_work(a, samples) for a in (rest.args if rest is not term else term.args)
                              if isinstance(a, Expr) and not a.is_Integer)


def _size(symbol: Expr, samples: int) -> int:
    rows, columns = shape(symbol)
    return _count(rows * columns, samples)


def _count(size: Expr, samples: int) -> int:
    return int(sympy.sympify(size).xreplace({SAMPLES: sympy.Integer(samples)}))

