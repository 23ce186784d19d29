from collections import defaultdict

from local.bridge import Line
from local.clock import ScaledClock
from local.edge.points import Points
from local.meters.runs import Runs

ORIGIN = 1_731_326_400_000
REAL_TIME = ScaledClock(scale=1, started=ORIGIN, origin=ORIGIN)
NAMES = {"observe": "s-Observe", "connect": "s-Connect"}
MINUTE = 60_000


def heard(
    runs: Runs, function: str, end: int, took: int, failed: str = "", stream: str = ""
) -> None:
    """Have one invocation logged as the local Lambda logs it: at its end, in its own stream."""
    own = stream or f"{function}-{end}-{took}"
    report = f"REPORT RequestId: 1-2\tDuration: {took} ms\tBilled Duration: {took} ms\tMemory: 1"
    texts = ["START RequestId: 1-2 Version: $LATEST", failed, "END RequestId: 1-2", report]
    for text in filter(None, texts):
        runs.hear(Line(function, end, text, None, own))


def seen(points: list[Points], function: str) -> dict[str, dict[float, int]]:
    found: defaultdict[str, dict[float, int]] = defaultdict(dict)
    for each in points:
        if each.dimensions == (("FunctionName", function),):
            found[each.name] |= each.values
    return dict(found)


def test_a_report_line_is_an_invocation() -> None:
    runs = Runs(NAMES, NAMES.values(), REAL_TIME)
    heard(runs, "observe", ORIGIN + 1_000, 200)
    heard(runs, "observe", ORIGIN + 2_000, 200, failed="Traceback (most recent call last):")
    heard(runs, "observe", ORIGIN + 3_000, 90, failed="Task timed out after 3.00 seconds")
    heard(runs, "connect", ORIGIN + 3_000, 10)
    points = runs.ended(ORIGIN + MINUTE)

    assert seen(points, "s-Observe") == {
        "Invocations": {1: 3},
        "Errors": {0: 1, 1: 2},
        "Duration": {200: 2, 90: 1},
        "ConcurrentExecutions": {1: 1},
    }
    assert seen(points, "s-Connect")["Errors"] == {0: 1}
    assert {each.at for each in points} == {ORIGIN}


def test_concurrency_is_how_many_ran_at_once() -> None:
    runs = Runs(NAMES, NAMES.values(), REAL_TIME)
    heard(runs, "observe", ORIGIN + 500, 400)
    heard(runs, "observe", ORIGIN + 600, 300)
    heard(runs, "connect", ORIGIN + 450, 40)
    heard(runs, "connect", ORIGIN + 900, 300)
    points = runs.ended(ORIGIN + MINUTE)

    (claimed,) = [each for each in points if each.name == "ClaimedAccountConcurrency"]
    assert seen(points, "s-Observe")["ConcurrentExecutions"] == {2: 1}
    assert seen(points, "s-Connect")["ConcurrentExecutions"] == {1: 1}
    assert (claimed.dimensions, dict(claimed.values)) == ((), {3: 1})


def test_only_what_lambda_does_not_count_itself_is_published() -> None:
    runs = Runs(NAMES, ["s-Observe"], REAL_TIME)
    heard(runs, "observe", ORIGIN + 1_000, 200)
    heard(runs, "connect", ORIGIN + 1_000, 200)
    points = runs.ended(ORIGIN + MINUTE)

    assert seen(points, "s-Connect") == {}
    assert seen(points, "s-Observe")["Invocations"] == {1: 1}


def test_a_minute_is_told_once_when_it_is_over() -> None:
    runs = Runs(NAMES, NAMES.values(), REAL_TIME)
    heard(runs, "observe", ORIGIN + 1_000, 1)
    heard(runs, "observe", ORIGIN + MINUTE, 1)
    first, again = runs.ended(ORIGIN + MINUTE), runs.ended(ORIGIN + MINUTE)
    second = runs.ended(ORIGIN + 2 * MINUTE)

    assert {each.at for each in first} == {ORIGIN}
    assert again == []
    assert {each.at for each in second} == {ORIGIN + MINUTE}


def test_on_a_faster_clock_minutes_are_virtual_and_durations_real() -> None:
    clock = ScaledClock(scale=30, started=0, origin=ORIGIN)
    runs = Runs(NAMES, NAMES.values(), clock)
    heard(runs, "observe", clock.virtual(3_000), 500)
    points = runs.ended(ORIGIN + 2 * MINUTE)

    assert {each.at for each in points} == {ORIGIN + MINUTE}
    assert seen(points, "s-Observe")["Duration"] == {500: 1}


def test_what_is_followed_is_told_once_in_the_order_in_which_it_began() -> None:
    runs = Runs(NAMES, NAMES.values(), REAL_TIME)
    runs.follow("s-Observe")
    heard(runs, "observe", ORIGIN + 2_000, 200, failed="Traceback (most recent call last):")
    heard(runs, "observe", ORIGIN + 2_100, 1_000)
    heard(runs, "connect", ORIGIN + 2_200, 10)
    told = [(run.start - ORIGIN, run.failed) for run in runs.followed("s-Observe")]

    assert told == [(1_100, False), (1_800, True)]
    assert runs.followed("s-Observe") == []


def test_a_json_line_and_a_strange_group_tell_nothing() -> None:
    runs = Runs(NAMES, NAMES.values(), REAL_TIME)
    runs.hear(Line("observe", ORIGIN, '{"a": 1}', {"a": 1}, "s"))
    heard(runs, "access", ORIGIN + 1, 5)

    assert runs.ended(ORIGIN + MINUTE) == []
