"""What a server may say, and how the call ends."""

import json
from ssl import SSLContext
from typing import Any

import pytest

from socketwatch.aws.sender import Sender
from socketwatch.calls import Call, Method, NoAnswer, Reply
from tests.adapters.sender.conftest import Senders
from tests.adapters.sender.server import OK, Peer, Request, Server, answers, status
from tests.adapters.sender.work import post, posts, run


def test_every_call_of_many_is_posted_once_over_few_sockets(
    senders: Senders, server: Server, trusting: SSLContext
) -> None:
    calls = posts(300)

    work = run(calls, senders(server.url, trusting, connections=4))

    came = {(one.connection_id, one.body) for one in server.requests}
    assert came == {(one.connection_id, one.body) for one in calls}
    assert len(server.requests) == 300
    assert work.statuses == [200] * 300
    assert server.accepted <= 4


@pytest.mark.parametrize("code", [200, 204, 301, 400, 403, 404, 410, 413, 429, 500, 503])
def test_a_call_ends_with_the_status_as_it_is_and_is_not_repeated(
    server: Server, sender: Sender, code: int
) -> None:
    server.scripts["a="] = answers(status(code, b"", b"Location: /elsewhere"))

    assert sender.call(post("a=")) == Reply(code)
    assert server.posts("a=") == len(server.requests) == 1


def test_the_first_of_the_body_comes_along(server: Server, sender: Sender) -> None:
    server.scripts["a="] = answers(status(410, b"x" * 5_000))

    assert sender.call(post("a=")) == Reply(410, body=b"x" * 1_024)


def test_a_probe_gets_its_answer_and_a_close_its_204(server: Server, sender: Sender) -> None:
    seen = json.dumps({"connectedAt": "2026-11-21T04:00:00Z", "filler": "x" * 4_000}).encode()
    server.scripts["a="] = lambda peer, request: peer.say(
        status(200, seen) if request.method == "GET" else b"HTTP/1.1 204 No Content\r\n\r\n"
    )

    assert sender.call(Call(Method.GET, "a=")) == Reply(200, body=seen)
    assert sender.call(Call(Method.DELETE, "a=")) == Reply(204)
    assert [one.method for one in server.requests] == ["GET", "DELETE"]


@pytest.mark.parametrize(
    "reply",
    [
        pytest.param(b"HTTP/1.1 100 Continue\r\n\r\n" + OK, id="interim"),
        pytest.param(
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n",
            id="chunked",
        ),
    ],
)
def test_unusual_replies_are_read_and_the_socket_is_kept(
    server: Server, sender: Sender, reply: bytes
) -> None:
    server.scripts["a="] = answers(reply)

    assert [sender.call(post("a=")).status for _ in range(3)] == [200] * 3
    assert server.accepted == 1


def test_a_reply_byte_by_byte_is_a_reply(server: Server, sender: Sender) -> None:
    def slowly(peer: Peer, _request: Request) -> None:
        for byte in status(410, b"gone"):
            peer.say(bytes([byte]))

    server.scripts["a="] = slowly

    assert sender.call(post("a=")) == Reply(410, body=b"gone")


def test_after_a_goodbye_the_next_call_opens_a_new_socket(server: Server, sender: Sender) -> None:
    server.scripts["a="] = answers(status(200, b"", b"Connection: close"))

    assert [sender.call(post("a=")).status for _ in range(3)] == [200] * 3
    assert server.accepted == 3


def test_unasked_bytes_after_a_reply_are_not_the_next_ones(server: Server, sender: Sender) -> None:
    server.scripts["a="] = answers(OK + status(410))

    assert [sender.call(post("a=")).status for _ in range(3)] == [200] * 3


def test_ten_megabytes_of_body_are_neither_kept_nor_waited_for(
    server: Server, sender: Sender
) -> None:
    server.scripts["a="] = answers(status(403, b"x" * 10_000_000))

    assert sender.call(post("a=")) == Reply(403, body=b"x" * 1_024)
    assert sender.call(post("b=")).status == 200


def test_a_large_message_arrives_whole(server: Server, sender: Sender) -> None:
    body = bytes(range(256)) * 512

    assert sender.call(post("a=", body)).status == 200
    assert server.requests[0].body == body


def test_a_refusal_before_the_whole_message_is_out_stands(server: Server, sender: Sender) -> None:
    def refuse(peer: Peer) -> bool:
        peer.say(status(413))
        peer.wait()
        return True

    server.early = refuse

    assert sender.call(post("a=", b"x" * 20_000_000)) == Reply(413)


def test_the_rest_of_a_refused_message_is_not_taken_for_the_next_one(senders: Senders) -> None:
    def refuse(peer: Peer) -> bool:
        peer.say(status(413))
        peer.wait()
        return True

    with Server(None, early=refuse).open() as server:
        sender = senders(server.url)
        refused = sender.call(post("a=", b"x" * 20_000_000))
        server.early = lambda _peer: False

        assert refused == Reply(413)
        assert sender.call(post("b=")) == Reply(200)


@pytest.mark.parametrize(
    ("reply", "reason"),
    [
        pytest.param(b"SSH-2.0-x\r\n", NoAnswer.GARBAGE, id="another protocol"),
        pytest.param(b"HTTP/1.1 200 OK\r\nno colon\r\n\r\n", NoAnswer.GARBAGE, id="bad header"),
        pytest.param(b"", NoAnswer.RESET, id="nothing"),
        pytest.param(b"HTTP/1.1 200 OK\r\nContent-", NoAnswer.RESET, id="half a head"),
        pytest.param(status(200, b"body")[:-1], NoAnswer.RESET, id="half a body"),
    ],
)
@pytest.mark.parametrize("ending", ["hang_up", "reset"])
def test_a_post_without_a_proper_reply_may_have_been_applied(
    server: Server, sender: Sender, reply: bytes, reason: NoAnswer, ending: str
) -> None:
    def break_off(peer: Peer, _request: Request) -> None:
        peer.say(reply)
        getattr(peer, ending)()

    server.scripts["a="] = break_off
    got = sender.call(post("a="))

    assert got.status == 0
    assert got.maybe_applied
    assert got.reason is reason or (ending == "reset" and got.reason is NoAnswer.RESET)
    assert server.posts("a=") == 1


def test_a_body_that_ends_without_length_or_goodbye_is_no_reply(
    server: Server, sender: Sender
) -> None:
    def cut(peer: Peer, _request: Request) -> None:
        peer.say(b"HTTP/1.1 200 OK\r\n\r\nhalf")
        peer.hang_up()

    server.scripts["a="] = cut

    assert sender.call(post("a=")) == Reply(0, NoAnswer.RESET, maybe_applied=True)


def test_an_id_that_cannot_be_sent_is_settled_and_the_others_go_on(
    server: Server, sender: Sender
) -> None:
    work = run([post(".."), post("a="), post("\ud800"), post("b=")], sender)

    ends = {call.connection_id: reply for call, reply in work.settled}
    assert ends[".."] == ends["\ud800"] == Reply(0, NoAnswer.INVALID)
    assert ends["a="] == ends["b="] == Reply(200)
    assert len(server.requests) == 2


def test_a_gone_peer_does_not_stop_the_others(server: Server, sender: Sender) -> None:
    def vanish(peer: Peer, _request: Request) -> Any:
        peer.reset()

    server.scripts |= {"gone=": answers(status(410)), "dead=": vanish}
    work = run([post("gone="), post("dead="), *posts(20)], sender)

    assert sorted(work.statuses) == [0, *[200] * 20, 410]
