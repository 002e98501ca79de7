"""How a generated module compares its derivatives with differences of its value: lines of code."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sympy import Expr

from codegen.expressions.arguments import PROPERTIES
from symbolic.answers import Answer
from symbolic.terms import is_matrix, shape


@dataclass(frozen=True)
class Checked:
    """One answer, and how a module reaches its value.

    Attributes:
        answer: It.
        found: The code of its value; empty where the module does not compute it.
        mapped: The code of its map's value in the direction V; empty without a map.
        keys: The keyword of each variable.
    """

    answer: Answer
    found: str
    mapped: str
    keys: tuple[str, ...]


def comparing_lines(checked: Checked, moves: Mapping[Expr, str], value: str) -> list[str]:
    """Return the lines that compare one answer with differences, and yield the relative errors.

    Args:
        checked: The answer.
        moves: The property that a direction has to keep, of the variables where not every direction will do.
        value: The name of the function that is differentiated.
    """
    answer = checked.answer
    if answer.kind == "hessian":
        return _comparing_curvature(checked, moves, value)
    key = checked.keys[0]
    lines = [f"V = {_direction(answer.wrt[0], key, moves)}",
             f'expected = _slope({value}, given, {{"{key}": V}}, 1e-4)']
    if checked.found:
        lines.append(f"yield _error({_along(answer, checked.found)}, expected, size)")
    if checked.mapped:
        lines.append(f"yield _error({checked.mapped}, expected, size)")
    return lines


def _along(answer: Answer, found: str) -> str:
    """Return the code of the derivative in the direction V."""
    if answer.convention == "symmetric":
        return f"np.sum(np.tril({found} * V))"
    if answer.kind == "gradient":
        return f"np.sum({found} * V)"
    return f"{found} @ _vec(V)" if is_matrix(answer.wrt[0]) else f"{found} * V"


def _comparing_curvature(checked: Checked, moves: Mapping[Expr, str], value: str) -> list[str]:
    (first, one), (second, other) = zip(checked.answer.wrt * 2, checked.keys * 2, strict=True) if len(
        checked.keys) == 1 else zip(checked.answer.wrt, checked.keys, strict=True)
    lines = [f"U = {_direction(first, one, moves)}", f"V = {_direction(second, other, moves)}",
             f'expected = _curvature({value}, given, {{"{one}": U}}, {{"{other}": V}})']
    if checked.found:
        turned = _is_turned(checked.answer)
        left, right = ("V", "U") if turned else ("U", "V")
        lines.append(f"yield _error(_form({checked.found}, {left}, {right}), expected, 100 * size)")
    if checked.mapped:
        lines.append(f"yield _error(np.sum(U * {checked.mapped}), expected, 100 * size)")
    return lines


def _is_turned(answer: Answer) -> bool:
    """Say whether a mixed block has the second variable's entries as its rows, by its shape."""
    sizes = [rows * columns for rows, columns in map(shape, answer.wrt)]
    return len(sizes) == 2 and shape(answer.equation.symbol) == (sizes[1], sizes[0]) != (sizes[0], sizes[1])


def _direction(variable: Expr, key: str, moves: Mapping[Expr, str]) -> str:
    if not is_matrix(variable):
        return "1.0"
    drawn = f'rng.standard_normal(given["{key}"].shape)'
    return f'_keeping_{moves[variable]}({drawn})' if variable in moves else drawn


def keeping_lines(moves: Mapping[Expr, str]) -> dict[str, str]:
    """Return, by property, the expression of a direction that keeps it, made from any direction ``a``."""
    return {key: PROPERTIES[key].move.format("a") for key in sorted(set(moves.values()))}
