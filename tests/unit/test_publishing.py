import csv
import io
import json
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import pytest

from report import answer, publish
from socketwatch import metrics
from socketwatch.answering import Answerer
from socketwatch.archive import TeamDay, midnight
from socketwatch.aws.reporting import Reporting
from socketwatch.broadcasting import MAX_EXPIRES_IN
from socketwatch.clock import MINUTE, Clock
from socketwatch.deliveries import ACK_SECONDS
from socketwatch.digest import REST_BEFORE_END, Digest
from socketwatch.errors import NotPublished
from socketwatch.ledger import CLOSED_BY, ShardRow, ShardState
from socketwatch.outcomes import Outcome
from socketwatch.places import Places
from socketwatch.publishing import (
    BEHIND,
    HELD,
    LOOK_AGAIN,
    LOOK_UNTIL,
    ONE_AT_MOST,
    Published,
    Publisher,
    measurements,
)
from socketwatch.reports import Document
from socketwatch.tally import Tally
from tests.archives import FakeArchive
from tests.broadcasts import asked, delivered, users
from tests.fakes import NOW, FakeLedger

DAY = "2024-11-11"
BUCKET = "s3://bucket"
REPORT = f"{BUCKET}/reports/v1/dt={DAY}/team=pay/01J.json"
PAGE = f"{BUCKET}/pages/v1/dt={DAY}/team=pay/01J.html"
DAY_DATA = f"{BUCKET}/days/v1/dt={DAY}/team=pay/day.json"
DAY_PAGE = f"{BUCKET}/index/v1/dt={DAY}/team=pay/index.html"
DAY_TABLE = f"{BUCKET}/index/v1/dt={DAY}/team=pay/broadcasts.csv"
TEAM_PAGE = f"{BUCKET}/index/v1/team=pay/index.html"


@dataclass
class Stage:
    """All that `report` touches; a place in *refusing* takes nothing.

    Before one in *meanwhile* takes what it is first given, something else happens.
    """

    ledger: FakeLedger = field(default_factory=FakeLedger)
    archive: FakeArchive = field(default_factory=FakeArchive)
    objects: dict[str, str] = field(default_factory=dict)
    events: list[Document] = field(default_factory=list)
    told: list[tuple[str, str, str]] = field(default_factory=list)
    refusing: set[str] = field(default_factory=set)
    meanwhile: dict[str, Callable[[], None]] = field(default_factory=dict)
    now: int = NOW + 1_000

    def run(self, remaining: Clock = lambda: 60_000) -> Published:
        publisher = Publisher(
            self.ledger, self.archive, self.put, self.announce, Places(BUCKET), self.clock
        )
        digest = Digest(self.archive, self.put, self.tell, Places(BUCKET))
        answerer = Answerer(self.ledger, self.archive, 90, self.clock)
        return publish(Reporting(publisher, digest, answerer), self.clock, remaining)

    def clock(self) -> int:
        return self.now

    def put(self, uri: str, body: str, kind: str) -> None:
        self._take(uri)
        assert kind in {"application/json", "text/html", "text/csv"}
        self.objects[uri] = body

    def announce(self, report: Document) -> None:
        self._take("events")
        self.events.append(report)

    def tell(self, team: str, subject: str, body: str) -> None:
        self._take("topic")
        self._take(team)
        self.told.append((team, subject, body))

    def _take(self, place: str) -> None:
        if place in self.meanwhile:
            self.meanwhile.pop(place)()
        if place in self.refusing:
            raise NotPublished("the fake refuses")

    def document(self, uri: str = REPORT) -> Document:
        found: Document = json.loads(self.objects[uri].splitlines()[0])
        return found

    def close(
        self, broadcast_id: str = "01J", at: int = NOW, peers: int = 3, **request: Any
    ) -> None:
        delivered(self.ledger, asked(broadcast_id, **request), [users(peers)])
        self.ledger.close(broadcast_id, at)


def test_a_closed_report_is_put_where_it_was_promised_with_its_page_its_day_and_its_team() -> None:
    stage = Stage()
    stage.close()

    done = stage.run()

    assert done.reports == ["01J"]
    assert stage.objects.keys() == {REPORT, PAGE, DAY_DATA, DAY_PAGE, TEAM_PAGE}
    assert stage.document()["counts"]["accepted"] == 3
    assert stage.document(DAY_DATA)["kind"] == "daily"
    assert stage.objects[PAGE].startswith("<!doctype html>")
    assert [event["broadcast_id"] for event in stage.events] == ["01J"]
    assert measurements(done) == [metrics.count(metrics.REPORTS_PUBLISHED, 1)]


def test_a_report_is_data_of_one_line_for_athena() -> None:
    stage = Stage()
    stage.close()
    stage.run()

    assert stage.objects[REPORT].count("\n") == 1
    lines = stage.objects[DAY_DATA].splitlines()
    assert [json.loads(line)["label"] and json.loads(line)["label"]["name"] for line in lines] == [
        None,
        "campaign",
        "message_type",
    ]


def test_nothing_is_published_twice() -> None:
    stage = Stage()
    stage.close()
    stage.run()

    assert stage.run() == Published()
    assert len(stage.events) == 1


def test_an_open_report_is_not_published() -> None:
    stage = Stage()
    delivered(stage.ledger, asked(), [users(1)])

    assert stage.run() == Published()


def test_with_no_time_left_the_rest_waits() -> None:
    stage = Stage()
    stage.close()

    assert stage.run(lambda: 5_000).rest
    assert stage.run().reports == ["01J"]


def test_a_ledger_that_is_down_publishes_nothing_and_raises_nothing() -> None:
    stage = Stage()
    stage.close()
    stage.ledger.down = True

    assert stage.run().reports == []


def test_a_report_shows_the_last_one_of_its_campaign() -> None:
    stage = Stage()
    stage.close(peers=5)
    stage.run()
    stage.close("02J", at=NOW + 9)
    stage.run()

    similar = stage.document(REPORT.replace("01J", "02J"))["similar"]

    assert stage.document()["similar"] is None
    assert (similar["by"], similar["broadcast_id"], similar["targeted"]) == ("campaign", "01J", 5)


def test_without_a_campaign_the_last_of_its_type_is_like_it_else_of_its_audience() -> None:
    stage = Stage()
    stage.close("01J", labels={"message_type": "promo"})
    stage.close("02J", at=NOW + 1, labels={"message_type": "promo"})
    stage.close("03J", at=NOW + 2, labels={})
    stage.run()

    by = {
        event["broadcast_id"]: event["similar"] and event["similar"]["by"] for event in stage.events
    }

    assert by == {"01J": None, "02J": "message_type", "03J": "audience"}


def held(stage: Stage, shards: int = 1) -> None:
    """A report that was closed while workers still held shards of it."""
    row = delivered(stage.ledger, asked(), [users(3)])
    for number in range(1, shards + 1):
        deadline = row.broadcast.deadline
        stage.ledger.add_shard(ShardRow("01J", number, ShardState.SENDING, deadline, Tally(2), NOW))
    stage.ledger.close("01J", NOW)


def late(stage: Stage) -> None:
    """Such a report, as it was published."""
    held(stage)
    stage.run()


def settled(stage: Stage, number: int = 1) -> None:
    """The worker of such a shard died, and nobody knows what it had posted."""
    left = stage.ledger.rows["01J", number]
    left.tally.settle_rest(Outcome.UNKNOWN)
    stage.ledger.rows["01J", number] = replace(left, state=ShardState.DONE)


def test_a_report_closed_with_deliveries_open_is_looked_at_again_and_counts_as_late() -> None:
    stage = Stage()
    late(stage)
    assert not stage.document()["complete"]
    assert stage.document(DAY_DATA)["incomplete"] == 1
    settled(stage)
    assert stage.run() == Published()

    stage.now = NOW + LOOK_AGAIN
    stage.run()

    assert stage.document()["complete"]
    day = stage.document(DAY_DATA)
    assert (day["broadcasts"], day["incomplete"], day["late_changes"]) == (1, 0, 1)
    assert day["counts"]["unknown"] == 2
    assert stage.ledger.waiting == {}


def test_a_look_that_finds_nothing_new_changes_nothing_and_is_followed_by_another() -> None:
    stage = Stage()
    late(stage)
    before = dict(stage.objects)

    stage.now = NOW + LOOK_AGAIN

    assert stage.run().reports == []
    assert stage.objects == before
    assert stage.ledger.waiting == {"01J": NOW + 2 * LOOK_AGAIN}


def test_what_is_open_is_looked_at_ever_more_seldom_for_a_day() -> None:
    stage = Stage()
    late(stage)
    minutes: list[int] = []
    while stage.ledger.waiting:
        stage.now = stage.ledger.waiting["01J"]
        minutes.append((stage.now - NOW) // MINUTE)
        stage.run()

    assert minutes == [10, 20, 40, 80, 160, 320, 640, 1_280, 1_440]


@pytest.mark.parametrize("looks", [1, 2, 8])
def test_what_is_settled_after_any_look_is_told_by_the_next(looks: int) -> None:
    stage = Stage()
    late(stage)
    for _ in range(looks):
        stage.now = stage.ledger.waiting["01J"]
        stage.run()
    settled(stage)

    stage.now = stage.ledger.waiting["01J"]
    stage.run()

    assert stage.document()["complete"]
    assert stage.document(DAY_DATA)["counts"]["unknown"] == 2
    assert stage.ledger.waiting == {}


def test_the_next_one_is_compared_with_what_is_known_of_the_last_by_then() -> None:
    stage = Stage()
    late(stage)
    settled(stage)
    stage.now = NOW + LOOK_AGAIN
    stage.run()
    stage.close("02J", at=stage.now)
    stage.run()

    similar = stage.document(REPORT.replace("01J", "02J"))["similar"]

    assert similar["acceptance"] == stage.document()["rates"]["acceptance"] == 3 / 5


def test_nothing_is_compared_with_one_of_which_not_all_is_known() -> None:
    stage = Stage()
    stage.close("00J", at=NOW - 1)
    late(stage)
    stage.close("02J", at=stage.now)
    stage.run()

    assert stage.document(REPORT.replace("01J", "02J"))["similar"]["broadcast_id"] == "00J"


def test_acks_outlast_the_last_look() -> None:
    assert ACK_SECONDS * 1_000 >= LOOK_UNTIL + MAX_EXPIRES_IN * 1_000 + CLOSED_BY + HELD


@pytest.mark.parametrize("place", [REPORT, PAGE, "events", DAY_DATA, DAY_PAGE, TEAM_PAGE])
@pytest.mark.parametrize("looked", [False, True])
def test_two_runs_at_once_share_the_work_and_the_newest_numbers_win(
    place: str, looked: bool
) -> None:
    """The second one begins while the first, which has added up a report, puts it somewhere.

    In between its shard is settled: either before it was ever published, or between two looks.
    """
    stage = Stage()
    held(stage, shards=2)
    if looked:
        stage.run()
        settled(stage, 2)
        stage.now = NOW + LOOK_AGAIN
    others: list[Published] = []

    def meanwhile() -> None:
        settled(stage, 1)
        others.append(stage.run())

    stage.meanwhile[place] = meanwhile
    first = stage.run()
    while stage.ledger.waiting:
        settled(stage, 2)
        stage.now = max(stage.now, *stage.ledger.waiting.values())
        stage.run()

    (second,) = others
    assert (first.reports, second.reports) == (["01J"], [])
    day = stage.document(DAY_DATA)
    (kept,) = stage.archive.kept.values()
    for counts in (stage.document()["counts"], day["counts"]):
        assert (counts["targeted"], counts["unknown"], counts["pending"]) == (7, 4, 0)
    assert kept.totals.outcomes[Outcome.UNKNOWN] == 4
    assert (day["broadcasts"], day["incomplete"]) == (1, 0)


def test_a_run_that_lost_its_report_to_another_notes_nothing() -> None:
    """It took so long that its report was given to somebody else, who is at it."""
    stage = Stage()
    stage.close()
    (row,) = stage.ledger.closed(stage.now)
    mine = stage.ledger.put_off(row, stage.now + HELD)
    assert mine
    theirs = stage.ledger.put_off(mine, stage.now + 2 * HELD)
    assert theirs

    assert stage.ledger.put_off(mine, stage.now) is None
    assert not stage.ledger.published(mine, stage.now, None)
    assert stage.ledger.published(theirs, stage.now, None)


class Lasting:
    """Time that passes with each thing that is put, or each clock that is looked at."""

    def __init__(self, stage: Stage, a_put: int = 0, a_look: int = 0) -> None:
        self.left = 60_000
        self._put, self._a_put, self._a_look = stage.put, a_put, a_look
        stage.put = self.put  # type: ignore[method-assign]

    def put(self, uri: str, body: str, kind: str) -> None:
        self.left -= self._a_put
        self._put(uri, body, kind)

    def remaining(self) -> int:
        self.left -= self._a_look
        return self.left


def test_a_run_ends_in_time_with_days_of_many_teams_and_announces_nothing_again() -> None:
    stage = Stage()
    for number in range(200):
        stage.close(f"{number:03}J", at=NOW + number, labels={"team": f"t{number}"})
    lasting = Lasting(stage, a_put=75)

    runs: list[Published] = []
    while stage.ledger.waiting and len(runs) < 9:
        lasting.left = 60_000
        runs.append(stage.run(lasting.remaining))
        assert lasting.left > 0

    assert [run.rest for run in runs[-2:]] == [True, False]
    assert sum(len(run.reports) for run in runs) == len(stage.events) == 200
    assert len(list(stage.archive.sums)) == 200


def test_a_broadcast_of_too_many_acks_keeps_no_other_waiting() -> None:
    stage = Stage()
    stage.close("00J", at=NOW - 1, peers=500, ack=True)
    stage.ledger.acked = {("00J", f"c{number}="): NOW - 2 for number in range(500)}
    stage.close()
    lasting = Lasting(stage, a_look=3_500)

    done = stage.run(lasting.remaining)

    assert (done.reports, done.slow, done.rest) == (["01J"], ["00J"], True)
    assert stage.ledger.waiting == {"00J": stage.now + BEHIND}

    stage.now += BEHIND

    assert stage.run().reports == ["00J"]
    assert stage.document(REPORT.replace("01J", "00J"))["counts"]["acked"] == 500


def test_a_broadcast_that_takes_long_has_all_the_time_that_the_others_leave() -> None:
    stage = Stage()
    stage.close("00J", at=NOW - 1, peers=300, ack=True)
    stage.ledger.acked = {("00J", f"c{number}="): NOW - 2 for number in range(300)}
    stage.close()
    lasting = Lasting(stage, a_look=ONE_AT_MOST // 4)

    assert stage.run(lasting.remaining).reports == ["01J", "00J"]


def two_closed(stage: Stage) -> None:
    stage.close()
    stage.close("02J", at=NOW + 1)


def changed_late(stage: Stage) -> None:
    late(stage)
    settled(stage)
    stage.now = NOW + LOOK_AGAIN


Happened = Callable[[Stage], None]
HAPPENED = [two_closed, changed_late]


def undisturbed(happened: Happened) -> Document:
    """The day as one run makes it that nothing breaks off."""
    stage = Stage()
    happened(stage)
    stage.run()
    return stage.document(DAY_DATA) | {"as_of": ""}


@pytest.mark.parametrize("happened", HAPPENED)
@pytest.mark.parametrize("place", [REPORT, PAGE, "events", DAY_DATA, DAY_PAGE, TEAM_PAGE])
def test_what_is_not_taken_is_tried_again_and_counts_once(place: str, happened: Happened) -> None:
    stage = Stage()
    happened(stage)
    stage.refusing = {place}
    assert "01J" in stage.run().failed

    stage.refusing = set()
    stage.run()

    assert stage.document(DAY_DATA) | {"as_of": ""} == undisturbed(happened)
    assert stage.run() == Published()


@pytest.mark.parametrize("happened", HAPPENED)
@pytest.mark.parametrize("write", range(13))
def test_a_run_that_is_broken_off_anywhere_is_made_up_for(write: int, happened: Happened) -> None:
    stage = Stage()
    happened(stage)
    stage.archive.interrupt = write
    stage.run()

    stage.archive.interrupt = None
    stage.now += HELD
    stage.run()

    assert stage.document(DAY_DATA) | {"as_of": ""} == undisturbed(happened)
    assert stage.ledger.waiting == {}


def tomorrow(stage: Stage) -> None:
    stage.now = midnight("2024-11-12") + 11 * 60_000


def test_a_team_is_told_of_its_day_once_it_is_over() -> None:
    stage = Stage()
    stage.close()
    stage.close("02J", at=NOW + 1, labels={"team": "ads"})
    stage.run()
    assert stage.told == []

    tomorrow(stage)
    stage.run()
    stage.run()

    assert [(team, subject) for team, subject, _ in stage.told] == [
        ("ads", f"ads: 1 broadcast on {DAY}"),
        ("pay", f"pay: 1 broadcast on {DAY}"),
    ]
    assert "3 accepted it for delivery (100 %)" in " ".join(stage.told[1][2].split())
    assert stage.objects[DAY_TABLE].splitlines()[1].split(",")[4] == "01J"


def test_a_digest_that_was_not_taken_is_sent_later() -> None:
    stage = Stage()
    stage.close()
    stage.run()
    tomorrow(stage)
    stage.refusing = {"topic"}
    stage.run()

    stage.refusing = set()
    stage.run()

    assert len(stage.told) == 1


def test_a_team_that_cannot_be_told_keeps_no_other_waiting() -> None:
    stage = Stage()
    stage.close()
    stage.close("02J", at=NOW + 1, labels={"team": "ads"})
    stage.run()
    tomorrow(stage)
    stage.refusing = {"ads"}

    first = stage.run()
    stage.refusing = set()
    second = stage.run()

    assert [one.team for one in first.told] == ["pay"]
    assert first.untold == {TeamDay("ads", DAY): "the fake refuses"}
    assert [one.team for one in second.told] == ["ads"]
    assert len(stage.told) == 2


def test_digests_that_there_is_no_time_for_are_sent_by_the_next_run() -> None:
    stage = Stage()
    stage.close()
    stage.close("02J", at=NOW + 1, labels={"team": "ads"})
    stage.run()
    tomorrow(stage)

    left = iter([REST_BEFORE_END, REST_BEFORE_END - 1])
    first = stage.run(lambda: next(left))
    second = stage.run()

    assert ([one.team for one in first.told], first.rest) == (["ads"], True)
    assert ([one.team for one in second.told], second.rest) == (["pay"], False)


def test_what_was_told_before_the_ledger_was_lost_is_said() -> None:
    stage = Stage()
    stage.close()
    stage.close("02J", at=NOW + 1, labels={"team": "ads"})
    stage.run()
    tomorrow(stage)
    stage.archive.interrupt = 1

    assert [one.team for one in stage.run().told] == ["ads"]


def test_what_comes_after_the_digest_is_a_late_change() -> None:
    stage = Stage()
    stage.close()
    stage.run()
    tomorrow(stage)
    stage.run()
    stage.close("02J", at=NOW + 1)

    stage.run()

    day = stage.document(DAY_DATA)
    assert (day["broadcasts"], day["late_changes"]) == (2, 1)
    rows = list(csv.DictReader(io.StringIO(stage.objects[DAY_TABLE], newline="")))
    assert [(row["broadcast_id"], row["late_changes"]) for row in rows] == [
        ("01J", "0"),
        ("02J", "1"),
    ]
    assert {row["room"] for row in rows} == {"eu"}


def test_a_report_that_came_late_is_announced_once_however_often_it_is_looked_at() -> None:
    stage = Stage()
    stage.close("02J", at=NOW + 1)
    stage.run()
    tomorrow(stage)
    stage.run()
    late(stage)
    announced = len(stage.events)

    stage.now = stage.ledger.waiting["01J"]
    second = stage.run()

    assert second.reports == []
    assert stage.ledger.waiting == {"01J": NOW + LOOK_UNTIL}
    assert len(stage.events) == announced
    assert stage.document(DAY_DATA)["late_changes"] == 1


def test_no_digest_is_sent_while_reports_wait() -> None:
    stage = Stage()
    stage.close()
    stage.run()
    stage.close("02J", at=NOW + 1)
    tomorrow(stage)

    stage.run(lambda: 5_000)

    assert stage.told == []


@pytest.mark.parametrize("question", [None, [], "x", 7])
def test_what_is_no_question_is_refused(question: object) -> None:
    stage = Stage()

    answered = answer(question, Answerer(stage.ledger, stage.archive, 90, stage.clock))

    assert answered["error"] == "bad_type"


def test_a_question_while_the_ledger_is_down_is_answered_so() -> None:
    stage = Stage(ledger=FakeLedger(down=True))

    answered = answer({"id": "01J"}, Answerer(stage.ledger, stage.archive, 90, stage.clock))

    assert answered["error"] == "unavailable"
