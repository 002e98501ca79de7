"""Random values for the symbols of a program that have the properties assumed of them."""

from __future__ import annotations

from typing import Any

import numpy as np
from sympy import Expr

from symbolic.evaluate import Size
from symbolic.program import Program
from symbolic.terms import is_matrix


def sample(symbol: Expr, program: Program, size: Size, rng: np.random.Generator, draw: int = 0) -> Any:
    """Return a random value for a symbol.

    Square matrices are well conditioned, so that inverses are. The first draws are centred at zero;
    later ones are positive, and of other magnitudes, for functions that ask for it.
    """
    low, high = ((0.3, 1.0), (0.5, 1.5), (0.05, 0.4), (1.5, 3.0))[draw // 4 % 4]
    if not is_matrix(symbol):
        return rng.uniform(low, high)
    rows, columns = map(size, symbol.shape)
    keys = {a.key for a in program.assumptions if a.symbol == symbol}
    special = _special(keys, rows, columns, rng)
    if special is not None:
        return special
    if draw >= 4 or "positive" in keys:
        if draw % 4 == 3 and "positive" not in keys:
            low, high = -high, high
        return rng.uniform(low, high, (rows, columns))
    if rows == columns:
        return _conditioned(rows, rng)
    return rng.standard_normal((rows, columns)) / np.sqrt(max(rows, columns))


def _special(keys: set[str], rows: int, columns: int, rng: np.random.Generator) -> Any:
    if "diagonal" in keys:
        signs = 1 if keys & {"psd", "positive"} else rng.choice((-1.0, 1.0), rows)
        return np.diag(rng.uniform(0.5, 1.5, rows) * signs)
    if "psd" in keys:
        half = _conditioned(rows, rng)
        return half @ half.T
    if "symmetric" in keys:
        half = rng.uniform(0.3, 1.0, (rows, rows)) if "positive" in keys else _conditioned(rows, rng)
        return half + half.T
    for key, axis in (("distribution_cols", 0), ("distribution_rows", 1)):
        if key in keys:
            drawn = rng.dirichlet(np.ones((rows, columns)[axis]), (columns, rows)[axis])
            return drawn.T if axis == 0 else drawn
    if "onehot_cols" in keys:
        return np.eye(rows)[rng.integers(rows, size=columns)].T
    if "onehot_rows" in keys:
        return np.eye(columns)[rng.integers(columns, size=rows)]
    return None


def _conditioned(size: int, rng: np.random.Generator) -> Any:
    """Return a random square matrix with singular values between 0.5 and 1.5."""
    left, right = (np.linalg.qr(rng.standard_normal((size, size)))[0] for _ in range(2))
    return left * rng.uniform(0.5, 1.5, size) @ right
