"""Loops over entries as calls of NumPy on whole matrices, one operation each."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import reduce
from itertools import chain, count

import sympy
from sympy import Expr, MatrixSymbol, S, Symbol

from codegen.kernels.instructions import MASK, MAX, Apply, Assign, Instruction, Loop, Product
from codegen.kernels.reuse import COSTLY
from symbolic.build import DECAY, SAMPLES
from symbolic.terms import is_matrix, shape

UFUNCS = {sympy.exp: "exp", sympy.log: "log", sympy.tanh: "tanh", sympy.sin: "sin", sympy.cos: "cos",
          sympy.tan: "tan", sympy.sinh: "sinh", sympy.cosh: "cosh", sympy.asin: "arcsin", sympy.acos: "arccos",
          sympy.atan: "arctan", sympy.Abs: "abs", sympy.sign: "sign"}
RELATIONS = {sympy.StrictGreaterThan: "greater", sympy.GreaterThan: "greater_equal", sympy.StrictLessThan: "less",
             sympy.LessThan: "less_equal"}
CONSTANTS = {str(SAMPLES.name), str(DECAY.name)}
assert set(UFUNCS) >= set(COSTLY) - {sympy.erf}


def expand(instructions: tuple[Instruction, ...], symbols: dict[str, Expr]) -> tuple[Instruction, ...]:
    """Return products and calls only; scalar lines stay loops of their own.

    Args:
        instructions: Not fused.
        symbols: The matrix or scalar of each name.
    """
    expanding = _Expanding(symbols)
    for instruction in instructions:
        if isinstance(instruction, Product):
            expanding.product(instruction)
        elif isinstance(instruction, Loop) and not instruction.scalar:
            for line in instruction.lines:
                expanding.line(line, instruction)
        else:
            expanding.done.append(instruction)
    return tuple(expanding.done)


@dataclass
class _Expanding:
    symbols: dict[str, Expr]
    done: list[Instruction] = field(default_factory=list)
    fresh: Iterator[str] = field(default_factory=lambda: (f"s{i}" for i in count(1)))

    def product(self, product: Product) -> None:
        """Products neither scale nor accumulate in NumPy: both are calls behind it."""
        plain = product.coefficient is S.One and not product.accumulate
        out = product.out if plain else MatrixSymbol(next(self.fresh), *product.out.shape)
        self.done.append(Product(out, product.left, product.right, product.left_transposed, product.right_transposed))
        if plain:
            return
        if product.coefficient is not S.One:
            scaled = MatrixSymbol(next(self.fresh), *out.shape) if product.accumulate else product.out
            self.done.append(Apply("multiply", (out, product.coefficient), scaled))
            out = scaled
        if product.accumulate:
            self.done.append(Apply("add", (product.out, out), product.out))

    def line(self, line: Assign, loop: Loop) -> None:
        """Append the calls of one line."""
        self.memo: dict[Expr, Expr] = {}
        self.loop = loop
        if not line.reduction:
            self._into(line.target, line.formula)
        elif is_matrix(line.target):
            axis = 0 if shape(line.target)[0] == 1 and loop.rows != 1 else 1
            value = self._full(line.formula)
            name = "largest" if line.reduction == MAX else "sums"
            self.done.append(Apply(f"{name}{axis}", (value,), line.target, entrywise=False))
        else:
            self._total(line.target, line.formula)

    def _total(self, target: Expr, formula: Expr) -> None:
        """Sum all entries: a product of two by one call that multiplies and adds."""
        coefficient, rest = formula.as_independent(*self._entries(formula), as_Add=False)
        if rest.is_Pow and rest.exp == 2:
            left = right = self._full(rest.base)
        elif rest.is_Mul:
            whole = next((a for a in rest.args if self._shape(a) == (self.loop.rows, self.loop.columns)), None)
            left = self._full(whole if whole is not None else rest)
            right = self._full(rest / whole) if whole is not None else None
        else:
            left, right = self._full(rest), None
        bare = target if coefficient is S.One else Symbol(next(self.fresh), real=True)
        self.done.append(Apply("dot" if right is not None else "total", (left,) if right is None else (left, right),
                               bare, entrywise=False))
        if bare != target:
            self.done.append(Loop(S.One, S.One, (Assign(target, coefficient * bare),)))

    def _entries(self, formula: Expr) -> list[Expr]:
        return [s for s in formula.free_symbols if is_matrix(self.symbols.get(str(s.name), S.Zero))]

    def _full(self, formula: Expr) -> Expr:
        """Return a matrix of the loop's shape that holds a formula."""
        value = self._value(formula)
        if is_matrix(value) and shape(value) == (self.loop.rows, self.loop.columns):
            return value
        target = MatrixSymbol(next(self.fresh), self.loop.rows, self.loop.columns)
        self.done.append(Apply("copy", (value,), target))
        return target

    def _shape(self, formula: Expr) -> tuple[Expr, Expr] | None:
        """Return the shape that the entries of a formula span, None for a scalar."""
        shapes = [shape(self.symbols[str(s.name)]) for s in self._entries(formula)]
        if not shapes:
            return None
        rows = next((r for r, _ in shapes if r != 1), S.One)
        return rows, next((c for _, c in shapes if c != 1), S.One)

    def _value(self, formula: Expr) -> Expr:
        """Return a symbol that holds a formula, or the formula where it has no entries."""
        size = self._shape(formula)
        if size is None:
            return formula
        if formula.is_Symbol:
            return self.symbols[str(formula.name)]
        if formula not in self.memo:
            target = MatrixSymbol(next(self.fresh), *size)
            self._into(target, formula)
            self.memo[formula] = target
        return self.memo[formula]

    def _into(self, target: Expr, formula: Expr) -> None:
        if formula in self.memo or formula.is_Symbol or self._shape(formula) is None:
            self._call("copy", target, self.memo.get(formula, self._value(formula)))
            return
        if formula.is_Add:
            self._sum(target, formula)
        elif formula.is_Mul:
            self._fold(target, formula)
        elif formula.is_Pow:
            self._power(target, formula)
        elif isinstance(formula, sympy.Piecewise):
            self._piecewise(target, formula)
        else:
            self._function(target, formula)
        self.memo[formula] = target
        self.symbols[str(target.name)] = target

    def _call(self, name: str, target: Expr, *operands: Expr) -> None:
        self.symbols[str(target.name)] = target
        if name != "copy":
            operands = self._widened(target, operands)
        self.done.append(Apply(name, operands, target))

    def _widened(self, target: Expr, operands: tuple[Expr, ...]) -> tuple[Expr, ...]:
        """Copy rows and columns to the target's shape first: NumPy would allocate 64 kB to broadcast them."""
        rooms = chain([] if str(target.name).startswith(MASK) or target in operands else [target],
                      (MatrixSymbol(next(self.fresh), *shape(target)) for _ in operands))
        widened = []
        for operand in operands:
            if is_matrix(operand) and shape(operand) != shape(target):
                room = next(rooms)
                self.done.append(Apply("copy", (operand,), room))
                operand = room
            widened.append(operand)
        return tuple(widened)

    def _sum(self, target: Expr, formula: Expr) -> None:
        if len(formula.args) == 2 and S.NegativeOne in formula.args:
            other = next(a for a in formula.args if a is not S.NegativeOne)
            if isinstance(other, sympy.exp):
                self._call("expm1", target, self._value(other.args[0]))
                return
        ordered = sorted(formula.args, key=lambda a: (a.could_extract_minus_sign(), self._shape(a) is None))
        first, *rest = ordered
        value = self._value(first)
        steps: list[tuple[str, Expr]] = []
        for a in rest:
            below = a.could_extract_minus_sign()
            steps.append(("subtract" if below else "add", self._value(-a if below else a)))
        self._chain(target, value, steps)

    def _fold(self, target: Expr, formula: Expr) -> None:
        if formula.could_extract_minus_sign() and self._shape(formula) and formula.args[0] is S.NegativeOne:
            self._call("negative", target, self._value(-formula))
            return
        above = [a for a in formula.args if not (a.is_Pow and a.exp == -1)]
        below = [a.base for a in formula.args if a.is_Pow and a.exp == -1]
        scalars = [a for a in above if self._shape(a) is None] + [1 / b for b in below if self._shape(b) is None]
        matrices = [a for a in above if self._shape(a) is not None]
        below = [b for b in below if self._shape(b) is not None]
        # Narrow factors first: their products are small.
        matrices.sort(key=lambda a: self._shape(a) == (self.loop.rows, self.loop.columns))
        first = self._value(matrices[0]) if matrices else sympy.Mul(*scalars)
        steps = [("multiply", self._value(a)) for a in matrices[1:]]
        steps += [("divide", self._value(b)) for b in below]
        if matrices and scalars:
            steps.insert(0, ("multiply", sympy.Mul(*scalars)))
        self._chain(target, first, steps)

    def _chain(self, target: Expr, value: Expr, steps: list[tuple[str, Expr]]) -> None:
        for i, (name, operand) in enumerate(steps):
            last = i == len(steps) - 1
            out = target if last else MatrixSymbol(next(self.fresh), *self._joined(value, operand))
            self._call(name, out, value, operand)
            value = out

    def _joined(self, *values: Expr) -> tuple[Expr, Expr]:
        shapes = [shape(v) for v in values if is_matrix(v)]
        return (next((r for r, _ in shapes if r != 1), S.One), next((c for _, c in shapes if c != 1), S.One))

    def _power(self, target: Expr, formula: Expr) -> None:
        base, exponent = self._value(formula.base), formula.exp
        if exponent == 2:
            self._call("multiply", target, base, base)
        elif exponent in (S.Half, S.NegativeOne):
            self._call(*(("sqrt", target, base) if exponent is S.Half else ("divide", target, S.One, base)))
        elif exponent.is_Integer and exponent > 2:
            self._chain(target, base, [("multiply", base)] * int(exponent - 1))
        else:
            self._call("power", target, base, exponent)

    def _function(self, target: Expr, formula: Expr) -> None:
        kind = type(formula).__name__
        if isinstance(formula, sympy.Max | sympy.Min):
            name = "maximum" if isinstance(formula, sympy.Max) else "minimum"
            first, *rest = map(self._value, formula.args)
            self._chain(target, first, [(name, r) for r in rest])
        elif kind == "sigmoid":
            self._sigmoid(target, self._value(formula.args[0]))
        elif kind == "softplus":
            self._call("logaddexp", target, self._value(formula.args[0]), S.Zero)
        elif kind == "erf":
            rooms = tuple(MatrixSymbol(next(self.fresh), *shape(target)) for _ in range(4))
            for room in rooms:  # scratch, written before it is read
                self.done.append(Apply("scratch", (), room, entrywise=False))
            self.done.append(Apply("erf", (self._value(formula.args[0]), *rooms), target, entrywise=False))
            self.symbols[str(target.name)] = target
        else:
            self._call(UFUNCS[type(formula)], target, self._value(formula.args[0]))

    def _sigmoid(self, target: Expr, operand: Expr) -> None:
        """Compute 1 / (1 + exp(−x)); the bound keeps exp finite, and its value below the smallest number."""
        steps: list[Callable[[Expr], tuple[str, tuple[Expr, ...]]]] = [
            lambda v: ("maximum", (v, Symbol("LOWEST"))), lambda v: ("negative", (v,)), lambda v: ("exp", (v,)),
            lambda v: ("add", (v, S.One)), lambda v: ("divide", (S.One, v))]

        def apply(value: Expr, i: int) -> Expr:
            out = target if i == len(steps) - 1 else MatrixSymbol(next(self.fresh), *shape(target))
            name, operands = steps[i](value)
            self._call(name, out, *operands)
            return out

        reduce(apply, range(len(steps)), operand)

    def _piecewise(self, target: Expr, formula: Expr) -> None:
        """Write the last branch, then the others over it where their condition holds."""
        *branches, (otherwise, _) = formula.args
        (value, condition), *more = branches
        if not more and otherwise == 0 and isinstance(condition, sympy.StrictGreaterThan) and condition.rhs == 0:
            operand = self._value(condition.lhs)
            if value == condition.lhs:
                self._call("maximum", target, operand, S.Zero)
                return
            if value == 1:
                mask = MatrixSymbol(f"{MASK}{next(self.fresh)}", *shape(target))
                self._call("greater", mask, operand, S.Zero)
                self._call("copy", target, mask)
                return
        self._call("copy", target, self._value(otherwise))
        for value, condition in reversed(branches):
            mask = MatrixSymbol(f"{MASK}{next(self.fresh)}", *shape(target))
            self._condition(mask, condition)
            branch = self._value(value)
            self.done.append(Apply("copy_where", (target, branch, mask), target))

    def _condition(self, mask: Expr, condition: Expr) -> None:
        if isinstance(condition, sympy.And | sympy.Or):
            parts = []
            for part in condition.args:
                parts.append(MatrixSymbol(f"{MASK}{next(self.fresh)}", *mask.shape))
                self._condition(parts[-1], part)
            name = "logical_and" if isinstance(condition, sympy.And) else "logical_or"
            self._chain(mask, parts[0], [(name, p) for p in parts[1:]])
            return
        self._call(RELATIONS[type(condition)], mask, self._value(condition.lhs), self._value(condition.rhs))


