"""Handshake requests as the WebSocket library has them, to and from the edge's own terms."""

import json

from websockets.asyncio.server import ServerConnection
from websockets.exceptions import InvalidHandshake
from websockets.http11 import Request, Response

from local.edge.admission import Refused
from local.edge.events import Upgrade


def is_upgrade(connection: ServerConnection, request: Request) -> bool:
    """Whether the request is a WebSocket handshake in good form."""
    try:
        connection.protocol.process_request(request)
    except InvalidHandshake:
        return False
    return True


def read_upgrade(connection: ServerConnection, request: Request) -> tuple[str, Upgrade]:
    """The path that was asked for, and the rest of the request."""
    path, _, query = request.path.partition("?")
    # A connection that is lost already has no address any more.
    source_ip = (connection.remote_address or ("",))[0]
    return path, Upgrade(tuple(request.headers.raw_items()), query, source_ip)


def offered_subprotocols(request: Request) -> list[str]:
    """The subprotocols that the client offers, in its order."""
    values = request.headers.get_all("Sec-WebSocket-Protocol")
    return [name.strip() for value in values for name in value.split(",")]


def refusal(connection: ServerConnection, refused: Refused) -> Response:
    """The response that ends a handshake."""
    # The library knows only the statuses of the standard; a function may answer any.
    response = connection.respond(403, json.dumps({"message": refused.message}))
    response.status_code = refused.status
    response.reason_phrase = refused.message
    del response.headers["Content-Type"]
    response.headers["Content-Type"] = "application/json"
    return response
