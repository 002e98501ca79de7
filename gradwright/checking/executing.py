"""Runs a file in a process of its own, for values only: what ``--execute`` asks for, and nothing else does.

The process has limits of memory and time, no standard input and no way to send anything but numbers, shapes and words.
It is no sandbox: the code may do to files and the network what its user may.
"""

from __future__ import annotations

import ast
import contextlib
import io
import json
import math
import os
import signal
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from gradwright.checking.source import Source

MOST_OUTPUT = 10_000
"""As many bytes of what the code prints are kept."""

MOST_RESULTS = 20_000_000
_RUNNER = Path(__file__).with_name("runner.py")
_ONE_THREAD = {f"{name}_NUM_THREADS": "1" for name in ("OMP", "OPENBLAS", "MKL", "NUMEXPR", "VECLIB")}
"""Each thread of a linear algebra library takes address space, which is limited."""


@dataclass(frozen=True)
class Value:
    """What a name held after a statement: a number, or the shape and dtype of an array."""

    number: float | None
    shape: tuple[int, ...]
    dtype: str


@dataclass(frozen=True)
class Executed:
    """What running a file showed.

    Attributes:
        values: The numbers that names held last.
        shapes: The shapes of the arrays that names held last.
        stopped: Why it ended early, with cell and line; empty where it ran to its end.
        at: What each name held after the top-level statement in which it is assigned, by cell, line and name; None for
            the cell of a script. Of a loop, what it held after the last round.
        output: The beginning of what was printed.
    """

    values: Mapping[str, float]
    shapes: Mapping[str, tuple[int, ...]]
    stopped: str
    at: Mapping[tuple[int | None, int, str], Value] = field(default_factory=dict)
    output: str = ""


def execute(source: Source, timeout: float = 20.0, memory: int = 1 << 30) -> Executed:
    """Run a source in its folder, and return what was assigned until it ended or was stopped.

    Args:
        source: The code, which is trusted to run.
        timeout: Seconds on the clock.
        memory: Bytes of address space, and of any file that the code writes.
    """
    with tempfile.TemporaryDirectory(prefix="gradwright-") as folder:
        results, job = Path(folder, "results"), Path(folder, "job")
        job.write_text(json.dumps({
            "cells": [{"number": cell.number, "name": source.name if cell.number is None else f"In [{cell.number}]",
                       "body": [[encoded(s), sorted(set(_assigned(s)))] for s in cell.tree.body]}
                      for cell in source.cells],
            "results": str(results), "memory": memory, "seconds": math.ceil(timeout) + 1, "script": source.name}))
        ended, output = _run(job, source.folder or Path(folder), timeout)
        records = list(_records(results))
    at: dict[tuple[int | None, int, str], Value] = {}
    last: dict[str, Value] = {}
    for record in records:
        for cell, line, name, (number, shape, dtype) in record.get("assigned", ()):
            last[name] = at[cell, line, name] = Value(number, tuple(shape), dtype)
    return Executed({name: v.number for name, v in last.items() if v.number is not None},
                    {name: v.shape for name, v in last.items() if v.number is None},
                    _stopped(records, ended, timeout), at, output)


def encoded(node: Any) -> Any:
    """Return a syntax tree as what JSON can hold; `runner.decoded` puts it together again."""
    if isinstance(node, ast.Constant):
        value: Any = node.value
        literal = "..." if value is ... else hex(value) if type(value) is int else repr(value)
        fields = {"value": {"constant": literal, "real": isinstance(value, float)}}
        return {"node": "Constant", "fields": fields | _attributes(node)}
    if isinstance(node, ast.AST):
        return {"node": type(node).__name__,
                "fields": {name: encoded(value) for name, value in ast.iter_fields(node)} | _attributes(node)}
    return [encoded(item) for item in node] if isinstance(node, list) else node


def _attributes(node: ast.AST) -> dict[str, int]:
    return {name: getattr(node, name) for name in node._attributes if getattr(node, name, None) is not None}


def _assigned(statement: ast.AST) -> Iterator[tuple[int, str]]:
    """Yield the lines and names of a statement's assignments, but for those of functions' and classes' own."""
    if isinstance(statement, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef | ast.Lambda | ast.ListComp
                  | ast.SetComp | ast.DictComp | ast.GeneratorExp):
        return
    if isinstance(statement, ast.Assign | ast.AnnAssign | ast.AugAssign):
        targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
        for target in targets:
            # Of W[0] = 1 and W.flat[:] = 0 it is W that changes.
            yield from ((statement.lineno, n.id) for n in ast.walk(target) if isinstance(n, ast.Name))
    elif isinstance(statement, ast.Name) and isinstance(statement.ctx, ast.Store):
        yield statement.lineno, statement.id
    for child in ast.iter_child_nodes(statement):
        yield from _assigned(child)


def _run(job: Path, folder: Path, timeout: float) -> tuple[int | None, str]:
    """Run a job; return the process's code, or None where its time was up, and what it printed at first."""
    process = subprocess.Popen(
        [sys.executable, "-I", str(_RUNNER), str(job)], cwd=folder, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, start_new_session=True,
        env={**os.environ, **_ONE_THREAD, "MPLBACKEND": "Agg"})
    kept = bytearray()
    reader = threading.Thread(target=_keep_the_beginning, args=(process, kept), daemon=True)
    reader.start()
    code: int | None
    try:
        code = process.wait(timeout)
    except subprocess.TimeoutExpired:
        code = None
    finally:
        _kill_group(process)  # what it started too, also where it ended by itself
    reader.join(1.0)
    return code, bytes(kept).decode("utf-8", "replace")


def _keep_the_beginning(process: subprocess.Popen[bytes], kept: bytearray) -> None:
    """Read all that is printed, lest the process wait for a reader, and keep a little."""
    assert isinstance(process.stdout, io.BufferedReader)
    with process.stdout as stream:
        while piece := stream.read1(65536):
            kept += piece[:MOST_OUTPUT - len(kept)]


def _kill_group(process: subprocess.Popen[bytes]) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        if hasattr(os, "killpg"):
            os.killpg(process.pid, signal.SIGKILL)
        else:
            process.kill()
    process.wait()


def _records(results: Path) -> Iterator[dict[str, Any]]:
    """Yield the records that were written whole."""
    try:
        with results.open("rb") as file:
            lines = file.read(MOST_RESULTS).split(b"\n")
    except OSError:
        return
    for line in lines[:-1]:
        try:
            record = json.loads(line)
        except ValueError:
            return
        if isinstance(record, dict):
            yield record


def _stopped(records: list[dict[str, Any]], code: int | None, timeout: float) -> str:
    begun = next((r["begins"] for r in reversed(records) if "begins" in r), None)
    here = "before the first line" if begun is None else (
        f"line {begun[1]}" if begun[0] is None else f"In [{begun[0]}], line {begun[1]}")
    if told := next((r["stopped"] for r in records if "stopped" in r), ""):
        return str(told)
    if any("done" in r for r in records):
        return ""
    if code is None or code == -getattr(signal, "SIGXCPU", 0):
        return f"{here}: stopped after {timeout:g} s"
    if code < 0:
        return f"{here}: the process was ended by {signal.Signals(-code).name}"
    return f"{here}: the process ended itself with code {code}"
