import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from socketwatch.broadcasting import Target, parse
from socketwatch.errors import BadShard
from socketwatch.shards import SIZE, Shard, Tries, address, cut, decode, encode
from tests.fakes import NOW

ANN = Target("a/+b=", "ann", NOW, "ios")


TRIED = replace(
    cut(parse({"to": {"everyone": True}, "data": 1}, "01J", NOW), 0, [ANN]),
    tries=(Tries(0, 3, 2, 1.25, 0.25, young_gone=True, due=NOW + 500),),
)


def shard(*targets: Target, data: Any = "hi") -> Shard:
    asked = parse({"to": {"everyone": True}, "data": data, "exclude": ["x="]}, "01J", NOW)
    return cut(asked, 7, list(targets or (ANN,)))


def test_a_shard_survives_its_message() -> None:
    assert decode(encode(shard())) == shard()
    assert decode(encode(TRIED)) == TRIED
    assert decode(encode(replace(TRIED, ack=True))).ack


def test_what_was_met_is_still_understood_as_earlier_workers_wrote_it() -> None:
    before = json.loads(encode(shard())) | {"tries": [[0, 3, 2, 1]]}

    assert decode(json.dumps(before)).tries == (Tries(0, 3, 2, evidence=1, weight=1),)


@given(st.text(st.characters(exclude_categories=["Cs"])))
def test_any_text_survives_and_travels_as_plain_ascii(text: str) -> None:
    body = encode(shard(Target("a=", text, NOW, "web"), data=text))

    assert decode(body).targets[0].user_id == text
    assert body.isascii()
    assert body.isprintable()


def test_the_largest_shard_fits_a_message() -> None:
    targets = [Target("x" * 124 + f"{n:04}", "u" * 128, NOW, "android") for n in range(SIZE)]

    assert len(encode(shard(*targets, data="界" * 43_000))) < 1024 * 1024


@pytest.mark.parametrize(
    "change",
    [
        {"v": 99},
        {"v": None},
        {"targets": []},
        {"targets": [["a=", "", 1, "web"]] * 2},
        {"targets": [["a=", "", 1]]},
        {"targets": [[7, "", 1, "web"]]},
        {"targets": [["", "", 1, "web"]]},
        {"targets": [[f"{n}=", "", 1, "web"] for n in range(10_001)]},
        {"targets": "a="},
        {"broadcastId": 7},
        {"shard": -1},
        {"shard": "7"},
        {"deadline": None},
        {"message": None},
        {"exclude": 3},
        {"tries": [[1, 2]]},
        {"tries": [[0, -1, 0, 0]]},
        {"tries": [[0, 0, 0, 0, 0, 2, 0]]},
        {"tries": [[0, 0, 0, 0, 0, True, 0]]},
        {"tries": [[0, 0, 0, 0, 0, 1, -1]]},
        {"tries": [[0, 0, 0, 0, 0, 1, None]]},
        {"tries": [[0, 0, 0, 0, 0, 1, 0, 0]]},
        {"tries": [[0, 0, 0, -0.5, 0, 0, 0]]},
        {"tries": [[0, 0, 0, float("nan"), 0, 0, 0]]},
        {"tries": [[0, 0, 0, 10**400, 0, 0, 0]]},
        {"tries": [[0, 0, 0, "1", 0, 0, 0]]},
        {"tries": [0]},
        {"tries": None},
    ],
)
def test_what_no_planner_sent_is_refused(change: dict[str, Any]) -> None:
    body = json.dumps(json.loads(encode(shard())) | change)

    with pytest.raises(BadShard):
        decode(body)


@pytest.mark.parametrize("body", ["", "not JSON", "[]", "null", "7", '{"v": 1}', None, 7, b"{}"])
def test_a_body_that_is_no_shard_is_refused_and_has_no_address(body: object) -> None:
    with pytest.raises(BadShard):
        decode(body)
    assert address(body) is None


def test_a_broken_shard_still_says_which_it_was() -> None:
    body = json.dumps(json.loads(encode(shard())) | {"v": 99, "targets": None})

    assert address(body) == ("01J", 7)
