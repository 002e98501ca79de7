"""The command `gradwright train`."""

from __future__ import annotations

import json
import math
import os
from dataclasses import asdict
from pathlib import Path
from typing import Any

import click
from rich.console import Console

from codegen.building import load_fast
from codegen.evaluation import read_samples
from codegen.training import Checkpoint, DivergenceError, Epoch, Training, read_checkpoint, starts_anew
from codegen.training import train as train_network
from gradwright.output import console
from gradwright.plots import check_plot, write_plot
from gradwright.progress import TrainingProgress
from symbolic.architecture import read_architecture
from symbolic.errors import InputError
from symbolic.network import Network


def train(architecture: str, params: str | None, data: str, validation: str | None, epochs: int, batch_size: int,
          learning_rate: float, optimizer: str, seed: int | None, target: str, plot: str | None, form: str,
          output: str) -> None:
    """Train a network on npz files; the checkpoint is written after each epoch."""
    network = read_architecture(architecture)
    if network.symbolic:
        raise InputError("expected integer widths to train, got symbols; gradwright derive takes them")
    _check_places(output, plot, [data, *filter(None, [validation])])
    start, notes = _start(network, params, optimizer, batch_size, seed)
    samples = read_samples(network, data)
    held_out = read_samples(network, validation) if validation is not None else None
    module, target, note = load_fast(network, target)
    out = console() if form == "text" else Console(stderr=True, highlight=False)
    notes = (*notes, *samples.notes, *([note] if note else []))
    count = samples.X.shape[1 if network.samples == "columns" else 0]
    last = "nothing was written"
    before = start.epochs if start is not None else 0
    with TrainingProgress(out, before, epochs, count, notes if form == "text" else None) as progress:
        def keep(epoch: Epoch, checkpoint: Checkpoint) -> None:
            nonlocal last
            checkpoint.write(output)
            last = f"{output} holds epoch {epoch.epoch}, from which --params {output} goes on"
            progress.epoch(epoch)

        try:
            result = train_network(
                network, samples.X, samples.Y, epochs=epochs, batch_size=batch_size, learning_rate=learning_rate,
                optimizer=optimizer, start=start, seed=seed, module=module, on_step=progress.step, on_epoch=keep,
                validation=(held_out.X, held_out.Y) if held_out is not None else None)
        except DivergenceError as error:
            raise click.ClickException(f"{error}; {last}") from error
        except KeyboardInterrupt as error:
            raise click.ClickException(f"interrupted; {last}") from error
    if plot is not None:
        write_plot(Path(plot), result.history, network.name)
    if form == "json":
        click.echo(json.dumps(_as_data(result, network, target, learning_rate, count, output, notes), indent=2,
                              ensure_ascii=False, allow_nan=False))
    else:
        _summary(out, result, network, output, plot)


def _start(network: Network, params: str | None, optimizer: str, batch_size: int,
           seed: int | None) -> tuple[Checkpoint | None, tuple[str, ...]]:
    """Read where to begin, and say what is to be said of it."""
    if params is None:
        return None, (f"parameters initialized, seed {seed or 0}",)
    start, mapping = read_checkpoint(network, params)
    notes = [f"{m.theirs} read as {m.ours}" + (f", {m.change}" if m.change else "")
             for m in mapping if m.change or m.theirs != m.ours]
    if start.epochs:
        notes.append(f"{params}: going on after epoch {start.epochs}")
    anew = starts_anew(start, optimizer, batch_size)
    return start, (*notes, *([f"{params}: {anew}"] if anew else []))


def _check_places(output: str, plot: str | None, inputs: list[str]) -> None:
    """Refuse places that cannot be written to, before time is spent on what would go there."""
    if output == "-":
        raise InputError("cannot write '-': the parameters go to a file, which -o names, not to standard output")
    if plot is not None:
        check_plot(plot)
    for place in (output, *([plot] if plot is not None else [])):
        path = Path(place)
        try:
            if not path.name or path.is_dir() or (path.exists() and not path.is_file()):
                raise InputError(f"cannot write {place!r}: expected a file")
            if not path.parent.is_dir():
                raise InputError(f"cannot write {place!r}: there is no folder {str(path.parent)!r}; make it first")
            if not os.access(path.parent, os.W_OK):
                raise InputError(f"cannot write {place!r}: the folder is read-only")
            if path.exists() and any(os.path.exists(i) and path.samefile(i) for i in inputs):
                raise InputError(f"cannot write {place!r}: it is the data; choose another name with -o")
        except (OSError, ValueError) as error:
            if isinstance(error, InputError):
                raise
            raise InputError(f"cannot write {place!r}: {getattr(error, 'strerror', None) or error}") from error


def _as_data(result: Training, network: Network, target: str, learning_rate: float, samples: int, output: str,
             notes: tuple[str, ...]) -> dict[str, Any]:
    """Return the result as JSON holds it; None stands for what is not finite."""
    done = result.checkpoint
    rows = [{name: value if value is None or math.isfinite(value) else None for name, value in asdict(epoch).items()}
            for epoch in result.history]
    return {"epochs": rows, "loss": "per sample", "target": target, "optimizer": done.optimizer, "steps": done.steps,
            "learning_rate": learning_rate, "batch_size": done.batch_size, "seed": done.seed, "samples": samples,
            "parameters": network.parameter_count, "notes": list(notes), "output": output}


def _summary(out: Console, result: Training, network: Network, output: str, plot: str | None) -> None:
    if network.reduction == "sum":
        out.print("losses are per sample; the network's loss is their sum")
    done = result.checkpoint
    out.print(f"wrote {output} after epoch {done.epochs}, {done.steps:,} steps of {done.optimizer}", soft_wrap=True,
              markup=False)
    if plot is not None:
        out.print(f"wrote {plot}: the loss curve", soft_wrap=True, markup=False)
