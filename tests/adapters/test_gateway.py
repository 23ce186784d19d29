import pytest

from socketwatch.outcomes import Outcome
from tests.adapters.management import ENDPOINT, ScriptedManagement


@pytest.mark.parametrize(
    ("status", "outcome"),
    [
        (200, Outcome.ACCEPTED),
        (403, Outcome.FORBIDDEN),
        (404, Outcome.FAILED),
        (410, Outcome.GONE),
        (413, Outcome.TOO_LARGE),
        (429, Outcome.THROTTLED),
        (500, Outcome.FAILED),
        (503, Outcome.FAILED),
        (0, Outcome.FAILED),
    ],
)
def test_a_post_ends_by_its_status_alone_and_is_tried_once(status: int, outcome: Outcome) -> None:
    management = ScriptedManagement({"": status})

    assert management.gateway().post("a=", b"hi") is outcome
    assert len(management.urls) == 1


@pytest.mark.parametrize(
    ("connection_id", "path"),
    [
        ("BFaT_fALIAMCKug=", "BFaT_fALIAMCKug%3D"),
        ("a/b=", "a%2Fb%3D"),
        ("a%2Fb", "a%252Fb"),
        ("../x", "..%2Fx"),
        ("a+b c", "a%2Bb%20c"),
        ("🦊", "%F0%9F%A6%8A"),
    ],
)
def test_an_id_is_percent_encoded_exactly_once(connection_id: str, path: str) -> None:
    management = ScriptedManagement()

    management.gateway().post(connection_id, b"hi")

    assert management.urls == [f"{ENDPOINT}/@connections/{path}"]
