"""Who may connect: the answer of the REQUEST authorizer on `$connect`.

API Gateway authorizes at the handshake only and caches no answer of a WebSocket API's authorizer
(API reference, `AuthorizerResultTtlInSeconds`), so this runs once for each connection.
"""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Self

from socketwatch.clock import Clock
from socketwatch.errors import Refused, SettingError
from socketwatch.keys import Key, Keys
from socketwatch.origins import OriginPolicy
from socketwatch.settings import Api, Environment, flag, text, url
from socketwatch.tokens import Claims, Reason, TokenRules, verify

MAX_ANSWER = 8_192
"""Bytes of an authorizer's answer (API Gateway quotas, WebSocket APIs)."""

SUBPROTOCOL_PREFIX = "bearer."

_ARN_PREFIX = re.compile(r"arn:[a-z-]+:execute-api:[a-z0-9-]+:[0-9]{12}")

Pairs = list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class AuthorizeSettings:
    """What decides over a handshake.

    Without a key and without a JWKS URL every token is refused: a new deployment is closed until
    its issuer is named.
    """

    api: Api
    origins: OriginPolicy
    rules: TokenRules
    public_key: Key | None
    jwks_url: str
    token_in_query: bool

    @classmethod
    def from_environment(cls, env: Environment) -> Self:
        """Read the settings; `JWT_ISSUER` and `JWT_AUDIENCE` are required once there are keys."""
        public_key = _public_key(env)
        jwks_url = url(env, "JWT_JWKS_URL") if text(env, "JWT_JWKS_URL", "") else ""
        if public_key and jwks_url:
            raise SettingError("JWT_PUBLIC_KEY and JWT_JWKS_URL are both set; keep one")
        unset = None if public_key or jwks_url else ""
        return cls(
            api=Api.from_environment(env),
            origins=OriginPolicy.from_environment(env),
            rules=TokenRules(
                issuer=text(env, "JWT_ISSUER", unset),
                audience=text(env, "JWT_AUDIENCE", unset),
                rooms_claim=text(env, "JWT_ROOMS_CLAIM", "rooms"),
                roles_claim=text(env, "JWT_ROLES_CLAIM", "roles"),
            ),
            public_key=public_key,
            jwks_url=jwks_url,
            token_in_query=flag(env, "TOKEN_IN_QUERY", default=False),
        )


def _public_key(env: Environment) -> Key | None:
    pem = text(env, "JWT_PUBLIC_KEY", "")
    try:
        return Key.from_pem(pem) if pem else None
    except ValueError:
        raise SettingError(
            "JWT_PUBLIC_KEY must be a public key in PEM: RSA of 2048 to 8192 bits or EC P-256"
        ) from None


def admit(
    event: Any, settings: AuthorizeSettings, keys: Keys | None, clock: Clock
) -> dict[str, Any]:
    """The policy that lets the event's peer in, with its identity as flat texts in the context.

    The event must be of the configured API and stage, its origin allowed, and it must carry exactly
    one token (the same one twice is one), which is valid now.

    Raises:
        Refused: any of that does not hold, or the answer would pass API Gateway's 8 KB.
    """
    arn = _method_arn(event, settings.api)
    headers = [
        (name.lower(), value) for name, value in _pairs(event, "headers", "multiValueHeaders")
    ]
    if not settings.origins.admits([value for name, value in headers if name == "origin"]):
        raise Refused(Reason.ORIGIN)
    query = "queryStringParameters", "multiValueQueryStringParameters"
    token = _one_token(headers, list(_pairs(event, *query)) if settings.token_in_query else [])
    if keys is None:
        raise Refused(Reason.NO_KEYS)
    answer = _allow(arn, verify(token, keys, settings.rules, clock()))
    if len(json.dumps(answer)) > MAX_ANSWER:
        raise Refused(Reason.ANSWER_TOO_LARGE)
    return answer


def deny() -> dict[str, Any]:
    """The policy for everybody refused: it tells nothing of why."""
    return _policy("refused", "Deny", "*")


def _method_arn(event: Any, api: Api) -> str:
    """The ARN to allow, which must be that of `$connect` on our own API and stage."""
    context = event.get("requestContext") if isinstance(event, dict) else None
    if not isinstance(context, dict) or not isinstance(arn := event.get("methodArn"), str):
        raise Refused(Reason.BAD_EVENT)
    if event.get("type") != "REQUEST" or context.get("eventType") != "CONNECT":
        raise Refused(Reason.BAD_EVENT)
    if (context.get("apiId"), context.get("stage")) != (api.api_id, api.stage):
        raise Refused(Reason.OTHER_API)
    prefix, _, resource = arn.rpartition(":")
    if resource != f"{api.api_id}/{api.stage}/$connect":
        raise Refused(Reason.OTHER_API)
    if not _ARN_PREFIX.fullmatch(prefix):
        raise Refused(Reason.BAD_EVENT)
    return arn


def _pairs(event: dict[str, Any], single: str, multiple: str) -> Iterator[tuple[str, str]]:
    """Each name with each of its values; only the multi-value form shows a name sent twice."""
    once, often = event.get(single) or {}, event.get(multiple) or {}
    if not isinstance(once, dict) or not isinstance(often, dict):
        raise Refused(Reason.BAD_EVENT)
    for name, values in ({name: [value] for name, value in once.items()} | often).items():
        if not isinstance(values, list) or not all(isinstance(value, str) for value in values):
            raise Refused(Reason.BAD_EVENT)
        yield from ((name, value) for value in values)


def _one_token(headers: Pairs, query: Pairs) -> str:
    tokens = {value for name, value in query if name == "token"}
    for name, value in headers:
        if name == "authorization" and value[:7].lower() == "bearer ":
            tokens.add(value[7:].strip())
        elif name == "sec-websocket-protocol":
            offers = (offer.strip() for offer in value.split(","))
            tokens.update(
                offer.removeprefix(SUBPROTOCOL_PREFIX)
                for offer in offers
                if offer.startswith(SUBPROTOCOL_PREFIX)
            )
    if not tokens:
        raise Refused(Reason.ANONYMOUS)
    if len(tokens) > 1:
        raise Refused(Reason.DIFFERENT_TOKENS)
    return tokens.pop()


def _allow(arn: str, claims: Claims) -> dict[str, Any]:
    context = {
        "userId": claims.subject,
        "rooms": " ".join(claims.rooms),
        "roles": " ".join(claims.roles),
        "tokenExpiresAt": str(claims.expires_at),
    }
    return {**_policy(claims.subject, "Allow", arn), "context": context}


def _policy(principal: str, effect: str, resource: str) -> dict[str, Any]:
    statement = {"Action": "execute-api:Invoke", "Effect": effect, "Resource": resource}
    return {
        "principalId": principal,
        "policyDocument": {"Version": "2012-10-17", "Statement": [statement]},
    }
