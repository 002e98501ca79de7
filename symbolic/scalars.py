"""The scalar functions that SymPy lacks, and the variable of every elementwise formula."""

from __future__ import annotations

import sympy

x = sympy.Symbol("x", real=True)
"""The variable of an elementwise formula f(x)."""


class sigmoid(sympy.Function):
    """Logistic function 1 / (1 + exp(-x)); its derivative is sigmoid(x) (1 - sigmoid(x))."""

    nargs = 1

    def fdiff(self, argindex: int = 1) -> sympy.Expr:
        """Derivative by the argument (Goodfellow et al. 2016, section 3.10)."""
        return self * (1 - self)

    def _eval_rewrite_as_exp(self, argument: sympy.Expr, **_: object) -> sympy.Expr:
        return 1 / (1 + sympy.exp(-argument))

    def _eval_evalf(self, precision: int) -> sympy.Expr:
        return self._eval_rewrite_as_exp(self.args[0])._eval_evalf(precision)


class softplus(sympy.Function):
    """log(1 + exp(x)); its derivative is sigmoid(x)."""

    nargs = 1

    def fdiff(self, argindex: int = 1) -> sympy.Expr:
        """Derivative by the argument (Goodfellow et al. 2016, section 3.10)."""
        return sigmoid(self.args[0])

    def _eval_rewrite_as_exp(self, argument: sympy.Expr, **_: object) -> sympy.Expr:
        return sympy.log(1 + sympy.exp(argument))

    def _eval_evalf(self, precision: int) -> sympy.Expr:
        return self._eval_rewrite_as_exp(self.args[0])._eval_evalf(precision)
