"""Bearer tokens: JWTs signed with RS256 or ES256, and what of their claims is believed.

What is checked, and in which order, follows RFC 8725: the algorithm belongs to the configured key
and never to the token's header, no header parameter can name a key or an address, and claims are
parsed only once the signature holds.
"""

import base64
import json
import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, NoReturn

from jwt import PyJWS
from jwt.exceptions import PyJWTError

from socketwatch.clock import SECOND
from socketwatch.errors import Refused
from socketwatch.keys import Algorithm, Key, Keys

MAX_TOKEN = 8_192
"""Characters."""

LEEWAY = 60 * SECOND
"""How far an issuer's clock may be from ours, in milliseconds."""

LATEST = 253_402_300_799
"""The last second of the year 9999; a time beyond it is a mistake or an attack."""

_COMPACT = re.compile(r"[A-Za-z0-9_-]+(\.[A-Za-z0-9_-]+){2}")
_KEY_ID = re.compile(r"[A-Za-z0-9_.-]{1,128}")
_SUBJECT = re.compile(r"[A-Za-z0-9_.:@|-]{1,128}")
_GRANT = re.compile(r"[A-Za-z0-9_.:-]{1,128}\*?|\*")
_ROLE = re.compile(r"[A-Za-z0-9_.:-]{1,128}")


class Reason(StrEnum):
    """Why a peer was refused: all that a log line says of it."""

    BAD_EVENT = "bad_event"
    OTHER_API = "other_api"
    ORIGIN = "origin"
    ANONYMOUS = "anonymous"
    DIFFERENT_TOKENS = "different_tokens"
    NO_KEYS = "no_keys"
    KEYS_UNAVAILABLE = "keys_unavailable"
    TOO_LARGE = "too_large"
    MALFORMED = "malformed"
    ALGORITHM = "algorithm"
    KEY_ID = "key_id"
    UNKNOWN_KEY = "unknown_key"
    SIGNATURE = "signature"
    ISSUER = "issuer"
    AUDIENCE = "audience"
    MALFORMED_TIME = "malformed_time"
    EXPIRED = "expired"
    NOT_YET_VALID = "not_yet_valid"
    SUBJECT = "subject"
    GRANTS = "grants"
    ANSWER_TOO_LARGE = "answer_too_large"


@dataclass(frozen=True, slots=True)
class TokenRules:
    """What a token must say to be one for us, and which claims carry rooms and roles."""

    issuer: str
    audience: str
    rooms_claim: str
    roles_claim: str


@dataclass(frozen=True, slots=True)
class Claims:
    """What a verified token says of its peer.

    Attributes:
        subject: 1 to 128 of `A-Z a-z 0-9 _ . : @ | -`.
        rooms: grants, each a room's name, a prefix of names ending in `*`, or `*`.
        roles: names like a room's.
        expires_at: seconds since the epoch, rounded down.
    """

    subject: str
    rooms: tuple[str, ...]
    roles: tuple[str, ...]
    expires_at: int


_SIGNATURES = PyJWS(algorithms=list(Algorithm))


def verify(token: str, keys: Keys, rules: TokenRules, now: int) -> Claims:
    """The claims of a token that is valid at *now* (ms), give or take the leeway.

    `exp` must be there; `nbf` and `iat` count where they are. A claim that is there but malformed
    refuses the token, so a peer never connects with fewer rights than its issuer meant.

    Raises:
        Refused: the token is not to be believed, for that reason.
    """
    if len(token) > MAX_TOKEN:
        raise Refused(Reason.TOO_LARGE)
    if not _COMPACT.fullmatch(token):
        raise Refused(Reason.MALFORMED)
    key = _key(_header(token), keys)
    try:
        payload = _SIGNATURES.decode(token, key.public, algorithms=[key.algorithm])
    except PyJWTError:
        raise Refused(Reason.SIGNATURE) from None
    claims = _object(payload)
    _check_parties(claims, rules)
    expires_at = _check_times(claims, now)
    subject = claims.get("sub")
    if not isinstance(subject, str) or not _SUBJECT.fullmatch(subject):
        raise Refused(Reason.SUBJECT)
    return Claims(
        subject=subject,
        rooms=_words(claims, rules.rooms_claim, _GRANT),
        roles=_words(claims, rules.roles_claim, _ROLE),
        expires_at=expires_at,
    )


def _header(token: str) -> dict[str, Any]:
    segment = token.partition(".")[0]
    try:
        return _object(base64.urlsafe_b64decode(segment + "=" * (-len(segment) % 4)))
    except ValueError:
        raise Refused(Reason.MALFORMED) from None


def _key(header: dict[str, Any], keys: Keys) -> Key:
    """The key that the header's id names; `jku`, `x5u`, `jwk` and `x5c` are not even read."""
    algorithm, key_id = header.get("alg"), header.get("kid")
    if not isinstance(algorithm, str) or algorithm not in set(Algorithm):
        raise Refused(Reason.ALGORITHM)
    if key_id is not None and not (isinstance(key_id, str) and _KEY_ID.fullmatch(key_id)):
        raise Refused(Reason.KEY_ID)
    key = keys(key_id)
    if key is None:
        raise Refused(Reason.UNKNOWN_KEY)
    if key.algorithm != algorithm:
        raise Refused(Reason.ALGORITHM)
    return key


def _check_parties(claims: dict[str, Any], rules: TokenRules) -> None:
    audience = claims.get("aud")
    audiences = audience if isinstance(audience, list) else [audience]
    if claims.get("iss") != rules.issuer:
        raise Refused(Reason.ISSUER)
    if rules.audience not in audiences:
        raise Refused(Reason.AUDIENCE)


def _check_times(claims: dict[str, Any], now: int) -> int:
    expires, begins, issued = (_seconds(claims, name) for name in ("exp", "nbf", "iat"))
    if expires is None:
        raise Refused(Reason.MALFORMED_TIME)
    if now >= expires * SECOND + LEEWAY:
        raise Refused(Reason.EXPIRED)
    if max(begins or 0, issued or 0) * SECOND > now + LEEWAY:
        raise Refused(Reason.NOT_YET_VALID)
    return int(expires)


def _seconds(claims: dict[str, Any], name: str) -> float | None:
    value = claims.get(name)
    if value is None:
        return None
    if type(value) not in {int, float} or not 0 < value <= LATEST:
        raise Refused(Reason.MALFORMED_TIME)
    return float(value)


def _words(claims: dict[str, Any], name: str, form: re.Pattern[str]) -> tuple[str, ...]:
    """A claim that is a list, or one text with spaces as OAuth's `scope` is; absent is empty."""
    value = claims.get(name)
    words = [] if value is None else value.split() if isinstance(value, str) else value
    if not isinstance(words, list):
        raise Refused(Reason.GRANTS)
    if not all(isinstance(word, str) and form.fullmatch(word) for word in words):
        raise Refused(Reason.GRANTS)
    return tuple(words)


def _object(raw: bytes) -> dict[str, Any]:
    """JSON of one reading only: no duplicate keys, no NaN, UTF-8."""
    try:
        value = json.loads(raw.decode(), object_pairs_hook=_unique, parse_constant=_no_constant)
    except (ValueError, RecursionError):
        raise Refused(Reason.MALFORMED) from None
    if not isinstance(value, dict):
        raise Refused(Reason.MALFORMED)
    return value


def _unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    value = dict(pairs)
    if len(value) < len(pairs):
        raise ValueError("duplicate key")
    return value


def _no_constant(name: str) -> NoReturn:
    raise ValueError(name)
