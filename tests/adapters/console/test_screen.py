from hypothesis import given
from hypothesis import strategies as st

from console.readings import Number, Point
from console.screen import COLUMNS, screen
from console.stack import Stack
from console.status import Alarmed, Flow, Reap, Status, Use
from socketwatch.clock import MINUTE
from socketwatch.endings import CLOSED_CATEGORIES
from socketwatch.outcomes import Outcome
from socketwatch.quotas import Quota
from socketwatch.settings import Api
from tests.adapters.console.account import LAST, NOW

STACK = Stack("socketwatch", Api("a1b2c3", "live"), 0)

counts = st.integers(0, 10**12)
numbers = counts | st.floats(-(10**9), 10**9).map(lambda one: round(one, 2))
maybe = st.none() | numbers
flows = st.none().map(lambda none: Flow(none, none)) | st.builds(Flow, maybe, numbers)
uses = st.none() | st.builds(Use, numbers, numbers)
names, few = st.text("AbC", min_size=1, max_size=28), st.integers(0, 60)
times = st.none() | st.integers(NOW - 180 * MINUTE, NOW)
statuses = st.builds(
    Status,
    stack=st.builds(
        Stack,
        st.text("abc-", min_size=1, max_size=128),
        st.builds(Api, st.text("abc1", min_size=1, max_size=20), st.text("s", max_size=128)),
        st.just(0),
    ),
    at=st.just(NOW),
    heard_at=times,
    silent_since=times,
    connected=st.none() | st.builds(Point, st.just(LAST), counts),
    opened=flows,
    closed=flows,
    closed_by=st.none() | st.fixed_dictionaries(dict.fromkeys(CLOSED_CATEGORIES, counts)),
    outcomes=st.none() | st.fixed_dictionaries(dict.fromkeys(map(str, Outcome), counts)),
    quotas=st.fixed_dictionaries(dict.fromkeys(map(str, Quota), uses)),
    connection_budget=uses,
    hours_to_connect_quota=maybe,
    error_budget_left=maybe,
    drift=maybe,
    reap=st.none() | st.builds(Reap, st.just(LAST), st.booleans(), maybe, maybe),
    alarms=st.none() | st.builds(Alarmed, st.lists(names, max_size=60).map(tuple), few, few),
)

SILENT = {"heard_at": None, "silent_since": NOW - 180 * MINUTE}


def status_of(**known: object) -> Status:
    """A status of which only this is known."""
    blank: dict[str, object] = {
        "stack": STACK,
        "at": NOW,
        "heard_at": LAST,
        "silent_since": None,
        "opened": Flow(None, None),
        "closed": Flow(None, None),
        "quotas": dict.fromkeys(map(str, Quota)),
    }
    rest = dict.fromkeys(set(Status.__dataclass_fields__) - set(blank))
    return Status(**(rest | blank | known))  # type: ignore[arg-type]  # fields by name


def row(text: str, label: str) -> str:
    """The one line that begins with the label, its spaces made single."""
    (found,) = [line for line in text.splitlines() if line.startswith(f"  {label} ")]
    return " ".join(found.split())


@given(statuses)
def test_no_line_is_wider_than_the_terminal_and_none_says_nan(status: Status) -> None:
    text = screen(status)

    assert all(len(line) <= COLUMNS for line in text.splitlines())
    assert "nan" not in text


@given(statuses)
def test_it_fits_one_screen(status: Status) -> None:
    assert len(screen(status).splitlines()) <= 50


def test_a_usual_screen_fits_24_lines() -> None:
    quiet: dict[str, Number] = dict.fromkeys(map(str, Outcome), 0)
    usual = status_of(
        connected=Point(LAST, 1_234),
        opened=Flow(12, 10.4),
        closed=Flow(11, 9.75),
        closed_by=dict.fromkeys(CLOSED_CATEGORIES, 0) | {"client": 50},
        outcomes=quiet | {"accepted": 900, "gone": 3},
        drift=0,
    )

    assert len(screen(usual).splitlines()) <= 24


def test_the_first_line_names_the_stack_and_the_time() -> None:
    first = screen(status_of()).splitlines()[0]

    assert first == "socketwatch: API a1b2c3, stage live, 2024-11-11 13:45:45 UTC"


def test_silence_comes_before_everything() -> None:
    first = screen(status_of(silent_since=NOW - 12 * MINUTE)).splitlines()[0]

    assert first.startswith("THE CENSUS IS SILENT since 13:33 UTC, 12 minutes.")


def test_a_silence_whose_beginning_is_not_known_names_none() -> None:
    first = screen(status_of(**SILENT)).splitlines()[0]

    assert first.startswith("THE CENSUS IS SILENT: not heard for 180 minutes.")


def test_a_number_has_its_unit_and_what_good_is() -> None:
    text = screen(status_of(opened=Flow(1_200, 950.5), drift=-2))

    assert row(text, "opened a minute") == (
        "opened a minute 1,200 mean 950.5; good: no sudden leap"
    )
    assert row(text, "drift") == "drift -2 connections in 10 min; good: about 0"


def test_only_outcomes_that_happened_are_listed() -> None:
    outcomes: dict[str, Number] = dict.fromkeys(map(str, Outcome), 0)
    text = screen(status_of(outcomes=outcomes | {"accepted": 996, "failed": 4, "gone": 9}))

    assert row(text, "accepted") == "accepted 996 99.6 % of all but gone and skipped"
    assert row(text, "other outcomes") == "other outcomes 13 gone 9, failed 4"


def test_a_quota_shows_what_is_left() -> None:
    quotas = dict.fromkeys(map(str, Quota)) | {Quota.CALLBACKS: Use(12.5, 87.5)}
    text = screen(status_of(quotas=quotas))

    assert row(text, "@connections calls") == "@connections calls 12.5 87.5 left"


def test_what_is_missing_says_why() -> None:
    text = screen(status_of())

    assert row(text, "connection budget").endswith("no data: no ConnectionBudget is set")
    assert row(text, "connect quota reached in").endswith("no data: not projected")
    assert row(text, "rows still due").endswith("no data yet: the reaper has not run")
    assert row(text, "alarms firing").endswith("- none are deployed")


def test_alarms_that_fire_are_named_and_a_tripped_reaper_is_said() -> None:
    reap, alarms = Reap(LAST, True, 12, 40.5), Alarmed(("SidecarBlind",), 50, 3)
    text = screen(status_of(reap=reap, alarms=alarms))

    assert row(text, "alarms firing").endswith("1 SidecarBlind; 50 ok, 3 without data")
    assert row(text, "ghosts").endswith("40.5 TRIPPED: nothing is closed")


def test_a_reaper_that_stands_still_is_said() -> None:
    ran, stood = Reap(LAST, False, 12, 0), Reap(LAST - 3_600_000, False, 12, 0)

    assert row(screen(status_of(reap=ran)), "rows still due").endswith("good: few")
    assert row(screen(status_of(reap=stood)), "rows still due").endswith(
        "12 STALLED: no run since 12:43 UTC"
    )


def test_a_silent_census_is_why_nothing_is_known() -> None:
    text = screen(status_of(**SILENT))

    assert row(text, "connected").endswith("- no data: the census is silent")
    assert row(text, "connection budget").endswith("- no data: the census is silent")


def test_before_the_first_census_nobody_can_know() -> None:
    text = screen(status_of(heard_at=None))

    assert row(text, "drift").endswith("- no data yet: no census so far")


def test_a_long_note_goes_on_below_itself() -> None:
    closed: dict[str, Number] = dict.fromkeys(CLOSED_CATEGORIES, 1_000)
    lines = screen(status_of(closed_by=closed)).splitlines()

    at = next(n for n, line in enumerate(lines) if line.startswith("  closed in 5 minutes"))
    column = lines[at].index("client")
    assert lines[at + 1][:column].isspace()
    assert not lines[at + 1][column].isspace()
