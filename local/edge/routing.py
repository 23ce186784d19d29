"""Which route a message takes, and which frame, if any, goes back."""

import json
from http import HTTPStatus
from typing import Any

from local.edge.events import Session
from local.edge.invoke import InvokeResult
from local.edge.model import ApiModel, Route


def select_route(model: ApiModel, body: str) -> Route | None:
    """The route that a message names, else `$default`, else none.

    `$connect`, `$disconnect` and `$default` cannot be named by a message.
    """
    key = _named(model.selection_path, body)
    if key is not None and not key.startswith("$") and key in model.routes:
        return model.routes[key]
    return model.routes.get("$default")


def reply(route: Route, result: InvokeResult, session: Session, request_id: str) -> str | None:
    """The frame that goes back to the peer, or None.

    A failed function is always told. What a function answers, its status code too, only counts on
    a route with a route response: then the body goes back, or the error frame for 5xx and for
    what is no proxy response.
    """
    if result.function_error:
        return error_frame("Internal server error", session, request_id)
    if not route.has_route_response:
        return None
    try:
        answer = json.loads(result.payload)
    except ValueError:
        answer = None
    body = answer.get("body", "") if isinstance(answer, dict) else None
    if not isinstance(body, str) or not _succeeded(answer):
        return error_frame("Internal server error", session, request_id)
    return body or None


def answered_status(route: Route, result: InvokeResult) -> int:
    """The status that a function's answer stands for.

    A failed function is 502, and so is what is no proxy response where one is asked for.
    """
    if result.function_error:
        return HTTPStatus.BAD_GATEWAY
    try:
        answer = json.loads(result.payload)
    except ValueError:
        answer = None
    if not isinstance(answer, dict):
        return HTTPStatus.BAD_GATEWAY if route.has_route_response else HTTPStatus.OK
    status = answer.get("statusCode", HTTPStatus.OK)
    return status if isinstance(status, int) else HTTPStatus.BAD_GATEWAY


def error_frame(message: str, session: Session, request_id: str) -> str:
    """The frame by which API Gateway itself answers a message, spaced as captured."""
    return (
        f'{{"message": "{message}", "connectionId":"{session.connection_id}", '
        f'"requestId":"{request_id}"}}'
    )


def _succeeded(answer: dict[str, Any]) -> bool:
    status = answer.get("statusCode", 200)
    return isinstance(status, int) and status < 500


def _named(path: tuple[str, ...], body: str) -> str | None:
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        return None
    for name in path:
        if not isinstance(value, dict):
            return None
        value = value.get(name)
    return value if isinstance(value, str) else None
