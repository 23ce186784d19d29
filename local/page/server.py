"""Serves the page on the loopback address: its files, one state on request, and a live stream."""

import asyncio
import errno
import json
from collections.abc import Awaitable, Callable
from contextlib import suppress
from pathlib import Path

from aiohttp import web

from local.page.feed import Feed

HOST = "127.0.0.1"
STATIC = Path(__file__).parent / "static"
NAMES = frozenset({HOST, "localhost"})
"""Names by which the page may be asked for: any other is a web site's that was pointed here."""

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
        "img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}

_Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class PageError(Exception):
    """The page cannot be served, or is asked for its address before it is; one line of text."""


class Page:
    """The live page of a feed.

    Args:
        feed: Where the states come from.
        port: Where to listen; 0 takes a free port.
        every_s: Seconds between two states of the live stream.
    """

    def __init__(self, feed: Feed, port: int = 0, *, every_s: float = 1.0) -> None:
        self._feed = feed
        self._port = port
        self._every_s = every_s
        self._closing = asyncio.Event()
        self._runner: web.AppRunner | None = None

    @property
    def url(self) -> str:
        """The page's address, known once open."""
        if self._runner is None:
            raise PageError("the page is not open")
        return f"http://{HOST}:{self._runner.addresses[0][1]}/"

    async def open(self) -> None:
        """Start to listen.

        Raises:
            PageError: The port is in use, or cannot be had.
        """
        runner = web.AppRunner(self._application(), access_log=None, shutdown_timeout=1)
        await runner.setup()
        try:
            await web.TCPSite(runner, HOST, self._port).start()
        except (OSError, OverflowError) as error:
            await runner.cleanup()
            raise PageError(_why_not(self._port, error)) from error
        self._runner = runner

    async def close(self) -> None:
        """End the live streams and stop listening; a page that is not open is nothing to do."""
        self._closing.set()
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    def _application(self) -> web.Application:
        application = web.Application(middlewares=[_refuse_strange_hosts])
        application.on_response_prepare.append(_harden)
        application.router.add_get("/", _index)
        application.router.add_get("/state.json", self._state)
        application.router.add_get("/live", self._live)
        application.router.add_static("/static/", STATIC)
        return application

    async def _state(self, _request: web.Request) -> web.Response:
        return web.Response(text=self._json(), content_type="application/json")

    async def _live(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        response.content_type = "text/event-stream"
        response.charset = "utf-8"
        await response.prepare(request)
        with suppress(ConnectionResetError):
            await response.write(b"retry: 1000\n\n")
            while not self._closing.is_set():
                await response.write(f"data: {self._json()}\n\n".encode())
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._closing.wait(), self._every_s)
            await response.write_eof()
        return response

    def _json(self) -> str:
        return json.dumps(self._feed.state(), allow_nan=False, separators=(",", ":"))


async def _index(_request: web.Request) -> web.FileResponse:
    return web.FileResponse(STATIC / "index.html")


@web.middleware
async def _refuse_strange_hosts(request: web.Request, handler: _Handler) -> web.StreamResponse:
    """Answer 403 to a name that is not ours, or a site could read the page by DNS rebinding."""
    name, _, _ = request.headers.get("Host", "").partition(":")
    if name.lower() not in NAMES:
        raise web.HTTPForbidden(text="ask for this page as 127.0.0.1 or localhost\n")
    return await handler(request)


async def _harden(request: web.Request, response: web.StreamResponse) -> None:
    response.headers.update(HEADERS)
    is_file = request.path == "/" or request.path.startswith("/static/")
    response.headers["Cache-Control"] = "no-cache" if is_file else "no-store"


def _why_not(port: int, error: OSError | OverflowError) -> str:
    if isinstance(error, OverflowError):
        return f"port {port} does not exist"
    if error.errno == errno.EADDRINUSE:
        return f"port {port} is in use"
    return f"port {port}: {error.strerror}"
