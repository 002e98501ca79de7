"""Running a file in a process of its own: values and shapes come back, and nothing runs on."""

from __future__ import annotations

import math
import os
import time
from pathlib import Path

import pytest

from gradwright.checking.executing import Value, execute
from gradwright.checking.source import read_source, source_of, source_of_cells

AWHILE = 1.5


def test_values_and_shapes_by_cell_line_and_name() -> None:
    found = execute(source_of_cells([
        "import numpy as np\n%matplotlib inline", "W = np.ones((2, 3))\nloss = np.sum(W)",
        "for i in range(3):\n    loss = loss * 2\n    W[0] = i\nif i:\n    n, (m,) = 1, [2.5]\ns = 'text'",
        "v = w = W[:, 0].astype('float32')\nloss += np.float64(1)"]))
    assert found.stopped == ""
    assert found.values == {"loss": 49.0, "i": 2.0, "n": 1.0, "m": 2.5}
    assert found.shapes == {"W": (2, 3), "v": (2,), "w": (2,)}
    assert found.at[2, 2, "loss"] == Value(6.0, (), "float64")
    assert found.at[3, 2, "loss"] == Value(48.0, (), "float64")
    assert found.at[3, 3, "W"] == Value(None, (2, 3), "float64")
    assert found.at[4, 1, "v"] == Value(None, (2,), "float32")


def test_not_finite_numbers_come_back() -> None:
    found = execute(source_of("a = float('nan')\nb = 1e999\nc = -b\nd = 1 << 5000"))
    assert math.isnan(found.values.pop("a"))
    assert found.values == {"b": math.inf, "c": -math.inf}


def test_every_kind_of_statement_arrives_as_it_was_written() -> None:
    text = ("from __future__ import annotations\nimport dataclasses\n@dataclasses.dataclass\n"
            "class A:\n    x: Missing = 0\n    @property\n"
            "    def y(self, /, *, z=1): return f'{self.x!r:>{4}}' 'é\\ud800'\n"
            "a: Missing = len(A(3).y)\nmatch [a, 0xff]:\n    case [b, 255 as c] if b: d = c\n"
            "try: 1 / 0\nexcept ZeroDivisionError as e: f = -1.5e-3\n"
            "async def g(): await g()\nh = (lambda *q, k=3, **r: k)()\n"
            "i = [j := 1j, b'a', ..., None, True]\nk = (h if i else 0)\n"
            "l = {**{}, 'm': {n for n in range(3)}}\nglobal o\no = 7\n")
    found = execute(source_of(text))
    assert found.stopped == ""
    assert found.values | {"j": 0} == {"a": 6.0, "d": 255.0, "f": -1.5e-3, "h": 3.0, "j": 0, "k": 3.0, "o": 7.0}


def test_folder_is_the_file_s(tmp_path: Path) -> None:
    (tmp_path / "beside.py").write_text("n = 3")
    (tmp_path / "data.txt").write_text("4")
    path = tmp_path / "script.py"
    path.write_text("import beside, sys\nassert __name__ == '__main__'\nx = beside.n + int(open('data.txt').read())\n")
    found = execute(read_source(path))
    assert (found.values, found.stopped) == ({"x": 7.0}, "")
    assert sorted(p.name for p in tmp_path.iterdir()) == ["beside.py", "data.txt", "script.py"]


STOPS = {
    "an error": ("x = 1\ny = 1 / 0\nz = 2", "line 2: ZeroDivisionError: division by zero"),
    "an error in a function": ("def f():\n    return [][1]\nx = 1\ny = (\n f())",
                               "line 5: IndexError: list index out of range, raised at line 2"),
    "shapes": ("import numpy as np\nx = 1\ny = np.ones((3, 1)) @ np.ones(3)", "line 3: ValueError: matmul"),
    "an exit": ("import sys\nx = 1\nsys.exit('enough')", "line 3: the code ends itself here"),
    "a hard exit": ("import os\nx = 1\nos._exit(0)", "line 3: the process ended itself with code 0"),
    "a signal": ("import os\nx = 1\nos.kill(os.getpid(), 9)", "line 3: the process was ended by SIGKILL"),
    "input": ("x = 1\ninput()", "line 2: EOFError"),
    "memory": ("import numpy as np\nx = 1\ny = np.ones(1 << 30)", "line 3: MemoryError"),
    "memory by and by": ("x = 1\ny = []\nwhile True: y.append(bytearray(1 << 24))", "line 3: MemoryError"),
    "recursion": ("def f(): return f()\nx = 1\nf()", "line 3: RecursionError"),
    "an error that cannot be said": ("class E(Exception):\n    def __str__(self): 1 / 0\nx = 1\nraise E", "line 4: E"),
    "no Python after all": ("x = 1\nreturn 3", "line 2: SyntaxError"),
}


@pytest.mark.parametrize(("text", "stopped"), STOPS.values(), ids=STOPS.keys())
def test_what_stops_a_run_is_told_with_its_line(text: str, stopped: str) -> None:
    found = execute(source_of(text))
    assert found.stopped.startswith(stopped)
    assert found.values["x"] == 1.0
    assert "z" not in found.values


def test_error_names_the_cells() -> None:
    found = execute(source_of_cells(["def f(x):\n    return 1 / x", "a = f(2)\n\nb = f(0)"]))
    assert found.stopped == "In [2], line 3: ZeroDivisionError: division by zero, raised at In [1], line 2"
    assert found.values == {"a": 0.5}


@pytest.mark.parametrize("text", [
    "while True: pass", "import time; time.sleep(60)", "import os\nwhile True: os.write(1, b'y' * 65536)",
    "import signal, time\nsignal.signal(signal.SIGTERM, lambda *a: None)\ntime.sleep(60)"])
def test_endless_code_is_stopped_in_time(text: str) -> None:
    begun = time.monotonic()
    found = execute(source_of(f"x = 1\n{text}\nx = 2"), timeout=AWHILE)
    assert time.monotonic() - begun < AWHILE + 3
    assert f"stopped after {AWHILE:g} s" in found.stopped
    assert found.values == {"x": 1.0}


def test_what_it_started_is_ended_with_it() -> None:
    found = execute(source_of("import subprocess\np = subprocess.Popen(['sleep', '600']).pid\n"))
    assert found.stopped == ""
    pid = int(found.values["p"])
    for _ in range(50):
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rsplit(")")[-1].split()[0]
        except OSError:
            return
        if state == "Z":  # ended, and not yet reaped by whoever inherited it
            return
        time.sleep(0.1)
    raise AssertionError(f"{pid} still runs")


def test_much_output_is_cut() -> None:
    found = execute(source_of("print('é' * 10**7)\nx = 1"))
    assert found.values == {"x": 1.0}
    assert found.stopped == ""
    assert 5_000 <= len(found.output) <= 10_000


def test_results_cannot_be_more_than_numbers() -> None:
    text = ("class Array:\n    shape = ()\n    dtype = 'float64'\n    def __float__(self): raise KeyboardInterrupt\n"
            "class Other:\n    shape = ('a',)\n    dtype = 3\na = Other()\nx = 1\nb = Array()")
    found = execute(source_of(text))
    assert found.values == {"x": 1.0}
    assert found.shapes == {}


def test_an_exported_notebook_runs() -> None:
    found = execute(source_of("get_ipython().run_line_magic('matplotlib', 'inline')\ndisplay(3)\nx = 1"))
    assert (found.values, found.stopped) == ({"x": 1.0}, "")


def test_no_other_folder_is_left(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    execute(source_of("open('made', 'w').close()\nx = 1"))
    assert not os.listdir(tmp_path)
