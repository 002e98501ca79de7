"""Operations that rearrange entries: vec and reshape, diag, triangles, slices, blocks, Kronecker products, Cholesky."""

from __future__ import annotations

from functools import reduce
from typing import Any

import numpy as np
from sympy import Basic, Expr, Identity, KroneckerProduct, MatrixSymbol, OneMatrix, Rational, S

from symbolic.functions import MAGNUS
from symbolic.operations.algebra import two_sided
from symbolic.operations.table import ATOM, TIMES, Operation, Rule, Show, Spelling, called, infix
from symbolic.structure import (
    Cholesky,
    Commutation,
    Diag,
    DiagonalOf,
    Reshape,
    Slice,
    Stack,
    Tril,
    diag,
    diagonal_of,
    is_column,
    kronecker,
    padded,
    reshape,
    slice_of,
    stack,
    tril,
    unkronecker,
    vec,
)
from symbolic.terms import (
    Term,
    add,
    hadamard,
    inner,
    inverse,
    ones_like,
    product,
    scale,
    transpose,
)


def _constant_differential(node: Any, i: int, d: Term, value: Term) -> Term:
    raise TypeError("a constant has no differential")


def _linear(node: type, of: Any, key: str, latex: str, text: str) -> dict[str, Any]:
    """Return the differential of an operation that is linear in its only operand: d of it is it of d."""
    return {"node": node, "differential": lambda n, i, d, value: of(n, d),
            "differential_rule": lambda n: Rule(
                f"differential_of_{key}", rf"\mathrm{{d}}\,{latex}(A) = {latex}(\mathrm{{d}}A)",
                f"d {text}(A) = {text}(dA)", f"{MAGNUS}, chapter 8, section 2")}


def _named(latex: str, text: str) -> dict[str, Any]:
    return {"latex": called(latex), "text": called(text)}


# Kronecker products.


def _kronecker_transposition(node: KroneckerProduct, i: int, G: Term) -> Term:
    """Sum the blocks: ⟨G, M ⊗ B⟩ = ⟨(I ⊗ 1ᵀ) (G ⊙ (1 ⊗ B)) (I ⊗ 1), M⟩."""
    before, operand, after = node.args[:i], node.args[i], node.args[i + 1:]
    if len(node.args) == 2:
        parts = unkronecker(G, node.args[0].shape, node.args[1].shape)
        if parts is not None:
            return product(inner(parts[1 - i], node.args[1 - i]), parts[i])
    filled = kronecker(*before, ones_like(operand), *after)

    def summing(axis: int) -> Term:
        ones = [OneMatrix(1, a.shape[axis]) for a in before], [OneMatrix(1, a.shape[axis]) for a in after]
        return kronecker(*ones[0], Identity(operand.shape[axis]), *ones[1])

    return product(summing(0), hadamard(G, filled), transpose(summing(1)))


def _kronecker_matrix(node: KroneckerProduct, i: int) -> Term:
    """Return J of M ↦ L ⊗ (M ⊗ R): vec(A ⊗ B) = (I ⊗ K ⊗ I) (vec A ⊗ vec B), twice."""
    before, operand, after = node.args[:i], node.args[i], node.args[i + 1:]
    found: Term = Identity(operand.shape[0] * operand.shape[1])
    if after:
        right = kronecker(*after)
        found = product(_mixed(operand, right), kronecker(found, vec(right)))
    if before:
        left, rest = kronecker(*before), kronecker(operand, *after)
        found = product(_mixed(left, rest), kronecker(vec(left), Identity(rest.shape[0] * rest.shape[1])), found)
    return found


def _mixed(left: Term, right: Term) -> Term:
    """Return I ⊗ K ⊗ I, which takes vec A ⊗ vec B to vec(A ⊗ B)."""
    (m, n), (p, q) = left.shape, right.shape
    return kronecker(Identity(n), commutation(q, m), Identity(p))


def commutation(rows: Expr, columns: Expr) -> Term:
    """Return K with K vec(A) = vec(Aᵀ) for A of rows × columns."""
    if S.One in (rows, columns):
        return Identity(rows * columns)
    return Basic.__new__(Commutation, rows, columns)


# Slices and blocks.


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


# Cholesky.


def _cholesky(node: Cholesky, size: Any, a: Any) -> Any:
    """Factorise without conjugates, so that a complex step goes through; a negative pivot is no number."""
    a = (a + a.T) / 2
    low = np.zeros_like(a, dtype=np.result_type(a, float))
    for j in range(len(a)):
        pivot = a[j, j] - np.sum(low[j, :j] ** 2)
        if not np.real(pivot) > 0:
            raise np.linalg.LinAlgError("not positive definite")
        low[j, j] = np.sqrt(pivot)
        for i in range(j + 1, len(a)):
            low[i, j] = (a[i, j] - np.sum(low[i, :j] * low[j, :j])) / low[j, j]
    return low


def _numpy_cholesky(node: Cholesky, show: Show) -> str:
    """Spell the factor of the symmetric part: NumPy's reads the lower triangle alone."""
    a = node.args[0]
    symmetric = show(a, 0) if transpose(a) == a else f"{show(scale(Rational(1, 2), add(a, transpose(a))), 0)}"
    return f"np.linalg.cholesky({symmetric})"


def half_triangle(size: Expr) -> Term:
    """Return the lower triangle of ones with ½ on its diagonal."""
    return add(tril(OneMatrix(size, size)), scale(-Rational(1, 2), Identity(size)))


def _cholesky_differential(node: Cholesky, i: int, d: Term, value: Term) -> Term:
    left = inverse(value)
    middle = product(left, scale(Rational(1, 2), add(d, transpose(d))), transpose(left))
    return product(value, hadamard(half_triangle(node.shape[0]), middle))


A, B, M = MatrixSymbol("A", 2, 3), MatrixSymbol("B", 3, 2), MatrixSymbol("M", 3, 3)
v, w, W, Z = (MatrixSymbol(n, *s) for n, s in (("v", (3, 1)), ("w", (2, 1)), ("W", (1, 2)), ("Z", (2, 2))))

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
        node=KroneckerProduct,
        differential=lambda node, i, d, value: kronecker(*node.args[:i], d, *node.args[i + 1:]),
        differential_rule=lambda node: Rule(
            "differential_of_kronecker_product",
            r"\mathrm{d}(A \otimes B) = \mathrm{d}A \otimes B + A \otimes \mathrm{d}B",
            "d(A ⊗ B) = dA ⊗ B + A ⊗ dB", f"{MAGNUS}, chapter 8, section 2"),
        transposition=_kronecker_transposition,
        transposition_rule=Rule(
            "transposition_of_kronecker_product",
            r"\langle G, M \otimes B\rangle = \langle (I \otimes \mathbf{1}^{\top}) (G \odot (\mathbf{1} \otimes B)) "
            r"(I \otimes \mathbf{1}), M\rangle",
            "⟨G, M ⊗ B⟩ = ⟨(I ⊗ 1ᵀ) (G ⊙ (1 ⊗ B)) (I ⊗ 1), M⟩", "the blocks of G ⊙ (1 ⊗ B), summed"),
        matrix=_kronecker_matrix,
        matrix_rule=Rule(
            "vec_of_kronecker_product",
            r"\operatorname{vec}(A \otimes B) = "
            r"(I \otimes K \otimes I) (\operatorname{vec} A \otimes \operatorname{vec} B)",
            "vec(A ⊗ B) = (I ⊗ K ⊗ I) (vec A ⊗ vec B)", f"{MAGNUS}, chapter 3, section 7"),
        evaluate=lambda node, size, *values: reduce(np.kron, values),
        latex=infix(r"\otimes", TIMES),
        text=infix("⊗", TIMES),
        spelling={"numpy": (ATOM, lambda node, show: _binary("np.kron", node.args, show)),
                  "language": (ATOM, lambda node, show: _binary("kron", node.args, show))},
        examples=lambda: (kronecker(A, B), kronecker(M, v), kronecker(w, W, Z)),
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
    Operation(
        node=Commutation,
        differential=_constant_differential,
        differential_rule=lambda node: Rule(
            "commutation", r"K \operatorname{vec}(A) = \operatorname{vec}(A^{\top})", "K vec(A) = vec(Aᵀ)",
            f"{MAGNUS}, chapter 3, section 7"),
        transposition=None,
        transposition_rule=None,
        evaluate=lambda node, size: _swap(*map(size, node.args)),
        latex=(ATOM, lambda node, show: rf"K_{{{show(node.args[0], 0)},{show(node.args[1], 0)}}}"),
        text=(ATOM, lambda node, show: f"K({show(node.args[0], 0)}, {show(node.args[1], 0)})"),
        spelling={target: (ATOM, lambda node, show: f"commutation({show(node.args[0], 0)}, {show(node.args[1], 0)})")
                  for target in ("numpy", "language")},
        examples=lambda: (commutation(S(2), S(3)),),
    ),
    Operation(
        node=Cholesky,
        differential=_cholesky_differential,
        differential_rule=lambda node: Rule(
            "differential_of_cholesky",
            r"\mathrm{d}L = L (P \odot (L^{-1}\, \mathrm{d}A\, L^{-\top})),\; LL^{\top} = A = A^{\top},\; "
            r"P = \operatorname{tril}(\mathbf{1}) - \tfrac{1}{2} I",
            "dL = L (P ⊙ (L⁻¹ dA L⁻ᵀ)), L Lᵀ = A = Aᵀ, P = tril(1) − ½ I",
            "Murray (2016), Differentiation of the Cholesky decomposition, section 3.1"),
        transposition=None,
        transposition_rule=None,
        evaluate=_cholesky,
        **_named(r"\operatorname{chol}", "chol"),
        spelling={"numpy": (ATOM, _numpy_cholesky), "language": called("chol")},
        examples=lambda: (Basic.__new__(Cholesky, add(product(transpose(A), A), Identity(3))),
                          Basic.__new__(Cholesky, Z)),
    ),
]


def _reshape(node: Reshape, show: Show) -> str:
    return f"reshape({', '.join(show(a, 0) for a in node.args)})"


def _binary(name: str, factors: tuple[Term, ...], show: Show) -> str:
    first, *rest = factors
    text = show(first, 0)
    for factor in rest:
        text = f"{name}({text}, {show(factor, 0)})"
    return text


def _swap(rows: int, columns: int) -> Any:
    """Return the commutation matrix, a permutation of the rows of the identity."""
    return np.eye(rows * columns)[np.arange(rows * columns).reshape((rows, columns), order="F").ravel()]
