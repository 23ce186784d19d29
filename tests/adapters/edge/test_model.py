import json
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any
from urllib.parse import parse_qsl

import boto3
import pytest

from local.edge.errors import ModelError
from local.edge.model import (
    AccessLogging,
    ApiModel,
    Authorizer,
    IdentitySource,
    Route,
    read_model,
    selection_path,
)
from tests.adapters.edge.scene import arn


def uri(name: str) -> str:
    function = f"2015-03-31/functions/{arn(name)}/invocations"
    return f"arn:aws:apigateway:us-east-1:lambda:path/{function}"


class Account:
    """The control plane of one account over HTTP; lists come one item a page."""

    def __init__(self, **api: str) -> None:
        self._documents: dict[str, Any] = {}
        self._lists: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)
        self.api_id = "a1b2c3d4e5"
        self._base = f"/v2/apis/{self.api_id}"
        wanted = {"name": "chat", "protocolType": "WEBSOCKET"}
        wanted |= {"routeSelectionExpression": "$request.body.action"} | api
        self._documents[self._base] = wanted
        self.stage: dict[str, Any] = {"stageVariables": {"colour": "blue"}}
        self._documents[f"{self._base}/stages/prod"] = self.stage

    def integration(self, name: str, **more: Any) -> str:
        several = self._lists[f"{self._base}/integrations"]
        wanted = {"integrationType": "AWS_PROXY", "integrationUri": uri(name)} | more
        several.append({"integrationId": f"i{len(several)}"} | wanted)
        return f"integrations/i{len(several) - 1}"

    def route(self, key: str, *responses: str, **more: Any) -> None:
        several = self._lists[f"{self._base}/routes"]
        route_id = f"r{len(several)}"
        several.append({"routeId": route_id, "routeKey": key} | more)
        self._lists[f"{self._base}/routes/{route_id}/routeresponses"] = [
            {"routeResponseKey": response} for response in responses
        ]

    def authorizer(self, name: str, *sources: str) -> str:
        self._lists[f"{self._base}/authorizers"].append(
            {
                "authorizerId": name,
                "authorizerType": "REQUEST",
                "authorizerUri": uri(name),
                "identitySource": sources,
                "name": name,
            }
        )
        return name

    def answer(self, target: str) -> tuple[int, dict[str, Any]]:
        path, _, query = target.partition("?")
        if path in self._documents:
            return 200, self._documents[path]
        if not path.startswith(f"{self._base}/") or "/stages/" in path:
            return 404, {"message": "Invalid identifier specified"}
        first = int(dict(parse_qsl(query)).get("nextToken", 0))
        items = self._lists[path]
        more = {"nextToken": str(first + 1)} if first + 1 < len(items) else {}
        return 200, {"items": items[first : first + 1], **more}


class Handler(BaseHTTPRequestHandler):
    account: Account

    def do_GET(self) -> None:
        status, document = self.account.answer(self.path)
        body = json.dumps(document).encode()
        self.send_response(status)
        if status == 404:
            self.send_header("x-amzn-ErrorType", "NotFoundException")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def client_of(account: Account, handler: type[Handler] = Handler) -> Iterator[Any]:
    serving = type("Handler", (handler,), {"account": account})
    with ThreadingHTTPServer(("127.0.0.1", 0), serving) as server:
        Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}).start()
        try:
            yield boto3.client(
                "apigatewayv2",
                endpoint_url=f"http://127.0.0.1:{server.server_port}",
                region_name="us-east-1",
                aws_access_key_id="local",
                aws_secret_access_key="local",
            )
        finally:
            server.shutdown()


def read(account: Account, stage: str = "prod") -> ApiModel:
    with client_of(account) as client:
        return read_model(client, account.api_id, stage)


def test_a_deployed_api_is_read_whole() -> None:
    account = Account()
    authorizer = account.authorizer("authorize", "route.request.header.Authorization")
    account.route(
        "$connect",
        target=account.integration("connect", timeoutInMillis=5000),
        authorizationType="CUSTOM",
        authorizerId=authorizer,
    )
    account.route("$disconnect")
    answers = {"routeResponseSelectionExpression": "$default"}
    account.route("echo", "other", "$default", target=account.integration("echo"), **answers)
    account.route("join", target=account.integration("message"))
    found = read(account)

    guard = Authorizer(arn("authorize"), (IdentitySource("header", "Authorization"),))
    assert found.routes == {
        "$connect": Route("$connect", arn("connect"), 5000, authorizer=guard),
        "$disconnect": Route("$disconnect", None),
        "echo": Route("echo", arn("echo"), has_route_response=True),
        "join": Route("join", arn("message")),
    }
    assert (found.region, found.account_id) == ("us-east-1", "123456789012")
    assert found.selection_path == ("action",)
    assert found.stage_variables == {"colour": "blue"}


def test_a_stages_access_log_and_details_are_read_too() -> None:
    account, plain = Account(), Account()
    account.stage["accessLogSettings"] = {
        "destinationArn": "arn:aws:logs:us-east-1:123456789012:log-group:/apis/access",
        "format": '{"id":"$context.connectionId",\n "status":"$context.status"}\n',
    }
    account.stage["defaultRouteSettings"] = {"detailedMetricsEnabled": True}
    found = read(account)

    form = '{"id":"$context.connectionId", "status":"$context.status"}'
    assert found.access_log == AccessLogging("/apis/access", form)
    assert found.detailed_metrics
    assert (read(plain).access_log, read(plain).detailed_metrics) == (None, False)


def test_an_access_log_that_goes_elsewhere_is_refused() -> None:
    account = Account()
    stream = "arn:aws:firehose:us-east-1:123456789012:deliverystream/amazon-apigateway-x"
    account.stage["accessLogSettings"] = {"destinationArn": stream, "format": "$context.status"}

    with pytest.raises(ModelError, match="which is no log group"):
        read(account)


def test_a_route_response_needs_both_the_selection_and_the_response() -> None:
    account = Account()
    target = account.integration("message")
    account.route("unselected", "$default", target=target)
    account.route("missing", target=target, routeResponseSelectionExpression="$default")
    routes = read(account).routes

    assert not routes["unselected"].has_route_response
    assert not routes["missing"].has_route_response


def test_an_integration_takes_29_seconds_at_most() -> None:
    account = Account()
    account.route("$default", target=account.integration("message", timeoutInMillis=30000))

    assert read(account).routes["$default"].timeout_ms == 29_000


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


def test_an_unknown_api_or_stage_is_named() -> None:
    account = Account()

    with pytest.raises(ModelError, match=r"stage dev: .*NotFoundException"):
        read(account, "dev")
    with client_of(account) as client, pytest.raises(ModelError, match="API nope"):
        read_model(client, "nope", "prod")


def test_an_http_api_is_refused() -> None:
    with pytest.raises(ModelError, match="HTTP, not WEBSOCKET"):
        read(Account(protocolType="HTTP"))


def with_route(key: str, **more: Any) -> Account:
    account = Account()
    account.route(key, **({"target": account.integration("f")} | more))
    return account


@pytest.mark.parametrize(
    ("account", "message"),
    [
        (with_route("$connect", authorizationType="AWS_IAM"), "AWS_IAM authorization"),
        (with_route("$connect", authorizationType="CUSTOM"), "no REQUEST authorizer"),
        (with_route("$connect", apiKeyRequired=True), "API key"),
        (with_route("echo", target="integrations/nope"), "targets integrations/nope"),
        (with_route("echo", target=""), "echo has no integration"),
    ],
)
def test_what_the_edge_does_not_have_is_refused_by_name(account: Account, message: str) -> None:
    with pytest.raises(ModelError, match=message):
        read(account)


@pytest.mark.parametrize(
    ("integration", "message"),
    [
        ({"integrationType": "MOCK"}, "ping has a MOCK integration"),
        ({"integrationUri": "https://example.com"}, "ping does not lead to a Lambda function"),
    ],
)
def test_an_integration_that_is_no_function_is_refused(
    integration: dict[str, str], message: str
) -> None:
    account = Account()
    account.route("ping", target=account.integration("f", **integration))

    with pytest.raises(ModelError, match=message):
        read(account)


def test_an_identity_source_outside_the_handshake_is_refused() -> None:
    account = Account()
    guard = account.authorizer("authorize", "context.stage")
    account.route("$connect", authorizationType="CUSTOM", authorizerId=guard)

    with pytest.raises(ModelError, match=r"'context\.stage'"):
        read(account)
