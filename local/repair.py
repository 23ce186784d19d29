"""Sets by API what AWS does of itself and ministack 1.5.33 refuses or silently ignores.

Each repair looks first and writes only what differs, so that repairing twice changes nothing.
"""

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from botocore.exceptions import ClientError

from local.intrinsics import Scope, UnresolvedError
from local.ministack import client
from local.package import SCALING, LeftOut, Package

Properties = Mapping[str, Any]
Repair = Callable[[str, Properties, str], Iterator[str]]


def repair(endpoint: str, package: Package, scope: Scope) -> Iterator[str]:
    """Repair one stack, without its children; yield a line for each thing that was set."""
    for logical_id, resource in package.template["Resources"].items():
        if logical_id in scope.resources:
            for mend, read in _REPAIRS.get(resource["Type"], ()):
                properties = scope.resolve(_only(resource["Properties"], read))
                for what in mend(endpoint, properties, scope.resources[logical_id]):
                    yield f"repaired: {logical_id}: {what}"
    for left_out in package.left_out:
        for what in _make_up_for(endpoint, left_out, scope):
            yield f"repaired: {left_out.logical_id}: {what}"


def _make_up_for(endpoint: str, left_out: LeftOut, scope: Scope) -> Iterator[str]:
    if left_out.type == "AWS::ApiGatewayV2::RouteResponse":
        route = scope.resolve(left_out.properties["RouteId"])
        yield from _respond(endpoint, left_out.properties, route)
    if left_out.type == SCALING:
        mapping = scope.resources[left_out.logical_id]
        yield from _scale(endpoint, scope.resolve(left_out.properties), mapping)


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


def _let_loop(endpoint: str, properties: Properties, function: str) -> Iterator[str]:
    wanted = properties.get("RecursiveLoop")
    if wanted is None:
        return
    lambda_ = client(endpoint, "lambda")
    found = lambda_.get_function_recursion_config(FunctionName=function)
    if found["RecursiveLoop"] != wanted:
        lambda_.put_function_recursion_config(FunctionName=function, RecursiveLoop=wanted)
        yield f"recursive loop {wanted}"


def _scale(endpoint: str, properties: Properties, mapping: str) -> Iterator[str]:
    wanted = {"MaximumConcurrency": int(properties["MaximumConcurrency"])}
    lambda_ = client(endpoint, "lambda")
    found = lambda_.get_event_source_mapping(UUID=mapping)
    if found.get("ScalingConfig") != wanted:
        lambda_.update_event_source_mapping(UUID=mapping, ScalingConfig=wanted)
        yield f"maximum concurrency {wanted['MaximumConcurrency']}"


def _forget(endpoint: str, properties: Properties, bucket: str) -> Iterator[str]:
    rules = [_rule(rule) for rule in properties.get("LifecycleConfiguration", {}).get("Rules", ())]
    if not rules:
        return
    s3 = client(endpoint, "s3")
    if _lifecycle(s3, bucket) != rules:
        s3.put_bucket_lifecycle_configuration(
            Bucket=bucket, LifecycleConfiguration={"Rules": rules}
        )
        yield f"lifecycle by {', '.join(rule['ID'] for rule in rules)}"


def _lifecycle(s3: Any, bucket: str) -> list[Any]:
    try:
        rules: list[Any] = s3.get_bucket_lifecycle_configuration(Bucket=bucket)["Rules"]
    except ClientError as error:
        if error.response["Error"]["Code"] == "NoSuchLifecycleConfiguration":
            return []
        raise
    return rules


def _rule(rule: Properties) -> dict[str, Any]:
    """A lifecycle rule of a template in the API's words."""
    said: dict[str, Any] = {"Filter": {"Prefix": ""}}
    for name, value in rule.items():
        match name:
            case "Id":
                said["ID"] = value
            case "Status":
                said["Status"] = value
            case "Prefix":
                said["Filter"] = {"Prefix": value}
            case "ExpirationInDays":
                said["Expiration"] = {"Days": int(value)}
            case "AbortIncompleteMultipartUpload":
                said[name] = {part: int(days) for part, days in value.items()}
            case _:
                raise UnresolvedError(f"cannot set {name} of a lifecycle rule")
    return said


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


_REPAIRS: Mapping[str, tuple[tuple[Repair, tuple[str, ...]], ...]] = {
    "AWS::DynamoDB::Table": ((_expire, ("TimeToLiveSpecification",)),),
    "AWS::Lambda::Function": (
        (_reserve, ("ReservedConcurrentExecutions",)),
        (_let_loop, ("RecursiveLoop",)),
    ),
    "AWS::S3::Bucket": ((_forget, ("LifecycleConfiguration",)),),
    "AWS::ApiGatewayV2::Stage": ((_throttle, ("ApiId", "DefaultRouteSettings", "RouteSettings")),),
}
"""By type: what to repair, and the properties that it reads."""
