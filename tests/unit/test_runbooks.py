"""Every alarm that tells somebody has a runbook that says what is true, and names what exists."""

import os
import re
import shlex
import subprocess
from collections.abc import Iterator
from functools import cache
from typing import Any

import botocore.session
import pytest
import yaml
from botocore import xform_name

from console.__main__ import main
from socketwatch import metrics
from socketwatch.endings import DELETED, EXPIRED
from socketwatch.outcomes import Outcome
from socketwatch.quotas import Quota
from socketwatch.registry import ClosedBy
from socketwatch.verdicts import Kept
from tests.alarms import ALARMS, PARAMETERS, ROOT, RUNBOOKS, WITH_RUNBOOK, facts
from tests.template.templates import SIDECAR
from tests.template.test_insights import written

SECTIONS = [
    "Meaning",
    "Impact",
    "First five minutes",
    "Diagnosis",
    "Mitigation",
    "Verify",
    "Escalate",
    "False alarms and tuning",
    "Proof",
]
FAULTS = yaml.safe_load((ROOT / "alarms" / "gameday.yaml").read_text())["faults"]

READING = {"describe", "get", "list", "filter", "receive", "tail"}
"""What the first five minutes may do: look."""

GLOBAL = {"query", "output", "cli-binary-format", "max-items", "region"}
INSIGHTS_OWN = {"@message", "@timestamp", "@type", "@duration", "@maxMemoryUsed", "@initDuration"}
SHELL = {
    "out",
    "metric",
    "failures",
    "throttles",
    "slowest",
    "throttled_requests",
    "logs",
    "firing",
}
HOURLY = {metrics.ERROR_BUDGET_LEFT, metrics.BURN_RATE, metrics.HOURS_TO_CONNECT_QUOTA}
"""What the census writes at five past each hour: the last half hour may well have none of it."""

MOST_POINTS = 1_440
"""Values that GetMetricStatistics gives at once."""

SHARD = {outcome.value for outcome in Outcome} | {"broadcast_id", "open"}
"""Fields of deliver's line `shard`, which its source builds as a dictionary."""

SWEPT = {"sampled", "ghosts", "held", "backlog", "breaker", "cause", "doubt", "kept", *Kept}
"""Fields of reap's line `swept`, which are the keys of its summary."""

TEXTS = {name: (RUNBOOKS / f"{name}.md").read_text() for name in WITH_RUNBOOK}
BOOKS = pytest.mark.parametrize("name", WITH_RUNBOOK)


def sections(name: str) -> dict[str, str]:
    """The parts of a runbook by their headings."""
    _, *parts = re.split(r"^## (.+)\n", TEXTS[name], flags=re.MULTILINE)
    return {heading: text.strip() for heading, text in zip(parts[::2], parts[1::2], strict=True)}


def blocks(text: str, language: str) -> list[str]:
    """The fenced blocks of a language."""
    return re.findall(rf"```{language}\n(.*?)```", text, flags=re.DOTALL)


def commands(text: str) -> Iterator[list[str]]:
    """Every command that a text says, in a block or within a sentence."""
    lines = [line for block in blocks(text, "sh") for line in block.splitlines()]
    lines += re.findall(
        r"`((?:aws|bin/socketwatch|make|metric|logs|out|failures|throttles) .+?)`", text
    )
    for line in lines:
        plain = re.sub(r"\$\(\(([^()]*|[^()]*\$\([^()]*\)[^()]*)\)\)", "VALUE", line)
        # A command substitution is a command too.
        yield from (shlex.split(inner) for inner in re.findall(r"\$\(([^()]*)\)", plain))
        yield shlex.split(re.sub(r"\$\([^()]*\)", "VALUE", plain))


def windowed(arguments: list[str]) -> list[str]:
    """The arguments of `metric` with the hours that it looks back, which are a half unless said."""
    return arguments if arguments[0].isdigit() else ["0.5", *arguments]


@cache
def _aws(service: str) -> Any:
    return botocore.session.get_session().get_service_model(service)


def test_there_is_no_runbook_without_an_alarm() -> None:
    files = {path.stem for path in RUNBOOKS.glob("*.md")} - {"README"}

    assert files == set(WITH_RUNBOOK)


@pytest.mark.parametrize("name", ALARMS)
def test_every_alarm_points_to_a_runbook_that_is_there(name: str) -> None:
    runbook = ALARMS[name].runbook

    assert (RUNBOOKS / runbook).is_file()
    if name in WITH_RUNBOOK:
        assert runbook == f"{name}.md"
    else:
        assert runbook.removesuffix(".md") in WITH_RUNBOOK


@BOOKS
def test_the_head_says_what_the_template_says(name: str) -> None:
    title, _, rest = TEXTS[name].partition("\n\n")
    table = rest.partition("\n\n")[0].splitlines()

    assert title == f"# {name}"
    assert table == ["| | |", "|---|---|"] + [
        f"| {key} | {value} |" for key, value in facts(ALARMS[name]).items()
    ]


@BOOKS
def test_every_section_is_there_and_says_something(name: str) -> None:
    found = sections(name)

    assert list(found) == SECTIONS
    for heading, text in found.items():
        least = 5 if heading in {"Verify", "Escalate"} else 10
        assert len(text.split()) >= least, heading
        assert not re.search(r"\b(TODO|TBD|FIXME|lorem|placeholder)\b", text, re.IGNORECASE), (
            heading
        )


def test_no_two_runbooks_share_a_section() -> None:
    texts = [
        text
        for name in WITH_RUNBOOK
        for heading, text in sections(name).items()
        if heading != "Proof"
    ]

    assert len(texts) == len(set(texts))


@BOOKS
def test_the_first_five_minutes_only_look(name: str) -> None:
    text = sections(name)["First five minutes"]

    assert "ealthy" in text
    assert blocks(text, "sh")
    assert len([line for line in text.splitlines() if line.startswith("| ")]) >= 3
    for command in commands(text):
        if command[0] == "aws":
            assert command[2].split("-")[0] in READING, command


@BOOKS
def test_diagnosis_ranks_causes_and_names_look_alikes(name: str) -> None:
    text = sections(name)["Diagnosis"]

    assert "ook-alike" in text
    assert "requency" in text or "most frequent" in text or re.search(r"^1\. ", text, re.MULTILINE)


@BOOKS
def test_mitigation_says_how_to_undo(name: str) -> None:
    text = sections(name)["Mitigation"]

    assert re.search(r"^1\. ", text, re.MULTILINE)
    assert re.search(r"undo|no risk|nothing here", text, re.IGNORECASE)


@BOOKS
def test_the_links_lead_somewhere(name: str) -> None:
    for target in re.findall(r"\]\(([^)]+)\)", TEXTS[name]):
        path, _, anchor = target.partition("#")

        assert (RUNBOOKS / path).is_file(), target
        if anchor:
            headings = re.findall(r"^## (.+)$", (RUNBOOKS / path).read_text(), re.MULTILINE)
            assert anchor in {heading.lower().replace(" ", "-") for heading in headings}


@BOOKS
def test_every_command_exists(name: str) -> None:
    for command in commands(TEXTS[name]):
        match command:
            case ["aws", service, operation, *arguments]:
                _assert_aws(service, operation, arguments)
            case ["bin/socketwatch", verb, *_]:
                assert verb in main.commands, command
            case ["make", target]:
                assert re.search(rf"^{target}:", (ROOT / "Makefile").read_text(), re.MULTILINE), (
                    target
                )
            case ["metric", *arguments]:
                _, metric, statistic, *dimensions = windowed(arguments)
                _assert_metric(metric, statistic, dimensions)
            case ["out", output]:
                assert output in SIDECAR["Outputs"], output
            case ["logs" | "failures" | "throttles" | "slowest", function, *_] if (
                function[0] != "$"
            ):
                assert f"{function}Function" in SIDECAR["Outputs"] or function.startswith("<")
            case ["for", "each", "in", *functions]:
                several = " ".join(functions).partition(";")[0].split()
                assert {f"{each}Function" for each in several} <= SIDECAR["Outputs"].keys()
            case _:
                assert command[0] in SHELL | {"date", "exit"}, command


@BOOKS
def test_a_composite_is_asked_about_as_one(name: str) -> None:
    for command in commands(TEXTS[name]):
        match command:
            case ["aws", "cloudwatch", "describe-alarms" | "describe-alarm-history", *arguments]:
                asked = {one.removeprefix("$STACK-") for one in arguments} & ALARMS.keys()
                # Of both, DescribeAlarms and DescribeAlarmHistory, `AlarmTypes` says: where it is
                # left out, only metric alarms are returned.
                if any(ALARMS[one].composite for one in asked):
                    assert "--alarm-types" in arguments, command
                    assert "CompositeAlarm" in arguments, command


@BOOKS
def test_what_is_written_once_an_hour_is_asked_for_over_hours(name: str) -> None:
    hourly = {metric.name for metric in HOURLY}

    for command in commands(TEXTS[name]):
        if command[0] == "metric":
            hours, metric, *_ = windowed(command[1:])
            assert float(hours) >= 2 or metric not in hourly, command
            # A range that begins within a minute touches one more.
            assert float(hours) * 60 < MOST_POINTS, command


def _assert_aws(service: str, operation: str, arguments: list[str]) -> None:
    options = {one[2:] for one in arguments if one.startswith("--")}
    model = _aws(service)
    names = {xform_name(each, "-"): each for each in model.operation_names}
    assert operation in names, f"{service} {operation}"
    shape = model.operation_model(names[operation]).input_shape
    known = {xform_name(member, "-") for member in shape.members} if shape else set()
    known |= {f"no-{option}" for option in known} | GLOBAL
    assert options <= known, f"{service} {operation}: {options - known}"


def _assert_metric(name: str, statistic: str, dimensions: list[str]) -> None:
    metric = next(one for one in metrics.CATALOGUE if one.name == name)
    assert statistic == metric.statistic or statistic.startswith("p"), name
    if metric.dimension is None:
        assert dimensions == [], name
    else:
        (given,) = dimensions
        dimension, value = re.fullmatch(r"Name=(\w+),Value=(\w+)", given).groups()  # type: ignore[union-attr]  # a mismatch must fail
        assert dimension == metric.dimension
        assert value in _values(name), f"{name} {value}"


def _values(name: str) -> set[str]:
    """What the dimension of a metric may be."""
    match name:
        case "Deliveries" | "Echoes":
            return set(Outcome)
        case "QuotaUse":
            return set(Quota)
        case "ConnectionsClosed":
            return {*ClosedBy, EXPIRED, DELETED}
        case "ConnectionsByAge":
            return {"overdue"}
        case "Probes":
            return {
                "alive",
                "gone",
                "forbidden",
                "not_found",
                "throttled",
                "server_error",
                "no_answer",
            }
        case "ReaperClosed":
            return {"gone", "age", "idle", "token"}
        case "ReaperKept":
            return set(Kept)
        case _:
            return set()


@BOOKS
def test_every_query_reads_what_its_function_logs(name: str) -> None:
    asked = re.findall(
        r"og group of `(\w+)`[^\n]*\n\n```insights\n(.*?)```", TEXTS[name], flags=re.DOTALL
    )

    assert len(asked) == len(blocks(TEXTS[name], "insights"))
    for function, query in asked:
        messages = _messages(query)
        lines = written(function)
        assert messages <= lines.keys(), f"{function}: {messages - lines.keys()}"
        known = set().union(*(lines[message] for message in messages)) if messages else set()
        known |= {"message"} | INSIGHTS_OWN
        known |= SHARD if "shard" in messages else set()
        known |= SWEPT if "swept" in messages else set()
        assert _fields(query) <= known, f"{function}: {_fields(query) - known}"


def _messages(query: str) -> set[str]:
    text = query.splitlines()[0]
    listed = re.findall(r"message in \[([^\]]+)\]", text)
    return set(re.findall(r'message = "([^"]+)"', text)) | {
        message for one in listed for message in re.findall(r'"([^"]+)"', one)
    }


def _fields(query: str) -> set[str]:
    """The fields that a query reads, without what it names itself."""
    plain = re.sub(r'"[^"]*"|/(?:\\.|[^/\n])+/(?=[ \n])|`[^`]*`', "", query)
    own = set(re.findall(r"\bas (\w+)", plain))
    words = set(re.findall(r"@?\b[a-z]\w*\b(?!\()", plain)) | set(re.findall(r"@\w+", plain))
    syntax = {
        "filter",
        "stats",
        "sort",
        "limit",
        "fields",
        "by",
        "as",
        "desc",
        "in",
        "like",
        "and",
        "or",
    }
    return {word for word in words - own - syntax if not re.fullmatch(r"\d\w*", word)} - {
        word.removeprefix("@") for word in INSIGHTS_OWN
    }


@BOOKS
def test_it_speaks_of_its_own_metric_and_parameters(name: str) -> None:
    text = TEXTS[name].partition("## Meaning")[2]
    alarm = ALARMS[name]

    for parameter in re.findall(r"\(`(\w+)`\)", TEXTS[name].partition("## Meaning")[0]):
        assert f"`{parameter}`" in text, parameter
    own = {reading.name for reading in alarm.readings if reading.namespace == "Socketwatch"}
    if own:
        assert any(metric in text for metric in own)


@BOOKS
def test_every_parameter_that_it_names_exists(name: str) -> None:
    known = PARAMETERS.keys() | SIDECAR["Parameters"].keys()
    suffixes = "Percent|Factor|Floor|Minimum|Milliseconds|Ratio|Objective|Budget|Rate|Filter|Shards"

    for parameter in re.findall(rf"`([A-Z]\w*(?:{suffixes}))`", TEXTS[name]):
        assert parameter in known | {metric.name for metric in metrics.CATALOGUE}, parameter


@BOOKS
def test_the_proof_names_the_cases_and_a_line_that_a_game_day_can_date(name: str) -> None:
    *_, what, _, proven = sections(name)["Proof"].splitlines()
    by = ", ".join(fault["name"] for fault in FAULTS if name in fault["fires"])

    assert f"(../cases/{name}.yaml)" in what
    assert (f"Game day: {by}, run by `make gameday`." if by else "No fault of the game day") in what
    dated = r"\d{4}-\d{2}-\d{2}, .+: fired after \d+ min, over \d+ min after healing"
    assert re.fullmatch(rf"Proven: (never on this stack|{dated})", proven), proven


def test_the_set_up_leaves_the_stack_named_for_all_that_follows() -> None:
    line = blocks((RUNBOOKS / "README.md").read_text(), "sh")[0]
    after = f"{line}\necho $STACK; declare -F metric"

    done = _bash(after)

    assert done.stdout.split() == ["socketwatch", "metric"], done.stderr


def test_the_set_up_asks_for_a_stack_that_is_not_named() -> None:
    done = _bash(". alarms/runbooks/setup.sh")

    assert done.returncode != 0
    assert "export STACK" in done.stderr


ASKING = """
aws() {
  case "$*" in
    cloudformation*) sed "s/.*OutputKey=='//; s/'.*//" <<< "$*" ;;
    *) printf '%s|' "$@" && echo ;;
  esac
}
export STACK=shop; . alarms/runbooks/setup.sh
"""
"""The set-up on an AWS that says what it was asked; an output of the stack is its own name."""


def asked(command: str) -> list[list[str]]:
    """What a command of the set-up asks CloudWatch, call by call."""
    done = _bash(f"{ASKING}\n{command}")
    assert done.returncode == 0, done.stderr
    return [line.split("|")[:-1] for line in done.stdout.splitlines() if "|" in line]


@pytest.mark.parametrize(
    ("command", "seconds"),
    [("metric Heartbeat Sum", 1_800), ("metric 6 ErrorBudgetLeft Minimum", 6 * 3_600)],
)
def test_a_metric_is_of_the_last_half_hour_or_of_as_many_hours_as_said(
    command: str, seconds: int
) -> None:
    (call,) = asked(command)
    *_, name, statistic = command.split()
    options = dict(zip(call[2::2], call[3::2], strict=False))

    assert int(options["--end-time"]) - int(options["--start-time"]) in {seconds, seconds + 1}
    assert (options["--metric-name"], options["--statistics"]) == (name, statistic)
    assert call[call.index("--dimensions") + 1 :][:2] == [
        "Name=Api,Value=ApiId",
        "Name=Stage,Value=StageName",
    ]


def test_throttled_requests_are_those_that_the_alarm_adds_up() -> None:
    calls = asked("throttled_requests")
    summed = sorted(
        (one.name, sorted(_dimension(of, value) for of, value in one.dimensions.items()))
        for one in ALARMS["RegistryThrottled"].readings
        if one.namespace == "AWS/DynamoDB"
    )

    assert summed
    assert summed == sorted(
        (
            call[call.index("--metric-name") + 1],
            sorted(one for one in call if one.startswith("Name=")),
        )
        for call in calls
    )


def _dimension(name: str, value: Any) -> str:
    return f"Name={name},Value={value['Ref'] if isinstance(value, dict) else value}"


def test_firing_tells_since_when_an_alarm_is_on() -> None:
    ((*_, query, _, _),) = asked("firing")

    # DescribeAlarms: StateUpdatedTimestamp moves with the evaluation's state as well.
    assert query.endswith("[AlarmName,StateTransitionedTimestamp]")


def test_a_queue_of_failed_stream_batches_is_not_sent_back() -> None:
    """StartMessageMoveTask takes only dead-letter queues of SQS queues."""
    text = sections("DeadLetters")["Mitigation"]

    assert "`ObserveFailures`" in text
    assert "cannot be sent back" in text


def _bash(script: str) -> subprocess.CompletedProcess[str]:
    """Run it as a terminal would: unlike `sh`, bash forgets a variable said before `.`."""
    return subprocess.run(  # noqa: S603 - our own script
        ["bash", "-c", script],  # noqa: S607 - wherever it is installed
        cwd=ROOT,
        env={"PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        check=False,
    )
