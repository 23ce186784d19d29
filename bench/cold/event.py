"""The handshake that every contender answers, and what Lambda says of the invocation."""

from dataclasses import dataclass
from typing import Any

CONNECT: dict[str, Any] = {
    "headers": {
        "Sec-WebSocket-Protocol": "socketwatch.v1, bearer.x",
        "X-Forwarded-For": "192.0.2.1",
    },
    "isBase64Encoded": False,
    "requestContext": {
        "apiId": "a1b2c3d4e5",
        "authorizer": {"principalId": "ann", "sub": "ann", "rooms": "", "roles": ""},
        "connectedAt": 1_795_250_000_000,
        "connectionId": "BFaT_fALIAMCKug=",
        "domainName": "a1b2c3d4e5.execute-api.eu-west-1.amazonaws.com",
        "eventType": "CONNECT",
        "requestId": "BFaT_G0jIAMF0zw=",
        "requestTimeEpoch": 1_795_250_000_010,
        "routeKey": "$connect",
        "stage": "live",
    },
}


@dataclass(frozen=True, slots=True)
class Context:
    """What Lambda says of an invocation."""

    function_name: str = "connect"
    memory_limit_in_mb: int = 256
    invoked_function_arn: str = "arn:aws:lambda:eu-west-1:123456789012:function:connect"
    aws_request_id: str = "52fdfc07-2182-454f-963f-5f0f9a621d72"
