"""What each command does."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from codegen.building import build_c, load_fast
from codegen.c.source import generate_c
from codegen.evaluation import evaluate_module, random_samples, read_parameters, read_samples
from codegen.explaining import explain
from codegen.expressions import generate_expression
from codegen.gradcheck import check_gradients
from codegen.loading import load
from codegen.module import require_widths
from codegen.targets import TARGETS
from gradwright import display
from gradwright.exits import CHECK_FAILED
from gradwright.files import read_text, write_text, write_together
from gradwright.output import write
from symbolic.answers import Answers
from symbolic.architecture import read_architecture
from symbolic.derivation import Derivation, Gradient
from symbolic.derivatives import differentiate_text
from symbolic.doors import derive as derive_network
from symbolic.errors import InputError
from symbolic.formats import FORMATS
from symbolic.formats.answers import ANSWER_FORMATS, answer_data
from symbolic.general import derive_general
from symbolic.language.reading import read_property, read_shape


def derive(architecture: str, wrt: Sequence[str], general: bool, form: str, output: str) -> None:
    """Write a derivation in one of its formats."""
    network = read_architecture(architecture)
    derivation = derive_general(network) if general else derive_network(network)
    write(FORMATS[form](derivation, selected(derivation, wrt)), output)


def differentiate(expression: str, wrt: Sequence[str], order: int, shapes: Sequence[str], properties: Sequence[str],
                  convention: str, form: str, output: str) -> None:
    """Write the derivatives of a matrix expression in one of the formats, or as a NumPy module."""
    text = read_text(Path(expression)) if _names_a_file(expression) else expression
    assumed: dict[str, tuple[str, ...]] = {}
    for name, keys in map(read_property, properties):
        assumed[name] = (*assumed.get(name, ()), *keys)
    given = [read_shape(s) for s in shapes]
    if len(dict(given)) < len(given):
        raise InputError("expected one --shape for each name, got two for one of them")
    answers = differentiate_text(text, wrt, order, dict(given), assumed, convention)
    if form == "python":
        write(generate_expression(answers), output)
    elif form == "json":
        write(json.dumps(answers_as_data(answers), ensure_ascii=False, indent=2, allow_nan=False) + "\n", output)
    else:
        write(ANSWER_FORMATS[form](answers), output)


def answers_as_data(answers: Answers) -> dict[str, Any]:
    """Return one answer as it is, several as a list under ``answers``; the module serves them all."""
    module = generate_expression(answers)
    found = [answer_data(answers, a) | {"python": module} for a in answers.answers]
    return found[0] if len(found) == 1 else {"expression": answers.source, "answers": found}


def _names_a_file(expression: str) -> bool:
    """Say whether there is a file of that name; refuse what can only be a name, and is none."""
    if Path(expression[:255]).is_dir() or re.fullmatch(r"[\w./-]*\.(txt|md|m)", expression):
        if not Path(expression).is_file():
            raise InputError(f"expected an expression or a file, got {expression!r}, which is no file here")
        return True
    return len(expression) < 256 and "\0" not in expression and Path(expression).is_file()


def selected(derivation: Derivation, names: Sequence[str]) -> tuple[Gradient, ...]:
    """Return the gradients of those names in the order of the backward pass; without names all but X's."""
    for name in names:
        derivation.gradient(name)
    return tuple(g for g in derivation.gradients if (g.wrt.name in names if names else g.wrt.name != "X"))


def generate(architecture: str, output: str, target: str, check: bool, dtype: str, explained: bool,
             samples: int) -> None:
    """Write a network's module, or compare the file on disk with it."""
    if target not in TARGETS:
        raise InputError(f"unknown target {target!r}; expected {', '.join(TARGETS)}")
    network, language = read_architecture(architecture), TARGETS[target]
    if dtype != "double" and target != "c":
        raise InputError(f"--dtype is of the target c; a module of {target} keeps the type of its arrays")
    if explained and (check or _is_given("output")):
        raise InputError("--explain writes nothing and compares nothing; leave out --check and -o")
    if check and output == "-":
        raise InputError("--check compares with a file; -o is the folder that it is in, got '-'")
    if explained:
        display.passes(network, explain(derive_network(require_widths(network)), samples), samples)
        return
    text = generate_c(network, None, dtype) if target == "c" else language.generate(network, None)
    if output == "-":
        click.echo(text, nl=False)
        return
    path = Path(output) / (network.name + language.suffix)
    if not check:
        write_text(path, text)
        click.echo(f"wrote {path}")
    elif not path.is_file():
        click.echo(f"{path} does not exist; write it without --check")
        raise SystemExit(CHECK_FAILED)
    elif path.read_bytes() != text.encode():
        click.echo(f"{path} differs from what its architecture generates; write it anew without --check")
        raise SystemExit(CHECK_FAILED)
    else:
        click.echo(f"{path} is up to date")


def _is_given(option: str) -> bool:
    """Say whether an option of the running command was typed, rather than left at its default."""
    context = click.get_current_context(silent=True)
    return context is not None and context.get_parameter_source(option) is click.core.ParameterSource.COMMANDLINE


def build(architecture: str, target: str, output: str) -> None:
    """Write the fastest module that can be had, with what it imports; say so where that is of another target."""
    network, folder = require_widths(read_architecture(architecture)), Path(output)
    derivation = derive_network(network)
    _, target, note = load_fast(network, target, derivation)
    if note:
        click.echo(note)
    if target != "c":
        path = folder / (network.name + TARGETS[target].suffix)
        write_text(path, TARGETS[target].generate(network, derivation))
        click.echo(f"wrote {path}")
        return
    built = build_c(network, derivation)
    write_together({folder / built.compiled.name: built.compiled.read_bytes(),
                    folder / f"{built.name}.py": built.text.encode()})
    click.echo(f"wrote {folder / built.name}.py and {built.compiled.name}, which it imports")


def evaluate(architecture: str, params: str | None, data: str | None, learning_rate: float, form: str) -> None:
    """Evaluate the generated module on npz files."""
    network = read_architecture(architecture)
    if params is None or data is None:
        raise InputError("expected --params P.npz and --data D.npz; gradwright verify checks without files")
    if not math.isfinite(learning_rate):
        raise InputError(f"expected a finite learning rate, got {learning_rate}")
    module = load(network)
    parameters, mapping = read_parameters(network, params)
    samples = read_samples(network, data)
    result = evaluate_module(module, parameters, samples.X, samples.Y, learning_rate)
    if form == "json":
        click.echo(json.dumps(result.as_data(), indent=2, allow_nan=False))
    else:
        display.evaluation(network, result, mapping, samples.notes, learning_rate)


def verify(architecture: str, params: str | None, data: str | None, seed: int, form: str) -> None:
    """Check the gradients of the generated module numerically."""
    network = read_architecture(architecture)
    module = load(network)
    given = read_parameters(network, params) if params is not None else None
    parameters, notes = given_or_random(module, given, seed)
    samples = read_samples(network, data) if data is not None else random_samples(network, seed)
    try:
        report = check_gradients(network, module, parameters, samples.X, samples.Y, seed)
    except (ValueError, TypeError) as error:
        raise InputError(str(error)) from error
    if form == "json":
        rows = [{"name": p.name, "max_relative_error": p.max_relative_error, "method": p.method,
                 "central_difference_error": p.central_error, "below_rounding": p.below_rounding,
                 "ok": p.ok} for p in report.parameters]
        click.echo(json.dumps({"ok": report.ok, "parameters": rows, "step": report.step, "dtype": report.dtype,
                               "kinks": report.kinks, "samples": report.samples}, indent=2))
    else:
        display.verification(report, (*notes, *samples.notes))
    if not report.ok:
        raise SystemExit(CHECK_FAILED)


def given_or_random(module: Any, given: Any, seed: int) -> tuple[Any, tuple[str, ...]]:
    """Return the parameters that were read, or random ones, and what to say of them."""
    if given is not None:
        parameters, mapping = given
        return parameters, tuple(f"{m.theirs} read as {m.ours}, {m.change}" for m in mapping if m.change)
    return module.initialize(seed), (f"parameters initialized, seed {seed}",)


def show(architecture: str) -> None:
    """Show the layers of a network."""
    display.network(read_architecture(architecture))
