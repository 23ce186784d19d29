"""What PutMetricAlarm, PutCompositeAlarm and PutAlarmMuteRule refuse, refused before a deploy.

The limits are those of the API references and of "CloudWatch quotas".
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from graphlib import CycleError, TopologicalSorter

from console.cloudwatch.alarm import DAY, HOUR, MINUTE, Alarm, CompositeAlarm, MetricAlarm, MuteRule
from console.cloudwatch.errors import AlarmRefused, MathError
from console.cloudwatch.kinds import Kind
from console.cloudwatch.metric import Expression, MetricStat, Query
from console.cloudwatch.mute import starts
from console.cloudwatch.plan import plan
from console.cloudwatch.rule import alarms_in, elements, parse_rule

SHORT_PERIODS = (10, 20, 30)
MOST_METRICS = 10
MOST_ACTIONS = 5
MOST_CHILDREN = 100
MOST_ELEMENTS = 500
MOST_RULE_CHARACTERS = 10_240
MOST_DESCRIPTION_CHARACTERS = 1_024
MOST_NAME_CHARACTERS = 255
MOST_ID_CHARACTERS = 255
MOST_EXPRESSION_CHARACTERS = 2_048
MOST_MUTED = 100
MUTE_SECONDS = (MINUTE, 15 * DAY)
COMPOSITE_ACTIONS = ("sns", "lambda", "ssm", "aiops")
"""Services that a composite's action may be of. Source: `AlarmActions` of PutCompositeAlarm."""

_ID = re.compile(r"[a-z][a-zA-Z0-9_]*")


def refuse(alarms: Sequence[Alarm], mutes: Iterable[MuteRule] = ()) -> None:
    """Do nothing where CloudWatch would take all of them.

    Raises:
        AlarmRefused: The first thing it would not take, with the alarm's name.
    """
    by_name: dict[str, Alarm] = {}
    for alarm in alarms:
        if alarm.name in by_name:
            raise AlarmRefused.because(alarm.name, "two alarms have this name")
        by_name[alarm.name] = alarm
        refuse_one(alarm)
    in_order(by_name)
    for rule in mutes:
        for fault in _mute_faults(rule, by_name):
            raise AlarmRefused(f"mute rule {rule.name}: {fault}")


def refuse_one(alarm: Alarm) -> None:
    """The same for one alarm, whatever the others are."""
    for fault in _faults(alarm):
        raise AlarmRefused.because(alarm.name, fault)


def in_order(alarms: Mapping[str, Alarm]) -> list[CompositeAlarm]:
    """The composites, each after the alarms that it asks about.

    Raises:
        AlarmRefused: A rule names an alarm that is not there, or composites ask in a circle.
    """
    needs = {
        alarm.name: set(asked_by(alarm))
        for alarm in alarms.values()
        if isinstance(alarm, CompositeAlarm)
    }
    for name, children in needs.items():
        for child in sorted(children - alarms.keys()):
            raise AlarmRefused.because(name, f"there is no alarm {child}")
    try:
        order = TopologicalSorter(needs).static_order()
        found = [alarms[name] for name in order]
    except CycleError as error:
        raise AlarmRefused(f"composites ask in a circle: {' → '.join(error.args[1])}") from error
    return [alarm for alarm in found if isinstance(alarm, CompositeAlarm)]


def asked_by(alarm: Alarm) -> frozenset[str]:
    """The alarms that a composite's state or actions hang on; none for a metric alarm."""
    if isinstance(alarm, MetricAlarm):
        return frozenset()
    try:
        asked = alarms_in(parse_rule(alarm.rule))
    except AlarmRefused as error:
        raise AlarmRefused.because(alarm.name, str(error)) from error
    return asked | {alarm.suppressor.alarm} if alarm.suppressor else asked


def _faults(alarm: Alarm) -> Iterator[str]:
    if not 0 < len(alarm.name) <= MOST_NAME_CHARACTERS or not alarm.name.isascii():
        yield f"its name has {len(alarm.name)} characters: 1 to {MOST_NAME_CHARACTERS} of ASCII"
    if len(alarm.description) > MOST_DESCRIPTION_CHARACTERS:
        said = f"{len(alarm.description)} characters, and {MOST_DESCRIPTION_CHARACTERS} is the most"
        yield f"its description has {said}"
    actions = alarm.actions
    for of_state in (actions.ok, actions.alarm, actions.insufficient):
        if len(of_state) > MOST_ACTIONS:
            yield f"{len(of_state)} actions on one state, and {MOST_ACTIONS} are the most"
    yield from _metric_faults(alarm) if isinstance(alarm, MetricAlarm) else _rule_faults(alarm)


def _metric_faults(alarm: MetricAlarm) -> Iterator[str]:
    stats = [query.what for query in alarm.queries if isinstance(query.what, MetricStat)]
    if len(stats) > MOST_METRICS:
        yield f"{len(stats)} metrics, and {MOST_METRICS} are the most"
    if len({stat.period for stat in stats}) > 1:
        periods = ", ".join(str(period) for period in sorted({stat.period for stat in stats}))
        yield f"its metrics have several periods: {periods} s"
    if alarm.period not in SHORT_PERIODS and (alarm.period < MINUTE or alarm.period % MINUTE):
        yield f"a period of {alarm.period} s: 10, 20, 30 or a multiple of 60"
    if alarm.periods < 1:
        yield f"{alarm.periods} evaluation periods: at least 1"
    if not 1 <= alarm.datapoints <= alarm.periods:
        yield f"{alarm.datapoints} datapoints of {alarm.periods} to alarm"
    longest = DAY if alarm.period < HOUR else 7 * DAY
    if alarm.period * alarm.periods > longest:
        window = alarm.period * alarm.periods
        yield f"{alarm.periods} periods of {alarm.period} s are {window} s: at most {longest}"
    yield from _math_faults(alarm)


def _math_faults(alarm: MetricAlarm) -> Iterator[str]:
    returned = [place for place, query in enumerate(alarm.queries) if query.returned]
    if len(returned) != 1:
        yield f"{len(returned)} queries return data, and exactly one must"
    if len(alarm.queries) > 1:
        for query in alarm.queries:
            if not _ID.fullmatch(query.id):
                yield f"a query's id is {query.id!r}: a lowercase letter, then letters, digits, _"
    for query in alarm.queries:
        yield from _length_faults(query)
    try:
        made = plan(alarm.queries)
    except MathError as error:
        yield str(error)
        return
    if made.searches:
        yield "SEARCH is not for alarms"
    if any(made.kinds[place] is Kind.LINES for place in returned):
        yield f"it watches {Kind.LINES}, and an alarm watches one"


def _length_faults(query: Query) -> Iterator[str]:
    """Those of `MetricDataQuery`."""
    if len(query.id) > MOST_ID_CHARACTERS:
        most = f"and {MOST_ID_CHARACTERS} is the most"
        yield f"query {query.id[:20]}… has an id of {len(query.id)} characters, {most}"
    if not isinstance(query.what, Expression):
        return
    if len(query.what.text) > MOST_EXPRESSION_CHARACTERS:
        most = f"and {MOST_EXPRESSION_CHARACTERS} is the most"
        yield f"expression {query.id} has {len(query.what.text)} characters, {most}"


def _rule_faults(alarm: CompositeAlarm) -> Iterator[str]:
    for action in (*alarm.actions.ok, *alarm.actions.alarm, *alarm.actions.insufficient):
        # What is no ARN stands for a resource or a parameter that nobody has set.
        if action.startswith("arn:") and action.split(":")[2] not in COMPOSITE_ACTIONS:
            services = "SNS, Lambda, Systems Manager or AI operations"
            yield f"its action {action} is none that a composite takes: {services}"
    if len(alarm.rule) > MOST_RULE_CHARACTERS:
        yield f"its rule has {len(alarm.rule)} characters, and {MOST_RULE_CHARACTERS} is the most"
    try:
        rule = parse_rule(alarm.rule)
        children, parts = len(alarms_in(rule)), elements(rule)
    except AlarmRefused as error:
        yield str(error)
        return
    except RecursionError:
        yield "its rule is nested too deeply"
        return
    if children > MOST_CHILDREN:
        yield f"{children} alarms in its rule, and {MOST_CHILDREN} are the most"
    if parts > MOST_ELEMENTS:
        yield f"{parts} elements in its rule, and {MOST_ELEMENTS} are the most"
    if alarm.suppressor and min(alarm.suppressor.wait, alarm.suppressor.extension) < 0:
        yield "its suppressor's periods are negative"


def _mute_faults(rule: MuteRule, alarms: Mapping[str, Alarm]) -> Iterator[str]:
    if len(rule.alarms) > MOST_MUTED:
        yield f"{len(rule.alarms)} alarms, and {MOST_MUTED} are the most"
    for name in rule.alarms:
        if name not in alarms:
            yield f"there is no alarm {name}"
    shortest, longest = MUTE_SECONDS
    if not shortest <= rule.duration <= longest:
        yield f"it mutes for {rule.duration} s: {shortest} to {longest}"
    try:
        next(starts(rule, 0, 1), None)
    except AlarmRefused as error:
        yield str(error)
