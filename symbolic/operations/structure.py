"""Operations that rearrange entries: diagonals, vec, reshape, slices, blocks, Kronecker products."""

from __future__ import annotations

from typing import Any

import numpy as np
from sympy import Basic, Expr, Integer, KroneckerProduct, MatrixSymbol, S, ZeroMatrix
from sympy.matrices.expressions.matexpr import MatrixExpr

from symbolic.functions import MAGNUS
from symbolic.operations.table import ATOM, PRODUCT, TIMES, Operation, Rule, Show, infix
from symbolic.terms import Term, add, product, transpose

_REARRANGED = "entries change places only"


class Diagonal(MatrixExpr):
    """Diag(a): the n × n matrix with the column a (n × 1) on its diagonal."""

    @property
    def shape(self) -> tuple[Expr, Expr]:
        """Rows and columns."""
        return self.args[0].shape[0], self.args[0].shape[0]

    def _entry(self, i: Expr, j: Expr, **_: object) -> Expr:
        return self.args[0][i, 0] if i == j else S.Zero


class DiagonalOf(MatrixExpr):
    """diag(A): the diagonal of a square A (n × n) as a column (n × 1)."""

    @property
    def shape(self) -> tuple[Expr, Expr]:
        """Rows and columns."""
        return self.args[0].shape[0], S.One

    def _entry(self, i: Expr, j: Expr, **_: object) -> Expr:
        return self.args[0][i, i]


class Reshape(MatrixExpr):
    """A (m × n) with its entries, column by column, in p × q; vec(A) is its case mn × 1."""

    @property
    def shape(self) -> tuple[Expr, Expr]:
        """Rows and columns."""
        return self.args[1], self.args[2]

    def _entry(self, i: Expr, j: Expr, **_: object) -> Expr:
        position = i + j * self.args[1]
        rows = self.args[0].shape[0]
        return self.args[0][position % rows, position // rows]


class Slice(MatrixExpr):
    """Rows r … r + p − 1 and columns c … c + q − 1 of A, counted from 0. Shape: p × q.

    Its arguments are A, r, p, c, q.
    """

    @property
    def shape(self) -> tuple[Expr, Expr]:
        """Rows and columns."""
        return self.args[2], self.args[4]

    def _entry(self, i: Expr, j: Expr, **_: object) -> Expr:
        return self.args[0][self.args[1] + i, self.args[3] + j]


class Embedded(MatrixExpr):
    """A (p × q) in a matrix of zeros (m × n) from row r and column c on, counted from 0.

    Its arguments are A, r, m, c, n; it is the transposition of `Slice`.
    """

    @property
    def shape(self) -> tuple[Expr, Expr]:
        """Rows and columns."""
        return self.args[2], self.args[4]

    def _entry(self, i: Expr, j: Expr, **_: object) -> Expr:
        rows, columns = self.args[0].shape
        i, j = i - self.args[1], j - self.args[3]
        return self.args[0][i, j] if 0 <= i < rows and 0 <= j < columns else S.Zero


class KroneckerContracted(MatrixExpr):
    """Σ over blocks: the matrix M with entries ⟨G_ij, B⟩ (left) or Σ B_ij G_ij (right).

    G consists of blocks G_ij. On the left it is the transposition of M ↦ M ⊗ B, on the right
    that of M ↦ B ⊗ M. Its arguments are G, B and 0 (left) or 1 (right).
    """

    @property
    def shape(self) -> tuple[Expr, Expr]:
        """Rows and columns."""
        return tuple(a / b for a, b in zip(self.args[0].shape, self.args[1].shape, strict=True))

    def _entry(self, i: Expr, j: Expr, **_: object) -> Expr:
        G, B, right = self.args
        rows, columns = self.shape
        p, q = B.shape
        if right == 1:
            return sum((B[a, b] * G[a * rows + i, b * columns + j] for a in range(p) for b in range(q)), start=S.Zero)
        return sum((B[a, b] * G[i * p + a, j * q + b] for a in range(p) for b in range(q)), start=S.Zero)


def diagonal(a: MatrixExpr) -> MatrixExpr:
    """Return Diag(a)."""
    return Basic.__new__(Diagonal, a)


def diagonal_of(a: MatrixExpr) -> MatrixExpr:
    """Return the diagonal of a square matrix as a column."""
    return Basic.__new__(DiagonalOf, a)


def reshape(a: MatrixExpr, rows: Expr, columns: Expr) -> MatrixExpr:
    """Return A reshaped column by column."""
    return a if a.shape == (rows, columns) else Basic.__new__(Reshape, a, rows, columns)


def vec(a: MatrixExpr) -> MatrixExpr:
    """Return the columns of A, one under the other."""
    return reshape(a, a.shape[0] * a.shape[1], S.One)


def slice_of(a: MatrixExpr, row: Expr, rows: Expr, column: Expr, columns: Expr) -> MatrixExpr:
    """Return the part of A with so many rows and columns from a row and a column on (from 0)."""
    return a if a.shape == (rows, columns) else Basic.__new__(Slice, a, row, rows, column, columns)


def embedded(a: MatrixExpr, row: Expr, rows: Expr, column: Expr, columns: Expr) -> MatrixExpr:
    """Return A within a matrix of zeros."""
    return a if a.shape == (rows, columns) else Basic.__new__(Embedded, a, row, rows, column, columns)


def blocks(rows: list[list[MatrixExpr]]) -> MatrixExpr:
    """Return ``[A, B; C, D]`` as a sum of embedded blocks."""
    height = sum((r[0].shape[0] for r in rows), start=S.Zero)
    width = sum((b.shape[1] for b in rows[0]), start=S.Zero)
    parts, top = [], S.Zero
    for row in rows:
        left = S.Zero
        for block in row:
            parts.append(embedded(block, top, height, left, width))
            left += block.shape[1]
        top += row[0].shape[0]
    return add(*parts)


def kronecker(a: MatrixExpr, b: MatrixExpr) -> MatrixExpr:
    """Return A ⊗ B."""
    return Basic.__new__(KroneckerProduct, a, b)


def _put(node: KroneckerProduct, size: Any, a: Any, b: Any) -> Any:
    return np.kron(a, b)


def _contracted(node: KroneckerContracted, size: Any, g: Any, b: Any) -> Any:
    p, q = b.shape
    rows, columns = g.shape[0] // p, g.shape[1] // q
    if node.args[2] == 1:
        return np.einsum("aibj,ab->ij", g.reshape(p, rows, q, columns), b)
    return np.einsum("iajb,ab->ij", g.reshape(rows, p, columns, q), b)


def _embedded_value(node: Embedded, size: Any, a: Any) -> Any:
    row, rows, column, columns = map(size, node.args[1:])
    out = np.zeros((rows, columns), dtype=a.dtype)
    out[row:row + a.shape[0], column:column + a.shape[1]] = a
    return out


def _sliced_value(node: Slice, size: Any, a: Any) -> Any:
    row, rows, column, columns = map(size, node.args[1:])
    return a[row:row + rows, column:column + columns]


def _called(name: str) -> tuple[int, Any]:
    return ATOM, lambda node, show: f"{name}({show(node.args[0], 0)})"


def _bounds(node: Any, show: Show, joint: str) -> str:
    row, rows, column, columns = node.args[1:]
    return f"{show(row + 1)}{joint}{show(row + rows)}, {show(column + 1)}{joint}{show(column + columns)}"


def _sliced(node: Slice, show: Show) -> str:
    return f"{show(node.args[0], ATOM)}[{_bounds(node, show, ':')}]"


def _place(node: Embedded) -> tuple[Expr, ...]:
    row, rows, column, columns = node.args[1:]
    p, q = node.args[0].shape
    return row, rows - row - p, column, columns - column - q


def _embedded_text(name: str) -> Any:
    return lambda node, show: f"{name}({show(node.args[0], 0)}; {', '.join(show(s) for s in _place(node))})"


def _numpy_embedded(node: Embedded, show: Show) -> str:
    above, below, left, right = map(show, _place(node))
    return f"np.pad({show(node.args[0], 0)}, (({above}, {below}), ({left}, {right})))"


def _numpy_sliced(node: Slice, show: Show) -> str:
    row, rows, column, columns = node.args[1:]
    return f"{show(node.args[0], ATOM)}[{show(row)}:{show(row + rows)}, {show(column)}:{show(column + columns)}]"


def _rule(key: str, latex: str, text: str, source: str) -> Any:
    return lambda node: Rule(key, latex, text, source)


A, B, C = MatrixSymbol("A", 2, 3), MatrixSymbol("B", 3, 2), MatrixSymbol("C", 6, 6)
u, Q = MatrixSymbol("u", 3, 1), MatrixSymbol("Q", 3, 3)
_0, _1, _2, _3, _4 = map(Integer, range(5))

OPERATIONS = [
    Operation(
        node=Diagonal,
        differential=lambda node, i, d, value: diagonal(d),
        differential_rule=_rule("differential_of_diagonal_matrix",
                                r"\mathrm{d}\operatorname{Diag}(a) = \operatorname{Diag}(\mathrm{d}a)",
                                "d Diag(a) = Diag(da)", _REARRANGED),
        transposition=lambda node, i, G: diagonal_of(G),
        transposition_rule=Rule(
            "transposition_of_diagonal_matrix",
            r"\langle G, \operatorname{Diag}(m)\rangle = \langle \operatorname{diag}(G), m\rangle",
            "⟨G, Diag(m)⟩ = ⟨diag(G), m⟩", _REARRANGED),
        evaluate=lambda node, size, a: np.diagflat(a),
        latex=_called(r"\operatorname{Diag}"), text=_called("Diag"),
        spelling={"numpy": _called("np.diagflat"), "language": _called("diag")},
        examples=lambda: (diagonal(u), product(A, diagonal(u))),
    ),
    Operation(
        node=DiagonalOf,
        differential=lambda node, i, d, value: diagonal_of(d),
        differential_rule=_rule("differential_of_diagonal",
                                r"\mathrm{d}\operatorname{diag}(A) = \operatorname{diag}(\mathrm{d}A)",
                                "d diag(A) = diag(dA)", _REARRANGED),
        transposition=lambda node, i, g: diagonal(g),
        transposition_rule=Rule(
            "transposition_of_diagonal",
            r"\langle g, \operatorname{diag}(M)\rangle = \langle \operatorname{Diag}(g), M\rangle",
            "⟨g, diag(M)⟩ = ⟨Diag(g), M⟩", _REARRANGED),
        evaluate=lambda node, size, a: np.diag(a)[:, None],
        latex=_called(r"\operatorname{diag}"), text=_called("diag"),
        spelling={"numpy": (ATOM, lambda node, show: f"np.diag({show(node.args[0], 0)})[:, None]"),
                  "language": _called("diag")},
        examples=lambda: (diagonal_of(Q), diagonal_of(product(A, B))),
    ),
    Operation(
        node=Reshape,
        differential=lambda node, i, d, value: reshape(d, *node.args[1:]),
        differential_rule=_rule("differential_of_vec",
                                r"\mathrm{d}\operatorname{vec}(A) = \operatorname{vec}(\mathrm{d}A)",
                                "d vec(A) = vec(dA)", f"{MAGNUS}, chapter 8, section 2"),
        transposition=lambda node, i, G: reshape(G, *node.args[0].shape),
        transposition_rule=Rule(
            "transposition_of_vec",
            r"\langle g, \operatorname{vec}(M)\rangle = \langle \operatorname{vec}^{-1}(g), M\rangle",
            "⟨g, vec(M)⟩ = ⟨vec⁻¹(g), M⟩", _REARRANGED),
        evaluate=lambda node, size, a: a.reshape(size(node.args[1]), size(node.args[2]), order="F"),
        latex=(ATOM, lambda node, show: (
            rf"\operatorname{{vec}}({show(node.args[0], 0)})" if node.args[2] == 1 else
            rf"\operatorname{{reshape}}({show(node.args[0], 0)}, {show(node.args[1])}, {show(node.args[2])})")),
        text=(ATOM, lambda node, show: (
            f"vec({show(node.args[0], 0)})" if node.args[2] == 1 else
            f"reshape({show(node.args[0], 0)}, {show(node.args[1])}, {show(node.args[2])})")),
        spelling={"numpy": (ATOM, lambda node, show: (
            f"{show(node.args[0], ATOM)}.reshape({show(node.args[1])}, {show(node.args[2])}, order=\"F\")"))},
        examples=lambda: (vec(A), reshape(A, _3, _2)),
    ),
    Operation(
        node=Slice,
        differential=lambda node, i, d, value: slice_of(d, *node.args[1:]),
        differential_rule=_rule("differential_of_slice", r"\mathrm{d}(A_{I,J}) = (\mathrm{d}A)_{I,J}",
                                "d(A[I, J]) = dA[I, J]", _REARRANGED),
        transposition=lambda node, i, G: embedded(
            G, node.args[1], node.args[0].shape[0], node.args[3], node.args[0].shape[1]),
        transposition_rule=Rule(
            "transposition_of_slice",
            r"\langle G, M_{I,J}\rangle = \langle \operatorname{pad}(G), M\rangle",
            "⟨G, M[I, J]⟩ = ⟨pad(G), M⟩, pad: zeros around", _REARRANGED),
        evaluate=_sliced_value,
        latex=(ATOM, lambda node, show: f"{show(node.args[0], ATOM)}_{{{_bounds(node, show, ':')}}}"),
        text=(ATOM, _sliced),
        spelling={"numpy": (ATOM, _numpy_sliced)},
        examples=lambda: (slice_of(A, _0, _2, _1, _2), slice_of(product(A, B), _1, _1, _0, _2)),
    ),
    Operation(
        node=Embedded,
        differential=lambda node, i, d, value: embedded(d, *node.args[1:]),
        differential_rule=_rule("differential_of_block",
                                r"\mathrm{d}\operatorname{pad}(A) = \operatorname{pad}(\mathrm{d}A)",
                                "d pad(A) = pad(dA), pad: zeros around", _REARRANGED),
        transposition=lambda node, i, G: slice_of(
            G, node.args[1], node.args[0].shape[0], node.args[3], node.args[0].shape[1]),
        transposition_rule=Rule(
            "transposition_of_block",
            r"\langle G, \operatorname{pad}(M)\rangle = \langle G_{I,J}, M\rangle",
            "⟨G, pad(M)⟩ = ⟨G[I, J], M⟩", _REARRANGED),
        evaluate=_embedded_value,
        latex=(ATOM, _embedded_text(r"\operatorname{pad}")), text=(ATOM, _embedded_text("pad")),
        spelling={"numpy": (ATOM, _numpy_embedded)},
        examples=lambda: (embedded(A, _1, _4, _0, _3),),
    ),
    Operation(
        node=KroneckerProduct,
        differential=lambda node, i, d, value: kronecker(*(d if j == i else a for j, a in enumerate(node.args))),
        differential_rule=_rule("differential_of_kronecker_product",
                                r"\mathrm{d}(A \otimes B) = \mathrm{d}A \otimes B + A \otimes \mathrm{d}B",
                                "d(A ⊗ B) = dA ⊗ B + A ⊗ dB", f"{MAGNUS}, chapter 8, section 2"),
        transposition=lambda node, i, G: Basic.__new__(KroneckerContracted, G, node.args[1 - i], Integer(i)),
        transposition_rule=Rule(
            "transposition_of_kronecker_product",
            r"\langle G, M \otimes B\rangle = \langle (\langle G_{ij}, B\rangle)_{ij}, M\rangle",
            "⟨G, M ⊗ B⟩ = ⟨(⟨G_ij, B⟩)_ij, M⟩, G_ij the blocks of G", "the inner product by blocks"),
        evaluate=_put,
        latex=infix(r"\otimes", TIMES), text=infix("⊗", TIMES),
        spelling={"numpy": (ATOM, lambda node, show: (
            f"np.kron({show(node.args[0], 0)}, {show(node.args[1], 0)})"))},
        examples=lambda: (kronecker(A, B), kronecker(B, Q)),
    ),
    Operation(
        node=KroneckerContracted,
        differential=lambda node, i, d, value: Basic.__new__(
            KroneckerContracted, *(d if j == i else a for j, a in enumerate(node.args))),
        differential_rule=_rule("differential_of_block_products",
                                r"\mathrm{d}(\langle G_{ij}, B\rangle)_{ij} = (\langle \mathrm{d}G_{ij}, B\rangle + "
                                r"\langle G_{ij}, \mathrm{d}B\rangle)_{ij}",
                                "d(⟨G_ij, B⟩)_ij = (⟨dG_ij, B⟩ + ⟨G_ij, dB⟩)_ij", "the inner product by blocks"),
        transposition=lambda node, i, H: _contraction_transposed(node, i, H),
        transposition_rule=Rule(
            "transposition_of_block_products",
            r"\langle H, (\langle M_{ij}, B\rangle)_{ij}\rangle = \langle H \otimes B, M\rangle",
            "⟨H, (⟨M_ij, B⟩)_ij⟩ = ⟨H ⊗ B, M⟩", "the inner product by blocks"),
        evaluate=_contracted,
        latex=(ATOM, lambda node, show: (
            rf"\operatorname{{contract}}_{{{node.args[2]}}}({show(node.args[0], 0)}, {show(node.args[1], 0)})")),
        text=(ATOM, lambda node, show: f"contract{node.args[2]}({show(node.args[0], 0)}, {show(node.args[1], 0)})"),
        spelling={"numpy": (ATOM, lambda node, show: _numpy_contracted(node, show))},
        examples=lambda: (Basic.__new__(KroneckerContracted, C, A, _0), Basic.__new__(KroneckerContracted, C, B, _1)),
    ),
]


def _contraction_transposed(node: KroneckerContracted, i: int, H: Term) -> Term:
    G, B, right = node.args
    if i == 0:
        return kronecker(B, H) if right == 1 else kronecker(H, B)
    return Basic.__new__(KroneckerContracted, G, H, Integer(1 - int(right)))


def _numpy_contracted(node: KroneckerContracted, show: Show) -> str:
    (p, q), (rows, columns) = node.args[1].shape, node.shape
    g, b = show(node.args[0], ATOM), show(node.args[1], 0)
    if node.args[2] == 1:
        shape, indices = (p, rows, q, columns), "aibj,ab->ij"
    else:
        shape, indices = (rows, p, columns, q), "iajb,ab->ij"
    return f'np.einsum("{indices}", {g}.reshape({", ".join(map(show, shape))}), {b})'


__all__ = ["OPERATIONS", "PRODUCT", "ZeroMatrix", "transpose"]
