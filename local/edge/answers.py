"""What `@connections` answers where it refuses, and where it was told to fail."""

import asyncio
import json
from dataclasses import dataclass
from http import HTTPStatus

from aiohttp import web

from local.edge.faults import Does, Fault


@dataclass(frozen=True, slots=True)
class Refusal:
    """An error answer; without the type in a header SDKs raise none of their modelled errors."""

    status: int
    error_type: str
    message: str


INVALID = Refusal(400, "BadRequestException", "Data is not UTF-8 text")
FORBIDDEN = Refusal(403, "ForbiddenException", "Forbidden")
GONE = Refusal(410, "GoneException", "The connection no longer exists")
TOO_LARGE = Refusal(413, "PayloadTooLargeException", "Data is above 128 KB")
# One answer for two causes, the empty account bucket and the full buffer of one peer, as on AWS.
LIMIT_EXCEEDED = Refusal(429, "LimitExceededException", "Too Many Requests")
_BY_STATUS = {each.status: each for each in (FORBIDDEN, GONE, TOO_LARGE, LIMIT_EXCEEDED)}

_PAGE = "<!doctype html><title>Sign in</title><p>This network asks you to sign in first.</p>"


def refuse(refusal: Refusal) -> web.Response:
    """A refusal as the SDKs understand it."""
    return web.Response(
        status=refusal.status,
        text=json.dumps({"message": refusal.message}),
        content_type="application/json",
        headers={"x-amzn-ErrorType": refusal.error_type},
    )


async def as_told(fault: Fault) -> web.Response:
    """The answer that a fault gives in place of the right one; none at all lasts for ever."""
    match fault.does:
        case Does.HTML:
            return web.Response(text=_PAGE, content_type="text/html")
        case Does.EMPTY:
            return web.Response(text="{}", content_type="application/json")
        case Does.REDIRECT:
            return web.Response(status=302, headers={"Location": "https://signin.example/"})
        case Does.NO_ANSWER:
            # Until the caller gives up, which cancels this.
            await asyncio.Event().wait()
    status = HTTPStatus(fault.status or HTTPStatus.INTERNAL_SERVER_ERROR)
    return refuse(_BY_STATUS.get(status) or _unmodelled(status))


def _unmodelled(status: HTTPStatus) -> Refusal:
    """An answer that SDKs know by its status alone, named as other services of AWS name it."""
    return Refusal(status, f"{status.phrase.title().replace(' ', '')}Exception", status.phrase)
