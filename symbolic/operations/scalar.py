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
    Pow,
    S,
    Symbol,
    exp,
    log,
)

from symbolic.functions import MAGNUS
from symbolic.operations.table import ATOM, TIMES, Operation, Rule, Spelling
from symbolic.scalar_values import MEANINGS
from symbolic.terms import Inner, SquaredNorm, Term, add, inner, product, transpose


def _scalar_differential(node: Expr, i: int, d: Expr, value: Term) -> Expr:
    """Apply SymPy's scalar calculus: ∂f/∂s ds for the scalar operand s."""
    operand = sympy.Dummy()
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
        latex=_by_sympy, text=_by_sympy, spelling={"numpy": _by_sympy},
        examples=lambda: (example,),
        of_sympy=True,
    )


def _unreachable(node: Expr, show: Any) -> str:
    raise TypeError(f"{node} is spelled by SymPy's printer")


_by_sympy: Spelling = (0, _unreachable)

A, B, s = MatrixSymbol("A", 2, 3), MatrixSymbol("B", 2, 3), Symbol("s", real=True)

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
            f"np.sum({show(node.args[1], 0)})" if isinstance(node.args[0], sympy.OneMatrix)
            else f"np.sum({show(node.args[0], TIMES)} * {show(node.args[1], TIMES + 1)})"))},
        examples=lambda: (inner(A, B), inner(A, A)),
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
        spelling={"numpy": (ATOM, lambda node, show: f"np.sum({show(node.args[0], ATOM)} ** 2)")},
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
        spelling={"numpy": (ATOM, lambda node, show: f"np.linalg.det({show(node.args[0], 0)})")},
        examples=lambda: (Determinant(add(product(transpose(A), A), Identity(3))),),
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
