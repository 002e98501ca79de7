"""The passes over kernels keep values, and no two values that are needed share a buffer.

The oracle is `handwritten`; an interpreter of instructions stands in for the printers. It keeps every matrix where
the plan puts it, and writes NaN over it once nobody reads it any more.
"""

from __future__ import annotations

import functools
import math

import numpy as np
import pytest
import sympy
from checks import close, derived, directions, networks
from handwritten import MLP, sigmoid, softplus
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from codegen.kernels.functions import functions
from codegen.kernels.instructions import MAX, Apply, Loop, Product
from codegen.workspace.plan import planned
from symbolic.build import DECAY, SAMPLES
from symbolic.terms import is_matrix

RATE = 0.1
ERF = np.vectorize(math.erf, otypes=[float])
SCALARS = [{"sigmoid": sigmoid, "softplus": softplus, "erf": ERF}, "numpy"]
UFUNCS = {"sums0": lambda a: a.sum(axis=0, keepdims=True), "sums1": lambda a: a.sum(axis=1, keepdims=True),
          "largest0": lambda a: a.max(axis=0, keepdims=True), "largest1": lambda a: a.max(axis=1, keepdims=True),
          "dot": lambda a, b: np.sum(a * b), "total": np.sum, "copy": lambda a: a,
          "copy_where": lambda old, new, mask: np.where(mask, new, old), "erf": lambda a, *rooms: ERF(a)}


@functools.cache
def compiled(formula):
    symbols = sorted(formula.free_symbols, key=str)
    return [str(s) for s in symbols], sympy.lambdify(symbols, formula, modules=SCALARS)


class Interpreter:
    """Runs instructions; matrices live in slots where a storage is given, else each in an array of its own.

    Attributes:
        values: The array or number of each name.
    """

    def __init__(self, N, decay, given_values, storage=None, results=(), inside=()):
        self.N, self.storage, self.inside = N, storage, inside
        self.values = {SAMPLES.name: N, DECAY.name: decay, "LOWEST": -709.0, **given_values}
        self.slots = [np.full(self.number(size), np.nan) for size in storage.slots] if storage else []
        self.owners = {}
        for result in results:
            if is_matrix(result) and result.name not in self.values:
                self.values[result.name] = np.full(self.shape(result), np.nan)

    def number(self, size):
        return int(sympy.sympify(size).subs(SAMPLES, self.N))

    def shape(self, symbol):
        return tuple(map(self.number, symbol.shape))

    def of(self, formula):
        names, function = compiled(sympy.sympify(formula))
        return function(*(self.values[n] for n in names))

    def write(self, symbol, value, instruction, last):
        """Store a value; whoever owned the place must be dead by now, or read at the same entries alone."""
        name = str(symbol.name)
        if not is_matrix(symbol):
            self.values[name] = float(value)
            return
        shape = self.shape(symbol)
        place = self.storage.place.get(name) if self.storage else None
        if place is None:
            if name in self.values:
                self.values[name][...] = value
            else:
                self.values[name] = np.broadcast_to(value, shape).astype(float)
            return
        owner = self.owners.get(place)
        if owner is not None and owner.name != name:
            assert owner.name in instruction.reads, f"{name} takes the buffer of {owner.name}, which is alive"
            assert last[owner.name], f"{name} takes the buffer of {owner.name}, which is read later"
            assert not isinstance(instruction, Product)
            assert self.shape(owner) == shape, f"{name} and {owner.name} differ in shape"
            assert owner.name.startswith("mask_") == name.startswith("mask_")
            if isinstance(instruction, Loop):
                assert shape == (self.number(instruction.rows), self.number(instruction.columns))
                assert not any(str(line.target.name) == name and line.reduction for line in instruction.lines)
            del self.values[owner.name]
        if name not in self.values:
            buffer = self.values[place] if isinstance(place, str) else self.slots[place]
            assert math.prod(shape) <= buffer.size, f"{name} does not fit"
            self.values[name] = buffer.reshape(-1)[:math.prod(shape)].reshape(shape)
            self.owners[place] = symbol
        self.values[name][...] = value

    def run(self, instructions):
        last = {}
        for i, instruction in enumerate(instructions):
            last |= dict.fromkeys([*instruction.reads, *(str(s.name) for s in instruction.writes)], i)
        for i, instruction in enumerate(instructions):
            dying = {n: last[n] == i for n in (*instruction.reads, *(str(s.name) for s in instruction.writes))}
            if isinstance(instruction, Product):
                self.product(instruction, dying)
            elif isinstance(instruction, Apply):
                self.apply(instruction, dying)
            else:
                self.loop(instruction, dying)
            for place, owner in list(self.owners.items()):  # poison
                if dying.get(str(owner.name)):
                    if not isinstance(place, str):
                        self.slots[place][...] = np.nan
                        del self.values[str(owner.name)]
                    del self.owners[place]
        return self.values

    def product(self, product, dying):
        left, right = self.values[product.left.name], self.values[product.right.name]
        left, right = left.T if product.left_transposed else left, right.T if product.right_transposed else right
        assert not any(np.shares_memory(self.values.get(product.out.name, np.empty(0)), f) for f in (left, right))
        value = self.of(product.coefficient) * (left @ right)
        if product.accumulate:
            value = value + self.values[product.out.name]
        self.write(product.out, value, product, dying)

    def apply(self, call, dying):
        if call.function == "scratch":
            self.write(call.out, np.nan, call, dying)
            return
        operands = [self.values[str(o.name)] if is_matrix(o) else self.of(o) for o in call.operands]
        value = UFUNCS[call.function](*operands) if call.function in UFUNCS else getattr(np, call.function)(*operands)
        self.write(call.out, value, call, dying)

    def loop(self, loop, dying):
        """Read all, compute the lines in order, then write all: at each entry alone, as the printers do."""
        names, size = {}, (self.number(loop.rows), self.number(loop.columns))
        outside, self.values = self.values, dict(self.values)
        for line in loop.lines:
            value = self.of(line.formula)
            if line.reduction:
                reduce = np.max if line.reduction == MAX else np.sum
                full = np.broadcast_to(value, size)
                shape = self.shape(line.target) if is_matrix(line.target) else (1, 1)
                axes = tuple(a for a in (0, 1) if shape[a] != size[a])
                value = reduce(full, axis=axes, keepdims=True) if axes else full
                value = value if is_matrix(line.target) else np.ravel(value)[0]
            elif is_matrix(line.target):
                value = np.broadcast_to(value, size).copy()
            self.values[str(line.target.name)] = value
            names[str(line.target.name)] = line.target
        computed, self.values = self.values, outside
        reduced = {str(line.target.name) for line in loop.lines if line.reduction}
        for line in loop.lines:
            assert not reduced & {str(s) for s in line.formula.free_symbols}, "a sum is read before it is whole"
        for name, symbol in names.items():
            if name not in self.inside:
                self.write(symbol, computed[name], loop, dying)


def expectations(mlp, p, X, Y, V):
    """Return the results of each kernel, by hand."""
    values, gradients = mlp.forward(p, X), mlp.gradients(p, X, Y)
    loss = mlp.total_loss(p, X, Y)
    found = {f"grad_{n}": gradients[n] for n in p}
    named = {**{n: v for n, v in values.items() if n != "h0"}, **{f"grad_{n}": g for n, g in gradients.items()}}
    named["y_hat"] = values[f"h{mlp.depth}"]
    second = {f"dgrad_{n}": v for n, v in mlp.hessian_vector(p, X, Y, V).items()}
    return {"forward": {"y_hat": named["y_hat"]}, "loss": {"loss": loss},
            "loss_and_gradients": {"loss": loss, **found}, "input_gradient": {"grad_X": gradients["X"]},
            "trace": {n: v for n, v in {**named, "loss": loss}.items() if n in mlp.names},
            "step": {"loss": loss, **{n: p[n] - RATE * gradients[n] for n in p}}, "hessian_vector": second}


def arguments(kernel, p, X, Y, V):
    table = {**p, "X": X, "Y": Y, **{f"d{n}": v for n, v in V.items()}, "learning_rate": RATE}
    names = [str(s.name) for s in kernel.inputs]
    if kernel.name == "step":
        names += list(p)
    return {n: np.copy(table[n]) if np.ndim(table[n]) else table[n] for n in names}


@settings(max_examples=60, deadline=None, derandomize=True, database=None,
          suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(networks(), st.sampled_from([1, 2, 5]), st.integers(0, 2**32 - 1))
@example(MLP((1, 1), ("identity",), "mean_squared_error", biases=(False,)), 1, 0)
@example(MLP((3, 4, 3, 2), ("gelu", "softmax", "softmax"), "hinge", "rows", "mean", 0.1), 2, 3)
@example(MLP((2, 5, 5, 5), ("mish", "elu", "softmax"), "cross_entropy", "columns", "mean", 0.1), 5, 3)
def test_kernels_compute_the_formulas(mlp, samples, seed):
    p, X, Y = mlp.draw(np.random.default_rng(seed), samples)
    V = directions(p, np.random.default_rng(1))
    expected = expectations(mlp, p, X, Y, V)
    largest = max(np.max(np.abs(v)) for values in expected.values() for v in values.values())
    for kernel in functions(derived(mlp.compact)).all:
        given_values, calls = arguments(kernel, p, X, Y, V), planned(kernel)
        forms = {
            "lowered": (kernel.plain, None, ()),
            "fused": (kernel.instructions, None, kernel.locals),
            "in buffers": (kernel.instructions, kernel.storage, kernel.locals),
            "calls": (calls.instructions, None, ()),
            "calls in buffers": (calls.instructions, calls.storage, ()),
        }
        for what, (instructions, storage, inside) in forms.items():
            copies = {n: np.copy(v) if np.ndim(v) else v for n, v in given_values.items()}
            interpreter = Interpreter(samples, mlp.weight_decay, copies, storage, kernel.results, inside)
            with np.errstate(over="ignore"):  # of a branch that is not taken
                values = interpreter.run(instructions)
            for name, value in expected[kernel.name].items():
                scale = max(1e-3 * largest, 1)
                close(np.reshape(values[name], np.shape(value)), value, 1e-10, scale, f"{kernel.name}, {what}: {name}")
            for name, value in given_values.items():
                if kernel.name != "step" or name not in p:
                    np.testing.assert_array_equal(copies[name], value, err_msg=f"{what} changes {name}")


@pytest.mark.parametrize("samples", ["columns", "rows"])
def test_buffers_do_not_grow_with_depth(samples):
    """A forward pass keeps a value or two of a layer; the loss too."""
    def sizes(depth):
        compact = f"4-4x{depth}:tanh*{depth}?loss=huber&samples={samples}"
        return {k.name: len(k.storage.slots) for k in functions(derived(compact)).all}

    shallow, deep = sizes(4), sizes(12)
    for name in ("forward", "loss"):
        assert deep[name] == shallow[name] <= 3
    assert deep["loss_and_gradients"] <= shallow["loss_and_gradients"] + 8  # h of each layer, which the slopes need


def test_fusing_leaves_a_loop_between_products():
    """relu: the bias, the activation, its slope and the sums of a layer are computed on the way past."""
    kernel = functions(derived("5-4-4-3:relu,relu,softmax?reduction=mean&samples=rows")).loss_and_gradients
    loops = [i for i in kernel.instructions if isinstance(i, Loop) and not i.scalar]
    assert len(loops) < sum(isinstance(i, Loop) and not i.scalar for i in kernel.plain) / 2
    assert len(kernel.locals) > 0
