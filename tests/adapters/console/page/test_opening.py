import pytest

from console.errors import ConsoleError
from console.page.opening import open_reports
from console.stack import Stack
from socketwatch.settings import Api
from tests.template.templates import SIDECAR

OUTPUTS = {"LedgerTable": "ledger", "ReportRetentionDays": "400"}


def a_stack(outputs: dict[str, str]) -> Stack:
    return Stack("sw", Api("a1", "live"), 0, outputs)


def test_reports_are_read_for_as_long_as_the_stack_keeps_them() -> None:
    assert SIDECAR["Outputs"]["ReportRetentionDays"]["Value"] == {"Ref": "ReportRetentionDays"}

    assert open_reports(object(), a_stack(OUTPUTS), lambda: 0).days == 400


@pytest.mark.parametrize("missing", OUTPUTS)
def test_a_stack_that_does_not_say_what_it_keeps_is_of_another_version(missing: str) -> None:
    outputs = {name: value for name, value in OUTPUTS.items() if name != missing}

    with pytest.raises(ConsoleError, match=f"no output {missing}"):
        open_reports(object(), a_stack(outputs), lambda: 0)
