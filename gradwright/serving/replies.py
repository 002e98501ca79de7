"""Answers as they go out, and bodies as they come in."""

from __future__ import annotations

import asyncio

from starlette.requests import Request
from starlette.responses import Response

from gradwright.serving.fields import MalformedError
from gradwright.serving.pool import Reply

ARRIVES = 10.0
"""Seconds in which a body has to arrive."""


def respond(reply: Reply) -> Response:
    """Return JSON that no cache keeps."""
    headers = {"cache-control": "no-store"} | ({"retry-after": "1"} if reply.status == 503 else {})
    return Response(reply.body, reply.status, headers, "application/json")


async def body_of(request: Request, largest: int, expected: str = "application/json") -> bytes:
    """Return the body of a request.

    Raises:
        MalformedError: It is not declared as of the expected type, is too large, or does not arrive.
    """
    kind = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind != expected:
        raise MalformedError(415, f"expected the content type {expected}, came {kind[:80] or 'none'!r}")
    length = request.headers.get("content-length", "")
    if length.isdigit() and int(length[:20]) > largest:
        raise _too_large(largest)
    body = bytearray()
    try:
        async with asyncio.timeout(ARRIVES):
            async for chunk in request.stream():
                body += chunk
                if len(body) > largest:
                    raise _too_large(largest)
    except TimeoutError:
        raise MalformedError(408, f"the body did not arrive within {ARRIVES:g} s") from None
    return bytes(body)


def _too_large(largest: int) -> MalformedError:
    return MalformedError(413, f"expected at most {largest} bytes for this question")
