"""Asking for a broadcast: who is to get what, and the message as peers receive it."""

import json
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from socketwatch.errors import BadFrame
from socketwatch.frames import Code
from socketwatch.rooms import room_name

MAX_MESSAGE = 128 * 1024
"""Bytes that @connections takes in one post."""

ROLE = "broadcaster"
"""The role that a peer's token must name for the `broadcast` route."""


class Audience(StrEnum):
    """Whom a broadcast can address."""

    ROOM = "room"
    USER = "user"
    CONNECTION = "connection"
    EVERYONE = "everyone"


@dataclass(frozen=True, slots=True)
class Target:
    """One connection that a broadcast is to reach."""

    connection_id: str
    user_id: str
    connected_at: int
    platform: str


@dataclass(frozen=True, slots=True)
class Broadcast:
    """A checked request: *name* is the room, user or connection, empty for everyone."""

    broadcast_id: str
    audience: Audience
    name: str
    message: bytes
    exclude: frozenset[str]


def parse(request: Any, broadcast_id: str) -> Broadcast:
    """The request `{"to": …, "data": …, "exclude": […]}` checked whole, before anyone is looked up.

    Raises:
        BadFrame: `bad_type`, `bad_target`, `bad_room`, `bad_data` or `too_large` (UTF-8 bytes, not
            characters).
    """
    if not isinstance(request, dict):
        raise BadFrame(Code.BAD_TYPE)
    audience, name = _target(request.get("to"))
    exclude = request.get("exclude", [])
    if not isinstance(exclude, list) or not all(isinstance(one, str) for one in exclude):
        raise BadFrame(Code.BAD_TARGET)
    if "data" not in request:
        raise BadFrame(Code.BAD_DATA)
    return Broadcast(
        broadcast_id=broadcast_id,
        audience=audience,
        name=name,
        message=envelope(broadcast_id, request["data"]),
        exclude=frozenset(exclude),
    )


def envelope(broadcast_id: str, data: Any) -> bytes:
    """The message on the wire: its broadcast's id lets a peer drop a duplicate."""
    frame = {"type": "message", "broadcastId": broadcast_id, "data": data}
    message = json.dumps(frame, ensure_ascii=False, separators=(",", ":")).encode()
    if len(message) > MAX_MESSAGE:
        raise BadFrame(Code.TOO_LARGE)
    return message


def _target(to: object) -> tuple[Audience, str]:
    if not isinstance(to, dict) or len(to) != 1:
        raise BadFrame(Code.BAD_TARGET)
    ((kind, name),) = to.items()
    if kind not in set(Audience):
        raise BadFrame(Code.BAD_TARGET)
    audience = Audience(kind)
    if audience is Audience.EVERYONE:
        if name is not True:
            raise BadFrame(Code.BAD_TARGET)
        return audience, ""
    if audience is Audience.ROOM:
        return audience, room_name(name)
    if not isinstance(name, str) or not 0 < len(name) <= 128:
        raise BadFrame(Code.BAD_TARGET)
    return audience, name
