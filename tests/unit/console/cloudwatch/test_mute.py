from datetime import UTC, datetime

import pytest

from console.cloudwatch.alarm import MuteRule
from console.cloudwatch.errors import AlarmRefused
from console.cloudwatch.mute import ends, muted, starts, windows

HOUR = 3_600


def at(text: str) -> int:
    return round(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp())


def rule(expression: str, duration: int = HOUR, **more: object) -> MuteRule:
    return MuteRule("m", ("a",), expression, duration, **more)  # type: ignore[arg-type] # by name


# The scenarios of "Alarm Mute Rules".
@pytest.mark.parametrize(
    ("expression", "since", "until", "begins"),
    [
        ("cron(0 2 * * SUN)", "2026-11-16", "2026-11-30", ["2026-11-22T02:00", "2026-11-29T02:00"]),
        ("cron(0 1 1 * *)", "2026-11-02", "2027-01-02", ["2026-12-01T01:00", "2027-01-01T01:00"]),
        ("cron(0 18 * * FRI)", "2026-11-16", "2026-11-22", ["2026-11-20T18:00"]),
        ("cron(0 23 * * *)", "2026-11-16", "2026-11-18", ["2026-11-16T23:00", "2026-11-17T23:00"]),
        ("at(2026-12-23T00:00)", "2026-11-16", "2027-01-01", ["2026-12-23T00:00"]),
        (
            "cron(30,45 9-10 * NOV MON-TUE)",
            "2026-11-16",
            "2026-11-17",
            ["2026-11-16T09:30", "2026-11-16T09:45", "2026-11-16T10:30", "2026-11-16T10:45"],
        ),
        ("cron(0 0 13 * 5)", "2026-11-06", "2026-11-14", ["2026-11-06", "2026-11-13"]),
        ("cron(0 0 * * 7)", "2026-11-16", "2026-11-23", ["2026-11-22"]),
    ],
)
def test_when_a_rule_begins(expression: str, since: str, until: str, begins: list[str]) -> None:
    assert list(starts(rule(expression), at(since), at(until))) == [at(one) for one in begins]


def test_a_time_zone_moves_the_clock_with_the_season() -> None:
    berlin = rule("cron(0 2 * * *)", timezone="Europe/Berlin")

    assert list(starts(berlin, at("2026-07-01"), at("2026-07-02"))) == [at("2026-07-01T00:00")]
    assert list(starts(berlin, at("2026-12-01"), at("2026-12-02"))) == [at("2026-12-01T01:00")]


def test_a_rule_begins_only_between_its_dates() -> None:
    bounded = rule("cron(0 2 * * *)", since=at("2026-11-17"), until=at("2026-11-19"))

    assert list(starts(bounded, at("2026-11-01"), at("2026-12-01"))) == [
        at("2026-11-17T02:00"),
        at("2026-11-18T02:00"),
    ]


def test_an_alarm_is_muted_from_the_beginning_to_before_the_end() -> None:
    nightly = rule("cron(0 23 * * *)", 2 * HOUR)
    inside = [at("2026-11-16T23:00"), at("2026-11-17T00:59")]
    outside = [at("2026-11-16T22:59"), at("2026-11-17T01:00")]

    assert all(muted([nightly], "a", moment) for moment in inside)
    assert not any(muted([nightly], "a", moment) for moment in outside)
    assert not muted([nightly], "b", inside[0])
    assert windows(nightly, inside[1], inside[1] + 1) == [(inside[0], outside[1])]
    assert ends([nightly], inside[0], outside[1]) == [outside[1]]


@pytest.mark.parametrize(
    ("expression", "said"),
    [
        ("rate(1 day)", "neither cron"),
        ("cron(0 2 * *)", "4 fields"),
        ("cron(60 2 * * *)", "'60' is no minute"),
        ("cron(0 2 * * FUN)", "'FUN' is no day of the week"),
        ("cron(0 5-2 * * *)", "'5-2' is no hour"),
        ("at(tomorrow)", r"at\(yyyy-MM-ddThh:mm\)"),
    ],
)
def test_what_is_no_expression_is_refused(expression: str, said: str) -> None:
    with pytest.raises(AlarmRefused, match=said):
        list(starts(rule(expression), 0, 1))


def test_what_is_no_time_zone_is_refused() -> None:
    with pytest.raises(AlarmRefused, match="no time zone"):
        list(starts(rule("cron(0 2 * * *)", timezone="Mars/Olympus"), 0, 1))
