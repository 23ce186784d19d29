"""The live view of the local stack: its files, one state on request, and a stream of states."""

import asyncio
import json
from contextlib import suppress
from pathlib import Path

from aiohttp import web

from local.page.feed import Feed

STATIC = Path(__file__).parent / "static"


def live(feed: Feed, every_s: float = 1.0) -> web.Application:
    """The view of a feed, at whatever path it is mounted.

    It takes the chart library, the icon and the house's style from `/static/` of the page that it
    is mounted on.

    Args:
        feed: Where the states come from.
        every_s: Seconds between two states of the stream.
    """
    view = _View(feed, every_s)
    application = web.Application()
    application.on_shutdown.append(view.end)
    application.router.add_get("/", _index)
    application.router.add_get("/state.json", view.state)
    application.router.add_get("/stream", view.stream)
    application.router.add_static("/files/", STATIC)
    return application


class _View:
    def __init__(self, feed: Feed, every_s: float) -> None:
        self._feed = feed
        self._every_s = every_s
        self._closing = asyncio.Event()

    async def end(self, _application: web.Application) -> None:
        """End the streams, in order."""
        self._closing.set()

    async def state(self, _request: web.Request) -> web.Response:
        return web.Response(text=self._json(), content_type="application/json")

    async def stream(self, request: web.Request) -> web.StreamResponse:
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
