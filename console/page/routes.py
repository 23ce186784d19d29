"""What the page may be asked for, as addresses."""

import asyncio
from collections.abc import Callable
from pathlib import Path
from typing import Any

from aiohttp import web

from console.errors import ConsoleError
from console.page.server import Handler
from console.page.site import Site, text
from socketwatch.aws.clients import AWS_ERRORS
from socketwatch.errors import SocketwatchError

STATIC = Path(__file__).parent / "static"

REPORT_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; sandbox; frame-ancestors 'self'"
)
"""A report is framed by the page; it brings its own style and runs nothing."""

Answer = Callable[[web.Request], dict[str, Any]]


def routes(site: Site, live: web.Application | None = None) -> web.Application:
    """The application of a site; *live* is another one, mounted at `/live/`."""

    def report(asked: web.Request) -> str:
        return site.reports.html(asked.match_info["id"])

    application = web.Application()
    add = application.router.add_get
    add("/", _index)
    add("/api/stack", _json(lambda _asked: site.stack()))
    add("/api/dashboards/{page}", _json(_dashboard(site)))
    add("/api/alarms", _json(lambda _asked: site.alarm_list()))
    add("/api/alarms/{name}", _json(lambda asked: site.alarm(asked.match_info["name"])))
    add("/api/broadcasts", _json(lambda _asked: site.broadcasts()))
    add("/api/broadcasts/{id}", _json(lambda asked: site.broadcast(asked.match_info["id"])))
    add("/api/broadcasts/{id}/report.html", _answering(report, "text/html", REPORT_POLICY))
    add("/api/users/{user}", _json(lambda asked: site.user(asked.match_info["user"])))
    add("/api/connections/{id}", _json(lambda asked: site.connection(asked.match_info["id"])))
    application.router.add_static("/static/", STATIC)
    if live is not None:
        application.add_subapp("/live/", live)
    return application


def _dashboard(site: Site) -> Answer:
    return lambda asked: site.dashboard(asked.match_info["page"], dict(asked.query))


def _json(answer: Answer) -> Handler:
    return _answering(lambda asked: text(answer(asked)), "application/json")


def _answering(answer: Callable[[web.Request], str], kind: str, policy: str = "") -> Handler:
    """A handler that asks off the event loop, for every answer waits for AWS."""

    async def handle(request: web.Request) -> web.StreamResponse:
        try:
            body = await asyncio.to_thread(answer, request)
        except ConsoleError as error:
            return _refusal(web.HTTPNotFound.status_code, str(error))
        except (*AWS_ERRORS, SocketwatchError) as error:
            return _refusal(web.HTTPBadGateway.status_code, " ".join(str(error).split())[:300])
        headers = {"Content-Security-Policy": policy} if policy else None
        return web.Response(text=body, content_type=kind, headers=headers)

    return handle


def _refusal(status: int, why: str) -> web.Response:
    return web.json_response({"error": why}, status=status)


async def _index(_request: web.Request) -> web.FileResponse:
    return web.FileResponse(STATIC / "index.html")
