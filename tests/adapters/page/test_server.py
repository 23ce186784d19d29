import asyncio
import json
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
from aiohttp import ClientPayloadError, ClientSession
from yarl import URL

from console.page.server import Page, PageError
from local.page.feed import Feed
from local.page.live import live
from tests.fakes import NOW, clock

PATIENCE_S = 5
DATA = "data: "
FILES = {
    "/": "text/html",
    "/files/page.css": "text/css",
    "/files/page.js": "javascript",
    "/files/charts.js": "javascript",
}


@asynccontextmanager
async def a_page(feed: Feed | None = None) -> AsyncIterator[tuple[Page, ClientSession]]:
    page = Page(live(feed or Feed(clock), every_s=0.02))
    await page.open()
    try:
        async with ClientSession(page.url) as client:
            yield page, client
    finally:
        await page.close()


async def next_state(stream: Any) -> dict[str, Any]:
    async with asyncio.timeout(PATIENCE_S):
        async for line in stream.content:
            if line.decode().startswith(DATA):
                state: dict[str, Any] = json.loads(line.decode().removeprefix(DATA))
                return state
    raise AssertionError("the stream ended")


@pytest.mark.parametrize("path", [*FILES, "/state.json", "/stream", "/nothing"])
async def test_every_answer_forbids_what_the_page_does_not_need(path: str) -> None:
    async with a_page() as (_, client), client.get(path) as answer:
        policy = answer.headers["Content-Security-Policy"].split("; ")

        assert policy[0] == "default-src 'none'"
        assert {"script-src 'self'", "style-src 'self'", "frame-ancestors 'none'"} <= set(policy)
        assert not [rule for rule in policy if "unsafe" in rule]
        assert answer.headers["X-Content-Type-Options"] == "nosniff"


@pytest.mark.parametrize(("path", "kind"), FILES.items())
async def test_its_files_are_served_under_their_kind(path: str, kind: str) -> None:
    async with a_page() as (_, client), client.get(path) as answer:
        assert answer.status == 200
        assert kind in answer.headers["Content-Type"]
        assert await answer.read()


@pytest.mark.parametrize("path", ["/files/../live.py", "/files/%2e%2e/live.py", "/files/"])
async def test_nothing_but_its_files_is_served(path: str) -> None:
    # By hand, because a client would tidy the path.
    async with a_page() as (page, _):
        reader, writer = await asyncio.open_connection("127.0.0.1", URL(page.url).port)
        writer.write(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
        status = (await reader.readline()).split()[1]
        writer.close()
        await writer.wait_closed()

        assert status in {b"403", b"404"}


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example:80", "", "[::1]"])
@pytest.mark.parametrize("path", ["/", "/state.json", "/stream", "/files/page.js"])
async def test_a_name_that_is_not_its_own_is_refused(host: str, path: str) -> None:
    async with a_page() as (_, client), client.get(path, headers={"Host": host}) as answer:
        assert answer.status == 403
        assert "registry" not in await answer.text()


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost:8090", "LOCALHOST"])
async def test_its_own_names_are_answered(host: str) -> None:
    async with a_page() as (_, client), client.get("/", headers={"Host": host}) as answer:
        assert answer.status == 200


OTHER_SITES = {"Sec-Fetch-Site": "cross-site"}
LINK = {**OTHER_SITES, "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "document"}


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        ("/state.json", OTHER_SITES),
        ("/state.json", LINK),
        ("/state.json", {"Sec-Fetch-Site": "same-site"}),
        ("/", OTHER_SITES),
        ("/", {**OTHER_SITES, "Sec-Fetch-Mode": "navigate", "Sec-Fetch-Dest": "iframe"}),
    ],
)
async def test_another_sites_page_may_ask_for_nothing(path: str, headers: dict[str, str]) -> None:
    async with a_page() as (_, client), client.get(path, headers=headers) as answer:
        assert answer.status == 403
        assert "registry" not in await answer.text()


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        ("/state.json", {"Sec-Fetch-Site": "same-origin"}),
        ("/state.json", {"Sec-Fetch-Site": "none"}),
        ("/", LINK),
    ],
)
async def test_the_page_itself_a_reader_and_a_link_to_it_are_answered(
    path: str, headers: dict[str, str]
) -> None:
    async with a_page() as (_, client), client.get(path, headers=headers) as answer:
        assert answer.status == 200


async def test_one_state_is_json_that_no_cache_keeps() -> None:
    feed = Feed(clock)
    feed.count(NOW, 3, 4)
    async with a_page(feed) as (_, client), client.get("/state.json") as answer:
        state = await answer.json()

        assert answer.headers["Cache-Control"] == "no-store"
        assert state["connected"]["registry"] == 3
        assert state["connected"]["truth"] == 4


async def test_the_stream_tells_at_once_and_then_what_changes() -> None:
    feed = Feed(clock)
    feed.count(NOW, 1, 1)
    async with a_page(feed) as (_, client), client.get("/stream") as stream:
        first = await next_state(stream)
        feed.count(NOW, 2, 2)
        async with asyncio.timeout(PATIENCE_S):
            while (await next_state(stream))["connected"]["registry"] != 2:
                pass

        assert first["connected"]["registry"] == 1
        assert stream.headers["Content-Type"].startswith("text/event-stream")
        assert stream.headers["Cache-Control"] == "no-store"


async def test_hostile_text_cannot_end_or_forge_a_message_of_the_stream() -> None:
    feed = Feed(clock)
    feed.log("message", NOW, {"message": 'x\n\ndata: {"connected":9}\n\n</script>'})
    async with a_page(feed) as (_, client), client.get("/stream") as stream:
        state = await next_state(stream)

        assert state["connected"] is None
        assert state["events"][0]["text"] == 'x  data: {"connected":9}  </script>'


async def test_closing_the_page_ends_its_streams_in_order() -> None:
    async with a_page() as (page, client), client.get("/stream") as stream:
        await next_state(stream)
        async with asyncio.timeout(PATIENCE_S):
            await page.close()
            try:
                await stream.content.read()
            except ClientPayloadError as cut:
                pytest.fail(f"cut instead of ended: {cut}")

        assert stream.content.at_eof()


async def test_a_reader_that_leaves_does_not_stop_the_others() -> None:
    async with a_page() as (_, client), client.get("/stream") as staying:
        async with client.get("/stream") as leaving:
            await next_state(leaving)
        states = [await next_state(staying) for _ in range(5)]

        assert len(states) == 5


async def test_a_busy_port_is_named() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]

        with pytest.raises(PageError, match=f"port {port} is in use"):
            await Page(live(Feed(clock)), port=port).open()


async def test_a_port_that_does_not_exist_is_named() -> None:
    with pytest.raises(PageError, match="port 99999 does not exist"):
        await Page(live(Feed(clock)), port=99_999).open()


async def test_a_page_that_is_not_open_has_no_address_and_nothing_to_close() -> None:
    page = Page(live(Feed(clock)))
    await page.close()

    with pytest.raises(PageError, match="not open"):
        _ = page.url


async def test_it_listens_on_the_loopback_address_alone() -> None:
    async with a_page() as (page, _):
        assert page.url.startswith("http://127.0.0.1:")
