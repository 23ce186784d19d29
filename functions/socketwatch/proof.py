"""What the answer to a probe is evidence of. Only HTTP 410 speaks of death, only a 200 of life.

A probe is GetConnection. API Gateway answers 410 for a connection that was closed, that never was,
and that is not established yet; it has been reported to answer 410 for a connection that lives
(aws-sdk-js #3773). So a 410 is where the question begins (`socketwatch.verdicts`).
"""

import json
from enum import StrEnum

from socketwatch.calls import NoAnswer, Reply


class Evidence(StrEnum):
    """What an answer tells; the values of `Probes`'s dimension `Category`."""

    ALIVE = "alive"  # 200 with a description of the connection
    GONE = "gone"  # 410
    FORBIDDEN = "forbidden"  # 401 or 403: rights, signature, or another API behind the address
    NOT_FOUND = "not_found"  # 404: no such path behind the address
    THROTTLED = "throttled"  # 429
    SERVER_ERROR = "server_error"  # 5xx
    NO_ANSWER = "no_answer"  # no name, no route, no trust, no time, or nothing was sent
    UNINTELLIGIBLE = "unintelligible"  # anything else: it says nothing about the connection


TELLING = frozenset({Evidence.ALIVE, Evidence.GONE})
"""What says anything of the connection."""

_BY_STATUS = {
    401: Evidence.FORBIDDEN,
    403: Evidence.FORBIDDEN,
    404: Evidence.NOT_FOUND,
    410: Evidence.GONE,
    429: Evidence.THROTTLED,
}


def of_reply(reply: Reply) -> Evidence:
    """What a reply to GetConnection is evidence of.

    The status decides; a 200 counts as life only with a body that describes a connection, for
    proxies and captive portals answer 200 to everything. Times in that body are never looked at.
    """
    if reply.status == 200:
        return Evidence.ALIVE if _describes(reply.body) else Evidence.UNINTELLIGIBLE
    if 500 <= reply.status < 600:
        return Evidence.SERVER_ERROR
    if not reply.status and reply.reason is not NoAnswer.GARBAGE:
        return Evidence.NO_ANSWER
    return _BY_STATUS.get(reply.status, Evidence.UNINTELLIGIBLE)


def _describes(body: bytes) -> bool:
    try:
        found = json.loads(body)
    except (ValueError, RecursionError):
        return False
    return isinstance(found, dict) and "connectedAt" in found
