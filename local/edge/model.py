"""The deployed API, as the edge needs it: routes, functions, authorizer, stage."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from local.edge.errors import ModelError
from local.edge.settings import MAX_INTEGRATION_MS

_LOG_GROUP = re.compile(r"arn:[^:]*:logs:[^:]*:[^:]*:log-group:(?P<name>[^:*]+)(?::\*)?")
_FUNCTION = re.compile(r"/functions/(?P<arn>arn:[^/$]+)/invocations$")
_BODY_SELECTION = re.compile(r"\$(?:request\.body\.([\w.-]+)|\{request\.body\.([\w.-]+)\})")
_IDENTITY = re.compile(r"route\.request\.(?P<place>header|querystring)\.(?P<name>.+)")


@dataclass(frozen=True, slots=True)
class IdentitySource:
    """Something that a handshake must carry before the authorizer is asked."""

    place: str
    name: str


@dataclass(frozen=True, slots=True)
class Authorizer:
    """The REQUEST authorizer of `$connect`."""

    function_arn: str
    identity_sources: tuple[IdentitySource, ...] = ()


@dataclass(frozen=True, slots=True)
class Route:
    """One route key and what answers it.

    `function_arn` is None only on a `$connect` or `$disconnect` that has no integration.
    With `has_route_response` the function's `body` is sent back to the peer.
    """

    key: str
    function_arn: str | None
    timeout_ms: int = MAX_INTEGRATION_MS
    has_route_response: bool = False
    authorizer: Authorizer | None = None


@dataclass(frozen=True, slots=True)
class AccessLogging:
    """Which log group a stage's access log goes to, and what a line looks like."""

    group: str
    format: str


@dataclass(frozen=True, slots=True)
class ApiModel:
    """One stage of one WebSocket API.

    `selection_path` is where a JSON message names its route: `("action",)` for
    `$request.body.action`. With `detailed_metrics` each route has metrics of its own.
    """

    api_id: str
    stage: str
    region: str
    account_id: str
    selection_path: tuple[str, ...]
    routes: Mapping[str, Route]
    stage_variables: Mapping[str, str] = field(default_factory=dict)
    access_log: AccessLogging | None = None
    detailed_metrics: bool = False

    @property
    def domain_name(self) -> str:
        """The name that the API would have on AWS; it resolves to nothing here."""
        return f"{self.api_id}.execute-api.{self.region}.amazonaws.com"

    @property
    def connect_arn(self) -> str:
        """The method ARN that an authorizer is asked about."""
        return (
            f"arn:aws:execute-api:{self.region}:{self.account_id}"
            f":{self.api_id}/{self.stage}/$connect"
        )


def read_model(client: Any, api_id: str, stage: str) -> ApiModel:
    """Read a deployed API through the public control-plane calls.

    Args:
        client: A boto3 `apigatewayv2` client.
        api_id: Which API.
        stage: Which of its stages.

    Raises:
        ModelError: The API or stage is not there or not readable, or it asks for something that
            the edge does not have: a protocol other than WEBSOCKET, integrations other than
            AWS_PROXY, a selection expression outside the body, IAM authorization, API keys.
    """
    try:
        return _read(client, api_id, stage)
    except (ClientError, BotoCoreError) as error:
        raise ModelError(f"API {api_id}, stage {stage}: {error}") from error


def _read(client: Any, api_id: str, stage: str) -> ApiModel:
    api = client.get_api(ApiId=api_id)
    if api.get("ProtocolType") != "WEBSOCKET":
        raise ModelError(f"API {api_id} speaks {api.get('ProtocolType')}, not WEBSOCKET")
    deployed = client.get_stage(ApiId=api_id, StageName=stage)
    integrations = {
        item["IntegrationId"]: item for item in _pages(client, "get_integrations", api_id)
    }
    authorizers = {item["AuthorizerId"]: item for item in _pages(client, "get_authorizers", api_id)}
    routes = {
        item["RouteKey"]: _route(
            item, integrations, authorizers, _route_responses(client, api_id, item)
        )
        for item in _pages(client, "get_routes", api_id)
    }
    region, account_id = _home(routes, client.meta.region_name)
    return ApiModel(
        api_id=api_id,
        stage=stage,
        region=region,
        account_id=account_id,
        selection_path=selection_path(api["RouteSelectionExpression"]),
        routes=routes,
        stage_variables=deployed.get("StageVariables") or {},
        access_log=_access_logging(deployed.get("AccessLogSettings") or {}),
        detailed_metrics=(deployed.get("DefaultRouteSettings") or {}).get(
            "DetailedMetricsEnabled", False
        ),
    )


def _access_logging(settings: Mapping[str, Any]) -> AccessLogging | None:
    arn, form = settings.get("DestinationArn"), settings.get("Format")
    if not arn or not form:
        return None
    found = _LOG_GROUP.fullmatch(arn)
    if found is None:
        raise ModelError(f"the access log goes to {arn}, which is no log group")
    # Line breaks in a format are a matter of its template; a line of the log has none.
    return AccessLogging(found["name"], " ".join(form.split()))


def selection_path(expression: str) -> tuple[str, ...]:
    """Where in a JSON message its route is named.

    Raises:
        ModelError: The expression does not select by the body; AWS would have other forms.
    """
    match = _BODY_SELECTION.fullmatch(expression)
    if match is None:
        raise ModelError(f"route selection expression {expression!r} is not $request.body.<name>")
    return tuple((match[1] or match[2]).split("."))


def _pages(client: Any, operation: str, api_id: str, **more: str) -> Iterator[dict[str, Any]]:
    for page in client.get_paginator(operation).paginate(ApiId=api_id, **more):
        yield from page["Items"]


def _route_responses(client: Any, api_id: str, route: Mapping[str, Any]) -> frozenset[str]:
    pages = _pages(client, "get_route_responses", api_id, RouteId=route["RouteId"])
    return frozenset(item["RouteResponseKey"] for item in pages)


def _route(
    route: Mapping[str, Any],
    integrations: Mapping[str, Mapping[str, Any]],
    authorizers: Mapping[str, Mapping[str, Any]],
    responses: frozenset[str],
) -> Route:
    key = route["RouteKey"]
    if route.get("ApiKeyRequired"):
        raise ModelError(f"route {key} asks for an API key, which the edge cannot check")
    integration = _integration(key, route.get("Target"), integrations)
    return Route(
        key=key,
        function_arn=_function_arn(key, integration["IntegrationUri"]) if integration else None,
        timeout_ms=_timeout_ms(integration),
        # Either alone sends nothing back: the route selects a response, and it has to be there.
        has_route_response=(
            route.get("RouteResponseSelectionExpression") == "$default" and "$default" in responses
        ),
        authorizer=_authorizer(key, route, authorizers),
    )


def _integration(
    key: str, target: str | None, integrations: Mapping[str, Mapping[str, Any]]
) -> Mapping[str, Any] | None:
    if not target:
        if key in ("$connect", "$disconnect"):
            return None
        raise ModelError(f"route {key} has no integration")
    integration = integrations.get(target.removeprefix("integrations/"))
    if integration is None:
        raise ModelError(f"route {key} targets {target}, which is not there")
    if integration["IntegrationType"] != "AWS_PROXY":
        raise ModelError(f"route {key} has a {integration['IntegrationType']} integration")
    return integration


def _timeout_ms(integration: Mapping[str, Any] | None) -> int:
    asked = (integration or {}).get("TimeoutInMillis") or MAX_INTEGRATION_MS
    return min(int(asked), MAX_INTEGRATION_MS)


def _function_arn(key: str, uri: str) -> str:
    match = _FUNCTION.search(uri)
    if match is None:
        raise ModelError(f"route {key} does not lead to a Lambda function: {uri}")
    return match["arn"]


def _authorizer(
    key: str, route: Mapping[str, Any], authorizers: Mapping[str, Mapping[str, Any]]
) -> Authorizer | None:
    kind = route.get("AuthorizationType") or "NONE"
    if kind == "NONE":
        return None
    if kind != "CUSTOM":
        raise ModelError(f"route {key} has {kind} authorization, which the edge cannot check")
    found = authorizers.get(route.get("AuthorizerId", ""))
    if found is None or found["AuthorizerType"] != "REQUEST":
        raise ModelError(f"route {key} has no REQUEST authorizer")
    sources = tuple(_identity_source(key, text) for text in found.get("IdentitySource") or ())
    return Authorizer(_function_arn(key, found["AuthorizerUri"]), sources)


def _identity_source(key: str, expression: str) -> IdentitySource:
    match = _IDENTITY.fullmatch(expression)
    if match is None:
        raise ModelError(f"route {key}: identity source {expression!r} is no header or query value")
    return IdentitySource(match["place"], match["name"])


def _home(routes: Mapping[str, Route], region: str) -> tuple[str, str]:
    """Region and account, which no control-plane call of the API names, from a function's ARN."""
    for route in routes.values():
        if route.function_arn:
            parts = route.function_arn.split(":")
            return parts[3], parts[4]
    return region, "000000000000"
