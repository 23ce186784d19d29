import base64
import hashlib
import hmac
import json
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from hypothesis import given
from hypothesis import strategies as st

from socketwatch.errors import Refused
from socketwatch.keys import Algorithm, Key
from socketwatch.tokens import Claims, Reason, TokenRules, verify
from tests.fakes import NOW
from tests.handshake import elliptic_issuer, issuer, keys, segment, stranger

RULES = TokenRules("https://issuer.example.com", "socketwatch", "rooms", "roles")
SECONDS = NOW // 1_000
OVERFLOWING = b'{"iss":"https://issuer.example.com","aud":"socketwatch","exp":1e999}'


def refusal(token: str) -> str:
    with pytest.raises(Refused) as refused:
        verify(token, keys, RULES, NOW)
    return refused.value.reason


def test_a_valid_token_says_who_its_peer_is() -> None:
    token = issuer().token(rooms=["lobby", "team-*", "*"], roles=["operator"], exp=SECONDS + 90.9)

    assert verify(token, keys, RULES, NOW) == Claims(
        subject="user-1",
        rooms=("lobby", "team-*", "*"),
        roles=("operator",),
        expires_at=SECONDS + 90,
    )


def test_an_elliptic_key_verifies_its_own_tokens() -> None:
    assert verify(elliptic_issuer().token(), keys, RULES, NOW).subject == "user-1"


def unsigned() -> str:
    return issuer().token(header={"alg": "none"}).rpartition(".")[0] + "."


def signed_by_the_public_key_as_a_secret() -> str:
    signing_input = issuer().token(header={"alg": "HS256"}).rpartition(".")[0]
    digest = hmac.digest(issuer().pem.encode(), signing_input.encode(), hashlib.sha256)
    return f"{signing_input}.{segment(digest)}"


def altered() -> str:
    header, _, signature = issuer().token().split(".")
    payload = base64.urlsafe_b64decode(issuer().token(sub="root").split(".")[1] + "==")
    return f"{header}.{segment(payload)}.{signature}"


def repeated_in_payload() -> str:
    header = json.dumps({"alg": "RS256", "kid": issuer().key_id}).encode()
    claims = base64.urlsafe_b64decode(issuer().token().split(".")[1] + "==").rstrip(b"}")
    return issuer().sign(header, claims + b', "sub": "root"}')


def signed(payload: bytes) -> str:
    return issuer().sign(json.dumps({"alg": "RS256", "kid": issuer().key_id}).encode(), payload)


@pytest.mark.parametrize(
    ("token", "reason"),
    [
        pytest.param(unsigned(), Reason.MALFORMED, id="alg none without a signature"),
        pytest.param(issuer().token({"alg": "none"}), Reason.ALGORITHM, id="alg none"),
        pytest.param(
            signed_by_the_public_key_as_a_secret(), Reason.ALGORITHM, id="HS256, public key"
        ),
        pytest.param(issuer().token({"alg": "RS512"}), Reason.ALGORITHM, id="alg RS512"),
        pytest.param(issuer().token({"alg": ["RS256"]}), Reason.ALGORITHM, id="alg is a list"),
        pytest.param(issuer().token({"alg": "ES256"}), Reason.ALGORITHM, id="alg of another key"),
        pytest.param(issuer().token(exp=SECONDS - 61), Reason.EXPIRED, id="expired by 61 s"),
        pytest.param(issuer().token(nbf=SECONDS + 62), Reason.NOT_YET_VALID, id="nbf in future"),
        pytest.param(issuer().token(iat=SECONDS + 62), Reason.NOT_YET_VALID, id="iat in future"),
        pytest.param(issuer().token(aud="other"), Reason.AUDIENCE, id="wrong aud"),
        pytest.param(issuer().token(aud="socket"), Reason.AUDIENCE, id="part of aud"),
        pytest.param(issuer().token(aud=["x", {}]), Reason.AUDIENCE, id="aud not in the list"),
        pytest.param(issuer().token(aud=None), Reason.AUDIENCE, id="no aud"),
        pytest.param(issuer().token(iss="https://evil.com"), Reason.ISSUER, id="wrong iss"),
        pytest.param(issuer().token(iss=None), Reason.ISSUER, id="no iss"),
        pytest.param(issuer().token({"kid": "../../etc"}), Reason.KEY_ID, id="kid is a path"),
        pytest.param(issuer().token({"kid": "k" * 129}), Reason.KEY_ID, id="kid too long"),
        pytest.param(issuer().token({"kid": "key\n"}), Reason.KEY_ID, id="kid with a line end"),
        pytest.param(issuer().token({"kid": 7}), Reason.KEY_ID, id="kid is a number"),
        pytest.param(issuer().token({"kid": "other"}), Reason.UNKNOWN_KEY, id="unknown kid"),
        pytest.param(issuer().token({"crit": ["x"]}), Reason.SIGNATURE, id="unknown crit"),
        pytest.param(stranger().token(), Reason.SIGNATURE, id="signed by a stranger"),
        pytest.param(altered(), Reason.SIGNATURE, id="payload of another token"),
        pytest.param("a.b.c", Reason.MALFORMED, id="bad base64"),
        pytest.param("a!.b=.c", Reason.MALFORMED, id="no base64"),
        pytest.param(issuer().token() + ".x", Reason.MALFORMED, id="four parts"),
        pytest.param("only", Reason.MALFORMED, id="one part"),
        pytest.param("", Reason.MALFORMED, id="empty"),
        pytest.param(issuer().token(pad="x" * 20_000), Reason.TOO_LARGE, id="20 KB"),
        pytest.param(issuer().token(exp=str(SECONDS)), Reason.MALFORMED_TIME, id="exp is text"),
        pytest.param(issuer().token(exp=1e308), Reason.MALFORMED_TIME, id="exp 1e308"),
        pytest.param(issuer().token(exp=10**4_000), Reason.MALFORMED_TIME, id="exp 4,001 digits"),
        pytest.param(issuer().token(exp=True), Reason.MALFORMED_TIME, id="exp is true"),
        pytest.param(issuer().token(exp=-1), Reason.MALFORMED_TIME, id="exp is negative"),
        pytest.param(issuer().token(exp=None), Reason.MALFORMED_TIME, id="no exp"),
        pytest.param(issuer().token(nbf="0"), Reason.MALFORMED_TIME, id="nbf is text"),
        pytest.param(signed(OVERFLOWING), Reason.MALFORMED_TIME, id="exp 1e999"),
        pytest.param(issuer().token(sub=None), Reason.SUBJECT, id="no sub"),
        pytest.param(issuer().token(sub=""), Reason.SUBJECT, id="empty sub"),
        pytest.param(issuer().token(sub=7), Reason.SUBJECT, id="sub is a number"),
        pytest.param(issuer().token(sub="u" * 129), Reason.SUBJECT, id="sub too long"),
        pytest.param(issuer().token(sub="user 1"), Reason.SUBJECT, id="sub with a space"),
        pytest.param(issuer().token(sub="user-1\n"), Reason.SUBJECT, id="sub with a line end"),
        pytest.param(issuer().token(sub="\ud800"), Reason.SUBJECT, id="sub is a surrogate"),
        pytest.param(repeated_in_payload(), Reason.MALFORMED, id="sub twice"),
        pytest.param(signed(b'{"a":{"b":1,"b":2}}'), Reason.MALFORMED, id="nested key twice"),
        pytest.param(
            issuer().sign(b'{"alg":"none","alg":"RS256"}', b"{}"), Reason.MALFORMED, id="alg twice"
        ),
        pytest.param(signed(b'{"exp":NaN}'), Reason.MALFORMED, id="NaN"),
        pytest.param(signed(b"[" * 5_000), Reason.MALFORMED, id="5,000 deep"),
        pytest.param(issuer().sign(b"[" * 4_000, b"{}"), Reason.MALFORMED, id="header 4,000 deep"),
        pytest.param(signed(b'"text"'), Reason.MALFORMED, id="payload is a text"),
        pytest.param(signed(b"\xff\xfe{\x00}\x00"), Reason.MALFORMED, id="payload in UTF-16"),
        pytest.param(signed(b'{"n":' + b"9" * 5_000 + b"}"), Reason.MALFORMED, id="5,000 digits"),
    ],
)
def test_a_token_that_is_not_to_be_believed_is_refused(token: str, reason: Reason) -> None:
    assert refusal(token) == reason


@pytest.mark.parametrize("name", ["jku", "x5u", "jwk", "x5c"])
def test_a_key_that_the_header_brings_along_is_not_even_read(name: str) -> None:
    asked: list[str | None] = []

    def recorded(key_id: str | None) -> Key | None:
        asked.append(key_id)
        return keys(key_id)

    brought = {name: stranger().jwk if name == "jwk" else "https://evil.com/keys"}
    with pytest.raises(Refused, match=Reason.SIGNATURE):
        verify(stranger().token(brought), recorded, RULES, NOW)

    assert asked == [issuer().key_id]
    assert verify(issuer().token(brought), recorded, RULES, NOW).subject == "user-1"


def test_a_refused_algorithm_asks_for_no_key() -> None:
    def nobody_asks(_key_id: str | None) -> Key | None:
        raise AssertionError

    with pytest.raises(Refused, match=Reason.ALGORITHM):
        verify(issuer().token({"alg": "none"}), nobody_asks, RULES, NOW)


def test_clocks_may_differ_by_a_minute_and_no_millisecond_more() -> None:
    token = issuer().token(exp=SECONDS, nbf=SECONDS)
    last, first = SECONDS * 1_000 + 59_999, SECONDS * 1_000 - 60_000

    assert verify(token, keys, RULES, last).expires_at == SECONDS
    assert verify(issuer().token(nbf=SECONDS, iat=None), keys, RULES, first).subject == "user-1"
    with pytest.raises(Refused, match=Reason.EXPIRED):
        verify(token, keys, RULES, last + 1)
    with pytest.raises(Refused, match=Reason.NOT_YET_VALID):
        verify(issuer().token(nbf=SECONDS, iat=None), keys, RULES, first - 1)


def test_one_of_several_audiences_is_enough() -> None:
    assert verify(issuer().token(aud=["other", "socketwatch"]), keys, RULES, NOW)


def test_subjects_of_common_issuers_are_accepted() -> None:
    for subject in ("auth0|5f7c", "ann@example.com", "5b0b:eu-west-1_x", "u" * 128):
        assert verify(issuer().token(sub=subject), keys, RULES, NOW).subject == subject


def test_grants_and_roles_come_from_the_named_claims_as_lists_or_words() -> None:
    rules = TokenRules(RULES.issuer, RULES.audience, "https://app.example.com/rooms", "scope")
    named: dict[str, Any] = {rules.rooms_claim: ["a", "b"], rules.roles_claim: "read write"}
    token = issuer().token(**named)

    claims = verify(token, keys, rules, NOW)

    assert claims.rooms == ("a", "b")
    assert claims.roles == ("read", "write")


def test_a_token_without_rooms_and_roles_grants_none() -> None:
    claims = verify(issuer().token(), keys, RULES, NOW)

    assert claims.rooms == claims.roles == ()


@pytest.mark.parametrize("name", ["rooms", "roles"])
@pytest.mark.parametrize(
    "value", ["a#b", ["a b"], [""], ["../x"], ["x" * 129], ["a**"], ["*a"], [7], {"a": 1}, 7, False]
)
def test_a_malformed_grant_refuses_the_token_and_drops_nothing(name: str, value: Any) -> None:
    assert refusal(issuer().token(**{name: value})) == Reason.GRANTS


def test_a_role_is_no_pattern() -> None:
    assert refusal(issuer().token(roles=["admin*"])) == Reason.GRANTS


@given(st.data())
def test_no_single_character_of_a_token_can_be_changed(data: st.DataObject) -> None:
    token = elliptic_issuer().token()
    position = data.draw(st.integers(0, len(token) - 1))
    character = data.draw(st.characters().filter(lambda new: new != token[position]))

    assert refusal(token[:position] + character + token[position + 1 :]) in set(Reason)


def test_each_kind_of_key_has_one_algorithm() -> None:
    assert Key.from_pem(issuer().pem).algorithm is Algorithm.RS256
    assert Key.from_pem(elliptic_issuer().pem).algorithm is Algorithm.ES256
    assert Key.from_pem(issuer().pem.replace("\n", "\\n")) == issuer().key


@pytest.mark.parametrize(
    "public",
    [
        rsa.generate_private_key(65_537, 1_024).public_key(),  # noqa: S505 - weak is the point
        ec.generate_private_key(ec.SECP384R1()).public_key(),
        b"secret",
    ],
    ids=["RSA 1024", "P-384", "secret"],
)
def test_a_weak_or_unknown_key_is_no_key(public: object) -> None:
    with pytest.raises(ValueError, match=r"^not an RSA key of 2048"):
        Key.of(public)


@pytest.mark.parametrize("pem", ["", "secret", "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC"])
def test_what_is_no_pem_is_a_value_error(pem: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - the words are cryptography's own
        Key.from_pem(pem)
