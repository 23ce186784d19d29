import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from socketwatch import frames
from socketwatch.errors import BadFrame
from socketwatch.frames import Code


def refusal(body: str) -> str:
    with pytest.raises(BadFrame) as refused:
        frames.action(frames.parse(body))
    return refused.value.code


def test_a_frame_is_a_json_object() -> None:
    assert frames.parse('{"action": "join", "room": "a"}') == {"action": "join", "room": "a"}


@pytest.mark.parametrize("body", ["", " ", "\n\t"])
def test_nothing_said_is_empty(body: str) -> None:
    assert refusal(body) == Code.EMPTY


@pytest.mark.parametrize("body", ["null", "[]", '"text"', "123", '{"action": ["join"]}'])
def test_other_types_are_refused(body: str) -> None:
    assert refusal(body) == Code.BAD_TYPE


@pytest.mark.parametrize(
    "body",
    [
        '{"a":',
        '{"a": 1} trailing',
        '\ufeff{"a": 1}',
        "{'a': 1}",
        '{"n": 1e400}',
        '{"n": NaN}',
        '{"n": -Infinity}',
        '{"n": ' + "9" * 5_000 + "}",
        '{"room": "a", "room": "b"}',
        '{"room": "\\ud800"}',
        '{"room": "\ud800"}',
    ],
)
def test_what_is_not_plain_json_is_refused(body: str) -> None:
    assert refusal(body) == Code.BAD_JSON


@pytest.mark.parametrize("opening", ["[", '{"a":', '"x",[' * 3])
def test_a_hundred_thousand_brackets_are_too_deep(opening: str) -> None:
    assert refusal(opening * 100_000) == Code.TOO_DEEP


def test_brackets_inside_text_are_no_depth() -> None:
    frame = {"data": "[" * 10_000 + '\\"[[['}

    assert frames.parse(json.dumps(frame)) == frame


def test_the_deepest_frame_allowed_passes_and_one_more_does_not() -> None:
    inside = frames.MAX_DEPTH - 1
    allowed = '{"data": ' + "[" * inside + "]" * inside + "}"

    assert frames.parse(allowed)
    assert refusal('{"data": [' + allowed + "]}") == Code.TOO_DEEP


def test_a_reply_is_status_200_whatever_it_says() -> None:
    reply = frames.reply(frames.error_frame(Code.EMPTY, "id="))

    assert reply["statusCode"] == 200
    assert json.loads(reply["body"]) == {"error": "empty", "requestId": "id="}


@given(st.text())
def test_any_text_is_parsed_or_refused_with_a_code(body: str) -> None:
    try:
        frames.action(frames.parse(body))
    except BadFrame as refused:
        assert refused.code in set(Code)


@given(st.dictionaries(st.text(), st.text() | st.integers(-(10**15), 10**15) | st.booleans()))
def test_every_plain_object_survives(frame: dict[str, object]) -> None:
    assert frames.parse(json.dumps(frame, ensure_ascii=False)) == frame
