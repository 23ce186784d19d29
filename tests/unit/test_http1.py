from itertools import pairwise
from typing import NamedTuple

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from socketwatch.calls import Reply
from socketwatch.framing import BadReply
from socketwatch.http1 import MAX_BODY, MAX_HEAD, Reader

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
GONE = (
    b"HTTP/1.1 410 Gone\r\nDate: Sat, 21 Nov 2026 04:00:00 GMT\r\nContent-Length: 4\r\n"
    b"x-amzn-ErrorType: GoneException:http://internal/\r\n\r\ngone"
)
CHUNKED = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
UNTIL_CLOSE = b"HTTP/1.1 200 OK\r\n\r\n"


class Response(NamedTuple):
    """A reply and whether its socket may be used again."""

    status: int
    body: bytes
    reusable: bool


def response(reply: Reply | None, reader: Reader) -> Response | None:
    if reply is None:
        return None
    return Response(reply.status, reply.body, reader.reusable)


def read(data: bytes, keep: int = 1_024) -> Response | None:
    reader = Reader(keep)
    return response(reader.feed(data), reader)


def read_in_pieces(data: bytes, cuts: list[int]) -> Response | str | None:
    """The reply from the pieces between the cuts, then the end; or that it is a bad one."""
    reader = Reader(8)
    places = sorted({min(cut, len(data)) for cut in cuts} | {0, len(data)})
    try:
        for start, end in pairwise(places):
            if reply := reader.feed(data[start:end]):
                return response(reply, reader)
    except BadReply:
        return "bad"
    return response(reader.end(), reader)


def test_a_reply_without_body_is_complete_with_its_head() -> None:
    assert read(OK) == Response(200, b"", reusable=True)


@pytest.mark.parametrize("status", [204, 304])
def test_some_statuses_have_no_body_whatever_their_headers_say(status: int) -> None:
    head = f"HTTP/1.1 {status} x\r\nContent-Length: 9\r\n\r\n"

    assert read(head.encode()) == Response(status, b"", reusable=True)


def test_a_chunked_body_is_put_together_and_its_trailers_dropped() -> None:
    data = CHUNKED + b"3\r\nabc\r\nA;x=y\r\n0123456789\r\n0\r\nx-trailer: 1\r\n\r\n"

    assert read(data) == Response(200, b"abc0123456789", reusable=True)


def test_a_body_without_length_lasts_until_the_close() -> None:
    reader = Reader()

    assert reader.feed(UNTIL_CLOSE + b"abc") is None
    assert response(reader.end(), reader) == Response(200, b"abc", reusable=False)


@pytest.mark.parametrize("cut", [0, 9, len(GONE) - 5, len(GONE) - 1])
def test_a_reply_cut_short_by_the_close_is_no_reply(cut: int) -> None:
    reader = Reader()

    assert reader.feed(GONE[:cut]) is None
    assert reader.end() is None


@pytest.mark.parametrize(
    "interim", [b"HTTP/1.1 100 Continue\r\n\r\n", b"HTTP/1.1 103 x\r\na: b\r\n\r\n"]
)
def test_interim_replies_are_skipped(interim: bytes) -> None:
    assert read(interim * 3 + OK) == read(OK)


@pytest.mark.parametrize(
    "head",
    [
        b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nCONNECTION: x, Close\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nConnection: x\r\nConnection: close\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.0 200 OK\r\nContent-Length: 0\r\n\r\n",
        OK + b"unasked",
        OK + OK,
    ],
)
def test_a_socket_is_not_used_again_after_a_goodbye_or_with_bytes_left(head: bytes) -> None:
    assert read(head) == Response(200, b"", reusable=False)


def test_one_reader_reads_reply_after_reply() -> None:
    reader = Reader()

    assert [response(reader.feed(data), reader) for data in (OK, GONE, OK)] == [
        read(data) for data in (OK, GONE, OK)
    ]


def test_only_the_first_bytes_of_a_body_are_kept_and_the_socket_too() -> None:
    data = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % MAX_BODY + b"x" * MAX_BODY

    assert read(data, keep=5) == Response(200, b"xxxxx", reusable=True)


@pytest.mark.parametrize(
    "data",
    [
        b"HTTP/1.1 200 OK\r\nContent-Length: 10000000\r\n\r\n" + b"x" * (MAX_BODY + 1),
        CHUNKED + b"989680\r\n" + b"x" * (MAX_BODY + 1),
        UNTIL_CLOSE + b"x" * (MAX_BODY + 1),
    ],
)
def test_a_huge_body_is_not_read_to_its_end_and_costs_the_socket(data: bytes) -> None:
    assert read(data[:-1], keep=5) is None
    assert read(data, keep=5) == Response(200, b"xxxxx", reusable=False)


@pytest.mark.parametrize(
    "data",
    [
        pytest.param(b"hello\n", id="another protocol"),
        pytest.param(b"HTTP/2 200\r\n\r\n", id="another version"),
        pytest.param(b"HTTP/1.1 099 x\r\n\r\n", id="no such status"),
        pytest.param(b"HTTP/1.1 2000 x\r\n\r\n", id="long status"),
        pytest.param(b"HTTP/1.1 101 x\r\n\r\n", id="switched protocols"),
        pytest.param(b"HTTP/1.1 200 OK\r\nno colon\r\n\r\n", id="no colon"),
        pytest.param(b"HTTP/1.1 200 OK\r\na: b\r\n folded\r\n\r\n", id="folded"),
        pytest.param(b"HTTP/1.1 200 OK\r\na : b\r\n\r\n", id="space before the colon"),
        pytest.param(b"HTTP/1.1 200 OK\r\na: b\nc: d\r\n\r\n", id="bare line feed"),
        pytest.param(b"HTTP/1.1 200 OK\r\na: \0\r\n\r\n", id="zero byte"),
        pytest.param(b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n", id="negative"),
        pytest.param(b"HTTP/1.1 200 OK\r\nContent-Length: 1x\r\n\r\n", id="no number"),
        pytest.param(b"HTTP/1.1 200 OK\r\nContent-Length: " + b"9" * 99 + b"\r\n\r\n", id="vast"),
        pytest.param(OK[:-2] + b"Content-Length: 0\r\n\r\n", id="two lengths"),
        pytest.param(OK[:-2] + b"Transfer-Encoding: chunked\r\n\r\n", id="length and chunked"),
        pytest.param(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n", id="other coding"),
        pytest.param(CHUNKED + b"x\r\n", id="chunk size is no number"),
        pytest.param(CHUNKED + b"123456789\r\n", id="chunk size too long"),
        pytest.param(CHUNKED + b"1\r\nabc", id="chunk longer than its size"),
        pytest.param(CHUNKED + b"1" * MAX_HEAD, id="endless chunk size"),
        pytest.param(CHUNKED + b"0\r\n" + b"a: b\r\n" * MAX_HEAD, id="endless trailers"),
        pytest.param(b"HTTP/1.1 200 OK\r\n" + b"a: b\r\n" * MAX_HEAD, id="endless head"),
    ],
)
def test_what_is_no_reply_is_refused(data: bytes) -> None:
    with pytest.raises(BadReply):
        read(data)


def test_another_protocol_is_refused_by_its_first_bytes() -> None:
    with pytest.raises(BadReply):
        read(b"SSH-2.0")
    assert read(b"HTT") is None


bodies = st.binary(max_size=40)
lines = st.lists(st.sampled_from([b"Date: x", b"Server: a:b", b"x-y:", b"X-Z:  1 "]), max_size=4)


def sized(body: bytes, headers: list[bytes]) -> bytes:
    return b"\r\n".join([b"HTTP/1.1 200", *headers, b"content-LENGTH:%d" % len(body), b"", body])


def chunked(body: bytes, size: int) -> bytes:
    pieces = [body[start : start + size] for start in range(0, len(body), size)]
    return CHUNKED + b"".join(b"%x\r\n%b\r\n" % (len(p), p) for p in pieces) + b"0\r\n\r\n"


replies = (
    st.builds(sized, bodies, lines)
    | st.builds(chunked, bodies, st.integers(1, 20))
    | st.builds(lambda body: UNTIL_CLOSE + body, bodies)
    | st.just(b"HTTP/1.1 100 Continue\r\n\r\n" + GONE)
)


@given(replies, st.lists(st.integers(0, 300), max_size=8))
def test_a_reply_reads_the_same_however_it_is_cut(data: bytes, cuts: list[int]) -> None:
    assert read_in_pieces(data, cuts) == read_in_pieces(data, [])


@given(replies)
def test_a_reply_reads_the_same_byte_by_byte(data: bytes) -> None:
    whole = read_in_pieces(data, [])

    assert isinstance(whole, Response)
    assert read_in_pieces(data, list(range(len(data)))) == whole


@st.composite
def damaged(draw: st.DrawFn) -> bytes:
    data = bytearray(draw(replies))
    for _ in range(draw(st.integers(1, 3))):
        data[draw(st.integers(0, len(data) - 1))] = draw(st.sampled_from(b"\r\n :0aZ\0\xff"))
    return bytes(data)


@given(damaged() | st.binary(max_size=200), st.lists(st.integers(0, 300), max_size=8))
@example(OK + b"surplus", [len(OK)])
def test_whatever_comes_ends_in_the_same_status_however_it_is_cut(
    data: bytes, cuts: list[int]
) -> None:
    whole, cut = read_in_pieces(data, []), read_in_pieces(data, cuts)

    if isinstance(whole, Response):
        assert isinstance(cut, Response)
        assert (cut.status, cut.body) == (whole.status, whole.body)
    else:
        assert cut == whole
