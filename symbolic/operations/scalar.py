"""Operations whose value is a scalar: inner product, squared norm, and scalar algebra."""

from __future__ import annotations

from typing import Any

import numpy as np
import sympy
from sympy import (
    Add,
    Basic,
    Determinant,
    Expr,
    Identity,
    Inverse,
    MatrixSymbol,
    Mul,
    OneMatrix,
    Pow,
    S,
    Symbol,
    exp,
    log,
)

from symbolic.extremes import FirstLargest, LargestEntry, LogSumExp
from symbolic.functions import FUNCTIONS, MAGNUS, ScalarFunction, derivative, h, scalar_function
from symbolic.operations.entrywise import applied_spelling, differential_rule
from symbolic.operations.table import ATOM, POWER, TIMES, Operation, Rule, Show, Spelling, called
from symbolic.scalar_values import MEANINGS, scalar_value
from symbolic.scalars import x
from symbolic.structure import is_column, reshape, vec
from symbolic.terms import (
    Applied,
    Elementwise,
    Inner,
    SquaredNorm,
    Term,
    add,
    applied,
    elementwise,
    inner,
    is_matrix,
    product,
    softmax,
    transpose,
)


def _scalar_differential(node: Expr, i: int, d: Term, value: Term) -> Expr:
    """Apply SymPy's scalar calculus: ∂f/∂s ds for the scalar operand s; a root and exp by a value that has a name."""
    if value != node and isinstance(node, exp):
        return value * d
    if value != node and isinstance(node, Pow) and node.exp == S.Half:
        return d / (2 * value)
    if isinstance(node, Mul):  # at once: SymPy would differentiate each of its factors
        return Mul(*node.args[:i], *node.args[i + 1:]) * d
    operand = sympy.Dummy(real=True)
    f = node.func(*node.args[:i], operand, *node.args[i + 1:])
    return sympy.diff(f, operand).subs(operand, node.args[i]) * d


def _scalar_row(node: type, key: str, latex: str, text: str, example: Expr) -> Operation:
    linear = node in (Mul, Add)
    return Operation(
        node=node,
        differential=_scalar_differential,
        differential_rule=lambda _: Rule(f"differential_of_{key}", latex, text, "scalar calculus"),
        transposition=(lambda n, i, g: g * (n / n.args[i] if n.is_Mul else 1)) if linear else None,
        transposition_rule=Rule(
            f"transposition_of_{key}", r"\langle g, c\,\mathrm{d}s\rangle = \langle g c, \mathrm{d}s\rangle",
            "⟨g, c ds⟩ = ⟨g c, ds⟩", "scalar multiples") if linear else None,
        evaluate=lambda _, size, *values: MEANINGS[node](*values),
        latex=_by_sympy, text=_by_sympy, spelling={"numpy": _by_sympy, "language": _by_sympy},
        matrix=(lambda n, i: n / n.args[i] if n.is_Mul else S.One) if linear else None,
        matrix_rule=Rule(f"factor_of_{key}", r"c\,\mathrm{d}s = (c)\,\mathrm{d}s", "c ds = (c) ds",
                         "scalar multiples") if linear else None,
        examples=lambda: (example,),
        of_sympy=True,
    )


def _unreachable(node: Expr, show: Any) -> str:
    raise TypeError(f"{node} is spelled by SymPy's printer")


_by_sympy: Spelling = (0, _unreachable)


def softmax_of_all(term: Term) -> Term:
    """Return the softmax over all entries of a matrix, in its shape."""
    if S.One in term.shape:
        return softmax(term, 0 if is_column(term) else 1)
    return reshape(softmax(vec(term), 0), *term.shape)


def _applied_differential(node: Applied, i: int, d: Term, value: Term) -> Term:
    slope = derivative(node.function)
    if isinstance(slope, ScalarFunction):
        return applied(slope, node.args[1]) * d
    return slope.xreplace({x: node.args[1], h: node}) * d  # at once: the operand may hold an x or h of its own


def _language_inner(node: Inner, show: Show) -> str:
    left, right = node.args
    if isinstance(left, sympy.OneMatrix):
        return show(right, ATOM) if left.shape == (1, 1) else f"sum({show(right, 0)})"
    if isinstance(left, Identity):
        return f"tr({show(right, 0)})"
    if is_column(left):
        return f"{turned(left, show)}*{_factor(right, show)}"
    if left.shape[0] == 1:
        return f"{show(left, TIMES)}*{turned(right, show, first=False)}"
    return f"sum({show(left, TIMES)}.*{show(right, TIMES + 1)})"


def _factor(term: Term, show: Show) -> str:
    """Spell a product as further factors; its parentheses would say nothing."""
    return show(term, TIMES if isinstance(term, sympy.MatMul) and is_matrix(term.args[0]) else TIMES + 1)


def turned(term: Term, show: Show, first: bool = True) -> str:
    """Spell Aᵀ as the first or a further factor, from the transposes of its parts or as a whole, as is shorter."""
    parts = transpose(term)
    inside, whole = show(parts, TIMES) if first else _factor(parts, show), show(
        Basic.__new__(sympy.Transpose, term), TIMES)
    return whole if whole.count("'") < inside.count("'") and isinstance(term, sympy.MatAdd) else inside


def _largest(node: LargestEntry, show: Show) -> str:
    inside = node.args[0]
    if isinstance(inside, Elementwise) and inside.function == scalar_function("abs"):
        return f"norminf({show(inside.operand, 0)})"
    return f"max_rows(max_cols({show(inside, 0)}))"


A, B, s = MatrixSymbol("A", 2, 3), MatrixSymbol("B", 2, 3), Symbol("s", real=True)
square = product(transpose(A), A)
column = MatrixSymbol("v", 3, 1)
BOYD = "Boyd, Vandenberghe (2004), Convex Optimization"

OPERATIONS = [
    Operation(
        node=Inner,
        differential=lambda node, i, d, value: inner(*(d if j == i else a for j, a in enumerate(node.args))),
        differential_rule=lambda node: Rule(
            "differential_of_inner_product",
            r"\mathrm{d}\langle A, B\rangle = \langle \mathrm{d}A, B\rangle + \langle A, \mathrm{d}B\rangle",
            "d⟨A, B⟩ = ⟨dA, B⟩ + ⟨A, dB⟩", f"{MAGNUS}, chapter 8, section 2"),
        transposition=lambda node, i, g: product(g, node.args[1 - i]),
        transposition_rule=Rule(
            "transposition_of_inner_product", r"g \langle A, M\rangle = \langle g A, M\rangle",
            "g ⟨A, M⟩ = ⟨g A, M⟩", "linearity of the inner product"),
        evaluate=lambda node, size, a, b: np.sum(a * b),
        latex=(ATOM, lambda node, show: rf"\langle {show(node.args[0], 0)}, {show(node.args[1], 0)}\rangle"),
        text=(ATOM, lambda node, show: f"⟨{show(node.args[0], 0)}, {show(node.args[1], 0)}⟩"),
        spelling={"numpy": (ATOM, lambda node, show: (
            f"np.sum({show(node.args[1], 0)})" if isinstance(node.args[0], OneMatrix)
            else f"np.vdot({show(node.args[0])}, {show(node.args[1])})")),
                  "language": (TIMES, _language_inner)},
        matrix=lambda node, i: transpose(vec(node.args[1 - i])),
        matrix_rule=Rule(
            "vec_of_inner_product", r"\langle C, M\rangle = (\operatorname{vec} C)^{\top} \operatorname{vec} M",
            "⟨C, M⟩ = (vec C)ᵀ vec M", f"{MAGNUS}, chapter 2, section 4"),
        examples=lambda: (
            inner(A, B), inner(A, A), inner(column, add(column, column)), inner(transpose(column), transpose(column)),
            inner(Identity(3), square), inner(OneMatrix(2, 3), A)),
    ),
    Operation(
        node=SquaredNorm,
        differential=lambda node, i, d, value: 2 * inner(node.args[0], d),
        differential_rule=lambda node: Rule(
            "differential_of_squared_norm",
            r"\mathrm{d}\lVert A\rVert^{2} = 2\langle A, \mathrm{d}A\rangle",
            "d‖A‖² = 2⟨A, dA⟩", f"{MAGNUS}, chapter 8, section 2"),
        transposition=None,
        transposition_rule=None,
        evaluate=lambda node, size, a: np.sum(a * a),
        latex=(ATOM, lambda node, show: rf"\lVert {show(node.args[0], 0)}\rVert^{{2}}"),
        text=(ATOM, lambda node, show: f"‖{show(node.args[0], 0)}‖²"),
        spelling={"numpy": (ATOM, lambda node, show: f"np.sum({show(node.args[0], ATOM)} ** 2)"),
                  "language": (POWER, lambda node, show: f"norm2({show(node.args[0], 0)})^2")},
        examples=lambda: (SquaredNorm(A),),
    ),
    Operation(
        node=Determinant,
        differential=lambda node, i, d, value: node * inner(
            transpose(Basic.__new__(Inverse, node.args[0], S.NegativeOne)), d),
        differential_rule=lambda node: Rule(
            "differential_of_determinant",
            r"\mathrm{d}\lvert A\rvert = \lvert A\rvert \langle A^{-\top}, \mathrm{d}A\rangle",
            "d|A| = |A| ⟨A⁻ᵀ, dA⟩", f"{MAGNUS}, chapter 8, section 3"),
        transposition=None,
        transposition_rule=None,
        evaluate=lambda node, size, a: np.linalg.det(a),
        latex=(ATOM, lambda node, show: rf"\det\left({show(node.args[0], 0)}\right)"),
        text=(ATOM, lambda node, show: f"det({show(node.args[0], 0)})"),
        spelling={"numpy": (ATOM, lambda node, show: f"np.linalg.det({show(node.args[0], 0)})"),
                  "language": called("det")},
        examples=lambda: (Determinant(add(product(transpose(A), A), Identity(3))),),
    ),
    Operation(
        node=LogSumExp,
        differential=lambda node, i, d, value: inner(softmax_of_all(node.args[0]), d),
        differential_rule=lambda node: Rule(
            "differential_of_log_sum_exp",
            r"\mathrm{d}\operatorname{logsumexp}(A) = \langle \operatorname{softmax}(A), \mathrm{d}A\rangle",
            "d logsumexp(A) = ⟨softmax(A), dA⟩", f"{BOYD}, section 3.1.5"),
        transposition=None,
        transposition_rule=None,
        evaluate=lambda node, size, a: np.max(np.real(a)) + np.log(np.sum(np.exp(a - np.max(np.real(a))))),
        latex=called(r"\operatorname{logsumexp}"),
        text=called("logsumexp"),
        spelling={"numpy": called("logsumexp"), "language": called("logsumexp")},
        examples=lambda: (LogSumExp(A), LogSumExp(column), LogSumExp(transpose(column))),
    ),
    Operation(
        node=LargestEntry,
        differential=lambda node, i, d, value: inner(Basic.__new__(FirstLargest, node.args[0], S(2)), d),
        differential_rule=lambda node: Rule(
            "differential_of_largest_entry",
            r"\mathrm{d}\max(A) = \langle E, \mathrm{d}A\rangle,\; E = \operatorname{argmax}(A)",
            "d max(A) = ⟨E, dA⟩, E = argmax(A), one-hot", f"{BOYD}, section 3.1.5"),
        transposition=None,
        transposition_rule=None,
        evaluate=lambda node, size, a: a.ravel(order="F")[np.argmax(np.real(a).ravel(order="F"))],
        latex=called(r"\operatorname{max}"),
        text=called("max"),
        spelling={"numpy": called("np.max"), "language": (ATOM, lambda node, show: _largest(node, show))},
        examples=lambda: (LargestEntry(A), LargestEntry(elementwise(scalar_function("abs"), A))),
    ),
    Operation(
        node=Applied,
        differential=_applied_differential,
        differential_rule=lambda node: differential_rule(node.function, scalar=True),
        transposition=None,
        transposition_rule=None,
        evaluate=lambda node, size, a: scalar_value(node.function.formula, np.asarray(a))[()],
        latex=applied_spelling(latex=True),
        text=applied_spelling(latex=False),
        examples=lambda: (
            *(Basic.__new__(Applied, scalar_function(name), s) for name in FUNCTIONS),
            *(Basic.__new__(Applied, scalar_function(name), x + h) for name in ("tanh", "log"))),
    ),
    _scalar_row(Mul, "scalar_product", r"\mathrm{d}(c s) = c\,\mathrm{d}s", "d(c s) = c ds", 3 * s * inner(A, B)),
    _scalar_row(Add, "scalar_sum", r"\mathrm{d}(s + t) = \mathrm{d}s + \mathrm{d}t", "d(s + t) = ds + dt",
                inner(A, B) + s),
    _scalar_row(Pow, "power", r"\mathrm{d}(s^n) = n s^{n-1}\,\mathrm{d}s", "d(sⁿ) = n sⁿ⁻¹ ds",
                Pow(inner(A, B), 3)),
    _scalar_row(exp, "scalar_exp", r"\mathrm{d}e^{s} = e^{s}\,\mathrm{d}s", "d exp(s) = exp(s) ds",
                exp(inner(A, B))),
    _scalar_row(log, "scalar_log", r"\mathrm{d}\log s = \mathrm{d}s / s", "d log s = ds / s",
                log(S(2) + SquaredNorm(A))),
]
