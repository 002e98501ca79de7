"""What is called an error of Python or NumPy is one: code that runs has none, and code that stops has one."""

from __future__ import annotations

import textwrap

import numpy as np
import pytest

from gradwright.checking.interpreter import Interpreter
from gradwright.checking.source import source_of

RUNS = {
    "class method": """
        class Net:
            def __init__(self, n):
                self.W = np.ones((n, n))
            @classmethod
            def of_size(cls, n):
                return cls(n)
        W = Net.of_size(3).W @ np.ones(3)""",
    "property with a setter": """
        class Net:
            def __init__(self):
                self._W = np.ones(3)
            @property
            def W(self):
                return self._W
            @W.setter
            def W(self, value):
                self._W = value
        net = Net()
        a = net.W * 2
        net.W = net.W - 1
        b = net.W + a""",
    "decorator that gives an argument": """
        def with_rate(function):
            def wrapped(x):
                return function(x, 0.1)
            return wrapped
        @with_rate
        def scaled(x, rate):
            return x * rate
        a = scaled(np.ones(3))""",
    "key that may be missing": """
        def get(cache, name):
            try:
                return cache[name]
            except KeyError:
                return np.zeros(3)
        a = get({}, "W") + 1""",
    "name that may be missing": """
        try:
            a = unicode
        except NameError:
            unicode = str""",
    "name that a handler gives": """
        def read(d):
            try:
                d["x"]
            except KeyError:
                found = np.ones(2)
            return found * 2
        found = 0
        a = read({})""",
    "list that a cut loop makes longer": """
        W = np.ones(3)
        losses = []
        for step in range(50):
            W = W - 0.1 * np.sin(W)
            losses.append(W.sum())
        last = losses[49] * 1.0""",
    "list that a cut loop extends": """
        W = np.ones(3)
        losses = []
        for step in range(50):
            W = W - 0.1 * np.sin(W)
            losses += [W.sum()]
            losses.extend([W.max()])
        last = losses[99] * 1.0""",
    "dict that a cut loop fills": """
        W = np.ones(3)
        seen = {}
        for step in range(50):
            W = W - 0.1 * np.sin(W)
            seen.update({step: W.sum()})
            seen.setdefault(-step, 0)
        last = seen[49] * 1.0""",
    "local name of another branch": """
        scale = 2.0
        def f(x, flag):
            if flag:
                scale = 3.0
            else:
                scale = 4.0
            return x * scale
        a = f(np.ones(2), False)""",
    "global name": """
        count = 0
        def f(x):
            global count
            count += 1
            return x * count
        a = f(np.ones(2))""",
    "name of a comprehension": """
        k = 5
        def f(x):
            total = sum(x * k for k in range(3))
            return total + k
        a = f(np.ones(2))""",
    "import within a function": """
        def f(x):
            import numpy as xp
            return xp.exp(x)
        a = f(np.ones(2))""",
    "function as an argument": """
        def apply(f, x):
            return f(x)
        a = np.apply_along_axis(lambda row: row.sum(), 1, np.ones((2, 2)))
        b = apply(np.tanh, np.ones(2))
        c = np.vectorize(lambda v: v + 1)(np.ones(2))""",
    "functions compared": """
        def relu(x):
            return np.maximum(x, 0)
        kind = relu
        a = np.ones(2) if kind == relu else np.zeros(2)
        b = np.ones(2)
        c = 1.0 if b is None or kind is not relu else 2.0""",
    "partial and default arguments": """
        from functools import partial
        def scaled(x, rate=1.0, *more, shift=0.0, **options):
            return x * rate + shift
        a = scaled(np.ones(2), 2.0, 3, 4, shift=1.0, other=5)
        b = partial(scaled, rate=3.0)(np.ones(2))""",
    "attribute given later": """
        class Layer:
            pass
        layer = Layer()
        layer.W = np.ones(2)
        setattr(layer, "b", np.zeros(2))
        a = layer.W + layer.b""",
    "method of the class": """
        class Base:
            def __init__(self, n):
                self.n = n
            def size(self):
                return self.n
        class Net(Base):
            def __init__(self, n):
                Base.__init__(self, n)
        a = np.ones(Base.size(Net(3)))""",
    "counter and default dict": """
        from collections import defaultdict
        sums = defaultdict(float)
        sums["W"] += 1.0
        a = np.ones(2) * sums["b"]""",
    "negative indices": """
        zs = [np.ones(k) for k in range(1, 4)]
        a = zs[-3] + zs[-len(zs)]""",
    "generator": """
        def batches(X):
            for k in range(0, len(X), 2):
                yield X[k:k + 2]
        total = [b.sum() for b in batches(np.ones((4, 2)))]
        a = total[1]""",
}

STOPS = {
    "function for a value": "def f(x):\n    return x\na = np.ones(2) - f",
    "method that is not called": "a = np.ones(2) + np.ones(2).sum",
    "index beyond a list": "zs = [np.ones(2)]\na = zs[1] * 2",
    "key that is not there": 'd = {"W": np.ones(2)}\na = d["b"] * 2',
    "argument that is missing": "def f(x, y):\n    return x\na = f(np.ones(2))",
    "argument too many": "def f(x):\n    return x\na = f(np.ones(2), 1)",
    "local name before it is assigned": "W = np.ones(2)\ndef f():\n    a = W * 2\n    W = a\n    return W\nb = f()",
    "None for a value": "def f(x):\n    x * 2\na = np.ones(2) + f(np.ones(2))",
}


def interpreted(text: str) -> Interpreter:
    run = Interpreter(source_of(text))
    run.run()
    return run


@pytest.mark.parametrize("text", RUNS.values(), ids=RUNS)
def test_code_that_runs_raises_nothing(text: str) -> None:
    text = "import numpy as np\n" + textwrap.dedent(text)
    exec(compile(text, "runs", "exec"), {"__name__": "runs"})  # noqa: S102  # our own texts
    assert interpreted(text).raised == []


@pytest.mark.parametrize("text", STOPS.values(), ids=STOPS)
def test_code_that_stops_is_known_to(text: str) -> None:
    with pytest.raises((TypeError, IndexError, KeyError, NameError, ValueError)), np.errstate(all="ignore"):
        exec(compile(text, "stops", "exec"), {"np": np})  # noqa: S102  # our own texts
    assert interpreted("import numpy as np\n" + text).raised
