"""What peers say on the default route: `join`, `leave` and `ping`, and the answers."""

from typing import Any

from socketwatch import frames
from socketwatch.errors import BadFrame
from socketwatch.events import Identity
from socketwatch.frames import Code
from socketwatch.registry import Connection, Joined, Registry
from socketwatch.rooms import allowed, room_name


def answer(
    frame: dict[str, Any],
    connection: Connection,
    identity: Identity,
    registry: Registry,
    now: int,
) -> dict[str, Any]:
    """Do what the frame asks, and the frame to answer with.

    Raises:
        BadFrame: it cannot be done; the code says why, and nothing was changed.
    """
    match frames.action(frame):
        case "ping":
            return {"type": "pong", "at": now}
        case "join":
            return _join(room_name(frame.get("room")), connection, identity, registry, now)
        case "leave":
            room = room_name(frame.get("room"))
            registry.leave(connection, room)
            return {"type": "left", "room": room}
        case _:
            raise BadFrame(Code.UNKNOWN_ACTION)


def _join(
    room: str, connection: Connection, identity: Identity, registry: Registry, now: int
) -> dict[str, Any]:
    if not allowed(room, identity.grants):
        raise BadFrame(Code.FORBIDDEN)
    refusals = {Joined.FULL: Code.TOO_MANY_ROOMS, Joined.ABSENT: Code.CLOSED}
    joined = registry.join(connection, room, now)
    if joined in refusals:
        raise BadFrame(refusals[joined])
    return {"type": "joined", "room": room}
