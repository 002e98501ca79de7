"""The terms of lines, read as the matrix language and evaluated: they have the values of the lines."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from gradwright.checking.bench import NOTHING, Bench
from gradwright.checking.checker import _files
from gradwright.checking.interpreter import Interpreter
from gradwright.checking.nodes import Node
from gradwright.checking.objects import Event
from gradwright.checking.recognising import find_wirings
from gradwright.checking.source import source_of
from gradwright.checking.terms import Terms
from symbolic.evaluate import run
from symbolic.language.reading import read, read_shape

PROGRAMS = sorted((Path(__file__).parent / "programs").glob("*.py"))


def bench_of(source: str) -> Bench:
    files = _files(source_of(source), {})
    own = Interpreter(source_of(source), files=files)
    own.run()
    bench = Bench(source_of(source), files, own, NOTHING)
    bench.wiring = find_wirings(own, {})[0]
    return bench


def valued(source: str) -> list[tuple[Event, str, dict[str, np.ndarray]]]:
    """Return the events of a program that have a term, and the values of the names in it, which are made plain."""
    followed, follower = bench_of(source).plain
    used: dict[str, np.ndarray] = {}

    def name(event: Event, node: Node) -> str:
        text = f"{'X' if np.ndim(node.value) else 'c'}{node.order + 1}"
        used[text] = np.asarray(node.value, dtype=float)
        return text

    found = []
    terms = Terms(followed.events, follower.holders, name)
    for event in followed.events:
        used.clear()
        text = terms.of(event)
        if text:
            found.append((event, text, dict(used)))
    return found


@pytest.mark.parametrize("path", PROGRAMS, ids=lambda path: path.stem)
def test_terms_have_the_values_of_their_lines(path: Path) -> None:
    found = valued(path.read_text(encoding="utf-8"))
    assert len(found) >= 8
    for event, text, values in found:
        columns = {name: value.reshape(len(value), -1) for name, value in values.items() if value.ndim}
        shapes = dict(read_shape(f"{name}={value.shape[0]},{value.shape[1]}") for name, value in columns.items())
        reading = read(text, shapes)
        given = {symbol: columns.get(name, values[name]) for name, symbol in reading.symbols.items()}
        result = np.asarray(run(reading.program.equations, given)[reading.program.result])
        expected = np.asarray(event.node.value if event.node is not None else None, dtype=float)
        np.testing.assert_allclose(result.reshape(expected.shape), expected, rtol=1e-9, atol=1e-12, err_msg=text)


def test_a_term_is_written_in_the_names_of_the_code() -> None:
    (line, *_) = [event for event in bench_of(PROGRAMS[0].read_text(encoding="utf-8")).plain[0].events
                  if event.target == "s2"]
    bench = bench_of(PROGRAMS[0].read_text(encoding="utf-8"))
    terms = Terms(bench.plain[0].events, bench.plain[1].holders)
    assert terms.of(bench.plain[0].events[line.index]) == "W2*x1 + b2*ones(1, 6)"
