"""A process that derives: it reads questions from its standard input and answers on its standard output.

It is started by `gradwright.serving.pool`. It has limits of time and memory of its own, so that it ends even where
nobody is left to end it, and once it is warm it refuses to touch files, processes and the network.
"""

from __future__ import annotations

import contextlib
import json
import os
import signal
import sys
import traceback
import warnings
from typing import Any, BinaryIO

from gradwright.serving import frames
from gradwright.serving.confinement import allow_time, confine, limit_memory
from gradwright.serving.tasks import TASKS, WARMING
from symbolic.errors import InputError, VerificationError

GRACE = 5.0
"""Seconds for which the server comes first in ending a worker, and can say why."""


def main(arguments: list[str]) -> None:
    """Answer questions until the pipe is closed; the arguments are seconds a question, and bytes of memory."""
    seconds, memory = float(arguments[0]), int(arguments[1])
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the server, which then closes the pipe
    questions, answers = sys.stdin.buffer, os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)  # a stray print must not be taken for an answer
    warnings.simplefilter("ignore")
    limit_memory(memory)
    for task, warming in WARMING:
        TASKS[task](warming)
    confine()
    _send(answers, frames.READY, b"")
    while True:
        try:
            _, question = frames.read(questions)
        except EOFError:
            return
        _send(answers, frames.BEGUN, b"")
        with allow_time(seconds + GRACE):
            number, body = answered(question)
        _send(answers, number, body)
        if number == 503:
            return  # memory that was short once is so again: a new process begins with all of it


def _send(pipe: BinaryIO, number: int, body: bytes) -> None:
    with contextlib.suppress(BrokenPipeError):
        pipe.write(frames.packed(number, body))
        pipe.flush()


def answered(question: bytes) -> tuple[int, bytes]:
    """Return a status of HTTP and the JSON of an answer, or of an error."""
    try:
        asked = json.loads(question)
        body = json.dumps(TASKS[asked["task"]](asked["question"]), ensure_ascii=False, allow_nan=False)
        if len(body) <= frames.LARGEST // 4:  # as many bytes as a character may have
            return 200, body.encode("utf-8", "replace")
        return 422, error("length", f"the answer has {len(body)} characters; ask for less at a time, or use the "
                                    "command")
    except InputError as problem:
        return 422, error("input", " ".join(str(problem).split()), getattr(problem, "place", None))
    except VerificationError as problem:
        return 422, error("withheld", " ".join(str(problem).split()))
    except RecursionError:
        return 422, error("input", "nested too deeply; name parts of it as equations of their own")
    except MemoryError:
        return 503, error("memory", "the answer needs more memory than this server gives to one question; ask for "
                                    "less, with smaller sizes")
    except Exception:
        traceback.print_exc()
        return 500, error("internal", "this is a fault of gradwright, and its server's terminal says more")


def error(kind: str, message: str, place: dict[str, int] | None = None) -> bytes:
    """Return the JSON of an error."""
    said: dict[str, Any] = {"kind": kind, "message": message}
    if place:
        said["place"] = place
    return json.dumps({"error": said}, ensure_ascii=False).encode("utf-8", "replace")


if __name__ == "__main__":
    main(sys.argv[1:])
