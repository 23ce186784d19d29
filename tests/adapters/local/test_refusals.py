"""Whoever starts a local stack says in one line why it did not come up."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from click.testing import CliRunner

import local.demo.run
from console.errors import ConsoleError
from local.demo import __main__ as demo
from local.deploy import DeployError
from local.edge.errors import EdgeError
from local.gameday import __main__ as gameday
from local.ministack import MinistackError
from local.package import PackageError
from local.schedules import ScheduleError
from local.table_proxy import TableProxyError

OF_PARTS = (
    ConsoleError,
    DeployError,
    EdgeError,
    MinistackError,
    PackageError,
    ScheduleError,
    TableProxyError,
)


@pytest.mark.parametrize("why", OF_PARTS)
@pytest.mark.parametrize(
    ("command", "starts", "options"),
    [(demo, local.demo.run, ["--page-port", "0"]), (gameday, gameday, [])],
    ids=["demo", "gameday"],
)
def test_a_stack_that_does_not_come_up_is_refused_with_exit_code_2(
    why: type[Exception],
    command: Any,
    starts: Any,
    options: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    @asynccontextmanager
    async def broken(*_settings: object) -> AsyncIterator[None]:
        raise why("a part did not come up")
        yield

    monkeypatch.setattr(starts, "local_stack", broken)

    refused = CliRunner().invoke(command.main, options)

    assert refused.exit_code == 2
    name = command.__name__.split(".")[1]
    assert refused.stderr.splitlines()[-1] == f"{name}: a part did not come up"
