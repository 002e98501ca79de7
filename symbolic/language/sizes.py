"""Arithmetic of dimensions: polynomials in positive whole numbers, kept expanded so that equal ones are equal."""

from __future__ import annotations

import sympy
from sympy import Expr, Integer, S, Symbol

from symbolic.language.tree import Chain, FlawError, Name, Node, Number, Power, Unary, children, postorder

ONE = Integer(1)
LARGEST_SIZE, LARGEST_RESULT = 10**7, 10**18
MOST_TERMS, HIGHEST_DEGREE, MOST_OPERATIONS = 50, 16, 30


def size(name: str) -> Symbol:
    """Return the symbol of a dimension."""
    return Symbol(name, integer=True, positive=True)


def fixed(number: int | str) -> Expr:
    """Return a dimension given as a number."""
    return Integer(int(number))


def total(*parts: Expr) -> Expr:
    """Return the sum of dimensions.

    Raises:
        FlawError: It is too large to work with.
    """
    return _small(sympy.Add(*parts))


def multiple(*parts: Expr) -> Expr:
    """Return the product of dimensions, expanded.

    Raises:
        FlawError: It is too large to work with.
    """
    found: Expr = ONE
    for part in parts:
        if len(sympy.Add.make_args(found)) * len(sympy.Add.make_args(part)) > MOST_TERMS:
            raise FlawError(f"a size that is a sum of more than {MOST_TERMS} terms")
        found = _small(sympy.expand(found * part))
    return found


def quotient(whole: Expr, part: Expr) -> Expr | None:
    """Return whole / part where that is a polynomial, else None."""
    found = sympy.cancel(whole / part)
    return found if sympy.denom(found) == 1 else None


def least(dimension: Expr) -> int | None:
    """Return the smallest value that a polynomial takes, where that is seen at once: all its signs agree."""
    coefficients = dimension.as_coefficients_dict()
    if any(number < 0 for term, number in coefficients.items() if term != 1):
        return None
    return int(sum(coefficients.values()))


def surely(dimension: Expr) -> bool:
    """Say whether a polynomial is seen to be zero or more at all sizes."""
    lowest = least(dimension)
    return lowest is not None and lowest >= 0


def never(dimension: Expr) -> bool:
    """Say whether a polynomial is seen to be less than zero at all sizes."""
    lowest = least(-dimension)
    return lowest is not None and lowest > 0


def _small(found: Expr) -> Expr:
    terms = sympy.Add.make_args(found)
    if len(terms) > MOST_TERMS:
        raise FlawError(f"a size that is a sum of more than {MOST_TERMS} terms")
    for term in terms:
        number, rest = term.as_coeff_Mul()
        degree = sum(int(f.exp) if f.is_Pow else 1 for f in sympy.Mul.make_args(rest) if f is not S.One)
        if abs(number) > LARGEST_RESULT or degree > HIGHEST_DEGREE:
            raise FlawError("a size too large to work with")
    return found


def evaluate_size(root: Node) -> Expr:
    """Return a dimension that a text spells: numbers, names, sums and products of them.

    Raises:
        FlawError: It is something else, too long, or never positive.
    """
    nodes = postorder(root)
    if len(nodes) > MOST_OPERATIONS:
        raise FlawError(f"a size of more than {MOST_OPERATIONS} operations", position=root.position)
    found: dict[Node, Expr] = {}
    for node in nodes:
        try:
            found[node] = _size(node, [found[child] for child in children(node)])
        except FlawError as flaw:
            position = node.position if flaw.position is None else flaw.position
            raise FlawError(flaw.problem, flaw.advice, position) from None
    return found[root]


def _size(node: Node, parts: list[Expr]) -> Expr:
    match node:
        case Number(text=text):
            if not text.isdigit() or int(text) > LARGEST_SIZE:
                raise FlawError(f"a size is a whole number from 1 to {LARGEST_SIZE}, came {text}")
            return fixed(text)
        case Name(name=name):
            return size(name)
        case Unary(operator="-"):
            return -parts[0]
        case Power(exponent=Number(text=text)) if text.isdigit() and 1 <= int(text) <= HIGHEST_DEGREE:
            return multiple(*parts[:1] * int(text))
        case Chain(rest=rest) if {link.operator for link in rest} <= {"+", "-"}:
            return total(parts[0], *(part if link.operator == "+" else -part
                                     for link, part in zip(rest, parts[1:], strict=True)))
        case Chain(rest=rest) if {link.operator for link in rest} == {"*"}:
            return multiple(*parts)
    raise FlawError("a size is a number, a name, or a sum or product of them")
