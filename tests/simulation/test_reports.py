"""Reports under every fault at once: they add up, and agree with what the peers heard.

The world of `test_pipeline` runs a broadcast to its closed report; here the peers that heard it
confirm, strangers do too, the report is published, looked at again, and rolled up.
"""

from contextlib import suppress
from dataclasses import dataclass, field

from hypothesis import given, settings
from hypothesis import strategies as st

from socketwatch.answering import Answerer
from socketwatch.errors import LedgerUnavailable
from socketwatch.outcomes import Outcome
from socketwatch.places import Places
from socketwatch.publishing import LOOK_AGAIN, Published, Publisher
from socketwatch.reconciling import reconcile
from socketwatch.reports import Document
from tests.archives import FakeArchive
from tests.simulation.faulty import Faults, World, rates, worlds


@dataclass
class Desk:
    """Publishes what a world closed, as `report` does each minute."""

    world: World
    archive: FakeArchive = field(default_factory=FakeArchive)
    objects: dict[str, str] = field(default_factory=dict)

    def publish(self) -> None:
        """Run until nothing waits, now and when late changes are looked for."""
        publisher = Publisher(
            self.world.ledger,
            self.archive,
            lambda uri, body, _kind: self.objects.update({uri: body}),
            lambda _report: None,
            Places("s3://bucket"),
            self.world.gateway.clock,
        )
        for _ in range(400):
            with suppress(LedgerUnavailable):
                publisher.run(lambda: 60_000, Published())
            if not self.world.ledger.waiting:
                return
            self.world.gateway.now += LOOK_AGAIN / 2_000
            self.world._settle()
        raise AssertionError("the report was never published for good")

    def report(self) -> Document:
        """What whoever asks is told."""
        ledger, clock = self.world.ledger, self.world.gateway.clock
        ledger._rate = 0
        found: Document = Answerer(ledger, self.archive, 90, clock).answer({"id": "01J"})["report"]
        return found

    def day(self) -> Document:
        """The sum of the day on which it was closed."""
        (whole,) = (one for place, one in self.archive.sums.items() if not place[1])
        assert whole.totals.broadcasts == 1
        return {outcome: whole.totals.outcomes[outcome] for outcome in Outcome}


def confirm(world: World) -> int:
    """Everybody who heard it says so, and so do three who did not; how many heard it."""
    heard = [peer for peer, times in world.received.items() if times]
    row = world.ledger.requests["01J"]
    for peer in [*heard, "stranger-1", "stranger-2", "stranger-3"]:
        world.ledger.acked["01J", peer] = row.closed_at
    return len(heard)


@settings(max_examples=150, deadline=None)
@given(worlds())
def test_a_report_adds_up_and_agrees_with_its_peers(world: World) -> None:
    world.run()
    heard = confirm(world)
    desk = Desk(world)
    desk.publish()

    found = desk.report()

    counts = found["counts"]
    assert counts["pending"] == 0
    assert sum(counts[outcome] for outcome in Outcome) == counts["targeted"]
    assert sum(one["count"] for one in found["failures"]) == counts["targeted"] - counts["accepted"]
    assert sum(found["latency_ms"]["accept"]["n"]) == counts["accepted"]
    parts = found["breakdown"]["client_platform"].values()
    unaccounted = found["users"]["unaccounted"]
    assert sum(part["targeted"] for part in parts) + unaccounted == counts["targeted"]
    assert desk.day() == {outcome: counts[outcome] for outcome in Outcome}

    settled = reconcile(found, world.received)
    assert settled.received == heard
    assert settled.unexplained == ()


@settings(max_examples=50, deadline=None)
@given(seed=st.integers(0, 2**32), kill=rates, lose_reply=rates)
def test_no_more_confirm_than_accepted(seed: int, kill: float, lose_reply: float) -> None:
    faults = Faults(kill=kill, lose_reply=lose_reply)
    world = World(seed, [f"peer-{number:03}=" for number in range(40)], faults, ack=True)
    world.run()
    confirm(world)
    desk = Desk(world)
    desk.publish()

    counts = desk.report()["counts"]

    assert counts["acked"] <= counts["accepted"] == counts["ack_requested"]
    if not (kill or lose_reply):
        assert counts["acked"] == counts["accepted"] == 40
