"""Operations that rearrange entries: vec and reshape, diagonals, triangles."""

from __future__ import annotations

from typing import Any

import numpy as np
from sympy import Identity, MatrixSymbol, OneMatrix, S

from symbolic.functions import MAGNUS
from symbolic.operations.table import ATOM, Operation, Rule, Show, called
from symbolic.structure import (
    Diag,
    DiagonalOf,
    Reshape,
    Tril,
    diag,
    diagonal_of,
    is_column,
    kronecker,
    reshape,
    tril,
    vec,
)
from symbolic.terms import (
    ones_like,
    product,
)


def _linear(node: type, of: Any, key: str, latex: str, text: str) -> dict[str, Any]:
    """Return the differential of an operation that is linear in its only operand: d of it is it of d."""
    return {"node": node, "differential": lambda n, i, d, value: of(n, d),
            "differential_rule": lambda n: Rule(
                f"differential_of_{key}", rf"\mathrm{{d}}\,{latex}(A) = {latex}(\mathrm{{d}}A)",
                f"d {text}(A) = {text}(dA)", f"{MAGNUS}, chapter 8, section 2")}


def _named(latex: str, text: str) -> dict[str, Any]:
    return {"latex": called(latex), "text": called(text)}


A, B, M = MatrixSymbol("A", 2, 3), MatrixSymbol("B", 3, 2), MatrixSymbol("M", 3, 3)
v = MatrixSymbol("v", 3, 1)


def _reshape(node: Reshape, show: Show) -> str:
    return f"reshape({', '.join(show(a, 0) for a in node.args)})"


OPERATIONS = [
    Operation(
        **_linear(Reshape, lambda n, d: reshape(d, n.args[1], n.args[2]), "reshape",
                  r"\operatorname{reshape}", "reshape"),
        transposition=lambda node, i, G: reshape(G, *node.args[0].shape),
        transposition_rule=Rule(
            "transposition_of_reshape",
            r"\langle G, \operatorname{vec}(M)\rangle = \langle \operatorname{vec}^{-1}(G), M\rangle",
            "⟨G, vec(M)⟩ = ⟨vec⁻¹(G), M⟩", "the entries stay, their places change"),
        matrix=lambda node, i: Identity(node.args[0].shape[0] * node.args[0].shape[1]),
        matrix_rule=Rule("vec_of_reshape", r"\operatorname{vec}(\operatorname{reshape}(M)) = \operatorname{vec} M",
                         "vec(reshape(M)) = vec M", "the order of the entries stays"),
        evaluate=lambda node, size, a: np.reshape(a, (size(node.args[1]), size(node.args[2])), order="F"),
        latex=(ATOM, lambda node, show: (
            rf"\operatorname{{vec}}({show(node.args[0], 0)})" if is_column(node) else
            rf"\operatorname{{reshape}}_{{{show(node.args[1], 0)} \times {show(node.args[2], 0)}}}"
            rf"({show(node.args[0], 0)})")),
        text=(ATOM, lambda node, show: f"vec({show(node.args[0], 0)})" if is_column(node) else _reshape(node, show)),
        spelling={
            "numpy": (ATOM, lambda node, show: (
                f'{show(node.args[0], ATOM)}.reshape(({show(node.args[1], 0)}, {show(node.args[2], 0)}), order="F")')),
            "language": (ATOM, lambda node, show: (
                f"vec({show(node.args[0], 0)})" if is_column(node) else _reshape(node, show)))},
        examples=lambda: (vec(A), reshape(A, S(3), S(2)), reshape(B, S(1), S(6))),
    ),
    Operation(
        **_linear(Diag, lambda n, d: diag(d), "diagonal_matrix", r"\operatorname{diag}", "diag"),
        transposition=lambda node, i, G: diagonal_of(G),
        transposition_rule=Rule(
            "transposition_of_diagonal_matrix",
            r"\langle G, \operatorname{diag}(m)\rangle = \langle \operatorname{diag}(G), m\rangle",
            "⟨G, diag(m)⟩ = ⟨diag(G), m⟩, the diagonal of G", f"{MAGNUS}, chapter 3, section 6"),
        matrix=lambda node, i: product(diag(vec(Identity(node.shape[0]))),
                                       kronecker(OneMatrix(node.shape[0], 1), Identity(node.shape[0]))),
        matrix_rule=Rule(
            "vec_of_diagonal_matrix",
            r"\operatorname{vec}(\operatorname{diag}(m)) = \operatorname{diag}(\operatorname{vec} I) "
            r"(\mathbf{1} \otimes I) m", "vec(diag(m)) = diag(vec I) (1 ⊗ I) m", "diag(m) = I ⊙ (m 1ᵀ)"),
        evaluate=lambda node, size, a: np.diagflat(a),
        **_named(r"\operatorname{diag}", "diag"),
        spelling={"numpy": called("np.diagflat"), "language": called("diag")},
        examples=lambda: (diag(v),),
    ),
    Operation(
        **_linear(DiagonalOf, lambda n, d: diagonal_of(d), "diagonal", r"\operatorname{diag}", "diag"),
        transposition=lambda node, i, G: diag(G),
        transposition_rule=Rule(
            "transposition_of_diagonal",
            r"\langle g, \operatorname{diag}(M)\rangle = \langle \operatorname{diag}(g), M\rangle",
            "⟨g, diag(M)⟩ = ⟨diag(g), M⟩", f"{MAGNUS}, chapter 3, section 6"),
        matrix=lambda node, i: product(kronecker(OneMatrix(1, node.shape[0]), Identity(node.shape[0])),
                                       diag(vec(Identity(node.shape[0])))),
        matrix_rule=Rule(
            "vec_of_diagonal",
            r"\operatorname{diag}(M) = (\mathbf{1}^{\top} \otimes I) \operatorname{diag}(\operatorname{vec} I) "
            r"\operatorname{vec} M", "diag(M) = (1ᵀ ⊗ I) diag(vec I) vec M", "diag(M) = (I ⊙ M) 1"),
        evaluate=lambda node, size, a: np.diagonal(a).reshape(-1, 1),
        **_named(r"\operatorname{diag}", "diag"),
        spelling={"numpy": (ATOM, lambda node, show: f"np.diagonal({show(node.args[0], 0)}).reshape(-1, 1)"),
                  "language": called("diag")},
        examples=lambda: (diagonal_of(M),),
    ),
    Operation(
        **_linear(Tril, lambda n, d: tril(d), "lower_triangle", r"\operatorname{tril}", "tril"),
        transposition=lambda node, i, G: tril(G),
        transposition_rule=Rule(
            "transposition_of_lower_triangle",
            r"\langle G, \operatorname{tril}(M)\rangle = \langle \operatorname{tril}(G), M\rangle",
            "⟨G, tril(M)⟩ = ⟨tril(G), M⟩", "entries above the diagonal do not count"),
        matrix=lambda node, i: diag(vec(tril(ones_like(node)))),
        matrix_rule=Rule(
            "vec_of_lower_triangle",
            r"\operatorname{vec}(\operatorname{tril}(M)) = \operatorname{diag}(\operatorname{vec} "
            r"\operatorname{tril}(\mathbf{1})) \operatorname{vec} M",
            "vec(tril(M)) = diag(vec tril(1)) vec M", "tril(M) = tril(1) ⊙ M"),
        evaluate=lambda node, size, a: np.tril(a),
        **_named(r"\operatorname{tril}", "tril"),
        spelling={"numpy": called("np.tril"), "language": called("tril")},
        examples=lambda: (tril(M), tril(A), tril(B)),
    ),
]
