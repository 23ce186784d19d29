"""Shards: frozen lists of targets, each carried whole in one message with what to post.

A worker never reads an audience: who is on the list was decided when it was planned.
"""

import json
from dataclasses import dataclass
from typing import Any

from socketwatch.broadcasting import Broadcast, Target
from socketwatch.errors import BadShard
from socketwatch.events import MAX_ID

VERSION = 1

SIZE = 500
"""Targets of one shard at most: about 45 KB beside the message, far below SQS's 1 MiB."""


@dataclass(frozen=True, slots=True)
class Tries:
    """What earlier workers met at a target that is still open, so that the next goes on from there.

    Attributes:
        evidence: times that it was throttled while others passed, by `socketwatch.pressure`.
        weight: what the last time counted for.
        young_gone: it has answered 410 when its handshake may not have been over.
        due: epoch milliseconds before which it is not to be tried; 0 is at once.
    """

    index: int
    throttles: int = 0
    failures: int = 0
    evidence: float = 0.0
    weight: float = 0.0
    young_gone: bool = False
    due: int = 0


@dataclass(frozen=True, slots=True)
class Shard:
    """One message of the shards queue. *ack*: its broadcast counts who confirms receipt."""

    broadcast_id: str
    number: int
    requested_at: int
    deadline: int
    message: str
    exclude: frozenset[str]
    targets: tuple[Target, ...]
    tries: tuple[Tries, ...] = ()
    ack: bool = False


def cut(broadcast: Broadcast, number: int, targets: list[Target]) -> Shard:
    """The shard of that number, for at most `SIZE` targets."""
    return Shard(
        broadcast_id=broadcast.broadcast_id,
        number=number,
        requested_at=broadcast.requested_at,
        deadline=broadcast.deadline,
        message=broadcast.message,
        exclude=broadcast.exclude,
        targets=tuple(targets),
        ack=broadcast.ack,
    )


def encode(shard: Shard) -> str:
    """The shard as a message body; in ASCII, for SQS refuses characters that JSON allows."""
    return json.dumps(
        {
            "v": VERSION,
            "broadcastId": shard.broadcast_id,
            "shard": shard.number,
            "requestedAt": shard.requested_at,
            "deadline": shard.deadline,
            "message": shard.message,
            "exclude": sorted(shard.exclude),
            "ack": shard.ack,
            "targets": [
                [target.connection_id, target.user_id, target.connected_at, target.platform]
                for target in shard.targets
            ],
            "tries": [
                [
                    one.index,
                    one.throttles,
                    one.failures,
                    round(one.evidence, 3),
                    round(one.weight, 3),
                    int(one.young_gone),
                    one.due,
                ]
                for one in shard.tries
            ],
        },
        separators=(",", ":"),
    )


def decode(body: object) -> Shard:
    """The shard that a message carries.

    Raises:
        BadShard: not JSON, of another version, without targets or with too many of them, or with
            a target twice. Such a message is no worker's to drop: it ends in the dead letters,
            from which its broadcast still gets an outcome.
    """
    try:
        found: dict[str, Any] = json.loads(body if isinstance(body, str) else "")
        if found["v"] != VERSION:
            raise BadShard(f"version {found['v']!r}")
        shard = Shard(
            broadcast_id=_text(found["broadcastId"]),
            number=_whole(found["shard"]),
            requested_at=_whole(found["requestedAt"]),
            deadline=_whole(found["deadline"]),
            message=_text(found["message"]),
            exclude=frozenset(_text(one) for one in found["exclude"]),
            targets=tuple(_target(*row) for row in found["targets"]),
            tries=tuple(_tries(*row) for row in found["tries"]),
            ack=bool(found.get("ack", False)),
        )
    except (ValueError, KeyError, TypeError) as error:
        raise BadShard(f"{type(error).__name__} in a shard message") from error
    ids = {target.connection_id for target in shard.targets}
    if not 0 < len(ids) == len(shard.targets) <= SIZE:
        raise BadShard(f"{len(shard.targets)} targets, {len(ids)} different")
    return shard


def address(body: object) -> tuple[str, int] | None:
    """Which shard a message speaks of, however broken the rest of it is."""
    try:
        found = json.loads(body if isinstance(body, str) else "")
        return _text(found["broadcastId"]), _whole(found["shard"])
    except (ValueError, KeyError, TypeError):
        return None


def _target(connection_id: object, user: object, connected_at: object, platform: object) -> Target:
    identity = _text(connection_id)
    if not 0 < len(identity) <= MAX_ID:
        raise ValueError("a connection id")
    return Target(identity, _text(user), _whole(connected_at), _text(platform))


def _tries(
    index: object,
    throttles: object,
    failures: object,
    evidence: object,
    weight: object = None,
    young_gone: object = 0,
    due: object = 0,
) -> Tries:
    """Rows of four are of the form before this one, whose messages may still be waiting."""
    seen = _number(evidence)
    if young_gone not in {0, 1}:
        raise ValueError("neither yes nor no")
    return Tries(
        index=_whole(index),
        throttles=_whole(throttles),
        failures=_whole(failures),
        evidence=seen,
        weight=float(seen > 0) if weight is None else _number(weight),
        young_gone=bool(_whole(young_gone)),
        due=_whole(due),
    )


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError("not a text")
    return value


def _number(value: object) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value <= SIZE:
        raise TypeError("not a number that could be counted here")
    return float(value)


def _whole(value: object) -> int:
    if type(value) is not int or value < 0:
        raise TypeError("not a whole number")
    return value
