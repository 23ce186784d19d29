"""Tests that are coroutines, and a registry table on moto, made anew for each test that asks."""

import asyncio
import inspect
from collections.abc import Iterator
from typing import Any

import botocore.session
import pytest
from moto import mock_aws

from socketwatch.aws.audience import DynamoAudiences
from socketwatch.aws.candidates import DynamoRows
from socketwatch.aws.dynamo import Table
from socketwatch.aws.registry import DynamoRegistry
from socketwatch.clock import Clock
from socketwatch.errors import RegistryUnavailable
from socketwatch.rows import RegistryTable
from tests.adapters.table import create

TABLE = RegistryTable("registry", age_shards=4, room_shards=2)


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Run a test that is a coroutine on an event loop of its own."""
    if not inspect.iscoroutinefunction(pyfuncitem.obj):
        return None
    wanted = inspect.signature(pyfuncitem.obj).parameters
    asyncio.run(pyfuncitem.obj(**{name: pyfuncitem.funcargs[name] for name in wanted}))
    return True


@pytest.fixture
def table() -> RegistryTable:
    return TABLE


@pytest.fixture
def dynamodb() -> Iterator[Any]:
    with mock_aws():
        client = botocore.session.get_session().create_client("dynamodb")
        create(client, "core.yaml", "Registry", TABLE.name)
        yield client


def registry_on(dynamodb: Any) -> DynamoRegistry:
    """The registry on that client, which never waits between tries."""
    return DynamoRegistry(TABLE, registry_table(dynamodb))


def audiences_on(dynamodb: Any, clock: Clock) -> DynamoAudiences:
    """The registry's readers on that client."""
    return DynamoAudiences(TABLE, registry_table(dynamodb), clock)


def rows_on(dynamodb: Any, clock: Clock) -> DynamoRows:
    """The reaper's rows on that client."""
    return DynamoRows(TABLE, registry_table(dynamodb), clock)


def registry_table(dynamodb: Any) -> Table:
    """The registry's table on that client."""
    return Table(TABLE.name, dynamodb, RegistryUnavailable, lambda _attempt: None)
