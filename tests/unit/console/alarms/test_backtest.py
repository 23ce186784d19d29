from samtranslator.yaml_helper import yaml_parse

from console.alarms.backtest import backtest
from console.alarms.screen import backtest_lines
from console.alarms.template import alarms_of
from tests.unit.console.alarms.past import START, Past
from tests.unit.console.alarms.small import TEMPLATE


def past() -> Past:
    """A day with a storm of two percent at one o'clock, and one of nine at three."""
    past = Past()
    past.beat(*range(24 * 60))
    for minute in range(24 * 60):
        share = {1: 2, 3: 9}.get(minute // 60, 0) if minute % 60 < 10 else 0
        past.deliver(minute, 100, share)
    return past


def test_today_and_changed_thresholds_are_told_on_the_same_history() -> None:
    history = past()
    catalogues = [
        alarms_of(yaml_parse(TEMPLATE), {"ThrottledPercent": percent}) for percent in ("1", "5")
    ]
    today, changed = backtest(catalogues, history, START, START + 86_400)
    hour = START + 3_600

    assert today["Throttled"].spells == ((hour + 180, hour + 780), (hour + 7_380, hour + 7_980))
    assert changed["Throttled"].spells == ((hour + 7_380, hour + 7_980),)
    assert (today["Throttled"].told, today["Throttled"].seconds) == (2, 1_200)
    assert today["Users"].told == 2
    assert history.fetches == 1


def test_a_row_an_alarm_that_fired_and_the_number_that_did_not() -> None:
    catalogues = [alarms_of(yaml_parse(TEMPLATE), {"ThrottledPercent": one}) for one in ("1", "5")]
    today, changed = backtest(catalogues, past(), START, START + 86_400)
    lines = list(backtest_lines(today, changed, "ThrottledPercent=5"))

    assert lines[0].endswith("with ThrottledPercent=5: fired, minutes, told")
    assert lines[1].split() == ["Throttled", "2", "20", "2", "1,", "10,", "1"]
    assert lines[2].split()[0] == "today"
    assert lines[-1] == "1 of 3 alarms did not fire"


def test_an_alarm_in_alarm_all_the_time_has_one_spell() -> None:
    (found,) = backtest([alarms_of(yaml_parse(TEMPLATE))], Past(), START, START + 86_400)

    assert found["Blind"].spells == ((START + 60, START + 86_400),)
    assert found["Throttled"].spells == ()
