"""A frame is proof of life: what that means for the row of the peer that sent it."""

from enum import StrEnum

from socketwatch.registry import SEEN_EVERY, Connection, Registered, Registry


class Presence(StrEnum):
    """How the registry knew the peer when it spoke, and what was mended."""

    OPEN = "open"
    REREGISTERED = "reregistered"
    REOPENED = "reopened"
    CLOSED = "closed"


def confirm(registry: Registry, connection: Connection, spoke_at: int, now: int) -> Presence:
    """Make the registry agree with a peer that spoke at *spoke_at*, by API Gateway's clock.

    A missing row is put again, and a suspect one is suspect no more. A tombstone that the reaper
    wrote before the frame, of whatever category, was a mistake and is reopened. Every other stands:
    its connection had ended, and the frame was late. Where the reaper's clock was ahead, so does
    what it closed wrongly, until API Gateway's has passed that time.
    """
    row = registry.find(connection.connection_id, now)
    if row is None:
        met = registry.register(connection, now)
        return _AFTER_REGISTERING[met]
    if row.closing is None:
        if row.suspect or now - row.last_seen_at >= SEEN_EVERY:
            registry.seen(row, now)
        return Presence.OPEN
    if row.closing.refuted(spoke_at) and registry.reopen(row, spoke_at):
        return Presence.REOPENED
    return Presence.CLOSED


_AFTER_REGISTERING = {
    Registered.NEW: Presence.REREGISTERED,
    Registered.ALREADY: Presence.OPEN,
    Registered.CLOSED: Presence.CLOSED,
}
