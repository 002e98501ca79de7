"""Slices of a matrix, and matrices of blocks."""

from __future__ import annotations

import numpy as np
from sympy import Expr, Identity, MatrixSymbol, S

from symbolic.functions import MAGNUS
from symbolic.operations.algebra import two_sided
from symbolic.operations.table import ATOM, Operation, Rule, Show, Spelling
from symbolic.structure import (
    Slice,
    Stack,
    kronecker,
    padded,
    slice_of,
    stack,
)
from symbolic.terms import (
    Term,
    transpose,
)


def _slice_matrix(node: Slice, i: int) -> Term:
    a, r0, r1, c0, c1 = node.args
    rows, columns = a.shape
    return kronecker(slice_of(Identity(columns), (c0, c1), (S.Zero, columns)),
                     slice_of(Identity(rows), (r0, r1), (S.Zero, rows)))


def _slice_transposition(node: Slice, i: int, G: Term) -> Term:
    a, r0, r1, c0, c1 = node.args
    rows, columns = a.shape
    return padded(padded(G, c0, columns - c1, 1), r0, rows - r1, 0)


def _bounds(node: Slice, show: Show, first: int) -> tuple[str, str]:
    """Spell the two ranges, counted from ``first``; where that is 1 the ends are included."""
    a, r0, r1, c0, c1 = node.args

    def spell(start: Expr, stop: Expr, size: Expr) -> str:
        if (start, stop) == (S.Zero, size):
            return "1" if first and size == 1 else ":"
        if first and stop - start == 1:
            return show(stop, 0)
        return f"{show(start + first, 0)}:{show(stop, 0)}"

    return spell(r0, r1, a.shape[0]), spell(c0, c1, a.shape[1])


def _indexed(first: int, latex: bool = False) -> Spelling:
    def spell(node: Slice, show: Show) -> str:
        operand, (rows, columns) = show(node.args[0], ATOM), _bounds(node, show, first)
        if not latex:
            return f"{operand}[{rows}, {columns}]"
        braced = f"{{{operand}}}" if "_" in operand else operand  # TeX takes no second subscript
        return rf"{braced}_{{[{rows},\, {columns}]}}"
    return ATOM, spell


def _range(node: Stack, i: int, size: Expr) -> tuple[tuple[Expr, Expr], tuple[Expr, Expr]]:
    own, full = (node.start(i), node.start(i) + node.blocks[i].shape[node.axis]), (S.Zero, size)
    return (own, full) if node.axis == 0 else (full, own)


def _stack_matrix(node: Stack, i: int) -> Term:
    total, start, size = node.shape[node.axis], node.start(i), node.blocks[i].shape[node.axis]
    place = slice_of(Identity(total), (S.Zero, total), (start, start + size))
    return two_sided(place, None, node.blocks[i]) if node.axis == 0 else two_sided(
        None, transpose(place), node.blocks[i])


def _stack_differential(node: Stack, i: int, d: Term, value: Term) -> Term:
    size = node.blocks[i].shape[node.axis]
    return padded(d, node.start(i), node.shape[node.axis] - node.start(i) - size, node.axis)


def _in_brackets(row: str, below: str, begin: str, end: str) -> Spelling:
    def spell(node: Stack, show: Show) -> str:
        if node.axis == 1:
            return begin + row.join(show(b, 0) for b in node.blocks) + end
        rows = (b.blocks if isinstance(b, Stack) and b.axis == 1 else (b,) for b in node.blocks)
        return begin + below.join(row.join(show(b, 0) for b in r) for r in rows) + end
    return ATOM, spell


def _numpy_stack(node: Stack, show: Show) -> str:
    return f"np.{'hstack' if node.axis else 'vstack'}([{', '.join(show(b, 0) for b in node.blocks)}])"


A, B, M = MatrixSymbol("A", 2, 3), MatrixSymbol("B", 3, 2), MatrixSymbol("M", 3, 3)
w, W = MatrixSymbol("w", 2, 1), MatrixSymbol("W", 1, 2)

OPERATIONS = [
    Operation(
        node=Slice,
        differential=lambda node, i, d, value: slice_of(d, node.args[1:3], node.args[3:]),
        differential_rule=lambda node: Rule(
            "differential_of_slice", r"\mathrm{d}(A_{[r,\, c]}) = (\mathrm{d}A)_{[r,\, c]}", "d(A[r, c]) = (dA)[r, c]",
            f"{MAGNUS}, chapter 8, section 2"),
        transposition=_slice_transposition,
        transposition_rule=Rule(
            "transposition_of_slice",
            r"\langle G, M_{[r,\, c]}\rangle = \langle \left[\begin{smallmatrix} 0 & 0 \\ 0 & G "
            r"\end{smallmatrix}\right], M\rangle",
            "⟨G, M[r, c]⟩ = ⟨[0, 0; 0, G], M⟩", "entries outside the slice do not count"),
        matrix=_slice_matrix,
        matrix_rule=Rule(
            "vec_of_slice",
            r"\operatorname{vec}(M_{[r,\, c]}) = (I_{[c,\, :]} \otimes I_{[r,\, :]}) \operatorname{vec} M",
            "vec(M[r, c]) = (I[c, :] ⊗ I[r, :]) vec M", f"{MAGNUS}, chapter 2, section 4"),
        evaluate=lambda node, size, a: a[slice(*map(size, node.args[1:3])), slice(*map(size, node.args[3:]))],
        latex=_indexed(1, latex=True),
        text=_indexed(1),
        spelling={"numpy": _indexed(0), "language": _indexed(1)},
        examples=lambda: (slice_of(A, (S(0), S(1)), (S(1), S(3))), slice_of(M, (S(1), S(3)), (S(0), S(3))),
                          slice_of(A, (S(1), S(2)), (S(1), S(2)))),
    ),
    Operation(
        node=Stack,
        differential=_stack_differential,
        differential_rule=lambda node: Rule(
            "differential_of_blocks", r"\mathrm{d}[A,\, B] = [\mathrm{d}A,\, 0] + [0,\, \mathrm{d}B]",
            "d[A, B] = [dA, 0] + [0, dB]", f"{MAGNUS}, chapter 8, section 2"),
        transposition=lambda node, i, G: slice_of(G, *_range(node, i, node.shape[1 - node.axis])),
        transposition_rule=Rule(
            "transposition_of_blocks", r"\langle G, [M,\, 0]\rangle = \langle G_{[:,\, c]}, M\rangle",
            "⟨G, [M, 0]⟩ = ⟨G[:, c], M⟩", "the entries that meet M"),
        matrix=_stack_matrix,
        matrix_rule=Rule(
            "vec_of_blocks", r"[M,\, 0] = M\, I_{[c,\, :]},\; [M;\, 0] = I_{[:,\, r]}\, M",
            "[M, 0] = M I[c, :], [M; 0] = I[:, r] M", f"{MAGNUS}, chapter 2, section 4"),
        evaluate=lambda node, size, *values: np.concatenate(values, axis=node.axis),
        latex=_in_brackets(" & ", r" \\ ", r"\begin{bmatrix} ", r" \end{bmatrix}"),
        text=_in_brackets(", ", "; ", "[", "]"),
        spelling={"numpy": (ATOM, _numpy_stack), "language": _in_brackets(", ", "; ", "[", "]")},
        examples=lambda: (stack(1, [A, transpose(B), w]), stack(0, [B, W]),
                          stack(0, [stack(1, [A, w]), stack(1, [W, W])])),
    ),
]
