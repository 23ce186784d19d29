"""Who a shard's targets were, and which of them were reached, as its worker last saw them.

A shard's row keeps this beside its tally once every delivery has ended, in at most 3.5 KB: counts
by platform and age, and hashes of three bytes (`socketwatch.distinct`), for whoever is reached by
several connections is one user, and whoever confirms must have been a target. It names nobody.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from socketwatch.broadcasting import Target
from socketwatch.clock import MINUTE
from socketwatch.distinct import hashed, packed
from socketwatch.events import Platform
from socketwatch.shards import Shard
from socketwatch.tally import Tally

Part = tuple[int, int]
"""How many were targeted, and how many of them accepted."""

Parts = Mapping[str, Part]

AGES = ((MINUTE, "under 1 min"), (10 * MINUTE, "1 to 10 min"), (60 * MINUTE, "10 to 60 min"))
OLDEST = "over 60 min"
"""How long a connection had been open when the broadcast was asked for."""


@dataclass(frozen=True, slots=True)
class Breakdown:
    """What the row of a finished shard says of its targets.

    Attributes:
        users: hashes of the different users targeted, packed in order.
        reached: the bit of each of them that had a delivery accepted.
        anonymous: targets without a user.
        acceptors: hashes of the connections that accepted, packed; empty where no ack was asked.
    """

    platforms: Parts = field(default_factory=dict)
    ages: Parts = field(default_factory=dict)
    users: bytes = b""
    reached: int = 0
    anonymous: int = 0
    acceptors: bytes = b""


def breakdown(shard: Shard, tally: Tally) -> Breakdown:
    """The breakdown of a shard whose deliveries have all ended."""
    salt = shard.broadcast_id
    accepted = [target for index, target in enumerate(shard.targets) if tally.accepted >> index & 1]
    users = {target.user_id: hashed(salt, target.user_id) for target in shard.targets}
    users.pop("", None)
    row = packed(set(users.values()))
    place = {row[start : start + 3]: start // 3 for start in range(0, len(row), 3)}
    reached = {users[target.user_id] for target in accepted if target.user_id}
    return Breakdown(
        platforms=_parts(shard.targets, accepted, _platform),
        ages=_parts(shard.targets, accepted, lambda target: age(target, shard.requested_at)),
        users=row,
        reached=sum(1 << place[one] for one in reached),
        anonymous=sum(not target.user_id for target in shard.targets),
        acceptors=packed({hashed(salt, one.connection_id) for one in accepted})
        if shard.ack
        else b"",
    )


def age(target: Target, at: int) -> str:
    """How long a target had been connected at that time, in a word of a closed set."""
    past = at - target.connected_at
    return next((name for below, name in AGES if past < below), OLDEST)


def _platform(target: Target) -> str:
    """A row of another layout may say anything; a report's rows are a closed set."""
    known = set(Platform)
    return target.platform if target.platform in known else Platform.UNKNOWN


def _parts(
    targets: tuple[Target, ...], accepted: list[Target], kind: Callable[[Target], str]
) -> Parts:
    found: dict[str, Part] = {}
    for target in targets:
        targeted, taken = found.get(kind(target), (0, 0))
        found[kind(target)] = targeted + 1, taken
    for target in accepted:
        targeted, taken = found[kind(target)]
        found[kind(target)] = targeted, taken + 1
    return found
