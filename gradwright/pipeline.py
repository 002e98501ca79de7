"""The main job in order: show, derive, generate, evaluate, verify; and the quiz's answers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console

from codegen.data import Data
from codegen.evaluation import (
    Evaluation,
    evaluate_module,
    random_samples,
    read_parameters,
    read_samples,
)
from codegen.gradcheck import check_gradients
from codegen.loading import load
from codegen.module import generate
from gradwright import display
from gradwright.commands import given_or_random, selected
from gradwright.examples import example
from gradwright.exits import CHECK_FAILED
from gradwright.files import write_text
from gradwright.output import console
from gradwright.quiz import AGREES, QUESTIONS, published
from symbolic.architecture import read_architecture
from symbolic.derivation import Gradient
from symbolic.doors import derive
from symbolic.errors import InputError
from symbolic.formats import FORMATS
from symbolic.names import text_name
from symbolic.network import Network
from symbolic.printing import TextPrinter

SUFFIXES = {"text": ".txt", "latex": ".tex", "markdown": ".md"}


def run(architecture: str | None, params: str | None, data: str | None, output: str) -> None:
    """Do the main job on a network, by default the quiz's."""
    bundled = architecture is None and params is None and data is None
    network, given, samples = _inputs(architecture, params, data)
    out, folder = console(), Path(output)
    _stage(out, 1, "the network")
    display.network(network)

    _stage(out, 2, "the gradients, derived and verified")
    derivation = derive(network)
    shown = selected(derivation, ())
    _gradients(out, shown)

    _stage(out, 3, "the NumPy module")
    text = generate(network, derivation)
    out.print(f"  {network.name}.py: {text.count(chr(10))} lines")

    _stage(out, 4, "its values")
    module = load(network, text)
    parameters, notes = given_or_random(module, given, 0)
    for note in (*notes, *samples.notes):
        out.print("  " + note, markup=False)
    result = evaluate_module(module, parameters, samples.X, samples.Y)
    out.print(f"  loss {result.loss!r}")

    _stage(out, 5, "its gradients against numeric derivatives")
    report = check_gradients(network, module, parameters, samples.X, samples.Y)
    display.verification(report, ())
    if not report.ok:
        raise SystemExit(CHECK_FAILED)

    _stage(out, 6, "answers")
    if bundled:
        _answers(out, result)
    out.print(f"  loss {result.loss!r}")
    out.print(f"  loss after one update with learning rate 1: [bold]{result.updated_loss!r}[/bold]")
    right = _compare(out, result) if bundled else True
    _write(out, {folder / f"{network.name}.py": (text, "the module")} | {
        folder / (network.name + suffix): (FORMATS[form](derivation, shown), f"the derivation as {form}")
        for form, suffix in SUFFIXES.items()})
    if not right:
        raise SystemExit(CHECK_FAILED)


def _inputs(architecture: str | None, params: str | None, data: str | None) -> tuple[Network, Any, Data]:
    """Read all that is given before anything is written; what is not given is the quiz's, or random."""
    network = read_architecture(example("quiz/quiz.toml") if architecture is None else architecture)
    if architecture is None:
        params = str(example("quiz/parameters.npz")) if params is None else params
        data = str(example("quiz/data.npz")) if data is None else data
    if network.symbolic:
        raise InputError("expected integer widths to run, got symbols; gradwright derive takes them")
    given = read_parameters(network, params) if params is not None else None
    return network, given, read_samples(network, data) if data is not None else random_samples(network, 0)


def _gradients(out: Console, shown: Sequence[Gradient]) -> None:
    printer = TextPrinter()
    for gradient in shown:
        out.print("  " + printer.equation(gradient.equation), soft_wrap=True, markup=False)
    out.print(f"  {len(shown)} gradients in {sum(len(g.steps) for g in shown)} steps")


def _write(out: Console, texts: Mapping[Path, tuple[str, str]]) -> None:
    """Write all files or, where a directory has the name of one, none."""
    for path in texts:
        if path.is_dir():
            raise InputError(f"cannot write {path}: it is a directory")
    out.print("\nWritten")
    for path, (content, what) in texts.items():
        write_text(path, content)
        out.print(f"  {path}: {what}", soft_wrap=True, markup=False)


def _stage(out: Console, number: int, title: str) -> None:
    out.print(f"\n[bold]{number}/6  {title}[/bold]")


def _answers(out: Console, result: Evaluation) -> None:
    """Print the quiz's questions Q1 to Q7 with their answers."""
    value = result.values
    rows: list[tuple[str, str, Any]] = [("Q1", "number of parameters", result.parameters)]
    for question, names in QUESTIONS:
        rows += [(question, name, value[name]) for name in names]
    for question, name, answer in rows:
        array = np.asarray(answer)
        label = name if question == "Q1" else text_name(name)
        if array.ndim == 0:
            out.print(f"  {question}  {label} = {answer if question == 'Q1' else float(answer)!r}")
            continue
        text = np.array2string(array if array.shape[1] > 1 else array.ravel(), precision=8, separator=", ",
                               prefix=" " * 12, suppress_small=True)
        total = f"   sum {float(array.sum())!r}" if question in ("Q2", "Q3", "Q4") else ""
        out.print(f"  {question}  {label} = {text}{total}", markup=False)


def _compare(out: Console, result: Evaluation) -> bool:
    """Hold the quiz's published numbers against the computed ones."""
    loss, new_loss, worst = published(result)
    right = worst < AGREES
    out.print(f"  published (mended): loss {loss!r}, new loss {new_loss!r}; "
              + ("the computed values agree" if right else "[bold red]the computed values differ[/bold red]")
              + f", largest relative difference {worst:.0e}")
    return right
