"""A crowd that needs no memory: who is in it, and how each peer behaves, follow from a number."""

import time
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections import Counter
from dataclasses import dataclass
from enum import Enum
from zlib import crc32

from socketwatch.broadcasting import Broadcast, Target
from socketwatch.clock import MINUTE
from socketwatch.ledger import PageKey
from socketwatch.planning import Page

INDEX_SHARDS = 16
"""As many as the registry's index by age has by default."""

_FIRST = 10**9


class Fate(Enum):
    """How @connections answers posts to one peer."""

    FINE = "fine"  # 200
    GONE = "gone"  # 410
    SLOW = "slow"  # 429, whatever the account's rate
    SHAKY = "shaky"  # 500 the first time, then 200


_FATES = (*[Fate.GONE] * 10, Fate.SLOW, Fate.SHAKY, *[Fate.FINE] * 988)


def connection_id(number: int) -> str:
    """An id of API Gateway's form: sixteen characters that end in `=`."""
    return urlsafe_b64encode((_FIRST + number).to_bytes(11, "big")).decode()


def number_of(identity: bytes) -> int:
    """Whose id it is; ValueError for what is no id, and maybe a number that nobody has."""
    return int.from_bytes(urlsafe_b64decode(identity), "big") - _FIRST


def fate_of(number: int) -> Fate:
    """Of a thousand peers about ten are gone, one is slow and one is shaky."""
    return _FATES[crc32(number.to_bytes(4, "big")) % len(_FATES)]


def fates(size: int) -> Counter[Fate]:
    """How many of a crowd of that size have each fate."""
    return Counter(fate_of(number) for number in range(size))


@dataclass(frozen=True, slots=True)
class Crowd:
    """Everyone, as `socketwatch.planning.Audiences`.

    Args:
        latency: seconds that a page takes.
    """

    size: int
    latency: float

    def page(self, broadcast: Broadcast, start: PageKey, limit: int) -> Page:
        """One page, over the end of an index shard if need be, as DynamoDB's audiences are."""
        time.sleep(self.latency)
        begin = int(start.after or 0)
        end = min(self.size, begin + limit)
        # Half an hour old: a 410 means gone, not that a handshake is not over.
        connected_at = broadcast.requested_at - 30 * MINUTE
        targets = [
            Target(connection_id(number), f"user-{number}", connected_at, "web")
            for number in range(begin, end)
        ]
        more = PageKey(end * INDEX_SHARDS // self.size, str(end)) if end < self.size else None
        return Page(targets, more)
