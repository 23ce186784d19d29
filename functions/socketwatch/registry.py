"""The registry: which connections we believe open, in which rooms, and how each one ended.

The values and rules here are pure; `socketwatch.aws.registry` keeps them in DynamoDB.
Times are milliseconds, `expires_at` alone is seconds, as DynamoDB's TTL wants it.
"""

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Protocol
from zlib import crc32

from socketwatch.clock import MINUTE
from socketwatch.events import Request

LIFETIME = 2 * 60 * MINUTE
"""API Gateway ends every connection after two hours; no setting changes it."""

GRACE = 10 * MINUTE
"""How long past its lifetime a row still counts as open."""

TOMBSTONE = 60 * MINUTE
"""How long a closed row stays at least: a late `$connect` or a second `$disconnect` meets it."""

SEEN_EVERY = 5 * MINUTE
"""`lastSeenAt` is written at most this often, whatever a peer sends."""


class ClosedBy(StrEnum):
    """Who or what ended a connection."""

    CLIENT = "client"  # the peer closed: 1000, 1001 without a gateway's reason, 1005, 3000-4999
    LOST = "lost"  # the transport went away without a close frame: 1006
    IDLE = "idle"  # ten minutes without a message
    AGE = "age"  # two hours old
    SERVER = "server"  # the gateway refused what the peer sent, or we closed it
    REAPED = "reaped"  # the reaper found it gone
    TOKEN = "token"  # noqa: S105 - no password: its token had expired, and we closed it
    UNKNOWN = "unknown"  # $disconnect came without a code


class Registered(StrEnum):
    """What registering found."""

    NEW = "new"
    ALREADY = "already"
    CLOSED = "closed"  # a tombstone: its $disconnect overtook it, or it was reaped


class Joined(StrEnum):
    """What joining a room found."""

    JOINED = "joined"
    FULL = "full"
    ABSENT = "absent"  # no open row to join from


@dataclass(frozen=True, slots=True)
class Closing:
    """How a connection ended. *code* and *reason* are the close frame's, where there was one."""

    by: ClosedBy
    at: int
    code: int | None = None
    reason: str = ""

    @property
    def presumed(self) -> bool:
        """Whether the reaper concluded it, and the peer may yet prove that it lives.

        `$disconnect`, which is final, may say `age` too, but never without a code.
        """
        return self.by in {ClosedBy.REAPED, ClosedBy.AGE} and self.code is None

    def refuted(self, spoke_at: int) -> bool:
        """Whether a frame of that time, by API Gateway's clock, proves it wrong; a tie does not."""
        return self.presumed and self.at < spoke_at


@dataclass(frozen=True, slots=True)
class Connection:
    """One connection as the registry holds it.

    Attributes:
        token_expires_at: epoch seconds; 0 where no authorizer said.
        suspect: a 410 was answered for it, and it has not been heard or verified since.
        closing: how it ended; None while it is open.
    """

    connection_id: str
    connected_at: int
    api_id: str
    stage: str
    user_id: str = ""
    platform: str = "unknown"
    rooms: frozenset[str] = field(default_factory=frozenset)
    token_expires_at: int = 0
    last_seen_at: int = 0
    suspect: bool = False
    closing: Closing | None = None

    @property
    def expires_at(self) -> int:
        """Epoch seconds past which the row is dead on every read.

        A tombstone that may be proved wrong stays as long as its peer could live to do it.
        """
        end = self.connected_at + LIFETIME + GRACE
        if self.closing:
            kept = self.closing.at + TOMBSTONE
            end = max(end, kept) if self.closing.presumed else kept
        return end // 1_000

    @property
    def is_open(self) -> bool:
        """Whether nothing has closed it."""
        return self.closing is None


class Registry(Protocol):
    """What the handlers ask of the registry.

    Every method raises `RegistryUnavailable` where the table does not answer.
    """

    def find(self, connection_id: str, now: int) -> Connection | None:
        """The row, open or closed, as of its last acknowledged write; none past `expires_at`."""

    def register(self, connection: Connection, now: int) -> Registered:
        """Put an open row and its memberships, all or none; never over a row that still counts."""

    def close(self, connection: Connection, closing: Closing) -> bool:
        """Close the row for good, or leave a tombstone where none is; say whether this call did it.

        What the reaper had closed stays closed then, whatever is still heard: that call closed
        nothing, and is not counted again. Memberships are gone afterwards, also those that an
        interrupted earlier close left; one whose deletion fails stays until it expires, unless
        this is called again.
        """

    def join(self, connection: Connection, room: str, now: int) -> Joined:
        """Enter the room: both rows or none, and only while the connection is open."""

    def leave(self, connection: Connection, room: str) -> None:
        """Leave the room; a room never joined, or a connection closed, is nothing to do."""

    def seen(self, connection: Connection, now: int) -> None:
        """Note that the peer spoke; unless it is suspect, at most once in `SEEN_EVERY`."""

    def reopen(self, connection: Connection, now: int) -> bool:
        """Open a tombstone of the reaper's again, rooms included, if it is from before *now*."""


def connection_of(request: Request, api_id: str, stage: str) -> Connection:
    """The row that an event speaks of, as far as the event knows it."""
    return Connection(
        connection_id=request.connection_id,
        connected_at=request.connected_at,
        api_id=api_id,
        stage=stage,
        user_id=request.identity.user_id,
        platform=request.platform,
        token_expires_at=request.identity.token_expires_at,
    )


def shard(connection_id: str, shards: int) -> int:
    """Which of *shards* partitions the connection falls into; stable across processes."""
    return crc32(connection_id.encode()) % shards


def closed_by(code: int | None, reason: str, age: int) -> ClosedBy:
    """Who ended the connection, from its close code, the reason sent with it and its age.

    API Gateway closes idle and aged-out connections alike with 1001 "Going away" (seen, not
    documented), so age tells them apart; browsers that navigate away send 1001 without a reason.
    """
    if code is None:
        return ClosedBy.UNKNOWN
    if code == 1001 and reason.lower() == "going away":
        return ClosedBy.AGE if age >= LIFETIME - MINUTE else ClosedBy.IDLE
    if code in {1000, 1001, 1005} or 3000 <= code <= 4999:
        return ClosedBy.CLIENT
    if code == 1006:
        return ClosedBy.LOST
    return ClosedBy.SERVER
