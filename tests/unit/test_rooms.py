import unicodedata

import pytest

from socketwatch.errors import BadFrame
from socketwatch.rooms import MAX_ROOMS, allowed, entry_rooms, room_name


@pytest.mark.parametrize("room", ["lobby", "a", "A", "team-7:eu.west_1", "x" * 128])
def test_plain_names_are_rooms(room: str) -> None:
    assert room_name(room) == room


@pytest.mark.parametrize(
    "room",
    [
        "",
        "x" * 129,
        "../x",
        "a#b",
        "*",
        "a b",
        "a\u0000",
        "\u202eab",
        "lobby\n",
        unicodedata.normalize("NFC", "é"),
        unicodedata.normalize("NFD", "é"),
        None,
        7,
        ["a"],
    ],
)
def test_anything_else_is_no_room(room: object) -> None:
    with pytest.raises(BadFrame, match="bad_room"):
        room_name(room)


def test_a_room_is_closed_to_whom_no_claim_opens_it() -> None:
    assert not allowed("lobby", ())
    assert not allowed("lobby", ("lobb", "lobby2", "Lobby"))


def test_a_grant_opens_its_room_or_every_room_with_its_prefix() -> None:
    assert allowed("lobby", ("lobby",))
    assert allowed("team-7", ("team-*",))
    assert allowed("anything", ("*",))
    assert not allowed("team", ("team-*",))


def test_one_room_without_a_claim_refuses_the_whole_entry() -> None:
    with pytest.raises(BadFrame, match="forbidden"):
        entry_rooms(["lobby", "staff"], ("lobby",))


def test_more_rooms_than_a_connection_can_hold_are_refused() -> None:
    with pytest.raises(BadFrame, match="too_many_rooms"):
        entry_rooms([f"room-{n}" for n in range(MAX_ROOMS + 1)], ("*",))
