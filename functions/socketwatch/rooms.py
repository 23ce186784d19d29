"""Rooms: what a room may be called, and who may enter it."""

import re
from collections.abc import Collection, Iterable

from socketwatch.errors import BadFrame
from socketwatch.frames import Code

MAX_ROOMS = 50
"""Rooms that one connection can be in. A join is refused beyond it, so closing stays cheap."""

_NAME = re.compile(r"[A-Za-z0-9_.:-]{1,128}")


def room_name(value: object) -> str:
    """The value as a room name: 1 to 128 of `A-Z a-z 0-9 _ . : -`, case kept.

    Two different names never share a key, since neither case nor Unicode form is folded: a name
    outside these characters is refused instead.

    Raises:
        BadFrame: `bad_room`.
    """
    if not isinstance(value, str) or not _NAME.fullmatch(value):
        raise BadFrame(Code.BAD_ROOM)
    return value


def allowed(room: str, grants: Collection[str]) -> bool:
    """Whether a grant opens the room: its name, or a prefix that ends in `*`. Default deny."""
    return any(
        room.startswith(grant[:-1]) if grant.endswith("*") else room == grant for grant in grants
    )


def entry_rooms(asked: Iterable[str], grants: Collection[str]) -> frozenset[str]:
    """The rooms to enter on connecting (`?room=`, repeatable), all of them or an error.

    Raises:
        BadFrame: `bad_room`, `forbidden` or `too_many_rooms`.
    """
    rooms = frozenset(room_name(room) for room in asked)
    if len(rooms) > MAX_ROOMS:
        raise BadFrame(Code.TOO_MANY_ROOMS)
    if not all(allowed(room, grants) for room in rooms):
        raise BadFrame(Code.FORBIDDEN)
    return rooms
