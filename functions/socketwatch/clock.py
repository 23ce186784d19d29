"""Time as an argument."""

from collections.abc import Callable

Clock = Callable[[], int]
"""Answers the time in milliseconds since the Unix epoch."""

SECOND = 1_000
MINUTE = 60 * SECOND
"""Milliseconds."""
