"""The full Hessian of a network of one layer in its closed form, where that is one product AᵀA.

With a = W x + b linear in the parameters, ∇²𝓛 = Σ_n J_nᵀ M_n J_n with M_n the Hessian of the loss by a. Where M_n
is B_n B_nᵀ for a known B_n, the square root is taken of M alone, and scales the inputs (Bishop 2006, Pattern
Recognition and Machine Learning, sections 4.3.3 and 4.3.4).
"""

from __future__ import annotations

from dataclasses import dataclass

from sympy import Expr, HadamardProduct, MatrixSymbol, S

from codegen.passes import sum_and_broadcast
from symbolic.derivation import Derivation
from symbolic.network import Network
from symbolic.printing import TextPrinter
from symbolic.program import Equation
from symbolic.second_order import SecondOrder
from symbolic.terms import Broadcast, SumAlong, Term, add, hadamard, negative, ones_like, rebuilt, split


@dataclass(frozen=True)
class ClosedForm:
    """M, the Hessian of the loss of a sample by a.

    Attributes:
        kind: "diagonal" with the entries of ŷ ⊙ (1 − ŷ), "softmax" for diag ŷ − ŷ ŷᵀ, or "constant".
        coefficient: A factor, as 1/N.
        text: d∇a in terms of da, as it was derived.
    """

    kind: str
    coefficient: Expr
    text: str


def closed_form(network: Network, derivation: Derivation, second: SecondOrder) -> ClosedForm | None:
    """Return the closed form of a network's Hessian, or None where it has none here."""
    if len(network.layers) != 1:
        return None
    forward = derivation.forward
    y_hat, a = forward.symbol("y_hat"), forward.symbol("a1")
    definitions = {e.symbol: e.term for e in second.equations if e.name.startswith("d")}
    given = MatrixSymbol("da1", *a.shape)
    found = definitions.get(MatrixSymbol("dgrad_a1", *a.shape))
    if found is None:
        return None
    resolved = _resolved(found, {s: t for s, t in definitions.items() if s != given})
    (equation,) = sum_and_broadcast((Equation(given, resolved),))
    coefficient, term = split(equation.term)
    kind = _kind(term, y_hat, given, network)
    return None if kind is None else ClosedForm(kind, coefficient, TextPrinter().show(resolved))


def _kind(term: Term, y_hat: Expr, da: Expr, network: Network) -> str | None:
    if term == da:
        return "constant"
    if network.layers[0].activation == "sigmoid" and isinstance(term, HadamardProduct) and set(term.args) == {
            y_hat, da, add(ones_like(y_hat), negative(y_hat))}:
        return "diagonal"
    if network.layers[0].activation == "softmax":
        axis = 0 if network.samples == "columns" else 1
        sums = SumAlong(hadamard(y_hat, da), S(axis))
        whole = hadamard(y_hat, add(da, negative(Broadcast(sums, S(axis), y_hat.shape[axis]))))
        return "softmax" if term == whole else None
    return None


def _resolved(term: Term, definitions: dict[Expr, Term]) -> Term:
    """Write each differential by what it is defined as."""
    if term in definitions:
        return _resolved(definitions[term], definitions)
    if not term.args or isinstance(term, MatrixSymbol):
        return term
    return rebuilt(term, [_resolved(a, definitions) if isinstance(a, Expr) else a for a in term.args])
