"""Mistakes that hide themselves: in what is handed on, in loops, in a line whose value is right elsewhere.

Each was missed once: nothing was found, or lines that follow from it were called wrong instead of it.
"""

from __future__ import annotations

import pytest
from mutation_study import PROGRAMS

from gradwright.checking.checker import check_source
from gradwright.checking.source import source_of

MISTAKES = [
    # Handed on under the name of another: in dicts, as arguments, in what is returned.
    ("course_functions", '"A2": A2,', '"A2": Z3,', "wrong_name"),
    ("course_functions", '{"dW1": dW1,', '{"dW1": dW3,', "layer_index"),
    ("course_functions", '"dW2": dW2,', '"dW2": parameters["W2"],', "wrong_name"),
    ("course_functions", '"W2": W2, "b2": b2, "W3": W3, "b3": b3}\n\n\nX', '"W2": grads["dW3"], "b2": b2, "W3": W3, '
     '"b3": b3}\n\n\nX', "wrong_name"),
    ("course_functions", '"W3": W3, "b3": b3}\n\n\nX', '"W3": parameters["W3"], "b3": b3}\n\n\nX', "stale_value"),
    ("course_functions", 'b2 = parameters["b2"] -', 'b2 = grads["dW2"] -', "wrong_name"),
    ("softmax_regression", "return W, b, dW, db, losses", "return W, b, dW, W, losses", "wrong_name"),
    ("softmax_regression", "return W, b, dW, db, losses", "return T, b, dW, db, losses", "wrong_name"),
    ("course_functions", "np.sum(dZ2, axis=1, keepdims=True)", "np.sum(dZ2, axis=1)", "broadcast"),
    # Names that are no arrays, or are not there.
    ("helpers_lambdas", "dZ3 = A3 - Y", "dZ3 = tanh_prime - Y", "wrong_name"),
    ("helpers_lambdas", "A0 = X", "A0 = p", "wrong_name"),
    ("helpers_lambdas", "Z3 = A2 @ W3 + b3", "Z3 = (A2 @ W3 + b3) * p", "extra_factor"),
    ("layer_loop", "np.log(h[L])", "np.log(h[L + 1])", "loss_mismatch"),
    # A weight or a layer is lost by it.
    ("half_mse", "l1.T.dot(l2_delta)", "l1.T.dot(y)", "wrong_name"),
    ("half_mse", "l1.T.dot(l2_delta)", "l2.T.dot(l2_delta)", "layer_index"),
    ("mse_grad_names", "np.maximum(h, 0)", "np.maximum(x, 0)", "wrong_name"),
    ("helpers_lambdas", "np.tanh(Z2)\n", "np.tanh(b2)\n", "wrong_name"),
    ("helpers_lambdas", "A3 = sigmoid(Z3)", "A3 = sigmoid(Z1)", "layer_index"),
    ("torch_layout", "np.tanh(pre2)", "np.tanh(fc1_weight)", "wrong_name"),
    ("reshaped_sums", "np.matmul(w3, out2), bias3", "np.matmul(w3, w2), bias3", "wrong_name"),
    # Lines after it are wrong in the same way.
    ("string_keys", "dZ = AL - Y", "dZ = -(AL - Y)", "sign"),
    ("string_keys", "dZ = AL - Y", "dZ = Y - Y", "wrong_name"),
    ("string_keys", 'dZ = dA * np.where(cache[f"Z{l - 1}"] > 0, 1, 0)', "dZ = dA", "missing_factor"),
    ("layer_loop", "da = dh * (1 - h[k - 1] ** 2)", "da = dh", "missing_factor"),
    ("string_keys", "1 / m * np.sum(dZ, axis=1, keepdims=True)", "(1 / m * np.sum(dZ, axis=1, keepdims=True)).ravel()",
     "broadcast"),
    ("mse_grad_names", "2.0 * (y_pred - y) / y.size", "(2.0 * (y_pred - y) / y.size).ravel()", "broadcast"),
    ("class_cache", "exps / np.sum(exps, axis=1, keepdims=True)", "exps * np.sum(exps, axis=1, keepdims=True)",
     "operator"),
    ("half_mse", "l2_error = l2 - y", "l2_error = l0 - y", "layer_index"),
    # The value is right, or right of another network.
    ("deltas_rows", "np.exp(z3 - z3.max(", "np.exp(z3 + z3.max(", "sign"),
    ("deltas_rows", "np.exp(z3 - z3.max(", "np.exp(z3 - W3.max(", "wrong_name"),
    ("helpers_lambdas", "A1 = sigmoid(Z1)", "A1 = sigmoid(Z1) * Z1", "extra_factor"),
    ("modules", "grad = layer.backward(grad)", "grad = -layer.backward(grad)", "sign"),
    # Loss and gradients do not belong together.
    ("modules", "np.log(self.p), axis=1", "np.log(self.p), axis=0", "missing_sum"),
    ("string_keys", "-1 / m * np.sum(Y * np.log(AL))", "np.sum((Y - AL) ** 2)", "loss_mismatch"),
]


@pytest.mark.parametrize(("program", "right", "wrong", "kind"), MISTAKES, ids=lambda text: text.strip()[:40])
def test_a_hidden_mistake_is_found(program: str, right: str, wrong: str, kind: str) -> None:
    source = (PROGRAMS / f"{program}.py").read_text(encoding="utf-8")
    assert source.count(right) == 1
    line = source[:source.index(right)].count("\n") + 1
    findings = check_source(source_of(source.replace(right, wrong), program)).findings
    here = [f for f in findings if f.place.line == line]
    assert kind in [f.kind for f in here]
    assert not [f for f in findings if f.severity == "error" and f.place.line != line]


@pytest.mark.parametrize(("right", "wrong", "lines"), [
    ("target].mean()", "target].sum()", {24, 28}),
    ("-log_probs[", "log_probs[", {24}),
])
def test_a_factor_between_loss_and_gradients_names_both(right: str, wrong: str, lines: set[int]) -> None:
    """Of a sum beside gradients of a mean either may be meant; of the other sign only the loss is."""
    source = (PROGRAMS / "torch_layout.py").read_text(encoding="utf-8")
    assert source.count(right) == 1
    first, *others = [f for f in check_source(source_of(source.replace(right, wrong))).findings if f.kind != "unstable"]
    assert not others
    assert {first.place.line, *(place.line for place in first.also)} == lines
