import json
from typing import Any

import pytest

from socketwatch.broadcasting import MAX_MESSAGE, Audience, envelope, parse
from socketwatch.errors import BadFrame
from tests.fakes import NOW

ASKED: dict[str, Any] = {"to": {"room": "a"}, "data": 1}


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
    asked = parse({"to": to, "data": 1}, "id", NOW)

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
        (ASKED | {"exclude": "a="}, "bad_exclude"),
        (ASKED | {"exclude": [1]}, "bad_exclude"),
        (ASKED | {"exclude": ["a="] * 101}, "bad_exclude"),
        (ASKED | {"expiresIn": -1}, "bad_expiry"),
        (ASKED | {"expiresIn": 0}, "bad_expiry"),
        (ASKED | {"expiresIn": "1"}, "bad_expiry"),
        (ASKED | {"expiresIn": 10**12}, "bad_expiry"),
        (ASKED | {"expiresIn": True}, "bad_expiry"),
        (ASKED | {"id": ""}, "bad_id"),
        (ASKED | {"id": "x" * 10_240}, "bad_id"),
        (ASKED | {"id": "a/b"}, "bad_id"),
        (ASKED | {"id": 7}, "bad_id"),
        (ASKED | {"ack": 1}, "bad_ack"),
        (ASKED | {"labels": ["team"]}, "bad_label"),
        (ASKED | {"labels": {"team": "a b"}}, "bad_label"),
        (ASKED | {"labels": {"team": "x" * 51}}, "bad_label"),
        (ASKED | {"labels": {"": "x"}}, "bad_label"),
        (ASKED | {"labels": {str(n): "x" for n in range(11)}}, "bad_label"),
        (ASKED | {"ttl": 5}, "unknown_field"),
        (ASKED | {"data": float("nan")}, "bad_data"),
        (ASKED | {"data": "\ud800"}, "bad_data"),
        ({"to": {"room": "a"}, "data": "x" * MAX_MESSAGE}, "too_large"),
        ({"to": {"room": "a"}, "data": "界" * 44_000}, "too_large"),
    ],
)
def test_a_request_that_cannot_be_met_is_refused_before_anyone_is_looked_up(
    request_: Any, code: str
) -> None:
    with pytest.raises(BadFrame, match=code):
        parse(request_, "id", NOW)


def test_the_largest_message_is_counted_in_bytes_as_it_goes_out() -> None:
    around = len(envelope("id", ""))
    largest = {"to": {"everyone": True}, "data": "x" * (MAX_MESSAGE - around)}

    assert parse(largest, "id", NOW).size == MAX_MESSAGE
    with pytest.raises(BadFrame, match="too_large"):
        envelope("id", "x" * (MAX_MESSAGE - around + 1))


def test_peers_get_the_data_with_the_broadcasts_id() -> None:
    assert json.loads(envelope("01J", {"text": "héllo"})) == {
        "type": "message",
        "broadcastId": "01J",
        "data": {"text": "héllo"},
    }


def test_a_request_has_an_hour_at_most_and_ten_minutes_by_default() -> None:
    assert parse(ASKED, "id", NOW).deadline == NOW + 600_000
    assert parse(ASKED | {"expiresIn": 3_600}, "id", NOW).deadline == NOW + 3_600_000


def test_an_id_of_ones_own_wins_over_a_new_one() -> None:
    assert parse(ASKED | {"id": "price-drop-11"}, "id", NOW).broadcast_id == "price-drop-11"


def test_content_is_the_same_for_the_same_request_in_any_order_by_any_door() -> None:
    first = parse(ASKED | {"id": "x", "action": "broadcast"}, "id", NOW)
    again = parse(dict(reversed(ASKED.items())), "other", NOW + 5)

    assert first.content == again.content
    assert first.content != parse(ASKED | {"data": 2}, "id", NOW).content
