import json
from typing import Any

import pytest

from socketwatch.broadcasting import MAX_MESSAGE, Audience, envelope, parse
from socketwatch.errors import BadFrame


@pytest.mark.parametrize(
    ("to", "audience", "name"),
    [
        ({"room": "lobby"}, Audience.ROOM, "lobby"),
        ({"user": "ann@example.com"}, Audience.USER, "ann@example.com"),
        ({"connection": "a/b="}, Audience.CONNECTION, "a/b="),
        ({"everyone": True}, Audience.EVERYONE, ""),
    ],
)
def test_a_broadcast_addresses_one_of_four_audiences(
    to: dict[str, Any], audience: Audience, name: str
) -> None:
    asked = parse({"to": to, "data": 1}, "id")

    assert (asked.audience, asked.name) == (audience, name)


@pytest.mark.parametrize(
    ("request_", "code"),
    [
        (None, "bad_type"),
        ([], "bad_type"),
        ({"data": 1}, "bad_target"),
        ({"to": "lobby", "data": 1}, "bad_target"),
        ({"to": {}, "data": 1}, "bad_target"),
        ({"to": {"room": "a", "user": "b"}, "data": 1}, "bad_target"),
        ({"to": {"planet": "earth"}, "data": 1}, "bad_target"),
        ({"to": {"everyone": False}, "data": 1}, "bad_target"),
        ({"to": {"everyone": "yes"}, "data": 1}, "bad_target"),
        ({"to": {"room": "a#b"}, "data": 1}, "bad_room"),
        ({"to": {"user": ""}, "data": 1}, "bad_target"),
        ({"to": {"user": 7}, "data": 1}, "bad_target"),
        ({"to": {"connection": "x" * 129}, "data": 1}, "bad_target"),
        ({"to": {"room": "a"}}, "bad_data"),
        ({"to": {"room": "a"}, "data": 1, "exclude": "a="}, "bad_target"),
        ({"to": {"room": "a"}, "data": 1, "exclude": [1]}, "bad_target"),
        ({"to": {"room": "a"}, "data": "x" * MAX_MESSAGE}, "too_large"),
        ({"to": {"room": "a"}, "data": "界" * 44_000}, "too_large"),
    ],
)
def test_a_request_that_cannot_be_met_is_refused_before_anyone_is_looked_up(
    request_: Any, code: str
) -> None:
    with pytest.raises(BadFrame, match=code):
        parse(request_, "id")


def test_the_largest_message_is_counted_in_bytes_as_it_goes_out() -> None:
    around = len(envelope("id", ""))

    assert len(envelope("id", "x" * (MAX_MESSAGE - around))) == MAX_MESSAGE
    with pytest.raises(BadFrame, match="too_large"):
        envelope("id", "x" * (MAX_MESSAGE - around + 1))


def test_peers_get_the_data_with_the_broadcasts_id() -> None:
    assert json.loads(envelope("01J", {"text": "héllo"})) == {
        "type": "message",
        "broadcastId": "01J",
        "data": {"text": "héllo"},
    }
