from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from moto import mock_aws

from local.edge.errors import ModelError
from local.edge.model import Authorizer, IdentitySource, Route, read_model, selection_path
from tests.adapters.edge.scene import arn


def uri(name: str) -> str:
    function = f"2015-03-31/functions/{arn(name)}/invocations"
    return f"arn:aws:apigateway:us-east-1:lambda:path/{function}"


class Account:
    """A deployed API to read, built by the calls that a deployment makes."""

    def __init__(self, client: Any, **api: Any) -> None:
        self.client = client
        wanted = {"Name": "chat", "ProtocolType": "WEBSOCKET"}
        wanted |= {"RouteSelectionExpression": "$request.body.action"} | api
        self.api_id = client.create_api(**wanted)["ApiId"]
        client.create_stage(ApiId=self.api_id, StageName="prod", StageVariables={"colour": "blue"})

    def integration(self, name: str, **more: Any) -> str:
        wanted = {"IntegrationType": "AWS_PROXY", "IntegrationUri": uri(name)} | more
        made = self.client.create_integration(ApiId=self.api_id, **wanted)
        return f"integrations/{made['IntegrationId']}"

    def route(self, key: str, **more: Any) -> str:
        made = self.client.create_route(ApiId=self.api_id, RouteKey=key, **more)
        return str(made["RouteId"])

    def authorizer(self, name: str, *sources: str) -> str:
        made = self.client.create_authorizer(
            ApiId=self.api_id,
            AuthorizerType="REQUEST",
            AuthorizerUri=uri(name),
            IdentitySource=list(sources),
            Name=name,
        )
        return str(made["AuthorizerId"])


@pytest.fixture
def client(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "local")
    with mock_aws():
        yield boto3.client("apigatewayv2", region_name="us-east-1")


def test_a_deployed_api_is_read_whole(client: Any) -> None:
    account = Account(client)
    authorizer = account.authorizer("authorize", "route.request.header.Authorization")
    account.route(
        "$connect",
        Target=account.integration("connect", TimeoutInMillis=5000),
        AuthorizationType="CUSTOM",
        AuthorizerId=authorizer,
    )
    account.route("$disconnect")
    echo = account.route("echo", Target=account.integration("echo"))
    client.create_route_response(ApiId=account.api_id, RouteId=echo, RouteResponseKey="$default")
    found = read_model(client, account.api_id, "prod")

    guard = Authorizer(arn("authorize"), (IdentitySource("header", "Authorization"),))
    assert found.routes == {
        "$connect": Route("$connect", arn("connect"), 5000, authorizer=guard),
        "$disconnect": Route("$disconnect", None),
        "echo": Route("echo", arn("echo"), has_route_response=True),
    }
    assert (found.region, found.account_id) == ("us-east-1", "123456789012")
    assert found.selection_path == ("action",)
    assert found.stage_variables == {"colour": "blue"}


def test_an_integration_takes_29_seconds_at_most(client: Any) -> None:
    account = Account(client)
    account.route("$default", Target=account.integration("message", TimeoutInMillis=30000))

    assert read_model(client, account.api_id, "prod").routes["$default"].timeout_ms == 29_000


@pytest.mark.parametrize(
    ("expression", "path"),
    [
        ("$request.body.action", ("action",)),
        ("${request.body.action}", ("action",)),
        ("$request.body.meta.action", ("meta", "action")),
    ],
)
def test_a_selection_expression_on_the_body_is_a_path(
    expression: str, path: tuple[str, ...]
) -> None:
    assert selection_path(expression) == path


@pytest.mark.parametrize("expression", ["$request.header.x", "$request.body", "${a}/${b}", ""])
def test_another_selection_expression_is_refused(expression: str) -> None:
    with pytest.raises(ModelError, match="selection expression"):
        selection_path(expression)


def test_an_unknown_api_or_stage_is_named(client: Any) -> None:
    account = Account(client)

    with pytest.raises(ModelError, match="API nope"):
        read_model(client, "nope", "prod")
    with pytest.raises(ModelError, match="stage dev"):
        read_model(client, account.api_id, "dev")


def test_an_http_api_is_refused(client: Any) -> None:
    made = client.create_api(Name="web", ProtocolType="HTTP")

    with pytest.raises(ModelError, match="HTTP, not WEBSOCKET"):
        read_model(client, made["ApiId"], "prod")


def test_what_the_edge_does_not_have_is_refused_by_name(client: Any) -> None:
    def refused(key: str, message: str, **more: Any) -> None:
        account = Account(client)
        account.route(key, **({"Target": account.integration("f")} | more))
        with pytest.raises(ModelError, match=message):
            read_model(client, account.api_id, "prod")

    mock = Account(client)
    mock.route("ping", Target=mock.integration("f", IntegrationType="MOCK"))
    with pytest.raises(ModelError, match="ping has a MOCK integration"):
        read_model(client, mock.api_id, "prod")
    refused("$connect", "AWS_IAM authorization", AuthorizationType="AWS_IAM")
    refused("$connect", "no REQUEST authorizer", AuthorizationType="CUSTOM", AuthorizerId="nope")
    refused("$connect", "API key", ApiKeyRequired=True)
    refused("echo", "targets integrations/nope", Target="integrations/nope")


def test_an_integration_that_is_no_function_is_refused(client: Any) -> None:
    account = Account(client)
    target = account.integration("f", IntegrationUri="https://example.com")
    account.route("echo", Target=target)

    with pytest.raises(ModelError, match="does not lead to a Lambda function"):
        read_model(client, account.api_id, "prod")


def test_an_identity_source_outside_the_handshake_is_refused(client: Any) -> None:
    account = Account(client)
    account.route(
        "$connect",
        AuthorizationType="CUSTOM",
        AuthorizerId=account.authorizer("authorize", "context.stage"),
    )

    with pytest.raises(ModelError, match="context.stage"):
        read_model(client, account.api_id, "prod")
