"""Ghosts of real sockets go, and whatever @connections answers, nobody who lives goes with them."""

import asyncio
import json
import random
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from typing import Any

import pytest
from websockets.asyncio.client import ClientConnection

from local.edge.faults import Does, Fault, On
from local.edge.server import Edge
from local.edge.settings import EdgeSettings
from socketwatch.aws.candidates import DynamoRows
from socketwatch.aws.control import ApiStage
from socketwatch.aws.dynamo import Table
from socketwatch.aws.sender import Sender
from socketwatch.breaker import Cause, Confirmation
from socketwatch.clock import MINUTE
from socketwatch.dismissing import Dismissed, Dismisser, Policy, dismiss
from socketwatch.errors import RegistryUnavailable
from socketwatch.ghosts import CLEAN_RUNS, Timings
from socketwatch.pacing import Pace
from socketwatch.reaper import Asked, Reaper, Rules
from socketwatch.reaping import reap
from socketwatch.registry import ClosedBy, shard
from socketwatch.rows import connection_key
from socketwatch.settings import Api
from socketwatch.sigv4 import Credentials
from socketwatch.sweep import Sweep
from socketwatch.verdicts import Kept
from tests.end_to_end.conftest import PATIENCE, Scene
from tests.end_to_end.dialogue import kept_alive
from tests.index import FakeMemory

pytestmark = pytest.mark.stack

CONFIRM = 1.5
"""Seconds after which a suspicion may be confirmed, and no row of now is young any more."""


@asynccontextmanager
async def crowd(scene: Scene, number: int) -> AsyncIterator[dict[str, ClientConnection]]:
    """So many peers by connection id, which talk all the time."""
    async with AsyncExitStack() as open_now:
        peers: dict[str, ClientConnection] = {}
        for _ in range(number):
            before = scene.stack.edge.live()
            peer = await open_now.enter_async_context(scene.peer("ann", "?room=lobby"))
            (mine,) = scene.stack.edge.live() - before
            peers[mine] = peer
            await open_now.enter_async_context(kept_alive(peer))
        await asyncio.sleep(CONFIRM)
        yield peers


async def run(scene: Scene, **asked: bool) -> dict[str, Any]:
    """Invoke the deployed reaper."""
    answer: dict[str, Any] = json.loads(
        await scene.stack.invoke("Reap", json.dumps(asked).encode())
    )
    return answer


async def run_until_true(scene: Scene) -> list[dict[str, Any]]:
    """Reap until the registry names exactly the connections that are open."""
    deadline = scene.loop.time() + PATIENCE
    runs: list[dict[str, Any]] = []
    while await registered(scene) != scene.stack.edge.live():
        assert scene.loop.time() < deadline, runs
        runs.append(await run(scene))
        await asyncio.sleep(CONFIRM)
    return runs


async def registered(scene: Scene) -> frozenset[str]:
    """What the registry holds open; asked aside, for the peers talk on this loop."""
    return await asyncio.to_thread(scene.stack.registered)


def closed_by(scene: Scene, one: str) -> str:
    word: str = scene.stack.row(one)["closedBy"]["S"]
    return word


def test_peers_that_vanish_silently_are_found_and_go(scene: Scene) -> None:
    async def play() -> None:
        async with crowd(scene, 6) as peers:
            gone = frozenset(sorted(peers)[:2])
            fault = scene.stack.edge.faults.inject(Fault(On.PEERS, Does.DROP, connections=gone))
            assert scene.stack.edge.faults.fired(fault) == 2
            assert await registered(scene) >= gone

            runs = await run_until_true(scene)

            assert sum(one["closed"].get("reaped", 0) for one in runs) >= 2
            assert [closed_by(scene, one) for one in sorted(gone)] == ["reaped", "reaped"]
            for one in gone:
                key = {"pk": {"S": "ROOM#lobby#0"}, "sk": {"S": f"CONN#{one}"}}
                table = scene.stack.registry.name
                row = scene.stack.aws("dynamodb").get_item(TableName=table, Key=key)
                assert "Item" not in row
            assert {one for one, peer in peers.items() if peer.close_code} == gone

    scene.play(play())


def test_lost_disconnects_leave_ghosts_that_go(scene: Scene) -> None:
    async def play() -> None:
        async with crowd(scene, 4) as peers:
            fault = scene.stack.edge.faults.inject(Fault(On.DISCONNECT, Does.LOSE))
            leaving = sorted(peers)[0]
            await peers[leaving].close()
            await scene.becomes(lambda: scene.stack.edge.faults.fired(fault), 1)
            scene.stack.edge.faults.heal(fault)

            await run_until_true(scene)

            assert closed_by(scene, leaving) == "reaped"

    scene.play(play())


def test_half_open_peers_live_until_the_gateway_ends_them(scene: Scene) -> None:
    async def play() -> None:
        async with crowd(scene, 4) as peers:
            frozen = frozenset(sorted(peers)[:1])
            lost = scene.stack.edge.faults.inject(
                Fault(On.DISCONNECT, Does.LOSE, connections=frozen)
            )
            scene.stack.edge.faults.inject(Fault(On.PEERS, Does.FREEZE, connections=frozen))
            assert (await run(scene))["closed"] == {}
            assert await registered(scene) >= frozen

            await scene.becomes(lambda: scene.stack.edge.faults.fired(lost), 1)
            scene.stack.edge.faults.heal(lost)
            await run_until_true(scene)

            assert {closed_by(scene, one) for one in frozen} == {"reaped"}

    scene.play(play())


@pytest.mark.parametrize(
    ("fault", "category"),
    [
        (Fault(On.GET, Does.STATUS, status=403), "forbidden"),
        (Fault(On.GET, Does.STATUS, status=404), "not_found"),
        (Fault(On.GET, Does.STATUS, status=429), "throttled"),
        (Fault(On.GET, Does.STATUS, status=500), "server_error"),
        (Fault(On.GET, Does.STATUS, status=503), "server_error"),
        (Fault(On.GET, Does.HTML), "unintelligible"),
        (Fault(On.GET, Does.EMPTY), "unintelligible"),
        (Fault(On.GET, Does.REDIRECT), "unintelligible"),
        (Fault(On.GET, Does.NO_ANSWER), "no_answer"),
        (Fault(On.GET, Does.LOSE_REPLY), "no_answer"),
    ],
    ids=lambda value: f"{value.does}-{value.status}" if isinstance(value, Fault) else value,
)
def test_no_wrong_answer_costs_anybody_anything(scene: Scene, fault: Fault, category: str) -> None:
    async def play() -> None:
        async with crowd(scene, 3) as peers:
            injected = scene.stack.edge.faults.inject(fault)
            for _ in range(2):
                answer = await run(scene)
                assert (answer["closed"], answer["suspected"]) == ({}, 0)
                assert set(answer["probes"]) == {category}
            assert scene.stack.edge.faults.fired(injected) >= 6
            scene.stack.edge.faults.heal(injected)
            assert await registered(scene) >= peers.keys()
            for peer in peers.values():
                assert not peer.close_code

    scene.play(play())


def test_410_for_all_trips_the_breaker_which_lets_go_when_that_is_over(scene: Scene) -> None:
    async def play() -> None:
        async with crowd(scene, 11) as peers:
            gone = frozenset(sorted(peers)[:1])
            scene.stack.edge.faults.inject(Fault(On.PEERS, Does.DROP, connections=gone))
            fault = scene.stack.edge.faults.inject(Fault(On.CALL, Does.STATUS, status=410))
            for _ in range(3):
                tripped = await run(scene, reset=True)
                assert (tripped["breaker"], tripped["cause"]) == ("tripped", "no_life")
                assert (tripped["closed"], tripped["suspected"]) == ({}, 0)
                await asyncio.sleep(CONFIRM)
            scene.stack.edge.faults.heal(fault)

            runs = await run_until_true(scene)

            held = [one["breaker"] for one in runs if not one["closed"]]
            assert held[: CLEAN_RUNS - 1] == ["tripped"] * (CLEAN_RUNS - 1)
            assert {closed_by(scene, one) for one in gone} == {"reaped"}
            assert await registered(scene) == scene.stack.edge.live()

    scene.play(play())


def test_a_dry_run_closes_nothing_and_a_reset_by_hand_is_answered(scene: Scene) -> None:
    async def play() -> None:
        async with crowd(scene, 4) as peers:
            gone = frozenset(sorted(peers)[:1])
            scene.stack.edge.faults.inject(Fault(On.PEERS, Does.DROP, connections=gone))
            for _ in range(4):
                dry = await run(scene, dryRun=True)
                assert (dry["dryRun"], dry["closed"]) == (True, {})
                await asyncio.sleep(CONFIRM)
            assert await registered(scene) >= gone
            refused = json.loads(await scene.stack.invoke("Reap", b'{"reset": "yes"}'))
            assert refused == {"error": "reset must be true or false"}

            await run_until_true(scene)

    scene.play(play())


def test_another_apis_endpoint_closes_nothing_and_is_named(scene: Scene) -> None:
    async def play() -> None:
        elsewhere = Edge(EdgeSettings(stage="live"), no_function, clock, random.SystemRandom())
        await elsewhere.open()
        try:
            async with crowd(scene, 11) as peers:
                memory = FakeMemory()
                for _ in range(3):
                    sweep = await asyncio.to_thread(
                        reap_at, scene, elsewhere.management_url, memory
                    )
                    assert sweep.breaker.cause is Cause.NO_LIFE
                    assert sweep.control.stage is Confirmation.THERE
                    await asyncio.sleep(CONFIRM)
                assert "MANAGEMENT_ENDPOINT" in Cause.NO_LIFE.likely
                assert await registered(scene) >= peers.keys()
                row = scene.stack.row(sorted(peers)[0])
                assert "suspectSince" not in row
        finally:
            await elsewhere.close()

    scene.play(play())


def test_another_stage_is_no_stage_and_trips_it(scene: Scene) -> None:
    async def play() -> None:
        async with crowd(scene, 2) as peers:
            memory, url = FakeMemory(), scene.stack.edge.management_url
            api = Api(scene.stack.api_id, "beta")
            sweep = await asyncio.to_thread(reap_at, scene, url, memory, api)

            assert sweep.breaker.cause is Cause.STAGE
            assert sweep.probes.total() == 0
            assert sweep.kept[Kept.FOREIGN] >= len(peers)

    scene.play(play())


def test_a_connection_ends_with_its_token_where_that_is_set(scene: Scene) -> None:
    async def play() -> None:
        async with crowd(scene, 2) as peers:
            expired, other = sorted(peers)
            assert int(scene.stack.row(expired)["tokenExpiresAt"]["N"]) > clock() // 1_000
            scene.stack.aws("dynamodb").update_item(
                TableName=scene.stack.registry.name,
                Key=connection_key(expired),
                UpdateExpression="SET tokenExpiresAt = :past",
                ExpressionAttributeValues={":past": {"N": "1"}},
            )

            done = await asyncio.to_thread(dismiss_at, scene, shard(expired, 16))

            assert (done.ended, done.failed) == ({ClosedBy.TOKEN: 1}, {})
            async with asyncio.timeout(PATIENCE):
                await peers[expired].wait_closed()
            await scene.agrees()
            assert not peers[other].close_code

    scene.play(play())


def test_the_metrics_of_the_reaper_arrive(scene: Scene) -> None:
    async def play() -> None:
        async with crowd(scene, 1):
            await run(scene)
            await scene.stack.bridge.quiet(1)

    scene.play(play())

    assert scene.watch.total("ReaperRuns") > 0
    assert scene.watch.sums["Probes", "alive"] > 0
    names = {name for name, _ in scene.watch.metrics}
    assert {"ReaperTripped", "ReaperDryRun", "ReaperLag", "GhostSample", "DriftCorrected"} <= names


def reap_at(scene: Scene, url: str, memory: FakeMemory, api: Api | None = None) -> Sweep:
    """A run of the reaper in this process, of the deployed registry, at another endpoint."""
    own = api or Api(scene.stack.api_id, "live")
    table = Table(scene.stack.registry.name, scene.stack.aws("dynamodb"), RegistryUnavailable)
    keys = Credentials("AKIDEXAMPLE", "secret", "token")
    sender = Sender(url, "us-east-1", lambda: keys, clock=time.monotonic, wall=clock)
    reaper = Reaper(
        rows=DynamoRows(scene.stack.registry, table, clock),
        memory=memory,
        stage=ApiStage(own, scene.stack.aws("apigatewayv2")).confirm,
        send=sender.run,
        clock=clock,
        monotonic=time.monotonic,
        pace=Pace(200),
        rules=Rules(own, replace(Timings(), confirm_after=1_000, grace=1_000), 16),
    )
    try:
        return reap(reaper, Asked(), 40_000)
    finally:
        sender.close()


def dismiss_at(scene: Scene, index_shard: int) -> Dismissed:
    """A run of the dismisser in this process, in the minute of that index shard."""
    minutes = (index_shard - clock() // MINUTE) % 16
    table = Table(scene.stack.registry.name, scene.stack.aws("dynamodb"), RegistryUnavailable)
    keys = Credentials("AKIDEXAMPLE", "secret", "token")
    url = scene.stack.edge.management_url
    sender = Sender(url, "us-east-1", lambda: keys, clock=time.monotonic, wall=clock)
    dismisser = Dismisser(
        rows=DynamoRows(scene.stack.registry, table, clock),
        send=sender.run,
        clock=lambda: clock() + minutes * MINUTE,
        monotonic=time.monotonic,
        pace=Pace(20),
        policy=Policy(Api(scene.stack.api_id, "live"), 0, tokens=True, age_shards=16),
    )
    try:
        return dismiss(dismisser, 40_000, dismisser.clock())
    finally:
        sender.close()


def clock() -> int:
    return time.time_ns() // 1_000_000


async def no_function(*_: Any, **__: Any) -> Any:
    raise AssertionError("nobody connects here")
