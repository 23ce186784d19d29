"""Whom a broadcast reached: different users, and connections that may confirm, over all shards."""

from collections.abc import Iterable
from dataclasses import dataclass, field

from socketwatch.breakdown import Breakdown
from socketwatch.broadcasting import Broadcast
from socketwatch.clock import MINUTE
from socketwatch.distinct import Distinct, hasher, unpacked
from socketwatch.histogram import bucket, buckets
from socketwatch.ledger import Ack
from socketwatch.outcomes import Outcome
from socketwatch.totals import Totals

ACK_WINDOW = MINUTE
"""After the last attempt, the time in which an ack still counts, unless another one is set."""


@dataclass(slots=True)
class Reach:
    """Counts in six megabytes, however many there are.

    Attributes:
        listed: accepted connections whose hashes are known.
    """

    targeted: Distinct = field(default_factory=Distinct)
    reached: Distinct = field(default_factory=Distinct)
    acceptors: Distinct = field(default_factory=Distinct)
    listed: int = 0

    def add(self, found: Breakdown) -> None:
        """Note the targets of one shard."""
        for place, user in enumerate(unpacked(found.users)):
            self.targeted.add(user)
            if found.reached >> place & 1:
                self.reached.add(user)
        for connection in unpacked(found.acceptors):
            self.acceptors.add(connection)
            self.listed += 1

    def users(self, totals: Totals) -> None:
        """Write down how many users there were.

        Never more than connections that had a user, however the estimate falls.
        """
        known = totals.targeted - totals.unaccounted - totals.anonymous
        totals.users_targeted = min(self.targeted.count(), known)
        totals.users_reached = min(
            self.reached.count(), totals.users_targeted, totals.outcomes[Outcome.ACCEPTED]
        )

    def acks(self, totals: Totals, asked: Broadcast, acks: Iterable[Ack]) -> None:
        """Write down who confirmed: one ack a connection, never more than accepted.

        An ack of a connection that did not accept counts only if the hash of its id is one of
        theirs, a chance of 1 in 17 million for each of them. The acceptors of a shard that no
        worker finished are unknown; there as many acks of others count as it had.
        """
        accepted = totals.outcomes[Outcome.ACCEPTED]
        strangers = accepted - self.listed
        hashed = hasher(asked.broadcast_id)
        totals.ack_requested, totals.acked, totals.confirmed = accepted, 0, buckets()
        for ack in acks:
            known = int.from_bytes(hashed(ack.connection_id), "big")
            if known not in self.acceptors:
                if strangers <= 0:
                    continue
                strangers -= 1
            if totals.acked < accepted:
                totals.acked += 1
                totals.confirmed[bucket(ack.at - asked.requested_at)] += 1
