"""Identities of the Hadamard product and quotient."""

from __future__ import annotations

from sympy import HadamardProduct, MatAdd, OneMatrix, ZeroMatrix

from symbolic.functions import GOODFELLOW, scalar_function
from symbolic.identities.table import ENTRYWISE, Context, Identity
from symbolic.operations.table import Rule
from symbolic.program import Assumption
from symbolic.terms import (
    Elementwise,
    HadamardQuotient,
    Term,
    add,
    elementwise,
    hadamard,
    negative,
    ones_like,
    quotient,
    split,
)


def factors_of(term: Term) -> tuple[Term, list[Term]]:
    """Return the coefficient of a Hadamard product and its factors; of any other term, itself."""
    coefficient, rest = split(term)
    return coefficient, list(rest.args) if isinstance(rest, HadamardProduct) else [rest]


def zero(term: Term, context: Context) -> Term | None:
    """Return 0 for a product with a factor 0."""
    return ZeroMatrix(*term.shape) if any(isinstance(a, ZeroMatrix) for a in term.args) else None


def _without_ones(term: HadamardProduct, context: Context) -> Term | None:
    rest = [f for f in term.args if not isinstance(f, OneMatrix)]
    if len(rest) == len(term.args):
        return None
    return hadamard(*rest) if rest else term.args[0]


def _cancel_quotient(term: HadamardProduct, context: Context) -> Term | None:
    for i, factor in enumerate(term.args):
        if isinstance(factor, HadamardQuotient):
            divisors = factor.args[1].args if isinstance(factor.args[1], HadamardProduct) else (factor.args[1],)
            rest = [f for j, f in enumerate(term.args) if j != i]
            for divisor in divisors:
                if divisor in rest:
                    rest.remove(divisor)
                    left = list(divisors)
                    left.remove(divisor)
                    kept = quotient(factor.args[0], hadamard(*left)) if left else factor.args[0]
                    return hadamard(*rest[:i], kept, *rest[i:])
    return None


def _distribute_to_cancel(term: HadamardProduct, context: Context) -> Term | None:
    """Multiply a sum out where each of its summands is then rid of a quotient."""
    for i, factor in enumerate(term.args):
        if isinstance(factor, MatAdd):
            others = term.args[:i] + term.args[i + 1:]
            quotients = [q for s in factor.args for q in factors_of(s)[1] if isinstance(q, HadamardQuotient)]
            if quotients and all(q.args[1] in others for q in quotients):
                return add(*(hadamard(s, *others) for s in factor.args))
    return None


def _quotient_of_ones(term: HadamardProduct, context: Context) -> Term | None:
    """A ⊙ (1 ⊘ C) = A ⊘ C; several divisors are joined."""
    below = [f.args[1] for f in term.args if isinstance(f, HadamardQuotient) and isinstance(f.args[0], OneMatrix)]
    if not below:
        return None
    above = [f for f in term.args if not (isinstance(f, HadamardQuotient) and isinstance(f.args[0], OneMatrix))]
    return quotient(hadamard(*above) if above else ones_like(term), hadamard(*below))


def _cancelled(term: HadamardQuotient, context: Context) -> Term | None:
    """(A ⊙ C) ⊘ C = A, and (A ⊘ B) ⊘ C = A ⊘ (B ⊙ C)."""
    above, below = term.args
    if isinstance(above, HadamardQuotient):
        return quotient(above.args[0], hadamard(above.args[1], below))
    top, bottom = factors_of(above)[1], list(factors_of(below)[1])
    kept = []
    for factor in top:
        if factor in bottom:
            bottom.remove(factor)
        else:
            kept.append(factor)
    if len(kept) == len(top) or factors_of(below)[0] != 1:
        return None
    left = hadamard(*kept) if kept else ones_like(term)
    return quotient(left, hadamard(*bottom)) if bottom else left


def _logistic(term: HadamardQuotient, context: Context) -> Term | None:
    """exp(A) ⊘ (1 + exp(A)) = σ(A), and 1 ⊘ (1 + exp(A)) = σ(−A)."""
    above, below = term.args
    if not (isinstance(below, MatAdd) and len(below.args) == 2):
        return None
    ones = [a for a in below.args if isinstance(a, OneMatrix)]
    powers = [a for a in below.args if isinstance(a, Elementwise) and a.function == scalar_function("exp")]
    if not (ones and powers):
        return None
    (exponential,), factors = powers, factors_of(above)[1]
    sigmoid = scalar_function("sigmoid")
    if exponential in factors:
        factors.remove(exponential)
        return hadamard(*factors, elementwise(sigmoid, exponential.operand))
    negated = elementwise(sigmoid, negative(exponential.operand))
    return hadamard(*(f for f in factors if not isinstance(f, OneMatrix)), negated)


def _ratio(term: HadamardQuotient, context: Context) -> Term | None:
    """sinh(A) ⊘ cosh(A) = tanh(A), and sin(A) ⊘ cos(A) = tan(A)."""
    above, below = factors_of(term.args[0])[1], term.args[1]
    for top, bottom, ratio in (("sinh", "cosh", "tanh"), ("sin", "cos", "tan")):
        if isinstance(below, Elementwise) and below.function == scalar_function(bottom):
            wanted = elementwise(scalar_function(top), below.operand)
            if wanted in above:
                value = elementwise(scalar_function(ratio), below.operand)
                first = above.index(wanted)
                return hadamard(*(value if i == first else f for i, f in enumerate(above)))
    return None


def _odds(term: HadamardProduct, context: Context) -> Term | None:
    """σ(A) ⊙ exp(−A) = σ(−A)."""
    for i, factor in enumerate(term.args):
        if isinstance(factor, Elementwise) and factor.function == scalar_function("sigmoid"):
            power = elementwise(scalar_function("exp"), negative(factor.operand))
            if power in term.args:
                j = term.args.index(power)
                value = elementwise(factor.function, negative(factor.operand))
                return hadamard(*(value if k == i else f for k, f in enumerate(term.args) if k != j))
    return None


def _step_again(term: HadamardProduct, context: Context) -> Term | None:
    """relu(A) ⊙ step(A) = relu(A), and step(A) ⊙ step(A) = step(A)."""
    for i, factor in enumerate(term.args):
        if isinstance(factor, Elementwise) and factor.function == scalar_function("step"):
            rest = term.args[:i] + term.args[i + 1:]
            if factor in rest or elementwise(scalar_function("relu"), factor.operand) in rest:
                return hadamard(*rest)
    return None


def _positive(term: Elementwise, context: Context) -> tuple[Term, Assumption] | None:
    """|A| = A = relu(A), and sign A = 1 = step(A), where A > 0."""
    assumption = context.assumptions.get(("positive", term.operand))
    if assumption is None or term.function.row is None:
        return None
    if term.function.name in ("abs", "relu"):
        return term.operand, assumption
    return (ones_like(term), assumption) if term.function.name in ("sign", "step") else None


def _one_hot(term: HadamardProduct, context: Context) -> tuple[Term, Assumption] | None:
    """Y ⊙ Y = Y where the entries are 0 or 1."""
    for factor in term.args:
        if term.args.count(factor) > 1:
            for key in ("onehot_rows", "onehot_cols"):
                assumption = context.assumptions.get((key, factor))
                if assumption:
                    first = term.args.index(factor)
                    return hadamard(*(f for i, f in enumerate(term.args) if f != factor or i == first)), assumption
    return None


IDENTITIES = [
    Identity(Rule("zero_hadamard_product", r"\mathbf{0} \odot A = \mathbf{0}", "0 ⊙ A = 0", ENTRYWISE),
             HadamardProduct, zero),
    Identity(Rule("ones_hadamard_product", r"\mathbf{1} \odot A = A", "1 ⊙ A = A", ENTRYWISE),
             HadamardProduct, _without_ones),
    Identity(Rule("quotient_cancels", r"C \odot (A \oslash C) = A \text{ where no entry of } C \text{ is } 0",
                  "C ⊙ (A ⊘ C) = A, C without zero entries", ENTRYWISE), HadamardProduct, _cancel_quotient),
    Identity(Rule("distributes", r"A \odot (B + C) = A \odot B + A \odot C", "A ⊙ (B + C) = A ⊙ B + A ⊙ C",
                  ENTRYWISE), HadamardProduct, _distribute_to_cancel),
    Identity(Rule("one_hot", r"Y \odot Y = Y", "Y ⊙ Y = Y", "assumed of the matrix"), HadamardProduct, _one_hot),
    Identity(Rule("positive", r"\lvert A\rvert = A,\; \operatorname{sign}(A) = \mathbf{1}", "|A| = A, sign A = 1",
                  "assumed of the matrix"), Elementwise, _positive),
    Identity(Rule("product_with_quotient", r"A \odot (\mathbf{1} \oslash C) = A \oslash C", "A ⊙ (1 ⊘ C) = A ⊘ C",
                  ENTRYWISE), HadamardProduct, _quotient_of_ones),
    Identity(Rule("logistic", r"e^{A} \oslash (\mathbf{1} + e^{A}) = \sigma(A) = \mathbf{1} \oslash "
                  r"(\mathbf{1} + e^{-A})", "exp(A) ⊘ (1 + exp(A)) = σ(A) = 1 ⊘ (1 + exp(−A))",
                  f"{GOODFELLOW}, section 3.10"), HadamardQuotient, _logistic),
    Identity(Rule("quotient_of_product", r"(A \odot C) \oslash C = A \text{ where no entry of } C \text{ is } 0,\; "
                  r"(A \oslash B) \oslash C = A \oslash (B \odot C)",
                  "(A ⊙ C) ⊘ C = A, C without zero entries, (A ⊘ B) ⊘ C = A ⊘ (B ⊙ C)",
                  ENTRYWISE), HadamardQuotient, _cancelled),
    Identity(Rule("ratio", r"\sinh(A) \oslash \cosh(A) = \tanh(A),\; \sin(A) \oslash \cos(A) = \tan(A)",
                  "sinh(A) ⊘ cosh(A) = tanh(A), sin(A) ⊘ cos(A) = tan(A)", "definition of tanh and tan"),
             HadamardQuotient, _ratio),
    Identity(Rule("step_again", r"\operatorname{relu}(A) \odot \operatorname{step}(A) = \operatorname{relu}(A)",
                  "relu(A) ⊙ step(A) = relu(A), step(A) ⊙ step(A) = step(A)", ENTRYWISE),
             HadamardProduct, _step_again),
    Identity(Rule("odds", r"\sigma(A) \odot e^{-A} = \sigma(-A)", "σ(A) ⊙ exp(−A) = σ(−A)",
                  f"{GOODFELLOW}, section 3.10"), HadamardProduct, _odds),
]
