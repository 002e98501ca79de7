"""The application: the page's files, the API's questions, and one shape for every error."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from http import HTTPStatus
from typing import Any

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp

from gradwright.checking.findings import Check
from gradwright.checking.rendering import to_html
from gradwright.serving.asking import ask_for
from gradwright.serving.description import openapi
from gradwright.serving.endpoints import ENDPOINTS
from gradwright.serving.examples import examples, vocabulary
from gradwright.serving.fields import Endpoint, MalformedError
from gradwright.serving.files import Files, policy
from gradwright.serving.guards import Guard
from gradwright.serving.live import live_report
from gradwright.serving.pool import Pool, Reply, refusal
from gradwright.serving.replies import body_of, respond
from gradwright.serving.settings import Settings

Handler = Callable[[Request], Awaitable[Response]]


def create_app(settings: Settings) -> ASGIApp:
    """Return the application; its workers begin with its lifespan, and end with it."""
    pool, files = Pool(settings), Files(settings.katex)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        await pool.start()
        try:
            yield
        finally:
            await pool.close()

    def health() -> dict[str, Any]:
        return {"ok": pool.warm > 0, "warm": pool.warm, "replaced": pool.ended, "limits": {
            "seconds": settings.seconds, "memory": settings.memory, "waiting": settings.waiting}}

    def words() -> dict[str, Any]:
        return vocabulary("/katex/katex.min.js" in files.contents)

    routes = [Route(f"/api/{e.name}", _answering(e, pool), methods=["POST"]) for e in ENDPOINTS.values()]
    routes += [Route(f"/api/{name}", _told(what), methods=["GET"]) for name, what in (
        ("examples", examples), ("vocabulary", words), ("openapi.json", openapi), ("health", health))]
    routes += [Route("/report", live_report(pool), methods=["POST"])]
    routes += [Route(path, files.respond, methods=["GET"]) for path in files.contents]
    app = Starlette(routes=routes, lifespan=lifespan, exception_handlers={
        MalformedError: _malformed, HTTPException: _refused, Exception: _failed})
    app.state.pool = pool
    return Guard(app, settings, policy({"check": to_html(Check("", (), False))}))


def _answering(endpoint: Endpoint, pool: Pool) -> Handler:
    """Return what checks a question, and waits for its answer as long as the asker does."""
    async def answer(request: Request) -> Response:
        question = endpoint.checked(await body_of(request, endpoint.largest))
        reply = await ask_for(request, pool, endpoint.name, question)
        if reply is None:
            return Response(status_code=204)  # nobody is there to read it
        wanted = request.headers.get("prefer", "").replace(" ", "").lower()
        return respond(Reply(200, reply.body) if reply.status == 422 and wanted == "status=200" else reply)

    return answer


def _told(what: Callable[[], dict[str, Any]]) -> Handler:
    async def tell(_: Request) -> Response:
        return respond(Reply(200, json.dumps(what(), ensure_ascii=False).encode()))

    return tell


async def _malformed(_: Request, error: Exception) -> Response:
    assert isinstance(error, MalformedError)
    return respond(refusal(error.status, "request", error.message))


async def _refused(request: Request, error: Exception) -> Response:
    assert isinstance(error, HTTPException)
    allowed = (error.headers or {}).get("Allow", "")
    message = f"{HTTPStatus(error.status_code).phrase.lower()}: {request.method[:10]} {request.url.path[:80]}"
    response = respond(refusal(error.status_code, "request", message + (f"; allowed is {allowed}" if allowed else "")))
    response.headers.update(error.headers or {})
    return response


async def _failed(_: Request, __: Exception) -> Response:
    return respond(refusal(500, "internal", "this is a fault of gradwright, and its server's terminal says more"))
