"""The rule cases against the template, as `socketwatch alarms test` runs them."""

from console.alarms.proving import prove
from console.alarms.reading import CASES
from console.alarms.template import read_template


def test_every_alarm_is_proved_and_no_mutant_survives() -> None:
    found = prove(read_template(), CASES)

    assert [*found.faults, *map(str, found.failures), *map(str, found.survivors)] == []
    assert found.alarms == len(found.proved)
