"""A registry table on moto, made anew for each test that asks for it."""

from collections.abc import Iterator
from typing import Any

import botocore.session
import pytest
from moto import mock_aws

from socketwatch.rows import RegistryTable
from tests.adapters.table import create_registry

TABLE = RegistryTable("registry", age_shards=4, room_shards=2)


@pytest.fixture
def table() -> RegistryTable:
    return TABLE


@pytest.fixture
def dynamodb() -> Iterator[Any]:
    with mock_aws():
        client = botocore.session.get_session().create_client("dynamodb")
        create_registry(client, TABLE.name)
        yield client
