"""What the page may be asked for, as addresses."""

import asyncio
from collections.abc import Callable
from concurrent.futures import Executor, ThreadPoolExecutor
from pathlib import Path
from typing import Any

from aiohttp import web

from console.errors import ConsoleError
from console.page.refusals import REFUSALS, in_a_line
from console.page.server import Handler
from console.page.site import Site, text

STATIC = Path(__file__).parent / "static"

REPORT_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src data:; sandbox; frame-ancestors 'self'"
)
"""A report is framed by the page; it brings its own style and runs nothing."""

MOST_LOGS = 8
"""Questions about logs that are open at once; they have threads of their own, for each may last."""

Answer = Callable[[web.Request], dict[str, Any]]


def routes(site: Site, live: web.Application | None = None) -> web.Application:
    """The application of a site; *live* is another one, mounted at `/live/`."""

    def report(asked: web.Request) -> str:
        return site.reports.html(asked.match_info["id"])

    slow = ThreadPoolExecutor(MOST_LOGS, thread_name_prefix="logs")

    async def let_go(_application: web.Application) -> None:
        slow.shutdown(wait=False, cancel_futures=True)

    application = web.Application()
    application.on_cleanup.append(let_go)
    add = application.router.add_get
    add("/", _index)
    add("/api/stack", _json(lambda _asked: site.stack()))
    add("/api/dashboards/{page}", _json(_dashboard(site)))
    add("/api/dashboards/{page}/lines/{number}", _json(_lines(site), slow))
    add("/api/alarms", _json(lambda _asked: site.alarm_list()))
    add("/api/alarms/{name}", _json(lambda asked: site.alarm(asked.match_info["name"])))
    add("/api/broadcasts", _json(lambda _asked: site.broadcasts()))
    add("/api/broadcasts/{id}", _json(lambda asked: site.broadcast(asked.match_info["id"])))
    add("/api/broadcasts/{id}/report.html", _answering(report, "text/html", REPORT_POLICY))
    add("/api/users/{user}", _json(lambda asked: site.user(asked.match_info["user"])))
    add("/api/connections/{id}", _json(_connection(site), slow))
    application.router.add_static("/static/", STATIC)
    if live is not None:
        application.add_subapp("/live/", live)
    return application


def _dashboard(site: Site) -> Answer:
    return lambda asked: site.first_look(asked.match_info["page"], dict(asked.query))


def _lines(site: Site) -> Answer:
    def answer(asked: web.Request) -> dict[str, Any]:
        names = asked.match_info
        return site.lines(names["page"], names["number"], dict(asked.query))

    return answer


def _connection(site: Site) -> Answer:
    return lambda asked: site.connection(asked.match_info["id"], dict(asked.query))


def _json(answer: Answer, threads: Executor | None = None) -> Handler:
    return _answering(lambda asked: text(answer(asked)), "application/json", threads=threads)


def _answering(
    answer: Callable[[web.Request], str],
    kind: str,
    policy: str = "",
    threads: Executor | None = None,
) -> Handler:
    """A handler that asks off the event loop, for every answer waits for AWS."""

    async def handle(request: web.Request) -> web.StreamResponse:
        try:
            body = await asyncio.get_running_loop().run_in_executor(threads, answer, request)
        except ConsoleError as error:
            return _refusal(web.HTTPNotFound.status_code, str(error))
        except REFUSALS as error:
            return _refusal(web.HTTPBadGateway.status_code, in_a_line(error))
        headers = {"Content-Security-Policy": policy} if policy else None
        return web.Response(text=body, content_type=kind, headers=headers)

    return handle


def _refusal(status: int, why: str) -> web.Response:
    return web.json_response({"error": why}, status=status)


async def _index(_request: web.Request) -> web.FileResponse:
    return web.FileResponse(STATIC / "index.html")
