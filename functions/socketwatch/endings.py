"""How connections end, in the words under which ends are counted: closed sets, each a series.

What closed a row and with which code is written by whoever writes the registry; a word or a code of
another's making falls into a category that is here, for else it would be a series of its own.
"""

from socketwatch.registry import ClosedBy

EXPIRED = "expired"
"""An open row that DynamoDB's TTL removed: nothing else had closed it."""

DELETED = "deleted"
"""An open row that somebody deleted, as registries that do not close rows do."""

NEVER_OPENED = "never_opened"
"""A tombstone whose `$connect` came late or never."""

CLOSED_CATEGORIES = (*(by.value for by in ClosedBy), EXPIRED, DELETED)
"""Ends of connections that had been open."""

CODES = frozenset({"1000", "1001", "1003", "1005", "1006", "1009"})
"""Close codes that are counted by themselves; `application` are 3000 to 4999, the rest `other`."""

NO_CODE = "none"


def category(closed_by: str) -> str:
    """The category of what closed a row."""
    return closed_by if closed_by in CLOSED_CATEGORIES else ClosedBy.UNKNOWN


def code_bucket(code: str) -> str:
    """The name under which a close code is counted."""
    if code in CODES or code == NO_CODE:
        return code
    return "application" if len(code) == 4 and "3000" <= code <= "4999" else "other"
