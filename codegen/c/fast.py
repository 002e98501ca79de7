"""exp and tanh in a form that compilers turn into vector instructions.

exp(x) = 2^k exp(r) with k the whole number next to x / ln 2 and a Taylor polynomial for |r| ≤ ln 2 / 2
(Muller, Elementary Functions, 3rd edition, chapter 11); tanh(x) = e / (e + 2) with e = exp(2 x) − 1,
which loses nothing to cancellation.
"""

from __future__ import annotations

from fractions import Fraction
from math import factorial

_SOURCE = """\
static inline __attribute__((always_inline)) {real} fast_exp{f}({real} x) {{
    const {real} low = {low}, high = {high};
    const {real} inside = x < low ? low : x > high ? high : x;
    const {real} shifted = inside*{per_ln2} + {magic};  /* its last bits hold k */
    const {real} k = shifted - {magic};
    const {real} r = (inside - k*{ln2_high}) - k*{ln2_low};
    const {real} r2 = r*r, r4 = r2*r2{r8};
    {bits} exponent;
    memcpy(&exponent, &shifted, sizeof exponent);
    exponent = (exponent + {below}) << {mantissa};
    {real} power;  /* 2^(k - 1), since 2^k itself may be too large */
    memcpy(&power, &exponent, sizeof power);
    const {real} value = power*({two} + ({two}*r)*({polynomial}));
    return x < low ? {zero} : x > high ? ({real})INFINITY : value;
}}

static inline __attribute__((always_inline)) {real} fast_tanh{f}({real} x) {{
    const {real} y = x + x, bound = {bound};
    const {real} inside = y < -bound ? -bound : y > bound ? bound : y;
    const {real} shifted = inside*{per_ln2} + {magic};
    const {real} k = shifted - {magic};
    const {real} r = (inside - k*{ln2_high}) - k*{ln2_low};
    const {real} r2 = r*r, r4 = r2*r2{r8};
    {bits} exponent;
    memcpy(&exponent, &shifted, sizeof exponent);
    exponent = (exponent + {bias}) << {mantissa};
    {real} power;
    memcpy(&power, &exponent, sizeof power);
    const {real} e = power*(r*({polynomial})) + (power - {one});
    return e/(e + {two});
}}"""

_TYPES = {
    "double": {"f": "", "bits": "uint64_t", "bias": 1023, "below": 1022, "mantissa": 52, "magic": 1.5 * 2**52,
               "low": -708.0, "high": 709.782, "ln2_high": float.fromhex("0x1.62e42fee00000p-1"),
               "ln2_low": float.fromhex("0x1.a39ef35793c76p-33"), "bound": 40.0, "degree": 13},
    "float": {"f": "f", "bits": "uint32_t", "bias": 127, "below": 126, "mantissa": 23, "magic": 1.5 * 2**23,
              "low": -86.98, "high": 88.7228, "ln2_high": 0.693359375,
              "ln2_low": -2.12194440e-4, "bound": 20.0, "degree": 7},
}


def _estrin(coefficients: list[str]) -> str:
    """Return a polynomial by Estrin's scheme: halves that a processor computes side by side."""
    if len(coefficients) == 1:
        return coefficients[0]
    if len(coefficients) == 2:
        return f"{coefficients[0]} + r*{coefficients[1]}"
    half = 1 << ((len(coefficients) - 1).bit_length() - 1)
    low, high = _estrin(coefficients[:half]), _estrin(coefficients[half:])
    return f"({low}) + r{half}*({high})"


def fast_functions(real: str) -> str:
    """Return fast_exp and fast_tanh for double or float."""
    row = dict(_TYPES[real])
    suffix = str(row["f"])

    def number(value: float) -> str:
        return repr(value) + suffix

    coefficients = [float(Fraction(1, factorial(i))) for i in range(1, int(str(row.pop("degree"))) + 1)]
    text = _estrin([number(c) for c in coefficients])
    floats = {k: number(v) for k, v in row.items() if isinstance(v, float)}
    words = {"real": real, "polynomial": text, "one": number(1.0), "two": number(2.0), "zero": number(0.0),
             "per_ln2": number(1.4426950408889634), "r8": ", r8 = r4*r4" if len(coefficients) > 8 else ""}
    return _SOURCE.format(**row | floats | words)
