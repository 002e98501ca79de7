"""A question of a client: asked of the workers for as long as the client is there."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from typing import Any

from starlette.requests import Request

from gradwright.serving.pool import Pool, Reply


async def ask_for(request: Request, pool: Pool, task: str, question: Mapping[str, Any]) -> Reply | None:
    """Return the answer to a question, None where the client goes before it has come.

    The body of the request has been read.
    """
    asked = asyncio.create_task(pool.ask(task, question))
    left = asyncio.create_task(_left(request))
    try:
        await asyncio.wait((asked, left), return_when=asyncio.FIRST_COMPLETED)
        return asked.result() if asked.done() else None
    finally:
        asked.cancel()
        left.cancel()


async def _left(request: Request) -> None:
    """Return once the client has gone."""
    while (await request.receive())["type"] != "http.disconnect":
        pass
