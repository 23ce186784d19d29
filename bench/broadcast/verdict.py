"""What a broadcast came to: the ledger's word held against the gateway's."""

from collections.abc import Sequence
from dataclasses import dataclass

from bench.broadcast.crowd import Fate, fates
from bench.broadcast.gateway import Truth
from bench.broadcast.run import Ended, Setting
from socketwatch.clock import SECOND
from socketwatch.ledger import ShardRow, ShardState
from socketwatch.outcomes import Outcome
from socketwatch.pressure import SLOW_AFTER
from socketwatch.reports import add_up
from socketwatch.totals import Totals


@dataclass(frozen=True, slots=True)
class Held:
    """The ledger against the truth, shard by shard, since a shard is so many of the crowd in order.

    Attributes:
        lost: of the crowd, who was never planned, has no outcome, or is said to have been sent a
            message that the gateway did not take.
        unreported: was sent the message, and is said to have not.
        duplicates: messages that somebody was sent a second time.
    """

    lost: int
    unreported: int
    duplicates: int


def hold(rows: Sequence[ShardRow], heard: bytearray) -> Held:
    """Compare the accepted of each shard with those of its targets that truly were."""
    lost = unreported = begin = 0
    for row in rows:
        if row.state is ShardState.VOID:
            continue
        end = begin + row.tally.targets
        difference = row.tally.outcomes[Outcome.ACCEPTED] - sum(map(bool, heard[begin:end]))
        lost += row.tally.open + max(0, difference)
        unreported += max(0, -difference)
        begin = end
    return Held(
        lost=lost + abs(len(heard) - begin),
        unreported=unreported,
        duplicates=sum(times - 1 for times in heard if times > 1),
    )


@dataclass(frozen=True, slots=True)
class Figures:
    """What is reported.

    Attributes:
        exact: every target has one outcome, ledger and gateway agree on posts, and the published
            report says the same.
        seconds: from the request until the last peer who can be reached was.
        settled: from the request to the last post; what is known only then is who is slow.
        ideal: seconds that the posts that had to be made take at the budget, or at the gateway's
            rate where that is less: one for each target, one more for a shaky peer, and what it
            takes to know a slow one.
        budget_used: posts in `seconds`, over what the budget allowed in them.
        over_ideal: `seconds` over `ideal`, less one.
        cpu_us: of a worker, for one post.
        gateway_load: the stand-in's share of one core; near 1 it would be what is measured.
    """

    targeted: int
    outcomes: dict[str, int]
    held: Held
    exact: bool
    posts: int
    retries: int
    refused: int
    seconds: float
    settled: float
    ideal: float
    budget_used: float
    over_ideal: float
    planner_rss: int
    worker_rss: int
    cpu_us: float
    gateway_load: float
    invocations: int


def figures(setting: Setting, ended: Ended) -> Figures:
    """Add everything up."""
    totals = add_up(ended.rows)
    truth = ended.truth
    requested_at = ended.rows[0].requested_at
    seconds = max(1, truth.reached_at - requested_at) / SECOND
    ideal = _needed(setting.targets) / setting.rate
    settled = max(1, totals.last_attempt_at - requested_at) / SECOND
    return Figures(
        targeted=totals.targeted,
        outcomes={one.value: totals.outcomes[one] for one in Outcome},
        held=hold(ended.rows, truth.heard),
        exact=_exact(setting, ended, totals, truth),
        posts=totals.posts,
        retries=totals.retries,
        refused=truth.refused,
        seconds=seconds,
        settled=settled,
        ideal=ideal,
        budget_used=truth.posts_then / (setting.budget * seconds),
        over_ideal=seconds / ideal - 1,
        planner_rss=ended.planner.peak_rss,
        worker_rss=max(one.peak_rss for one in ended.workers),
        cpu_us=sum(one.cpu for one in ended.workers) / max(1, totals.posts) * 1e6,
        gateway_load=truth.cpu / settled,
        invocations=sum(one.invocations for one in ended.workers),
    )


def _needed(targets: int) -> int:
    among = fates(targets)
    return targets + among[Fate.SHAKY] + (SLOW_AFTER - 1) * among[Fate.SLOW]


def _exact(setting: Setting, ended: Ended, totals: Totals, truth: Truth) -> bool:
    counts = ended.report["counts"]
    published = sum(counts[outcome.value] for outcome in Outcome)
    return (
        setting.targets == totals.targeted == totals.outcomes.total()
        and published == counts["targeted"] == setting.targets
        and truth.posts == totals.posts
        and truth.strangers == 0
    )
