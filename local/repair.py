"""Sets by API what AWS does of itself and ministack 1.5.33 refuses or silently ignores.

Each repair looks first and writes only what differs, so that repairing twice changes nothing.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from local.intrinsics import Scope
from local.ministack import client
from local.package import Package

Properties = Mapping[str, Any]
Repair = Callable[[str, Properties, str], Iterator[str]]


def repair(endpoint: str, package: Package, scope: Scope) -> Iterator[str]:
    """Repair one stack, without its children; yield a line for each thing that was set."""
    for logical_id, resource in package.template["Resources"].items():
        mend = _REPAIRS.get(resource["Type"])
        if mend and logical_id in scope.resources:
            properties = scope.resolve(_only(resource["Properties"], _READ[resource["Type"]]))
            for what in mend(endpoint, properties, scope.resources[logical_id]):
                yield f"repaired: {logical_id}: {what}"
    for left_out in package.left_out:
        if left_out.type == "AWS::ApiGatewayV2::RouteResponse":
            route = scope.resolve(left_out.properties["RouteId"])
            for what in _respond(endpoint, left_out.properties, route):
                yield f"repaired: {left_out.logical_id}: {what}"


def _only(properties: Properties, names: tuple[str, ...]) -> Properties:
    return {name: properties[name] for name in names if name in properties}


def _expire(endpoint: str, properties: Properties, table: str) -> Iterator[str]:
    wanted = properties.get("TimeToLiveSpecification")
    if not wanted:
        return
    dynamodb = client(endpoint, "dynamodb")
    found = dynamodb.describe_time_to_live(TableName=table)["TimeToLiveDescription"]
    if wanted["Enabled"] and found["TimeToLiveStatus"] != "ENABLED":
        dynamodb.update_time_to_live(TableName=table, TimeToLiveSpecification=wanted)
        yield f"TTL by {wanted['AttributeName']}"


def _reserve(endpoint: str, properties: Properties, function: str) -> Iterator[str]:
    reserved = properties.get("ReservedConcurrentExecutions")
    if reserved is None:
        return
    lambda_ = client(endpoint, "lambda")
    found = lambda_.get_function_concurrency(FunctionName=function)
    if found.get("ReservedConcurrentExecutions") != int(reserved):
        lambda_.put_function_concurrency(
            FunctionName=function, ReservedConcurrentExecutions=int(reserved)
        )
        yield f"reserved concurrency {reserved}"


def _throttle(endpoint: str, properties: Properties, stage: str) -> Iterator[str]:
    gateway = client(endpoint, "apigatewayv2")
    api = properties["ApiId"]
    found = gateway.get_stage(ApiId=api, StageName=stage)
    default = _numbers(properties.get("DefaultRouteSettings", {}))
    routes = {
        route: _numbers(settings) for route, settings in properties.get("RouteSettings", {}).items()
    }
    if (found.get("DefaultRouteSettings"), found.get("RouteSettings")) != (default, routes):
        gateway.update_stage(
            ApiId=api, StageName=stage, DefaultRouteSettings=default, RouteSettings=routes
        )
        yield f"throttles of {len(routes)} routes and of all others"


def _numbers(settings: Properties) -> dict[str, Any]:
    kinds = {"ThrottlingRateLimit": float, "ThrottlingBurstLimit": int}
    return {name: kinds.get(name, lambda value: value)(value) for name, value in settings.items()}


def _respond(endpoint: str, properties: Properties, route: str) -> Iterator[str]:
    # Ministack's physical id of a route is `api/route`, where AWS has the route alone.
    api, _, route_id = route.rpartition("/")
    gateway = client(endpoint, "apigatewayv2")
    key = properties["RouteResponseKey"]
    found = gateway.get_route_responses(ApiId=api, RouteId=route_id)["Items"]
    if all(response["RouteResponseKey"] != key for response in found):
        gateway.create_route_response(ApiId=api, RouteId=route_id, RouteResponseKey=key)
        yield f"route response {key}"


_REPAIRS: Mapping[str, Repair] = {
    "AWS::DynamoDB::Table": _expire,
    "AWS::Lambda::Function": _reserve,
    "AWS::ApiGatewayV2::Stage": _throttle,
}
_READ = {
    "AWS::DynamoDB::Table": ("TimeToLiveSpecification",),
    "AWS::Lambda::Function": ("ReservedConcurrentExecutions",),
    "AWS::ApiGatewayV2::Stage": ("ApiId", "DefaultRouteSettings", "RouteSettings"),
}
