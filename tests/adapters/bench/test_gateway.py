from dataclasses import dataclass

import pytest

from bench.broadcast.crowd import Fate, connection_id, fate_of
from bench.broadcast.gateway import BURST, RATE, Gateway
from tests.fakes import NOW

SIZE = 3_000


@dataclass
class Time:
    now: float = 100.0

    def seconds(self) -> float:
        return self.now

    def wall(self) -> int:
        return NOW + round(self.now * 1_000)


def somebody(fate: Fate) -> bytes:
    number = next(number for number in range(SIZE) if fate_of(number) is fate)
    return connection_id(number).encode()


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def gateway(time: Time) -> Gateway:
    return Gateway(SIZE, time.seconds, time.wall)


@pytest.mark.parametrize(
    ("fate", "statuses"),
    [
        (Fate.FINE, [200, 200]),
        (Fate.GONE, [410, 410]),
        (Fate.SLOW, [429, 429]),
        (Fate.SHAKY, [500, 200]),
    ],
)
def test_every_peer_answers_as_is_its_fate(
    gateway: Gateway, fate: Fate, statuses: list[int]
) -> None:
    assert [gateway.answer(somebody(fate)) for _ in range(2)] == statuses


def test_only_what_was_accepted_counts_as_heard(gateway: Gateway) -> None:
    for fate in Fate:
        gateway.answer(somebody(fate))
    gateway.answer(somebody(Fate.SHAKY))

    assert sum(gateway.truth.heard) == 2
    assert gateway.truth.answers == {200: 2, 410: 1, 429: 1, 500: 1}
    assert gateway.truth.refused == 0


def test_the_bucket_holds_the_burst_and_fills_at_the_rate(gateway: Gateway, time: Time) -> None:
    at_once = [gateway.answer(somebody(Fate.FINE)) for _ in range(BURST + 1)]
    time.now += 0.01
    later = [gateway.answer(somebody(Fate.FINE)) for _ in range(RATE // 100 + 1)]

    assert at_once == [200] * BURST + [429]
    assert later.count(200) == pytest.approx(RATE // 100, abs=1)
    assert gateway.truth.refused == 1 + later.count(429)


@pytest.mark.parametrize("fate", [Fate.GONE, Fate.SLOW])
def test_a_post_costs_a_token_whatever_its_reply(gateway: Gateway, fate: Fate) -> None:
    for _ in range(BURST):
        gateway.answer(somebody(fate))

    assert gateway.answer(somebody(Fate.FINE)) == 429
    assert gateway.truth.refused == 1


def test_the_last_accepted_post_is_when_all_were_reached(gateway: Gateway, time: Time) -> None:
    gateway.answer(somebody(Fate.GONE))
    gateway.answer(somebody(Fate.FINE))
    reached_at = time.wall()
    time.now += 5
    gateway.answer(somebody(Fate.SLOW))

    assert gateway.truth.reached_at == reached_at
    assert gateway.truth.posts_then == 2
    assert gateway.truth.posts == 3


@pytest.mark.parametrize("identity", [b"", b"nobody=", connection_id(SIZE).encode()])
def test_a_stranger_is_refused_and_is_no_post(gateway: Gateway, identity: bytes) -> None:
    assert gateway.answer(identity) == 403
    assert gateway.truth.strangers == 1
    assert gateway.truth.posts == 0
