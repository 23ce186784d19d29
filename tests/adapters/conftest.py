"""A registry table on moto, made anew for each test that asks for it."""

from collections.abc import Iterator
from typing import Any

import botocore.session
import pytest
from moto import mock_aws

from socketwatch.aws.audience import DynamoAudiences
from socketwatch.aws.dynamo import Table
from socketwatch.aws.registry import DynamoRegistry
from socketwatch.clock import Clock
from socketwatch.errors import RegistryUnavailable
from socketwatch.rows import RegistryTable
from tests.adapters.table import create

TABLE = RegistryTable("registry", age_shards=4, room_shards=2)


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
    return DynamoRegistry(TABLE, _table(dynamodb))


def audiences_on(dynamodb: Any, clock: Clock) -> DynamoAudiences:
    """The registry's readers on that client."""
    return DynamoAudiences(TABLE, _table(dynamodb), clock)


def _table(dynamodb: Any) -> Table:
    return Table(TABLE.name, dynamodb, RegistryUnavailable, lambda _attempt: None)
