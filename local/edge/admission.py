"""What an authorizer's or `$connect`'s answer means for the handshake."""

import json
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs

from local.edge.events import Upgrade
from local.edge.invoke import InvokeResult
from local.edge.model import IdentitySource

MAX_AUTHORIZER_BYTES = 8 * 1024


@dataclass(frozen=True, slots=True)
class Refused:
    """The handshake ends with this HTTP status."""

    status: int
    message: str


@dataclass(frozen=True, slots=True)
class Authorized:
    """The authorizer allows; its context stays with the connection for life."""

    context: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Accepted:
    """`$connect` accepts, and may have chosen a subprotocol."""

    subprotocol: str | None = None


UNAUTHORIZED = Refused(401, "Unauthorized")
FORBIDDEN = Refused(403, "Forbidden")
THROTTLED = Refused(429, "Too Many Requests")
BROKEN_AUTHORIZER = Refused(500, "Internal server error")
BROKEN_INTEGRATION = Refused(500, "Internal server error")
BAD_GATEWAY = Refused(502, "Internal server error")
UNAVAILABLE = Refused(503, "Service Unavailable")
TIMED_OUT = Refused(504, "Endpoint request timed out")


def has_identity(upgrade: Upgrade, sources: Iterable[IdentitySource]) -> bool:
    """Whether the handshake carries all that the authorizer asks for.

    Without it AWS answers 401 and does not call the authorizer.
    """
    query = parse_qs(upgrade.query)
    return all(
        upgrade.header(source.name) if source.place == "header" else query.get(source.name)
        for source in sources
    )


def judge_authorizer(result: InvokeResult, method_arn: str) -> Authorized | Refused:
    """An authorizer's answer as the handshake's fate.

    The error `Unauthorized` is 401; a policy that denies, or does not allow, is 403; any other
    error, and an answer that is malformed or above 8 KB, is 500.
    """
    answer = _json_object(result.payload)
    if result.function_error:
        unauthorized = answer is not None and answer.get("errorMessage") == "Unauthorized"
        return UNAUTHORIZED if unauthorized else BROKEN_AUTHORIZER
    if answer is None or len(result.payload) > MAX_AUTHORIZER_BYTES:
        return BROKEN_AUTHORIZER
    principal, policy = answer.get("principalId"), answer.get("policyDocument")
    context = _flat_context(answer.get("context") or {})
    if not isinstance(principal, str) or not isinstance(policy, Mapping) or context is None:
        return BROKEN_AUTHORIZER
    if not _allows(policy, method_arn):
        return FORBIDDEN
    return Authorized({**context, "principalId": principal})


def judge_connect(result: InvokeResult, offered: Sequence[str]) -> Accepted | Refused:
    """The answer of `$connect` as the handshake's fate.

    2xx accepts, any other status refuses with it. A failed function, and an answer that is no
    proxy response, is 502 (captured for a failed function).
    """
    answer = _json_object(result.payload)
    if result.function_error or answer is None:
        return BAD_GATEWAY
    status = answer.get("statusCode")
    if not isinstance(status, int) or not 200 <= status <= 599:
        return BAD_GATEWAY
    if status > 299:
        return Refused(status, _REASONS.get(status, "Refused by $connect"))
    return Accepted(_chosen_subprotocol(answer.get("headers"), offered))


_REASONS = {refused.status: refused.message for refused in (UNAUTHORIZED, FORBIDDEN)}


def _json_object(payload: bytes) -> dict[str, Any] | None:
    try:
        value = json.loads(payload)
    except ValueError:
        return None
    return value if isinstance(value, dict) else None


def _flat_context(context: Any) -> dict[str, str] | None:
    if not isinstance(context, Mapping):
        return None
    if not all(isinstance(value, str | int | float) for value in context.values()):
        return None
    return {
        key: value if isinstance(value, str) else json.dumps(value)
        for key, value in context.items()
    }


def _allows(policy: Mapping[str, Any], arn: str) -> bool:
    effects = {
        statement.get("Effect")
        for statement in _several(policy.get("Statement"))
        if isinstance(statement, Mapping)
        and _matches(statement.get("Action"), "execute-api:Invoke", re.IGNORECASE)
        and _matches(statement.get("Resource"), arn)
    }
    return "Allow" in effects and "Deny" not in effects


def _matches(patterns: Any, subject: str, flags: re.RegexFlag = re.NOFLAG) -> bool:
    return any(
        re.fullmatch(_wildcards(pattern), subject, flags)
        for pattern in _several(patterns)
        if isinstance(pattern, str)
    )


def _wildcards(pattern: str) -> str:
    return re.escape(pattern).replace(r"\*", ".*").replace(r"\?", ".")


def _several(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _chosen_subprotocol(headers: Any, offered: Sequence[str]) -> str | None:
    if not isinstance(headers, Mapping):
        return None
    for name, value in headers.items():
        if name.lower() == "sec-websocket-protocol" and value in offered:
            return str(value)
    return None
