import asyncio
import json
import urllib.request
from urllib.error import HTTPError

import pytest

from local.edge.errors import EdgeError
from local.edge.settings import EdgeSettings
from tests.adapters.edge.scene import (
    Backend,
    Functions,
    a_peer,
    an_edge,
    heard,
    the_only_id,
)
from tests.adapters.edge.test_handshake import refusal

NEVER_AGAIN = 1e-9
"""Tokens a second: one in thirty years."""


async def test_calls_beyond_the_bucket_are_429_and_do_nothing() -> None:
    async with an_edge(account_rate=NEVER_AGAIN, account_burst=2) as edge, a_peer(edge) as peer:
        backend, connection_id = Backend(edge.management_url), await the_only_id(edge)
        await backend.post(connection_id, b"the last token")
        with pytest.raises(backend.exceptions.LimitExceededException):
            await backend.post(connection_id, b"one too many")
        with pytest.raises(backend.exceptions.LimitExceededException):
            await backend.get(connection_id)
        with pytest.raises(backend.exceptions.LimitExceededException):
            await backend.delete(connection_id)

        assert await heard(peer) == "the last token"
        assert edge.counts.frames_out == 1
        assert edge.live() == {connection_id}
        assert edge.counts.posts == {200: 1, 429: 1}
        assert edge.counts.gets == edge.counts.deletes == {429: 1}
        assert edge.counts.throttled == {"post": 1, "get": 1, "delete": 1}


def get(url: str) -> tuple[int, str | None, object]:
    """Status, error type and document of a refused GET."""
    with pytest.raises(HTTPError) as refused:
        urllib.request.urlopen(url)  # noqa: S310 - an http URL of this test
    with refused.value as error:
        return error.code, error.headers["x-amzn-ErrorType"], json.load(error)


async def test_a_throttled_call_names_the_error_in_header_and_body() -> None:
    async with an_edge(account_rate=NEVER_AGAIN, account_burst=1) as edge, a_peer(edge):
        url = f"{edge.management_url}/@connections/{await the_only_id(edge)}"

        assert await asyncio.to_thread(get, url) == (
            429,
            "LimitExceededException",
            {"message": "Too Many Requests"},
        )


async def test_a_handshake_beyond_the_bucket_is_429_and_calls_nothing() -> None:
    functions = Functions()
    async with (
        an_edge(functions, account_rate=NEVER_AGAIN, account_burst=1) as edge,
        a_peer(edge),
    ):
        await the_only_id(edge)

        assert await refusal(edge) == 429
        assert len(functions.events["connect"]) == 1
        assert edge.counts.refused == {429: 1}
        assert edge.counts.throttled == {"handshake": 1}


async def test_a_message_beyond_the_bucket_gets_the_error_frame_and_the_connection_stays() -> None:
    functions = Functions()
    async with (
        an_edge(functions, account_rate=NEVER_AGAIN, account_burst=2) as edge,
        a_peer(edge) as peer,
    ):
        connection_id = await the_only_id(edge)
        await peer.send("the last token")
        await functions.called("default")
        await peer.send("one too many")
        frame = json.loads(await heard(peer))

        assert frame.keys() == {"message", "connectionId", "requestId"}
        assert (frame["message"], frame["connectionId"]) == ("Too Many Requests", connection_id)
        assert len(functions.events["default"]) == 1
        assert edge.live() == {connection_id}
        assert (edge.counts.frames_in, edge.counts.throttled) == (2, {"message": 1})


async def test_handshakes_messages_and_calls_spend_from_one_bucket() -> None:
    functions = Functions()
    async with (
        an_edge(functions, account_rate=NEVER_AGAIN, account_burst=5) as edge,
        a_peer(edge) as peer,
    ):
        backend, connection_id = Backend(edge.management_url), await the_only_id(edge)
        await peer.send("hello")
        await functions.called("default")
        await backend.post(connection_id, b"hello")
        await backend.get(connection_id)
        async with a_peer(edge):
            with pytest.raises(backend.exceptions.LimitExceededException):
                await backend.get(connection_id)

        assert edge.counts.throttled == {"get": 1}


async def test_what_reaches_no_stage_spends_nothing() -> None:
    async with an_edge(account_rate=NEVER_AGAIN, account_burst=2) as edge, a_peer(edge):
        connection_id = await the_only_id(edge)
        elsewhere = Backend(edge.management_url.replace("/prod", "/dev"))
        with pytest.raises(elsewhere.exceptions.ForbiddenException):
            await elsewhere.get(connection_id)
        assert await refusal(edge, "uction") == 403

        assert await Backend(edge.management_url).post(connection_id, b"hello") == 200


async def accepted(backend: Backend, connection_id: str) -> bool:
    try:
        await backend.post(connection_id, b"hello")
    except backend.exceptions.LimitExceededException:
        return False
    return True


async def test_a_flood_of_posts_gets_the_burst_at_once_and_then_the_rate() -> None:
    rate, burst = 50, 10
    loop = asyncio.get_running_loop()
    began = loop.time()
    async with an_edge(account_rate=rate, account_burst=burst) as edge, a_peer(edge):
        backend, connection_id = Backend(edge.management_url), await the_only_id(edge)
        at_once = [await accepted(backend, connection_id) for _ in range(burst - 1)]
        flood = [await accepted(backend, connection_id) for _ in range(200)]
        passed = loop.time() - began

        assert all(at_once)
        assert False in flood
        assert 1 + len(at_once) + sum(flood) <= burst + rate * passed
        assert edge.counts.throttled == {"post": flood.count(False)}


async def test_what_was_throttled_passes_once_tokens_have_come_back() -> None:
    async with an_edge(account_rate=2, account_burst=1) as edge, a_peer(edge) as peer:
        backend, connection_id = Backend(edge.management_url), await the_only_id(edge)
        at_first = await accepted(backend, connection_id)
        await backend.post_until_accepted(connection_id, b"later")

        assert not at_first
        assert await heard(peer) == "later"


@pytest.mark.parametrize("setting", ["account_rate", "account_burst", "connect_rate"])
def test_a_bucket_that_would_admit_nothing_is_a_clear_error(setting: str) -> None:
    with pytest.raises(EdgeError, match=f"{setting} must be above 0, not 0"):
        EdgeSettings(stage="prod", **{setting: 0})


async def test_a_call_to_a_peer_that_never_was_spends_its_token_too() -> None:
    async with an_edge(account_rate=NEVER_AGAIN, account_burst=1) as edge:
        backend = Backend(edge.management_url)
        with pytest.raises(backend.exceptions.GoneException):
            await backend.get("BFaT_fALIAMCKug=")
        with pytest.raises(backend.exceptions.LimitExceededException):
            await backend.get("BFaT_fALIAMCKug=")

        assert edge.counts.gets == {410: 1, 429: 1}
