import json
from typing import Any

import pytest

from socketwatch.admission import MAX_ANSWER, AuthorizeSettings, admit, deny
from socketwatch.errors import Refused, SettingError
from socketwatch.tokens import Reason
from tests.fakes import NOW, clock
from tests.handshake import ARN, ORIGIN, authorizer_event, issuer, keys

ENVIRONMENT = {
    "API_ID": "abc123",
    "STAGE": "live",
    "ALLOWED_ORIGINS": ORIGIN,
    "JWT_ISSUER": "https://issuer.example.com",
    "JWT_AUDIENCE": "socketwatch",
    "JWT_PUBLIC_KEY": issuer().pem,
}


def settings(**changes: str) -> AuthorizeSettings:
    return AuthorizeSettings.from_environment(ENVIRONMENT | changes)


def admitted(event: Any, **changes: str) -> dict[str, Any]:
    return admit(event, settings(**changes), keys, clock)


def refusal(event: Any, **changes: str) -> str:
    with pytest.raises(Refused) as refused:
        admitted(event, **changes)
    return refused.value.reason


def test_a_valid_handshake_is_allowed_with_the_peers_identity_as_flat_texts() -> None:
    token = issuer().token(rooms=["lobby", "team-*"], roles=["operator", "reader"])

    assert admitted(authorizer_event(token)) == {
        "principalId": "user-1",
        "policyDocument": {
            "Version": "2012-10-17",
            "Statement": [
                {"Action": "execute-api:Invoke", "Effect": "Allow", "Resource": ARN},
            ],
        },
        "context": {
            "userId": "user-1",
            "rooms": "lobby team-*",
            "roles": "operator reader",
            "tokenExpiresAt": str(NOW // 1_000 + 3_600),
        },
    }


def test_a_denial_covers_everything_and_tells_nothing() -> None:
    assert deny() == {
        "principalId": "refused",
        "policyDocument": {
            "Version": "2012-10-17",
            "Statement": [{"Action": "execute-api:Invoke", "Effect": "Deny", "Resource": "*"}],
        },
    }


@pytest.mark.parametrize("name", ["Authorization", "authorization", "AUTHORIZATION"])
@pytest.mark.parametrize("scheme", ["Bearer", "bearer"])
def test_a_token_may_come_by_authorization_in_any_case(name: str, scheme: str) -> None:
    headers = {"origin": ORIGIN, name: f"{scheme} {issuer().token()}"}
    event = authorizer_event(headers=headers, multiValueHeaders=None)

    assert admitted(event)["principalId"] == "user-1"


def test_subprotocols_may_come_in_several_header_lines() -> None:
    protocols = ["socketwatch.v1", f"bearer.{issuer().token()}"]
    headers = {"Origin": [ORIGIN], "sec-websocket-protocol": protocols}

    assert admitted(authorizer_event(multiValueHeaders=headers))["principalId"] == "user-1"


def test_a_token_in_the_query_counts_only_where_it_is_set_so() -> None:
    event = authorizer_event(query=(issuer().token(),))

    assert refusal(event) == Reason.ANONYMOUS
    assert admitted(event, TOKEN_IN_QUERY="true")["principalId"] == "user-1"


def test_tokens_of_different_subjects_in_query_and_header_are_refused() -> None:
    event = authorizer_event(issuer().token(), query=(issuer().token(sub="user-2"),))

    assert refusal(event, TOKEN_IN_QUERY="true") == Reason.DIFFERENT_TOKENS


def test_a_repeated_token_parameter_is_refused_unless_it_says_the_same() -> None:
    token = issuer().token()

    assert admitted(authorizer_event(query=(token, token)), TOKEN_IN_QUERY="true")
    assert (
        refusal(authorizer_event(query=(token, "other")), TOKEN_IN_QUERY="true")
        == Reason.DIFFERENT_TOKENS
    )


def test_a_long_query_does_not_matter() -> None:
    query = {"a": ["1"] * 1_024}
    event = authorizer_event(issuer().token(), multiValueQueryStringParameters=query)

    assert admitted(event, TOKEN_IN_QUERY="true")["principalId"] == "user-1"


@pytest.mark.parametrize(
    "authorization", ["", "Bearer", "Bearer ", "Basic dXNlcjpwYXNz", "bearer.x", "Bearerx"]
)
def test_authorization_without_a_token_is_no_token(authorization: str) -> None:
    headers = {"Origin": [ORIGIN], "Authorization": [authorization]}

    assert refusal(authorizer_event(multiValueHeaders=headers)) in {
        Reason.ANONYMOUS,
        Reason.MALFORMED,
    }


@pytest.mark.parametrize(
    ("origins", "allow_none", "is_admitted"),
    [
        pytest.param((ORIGIN,), "false", True, id="ours"),
        pytest.param(("https://evil.com",), "true", False, id="another site"),
        pytest.param((), "false", False, id="absent"),
        pytest.param((), "true", True, id="absent, allowed"),
        pytest.param((ORIGIN, ORIGIN), "true", False, id="two headers"),
        pytest.param((ORIGIN, "https://evil.com"), "true", False, id="two sites"),
    ],
)
def test_the_origin_is_checked_before_any_token(
    origins: tuple[str, ...], allow_none: str, *, is_admitted: bool
) -> None:
    event = authorizer_event(issuer().token(), origins=origins)

    if is_admitted:
        assert admitted(event, ALLOW_NO_ORIGIN=allow_none)
    else:
        assert refusal(event, ALLOW_NO_ORIGIN=allow_none) == Reason.ORIGIN
        assert refusal(authorizer_event(origins=origins)) == Reason.ORIGIN


def test_an_origin_under_two_spellings_of_the_header_is_two_origins() -> None:
    headers = {"Origin": [ORIGIN], "origin": ["https://evil.com"]}

    assert refusal(authorizer_event(issuer().token(), multiValueHeaders=headers)) == Reason.ORIGIN


@pytest.mark.parametrize(
    ("field", "value", "reason"),
    [
        ("apiId", "other", Reason.OTHER_API),
        ("stage", "test", Reason.OTHER_API),
        ("apiId", None, Reason.OTHER_API),
        ("eventType", "MESSAGE", Reason.BAD_EVENT),
        ("eventType", None, Reason.BAD_EVENT),
    ],
)
def test_an_event_of_anything_else_is_refused(field: str, value: Any, reason: Reason) -> None:
    event = authorizer_event(issuer().token())
    event["requestContext"][field] = value

    assert refusal(event) == reason


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"type": "TOKEN"}, Reason.BAD_EVENT),
        ({"requestContext": None}, Reason.BAD_EVENT),
        ({"requestContext": []}, Reason.BAD_EVENT),
        ({"methodArn": None}, Reason.BAD_EVENT),
        ({"methodArn": "abc123/live/$connect"}, Reason.BAD_EVENT),
        ({"methodArn": "x:abc123/live/$connect"}, Reason.BAD_EVENT),
        ({"methodArn": ARN.replace("123456789012", "*")}, Reason.BAD_EVENT),
        ({"methodArn": ARN.replace("us-east-1", "*")}, Reason.BAD_EVENT),
        ({"methodArn": ARN.replace("$connect", "*")}, Reason.OTHER_API),
        ({"methodArn": ARN.replace("abc123", "other")}, Reason.OTHER_API),
        ({"methodArn": ARN + "\n"}, Reason.OTHER_API),
        ({"headers": "Origin"}, Reason.BAD_EVENT),
        ({"multiValueHeaders": {"Origin": ORIGIN}}, Reason.BAD_EVENT),
        ({"multiValueHeaders": {"Origin": [None]}}, Reason.BAD_EVENT),
        ({"headers": None, "multiValueHeaders": None}, Reason.ORIGIN),
    ],
)
def test_a_malformed_event_is_refused(changes: dict[str, Any], reason: Reason) -> None:
    assert refusal(authorizer_event(issuer().token(), **changes)) == reason


@pytest.mark.parametrize("event", [None, [], "text", 7, {}, {"requestContext": {}}])
def test_what_is_no_event_is_refused(event: Any) -> None:
    assert refusal(event) == Reason.BAD_EVENT


def test_without_keys_every_token_is_refused() -> None:
    with pytest.raises(Refused, match=Reason.NO_KEYS):
        admit(authorizer_event(issuer().token()), settings(), None, clock)
    with pytest.raises(Refused, match=Reason.NO_KEYS):
        admit(authorizer_event("x"), settings(), None, clock)


def test_an_answer_that_api_gateway_would_not_take_is_a_refusal() -> None:
    scope = [f"{number:04d}" + "x" * 124 for number in range(40)]
    event = authorizer_event(issuer().token(scope=scope))

    once = admitted(event, JWT_ROOMS_CLAIM="scope")
    assert len(json.dumps(once)) <= MAX_ANSWER
    assert (
        refusal(event, JWT_ROOMS_CLAIM="scope", JWT_ROLES_CLAIM="scope") == Reason.ANSWER_TOO_LARGE
    )


def test_settings_have_the_documented_defaults() -> None:
    fresh = AuthorizeSettings.from_environment({"API_ID": "abc123", "STAGE": "live"})

    assert fresh.public_key is None
    assert (fresh.jwks_url, fresh.rules.issuer, fresh.rules.audience) == ("", "", "")
    assert (fresh.rules.rooms_claim, fresh.rules.roles_claim) == ("rooms", "roles")
    assert not fresh.token_in_query
    assert not fresh.origins.allow_none


@pytest.mark.parametrize(
    ("changes", "line"),
    [
        ({"API_ID": ""}, "API_ID is not set"),
        ({"JWT_ISSUER": ""}, "JWT_ISSUER is not set"),
        ({"JWT_AUDIENCE": " "}, "JWT_AUDIENCE is not set"),
        ({"JWT_PUBLIC_KEY": "secret"}, "JWT_PUBLIC_KEY must be a public key in PEM"),
        ({"JWT_JWKS_URL": "https://issuer.example.com/keys"}, "JWT_PUBLIC_KEY and JWT_JWKS_URL"),
        ({"JWT_PUBLIC_KEY": "", "JWT_JWKS_URL": "http://issuer.example.com"}, "JWT_JWKS_URL must"),
        ({"ALLOWED_ORIGINS": "app.example.com"}, "ALLOWED_ORIGINS must list"),
        ({"ALLOW_NO_ORIGIN": "yes"}, "ALLOW_NO_ORIGIN must be true or false"),
        ({"TOKEN_IN_QUERY": "1"}, "TOKEN_IN_QUERY must be true or false"),
    ],
)
def test_a_bad_setting_is_named_in_one_line(changes: dict[str, str], line: str) -> None:
    with pytest.raises(SettingError) as error:
        settings(**changes)

    assert str(error.value).startswith(line)
    assert "\n" not in str(error.value)
    assert "secret" not in str(error.value)
