"""What one invocation has under way: its shards, and the deliveries that they still owe."""

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field

from socketwatch.broadcasting import Target
from socketwatch.outcomes import Outcome
from socketwatch.pressure import SLOW_AFTER
from socketwatch.shards import Shard, Tries
from socketwatch.tally import Tally

CHECKPOINT = 100
"""Settled deliveries after which a shard's progress is written down."""


@dataclass(slots=True)
class Delivery:
    """One message to one connection, under way."""

    run: "ShardRun"
    index: int
    target: Target
    body: bytes
    failures: int = 0
    throttles: int = 0
    evidence: float = 0.0
    weight: float = 0.0
    young_gone: bool = False

    @property
    def attempts(self) -> int:
        """Posts that did not end it."""
        return self.throttles + self.failures + self.young_gone

    @property
    def is_witness(self) -> bool:
        """Whether what it meets says something about others: not where its peer may be slow."""
        return self.evidence < 1 and self.throttles < SLOW_AFTER


@dataclass(slots=True)
class ShardRun:
    """A shard that this invocation works on.

    Attributes:
        tally: what is known of the shard, earlier invocations included.
        deadline: on the monotonic clock.
        trace: the trace header of the request, empty where it was not traced.
        ended, posts, retries, latencies, gone: what this invocation came to.
        closed: the ledger has the shard as done.
        lost: another worker has taken the shard over.
    """

    shard: Shard
    tally: Tally
    deadline: float = 0.0
    trace: str = ""
    ended: Counter[Outcome] = field(default_factory=Counter)
    posts: int = 0
    retries: int = 0
    latencies: list[int] = field(default_factory=list)
    gone: list[Target] = field(default_factory=list)
    unwritten: int = 0
    closed: bool = False
    lost: bool = False

    def settle(self, index: int, outcome: Outcome) -> None:
        """End one delivery."""
        self.tally.settle(index, outcome)
        self.ended[outcome] += 1
        self.unwritten += 1

    def attempted(self, at: int, *, again: bool) -> None:
        """Note one post."""
        self.tally.attempted(at, again=again)
        self.posts += 1
        self.retries += again


Written = Callable[[ShardRun], bool]
"""Writes a shard's progress to the ledger; False where another worker has taken the shard over."""


def open_deliveries(run: ShardRun) -> list[tuple[Delivery, int]]:
    """What is left to post, and when it is due; who was excluded is settled as skipped at once."""
    body = run.shard.message.encode()
    tries = {one.index: one for one in run.shard.tries}
    left = []
    for index, target in enumerate(run.shard.targets):
        if run.tally.is_settled(index):
            continue
        if target.connection_id in run.shard.exclude:
            run.settle(index, Outcome.SKIPPED)
        else:
            met = tries.get(index, Tries(index))
            delivery = Delivery(
                run,
                index,
                target,
                body,
                failures=met.failures,
                throttles=met.throttles,
                evidence=met.evidence,
                weight=met.weight,
                young_gone=met.young_gone,
            )
            left.append((delivery, met.due))
    return left
