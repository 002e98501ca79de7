"""What stands before every request: whose page it comes from, how many there are, and what a browser may do with it."""

from __future__ import annotations

import ipaddress
import socket
from collections.abc import Mapping
from functools import cached_property
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from gradwright.serving.pool import refusal
from gradwright.serving.replies import respond
from gradwright.serving.settings import Settings


class Guard:
    """Middleware that refuses foreign requests and too many of them, and adds the headers that protect the page.

    A page elsewhere can make a browser send requests here, even under a name of its own that it lets point to
    127.0.0.1. The Host such a request names is that page's, and its Origin too.
    """

    def __init__(self, app: ASGIApp, settings: Settings, policy: str) -> None:
        self.app, self.settings = app, settings
        self.open = 0
        # With no referrer at all a browser would send no true Origin with a form.
        self.headers: Mapping[str, str] = {
            "content-security-policy": policy, "x-content-type-options": "nosniff", "x-frame-options": "DENY",
            "referrer-policy": "same-origin", "cross-origin-opener-policy": "same-origin",
            "cross-origin-resource-policy": "same-origin",
            "permissions-policy": "camera=(), microphone=(), geolocation=()"}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let a request through, or answer it here."""
        if scope["type"] != "http":
            if scope["type"] == "lifespan":
                await self.app(scope, receive, send)
            return

        async def guarded(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in self.headers.items():
                    headers.setdefault(name, value)  # the report's page has a policy of its own
            await send(message)

        if problem := self._foreign(Headers(scope=scope)):
            await respond(refusal(403, "request", problem))(scope, receive, guarded)
        elif self.open >= self.settings.connections:
            message = f"{self.settings.connections} requests are open already; ask again in a moment"
            await respond(refusal(503, "busy", message))(scope, receive, guarded)
        else:
            self.open += 1
            try:
                await self.app(scope, receive, guarded)
            finally:
                self.open -= 1

    def _foreign(self, headers: Headers) -> str:
        """Say why a request is not from a page of this server; nothing where it may well be."""
        hosts = headers.getlist("host")
        if len(hosts) != 1 or not self._ours(_hostname(f"//{hosts[0]}")):
            return f"the Host {', '.join(hosts)[:80]!r} is not this server's; name it with --allow-host if it should be"
        origin = headers.get("origin")
        if origin is not None and (origin.partition("://")[2].lower() != hosts[0].lower()):
            return f"the Origin {origin[:80]!r} is not this server's"
        if headers.get("sec-fetch-site") in ("cross-site", "same-site") and headers.get("sec-fetch-mode") != "navigate":
            return "the request comes from a page of another site"
        return ""

    def _ours(self, name: str) -> bool:
        """Say whether a name can only be this server's: an address needs no name server that could be made to lie."""
        if name in self._names:
            return True
        try:
            address = ipaddress.ip_address(name)
        except ValueError:
            return False
        return address.is_loopback or not self._local

    @cached_property
    def _names(self) -> frozenset[str]:
        own = () if self._local else (socket.gethostname(), socket.getfqdn())
        return frozenset(n.lower() for n in ("localhost", self.settings.host, *own, *self.settings.names))

    @cached_property
    def _local(self) -> bool:
        return is_local(self.settings.host)


def is_local(host: str) -> bool:
    """Say whether an address is reached from this machine alone."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def _hostname(url: str) -> str:
    try:
        return (urlsplit(url).hostname or "").lower()
    except ValueError:
        return ""
