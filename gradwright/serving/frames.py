"""What goes through the pipes between the server and a worker: a number, a length, and as many bytes.

Nothing is pickled: the number is a status of HTTP in an answer, and the bytes are JSON both ways, so that a worker
that was taken over could say nothing worse than a wrong answer.
"""

from __future__ import annotations

import struct
from asyncio import StreamReader
from typing import BinaryIO

HEAD = struct.Struct(">HI")
READY = 100
"""The number of the first frame of a worker, which is then warm."""

BEGUN = 102
"""The number of the frame that says a question has arrived, and so could be what ended the worker."""

LARGEST = 16_000_000
"""Bytes of an answer. A derivation of some hundred layers has a few million."""


def packed(number: int, body: bytes) -> bytes:
    """Return a frame."""
    return HEAD.pack(number, len(body)) + body


def read(pipe: BinaryIO) -> tuple[int, bytes]:
    """Return the next frame of a pipe.

    Raises:
        EOFError: The other side has closed it.
    """
    number, length = HEAD.unpack(_exactly(pipe, HEAD.size))
    return number, _exactly(pipe, length)


def _exactly(pipe: BinaryIO, length: int) -> bytes:
    found = pipe.read(length)
    if len(found) < length:
        raise EOFError
    return found


async def receive(stream: StreamReader) -> tuple[int, bytes]:
    """Return the next frame of a worker.

    Raises:
        EOFError: It has ended, or sends what is no frame.
    """
    number, length = HEAD.unpack(await stream.readexactly(HEAD.size))
    if length > LARGEST:
        raise EOFError
    return number, await stream.readexactly(length)
