"""How a name reads: one name, as in code, gives its LaTeX and its Unicode."""

from __future__ import annotations

import re
from functools import cache

_WHOLE = {
    "loss": (r"\mathcal{L}", "𝓛"),
    "data_loss": (r"\mathcal{L}_{\mathrm{data}}", "𝓛_data"),
    "penalty": (r"\Omega", "Ω"),
    "lambda": (r"\lambda", "λ"),
    "N": ("N", "N"),
}

_PATTERN = re.compile(r"(?P<base>[A-Za-z]+?)(?P<hat>_hat)?(?:_?\{?(?P<index>\d+|[a-zA-Z](?:-1)?)\}?)?")
_SUBSCRIPTS = str.maketrans("0123456789k-", "₀₁₂₃₄₅₆₇₈₉ₖ₋")


_DERIVATIVES = {
    "jacobian": (r"\frac{{\partial {0}}}{{\partial {1}^{{\top}}}}", "∂{0}/∂{1}ᵀ"),
    "derivative": (r"\frac{{\partial {0}}}{{\partial {1}}}", "∂{0}/∂{1}"),
    "vec_jacobian": (r"\frac{{\partial \operatorname{{vec}} {0}}}{{\partial (\operatorname{{vec}} {1})^{{\top}}}}",
                     "∂vec {0}/∂(vec {1})ᵀ"),
    "hessian": (r"\nabla^2_{{{0}}}\mathcal{{L}}", "∇²{0}"),
    "mixed": (r"\nabla^2_{{{0},{1}}}\mathcal{{L}}", "∇²{0},{1}"),
    "map": (r"H_{{{0}}}[{1}]", "H_{0}[{1}]"),
}
"""Derivatives that have names of their own: ``hessian:x`` is ∇²x, ``jacobian:f:x`` ∂f/∂xᵀ."""


def _derivative(name: str, latex: bool) -> str | None:
    kind, *names = name.split(":")
    if kind not in _DERIVATIVES:
        return None
    return _DERIVATIVES[kind][not latex].format(*map(latex_name if latex else text_name, names))


@cache
def latex_name(name: str) -> str:
    """Return the LaTeX of a name: ``a1`` is a_1, ``y_hat`` is ŷ, ``grad_W3`` is ∇_{W_3}𝓛."""
    if ":" in name and (special := _derivative(name, latex=True)):
        return special
    if name.startswith("grad_"):
        return rf"\nabla_{{{latex_name(name[5:])}}}\mathcal{{L}}"
    if name in _WHOLE:
        return _WHOLE[name][0]
    if re.fullmatch(r"d[A-Za-z]\d*", name):  # of a differential the d is upright, and nothing else
        return r"\mathrm{d}" + latex_name(name[1:])
    match = _split(name)
    if not match:
        return rf"\mathrm{{{name.replace('_', chr(92) + '_')}}}"
    base, hat, index = match
    text = base if len(base) == 1 else rf"\mathrm{{{base}}}"
    text = rf"\hat{{{text}}}" if hat else text
    return f"{text}_{braced(index)}" if index else text


def braced(index: str) -> str:
    """Return a subscript for LaTeX, in braces where it is longer than a character."""
    return index if len(index) == 1 else f"{{{index}}}"


@cache
def text_name(name: str) -> str:
    """Return the Unicode of a name: ``a1`` is a₁, ``y_hat`` is ŷ, ``grad_W3`` is ∇W₃."""
    if ":" in name and (special := _derivative(name, latex=False)):
        return special
    if name.startswith("grad_"):
        return "∇" + text_name(name[5:])
    if name in _WHOLE:
        return _WHOLE[name][1]
    match = _split(name)
    if not match:
        return name
    base, hat, index = match
    text = base + ("\u0302" if hat else "")
    text = {"y\u0302": "ŷ"}.get(text, text)
    if not index:
        return text
    return text + (index.translate(_SUBSCRIPTS) if set(index) <= set("0123456789k-") else f"_{index}")


def _split(name: str) -> tuple[str, bool, str] | None:
    match = _PATTERN.fullmatch(name)
    if not match or (match["index"] and len(match["base"]) > 1 and not match["index"].isdigit()):
        return None
    if match["index"] and match["index"].isalpha() and "_" not in name:
        return None
    return match["base"], bool(match["hat"]), match["index"] or ""
