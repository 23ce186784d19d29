"""The port between the sender and whoever paces it: taken when allowed, settled exactly once."""

import ssl
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from itertools import count, pairwise

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from socketwatch.aws.sender import Sender
from socketwatch.calls import Call, Method, Reply
from tests.adapters.sender.conftest import Senders
from tests.adapters.sender.server import OK, Peer, Request, Server, answers, status
from tests.adapters.sender.work import Open, post, posts, run


class Paced(Open):
    """Work of which one call may start every 20 ms."""

    def __init__(self, calls: list[Call]) -> None:
        super().__init__(calls)
        self.started: list[float] = []

    def take(self, now: float) -> Call | None:
        if self.started and now < self.started[-1] + 0.02:
            return None
        call = super().take(now)
        if call is not None:
            self.started.append(now)
        return call

    def wake(self, now: float) -> float | None:  # noqa: ARG002 - the pace is fixed
        return self.started[-1] + 0.02 if self.taken < len(self.calls) else None


def test_calls_start_no_sooner_than_work_lets_them(sender: Sender) -> None:
    work = Paced(posts(6))
    sender.run(work)

    gaps = [later - earlier for earlier, later in pairwise(work.started)]
    assert work.statuses == [200] * 6
    assert min(gaps) >= 0.02


def test_a_socket_that_the_server_closes_between_two_calls_is_not_used_again(
    server: Server, sender: Sender
) -> None:
    class Hesitant(Open):
        """Work whose server hangs up after each call, and that waits before the next."""

        hesitates = False

        def take(self, now: float) -> Call | None:
            if self.hesitates:
                self.hesitates = False
                return None
            return super().take(now)

        def wake(self, now: float) -> float | None:
            return now + 0.02 if self.taken < len(self.calls) else None

        def settle(self, call: Call, reply: Reply, now: float) -> None:
            super().settle(call, reply, now)
            server.close_idle()
            self.hesitates = True

    work = Hesitant(posts(5))
    sender.run(work)

    assert work.statuses == [200] * 5
    assert len(server.requests) == server.accepted == 5


class Retrying(Open):
    """Work that gives a call back to itself until it is accepted."""

    def settle(self, call: Call, reply: Reply, now: float) -> None:
        super().settle(call, reply, now)
        if reply.status != 200:
            self.calls.append(call)


def test_work_may_grow_by_a_reply(server: Server, sender: Sender) -> None:
    def refuse_twice(peer: Peer, request: Request) -> None:
        peer.say(OK if server.posts(request.connection_id) == 3 else status(429))

    server.scripts["busy="] = refuse_twice
    work = Retrying([post("busy=")])
    sender.run(work)

    assert work.statuses == [429, 429, 200]


def test_no_work_opens_no_socket(server: Server, sender: Sender) -> None:
    run([], sender)

    assert server.accepted == 0


def test_no_more_calls_are_in_flight_than_connections(
    server: Server, senders: Senders, trusting: ssl.SSLContext
) -> None:
    class Counting(Open):
        most = 0

        def take(self, now: float) -> Call | None:
            self.most = max(self.most, self.taken - len(self.settled))
            return super().take(now)

    work = Counting(posts(100))
    senders(server.url, trusting, connections=3).run(work)

    assert work.statuses == [200] * 100
    assert work.most < 3


def half(peer: Peer, _request: Request) -> None:
    peer.say(status(200, b"body")[:-2])
    peer.hang_up()


SCRIPTS = {
    "ok": answers(OK),
    "gone": answers(status(410, b"gone")),
    "throttled": answers(status(429)),
    "broken": answers(status(502, b"<html>", b"Connection: close")),
    "interim": answers(b"HTTP/1.1 100 Continue\r\n\r\n" + OK),
    "garbage": answers(b"\0\1\2"),
    "surplus": answers(OK + b"surplus"),
    "half": half,
    "closed": lambda peer, _request: peer.hang_up(),
    "reset": lambda peer, _request: peer.reset(),
    "stuck": lambda peer, _request: peer.wait(),
}


@pytest.fixture(scope="module")
def moody(serving: ssl.SSLContext) -> Iterator[Server]:
    with Server(serving, scripts=dict(SCRIPTS)).open() as opened:
        yield opened


numbers = count()


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    moods=st.lists(
        st.tuples(st.sampled_from(Method), st.sampled_from([*SCRIPTS, "..", "ok", "ok"])),
        max_size=12,
    ),
    connections=st.integers(1, 8),
)
def test_each_call_is_settled_exactly_once_and_no_post_is_sent_twice(
    moody: Server,
    senders: Senders,
    trusting: ssl.SSLContext,
    moods: list[tuple[Method, str]],
    connections: int,
) -> None:
    moody.requests.clear()
    with closing(
        senders(moody.url, trusting, connections=connections, reply_timeout=0.05)
    ) as sender:
        for _ in range(2):
            calls = [Call(method, mood, b"%d" % next(numbers)) for method, mood in moods]
            work = run(calls, sender)

            assert Counter(call.body for call, _ in work.settled) == Counter(
                call.body for call in calls
            )
    sent = Counter(one.body for one in moody.requests if one.method != "GET")
    assert set(sent.values()) <= {1}
