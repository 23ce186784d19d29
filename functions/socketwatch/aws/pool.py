"""The sockets of one endpoint: opened as needed, watched together, kept while they are clean."""

import ssl
from selectors import DefaultSelector

from socketwatch.aws.addresses import Addresses
from socketwatch.aws.link import Link
from socketwatch.calls import Call
from socketwatch.endpoint import Endpoint

_OPENING = 8
"""Sockets that connect at once: a handshake costs as much CPU as forty posts, and while the first
ones shake hands a short list of calls may need no more."""


class Pool:
    """At most *size* links. A link that neither rests nor carries a call is closed.

    Args:
        tls: for a secure endpoint; by default the system's authorities, loaded when first needed.
    """

    def __init__(self, endpoint: Endpoint, size: int, tls: ssl.SSLContext | None) -> None:
        self._endpoint = endpoint
        self._size = size
        self._tls = tls
        self._addresses = Addresses(endpoint.hostname, endpoint.port)
        self._selector = DefaultSelector()
        self._watched: dict[Link, int] = {}
        self._resting: list[Link] = []
        self._opening: set[Link] = set()

    def room(self) -> bool:
        """Whether another call could be carried."""
        return bool(self._resting) or (
            len(self._opening) < _OPENING and len(self._watched) < self._size
        )

    def rested(self) -> Link | None:
        """A link ready to carry a call, the one that rested last, or None."""
        return self._resting.pop() if self._resting else None

    def open(self, call: Call, request: bytes, now: float) -> Link:
        """A new link that will carry the call once it is established.

        Raises:
            OSError: the name or the address leads nowhere.
        """
        address = self._addresses.next(now)
        link = Link(address, self._context(), self._endpoint.hostname, call, request)
        self._watched[link] = link.events
        self._opening.add(link)
        try:
            self._selector.register(link.number, link.events, link)
            link.connect()
        except OSError:
            self.discard(link)
            raise
        return link

    def established(self, link: Link) -> None:
        """Hear that a link is through with connecting."""
        self._opening.discard(link)

    def watch(self, link: Link) -> None:
        """Watch a link for what it now waits for."""
        if self._watched[link] != link.events:
            self._selector.modify(link.number, link.events, link)
            self._watched[link] = link.events

    def select(self, seconds: float) -> list[Link]:
        """The links on which something has happened; empty when the time is up."""
        return [key.data for key, _ in self._selector.select(seconds)]

    def rest(self, link: Link) -> None:
        """Keep a link that is clean for another call."""
        link.rest()
        self.watch(link)
        self._resting.append(link)

    def stir(self, link: Link) -> None:
        """Look at a resting link on which something has happened: mostly, it was closed."""
        if not link.quiet():
            self._resting.remove(link)
            self.discard(link)

    def discard(self, link: Link) -> None:
        """Close a link that does not rest."""
        if link in self._opening:
            self._opening.discard(link)
            self._addresses.failed(link.address)
        del self._watched[link]
        self._selector.unregister(link.number)
        link.close()

    def look_over(self) -> None:
        """Close the resting links that the server has closed, or spoken on unasked."""
        for link in tuple(self._resting):
            self.stir(link)

    def discard_busy(self) -> None:
        """Close every link that does not rest."""
        for link in self._watched.keys() - set(self._resting):
            self.discard(link)

    def discard_all(self) -> None:
        """Close every link."""
        self._resting.clear()
        self.discard_busy()

    def close(self) -> None:
        """Close every link and the selector; the pool is of no more use."""
        self.discard_all()
        self._selector.close()

    def _context(self) -> ssl.SSLContext | None:
        if self._endpoint.secure and self._tls is None:
            self._tls = ssl.create_default_context()
        return self._tls if self._endpoint.secure else None
