import json
import time

import pytest
from botocore.exceptions import (
    ClientError,
    ConnectionClosedError,
    ReadTimeoutError,
)
from websockets.exceptions import ConnectionClosed, InvalidStatus

from local.edge.faults import CAN, Does, Fault, FaultError, Faults, On
from tests.adapters.edge.scene import (
    Backend,
    Functions,
    a_peer,
    an_edge,
    closed,
    heard,
    model,
    route,
    the_only_id,
    until,
)


class Dice:
    """Throws what it was told, then sixes: a fault below rate 1 fires at a low throw only."""

    def __init__(self, *throws: float) -> None:
        self._throws = list(throws)

    def randbytes(self, n: int) -> bytes:
        throw = self._throws.pop(0) if self._throws else 0.999
        return int(throw * 256**n).to_bytes(n)


def faults(*throws: float) -> Faults:
    return Faults(Dice(*throws), lambda _fault, _pick: None)


def everything(on: On, does: Does, **more: object) -> Fault:
    """That fault, with what it needs."""
    needs: dict[Does, dict[str, int]] = {Does.STATUS: {"status": 500}, Does.DELAY: {"ms": 1}}
    return Fault(on, does, **(needs.get(does, {}) | more))  # type: ignore[arg-type]  # cases say more


@pytest.mark.parametrize("status", [403, 404, 410, 413, 429, 500, 503])
async def test_a_call_can_be_answered_with_any_status_and_is_not_carried_out(status: int) -> None:
    async with an_edge() as edge, a_peer(edge) as peer:
        told = edge.faults.inject(Fault(On.POST, Does.STATUS, status=status, times=1))
        backend, connection_id = Backend(edge.management_url), await the_only_id(edge)
        with pytest.raises(ClientError) as refused:
            await backend.post(connection_id, b"lost")
        await backend.post(connection_id, b"arrived")

        assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == status
        assert await heard(peer) == "arrived"
        assert edge.faults.fired(told) == 1
        assert edge.counts.posts == {status: 1, 200: 1}


async def test_the_modelled_errors_are_raised_as_such() -> None:
    async with an_edge() as edge, a_peer(edge):
        backend, connection_id = Backend(edge.management_url), await the_only_id(edge)
        edge.faults.inject(Fault(On.CALL, Does.STATUS, status=410))

        with pytest.raises(backend.exceptions.GoneException):
            await backend.get(connection_id)
        with pytest.raises(backend.exceptions.GoneException):
            await backend.delete(connection_id)
        assert edge.live() == {connection_id}


@pytest.mark.parametrize("does", [Does.HTML, Does.EMPTY])
async def test_a_page_or_an_empty_object_is_a_success_that_says_nothing(does: Does) -> None:
    async with an_edge() as edge, a_peer(edge):
        backend, connection_id = Backend(edge.management_url), await the_only_id(edge)
        edge.faults.inject(Fault(On.GET, does, times=1))
        found = await backend.get(connection_id)

        assert found["ResponseMetadata"]["HTTPStatusCode"] == 200
        assert "ConnectedAt" not in found
        assert "ConnectedAt" in await backend.get(connection_id)


async def test_a_redirect_leads_away() -> None:
    async with an_edge() as edge, a_peer(edge):
        backend, connection_id = Backend(edge.management_url), await the_only_id(edge)
        edge.faults.inject(Fault(On.GET, Does.REDIRECT))

        with pytest.raises(ClientError) as led_away:
            await backend.get(connection_id)
        assert led_away.value.response["ResponseMetadata"]["HTTPStatusCode"] == 302


async def test_a_delay_comes_before_the_answer() -> None:
    async with an_edge() as edge, a_peer(edge) as peer:
        edge.faults.inject(Fault(On.POST, Does.DELAY, ms=60))
        began = time.monotonic()
        await Backend(edge.management_url).post(await the_only_id(edge), b"late")

        assert time.monotonic() - began >= 0.06
        assert await heard(peer) == "late"


async def test_a_call_without_an_answer_lasts_until_the_caller_gives_up() -> None:
    async with an_edge() as edge, a_peer(edge):
        told = edge.faults.inject(Fault(On.POST, Does.NO_ANSWER))
        impatient = Backend(edge.management_url, read_timeout=0.1)
        with pytest.raises(ReadTimeoutError):
            await impatient.post(await the_only_id(edge), b"unheard")

        assert edge.faults.fired(told) == 1
        assert edge.counts.frames_out == 0


async def test_a_lost_reply_leaves_the_post_done() -> None:
    async with an_edge() as edge, a_peer(edge) as peer:
        edge.faults.inject(Fault(On.POST, Does.LOSE_REPLY))
        with pytest.raises(ConnectionClosedError):
            await Backend(edge.management_url).post(await the_only_id(edge), b"done")

        assert await heard(peer) == "done"


async def test_a_fault_can_be_about_one_connection() -> None:
    async with an_edge() as edge, a_peer(edge):
        ill = await the_only_id(edge)
        async with a_peer(edge) as sound_peer:
            await until(lambda: len(edge.live()) == 2)
            (sound,) = edge.live() - {ill}
            backend = Backend(edge.management_url)
            fault = Fault(On.CALL, Does.STATUS, status=429, connections=frozenset({ill}))
            told = edge.faults.inject(fault)
            with pytest.raises(backend.exceptions.LimitExceededException):
                await backend.post(ill, b"one too many")
            await backend.post(sound, b"fine")

            assert await heard(sound_peer) == "fine"
            assert edge.faults.fired(told) == 1


@pytest.mark.parametrize("status", [403, 429, 500, 503])
async def test_a_handshake_can_be_refused_with_any_status(status: int) -> None:
    functions = Functions()
    async with an_edge(functions) as edge:
        edge.faults.inject(Fault(On.HANDSHAKE, Does.STATUS, status=status, times=1))
        with pytest.raises(InvalidStatus) as refused:
            async with a_peer(edge):
                pass
        async with a_peer(edge):
            pass

        assert refused.value.response.status_code == status
        assert edge.counts.refused == {status: 1}
        assert len(functions.events["connect"]) == 1


async def test_a_handshake_without_an_answer_is_given_up_by_the_peer() -> None:
    async with an_edge() as edge:
        edge.faults.inject(Fault(On.HANDSHAKE, Does.NO_ANSWER))
        with pytest.raises(TimeoutError):
            async with a_peer(edge, open_timeout=0.1):
                pass

        assert edge.live() == frozenset()


async def test_a_lost_disconnect_is_never_told() -> None:
    functions = Functions()
    async with an_edge(functions) as edge:
        told = edge.faults.inject(Fault(On.DISCONNECT, Does.LOSE))
        async with a_peer(edge):
            await the_only_id(edge)
        await until(lambda: edge.counts.disconnects_lost == 1)

        assert edge.faults.fired(told) == 1
    assert functions.events["disconnect"] == []


async def test_an_integration_can_be_out_of_reach() -> None:
    functions = Functions()
    async with an_edge(functions) as edge, a_peer(edge) as peer:
        told = edge.faults.inject(Fault(On.INVOKE, Does.UNREACHABLE, function="echo"))
        await peer.send('{"action": "echo"}')
        frame = json.loads(await heard(peer))
        await peer.send('{"action": "other"}')
        await functions.called("default")

        assert frame["message"] == "Internal server error"
        assert functions.events["echo"] == []
        assert edge.faults.fired(told) == 1


async def test_a_function_can_fail_at_the_handshake() -> None:
    functions = Functions()
    async with an_edge(functions) as edge:
        edge.faults.inject(Fault(On.INVOKE, Does.ERROR, function="connect"))
        with pytest.raises(InvalidStatus) as refused:
            async with a_peer(edge):
                pass

        assert refused.value.response.status_code == 502
        assert functions.events["connect"] == []


async def test_frozen_peers_are_open_to_all_appearance_and_hear_nothing() -> None:
    functions = Functions()
    async with an_edge(functions, idle_timeout_s=0.3) as edge, a_peer(edge) as peer:
        connection_id = await the_only_id(edge)
        told = edge.faults.inject(Fault(On.PEERS, Does.FREEZE))
        backend = Backend(edge.management_url)
        await peer.send("into the void")
        posted = await backend.post(connection_id, b"likewise")
        found = await backend.get(connection_id)

        assert (posted, found["ResponseMetadata"]["HTTPStatusCode"]) == (200, 200)
        assert edge.faults.fired(told) == 1
        assert edge.half_open() == edge.live() == {connection_id}
        (event,) = await functions.called("disconnect")
        assert event["requestContext"]["disconnectStatusCode"] == 1001
        assert functions.events["default"] == []
        with pytest.raises(backend.exceptions.GoneException):
            await backend.get(connection_id)


async def test_a_frozen_peer_takes_no_more_than_its_buffer() -> None:
    async with an_edge(send_buffer_bytes=10) as edge, a_peer(edge):
        connection_id = await the_only_id(edge)
        edge.faults.inject(Fault(On.PEERS, Does.FREEZE))
        backend = Backend(edge.management_url)
        await backend.post(connection_id, b"0123456789ab")

        with pytest.raises(backend.exceptions.LimitExceededException):
            await backend.post(connection_id, b"x")


async def test_dropped_peers_are_gone_and_nobody_is_told() -> None:
    functions = Functions()
    async with an_edge(functions) as edge, a_peer(edge) as peer:
        connection_id = await the_only_id(edge)
        edge.faults.inject(Fault(On.PEERS, Does.DROP))
        backend = Backend(edge.management_url)

        assert edge.live() == frozenset()
        with pytest.raises(backend.exceptions.GoneException):
            await backend.get(connection_id)
        with pytest.raises(ConnectionClosed):
            await peer.recv()
        await until(lambda: edge.counts.disconnects_lost == 1)
    assert functions.events["disconnect"] == []


async def test_closed_peers_are_told_and_so_is_disconnect() -> None:
    functions = Functions()
    async with an_edge(functions) as edge, a_peer(edge) as peer:
        await the_only_id(edge)
        edge.faults.inject(Fault(On.PEERS, Does.CLOSE, status=1012))

        assert (await closed(peer))[0] == 1012
        (event,) = await functions.called("disconnect")
        assert event["requestContext"]["disconnectStatusCode"] == 1012


async def test_a_share_of_the_peers_is_that_share_rounded_up() -> None:
    async with an_edge() as edge, a_peer(edge), a_peer(edge), a_peer(edge):
        await until(lambda: len(edge.live()) == 3)
        told = edge.faults.inject(Fault(On.PEERS, Does.DROP, rate=0.5))

        assert edge.faults.fired(told) == 2
        assert len(edge.live()) == 1


async def test_later_peers_do_not_suffer_what_befell_earlier_ones() -> None:
    async with an_edge() as edge:
        edge.faults.inject(Fault(On.PEERS, Does.DROP))
        async with a_peer(edge):
            assert await the_only_id(edge)


async def test_a_rate_is_a_share_of_the_chances() -> None:
    some = faults(0.2, 0.31, 0.29)
    told = some.inject(Fault(On.TABLE, Does.THROTTLE, rate=0.3))
    struck = [await some.struck(On.TABLE) is not None for _ in range(4)]

    assert struck == [True, False, True, False]
    assert some.fired(told) == 2


async def test_it_fires_so_often_at_most() -> None:
    some = faults()
    told = some.inject(Fault(On.GET, Does.EMPTY, times=2))
    struck = [await some.struck(On.GET) is not None for _ in range(3)]

    assert struck == [True, True, False]
    assert some.fired(told) == 2


async def test_what_is_healed_does_not_fire_and_is_remembered() -> None:
    some = faults()
    told = some.inject(Fault(On.GET, Does.EMPTY))
    await some.struck(On.GET)
    some.heal(told)
    healed = await some.struck(On.GET)

    assert healed is None
    assert [(each.fired, each.healed) for each in some.all()] == [(1, True)]


async def test_all_are_healed_at_once() -> None:
    some = faults()
    for on in (On.GET, On.POST, On.DISCONNECT):
        some.inject(everything(on, Does.DELAY))
    some.heal_all()

    assert all(each.healed for each in some.all())


async def test_delays_come_before_the_first_other_fault() -> None:
    some = faults()
    slow = some.inject(Fault(On.CALL, Does.DELAY, ms=1))
    first = some.inject(Fault(On.CALL, Does.STATUS, status=500))
    second = some.inject(Fault(On.POST, Does.STATUS, status=429))
    struck = await some.struck(On.POST)

    assert struck is not None
    assert struck.status == 500
    assert [some.fired(each) for each in (slow, first, second)] == [1, 1, 0]


def test_heal_and_fired_refuse_an_id_that_never_was() -> None:
    some = faults()

    with pytest.raises(KeyError):
        some.heal("fault-1")
    with pytest.raises(KeyError):
        some.fired("fault-1")


@pytest.mark.parametrize("on", On)
@pytest.mark.parametrize("does", Does)
def test_what_cannot_go_wrong_there_is_refused(on: On, does: Does) -> None:
    if does in CAN[on]:
        assert everything(on, does).on is on
    else:
        with pytest.raises(FaultError, match=f"{on} cannot {does}; it can "):
            everything(on, does)


@pytest.mark.parametrize(
    ("on", "does", "more", "message"),
    [
        ("moon", "status", {}, "on must be .*, not 'moon'"),
        ("post", "sing", {}, "does must be .*, not 'sing'"),
        ("post", "status", {}, "status must be between 400 and 599, not None"),
        ("post", "status", {"status": 200}, "status must be between 400 and 599, not 200"),
        ("post", "html", {"status": 500}, "html has no status"),
        ("post", "delay", {}, "needs ms above 0, not 0"),
        ("post", "html", {"ms": 5}, "needs ms above 0, not 5"),
        ("post", "html", {"rate": 0}, "rate must be above 0 and at most 1, not 0"),
        ("post", "html", {"rate": 1.1}, "rate must be above 0 and at most 1, not 1.1"),
        ("post", "html", {"times": 0}, "times must be at least 1, not 0"),
        ("peers", "close", {"status": 7}, "a close code is between 1000 and 4999, not 7"),
        ("handshake", "no_answer", {"connections": frozenset("a")}, "handshake knows no connect"),
        ("post", "html", {"function": "echo"}, "post knows no function"),
        ("post", "html", {"table": "registry"}, "post knows no table"),
    ],
)
def test_a_fault_that_makes_no_sense_is_refused(
    on: On, does: Does, more: dict[str, object], message: str
) -> None:
    with pytest.raises(FaultError, match=message):
        Fault(on, does, **more)  # type: ignore[arg-type]  # wrong on purpose


async def test_a_route_without_faults_goes_on_as_ever() -> None:
    functions = Functions()
    async with an_edge(functions, model(route("echo"))) as edge, a_peer(edge) as peer:
        edge.faults.inject(Fault(On.INVOKE, Does.ERROR, function="nobody"))
        await peer.send('{"action": "echo"}')

        assert await functions.called("echo")
