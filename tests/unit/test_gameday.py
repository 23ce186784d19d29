"""The game day's table and what is made of it; the day itself is `make gameday`."""

from pathlib import Path

import pytest

from console.alarms.template import alarms_of, read_template
from console.cloudwatch.alarm import State
from console.cloudwatch.board import Transition
from local.edge.faults import Does, On
from local.gameday import proof
from local.gameday.judging import Heard, Verdict, judge
from local.gameday.table import TABLE, Row, TableError, read

FUNCTIONS = ("Observe", "Census", "Reap")
ROOT = Path(__file__).parents[2]
MINUTE = 60


def alarms() -> frozenset[str]:
    declared = read_template()["Parameters"]
    numbers = {
        name: "1"
        for name, one in declared.items()
        if one.get("Type") == "Number" and "Default" not in one
    }
    return frozenset(alarms_of(read_template(), numbers).by_logical_id)


def a_row(text: str, tmp_path: Path) -> Row:
    path = tmp_path / "gameday.yaml"
    path.write_text("faults:\n  - " + text.replace("\n", "\n    "))
    (row,) = read(path, {"Storm", "Lag"}, FUNCTIONS)
    return row


STORM = 'name: storm\ninject: [{ "on": post, does: status, status: 429 }]\nfires: [Storm]\n'
TIMES = "within: 5m\nclears: 10m\n"


@pytest.fixture
def row(tmp_path: Path) -> Row:
    return a_row(STORM + TIMES + "may: {Lag: it waits}", tmp_path)


def moved(at: int, before: State, after: State) -> Transition:
    return Transition(at * MINUTE, "sw", before, after, "")


def heard(row: Row, *changes: tuple[int, str, State]) -> Verdict:
    """The verdict on a fault that began at minute 0 and was healed at minute 10."""
    found = Heard(began=0, healed=10 * MINUTE)
    for at, alarm, after in changes:
        found.hear(moved(at, State.OK, after), alarm)
    return judge(row, found, {"Storm", "Lag", "Other"}, [])


def test_the_days_faults_are_those_that_must_be_proved() -> None:
    rows = read(TABLE, alarms(), FUNCTIONS)

    assert {row.name for row in rows} >= {
        "429 storm",
        "gateway 5xx",
        "reconnect storm",
        "silent vanishing",
        "stream consumer down",
        "reaper down",
        "wrong endpoint",
        "registry throttled",
        "sidecar stopped",
    }


def test_every_runbook_that_names_a_fault_names_one_of_the_table() -> None:
    names = {row.name for row in read(TABLE, alarms(), FUNCTIONS)}
    for path in (ROOT / "alarms/runbooks").glob("*.md"):
        text = path.read_text()
        if "Game day: " in text:
            named = text.partition("Game day: ")[2].partition(", run by")[0]

            assert set(named.split(", ")) <= names, path.name


def test_a_fault_is_read_as_the_edge_takes_it(row: Row) -> None:
    (fault,) = row.inject

    assert (fault.on, fault.does, fault.status) == (On.POST, Does.STATUS, 429)
    assert (row.within, row.clears) == (5, 10)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (STORM + TIMES + "stops: [Reap]", "unknown stops"),
        (STORM.replace("[Storm]", "[Rain]") + TIMES, "there is no alarm Rain"),
        (STORM + TIMES + "stop: [Cook]", "there is no function Cook"),
        (STORM.replace("fires: [Storm]", "may: {}") + TIMES, "no alarm must fire"),
        ("name: calm\nfires: [Storm]\n" + TIMES, "nothing goes wrong"),
        (STORM.replace("429", "200") + TIMES, "status must be"),
        (STORM + "within: soon\nclears: 1m", "such as 15m, not soon"),
        (STORM + TIMES + "crowd: dance", "a crowd can come back or stay away, not dance"),
    ],
)
def test_a_row_that_cannot_be_played_is_refused_by_name(
    text: str, why: str, tmp_path: Path
) -> None:
    with pytest.raises(TableError, match=why):
        a_row(text, tmp_path)


def test_what_fires_in_time_and_ends_holds(row: Row) -> None:
    verdict = heard(row, (3, "Storm", State.ALARM), (14, "Storm", State.OK))

    assert verdict.holds
    assert (verdict.fired, verdict.cleared) == ({"Storm": 3}, {"Storm": 4})


def test_silence_is_a_miss(row: Row) -> None:
    assert heard(row).missed == ("Storm",)


def test_an_alarm_that_does_not_end_is_a_miss(row: Row) -> None:
    again = heard(
        row, (3, "Storm", State.ALARM), (11, "Storm", State.OK), (12, "Storm", State.ALARM)
    )

    assert again.missed == ("Storm",)


def test_an_alarm_of_something_else_is_spurious_and_an_allowed_one_is_not(row: Row) -> None:
    verdict = heard(
        row,
        (3, "Storm", State.ALARM),
        (4, "Lag", State.ALARM),
        (5, "Other", State.ALARM),
        (6, "Part", State.ALARM),
        (14, "Storm", State.OK),
    )

    assert verdict.spurious == ("Other",)
    assert not verdict.holds


def test_a_fault_that_never_struck_proves_nothing(row: Row) -> None:
    found = Heard(began=0, healed=0, fired={"Storm": 60}, over={"Storm": 120})

    assert not judge(row, found, {"Storm"}, ["post status"]).holds


def test_what_was_proved_is_written_into_the_runbook(row: Row, tmp_path: Path) -> None:
    runbook = tmp_path / "Storm.md"
    runbook.write_text("# Storm\n\nProven: never on this stack\n")
    verdict = heard(row, (3, "Storm", State.ALARM), (14, "Storm", State.OK))

    assert proof.write([verdict], "2026-01-31", tmp_path) == ["Storm"]
    assert runbook.read_text() == (
        "# Storm\n\nProven: 2026-01-31, storm: fired after 3 min, over 4 min after healing\n"
    )


def test_what_was_missed_is_not_proved(row: Row, tmp_path: Path) -> None:
    (tmp_path / "Storm.md").write_text("Proven: never on this stack\n")

    assert proof.write([heard(row)], "2026-01-31", tmp_path) == []
