"""What the fields of a network may hold: one check each, for every form in which it is given."""

from __future__ import annotations

import keyword
import math
import numbers
import re
import sys
from collections.abc import Iterable
from typing import TypeAlias

import sympy

from symbolic.errors import InputError
from symbolic.formula import parse_formula
from symbolic.formula.functions import FORMULA_FUNCTIONS
from symbolic.functions import activations
from symbolic.messages import nearest, shown

Width: TypeAlias = "int | sympy.Symbol"

WIDEST, LONGEST_NAME = 10**7, 64

_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")
_WIDTH_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_]{0,31}")
_TAKEN = re.compile(r"[Wabh][0-9]+|grad_.*|N|X|Y|y_hat|r|m|x|loss|data_loss|penalty|lambda|np|numpy")
"""Names of a program's own quantities, which a width cannot have too."""


def width_symbol(name: str) -> sympy.Symbol:
    """Return the symbol of a width, a positive integer.

    Raises:
        InputError: The name is no short identifier, or a program uses it for something else.
    """
    if not isinstance(name, str) or not _WIDTH_NAME.fullmatch(name) or keyword.iskeyword(name):
        raise InputError(f"a width is a whole number or a short name such as n1, came {shown(name)}")
    if _TAKEN.fullmatch(name):
        raise InputError(f"the width {name!r} has the name of another quantity; choose one such as n1")
    return sympy.Symbol(name, integer=True, positive=True)


def module_name(name: str) -> str:
    """Return the name if a generated module can have it.

    Raises:
        InputError: It is no identifier, holds a path, or would hide a module of Python or NumPy.
    """
    if (not isinstance(name, str) or not _NAME.fullmatch(name) or keyword.iskeyword(name)
            or len(name) > LONGEST_NAME or name.startswith("__")):
        raise InputError(f"name: expected a Python identifier of at most {LONGEST_NAME} ASCII characters, "
                         f"without a path, came {shown(name)}")
    if name in ("numpy", "np") or name in sys.stdlib_module_names:
        raise InputError(f"name: {name!r} would hide the module {name!r} from Python; "
                         f"choose another, such as {name}_net")
    return name


def width(what: str, value: object) -> Width:
    """Return a width as an int or a symbol, ``what`` being its name in a message."""
    if isinstance(value, sympy.Symbol):
        if value != width_symbol(value.name):
            raise InputError(f"{what}: the symbol {value.name!r} is not known to be a positive integer; "
                             f"make it with width_symbol({value.name!r})")
        return value
    if isinstance(value, bool) or not isinstance(value, numbers.Integral) or not 1 <= int(value) <= WIDEST:
        raise InputError(f"{what}: expected a whole number from 1 to {WIDEST}, came {shown(value)}")
    return int(value)


def activation(value: object) -> str:
    """Return the name of an activation, or a formula on one line."""
    if not isinstance(value, str) or not value.strip():
        raise InputError(f"activation: expected a name or a formula in x, came {shown(value)}")
    text = " ".join(value.split())  # one line, for both of the text forms
    if text in activation_names():
        return text
    if _NAME.fullmatch(text) and text not in ("x", "pi", "e"):
        hint = (f"; write it as a formula, {text}(x)" if text in FORMULA_FUNCTIONS
                else f"{nearest(text, activation_names())} (or a formula in x)")
        raise InputError(f"unknown activation {shown(text)}{hint}")
    parse_formula(text)
    return text


def known_name(what: str, value: object, known: Iterable[str]) -> str:
    """Return a name that is among the known ones."""
    names = tuple(known)
    if isinstance(value, str) and value in names:
        return value
    word = value if isinstance(value, str) else ""
    raise InputError(f"unknown {what} {shown(value)}{nearest(word, names)}")


def decay(value: object) -> float:
    """Return a factor of weight decay, finite and not negative."""
    try:
        number = float(value) if not isinstance(value, bool) and isinstance(value, numbers.Real) else math.nan
    except OverflowError:
        number = math.inf
    if not 0 <= number < math.inf:
        raise InputError(f"weight_decay: expected a finite number, 0 or more, came {shown(value)}")
    return number + 0.0  # -0.0 becomes 0.0


def activation_names() -> tuple[str, ...]:
    """Return the names that a layer's activation may have; a formula in x is the alternative."""
    return (*activations(), "softmax")
