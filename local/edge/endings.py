"""How a closed connection ended, in the words of the DISCONNECT event."""

from websockets.asyncio.server import ServerConnection
from websockets.frames import CloseCode

_NO_STATUS = "Client-side close frame status not set"


def ending(connection: ServerConnection) -> tuple[int, str]:
    """Close code and reason: of the side that closed first, 1006 if no side sent a close frame.

    A close frame without a code is 1005 with the reason captured from AWS. What AWS reports for a
    close of its own is not documented; here it is what was put on the wire.
    """
    protocol = connection.protocol
    peer_was_first = protocol.close_sent is None or protocol.close_rcvd_then_sent
    close = protocol.close_rcvd if peer_was_first else protocol.close_sent
    if close is None:
        return int(CloseCode.ABNORMAL_CLOSURE), ""
    if close.code == CloseCode.NO_STATUS_RCVD:
        return int(close.code), _NO_STATUS
    return int(close.code), close.reason
