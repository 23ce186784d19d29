"""Who a shard's targets were, and which of them were reached, as its worker last saw them.

A shard's row keeps this beside its tally once every delivery has ended, in at most 3.5 KB: counts
by platform and age, and hashes of three bytes (`socketwatch.distinct`), for whoever is reached by
several connections is one user, and whoever confirms must have been a target. It names nobody.
"""

from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from socketwatch.broadcasting import Target
from socketwatch.clock import MINUTE
from socketwatch.distinct import hasher, packed
from socketwatch.events import Platform
from socketwatch.shards import Shard
from socketwatch.tally import Tally

Part = tuple[int, int]
"""How many were targeted, and how many of them accepted."""

Parts = Mapping[str, Part]

UNKNOWN_AGE = "unknown"
AGES = ("under 1 min", "1 to 10 min", "10 to 60 min", "over 60 min", UNKNOWN_AGE)
"""How long a connection had been open when the broadcast was asked for."""

_AGE_EDGES = (MINUTE, 10 * MINUTE, 60 * MINUTE)
_PLATFORMS = {platform.value: platform.value for platform in Platform}


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
    """The breakdown of a shard whose deliveries have all ended; about 2 µs a target."""
    targets, hashed = shard.targets, hasher(shard.broadcast_id)
    bits = f"{tally.accepted:0{len(targets)}b}"[::-1]
    accepted = [target for target, bit in zip(targets, bits, strict=True) if bit == "1"]
    users = {user: hashed(user) for user in {target.user_id for target in targets} if user}
    order = sorted(set(users.values()))
    reached = {users[user] for user in {target.user_id for target in accepted} if user}
    return Breakdown(
        platforms=_parts(_platforms(targets), _platforms(accepted)),
        ages=_parts(_ages(targets, shard.requested_at), _ages(accepted, shard.requested_at)),
        users=b"".join(order),
        reached=sum(1 << place for place, user in enumerate(order) if user in reached),
        anonymous=sum(not target.user_id for target in targets),
        acceptors=packed({hashed(one.connection_id) for one in accepted}) if shard.ack else b"",
    )


def _platforms(targets: Iterable[Target]) -> Counter[str]:
    """A row of another layout may say anything; a report's rows are a closed set."""
    return Counter([_PLATFORMS.get(target.platform, Platform.UNKNOWN) for target in targets])


def _ages(targets: Iterable[Target], at: int) -> Counter[str]:
    return Counter(
        AGES[bisect_right(_AGE_EDGES, at - target.connected_at)]
        if target.connected_at
        else UNKNOWN_AGE
        for target in targets
    )


def _parts(targeted: Counter[str], accepted: Counter[str]) -> Parts:
    return {name: (number, accepted[name]) for name, number in targeted.items()}
