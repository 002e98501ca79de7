"""Products of small matrices as loops: written out where they stand, or as functions."""

from __future__ import annotations

import sympy

from codegen.kernels.instructions import Product
from codegen.numba_target.loops import ADD
from codegen.numba_target.scalars import NumbaScalars

_MULTIPLY = {
    (False, False): ("multiply", "c A B", "A.shape[1]", "A[i, l]", "B[l, j]"),
    (True, False): ("multiply_transposed", "c A^T B", "A.shape[0]", "A[l, i]", "B[l, j]"),
    (False, True): ("multiply_by_transposed", "c A B^T", "A.shape[1]", "A[i, l]", "B[j, l]"),
}
"""By which factors are transposed: a function's name, what it computes, its inner dimension, and the entries."""

_BY_ROWS = '''@compiled
def {name}(c, A, B, C, accumulate):
    """Write C = {words}, or add that to C."""
    factor = A.dtype.type(c)
    for i in range(C.shape[0]):
        if not accumulate:
            for j in range(C.shape[1]):
                C[i, j] = 0
        for l in range({inner}):
            a = factor * {left}
            for j in range(C.shape[1]):
                C[i, j] += a * {right}'''

_BY_ENTRIES = '''@compiled
def {name}(c, A, B, C, accumulate):
    """Write C = {words}, or add that to C."""
    factor = A.dtype.type(c)
    for i in range(C.shape[0]):
        for j in range(C.shape[1]):
            total = A.dtype.type(0)
            for l in range({inner}):
                total = add(total, {left} * {right})
            C[i, j] = C[i, j] + factor * total if accumulate else factor * total'''


def multiply(product: Product, scalars: NumbaScalars) -> list[str]:
    """Return the call of a function that multiplies, which the printer of scalars remembers."""
    name, words, inner, left, right = _MULTIPLY[product.left_transposed, product.right_transposed]
    if product.right_transposed:
        scalars.helpers.setdefault("add", ADD)
    template = _BY_ENTRIES if product.right_transposed else _BY_ROWS
    scalars.helpers.setdefault(name, template.format(name=name, words=words, inner=inner, left=left, right=right))
    return [f"{name}({scalars.formula(product.coefficient)}, {product.left.name}, {product.right.name}, "
            f"{product.out.name}, {product.accumulate})"]


def written_out(product: Product, scalars: NumbaScalars) -> list[str]:
    """Return loops whose bounds are known where they are compiled."""
    left, right, out = product.left.name, product.right.name, product.out.name
    rows, inner, columns = (sympy.expand(n) for n in (product.out.shape[0], product.inner, product.out.shape[1]))
    a = f"{left}[l, i]" if product.left_transposed else f"{left}[i, l]"
    factor = "" if product.coefficient == 1 else f"{scalars.formula(product.coefficient)} * "
    if product.right_transposed:
        scalars.helpers.setdefault("add", ADD)
        return [f"for i in range({rows}):", f"    for j in range({columns}):", "        total = real(0)",
                f"        for l in range({inner}):", f"            total = add(total, {a} * {right}[j, l])",
                f"        {out}[i, j] {'+=' if product.accumulate else '='} {factor}total"]
    start = [] if product.accumulate else [f"    for j in range({columns}):", f"        {out}[i, j] = 0"]
    return [f"for i in range({rows}):", *start, f"    for l in range({inner}):", f"        a = {factor}{a}",
            f"        for j in range({columns}):", f"            {out}[i, j] += a * {right}[l, j]"]
