"""Serves an application on the loopback address, to this machine's browsers alone."""

import errno
from collections.abc import Awaitable, Callable

from aiohttp import web

HOST = "127.0.0.1"
NAMES = frozenset({HOST, "localhost"})
"""Names by which the page may be asked for: any other is a web site's that was pointed here."""

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
        "img-src 'self' data:; frame-src 'self'; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'"
    ),
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}

OURS = frozenset({"same-origin", "none"})
"""What a browser says of a question that the page itself asks, or that somebody typed."""

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class PageError(Exception):
    """The page cannot be served, or is asked for its address before it is; one line of text."""


class Page:
    """A page on this machine.

    Args:
        application: What it serves; it is hardened here, with all that is mounted on it.
        port: Where to listen; 0 takes a free port.
    """

    def __init__(self, application: web.Application, port: int = 0) -> None:
        application.middlewares.extend((_refuse_strange_hosts, _refuse_other_sites))
        application.on_response_prepare.append(_harden)
        self._application = application
        self._port = port
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
        runner = web.AppRunner(self._application, access_log=None, shutdown_timeout=1)
        await runner.setup()
        try:
            await web.TCPSite(runner, HOST, self._port).start()
        except (OSError, OverflowError) as error:
            await runner.cleanup()
            raise PageError(_why_not(self._port, error)) from error
        self._runner = runner

    async def close(self) -> None:
        """Stop listening; a page that is not open is nothing to do."""
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None


@web.middleware
async def _refuse_strange_hosts(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answer 403 to a name that is not ours, or a site could read the page by DNS rebinding."""
    name, _, _ = request.headers.get("Host", "").partition(":")
    if name.lower() not in NAMES:
        raise web.HTTPForbidden(text="ask for this page as 127.0.0.1 or localhost\n")
    return await handler(request)


@web.middleware
async def _refuse_other_sites(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answer 403 to what another site's page asks: it cannot read the answer, but AWS is paid.

    A link there may lead here, to a page but to no answer. Whoever is no browser says nothing.
    """
    asks = request.headers.get("Sec-Fetch-Site", "none").lower()
    if asks not in OURS and not _follows_a_link(request):
        raise web.HTTPForbidden(text="another site's page may not ask for this\n")
    return await handler(request)


def _follows_a_link(request: web.Request) -> bool:
    return request.path.endswith("/") and request.headers.get("Sec-Fetch-Dest") == "document"


async def _harden(request: web.Request, response: web.StreamResponse) -> None:
    for name, value in HEADERS.items():
        response.headers.setdefault(name, value)
    is_file = request.path.endswith("/") or "/static/" in request.path or "/files/" in request.path
    response.headers["Cache-Control"] = "no-cache" if is_file else "no-store"


def _why_not(port: int, error: OSError | OverflowError) -> str:
    if isinstance(error, OverflowError):
        return f"port {port} does not exist"
    if error.errno == errno.EADDRINUSE:
        return f"port {port} is in use"
    return f"port {port}: {error.strerror}"
