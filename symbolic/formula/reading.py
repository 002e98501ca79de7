"""A scalar formula in x, typed by a user, as a SymPy expression that has been checked.

The text is never evaluated: `symbolic.formula.parser` accepts a fixed list of names
and nothing else.
"""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np
import sympy

from symbolic.errors import InputError
from symbolic.formula.parser import SAMPLES, SYMPY_REFUSALS, Operand, Parser
from symbolic.formula.stable import stable
from symbolic.messages import shown
from symbolic.scalar_values import scalar_value
from symbolic.scalars import x

LONGEST = 500
TRUSTED, TOLERANCE = 1e12, 1e-6
"""Above the first, floating point is no witness; within the second, it agrees."""


def parse_formula(text: str) -> sympy.Expr:
    """Return the scalar formula in ``symbolic.scalars.x`` that a text spells.

    Operators are ``+ - * / ^ **`` with their usual precedence (powers from the
    right, ``-x^2`` is ``-(x^2)``), names ``x``, ``pi`` and ``e``, functions those of
    `FORMULA_FUNCTIONS`. Decimals become exact fractions. Forms that overflow are
    rewritten, see `symbolic.formula.stable.stable`.

    Args:
        text: For instance ``"x/(1+exp(-x))"``.

    Returns:
        An expression whose only symbol is x, and whose derivative SymPy can find.

    Raises:
        InputError: The text is no such formula, or has no gradient.
    """
    if not isinstance(text, str):
        raise InputError(f"a formula is a string in x such as 'x*tanh(x)', came {shown(text)}")
    return _parsed(text)


@lru_cache(maxsize=256)  # a deep network names the same formula once a layer
def _parsed(text: str) -> sympy.Expr:
    if len(text) > LONGEST:
        raise InputError(f"formula {shown(text, 40)} is {len(text)} characters long, "
                         f"at most {LONGEST} are read; make it shorter")
    operand = Parser(text).whole()
    complaint = f"formula {shown(text, 120)}"
    if not operand.expr.free_symbols:
        raise InputError(f"{complaint} does not depend on x, so it has no gradient; use x in it")
    if not any(map(math.isfinite, operand.values)):
        raise InputError(f"{complaint} is no finite real number anywhere that was tried in [-2, 2]; "
                         "check its roots, logarithms and divisions")
    try:
        return _verified(operand)
    except SYMPY_REFUSALS as error:
        problem = str(error) if isinstance(error, InputError) else "has a derivative that cannot be computed"
        raise InputError(f"{complaint} {problem}; write it another way") from None


def _verified(operand: Operand) -> sympy.Expr:
    """Return the stable form of an operand, after it has met the numbers of the text.

    SymPy's automatic rules may leave the reals, as sqrt(a b) = sqrt(a) sqrt(b) does.
    """
    result, points = stable(operand.expr), np.array(SAMPLES)
    with np.errstate(all="ignore"):
        computed, slope = (scalar_value(term, points) for term in (result, sympy.diff(result, x)))
    if not np.isfinite(slope).any():
        raise InputError("has no derivative that is real and finite")
    for point, value, number in zip(SAMPLES, operand.values, computed, strict=True):
        if abs(value) < TRUSTED and not abs(number - value) <= TOLERANCE * max(1, abs(value)):
            raise InputError(f"is {value:.6g} at x = {point}, but simplifies to {number:.6g}")
    return result
