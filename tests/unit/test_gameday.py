"""The game day's table and what is made of it; the day itself is `make gameday`."""

import asyncio
import json
from collections.abc import Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from click.testing import CliRunner

from console.alarms.template import alarms_of, read_template
from console.cloudwatch.alarm import State
from console.cloudwatch.board import Transition
from local.edge.faults import Does, On
from local.gameday import __main__ as command
from local.gameday import proof
from local.gameday.day import PAST_MINUTES, QUIET_MINUTES, Day, NotQuietError, play_all
from local.gameday.judging import Heard, Verdict, judge
from local.gameday.table import TABLE, Row, TableError, read
from socketwatch.clock import MINUTE as MINUTE_MS

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
        (
            STORM + TIMES + "crowd: dance",
            "a crowd can come back or stay away or come and go, not dance",
        ),
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


@pytest.mark.parametrize(
    ("fires", "over", "missed"),
    [(5, 20, ()), (6, 20, ("Storm",)), (5, 21, ("Storm",))],
)
def test_an_alarm_that_fires_or_ends_later_than_the_row_says_is_a_miss(
    row: Row, fires: int, over: int, missed: tuple[str, ...]
) -> None:
    """It is healed at minute 10: five minutes to fire, ten to be over."""
    verdict = heard(row, (fires, "Storm", State.ALARM), (over, "Storm", State.OK))

    assert verdict.missed == missed
    assert verdict.holds is (not missed)
    assert verdict.fired == {"Storm": fires}


def test_the_table_of_a_day_says_what_was_late(row: Row) -> None:
    verdict = heard(row, (44, "Storm", State.ALARM), (49, "Storm", State.OK))

    (line,) = command._lines([verdict])[2:]
    assert line.split() == ["storm", "Storm", "44", "min", "late", "39", "min", "late"]


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
    late = heard(row, (6, "Storm", State.ALARM), (14, "Storm", State.OK))

    assert proof.write([heard(row), late], "2026-01-31", tmp_path) == []


class Alarms:
    """Alarms that change when they are told to, by minutes since the day began."""

    def __init__(self, *changes: tuple[int, str, State]) -> None:
        self.evaluated = 0
        self.hear: Any = None
        self._changes = changes
        names = ("Storm", "Lag", "Other")
        self._states = dict.fromkeys(names, State.OK)
        told = SimpleNamespace(alarm=("topic",))
        alarms = {name: SimpleNamespace(name=name, actions=told) for name in names}
        self.catalogue = SimpleNamespace(by_logical_id=alarms, logical_id=lambda name: name)
        self.watching = SimpleNamespace(states=self._standing)

    async def reached(self, at: int) -> None:
        """Time passes as soon as somebody waits for it."""
        self.evaluated = at
        for minute, name, after in self._changes:
            if minute * MINUTE_MS == at:
                before, self._states[name] = self._states[name], after
                self.hear(Transition(at // 1_000, name, before, after, ""))

    def _standing(self) -> Mapping[str, Any]:
        return {name: SimpleNamespace(state=state) for name, state in self._states.items()}


class Struck:
    """Faults of an edge; each of them strikes."""

    def inject(self, _fault: Any) -> str:
        return "f1"

    def fired(self, _name: str) -> int:
        return 1

    def heal(self, _name: str) -> None:
        pass


def a_day(*changes: tuple[int, str, State]) -> Day:
    alarms: Any = Alarms(*changes)
    stack: Any = SimpleNamespace(edge=SimpleNamespace(faults=Struck()))
    users: Any = SimpleNamespace(calm=lambda: None)
    day = Day(stack, alarms, users, lambda _line: None)
    alarms.hear = day.hear
    return day


STORM_PASSES = ((3, "Storm", State.ALARM), (6, "Storm", State.OK))


def test_a_fault_is_judged_after_a_quiet_quarter_of_an_hour(row: Row) -> None:
    day = a_day(*STORM_PASSES)

    verdict = asyncio.run(day.play(row))

    assert verdict.holds
    assert day.now() == (6 + QUIET_MINUTES) * MINUTE


def test_what_fires_when_the_expected_is_over_is_spurious_all_the_same(row: Row) -> None:
    day = a_day(*STORM_PASSES, (20, "Other", State.ALARM), (22, "Other", State.OK))

    verdict = asyncio.run(day.play(row))

    assert verdict.spurious == ("Other",)
    assert verdict.restless == ()


@pytest.mark.parametrize("turn", ["come back", "stay away", "come and go"])
def test_a_crowd_is_told_what_to_do_and_calmed_afterwards(turn: str, tmp_path: Path) -> None:
    row = a_row(f"{STORM}{TIMES}crowd: {turn}", tmp_path)
    day, told = a_day(*STORM_PASSES), list[str]()

    async def come_back() -> None:
        told.append("come back")

    users: Any = SimpleNamespace(
        come_back=come_back,
        stay_away=lambda: told.append("stay away"),
        come_and_go=lambda: told.append("come and go"),
        calm=lambda: told.append("calm"),
    )
    day.users = users
    asyncio.run(day.play(row))

    assert told == [turn, "calm"]


def test_an_alarm_that_is_late_is_waited_for_and_missed(row: Row) -> None:
    day = a_day((9, "Storm", State.ALARM), (12, "Storm", State.OK))

    verdict = asyncio.run(day.play(row))

    assert verdict.fired == {"Storm": 9}
    assert verdict.missed == ("Storm",)


def test_what_does_not_become_quiet_is_said_with_all_that_was_seen_and_ends_the_day(
    row: Row,
) -> None:
    fault = PAST_MINUTES + QUIET_MINUTES
    day = a_day((fault + 3, "Storm", State.ALARM))

    verdicts = asyncio.run(play_all(day, [row, row]))

    (verdict,) = verdicts
    assert verdict.restless == ("Storm",)
    assert verdict.missed == ("Storm",)
    assert not verdict.holds
    assert json.loads(json.dumps(command._document(verdicts)))["rows"][0]["restless"] == ["Storm"]


def test_an_allowed_alarm_that_never_ends_does_not_hold(row: Row) -> None:
    day = a_day(*STORM_PASSES, (7, "Lag", State.ALARM))

    verdict = asyncio.run(day.play(row))

    assert (verdict.missed, verdict.spurious, verdict.restless) == ((), (), ("Lag",))
    assert not verdict.holds


def test_no_fault_begins_while_something_is_in_alarm(row: Row) -> None:
    day = a_day((80, "Other", State.ALARM))

    with pytest.raises(NotQuietError, match="nothing is wrong, and yet: Other"):
        asyncio.run(play_all(day, [row]))


@pytest.mark.parametrize("scale", ["0", "-1", "inf"])
def test_a_clock_that_cannot_run_is_refused(scale: str) -> None:
    refused = CliRunner().invoke(command.main, ["--scale", scale])

    assert refused.exit_code == 2
    assert "is not in the range 0<x<inf" in refused.stderr
