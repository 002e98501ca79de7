"""The closed Hessian of a network of one layer, in plain loops of C."""

from __future__ import annotations

import sympy
from sympy import Expr, S

from codegen.c.scalars import ScalarPrinter
from codegen.hessian import closed_form
from codegen.kernels.functions import Functions
from codegen.templating import render
from symbolic.build import SAMPLES
from symbolic.derivation import Derivation
from symbolic.network import Network


def hessian_function(network: Network, derivation: Derivation, functions: Functions, scalars: ScalarPrinter) -> str:
    """Return the text of the function ``hessian``, empty where the network has no closed form.

    Args:
        network: With integer widths.
        derivation: Of its program.
        functions: Its kernels.
        scalars: Prints formulas of the file.
    """
    form = closed_form(network, derivation, functions.second)
    if form is None:
        return ""
    inputs, units = network.inputs, network.layers[0].units
    columns, bias, one = network.samples == "columns", network.layers[0].bias, scalars.formula(S.One)

    def place(unit: str, i: str) -> str:
        weight = f"{unit}*INPUTS + {i}" if columns else f"{i}*UNITS + {unit}"
        return f"{i} < INPUTS ? {weight} : UNITS*INPUTS + {unit}" if bias else weight

    def entry(i: str) -> str:
        x = f"X[{i}*N + n]" if columns else f"X[n*INPUTS + {i}]"
        return f"{i} < INPUTS ? {x} : {one}" if bias else x

    return render("hessian.c.jinja", form=form, real=scalars.real, units=units, inputs=inputs, bias=bias,
                  count=network.parameter_count, coefficient=scalars.formula(form.coefficient),
                  one=form.coefficient == 1, unit=one, zero=scalars.formula(S.Zero), decay=network.weight_decay,
                  at=lambda unit: f"{unit}*N + n" if columns else f"n*UNITS + {unit}", place=place, input=entry).strip()


def room(network: Network, functions: Functions) -> Expr:
    """Return the numbers that the function needs as its workspace: y_hat, and what forward needs."""
    return sympy.expand(network.layers[-1].units * SAMPLES + functions.forward.storage.size)
