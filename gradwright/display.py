"""What a terminal shows: tables, by rich, at 80 columns where there is no terminal."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
from rich import box
from rich.markup import escape
from rich.table import Table

from codegen.evaluation import Evaluation
from codegen.explaining import Stage
from codegen.gradcheck import TOLERANCE, Checked, Report
from codegen.weights import Mapping
from gradwright.output import console
from symbolic.architecture import to_compact
from symbolic.build import formula_names
from symbolic.names import text_name
from symbolic.network import Network

FEW = 12
"""As many entries of an array are shown."""


def _table(*columns: str, right: Sequence[str] = ()) -> Table:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False)
    for column in columns:
        table.add_column(column, justify="right" if column in right else "left", overflow="fold")
    return table


def network(net: Network) -> None:
    """Show the layers with their shapes and parameter counts."""
    table = _table("layer", "equation", "W", "b", "parameters", right=("parameters",))
    shapes, formulas = net.parameter_shapes(), formula_names(net)
    for k, layer in enumerate(net.layers, start=1):
        weight, bias = shapes[f"W{k}"], shapes.get(f"b{k}")
        count = sum_of(shape for shape in (weight, bias) if shape)
        activation = formulas.get(layer.activation, layer.activation)
        output = "ŷ" if k == len(net.layers) else text_name(f"h{k}")
        table.add_row(str(k), escape(f"{output} = {activation}({text_name(f'a{k}')})"), _shape(weight),
                      _shape(bias) if bias else "none", _count(count))
    out = console()
    out.print(f"{net.name}  {to_compact(net)}", soft_wrap=True, markup=False)
    out.print(table)
    for formula, name in formulas.items():
        out.print(f"{name}(x) = {formula}", markup=False)
    decay = f", weight decay {net.weight_decay:g}" if net.weight_decay else ""
    out.print(f"loss {net.loss} ({net.reduction}), samples as {net.samples}{decay}")
    out.print(f"{_count(net.parameter_count)} parameters")


def passes(net: Network, stages: Sequence[Stage], samples: int) -> None:
    """Show what each pass makes of the program of the loss and its gradients."""
    out, table = console(), _table("pass", "equations", "flops", "bytes", "buffers", "what it does",
                                   right=("equations", "flops", "bytes", "buffers"))
    for stage in stages:
        table.add_row(stage.name, f"{stage.equations:,}", *map(_short, (stage.flops, stage.bytes, stage.buffers)),
                      stage.reason)
    out.print(f"{net.name}, loss and gradients of {_plural(samples, 'sample')}: the program after each pass")
    out.print(table)
    out.print("flops: operations on entries. bytes: read and written between equations. buffers: of temporaries.")


def _plural(count: int, word: str) -> str:
    return f"{count:,} {word}" + ("s" if count != 1 else "")


def _short(number: int) -> str:
    """Return a number with three digits, as 1.23 M."""
    for size, unit in ((10**9, " G"), (10**6, " M"), (10**3, " k")):
        if number >= size:
            return f"{number / size:.3g}{unit}"
    return str(number)


def evaluation(net: Network, result: Evaluation, mapping: Iterable[Mapping], notes: Iterable[str],
               learning_rate: float) -> None:
    """Show every value with its sum, the loss, and the loss after one update."""
    out = console()
    renamed = [m for m in mapping if m.change or m.theirs != m.ours]
    for m in renamed:
        out.print(f"{m.theirs} read as {m.ours}" + (f", {m.change}" if m.change else ""), markup=False)
    for note in notes:
        out.print(note, markup=False)
    out.print(f"{_count(result.parameters)} parameters")
    table = _table("name", "shape", "sum", "values", right=("sum",))
    for name, value in result.values.items():
        array = np.asarray(value)
        if array.ndim:
            table.add_row(text_name(name), _shape(array.shape), f"{array.sum():.10g}", _values(array))
    out.print(table)
    out.print(f"loss {result.loss!r}")
    out.print(f"loss after one update with learning rate {learning_rate:g}: {result.updated_loss!r}")


def verification(report: Report, notes: Iterable[str]) -> None:
    """Show the relative error of each gradient."""
    out = console()
    table = _table("gradient", "relative error", "method", "central differences", "", right=(
        "relative error", "central differences"))
    for row in report.parameters:
        table.add_row(text_name(f"grad_{row.name}"), f"{row.max_relative_error:.1e}", row.method,
                      f"{row.central_error:.1e}", _verdict(row))
    out.print(table)
    for note in notes:
        out.print(note, markup=False)
    limits = ", ".join(f"{method} {limit:g}" for method, limit in TOLERANCE.items())
    out.print(f"step {report.step:g} for central differences, {report.dtype}; allowed: {limits}")
    out.print(_kinks(report))
    out.print("every gradient agrees" if report.ok else "[bold red]a gradient is off[/bold red]")


def _verdict(row: Checked) -> str:
    if not row.ok:
        return "[bold red]WRONG[/bold red]"
    return "below rounding" if row.below_rounding else "right"


def _kinks(report: Report) -> str:
    if not report.kinks:
        return "no entry lies at a kink"
    where = ("no sample is free of them, so the parameters were moved a little" if report.moved
             else f"checked on the {report.samples} samples that have none")
    entries = "1 entry lies" if report.kinks == 1 else f"{report.kinks} entries lie"
    return f"{entries} at a kink, where a subgradient is taken; {where}"


def sum_of(shapes: Iterable[tuple[Any, Any]]) -> Any:
    """Return the number of entries of some shapes, symbolic where they are."""
    return sum((rows * columns for rows, columns in shapes), start=0)


def _shape(shape: Sequence[Any]) -> str:
    return "×".join(text_name(str(n)) if str(n).isidentifier() else str(n) for n in shape)


def _count(count: Any) -> str:
    return f"{count:,}" if isinstance(count, int) else str(count).replace("**", "^")


def _values(array: Any) -> str:
    if array.size > FEW:
        return f"{array.size:,} entries"
    return escape(np.array2string(array, precision=8, separator=", ", max_line_width=44))
