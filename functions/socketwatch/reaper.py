"""What the reaper is made of: the registry's open rows, a memory, and what an operator set."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Protocol

from socketwatch.breaker import Breaker, Confirmation
from socketwatch.calls import Work
from socketwatch.clock import Clock
from socketwatch.delivering import Each
from socketwatch.errors import BadEvent
from socketwatch.ghosts import Timings
from socketwatch.pacing import Pace
from socketwatch.registry import Closing
from socketwatch.settings import Api
from socketwatch.verdicts import Candidate


class Rows(Protocol):
    """The open rows, in the order in which they are due in each index shard.

    Every method raises `RegistryUnavailable` where the table does not answer.
    """

    def due(self, shard: int, now: int) -> Iterator[Candidate]:
        """Rows due by *now*, the longest due first, read in pages as they are asked for."""

    def stray(self, shard: int, horizon: int) -> Iterator[Candidate]:
        """Rows due only after *horizon*: a clock that was ahead has put them there."""

    def latest(self, shard: int, limit: int) -> list[Candidate]:
        """The rows due last."""

    def sample(self, number: int) -> list[Candidate]:
        """So many rows of those that count as open, each as likely as any other; all if fewer."""

    def count_due(self, shard: int, now: int) -> int:
        """How many rows are due by *now*; of very many, a part."""

    def note(self, row: Candidate, check_at: int, suspect_since: int) -> bool:
        """Say when the row is due again and since when it is suspect, if it is as it was read."""

    def close(self, row: Candidate, closing: Closing) -> bool:
        """Close the row and end its memberships, if it is as it was read."""


class Memory(Protocol):
    """Where the breaker is kept. Raises `RegistryUnavailable` where the table does not answer."""

    def begin(self, now: int) -> Breaker:
        """Count a run, and answer with the breaker as the last one left it."""

    def save(self, state: Breaker, *, found: bool = False) -> bool:
        """Keep the breaker, and answer whether it was kept.

        A trip that the run itself *found* is kept in any case, even of a run that another has
        overtaken. Any other state, and a trip that was merely carried from the run before, only if
        no run has begun since, nor one of before kept anything that this run has not read: or a run
        that was under way would undo a reset.
        """


@dataclass(frozen=True, slots=True)
class Rules:
    """What an operator set; *dry_run* closes nothing."""

    api: Api
    timings: Timings
    age_shards: int
    dry_run: bool = False


@dataclass(frozen=True, slots=True)
class Asked:
    """What an invocation asks for: to close nothing; to let a tripped breaker go."""

    dry_run: bool = False
    reset: bool = False


@dataclass(frozen=True, slots=True)
class Reaper:
    """What reaping takes. *each* is for calls to the registry, which may overlap."""

    rows: Rows
    memory: Memory
    stage: Callable[[], Confirmation]
    send: Callable[[Work], None]
    clock: Clock
    monotonic: Callable[[], float]
    pace: Pace
    rules: Rules
    each: Each = map


def read(event: Any) -> Asked:
    """What an event asks for: `{"dryRun": bool, "reset": bool}`, and nothing if it is a schedule's.

    Raises:
        BadEvent: one of them is neither true nor false.
    """
    asked = event if isinstance(event, dict) else {}
    wishes = {name: asked.get(name, False) for name in ("dryRun", "reset")}
    for name, wish in wishes.items():
        if not isinstance(wish, bool):
            raise BadEvent(f"{name} must be true or false")
    return Asked(dry_run=wishes["dryRun"], reset=wishes["reset"])
