import multiprocessing
import time
from collections.abc import Iterator
from http.client import HTTPConnection
from urllib.parse import quote, urlsplit

import pytest

from bench.broadcast import server
from bench.broadcast.crowd import Fate, connection_id, fate_of
from bench.broadcast.server import GatewayError, RunningGateway, complete
from socketwatch.aws.environment import now_ms
from socketwatch.aws.sender import Sender
from socketwatch.calls import Call, Method
from socketwatch.sigv4 import Credentials

SIZE = 2_000
LATENCY = 0.02
REQUEST = b"POST /live/@connections/A%3D HTTP/1.1\r\nhost: x\r\nContent-Length: 5\r\n\r\nhello"


@pytest.fixture(scope="module")
def gateway() -> Iterator[RunningGateway]:
    context = multiprocessing.get_context("spawn")
    with server.running(context, SIZE, LATENCY) as running:
        yield running


def somebody(fate: Fate) -> str:
    return connection_id(next(number for number in range(SIZE) if fate_of(number) is fate))


def sender(gateway: RunningGateway) -> Sender:
    credentials = Credentials("AKIAEXAMPLE", "secret")
    return Sender(
        gateway.endpoint, "eu-west-1", lambda: credentials, clock=time.monotonic, wall=now_ms
    )


@pytest.mark.parametrize("end", range(len(REQUEST)))
def test_a_request_is_complete_with_its_last_byte(end: int) -> None:
    assert not complete(REQUEST[:end])
    assert complete(REQUEST)


def test_our_sender_gets_every_status(gateway: RunningGateway) -> None:
    posts = sender(gateway)
    before = gateway.posts()
    replies = {
        fate: posts.call(Call(Method.POST, somebody(fate), b"hello")).status for fate in Fate
    }
    again = posts.call(Call(Method.POST, somebody(Fate.SHAKY), b"hello")).status
    posts.close()

    assert replies == {Fate.FINE: 200, Fate.GONE: 410, Fate.SLOW: 429, Fate.SHAKY: 500}
    assert again == 200
    assert gateway.posts() - before == 5


def test_a_reply_takes_its_time_and_a_request_may_come_in_pieces(gateway: RunningGateway) -> None:
    address = urlsplit(gateway.endpoint)
    client = HTTPConnection(f"{address.netloc}", timeout=5)
    client.putrequest("POST", f"/live/@connections/{quote(somebody(Fate.FINE), safe='')}")
    client.putheader("CONTENT-LENGTH", "5")
    client.endheaders()
    client.send(b"hel")
    before = gateway.posts()
    began = time.monotonic()
    client.send(b"lo")
    status = client.getresponse().status
    took = time.monotonic() - began
    client.close()

    assert status == 200
    assert took >= LATENCY
    assert gateway.posts() == before + 1


def test_who_ends_it_hears_the_truth_and_it_is_gone() -> None:
    context = multiprocessing.get_context("spawn")
    with server.running(context, SIZE, 0) as running:
        posts = sender(running)
        identity = somebody(Fate.FINE)
        posts.call(Call(Method.POST, identity, b"hello"))
        truth = running.end()
        after = posts.call(Call(Method.POST, identity, b"hello")).status
        posts.close()

        with pytest.raises(GatewayError, match="died"):
            running.posts()

    assert truth.posts == sum(truth.heard) == 1
    assert truth.cpu > 0
    assert after == 0
