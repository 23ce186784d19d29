"""Instants as people write them."""

from datetime import UTC, datetime


def instant(text: str) -> int:
    """The epoch second of an ISO 8601 instant, in UTC where it names no zone.

    Raises:
        ValueError: It is none, or not of this century, whose edges are far from those of the
            calendar: time that is added to it is time, too.
    """
    found = datetime.fromisoformat(text)
    if not 2000 <= found.year < 2100:
        raise ValueError(f"{found.year} is not of this century")
    return int((found if found.tzinfo else found.replace(tzinfo=UTC)).timestamp())
