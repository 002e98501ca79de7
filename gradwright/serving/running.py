"""``gradwright serve``: a socket, a server around it, and words about both."""

from __future__ import annotations

import errno
import socket
import sys
import webbrowser
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from importlib.util import find_spec
from threading import Thread
from types import FrameType
from typing import TYPE_CHECKING, Any

import click

from gradwright.serving.settings import LOOPBACK, PORT, Settings
from symbolic.errors import InputError

if TYPE_CHECKING:
    from uvicorn import Server

ENDING = 2
"""Seconds that open requests have to end after Ctrl-C."""


def serve(host: str = LOOPBACK, port: int = PORT, opens: bool = False, names: Sequence[str] = (),
          **limits: Any) -> None:
    """Serve the page until Ctrl-C.

    Args:
        host: The address to listen at.
        port: 0 for any that is free.
        opens: Whether to open a browser.
        names: Other names of this server.
        limits: Other fields of `Settings`.

    Raises:
        InputError: What it needs is not installed, or the address cannot be listened at.
    """
    missing = [name for name in ("starlette", "uvicorn") if find_spec(name) is None]
    if missing:
        raise InputError(f"the page needs {' and '.join(missing)}; pip install 'gradwright[serve]'")
    settings = Settings(host, port, tuple(names), **limits)
    with listening(host, port) as listener:
        settings = replace(settings, port=listener.getsockname()[1])
        with suppress(KeyboardInterrupt):  # which the server raises again once it has ended as it should
            _server(settings, opens).run(sockets=[listener])
    click.echo("stopped")


def listening(host: str, port: int) -> socket.socket:
    """Return a socket that listens at an address.

    Raises:
        InputError: It cannot.
    """
    if not 0 <= port <= 65535:
        raise InputError(f"expected a port from 0 to 65535, got {port}")
    listener = None
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)[0]
        listener = socket.socket(family, kind, protocol)
        if sys.platform != "win32":
            listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(address)
        listener.listen(512)
    except (OSError, UnicodeError) as error:
        if listener is not None:
            listener.close()
        raise InputError(_why(error, host, port)) from error
    return listener


def _why(error: Exception, host: str, port: int) -> str:
    code = getattr(error, "errno", None)
    if code == errno.EADDRINUSE:
        return f"port {port} of {host} is in use; choose another with --port, or any free one with --port 0"
    if code == errno.EACCES:
        return f"port {port} needs more rights than you have; choose one from 1024 with --port"
    if code == errno.EADDRNOTAVAIL or isinstance(error, socket.gaierror | UnicodeError):
        return f"{host!r} is no address of this machine; --host 127.0.0.1 is for this machine alone"
    return f"cannot listen at port {port} of {host}: {getattr(error, 'strerror', None) or error}"


def address(settings: Settings) -> str:
    """Return the URL under which this machine's browser finds the page."""
    host = {"0.0.0.0": LOOPBACK, "::": "[::1]", "": LOOPBACK}.get(settings.host, settings.host)
    return f"http://{f'[{host}]' if ':' in host and not host.startswith('[') else host}:{settings.port}/"


def _server(settings: Settings, opens: bool) -> Server:
    import uvicorn

    from gradwright.serving.app import create_app
    from gradwright.serving.guards import is_local

    class Announcing(uvicorn.Server):
        """A server that says where it is once it is there."""

        def handle_exit(self, sig: int, frame: FrameType | None) -> None:
            """Stop at the first signal; a second one would leave before the workers are ended, which takes a moment."""
            if not self.should_exit:
                super().handle_exit(sig, frame)

        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            url = address(settings)
            click.echo(f"gradwright serves {url}  (Ctrl-C stops it)")
            if not is_local(settings.host):
                click.echo("It can be reached from other machines; it has no passwords and no encryption of its own.")
            if opens:
                Thread(target=_open, args=(url,), daemon=True).start()  # a browser in the terminal would block

    config = uvicorn.Config(create_app(settings), log_level="warning", access_log=False, lifespan="on", ws="none",
                            server_header=False, timeout_keep_alive=10, timeout_graceful_shutdown=ENDING,
                            loop="asyncio", http="h11", proxy_headers=False)
    return Announcing(config)


def _open(url: str) -> None:
    try:
        opened = webbrowser.open(url)
    except webbrowser.Error:
        opened = False
    if not opened:
        click.echo(f"found no browser to open {url} with", err=True)

