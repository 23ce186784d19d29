import asyncio
import random

import pytest
from websockets.asyncio.client import ClientConnection
from websockets.frames import Frame, Opcode
from websockets.protocol import State

from local.edge.errors import EdgeError, InvokeError
from local.edge.invoke import InvokeResult
from local.edge.server import Edge
from local.edge.settings import EdgeSettings
from tests.adapters.edge.scene import (
    PATIENCE_S,
    Backend,
    Event,
    Functions,
    a_peer,
    an_edge,
    answer,
    closed,
    model,
    route,
    the_only_id,
    until,
)

KB = 1024


async def told(functions: Functions) -> tuple[int, str]:
    """Code and reason of the one $disconnect."""
    (event,) = await functions.called("disconnect")
    context = event["requestContext"]
    return context["disconnectStatusCode"], context["disconnectReason"]


def close_frame(code: int) -> bytes:
    return Frame(Opcode.CLOSE, code.to_bytes(2, "big")).serialize(mask=True)


async def test_a_binary_frame_closes_with_1003() -> None:
    functions = Functions()
    async with an_edge(functions) as edge, a_peer(edge) as peer:
        await peer.send(b"\x00\x01")

        assert (await closed(peer))[0] == 1003
        assert (await told(functions))[0] == 1003
        assert functions.events["default"] == []


async def test_a_frame_of_32_kb_passes_and_one_byte_more_closes_with_1009() -> None:
    functions = Functions()
    async with an_edge(functions) as edge, a_peer(edge) as peer:
        await peer.send("x" * 32 * KB)
        (event,) = await functions.called("default")
        await peer.send("x" * (32 * KB + 1))

        assert len(event["body"]) == 32 * KB
        assert (await closed(peer))[0] == 1009
        assert (await told(functions))[0] == 1009


async def test_a_message_of_128_kb_in_frames_passes_and_more_closes_with_1009() -> None:
    functions = Functions()
    async with an_edge(functions) as edge, a_peer(edge) as peer:
        await peer.send(["x" * 32 * KB] * 4)
        (event,) = await functions.called("default")
        await peer.send(["x" * 32 * KB] * 4 + ["x"])

        assert len(event["body"]) == 128 * KB
        assert (await closed(peer))[0] == 1009
        assert (await told(functions))[0] == 1009


async def test_text_that_is_no_utf_8_closes_with_1007() -> None:
    functions = Functions()
    async with an_edge(functions) as edge, a_peer(edge) as peer:
        peer.protocol.send_text(b"\xff")
        peer.send_data()

        assert (await closed(peer))[0] == 1007
        assert (await told(functions))[0] == 1007


@pytest.mark.parametrize(
    ("code", "reason"), [(1000, ""), (1001, ""), (3000, "bye"), (4999, "grüezi")]
)
async def test_disconnect_is_told_the_peers_code_and_reason(code: int, reason: str) -> None:
    functions = Functions()
    async with an_edge(functions) as edge, a_peer(edge) as peer:
        await peer.close(code, reason)

        assert await told(functions) == (code, reason)
        assert edge.counts.closed == {code: 1}


async def test_a_close_frame_without_a_code_is_1005() -> None:
    functions = Functions()
    async with an_edge(functions) as edge, a_peer(edge) as peer:
        peer.transport.write(Frame(Opcode.CLOSE, b"").serialize(mask=True))

        assert await told(functions) == (1005, "Client-side close frame status not set")


async def test_a_peer_that_vanishes_is_1006() -> None:
    functions = Functions()
    async with an_edge(functions) as edge, a_peer(edge) as peer:
        await the_only_id(edge)
        peer.transport.abort()

        assert await told(functions) == (1006, "")
        assert edge.live() == frozenset()


async def test_a_peer_that_is_idle_is_ended_with_1001() -> None:
    functions = Functions()
    async with an_edge(functions, idle_timeout_s=0.1) as edge, a_peer(edge) as peer:
        assert await closed(peer) == (1001, "Going away")
        assert await told(functions) == (1001, "Going away")


async def keep_pinging(peer: ClientConnection) -> None:
    while peer.state is State.OPEN:
        await peer.ping()
        await asyncio.sleep(0.02)


async def test_pings_do_not_keep_a_peer_from_being_idle() -> None:
    async with an_edge(idle_timeout_s=0.2) as edge, a_peer(edge) as peer:
        await the_only_id(edge)
        await asyncio.wait({asyncio.create_task(keep_pinging(peer))}, timeout=PATIENCE_S)

        assert (await closed(peer))[0] == 1001


async def test_messages_either_way_keep_a_peer_from_being_idle() -> None:
    async with an_edge(idle_timeout_s=0.3) as edge, a_peer(edge) as peer:
        backend, connection_id = Backend(edge.management_url), await the_only_id(edge)
        loop, opened = asyncio.get_running_loop(), asyncio.get_running_loop().time()
        while loop.time() - opened < 0.5:
            await peer.send("still here")
            await asyncio.sleep(0.02)
        while loop.time() - opened < 1:
            await backend.post(connection_id, b"still here")
            await asyncio.sleep(0.02)

        assert edge.live() == {connection_id}


async def test_a_peer_is_ended_with_1001_at_the_end_of_its_life_however_active() -> None:
    functions = Functions()
    async with an_edge(functions, lifetime_s=0.2) as edge, a_peer(edge) as peer:
        while peer.state is State.OPEN:
            await peer.send("busy")
            await asyncio.sleep(0.01)

        assert await closed(peer) == (1001, "Going away")
        assert await told(functions) == (1001, "Going away")


async def test_a_half_open_peer_is_ended_by_idle() -> None:
    functions = Functions()
    async with (
        an_edge(functions, idle_timeout_s=0.1, close_timeout_s=0.1) as edge,
        a_peer(edge) as peer,
    ):
        peer.transport.pause_reading()

        assert await told(functions) == (1001, "Going away")
        assert edge.live() == frozenset()


async def test_a_peer_that_says_goodbye_and_stays_on_the_line_is_gone_at_once_and_cut() -> None:
    functions = Functions()
    async with an_edge(functions) as edge, a_peer(edge) as peer:
        backend, connection_id = Backend(edge.management_url), await the_only_id(edge)
        peer.transport.pause_reading()
        peer.transport.write(close_frame(4000))
        await until(lambda: not edge.live())
        closed_by_then = edge.counts.closed.total()
        with pytest.raises(backend.exceptions.GoneException):
            await backend.get(connection_id)

        assert closed_by_then == 0
        assert await told(functions) == (4000, "")


async def test_a_peer_that_breaks_a_limit_and_stays_on_the_line_is_cut() -> None:
    functions = Functions()
    async with an_edge(functions) as edge, a_peer(edge) as peer:
        peer.transport.pause_reading()
        await peer.send("x" * (32 * KB + 1))

        assert (await told(functions))[0] == 1009


async def test_the_code_of_the_side_that_closed_first_counts() -> None:
    functions = Functions()
    async with an_edge(functions) as edge, a_peer(edge) as peer:
        peer.transport.pause_reading()
        await Backend(edge.management_url).delete(await the_only_id(edge))
        peer.transport.write(close_frame(4000))

        assert await told(functions) == (1000, "")


async def test_each_connection_has_exactly_one_disconnect() -> None:
    functions = Functions()
    async with an_edge(functions, idle_timeout_s=0.1) as edge:
        backend = Backend(edge.management_url)
        async with a_peer(edge) as peer:
            await backend.delete(await the_only_id(edge))
            await closed(peer)
        await functions.called("disconnect")
        await asyncio.sleep(0.2)

        assert len(functions.events["disconnect"]) == 1
        assert edge.counts.disconnects_invoked == 1


async def test_a_disconnect_that_cannot_be_called_is_lost_and_counted() -> None:
    def unreachable(_: Event) -> InvokeResult:
        raise InvokeError("throttled")

    async with an_edge(Functions(disconnect=unreachable)) as edge:
        async with a_peer(edge):
            await the_only_id(edge)
        await until(lambda: edge.counts.disconnects_lost == 1)

        assert edge.counts.disconnects_invoked == 0


async def test_an_api_without_disconnect_closes_as_well() -> None:
    async with an_edge(api=model(route("$default"))) as edge:
        async with a_peer(edge):
            await the_only_id(edge)
        await until(lambda: edge.counts.closed == {1000: 1})

        assert (edge.counts.disconnects_invoked, edge.counts.disconnects_lost) == (0, 0)


async def test_closing_the_edge_says_1001_to_peers_and_waits_for_their_disconnects() -> None:
    functions = Functions()
    async with an_edge(functions) as edge, a_peer(edge) as one, a_peer(edge) as other:
        await edge.close()

        assert (await closed(one))[0] == (await closed(other))[0] == 1001
        assert len(functions.events["disconnect"]) == 2
        assert edge.counts.disconnects_invoked == 2


async def test_closing_the_edge_gives_up_a_disconnect_that_never_ends() -> None:
    async def never(_: Event) -> InvokeResult:
        await asyncio.Event().wait()
        return answer()

    async with (
        an_edge(Functions(disconnect=never), drain_timeout_s=0.1) as edge,
        a_peer(edge),
        asyncio.timeout(3),
    ):
        await edge.close()

    assert edge.counts.disconnects_lost == 1


async def test_closing_the_edge_gives_up_messages_that_run_or_wait_for_their_turn() -> None:
    async def never(_: Event) -> InvokeResult:
        await asyncio.Event().wait()
        return answer()

    functions = Functions(default=never)
    async with (
        an_edge(functions, messages_per_peer=1, invoke_concurrency=1, drain_timeout_s=0.1) as edge,
        a_peer(edge) as peer,
        a_peer(edge) as other,
    ):
        await peer.send("runs")
        await functions.called("default")
        await peer.send("waits for its turn")
        await other.send("waits for a function to end")
        await until(lambda: edge.waiting == 1)
        async with asyncio.timeout(3):
            await edge.close()

        assert (edge.in_flight, edge.waiting) == (0, 0)
        assert len(functions.events["default"]) == 1
        assert edge.counts.closed == {1001: 2}
        assert edge.counts.disconnects_lost == 2


async def test_closing_the_edge_waits_neither_for_silent_sockets_nor_for_connect() -> None:
    async def never(_: Event) -> InvokeResult:
        await asyncio.Event().wait()
        return answer()

    functions = Functions(connect=never)
    async with an_edge(functions) as edge:
        port = int(edge.url.rpartition(":")[2].partition("/")[0])
        _, silent = await asyncio.open_connection("127.0.0.1", port)
        _, asking = await asyncio.open_connection("127.0.0.1", port)
        asking.write(
            b"GET /prod HTTP/1.1\r\nHost: edge\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
            b"Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n\r\n"
        )
        await functions.called("connect")
        async with asyncio.timeout(3):
            await edge.close()
        silent.close()
        asking.close()

        assert edge.counts.refused == {503: 1}


async def test_a_port_in_use_is_a_clear_error_and_nothing_stays_bound() -> None:
    async with an_edge() as edge:
        taken = int(edge.url.rpartition(":")[2].partition("/")[0])
        for which in ("port", "management_port"):
            settings = EdgeSettings(stage="prod", **{which: taken})
            second = Edge(settings, Functions(), lambda: 0, random.Random(1))
            with pytest.raises(EdgeError, match=f"port {taken} is in use"):
                await second.open()


async def test_a_closed_edge_frees_its_ports() -> None:
    async with an_edge() as edge:
        port = int(edge.url.rpartition(":")[2].partition("/")[0])
    async with an_edge(port=port) as again, a_peer(again):
        assert f":{port}/" in again.url
