"""Asking for a broadcast: who is to get what by when, checked whole before anyone is looked up."""

import hashlib
import json
import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from socketwatch.clock import SECOND
from socketwatch.errors import BadFrame
from socketwatch.frames import Code
from socketwatch.rooms import room_name

MAX_MESSAGE = 128 * 1024
"""Bytes that @connections takes in one post."""

BILLED = 32 * 1024
"""Bytes beyond which API Gateway meters one message as several."""

EXPIRES_IN = 600
MAX_EXPIRES_IN = 3_600
"""Seconds from the request until what was not delivered expires."""

MAX_EXCLUDED = 100
MAX_LABELS = 10

ROLE = "broadcaster"
"""The role that a peer's token must name for the `broadcast` route."""

_ID = re.compile(r"[A-Za-z0-9_.:-]{1,128}")
LABEL = re.compile(r"[A-Za-z0-9_.~%-]{1,50}")
"""What a label's name or value may be: as Firebase Cloud Messaging has it, no space, no markup."""

_FIELDS = frozenset({"action", "to", "data", "labels", "expiresIn", "id", "ack", "exclude"})


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
    """A checked request.

    Attributes:
        name: the room, user or connection; empty for everyone.
        requested_at: epoch milliseconds, as are all times here.
        deadline: when whatever has not been accepted expires.
        size: bytes of the message on the wire.
        content: a hash of all that was asked, to tell a repetition from a conflict.
    """

    broadcast_id: str
    audience: Audience
    name: str
    message: str
    size: int
    exclude: frozenset[str]
    labels: tuple[tuple[str, str], ...]
    ack: bool
    requested_at: int
    deadline: int
    content: str


def parse(request: Any, new_id: str, now: int) -> Broadcast:
    """The request checked; it is called *new_id* unless it brings an id of its own.

    Raises:
        BadFrame: with the code of the first thing wrong; `too_large` counts UTF-8 bytes of the
            whole message, not characters of its data.
    """
    if not isinstance(request, dict):
        raise BadFrame(Code.BAD_TYPE)
    if not _FIELDS.issuperset(request):
        raise BadFrame(Code.UNKNOWN_FIELD)
    audience, name = _target(request.get("to"))
    if "data" not in request:
        raise BadFrame(Code.BAD_DATA)
    broadcast_id = valid_id(request.get("id", new_id))
    ack = request.get("ack", False)
    if not isinstance(ack, bool):
        raise BadFrame(Code.BAD_ACK)
    message = envelope(broadcast_id, request["data"], ack=ack)
    return Broadcast(
        broadcast_id=broadcast_id,
        audience=audience,
        name=name,
        message=message,
        size=len(message.encode()),
        exclude=_excluded(request.get("exclude", [])),
        labels=_labels(request.get("labels", {})),
        ack=ack,
        requested_at=now,
        deadline=now + SECOND * _expires_in(request.get("expiresIn", EXPIRES_IN)),
        content=_content(request),
    )


def envelope(broadcast_id: str, data: Any, *, ack: bool = False) -> str:
    """The message on the wire: its broadcast's id lets a peer drop a duplicate.

    Where an ack is asked for, `"ack": true` says so. A message without has no such key.

    Raises:
        BadFrame: `too_large`, or `bad_data` where the data is no plain JSON.
    """
    frame = {"type": "message", "broadcastId": broadcast_id, "data": data}
    if ack:
        frame["ack"] = True
    try:
        message = json.dumps(frame, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
        size = len(message.encode())
    except ValueError as error:
        raise BadFrame(Code.BAD_DATA) from error
    if size > MAX_MESSAGE:
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


def valid_id(value: object) -> str:
    """The value as a broadcast's id: 1 to 128 of `A-Z a-z 0-9 _ . : -`.

    Raises:
        BadFrame: `bad_id`.
    """
    if not isinstance(value, str) or not is_id(value):
        raise BadFrame(Code.BAD_ID)
    return value


def is_id(text: str) -> bool:
    """Whether a text may be a broadcast's id; no JSON object, list or string may."""
    return _ID.fullmatch(text) is not None


def _expires_in(value: object) -> int:
    if type(value) is not int or not 1 <= value <= MAX_EXPIRES_IN:
        raise BadFrame(Code.BAD_EXPIRY)
    return value


def _excluded(value: object) -> frozenset[str]:
    if not isinstance(value, list) or len(value) > MAX_EXCLUDED:
        raise BadFrame(Code.BAD_EXCLUDE)
    if not all(isinstance(one, str) and len(one) <= 128 for one in value):
        raise BadFrame(Code.BAD_EXCLUDE)
    return frozenset(value)


def _labels(value: object) -> tuple[tuple[str, str], ...]:
    if not isinstance(value, dict) or len(value) > MAX_LABELS:
        raise BadFrame(Code.BAD_LABEL)
    for word in (*value, *value.values()):
        if not isinstance(word, str) or not LABEL.fullmatch(word):
            raise BadFrame(Code.BAD_LABEL)
    return tuple(sorted(value.items()))


def _content(request: dict[str, Any]) -> str:
    asked = {name: value for name, value in request.items() if name not in {"action", "id"}}
    canonical = json.dumps(asked, sort_keys=True, ensure_ascii=True)
    return hashlib.sha256(canonical.encode()).hexdigest()
