import asyncio
import urllib.request
from urllib.error import HTTPError

import pytest
from botocore.exceptions import ClientError

from local.edge.invoke import InvokeResult
from tests.adapters.edge.scene import (
    Backend,
    Event,
    Functions,
    a_peer,
    an_edge,
    answer,
    closed,
    heard,
    the_only_id,
    until,
)

KB = 1024
NEVER_WAS = "BFaT_fALIAMCKug="


async def test_a_post_arrives_as_one_text_frame() -> None:
    async with an_edge() as edge, a_peer(edge) as peer:
        status = await Backend(edge.management_url).post(await the_only_id(edge), "grüezi".encode())

        assert status == 200
        assert await heard(peer) == "grüezi"
        assert edge.counts.posts == {200: 1}


async def test_posts_arrive_in_the_order_they_were_made() -> None:
    async with an_edge() as edge, a_peer(edge) as peer:
        backend, connection_id = Backend(edge.management_url), await the_only_id(edge)
        for number in range(20):
            await backend.post(connection_id, str(number).encode())

        assert [await heard(peer) for _ in range(20)] == [str(number) for number in range(20)]


async def test_get_tells_since_when_and_who() -> None:
    functions = Functions()
    async with an_edge(functions) as edge, a_peer(edge, user_agent_header="probe/1"):
        found = await Backend(edge.management_url).get(await the_only_id(edge))

        connected_at = functions.events["connect"][0]["requestContext"]["connectedAt"]
        assert round(found["ConnectedAt"].timestamp() * 1000) == connected_at
        assert found["LastActiveAt"] >= found["ConnectedAt"]
        assert found["Identity"] == {"SourceIp": "127.0.0.1", "UserAgent": "probe/1"}


async def test_a_post_moves_last_active_at_and_a_get_does_not() -> None:
    async with an_edge() as edge, a_peer(edge):
        backend, connection_id = Backend(edge.management_url), await the_only_id(edge)
        first = await backend.get(connection_id)
        second = await backend.get(connection_id)
        await backend.post(connection_id, b"hello")
        third = await backend.get(connection_id)

        assert first["LastActiveAt"] == second["LastActiveAt"] < third["LastActiveAt"]


async def test_delete_closes_the_connection_and_the_second_delete_is_410() -> None:
    functions = Functions()
    async with an_edge(functions) as edge, a_peer(edge) as peer:
        backend, connection_id = Backend(edge.management_url), await the_only_id(edge)

        assert await backend.delete(connection_id) == 204
        with pytest.raises(backend.exceptions.GoneException):
            await backend.delete(connection_id)
        assert (await closed(peer))[0] == 1000
        assert (await functions.called("disconnect"))[0]["requestContext"]["connectionId"] == (
            connection_id
        )
        assert edge.counts.deletes == {204: 1, 410: 1}


async def test_a_connection_that_is_closed_or_never_was_is_gone_for_every_call() -> None:
    async with an_edge() as edge:
        backend = Backend(edge.management_url)
        async with a_peer(edge):
            was = await the_only_id(edge)
        await until(lambda: edge.counts.closed.total() == 1)

        for connection_id in (was, NEVER_WAS):
            with pytest.raises(backend.exceptions.GoneException):
                await backend.post(connection_id, b"hello")
            with pytest.raises(backend.exceptions.GoneException):
                await backend.get(connection_id)
            with pytest.raises(backend.exceptions.GoneException):
                await backend.delete(connection_id)


async def test_posting_to_the_connecting_id_inside_connect_is_410() -> None:
    statuses: list[int] = []

    async def greets(event: Event) -> InvokeResult:
        backend = Backend(edge.management_url)
        with pytest.raises(backend.exceptions.GoneException) as gone:
            await backend.post(event["requestContext"]["connectionId"], b"welcome")
        statuses.append(gone.value.response["ResponseMetadata"]["HTTPStatusCode"])
        return answer()

    async with an_edge(Functions(connect=greets)) as edge, a_peer(edge):
        assert await the_only_id(edge)
        assert statuses == [410]


async def test_128_kb_can_be_posted_and_one_byte_more_is_413() -> None:
    async with an_edge() as edge, a_peer(edge) as peer:
        backend, connection_id = Backend(edge.management_url), await the_only_id(edge)

        assert await backend.post(connection_id, b"x" * 128 * KB) == 200
        assert len(await heard(peer)) == 128 * KB
        for size in (128 * KB + 1, 2 * 1024 * KB):
            with pytest.raises(backend.exceptions.PayloadTooLargeException):
                await backend.post(connection_id, b"x" * size)
        assert edge.counts.posts == {200: 1, 413: 2}


async def test_data_that_is_no_text_is_refused_and_the_peer_stays() -> None:
    async with an_edge() as edge, a_peer(edge):
        connection_id = await the_only_id(edge)
        with pytest.raises(ClientError) as refused:
            await Backend(edge.management_url).post(connection_id, b"\xff\xfe")

        assert refused.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400
        assert edge.live() == {connection_id}


async def test_another_stage_is_forbidden() -> None:
    async with an_edge() as edge, a_peer(edge):
        connection_id = await the_only_id(edge)
        backend = Backend(edge.management_url.replace("/prod", "/dev"))

        with pytest.raises(backend.exceptions.ForbiddenException):
            await backend.post(connection_id, b"hello")
        assert edge.counts.posts == {}


def status_of(url: str) -> int:
    try:
        with urllib.request.urlopen(url) as response:  # noqa: S310 - an http URL of this test
            return int(response.status)
    except HTTPError as error:
        with error:
            return error.code


async def test_an_id_is_decoded_once_and_compared_byte_by_byte() -> None:
    async with an_edge() as edge, a_peer(edge):
        connection_id = await the_only_id(edge)
        base = f"{edge.management_url}/@connections/"
        ids = {
            connection_id: 200,
            connection_id.replace("=", "%3D"): 200,
            connection_id.replace("=", "%253D"): 410,
            connection_id.rstrip("="): 410,
            connection_id.swapcase(): 410,
            "": 403,
            f"{connection_id}/more": 403,
        }

        for name, status in ids.items():
            assert await asyncio.to_thread(status_of, base + name) == status


async def test_the_encoded_at_sign_of_hand_signed_calls_is_understood() -> None:
    async with an_edge() as edge, a_peer(edge):
        url = f"{edge.management_url}/%40connections/{await the_only_id(edge)}"

        assert await asyncio.to_thread(status_of, url) == 200


async def flood(backend: Backend, connection_id: str) -> int:
    """Post 128 KB again and again until it is refused; how many were accepted."""
    for accepted in range(200):
        try:
            await backend.post(connection_id, b"x" * 128 * KB)
        except backend.exceptions.LimitExceededException:
            return accepted
    raise AssertionError("the peer's buffer has no bound")


async def test_a_peer_that_does_not_read_gets_429_at_its_bound_and_holds_nobody_up() -> None:
    async with (
        an_edge(send_buffer_bytes=64 * KB) as edge,
        a_peer(edge, max_queue=None) as slow,
    ):
        backend, slow_id = Backend(edge.management_url), await the_only_id(edge)
        slow.transport.pause_reading()
        accepted = await flood(backend, slow_id)
        async with a_peer(edge) as quick:
            (quick_id,) = edge.live() - {slow_id}
            await backend.post(quick_id, b"hello")

            assert await heard(quick) == "hello"
        assert edge.counts.posts == {200: accepted + 1, 429: 1}
        assert edge.counts.throttled == {}
        assert await backend.delete(slow_id) == 204


async def test_a_slow_peer_that_reads_again_hears_all_that_was_accepted_and_then_more() -> None:
    async with (
        an_edge(send_buffer_bytes=64 * KB) as edge,
        a_peer(edge, max_queue=None) as slow,
    ):
        backend, slow_id = Backend(edge.management_url), await the_only_id(edge)
        slow.transport.pause_reading()
        accepted = await flood(backend, slow_id)
        with pytest.raises(backend.exceptions.LimitExceededException):
            await backend.post(slow_id, b"still full")
        slow.transport.resume_reading()
        await backend.post_until_accepted(slow_id, b"drained")

        lengths = [len(await heard(slow)) for _ in range(accepted)]
        assert lengths == [128 * KB] * accepted
        assert await heard(slow) == "drained"
