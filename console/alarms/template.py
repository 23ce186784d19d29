"""Alarms out of a CloudFormation template.

A property that is not known is refused, not passed over: it might change what the alarm does.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any

import yaml
from samtranslator.yaml_helper import yaml_parse

from console.alarms.properties import composite_alarm, metric_alarm, mute_rule
from console.cloudwatch.alarm import Alarm, MuteRule
from console.cloudwatch.errors import AlarmRefused
from console.cloudwatch.limits import asked_by, refuse
from console.errors import ConsoleError
from local.intrinsics import Scope, UnresolvedError

Template = Mapping[str, Any]

TEMPLATE = Path(__file__).parents[2] / "alarms" / "template.yaml"

PSEUDO = {
    "AWS::AccountId": "123456789012",
    "AWS::Partition": "aws",
    "AWS::Region": "us-east-1",
    "AWS::StackId": "arn:aws:cloudformation:us-east-1:123456789012:stack/alarms/0",
    "AWS::StackName": "alarms",
    "AWS::URLSuffix": "amazonaws.com",
}
"""What the pseudo parameters mean where nobody says otherwise."""

SECTIONS = ("Parameters", "Conditions", "Mappings", "Resources")
"""The sections that are read; each is a mapping of names to mappings."""

METRIC, COMPOSITE = "AWS::CloudWatch::Alarm", "AWS::CloudWatch::CompositeAlarm"
MUTE = "AWS::CloudWatch::AlarmMuteRule"


_MALFORMED = (AttributeError, KeyError, OverflowError, RecursionError, TypeError, ValueError)


@dataclass(frozen=True, slots=True)
class Catalogue:
    """The alarms of a template.

    Attributes:
        by_logical_id: the same alarms; a logical id never changes with the stack's name.
        parameters: the effective ones, defaults included.
    """

    by_logical_id: Mapping[str, Alarm]
    mutes: tuple[MuteRule, ...]
    parameters: Mapping[str, str]

    @property
    def alarms(self) -> tuple[Alarm, ...]:
        """All of them, in the template's order."""
        return tuple(self.by_logical_id.values())

    def logical_id(self, name: str) -> str:
        """The logical id of the alarm of that name."""
        return next(one for one, alarm in self.by_logical_id.items() if alarm.name == name)


def read_template(path: Path = TEMPLATE) -> Template:
    """The template in a file.

    Raises:
        ConsoleError: It cannot be read, or is no template.
    """
    try:
        found = yaml_parse(path.read_text())
    except OSError as error:
        raise ConsoleError(f"{path}: {error.strerror}") from error
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        # No text, a date or number that is none, and nesting without end are no YAMLError.
        raise ConsoleError(f"{path}: {' '.join(str(error).split())}") from error
    if not isinstance(found, dict) or "Resources" not in found:
        raise ConsoleError(f"{path}: no template: it has no Resources")
    fault = next(chain(_misshapen(found), _untyped(found)), None)
    if fault:
        raise ConsoleError(f"{path}: {fault}")
    return found


def alarms_of(
    template: Template | Path,
    parameters: Mapping[str, str] | None = None,
    resources: Mapping[str, str] | None = None,
) -> Catalogue:
    """The alarms of a template, as CloudFormation would make them.

    Of *parameters*, pseudo parameters among them, one that has no default and is not set means its
    own name, but a number must be set. *resources* are physical ids by logical id; one that is not
    given means its logical id.

    Raises:
        ConsoleError: A parameter is unknown or missing, a value cannot be resolved, a property is
            not known, or CloudWatch would refuse an alarm.
    """
    body = read_template(template) if isinstance(template, Path) else template
    effective = _parameters(body, parameters or {})
    names, scope = _scope(body, effective, resources or {})
    found: dict[str, Alarm] = {}
    mutes: list[MuteRule] = []
    for logical_id, kind, properties in _resources(body, scope):
        with _refusing(logical_id):
            if kind == METRIC:
                found[logical_id] = metric_alarm(names[logical_id], logical_id, properties)
            elif kind == COMPOSITE:
                found[logical_id] = composite_alarm(names[logical_id], logical_id, properties)
            else:
                mutes.append(mute_rule(names[logical_id], logical_id, properties))
    refuse(tuple(found.values()), mutes)
    return Catalogue(found, tuple(mutes), effective)


def with_children(alarm: Alarm, catalogue: Catalogue) -> tuple[Alarm, ...]:
    """An alarm and all that its state or its actions hang on."""
    by_name = {one.name: one for one in catalogue.alarms}
    found = {alarm.name: alarm}
    left = [alarm]
    while left:
        for name in sorted(asked_by(left.pop()) - found.keys()):
            found[name] = by_name[name]
            left.append(by_name[name])
    return tuple(found.values())


def _misshapen(template: Template) -> Iterator[str]:
    """What is wrong with the sections; the first is to be mended before the next is looked at."""
    for section in SECTIONS:
        entries = template.get(section, {})
        if not isinstance(entries, dict):
            yield f"{section} is no mapping: leave it out where it has nothing"
        for name, one in entries.items():
            if not isinstance(name, str):
                yield f"{name} in {section} is no name: put it in quotes"
            if not isinstance(one, dict):
                yield f"{name} in {section} is no mapping"
    for name, mapping in template.get("Mappings", {}).items():
        if not all(isinstance(one, dict) for one in mapping.values()):
            yield f"{name} in Mappings is no mapping of mappings"


def _untyped(template: Template) -> Iterator[str]:
    """What is wrong with the resources of a template whose sections are sound."""
    for logical_id, resource in template["Resources"].items():
        if not isinstance(resource.get("Type"), str):
            yield f"{logical_id} is no resource: it has no Type"
        if not isinstance(resource.get("Properties", {}), dict):
            yield f"{logical_id} has Properties that are no mapping"


def _parameters(template: Template, given: Mapping[str, str]) -> dict[str, str]:
    declared = template.get("Parameters", {})
    for name in given:
        if name not in declared and not name.startswith("AWS::"):
            raise ConsoleError(f"the template has no parameter {name}: it has {_list(declared)}")
    effective = dict(PSEUDO)
    for name, parameter in declared.items():
        if "Default" in parameter:
            default = parameter["Default"]
            effective[name] = ",".join(default) if isinstance(default, list) else str(default)
        elif parameter.get("Type") != "Number":
            effective[name] = name
        elif name not in given:
            raise ConsoleError(f"parameter {name} is a number without a default: set it")
    return effective | {name: str(value) for name, value in given.items()}


def _scope(
    template: Template, parameters: Mapping[str, str], resources: Mapping[str, str]
) -> tuple[dict[str, str], Scope]:
    """The alarms' and rules' names, and a scope in which they can refer to each other."""
    physical = {logical_id: logical_id for logical_id in template["Resources"]} | dict(resources)
    conditions, mappings = template.get("Conditions", {}), template.get("Mappings", {})
    plain = Scope(parameters, physical, conditions, mappings)
    names: dict[str, str] = {}
    attributes: dict[str, str] = {}
    where = (parameters[f"AWS::{name}"] for name in ("Partition", "Region", "AccountId"))
    account = "arn:{}:cloudwatch:{}:{}".format(*where)
    for logical_id, resource in template["Resources"].items():
        properties = resource.get("Properties", {})
        if resource["Type"] in {METRIC, COMPOSITE, MUTE}:
            named = properties.get("AlarmName", properties.get("Name", logical_id))
            names[logical_id] = str(_resolved(plain, logical_id, named))
            attributes[f"{logical_id}.Arn"] = f"{account}:alarm:{names[logical_id]}"
        elif resource["Type"] == "AWS::SNS::Topic":
            attributes[f"{logical_id}.TopicArn"] = physical[logical_id]
            attributes[f"{logical_id}.TopicName"] = physical[logical_id].rpartition(":")[2]
    return names, Scope(parameters, physical | names, conditions, mappings, attributes)


def _resources(template: Template, scope: Scope) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for logical_id, resource in template["Resources"].items():
        if resource["Type"] not in {METRIC, COMPOSITE, MUTE}:
            continue
        condition = resource.get("Condition")
        if condition and not _holds(scope, logical_id, condition):
            continue
        properties = _resolved(scope, logical_id, resource.get("Properties", {}))
        yield logical_id, resource["Type"], properties


def _resolved(scope: Scope, logical_id: str, value: Any) -> Any:
    with _refusing(logical_id):
        return scope.resolve(value)


def _holds(scope: Scope, logical_id: str, condition: str) -> bool:
    with _refusing(logical_id):
        return scope.holds(condition)


@contextmanager
def _refusing(logical_id: str) -> Iterator[None]:
    """Refuse the alarm where one of its properties cannot be resolved or read."""
    try:
        yield
    except UnresolvedError as error:
        raise AlarmRefused.because(logical_id, str(error)) from error
    except _MALFORMED as error:
        raise AlarmRefused.because(logical_id, f"a property is malformed: {error!r}") from error


def _list(names: Mapping[str, Any]) -> str:
    return ", ".join(names) or "none"
