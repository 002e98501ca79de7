"""The loss curve: SVG drawn here, PNG by matplotlib where it is installed."""

from __future__ import annotations

import math
import os
import secrets
from collections.abc import Sequence
from html import escape
from importlib import import_module
from importlib.util import find_spec
from io import BytesIO
from pathlib import Path

from codegen.training import Epoch
from gradwright.axes import Axis, epoch_axis, loss_axis
from gradwright.files import write_text
from symbolic.errors import InputError

Curve = list[tuple[int, float]]

WIDTH, HEIGHT = 720, 420
LEFT, RIGHT, TOP, BOTTOM = 76, 20, 44, 52
COLOURS = {"training": "#1f5fa8", "validation": "#d2601a"}
DOTTED = 40
"""As many points have a dot each."""


def check_plot(path: str) -> None:
    """Refuse a file that no loss curve can be written as, before time is spent on it.

    Raises:
        InputError: Its name ends otherwise, or matplotlib is missing.
    """
    if Path(path).suffix.lower() not in (".svg", ".png"):
        raise InputError(f"expected --plot FILE.svg or FILE.png, got {path!r}")
    if Path(path).suffix.lower() == ".png" and find_spec("matplotlib") is None:
        raise InputError("a PNG is drawn by matplotlib, which is not installed: pip install 'gradwright[plot]', "
                         "or ask for an SVG")


def write_plot(path: Path, history: Sequence[Epoch], title: str) -> None:
    """Write the loss curve as SVG or PNG, by the file's name.

    Raises:
        InputError: The file cannot be written.
    """
    if path.suffix.lower() == ".svg":
        write_text(path, loss_svg(history, title))
        return
    temporary = path.parent / f".{secrets.token_hex(8)}.tmp"
    try:
        temporary.write_bytes(loss_png(history, title))
        os.replace(temporary, path)
    except OSError as error:
        raise InputError(f"cannot write {path}: {error.strerror or error}") from error
    finally:
        temporary.unlink(missing_ok=True)


def curves(history: Sequence[Epoch]) -> dict[str, Curve]:
    """Return the finite points of each curve that has any."""
    found = {"training": [(e.epoch, e.loss) for e in history],
             "validation": [(e.epoch, e.validation_loss) for e in history if e.validation_loss is not None]}
    finite = {name: [(x, y) for x, y in points if math.isfinite(y)] for name, points in found.items()}
    return {name: points for name, points in finite.items() if points}


def loss_svg(history: Sequence[Epoch], title: str) -> str:
    """Draw the loss by the epoch, its axis logarithmic where it spans decades."""
    lines = curves(history)
    across = epoch_axis([x for points in lines.values() for x, _ in points], LEFT, WIDTH - RIGHT)
    up = loss_axis([y for points in lines.values() for _, y in points], HEIGHT - BOTTOM, TOP)
    body = [*_frame(across, up), *(part for name, points in lines.items() for part in _line(name, points, across, up)),
            *_legend(list(lines)), f'<text x="{LEFT}" y="26" font-weight="bold">{escape(title)}</text>']
    return (f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{HEIGHT}" '
            f'viewBox="0 0 {WIDTH} {HEIGHT}" font-family="sans-serif" font-size="13" fill="#333">\n'
            f'<rect width="{WIDTH}" height="{HEIGHT}" fill="white"/>\n' + "\n".join(body) + "\n</svg>\n")


def loss_png(history: Sequence[Epoch], title: str) -> bytes:
    """Draw the same with matplotlib."""
    # By name: matplotlib is an extra, and mypy need not find it.
    Figure = import_module("matplotlib.figure").Figure
    MaxNLocator = import_module("matplotlib.ticker").MaxNLocator
    lines = curves(history)
    figure = Figure(figsize=(WIDTH / 100, HEIGHT / 100), dpi=200, layout="constrained")
    axes = figure.add_subplot(title=title, xlabel="epoch", ylabel="loss per sample")
    for name, points in lines.items():
        dot = "." if len(points) <= DOTTED else ""
        axes.plot([x for x, _ in points], [y for _, y in points], label=name, color=COLOURS[name], marker=dot)
    if loss_axis([y for points in lines.values() for _, y in points], 0, 1).logarithmic:
        axes.set_yscale("log")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.grid(color="#ddd")
    axes.legend()
    content = BytesIO()
    figure.savefig(content, format="png")
    return content.getvalue()


def _frame(across: Axis, up: Axis) -> list[str]:
    """Return the grid, the ticks with their labels, and the names of the axes."""
    right, bottom = WIDTH - RIGHT, HEIGHT - BOTTOM
    parts = []
    for value, label in up.ticks:
        y = up.place(value)
        parts += [f'<path d="M{LEFT} {y:.1f}H{right}" stroke="#ddd"/>',
                  f'<text x="{LEFT - 8}" y="{y + 4.5:.1f}" text-anchor="end">{label}</text>']
    for value, label in across.ticks:
        x = across.place(value)
        parts += [f'<path d="M{x:.1f} {bottom}v5" stroke="#333"/>',
                  f'<text x="{x:.1f}" y="{bottom + 20}" text-anchor="middle">{label}</text>']
    middle = f"18 {(TOP + bottom) / 2}"
    return [*parts, f'<path d="M{LEFT} {TOP}V{bottom}H{right}" fill="none" stroke="#333"/>',
            f'<text x="{(LEFT + right) / 2}" y="{HEIGHT - 12}" text-anchor="middle">epoch</text>',
            f'<text transform="translate({middle}) rotate(-90)" text-anchor="middle">loss per sample</text>']


def _line(name: str, points: Curve, across: Axis, up: Axis) -> list[str]:
    places = [(across.place(x), up.place(y)) for x, y in points]
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
    dots = [f'<circle cx="{x:.1f}" cy="{y:.1f}" r="2.6" fill="{COLOURS[name]}"/>' for x, y in places]
    return [f'<polyline points="{path}" fill="none" stroke="{COLOURS[name]}" stroke-width="1.8" '
            'stroke-linejoin="round"/>', *(dots if len(dots) <= DOTTED else [])]


def _legend(names: list[str]) -> list[str]:
    """Return the legend, above the plot, where no curve can run into it."""
    parts, x = [], WIDTH - RIGHT + 12 - 110 * len(names)
    for name in names:
        parts += [f'<path d="M{x} 22h24" stroke="{COLOURS[name]}" stroke-width="2.5"/>',
                  f'<text x="{x + 30}" y="26">{name}</text>']
        x += 110
    return parts
