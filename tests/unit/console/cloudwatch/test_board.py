import pytest

from console.cloudwatch.alarm import (
    Actions,
    Alarm,
    Comparison,
    CompositeAlarm,
    MetricAlarm,
    MuteRule,
    State,
    Suppressor,
)
from console.cloudwatch.board import Board, Notification, by_name
from console.cloudwatch.metric import MetricId, MetricStat, Query

OK, ALARM, NONE = State.OK, State.ALARM, State.INSUFFICIENT_DATA
TOLD = Actions(ok=("fine",), alarm=("page",), insufficient=("lost",))
SILENT = Actions()
METRIC = MetricStat(MetricId.of("Mine", "A", {}), 60, "Sum")


def metric(name: str, actions: Actions = SILENT) -> MetricAlarm:
    return MetricAlarm(name, (Query("m1", METRIC),), 1, Comparison.GREATER, 1, 1, actions=actions)


def board(*alarms: Alarm, mutes: tuple[MuteRule, ...] = ()) -> Board:
    return Board(by_name(alarms), mutes)


def suppressed() -> Board:
    """AWS's examples: the wait is 2 units of time, the extension 3; all is well at 0."""
    composite = CompositeAlarm(
        "composite", "ALARM(child)", TOLD, suppressor=Suppressor("suppressor", 2, 3)
    )
    made = board(metric("child"), metric("suppressor"), composite)
    made.advance(-10, {"child": (OK, ""), "suppressor": (OK, "")})
    made.advance(0, {})
    made.taken()
    return made


def told(board: Board) -> list[tuple[int, State]]:
    return [(one.at, one.after) for one in board.notifications]


def play(board: Board, *moments: tuple[int, str, State]) -> list[tuple[int, State]]:
    for at, name, state in moments:
        board.advance(at, {name: (state, "")})
    board.advance(20, {})
    return told(board)


def test_example_1_actions_run_when_the_wait_is_over() -> None:
    assert play(suppressed(), (2, "child", ALARM)) == [(4, ALARM)]


def test_example_2_a_suppressor_in_time_discards_the_wait() -> None:
    assert play(suppressed(), (2, "child", ALARM), (3, "suppressor", ALARM)) == []


def test_example_3_a_new_state_begins_a_new_wait() -> None:
    assert play(suppressed(), (2, "child", ALARM), (3, "child", OK)) == [(5, OK)]


def test_example_4_a_suppressor_in_alarm_stops_actions_at_once() -> None:
    assert play(suppressed(), (1, "suppressor", ALARM), (2, "child", ALARM)) == []


def test_example_5_actions_run_when_the_extension_is_over() -> None:
    moments = ((2, "child", ALARM), (3, "suppressor", ALARM), (6, "suppressor", OK))

    assert play(suppressed(), *moments) == [(9, ALARM)]


def test_example_6_a_new_state_in_the_extension_begins_a_wait() -> None:
    moments = (
        (2, "child", ALARM),
        (3, "suppressor", ALARM),
        (6, "suppressor", OK),
        (7, "child", OK),
    )

    assert play(suppressed(), *moments) == [(9, OK)]


def test_a_suppressor_that_comes_with_the_end_of_the_wait_is_in_time() -> None:
    assert play(suppressed(), (2, "child", ALARM), (4, "suppressor", ALARM)) == []


def test_what_had_been_told_before_the_suppressor_is_not_told_again_after_it() -> None:
    moments = ((2, "child", ALARM), (5, "suppressor", ALARM), (8, "suppressor", OK))

    assert play(suppressed(), *moments) == [(4, ALARM)]


def test_actions_run_once_when_a_state_is_entered_from_another() -> None:
    made = board(metric("a", TOLD))
    for at, state in enumerate([OK, OK, ALARM, ALARM, NONE, OK]):
        made.advance(at, {"a": (state, f"why {at}")})

    assert made.notifications == [
        Notification(0, "a", NONE, OK, "fine", "why 0"),
        Notification(2, "a", OK, ALARM, "page", "why 2"),
        Notification(4, "a", ALARM, NONE, "lost", "why 4"),
        Notification(5, "a", NONE, OK, "fine", "why 5"),
    ]


def test_actions_that_are_not_enabled_do_not_run() -> None:
    made = board(metric("a", Actions(alarm=("page",), enabled=False)))
    made.advance(0, {"a": (ALARM, "")})

    assert [one.after for one in made.transitions] == [ALARM]
    assert made.notifications == []


def test_composites_follow_their_children_at_once_and_each_other_in_order() -> None:
    made = board(
        CompositeAlarm("top", "NOT OK(middle)", TOLD),
        CompositeAlarm("middle", "ALARM(a) OR ALARM(b)"),
        metric("a"),
        metric("b"),
    )
    made.advance(60, {"a": (OK, "")})
    made.advance(120, {"b": (ALARM, "")})
    made.advance(180, {"b": (NONE, "")})

    assert [(one.at, one.alarm, one.after) for one in made.transitions if one.alarm == "top"] == [
        (60, "top", OK),
        (120, "top", ALARM),
        (180, "top", OK),
    ]


def test_a_composite_is_true_or_false_before_its_children_have_data() -> None:
    made = board(metric("a"), CompositeAlarm("top", "ALARM(a)"))
    made.advance(60, {})

    assert made.states == {"a": NONE, "top": OK}


def test_a_composite_names_the_children_that_made_it_so_as_cloudwatch_does() -> None:
    """The words are those of the samples in "Alarm events and EventBridge"."""
    made = board(
        metric("a"),
        metric("b"),
        metric("c"),
        CompositeAlarm("top", "(ALARM(a) OR ALARM(b)) AND NOT ALARM(c)"),
    )
    noon = 1_658_505_465
    made.advance(noon - 180, {})
    made.advance(noon - 120, {"a": (OK, ""), "b": (OK, ""), "c": (ALARM, "")})
    made.advance(noon - 60, {"b": (ALARM, "")})
    made.advance(noon, {"c": (OK, "")})
    made.advance(noon + 60, {"b": (NONE, "")})
    made.advance(noon + 120, {"a": (ALARM, ""), "b": (ALARM, "")})

    assert [one.reason for one in made.transitions if one.alarm == "top"] == [
        "top was created and its alarm rule evaluates to OK",
        "c transitioned to OK at Friday 22 July, 2022 15:57:45 UTC",
        "b transitioned to INSUFFICIENT_DATA at Friday 22 July, 2022 15:58:45 UTC",
        (
            "a transitioned to ALARM at Friday 22 July, 2022 15:59:45 UTC, "
            "b transitioned to ALARM at Friday 22 July, 2022 15:59:45 UTC"
        ),
    ]


def test_a_composite_of_composites_names_those_below_it_and_tells_it_to_its_topics() -> None:
    made = board(
        CompositeAlarm("top", "ALARM(middle) OR ALARM(b)", TOLD),
        CompositeAlarm("middle", "ALARM(a)"),
        metric("a"),
        metric("b"),
    )
    made.advance(0, {"a": (OK, ""), "b": (OK, "")})
    made.taken()
    made.advance(60, {"a": (ALARM, "")})

    (told_of,) = made.notifications
    assert (
        told_of.reason == "middle transitioned to ALARM at Thursday 01 January, 1970 00:01:00 UTC"
    )


HOUR_MUTE = MuteRule("deploy", ("a",), "at(1970-01-01T01:00)", 3_600)


def muted(*moments: tuple[int, State]) -> list[tuple[int, State]]:
    made = board(metric("a", TOLD), metric("b", TOLD), mutes=(HOUR_MUTE,))
    made.advance(60, {"a": (OK, "")})
    made.taken()
    for at, state in moments:
        made.advance(at, {"a": (state, "")})
    made.advance(20_000, {})
    return told(made)


@pytest.mark.parametrize(
    ("moments", "told_of"),
    [
        (((3_540, ALARM),), [(3_540, ALARM)]),
        (((3_600, ALARM),), [(7_200, ALARM)]),
        (((4_000, ALARM), (5_000, OK)), [(7_200, OK)]),
        (((4_000, ALARM), (7_200, OK)), [(7_200, OK)]),
        (((7_200, ALARM),), [(7_200, ALARM)]),
    ],
)
def test_what_was_muted_is_told_when_the_mute_ends_and_the_state_still_is(
    moments: tuple[tuple[int, State], ...], told_of: list[tuple[int, State]]
) -> None:
    assert muted(*moments) == told_of


def test_a_mute_is_for_its_own_alarms_alone() -> None:
    made = board(metric("b", TOLD), mutes=(HOUR_MUTE,))
    made.advance(4_000, {"b": (ALARM, "")})

    assert told(made) == [(4_000, ALARM)]
