"""exp and tanh as functions that numba inlines into loops, in a form that becomes vector instructions.

The method is that of `codegen.c.fast`: exp(x) = 2^k exp(r) with k the whole number next to x / ln 2 and a Taylor
polynomial for |r| ≤ ln 2 / 2 (Muller, Elementary Functions, 3rd edition, chapter 11); tanh(x) = e / (e + 2) with
e = exp(2 x) − 1. Only products and sums may be contracted: reassociation would cancel the number that rounds to k.
"""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from math import factorial


@dataclass(frozen=True)
class _Type:
    real: str
    integer: str
    bias: int
    mantissa: int
    low: float
    high: float
    ln2_high: float
    ln2_low: float
    bound: float
    degree: int

    def number(self, value: float) -> str:
        """Return a constant of the type."""
        return repr(value) if self.real == "float64" else f"np.float32({value!r})"


_TYPES = (
    _Type("float64", "int64", 1023, 52, -708.0, 709.782, float.fromhex("0x1.62e42fee00000p-1"),
          float.fromhex("0x1.a39ef35793c76p-33"), 40.0, 13),
    _Type("float32", "int32", 127, 23, -86.98, 88.7228, 0.693359375, -2.12194440e-4, 20.0, 7),
)

_REDUCED = """\
    shifted = inside * {per_ln2} + {magic}  # its last bits hold k
    k = shifted - {magic}
    r = (inside - k * {ln2_high}) - k * {ln2_low}
    power = np.{integer}((np.{real}(shifted).view(np.{integer}) + np.{integer}({exponent})) << np.{integer}({mantissa}))
    power = power.view(np.{real})
"""

_SOURCES = {
    "exp": "    inside = {low} if x < {low} else {high} if x > {high} else x\n"
           + _REDUCED.replace("{exponent}", "{below}") + """\
    value = power * ({two} + ({two} * r) * ({polynomial}))  # the power is 2^(k - 1), since 2^k may be too large
    return {zero} if x < {low} else {infinity} if x > {high} else value""",
    "tanh": "    y = x + x\n    inside = {minus_bound} if y < {minus_bound} else {bound} if y > {bound} else y\n"
            + _REDUCED.replace("{exponent}", "{bias}") + """\
    e = power * (r * ({polynomial})) + (power - {one})
    return e / (e + {two})""",
}

_WORDS = {"exp": "e to the x", "tanh": "the hyperbolic tangent"}


def exponential(name: str) -> str:
    """Return the text of exp or tanh: the function by name, and what numba takes for it by type."""
    parts = [f'def {name}(x):\n    """Stand for {_WORDS[name]}, of a compiled function\'s float64 or float32."""']
    for kind in _TYPES:
        parts.append(f"def _{name}_{kind.real}(x):\n{_SOURCES[name].format(**_words(kind))}")
    parts.append(f"@overload({name}, jit_options=OPTIONS)\ndef _{name}(x):\n"
                 f"    return {{numba.float64: _{name}_float64, numba.float32: _{name}_float32}}.get(x)")
    return "\n\n\n".join(parts)


def _words(kind: _Type) -> dict[str, str]:
    text = kind.number(float(Fraction(1, factorial(kind.degree))))
    for i in range(kind.degree - 1, 0, -1):
        text = f"{kind.number(float(Fraction(1, factorial(i))))} + r * ({text})"
    values = {"low": kind.low, "high": kind.high, "ln2_high": kind.ln2_high, "ln2_low": kind.ln2_low,
              "bound": kind.bound, "minus_bound": -kind.bound, "magic": 1.5 * 2**kind.mantissa, "one": 1.0,
              "two": 2.0, "zero": 0.0, "per_ln2": 1.4426950408889634}
    return {"polynomial": text, "real": kind.real, "integer": kind.integer, "bias": str(kind.bias),
            "below": str(kind.bias - 1),
            "infinity": "np.float32(np.inf)" if kind.real == "float32" else "np.inf",
            "mantissa": str(kind.mantissa)} | {name: kind.number(value) for name, value in values.items()}
