"""Frames: what a peer may say, and what it is answered.

A frame is a JSON object with an `action`. Whatever else arrives is answered with an error frame
`{"error": code, "requestId": id}` and status 200: a 4xx would count as the gateway's
`IntegrationError` and hide real ones.
"""

import json
import math
from enum import StrEnum
from typing import Any

from socketwatch.errors import BadFrame

MAX_DEPTH = 32
MAX_DIGITS = 100


class Code(StrEnum):
    """What an error frame can say."""

    EMPTY = "empty"
    BAD_JSON = "bad_json"
    BAD_TYPE = "bad_type"
    TOO_DEEP = "too_deep"
    UNKNOWN_ACTION = "unknown_action"
    BAD_ROOM = "bad_room"
    TOO_MANY_ROOMS = "too_many_rooms"
    FORBIDDEN = "forbidden"
    CLOSED = "closed"
    BAD_TARGET = "bad_target"
    BAD_DATA = "bad_data"
    BAD_ID = "bad_id"
    BAD_ACK = "bad_ack"
    BAD_EXPIRY = "bad_expiry"
    BAD_EXCLUDE = "bad_exclude"
    BAD_LABEL = "bad_label"
    UNKNOWN_FIELD = "unknown_field"
    CONFLICT = "conflict"
    TOO_LARGE = "too_large"
    THROTTLED = "throttled"
    UNAVAILABLE = "unavailable"


def parse(body: str) -> dict[str, Any]:
    """The frame as a dictionary: no duplicate keys, no NaN, no lone surrogate, at most 32 deep.

    Raises:
        BadFrame: `empty`, `bad_json`, `bad_type` or `too_deep`.
    """
    if not body.strip():
        raise BadFrame(Code.EMPTY)
    if _depth(body) > MAX_DEPTH:
        raise BadFrame(Code.TOO_DEEP)
    try:
        frame = json.loads(
            body,
            object_pairs_hook=_unique,
            parse_constant=_refuse,
            parse_float=_finite,
            parse_int=_bounded,
        )
        body.encode()
        json.dumps(frame, ensure_ascii=False).encode()
    except ValueError as error:
        raise BadFrame(Code.BAD_JSON) from error
    if not isinstance(frame, dict):
        raise BadFrame(Code.BAD_TYPE)
    return frame


def action(frame: dict[str, Any]) -> str:
    """The frame's action.

    Raises:
        BadFrame: `bad_type` where it is no text.
    """
    value = frame.get("action", "")
    if not isinstance(value, str):
        raise BadFrame(Code.BAD_TYPE)
    return value


def error_frame(code: str, request_id: str) -> dict[str, str]:
    """The answer to a frame that could not be done."""
    return {"error": code, "requestId": request_id}


def reply(frame: dict[str, Any]) -> dict[str, Any]:
    """A handler's answer that reaches the peer through the route response."""
    return {"statusCode": 200, "body": json.dumps(frame, ensure_ascii=False)}


def _depth(body: str) -> int:
    """How deep brackets nest outside strings; linear, since peers choose the text."""
    if body.count("[") + body.count("{") <= MAX_DEPTH:
        return 0
    depth = deepest = 0
    quoted = escaped = False
    for character in body:
        if escaped:
            escaped = False
        elif quoted:
            escaped = character == "\\"
            quoted = character != '"'
        elif character == '"':
            quoted = True
        elif character in "[{":
            depth += 1
            deepest = max(deepest, depth)
        elif character in "]}":
            depth -= 1
    return deepest


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        raise ValueError("duplicate key")
    return found


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is not JSON")


def _finite(number: str) -> float:
    value = float(number)
    if not math.isfinite(value):
        raise ValueError("number out of range")
    return value


def _bounded(number: str) -> int:
    if len(number) > MAX_DIGITS:
        raise ValueError("number out of range")
    return int(number)
