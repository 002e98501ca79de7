"""What a worker may not do, whatever it is asked: take long, take much memory, touch what is not its business."""

from __future__ import annotations

import contextlib
import math
import os
import signal
import sys
from collections.abc import Iterable, Iterator
from typing import Any

if sys.platform != "win32":  # there the server alone ends what takes too long
    import resource

_FORBIDDEN = ("subprocess.Popen", "os.system", "os.exec", "os.posix_spawn", "os.spawn", "os.fork", "os.forkpty",
              "pty.spawn", "socket.connect", "socket.bind", "socket.sendto", "socket.getaddrinfo", "os.remove",
              "os.rename", "os.link", "os.symlink", "os.mkdir", "os.rmdir", "os.chmod", "os.chown", "os.truncate",
              "os.putenv", "shutil.rmtree", "ctypes.dlopen", "pickle.find_class")
"""Names of Python's audit events."""


def limit_memory(size: int) -> None:
    """Limit the address space of this process, and let it write no file and no core."""
    if sys.platform == "win32":
        return
    for what, most in ((resource.RLIMIT_AS, size), (resource.RLIMIT_FSIZE, 0), (resource.RLIMIT_CORE, 0)):
        with contextlib.suppress(ValueError, OSError):  # where the system has it lower already, or not at all
            resource.setrlimit(what, (most, most))


@contextlib.contextmanager
def allow_time(seconds: float) -> Iterator[None]:
    """End this process, by the system's own hand, if what is done within takes longer on the clock or the processor."""
    if sys.platform == "win32":
        yield
        return
    used = resource.getrusage(resource.RUSAGE_SELF)
    _, hard = resource.getrlimit(resource.RLIMIT_CPU)
    resource.setrlimit(resource.RLIMIT_CPU, (math.ceil(used.ru_utime + used.ru_stime + seconds) + 1, hard))
    signal.setitimer(signal.ITIMER_REAL, seconds)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)


def confine() -> None:
    """Refuse from now on, and for good, to open files but Python's own, and all of the list above."""
    above = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
    own = _folders(os.path.join(above, package) for package in ("symbolic", "codegen", "gradwright"))
    python = _folders((sys.prefix, sys.base_prefix, os.path.dirname(os.__file__)))
    modules = (".py", ".pyc", ".so", ".jinja")  # imports inside functions

    def judge(event: str, arguments: tuple[Any, ...]) -> None:
        if event == "open":
            path, _, flags = arguments
            if isinstance(path, int) or path is None:
                return
            name = os.path.realpath(os.fsdecode(path))
            writes = isinstance(flags, int) and flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)
            if writes or not (name.startswith(own) or (name.startswith(python) and name.endswith(modules))):
                raise PermissionError(1, "a worker opens no files", name)
        elif event in _FORBIDDEN:
            raise PermissionError(1, f"a worker does not do {event}")

    sys.addaudithook(judge)


def _folders(paths: Iterable[str]) -> tuple[str, ...]:
    return tuple({os.path.realpath(path) + os.sep for path in paths})
