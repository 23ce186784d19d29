from typing import Any

from tests.template.templates import CORE, PLAIN, SIDECAR, Resource, of_type

ANSWERED = {"$default", "echo", "broadcast", "ack"}
"""Routes whose function's answer goes back to the peer."""


def routes() -> dict[str, Resource]:
    return {
        route["RouteKey"]: route
        for template in PLAIN.values()
        for route in of_type(template, "AWS::ApiGatewayV2::Route").values()
    }


def test_the_api_has_these_routes() -> None:
    assert routes().keys() == {"$connect", "$disconnect", "$default", "echo", "broadcast", "ack"}


def test_connecting_needs_the_authorizer() -> None:
    connect = routes()["$connect"]
    authorizers = of_type(PLAIN["core.yaml"], "AWS::ApiGatewayV2::Authorizer")

    assert connect["AuthorizationType"] == "CUSTOM"
    assert list(authorizers) == [connect["AuthorizerId"]["Ref"]]
    assert "Authorize" in str(authorizers["ApiConnectAuthorizer"]["AuthorizerUri"])


def test_no_single_place_of_the_token_is_required() -> None:
    authorizer = of_type(PLAIN["core.yaml"], "AWS::ApiGatewayV2::Authorizer")[
        "ApiConnectAuthorizer"
    ]

    assert authorizer["AuthorizerType"] == "REQUEST"
    assert authorizer["IdentitySource"] == []


def test_the_routes_that_answer_have_a_route_response() -> None:
    selecting = {
        key for key, route in routes().items() if "RouteResponseSelectionExpression" in route
    }

    assert selecting == ANSWERED
    assert answering() == ANSWERED


def answering() -> set[str]:
    """The route keys that a route response stands for."""
    keys = set()
    for written, plain in ((CORE, PLAIN["core.yaml"]), (SIDECAR, PLAIN["template.yaml"])):
        for response in of_type(written, "AWS::ApiGatewayV2::RouteResponse").values():
            assert response["RouteResponseKey"] == "$default"
            keys.add(plain["Resources"][response["RouteId"]["Ref"]]["Properties"]["RouteKey"])
    return keys


def stage() -> Resource:
    (only,) = of_type(PLAIN["core.yaml"], "AWS::ApiGatewayV2::Stage").values()
    return only


def throttle(name: str) -> dict[str, Any]:
    return {
        "ThrottlingRateLimit": {"Ref": f"{name}Rate"},
        "ThrottlingBurstLimit": {"Ref": f"{name}Burst"},
    }


def test_every_route_of_the_core_is_throttled_by_name() -> None:
    assert stage()["RouteSettings"] == {
        "$connect": throttle("Connect"),
        "$disconnect": throttle("Disconnect"),
        "$default": throttle("Message"),
        "echo": throttle("Echo"),
    }


def test_routes_from_outside_get_the_default_throttle() -> None:
    assert stage()["DefaultRouteSettings"] == throttle("Other")


def test_changes_of_routes_go_live_by_themselves() -> None:
    assert stage()["AutoDeploy"] is True


def test_broadcast_may_be_called_by_its_route_alone() -> None:
    permission = SIDECAR["Resources"]["BroadcastPermission"]["Properties"]

    assert permission["SourceArn"]["Fn::Sub"].endswith(
        ":${Core.Outputs.ApiId}/${Core.Outputs.StageName}/broadcast"
    )
    assert permission["Principal"] == "apigateway.amazonaws.com"


def test_an_api_key_is_asked_for_only_where_it_is_wanted() -> None:
    assert routes()["$connect"]["ApiKeyRequired"] == {"Fn::If": ["NeedsApiKey", True, False]}
    for kind in ("ApiKey", "UsagePlan", "UsagePlanKey"):
        (resource,) = (
            each
            for each in CORE["Resources"].values()
            if each["Type"] == f"AWS::ApiGateway::{kind}"
        )

        assert resource["Condition"] == "NeedsApiKey"
