from samtranslator.yaml_helper import yaml_parse

from console.alarms.states import LOOK_BACK, evaluated, replay
from console.alarms.template import alarms_of
from console.cloudwatch.alarm import State
from tests.unit.console.alarms.past import START, Past
from tests.unit.console.alarms.small import TEMPLATE

NOW = START + LOOK_BACK


def test_alarms_are_replayed_with_one_reading_of_the_past() -> None:
    history = Past()
    history.beat(*range(170))
    found = replay(alarms_of(yaml_parse(TEMPLATE), {"Name": "shop"}), history, START, NOW)

    assert found.spells("shop-Blind") == [(START + 175 * 60, NOW)]
    assert found.spells("shop-Blind", State.OK) == [(START + 60, START + 175 * 60)]
    assert history.fetches == 1


def test_a_state_is_the_last_one_of_the_last_three_hours() -> None:
    history = Past()
    history.beat(*range(170))
    found = evaluated(alarms_of(yaml_parse(TEMPLATE)), history, NOW + 59)

    assert (found["Blind"].state, found["Blind"].since) == (State.ALARM, START + 175 * 60)
    assert (found["Throttled"].state, found["Throttled"].since) == (State.OK, START + 60)
