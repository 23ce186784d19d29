"""Established connections: sending to them, ending them, and the two limits on their time."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, auto
from heapq import heappop, heappush

from websockets.asyncio.server import ServerConnection, broadcast
from websockets.frames import CloseCode
from websockets.protocol import State

from local.edge.counts import EdgeCounts
from local.edge.events import Session
from local.edge.faults import Does, Fault
from local.edge.settings import Clock, EdgeSettings


class Sent(Enum):
    """What became of a frame for a peer; none of them says that the peer has read it."""

    ACCEPTED = auto()
    GONE = auto()
    BUFFER_FULL = auto()


@dataclass(slots=True, eq=False)
class Peer:
    """One established connection.

    `opened_at` and `active_at` are seconds of the event loop's clock, for the limits;
    `last_active_at` is epoch milliseconds, for people. A `frozen` one is half-open: it has gone
    silent, `unread` bytes wait for it, and nobody knows. Of a `dropped` one nobody is told.
    """

    session: Session
    connection: ServerConnection
    opened_at: float
    active_at: float
    last_active_at: int
    frozen: bool = False
    unread: int = 0
    dropped: bool = False


class Peers:
    """The connections that are open now, by id.

    A connection is here from the end of its handshake until either end starts to close it. Then
    it is gone for everybody at once, though its TCP connection may take a little longer.

    Attributes:
        on_sent: called for each frame that a peer's socket took.
    """

    def __init__(self, settings: EdgeSettings, counts: EdgeCounts, clock: Clock) -> None:
        self.on_sent: list[Callable[[], None]] = []
        self._settings = settings
        self._counts = counts
        self._clock = clock
        self._peers: dict[str, Peer] = {}
        self._closing: set[asyncio.Task[None]] = set()
        # Ids rather than peers, so that a closed connection is not kept until its deadline.
        self._deadlines: list[tuple[float, str]] = []
        self._watched = asyncio.Event()

    def add(self, session: Session, connection: ServerConnection) -> Peer:
        """Take in a connection whose handshake has just ended."""
        now = self._now()
        peer = Peer(session, connection, now, now, self._clock())
        self._peers[session.connection_id] = peer
        self._watch(peer)
        return peer

    def remove(self, peer: Peer) -> None:
        """Forget a connection that is closed."""
        self._peers.pop(peer.session.connection_id, None)

    def get(self, connection_id: str) -> Peer | None:
        """The peer of that id, if its connection is open."""
        peer = self._peers.get(connection_id)
        return peer if peer is not None and self.is_open(peer) else None

    def is_open(self, peer: Peer) -> bool:
        """Whether neither end has started to close."""
        return self.is_kept(peer) and peer.connection.state is State.OPEN

    def is_kept(self, peer: Peer) -> bool:
        """Whether this end has not started to close; the peer itself may have."""
        return peer.session.connection_id in self._peers

    def live(self) -> frozenset[str]:
        """The ids of all open connections."""
        return frozenset(key for key, peer in self._peers.items() if self.is_open(peer))

    def half_open(self) -> frozenset[str]:
        """The ids of those open connections whose peer has silently gone."""
        return frozenset(key for key in self.live() if self._peers[key].frozen)

    def suffer(self, fault: Fault, pick: Callable[[frozenset[str]], frozenset[str]]) -> None:
        """Do what a fault does to those open peers that are picked."""
        for connection_id in pick(self.live() - self.half_open()):
            peer = self._peers[connection_id]
            match fault.does:
                case Does.FREEZE:
                    self._freeze(peer)
                case Does.DROP:
                    self._drop(peer)
                case _:
                    self.end(peer, fault.status or CloseCode.GOING_AWAY)

    def touch(self, peer: Peer) -> None:
        """Note a message from or to a peer; control frames are none."""
        peer.active_at = self._now()
        peer.last_active_at = self._clock()

    def send(self, peer: Peer, text: bytes) -> Sent:
        """Hand one text frame to the peer's socket; never waits for the peer."""
        if not self.is_open(peer):
            return Sent.GONE
        if self._waiting(peer) > self._settings.send_buffer_bytes:
            return Sent.BUFFER_FULL
        if peer.frozen:
            peer.unread += len(text)
        else:
            broadcast((peer.connection,), text, text=True)
        self._counts.frames_out += 1
        for sent in self.on_sent:
            sent()
        self.touch(peer)
        return Sent.ACCEPTED

    def end(self, peer: Peer, code: int, reason: str = "") -> None:
        """Close a connection from this side; it is gone at once, its TCP within the timeout."""
        if self._peers.pop(peer.session.connection_id, None) is None:
            return
        closing = asyncio.create_task(self._close(peer.connection, code, reason))
        self._closing.add(closing)
        closing.add_done_callback(self._closing.discard)

    def end_all(self) -> None:
        """Close every connection as one that goes away."""
        for peer in list(self._peers.values()):
            self.end(peer, CloseCode.GOING_AWAY, "Going away")

    async def enforce_limits(self) -> None:
        """End what was idle or open for too long; runs until cancelled.

        Each connection has one deadline in the heap. Messages do not move it: only when it is
        reached is it looked up whether the peer has been active since, and put back if so.
        A new deadline is never before those that wait, hence one sleep to the first is enough.
        """
        while True:
            while self._deadlines and self._deadlines[0][0] <= self._now():
                _, connection_id = heappop(self._deadlines)
                self._check(connection_id)
            if self._deadlines:
                await asyncio.sleep(self._deadlines[0][0] - self._now())
            else:
                self._watched.clear()
                await self._watched.wait()

    @staticmethod
    def _waiting(peer: Peer) -> int:
        return peer.unread if peer.frozen else peer.connection.transport.get_write_buffer_size()

    @staticmethod
    def _freeze(peer: Peer) -> None:
        peer.frozen = True
        # Nor is its FIN seen then, if it sends one.
        peer.connection.transport.pause_reading()

    def _drop(self, peer: Peer) -> None:
        peer.dropped = True
        self.remove(peer)
        peer.connection.transport.abort()

    def _check(self, connection_id: str) -> None:
        peer = self._peers.get(connection_id)
        if peer is None:
            return
        if self._deadline(peer) <= self._now():
            self.end(peer, CloseCode.GOING_AWAY, "Going away")
        else:
            self._watch(peer)

    def _watch(self, peer: Peer) -> None:
        heappush(self._deadlines, (self._deadline(peer), peer.session.connection_id))
        self._watched.set()

    def _deadline(self, peer: Peer) -> float:
        return min(
            peer.active_at + self._settings.idle_timeout_s,
            peer.opened_at + self._settings.lifetime_s,
        )

    @staticmethod
    def _now() -> float:
        return asyncio.get_running_loop().time()

    async def _close(self, connection: ServerConnection, code: int, reason: str) -> None:
        try:
            # The library bounds the closing handshake, but not the wait for a peer that does not
            # read to make room for the close frame.
            async with asyncio.timeout(self._settings.close_timeout_s):
                await connection.close(code, reason)
        except TimeoutError:
            connection.transport.abort()
