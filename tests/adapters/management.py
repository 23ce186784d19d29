"""The management API at the level of HTTP: what botocore would send, answered by a script."""

import io
from dataclasses import dataclass, field
from typing import Any

import botocore.session
from botocore.awsrequest import AWSResponse
from botocore.config import Config
from botocore.exceptions import ConnectTimeoutError

from socketwatch.aws.gateway import Gateway

ENDPOINT = "https://abc123.execute-api.us-east-1.amazonaws.com/live"


class _Raw(io.BytesIO):
    def stream(self, **_options: Any) -> list[bytes]:
        return [self.read()]


@dataclass
class ScriptedManagement:
    """Answers each post with the status that *statuses* names for its path ending, else 200.

    Status 0 stands for a network that drops the request.
    """

    statuses: dict[str, int] = field(default_factory=dict)
    urls: list[str] = field(default_factory=list)

    def gateway(self, endpoint: str = ENDPOINT) -> Gateway:
        config = Config(retries={"total_max_attempts": 1})
        client = botocore.session.get_session().create_client(
            "apigatewaymanagementapi", endpoint_url=endpoint, config=config
        )
        client.meta.events.register("before-send", self._answer)
        return Gateway(client)

    def _answer(self, request: Any, **_event: Any) -> AWSResponse:
        self.urls.append(request.url)
        found = (status for end, status in self.statuses.items() if request.url.endswith(end))
        status = next(found, 200)
        if status == 0:
            raise ConnectTimeoutError(endpoint_url=request.url)
        return AWSResponse(request.url, status, {}, _Raw(b""))
