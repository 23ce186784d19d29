import ast
import json
import re
from collections import defaultdict

import pytest

from socketwatch import metrics
from tests.template.templates import CORE, ROOT, SIDECAR, Resource, of_type, rendered

RULES = of_type(SIDECAR, "AWS::CloudWatch::InsightRule")
QUERIES = of_type(SIDECAR, "AWS::Logs::QueryDefinition")
LOGGED_BY_EACH = {"message", "service", "correlation_id"}
"""What Powertools' logger writes besides the fields of a call, where the handler asks for it."""

MAY_BE_READ = {
    "closed_by",
    "code",
    "connection_id",
    "correlation_id",
    "message",
    "reason",
    "room",
    "service",
}
"""Nothing of a payload, token, query string, address or user."""

Reads = tuple[set[str], set[str], set[str]]
"""The functions whose logs are read, the messages that are looked for, and the fields."""


def body(rule: Resource) -> Resource:
    """A rule as CloudWatch gets it, but for the names of log groups."""
    found: Resource = json.loads(rule["RuleBody"]["Fn::Sub"])
    return found


def read_by_rule(rule: Resource) -> Reads:
    counted = body(rule)
    (where,) = counted["Contribution"]["Filters"]
    fields = [where["Match"], *counted["Contribution"]["Keys"]]
    return (
        {function(name.strip("${}")) for name in counted["LogGroupNames"]},
        set(where["In"]),
        {field.removeprefix("$.") for field in fields},
    )


def read_by_query(query: Resource) -> Reads:
    first, *rest = query["QueryString"].splitlines()
    (grouping,) = (line for line in rest if " by " in line)
    fields = grouping.partition(" by ")[2].split(", ")
    arguments = re.findall(r"\((\w+)\)", query["QueryString"])
    return (
        {function(name) for name in rendered(query["LogGroupNames"])},
        set(re.findall(r'"([^"]+)"', first)),
        {"message", *fields, *arguments},
    )


def function(log_group: str) -> str:
    """The module that writes to a group, as `BroadcastLog` or `Core.Outputs.MessageLog`."""
    name = log_group.rpartition(".")[2]
    if "." in log_group:
        assert CORE["Outputs"][name]["Value"] == {"Ref": name}
    return name.removesuffix("Log").lower()


def written(module: str) -> dict[str, set[str]]:
    """The messages that a function's log calls can carry, each with the fields of the call."""
    lines: defaultdict[str, set[str]] = defaultdict(set)
    for node in ast.walk(ast.parse((ROOT / "functions" / f"{module}.py").read_text())):
        match node:
            case ast.Call(func=ast.Attribute(value=ast.Name(id="LOG")), args=[said]):
                fields = {keyword.arg for keyword in node.keywords if keyword.arg}
                for part in ast.walk(said):
                    if isinstance(part, ast.Constant) and isinstance(part.value, str):
                        lines[part.value] |= fields | LOGGED_BY_EACH
    return lines


READERS = {
    **{name: read_by_rule(rule) for name, rule in RULES.items()},
    **{name: read_by_query(query) for name, query in QUERIES.items()},
}


@pytest.mark.parametrize("reader", READERS)
def test_what_is_ranked_is_what_the_functions_log(reader: str) -> None:
    functions, messages, fields = READERS[reader]
    lines: defaultdict[str, set[str]] = defaultdict(set)
    for module in functions:
        for message, logged in written(module).items():
            lines[message] |= logged

    assert messages
    for message in messages:
        assert fields <= lines[message], message


@pytest.mark.parametrize("reader", READERS)
def test_nothing_is_ranked_that_a_log_must_not_hold(reader: str) -> None:
    _, _, fields = READERS[reader]

    assert fields <= MAY_BE_READ


@pytest.mark.parametrize("reader", ["RefusedPeerRanking", "RefusedPeersQuery"])
def test_every_function_that_refuses_frames_is_where_failing_peers_are_ranked(reader: str) -> None:
    functions, messages, _ = READERS[reader]

    assert functions == set(metrics.FRAMES_REFUSED.emitters)
    for module in functions:
        assert messages <= written(module).keys(), module


def test_a_peer_is_named_by_its_connection_wherever_one_is_ranked() -> None:
    for functions, _, fields in READERS.values():
        if "correlation_id" in fields:
            for module in functions:
                source = (ROOT / "functions" / f"{module}.py").read_text()

                assert 'correlation_id_path="requestContext.connectionId"' in source, module


def test_rules_cost_nothing_until_they_are_asked_for() -> None:
    assert len(RULES) == 4
    assert SIDECAR["Parameters"]["ContributorInsights"]["Default"] == "false"
    for name in RULES:
        assert SIDECAR["Resources"][name]["Condition"] == "Ranks"


@pytest.mark.parametrize("rule", RULES)
def test_a_rule_is_one_that_cloudwatch_takes(rule: str) -> None:
    counted = body(RULES[rule])

    assert counted["Schema"] == {"Name": "CloudWatchLogRule", "Version": 1}
    assert (counted["LogFormat"], counted["AggregateOn"]) == ("JSON", "Count")
    assert 1 <= len(counted["Contribution"]["Keys"]) <= 4
    assert "ValueOf" not in counted["Contribution"]
    assert RULES[rule]["RuleBody"]["Fn::Sub"].isascii()


def test_the_saved_queries_are_always_there_in_a_folder_of_their_stack() -> None:
    names = [rendered(query["Name"]) for query in QUERIES.values()]

    assert sorted(names) == [
        "Socketwatch/${AWS::StackName}/Disconnect reasons",
        "Socketwatch/${AWS::StackName}/Failing peers",
        "Socketwatch/${AWS::StackName}/Refusals by reason",
        "Socketwatch/${AWS::StackName}/Slow clients",
        "Socketwatch/${AWS::StackName}/Top rooms by messages",
    ]
    for name in QUERIES:
        assert "Condition" not in SIDECAR["Resources"][name]
