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
    """At most *size* links. One that neither rests nor carries a call is closed.

    Args:
        tls: for a secure endpoint; by default the system's authorities, loaded when first needed.

    Attributes:
        resting: links ready to carry a call; the last one rested last.
    """

    def __init__(self, endpoint: Endpoint, size: int, tls: ssl.SSLContext | None) -> None:
        self._endpoint = endpoint
        self._size = size
        self._tls = tls
        self._addresses = Addresses(endpoint.hostname, endpoint.port)
        self._selector = DefaultSelector()
        self.resting: list[Link] = []
        self._links: set[Link] = set()
        self._opening: set[Link] = set()

    def may_open(self) -> bool:
        """Whether there may be another link now."""
        return len(self._opening) < _OPENING and len(self._links) < self._size

    def open(self, call: Call, request: bytes, now: float) -> Link:
        """A new link that will carry the call once it is established.

        Raises:
            OSError: the name or the address leads nowhere.
        """
        address = self._addresses.next(now)
        link = Link(address, self._context(), self._endpoint.hostname, call, request)
        self._links.add(link)
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
        self._selector.modify(link.number, link.events, link)
        link.watched = link.events

    def select(self, seconds: float) -> list[Link]:
        """The links on which something has happened; empty when the time is up."""
        return [key.data for key, _ in self._selector.select(seconds)]

    def rest(self, link: Link) -> None:
        """Keep a link that is clean for another call."""
        link.rest()
        if link.events != link.watched:
            self.watch(link)
        self.resting.append(link)

    def stir(self, link: Link) -> None:
        """Look at a resting link on which something has happened: mostly, it was closed."""
        if not link.quiet():
            self.resting.remove(link)
            self.discard(link)

    def discard(self, link: Link) -> None:
        """Close a link that does not rest."""
        if link in self._opening:
            self._opening.discard(link)
            self._addresses.failed(link.address)
        self._links.remove(link)
        self._selector.unregister(link.number)
        link.close()

    def look_over(self) -> None:
        """Close the resting links that the server has closed, or spoken on unasked."""
        for link in tuple(self.resting):
            self.stir(link)

    def discard_busy(self) -> None:
        """Close every link that does not rest."""
        for link in self._links.difference(self.resting):
            self.discard(link)

    def discard_all(self) -> None:
        """Close every link."""
        self.resting.clear()
        self.discard_busy()

    def close(self) -> None:
        """Close every link and the selector; the pool is of no more use."""
        self.discard_all()
        self._selector.close()

    def _context(self) -> ssl.SSLContext | None:
        if self._endpoint.secure and self._tls is None:
            self._tls = ssl.create_default_context()
        return self._tls if self._endpoint.secure else None
