import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.cloudwatch.alarm import MissingData, State
from console.cloudwatch.verdict import EXTRA, Keep, verdict

OK, ALARM, NONE, KEEP = State.OK, State.ALARM, State.INSUFFICIENT_DATA, Keep.KEEP
TREATMENTS = (
    MissingData.MISSING,
    MissingData.IGNORE,
    MissingData.BREACHING,
    MissingData.NOT_BREACHING,
)

breaches = st.lists(st.sampled_from([True, False, None]), min_size=1, max_size=12)
treatments = st.sampled_from(TREATMENTS)


def seen(points: str) -> list[bool | None]:
    return [{"0": False, "X": True, "-": None}[point] for point in points]


# "Configuring how CloudWatch alarms treat missing data": N is 3 in both tables, and the range 5.
@pytest.mark.parametrize(
    ("datapoints", "points", "states"),
    [
        (3, "0-X-X", (OK, OK, OK, OK)),
        (3, "0----", (OK, OK, OK, OK)),
        (3, "-----", (NONE, KEEP, ALARM, OK)),
        (3, "0XX-X", (ALARM, ALARM, ALARM, ALARM)),
        (3, "--X--", (ALARM, KEEP, ALARM, OK)),
        (2, "0-X-X", (ALARM, ALARM, ALARM, ALARM)),
        (2, "00X0X", (ALARM, ALARM, ALARM, ALARM)),
        (2, "0-X--", (OK, OK, ALARM, OK)),
        (2, "----0", (OK, OK, ALARM, OK)),
        (2, "---X-", (ALARM, KEEP, ALARM, OK)),
    ],
)
def test_the_published_tables_hold_to_the_cell(
    datapoints: int, points: str, states: tuple[State | Keep, ...]
) -> None:
    found = tuple(verdict(seen(points), datapoints, 3, missing) for missing in TREATMENTS)

    assert found == states


@pytest.mark.parametrize("points", ["----X", "---X-"])
@pytest.mark.parametrize("missing", [MissingData.MISSING, MissingData.IGNORE])
def test_a_late_breach_among_missing_data_is_no_alarm_at_once(
    points: str, missing: MissingData
) -> None:
    assert verdict(seen(points), 3, 3, missing) is not ALARM


def test_what_is_older_than_the_range_is_not_looked_at() -> None:
    assert verdict(seen("XXX" + "-" * 5), 3, 3, MissingData.MISSING) is NONE
    assert verdict(seen("XXX" + "-" * 5), 3, 3, MissingData.IGNORE) is KEEP


@given(breaches, st.integers(1, 5), treatments)
def test_asking_for_fewer_datapoints_never_unmakes_an_alarm(
    points: list[bool | None], periods: int, missing: MissingData
) -> None:
    found = [verdict(points, m, periods, missing) is ALARM for m in range(1, periods + 1)]

    # By the premature rule alone can a greater M keep the state where a smaller one alarms.
    assert found == sorted(found, reverse=True)


@given(breaches, st.integers(1, 5), st.data(), treatments)
def test_one_breach_more_never_unmakes_an_alarm(
    points: list[bool | None], periods: int, data: st.DataObject, missing: MissingData
) -> None:
    datapoints = data.draw(st.integers(1, periods))
    place = data.draw(st.integers(0, len(points) - 1))
    before = verdict(points, datapoints, periods, missing)
    if points[place] is False:
        points[place] = True

        assert before is not ALARM or verdict(points, datapoints, periods, missing) is ALARM


@given(breaches, st.integers(1, 5), st.data())
def test_treatments_differ_only_where_data_are_missing(
    points: list[bool | None], periods: int, data: st.DataObject
) -> None:
    datapoints = data.draw(st.integers(1, periods))
    there = [point for point in points[-(periods + EXTRA) :] if point is not None]
    found = {verdict(points, datapoints, periods, missing) for missing in TREATMENTS}
    if len(there) >= periods:
        assert found == {ALARM if sum(there[-periods:]) >= datapoints else OK}


@given(breaches, st.integers(1, 5), st.data())
def test_breaching_alarms_wherever_any_treatment_does_and_not_breaching_least(
    points: list[bool | None], periods: int, data: st.DataObject
) -> None:
    datapoints = data.draw(st.integers(1, periods))
    by = {missing: verdict(points, datapoints, periods, missing) for missing in TREATMENTS}

    if by[MissingData.NOT_BREACHING] is ALARM:
        assert set(by.values()) == {ALARM}
    if by[MissingData.MISSING] is ALARM:
        assert by[MissingData.BREACHING] is ALARM
