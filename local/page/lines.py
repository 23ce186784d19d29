"""A function's log line as the page shows it: only what is known to be fit to be shown."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from socketwatch.outcomes import Outcome

SHOWN = {
    "closed_by": "by ",
    "code": "code ",
    "outcome": "",
    "outcomes": "",
    "reason": "",
    "number": "",
    "broadcast_id": "id ",
}
"""Keys of our own that a line's text goes on with, and how; no other key is ever shown."""

LEVELS = frozenset({"DEBUG", "INFO", "WARNING", "ERROR", "CRITICAL"})
LONGEST = 160
"""Characters of one value; the rest is cut."""


@dataclass(frozen=True, slots=True)
class Event:
    """One entry of the last events. *at* is in epoch milliseconds; `connection` may be empty."""

    at: int
    function: str
    level: str
    text: str
    connection: str


def event(function: str, at: int, line: Mapping[str, Any]) -> Event:
    """Read a Powertools log line; what is missing or not of the expected kind is left out.

    The service, which is the function's module, stands for the longer deployed name *function*.
    """
    level = _text(line.get("level"))
    details = [word + shown for key, word in SHOWN.items() if (shown := _shown(line.get(key)))]
    return Event(
        at=at,
        function=_text(line.get("service")) or _text(function),
        level=level if level in LEVELS else "",
        text=" · ".join(filter(None, [_text(line.get("message")), *details])),
        connection=_text(line.get("correlation_id")),
    )


def _shown(value: Any) -> str:
    if isinstance(value, Mapping):
        return ", ".join(
            f"{outcome} {number}"
            for outcome in Outcome
            if (number := _shown(value.get(outcome))) not in {"", "0"}
        )
    if isinstance(value, int) and not isinstance(value, bool):
        return str(value)[:LONGEST]
    return _text(value)


def _text(value: Any) -> str:
    """One line of printable text, cut; nothing for whatever is not text."""
    if not isinstance(value, str):
        return ""
    cut = value[:LONGEST]
    return "".join(character if character.isprintable() else " " for character in cut).strip()
