"""What the rules are called: the field's name of each where its key is not that already."""

from __future__ import annotations

_NAMES = {
    "given_gradient": "chain rule, from a gradient that is known",
    "independent": "does not depend on it",
    "free_entries": "derivative by the free entries",
    "collect": "linearity of the inner product, collected",
    "linearity": "linearity of the inner product",
    "inner_product_of_sum": "linearity of the inner product",
    "coefficient_of_inner_product": "homogeneity of the inner product",
    "sum_of_repeated": "linearity of the inner product",
    "differential_of_scalar_product": "constant factor",
    "differential_of_scalar_sum": "sum rule",
    "differential_of_power": "power rule",
    "differential_of_sum": "linearity of the differential",
    "differential_of_product": "product rule",
    "differential_of_inner_product": "product rule of the inner product",
    "differential_of_hadamard_product": "product rule, entry by entry",
    "differential_of_hadamard_quotient": "quotient rule, entry by entry",
    "differential_of_kronecker_product": "product rule of the Kronecker product",
    "differential_of_transpose": "differential of the transpose",
    "differential_of_inverse": "differential of the inverse",
    "differential_of_determinant": "Jacobi's formula",
    "differential_of_squared_norm": "differential of the squared norm",
    "distribution": "labels that are distributions",
    "distributes": "distributivity",
    "multiplied_out": "distributivity",
    "expand_and_cancel": "distributivity, and terms that cancel",
    "common_factor": "distributivity, common factor",
    "common_matrix": "distributivity, common factor",
    "common_coefficient": "common coefficient",
    "common_scalar": "common coefficient",
    "commutative_sum": "commutativity of the sum",
    "product_of_ones": "outer product of ones",
    "ones_hadamard_product": "ones are neutral to the Hadamard product",
    "zero_hadamard_product": "zero absorbs",
    "zero_product": "zero absorbs",
    "quotient_cancels": "quotient cancelled",
    "inverse_cancels": "inverse cancelled",
    "one_hot": "one-hot labels",
    "positive": "positive entries",
    "symmetric": "symmetry",
    "symmetric_by_form": "symmetry by form",
    "single_sample": "a single sample",
    "trace_of_product": "trace of a product",
    "mixed_product": "mixed-product property",
    "vec_of_product": "vec of a product",
    "norm_of_transpose": "norm of the transpose",
    "inner_product_with_itself": "definition of the Frobenius norm",
    "inner_product_with_ones": "definition of the inner product",
}

_ADJOINT = {"sum": "linearity of the inner product", "product": "adjoint of the matrix product",
            "transpose": "adjoint of the transpose", "sums": "adjoint of the sum along an axis",
            "broadcast": "adjoint of the broadcast", "scalar_product": "adjoint of the constant factor"}


def rule_name(key: str) -> str:
    """Return the name of a rule by its key."""
    if key in _NAMES:
        return _NAMES[key]
    kind, of, what = key.partition("_of_")
    if kind == "transposition" and of:
        return _ADJOINT.get(what, f"adjoint of the {_words(what)}")
    if kind == "differential" and of:
        return f"differential of {_words(what.removeprefix('applied_').removeprefix('scalar_'))}"
    return _words(key)


def _words(key: str) -> str:
    return key.replace("_", " ").replace("hadamard", "Hadamard").replace("kronecker", "Kronecker")
