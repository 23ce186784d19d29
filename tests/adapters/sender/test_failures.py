"""Sockets that die, servers that cannot be reached or trusted, time that runs out."""

import socket
import ssl
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from socketwatch.aws.sender import IDLE, Sender
from socketwatch.calls import Call, Method, NoAnswer, Reply
from socketwatch.clock import SECOND
from tests.adapters.sender.certificate import write_certificate
from tests.adapters.sender.conftest import Senders
from tests.adapters.sender.server import OK, Peer, Request, Server
from tests.adapters.sender.work import Open, post, posts, run

NO_ROUTE = Reply(0, NoAnswer.CONNECT)


def hang_up(peer: Peer, _request: Request) -> None:
    peer.hang_up()


def test_sockets_are_kept_from_run_to_run(
    server: Server, senders: Senders, trusting: ssl.SSLContext
) -> None:
    sender = senders(server.url, trusting, connections=1)
    run(posts(20), sender)
    run(posts(20), sender)

    assert len(server.requests) == 40
    assert server.accepted == 1


def test_after_a_freeze_in_which_the_server_closed_no_call_is_lost_or_posted_twice(
    server: Server, sender: Sender
) -> None:
    run(posts(20), sender)
    server.close_idle()
    server.requests.clear()
    work = run(posts(20), sender)

    assert work.statuses == [200] * 20
    assert len({one.body for one in server.requests}) == len(server.requests) == 20


@pytest.mark.parametrize("which", ["clock", "wall"])
def test_after_a_long_freeze_no_socket_is_used_again(
    senders: Senders, server: Server, trusting: ssl.SSLContext, which: str
) -> None:
    now = {"clock": 1_000.0, "wall": 1_774_000_000_000}
    slept = {"clock": IDLE + 1, "wall": (IDLE + 1) * SECOND}
    sender = senders(
        server.url, trusting, clock=lambda: now["clock"], wall=lambda: int(now["wall"])
    )
    sender.call(post("a="))
    sender.call(post("a="))
    assert server.accepted == 1

    now[which] += slept[which]
    assert sender.call(post("a=")).status == 200
    assert server.accepted == 2


def test_a_post_on_a_kept_socket_that_dies_after_the_whole_request_is_not_repeated(
    server: Server, sender: Sender
) -> None:
    server.scripts["b="] = hang_up
    sender.call(post("a="))

    assert sender.call(post("b=")) == Reply(0, NoAnswer.RESET, maybe_applied=True)
    assert server.posts("b=") == 1


def test_a_probe_on_a_kept_socket_that_dies_is_sent_once_more(
    server: Server, sender: Sender
) -> None:
    server.scripts["b="] = hang_up
    sender.call(post("a="))

    assert sender.call(Call(Method.GET, "b=")) == Reply(0, NoAnswer.RESET, maybe_applied=True)
    assert server.posts("b=") == 2


def test_a_probe_on_a_new_socket_that_dies_is_left_to_the_caller(
    server: Server, sender: Sender
) -> None:
    server.scripts["b="] = hang_up

    assert sender.call(Call(Method.GET, "b=")).status == 0
    assert server.posts("b=") == 1


def test_a_message_cut_off_in_the_middle_of_a_kept_socket_is_sent_once_more(
    server: Server, sender: Sender
) -> None:
    body = b"x" * 20_000_000
    sender.call(post("a="))
    cut: list[Peer] = []

    def cut_once(peer: Peer) -> bool:
        if cut:
            return False
        cut.append(peer)
        peer.reset()
        return True

    server.early = cut_once

    assert sender.call(post("b=", body)).status == 200
    assert [len(one.body) for one in server.requests] == [2, len(body)]
    assert server.accepted == 2


def test_a_message_cut_off_in_the_middle_of_a_new_socket_was_not_applied(
    server: Server, sender: Sender
) -> None:
    def cut(peer: Peer) -> bool:
        peer.reset()
        return True

    server.early = cut

    assert sender.call(post("a=", b"x" * 20_000_000)) == Reply(0, NoAnswer.RESET)
    assert server.requests == []


def test_a_server_that_never_answers_costs_its_own_calls_alone(
    senders: Senders, server: Server, trusting: ssl.SSLContext
) -> None:
    server.scripts["stuck="] = lambda peer, _request: peer.wait()
    sender = senders(server.url, trusting, connections=2, reply_timeout=0.5)
    work = run([post("stuck="), *posts(50)], sender)

    ends = {call.connection_id: reply for call, reply in work.settled}
    assert ends.pop("stuck=") == Reply(0, NoAnswer.TIMEOUT, maybe_applied=True)
    assert set(ends.values()) == {Reply(200)}
    assert work.settled[-1][0].connection_id == "stuck="


def test_a_reply_that_trickles_in_does_not_stretch_the_deadline(
    senders: Senders, server: Server, trusting: ssl.SSLContext
) -> None:
    def trickle(peer: Peer, _request: Request) -> None:
        for byte in OK * 100:
            peer.say(bytes([byte]))
            time.sleep(0.02)

    server.scripts["a="] = trickle
    sender = senders(server.url, trusting, reply_timeout=0.1)

    assert sender.call(post("a=")) == Reply(0, NoAnswer.TIMEOUT, maybe_applied=True)


def test_a_late_reply_is_never_taken_for_the_next_calls(
    senders: Senders, server: Server, trusting: ssl.SSLContext
) -> None:
    server.scripts["a="] = lambda peer, _request: peer.wait()
    sender = senders(server.url, trusting, reply_timeout=0.1)

    assert sender.call(post("a=")).reason is NoAnswer.TIMEOUT
    assert sender.call(post("b=")) == Reply(200)
    assert server.accepted == 2


def test_nothing_is_posted_to_a_server_that_is_not_trusted(
    senders: Senders, server: Server
) -> None:
    sender = senders(server.url, ssl.create_default_context())
    work = run(posts(3), sender)

    assert [reply for _, reply in work.settled] == [Reply(0, NoAnswer.TLS)] * 3
    assert server.requests == []


def test_nothing_is_posted_under_another_name_than_the_certificates(
    senders: Senders, serving: ssl.SSLContext, tmp_path: Path
) -> None:
    elsewhere = write_certificate(tmp_path / "elsewhere.pem", "127.0.0.2")
    serving = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    serving.load_cert_chain(elsewhere)
    with Server(serving).open() as server:
        sender = senders(server.url, ssl.create_default_context(cafile=elsewhere))

        assert sender.call(post("a=")) == Reply(0, NoAnswer.TLS)
    assert server.requests == []


def test_a_context_that_checks_nothing_is_refused(senders: Senders) -> None:
    careless = ssl.create_default_context()
    careless.check_hostname = False

    with pytest.raises(ValueError, match="must check"):
        senders("https://127.0.0.1/live", careless)


def test_a_sender_without_connections_is_refused(senders: Senders) -> None:
    with pytest.raises(ValueError, match="at least one"):
        senders("https://127.0.0.1/live", connections=0)


@pytest.fixture
def closed_port() -> Iterator[int]:
    """A port that refuses: bound, so that nobody else listens there."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield bound.getsockname()[1]


def test_nothing_that_cannot_be_reached_was_applied(senders: Senders, closed_port: int) -> None:
    work = run(posts(30), senders(f"http://127.0.0.1:{closed_port}/live"))

    assert [reply for _, reply in work.settled] == [NO_ROUTE] * 30


def test_a_name_that_is_not_found_is_no_route(senders: Senders, trusting: ssl.SSLContext) -> None:
    assert senders("https://nowhere.invalid/live", trusting).call(post("a=")) == NO_ROUTE


def test_a_server_that_hangs_in_the_handshake_is_given_up(
    senders: Senders, trusting: ssl.SSLContext
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as mute:
        url = f"https://127.0.0.1:{mute.getsockname()[1]}/live"
        work = run(posts(3), senders(url, trusting, connect_timeout=0.1))

    assert [reply for _, reply in work.settled] == [NO_ROUTE] * 3


def test_plain_http_serves_on_this_machine(senders: Senders) -> None:
    with Server(None).open() as server:
        sender = senders(server.url)

        assert run(posts(20), sender).statuses == [200] * 20
        server.close_idle()
        assert run(posts(20), sender).statuses == [200] * 20
        sender.close()


class Interrupted(Open):
    """Work whose owner is interrupted while replies are under way."""

    def settle(self, call: Call, reply: Reply, now: float) -> None:
        super().settle(call, reply, now)
        if len(self.settled) == 5:
            raise KeyboardInterrupt


def test_an_interrupt_leaves_no_half_read_socket_behind(server: Server, sender: Sender) -> None:
    work = Interrupted(posts(40))
    with pytest.raises(KeyboardInterrupt):
        sender.run(work)

    assert len(work.settled) == 5
    assert run([post("after=")] * 40, sender).statuses == [200] * 40
    assert server.posts("after=") == 40
