import json

import pytest

from socketwatch.calls import NoAnswer, Reply
from socketwatch.proof import Evidence, of_reply

DESCRIBED = json.dumps(
    {"connectedAt": "2026-11-21T07:00:00.000Z", "lastActiveAt": "", "identity": {}}
).encode()


@pytest.mark.parametrize(
    ("reply", "evidence"),
    [
        (Reply(200, body=DESCRIBED), Evidence.ALIVE),
        (Reply(200, body=b'{"connectedAt": 1, "more": [{}]}'), Evidence.ALIVE),
        (Reply(200, body=b'{"connectedAt": "9999-12-31T23:59:59Z"}'), Evidence.ALIVE),
        (Reply(200, body=b"{}"), Evidence.UNINTELLIGIBLE),
        (Reply(200, body=b"[]"), Evidence.UNINTELLIGIBLE),
        (Reply(200, body=b""), Evidence.UNINTELLIGIBLE),
        (Reply(200, body=b"<html>connectedAt</html>"), Evidence.UNINTELLIGIBLE),
        (Reply(200, body=b"\xff\xfe"), Evidence.UNINTELLIGIBLE),
        (Reply(200, body=b"[" * 8_192), Evidence.UNINTELLIGIBLE),
        (Reply(204), Evidence.UNINTELLIGIBLE),
        (Reply(302, body=DESCRIBED), Evidence.UNINTELLIGIBLE),
        (Reply(400), Evidence.UNINTELLIGIBLE),
        (Reply(401), Evidence.FORBIDDEN),
        (Reply(403), Evidence.FORBIDDEN),
        (Reply(404), Evidence.NOT_FOUND),
        (Reply(410), Evidence.GONE),
        (Reply(410, body=DESCRIBED), Evidence.GONE),
        (Reply(429), Evidence.THROTTLED),
        (Reply(500), Evidence.SERVER_ERROR),
        (Reply(503), Evidence.SERVER_ERROR),
        (Reply(599), Evidence.SERVER_ERROR),
        (Reply(0, NoAnswer.GARBAGE), Evidence.UNINTELLIGIBLE),
        *(
            (Reply(0, why), Evidence.NO_ANSWER)
            for why in set(NoAnswer) - {NoAnswer.NONE, NoAnswer.GARBAGE}
        ),
    ],
)
def test_what_an_answer_is_evidence_of(reply: Reply, evidence: Evidence) -> None:
    assert of_reply(reply) is evidence


def test_of_all_statuses_one_alone_speaks_of_death() -> None:
    assert [s for s in range(1_000) if of_reply(Reply(s, body=DESCRIBED)) is Evidence.GONE] == [410]
