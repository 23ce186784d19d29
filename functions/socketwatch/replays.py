"""What a stream hands over again: told by event id, as far back as a process remembers."""

WINDOW = 20_000
"""Event ids remembered: some 2 MB, and minutes of a busy shard."""


class Recent:
    """The event ids counted last: at least the last half of *capacity*, at most all of it.

    Two generations, the older forgotten whole, cost a fiftieth of forgetting one by one.
    """

    def __init__(self, capacity: int = WINDOW) -> None:
        self._half = max(1, capacity // 2)
        self._new: set[str] = set()
        self._old: set[str] = set()

    def known(self, event_ids: set[str]) -> set[str]:
        """Those of them that are remembered."""
        return (self._new & event_ids) | (self._old & event_ids)

    def remember(self, event_ids: set[str]) -> None:
        """Add the ids of a batch whose counts are written, not before."""
        self._new |= event_ids
        if len(self._new) >= self._half:
            self._old, self._new = self._new, set()
