"""Time to answer each case of the corpus, and growing products and programs: `python benchmarks/expressions.py`.

Milliseconds without imports, the minimum over rounds. ``read`` is from text to terms, ``derive`` the
steps, ``verify`` the check against numbers, ``text`` the answer in the language, read back; ``page``
(all steps printed) and ``python`` (the module) are asked for separately.
"""

from __future__ import annotations

import platform
import statistics
import time
import tomllib
from collections.abc import Callable
from pathlib import Path

import numpy as np
import sympy

from codegen.expressions import generate_expression
from symbolic.answering import Question, derived, spelled
from symbolic.answers import Answers
from symbolic.derivatives import differentiate_text
from symbolic.evidence import verify_answer
from symbolic.formats.answers import answers_as_text
from symbolic.language.reading import read
from symbolic.program import Program, assume

COLUMNS = ("read", "derive", "verify", "text", "answer", "page", "python")
ROUNDS = 3


def milliseconds(work: Callable[[], object]) -> float:
    """Return the least time of some rounds."""
    times = []
    for _ in range(ROUNDS):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return 1e3 * min(times)


def question(text: str, wrt: str, order: int) -> Question:
    """Return what is asked, read."""
    reading = read(text)
    program = reading.program
    assumed = tuple(assume(k, reading.symbols[n]) for n, keys in reading.properties.items() for k in keys)
    program = Program(program.name, program.inputs, (), program.equations, assumed, program.through)
    return Question(text, program, (reading.symbols[wrt],), order)


def row(text: str, wrt: str, order: int) -> list[float]:
    """Measure the stages of one answer; ``answer`` is the sum of the first four."""
    asked = question(text, wrt, order)
    found = derived(asked)
    stages = [milliseconds(lambda: question(text, wrt, order)), milliseconds(lambda: derived(asked)),
              milliseconds(lambda: [verify_answer(asked.program, a) for a in found]),
              milliseconds(lambda: [spelled(asked.program, a) for a in found])]
    answers = differentiate_text(text, [wrt], order)
    assert isinstance(answers, Answers)
    return [*stages, sum(stages), milliseconds(lambda: answers_as_text(answers)),
            milliseconds(lambda: generate_expression(answers))]


def corpus() -> None:
    """Measure all cases of the corpus."""
    folder = Path(__file__).parent.parent / "tests" / "corpus"
    cases = [c for file in sorted(folder.glob("*.toml")) for c in tomllib.loads(file.read_text())["case"]]
    plain = [c for c in cases if "shapes" not in c and "properties" not in c]
    rows = {c["id"]: row(c["expression"], c["wrt"], c.get("order", 1)) for c in plain}
    print(f"{len(rows)} cases".ljust(28) + "".join(f"{c:>10}" for c in COLUMNS))
    for name, pick in (("median", statistics.median), ("90 %", lambda t: sorted(t)[int(0.9 * len(t))]), ("worst", max)):
        print(name.ljust(28) + "".join(f"{pick(column):>10.1f}" for column in zip(*rows.values(), strict=True)))
    for name, times in sorted(rows.items(), key=lambda r: -r[1][4])[:5]:
        print(f"  {name}"[:28].ljust(28) + "".join(f"{t:>10.1f}" for t in times))


def growth() -> None:
    """Measure products of k matrices and programs of k equations."""
    shapes: dict[str, Callable[[int], str]] = {
        "product of k": lambda k: "X: n x n; tr(" + "*".join(f"X*A{i}" for i in range(k // 2)) + ")",
        "program of k": lambda k: "\n".join(["x0: n", "W: n x n", *(
            f"x{i + 1} = tanh(W*x{i})" for i in range(k)), f"x{k}'*x{k}"]),
    }
    for name, text in shapes.items():
        for k in (10, 20, 40):
            declared = "; ".join(f"A{i}: n x n" for i in range(k // 2)) + "; " if name.startswith("product") else ""
            times = row(declared + text(k), "X" if declared else "W", 1)
            print(f"{name.replace('k', str(k))}".ljust(28) + "".join(f"{t:>10.1f}" for t in times))


if __name__ == "__main__":
    print(f"Python {platform.python_version()}, SymPy {sympy.__version__}, NumPy {np.__version__}, "
          f"{platform.machine()}; milliseconds, minimum of {ROUNDS} rounds")
    corpus()
    growth()
