"""An alarm tells quiet from blind only where the census writes zeros to what it counts."""

from collections.abc import Iterator
from typing import Any

import pytest
from samtranslator.yaml_helper import yaml_parse

from socketwatch import minute
from socketwatch.metrics import CATALOGUE, NAMESPACE, Statistic
from tests.template.templates import ROOT

ALARMS = yaml_parse((ROOT / "alarms" / "template.yaml").read_text())
BY_NAME = {metric.name: metric for metric in CATALOGUE}
ZEROS = {(one.metric.name, one.value) for one in minute.zeros()}


def read_by_alarms(node: Any) -> Iterator[tuple[str, str]]:
    """The metrics of ours that stand anywhere below, each with the value of its own dimension."""
    if isinstance(node, list):
        for each in node:
            yield from read_by_alarms(each)
    if not isinstance(node, dict):
        return
    if node.get("Namespace") == NAMESPACE:
        own = BY_NAME[node["MetricName"]].dimension
        values = [each["Value"] for each in node["Dimensions"] if each["Name"] == own]
        yield node["MetricName"], "".join(values)
    for each in node.values():
        yield from read_by_alarms(each)


COUNTERS = sorted(
    (name, value)
    for name, value in set(read_by_alarms(ALARMS))
    if BY_NAME[name].statistic is Statistic.SUM and name != "Heartbeat"
)


@pytest.mark.parametrize(("name", "value"), COUNTERS)
def test_every_counter_that_an_alarm_reads_is_written_as_a_zero(name: str, value: str) -> None:
    assert (name, value) in ZEROS


def test_the_alarms_read_counters_with_and_without_a_dimension_of_their_own() -> None:
    assert ("DeliveriesValid", "") in COUNTERS
    assert ("Deliveries", "throttled") in COUNTERS
