"""Results as a picture: for each workload, bars of the speed relative to hand-written NumPy."""

from __future__ import annotations

import math
from html import escape

from benchmarks.speed.peers import PEERS
from benchmarks.speed.peers.ours import Target
from benchmarks.speed.report import digits, duration
from benchmarks.speed.results import Results
from benchmarks.speed.workloads import WORKLOADS

WIDTH, ROW, LABELS, VALUES, GAP, COLUMNS = 570, 18, 220, 120, 24, 2
OURS, PEER, HAND, LIMIT, INK = "#0b6e4f", "#a3b1bf", "#4a5560", "#d9a441", "#1f2933"


def picture(results: Results, dtype: str = "float64", threads: int = 1) -> str:
    """Return an SVG of one dtype and one number of threads: a panel a workload, to a scale of its own."""
    panels = [(title, bars) for title, bars in (
        (w.title, _bars(results, w.name, dtype, threads)) for w in WORKLOADS.values()) if bars]
    rows = [panels[i:i + COLUMNS] for i in range(0, len(panels), COLUMNS)]
    drawn, y = [], 96.0
    for row in rows:
        height = max(len(bars) for _, bars in row) * ROW + 62
        for column, (title, bars) in enumerate(row):
            drawn.append(_panel(title, bars, GAP + column * (WIDTH + GAP), y))
        y += height
    width = COLUMNS * WIDTH + (COLUMNS + 1) * GAP
    words = f"Speed relative to hand-written NumPy: {dtype}, {threads} thread{'s' * (threads > 1)}"
    return "\n".join((
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {y:g}" width="{width}" height="{y:g}" '
        'font-family="Helvetica, Arial, sans-serif" font-size="12">',
        f'<rect width="{width}" height="{y:g}" fill="#ffffff"/>', _text(GAP, 34, words, 18, weight="bold"),
        _legend(GAP, 60), *drawn, "</svg>", ""))


def _bars(results: Results, workload: str, dtype: str, threads: int) -> list[tuple[str, float, float]]:
    """Return contender, nanoseconds and ratio, the fastest first; none where hand-written NumPy is missing."""
    hand = results.time(workload, "hand", dtype, threads)
    times = {peer: results.time(workload, peer, dtype, threads) for peer in PEERS} if hand else {}
    return sorted(((peer, time, hand / time) for peer, time in times.items() if time), key=lambda bar: bar[1])


def _panel(title: str, bars: list[tuple[str, float, float]], x: float, y: float) -> str:
    low, high = (f(math.log2(ratio) for _, _, ratio in bars) for f in (min, max))
    low, high = min(low, -0.25), max(high, 0.25)
    start, room = x + LABELS, WIDTH - LABELS - VALUES
    zero = start - low / (high - low) * room
    bottom = y + 14 + len(bars) * ROW
    parts = [_text(x, y, title, 14, weight="bold"),
             f'<line x1="{zero:.1f}" y1="{y + 8:g}" x2="{zero:.1f}" y2="{bottom:g}" stroke="{INK}"/>',
             _text(zero, bottom + 13, "1×", 11, anchor="middle")]
    for i, (peer, time, ratio) in enumerate(bars):
        end, top = zero + math.log2(ratio) / (high - low) * room, y + 12 + i * ROW
        left, length = min(zero, end), max(abs(end - zero), 1.0)
        parts += [
            _text(start - 8, top + 11, PEERS[peer].title.replace("`", ""), anchor="end",
                  weight="bold" if isinstance(PEERS[peer], Target) else "normal"),
            f'<rect x="{left:.1f}" y="{top:g}" width="{length:.1f}" height="{ROW - 5}" fill="{_colour(peer)}"/>',
            _text(max(zero, end) + 6, top + 11, f"{duration(time)}  {digits(ratio)}×")]
    return "\n".join(parts)


def _legend(x: float, y: float) -> str:
    parts = []
    for colour, words in ((OURS, "gradwright"), (PEER, "peers"), (HAND, "hand-written NumPy"),
                          (LIMIT, "the matrix products alone")):
        parts += [f'<rect x="{x:g}" y="{y - 10:g}" width="12" height="12" fill="{colour}"/>', _text(x + 18, y, words)]
        x += 40 + 7 * len(words)
    return "\n".join((*parts, _text(x, y, "logarithmic, right of 1× is faster; each panel to its own scale")))


def _colour(peer: str) -> str:
    if isinstance(PEERS[peer], Target):
        return OURS
    return LIMIT if peer == "matmul" else HAND if peer.startswith("hand") else PEER


def _text(x: float, y: float, words: str, size: int = 12, anchor: str = "start", weight: str = "normal") -> str:
    return (f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" text-anchor="{anchor}" font-weight="{weight}" '
            f'fill="{INK}" xml:space="preserve">{escape(words)}</text>')
