from pathlib import Path

import pytest
from samtranslator.yaml_helper import yaml_parse

from console.alarms.cases import Proves
from console.alarms.marked import CaseError
from console.alarms.mutants import mutants
from console.alarms.proving import Proof, prove
from console.alarms.reading import CASES, read_cases, read_file
from console.alarms.template import TEMPLATE as REAL
from console.alarms.template import alarms_of, read_template
from console.cloudwatch.alarm import State
from console.errors import ConsoleError
from tests.unit.console.alarms.small import TEMPLATE, THROTTLED, write


def proof(tmp_path: Path, text: str = THROTTLED, **more: str) -> Proof:
    files = {"Throttled.yaml": text, **{f"{name}.yaml": one for name, one in more.items()}}
    return prove(yaml_parse(TEMPLATE), write(tmp_path / "cases", files), frozenset({"Throttled"}))


def refusal(tmp_path: Path, text: str) -> str:
    """What is said of a file, without the folder it is in."""
    with pytest.raises(CaseError) as refused:
        proof(tmp_path, text)
    return str(refused.value).removeprefix(f"{tmp_path}/cases/")


def test_a_file_is_read_as_it_is_written(tmp_path: Path) -> None:
    file = read_file(write(tmp_path, {"a.yaml": THROTTLED}) / "a.yaml")
    first = file.cases[0]

    assert (file.alarm, file.runbook, len(file.cases)) == ("Throttled", "Throttled.md", 6)
    assert (first.proves, first.every, len(first.series)) == (Proves.FIRES, 60, 2)
    assert (first.series[0].name, first.series[0].dimensions) == (
        "Deliveries",
        {"Outcome": "throttled"},
    )
    assert [(check.at, dict(check.expect), check.notified) for check in first.checks] == [
        (840, {"Throttled": State.OK}, None),
        (900, {"Throttled": State.ALARM}, ("PageTopic ALARM",)),
        (960, {"Throttled": State.OK}, ("PageTopic OK",)),
    ]


def test_cases_that_prove_their_alarm_leave_nothing_to_say(tmp_path: Path) -> None:
    found = proof(tmp_path)

    assert found.holds
    assert found.document() == {
        "alarms": 1,
        "cases": 6,
        "failed": 0,
        "mutants": 15,
        "survivors": 0,
    }


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("alarm: Throttled", "alarm: Throtled", "2: there is no alarm Throtled: write Throttled"),
        ("runbook:", "rumbook:", "3: rumbook is not known here: write one of alarm, runbook"),
        ("alarm: Throttled", "# none", "3: alarm is missing"),
        ("runbook: Throttled.md", "runbook:", "3: runbook is empty: write a file's name"),
        ("runbook: Throttled.md", 'runbook: ""', "3: runbook is empty: write a file's name"),
        ("proves: fires", "proves: smoke", "8: 'smoke': write one of fires, quiet, missing"),
        ("at: 14m", "at: 14", "13: '14' is no time: write 12m"),
        ("at: 14m", "at: 0m", "13: nothing has happened yet at 0"),
        ("at: 14m", "at: 99999999d", "13: '99999999d' is too long: write 60d or less"),
        ("    proves: fires", "    every: 0s", "8: a step takes its time: write 1m"),
        ("    proves: fires", "    every: 30d", "10: 20 steps of 2592000 s are more than 60 days"),
        (
            "    proves: fires",
            "    starts: 9999-12-31T23:59:59Z",
            "8: '9999-12-31T23:59:59Z': write",
        ),
        ("0x10 2 0 2", "1e308x3 -1e308x3 2 0 2", "10: '1e308x3': CloudWatch takes no such value"),
        ("at: 14m", "at: 15m", "14: checks must be in the order of their times"),
        (
            "expect: OK}\n      - {at: 15m",
            "expect: FINE}\n      - {at: 15m",
            "13: 'FINE': write one of OK",
        ),
        ("0x10 2 0 2", "0x10 two 0 2", "10: 'two' is no series: write 7"),
        ("Deliveries{Outcome=throttled}", "Deliveries{Outcome}", "10: 'Outcome' is no dimension"),
        (
            "Deliveries{Outcome=throttled}",
            "Delivered",
            "10: no metric is Delivered here: write one of Socketwatch DeliveriesValid{",
        ),
        (
            "Deliveries{Outcome=throttled}",
            "AWS/SQS Deliveries",
            "10: no metric is Deliveries here",
        ),
        ("[PageTopic ALARM]", "[PageTopic]", "14: 'PageTopic': write TOPIC STATE"),
        ("expect: ALARM, notified", "expect: {Users: ALARM}, notified", "14: Users has no part"),
        ("    proves: fires", "    parameters: {Colour: red}", "7: Throttled: the template has no"),
        ("    proves: fires", "    starts: soon", "8: 'soon': write 2026-01-01T00:00:00Z"),
        ("    proves: fires", "    proves: [fires]", "8: a plain value must stand here"),
        ("  number 2 of percent down: ninety", "  number 2 of percent down: #", "5: number 2 of"),
        (
            "    checks:\n      - {at: 14m",
            "    checks: 7\n    x:\n      - {at: 14m",
            "13: x is not known here",
        ),
        ("alarm: Throttled", "alarm: {", "4: this is no YAML"),
        ("DeliveriesValid: 100x20\n    checks:", "Deliveries: 1\n    checks:", "11: "),
    ],
)
def test_a_bad_file_is_refused_with_line_and_what_to_write(
    tmp_path: Path, old: str, new: str, said: str
) -> None:
    assert old in THROTTLED
    came = refusal(tmp_path, THROTTLED.replace(old, new, 1))

    assert came.startswith(f"Throttled.yaml:{said}")


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("{at: 14m, expect: OK}", "{at: 14m, expect: ALARM}", "expected Throttled ALARM, was OK"),
        ("[PageTopic OK]", "[]", "expected to be notified of nothing, was of PageTopic OK"),
        ("[PageTopic ALARM]", "[Other ALARM]", "of Other ALARM, was of PageTopic ALARM"),
        ("proves: quiet", "proves: fires", "it says that it fires, and no check expects ALARM"),
        ("proves: fires", "proves: quiet", "it stays quiet, and it is in ALARM after 15 min"),
        ("proves: recovers", "proves: missing", "all data are missing, and has some"),
        ("proves: missing", "proves: quiet", "it says that it stays quiet, and has no data"),
        ("      - {at: 30m, expect: OK}\n", "", "no check expects ALARM and a later one OK"),
        (
            "runbook: Throttled.md",
            "runbook: Other.md",
            "links to Throttled.md, and not to Other.md",
        ),
        ("runbook: Throttled.md", "runbook: d.md", "links to Throttled.md, and not to d.md"),
        (
            "runbook: Throttled.md",
            "runbook: runbooks/Throttled.md",
            "links to Throttled.md, and not to runbooks/Throttled.md",
        ),
        ("proves: missing", "proves: quiet", "no case proves that it bears that all data are"),
        ("number 2 of percent down", "threshold up", "survivors names 'threshold up', which is no"),
    ],
)
def test_what_does_not_hold_is_said_with_what_came(
    tmp_path: Path, old: str, new: str, said: str
) -> None:
    assert old in THROTTLED
    found = proof(tmp_path, THROTTLED.replace(old, new, 1))

    assert not found.holds
    assert any(said in str(one) for one in (*found.failures, *found.faults))


def test_a_mutant_that_no_case_notices_survives_by_name(tmp_path: Path) -> None:
    blunt = THROTTLED.replace("0x10 2 0 2 0 2 0x5", "0x10 2x5 0x5").replace("at: 16m", "at: 19m")
    blunt = blunt.replace("at: 15m", "at: 14m").replace(
        "at: 14m, expect: OK", "at: 10m, expect: OK"
    )
    found = proof(tmp_path, blunt)

    assert not found.failures
    assert "Throttled: N - 1 (3 of 4)" in [str(one) for one in found.survivors]


def test_an_alarm_without_cases_is_a_fault(tmp_path: Path) -> None:
    found = prove(yaml_parse(TEMPLATE), write(tmp_path / "cases", {"Throttled.yaml": THROTTLED}))

    assert found.faults == ("Blind: it has no case file", "Users: it has no case file")


def test_two_files_of_one_alarm_are_refused(tmp_path: Path) -> None:
    folder = write(tmp_path / "cases", {"a.yaml": THROTTLED, "b.yaml": THROTTLED})

    with pytest.raises(CaseError, match=r"b\.yaml:2: Throttled has cases in .*a\.yaml too"):
        read_cases(folder)


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"", "is empty"),
        (b"\xff\xfe\x00", "no text"),
        (b"a: \x00", "no YAML"),
        (b"[" * 5_000, "nested too deeply"),
    ],
)
def test_a_file_that_is_no_yaml_is_refused(tmp_path: Path, body: bytes, said: str) -> None:
    (tmp_path / "a.yaml").write_bytes(body)

    with pytest.raises(CaseError, match=said):
        read_cases(tmp_path)


def test_a_folder_that_is_not_there_and_an_alarm_that_is_none_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ConsoleError, match="no such folder"):
        read_cases(tmp_path / "none")
    folder = write(tmp_path / "cases", {"a.yaml": THROTTLED})
    with pytest.raises(ConsoleError, match="no alarm Nobody: write Throttled, Blind, Users"):
        prove(yaml_parse(TEMPLATE), folder, frozenset({"Nobody"}))


def test_a_mistyped_alarm_is_answered_with_those_that_it_is_like(tmp_path: Path) -> None:
    cases = write(tmp_path / "cases", {})
    for name, said in [
        ("deliveryslow", "write DeliverySlow, "),
        ("StreamLagg", "write StreamLag, StreamLagPage"),
        ("Q", r"write \w+, \w+, \w+ or one of \d+ more$"),
    ]:
        with pytest.raises(ConsoleError, match=f"there is no alarm {name}: {said}") as refused:
            prove(read_template(), cases, frozenset({name}))
        assert len(str(refused.value)) < 150


def test_a_file_in_place_of_the_folder_is_refused_with_what_to_write(tmp_path: Path) -> None:
    folder = write(tmp_path / "cases", {"a.yaml": THROTTLED})

    with pytest.raises(CaseError, match=r"a\.yaml is a file: write its folder"):
        read_cases(folder / "a.yaml")


def test_files_of_either_ending_are_read_and_others_are_not(tmp_path: Path) -> None:
    users = THROTTLED.replace("alarm: Throttled", "alarm: Users")
    folder = write(tmp_path, {"b.yml": users, "a.yaml": THROTTLED, "c.yaml~": "{", "d.md": "{"})

    assert [file.alarm for file in read_cases(folder)] == ["Throttled", "Users"]


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (
            "MetricName: DeliveriesValid",
            "MetricName: DeliverysValid",
            "Throttled: nobody emits Socketwatch DeliverysValid: write DeliveriesValid",
        ),
        (
            "{Name: Outcome, Value: throttled}",
            "{Name: Outcom, Value: throttled}",
            "Throttled: nobody emits Deliveries with dimensions Api, Outcom, Stage: write Api, Ou",
        ),
        (
            "                - {Name: Stage, Value: live}\n",
            "",
            "Throttled: nobody emits Deliveries with dimensions Api, Outcome: write Api, Outcome,",
        ),
        (
            "{Name: Outcome, Value: throttled}",
            "{Name: Outcome, Value: throtled}",
            "Throttled: nobody emits Deliveries with Outcome=throtled: write throttled",
        ),
    ],
)
def test_a_metric_that_nobody_emits_is_found_though_its_case_writes_the_same(
    tmp_path: Path, old: str, new: str, said: str
) -> None:
    assert old in TEMPLATE
    template = yaml_parse(TEMPLATE.replace(old, new))
    cases = (
        THROTTLED.replace("DeliveriesValid:", "DeliverysValid:") if "Valid" in old else THROTTLED
    )
    cases = cases.replace("{Outcome=throttled}", "")
    folder = write(tmp_path / "cases", {"Throttled.yaml": cases})

    found = prove(template, folder, frozenset({"Throttled"}))

    assert not found.failures
    assert [fault.startswith(said) for fault in found.faults] == [True]


def test_a_metric_of_another_namespace_may_be_any(tmp_path: Path) -> None:
    text = TEMPLATE.replace("MetricName: DeliveriesValid", "MetricName: Else")
    text = text.replace("Namespace: Socketwatch", "Namespace: Ours")
    cases = THROTTLED.replace("DeliveriesValid:", "Else:")
    folder = write(tmp_path / "cases", {"Throttled.yaml": cases})

    assert prove(yaml_parse(text), folder, frozenset({"Throttled"})).holds


USERS = """
alarm: Users
runbook: Users.md
cases:
  - name: the blind one keeps it back
    series:
      Deliveries: 9x30
      DeliveriesValid: 100x30
      Heartbeat: 1x4 _x26
    checks:
      - {at: 2m, expect: OK}
      - {at: 4m, expect: ALARM, notified: []}
      - {at: 5m, expect: {Users: ALARM, Blind: OK}, notified: [PageTopic ALARM]}
      - {at: 30m, expect: {Users: ALARM, Throttled: ALARM, Blind: ALARM}, notified: []}
"""


def test_a_composite_is_proved_with_its_children_and_its_suppressor(tmp_path: Path) -> None:
    folder = write(tmp_path / "cases", {"Users.yaml": USERS})
    found = prove(yaml_parse(TEMPLATE), folder, frozenset({"Users"}))

    assert found.failures == ()
    assert {one.name for one in found.survivors} == {"rule 3", "no extension"}


def test_a_mute_rule_mutes_in_its_hours(tmp_path: Path) -> None:
    case = """
  - name: while deploying
    parameters: {Mute: at(2026-01-01T00:00)}
    series: {"Deliveries{Outcome=throttled}": 9x120, DeliveriesValid: 100x120}
    checks:
      - {at: 30m, expect: ALARM, notified: []}
      - {at: 90m, expect: ALARM, notified: [PageTopic ALARM]}
"""

    assert proof(tmp_path, THROTTLED + case).failures == ()


def test_mutants_have_names_that_stay_when_the_numbers_change() -> None:
    made = [
        alarms_of(yaml_parse(TEMPLATE), {"ThrottledPercent": value}).by_logical_id["Throttled"]
        for value in ("1", "7.5")
    ]

    assert mutants(made[0]).keys() == mutants(made[1]).keys()
    assert list(mutants(made[0])) == [
        "threshold up",
        "threshold down",
        "comparison reversed",
        "comparison at the threshold",
        "M - 1",
        "M + 1",
        "N + 1",
        "N - 1",
        "missing data missing",
        "missing data ignore",
        "missing data breaching",
        "number 1 of percent up",
        "number 1 of percent down",
        "number 2 of percent up",
        "number 2 of percent down",
    ]


def test_no_mutant_is_the_alarm_itself_or_one_that_cloudwatch_refuses() -> None:
    for alarm in alarms_of(yaml_parse(TEMPLATE)).alarms:
        assert all(one.alarm != alarm for one in mutants(alarm).values())
    assert "M + 1" not in mutants(alarms_of(yaml_parse(TEMPLATE)).by_logical_id["Blind"])


def test_missing_data_of_dynamodb_are_treated_as_cloudwatch_does_and_no_mutant_says_else() -> None:
    text = TEMPLATE.replace("Namespace: Socketwatch", "Namespace: AWS/DynamoDB")
    throttled = alarms_of(yaml_parse(text)).by_logical_id["Throttled"]

    assert not [name for name in mutants(throttled) if name.startswith("missing data")]


def test_without_its_heartbeat_the_alarm_on_throttled_tables_never_clears(tmp_path: Path) -> None:
    """DynamoDB tells nothing where nothing is throttled, and CloudWatch ignores what is missing."""
    text = REAL.read_text()
    assert ", 0 * heartbeat" in text
    changed = yaml_parse(text.replace(", 0 * heartbeat", ""))
    lines = (CASES / "RegistryThrottled.yaml").read_text().splitlines()
    case = "\n".join(line for line in lines if "Heartbeat:" not in line)
    folder = write(tmp_path / "cases", {"RegistryThrottled.yaml": case})

    failed = prove(changed, folder, frozenset({"RegistryThrottled"})).failures

    assert any("expected RegistryThrottled OK, was ALARM" in str(one) for one in failed)
