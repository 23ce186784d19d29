import asyncio
import json
from typing import Any

from local.bridge import CHUNK, OVERLAP_MS, Bridge, Line
from local.clock import ScaledClock
from local.watch import Watch


def metric(value: int, at: int = 1_000, unit: str = "None") -> str:
    measured = {"Name": "m", "Unit": unit}
    directive = {"Namespace": "N", "Dimensions": [["Api"]], "Metrics": [measured]}
    about = {"Timestamp": at, "CloudWatchMetrics": [directive]}
    return json.dumps({"_aws": about, "Api": "a", "m": value})


class FakeLogs:
    """Log groups that answer from a time on, included."""

    def __init__(self) -> None:
        self.events: dict[str, list[dict[str, Any]]] = {}

    def write(self, group: str, message: str, at: int, stream: str = "s") -> None:
        event = {"logStreamName": stream, "timestamp": at, "message": message + "\n"}
        self.events.setdefault(group, []).append(event)

    def filter_log_events(self, logGroupName: str, startTime: int) -> Any:  # noqa: N803 - boto's names
        found = self.events.get(logGroupName, [])
        return {"events": [event for event in found if event["timestamp"] >= startTime]}


class FakeCloudWatch:
    def __init__(self) -> None:
        self.data: list[dict[str, Any]] = []
        self.largest = 0

    def put_metric_data(self, Namespace: str, MetricData: list[dict[str, Any]]) -> None:  # noqa: N803 - boto's names
        assert Namespace == "N"
        self.largest = max(self.largest, len(MetricData))
        self.data += MetricData


REAL_TIME = ScaledClock(scale=1, started=0, origin=0)


def bridged(
    logs: FakeLogs, cloudwatch: FakeCloudWatch, polls: int = 1, clock: ScaledClock = REAL_TIME
) -> list[Line]:
    heard: list[Line] = []
    bridge = Bridge(logs, cloudwatch, ["/aws/lambda/x/observe"], clock)
    bridge.listen(heard.append)

    async def run() -> None:
        for _ in range(polls):
            await bridge.poll()

    asyncio.run(run())
    return heard


def test_the_values_of_emf_lines_become_metrics() -> None:
    logs, cloudwatch = FakeLogs(), FakeCloudWatch()
    logs.write("/aws/lambda/x/observe", metric(7, at=2_000), 2_100)
    logs.write("/aws/lambda/x/observe", "START RequestId: 1", 2_050)

    heard = bridged(logs, cloudwatch)

    assert [line.text[:5] for line in heard] == ["START", '{"_aw']
    assert heard[0].function == "observe"
    assert cloudwatch.data == [
        {
            "MetricName": "m",
            "Unit": "None",
            "Dimensions": [{"Name": "Api", "Value": "a"}],
            "Timestamp": 2.0,
            "Value": 7.0,
        }
    ]


def test_a_line_is_passed_on_once_however_often_it_is_read() -> None:
    logs, cloudwatch = FakeLogs(), FakeCloudWatch()
    logs.write("/aws/lambda/x/observe", metric(1), 2_000)
    logs.write("/aws/lambda/x/observe", metric(1), 2_000, stream="another process")

    heard = bridged(logs, cloudwatch, polls=3)

    assert len(heard) == len(cloudwatch.data) == 2


def test_on_a_faster_clock_lines_are_told_in_its_time() -> None:
    logs, cloudwatch = FakeLogs(), FakeCloudWatch()
    logs.write("/aws/lambda/x/observe", "START RequestId: 1", 2_000, stream="s1")

    heard = bridged(logs, cloudwatch, clock=ScaledClock(scale=30, started=1_000, origin=90_000))

    assert [(line.at, line.stream) for line in heard] == [(120_000, "s1")]


def test_on_a_faster_clock_milliseconds_are_given_back_as_real_ones() -> None:
    logs, cloudwatch = FakeLogs(), FakeCloudWatch()
    for unit in ("Milliseconds", "Seconds", "Count"):
        logs.write("/aws/lambda/x/observe", metric(60, at=120_000, unit=unit), 2_000)

    bridged(logs, cloudwatch, clock=ScaledClock(scale=30, started=1_000, origin=90_000))

    assert {datum["Unit"]: datum["Value"] for datum in cloudwatch.data} == {
        "Milliseconds": 2,
        "Seconds": 60,
        "Count": 60,
    }
    assert {datum["Timestamp"] for datum in cloudwatch.data} == {120}


def test_a_line_that_appears_late_is_still_read() -> None:
    logs, cloudwatch = FakeLogs(), FakeCloudWatch()
    bridge = Bridge(logs, cloudwatch, ["g"], REAL_TIME)

    async def run() -> None:
        logs.write("g", metric(1), 9_000)
        await bridge.poll()
        logs.write("g", metric(2), 9_000 - OVERLAP_MS)
        await bridge.poll()

    asyncio.run(run())

    assert [datum["Value"] for datum in cloudwatch.data] == [1.0, 2.0]


def test_many_values_go_in_chunks() -> None:
    logs, cloudwatch = FakeLogs(), FakeCloudWatch()
    for number in range(2 * CHUNK + 1):
        logs.write("/aws/lambda/x/observe", metric(number), 2_000)

    bridged(logs, cloudwatch)

    assert len(cloudwatch.data) == 2 * CHUNK + 1
    assert cloudwatch.largest == CHUNK


def test_a_watch_sums_counters_and_notices_what_a_sound_run_never_has() -> None:
    watch = Watch()
    lines = [
        (metric(3), json.loads(metric(3))),
        ("Traceback (most recent call last):", None),
        ('{"level": "ERROR"}', {"level": "ERROR"}),
        ('{"level": "WARNING"}', {"level": "WARNING"}),
        ("Task timed out after 3.00 seconds", None),
    ]
    for number, (text, document) in enumerate(lines):
        watch.hear(Line("connect", 1, text, document, stream=str(number)))

    assert watch.total("m") == 3
    assert [fault.split(":")[0] for fault in watch.faults] == ["connect"] * 3


def test_a_traceback_is_kept_whole_and_apart_from_what_others_say() -> None:
    watch = Watch()
    for stream, text in [
        ("one", "Traceback (most recent call last):"),
        ("other", "all is well"),
        ("one", '  File "report.py", line 1, in handler'),
        ("one", "KeyError: 'closed'"),
    ]:
        watch.hear(Line("report", 1, text, None, stream))

    (fault,) = watch.faults
    assert fault.startswith("report: Traceback")
    assert fault.endswith("\nKeyError: 'closed'")
    assert "all is well" not in fault
