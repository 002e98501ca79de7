"""What a terminal shows of training while it goes on."""

from __future__ import annotations

import time
from collections.abc import Sequence
from types import TracebackType
from typing import Self

from rich import progress
from rich.console import Console

from codegen.training import Epoch

ROWS = 24
"""About as many epochs have a row each."""
SHORTEST = 0.05
"""Seconds between two updates of the bar."""


class TrainingProgress:
    """A bar with the loss and the speed, on a terminal alone, and a row for each epoch.

    Args:
        console: Where the bar is drawn and the rows are written.
        before: The epochs of earlier trainings.
        epochs: How many there will be.
        samples: In each of them.
        notes: To be written above the rows, once training has begun; None for neither.
    """

    def __init__(self, console: Console, before: int, epochs: int, samples: int, notes: Sequence[str] | None) -> None:
        self._console, self._before, self._epochs, self._notes = console, before, epochs, notes
        self._samples, self._updated = 0, 0.0
        self._count, self._every = 0, 1 if epochs <= ROWS else -(-epochs // ROWS)
        self._bar = progress.Progress(
            progress.TextColumn("epoch {task.fields[epoch]}"), progress.BarColumn(_bar_width(console.width)),
            progress.TaskProgressColumn(), progress.TextColumn("{task.fields[loss]}"),
            progress.TextColumn("{task.fields[speed]}"), progress.TimeRemainingColumn(),
            console=console, transient=True, disable=not console.is_terminal, redirect_stdout=False)
        self._task = self._bar.add_task("", total=epochs * samples, epoch=self._place, loss="", speed="")
        self._begun = time.perf_counter()

    def __enter__(self) -> Self:
        """Show the bar."""
        self._bar.start()
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None,
                 trace: TracebackType | None) -> None:
        """Take the bar away."""
        self._bar.stop()

    def step(self, samples: int, loss: float) -> None:
        """Count the samples of a batch."""
        if not self._samples:
            for note in self._notes or ():
                self._console.print(note, soft_wrap=True, markup=False)
        self._samples += samples
        now = time.perf_counter()
        if now - self._updated >= SHORTEST:
            self._updated = now
            self._bar.update(self._task, completed=self._samples, epoch=self._place, loss=f"loss {loss:.5g}",
                             speed=f"{self._samples / (now - self._begun):,.0f} samples/s")

    @property
    def _place(self) -> str:
        return f"{self._before + self._count + 1}/{self._before + self._epochs}"

    def epoch(self, epoch: Epoch) -> None:
        """Write the row of an epoch, unless there are many and its turn has not come."""
        self._count += 1
        if self._notes is None:
            return
        columns = _columns(epoch)
        if self._count == 1:
            self._console.print("  ".join(name.rjust(len(text)) for name, text in columns), markup=False)
        if self._count in (1, self._epochs) or self._count % self._every == 0:
            self._console.print("  ".join(text for _, text in columns), markup=False)


def _bar_width(width: int) -> int:
    """Return the width of the bar itself: the other columns take some 65 characters, and are what is to be read."""
    return max(4, min(40, width - 65))


def _columns(epoch: Epoch) -> list[tuple[str, str]]:
    """Return the names of the columns and the texts of a row, each as wide as its column."""
    columns = [("epoch", f"{epoch.epoch:5d}"), ("loss", f"{epoch.loss:11.6g}")]
    if epoch.accuracy is not None:
        columns.append(("accuracy", f"{epoch.accuracy:8.2%}"))
    if epoch.validation_loss is not None:
        columns.append(("validation loss", f"{epoch.validation_loss:15.6g}"))
    if epoch.validation_accuracy is not None:
        columns.append(("accuracy", f"{epoch.validation_accuracy:8.2%}"))
    return [*columns, ("samples/s", f"{epoch.samples_per_second:9,.0f}")]
