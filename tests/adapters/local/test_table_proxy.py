"""The proxy between a real SDK and a real (local) DynamoDB."""

import asyncio
import random
import socket
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.edge.faults import Does, Fault, Faults, On
from local.ministack import Ministack, client, ministack
from local.table_proxy import TableProxy, TableProxyError
from socketwatch.clock import MINUTE

NOON = 1_731_326_400_000


@pytest.fixture(scope="module")
def aws() -> Iterator[Ministack]:
    with ministack() as running:
        dynamodb = client(running.endpoint, "dynamodb")
        for name in ("registry", "deliveries"):
            dynamodb.create_table(
                TableName=name,
                BillingMode="PAY_PER_REQUEST",
                AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "S"}],
                KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
                GlobalSecondaryIndexes=[
                    {
                        "IndexName": "by-age",
                        "KeySchema": [{"AttributeName": "pk", "KeyType": "HASH"}],
                        "Projection": {"ProjectionType": "ALL"},
                    }
                ],
            )
        yield running


@asynccontextmanager
async def proxied(upstream: str) -> AsyncIterator[tuple[TableProxy, Faults, Any]]:
    """A proxy, its faults, and a client that goes through it."""
    proxy = TableProxy(lambda: NOON)
    await proxy.open()
    try:
        faults = Faults(random.Random(7), lambda _fault, _pick: None)
        proxy.attach(upstream, faults)
        yield proxy, faults, client(proxy.url, "dynamodb")
    finally:
        await proxy.close()


def put(dynamodb: Any, table: str, key: str = "a", **more: str) -> Any:
    item = {name: {"S": value} for name, value in {"pk": key, **more}.items()}
    return dynamodb.put_item(TableName=table, Item=item)


def read_index(dynamodb: Any) -> Any:
    return dynamodb.query(
        TableName="registry",
        IndexName="by-age",
        KeyConditionExpression="pk = :a",
        ExpressionAttributeValues={":a": {"S": "a"}},
    )


async def code(call: Callable[..., Any], *arguments: Any) -> str:
    """The error code that a call ends in."""
    with pytest.raises(ClientError) as refused:
        await asyncio.to_thread(call, *arguments)
    return str(refused.value.response["Error"]["Code"])


async def test_without_a_dynamodb_behind_it_calls_are_refused_in_order(
    caplog: pytest.LogCaptureFixture,
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        nobody = f"http://127.0.0.1:{listener.getsockname()[1]}"
    async with proxied(nobody) as (_, _, dynamodb):
        assert await code(put, dynamodb, "registry") == "ServiceUnavailable"

    assert caplog.records == []


async def test_calls_go_through_unchanged(aws: Ministack) -> None:
    async with proxied(aws.endpoint) as (_, _, dynamodb):
        await asyncio.to_thread(put, dynamodb, "registry", "large", body="x" * 300_000)
        found = await asyncio.to_thread(
            dynamodb.get_item, TableName="registry", Key={"pk": {"S": "large"}}
        )
        unknown = await code(put, dynamodb, "nowhere")

        assert found["Item"]["body"]["S"] == "x" * 300_000
        assert unknown == "ResourceNotFoundException"


async def test_capacity_is_counted_as_cloudwatch_has_it(aws: Ministack) -> None:
    async with proxied(aws.endpoint) as (proxy, _, dynamodb):
        for _ in range(2):
            await asyncio.to_thread(put, dynamodb, "registry", "b")
        await asyncio.to_thread(read_index, dynamodb)
        await asyncio.to_thread(dynamodb.describe_table, TableName="registry")
        points = proxy.ended(NOON + MINUTE)

        registry, index = ("TableName", "registry"), ("GlobalSecondaryIndexName", "by-age")
        found = {(each.name, each.dimensions): dict(each.values) for each in points}
        assert found["ConsumedWriteCapacityUnits", (registry,)] == {1: 2}
        # The same again changes nothing in the index.
        assert found["ConsumedWriteCapacityUnits", (registry, index)] == {1: 1}
        assert found["ConsumedReadCapacityUnits", (registry, index)] == {0.5: 1}
        assert {name for name, _ in found} == {
            "ConsumedReadCapacityUnits",
            "ConsumedWriteCapacityUnits",
        }


async def test_a_throttled_table_refuses_as_dynamodb_does(aws: Ministack) -> None:
    async with proxied(aws.endpoint) as (_, faults, dynamodb):
        told = faults.inject(Fault(On.TABLE, Does.THROTTLE, table="registry"))
        throttled = await code(put, dynamodb, "registry")
        await asyncio.to_thread(put, dynamodb, "deliveries")
        faults.heal(told)
        await asyncio.to_thread(put, dynamodb, "registry")

        assert throttled == "ProvisionedThroughputExceededException"
        assert faults.fired(told) == 1


async def test_throttles_are_counted_as_cloudwatch_has_them(aws: Ministack) -> None:
    async with proxied(aws.endpoint) as (proxy, faults, dynamodb):
        faults.inject(Fault(On.TABLE, Does.THROTTLE))
        for _ in range(2):
            await code(put, dynamodb, "registry")
        await code(read_index, dynamodb)
        too_early = proxy.ended(NOON + MINUTE - 1)
        points = proxy.ended(NOON + MINUTE)
        again = proxy.ended(NOON + MINUTE)

        registry = ("TableName", "registry")
        assert too_early == again == []
        assert {(each.name, each.dimensions): dict(each.values) for each in points} == {
            ("WriteThrottleEvents", (registry,)): {1: 2},
            ("ThrottledRequests", (registry, ("Operation", "PutItem"))): {1: 2},
            ("ReadThrottleEvents", (registry, ("GlobalSecondaryIndexName", "by-age"))): {1: 1},
            ("ThrottledRequests", (registry, ("Operation", "Query"))): {1: 1},
        }
        assert {each.at for each in points} == {NOON}


async def test_a_transaction_meets_the_faults_of_each_of_its_tables(aws: Ministack) -> None:
    async with proxied(aws.endpoint) as (_, faults, dynamodb):
        told = faults.inject(Fault(On.TABLE, Does.THROTTLE, table="deliveries"))
        actions = [
            {"Put": {"TableName": name, "Item": {"pk": {"S": "t"}}}}
            for name in ("registry", "deliveries")
        ]

        def transact() -> None:
            dynamodb.transact_write_items(TransactItems=actions)

        assert await code(transact) == "ProvisionedThroughputExceededException"
        assert faults.fired(told) == 1


async def test_a_table_can_fail_and_can_be_slow(aws: Ministack) -> None:
    async with proxied(aws.endpoint) as (_, faults, dynamodb):
        faults.inject(Fault(On.TABLE, Does.STATUS, status=500, times=1))
        faults.inject(Fault(On.TABLE, Does.DELAY, ms=60, times=1))
        failed = await code(put, dynamodb, "registry")
        began = time.monotonic()
        await asyncio.to_thread(put, dynamodb, "registry")

        assert failed == "InternalServerError"
        assert time.monotonic() - began >= 0.06


async def test_before_there_is_a_dynamodb_it_says_so() -> None:
    proxy = TableProxy(lambda: NOON)
    await proxy.open()
    try:
        assert await code(put, client(proxy.url, "dynamodb"), "registry") == "ServiceUnavailable"
    finally:
        await proxy.close()


async def test_a_taken_port_is_an_error(aws: Ministack) -> None:
    async with proxied(aws.endpoint) as (proxy, _, _):
        taken = int(proxy.url.rpartition(":")[2])

        with pytest.raises(TableProxyError, match=f"port {taken} is in use"):
            await TableProxy(lambda: NOON).open(taken)
