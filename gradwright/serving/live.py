"""The report in a frame of the page: a form asks for it, and what comes is a page apart.

Whatever stands in it, a browser gives it neither the origin of this server nor any script or style but those that the
report is made of; it asks for nothing.
"""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qsl

from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import Response

from gradwright.serving.asking import ask_for
from gradwright.serving.endpoints import ENDPOINTS
from gradwright.serving.fields import MalformedError
from gradwright.serving.pool import Pool
from gradwright.serving.replies import body_of

FORM = "application/x-www-form-urlencoded"
APART = "sandbox allow-scripts; frame-ancestors 'self'"
NOTHING = "default-src 'none'; base-uri 'none'; form-action 'none'"

_ERROR = Markup("""<!doctype html>
<html lang="en">
<head><meta charset="utf-8"><meta name="color-scheme" content="light dark"><title>No report</title></head>
<body><main><h1>No report</h1><p>{}</p></main></body></html>
""")


def live_report(pool: Pool) -> Callable[[Request], Awaitable[Response]]:
    """Return what answers a form that holds an architecture."""
    endpoint = ENDPOINTS["report"]

    async def answer(request: Request) -> Response:
        try:
            question = endpoint.question(_fields(await body_of(request, endpoint.largest, FORM)))
        except MalformedError as error:
            return _page(error.status, error.message)
        reply = await ask_for(request, pool, "live", question)
        if reply is None:
            return Response(status_code=204)  # nobody is there to read it
        found: dict[str, Any] = json.loads(reply.body)
        if reply.status != HTTPStatus.OK:
            return _page(reply.status, found["error"]["message"])
        return _apart(found["text"], 200, found["policy"])

    return answer


def _fields(body: bytes) -> dict[str, Any]:
    """Return the fields of a form."""
    try:
        return dict(parse_qsl(body.decode("ascii"), keep_blank_values=True, strict_parsing=True, errors="strict",
                              max_num_fields=8))
    except ValueError as error:
        raise MalformedError(400, f"expected the fields of a form: {str(error)[:120]}") from None


def _page(status: int, message: str) -> Response:
    return _apart(_ERROR.format(message), status, NOTHING)


def _apart(html: str, status: int, policy: str) -> Response:
    return Response(html, status, {
        "content-security-policy": f"{policy}; {APART}", "x-frame-options": "SAMEORIGIN", "cache-control": "no-store",
        # A page without an origin cannot be in a group with others; it is in none anyhow.
        "cross-origin-opener-policy": "unsafe-none"}, "text/html")
