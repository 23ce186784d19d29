"""A WebSocket connection whose end does not depend on the peer."""

import asyncio
from typing import Any

from websockets.asyncio.server import ServerConnection
from websockets.protocol import State


class BoundedConnection(ServerConnection):
    """Cuts TCP at the close timeout once a closing handshake is under way.

    The library bounds closes that are asked of it, but waits for ever for a peer that sent a close
    frame, or broke the protocol, and then keeps its socket open.
    """

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._cut: asyncio.TimerHandle | None = None

    def data_received(self, data: bytes) -> None:
        """Take in what the peer sent, and watch the clock if it began the end."""
        super().data_received(data)
        if self.state is State.CLOSING and self._cut is None and self.close_timeout is not None:
            self._cut = self.loop.call_later(self.close_timeout, self.transport.abort)

    def connection_lost(self, exc: Exception | None) -> None:
        """Stop watching; the end has come."""
        if self._cut is not None:
            self._cut.cancel()
        super().connection_lost(exc)
