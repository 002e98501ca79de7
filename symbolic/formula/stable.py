"""Rewrites of a user's formula into functions that do not overflow.

The rewrites are identities over the reals: 1/(1 + exp(-u)) = sigmoid(u),
log(1 + exp(u)) = softplus(u), and, for hyperbolic functions spelled with exp,
(exp(u) - exp(-u)) / (exp(u) + exp(-u)) = tanh(u).
"""

from __future__ import annotations

import sympy
from sympy import Add, Expr, Mul, Pow, S, cosh, cot, exp, log, sinh, tan, tanh

from symbolic.scalars import sigmoid, softplus


def stable(expr: sympy.Expr) -> sympy.Expr:
    """Return an equal expression, of sigmoid, softplus and tanh where exp could overflow."""
    if not expr.args:
        return expr
    arguments = [stable(argument) for argument in expr.args]
    if any(new is not old for new, old in zip(arguments, expr.args, strict=True)):
        expr = expr.func(*arguments)
    for kind, rewrite in ((Add, _sum), (Pow, _power), (Mul, _product), (log, _logarithm)):
        if isinstance(expr, kind):
            return rewrite(expr)
    return 1 / tan(expr.args[0]) if isinstance(expr, cot) else expr  # SymPy's own form of tan(u + pi/2)


def _one_and_exp(expr: Expr) -> tuple[Expr, Expr, Expr] | None:
    """Return (c, s, u) with the expression = c (1 + s exp(u)) and s = 1 or -1, if it has that form."""
    constant, rest = expr.as_coeff_Add()
    if constant.is_zero:
        return None
    sign, power = (rest / constant).as_coeff_Mul()
    if abs(sign) == 1 and isinstance(power, exp):
        return constant, sign, power.args[0]
    return None


def _sum(expr: Expr) -> Expr:
    """Write exp(u) + exp(-u) as 2 cosh(u), exp(u) - exp(-u) as 2 sinh(u)."""
    if len(expr.args) == 2:
        (c, first), (d, second) = (term.as_coeff_Mul() for term in expr.args)
        if isinstance(first, exp) and isinstance(second, exp) and (first.args[0] + second.args[0]).is_zero:
            if c == d:
                return 2 * c * cosh(first.args[0])
            if c == -d:
                return 2 * c * sinh(first.args[0])
    return expr


def _power(expr: Expr) -> Expr:
    """Write (1 + exp(u))^-n as sigmoid(-u)^n."""
    form = _one_and_exp(expr.base) if expr.exp.is_negative else None
    if form is None or form[1] != 1 or (form[0].is_negative and not expr.exp.is_Integer):
        return expr
    constant, _, u = form
    return constant**expr.exp * sigmoid(-u)**-expr.exp


def _logarithm(expr: Expr) -> Expr:
    """Write log(1 + exp(u)) as softplus(u), and log(sigmoid(u)) as -softplus(-u)."""
    argument = expr.args[0]
    if isinstance(argument, sigmoid):
        return -softplus(-argument.args[0])
    form = _one_and_exp(argument)
    if form is None or form[1] != 1 or form[0].is_negative:
        return expr
    return log(form[0]) + softplus(form[2])


def _product(expr: Expr) -> Expr:
    """Write exp(u) sigmoid(-u) as sigmoid(u); (1 - exp(-2u)) sigmoid(2u) and sinh(u) / cosh(u) as tanh(u)."""
    powers = dict(factor.as_base_exp() if isinstance(factor, Pow) else (factor, S.One)
                  for factor in Mul.make_args(expr))
    changed = False
    for base, n in tuple(powers.items()):
        if isinstance(base, sigmoid) and n.is_positive:
            changed |= _join_exp(powers, base) or _join_difference(powers, base)
        if isinstance(base, sinh) and n.is_Integer and powers.get(cosh(base.args[0])) == -n:
            powers[tanh(base.args[0])] = powers.pop(base)
            del powers[cosh(base.args[0])]
            changed = True
    return _multiplied(powers) if changed else expr


def _multiplied(powers: dict[Expr, Expr]) -> Expr:
    return Mul(*(base**n for base, n in powers.items()))


def _join_exp(powers: dict[Expr, Expr], base: Expr) -> bool:
    """Join exp(-n u) and sigmoid(u)^m, in place, to sigmoid(-u)^n sigmoid(u)^(m-n)."""
    u, m = base.args[0], powers[base]
    for other in powers:
        if isinstance(other, exp):
            ratio = -powers[other] * other.args[0] / u
            n = sympy.Min(ratio, m) if ratio.is_Rational and m.is_Rational else S.Zero
            if n.is_positive:
                del powers[other]
                powers[base] -= n
                powers[sigmoid(-u)] = powers.get(sigmoid(-u), S.Zero) + n
                remaining = exp((n - ratio) * u)
                powers[remaining] = powers.get(remaining, S.Zero) + 1
                return True
    return False


def _join_difference(powers: dict[Expr, Expr], base: Expr) -> bool:
    """Join c (1 - exp(-u)) and sigmoid(u)^m, in place, to c tanh(u/2) sigmoid(u)^(m-1)."""
    u, m = base.args[0], powers[base]
    for other in powers:
        form = _one_and_exp(other) if isinstance(other, Add) and powers[other] == 1 else None
        if form is not None and form[1] == -1 and form[2] + u == 0 and m >= 1:
            del powers[other]
            powers[base] -= 1
            powers[form[0]] = powers.get(form[0], S.Zero) + 1
            half = tanh(u / 2)
            powers[half] = powers.get(half, S.Zero) + 1
            return True
    return False
