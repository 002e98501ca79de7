"""What a server is told, and what it allows itself."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path

PORT = 8765
LOOPBACK = "127.0.0.1"


@dataclass(frozen=True)
class Settings:
    """Where a server listens, and the limits of one question and of all.

    Attributes:
        host: The address to listen at.
        port: 0 for any that is free.
        names: Names by which browsers may call it besides its own, as behind a proxy.
        workers: Processes that derive, each one question at a time.
        seconds: As long may a question take; its worker is then ended.
        patience: As long may a question wait for a worker, in seconds.
        memory: Bytes of address space that a worker may have.
        waiting: So many questions may wait.
        connections: So many requests may be open.
        renewed: After so many questions a worker makes room for a new one, and its caches with it.
        katex: A folder with KaTeX's files; None for those of this package, if it has them.
    """

    host: str = LOOPBACK
    port: int = PORT
    names: tuple[str, ...] = ()
    workers: int = field(default_factory=lambda: max(2, min(4, os.cpu_count() or 2)))
    seconds: float = 10.0
    patience: float = 10.0
    memory: int = 1 << 30
    waiting: int = 64
    connections: int = 256
    renewed: int = 1000
    katex: Path | None = None
