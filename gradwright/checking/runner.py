"""Runs code statement by statement, and writes down what was assigned: the child process of `executing`.

It is started as a script by ``python -I``, and so imports nothing of gradwright. Its one argument is a file of JSON:
the statements as trees, the limits, and where the results go, a line of JSON each.
"""

from __future__ import annotations
import __future__

import ast
import builtins
import contextlib
import json
import os
import sys
import types
from typing import IO, Any


def decoded(data: Any) -> Any:
    """Return the tree that `executing.encoded` took apart."""
    if isinstance(data, list):
        return [decoded(item) for item in data]
    if not isinstance(data, dict):
        return data
    if "constant" in data:
        return float(data["constant"]) if data["real"] else ast.literal_eval(data["constant"])
    return getattr(ast, data["node"])(**{name: decoded(value) for name, value in data["fields"].items()})


def measured(value: Any) -> list[Any] | None:
    """Return a number, or a shape and the name of a dtype; None of what is neither."""
    try:
        if isinstance(value, int | float):
            return [float(value), [], type(value).__name__]
        shape, dtype = getattr(value, "shape", None), str(getattr(value, "dtype", ""))
        if not isinstance(shape, tuple) or not dtype:
            return None
        return [None if shape else float(value), [int(n) for n in shape], dtype]
    except Exception:  # an object of the author's that only looks like an array
        return None


def limit(memory: int, seconds: int) -> None:
    """Bound this process's memory, time and files; where the system cannot, the parent's clock remains."""
    try:
        import resource
    except ImportError:
        return
    for kind, most in ((resource.RLIMIT_AS, memory), (resource.RLIMIT_CPU, seconds), (resource.RLIMIT_FSIZE, memory),
                       (resource.RLIMIT_CORE, 0)):
        with contextlib.suppress(ValueError, OSError):  # a lower limit holds already
            resource.setrlimit(kind, (most, most))


class _NoShell:
    """Stands for IPython in scripts that Jupyter exported: whatever it is told, it does nothing."""

    def __getattr__(self, name: str) -> Any:
        return lambda *arguments, **options: None


def run(job: dict[str, Any], results: IO[str]) -> None:
    """Run the cells, and write a record before and after each statement and one when all is done."""
    module = types.ModuleType("__main__")
    sys.modules["__main__"] = module
    vars(builtins).update(get_ipython=_NoShell, display=print)
    flags = 0
    for cell in job["cells"]:
        for statement, assigned in cell["body"]:
            node = decoded(statement)
            if isinstance(node, ast.ImportFrom) and node.module == "__future__":
                flags |= sum(getattr(__future__, alias.name).compiler_flag for alias in node.names)
            _say(results, {"begins": [cell["number"], node.lineno]})
            try:
                code = compile(ast.Module([node], []), cell["name"], "exec", flags, dont_inherit=True)
                exec(code, vars(module))  # noqa: S102  # what --execute is for
            except BaseException as error:  # SystemExit too ends a notebook
                _say(results, {"stopped": _told(error, {c["name"] for c in job["cells"]}, cell["name"], node.lineno)})
                return
            found = [(line, name, measured(vars(module).get(name))) for line, name in assigned]
            _say(results, {"assigned": [[cell["number"], *f] for f in found if f[2] is not None]})
    _say(results, {"done": True})


def _told(error: BaseException, names: set[str], name: str, line: int) -> str:
    """Return the error with the line that led to it, and the one that raised it."""
    places, trace = [], error.__traceback__
    while trace:
        if trace.tb_frame.f_code.co_filename in names:
            places.append((trace.tb_frame.f_code.co_filename, trace.tb_lineno))
        trace = trace.tb_next
    places = places or [(name, line)]
    inner = f", raised at {_where(*places[-1])}" if places[-1] != places[0] else ""
    if isinstance(error, SystemExit):
        return f"{_where(*places[0])}: the code ends itself here by SystemExit{inner}"
    try:
        words = " ".join(str(error).split())
    except Exception:
        words = ""
    return f"{_where(*places[0])}: {type(error).__name__}{': ' if words else ''}{words[:500]}{inner}"


def _where(name: str, line: int) -> str:
    return f"{name}, line {line}" if name.startswith("In [") else f"line {line}"


def _say(results: IO[str], record: dict[str, Any]) -> None:
    results.write(json.dumps(record) + "\n")
    results.flush()


def main() -> None:
    """Do the job that the first argument names."""
    with open(sys.argv[1], encoding="utf-8") as file:
        job = json.load(file)
    sys.argv[:] = [job["script"]]
    sys.dont_write_bytecode = True  # nothing beside the author's files
    sys.path.insert(0, os.getcwd())  # for modules of the author's beside the file, as Jupyter and python do
    with open(job["results"], "w", encoding="utf-8") as results:
        limit(job["memory"], job["seconds"])
        run(job, results)
    with contextlib.suppress(Exception):
        sys.stdout.flush()
    os._exit(0)  # threads and exit handlers of the author's are not waited for


if __name__ == "__main__":
    main()
