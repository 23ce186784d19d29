"""A `Work` that takes its time, as one that writes to a slow ledger: nobody listens meanwhile."""

import ssl
import time
from dataclasses import dataclass, field
from threading import Event

from socketwatch.aws.run import STOOD_STILL
from socketwatch.broadcasting import Target, parse
from socketwatch.calls import Call, Reply
from socketwatch.delivering import Worker, deliver
from socketwatch.ledger import ShardRow, ShardState
from socketwatch.outcomes import Outcome
from socketwatch.pacing import Pace
from socketwatch.shards import cut, encode
from socketwatch.tally import Tally
from socketwatch.underway import CHECKPOINT
from tests.adapters.sender.conftest import Senders
from tests.adapters.sender.server import OK, Peer, Request, Server
from tests.adapters.sender.work import Open, post
from tests.fakes import NOW, FakeLedger, FakeQueue


class Thoughtful(Open):
    """Work that thinks about its first reply for so long."""

    def __init__(self, calls: list[Call], seconds: float) -> None:
        super().__init__(calls)
        self.seconds = seconds
        self.deaf = Event()

    def settle(self, call: Call, reply: Reply, now: float) -> None:
        super().settle(call, reply, now)
        if len(self.settled) == 1:
            self.deaf.set()
            time.sleep(self.seconds)


class Repeating(Thoughtful):
    """Work that also repeats what got no reply, as deliveries are."""

    def settle(self, call: Call, reply: Reply, now: float) -> None:
        super().settle(call, reply, now)
        if reply.status != 200:
            self.calls.append(call)


class Hesitant(Open):
    """Work that hesitates for so long before it has no second call."""

    def __init__(self, calls: list[Call], seconds: float) -> None:
        super().__init__(calls)
        self.seconds = seconds

    def take(self, now: float) -> Call | None:
        call = super().take(now)
        if call is None and self.seconds:
            time.sleep(self.seconds)
            self.seconds = 0
        return call


@dataclass
class SlowLedger(FakeLedger):
    """A ledger that takes so many seconds for a write, once."""

    seconds: float = 0.0
    deaf: Event = field(default_factory=Event)

    def write(self, row: ShardRow, tally: Tally) -> bool:
        self.deaf.set()
        time.sleep(self.seconds)
        self.seconds = 0.0
        return super().write(row, tally)


class FakeSuspects:
    def suspect(self, targets: list[Target], now: int) -> None:
        """Nobody asks."""


def answer_last(server: Server, first: str, last: str, deaf: Event) -> None:
    """Both are in flight before *first* is answered, and *last* is once nobody listens."""
    begun = Event()

    def late(peer: Peer, _request: Request) -> None:
        begun.set()
        deaf.wait(5)
        peer.say(OK)

    def early(peer: Peer, _request: Request) -> None:
        begun.wait(5)
        peer.say(OK)

    server.scripts |= {first: early, last: late}


def test_a_reply_that_comes_while_nobody_listens_is_heard_and_not_posted_for_again(
    server: Server, senders: Senders, trusting: ssl.SSLContext
) -> None:
    work = Repeating([post("first="), post("last=")], seconds=1.0)
    answer_last(server, "first=", "last=", work.deaf)
    senders(server.url, trusting, connections=2, reply_timeout=0.5).run(work)

    assert work.statuses == [200, 200]
    assert server.posts("last=") == 1


def test_a_reply_is_heard_too_where_its_time_ran_out_in_a_moment_without_listening(
    server: Server, senders: Senders, trusting: ssl.SSLContext
) -> None:
    """So short a moment that nobody is given it back."""
    short = STOOD_STILL - 0.05
    work = Repeating([post("first="), post("last=")], seconds=short)
    answer_last(server, "first=", "last=", work.deaf)
    senders(server.url, trusting, connections=2, reply_timeout=short).run(work)

    assert work.statuses == [200, 200]
    assert server.posts("last=") == 1


def test_a_socket_that_connects_while_nobody_listens_is_not_given_up(
    server: Server, senders: Senders, trusting: ssl.SSLContext
) -> None:
    """The handshake needs this end, too."""
    work = Hesitant([post("a=")], seconds=0.8)
    senders(server.url, trusting, connect_timeout=0.5).run(work)

    assert work.statuses == [200]
    assert server.accepted == 1


def test_nobody_waits_for_more_than_a_whole_reply_timeout_after_a_standstill(
    server: Server, senders: Senders, trusting: ssl.SSLContext
) -> None:
    server.scripts["stuck="] = lambda peer, _request: peer.wait()
    work = Thoughtful([post("first="), post("stuck=")], seconds=1.5)
    began = time.monotonic()
    senders(server.url, trusting, connections=2, reply_timeout=0.5).run(work)

    assert work.statuses == [200, 0]
    assert time.monotonic() - began < 2.5


def test_a_slow_ledger_makes_nobody_hear_twice(
    server: Server, senders: Senders, trusting: ssl.SSLContext
) -> None:
    """The checkpoint's write takes longer than a reply may, and the last one's came meanwhile."""
    peers = [f"peer-{number}=" for number in range(CHECKPOINT + 1)]
    asked = parse({"to": {"everyone": True}, "data": "hi"}, "01J", NOW)
    ledger = SlowLedger(seconds=1.0)
    planned = ShardRow("01J", 0, ShardState.PLANNED, asked.deadline, Tally(len(peers)), NOW)
    ledger.add_shard(planned)
    body = encode(cut(asked, 0, [Target(peer, "", NOW - 60_000, "web") for peer in peers]))
    answer_last(server, peers[-2], peers[-1], ledger.deaf)
    sender = senders(server.url, trusting, connections=2, reply_timeout=0.5)
    worker = Worker(
        ledger=ledger,
        shards=FakeQueue(),
        suspects=FakeSuspects(),
        send=sender.run,
        clock=lambda: NOW,
        monotonic=time.monotonic,
        jitter=lambda: 0.5,
        token=lambda: "token",
        pace=Pace(10_000),
    )

    deliver([{"messageId": "m", "body": body}], 30_000, worker)

    assert ledger.rows["01J", 0].tally.outcomes == {Outcome.ACCEPTED: len(peers)}
    assert server.posts(peers[-1]) == 1
