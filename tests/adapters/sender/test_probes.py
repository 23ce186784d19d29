"""Whatever the network makes of a probe, through the real client: nobody who lives is touched."""

import ssl
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from socketwatch.aws.sender import Sender
from socketwatch.breaker import Breaker, Confirmation
from socketwatch.calls import Work
from socketwatch.clock import MINUTE, SECOND
from socketwatch.pacing import Pace
from socketwatch.proof import Evidence
from socketwatch.reaper import Asked, Reaper, Rules
from socketwatch.reaping import reap
from socketwatch.registry import Connection
from socketwatch.settings import Api
from socketwatch.sweep import Sweep
from tests.adapters.sender.certificate import write_certificate
from tests.adapters.sender.conftest import Senders
from tests.adapters.sender.server import Peer, Request, Script, Server, answers, status
from tests.fakes import NOW, clock
from tests.index import SHARDS, FakeIndex, FakeMemory, FakeRows

PEERS = [f"peer-{number}=" for number in range(4)]
ALIVE = status(200, b'{"connectedAt": "2024-11-11T13:45:35.513Z", "identity": {}}')
FOUND_GONE, NEVER_PROBED = PEERS[:2], PEERS[2:]
BEFORE = {
    **dict.fromkeys(FOUND_GONE, (NOW - 1, NOW - 10 * MINUTE)),
    **dict.fromkeys(NEVER_PROBED, (NOW - 1, 0)),
}
"""Two that a probe had found gone, as wrongly as a second one might, and two never probed."""


def haunted() -> FakeIndex:
    rows = {one: Connection(one, NOW - 30 * MINUTE, "abc123", "live") for one in PEERS}
    return FakeIndex(rows=rows, checks=dict(BEFORE))


def sweep(index: FakeIndex, send: Callable[[Work], None]) -> Sweep:
    memory = FakeMemory(Breaker(last_at=NOW, steady_since=NOW - 60 * MINUTE))
    reaper = Reaper(
        rows=FakeRows(index),
        memory=memory,
        stage=lambda: Confirmation.THERE,
        send=send,
        clock=clock,
        monotonic=time.monotonic,
        pace=Pace(1_000),
        rules=Rules(Api("abc123", "live"), index.timings, SHARDS),
    )
    return reap(reaper, Asked(), 60 * SECOND)


def hang_up(peer: Peer, _request: Request) -> None:
    peer.hang_up()


def say_nothing(peer: Peer, _request: Request) -> None:
    peer.wait()


@pytest.mark.parametrize(
    ("script", "category"),
    [
        (answers(status(301, b"", b"Location: http://127.0.0.1:9/")), Evidence.UNINTELLIGIBLE),
        (answers(status(302, b"", b"Location: /login")), Evidence.UNINTELLIGIBLE),
        (answers(status(200, b"<html>Please log in</html>")), Evidence.UNINTELLIGIBLE),
        (answers(status(200, b"{}")), Evidence.UNINTELLIGIBLE),
        (answers(status(204)), Evidence.UNINTELLIGIBLE),
        (answers(b"SSH-2.0-OpenSSH_9.6\r\n\r\n"), Evidence.UNINTELLIGIBLE),
        (answers(status(400)), Evidence.UNINTELLIGIBLE),
        (answers(status(403)), Evidence.FORBIDDEN),
        (answers(status(404)), Evidence.NOT_FOUND),
        (answers(status(429)), Evidence.THROTTLED),
        (answers(status(500)), Evidence.SERVER_ERROR),
        (answers(status(504)), Evidence.SERVER_ERROR),
        (hang_up, Evidence.NO_ANSWER),
        (say_nothing, Evidence.NO_ANSWER),
    ],
)
def test_no_answer_but_410_speaks_against_a_row(
    server: Server, senders: Senders, trusting: ssl.SSLContext, script: Script, category: Evidence
) -> None:
    server.scripts = dict.fromkeys(PEERS, script)
    sender = senders(server.url, trusting, reply_timeout=0.2)
    index = haunted()

    done = sweep(index, sender.run)

    assert set(done.probes) == {category}
    assert (done.suspected, index.closings) == (0, {})
    assert server.requests
    assert {one.method for one in server.requests} == {"GET"}
    assert {one: since for one, (_, since) in index.checks.items()} == {
        one: since for one, (_, since) in BEFORE.items()
    }


@pytest.mark.parametrize("how", ["no name", "refused", "certificate of another", "no TLS"])
def test_an_endpoint_that_cannot_be_reached_or_trusted_says_nothing(
    server: Server, senders: Senders, tmp_path: Path, how: str
) -> None:
    stranger = ssl.create_default_context(cafile=write_certificate(tmp_path / "other.pem"))
    senders_of: dict[str, Callable[[], Sender]] = {
        "no name": lambda: senders("https://nowhere.invalid/live", stranger),
        "refused": lambda: senders("https://127.0.0.1:9/live", stranger),
        "certificate of another": lambda: senders(server.url, stranger),
        "no TLS": lambda: senders(server.url.replace("https", "http")),
    }
    index = haunted()

    done = sweep(index, senders_of[how]().run)

    assert set(done.probes) == {Evidence.NO_ANSWER}
    assert (done.suspected, index.closings) == (0, {})
    assert server.requests == []


def test_410_among_those_who_answer_is_death(
    server: Server, senders: Senders, trusting: ssl.SSLContext
) -> None:
    server.scripts = dict.fromkeys(NEVER_PROBED, answers(ALIVE))
    server.scripts |= dict.fromkeys(FOUND_GONE, answers(status(410)))
    index = haunted()

    done = sweep(index, senders(server.url, trusting).run)

    assert set(index.closings) == set(FOUND_GONE)
    assert done.closed.total() == 2


def test_ids_are_asked_about_byte_for_byte(
    server: Server, senders: Senders, trusting: ssl.SSLContext
) -> None:
    odd = ["a/+b=", "%2F=", "ünï=", "a b=", "../x="]
    asked: list[str] = []

    def note(peer: Peer, request: Request) -> None:
        asked.append(request.connection_id)
        peer.say(ALIVE)

    server.scripts = dict.fromkeys(odd, note)
    index = FakeIndex(
        rows={one: Connection(one, NOW - 30 * MINUTE, "abc123", "live") for one in odd},
        checks=dict.fromkeys(odd, (NOW - 1, 0)),
    )

    sweep(index, senders(server.url, trusting).run)

    assert set(asked) == set(odd)
